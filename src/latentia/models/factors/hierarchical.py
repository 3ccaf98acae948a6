"""A general factor above group factors (Schmid–Leiman), and the reliabilities ω that rest on it.

    Φ ≈ γ γᵀ + diag(1 − γ²)                                (one factor of the factors)
    g = Λ γ,   Sⱼ = Λⱼ √(1 − γⱼ²),   u = 1 − diag(Λ Φ Λᵀ)                        [1]_
    ω total = 1 − Σu / 1ᵀR1,   ω hierarchical = (Σg)² / 1ᵀR1                     [2]_ [3]_
    of the items s that load on group j most: ((Σₛ g)² + (Σₛ Sⱼ)²) / 1ᵀRₛ1

Shapes: R is the (p, p) correlation of items, Λ (p, k), Φ (k, k), γ (k,), g and u (p,), S (p, k).

References
----------
.. [1] J. Schmid, J. M. Leiman, "The development of hierarchical factor solutions", Psychometrika
   1957.
.. [2] R. P. McDonald, "Test theory: a unified treatment", 1999, chapter 6.
.. [3] R. E. Zinbarg, W. Revelle, I. Yovel, W. Li, "Cronbach's α, Revelle's β, and McDonald's ωH",
   Psychometrika 2005.
.. [4] S. P. Reise, "The rediscovery of bifactor measurement models", Multivariate Behavioral
   Research 2012 (explained common variance).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentia.errors import Count, FitWarning, InputError, check_arguments
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.fit_statistics import checked_matrix
from latentia.models.inputs import Matrix, Vector

Method = Literal["minres", "ml", "principal_axis"]
MOST_GROUPS = 3
"""Group factors, unless another number is asked for: the fewest that identify a general one."""
TWO = (
    "two group factors do not tell how strongly each depends on the general one: both loadings "
    "were set to the root of their correlation, so that ω hierarchical is a convention here"
)


@dataclass(frozen=True, eq=False)
class SchmidLeiman:
    """A general factor and group factors, all orthogonal, that imply the correlations of Λ and Φ.

    ``general`` (p,) and ``groups`` (p, k) are loadings, ``second_order`` (k,) those of the factors
    on the general one.
    """

    general: Vector
    groups: Matrix
    second_order: Vector


@dataclass(frozen=True, eq=False)
class Omega:
    """ω of a scale and of its groups of items; NaN where one factor leaves no groups."""

    total: float
    """Share of the variance of the sum of standardized items that all common factors explain."""
    hierarchical: float
    """Share that the general factor explains."""
    asymptotic: float
    """The same of the common variance alone: what ω hierarchical nears as items are added."""
    explained_common_variance: float
    """Share of the items' common variance that the general factor explains."""
    solution: SchmidLeiman | None
    """None for one factor."""
    uniquenesses: Vector
    """(p,) shares of variance that no common factor explains."""
    group_of: NDArray[np.intp]
    """(p,) the group factor that each item loads on most."""
    group_total: Vector
    """(k,) ω total of the sum of the items of each group; NaN for a group without items."""
    group_general: Vector
    """(k,) the part of it that the general factor explains."""
    group_specific: Vector
    """(k,) the part that the group's own factor explains: ω hierarchical of the subscale."""
    notes: tuple[str, ...]
    """What there is to say of the solution, a sentence each."""

    @property
    def n_groups(self) -> int:
        """Number of group factors; 1 stands for a single common factor."""
        return len(self.group_total)


def usual_groups(p: int) -> int:
    """Return the number of group factors for p items: three, or one where p does not suffice."""
    return MOST_GROUPS if (p - MOST_GROUPS) ** 2 >= p + MOST_GROUPS and p > MOST_GROUPS else 1


def schmid_leiman(pattern: ArrayLike, factor_correlations: ArrayLike) -> SchmidLeiman:
    """Return the general and the group factors behind a (p, k) pattern with a (k, k) Φ, k > 1.

    γ is the one minres factor of Φ; two factors share the root of their correlation, as in R's
    psych.

    Examples
    --------
    >>> found = schmid_leiman(np.kron(np.eye(3), [[0.8], [0.7]]), 0.5 * np.eye(3) + 0.5)
    >>> found.general.round(3).tolist()
    [0.566, 0.495, 0.566, 0.495, 0.566, 0.495]
    """
    L, Phi = np.asarray(pattern, dtype=np.float64), checked_matrix("Φ", factor_correlations)
    if L.ndim != 2 or L.shape[1] != len(Phi) or len(Phi) < 2:
        raise InputError(
            f"pattern has shape {L.shape} and Φ {Phi.shape}; they must be (p, k) and (k, k), k > 1"
        )
    second = _second_order(Phi)
    return SchmidLeiman(L @ second, L * np.sqrt(np.maximum(1 - second**2, 0)), second)


