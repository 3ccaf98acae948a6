"""Tests of fit where rows are not normal: Satorra and Bentler's scaled χ², Mardia's moments.

    c = tr(UΓ)/dof,   U = V − VΔ(ΔᵀVΔ)⁻ΔᵀV,   χ² scaled = n F/c                       [1]_
    V = ½ Dᵀ(Σ⁻¹ ⊗ Σ⁻¹)D,   Γ = Cov(vech (x − μ)(x − μ)ᵀ),   Δ = ∂ vech Σ/∂θ
    b₁ = mean over i, j of (yᵢᵀyⱼ)³,   b₂ = mean of (yᵢᵀyᵢ)²,   y = S^-½ (x − μ)       [2]_

Shapes: X is (n, p), Σ and S (p, p), /n; Γ, U and V are (p*, p*) with p* = p(p + 1)/2, and Γ is
never made: tr(UΓ) is the mean of wᵀUw over the rows' w = vech((x − μ)(x − μ)ᵀ − S).

References
----------
.. [1] A. Satorra, P. M. Bentler, "Corrections to test statistics and standard errors in covariance
   structure analysis", in "Latent variables analysis", 1994.
.. [2] K. V. Mardia, "Measures of multivariate skewness and kurtosis with applications", Biometrika
   1970.
.. [3] P. E. Brosseau-Liard, V. Savalei, L. Li, "An investigation of the sample performance of two
   nonnormality corrections for RMSEA", Multivariate Behavioral Research 2012 (and V. Savalei,
   "Adjusting incremental fit indices for nonnormality", 2014).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, stats

from latentia.errors import InputError
from latentia.models.factors.fit_statistics import discrepancy, is_singular
from latentia.models.factors.summary import Part, Table, chi_square_test, number, numbers
from latentia.models.inputs import Matrix

MOST_VARIABLES = 60
"""Of which p(p + 1)/2 moments are 1830."""
BLOCK = 2**21
"""Numbers made at once."""


@dataclass(frozen=True)
class Mardia:
    """Skewness and kurtosis of (n, p) rows, tested against those of normal ones."""

    skewness: float
    """b₁; 0 for normal rows."""
    skewness_chi_square: float
    """n b₁/6, χ² with ``skewness_dof`` degrees of freedom for normal rows."""
    skewness_dof: int
    skewness_p_value: float
    kurtosis: float
    """b₂; p(p + 2) for normal rows."""
    kurtosis_z: float
    """(b₂ − p(p + 2))/√(8p(p + 2)/n), standard normal for normal rows."""
    kurtosis_p_value: float
    """Of both sides."""


@dataclass(frozen=True)
class RobustTest:
    """Satorra and Bentler's test of a maximum-likelihood factor model, by lavaan's convention."""

    chi_square: float
    """n F/c."""
    dof: int
    p_value: float
    scaling: float
    """c; 1 for normal rows."""
    baseline_scaling: float
    """c of the model in which nothing correlates."""
    rmsea: float
    cfi: float
    tli: float
    """Robust ones [3]_, which estimate what normal rows would have."""


def mardia(X: ArrayLike) -> Mardia:
    """Return Mardia's multivariate skewness and kurtosis of complete rows that vary in each column.

    Examples
    --------
    >>> found = mardia(np.random.default_rng(0).normal(size=(400, 3)))
    >>> found.kurtosis_p_value > 0.05, found.skewness_dof
    (True, 10)
    """
    rows = _checked(X)
    n, p = rows.shape
    S = np.cov(rows.T, ddof=0).reshape(p, p)
    if is_singular(S / np.sqrt(np.outer(S.diagonal(), S.diagonal()))):
        raise InputError("the covariance of X is singular: Mardia's test needs a regular one")
    root = linalg.cholesky(S, lower=True)
    y = linalg.solve_triangular(root, (rows - rows.mean(axis=0)).T, lower=True).T
    # The mean of (yᵢᵀyⱼ)³ is the squared length of the mean of y ⊗ y ⊗ y.
    third, size = np.zeros((p * p, p)), max(1, BLOCK // p**2)
    for block in (y[i : i + size] for i in range(0, n, size)):
        third += (block[:, :, None] * block[:, None, :]).reshape(len(block), -1).T @ block
    b1, b2 = float(((third / n) ** 2).sum()), float(((y**2).sum(axis=1) ** 2).mean())
    dof = p * (p + 1) * (p + 2) // 6
    z = (b2 - p * (p + 2)) / math.sqrt(8 * p * (p + 2) / n)
    tails = float(stats.chi2.sf(n * b1 / 6, dof)), float(2 * stats.norm.sf(abs(z)))
    return Mardia(b1, n * b1 / 6, dof, tails[0], b2, z, tails[1])


def robust_test(model: Any, X: ArrayLike) -> RobustTest:
    """Return the scaled test of a model that was fitted by ml to these (n, p) complete rows."""
    rows, varies = _checked(X), np.flatnonzero(model.scale_ > 0)
    _refuse(model, rows, len(varies))
    pairs, scale = np.ix_(varies, varies), model.scale_[varies]
    both = model.covariance_, model.get_covariance()
    S, Sigma = (matrix[pairs] / np.outer(scale, scale) for matrix in both)
    centred = (rows[:, varies] - model.mean_[varies]) / scale
    n, p, k = len(rows), len(varies), model.n_latent
    dof, pairs_of = ((p - k) ** 2 - p - k) // 2, p * (p - 1) // 2
    if dof <= 0 or is_singular(S):
        raise InputError(
            f"the model has {dof} degrees of freedom or a singular covariance: no test"
        )
    root = linalg.cholesky(model.factor_correlations_, lower=True)
    L = model.loadings_[varies] / scale[:, None] @ root
    c = _trace(centred, S, Sigma, _slopes(L)) / dof
    c0 = _trace(centred, S, np.diag(S.diagonal()), _slopes(np.zeros((p, 0)))) / pairs_of
    chi, null = n * discrepancy(S, Sigma), n * discrepancy(S, np.diag(S.diagonal()))
    excess, null_excess = chi - c * dof, null - c0 * pairs_of
    return RobustTest(
        chi / c,
        dof,
        float(stats.chi2.sf(chi / c, dof)),
        c,
        c0,
        math.sqrt(max(excess, 0) / (n * dof)),
        1 - max(excess, 0) / max(excess, null_excess, 1e-300),
        1 - (excess / null_excess) * (pairs_of / dof),
    )


def _refuse(model: Any, rows: Matrix, p: int) -> None:
    if model.method != "ml" or (model.missing, model.correlation) != ("error", "pearson"):
        raise InputError("Satorra and Bentler's test is of ml on complete rows of numbers")
    if rows.shape != (round(model.n_samples_), len(model.scale_)):
        raise InputError(
            f"X has shape {rows.shape}, and the model was fitted to {model.n_samples_:g} rows of "
            f"{len(model.scale_)}"
        )
    if p > MOST_VARIABLES:
        raise InputError(f"{p} variables are too many; at most {MOST_VARIABLES} are taken")


def _checked(X: ArrayLike) -> Matrix:
    rows = np.asarray(X, dtype=np.float64)
    if rows.ndim != 2 or len(rows) < 3 or not np.isfinite(rows).all():
        raise InputError(f"X has shape {rows.shape}; give (n, p) complete rows, n at least 3")
    return rows


def _slopes(L: Matrix) -> Matrix:
    """Return Δ, (p*, pk + p): of loadings and noise variances, Φ being the identity."""
    p, k = L.shape
    rows, columns = np.tril_indices(p)
    unit = np.eye(p)
    of_loadings = (
        unit[rows][:, :, None] * L[columns][:, None, :]
        + unit[columns][:, :, None] * L[rows][:, None, :]
    )
    of_noise = unit[rows] * unit[columns]
    return np.hstack([of_loadings.reshape(len(rows), p * k), of_noise])


def _trace(centred: Matrix, S: Matrix, Sigma: Matrix, slopes: Matrix) -> float:
    """Return tr(UΓ), as the mean of wᵀUw."""
    rows, columns = np.tril_indices(len(S))
    inverse = linalg.inv(Sigma)
    twice = np.where(rows == columns, 1.0, 2.0)
    V = inverse[np.ix_(rows, rows)] * inverse[np.ix_(columns, columns)]
    V = (V + inverse[np.ix_(rows, columns)] * inverse[np.ix_(columns, rows)]) / 2
    V = V * np.outer(twice, twice) / 2
    root = linalg.cholesky(V, lower=True)
    # What Δ reaches in the metric of V; rotations leave it short of full rank.
    left, sizes, _ = linalg.svd(root.T @ slopes, full_matrices=False)
    reached = left[:, sizes > 1e-10 * sizes[0]]
    total, size = 0.0, max(1, BLOCK // len(rows))
    for first in range(0, len(centred), size):
        x = centred[first : first + size]
        w = (x[:, rows] * x[:, columns] - S[rows, columns]) @ root
        total += float((w**2).sum() - ((w @ reached) ** 2).sum())
    return total / len(centred)


def normality(model: Any, X: ArrayLike) -> Part:
    """Return Mardia's moments and, of maximum likelihood, the scaled test, as tables."""
    rows = _checked(X)[:, model.scale_ > 0]
    m = mardia(rows)
    skew = chi_square_test(m.skewness_chi_square, m.skewness_dof, m.skewness_p_value)
    p = f"{m.kurtosis_p_value:.3g}" if m.kurtosis_p_value > 0 else "< 1e-300"
    lines = [
        ("Mardia's skewness, χ²", f"{number(m.skewness, 2)}, {skew}"),
        ("Mardia's kurtosis, z", f"{number(m.kurtosis, 2)}, {number(m.kurtosis_z, 2)}, p {p}"),
    ]
    note = "Mardia (1970): small p-values say that rows are not normal; with many rows they are."
    try:
        t = robust_test(model, X)
    except InputError as error:
        return Part("Normality", (Table("Tests", (), tuple(lines), note),), (f"{error}",))
    lines += [
        ("χ², Satorra–Bentler", chi_square_test(t.chi_square, t.dof, t.p_value)),
        ("Scaling factor c", number(t.scaling, 4)),
        ("Robust RMSEA", number(t.rmsea, 3)),
        ("Robust TLI, CFI", numbers((t.tli, t.cfi), 3)),
    ]
    note += "\nc is 1 for normal rows, and larger where heavy tails make χ² too large."
    return Part("Normality and robust test", (Table("Tests", (), tuple(lines), note),))
