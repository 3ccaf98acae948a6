"""Polychoric correlations: what ordinal columns would correlate as the normals that they cut.

    xⱼ = c  ⇔  τⱼ,c₋₁ < x*ⱼ ≤ τⱼ,c,   (x*ᵢ, x*ⱼ) ~ N(0, [[1, ρ], [ρ, 1]])
    τⱼ,c = Φ⁻¹(share of xⱼ ≤ c)                            (first step: the marginals)
    ρᵢⱼ = argmax Σ nₐᵦ log πₐᵦ(ρ)                          (second step: the table of each pair)
    πₐᵦ = Φ₂(τᵢ,a, τⱼ,b; ρ) − Φ₂(τᵢ,a₋₁, τⱼ,b; ρ) − Φ₂(τᵢ,a, τⱼ,b₋₁; ρ) + Φ₂(τᵢ,a₋₁, τⱼ,b₋₁; ρ)

∂Φ₂/∂ρ is the bivariate normal density, so that the slope of the likelihood is exact; all pairs take
their steps of Fisher's scoring together. An empty cell may let the likelihood rise up to ρ = ±1; a
number may be added to empty cells first, in 2 × 2 tables such that the margins stay [1]_.

Shapes: ``X_ND`` is (n, d); K categories at the most; P pairs, whose ``tables`` are (P, K, K) and
whose cuts are (P, K + 1) from −∞ (here −40) to ∞ (40).

References: U. Olsson, "Maximum likelihood estimation of the polychoric correlation coefficient",
Psychometrika 1979, section 3 (the two-step estimator); D. B. Owen, "Tables for computing bivariate
normal probabilities", Annals of Mathematical Statistics 1956, equation 2.1.

.. [1] M. B. Brown, J. K. Benedetti, "On the mean and variance of the tetrachoric correlation
   coefficient", Psychometrika 1977; lavaan's ``zero.add`` and ``zero.keep.margins``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, owens_t

from latentia.errors import InputError, check_range
from latentia.models.factors.contingency import ContingencyTables

Floats = NDArray[np.float64]
INFINITE = 40.0
BOUND = 0.9999
LONGEST_STEP = 0.5
MOST_STEPS = 40
PRECISION = 1e-9
LEAST = 1e-15
FLAT = 1e-30
LEVEL = 1e-12
RAISED = 1e-10
BLOCK = 2**17


@final
@dataclass(frozen=True)
class Polychoric:
    """The correlations that lie under ordinal columns."""

    correlation: Floats
    """(d, d), positive definite."""
    thresholds: list[Floats]
    """For each column its (categories − 1,) cuts, in standard deviations; none of numbers."""
    smoothed: bool
    """Whether eigenvalues at or below zero were raised, as psych's cor.smooth does."""
    least_eigenvalue: float
    """Of the correlations before they were smoothed."""
    at_bound: list[tuple[int, int]]
    """Pairs whose likelihood rises, or stays level, up to ±1; their correlation is ±0.9999."""
    estimated: Floats
    """(d, d), before eigenvalues were raised."""


def polychoric(
    X: ArrayLike, *, sample_weight: ArrayLike | None = None, zero_add: float = 0.0
) -> Polychoric:
    """Return the two-step maximum likelihood estimate of the polychoric correlations.

    Parameters
    ----------
    X
        (n, d) numbers of which only the order counts, at most 20 different ones in a column; two
        make the correlation tetrachoric. NaN is missing: a pair of columns uses the rows that have
        both, the cuts of a column all rows that have it.
    sample_weight
        (n,) weights, at least 0; none weighs all rows alike.
    zero_add
        Is added to the empty cells of the table of each pair, 0.5 as a rule; 0 leaves them empty.

    Examples
    --------
    >>> normals = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 5000)
    >>> polychoric(np.digitize(normals, [-1, 0, 1.5])).correlation.round(1)
    array([[1. , 0.6],
           [0.6, 1. ]])
    """
    return of_tables(ContingencyTables(X, sample_weight), zero_add)


def of_tables(found: ContingencyTables, zero_add: float = 0.0) -> Polychoric:
    """Return what `polychoric` does, from the tables of all pairs of columns."""
    check_range("zero_add", zero_add, 0)
    return finished(*estimated(found, zero_add))


