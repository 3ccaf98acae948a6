"""Rotation of factor loadings to simple structure, orthogonal or oblique.

    Λ = A (T⁻¹)ᵀ,  Φ = TᵀT,  Λ Φ Λᵀ = A Aᵀ                  (the fit does not change)
    T minimises Q(Λ) under TᵀT = I (orthogonal) or diag(TᵀT) = 1 (oblique)    [1]_ [2]_

Shapes: ``A_PK`` loadings of p variables on k factors; ``T`` and ``Φ`` (k, k).

References
----------
.. [1] C. A. Bernaards, R. I. Jennrich, "Gradient projection algorithms and software for arbitrary
   rotation criteria in factor analysis", Educational and Psychological Measurement 2005.
.. [2] R. I. Jennrich, "A simple general method for oblique rotation", Psychometrika 2002,
   section 2.
.. [3] A. E. Hendrickson, P. O. White, "Promax: a quick method for rotation to oblique simple
   structure", British Journal of Statistical Psychology 1964.
.. [4] H. F. Kaiser, "The varimax criterion for analytic rotation in factor analysis",
   Psychometrika 1958, section 5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from latentia.errors import Count, InputError, Positive, Seed, check_arguments, check_range, nearest
from latentia.models.inputs import Matrix
from latentia.models.linear.criteria import Point, Search, minimum, search_for
from latentia.models.linear.scale import unit_of

Orthogonal = Literal["varimax", "quartimax", "equamax", "geomin_orthogonal"]
Oblique = Literal["promax", "oblimin", "quartimin", "geomin"]
METHODS: tuple[str, ...] = get_args(Orthogonal) + get_args(Oblique)
COMMON = 1e6
"""Loadings larger than this, or smaller than its inverse, are rotated in another unit."""
BY_KAISER = ("varimax", "promax")
"""Rotations that R normalises."""


@dataclass(frozen=True, eq=False)
class Rotation:
    """Rotated loadings and how they came about.

    ``loadings`` is the (p, k) pattern ``A @ inv(matrix).T``, ``factor_correlations`` the (k, k)
    Φ (the identity if orthogonal), ``matrix`` T. ``criterion`` is the value reached, of the
    Kaiser-normalised loadings if those were asked for, and of the varimax stage for promax.
    ``n_optima`` counts the distinct values of the criterion at which the starts converged.
    """

    loadings: Matrix
    factor_correlations: Matrix
    matrix: Matrix
    criterion: float
    converged: bool
    n_optima: int


def rotate(
    loadings: ArrayLike,
    method: str,
    *,
    kaiser: bool,
    n_starts: Count = 1,
    random_state: Seed | None = None,
    gamma: float = 0.0,
    power: Positive = 4.0,
    delta: Positive = 0.01,
    tolerance: Positive = 1e-10,
    max_iter: Count = 2000,
) -> Rotation:
    """Rotate (p, k) loadings; the first start is the identity, the others are random.

    ``kaiser`` scales every row to a communality of 1 while the rotation is sought [4]_; a row of
    zeros stays. For promax [3]_ that holds for its varimax stage, and ``power`` shapes the
    target, as in R's ``stats::promax``. ``gamma`` is oblimin's, ``delta`` geomin's. The search
    has converged when the projected gradient is at most ``tolerance`` times the sum of squared
    communalities (of communalities for geomin).

    Examples
    --------
    >>> turned = rotate([[0.6, 0.6], [0.5, 0.5], [0.4, -0.4]], "varimax", kaiser=False)
    >>> bool(np.isclose(turned.loadings, 0).sum() == 3)
    True
    """
    check_arguments(rotate, locals())
    A_PK = _table(loadings)
    _check(method, n_starts, random_state, gamma, power, delta, tolerance, max_iter)
    weights = _kaiser_weights(A_PK) if kaiser else np.ones((len(A_PK), 1))
    search = search_for(A_PK * weights, method, gamma, delta)
    goal = tolerance * search.size
    starts = _starts(A_PK.shape[1], n_starts, random_state)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        ends = [minimum(search, search.at(T), goal, max_iter) for T in starts]
    rotation = _result(A_PK, search, ends, goal)
    return _promax(rotation, power) if method == "promax" else rotation


@dataclass(frozen=True)
class RotationRule:
    """How to rotate, or not: as `rotate`; ``kaiser`` none is R's choice."""

    method: str
    kaiser: bool | None
    n_starts: int
    random_state: int | None

    @property
    def weighs_equally(self) -> bool:
        """Whether rows are scaled to a communality of 1."""
        return self.method in BY_KAISER if self.kaiser is None else self.kaiser

    def of(self, loadings: Matrix) -> Rotation:
        """Return the loadings rotated and put in order."""
        k = loadings.shape[1]
        if self.method == "none" or k == 1:
            return order(Rotation(loadings, np.eye(k), np.eye(k), 0.0, True, 1))
        # Geomin's δ is in the units of the loadings; the other criteria have no unit.
        unit = 1.0 if "geomin" in self.method else unit_of(float(np.abs(loadings).max()), COMMON)
        found = rotate(
            loadings / unit,
            self.method,
            kaiser=self.weighs_equally,
            n_starts=self.n_starts,
            random_state=self.random_state,
        )
        return order(replace(found, loadings=found.loadings * unit))


