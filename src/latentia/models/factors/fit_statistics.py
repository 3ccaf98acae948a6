"""How well a factor model's implied correlations reproduce the observed ones.

    F = log|Σ| − log|R| + tr(R Σ⁻¹) − p                       (maximum-likelihood discrepancy)
    χ² = (n − 1 − (2p + 5)/6 − 2k/3) F                        (Bartlett's correction)
    dof = p(p + 1)/2 − (pk + p − k(k − 1)/2) = ((p − k)² − p − k)/2

Of rows with gaps F is 2 (ℓ_saturated − ℓ), in nats per sample, and χ² = n F: Bartlett's correction
is for complete rows.

Shapes: ``R_PP`` is the (p, p) observed correlation, ``S_PP`` the (p, p) implied one, Σ; n is the
number of samples and k that of the factors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, optimize, stats

from latentia.errors import InputError, check_range
from latentia.models.inputs import Matrix

Convention = Literal["bartlett", "lavaan"]


@dataclass(frozen=True)
class Discrepancies:
    """F of two models against the saturated one; NaN where that has no maximum."""

    model: float
    """Of the factor model."""
    independence: float
    """Of the model in which no variable correlates with another."""


@dataclass(frozen=True)
class FitStatistics:
    """Fit of one factor model; a number that is not defined is NaN, and ``reason`` says why.

    The convention "bartlett" gives the numbers of R's ``factanal`` and ``psych::fa``, "lavaan"
    those of ``lavaan::efa``: χ² = nF, and likelihood-based information criteria.

    References
    ----------
    M. S. Bartlett, "The effect of standardization on a χ² approximation in factor analysis",
    Biometrika 1951 (the correction). J. H. Steiger, "Structural model evaluation and
    modification", Multivariate Behavioral Research 1990 (RMSEA). L. R. Tucker, C. Lewis, "A
    reliability coefficient for maximum likelihood factor analysis", Psychometrika 1973 (TLI).
    P. M. Bentler, "Comparative fit indexes in structural models", Psychological Bulletin 1990
    (CFI); "EQS structural equations program manual", 1995 (SRMR).
    """

    convention: Convention
    """Whose definitions: factanal's and psych's, or lavaan's."""
    objective: float
    """F; zero when the model reproduces the correlations."""
    chi_square: float
    """F times Bartlett's corrected sample size, or times n under lavaan's convention."""
    chi_square_uncorrected: float
    """n F."""
    dof: int
    """Degrees of freedom, negative when there are more parameters than moments."""
    p_value: float
    """Probability of a larger χ² if the model holds."""
    null_chi_square: float
    """χ² of the model with no factor, all variables independent."""
    null_dof: int
    """p(p − 1)/2."""
    rmsea: float
    """Root mean square error of approximation."""
    rmsea_low: float
    """The 5 % end of its 90 % interval."""
    rmsea_high: float
    """The 95 % end."""
    tli: float
    """Tucker–Lewis index, also called the non-normed fit index."""
    cfi: float
    """Comparative fit index, in [0, 1]."""
    rms: float
    """√(Σ r² / (p(p − 1)/2)), r the residuals below the diagonal; lavaan's crmr_nomean."""
    srmr: float
    """The same over the diagonal too, whose residuals are 0 but for Heywood cases and gaps, and
    divided by p(p + 1)/2: lavaan's srmr; with means lavaan divides by p(p + 3)/2 instead."""
    aic: float
    """χ² − 2 dof; under lavaan's convention −2 log L + 2 (n_parameters + p means), as lavaan has it
    with ``meanstructure = TRUE``; without, it counts no means of complete rows."""
    bic: float
    """χ² − log(n) dof; under lavaan's convention −2 log L + log(n) (n_parameters + p means)."""
    log_likelihood: float
    """Gaussian log-likelihood of all samples on the data's scale, in nats, as it was given."""
    n_parameters: int
    """pk + p − k(k − 1)/2: loadings and noise variances less the freedom to rotate."""
    n_loadings_and_variances: int
    """pk + p: the same count with rotations left in."""
    n_moments: int
    """p(p + 1)/2 distinct variances and covariances."""
    reason: str
    """Why numbers are NaN; empty when none is."""
    full_information: bool = False
    """Whether F compares likelihoods of rows with gaps, so that χ² = n F."""


