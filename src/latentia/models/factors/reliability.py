"""How reliably the sum of some items measures what they share.

    α = p/(p − 1) (1 − tr C / 1ᵀC1),   standardized: the same of correlations        [1]_
    (1 − α)/(1 − α̂) ~ F(n − 1, (n − 1)(p − 1))                        its interval   [2]_
    λ₆ = 1 − Σ (1 − Rᵢ²)/1ᵀR1,   Rᵢ² of item i by the others                         [3]_
    glb = 1 − max {Σθ : C − diag(θ) positive semidefinite, θ ≥ 0}/1ᵀC1               [4]_

Shapes: C is the (p, p) covariance (/n − 1) of the items and R their correlation, after the items
that run against the others were turned round.

References
----------
.. [1] L. J. Cronbach, "Coefficient alpha and the internal structure of tests", Psychometrika 1951.
.. [2] L. S. Feldt, "The approximate sampling distribution of Kuder–Richardson reliability
   coefficient twenty", Psychometrika 1965.
.. [3] L. Guttman, "A basis for analyzing test-retest reliability", Psychometrika 1945.
.. [4] J. M. F. ten Berge, G. Sočan, "The greatest lower bound to the reliability of a test and the
   hypothesis of unidimensionality", Psychometrika 2004.
.. [5] S. Burer, R. D. C. Monteiro, "A nonlinear programming algorithm for solving semidefinite
   programs via low-rank factorization", Mathematical Programming 2003.
.. [6] B. D. Zumbo, A. M. Gadermann, C. Zeisser, "Ordinal versions of coefficients alpha and theta
   for Likert rating scales", Journal of Modern Applied Statistical Methods 2007.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from scipy import linalg, stats

from latentia.errors import Count, InputError, Level, check_arguments, nearest
from latentia.models.factors.analysed import of_polychoric
from latentia.models.factors.extraction import left_out
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.fit_statistics import is_singular
from latentia.models.factors.hierarchical import Method, Omega, omega, quietly_fitted
from latentia.models.factors.polychoric import polychoric as polychoric_correlations
from latentia.models.factors.reliability_summary import Items, Reliability
from latentia.models.inputs import Matrix, Vector
from latentia.models.linear.patterns import table_with_gaps
from latentia.models.linear.reading import (
    INDEFINITE,
    checked_count,
    checked_covariance,
    listed,
    naming,
)

SWEEPS, SETTLED = 20_000, 1e-12
"""Of the greatest lower bound: most rounds over the items, and the least gain of one."""
MOST_BOUNDED = 100
"""Items of which the greatest lower bound is computed."""
CANCEL = 1e-10
"""Share of the items' variances, at which the variance of their sum is nothing but rounding."""
INDEFINITE_PAIRS = (
    "the correlations, each of other rows, make no correlation matrix: ω, λ₆ and the greatest "
    "lower bound are left out; use missing 'complete'"
)