def align(loadings_PK: ArrayLike, target_PK: ArrayLike) -> Matrix:
    """Return the signed permutation P (k, k) that brings ``loadings @ P`` closest to a target.

    Columns are matched by the largest sum of absolute congruences ⟨λ, τ⟩ / (‖λ‖ ‖τ‖) (L. R.
    Tucker, "A method for synthesis of factor analysis studies", 1951).
    """
    L, target = _table(loadings_PK), _table(target_PK)
    if L.shape != target.shape:
        raise InputError(f"loadings of shape {L.shape} cannot be aligned with {target.shape}")
    congruence = _unit_columns(L).T @ _unit_columns(target)
    rows, columns = linear_sum_assignment(-np.abs(congruence))
    P = np.zeros_like(congruence)
    P[rows, columns] = np.where(congruence[rows, columns] < 0, -1, 1)
    return P


def order(rotation: Rotation) -> Rotation:
    """Sort the factors by the diagonal of Φ ΛᵀΛ, largest first, with column sums positive.

    For orthogonal factors the diagonal holds the sums of squared loadings; R's psych does so.
    """
    L, phi = rotation.loadings, rotation.factor_correlations
    shares = np.diag(phi @ L.T @ L)
    signs = np.where(L.sum(axis=0) < 0, -1.0, 1.0)
    P = np.diag(signs)[:, np.argsort(-shares, kind="stable")]
    return replace(
        rotation, loadings=L @ P, factor_correlations=P.T @ phi @ P, matrix=rotation.matrix @ P
    )


def _table(loadings: ArrayLike) -> Matrix:
    A_PK = np.asarray(loadings, dtype=np.float64)
    if A_PK.ndim != 2 or not A_PK.shape[0] >= A_PK.shape[1] >= 1:
        raise InputError(
            f"loadings have shape {A_PK.shape}; they must be (p, k) with p at least k, and k at "
            "least 1"
        )
    if not np.isfinite(A_PK).all():
        raise InputError("loadings hold NaN or infinite values; all must be finite")
    return A_PK


def _check(
    method: str,
    n_starts: int,
    random_state: int | None,
    gamma: float,
    power: float,
    delta: float,
    tolerance: float,
    max_iter: int,
) -> None:
    if method not in METHODS:
        raise InputError(
            f"method is {method!r}; it must be one of {', '.join(METHODS)}"
            f"{nearest(method, METHODS)}"
        )
    check_range("n_starts", n_starts, 1)
    check_range("random_state", random_state, 0, 2**32 - 1)
    check_range("gamma", gamma, -np.inf, 1)
    check_range("power", power, 1, open_low=True)
    check_range("delta", delta, 0, open_low=True)
    check_range("tolerance", tolerance, 0, open_low=True)
    check_range("max_iter", max_iter, 1)


def _kaiser_weights(A_PK: Matrix) -> Matrix:
    lengths = np.linalg.norm(A_PK, axis=1, keepdims=True)
    return 1 / np.where(lengths > 0, lengths, 1)


def _unit_columns(L: Matrix) -> Matrix:
    lengths = np.linalg.norm(L, axis=0)
    return L / np.where(lengths > 0, lengths, 1)


def _starts(k: int, n_starts: int, random_state: int | None) -> list[Matrix]:
    draws = np.random.default_rng(random_state).normal(size=(n_starts - 1, k, k))
    return [np.eye(k), *(np.linalg.qr(draw)[0] for draw in draws)]


def _result(A_PK: Matrix, search: Search, ends: list[Point], goal: float) -> Rotation:
    best = min(ends, key=lambda end: (not end.steepness <= goal, end.value))
    inverse = np.linalg.inv(best.T) if search.oblique else best.T.T
    phi = best.T.T @ best.T if search.oblique else np.eye(len(best.T))
    reached = np.sort([end.value for end in ends if end.steepness <= goal])
    n_optima = 1 + int((np.diff(reached) > 1e-8 * search.size).sum())
    return Rotation(A_PK @ inverse.T, phi, best.T, best.value, best.steepness <= goal, n_optima)


def _promax(first: Rotation, power: float) -> Rotation:
    """Regress the powers of varimax loadings on the loadings (Hendrickson and White 1964)."""
    L = first.loadings
    if np.linalg.matrix_rank(L) < L.shape[1]:
        raise InputError(
            f"loadings have rank {np.linalg.matrix_rank(L)}; promax needs {L.shape[1]}"
        )
    shares = L / np.abs(L).max()
    U = np.linalg.lstsq(shares, shares * np.abs(shares) ** (power - 1))[0]
    U = first.matrix @ U * np.sqrt(np.diag(np.linalg.inv(U.T @ U)))
    T = np.linalg.inv(U).T
    return replace(first, loadings=L @ first.matrix.T @ U, factor_correlations=T.T @ T, matrix=T)
