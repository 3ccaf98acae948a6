"""Full information: a factor model of rows with gaps, and what it is held against.

    ℓ(μ, Σ) = Σᵢ wᵢ log N(xᵢ; μₒ, Σₒₒ) / Σᵢ wᵢ                 (o: the columns seen in row i)
    Σ = Λ Λᵀ + Ψ by EM, each of whose M-steps is a factor analysis of the expected moments
    F = 2 (ℓ_saturated − ℓ),  F₀ = 2 (ℓ_saturated − ℓ_independent),  χ² = n F            [1]_

The saturated Σ is free, the independent one diagonal. Only the first of the three depends on the
number of factors: correlations, KMO and the test of independence are those of the saturated one.

References
----------
.. [1] C. K. Enders, D. L. Bandalos, "The relative performance of full information maximum
   likelihood estimation for missing data in structural equation models", Structural Equation
   Modeling 2001.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import final

import numpy as np

from latentia.errors import InputError
from latentia.models.factors.discrepancy import OTHER_OPTIMUM
from latentia.models.factors.extraction import RANDOM_SHARES, Extraction
from latentia.models.factors.fit_statistics import Discrepancies
from latentia.models.inputs import Matrix, Vector
from latentia.models.linear.missing import (
    Estimate,
    observed_log_likelihood,
    of_gaps,
    saturated,
    structured,
)
from latentia.models.linear.patterns import Patterns

Extract = Callable[[Matrix], tuple[Extraction, Vector]]
"""From (p, p) moments to a solution and its units (p,)."""
Climb = Callable[[tuple[Vector, Matrix], float], Estimate]
COARSE = 1e-4
"""Tolerance at which the starts are compared: their likelihoods are settled to its square."""


@final
@dataclass(frozen=True)
class Completed:
    """A factor model of p columns with gaps, before rotation.

    ``solution`` and its ``units`` (p,) are of the moments completed in expectation, ``estimate``.
    ``observed`` (p, p) is the saturated covariance, ``baselines`` (2,) log-likelihoods per sample
    of the saturated and the independent model, ``n_optima`` the number of distinct optima that the
    starts met, ``remarks`` what there is to say of the gaps.
    """

    solution: Extraction
    units: Vector
    estimate: Estimate
    observed: Matrix
    baselines: Vector
    n_optima: int
    remarks: tuple[str, ...]


def completed(
    patterns: Patterns,
    names: list[str],
    extract: Extract,
    *,
    starts: list[Matrix],
    tolerance: float,
    max_iter: int,
) -> Completed:
    """Return the most likely factor model of columns that all vary.

    There is one start more than the (p, p) correlations given: independence, the saturated moments,
    and these as far as they are needed. The best after a coarse climb goes on to ``tolerance``.
    """
    remarks = of_gaps(patterns.n_empty, patterns.coverage, names)
    free = _saturated(patterns, tolerance, max_iter)
    if free is None:
        remarks.append(
            "rows with such gaps have no likeliest covariance matrix (too few rows, or collinear "
            "columns): the model is not tested, and the correlations are those that it expects"
        )

    def m_step(expected: Matrix) -> Matrix:
        found, D = extract(expected)
        L = found.loadings * D[:, None]
        return L @ L.T + np.diag(found.noise_variance * D**2)

    def climb(point: tuple[Vector, Matrix], tolerance: float) -> Estimate:
        return structured(patterns, m_step, *point, tolerance=tolerance, max_iter=max_iter)

    found, n_optima = _best(climb, _points(patterns, free, starts), tolerance)
    solution, units = extract(found.covariance)
    observed, baselines = (found if free is None else free).covariance, _baselines(patterns, free)
    return Completed(solution, units, found, observed, baselines, n_optima, tuple(remarks))


def _baselines(patterns: Patterns, free: Estimate | None) -> Vector:
    """Return (2,) the saturated and the independent log-likelihood; NaN where nothing is saturated.

    Nothing determines a correlation of columns that are never seen together.
    """
    S = np.diag(patterns.column_variances)
    independent = observed_log_likelihood(patterns, patterns.column_means, S)
    known = free if not patterns.never_together else None
    return np.array([math.nan if known is None else known.log_likelihood, independent])


def _points(
    patterns: Patterns, free: Estimate | None, starts: list[Matrix]
) -> list[tuple[Vector, Matrix]]:
    """Return means and covariances to start from: independent, saturated, given, n in all."""
    mean, variances = patterns.column_means, patterns.column_variances
    points = [(mean, np.diag(variances))]
    points += [] if free is None else [(free.mean, free.covariance)]
    points += [(mean, R * np.sqrt(np.outer(variances, variances))) for R in starts]
    return points[: 1 + len(starts)]


def _best(
    climb: Climb, points: list[tuple[Vector, Matrix]], tolerance: float
) -> tuple[Estimate, int]:
    """Return the highest maximum that the points lead to, and how many distinct ones there are."""
    if len(points) == 1:
        return climb(points[0], tolerance), 1
    ends = [climb(points[0], max(COARSE, tolerance))]
    for point in points[1:]:
        # A start near a singular covariance may have no way up.
        with suppress(InputError):
            ends.append(climb(point, max(COARSE, tolerance)))
    ends.sort(key=lambda end: -end.log_likelihood)
    heights = np.array([end.log_likelihood for end in ends if end.converged])
    n_optima = 1 + int((np.diff(-2 * heights) > OTHER_OPTIMUM).sum())
    return climb((ends[0].mean, ends[0].implied), tolerance), n_optima


def random_models(p: int, k: int, n: int, random_state: int | None) -> list[Matrix]:
    """Return n (p, p) correlations that k factors of random loadings imply."""
    draw, found = np.random.default_rng(random_state), []
    for _ in range(n):
        noise, L = draw.uniform(*RANDOM_SHARES, p), draw.standard_normal((p, k))
        L *= np.sqrt((1 - noise) / (L**2).sum(axis=1))[:, None]
        found.append(L @ L.T + np.diag(noise))
    return found


def discrepancies(baselines: Vector, model: float) -> Discrepancies:
    """Return F of the model and of independence, from log-likelihoods per sample."""
    saturated, independent = baselines
    found = np.maximum(2 * (saturated - np.array([model, independent])), 0)
    return Discrepancies(*found.tolist())


def _saturated(patterns: Patterns, tolerance: float, max_iter: int) -> Estimate | None:
    if patterns.n_samples <= len(patterns.column_means):
        return None
    try:
        return saturated(patterns, tolerance=tolerance, max_iter=max_iter)
    except InputError:
        return None
