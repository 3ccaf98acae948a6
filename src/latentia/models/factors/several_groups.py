"""A factor model with means in several groups, some of its parameters equal: maximum likelihood.

    μ = ν + Λα,   Σ = ΛΦΛᵀ + Ψ,   d = x̄ − μ,   K = Σ⁻¹                     of each group
    F = Σ (n_g/n)(log|Σ| − log|S| + tr KS − p + dᵀKd)
    ∂F/∂μ = −2Kd,   ∂F/∂Σ = K − K(S + ddᵀ)K,   E ∂²F = 2 JᵀVJ                 Fisher's scoring [1]_

Shapes: G groups, p variables, k factors. θ is (q,); a group's parameters (Λ by rows, Φ on and below
its diagonal, ψ, ν, α) are (m,), each of them a constant or an entry of θ; J is ∂(μ, vech Σ)/∂θ.

References
----------
.. [1] S.-Y. Lee, R. I. Jennrich, "A study of algorithms for covariance structure analysis with
   specific comparisons using factor analysis", Psychometrika 1979.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from latentia.models.factors.fit_statistics import discrepancy
from latentia.models.factors.robust import loading_slopes
from latentia.models.factors.yuan_bentler import normal_weight
from latentia.models.inputs import Matrix, Vector

MOST_STEPS, SETTLED, HALVINGS = 500, 1e-12, 30
"""Steps, twice the fall of F that another would bring, and how often a step is halved."""


@final
@dataclass(frozen=True)
class Sample:
    """A group's share of the rows, (p,) means and (p, p) covariance."""

    share: float
    mean: Vector
    S: Matrix


@final
@dataclass(frozen=True)
class Blocks:
    """A group's parameters."""

    L: Matrix
    phi: Matrix
    psi: Vector
    nu: Vector
    alpha: Vector

    def moments(self) -> tuple[Vector, Matrix]:
        """Return μ and Σ."""
        return self.nu + self.L @ self.alpha, self.L @ self.phi @ self.L.T + np.diag(self.psi)

    def slopes(self) -> Matrix:
        """Return ∂(μ, vech Σ) by the (m,) parameters."""
        p, k = self.L.shape
        rows, columns = np.tril_indices(p)
        a, b = np.tril_indices(k)
        unit, half = np.eye(p), np.where(a == b, 0.5, 1.0)
        of_phi = self.L[rows][:, a] * self.L[columns][:, b]
        of_phi = (of_phi + self.L[rows][:, b] * self.L[columns][:, a]) * half
        of_loadings = loading_slopes(self.L @ self.phi, rows, columns)
        of_sigma = np.hstack([of_loadings, of_phi, unit[rows] * unit[columns]])
        of_mean = np.hstack([np.kron(unit, self.alpha), np.zeros((p, len(a) + p)), unit, self.L])
        return np.vstack([of_mean, np.pad(of_sigma, ((0, 0), (0, p + k)))])


@final
@dataclass(frozen=True)
class Plan:
    """Which of the (G, m) parameters are free, which entry of θ each is, and the others' values."""

    p: int
    k: int
    free: NDArray[np.bool_]
    index: NDArray[np.intp]
    fixed: Matrix

    @property
    def q(self) -> int:
        """The number of free parameters."""
        return int(self.index[self.free].max()) + 1

    def spread(self, theta: Vector) -> Matrix:
        """Return all groups' parameters, (G, m)."""
        found = self.fixed.copy()
        found[self.free] = theta[self.index[self.free]]
        return found

    def gathered(self, values: Matrix) -> Vector:
        """Return θ, of shared parameters the mean over groups."""
        places = self.index[self.free]
        sums = np.bincount(places, values[self.free], self.q)
        return np.asarray(sums / np.bincount(places, minlength=self.q))

    def blocks(self, values: Vector) -> Blocks:
        """Return one group's parameters by name."""
        p, k = self.p, self.k
        ends = np.cumsum([p * k, k * (k + 1) // 2, p, p])
        L, phi, psi, nu, alpha = np.split(values, ends)
        Phi = np.zeros((k, k))
        Phi[np.tril_indices(k)] = phi
        Phi += np.tril(Phi, -1).T
        return Blocks(L.reshape(p, k), Phi, psi, nu, alpha)


def value_of(plan: Plan, samples: list[Sample], theta: Vector) -> float:
    """Return F, infinite where a covariance is not positive definite."""
    total = 0.0
    for one, values in zip(samples, plan.spread(theta)):
        mu, Sigma = plan.blocks(values).moments()
        # Of an indefinite Σ the discrepancy is NaN.
        fit = discrepancy(one.S, Sigma)
        if math.isnan(fit):
            return math.inf
        away = one.mean - mu
        total += one.share * (fit + float(away @ linalg.solve(Sigma, away)))
    return total


def scored(plan: Plan, samples: list[Sample], theta: Vector) -> tuple[Vector, bool]:
    """Return the maximum of the likelihood, and whether the steps ended there."""
    value = value_of(plan, samples, theta)
    for _ in range(MOST_STEPS):
        slope, H = _derivatives(plan, samples, theta)
        step = linalg.lstsq(H, slope, cond=1e-12)[0]
        if float(slope @ step) < SETTLED:
            return theta, True
        for halving in range(HALVINGS):
            new = theta - step / 2**halving
            lower = value_of(plan, samples, new)
            if lower < value:
                break
        else:
            return theta, False
        theta, value = new, lower
    return theta, False


def _derivatives(plan: Plan, samples: list[Sample], theta: Vector) -> tuple[Vector, Matrix]:
    """Return the gradient of F and its expected Hessian."""
    slope, H = np.zeros(plan.q), np.zeros((plan.q, plan.q))
    rows, columns = np.tril_indices(plan.p)
    twice = np.where(rows == columns, 1.0, 2.0)
    for one, values, free, index in zip(samples, plan.spread(theta), plan.free, plan.index):
        blocks = plan.blocks(values)
        mu, Sigma = blocks.moments()
        K, away = linalg.inv(Sigma), one.mean - mu
        across = K - K @ (one.S + np.outer(away, away)) @ K
        by_moment = np.concatenate([-2 * K @ away, twice * across[rows, columns]])
        J = np.zeros((len(by_moment), plan.q))
        J[:, index[free]] = blocks.slopes()[:, free]
        slope += one.share * (J.T @ by_moment)
        H += 2 * one.share * (J.T @ linalg.block_diag(K, normal_weight(Sigma)) @ J)
    return slope, H
