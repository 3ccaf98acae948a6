"""Correlations of a table in which some columns are ordinal and others are numbers.

    two ordinal columns    polychoric (`polychoric`)
    two columns of numbers Pearson's r
    one of each            polyserial: ρ = argmax Σ log π(ρ), the cuts τ, m and s being known
                           y = c  ⇔  τ_c < y* ≤ τ_c₊₁,  z = (x − m)/s,  Corr(z, y*) = ρ, normal
                           π = Φ(u₊) − Φ(u₋),   u± = (τ± − ρz)/√(1 − ρ²)

How uncertain they are follows from each row's influence h, as in `ordinal`: with s = ∂ log π/∂ρ

    Pearson      h = z₁z₂ − r(z₁² + z₂²)/2
    polyserial   h = (s − Σ C_ν h_ν)/A,   A = mean of s²,   C_ν = mean of s ∂ log π/∂ν
                 h_m = z,  h_s = (z² − 1)/2,  h_τ = (1{y ≤ c} − F_c)/φ(τ_c)     (m = 0, s = 1)

Of rows with gaps each pair uses those that have both; cuts, means and deviations those that have
the column.

Shapes: (n, d) rows; C columns of numbers beside one ordinal column; P = d(d − 1)/2 pairs in the
order of ``numpy.triu_indices(d, 1)``.

References: U. Olsson, F. Drasgow, N. J. Dorans, "The polyserial correlation coefficient",
Psychometrika 1982, section 3 (two steps); B. Muthén, "A general structural equation model with
dichotomous, ordered categorical, and continuous latent variable indicators", Psychometrika 1984;
J. H. Steiger, A. R. Hakstian, "The asymptotic distribution of elements of a correlation matrix",
British Journal of Mathematical and Statistical Psychology 1982 (Pearson's).
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from latentia.errors import InputError, Range, check_arguments
from latentia.models.factors.contingency import MOST_CATEGORIES, ContingencyTables
from latentia.models.factors.ordinal import Influences, of_cells
from latentia.models.factors.polychoric import (
    BOUND,
    FLAT,
    LEAST,
    Floats,
    Polychoric,
    estimated,
    finished,
    most_likely,
    padded_cuts,
)
from latentia.models.linear.patterns import table_with_gaps

USUAL_MOST = 10
"""Different values up to which a column is ordinal."""


class Mixed(NamedTuple):
    """A table of both kinds of columns, ordinal ones first.

    ``tables`` count the ordinal columns, if there are any, and ``codes`` (O, n) are their ranks, −1
    where missing; ``z`` (C, n) are the others, standardised, 0 where missing, and ``seen`` (C, n)
    tells where they are not.
    """

    ordinal: NDArray[np.intp]
    numbers: NDArray[np.intp]
    tables: ContingencyTables | None
    codes: NDArray[np.int64]
    z: Floats
    seen: NDArray[np.bool_]
    weights: Floats


class Terms(NamedTuple):
    """Of each (C, n) row: π, φ(u₊), φ(u₋), and the cuts on either side, (n,)."""

    share: Floats
    above: Floats
    below: Floats
    high: Floats
    low: Floats


def mixed_correlations(
    X: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    zero_add: Annotated[float, Range(0)] = 0.0,
    most_categories: Annotated[int, Range(2, MOST_CATEGORIES)] = USUAL_MOST,
) -> Polychoric:
    """Return polychoric, polyserial and Pearson correlations of the columns of one table.

    Parameters
    ----------
    X
        (n, d) numbers; NaN is missing. Of a column with at most ``most_categories`` different
        values only the order counts; others are numbers, normal ones in the model.
    sample_weight, zero_add
        As of `polychoric`.

    Examples
    --------
    >>> normals = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 5000)
    >>> normals[:, 0] = np.digitize(normals[:, 0], [-1, 0, 1.5])
    >>> mixed_correlations(normals).correlation.round(1)
    array([[1. , 0.6],
           [0.6, 1. ]])
    """
    check_arguments(mixed_correlations, locals())
    table = _read(X, sample_weight, most_categories)
    d = len(table.ordinal) + len(table.numbers)
    correlation, thresholds, at_bound = np.eye(d), [np.zeros(0)] * d, list[tuple[int, int]]()
    if table.tables is not None:
        within, cuts, at_bound = estimated(table.tables, zero_add)
        correlation[np.ix_(table.ordinal, table.ordinal)] = within
        at_bound = [(int(table.ordinal[i]), int(table.ordinal[j])) for i, j in at_bound]
        for place, column in enumerate(table.ordinal):
            thresholds[column] = cuts[place]
            rho = _polyserial(table, place, cuts[place])
            correlation[column, table.numbers] = correlation[table.numbers, column] = rho
            bound = table.numbers[np.abs(rho) >= BOUND]
            at_bound += [(int(min(column, j)), int(max(column, j))) for j in bound]
    correlation[np.ix_(table.numbers, table.numbers)] = _pearson(table)
    return finished(correlation, thresholds, sorted(at_bound))


def is_ordinal(X_ND: Floats, most_categories: int) -> NDArray[np.bool_]:
    """Return (d,) which columns have few enough different values."""
    columns = (column[~np.isnan(column)] for column in X_ND.T)
    return np.array([len(np.unique(column)) <= most_categories for column in columns], bool)


def _read(X: ArrayLike, sample_weight: ArrayLike | None, most_categories: int) -> Mixed:
    X_ND, weights = table_with_gaps(X, sample_weight)
    few = is_ordinal(X_ND, most_categories)
    ordinal, numbers = np.flatnonzero(few), np.flatnonzero(~few)
    tables = ContingencyTables(X_ND[:, ordinal], weights) if len(ordinal) else None
    codes = np.zeros((0, len(X_ND)), np.int64)
    if tables is not None:
        codes = tables.codes_of(X_ND[:, ordinal])
    seen = ~np.isnan(X_ND[:, numbers].T)
    heavy = weights * seen
    total = heavy.sum(axis=1, keepdims=True)
    x = np.nan_to_num(X_ND[:, numbers].T)
    away = np.where(seen, x - (heavy * x).sum(axis=1, keepdims=True) / total, 0)
    z = away / np.sqrt((heavy * away**2).sum(axis=1, keepdims=True) / total)
    table = Mixed(ordinal, numbers, tables, codes, z, seen, weights)
    _refuse_apart(table)
    return table


def _refuse_apart(table: Mixed) -> None:
    """Refuse a pair of columns, one of them of numbers, that no row has both of."""
    places = np.concatenate([table.ordinal, table.numbers])
    seen = np.vstack([table.codes >= 0, table.seen]).astype(np.float64)
    for i, j in np.argwhere(seen @ seen[len(table.ordinal) :].T == 0):
        a, b = sorted((int(places[i]), int(table.numbers[j])))
        raise InputError(f"columns {a} and {b} are never observed together")


def _pearson(table: Mixed) -> Floats:
    """Return (C, C) correlations, each of the rows that have both columns."""
    found = np.eye(len(table.z))
    for i, j in zip(*np.triu_indices(len(found), 1)):
        x, y, weights = _standardised(table, i, j)
        found[i, j] = found[j, i] = float((weights * x * y).sum() / weights.sum())
    return found


def _standardised(table: Mixed, i: Any, j: Any) -> tuple[Floats, Floats, Floats]:
    """Return two columns of numbers, standardised over the rows that have both, and weights."""
    weights = table.weights * (table.seen[i] & table.seen[j])
    pair = table.z[[i, j]] - (table.z[[i, j]] @ weights / weights.sum())[:, None]
    pair /= np.sqrt(pair**2 @ weights / weights.sum())[:, None]
    return pair[0], pair[1], weights


def _polyserial(table: Mixed, place: int, cuts: Floats) -> Floats:
    """Return the (C,) correlations of one ordinal column with all columns of numbers."""
    weights = table.weights * (table.seen & (table.codes[place] >= 0))

    def slope_at(rho: Floats) -> tuple[Floats, Floats]:
        s = _score(_terms(table, place, cuts, rho), table.z, rho) * (1 - rho**2)[:, None]
        return (weights * s).sum(axis=1), (weights * s**2).sum(axis=1).clip(FLAT)

    def log_likelihood_at(rho: Floats) -> Floats:
        shares = _terms(table, place, cuts, rho).share
        return np.asarray((weights * np.log(shares)).sum(axis=1))

    return most_likely(slope_at, log_likelihood_at, weights.sum(axis=1))


def _terms(table: Mixed, place: int, cuts: Floats, rho: Floats) -> Terms:
    padded = padded_cuts([cuts], len(cuts) + 1)[0]
    codes, root = table.codes[place].clip(0), np.sqrt(1 - rho**2)[:, None]
    high, low = padded[codes + 1], padded[codes]
    ends = [(cut - rho[:, None] * table.z) / root for cut in (high, low)]
    above, below = (np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi) for u in ends)
    # In the upper tail Φ is 1 in every digit; its mirror is not.
    upper = ends[1] > 0
    share = np.where(upper, ndtr(-ends[1]) - ndtr(-ends[0]), ndtr(ends[0]) - ndtr(ends[1]))
    return Terms(share.clip(LEAST), above, below, high, low)


def _score(terms: Terms, z: Floats, rho: Floats) -> Floats:
    """Return ∂ log π/∂ρ, (C, n)."""
    r = rho[:, None]
    slopes = terms.above * (r * terms.high - z) - terms.below * (r * terms.low - z)
    return np.asarray(slopes / (terms.share * (1 - r**2) ** 1.5))


def mixed_influences(
    X: ArrayLike,
    found: Polychoric,
    sample_weight: ArrayLike | None = None,
    *,
    most_categories: int = USUAL_MOST,
) -> Influences:
    """Return the influences of (n, d) rows on the correlations that `mixed_correlations` gave.

    Examples
    --------
    >>> X = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 5000)
    >>> mixed_influences(X, mixed_correlations(X)).variances().round(1)
    array([0.4])
    """
    table = _read(X, sample_weight, most_categories)
    d, n = len(found.correlation), len(table.weights)
    order = np.zeros((d, d), np.intp)
    order[np.triu_indices(d, 1)] = np.arange(d * (d - 1) // 2)
    order += order.T
    h = np.zeros((n, d * (d - 1) // 2))
    for i, j in zip(*np.triu_indices(len(table.numbers), 1)):
        x, y, weights = _standardised(table, i, j)
        r = found.estimated[table.numbers[i], table.numbers[j]]
        counted = (weights > 0) * table.weights.sum() / weights.sum()
        h[:, order[table.numbers[i], table.numbers[j]]] = counted * (x * y - r * (x**2 + y**2) / 2)
    for place, column in enumerate(table.ordinal):
        rho = found.estimated[column, table.numbers]
        h[:, order[column, table.numbers]] = _of_polyserial(
            table, place, found.thresholds[column], rho
        ).T
    if table.tables is not None:
        cuts = [found.thresholds[column] for column in table.ordinal]
        within = found.estimated[np.ix_(table.ordinal, table.ordinal)]
        first, second = (table.ordinal[k] for k in np.triu_indices(len(cuts), 1))
        cells = of_cells(table.tables, cuts, within, float(table.weights.sum()))
        h[:, order[first, second]] = cells.of(table.codes)
    return Influences(table.weights, h.shape[1], max(1, h.shape[1]), lambda part: h[part])


def _of_polyserial(table: Mixed, place: int, cuts: Floats, rho: Floats) -> Floats:
    """Return (C, n) influences on the correlations of one ordinal column."""
    total, codes = table.weights.sum(), table.codes[place]
    both = table.seen & (codes >= 0)
    terms = _terms(table, place, cuts, rho)
    s = np.where(both, _score(terms, table.z, rho), 0)
    counted = table.weights / total * s
    information = (counted * s).sum(axis=1)
    root = np.sqrt(1 - rho**2)[:, None] * terms.share
    by_z = rho[:, None] * (terms.above - terms.below) / root
    # By m is −∂/∂z, by s −z ∂/∂z, and ∂ log π/∂z is −``by_z``.
    by_mean, by_deviation = ((counted * by_z * power).sum(axis=1) for power in (1, table.z))
    share_seen = (table.weights * table.seen).sum(axis=1)[:, None] / total
    of_scale = by_mean[:, None] * table.z + by_deviation[:, None] * (table.z**2 - 1) / 2
    h = s - np.where(table.seen, of_scale, 0) / share_seen
    has = table.weights * (codes >= 0)
    for c, tau in enumerate(cuts):
        slope = np.where(codes == c, terms.above, 0) - np.where(codes == c + 1, terms.below, 0)
        carried = (counted * slope / root).sum(axis=1)
        under = (codes <= c) - (has * (codes <= c)).sum() / has.sum()
        density = np.exp(-(tau**2) / 2) / np.sqrt(2 * np.pi)
        of_cut = np.where(codes >= 0, under, 0) / density * total / has.sum()
        h = h - carried[:, None] * of_cut
    return np.asarray(h / information[:, None])
