"""What can be read off a fitted factor model: communalities, fit, summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from sklearn.utils.validation import check_is_fitted

from latentia.data.dataset import Dataset
from latentia.models.factors.extraction import Solution
from latentia.models.factors.fit_statistics import Convention, FitStatistics, fit_statistics
from latentia.models.factors.observations import Observations
from latentia.models.linear.gaussian import LOG_2PI, LinearGaussian, Scores
from latentia.models.linear.missing import Estimate

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


class FactorSolution(LinearGaussian):
    """A fitted factor model.

    Attributes
    ----------
    loadings_, components_
        (p, k) rotated Λ in the data's units, and its transpose.
    noise_variance_
        (p,) Ψ; 0 for a constant column. Of a correlation matrix, R's uniquenesses.
    factor_correlations_, rotation_matrix_
        (k, k) Φ, and T of ``Λ = A T⁻ᵀ``.
    mean_, covariance_, scale_
        (p,) means, (p, p) covariance (divided by n) and (p,) standard deviations of the data.
    log_likelihood_, log_likelihood_trace_
        Nats per sample, constant columns left out: at the end, and before each step of ml.
    heywood_, constant_
        Names of variables whose noise variance is held up by its floor, and of constant columns.
    n_optima_, n_iter_, converged_
        Distinct optima among the starts, steps taken, and whether they ended by themselves.
    n_samples_, n_rows_
        Total weight and number of rows, the same without weights; 0 if unknown.
    """

    scores: Scores
    noise_variance_: Vector
    covariance_: Matrix
    factor_correlations_: Matrix
    scale_: Vector
    n_samples_: float
    n_rows_: int
    log_likelihood_: float

    @property
    def uniquenesses_(self) -> Vector:
        """(p,) noise variances as shares of the observed variances; 0 for constant columns."""
        return _shares(self.noise_variance_, self.scale_**2)

    @property
    def communalities_(self) -> Vector:
        """(p,) diag(Λ Φ Λᵀ) as shares of the observed variances."""
        common = ((self.loadings_ @ self.factor_correlations_) * self.loadings_).sum(axis=1)
        return _shares(common, self.scale_**2)

    @property
    def standardized_loadings_(self) -> Matrix:
        """(p, k) loadings of the variables scaled to unit variance: the pattern matrix."""
        pattern: Matrix = _shares(self.loadings_, self.scale_[:, None])
        return pattern

    @property
    def structure_(self) -> Matrix:
        """(p, k) correlations of variables with factors, pattern @ Φ."""
        structure: Matrix = self.standardized_loadings_ @ self.factor_correlations_
        return structure

    def variable_names(self) -> list[str]:
        """Return the columns' names, or x0, x1, …."""
        check_is_fitted(self)
        if hasattr(self, "feature_names_in_"):
            return [str(name) for name in self.feature_names_in_]
        return [f"x{i}" for i in range(len(self.scale_))]

    def residual_correlations(self) -> Matrix:
        """Return R − Λ Φ Λᵀ − Ψ in correlations, (p, p)."""
        check_is_fitted(self)
        scale = np.where(self.scale_ > 0, self.scale_, 1)
        residual: Matrix = (self.covariance_ - self.get_covariance()) / scale[:, None] / scale
        return residual

    def findings(self, data: Dataset | None = None) -> tuple[str, ...]:
        """Return sentences on Heywood cases, rank, optima and whatever else is not in order."""
        return tuple(findings(self))

    def fit_statistics(self, convention: Convention = "bartlett") -> FitStatistics:
        """Return χ², its p-value, RMSEA, TLI, CFI, SRMR, AIC, BIC and counts of parameters.

        Parameters
        ----------
        convention
            "bartlett" as R's factanal and psych; "lavaan" with n instead of the corrected size.

        Notes
        -----
        χ² is distributed as such for maximum likelihood, many rows, and no Heywood case.
        """
        check_is_fitted(self)
        varies = np.flatnonzero(self.scale_ > 0)
        pairs = np.ix_(varies, varies)
        n = round(self.n_samples_)
        return fit_statistics(
            self.covariance_[pairs],
            self.get_covariance()[pairs],
            n if n > 1 else None,
            self.n_latent,
            log_likelihood=n * self.log_likelihood_ if n > 1 else None,
            convention=convention,
        )

    def _noise(self) -> Vector:
        return self.noise_variance_

    def _factor_correlations(self) -> Matrix:
        return self.factor_correlations_

    def _scores(self) -> Scores:
        return self.scores

    def _take_shape(self, shape: tuple[int, ...], names: list[str]) -> None:
        self.data_shape_, self.n_features_in_ = shape, int(np.prod(shape))
        self.__dict__.pop("feature_names_in_", None)
        if names:
            self.feature_names_in_ = np.asarray(names, dtype=object)

    def _take(self, observed: Observations, solution: Solution, completed: Estimate | None) -> None:
        """Take up a solution for data of these moments, or of the moments that EM completed."""
        found, rotation, S = solution.extraction, solution.rotation, observed.covariance
        self.mean_, self.covariance_ = observed.mean, S
        self.n_samples_, self.n_rows_ = observed.weight, observed.n_rows
        self.scale_ = np.where(solution.varies, np.sqrt(np.diag(S)), 0.0)
        self.loadings_, self.noise_variance_ = solution.loadings, solution.noise_variance
        self.factor_correlations_, self.rotation_matrix_ = (
            rotation.factor_correlations,
            rotation.matrix,
        )
        self.n_iter_, self.n_optima_ = found.n_iterations, found.n_optima
        self.converged_ = bool(found.converged and rotation.converged)
        names = self.variable_names()
        self.heywood_ = [names[i] for i in np.flatnonzero(solution.at_floor)]
        self.constant_ = [names[i] for i in np.flatnonzero(~solution.varies)]
        p = int(solution.varies.sum())
        jacobian = 2 * np.log(solution.scale[solution.varies]).sum()
        # log|Σ| + tr Σ⁻¹S, on the scale analysed, becomes nats per sample on the data's scale.
        trace = np.asarray(found.trace if self.method == "ml" else ())
        self.log_likelihood_trace_ = -0.5 * (p * LOG_2PI + jacobian + trace)
        self.log_likelihood_ = self._mean_log_likelihood(S, solution.varies)
        if completed is not None:
            self.log_likelihood_ = float(completed.log_likelihood)
            self.log_likelihood_trace_ = np.asarray(completed.trace)
            self.n_iter_ = completed.n_iterations
            self.converged_ = bool(self.converged_ and completed.converged)

    def _mean_log_likelihood(self, S: Matrix, varies: NDArray[np.bool_]) -> float:
        """Return −½ (p log 2π + log|Σ| + tr Σ⁻¹S), as `latentia.models.factors.em` computes it."""
        _, B = self._whitened()
        noise = self.noise_variance_
        # Rows of constant columns are 0, and drop out.
        scaled = np.divide(B, np.sqrt(noise)[:, None], out=np.zeros_like(B), where=B != 0)
        M = np.eye(B.shape[1]) + B.T @ B
        explained = np.trace(np.linalg.solve(M, scaled.T @ (S @ scaled)))
        logs = np.log(noise[varies]).sum() + np.linalg.slogdet(M)[1]
        objective = logs + (np.diag(S)[varies] / noise[varies]).sum() - explained
        return float(-0.5 * (varies.sum() * LOG_2PI + objective))