def reliability(
    X: Any,
    *,
    reverse: Sequence[str] = (),
    reverse_found: bool = False,
    missing: Literal["pairwise", "complete"] = "pairwise",
    n_factors: Count | None = None,
    method: Method = "minres",
    level: Level = 0.95,
    name: str = "all items",
    correlation: Literal["pearson", "polychoric"] = "pearson",
) -> Reliability:
    """Return the reliability of the sum of the columns of (n, p) rows, NaN where a cell is empty.

    Parameters
    ----------
    X
        A data frame, whose columns' names are the items', or an array: x0, x1, ….
    reverse
        Names of items to turn round: x becomes the largest answer to any item plus the least,
        less x.
    reverse_found
        Turn round also what runs against the other items by the first principal component.
    missing
        Whether a covariance uses the rows that have both of its items, or only complete rows.
    n_factors, method
        Of ω, see `latentia.models.factors.hierarchical.omega`.
    level
        Of the interval.
    name
        Of the scale.
    correlation
        Polychoric for ordinal α and ω [6]_, of the normals that the answers cut, each of unit
        variance; α has no interval then.

    Examples
    --------
    >>> draw = np.random.default_rng(0)
    >>> found = reliability(draw.normal(size=(500, 1)) + draw.normal(size=(500, 4)))
    >>> round(found.alpha, 2), round(found.omega_one_factor, 2)
    (0.81, 0.81)
    """
    check_arguments(reliability, locals())
    names = [str(c) for c in X.columns] if hasattr(X, "columns") else None
    with naming(None if names is None else np.array(names, dtype=object)):
        rows, _ = table_with_gaps(X)
    names = [f"x{j}" for j in range(rows.shape[1])] if names is None else names
    rows, notes = _without_gaps(rows, missing)
    varies = np.nanmax(rows, axis=0, initial=-np.inf) > np.nanmin(rows, axis=0, initial=np.inf)
    notes += left_out([item for item, kept in zip(names, varies) if not kept])
    C, n_pairs = _covariance(rows[:, varies])
    ends = float(np.nanmax(rows) + np.nanmin(rows))
    within = [item for item, kept in zip(names, varies) if kept]
    polychoric = correlation == "polychoric"
    deviations = np.sqrt(C.diagonal())
    if polychoric:
        C = _of_normals(rows[:, varies], within, C, notes)
    scale = _Scale(
        name,
        within,
        C,
        int(n_pairs.min()),
        np.diag(n_pairs).astype(float),
        np.nanmean(rows[:, varies], axis=0),
        ends,
        notes,
    )
    found = _of_scale(scale, reverse, reverse_found, n_factors, method, level)
    if not polychoric:
        return found
    items = replace(found.items, deviation=deviations)
    return replace(found, alpha_low=math.nan, alpha_high=math.nan, items=items, polychoric=True)


def reliability_of_covariance(
    S: Any,
    n_samples: int | None = None,
    *,
    reverse: Sequence[str] = (),
    reverse_found: bool = False,
    n_factors: Count | None = None,
    method: Method = "minres",
    level: Level = 0.95,
    name: str = "all items",
) -> Reliability:
    """Return the reliability of items with a (p, p) covariance or correlation matrix.

    The interval needs ``n_samples``; all else is as in `reliability`.
    """
    check_arguments(reliability_of_covariance, locals())
    n = checked_count(n_samples)
    C, names = checked_covariance(S)
    names = names or [f"x{j}" for j in range(len(C))]
    varies = np.diag(C) > 0
    unknown = np.full(int(varies.sum()), np.nan)
    notes = [*left_out([item for item, kept in zip(names, varies) if not kept])]
    if not n:
        notes.append("the number of rows behind the matrix is unknown: α has no interval")
    kept = [item for item, inside in zip(names, varies) if inside]
    scale = _Scale(name, kept, C[np.ix_(varies, varies)], n, unknown, unknown, math.nan, notes)
    return _of_scale(scale, reverse, reverse_found, n_factors, method, level)


@dataclass(frozen=True, eq=False)
class _Scale:
    """Items that vary: covariance, fewest rows behind one, values and mean of each, remarks.

    ``ends`` is the largest answer plus the least.
    """

    name: str
    names: list[str]
    C: Matrix
    n: int
    counts: Vector
    means: Vector
    ends: float
    notes: list[str]


def _without_gaps(rows: Matrix, missing: str) -> tuple[Matrix, list[str]]:
    """Return the rows to use, and what there is to say of empty cells."""
    gaps = np.isnan(rows)
    holed = int(gaps.any(axis=1).sum())
    if not holed:
        return rows, []
    said = f"{int(gaps.sum())} cells in {holed} of {len(rows)} rows are empty: "
    if missing == "complete":
        if len(rows) - holed < 2:
            raise InputError(f"{said}fewer than 2 rows are complete; use missing 'pairwise'")
        return rows[~gaps.any(axis=1)], [f"{said}the {len(rows) - holed} complete rows are used"]
    seen = (~gaps).astype(float)
    n_pairs = seen.T @ seen
    fewest = f"{said}a covariance uses the rows that have both items, {int(n_pairs.min())}"
    return rows, [f"{fewest} at least, which is the n of the interval"]


