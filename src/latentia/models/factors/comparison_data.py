"""How many factors: eigenvalues against those of data that have so many [1]_.

For k = 1, 2, ...: make a population that has k factors, the correlations of the data as far as k
factors allow them, and the distributions of the variables [2]_; draw data sets of the data's size
from it; and take the root mean squared difference of their eigenvalues from the data's. While k
factors make it significantly smaller than k − 1 do (Mann and Whitney, one-sided, 0.30), go on.

Shapes: ``X_NP`` is (n, p), ``R_PP`` its correlation, a population (10,000, p).

References
----------
.. [1] J. Ruscio, B. Roche, "Determining the number of factors to retain in an exploratory factor
   analysis using comparison data of known factorial structure", Psychological Assessment 2012.
.. [2] J. Ruscio, W. Kaczetow, "Simulating multivariate nonnormal data using an iterative
   algorithm", Multivariate Behavioral Research 2008.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from latentia.models.inputs import Matrix, Vector

POPULATION, ALPHA = 10_000, 0.3
MOST_TRIALS = 5
"""Halvings of a step that do not bring a population nearer, after which it is taken."""
SWEEPS, SETTLED = 50, 1e-3
"""Of principal axis factoring: most rounds, and the largest change of a communality at its end."""


@dataclass(frozen=True, eq=False)
class ComparisonData:
    """The number of factors, and by number of factors tried the (m,) differences of data sets."""

    n_factors: int
    differences: dict[int, Vector]


def compare_with_data(
    X_NP: Matrix, most: int, n_data_sets: int, draw: np.random.Generator
) -> ComparisonData:
    """Return the number of factors of complete rows that vary in each column, at most ``most``.

    Examples
    --------
    >>> draw = np.random.default_rng(0)
    >>> X = draw.normal(size=(200, 1)) + draw.normal(size=(200, 5))
    >>> compare_with_data(X, 3, 50, draw).n_factors
    1
    """
    R_PP = _correlations(X_NP)
    found = dict[int, Vector]()
    target = np.asarray(np.linalg.eigvalsh(R_PP), dtype=np.float64)
    for k in range(1, most + 1):
        rows = population(X_NP, R_PP, k, draw)
        found[k] = _differences(rows, target, len(X_NP), n_data_sets, draw)
        if k > 1 and stats.mannwhitneyu(found[k], found[k - 1], alternative="less").pvalue > ALPHA:
            return ComparisonData(k - 1, found)
    return ComparisonData(most, found)


def _differences(
    rows: Matrix, target: Vector, n: int, n_data_sets: int, draw: np.random.Generator
) -> Vector:
    """Return (m,) root mean squared differences of eigenvalues of data sets from the data's."""
    R_MPP = np.empty((n_data_sets, len(target), len(target)))
    for i in range(n_data_sets):
        R_MPP[i] = _correlations(rows[draw.integers(len(rows), size=n)])
    values = np.linalg.eigvalsh(R_MPP)
    return np.asarray(np.sqrt(((values - target) ** 2).mean(axis=1)))


def _correlations(rows: Matrix) -> Matrix:
    """Return (p, p) correlations; what does not vary in these rows correlates with nothing."""
    centred = rows - rows.mean(axis=0)
    size = np.sqrt((centred**2).sum(axis=0))
    centred /= np.where(size > 0, size, 1)
    R_PP = centred.T @ centred
    np.fill_diagonal(R_PP, 1)
    return np.asarray(R_PP)


def population(X_NP: Matrix, R_PP: Matrix, k: int, draw: np.random.Generator) -> Matrix:
    """Return (10,000, p) rows of k factors with the variables' distributions, near R_PP."""
    p = len(R_PP)
    ordered = np.sort(draw.choice(X_NP, size=POPULATION, axis=0), axis=0)
    shared, own = draw.normal(size=(POPULATION, k)), draw.normal(size=(POPULATION, p))
    between, best, missed = R_PP, np.inf, np.zeros_like(R_PP)
    kept, tried, trials = R_PP, ordered, 0
    lower = np.tril_indices(p, -1)
    while trials < MOST_TRIALS:
        L = principal_axes(between, k)
        rest = np.sqrt(np.maximum(1 - (L**2).sum(axis=1), 0))
        rows = _with_distributions(shared @ L.T + own * rest, ordered)
        gap = R_PP - _correlations(rows)
        size = float(np.sqrt((gap[lower] ** 2).mean()))
        if size < best:
            best, tried, kept, missed, trials = size, rows, between, gap, 0
        else:
            trials += 1
        between = kept + 0.5**trials * missed
    return tried


def _with_distributions(rows: Matrix, ordered: Matrix) -> Matrix:
    """Put ordered values in the places that rows have in each column's order."""
    found = np.empty_like(ordered)
    np.put_along_axis(found, rows.argsort(axis=0), ordered, axis=0)
    return found


def principal_axes(R_PP: Matrix, k: int) -> Matrix:
    """Return (p, k) loadings by principal axis factoring, communalities at most 1."""
    off = R_PP * (1 - np.eye(len(R_PP)))
    communal = np.abs(off).max(axis=1)
    L = np.zeros((len(R_PP), k))
    for _ in range(SWEEPS):
        values, vectors = np.linalg.eigh(off + np.diag(communal))
        L = vectors[:, -k:] * np.sqrt(np.maximum(values[-k:], 0))
        L /= np.sqrt(np.maximum((L**2).sum(axis=1), 1))[:, None]
        now = (L**2).sum(axis=1)
        settled = np.abs(now - communal).max() < SETTLED
        communal = now
        if settled:
            break
    return np.asarray(L)