def _second_order(Phi: Matrix) -> Vector:
    if len(Phi) == 2:
        root = math.sqrt(abs(Phi[0, 1]))
        return np.array([root, math.copysign(root, Phi[0, 1])])
    return quietly_fitted(FactorAnalysis(method="minres", matrix="correlation"), Phi).loadings_[
        :, 0
    ]


class _Named(np.ndarray):
    """A matrix whose columns have names, as those of a data frame."""

    columns: Sequence[str]


def quietly_fitted(
    model: FactorAnalysis, R: Matrix, names: Sequence[str] | None = None
) -> FactorAnalysis:
    """Fit a model to a covariance of named items; its findings tell what would be warned of."""
    named = R.view(_Named)
    if names is not None:
        named.columns = names
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return model.fit_covariance(named)


def omega(
    correlation: ArrayLike,
    n_factors: Count | None = None,
    method: Method = "minres",
    names: Sequence[str] | None = None,
) -> Omega:
    """Return ω total, ω hierarchical and ω of subscales of a (p, p) correlation of keyed items.

    ``n_factors`` group factors are extracted by the method and rotated by oblimin; none: three for
    six items or more, else one, which gives ω total alone. ``names`` are the items', for its notes.

    Examples
    --------
    >>> R = 0.4 * np.eye(6) + 0.6 * np.kron(np.eye(3), np.ones((2, 2)))
    >>> R[R == 0] = 0.3
    >>> found = omega(R)
    >>> round(found.total, 3), round(found.hierarchical, 3)
    (0.857, 0.643)
    """
    check_arguments(omega, locals())
    R = checked_matrix("correlation", correlation)
    R = R / np.sqrt(np.outer(R.diagonal(), R.diagonal()))
    if R.mean() <= 1e-12:
        raise InputError("the items cancel, so that their sum does not vary: reverse some of them")
    k = usual_groups(len(R)) if n_factors is None else n_factors
    if k >= len(R):
        raise InputError(f"n_factors is {k}; ω of {len(R)} items takes fewer factors")
    rotation: Literal["none", "oblimin"] = "none" if k == 1 else "oblimin"
    extraction = FactorAnalysis(n_components=k, method=method, rotation=rotation)
    model = quietly_fitted(extraction, R, names)
    left = 1 - model.communalities_
    total, notes = float(1 - left.sum() / R.sum()), model.findings()
    if k == 1:
        none, nan = np.zeros(len(R), dtype=np.intp), math.nan
        one, unknown = np.array([total]), np.array([nan])
        return Omega(total, nan, nan, nan, None, left, none, one, unknown, unknown, notes)
    found = schmid_leiman(model.loadings_, model.factor_correlations_)
    if k == 2:
        notes = (*notes, TWO)
    return _of_hierarchy(R, found, left, total, notes)


def _of_hierarchy(
    R: Matrix, found: SchmidLeiman, left: Vector, total: float, notes: tuple[str, ...]
) -> Omega:
    g, S = found.general, found.groups
    group_of = np.abs(S).argmax(axis=1)
    general, specific = np.full((2, S.shape[1]), np.nan)
    for j in np.unique(group_of):
        items = np.flatnonzero(group_of == j)
        variance = R[np.ix_(items, items)].sum()
        if variance <= 0:
            continue
        general[j] = g[items].sum() ** 2 / variance
        specific[j] = S[items, j].sum() ** 2 / variance
    common = (g**2).sum() / ((g**2).sum() + (S**2).sum())
    hierarchical = float(g.sum() ** 2 / R.sum())
    return Omega(
        total,
        hierarchical,
        float(hierarchical / total),
        float(common),
        found,
        left,
        group_of,
        general + specific,
        general,
        specific,
        notes,
    )