def fit_statistics(
    correlation: ArrayLike,
    implied: ArrayLike,
    n_samples: int | None,
    n_components: int,
    log_likelihood: float | None = None,
    convention: Convention = "bartlett",
    likelihood_ratios: Discrepancies | None = None,
) -> FitStatistics:
    """Compare the implied (p, p) correlation with the observed one.

    Covariances do as well: both are divided by the observed standard deviations. Of rows with gaps,
    F is that of ``likelihood_ratios``, and χ² is n F under either convention.

    Examples
    --------
    >>> R = np.full((4, 4), 0.49) + 0.51 * np.eye(4)
    >>> found = fit_statistics(R, R, n_samples=100, n_components=1)
    >>> found.dof, round(found.chi_square, 6), round(found.p_value, 6), found.rmsea
    (2, 0.0, 1.0, 0.0)
    """
    R_PP, S_PP = _pair(correlation, implied)
    p, k = len(R_PP), n_components
    n = _checked_size(p, k, n_samples, convention)
    lavaan, pairs = convention == "lavaan", p * (p - 1) // 2
    n_parameters = p * k + p - k * (k - 1) // 2
    dof = pairs + p - n_parameters
    objective, null, size, null_size = _tested(R_PP, S_PP, n, k, lavaan, likelihood_ratios)
    chi = size * objective if dof >= 0 else math.nan
    rmsea, low, high = _rmsea(chi, dof, n, lavaan)
    squares = np.tril(R_PP - S_PP) ** 2
    off, on = float(np.tril(squares, -1).sum()), float(squares.trace())
    tli, cfi = _incremental(chi, dof, size * null, null_size * null, pairs)
    likelihood = math.nan if log_likelihood is None else float(log_likelihood)
    fit, count = (likelihood, n_parameters + p) if lavaan else (-chi / 2, -dof)
    return FitStatistics(
        convention=convention,
        objective=objective,
        chi_square=chi,
        chi_square_uncorrected=n * objective,
        dof=dof,
        p_value=float(stats.chi2.sf(chi, dof)),
        null_chi_square=null_size * null,
        null_dof=pairs,
        rmsea=rmsea,
        rmsea_low=low,
        rmsea_high=high,
        tli=tli,
        cfi=cfi,
        rms=math.sqrt(off / pairs) if pairs else math.nan,
        srmr=math.sqrt((off + on) / (pairs + p)),
        aic=2 * count - 2 * fit,
        bic=math.log(n) * count - 2 * fit,
        log_likelihood=likelihood,
        n_parameters=n_parameters,
        n_loadings_and_variances=p * k + p,
        n_moments=pairs + p,
        reason=_reason(R_PP, S_PP, objective, n, size, dof, lavaan and log_likelihood is None),
        full_information=likelihood_ratios is not None,
    )


def _tested(
    R_PP: Matrix, S_PP: Matrix, n: float, k: int, lavaan: bool, ratios: Discrepancies | None
) -> tuple[float, float, float, float]:
    """Return F, that of independence, and the sample sizes that make them χ²."""
    if ratios is not None:
        return ratios.model, ratios.independence, n, n
    p = len(R_PP)
    sizes = (n, n) if lavaan else (_bartlett_size(n, p, k), _bartlett_size(n, p, 0))
    return discrepancy(R_PP, S_PP), discrepancy(R_PP, np.eye(p)), *sizes


def discrepancy(R_PP: Matrix, S_PP: Matrix) -> float:
    """Return F = log|Σ| − log|R| + tr(R Σ⁻¹) − p, NaN if either matrix is not positive definite."""
    if is_singular(R_PP) or is_singular(S_PP):
        return math.nan
    ratios = linalg.eigh(R_PP, S_PP, eigvals_only=True)
    return float(np.sum(ratios - 1 - np.log(ratios))) if ratios.min() > 0 else math.nan


