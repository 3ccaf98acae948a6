"""Rows with gaps that are not normal: what scales χ² and the indices of full information.

    β = (μ, vech Σ),   ℓ = mean over rows of log N(xₒ; μₒ, Σₒₒ)
    A = −∂²ℓ/∂β∂βᵀ,   J = mean of ssᵀ, s a row's ∂ log N/∂β
    c = (tr A⁻¹J − tr H⁻¹ΔᵀĴΔ)/dof,   H = −∂²ℓ/∂θ∂θᵀ at the model's optimum            [1]_
    U = A − AΔ(ΔᵀAΔ)⁻ΔᵀA,   ĉ = tr(U A⁻¹ V A⁻¹ U A⁻¹JA⁻¹)/dof,   V as A, were nothing missing   [2]_

A and J are taken at the saturated moments, Ĵ and H at the model's. c scales the likelihood ratio
(lavaan's ``yuan.bentler.mplus``); ĉ is of n F, F between the saturated moments and the model's as
if rows were complete, on which the robust indices rest (lavaan's ``.robust``, FIML-C version 3).

Shapes: X is (n, p) with NaN; p* = p(p + 1)/2; β (p + p*,), A, J, V, U (p + p*, p + p*); θ = (μ, Λ,
ψ) with Φ the identity; Δ = ∂β/∂θ. What rotates Λ is left out of traces.

References
----------
.. [1] K.-H. Yuan, P. M. Bentler, "Three likelihood-based methods for mean and covariance structure
   analysis with nonnormal missing data", Sociological Methodology 2000; in the form of T.
   Asparouhov, B. Muthén, "Multivariate statistical modeling with survey data", 2005.
.. [2] X. Zhang, V. Savalei, "New computations for RMSEA and CFI following FIML and TS estimation
   with missing data", Psychological Methods 2023.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from latentia.models.inputs import Matrix, Vector
from latentia.models.linear.patterns import groups_of

Floats = NDArray[np.float64]
BLOCK = 2**21
"""Numbers made at once."""
FLAT = 1e-10
"""Singular values below it, as a share of the largest, belong to rotations."""


@final
@dataclass(frozen=True)
class MeanAndCovariance:
    """A mean (p,) and a covariance (p, p)."""

    mean: Vector
    covariance: Matrix


@final
@dataclass(frozen=True)
class Corrected:
    """What scales χ² of a model, and n F as of complete rows with what scales that."""

    scaling: float
    complete: float
    complete_scaling: float


@final
class Gaps:
    """The derivatives of the log-likelihood of (n, p) rows with gaps."""

    def __init__(self, X: Matrix) -> None:
        seen = ~np.isnan(X)
        kept = seen.any(axis=1)
        X, seen = X[kept], seen[kept]
        self.groups = groups_of(seen)
        self.seen: NDArray[np.bool_] = seen[[rows[0] for rows in self.groups]]
        self.X: Matrix = np.nan_to_num(X)
        self.pairs = np.tril_indices(X.shape[1])
        self.twice: Vector = np.where(self.pairs[0] == self.pairs[1], 1.0, 2.0)

    def _precisions(self, at: MeanAndCovariance) -> Floats:
        """Return (G, p, p) inverses of what each pattern sees, 0 elsewhere."""
        both = self.seen[:, :, None] & self.seen[:, None, :]
        filled = np.where(both, at.covariance, np.eye(len(at.mean)))
        return np.where(both, linalg.inv(filled), 0)

    def scores(self, at: MeanAndCovariance) -> Floats:
        """Return (n, p + p*) s of each row, rows of one pattern together."""
        (rows, columns), found = self.pairs, list[Floats]()
        for K, group in zip(self._precisions(at), self.groups):
            u = (self.X[group] - at.mean) @ K
            of_pairs = u[:, rows] * u[:, columns] - K[rows, columns]
            found.append(np.hstack([u, of_pairs * self.twice / 2]))
        return np.vstack(found)

    def information(self, at: MeanAndCovariance) -> tuple[Matrix, Matrix]:
        """Return A, and the (p, p) derivative of ℓ by Σ as a symmetric matrix."""
        K, (rows, columns) = self._precisions(at), self.pairs
        n, p = self.X.shape
        share = np.array([len(group) for group in self.groups]) / n
        away = [self.X[group] - at.mean for group in self.groups]
        scatter = np.array([x.T @ x / len(x) for x in away])
        M = K @ scatter @ K
        u = np.einsum("gij,gj->gi", K, [x.mean(axis=0) for x in away])
        flat = (K * share[:, None, None]).reshape(len(K), -1)
        # −∂²ℓ of two symmetric directions E and F is tr(E K F (M − K/2)).
        both = (flat.T @ (M - K / 2).reshape(len(K), -1)).reshape(p, p, p, p)
        i, j, a, b = rows[:, None], columns[:, None], rows, columns
        of_pairs = both[j, a, b, i] + both[i, a, b, j] + both[j, b, a, i] + both[i, b, a, j]
        of_pairs *= np.outer(self.twice, self.twice) / 4
        mixed = (flat.T @ u).reshape(p, p, p)
        own = np.arange(p)[:, None]
        across = (mixed[own, rows, columns] + mixed[own, columns, rows]) * self.twice / 2
        A = np.block([[np.tensordot(share, K, 1), across], [across.T, of_pairs]])
        return (A + A.T) / 2, np.tensordot(share, M - K, 1) / 2


def normal_weight(S: Matrix) -> Matrix:
    """Return ½ Dᵀ(S⁻¹ ⊗ S⁻¹)D, (p*, p*): the information of complete normal rows on vech Σ."""
    rows, columns = np.tril_indices(len(S))
    inverse = linalg.inv(S)
    twice = np.where(rows == columns, 1.0, 2.0)
    V = inverse[np.ix_(rows, rows)] * inverse[np.ix_(columns, columns)]
    V += inverse[np.ix_(rows, columns)] * inverse[np.ix_(columns, rows)]
    return np.asarray(V * np.outer(twice, twice) / 4)


def corrected(
    gaps: Gaps,
    free: MeanAndCovariance,
    model: MeanAndCovariance,
    slopes: Matrix,
    bent: Matrix,
    dof: int,
) -> Corrected:
    """Return what corrects a model with (p*, q) ∂ vech Σ/∂θ beside free means.

    ``free`` are the saturated moments; ``bent`` (q, q) is Σ ∂ℓ/∂σ ∂²σ/∂θ∂θᵀ at the model's.
    """
    n, p = gaps.X.shape
    delta = linalg.block_diag(np.eye(p), slopes)
    A, J = gaps.information(free)[0], _spread(gaps.scores(free))
    H = delta.T @ gaps.information(model)[0] @ delta
    H[p:, p:] -= bent
    own = _spread(gaps.scores(model) @ delta)
    # What Δ reaches: rotations leave it short of full rank.
    _, sizes, across = linalg.svd(delta, full_matrices=False)
    Z = across[sizes > FLAT * sizes[0]].T
    A_inverse = linalg.inv(A)
    ratio = np.trace(A_inverse @ J) - np.trace(linalg.solve(Z.T @ H @ Z, Z.T @ own @ Z))
    reached = A @ delta @ Z
    U = A - reached @ linalg.solve(Z.T @ delta.T @ reached, reached.T)
    half = A_inverse @ U @ A_inverse
    V = linalg.block_diag(linalg.inv(free.covariance), normal_weight(free.covariance))
    robust = np.trace(half.T @ V @ half @ J)
    return Corrected(float(ratio) / dof, n * _distance(free, model), float(robust) / dof)


def _spread(scores: Matrix) -> Matrix:
    return np.asarray(scores.T @ scores / len(scores))


def _distance(free: MeanAndCovariance, model: MeanAndCovariance) -> float:
    """Return F between moments as of complete rows, means and covariances."""
    ratios = linalg.eigh(free.covariance, model.covariance, eigvals_only=True)
    away = free.mean - model.mean
    shift = away @ linalg.solve(model.covariance, away, assume_a="pos")
    return float(np.sum(ratios - 1 - np.log(ratios)) + shift)
