"""How uncertain polychoric correlations are: the influence of each row on each of them.

    τ̂_c − τ_c ≈ mean of (1{x ≤ c} − F_c)/φ(τ_c)                   cuts, from their margins
    ρ̂ − ρ ≈ mean of h,   h = (s − Cₜ (τ̂ − τ))/A                    s = ∂ log π(xᵢ, xⱼ)/∂ρ
    A = mean of s²,   C = mean of s ∂ log π/∂τ                     over the table of the pair
    Γ = n Cov(ρ̂) = mean of hhᵀ                                     [1]_ [2]_

A row's h of a pair follows from its two categories, so that variances need the tables of the pairs
alone, and covariances the rows. A row that lacks one of a pair moves at most a cut; n counts all
rows, as lavaan does with ``missing = "pairwise"``.

Shapes: ``codes`` are (d, n), −1 where missing; P = d(d − 1)/2 pairs in the order of
``numpy.triu_indices(d, 1)``; K categories at the most; h of rows is (n, P), made in blocks; Γ is
(P, P).

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
    codes = counted.codes_of(X_ND)
    cells = of_cells(counted, found.thresholds, found.estimated, float(weights.sum()))
    return Influences(weights, len(cells.h), len(cells.h), lambda part: cells.of(codes[:, part]))


@final
@dataclass(frozen=True)
class Cells:
    """The influence of a row on each correlation by its two categories, the last one: missing.

    ``shares`` are those of the rows, and ``h`` the influences, both (P, K + 1, K + 1).
    """

    shares: Floats
    h: Floats

    def of(self, codes: NDArray[np.int64]) -> Floats:
        """Return (m, P) influences of rows whose (d, m) categories these are."""
        i, j = np.triu_indices(len(codes), 1)
        return self.h[np.arange(len(i))[:, None], codes[i], codes[j]].T

    def variances(self) -> Floats:
        """Return (P,) n Var(ρ̂)."""
        return np.asarray((self.shares * self.h**2).sum(axis=(1, 2)))


def of_cells(
    counted: ContingencyTables, thresholds: list[Floats], estimated: Floats, total: float
) -> Cells:
    """Return the influences by category on (d, d) correlations with these cuts.

    ``total`` is the weight of all rows, those without a value in these columns among them.
    """
    tables = counted.tables / total
    (d, _, K, _), cuts = tables.shape, padded_cuts(thresholds, tables.shape[2])
    margins = np.einsum("jjaa->ja", tables)
    i, j = np.triu_indices(d, 1)
    shares, h = np.zeros((2, len(i), K + 1, K + 1))
    shares[:, :K, :K] = tables[i, j]
    shares[:, :K, K] = margins[i] - tables[i, j].sum(axis=2)
    shares[:, K, :K] = margins[j] - tables[i, j].sum(axis=1)
    s, by_first, by_second = _scores(cuts[i], cuts[j], estimated[i, j][:, None, None])
    weighed = tables[i, j] * s
    information = (weighed * s).sum(axis=(1, 2))[:, None]
    h[:, :K, :K] = s / information[:, :, None]
    # A cut moves with every row that has its column: (d, K + 1, K - 1), nought where that misses.
    tau, seen = cuts[:, 1:-1], margins.sum(axis=1)[:, None]
    density = np.where(tau < INFINITE, np.exp(-(tau**2) / 2) / np.sqrt(2 * np.pi), np.inf)
    shares_below = margins.cumsum(axis=1)[:, None, :-1] / seen[:, None]
    under = (np.arange(K + 1)[:, None] <= np.arange(K - 1)) - shares_below
    under[:, K] = 0
    of_cuts = under / (density * seen)[:, None]
    for column, slopes, axis in ((i, by_first, 2), (j, by_second, 1)):
        carried = np.einsum("pab,pabc->pc", weighed, slopes) / information
        h -= np.expand_dims(np.einsum("pac,pc->pa", of_cuts[column], carried), axis)
    return Cells(shares, h)


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
