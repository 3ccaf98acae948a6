"""How far a factor model is from a covariance matrix, as a function of the noise variances alone.

Given the noise variances Ψ, the best loadings follow from k eigenpairs, so each estimator is a sum
over the p − k other eigenvalues of one matrix A(Ψ) = U diag(θ) Uᵀ:

    maximum likelihood   A = Ψ^-½ S Ψ^-½   f = log|Σ| + tr Σ⁻¹S     Jöreskog 1967, section 3
                                             = Σ η + Σ_kept (1 + log θ) + Σ θ
    generalised LS       A = Ψ^-½ S Ψ^-½   f = ½ Σ (1 − 1/θ)²      Jöreskog & Goldberger 1972
    unweighted LS        A = S − Ψ         f = ½ Σ θ²              Harman & Jones 1966 (minres)

with the derivatives, in η = log Ψ for the first two and in ψ for the last (first-order perturbation
of eigenpairs; Clarke, British J. Mathematical and Statistical Psychology 1970, for the first):

    gᵢ = Σₘ c(θₘ) uᵢₘ²          Hᵢⱼ = Σₘₙ Kₘₙ uᵢₘ uⱼₘ uᵢₙ uⱼₙ                            (1)

The likelihood of many variables needs the k eigenpairs kept alone, found by iteration:

    f = Σ η + tr A + Σ_kept (1 + log θ − θ),   gᵢ = 1 − aᵢᵢ + Σ_kept (θₘ − 1) uᵢₘ²        (2)

SciPy's L-BFGS-B minimises f above the floor (Byrd, Lu, Nocedal & Zhu, SIAM J. Scientific Computing
1995). Values of f alone settle half of the digits of Ψ; of few variables, Newton steps by (1) give
the others.

Shapes: S is (p, p); ψ, η and x, which is either, are (p,); the kept eigenpairs come first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from latentia.models.inputs import Matrix, Vector
from latentia.models.linear.eigen import MANY, leading, reduced, width

SMALL = 60
"""Variables up to which full decompositions and Hessians are the faster way."""
MODERATE = 400
"""Up to this many variables, eigenpairs and search are as exact as they can be made."""
ACCURACY = {True: 1e-9, False: 1e-5}
"""Of iterated eigenpairs: the objective's error is its square, far below any step that counts."""
SETTLED = {True: (1e-11, 1e-5), False: (1e-15, 1e-8)}
"""Relative fall of f, and gradient, at which the search ends: sooner if Newton steps follow."""
SETTLED_COARSE = 1e-12, 1e-5
"""The same for coarse eigenpairs."""
LAWLEY, SHRINK = 2, 1e-3
"""How many of Lawley's steps come first, and the least factor of a noise variance in one."""
HIGHEST = 5.0
"""A log noise variance stays below that of the variance and this; no optimum lies there."""
MOST_STEPS = 2000
MOST_POLISH, POLISHED = 4, 1e-10
OTHER_OPTIMUM = 1e-5
TINY, FLAT = 1e-12, 1e-9
SAME = 1e-9
"""Relative distance below which two eigenvalues count as one."""


class Discrepancy(ABC):
    """A discrepancy that sums a function of the eigenvalues left out."""

    def __init__(self, S: Matrix, k: int) -> None:
        self.S, self.k = S, k
        self.highest = np.full(len(S), np.inf)
        self.settled = SETTLED[len(S) <= SMALL]

    @abstractmethod
    def matrix(self, x: Vector) -> Matrix:
        """Return A at the parameters."""

    @abstractmethod
    def terms(self, theta: Vector) -> tuple[Vector, Vector, Vector]:
        """Return f, c and dc/dθ for eigenvalues."""

    @abstractmethod
    def speed(self, theta: Vector) -> Matrix:
        """Return aₘₙ: how fast uₘᵀ A uₙ falls as a parameter grows."""

    def kept(self, theta: Vector) -> NDArray[np.bool_]:
        """Return which of the falling eigenvalues the loadings absorb."""
        return (np.arange(len(theta)) < self.k) & (theta > 0)

    def constant(self, x: Vector, absorbed: Vector) -> float:
        """Return the objective's part that no eigenvalue left out enters."""
        return 0.0

    def near(self, x: Vector, lower: Vector) -> Vector:
        """Return a better start, if there is a quick way to one."""
        return x

    def at(self, x: Vector) -> tuple[float, Vector]:
        """Return f and its gradient at the parameters."""
        theta, U = self._spectrum(x)
        left = ~self.kept(theta)
        f, c, _ = self.terms(theta[left])
        return self.constant(x, theta[~left]) + float(f.sum()), U[:, left] ** 2 @ c

    def hessian(self, x: Vector) -> Matrix:
        """Return H of equation (1)."""
        theta, U = self._spectrum(x)
        kept = self.kept(theta)
        _, c, slope = (np.where(kept, 0.0, term) for term in self.terms(theta))
        gap = theta[:, None] - theta
        close = np.abs(gap) <= SAME * np.maximum(np.abs(theta[:, None]), np.abs(theta)) + TINY
        ratio = (c[:, None] - c) / np.where(close, 1.0, gap)
        # Divided differences of c among those left out, c/(θₙ − θₘ) across.
        K = -self.speed(theta) * np.where(close, np.where(kept[:, None] | kept, 0, slope), ratio)
        K[np.ix_(kept, kept)] = 0
        pairs = U[:, None, :] * U
        H: Matrix = ((pairs @ K) * pairs).sum(axis=2)
        return H

    def _spectrum(self, x: Vector) -> tuple[Vector, Matrix]:
        theta, U = np.linalg.eigh(self.matrix(x))
        return theta[::-1], U[:, ::-1]