def _covariance(rows: Matrix) -> tuple[Matrix, Matrix]:
    """Return pairwise covariances as R's ``cov(use = "pairwise")``, and the rows behind each."""
    seen = (~np.isnan(rows)).astype(float)
    n_pairs = seen.T @ seen
    if rows.shape[1] > 1 and n_pairs.min() < 2:
        i, j = np.unravel_index(n_pairs.argmin(), n_pairs.shape)
        raise InputError(
            f"columns {i} and {j} are observed together in {int(n_pairs[i, j])} row(s); their "
            "covariance needs 2: leave one of them out"
        )
    centred = np.nan_to_num(rows - np.nanmean(rows, axis=0))
    sums = centred.T @ seen
    return (centred.T @ centred - sums * sums.T / n_pairs) / (n_pairs - 1), n_pairs


def _of_normals(rows: Matrix, names: list[str], C: Matrix, notes: list[str]) -> Matrix:
    """Return polychoric correlations of the answers, and note what there is to say of them."""
    with naming(np.array(names, dtype=object)):
        found = polychoric_correlations(rows)
    notes += of_polychoric(found, names)
    sign = np.sign(_first_component(C))
    notes.append(
        "α and ω are of the normals behind the answers, whose sum is not seen; of the answers "
        f"themselves, items that run against the others turned round, α is "
        f"{_alpha(C * np.outer(sign, sign)):.3f}"
    )
    return found.correlation


def _of_scale(
    scale: _Scale,
    reverse: Sequence[str],
    reverse_found: bool,
    n_factors: int | None,
    method: Method,
    level: float,
) -> Reliability:
    names, p = scale.names, len(scale.names)
    reverse = [reverse] if isinstance(reverse, str) else [*reverse]
    if p < 2:
        raise InputError(f"{scale.name} has {p} item(s) that vary; a scale needs at least 2")
    for item in reverse:
        if item not in names:
            raise InputError(f"reverse: {item!r} is no item of {scale.name}{nearest(item, names)}")
    sign = np.where(np.isin(names, reverse), -1.0, 1.0)
    found = _first_component(scale.C * np.outer(sign, sign)) < 0
    notes = [*scale.notes]
    if reverse_found and not found.any():
        notes.append("no item was found to run against the others")
    elif reverse_found:
        turned = np.where(found, -sign, sign)
        notes.append(
            "turned round, as they ran against the other items by the first principal component: "
            f"{listed([names[i] for i in np.flatnonzero(found)])}"
        )
        sign, found = turned, np.zeros(p, dtype=bool)
    C = scale.C * np.outer(sign, sign)
    deviations = np.sqrt(C.diagonal())
    if min(C.sum() / C.trace(), (C / np.outer(deviations, deviations)).mean() * p) < CANCEL:
        raise InputError(
            f"the items of {scale.name} cancel, so that their sum does not vary: reverse those "
            f"that run against the others, {listed([names[i] for i in np.flatnonzero(found)])}"
        )
    whole = _computed(scale, C, sign, n_factors, method, level)
    against = tuple(names[i] for i in np.flatnonzero(found))
    if against:
        flips = np.where(found, -1.0, 1.0)
        other = _alpha(C * np.outer(flips, flips))
        notes.append(
            f"items that run against the others, by the first principal component: "
            f"{listed([*against])}; with these reversed, α would be {other:.2f} and not "
            f"{whole.alpha:.2f}; reverse them if they are worded that way"
        )
    return replace(whole, against=against, notes=(*notes, *whole.notes))


def _computed(
    scale: _Scale, C: Matrix, sign: Vector, n_factors: int | None, method: Method, level: float
) -> Reliability:
    """Return all figures of keyed items, with notes on ω alone."""
    p, n, alpha = len(C), scale.n, _alpha(C)
    deviations = np.sqrt(C.diagonal())
    R = C / np.outer(deviations, deviations)
    low = high = math.nan
    if n > 1:
        tails = np.array([1 + level, 1 - level]) / 2
        low, high = 1 - (1 - alpha) * stats.f.ppf(tails, n - 1, (n - 1) * (p - 1))
    pairs = R[np.tril_indices(p, -1)]
    notes, one, several = _omegas(R, C, n_factors, method, scale.names)
    regular, bounded = not is_singular(R), p <= MOST_BOUNDED
    left = float(np.sum(1 / linalg.inv(R).diagonal())) if regular else math.nan
    return Reliability(
        name=scale.name,
        variable_names=tuple(scale.names),
        reversed=tuple(item for item, s in zip(scale.names, sign) if s < 0),
        against=(),
        n_samples=n,
        level=level,
        alpha=alpha,
        alpha_low=float(low),
        alpha_high=float(high),
        standardized_alpha=_alpha(R),
        guttman_6=1 - left / float(R.sum()),
        greatest_lower_bound=greatest_lower_bound(C) if several and bounded else math.nan,
        mean_correlation=float(pairs.mean()),
        median_correlation=float(np.median(pairs)),
        omega_one_factor=one,
        omega=several,
        items=_items(scale, C, sign),
        correlation=R,
        notes=tuple(notes),
    )


