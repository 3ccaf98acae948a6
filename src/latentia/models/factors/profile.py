"""The profile likelihood of factor analysis for hundreds or thousands of variables.

    f(η) = Σ η + tr A + Σ_{m ≤ k} (1 + log θₘ − θₘ),   A = Ψ^-½ S Ψ^-½,  ψ = exp η
    gᵢ = 1 − aᵢᵢ + Σ_{m ≤ k} (θₘ − 1) uᵢₘ²                          (Jöreskog 1967, section 3)

Only the k leading eigenpairs of A enter. With P = Σ uₘuₘᵀ and R = A − Σ θₘuₘuₘᵀ, the Hessian is

    H = diag(R + P) − P ∘ (2R + P) + 2 (Σ uₘuₘᵀ/θₘ) ∘ (R − R²) + O(θ_left²/θₘ²)

by expanding the exact one (`factors.discrepancy`) in the ratio of the eigenvalues left out
to those kept; it is evaluated in single precision, since it only sets the search direction, and its
last term only where its matrix product is cheap.

Far from the maximum, setting Ψ to what the loadings leave (Lawley, Proceedings of the Royal Society
of Edinburgh 1940) gains more than any Newton step and needs no Hessian:

    ψ ← diag(S − ΛΛᵀ) = ψ (1 − g)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from latentia.models.factors.discrepancy import LONGEST_LOG_STEP
from latentia.models.factors.newton import Minimum
from latentia.models.linear.eigen import first_guess, leading

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

MOST_SQUARED = 1_000
SMALLEST = 1e-3
"""The least factor of a noise variance in one of Lawley's steps."""
SLOW = 0.2
"""Lawley's steps go on while each gains at most this share of what the one before gained."""
MODERATE = 400
"""Up to this many variables, eigenpairs and search are as exact as they can be made."""
ACCURACY = {True: 1e-9, False: 1e-5}
"""Of the eigenpairs: the objective's error is its square, far below any step that counts."""
TOLERANCE = {True: 1e-12, False: 1e-9}
"""The expected decrease, in twice the nats per sample, at which the search ends."""


@dataclass(frozen=True)
class ProfilePoint:
    """The objective and its gradient at one η, with what the Hessian is made of."""

    value: float
    gradient: Vector
    scaled: Vector
    S: Matrix
    values: Vector
    vectors: Matrix

    def hessian(self) -> NDArray[Any]:
        """Return the Hessian's expansion, (p, p) in float32."""
        s, U = self.scaled.astype(np.float32), self.vectors.astype(np.float32)
        t = self.values.astype(np.float32)
        R = self.S.astype(np.float32)
        R *= s[:, None]
        R *= s
        R -= (U * t) @ U.T
        P, weighted = U @ U.T, (U * (2 / t)) @ U.T
        diagonal = np.diag(R) + np.diag(P)
        if len(R) <= MOST_SQUARED:
            weighted *= R - R @ R
        else:
            weighted *= R
        R *= -2
        R -= P
        P *= R
        P += weighted
        P[np.diag_indices_from(P)] += diagonal
        return P


@final
class ProfileLikelihood:
    """f(η) by eigenpairs that start from those of the evaluation before."""

    exact = False
    longest_step = LONGEST_LOG_STEP

    def __init__(self, S: Matrix, k: int) -> None:
        self.S, self.k = S, k
        self._accuracy, self.tolerance = ACCURACY[len(S) <= MODERATE], TOLERANCE[len(S) <= MODERATE]
        self._variances = np.diag(S).copy()
        self.guess: Matrix | None = None

    def at(self, x: Vector) -> ProfilePoint:
        """Evaluate at the log noise variances."""
        scale = np.exp(-x / 2)
        if self.guess is None:
            self.guess = scale[:, None] * first_guess(self.S, self.k)

        def product(V: Matrix) -> Matrix:
            scaled: Matrix = scale[:, None] * (self.S @ (scale[:, None] * V))
            return scaled

        values, self.guess = leading(product, self.guess, self._accuracy)
        values, U = values[: self.k], self.guess[:, : self.k]
        values, U = values[values > 1], U[:, values > 1]
        diagonal = self._variances * scale**2
        value = float(x.sum() + diagonal.sum() + (1 + np.log(values) - values).sum())
        gradient = 1 - diagonal + U**2 @ (values - 1)
        return ProfilePoint(value, gradient, scale, self.S, values, U)


def approach(problem: ProfileLikelihood, x: Vector, lower: Vector, tolerance: float) -> Minimum:
    """Take Lawley's steps while they converge fast.

    The result has converged if the steps to come would gain less than ``tolerance``.
    """
    x = np.maximum(x, lower)
    point, gain, settled, trace = problem.at(x), np.inf, False, list[float]()
    while True:
        trace.append(point.value)
        step = np.log(np.maximum(1 - point.gradient, SMALLEST))
        new_x = np.maximum(x + step, lower)
        new = problem.at(new_x)
        new_gain = point.value - new.value
        if not new_gain > 0:
            break
        x, point = new_x, new
        settled = np.isfinite(gain) and new_gain**2 < gain * tolerance
        if settled or new_gain > SLOW * gain:
            trace.append(point.value)
            break
        gain = new_gain
    held = (x <= lower) & (point.gradient > 0)
    return Minimum(x, point.value, held, len(trace) - 1, bool(settled), tuple(trace))
