"""Whether an estimate by importance weights can be trusted: the tail of the weights.

Beyond a high threshold u the weights of S draws follow a generalised Pareto distribution,

    p(w − u given w > u) = (1/σ) (1 + k (w − u)/σ)^(−1/k − 1)                    ([1]_ eq. 3)

whose shape k says how many moments they have: fewer than 1/k. From k = 1/2 on their variance is
infinite, and from k = 0.7 on the mean and its error are of no use at any practical S ([1]_ section
3). The tail are the ⌈min(S/5, 3 √S)⌉ largest weights. The shape is [2]_'s estimate, drawn towards
1/2 as ten more draws would ([1]_ appendix C). Beside it stands the effective sample size
(Σ w)² / Σ w²: draws of equal weight that are worth as much.

References
----------
.. [1] A. Vehtari, D. Simpson, A. Gelman, Y. Yao, J. Gabry, "Pareto Smoothed Importance Sampling",
   Journal of Machine Learning Research 25, 2024.
.. [2] J. Zhang, M. A. Stephens, "A New and Efficient Estimation Method for the Generalized Pareto
   Distribution", Technometrics 51, 2009.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from latentia.errors import Count, check_arguments

Real = NDArray[np.float64]
HEAVY = 0.7
"""The shape k above which an estimate and its error are not to be trusted."""
LEAST_TAIL = 5
"""Weights below which a tail shows no shape: those of 25 draws."""
PRIOR_DRAWS, PRIOR_SHAPE = 10, 0.5


def tail_length(n_draws: Count) -> int:
    """Return how many of the largest weights are the tail; 0 if they are too few to tell.

    >>> tail_length(5000), tail_length(100), tail_length(20)
    (213, 20, 0)
    """
    check_arguments(tail_length, locals())
    length = math.ceil(min(n_draws / 5, 3 * math.sqrt(n_draws)))
    return length if length >= LEAST_TAIL else 0


def pareto_shape(log_weights: Real) -> Real:
    """Return the shape k of the tail of weights.

    Parameters
    ----------
    log_weights
        (n, M + 1) logarithms of the M largest weights of each estimate and of the next one, which
        is the threshold u, in any order. The constants that they are known up to do not matter.

    Returns
    -------
    k
        (n,) shapes; NaN for tails under five weights, and −∞ where all in a tail are the same.
    """
    ordered = np.sort(np.asarray(log_weights, dtype=np.float64), axis=1)
    if ordered.shape[1] <= LEAST_TAIL:
        return np.full(len(ordered), np.nan)
    w = np.exp(ordered - ordered[:, -1:])
    x = w[:, 1:] - w[:, :1]
    alike = x[:, -1] <= 0
    x[alike] = np.linspace(0.5, 1, x.shape[1])
    k = zhang_stephens(np.maximum(x, np.finfo(np.float64).tiny))
    return np.where(alike, -np.inf, k)


def zhang_stephens(x: Real) -> Real:
    """Return the shape of generalised Pareto distributions from (n, M) values, sorted, over 0."""
    m = x.shape[1]
    grid = np.arange(1, 31 + math.isqrt(m))
    quartile = x[:, (m + 2) // 4 - 1, None]
    theta = 1 / x[:, -1:] + (1 - np.sqrt(len(grid) / (grid - 0.5))) / (3 * quartile)
    k = np.stack([np.log1p(-column[:, None] * x).mean(axis=1) for column in theta.T], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        likelihood = m * (np.log(-theta / k) - k - 1)
    likelihood = np.where(np.isfinite(likelihood), likelihood, -np.inf)
    weight = np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
    mean = (theta * weight).sum(axis=1) / weight.sum(axis=1)
    shape = np.log1p(-mean[:, None] * x).mean(axis=1)
    found: Real = (m * shape + PRIOR_DRAWS * PRIOR_SHAPE) / (m + PRIOR_DRAWS)
    return found
