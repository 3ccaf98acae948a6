"""How uncertain polychoric correlations are: the influence of each row on each of them.

    τ̂_c − τ_c ≈ mean of (1{x ≤ c} − F_c)/φ(τ_c)                   cuts, from their margins
    ρ̂ − ρ ≈ mean of h,   h = (s − Cₜ (τ̂ − τ))/A                    s = ∂ log π(xᵢ, xⱼ)/∂ρ
    A = mean of s²,   C = mean of s ∂ log π/∂τ                     over the table of the pair
    Γ = n Cov(ρ̂) = mean of hhᵀ                                     [1]_ [2]_

Rows that lack one of a pair have no influence on it; n counts them all the same, as lavaan does
with ``missing = "pairwise"``.

Shapes: ``codes_DN`` is (d, n), −1 where missing; P = d(d − 1)/2 pairs in the order of
``numpy.triu_indices(d, 1)``; T cuts in all; h is (n, P), made in blocks of rows; Γ is (P, P).

References
----------
.. [1] B. Muthén, "A general structural equation model with dichotomous, ordered categorical, and
   continuous latent variable indicators", Psychometrika 1984.
.. [2] K. G. Jöreskog, "On the estimation of polychoric correlations and their asymptotic covariance
   matrix", Psychometrika 1994.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from latentia.models.factors.contingency import ContingencyTables
from latentia.models.factors.polychoric import (
    INFINITE,
    LEAST,
    Polychoric,
    density,
    padded_cuts,
    rectangles,
    shares_of,
)
from latentia.models.linear.patterns import table_with_gaps

Floats = NDArray[np.float64]
BLOCK = 2**21
"""Numbers made at once."""


@final
@dataclass(frozen=True)
class Influences:
    """What gives the influences of rows on correlations.

    Attributes
    ----------
    weights
        (n,) of the rows.
    n_pairs
        P.
    width
        Numbers made at once for each row.
    of
        Returns the (m, P) influences of a slice of m rows.
    """

    weights: Floats
    n_pairs: int
    width: int
    of: Callable[[slice], Floats]

    def blocks(self) -> Iterator[tuple[Floats, Floats]]:
        """Yield (m,) weights of some rows and their (m, P) influences."""
        size = max(1, BLOCK // self.width)
        for start in range(0, len(self.weights), size):
            part = slice(start, start + size)
            yield self.weights[part], self.of(part)

    def variances(self) -> Floats:
        """Return (P,) n Var(ρ̂)."""
        total = np.zeros(self.n_pairs)
        for weights, h in self.blocks():
            total += weights @ h**2
        return np.asarray(total / self.weights.sum())

    def covariance(self) -> Floats:
        """Return (P, P) Γ."""
        total = np.zeros([self.n_pairs] * 2)
        for weights, h in self.blocks():
            total += (h * weights[:, None]).T @ h
        return np.asarray(total / self.weights.sum())


def influences(
    X: ArrayLike, found: Polychoric, sample_weight: ArrayLike | None = None
) -> Influences:
    """Return the influences of (n, d) rows on the polychoric correlations that they gave.

    Examples
    --------
    >>> normals = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 5000)
    >>> X = np.digitize(normals, [0.0])
    >>> from latentia.models.factors.polychoric import polychoric
    >>> influences(X, polychoric(X)).variances().round(1)
    array([1.6])
    """
    X_ND, weights = table_with_gaps(X, sample_weight)
    counted = ContingencyTables(X_ND, weights)
    codes, tables = counted.codes_of(X_ND), counted.tables / weights.sum()
    cuts = padded_cuts(found.thresholds, tables.shape[2])
    i, j = np.triu_indices(len(codes), 1)
    rho = found.estimated[i, j][:, None, None]
    s, of_first, of_second = _scores(cuts[i], cuts[j], rho)
    counted = tables[i, j] * s
    information = (counted * s).sum(axis=(1, 2))[:, None]
    T = [len(edges) for edges in found.thresholds]
    column, cut = np.repeat(np.arange(len(T)), T), np.concatenate([np.arange(t) for t in T])
    carried = np.zeros((len(T), cuts.shape[1] - 2, len(i)))
    pairs = np.arange(len(i))
    carried[i, :, pairs] = (counted[:, :, :, None] * of_first).sum(axis=(1, 2)) / information
    carried[j, :, pairs] = (counted[:, :, :, None] * of_second).sum(axis=(1, 2)) / information
    margins = np.array([np.diag(tables[a, a]) for a in range(len(T))])
    seen = margins.sum(axis=1, keepdims=True)
    shares = (margins.cumsum(axis=1) / seen)[column, cut]
    tau = cuts[column, cut + 1]
    slopes = np.sqrt(2 * np.pi) * np.exp(tau**2 / 2) / seen[column, 0]
    scores, carried = s / information[:, :, None], carried[column, cut]

    def of(part: slice) -> Floats:
        seen = codes[column, part] >= 0
        of_cuts = np.where(seen, (codes[column, part] <= cut[:, None]) - shares[:, None], 0)
        a, b = codes[i, part], codes[j, part]
        direct = np.where((a >= 0) & (b >= 0), scores[pairs[:, None], a, b], 0)
        return np.asarray(direct.T - (of_cuts * slopes[:, None]).T @ carried)

    return Influences(weights, len(i), len(i) + len(cut), of)


def _scores(a: Floats, b: Floats, rho: Floats) -> tuple[Floats, Floats, Floats]:
    """Return ∂ log π of each cell by ρ, (P, K, K), and by the cuts of either column, (…, K − 1).

    ``a`` and ``b`` are the (P, K + 1) cuts of the pairs' columns, ``rho`` (P, 1, 1).
    """
    h, k = a[:, :, None], b[:, None, :]
    shares = shares_of(h, k, rho).clip(LEAST)
    root = np.sqrt((1 - rho) * (1 + rho))
    of_ends = np.where(np.abs(h) < INFINITE, np.exp(-(h**2) / 2) / np.sqrt(2 * np.pi), 0)
    along = of_ends * np.diff(ndtr((k - rho * h) / root), axis=2)
    of_ends = np.where(np.abs(k) < INFINITE, np.exp(-(k**2) / 2) / np.sqrt(2 * np.pi), 0)
    across = of_ends * np.diff(ndtr((h - rho * k) / root), axis=1)
    inner = np.arange(a.shape[1] - 2)
    first, second = (np.zeros((*shares.shape, len(inner))) for _ in range(2))
    # A cut is the upper end of one category, and the lower end of the next.
    first[:, inner, :, inner] = along[:, 1:-1].swapaxes(0, 1)
    first[:, inner + 1, :, inner] = -along[:, 1:-1].swapaxes(0, 1)
    second[:, :, inner, inner] = across[:, :, 1:-1]
    second[:, :, inner + 1, inner] = -across[:, :, 1:-1]
    over = shares[:, :, :, None]
    return rectangles(density(h, k, rho)) / shares, first / over, second / over