def estimated(
    found: ContingencyTables, zero_add: float
) -> tuple[Floats, list[Floats], list[tuple[int, int]]]:
    """Return (d, d) estimates, the cuts of each column, and the pairs at the bound."""
    found.refuse_constant()
    tables = found.tables
    thresholds = [_cuts(np.diag(tables[j, j])) for j in range(len(tables))]
    padded = padded_cuts(thresholds, tables.shape[2])
    correlation, at_bound = _pairwise(tables, padded, found.n_categories, zero_add)
    return correlation, thresholds, at_bound


def finished(
    correlation: Floats, thresholds: list[Floats], at_bound: list[tuple[int, int]]
) -> Polychoric:
    """Return estimates, smoothed where they are no correlation matrix."""
    positive, least = _smoothed(correlation), float(np.linalg.eigvalsh(correlation)[0])
    smoothed = positive is not correlation
    return Polychoric(positive, thresholds, smoothed, least, at_bound, correlation)


def padded_cuts(thresholds: list[Floats], k: int) -> Floats:
    """Return (d, k + 1) cuts between at most k categories, from −`INFINITE` to `INFINITE`."""
    padded = np.full((len(thresholds), k + 1), INFINITE)
    padded[:, 0] = -INFINITE
    for row, cuts in zip(padded, thresholds):
        row[1 : len(cuts) + 1] = cuts
    return padded


def _cuts(counts: Floats) -> Floats:
    """Return the thresholds of a column from the weights of its categories, padded by zeros."""
    counts = counts[counts > 0]
    return np.asarray(ndtri(counts.cumsum()[:-1] / counts.sum()))


