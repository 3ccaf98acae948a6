"""Diagonally weighted least squares: loadings for correlations of unequal precision.

    f(Λ) = ½ Σ_{i<j} wᵢⱼ (rᵢⱼ − λᵢᵀλⱼ)²,   ‖λᵢ‖² ≤ 1 − floorᵢ,   ψᵢ = 1 − ‖λᵢ‖²            [1]_
    ∂f/∂λᵢ = −Σⱼ Eᵢⱼ λⱼ,   E = W ∘ (R − ΛΛᵀ),   W 0 on the diagonal
    ∂²f/∂λᵢ∂λⱼ = wᵢⱼ λⱼλᵢᵀ − Eᵢⱼ I,   ∂²f/∂λᵢ∂λᵢ = Σⱼ wᵢⱼ λⱼλⱼᵀ

with wᵢⱼ = 1/(n Var rᵢⱼ). Damped Newton steps [2]_ go along the sphere for the rows that lie on it,
which are the Heywood cases; rotations leave f as it is, and the damping bears with that.

Shapes: R and W are (p, p), Λ is (p, k), the floor (p,); Hessians are (pk, pk).

References
----------
.. [1] B. Muthén, S. H. C. du Toit, D. Spisic, "Robust inference using weighted least squares and
   quadratic estimating equations in latent variable modeling with categorical and continuous
   outcomes", 1997.
.. [2] J. Nocedal, S. J. Wright, "Numerical Optimization", 2nd edition, 2006, chapter 6.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self, final

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from latentia.errors import InputError
from latentia.models.factors.discrepancy import OTHER_OPTIMUM
from latentia.models.inputs import Matrix, Vector

MOST_STEPS, SETTLED, COARSE = 500, 1e-11, 1e-6
"""Steps, and the largest slope at the end; coarse for starts that are only compared."""
LEAST_DAMPING, MOST_DAMPING = 1e-12, 1e12
ON_SPHERE = 1e-12
"""Relative distance within which a row lies on its sphere."""


@final
@dataclass(frozen=True)
class DiagonallyWeighted:
    """f for a correlation, with weights of mean 1, and rows no longer than ``radius`` (p,)."""

    R: Matrix
    W: Matrix
    radius: Vector

    @classmethod
    def of(cls, R: Matrix, variances: Matrix, floor: Vector) -> Self:
        """Return f of correlations with (p, p) sampling variances, those on the diagonal unread."""
        off = ~np.eye(len(R), dtype=bool)
        if not (variances[off] > 0).all():
            raise InputError(
                "a polychoric correlation has no sampling variance, so that method 'dwls' has no "
                "weight for it: merge rare answers, or use method 'minres'"
            )
        W = np.zeros_like(R)
        W[off] = 1 / variances[off]
        return cls(R, W / W[off].mean(), np.sqrt(1 - floor))

    def value(self, L: Matrix) -> float:
        """Return f."""
        return float((self.W * (self.R - L @ L.T) ** 2).sum()) / 4

    def residuals(self, L: Matrix) -> Matrix:
        """Return E."""
        weighted: Matrix = self.W * (self.R - L @ L.T)
        return weighted

    def hessian(self, L: Matrix) -> NDArray[np.float64]:
        """Return all second derivatives, (p, k, p, k)."""
        p, k = L.shape
        H: NDArray[np.float64] = np.einsum("ij,ja,ib->iajb", self.W, L, L)
        H -= self.residuals(L)[:, None, :, None] * np.eye(k)[:, None, :]
        own = np.arange(p)
        H[own, :, own, :] += np.einsum("ij,ja,jb->iab", self.W, L, L)
        return H

    def held(self, L: Matrix) -> Vector:
        """Return (p,) the pull outwards, over its radius, on rows on their spheres; 0 elsewhere."""
        on_sphere = np.linalg.norm(L, axis=1) >= self.radius * (1 - ON_SPHERE)
        pull = ((self.residuals(L) @ L) * L).sum(axis=1) / self.radius**2
        return np.asarray(np.where(on_sphere, np.maximum(pull, 0), 0))

    def inside(self, L: Matrix) -> Matrix:
        """Return rows cut to their radius."""
        length = np.maximum(np.linalg.norm(L, axis=1), 1e-300)
        return np.asarray(L * np.minimum(1, self.radius / length)[:, None])

    def lower(self, point: Climb) -> Climb:
        """Return the point after one damped Newton step that lowers f, or where none does."""
        L, (p, k) = point.loadings, point.loadings.shape
        pull = self.held(L)
        slope = -self.residuals(L) @ L + pull[:, None] * L
        H = self.hessian(L)
        own = np.arange(p)
        H[own, :, own, :] += pull[:, None, None] * np.eye(k)
        radial = (L / self.radius[:, None]) * (pull > 0)[:, None]
        square = H.reshape(p * k, p * k)
        if (pull > 0).any():
            across = linalg.block_diag(*(np.eye(k) - np.outer(r, r) for r in radial))
            square = across @ square @ across
        values, vectors = np.linalg.eigh(square)
        along, damping = vectors.T @ slope.ravel(), point.damping
        size = float(np.abs(slope).max())
        while size > 0 and damping < MOST_DAMPING:
            # Along a direction of no or of negative curvature, f falls by its slope.
            step = vectors @ (along / (np.abs(values) + damping * size))
            new = self.inside(L - step.reshape(L.shape))
            value = self.value(new)
            if value < point.value:
                return Climb(new, value, size, max(damping / 10, LEAST_DAMPING), point.steps + 1)
            damping *= 10
        return replace(point, slope=size, damping=MOST_DAMPING)


@final
@dataclass(frozen=True)
class Climb:
    """Where a search stands: (p, k) loadings, f, the slope before the last step, its damping."""

    loadings: Matrix
    value: float
    slope: float = np.inf
    damping: float = 1e-3
    steps: int = 0


def searched(
    problem: DiagonallyWeighted, start: Climb, settled: float
) -> tuple[Climb, list[float]]:
    """Return the end of a search, and f step by step."""
    point, trace = start, [start.value]
    while point.slope > settled and point.damping < MOST_DAMPING and point.steps < MOST_STEPS:
        point = problem.lower(point)
        trace.append(point.value)
    return point, trace


def lowest_weighted(
    problem: DiagonallyWeighted, starts: list[Matrix]
) -> tuple[Climb, tuple[float, ...], int]:
    """Return the lowest minimum that (p, k) loadings lead to, f on the way, and distinct minima."""
    first = [Climb(L, problem.value(L)) for L in map(problem.inside, starts)]
    found = sorted((searched(problem, one, COARSE) for one in first), key=lambda end: end[0].value)
    values = np.array([point.value for point, _ in found if point.slope <= COARSE])
    point, trace = found[0]
    again = replace(point, slope=np.inf, damping=1e-3)
    best, more = searched(problem, again, SETTLED)
    n_optima = 1 + int((np.diff(values) > OTHER_OPTIMUM).sum())
    return best, (*trace, *more[1:]), n_optima
