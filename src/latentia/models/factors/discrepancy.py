"""How far a factor model is from a covariance matrix, as a function of the noise variances alone.

Given the noise variances Ψ, the best loadings follow from k eigenpairs, so each estimator is a sum
over the p − k other eigenvalues of one matrix A(Ψ) = U diag(θ) Uᵀ:

    maximum likelihood   A = Ψ^-½ S Ψ^-½   f = log|Σ| + tr Σ⁻¹S     Jöreskog 1967, section 3
                                             = Σ η + Σ_kept (1 + log θ) + Σ θ
    generalised LS       A = Ψ^-½ S Ψ^-½   f = ½ Σ (1 − 1/θ)²      Jöreskog & Goldberger 1972
    unweighted LS        A = S − Ψ         f = ½ Σ θ²              Harman & Jones 1966 (minres)

with the derivatives, in η = log Ψ for the first two and in ψ for the last (first-order perturbation
of eigenpairs; Clarke, British J. Mathematical and Statistical Psychology 1970, for the first):

    gᵢ = Σₘ c(θₘ) uᵢₘ²          Hᵢⱼ = Σₘₙ Kₘₙ uᵢₘ uⱼₘ uᵢₙ uⱼₙ

Shapes: S is (p, p); ψ, η are (p,); the kept eigenpairs come first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

TINY = 1e-12
LONGEST_LOG_STEP = 3.0
"""Of a log noise variance: a factor of 20."""
MOST_EXACT = 100
"""The exact Hessian costs p⁴."""
SAME = 1e-9
"""Relative distance below which two eigenvalues count as one."""


@dataclass(frozen=True)
class SpectralPoint:
    """An objective, its gradient and Hessian at one Ψ, from a full decomposition."""

    value: float
    gradient: Vector
    vectors: Matrix
    kernel: Matrix
    left_out: NDArray[np.bool_]

    def hessian(self) -> Matrix:
        """Return H; for many variables Q ∘ Q, to which it tends as f falls."""
        U, K = self.vectors, self.kernel
        if len(U) > MOST_EXACT:
            Q = U[:, self.left_out] @ U[:, self.left_out].T
            squared: Matrix = np.square(Q)
            return squared
        pairs = U[:, None, :] * U
        H: Matrix = ((pairs @ K) * pairs).sum(axis=2)
        return H


class SpectralDiscrepancy(ABC):
    """A discrepancy that sums a function of the eigenvalues left out."""

    longest_step = np.inf
    tolerance = 1e-13

    def __init__(self, S: Matrix, k: int) -> None:
        self.S, self.k, self.exact = S, k, len(S) <= MOST_EXACT

    @abstractmethod
    def matrix(self, x: Vector) -> Matrix:
        """Return A at the parameters."""

    @abstractmethod
    def terms(self, values: Vector) -> tuple[Vector, Vector, Vector]:
        """Return f, c and dc/dθ for eigenvalues."""

    @abstractmethod
    def speed(self, values: Vector) -> Matrix:
        """Return aₘₙ: how fast uₘᵀ A uₙ falls as a parameter grows."""

    def kept(self, values: Vector) -> NDArray[np.bool_]:
        """Return which of the falling eigenvalues the loadings absorb."""
        return (np.arange(len(values)) < self.k) & (values > 0)

    def constant(self, x: Vector, absorbed: Vector) -> float:
        """Return the objective's part that no eigenvalue left out enters."""
        return 0.0

    def at(self, x: Vector) -> SpectralPoint:
        """Evaluate at the parameters."""
        values, vectors = np.linalg.eigh(self.matrix(x))
        values, vectors = values[::-1], vectors[:, ::-1]
        kept = self.kept(values)
        f, c, slope = (np.where(kept, 0.0, term) for term in self.terms(values))
        value = self.constant(x, values[kept]) + float(f.sum())
        K = self._kernel(values, kept, c, slope)
        return SpectralPoint(value, vectors**2 @ c, vectors, K, ~kept)

    def _kernel(self, values: Vector, kept: NDArray[np.bool_], c: Vector, slope: Vector) -> Matrix:
        """Return K: divided differences of c among those left out, c/(θₙ − θₘ) across."""
        a = self.speed(values)
        gap = values[:, None] - values
        close = np.abs(gap) <= SAME * np.maximum(np.abs(values[:, None]), np.abs(values)) + TINY
        ratio = (c[:, None] - c) / np.where(close, 1.0, gap)
        K: Matrix = -a * np.where(close, np.where(kept[:, None] | kept, 0.0, slope), ratio)
        return np.where(kept[:, None] & kept, 0.0, K)


class _Multiplicative(SpectralDiscrepancy):
    """A = Ψ^-½ S Ψ^-½ in η = log ψ: dθₘ/dηᵢ = −θₘ uᵢₘ²."""

    longest_step = LONGEST_LOG_STEP

    def matrix(self, x: Vector) -> Matrix:
        scale = np.exp(-x / 2)
        A: Matrix = self.S * scale[:, None] * scale
        return A

    def speed(self, values: Vector) -> Matrix:
        mean: Matrix = (values[:, None] + values) / 2
        return mean

    def kept(self, values: Vector) -> NDArray[np.bool_]:
        return (np.arange(len(values)) < self.k) & (values > 1)


@final
class MaximumLikelihood(_Multiplicative):
    """f = log|Σ| + tr Σ⁻¹S, which needs no inverse of S: a singular S will do."""

    def constant(self, x: Vector, absorbed: Vector) -> float:
        """Return Σ η + Σ_kept (1 + log θ)."""
        return float(x.sum() + (1 + np.log(absorbed)).sum())

    def terms(self, values: Vector) -> tuple[Vector, Vector, Vector]:
        """Return θ, c = 1 − θ, and −1."""
        return values, 1 - values, -np.ones_like(values)


@final
class GeneralisedLeastSquares(_Multiplicative):
    """f = ½ Σ (1 − 1/θ)² = ½ tr (I − S⁻¹Σ)²."""

    def terms(self, values: Vector) -> tuple[Vector, Vector, Vector]:
        """Return f, c = 1/θ² − 1/θ, and its slope."""
        r = 1 / np.maximum(values, TINY)
        return 0.5 * (1 - r) ** 2, r**2 - r, r**2 - 2 * r**3


@final
class UnweightedLeastSquares(SpectralDiscrepancy):
    """f = ½ Σ θ² = ½ ‖S − LLᵀ − Ψ‖², A = S − Ψ in ψ itself: dθₘ/dψᵢ = −uᵢₘ²."""

    def matrix(self, x: Vector) -> Matrix:
        """Return the reduced covariance S − Ψ."""
        A: Matrix = self.S - np.diag(x)
        return A

    def terms(self, values: Vector) -> tuple[Vector, Vector, Vector]:
        """Return f, c = −θ, and −1."""
        return 0.5 * values**2, -values, -np.ones_like(values)

    def speed(self, values: Vector) -> Matrix:
        """Return 1 everywhere."""
        return np.ones((len(values), len(values)))