class _Multiplicative(Discrepancy):
    """A = Ψ^-½ S Ψ^-½ in η = log ψ: dθₘ/dηᵢ = −θₘ uᵢₘ²."""

    def __init__(self, S: Matrix, k: int) -> None:
        super().__init__(S, k)
        self.highest = np.log(np.diag(S)) + HIGHEST

    def matrix(self, x: Vector) -> Matrix:
        scale = np.exp(-x / 2)
        A: Matrix = self.S * scale[:, None] * scale
        return A

    def speed(self, theta: Vector) -> Matrix:
        mean: Matrix = (theta[:, None] + theta) / 2
        return mean

    def kept(self, theta: Vector) -> NDArray[np.bool_]:
        return (np.arange(len(theta)) < self.k) & (theta > 1)


@final
class MaximumLikelihood(_Multiplicative):
    """f = log|Σ| + tr Σ⁻¹S, which needs no inverse of S: a singular S will do."""

    def __init__(self, S: Matrix, k: int) -> None:
        super().__init__(S, k)
        self._by_iteration = len(S) > max(SMALL, MANY * k)
        self._start: Matrix | None = None
        if len(S) > MODERATE:
            self.settled = SETTLED_COARSE

    def at(self, x: Vector) -> tuple[float, Vector]:
        """Return f and its gradient; of many variables by equation (2)."""
        if not self._by_iteration:
            return super().at(x)
        diagonal = np.diag(self.S) * np.exp(-x)
        theta, U = self.eigenpairs(x)
        theta, U = theta[theta > 1], U[:, theta > 1]
        f = x.sum() + diagonal.sum() + (1 + np.log(theta) - theta).sum()
        return float(f), 1 - diagonal + U**2 @ (theta - 1)

    def eigenpairs(self, x: Vector) -> tuple[Vector, Matrix]:
        """Return the k largest of A; of many variables from those of the call before."""
        if not self._by_iteration:
            theta, U = self._spectrum(x)
            return theta[: self.k], U[:, : self.k]
        p, scale = len(x), np.exp(-x / 2)[:, None]
        if self._start is None:
            self._start = np.random.default_rng(0).standard_normal((p, width(p, self.k)))
        found = leading(
            lambda V: scale * (self.S @ (scale * V)),
            p,
            self.k,
            self._start,
            tolerance=ACCURACY[p <= MODERATE],
        )
        if not found.converged:
            return reduced(self.matrix(x), self.k)
        self._start = found.vectors
        return found.values[: self.k], found.vectors[:, : self.k]

    def near(self, x: Vector, lower: Vector) -> Vector:
        """Take Lawley's steps, ψ ← diag(S − ΛΛᵀ) = ψ (1 − g).

        Far from the maximum they gain more than those of a search (D. N. Lawley, Proceedings of
        the Royal Society of Edinburgh 1940).
        """
        for _ in range(LAWLEY if self._by_iteration else 0):
            x = np.maximum(x + np.log(np.maximum(1 - self.at(x)[1], SHRINK)), lower)
        return x

    def constant(self, x: Vector, absorbed: Vector) -> float:
        """Return Σ η + Σ_kept (1 + log θ)."""
        return float(x.sum() + (1 + np.log(absorbed)).sum())

    def terms(self, theta: Vector) -> tuple[Vector, Vector, Vector]:
        """Return θ, c = 1 − θ, and −1."""
        return theta, 1 - theta, -np.ones_like(theta)


