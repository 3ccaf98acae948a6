"""Whether two factor solutions of the same variables tell the same.

    φ = ⟨λ, τ⟩ / (‖λ‖ ‖τ‖) of two columns of loadings                            [1]_
    T = argmin ‖A T − B‖ over TᵀT = I: U Vᵀ of the singular vectors of AᵀB       [2]_

Shapes: loadings are (p, k) of p variables on k factors.

References
----------
.. [1] L. R. Tucker, "A method for synthesis of factor analysis studies", 1951.
.. [2] P. H. Schönemann, "A generalized solution of the orthogonal Procrustes problem",
   Psychometrika 1966.
.. [3] U. Lorenzo-Seva, J. M. F. ten Berge, "Tucker's congruence coefficient as a meaningful index
   of factor similarity", Methodology 2006.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from latentia.errors import InputError
from latentia.models.factors.summary import Part, Table, number
from latentia.models.inputs import Matrix, Vector
from latentia.models.linear.rotation import align

EQUAL, FAIR = 0.95, 0.85
"""From which factors are called equal, and fairly similar [3]_."""


@dataclass(frozen=True, eq=False)
class Congruence:
    """Two solutions of the same variables side by side."""

    factors: Vector
    """(k,) Tucker's congruence of each factor with its partner."""
    all_pairs: Matrix
    """(k, k) of every factor of the first solution (rows) with every one of the second."""
    variables: Vector
    """(p,) congruence of each variable's loadings; NaN for a variable without any."""
    loadings: Matrix
    """(p, k) of the first solution, turned to the second."""
    rotation: Matrix
    """(k, k) what turned them."""
    root_mean_square: float
    """Of the differences of the loadings."""

    @property
    def verdicts(self) -> tuple[str, ...]:
        """(k,) equal, fair or not similar [3]_."""
        return tuple(
            "equal" if c >= EQUAL else "fair" if c >= FAIR else "not similar" for c in self.factors
        )


def congruence(first: Matrix, second: Matrix, *, procrustes: bool = False) -> Congruence:
    """Return Tucker's congruence of two (p, k) loadings of the same variables.

    The factors of the first are matched with those of the second and turned to their signs;
    ``procrustes`` turns them by any orthogonal matrix, to the least squared differences.

    Examples
    --------
    >>> A = np.array([[0.8, 0.1], [0.7, 0.0], [0.1, 0.6], [0.0, 0.9]])
    >>> congruence(A, -A[:, ::-1]).factors.round(6).tolist()
    [1.0, 1.0]
    """
    A, B = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    T = align(A, B)
    if procrustes:
        left, _, right = np.linalg.svd(A.T @ B)
        T = left @ right
    turned = A @ T
    pairs = _cosines(turned.T, B.T)
    rows = (turned * B).sum(axis=1)
    lengths = np.linalg.norm(turned, axis=1) * np.linalg.norm(B, axis=1)
    return Congruence(
        np.diag(pairs).copy(),
        pairs,
        np.divide(rows, lengths, out=np.full(len(A), np.nan), where=lengths > 0),
        turned,
        T,
        math.sqrt(float(np.mean((turned - B) ** 2))),
    )


def _cosines(A: Matrix, B: Matrix) -> Matrix:
    lengths = np.outer(np.linalg.norm(A, axis=1), np.linalg.norm(B, axis=1))
    return np.asarray(np.divide(A @ B.T, lengths, out=np.zeros_like(lengths), where=lengths > 0))


def compared(model: Any, other: Any, name: str) -> Part:
    """Return the congruence of two fitted factor models, matched and by Procrustes, as tables."""
    names, others = model.variable_names(), other.variable_names()
    if sorted(names) != sorted(others):
        apart = sorted({*names} ^ {*others})
        raise InputError(f"{name} is of other variables: {', '.join(apart[:3])} are in one alone")
    if model.n_latent != other.n_latent:
        raise InputError(
            f"{name} has {other.n_latent} factor(s), and this solution {model.n_latent}; compare "
            "as many"
        )
    A = model.standardized_loadings_
    B = other.standardized_loadings_[[others.index(own) for own in names]]
    matched, turned = congruence(A, B), congruence(A, B, procrustes=True)
    header = ("", *(f"F{j + 1}" for j in range(len(matched.factors))))
    rows = [
        ("φ as they are", *(number(c, 3) for c in matched.factors)),
        ("", *matched.verdicts),
        ("φ after Procrustes", *(number(c, 3) for c in turned.factors)),
        ("", *turned.verdicts),
    ]
    note = (
        "φ Tucker's congruence with the factor of that number there; from 0.95 factors are equal, "
        "from 0.85 fairly similar (Lorenzo-Seva & ten Berge 2006); Procrustes turns these loadings "
        "to those, so that a difference in rotation alone vanishes"
    )
    away = f"rms difference of loadings {number(matched.root_mean_square, 3)}, after Procrustes "
    note += f"\n{away}{number(turned.root_mean_square, 3)}"
    seldom = [n for n, c in zip(names, turned.variables) if c < FAIR]
    notes = (f"variables whose loadings differ most, φ below 0.85: {', '.join(seldom)}",)
    table = Table("Congruence of factors", header, tuple(rows), note)
    return Part(f"Comparison with {name}", (table,), notes if seldom else ())
