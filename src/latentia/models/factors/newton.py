"""Bounded minimisation by a projected Newton method, exact or with an approximate Hessian.

    free = {i : xᵢ > lowerᵢ or gᵢ ≤ 0},   step = −H_free⁻¹ g_free,   x ← max(x + a·step, lower)

The Hessian is made positive definite by what it lacks on the diagonal. Where it is only an
approximation, one factor serves many steps, and limited-memory BFGS pairs correct it: a
preconditioned quasi-Newton method. Bertsekas, "Projected Newton methods for optimization problems
with simple constraints", SIAM J. Control and Optimization 1982; Nocedal & Wright, "Numerical
Optimization", 2006, algorithm 7.4.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

ARMIJO = 1e-4
SHORTEST = 1e-7
MEMORY = 10
FRESH = 1
"""An approximate Hessian is computed anew after this many first steps."""


class Point(Protocol):
    """The objective at one x."""

    @property
    def value(self) -> float:
        """The objective."""

    @property
    def gradient(self) -> Vector:
        """Its gradient, (p,)."""

    def hessian(self) -> NDArray[Any]:
        """Return the Hessian or its approximation."""


class Problem(Protocol):
    """A function to minimise."""

    @property
    def exact(self) -> bool:
        """Whether ``hessian`` is the Hessian itself."""

    @property
    def longest_step(self) -> float:
        """The largest change of a parameter in one step."""

    @property
    def tolerance(self) -> float:
        """The expected decrease at which its rounding lets the search end."""

    def at(self, x: Vector) -> Point:
        """Evaluate at ``x``."""


@dataclass(frozen=True)
class Minimum:
    """What the search ended with.

    Attributes
    ----------
    x, value
        The point and its objective.
    at_bound
        Where ``x`` lies on its lower bound and would fall further.
    n_iterations, converged
        Steps taken, and whether the expected decrease fell below the tolerance.
    trace
        The objective after each step.
    """

    x: Vector
    value: float
    at_bound: NDArray[np.bool_]
    n_iterations: int
    converged: bool
    trace: tuple[float, ...]


def minimise(
    problem: Problem, x: Vector, lower: Vector, *, tolerance: float, max_iter: int
) -> Minimum:
    """Minimise a smooth function subject to ``x ≥ lower``.

    Parameters
    ----------
    problem
        The objective.
    x, lower
        (p,) start and bounds.
    tolerance
        Stop when the expected decrease ``−½ gᵀ step`` is at most this.
    max_iter
        The most steps.
    """
    x = np.maximum(x, lower)
    point = problem.at(x)
    metric, trace = _Metric(exact=problem.exact), [point.value]
    for iteration in range(max_iter):
        free = (x > lower) | (point.gradient <= 0)
        step = metric.step(point, free)
        decrease = -0.5 * float(point.gradient @ step)
        if decrease <= tolerance:
            # The last step of a Newton iteration squares what error is left.
            x, point = _polished(problem, x, point, step, lower)
            return _minimum(x, point, lower, trace, converged=True)
        found = _search(problem, x, point, step, lower)
        if found is None:
            stuck = problem.exact or metric.age == 0
            if stuck:
                small = decrease <= max(1e4 * tolerance, 1e-13 * abs(point.value))
                return _minimum(x, point, lower, trace, converged=small)
            metric.forget()
            continue
        new_x, new_point = found
        metric.learn(new_x - x, new_point.gradient - point.gradient, refresh=iteration < FRESH)
        x, point = new_x, new_point
        trace.append(point.value)
    return _minimum(x, point, lower, trace, converged=False)


def _minimum(
    x: Vector, point: Point, lower: Vector, trace: list[float], *, converged: bool
) -> Minimum:
    held = (x <= lower) & (point.gradient > 0)
    return Minimum(x, point.value, held, len(trace) - 1, converged, tuple(trace))


def _polished(
    problem: Problem, x: Vector, point: Point, step: Vector, lower: Vector
) -> tuple[Vector, Point]:
    """Return the point after the step, unless that is worse in value and in gradient."""
    new_x = np.maximum(x + step, lower)
    new = problem.at(new_x)
    better = new.value <= point.value or _slope(new, new_x, lower) < _slope(point, x, lower)
    return (new_x, new) if better else (x, point)


def _slope(point: Point, x: Vector, lower: Vector) -> float:
    """Return the largest gradient that is not held by a bound."""
    free = (x > lower) | (point.gradient <= 0)
    return float(np.abs(np.where(free, point.gradient, 0.0)).max())


def _search(
    problem: Problem, x: Vector, point: Point, step: Vector, lower: Vector
) -> tuple[Vector, Point] | None:
    """Return the first of ever shorter steps that decreases enough, or None."""
    scale = min(1.0, problem.longest_step / max(float(np.abs(step).max()), 1e-300))
    while scale > SHORTEST:
        new_x = np.maximum(x + scale * step, lower)
        new = problem.at(new_x)
        expected = ARMIJO * float(point.gradient @ (new_x - x))
        if new.value <= point.value + expected and np.isfinite(new.value):
            return new_x, new
        scale /= 2
    return None


@dataclass
class _Metric:
    """The quadratic model that turns a gradient into a step."""

    exact: bool
    age: int = -1
    factor: tuple[NDArray[Any], bool] | None = None
    free: NDArray[np.bool_] | None = None
    pairs: list[tuple[Vector, Vector]] = field(default_factory=list)

    def step(self, point: Point, free: NDArray[np.bool_]) -> Vector:
        """Return −(model Hessian)⁻¹ gradient on the free variables, 0 on the others."""
        same = self.free is not None and np.array_equal(free, self.free)
        if self.exact or self.factor is None or not same:
            self.free, self.age, self.pairs = free, 0, []
            self.factor = positive_factor(_restricted(point.hessian(), free))
        gradient = np.where(free, point.gradient, 0.0)
        return -self._corrected(gradient)

    def learn(self, change: Vector, gradient_change: Vector, *, refresh: bool) -> None:
        """Take up a curvature pair, or ask for a fresh Hessian next time."""
        self.age += 1
        if self.exact or refresh or self.free is None:
            self.factor = None
            return
        s, y = np.where(self.free, change, 0), np.where(self.free, gradient_change, 0)
        if s @ y > 1e-12 * np.sqrt((s @ s) * (y @ y)):
            self.pairs = [*self.pairs[1 - MEMORY :], (s, y)]

    def forget(self) -> None:
        """Ask for a fresh Hessian."""
        self.factor = None

    def _solved(self, q: Vector) -> NDArray[Any]:
        if self.factor is None:
            raise RuntimeError("a step was asked for before the first Hessian")
        single = q.astype(self.factor[0].dtype)
        solution: NDArray[Any] = linalg.cho_solve(self.factor, single, check_finite=False)
        return solution

    def _corrected(self, gradient: Vector) -> Vector:
        """Return the inverse times ``gradient``: two loops around the factor (algorithm 7.4)."""
        q, weights = gradient.copy(), []
        for s, y in reversed(self.pairs):
            weights.append((s @ q) / (s @ y))
            q -= weights[-1] * y
        r: Vector = np.array(self._solved(q), dtype=np.float64)
        for (s, y), weight in zip(self.pairs, reversed(weights)):
            r += (weight - (y @ r) / (s @ y)) * s
        return r


def _restricted(hessian: NDArray[Any], free: NDArray[np.bool_]) -> NDArray[Any]:
    """Return the Hessian with the rows and columns of variables at their bounds cleared."""
    held = np.flatnonzero(~free)
    hessian[held] = 0
    hessian[:, held] = 0
    hessian[held, held] = 1
    return hessian


def positive_factor(matrix: NDArray[Any]) -> tuple[NDArray[Any], bool]:
    """Return a Cholesky factor of ``matrix + λI`` for the smallest tried λ ≥ 0 that has one."""
    shift, scale = 0.0, max(float(np.abs(np.diag(matrix)).max()), 1e-300)
    while True:
        shifted = matrix if shift == 0 else matrix + shift * np.eye(len(matrix))
        try:
            factor: tuple[NDArray[Any], bool] = linalg.cho_factor(
                shifted, lower=True, check_finite=False
            )
        except linalg.LinAlgError:
            shift = max(4 * shift, 1e-4 * scale)
        else:
            return factor