def _pairwise(
    tables: Floats, cuts: Floats, n_categories: NDArray[np.int64], zero_add: float
) -> tuple[Floats, list[tuple[int, int]]]:
    """Return the (d, d) estimates, and the pairs among them that lie at the bound."""
    i, j = np.triu_indices(len(cuts), 1)
    for pair in np.flatnonzero(tables[i, j].sum(axis=(1, 2)) == 0):
        raise InputError(f"columns {i[pair]} and {j[pair]} are never observed together")
    correlation, size = np.eye(len(cuts)), max(1, BLOCK // cuts.shape[1] ** 2)
    for a, b in ((i[k : k + size], j[k : k + size]) for k in range(0, len(i), size)):
        filled = _filled(tables[a, b], n_categories[a], n_categories[b], zero_add)
        correlation[a, b] = correlation[b, a] = _most_likely(filled, cuts[a], cuts[b])
    bound = np.abs(correlation[i, j]) >= BOUND
    return correlation, [(int(a), int(b)) for a, b in zip(i[bound], j[bound])]


def _filled(
    tables: Floats, rows: NDArray[np.int64], columns: NDArray[np.int64], zero_add: float
) -> Floats:
    """Return (P, K, K) tables with a number added to the empty cells among (P,) categories.

    In a 2 × 2 table with one empty cell, as much is added across from it, and taken from the others
    (half of the smaller at the most).
    """
    k = np.arange(tables.shape[1])
    inside = (k[:, None] < rows[:, None, None]) & (k < columns[:, None, None])
    empty = inside & (tables == 0)
    filled: Floats = tables + zero_add * empty
    for pair in np.flatnonzero((rows == 2) & (columns == 2) & (empty.sum(axis=(1, 2)) == 1)):
        i, j = np.argwhere(empty[pair])[0]
        others = tables[pair, [i, 1 - i], [1 - j, j]]
        moved = min(zero_add, float(others.min()) / 2)
        filled[pair, :2, :2] = tables[pair, :2, :2] - moved
        filled[pair, [i, 1 - i], [j, 1 - j]] += 2 * moved
    return filled


def _most_likely(tables: Floats, a: Floats, b: Floats) -> Floats:
    """Return the (P,) maximisers of tables of pairs."""
    return most_likely(
        lambda rho: _slope(tables, a, b, rho),
        lambda rho: _log_likelihood(tables, a, b, rho),
        tables.sum(axis=(1, 2)),
    )


def most_likely(
    slope_at: Callable[[Floats], tuple[Floats, Floats]],
    log_likelihood_at: Callable[[Floats], Floats],
    weights: Floats,
) -> Floats:
    """Return the (P,) maximisers over |ρ| ≤ BOUND, by bracketed scoring of z = artanh ρ.

    ``slope_at`` gives the (P,) derivatives by z and their information; ``weights`` are those of the
    rows of each pair.
    """
    z, high = np.zeros(len(weights)), np.full(len(weights), np.arctanh(BOUND))
    low, largest = -high, np.arctanh(BOUND)
    for _ in range(MOST_STEPS):
        slope, information = slope_at(np.tanh(z))
        low, high = np.where(slope > 0, z, low), np.where(slope < 0, z, high)
        step = (slope / information).clip(-LONGEST_STEP, LONGEST_STEP)
        following = (z + step).clip(-largest, largest)
        outside = (following < low) | (following > high)
        z, before = np.where(outside, (low + high) / 2, following), z
        if np.abs(z - before).max(initial=0) < PRECISION:
            break
    edge, found = np.copysign(BOUND, z), np.tanh(z)
    gain = log_likelihood_at(edge) - log_likelihood_at(found)
    return np.where(gain > -LEVEL * weights, edge, found)


def _log_likelihood(tables: Floats, a: Floats, b: Floats, rho: Floats) -> Floats:
    shares = shares_of(a[:, :, None], b[:, None, :], rho[:, None, None])
    return np.asarray((tables * np.log(shares.clip(LEAST))).sum(axis=(1, 2)))


def _slope(tables: Floats, a: Floats, b: Floats, rho: Floats) -> tuple[Floats, Floats]:
    """Return the (P,) derivatives of the log-likelihood in artanh ρ, and their information."""
    a, b, rho = a[:, :, None], b[:, None, :], rho[:, None, None]
    shares = shares_of(a, b, rho).clip(LEAST)
    slopes = rectangles(density(a, b, rho)) * (1 - rho**2)
    slope: Floats = (tables * slopes / shares).sum(axis=(1, 2))
    information = tables.sum(axis=(1, 2)) * (slopes**2 / shares).sum(axis=(1, 2))
    return slope, information.clip(FLAT)


def shares_of(a: Floats, b: Floats, rho: Floats) -> Floats:
    """Return π of (P, K, K) cells, the cuts being (P, K + 1, 1) and (P, 1, K + 1)."""
    return rectangles(bivariate_normal_cdf(a, b, rho))


def rectangles(corners: Floats) -> Floats:
    """Return what lies in each cell, from (P, K + 1, K + 1) values at its corners."""
    return np.diff(np.diff(corners, axis=1), axis=2)


def density(x: Floats, y: Floats, rho: Floats) -> Floats:
    """Return the bivariate normal density, ∂Φ₂/∂ρ."""
    root = np.sqrt((1 - rho) * (1 + rho))
    exponent = ((x - rho * y) / root) ** 2 + y**2
    return np.asarray(np.exp(-exponent / 2) / (2 * np.pi * root))


def _smoothed(correlation: Floats) -> Floats:
    """Return the matrix itself, or a positive definite one with its negative eigenvalues raised."""
    values, vectors = np.linalg.eigh(correlation)
    if values[0] >= np.finfo(np.float64).eps:
        return correlation
    raised = (vectors * np.where(values < RAISED / 100, RAISED, values)) @ vectors.T
    scale = np.sqrt(np.diag(raised))
    return np.asarray(raised / np.outer(scale, scale))


def bivariate_normal_cdf(h: ArrayLike, k: ArrayLike, rho: ArrayLike) -> Floats:
    """Return P(x ≤ h, y ≤ k) of two standard normals of correlation |ρ| < 1, by Owen's T.

    Φ₂ = (Φ(h) + Φ(k)) / 2 − T(h, (k − ρh) / (h√(1 − ρ²))) − T(k, (h − ρk) / (k√(1 − ρ²))) − β,
    with β = ½ where h and k have opposite signs and 0 elsewhere; h and k are finite.
    """
    h, k, rho = (np.asarray(values, dtype=np.float64) for values in (h, k, rho))
    # Owen's formula divides by h and k, and is continuous: a tiny number stands for zero.
    h, k = (np.where(np.abs(values) < 1e-300, 1e-300, values) for values in (h, k))
    root = np.sqrt((1 - rho) * (1 + rho))
    tails = owens_t(h, (k - rho * h) / (h * root)) + owens_t(k, (h - rho * k) / (k * root))
    return np.asarray((ndtr(h) + ndtr(k)) / 2 - tails - np.where((h < 0) != (k < 0), 0.5, 0))
