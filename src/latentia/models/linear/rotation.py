"""Rotation of factor loadings to simple structure, orthogonal or oblique.

    Λ = A (T⁻¹)ᵀ,  Φ = TᵀT,  Λ Φ Λᵀ = A Aᵀ                  (the fit does not change)
    T minimises Q(Λ) under TᵀT = I (orthogonal) or diag(TᵀT) = 1 (oblique)    [1]_ [2]_

A target in words, ``"A1:A5 | C1:C5"``, says that the first factor has A1 to A5 and the second C1 to
C5; all other loadings are drawn to 0, and these are free, or drawn to a value.

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

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from latentia.data.options import chosen
from latentia.errors import (
    Count,
    InputError,
    Positive,
    Seed,
    Share,
    check_arguments,
    check_range,
    nearest,
)
from latentia.models.inputs import Matrix
from latentia.models.linear.criteria import Constants, Point, Search, minimum, search_for
from latentia.models.linear.eigen import unit_of

Orthogonal = Literal[
    "varimax",
    "quartimax",
    "equamax",
    "geomin_orthogonal",
    "crawford_ferguson_orthogonal",
    "bifactor_orthogonal",
]
Oblique = Literal["promax", "oblimin", "quartimin", "geomin", "crawford_ferguson", "bifactor"]
METHODS: tuple[str, ...] = get_args(Orthogonal) + get_args(Oblique)
TARGETS = ("target_orthogonal", "target")
"""Rotations, orthogonal and oblique, to loadings that are expected."""
COMMON = 1e6
"""Loadings larger than this, or smaller than its inverse, are rotated in another unit."""
PLAIN = Constants()
HOW = "name the variables of each factor, with | between factors, such as 'A1:A5 | C1:C5'"
BY_KAISER = ("varimax", "promax")
"""Rotations that R normalises."""


@dataclass(frozen=True, eq=False)
class Rotation:
    """Rotated loadings and how they came about.

    ``loadings`` is the (p, k) pattern ``A @ inv(matrix).T``, ``factor_correlations`` the (k, k)
    Φ (the identity if orthogonal), ``matrix`` T. ``criterion`` is the value reached, of the
    Kaiser-normalised loadings if those were asked for, and of the varimax stage for promax.
    ``n_optima`` counts the distinct values of the criterion at which the starts converged, and
    ``n_at_best`` those of ``n_starts`` that ended at the lowest.
    """

    loadings: Matrix
    factor_correlations: Matrix
    matrix: Matrix
    criterion: float
    converged: bool
    n_optima: int
    n_at_best: int = 1
    n_starts: int = 1

    @property
    def minima(self) -> tuple[int, int, int]:
        """Starts, those of them that ended at the best minimum, and distinct minima."""
        return self.n_starts, self.n_at_best, self.n_optima


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
    kappa: Share | None = None,
    target: ArrayLike | None = None,
    tolerance: Positive = 1e-10,
    max_iter: Count = 2000,
) -> Rotation:
    """Rotate (p, k) loadings; the first start is the identity, the others are random.

    ``kaiser`` scales every row to a communality of 1 while the rotation is sought [4]_; a row of
    zeros stays. For promax [3]_ that holds for its varimax stage, and ``power`` shapes the
    target, as in R's ``stats::promax``. ``gamma`` is oblimin's, ``delta`` geomin's ε, ``kappa``
    Crawford and Ferguson's (none: 1/p), ``target`` a (p, k) array, NaN where a loading is free.
    Of bifactor rotations the first factor is the general one. The search has converged when the
    projected gradient is at most ``tolerance`` times the sum of squared communalities (of
    communalities for geomin and targets).

    Examples
    --------
    >>> turned = rotate([[0.6, 0.6], [0.5, 0.5], [0.4, -0.4]], "varimax", kaiser=False)
    >>> bool(np.isclose(turned.loadings, 0).sum() == 3)
    True
    """
    check_arguments(rotate, locals())
    A_PK = _table(loadings)
    _check(method, n_starts, random_state, gamma, power, delta, tolerance, max_iter)
    T_PK = _target(target, A_PK, method, kaiser)
    weights = _kaiser_weights(A_PK) if kaiser else np.ones((len(A_PK), 1))
    search = search_for(A_PK * weights, method, Constants(gamma, delta, kappa, T_PK))
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
    constants: Constants = PLAIN
    power: float = 4.0

    @property
    def weighs_equally(self) -> bool:
        """Whether rows are scaled to a communality of 1."""
        return self.method in BY_KAISER if self.kaiser is None else self.kaiser

    def of(self, loadings: Matrix) -> Rotation:
        """Return the loadings rotated and put in order."""
        k = loadings.shape[1]
        if self.method == "none" or k == 1:
            return order(Rotation(loadings, np.eye(k), np.eye(k), 0.0, True, 1))
        # Geomin's δ and targets are in the units of the loadings; the others have no unit.
        unitary = "geomin" in self.method or self.method in TARGETS
        unit = 1.0 if unitary else unit_of(float(np.abs(loadings).max()), COMMON)
        found = rotate(
            loadings / unit,
            self.method,
            kaiser=self.weighs_equally,
            n_starts=self.n_starts,
            random_state=self.random_state,
            gamma=self.constants.gamma,
            power=self.power,
            delta=self.constants.delta,
            kappa=self.constants.kappa,
            target=self.constants.target,
        )
        first = k if self.method in TARGETS else int("bifactor" in self.method)
        found = replace(found, loadings=found.loadings * unit)
        return order(found, first, self.constants.target)


def check_rotation(model: Any) -> None:
    """Refuse a target rotation without its target, and a bifactor one without groups."""
    usual = {"target": None, "target_value": None, "oblimin_gamma": 0.0}
    usual["crawford_ferguson_kappa"] = None
    for field, default in usual.items():
        value, rotation = getattr(model, field), field.rpartition("_")[0] or field
        takes = (rotation, f"{rotation}_orthogonal") if rotation != "oblimin" else (rotation,)
        if value != default and model.rotation not in takes:
            raise InputError(
                f"{field} is {value}, which counts only with rotation {' or '.join(takes)}; "
                f"rotation is {model.rotation!r}"
            )
    if model.rotation in TARGETS and model.target is None:
        raise InputError(f"rotation is {model.rotation!r}, and target is none: {HOW}")
    if model.rotation in TARGETS and model.kaiser:
        raise InputError(f"kaiser is True; rotation {model.rotation!r} takes loadings as they are")
    if model.target_value is not None and model.matrix == "covariance":
        raise InputError("target_value is of standardized loadings; leave matrix at 'auto'")
    if "bifactor" in model.rotation and model.n_components < 3:
        raise InputError(
            f"rotation is {model.rotation!r} and n_components {model.n_components}; it needs at "
            "least 3: a general factor and two groups"
        )


def rule_of(
    model: Any, names: Sequence[str], varies: NDArray[np.bool_], n_starts: int
) -> RotationRule:
    """Return how a factor model rotates the loadings of the columns that vary."""
    T = None
    if model.target is not None:
        T = target_of(model.target, names, model.n_components, model.target_value)[varies]
    constants = Constants(
        model.oblimin_gamma, model.geomin_epsilon, model.crawford_ferguson_kappa, T
    )
    rule = model.rotation, model.kaiser, n_starts, model.random_state
    return RotationRule(*rule, constants, model.promax_power)


def target_of(spec: str, names: Sequence[str], k: int, value: float | None) -> Matrix:
    """Return the (p, k) target, NaN where a loading is free."""
    groups = grouped(spec, names)
    if len(groups) != k:
        raise InputError(f"target has {len(groups)} factor(s), and n_components is {k}: {HOW}")
    found = np.zeros((len(names), k))
    for j, group in enumerate(groups):
        found[group, j] = np.nan if value is None else value
    return found


def grouped(spec: str, names: Sequence[str]) -> list[list[int]]:
    """Return the places of the variables of each factor."""
    places = {name: place for place, name in enumerate(names)}
    groups = []
    for part in spec.split("|"):
        words = [word for word in part.replace(",", " ").split() if word]
        # A name may hold blanks.
        found = chosen([part.strip()] if part.strip() in places else words, names, "target", "X")
        if not found:
            raise InputError(f"target is {spec!r}, and a factor has no variable: {HOW}")
        groups.append([places[name] for name in found])
    return groups


def counted(spec: str | None, names: Sequence[str]) -> str | None:
    """Return the same target with variables counted from 1, for data without names."""
    if spec is None:
        return None
    return " | ".join(" ".join(str(i + 1) for i in group) for group in grouped(spec, names))


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


def order(rotation: Rotation, first: int = 0, target: Matrix | None = None) -> Rotation:
    """Sort the factors by the diagonal of Φ ΛᵀΛ, largest first, with column sums positive.

    For orthogonal factors the diagonal holds the sums of squared loadings; R's psych does so. The
    ``first`` factors keep their places, and signs are those of a (p, k) target, where it has any.
    """
    L, phi = rotation.loadings, rotation.factor_correlations
    shares, k = np.diag(phi @ L.T @ L), L.shape[1]
    along = np.zeros(k) if target is None else (L * np.nan_to_num(target)).sum(axis=0)
    signs = np.where(np.where(along != 0, along, L.sum(axis=0)) < 0, -1.0, 1.0)
    places = [*range(first), *(first + np.argsort(-shares[first:], kind="stable"))]
    P = np.diag(signs)[:, places]
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
    if method not in (*METHODS, *TARGETS):
        raise InputError(
            f"method is {method!r}; it must be one of {', '.join((*METHODS, *TARGETS))}"
            f"{nearest(method, (*METHODS, *TARGETS))}"
        )
    check_range("n_starts", n_starts, 1)
    check_range("random_state", random_state, 0, 2**32 - 1)
    check_range("gamma", gamma, -np.inf, 1)
    check_range("power", power, 1, open_low=True)
    check_range("delta", delta, 0, open_low=True)
    check_range("tolerance", tolerance, 0, open_low=True)
    check_range("max_iter", max_iter, 1)


def _target(given: ArrayLike | None, A_PK: Matrix, method: str, kaiser: bool) -> Matrix | None:
    """Return the target as (p, k) float64, or refuse one that is missing, idle or too free."""
    if (given is None) != (method not in TARGETS):
        raise InputError(
            f"method is {method!r}, and {'no' if given is None else 'a'} target is given: methods "
            f"{' and '.join(TARGETS)} take one, and no others"
        )
    if given is None:
        return None
    T_PK = np.asarray(given, dtype=np.float64)
    if T_PK.shape != A_PK.shape or np.isinf(T_PK).any() or np.isnan(T_PK).all():
        raise InputError(
            f"target has shape {T_PK.shape}; it must be {A_PK.shape} as the loadings, of numbers, "
            "NaN where a loading is free"
        )
    if kaiser:
        raise InputError("kaiser is True; a target is of the loadings as they are")
    return T_PK


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
    at_best = int((reached <= best.value + 1e-8 * search.size).sum())
    counts = n_optima, at_best, len(ends)
    return Rotation(A_PK @ inverse.T, phi, best.T, best.value, best.steepness <= goal, *counts)


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
