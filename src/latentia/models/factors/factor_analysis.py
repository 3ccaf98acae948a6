"""Factor analysis: a few common factors explain how many variables vary together.

    X − μ = Λ F + ε,   Cov(F) = Φ (I before an oblique rotation),   Cov(ε) = Ψ diagonal
    Σ = Λ Φ Λᵀ + Ψ

    L(μ, Λ, Ψ) = −½ (p log 2π + log|Σ| + tr Σ⁻¹ S)            nats per sample, μ the mean

A fit gathers moments (`moments`), extracts Λ and Ψ (`extraction`, with `discrepancy` and `em`),
rotates Λ (`rotation`), and keeps both in the data's units. Σ, densities, factor scores and samples
are those of any linear-Gaussian model (`gaussian`).
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Annotated, Literal, Self, final

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from latentia.errors import (
    Count,
    CountsWhen,
    FitWarning,
    InputError,
    Positive,
    Range,
    Seed,
    check_arguments,
)
from latentia.models.factors import analysed, extraction
from latentia.models.factors.contingency import ContingencyTables
from latentia.models.factors.extraction import Analysed, Extraction, of_moments
from latentia.models.factors.fit_statistics import Convention, FitStatistics, fit_statistics
from latentia.models.factors.full_information import completed, discrepancies, random_models
from latentia.models.factors.summary import Summary, shares, summary_of
from latentia.models.inputs import Channels, Matrix, Rows, Vector
from latentia.models.linear.eigen import unit_of
from latentia.models.linear.gaussian import LOG_2PI, LinearGaussian, Scores
from latentia.models.linear.moments import Moments
from latentia.models.linear.patterns import Patterns
from latentia.models.linear.reading import naming, read_moments, take_columns
from latentia.models.linear.rotation import check_rotation, rule_of

NEEDS_ROWS = "missing='fiml', correlation='polychoric' and 'mixed' need all rows; use fit"
STARTS, WITH_GAPS, SMALL = 10, 3, 60
"""Starts tried, on at most so many variables, where the likelihood may have several maxima."""


def _estimates_from_moments(model: FactorAnalysis) -> bool:
    return model.missing != "fiml" and model.correlation == "pearson"


@final
@dataclass(eq=False, repr=False, kw_only=True)
class FactorAnalysis(LinearGaussian):
    """Factor analysis by maximum likelihood [1]_ or another classical method [2]_.

    ``fit`` takes rows, ``fit_covariance`` a matrix, ``partial_fit`` one block of rows after
    another. ``transform`` gives factor scores, ``sample`` new data, ``score_samples`` the exact
    log-density; ``summary`` and ``fit_statistics`` read and test the solution.

    Attributes
    ----------
    loadings_, components_
        (p, k) rotated Λ in the data's units, and its transpose.
    noise_variance_
        (p,) Ψ; 0 for a constant column. Of a correlation matrix, R's uniquenesses.
    factor_correlations_, rotation_matrix_
        (k, k) Φ, and T of ``Λ = A T⁻ᵀ``.
    mean_, covariance_, scale_
        (p,) means, (p, p) covariance (divided by n) and (p,) standard deviations of the data; of
        rows with gaps, the first and last are the model's, the second the saturated model's.
    log_likelihood_, log_likelihood_trace_
        Nats per sample, constant columns left out: at the end, and before each step of ml.
    baseline_log_likelihoods_
        With missing values, (2,) of a free and of a diagonal covariance, which χ² compares.
    heywood_, constant_
        Names of variables whose noise variance is held up by its floor, and of constant columns.
    n_optima_, n_iter_, converged_
        Distinct optima that the starts met, steps, and whether these ended by themselves.
    rotation_minima_
        Rotations started, how many of them ended at the best minimum, and distinct minima met.
    remarks_, ordinal_
        Sentences on the data (gaps, polychoric correlations at their bound or smoothed), and names
        of the columns of which only the order counts.
    n_samples_, n_rows_
        Total weight and number of rows, the same without weights; 0 if unknown.

    References
    ----------
    .. [1] K. G. Jöreskog, "Some contributions to maximum likelihood factor analysis",
       Psychometrika 1967, sections 3 to 6.
    .. [2] R. A. Johnson, D. W. Wichern, "Applied Multivariate Statistical Analysis", 6th edition,
       2007, chapter 9.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 2)) @ rng.normal(size=(2, 8)) + rng.normal(size=(500, 8))
    >>> model = FactorAnalysis(n_components=2, rotation="varimax").fit(X)
    >>> model.transform(X).shape, model.fit_statistics().dof
    ((500, 2), 13)
    """

    n_components: Count = 1
    """Number of factors."""
    method: Literal[
        "ml", "minres", "principal_axis", "principal_component", "gls", "wls", "alpha", "dwls"
    ] = "ml"
    """How loadings and noise variances are estimated; dwls is for ordinal columns."""
    algorithm: Literal["newton", "em", "px_em"] = "newton"
    """How ml is maximised: quasi-Newton, or EM or PX-EM first and quasi-Newton to finish."""
    rotation: Literal[
        "none",
        "varimax",
        "quartimax",
        "equamax",
        "geomin_orthogonal",
        "crawford_ferguson_orthogonal",
        "bifactor_orthogonal",
        "target_orthogonal",
        "promax",
        "oblimin",
        "quartimin",
        "geomin",
        "crawford_ferguson",
        "bifactor",
        "target",
    ] = "none"
    """Rotation to simple structure; the last seven are oblique. Of bifactor F1 is general."""
    target: str | None = None
    """Variables that each factor is expected to have, 'A1:A5 | C1:C5'; others are drawn to 0."""
    target_value: Annotated[float, Range(-100, 100)] | None = None
    """What expected loadings are drawn to, such as 1; none leaves them free, a partial target."""
    geomin_epsilon: Annotated[
        float, Range(0, open_low=True), CountsWhen("rotation", ("geomin", "geomin_orthogonal"))
    ] = 0.01
    """Geomin's ε, which keeps it smooth; larger finds fewer local minima, and blurs."""
    oblimin_gamma: Annotated[float, Range(-100, 1)] = 0.0
    """Oblimin's γ: 0 is quartimin, below 0 factors correlate less, above 0 it may diverge."""
    crawford_ferguson_kappa: Annotated[float, Range(0, 1)] | None = None
    """κ, the weight of simple columns against simple rows; none: 1/p, varimax's."""
    promax_power: Annotated[float, Range(1, open_low=True), CountsWhen("rotation", ("promax",))] = (
        4.0
    )
    """The power that promax raises varimax's loadings to, as its target."""
    kaiser: bool | None = None
    """Give variables equal weight in the rotation; none does as R: for varimax and promax."""
    scores: Literal["regression", "bartlett", "ten_berge"] = "regression"
    """Which factor scores transform gives."""
    matrix: Literal["auto", "correlation", "covariance"] = "auto"
    """What is analysed; auto: correlations of tables, covariances of images."""
    correlation: Literal["pearson", "polychoric", "mixed"] = "pearson"
    """Polychoric for ordinal columns, such as answers from 1 to 6; mixed if some are numbers."""
    most_categories: Annotated[int, Range(2, 20), CountsWhen("correlation", ("mixed",))] = 10
    """Different values up to which a column is ordinal in mixed correlations."""
    zero_add: Annotated[float, Range(0)] = 0.0
    """Is added to empty cells of the tables behind polychoric correlations, 0.5 as a rule."""
    missing: Literal["error", "fiml"] = "error"
    """NaN: an error, or integrated out (full information ML); polychoric pairs leave it out."""
    noise_floor: Annotated[float, Range(0, 1, open_low=True, open_high=True)] | None = None
    """Least noise variance, as a share of a variance; none: 0.005, on images 8-bit rounding."""
    n_starts: Annotated[int, Range(1, 10_000)] | None = None
    """Starts of ml, not of EM, and least squares; none: 10 to 60 variables (fiml 3), else 1."""
    n_rotation_starts: Annotated[int, Range(1, 10_000)] | None = None
    """Starting rotations tried; none: 10 on at most 60 variables, else 1."""
    tolerance: Positive = 1e-8
    """EM stops when a step gains less, in twice the nats; fiml when none moves a moment by more."""
    max_iter: Count = 10_000
    """The most steps of EM, fiml, principal axis and alpha."""
    random_state: Seed | None = 0
    """Seed of the starts after the first, of estimation and rotation; none draws one."""

    lacks = {"partial_fit": NEEDS_ROWS}

    def check_values(self) -> None:
        """Refuse methods that do not go together."""
        extraction.check_method(self)
        check_rotation(self)

    def fit(
        self, X: Rows, y: object = None, sample_weight: Rows = None, *, channels: Channels = "first"
    ) -> Self:
        """Estimate from rows with (n,) weights, or none; ``y`` is ignored.

        X is an (n, p) table or (n, ...) images: array, data frame, tensor, memory map, SciPy
        sparse matrix or Dask array. What does not fit into memory is read once, block by block.
        """
        with self.learning(channels=channels):
            self.validate_parameters()
            if self.missing == "fiml":
                return self._fit_patterns(self._patterns(X, sample_weight))
            if self.correlation != "pearson":
                rows = self.checked(X, reset=True)
                return self._solve(analysed.of_answers(self, rows, self._names(), sample_weight))
            moments = read_moments(self, X, sample_weight, enough=extraction.refuse_few)
            return self._solve(of_moments(moments))

    def fit_covariance(
        self,
        S: ArrayLike,
        n_samples: Annotated[int, Range(2)] | None = None,
        mean: ArrayLike | None = None,
    ) -> Self:
        """Estimate from a (p, p) covariance or correlation matrix, array or data frame.

        ``n_samples`` is needed by tests of fit; ``mean`` (p,) is 0 if not given.
        """
        check_arguments(FactorAnalysis.fit_covariance, locals())
        with self.learning():
            self.validate_parameters()
            if not _estimates_from_moments(self):
                raise InputError(f"{NEEDS_ROWS}; give that matrix with correlation='pearson'")
            given, names = analysed.of_matrix(S, n_samples, mean)
            take_columns(self, given.mean.shape, tuple(names))
            return self._solve(given)

    def fit_moments(self, moments: Moments | Patterns | ContingencyTables) -> Self:
        """Estimate from what was gathered of rows, in pieces, over processes or a cluster.

        With missing values it is `latentia.models.linear.patterns.Patterns`, for polychoric
        correlations `latentia.models.factors.contingency.ContingencyTables`.
        """
        with self.learning():
            self.validate_parameters()
            analysed.take_up(self, moments)
            if isinstance(moments, Patterns):
                return self._fit_patterns(moments)
            if isinstance(moments, ContingencyTables):
                return self._solve(analysed.of_tables(self, moments, self._names()))
            return self._solve(of_moments(moments))

    @available_if(_estimates_from_moments)  # type: ignore[untyped-decorator, unused-ignore]
    def partial_fit(self, X: Rows, y: object = None, sample_weight: Rows = None) -> Self:
        """Add a block of rows, and estimate from all so far, those of ``fit`` among them.

        To estimate only once, at the end, gather `latentia.models.linear.moments.Moments` instead.
        """
        first = "covariance_" not in self.__dict__
        if not first and self.n_rows_ == 0:
            raise InputError("partial_fit goes on from rows; this model was fitted to a matrix")
        with self.learning(afresh=first):
            self.validate_parameters()
            gathered = read_moments(self, X, sample_weight, reset=first)
            if not first:
                gathered = analysed.rows_of(self).merge(gathered)
            return self._solve(of_moments(gathered))

    def _patterns(self, X: ArrayLike, sample_weight: ArrayLike | None) -> Patterns:
        extraction.refuse_few(len(array := self.checked(X, reset=True)))
        if array.ndim > 2:
            raise InputError("missing is 'fiml', which takes tables; images have no gaps")
        with naming(self.__dict__.get("feature_names_in_")):
            return Patterns(array, sample_weight)

    def _fit_patterns(self, patterns: Patterns) -> Self:
        """Run EM over the missing values, in which each M-step is a whole factor analysis."""
        extraction.refuse_few(patterns.n_samples)
        mean, S, varies = patterns.column_means, np.diag(patterns.column_variances), patterns.varies
        extraction.refuse_many(self.n_components, varies)
        if not varies.all():
            patterns = patterns.columns(varies)
        least, p = extraction.floors(S, self.noise_floor, images=False)[varies], int(varies.sum())
        n_starts = self.n_starts or (WITH_GAPS if p <= SMALL else 1)
        with extraction.threads_for(p):
            found = completed(
                patterns,
                [name for name, kept in zip(self._names(), varies) if kept],
                lambda S: self._extract(S, least, n_starts=1),
                starts=random_models(p, self.n_components, n_starts - 1, self.random_state),
                tolerance=self.tolerance,
                max_iter=self.max_iter,
            )
        estimate, within = found.estimate, np.ix_(varies, varies)
        mean[varies], S, S[within] = estimate.mean, np.zeros_like(S), estimate.covariance
        rows = float(patterns.weight.sum()), patterns.n_samples
        self._keep(Analysed(mean, S, varies, *rows, found.remarks), found.solution, found.units)
        S[within] = found.observed
        self.baseline_log_likelihoods_ = found.baselines
        self.log_likelihood_ = float(estimate.log_likelihood)
        self.log_likelihood_trace_ = np.asarray(estimate.trace)
        self.n_iter_, self.n_optima_ = estimate.n_iterations, found.n_optima
        self.converged_ &= bool(estimate.converged)
        return self._warned()

    def _solve(self, given: Analysed) -> Self:
        """Extract the factors of the columns that vary, rotate, keep, and warn of findings."""
        S, varies = given.covariance, given.varies
        extraction.refuse_many(self.n_components, varies)
        floor = extraction.floors(S, self.noise_floor, images=len(self.data_shape_) > 1)
        with extraction.threads_for(int(varies.sum())):
            inner = S if varies.all() else S[np.ix_(varies, varies)]
            self._keep(given, *self._extract(inner, floor[varies], variances=given.variances))
        return self._warned()

    def _warned(self) -> Self:
        for finding in self.findings():
            warnings.warn(finding, FitWarning, stacklevel=4)
        return self

    def _extract(
        self, S: Matrix, floor: Vector, n_starts: int | None = None, variances: Matrix | None = None
    ) -> tuple[Extraction, Vector]:
        """Return the factors of D⁻¹SD⁻¹, and D: deviations for correlations, else one unit."""
        of_tables, D = self.matrix == "auto" and len(self.data_shape_) == 1, np.sqrt(np.diag(S))
        if self.matrix != "correlation" and not of_tables and variances is None:
            D = np.full(len(S), unit_of(float(D.max())))
        R, floor = S / D[:, None], floor / D**2
        R /= D
        n_starts = n_starts or self.n_starts or (STARTS if len(S) <= SMALL else 1)
        found = extraction.extract(
            R,
            self.n_components,
            self.method,
            floor,
            extraction.starting_values(R, floor, n_starts, self.random_state),
            algorithm=self.algorithm,
            tolerance=self.tolerance,
            max_iter=self.max_iter,
            variances=variances,
        )
        return found, D

    def _keep(self, given: Analysed, found: Extraction, D: Vector) -> None:
        """Rotate the solution of the columns that vary, and keep it in the data's units."""
        n_starts = self.n_rotation_starts or (STARTS if len(D) <= SMALL else 1)
        rotation = rule_of(self, self._names(), given.varies, n_starts).of(found.loadings)
        S, varies, p = given.covariance, given.varies, len(D)
        self.mean_, self.covariance_ = given.mean, S
        self.n_samples_, self.n_rows_ = given.weight, given.n_rows
        self.remarks_, self.ordinal_ = list(given.remarks), list(given.ordinal)
        self.scale_ = np.where(varies, np.sqrt(np.diag(S)), 0.0)
        self.loadings_ = np.zeros((len(varies), self.n_components))
        self.noise_variance_ = np.zeros(len(varies))
        self.loadings_[varies] = rotation.loadings * D[:, None]
        self.noise_variance_[varies] = found.noise_variance * D**2
        self.factor_correlations_ = rotation.factor_correlations
        self.rotation_matrix_ = rotation.matrix
        self.n_iter_, self.n_optima_ = found.n_iterations, found.n_optima
        self.rotation_minima_ = np.array(rotation.minima)
        self.converged_ = bool(found.converged and rotation.converged)
        names = np.asarray(self._names(), dtype=object)
        self.heywood_, self.constant_ = list(names[varies][found.at_floor]), list(names[~varies])
        # log|Σ| + tr Σ⁻¹S, on the scale analysed, becomes nats per sample on the data's scale.
        trace = np.asarray(found.trace if self.method == "ml" else ())
        self.log_likelihood_trace_ = -0.5 * (p * LOG_2PI + 2 * np.log(D).sum() + trace)
        self.log_likelihood_ = self.mean_log_likelihood(S, varies)

    @property
    def takes_gaps(self) -> bool:
        """Whether rows may hold NaN; polychoric correlations leave it out pair by pair."""
        return self.missing == "fiml" or self.correlation != "pearson"

    @property
    def uniquenesses_(self) -> Vector:
        """(p,) noise variances as shares of the observed variances; 0 for constant columns."""
        return shares(self.noise_variance_, self.scale_**2)

    @property
    def communalities_(self) -> Vector:
        """(p,) diag(Λ Φ Λᵀ) as shares of the observed variances."""
        common = ((self.loadings_ @ self.factor_correlations_) * self.loadings_).sum(axis=1)
        return shares(common, self.scale_**2)

    @property
    def standardized_loadings_(self) -> Matrix:
        """(p, k) loadings of the variables scaled to unit variance: the pattern matrix."""
        return shares(self.loadings_, self.scale_[:, None])

    @property
    def structure_(self) -> Matrix:
        """(p, k) correlations of variables with factors, pattern @ Φ."""
        return np.asarray(self.standardized_loadings_ @ self.factor_correlations_)

    def variable_names(self) -> list[str]:
        """Return the columns' names, or x0, x1, …."""
        check_is_fitted(self)
        return self._names()

    def _names(self) -> list[str]:
        plain = [f"x{i}" for i in range(math.prod(self.data_shape_))]
        return [*map(str, vars(self).get("feature_names_in_", plain))]

    def residual_correlations(self) -> Matrix:
        """Return R − Λ Φ Λᵀ − Ψ in correlations, (p, p)."""
        check_is_fitted(self)
        scale = np.sqrt(np.where(self.scale_ > 0, np.diag(self.covariance_), 1))
        return np.asarray((self.covariance_ - self.get_covariance()) / scale[:, None] / scale)

    def fit_statistics(self, convention: Convention = "bartlett") -> FitStatistics:
        """Return χ², its p-value, RMSEA, TLI, CFI, SRMR, AIC, BIC and counts of parameters.

        "bartlett" is the convention of R's factanal and psych; "lavaan" takes n for the corrected
        size, as both do of rows with gaps: χ² = 2n (ℓ_saturated − ℓ). χ² is so distributed for
        maximum likelihood, many rows, and no Heywood case.
        """
        check_is_fitted(self)
        varies = np.flatnonzero(self.scale_ > 0)
        pairs = np.ix_(varies, varies)
        n, ratios = round(self.n_samples_), None
        if "baseline_log_likelihoods_" in vars(self):
            ratios = discrepancies(self.baseline_log_likelihoods_, self.log_likelihood_)
        return fit_statistics(
            self.covariance_[pairs],
            self.get_covariance()[pairs],
            n if n > 1 else None,
            self.n_latent,
            log_likelihood=n * self.log_likelihood_ if n > 1 else None,
            convention=convention,
            likelihood_ratios=ratios,
        )

    def _noise(self) -> Vector:
        return self.noise_variance_

    def _factor_correlations(self) -> Matrix:
        return self.factor_correlations_

    def _scores(self) -> Scores:
        return self.scores

    def findings(self, data: object = None) -> tuple[str, ...]:
        """Return sentences on Heywood cases, constant columns, several optima and the like."""
        # Models saved before there were remarks have none.
        return (*vars(self).get("remarks_", ()), *extraction.findings_of(self))

    def summary(self, cutoff: Annotated[float, Range(0)] = 0.3, *, sort: bool = True) -> Summary:
        """Return the solution on one page: text when printed, HTML in notebooks, a data frame.

        Absolute loadings below ``cutoff`` are left blank. ``sort`` groups variables by the factor
        they load on most, largest first.
        """
        check_arguments(FactorAnalysis.summary, locals())
        check_is_fitted(self)
        return summary_of(self, cutoff, sort=sort)