def checked_matrix(name: str, matrix: ArrayLike) -> Matrix:
    """Return a (p, p) symmetric finite matrix with a positive diagonal, or raise InputError."""
    values = np.asarray(matrix, dtype=np.float64)
    if values.ndim != 2 or values.shape[0] != values.shape[1] or not values.size:
        raise InputError(f"{name} has shape {values.shape}; it must be square")
    if not np.isfinite(values).all() or values.diagonal().min() <= 0:
        raise InputError(f"{name} must be finite, with a positive diagonal")
    if np.abs(values - values.T).max() > 1e-8 * values.diagonal().max():
        raise InputError(f"{name} differs from its transpose; it must be symmetric")
    return (values + values.T) / 2


def _pair(correlation: ArrayLike, implied: ArrayLike) -> tuple[Matrix, Matrix]:
    observed, model = checked_matrix("correlation", correlation), checked_matrix("implied", implied)
    if observed.shape != model.shape:
        raise InputError(f"implied is {model.shape}; it must be {observed.shape}, as correlation")
    scale = np.sqrt(observed.diagonal())
    return observed / np.outer(scale, scale), model / np.outer(scale, scale)


def _checked_size(p: int, k: int, n_samples: int | None, convention: str) -> float:
    check_range("n_components", k, 0, p)
    check_range("n_samples", n_samples, 2)
    if convention not in ("bartlett", "lavaan"):
        raise InputError(f"convention is {convention!r}; it must be bartlett or lavaan")
    return math.nan if n_samples is None else float(n_samples)


def is_singular(matrix: Matrix) -> bool:
    """Return whether a symmetric matrix is not positive definite to working precision."""
    values = np.linalg.eigvalsh(matrix)
    return bool(values[0] <= len(matrix) * np.finfo(np.float64).eps * values[-1])


def _bartlett_size(n: float, p: int, k: int) -> float:
    size = n - 1 - (2 * p + 5) / 6 - 2 * k / 3
    return size if size > 0 else math.nan


def _rmsea(chi: float, dof: int, n: float, lavaan: bool) -> tuple[float, float, float]:
    if dof <= 0 or math.isnan(chi):
        return math.nan, math.nan, math.nan
    # psych divides χ² by n but its expectation by n − 1; lavaan divides both by n.
    size = n if lavaan else n - 1
    point = max(chi / (dof * n) - 1 / size, 0)
    low, high = (noncentrality(chi, dof, q) / (dof * size) for q in (0.95, 0.05))
    return math.sqrt(point), math.sqrt(low), math.sqrt(high)


def noncentrality(chi: float, dof: int, quantile: float) -> float:
    """Return the noncentrality that gives χ² such a quantile, 0 if none does."""
    if stats.chi2.cdf(chi, dof) <= quantile:
        return 0.0
    found = optimize.brentq(lambda c: stats.ncx2.cdf(chi, dof, c) - quantile, 0, 2 * chi + 50)
    return float(found)


def _incremental(
    chi: float, dof: int, same_size_null: float, null_chi: float, null_dof: int
) -> tuple[float, float]:
    if dof < 0 or math.isnan(chi):
        return math.nan, math.nan
    excess, null_ratio = max(chi - dof, 0.0), same_size_null / max(null_dof, 1)
    cfi = 1 - excess / max(excess, null_chi - null_dof) if excess else 1.0
    tli = (null_ratio - chi / dof) / (null_ratio - 1) if dof and null_ratio != 1 else math.nan
    return tli, cfi


def _reason(
    R: Matrix, S: Matrix, objective: float, n: float, size: float, dof: int, no_likelihood: bool
) -> str:
    # An objective that is a number has found both matrices regular.
    undefined = math.isnan(objective)
    reasons = {
        "the observed correlation matrix is not positive definite": undefined and is_singular(R),
        "the implied correlation matrix is not positive definite": undefined and is_singular(S),
        "the likelihood of rows with such gaps has no saturated maximum": undefined
        and not (is_singular(R) or is_singular(S)),
        "n_samples is not given": math.isnan(n),
        "n_samples is too small for Bartlett's correction": not math.isnan(n) and math.isnan(size),
        f"the model has {dof} degrees of freedom, so that no test is possible": dof <= 0,
        "log_likelihood is not given": no_likelihood,
    }
    return "; ".join(words for words, holds in reasons.items() if holds)