@final
class GeneralisedLeastSquares(_Multiplicative):
    """f = ½ Σ (1 − 1/θ)² = ½ tr (I − S⁻¹Σ)²."""

    def terms(self, theta: Vector) -> tuple[Vector, Vector, Vector]:
        """Return f, c = 1/θ² − 1/θ, and its slope."""
        r = 1 / np.maximum(theta, TINY)
        return 0.5 * (1 - r) ** 2, r**2 - r, r**2 - 2 * r**3


@final
class UnweightedLeastSquares(Discrepancy):
    """f = ½ Σ θ² = ½ ‖S − LLᵀ − Ψ‖², A = S − Ψ in ψ itself: dθₘ/dψᵢ = −uᵢₘ²."""

    def matrix(self, x: Vector) -> Matrix:
        """Return the reduced covariance S − Ψ."""
        A: Matrix = self.S - np.diag(x)
        return A

    def terms(self, theta: Vector) -> tuple[Vector, Vector, Vector]:
        """Return f, c = −θ, and −1."""
        return 0.5 * theta**2, -theta, -np.ones_like(theta)

    def speed(self, theta: Vector) -> Matrix:
        """Return 1 everywhere."""
        return np.ones((len(theta), len(theta)))


@dataclass(frozen=True)
class Minimum:
    """Where the search ended.

    ``at_bound`` (p,) says where x lies on its bound and would fall further, ``trace`` holds the
    objective at the start and after each step, ``n_optima`` counts the optima that the starts met.
    """

    x: Vector
    value: float
    gradient: Vector
    at_bound: NDArray[np.bool_]
    converged: bool
    trace: tuple[float, ...]
    n_optima: int = 1

    @property
    def slope(self) -> float:
        """The largest gradient that no bound holds."""
        return float(np.abs(self.gradient[~self.at_bound]).max(initial=0))


def lowest(problem: Discrepancy, starts: list[Vector], lower: Vector) -> Minimum:
    """Return the lowest minimum that the starts lead to, no x of it below ``lower``."""
    minima = [_searched(problem, np.maximum(start, lower), lower) for start in starts]
    minima.sort(key=lambda minimum: minimum.value)
    values = np.array([minimum.value for minimum in minima if minimum.converged])
    n_optima = 1 + int((np.diff(values) > OTHER_OPTIMUM).sum())
    best = _polished(problem, minima[0], lower) if len(lower) <= SMALL else minima[0]
    return replace(best, n_optima=n_optima)


def _searched(problem: Discrepancy, x: Vector, lower: Vector) -> Minimum:
    (ftol, gtol), trace = problem.settled, list[float]()

    def objective(x: Vector) -> tuple[float, Vector]:
        found = problem.at(x)
        if not trace:
            trace.append(found[0])
        return found

    found = optimize.minimize(
        objective,
        problem.near(x, lower),
        jac=True,
        method="L-BFGS-B",
        bounds=optimize.Bounds(lower, np.maximum(problem.highest, lower)),
        callback=lambda intermediate_result: trace.append(intermediate_result.fun),
        options={"ftol": ftol, "gtol": gtol, "maxiter": MOST_STEPS, "maxfun": 10 * MOST_STEPS},
    )
    held = (found.x <= lower) & (found.jac > 0)
    minimum = Minimum(found.x, float(found.fun), found.jac, held, True, tuple(trace))
    # Its line search gives up where rounding hides what a step gains.
    settled = found.success or minimum.slope <= 1e-6 * max(1, abs(found.fun))
    return replace(minimum, converged=bool(settled))


def _polished(problem: Discrepancy, found: Minimum, lower: Vector) -> Minimum:
    """Take Newton steps on the variables off their bounds as long as the gradient falls."""
    for _ in range(MOST_POLISH):
        if found.slope <= POLISHED:
            break
        free, x = ~found.at_bound, found.x.copy()
        H = problem.hessian(x)[np.ix_(free, free)]
        x[free] -= np.linalg.lstsq(H, found.gradient[free], rcond=FLAT)[0]
        x = np.maximum(x, lower)
        value, gradient = problem.at(x)
        held = (x <= lower) & (gradient > 0)
        new = replace(found, x=x, value=value, gradient=gradient, at_bound=held)
        if not new.slope < found.slope:
            break
        found = new
    return found
