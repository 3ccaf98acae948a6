"""Maximum likelihood: EM where it is asked for, then Newton's method to the optimum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from latentia.linear.discrepancy import MaximumLikelihood
from latentia.linear.em import em
from latentia.linear.newton import Minimum
from latentia.linear.profile import ProfileLikelihood, approach
from latentia.linear.search import (
    Extraction,
    Search,
    best_of,
    minimum_from,
    starting_values,
)
from latentia.linear.spectral import leading, leading_of

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

MOST_NEWTON = 60
"""Variables up to which full decompositions and exact Hessians are the faster way."""


def maximise(S: Matrix, k: int, search: Search) -> Extraction:
    """Estimate by maximum likelihood: EM if asked, then Newton's method, from every start."""
    small = len(S) <= MOST_NEWTON
    large = None if small else ProfileLikelihood(S, k)
    problem = large or MaximumLikelihood(S, k)
    steps, starts = 0, starting_values(S, search)
    before: tuple[float, ...] = ()
    if search.algorithm != "newton":
        noise = np.maximum(np.diag(S) / 2, search.floor)
        expanded = search.algorithm == "px_em"
        W = canonical(S, noise, k)
        tolerance, most = search.tolerance, search.max_iter
        result = em(
            S, W, noise, search.floor, expanded=expanded, tolerance=tolerance, max_iter=most
        )
        steps, before, starts = len(result.trace) - 1, result.trace, [result.noise_variance]
    lower = np.log(search.floor)
    if large is None:
        minima = [minimum_from(problem, np.log(start), lower) for start in starts]
    else:
        minima = [_large_minimum(large, np.log(start), lower) for start in starts]
    best, n_optima = best_of(minima)
    noise = np.exp(best.x)
    loadings = canonical(S, noise, k, None if large is None else large.guess)
    trace = (*before, *best.trace)
    n = steps + best.n_iterations
    return Extraction(loadings, noise, best.at_bound, trace, n, best.converged, n_optima)


def _large_minimum(problem: ProfileLikelihood, x: Vector, lower: Vector) -> Minimum:
    """Take Lawley's steps, and Newton's from where they slow down."""
    first = approach(problem, x, lower, problem.tolerance)
    if first.converged:
        return first
    second = minimum_from(problem, first.x, lower)
    steps = first.n_iterations + second.n_iterations
    return replace(second, n_iterations=steps, trace=first.trace + second.trace[1:])


def canonical(S: Matrix, noise: Vector, k: int, guess: Matrix | None = None) -> Matrix:
    """Return the best loadings given Ψ: L = Ψ^½ U (Θ − I)^½, so that LᵀΨ⁻¹L is diagonal.

    ``guess`` is that of `latentia.linear.spectral.leading` for the eigenvectors U.
    """
    scale = np.sqrt(noise)
    if guess is None:
        values, vectors = leading_of(S / scale[:, None] / scale, k)
    else:
        found = leading(lambda V: (S @ (V / scale[:, None])) / scale[:, None], guess)
        values, vectors = found[0][:k], found[1][:, :k]
    loadings: Matrix = scale[:, None] * vectors * np.sqrt(np.maximum(values - 1, 0))
    return loadings
