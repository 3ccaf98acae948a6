"""Standard errors of loadings, after rotation and standardization.

    Σ = Λ Φ Λᵀ + Ψ,   θ = (Λ, φₛₜ for s < t, ψ),   r(θ) = 0 where the rotation is at its optimum
    I_ab = ½ tr Σ⁻¹ ∂ₐΣ Σ⁻¹ ∂ᵦΣ                      expected information of one sample
    n Cov(θ̂) = Z (Zᵀ I Z)⁻¹ Zᵀ,   columns of Z span the kernel of ∂r/∂θ                    (1)
    n Cov(f(θ̂)) = (∂f/∂θ) n Cov(θ̂) (∂f/∂θ)ᵀ,   f = (Λ / √Σᵢᵢ, Φ, ψ / Σᵢᵢ)                 (2)
    n Cov(θ̂) = Z B⁻¹ ZᵀΔᵀWΓWΔZ B⁻¹ Zᵀ,   B = ZᵀΔᵀWΔZ      of polychoric correlations       (3)

I alone is singular: rotations do not change Σ. (1) is the block of θ in the inverse of I bordered
by ∂r/∂θ [1]_ [2]_, with Q the criterion and for r

    orthogonal Λᵀ Q′(Λ) symmetric,   oblique Λᵀ Q′(Λ) Φ⁻¹ diagonal,   unrotated Λᵀ Ψ⁻¹ Λ diagonal.

(3) is of least squares with weights W, Δ = ∂σᵢⱼ/∂θ for i < j, Γ as in `ordinal` [3]_; Z then keeps
Σᵢᵢ = 1 too, and unrotated loadings have ΛᵀΛ diagonal.

What Q sees, Λ in data units, Λ / √Σᵢᵢ or Kaiser's rows, varies with θ too. As maximum likelihood
does not depend on units, θ is in those with Σᵢᵢ = 1.

Shapes: Λ is (p, k), Φ (k, k), ψ (p,), θ (q,), ∂r/∂θ (m, q). Every ∂ₐΣ is uvᵀ + vuᵀ; the u and v
of all parameters are the columns of U and V, (p, q).

References
----------
.. [1] R. I. Jennrich, "Simplified formulae for standard errors in maximum-likelihood factor
   analysis", British Journal of Mathematical and Statistical Psychology 1974.
.. [2] R. I. Jennrich, "Standard errors for obliquely rotated factor loadings", Psychometrika 1973.
.. [3] B. Muthén, "A general structural equation model with dichotomous, ordered categorical, and
   continuous latent variable indicators", Psychometrika 1984.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, stats
from sklearn.utils.validation import check_is_fitted

from latentia.errors import InputError, Level, check_arguments
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.robust import weighed
from latentia.models.inputs import Matrix, Vector
from latentia.models.linear.criteria import Criterion, search_for
from latentia.models.linear.rotation import rule_of

STEP = 1e-5
"""Of the differences of fourth order that give ∂r/∂θ."""
FLAT = 1e-10
"""Least eigenvalue of ZᵀIZ, as a share of the largest, that counts as curvature."""


@dataclass(frozen=True, eq=False)
class LoadingErrors:
    """Standard errors of a factor solution of variables of unit variance; 0 if constant."""

    loadings: Matrix
    """(p, k) of ``standardized_loadings_``."""
    factor_correlations: Matrix
    """(k, k) of Φ, 0 on the diagonal; all 0 for orthogonal factors."""
    noise_variance: Vector
    """(p,) of ``uniquenesses_``."""
    low: Matrix
    """(p, k) the lower ends of the intervals of the loadings."""
    high: Matrix
    """(p, k) the upper ends."""
    method: str
    """information, robust, bootstrap or parametric bootstrap."""
    n_replicates: int | None = None
    """Refits that the bootstrap's numbers rest on; none for information."""
    n_failed: int = 0
    """Refits that could not be done and were left out."""
    held: tuple[str, ...] = ()
    """Heywood variables, whose uniqueness information takes as known: error 0."""


@dataclass(frozen=True)
class Restriction:
    """What pins the rotation down: r(θ) = 0.

    Attributes
    ----------
    criterion
        Q with its gradient; none for unrotated loadings.
    oblique, kaiser
        Whether factors correlate, and whether Q sees rows of unit communality.
    units
        (p,) fixed factors from θ's units to those that Q sees; none for 1 / √Σᵢᵢ.
    held
        (p,) variables whose ψ / Σᵢᵢ is known.
    principal
        Whether unrotated loadings have ΛᵀΛ diagonal, and not ΛᵀΨ⁻¹Λ.
    """

    criterion: Criterion | None
    oblique: bool
    kaiser: bool
    units: Vector | None
    held: NDArray[np.bool_]
    principal: bool = False

    def __call__(self, L: Matrix, phi: Matrix, psi: Vector) -> Vector:
        """Return r, (m,): the rotation's equations, and the known shares ψ / Σᵢᵢ."""
        k = L.shape[1]
        common = ((L @ phi) * L).sum(axis=1)
        known: Vector = (psi / (common + psi))[self.held]
        if self.criterion is None:
            away = L.T @ (L if self.principal else L / psi[:, None])
            return np.concatenate([away[np.triu_indices(k, 1)], known])
        units = 1 / np.sqrt(common + psi) if self.units is None else self.units
        seen = L * (1 / np.sqrt(common) if self.kaiser else units)[:, None]
        away = seen.T @ self.criterion(seen)[1]
        if self.oblique:
            return np.concatenate([linalg.solve(phi, away.T).T[~np.eye(k, dtype=bool)], known])
        return np.concatenate([(away - away.T)[np.triu_indices(k, 1)], known])