def _omegas(
    R: Matrix, C: Matrix, n_factors: int | None, method: Method, names: list[str]
) -> tuple[list[str], float, Omega | None]:
    """Return remarks, McDonald's ω of one factor, and ω of several; none if R is no correlation."""
    if len(R) < 3 and n_factors is None:
        return ["ω and the greatest lower bound need at least 3 items"], math.nan, None
    if linalg.eigvalsh(R)[0] < -INDEFINITE:
        return [INDEFINITE_PAIRS], math.nan, None
    several = omega(R, n_factors, method, names)
    one = quietly_fitted(FactorAnalysis(), C, names)
    common = float(one.loadings_.sum()) ** 2
    notes = [f"ω by {several.n_groups} factors: {note}" for note in several.notes]
    notes = [f"ω by one factor: {note}" for note in one.findings()] + (
        notes if several.n_groups > 1 else []
    )
    return notes, common / (common + float(one.noise_variance_.sum())), several


def _items(scale: _Scale, C: Matrix, sign: Vector) -> Items:
    p, variances = len(C), C.diagonal()
    with_rest = C.sum(axis=0) - variances
    rest = C.sum() - 2 * with_rest - variances
    others = [np.delete(np.delete(C, i, 0), i, 1) for i in range(p)]
    return Items(
        scale.counts,
        np.where(sign < 0, scale.ends - scale.means, scale.means),
        np.sqrt(variances),
        with_rest / np.sqrt(variances * np.where(rest > CANCEL * C.trace(), rest, np.nan)),
        np.array([_alpha(other) if p > 2 else math.nan for other in others]),
        _first_component(C),
    )


def _alpha(C: Matrix) -> float:
    p = len(C)
    total = float(C.sum())
    return p / (p - 1) * (1 - float(C.trace()) / total) if abs(total) > CANCEL else math.nan


def _first_component(C: Matrix) -> Vector:
    """Return the loadings on the first principal component of the correlations."""
    deviations = np.sqrt(C.diagonal())
    values, vectors = linalg.eigh(C / np.outer(deviations, deviations))
    loadings = vectors[:, -1] * math.sqrt(max(values[-1], 0))
    return np.asarray(loadings if loadings.sum() >= 0 else -loadings)


def greatest_lower_bound(C: Matrix) -> float:
    """Return the largest reliability that a (p, p) covariance proves; see the module's equation.

    It solves the dual, min tr(CX) over X = VᵀV with columns of length 1 at least, column by
    column [5]_, and takes the θ of the last round less what makes C − diag(θ) semidefinite.
    """
    S = np.asarray(C, dtype=np.float64)
    p, variances = len(S), S.diagonal()
    width = min(p, math.isqrt(2 * p) + 1)
    V = np.random.default_rng(0).normal(size=(p, width))
    V /= np.linalg.norm(V, axis=1, keepdims=True)
    last = math.inf
    for _ in range(SWEEPS):
        theta = np.empty(p)
        for i in range(p):
            pull = S[i] @ V - S[i, i] * V[i]
            size = float(np.linalg.norm(pull))
            theta[i] = max(0.0, variances[i] - size)
            if size > 0:
                V[i] = -pull / min(size, variances[i])
        value = float(((S @ V) * V).sum())
        if last - value <= SETTLED * S.trace():
            break
        last = value
    short = min(0.0, float(linalg.eigvalsh(S - np.diag(theta))[0]))
    return float(1 - np.maximum(theta + short, 0).sum() / S.sum())
