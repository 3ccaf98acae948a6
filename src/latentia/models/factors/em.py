"""Factor analysis by the EM algorithm, as the lecture derives it.

The factors z are the missing data. With the current W and Ψ, in terms of the covariance S alone:

    E-step   G = (I + Wᵀ Ψ⁻¹ W)⁻¹,   β = G Wᵀ Ψ⁻¹                                (1)
             E[z | x] = β (x − μ),   E[zzᵀ] = C = G + β S βᵀ   (averaged)         (2)
    M-step   W ← S βᵀ C⁻¹                                                         (3)
             Ψ ← diag(S − W β S), at least its floor                              (4)
    PX-EM    W ← W chol(C): the expanded model lets Cov(z) differ from I           (5)

so that the cost of a step, O(p² k), does not depend on n. Each step raises the likelihood. Rubin &
Thayer, "EM algorithms for ML factor analysis", Psychometrika 1982, section 2; Liu, Rubin & Wu,
"Parameter expansion to accelerate EM: the PX-EM algorithm", Biometrika 1998, section 4.

Shapes: S is (p, p), W is (p, k), Ψ is (p,).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from latentia.models.inputs import Matrix, Vector


@dataclass(frozen=True)
class EMResult:
    """Where EM stopped; ``trace`` is log|Σ| + tr Σ⁻¹S before each step and at the end."""

    loadings: Matrix
    noise_variance: Vector
    trace: tuple[float, ...]
    converged: bool


def em(
    S: Matrix,
    W: Matrix,
    noise: Vector,
    floor: Vector,
    *,
    expanded: bool,
    tolerance: float,
    max_iter: int,
) -> EMResult:
    """Run EM, or PX-EM if ``expanded``, from W and Ψ, the latter never below its (p,) floor.

    It has converged when the objective falls by less than ``tolerance``.
    """
    trace = []
    for _ in range(max_iter + 1):
        beta, second, objective = expectations(S, W, noise)
        trace.append(objective)
        if len(trace) > 1 and trace[-2] - objective < tolerance:
            return EMResult(W, noise, tuple(trace), converged=True)
        if len(trace) <= max_iter:
            W, noise = maximised(S, beta, second, floor, expanded=expanded)
    return EMResult(W, noise, tuple(trace), converged=False)


def expectations(S: Matrix, W: Matrix, noise: Vector) -> tuple[Matrix, Matrix, float]:
    """Return β and C of equations (1, 2), and log|Σ| + tr Σ⁻¹S on the way.

    By the matrix inversion lemma, log|Σ| = Σ log ψ − log|G| and tr Σ⁻¹S = tr Ψ⁻¹(S − WβS).
    """
    scaled = W / noise[:, None]
    precision = np.eye(W.shape[1]) + W.T @ scaled
    G = linalg.inv(precision)
    beta = G @ scaled.T
    beta_S = beta @ S
    explained = float((scaled.T * beta_S).sum())
    objective = np.log(noise).sum() + np.linalg.slogdet(precision)[1]
    objective += (np.diag(S) / noise).sum() - explained
    return beta, G + beta_S @ beta.T, float(objective)


def maximised(
    S: Matrix, beta: Matrix, second: Matrix, floor: Vector, *, expanded: bool
) -> tuple[Matrix, Vector]:
    """Return W and Ψ of equations (3, 4), and (5) if ``expanded``."""
    cross = S @ beta.T
    W = linalg.solve(second, cross.T, assume_a="pos").T
    noise = np.maximum(np.diag(S) - (W * cross).sum(axis=1), floor)
    return (W @ linalg.cholesky(second, lower=True) if expanded else W), noise