def information_errors(
    model: FactorAnalysis,
    *,
    level: Level = 0.95,
) -> LoadingErrors:
    """Return asymptotic standard errors by equations (1) and (2), for normal data.

    The intervals are estimate ± normal quantile × standard error. With Heywood cases, the
    uniquenesses on their floors are taken as known; `factors.bootstrap` assumes less.

    Examples
    --------
    >>> model = FactorAnalysis().fit_covariance(0.5 * np.eye(4) + 0.5, n_samples=100)
    >>> information_errors(model).loadings.round(3).ravel().tolist()
    [0.068, 0.068, 0.068, 0.068]
    """
    check_arguments(information_errors, locals())
    check_is_fitted(model)
    _refuse(model)
    varies = model.scale_ > 0
    sigma = np.sqrt(np.diag(model.get_covariance())[varies])
    L, psi = model.loadings_[varies] / sigma[:, None], model.noise_variance_[varies] / sigma**2
    restriction = restriction_of(model, sigma, varies)
    spread = covariance_of_estimates(L, model.factor_correlations_, psi, restriction)
    return _told(model, spread, restriction, level, "information")


def robust_errors(model: FactorAnalysis, X: ArrayLike, *, level: Level = 0.95) -> LoadingErrors:
    """Return asymptotic standard errors of dwls or minres on polychoric correlations, equation (3).

    ``X`` are the (n, p) rows that the model was fitted to. InputError says why there are none.

    Examples
    --------
    >>> draw = np.random.default_rng(0)
    >>> X = np.digitize(draw.normal(size=(500, 1)) + draw.normal(size=(500, 4)), [-1, 1])
    >>> model = FactorAnalysis(method="dwls", correlation="polychoric").fit(X)
    >>> robust_errors(model, X).loadings.round(2).ravel().tolist()
    [0.04, 0.04, 0.04, 0.04]
    """
    check_arguments(robust_errors, locals())
    check_is_fitted(model)
    gamma, root = weighed(model, X)
    if model.rotation == "promax":
        raise InputError("rotation is 'promax', which minimises no criterion: use the bootstrap")
    varies = model.scale_ > 0
    L, psi = model.standardized_loadings_[varies], model.uniquenesses_[varies]
    phi, unit = model.factor_correlations_, np.ones(len(L))
    restriction = replace(restriction_of(model, unit, varies), principal=True)
    U, V = _directions(L, phi, restriction.oblique)
    i, j = np.triu_indices(len(L), 1)
    Z = _kernel(np.vstack([_jacobian(L, phi, psi, restriction), 2 * U * V]))
    slopes = root[:, None] * ((U[i] * V[j] + V[i] * U[j]) @ Z)
    values, vectors = linalg.eigh(slopes.T @ slopes)
    if values[0] < FLAT * values[-1]:
        raise InputError("the solution is not unique: its loadings have no standard errors")
    half = Z @ (vectors / values) @ vectors.T @ (slopes * root[:, None]).T
    # As lavaan does, which divides by n − 1 what is no maximum likelihood.
    n = model.n_samples_
    return _told(model, half @ gamma @ half.T * n / (n - 1), restriction, level, "robust")


def _told(
    model: FactorAnalysis, spread: Matrix, restriction: Restriction, level: float, method: str
) -> LoadingErrors:
    """Return the errors that n Cov of (Λ, φₛₜ, ψ), (q, q), tells."""
    varies = model.scale_ > 0
    errors = np.sqrt(np.diag(spread) / model.n_samples_)
    p, k = int(varies.sum()), model.n_latent
    loadings, phi, noise = np.zeros((len(varies), k)), np.zeros((k, k)), np.zeros(len(varies))
    loadings[varies] = errors[: p * k].reshape(p, k)
    noise[varies] = np.where(restriction.held, 0, errors[len(errors) - p :])
    if restriction.oblique:
        phi[np.triu_indices(k, 1)] = errors[p * k : len(errors) - p]
    away = stats.norm.ppf(0.5 + level / 2) * loadings
    low, high = (model.standardized_loadings_ + sign * away for sign in (-1, 1))
    held = tuple(model.heywood_)
    return LoadingErrors(loadings, phi + phi.T, noise, low, high, method, held=held)


