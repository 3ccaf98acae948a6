"""The correlation matrix nearest to an indefinite one, by Higham's alternating projections.

    min ‖A − X‖_F  over positive semidefinite X with ones on its diagonal

Correlations that are rounded, computed from pairs of columns or put together from several sources
may be those of no data. Projections on the two convex sets are alternated; Dykstra's correction of
the first makes the limit the nearest matrix and not just one that lies in both.

References: N. J. Higham, "Computing the nearest correlation matrix: a problem from finance", IMA
Journal of Numerical Analysis 2002, algorithm 3.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from latentia.models.inputs import Matrix
from latentia.models.linear.reading import checked_symmetric

TOLERANCE = 1e-10
MOST_STEPS = 10_000


def nearest_correlation(S: ArrayLike) -> tuple[Matrix, str]:
    """Return the matrix whose correlations are nearest to those of S, and how far they are.

    Parameters
    ----------
    S
        (p, p) correlation or covariance matrix, symmetric; the variances are kept.

    Returns
    -------
    nearest, said
        (p, p), and a clause: the distance in the Frobenius norm, the largest change of a
        correlation, and the least eigenvalue that made it necessary.

    Raises
    ------
    InputError
        If S is no symmetric matrix of finite numbers with variances of at least 0.
    """
    matrix, names = checked_symmetric(S)
    scale = np.sqrt(np.where(np.diag(matrix) > 0, np.diag(matrix), 1))
    R = matrix / scale[:, None] / scale
    least = float(np.linalg.eigvalsh(R)[0])
    if least >= 0:
        return matrix, "its correlations are not indefinite, and were not changed"
    unit = np.diag(R)
    X, correction = R, np.zeros_like(R)
    for _ in range(MOST_STEPS):
        raised = _semidefinite(X - correction)
        correction = raised - (X - correction)
        before, X = X, raised - np.diag(np.diag(raised) - unit)
        if np.linalg.norm(X - before) <= TOLERANCE * np.linalg.norm(X):
            break
    # The last projection leaves no negative eigenvalue, and ones on the diagonal up to rounding.
    X = _semidefinite(X)
    deviations = np.sqrt(np.where(unit > 0, np.diag(X), 1))
    X = X / deviations[:, None] / deviations
    change = np.abs(X - R)
    row, column = np.unravel_index(change.argmax(), change.shape)
    names = names or [f"variable {place + 1}" for place in range(len(R))]
    said = (
        f"indefinite (least eigenvalue {least:.3g}), so the nearest correlation matrix is "
        f"analysed, {np.linalg.norm(X - R):.3g} away in the Frobenius norm; the correlation of "
        f"{names[row]} and {names[column]} changed most, by {change.max():.3g}"
    )
    return X * scale[:, None] * scale, said


def _semidefinite(A: Matrix) -> Matrix:
    values, vectors = np.linalg.eigh((A + A.T) / 2)
    return np.asarray((vectors * values.clip(0)) @ vectors.T)
