"""How a factor solution is searched for, and what the search ends with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latentia.linear.newton import Minimum, Problem, minimise

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Method = Literal["ml", "minres", "principal_axis", "principal_component", "gls", "wls", "alpha"]
Algorithm = Literal["newton", "em", "px_em"]

OTHER_OPTIMUM = 1e-5
RANDOM_SHARES = 0.1, 0.9
"""Noise variances of random starts, as shares of the variances."""


@dataclass(frozen=True)
class Extraction:
    """A factor solution before rotation.

    Attributes
    ----------
    loadings, noise_variance
        (p, k) L and (p,) Ψ.
    at_floor
        (p,) where Ψ is held by its floor: Heywood cases.
    trace
        The objective step by step: log|Σ| + tr Σ⁻¹S for ml, the discrepancy for the others.
    n_iterations, converged
        Steps, and whether they ended by themselves.
    n_optima
        Distinct optima among the starts, by objective.
    """

    loadings: Matrix
    noise_variance: Vector
    at_floor: NDArray[np.bool_]
    trace: tuple[float, ...]
    n_iterations: int
    converged: bool
    n_optima: int = 1


@dataclass(frozen=True)
class Search:
    """How to search.

    Attributes
    ----------
    floor
        (p,) the least noise variances.
    n_starts, random_state
        Starts of the minimised discrepancies: half of the variances, then random ones.
    algorithm
        For ml: Newton alone, or EM or PX-EM first.
    tolerance, max_iter
        Of EM and of the fixed-point iterations.
    """

    floor: Vector = field(default_factory=lambda: np.zeros(0))
    n_starts: int = 1
    random_state: int | None = None
    algorithm: Algorithm = "newton"
    tolerance: float = 1e-8
    max_iter: int = 10_000

    def above(self, floor: Vector) -> Search:
        """Return the same search over another floor."""
        return replace(self, floor=floor)


def minimum_from(problem: Problem, start: Vector, lower: Vector) -> Minimum:
    """Return the minimum that Newton's method finds from a start."""
    return minimise(problem, start, lower, tolerance=problem.tolerance, max_iter=500)


def starting_values(S: Matrix, search: Search) -> list[Vector]:
    """Return noise variances to start from: half of the variances, then random shares."""
    variances = np.diag(S)
    draw = np.random.default_rng(search.random_state)
    shares = [np.full(len(S), 0.5)]
    shares += [draw.uniform(*RANDOM_SHARES, len(S)) for _ in range(search.n_starts - 1)]
    return [np.maximum(share * variances, search.floor) for share in shares]


def best_of(minima: list[Minimum]) -> tuple[Minimum, int]:
    """Return the lowest minimum, and how many distinct values the converged ones have."""
    ordered = sorted(minima, key=lambda minimum: minimum.value)
    values = np.array([minimum.value for minimum in ordered if minimum.converged])
    return ordered[0], 1 + int((np.diff(values) > OTHER_OPTIMUM).sum())