def covariance_of_estimates(
    L: Matrix, phi: Matrix, psi: Vector, restriction: Restriction
) -> Matrix:
    """Return n Cov of (Λ, φₛₜ for s < t if oblique, ψ), all standardized, (q, q).

    Λ, Φ and ψ are in units with Σᵢᵢ = 1, and r is 0 there. InputError if Σ does not determine θ.
    """
    U, V = _directions(L, phi, restriction.oblique)
    W = linalg.inv(L @ phi @ L.T + np.diag(psi))
    cross = U.T @ W @ V
    information = (U.T @ W @ U) * (V.T @ W @ V) + cross * cross.T
    Z = _kernel(_jacobian(L, phi, psi, restriction))
    values, vectors = linalg.eigh(Z.T @ information @ Z)
    if values[0] < FLAT * values[-1]:
        raise InputError("the solution is not unique: its loadings have no standard errors")
    roots = _standardizing(L, psi, 2 * U * V) @ Z @ (vectors / np.sqrt(values))
    return np.asarray(roots @ roots.T)


def restriction_of(model: FactorAnalysis, sigma: Vector, varies: NDArray[np.bool_]) -> Restriction:
    """Return r of a fitted model; ``sigma`` are the implied deviations of varying columns."""
    held = np.isin(np.asarray(model.variable_names())[varies], model.heywood_)
    if model.rotation == "none" or model.n_latent == 1:
        return Restriction(None, False, False, None, held)
    rule = rule_of(model, model.variable_names(), varies, 1)
    search = search_for(model.loadings_[varies], model.rotation, rule.constants)
    images = len(model.data_shape_) > 1
    raw = model.matrix == "covariance" or (model.matrix == "auto" and images)
    return Restriction(
        search.criterion, search.oblique, rule.weighs_equally, sigma if raw else None, held
    )


def _refuse(model: FactorAnalysis) -> None:
    reasons = {
        f"method is {model.method!r}": model.method != "ml",
        "rotation is 'promax', which minimises no criterion": model.rotation == "promax",
        "missing is 'fiml'": model.missing == "fiml",
        f"correlation is {model.correlation!r}": model.correlation != "pearson",
    }
    for reason, holds in reasons.items():
        if holds:
            raise InputError(
                f"{reason}: there is no formula for that, use the bootstrap (bootstrap_errors)"
            )
    if model.n_samples_ <= 0:
        raise InputError("the number of samples is unknown: give n_samples with the matrix")


def _directions(L: Matrix, phi: Matrix, oblique: bool) -> tuple[Matrix, Matrix]:
    """Return U and V, (p, q)."""
    p, k = L.shape
    first, second = np.triu_indices(k if oblique else 1, 1)
    U = np.hstack([np.repeat(np.eye(p), k, axis=1), L[:, first], np.eye(p)])
    V = np.hstack([np.tile(L @ phi, (1, p)), L[:, second], np.eye(p) / 2])
    return U, V


def _standardizing(L: Matrix, psi: Vector, variances: Matrix) -> Matrix:
    """Return ∂f/∂θ at Σᵢᵢ = 1, (q, q), given ∂Σᵢᵢ/∂θ, (p, q)."""
    J = np.eye(variances.shape[1])
    J[: L.size] -= 0.5 * L.reshape(-1, 1) * np.repeat(variances, L.shape[1], axis=0)
    J[len(J) - len(psi) :] -= psi[:, None] * variances
    return J


def _jacobian(L: Matrix, phi: Matrix, psi: Vector, restriction: Restriction) -> Matrix:
    """Return ∂r/∂θ, (m, q)."""
    pairs = np.triu_indices(len(phi) if restriction.oblique else 1, 1)
    theta = np.concatenate([L.ravel(), phi[pairs], psi])
    steps = np.concatenate([np.full(len(theta) - len(psi), STEP), 10 * STEP * psi])

    def r(x: Vector) -> Vector:
        turned = phi.copy()
        turned[pairs] = turned.T[pairs] = x[L.size : len(x) - len(psi)]
        return restriction(x[: L.size].reshape(L.shape), turned, x[len(x) - len(psi) :])

    rows = np.diag(steps)
    near, far = (np.stack([r(theta + h * d) - r(theta - h * d) for d in rows], 1) for h in (1, 2))
    slopes: Matrix = (8 * near - far) / (12 * steps)
    return slopes


def _kernel(J: Matrix) -> Matrix:
    """Return an orthonormal basis of the vectors that (m, q) J takes to 0, (q, q − rank)."""
    lengths = np.linalg.norm(J, axis=1, keepdims=True)
    basis: Matrix = linalg.null_space(J / np.where(lengths > 0, lengths, 1), rcond=FLAT)
    return basis if len(J) else np.eye(J.shape[1])