def _shares(values: NDArray[np.float64], of: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(values, of, out=np.zeros_like(values), where=of > 0)


if TYPE_CHECKING:
    from latentia.models.factors.solution import FactorSolution

MOST_NAMED = 8
LOOKED_AT = 160
"""Collinear columns are looked for up to this many variables."""
COLLINEAR = 1e-10


def findings(model: FactorSolution) -> list[str]:
    """Return sentences on Heywood cases, constant columns, several optima, rank and parameters."""
    found = [
        _constant(model),
        _collinear(model),
        _few_rows(model),
        _heywood(model),
        _parameters(model),
        _optima(model),
        _convergence(model),
    ]
    return [sentence for sentence in found if sentence]


def _constant(model: FactorSolution) -> str:
    if not model.constant_:
        return ""
    return (
        f"{len(model.constant_)} constant column(s) were left out of the model and its "
        f"likelihood: {listed(model.constant_)}"
    )


def _collinear(model: FactorSolution) -> str:
    varies = model.scale_ > 0
    p, n = int(varies.sum()), model.n_rows_
    if p > LOOKED_AT or 0 < n <= p:
        return ""
    scale = model.scale_[varies]
    R = model.covariance_[np.ix_(varies, varies)] / scale[:, None] / scale
    values, vectors = linalg.eigh(R)
    null = vectors[:, values < COLLINEAR]
    if null.shape[1] == 0:
        return ""
    names = np.asarray(model.variable_names())[varies]
    involved = names[(null**2).sum(axis=1) > COLLINEAR]
    return (
        f"columns {listed(list(involved))} are perfectly collinear, so the covariance matrix is "
        "singular and some noise variances are held up by their floor only: drop one of them"
    )


def _few_rows(model: FactorSolution) -> str:
    n, p = model.n_rows_, int((model.scale_ > 0).sum())
    if n == 0 or n > p:
        return ""
    return (
        f"{n:g} rows are too few for {p} varying columns: the covariance matrix is singular, and "
        "without the floor on the noise variances the likelihood would have no maximum"
    )


def _heywood(model: FactorSolution) -> str:
    if not model.heywood_:
        return ""
    return (
        f"Heywood case: the noise variance of {listed(model.heywood_)} lies on its floor, where "
        "the likelihood would rise further; try fewer factors, or do not trust these variables"
    )


def _parameters(model: FactorSolution) -> str:
    p, k = int((model.scale_ > 0).sum()), model.n_latent
    dof = ((p - k) ** 2 - p - k) // 2
    if dof >= 0:
        return ""
    return (
        f"{k} factors of {p} variables leave {dof} degrees of freedom: pk + p = {p * k + p} "
        f"parameters for p(p + 1)/2 = {p * (p + 1) // 2} moments, so the solution is not unique"
    )


def _optima(model: FactorSolution) -> str:
    if model.n_optima_ < 2:
        return ""
    return (
        f"{model.n_optima_} distinct optima were found from different starting values; this is "
        "the best of them"
    )


def _convergence(model: FactorSolution) -> str:
    if model.converged_:
        return ""
    return f"the estimation stopped before it converged, after {model.n_iter_} steps"


def listed(names: list[str]) -> str:
    """Return names as text, cut after a few."""
    rest = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")
