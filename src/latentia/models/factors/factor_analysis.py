"""Factor analysis: a few common factors explain how many variables vary together.

    X − μ = Λ F + ε,   Cov(F) = Φ (I before an oblique rotation),   Cov(ε) = Ψ diagonal
    Σ = Λ Φ Λᵀ + Ψ

    L(μ, Λ, Ψ) = −½ (p log 2π + log|Σ| + tr Σ⁻¹ S)            nats per sample, μ the mean

Estimation is in `extraction`, `discrepancy`, `profile` and `em`, rotation in `rotation`, densities,
scores and samples in `gaussian`, and what can be read off a solution in `factor_solution`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from latentia.errors import FitWarning, InputError, check_range
from latentia.models.factors.extraction import Search, Solution, Turn, floors, solve
from latentia.models.factors.observations import Gaps, Observations, naming, observations
from latentia.models.factors.solution import FactorSolution, findings
from latentia.models.factors.summary import Summary, summarise
from latentia.models.linear.missing import Estimate
from latentia.models.linear.moments import Moments
from latentia.models.linear.reading import (
    checked_count,
    checked_covariance,
    checked_mean,
    read_moments,
)

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SMALL = 60
NEEDS_ROWS = "missing='fiml' and correlation='polychoric' need all rows at once; use fit"
STARTS = 10
"""Tried on at most ``SMALL`` variables, where the likelihood may have several maxima."""


def _estimates_from_moments(model: FactorAnalysis) -> bool:
    return model.missing != "fiml" and model.correlation != "polychoric"


@final
@dataclass(eq=False, repr=False, kw_only=True)
class FactorAnalysis(FactorSolution):
    """Factor analysis by maximum likelihood [1]_ or another classical method [2]_.

    ``fit`` takes rows, ``fit_covariance`` a matrix, ``partial_fit`` one block of rows after
    another. ``transform`` gives factor scores, ``sample`` new data, ``score_samples`` the exact
    log-density; ``summary`` and ``fit_statistics`` read and test the solution, whose attributes
    `latentia.models.factors.solution.FactorSolution` lists.

    Raises
    ------
    InputError
        From ``fit``, for parameters, rows or matrices that cannot be used.

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

    n_components: int = 1
    """Number of factors."""
    method: Literal[
        "ml", "minres", "principal_axis", "principal_component", "gls", "wls", "alpha"
    ] = "ml"
    """How loadings and noise variances are estimated."""
    algorithm: Literal["newton", "em", "px_em"] = "newton"
    """How ml is maximised: quasi-Newton, or EM or PX-EM first and quasi-Newton to finish."""
    rotation: Literal[
        "none",
        "varimax",
        "quartimax",
        "equamax",
        "geomin_orthogonal",
        "promax",
        "oblimin",
        "quartimin",
        "geomin",
    ] = "none"
    """Rotation to simple structure; the last four let factors correlate."""
    kaiser: bool | None = None
    """Give variables equal weight in the rotation; none does as R: for varimax and promax."""
    scores: Literal["regression", "bartlett", "ten_berge"] = "regression"
    """Which factor scores transform gives."""
    matrix: Literal["auto", "correlation", "covariance"] = "auto"
    """What is analysed; auto: correlations of tables, covariances of images."""
    correlation: Literal["pearson", "polychoric"] = "pearson"
    """Polychoric for ordinal columns, such as answers from 1 to 6."""
    missing: Literal["error", "fiml"] = "error"
    """What NaN means: an error, or a value to be integrated out (full information ML)."""
    noise_floor: float | None = None
    """Least noise variance, as a share of a variance; none: 0.005, on images 8-bit rounding."""
    n_starts: int | None = None
    """Starting values tried; none: 10 on at most 60 variables, else 1."""
    n_rotation_starts: int | None = None
    """Starting rotations tried; none: 10 on at most 60 variables, else 1."""
    tolerance: float = 1e-8
    """EM stops when a step gains less, in twice the nats per sample."""
    max_iter: int = 10_000
    """The most steps of EM, principal axis and alpha."""
    random_state: int | None = 0
    """Seed of the starts after the first."""

    lacks = dict.fromkeys(("partial_fit", "fit_moments"), NEEDS_ROWS)

    def check_values(self) -> None:
        """Raise InputError for a hyperparameter out of its range."""
        check_range("n_components", self.n_components, 1)
        check_range("noise_floor", self.noise_floor, 0, 1, open_low=True, open_high=True)
        check_range("n_starts", self.n_starts, 1)
        check_range("n_rotation_starts", self.n_rotation_starts, 1)
        check_range("tolerance", self.tolerance, 0, open_low=True)
        check_range("max_iter", self.max_iter, 1)
        check_range("random_state", self.random_state, 0, 2**32 - 1)
        if self.algorithm != "newton" and self.method != "ml":
            raise InputError(f"algorithm is {self.algorithm!r}, which only method 'ml' has")
        if self.missing == "fiml" and (self.method != "ml" or self.correlation != "pearson"):
            raise InputError("missing is 'fiml', which needs method 'ml' and correlation 'pearson'")

    def summary(self, cutoff: float = 0.3, *, sort: bool = True) -> Summary:
        """Return the solution on one page: text when printed, HTML in notebooks, a data frame.

        Parameters
        ----------
        cutoff
            The least absolute loading that is shown.
        sort
            Group variables by the factor they load on most, largest first.
        """
        check_is_fitted(self)
        return summarise(self, cutoff=cutoff, sort=sort)

    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Estimate from rows.

        Parameters
        ----------
        X
            (n, p) table or (n, ...) images; array, data frame, tensor, memory map, SciPy sparse
            matrix or Dask array. What does not fit into memory is read once, block by block.
        sample_weight
            (n,) weights; ``y`` is ignored.
        """
        self.validate_parameters()
        if self.missing == "fiml":
            return self._fit_with_gaps(X, sample_weight)
        moments = read_moments(self, X, sample_weight)
        observed = observations(moments)
        if self.correlation == "polychoric":
            with naming(self.__dict__.get("feature_names_in_")):
                observed = observed.correlated(self.checked(X, reset=False), sample_weight)
        return self._settle(observed)

    def fit_covariance(
        self,
        S: ArrayLike,
        n_samples: int | None = None,
        mean: ArrayLike | None = None,
    ) -> Self:
        """Estimate from a (p, p) covariance or correlation matrix, array or data frame.

        ``n_samples`` is needed by tests of fit; ``mean`` (p,) is 0 if not given.
        """
        self.validate_parameters()
        n = checked_count(n_samples)
        if not _estimates_from_moments(self):
            raise InputError(f"{NEEDS_ROWS}; give the polychoric matrix with correlation='pearson'")
        matrix, names = checked_covariance(S)
        centre = checked_mean(mean, len(matrix))
        self._take_shape((len(matrix),), names)
        return self._settle(Observations(centre, matrix, np.diag(matrix) > 0, float(n), n))

    @available_if(_estimates_from_moments)  # type: ignore[untyped-decorator, unused-ignore]
    def fit_moments(self, moments: Moments) -> Self:
        """Estimate from moments gathered in pieces or over processes."""
        self.validate_parameters()
        self._take_shape(moments.sample_shape, [])
        return self._settle(observations(moments))

    @available_if(_estimates_from_moments)  # type: ignore[untyped-decorator, unused-ignore]
    def partial_fit(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Take up one more block of rows and estimate from all so far, also those of ``fit``.

        To estimate only once, at the end, gather `latentia.models.linear.moments.Moments` instead.
        """
        self.validate_parameters()
        first = not hasattr(self, "covariance_")
        gathered = read_moments(self, X, sample_weight, reset=first)
        if not first:
            gathered = self._so_far().merge(gathered)
        return self._settle(observations(gathered))

    def _so_far(self) -> Moments:
        if self.n_rows_ == 0:
            raise InputError("partial_fit goes on from rows; this model was fitted to a matrix")
        so_far = self.mean_, self.covariance_, self.n_samples_, self.n_rows_
        return Moments.restored(*so_far, self.data_shape_)

    def _fit_with_gaps(self, X: ArrayLike, sample_weight: ArrayLike | None) -> Self:
        """EM over the missing values, each M-step a whole factor analysis."""
        array = self.checked(X, reset=True)
        if array.ndim > 2:
            raise InputError("missing is 'fiml', which takes tables; images have no gaps")
        with naming(self.__dict__.get("feature_names_in_")):
            gaps = Gaps(array, sample_weight)
        floor = floors(gaps.spread, self.noise_floor, images=False)

        def implied(S: Matrix) -> Matrix:
            return self._solve(S, gaps.varies, floor, n_starts=1, turn="none").implied()

        return self._settle(*gaps.completed(implied), floor)

    def _solve(
        self,
        S: Matrix,
        varies: NDArray[np.bool_],
        floor: Vector | None,
        *,
        n_starts: int | None,
        turn: str,
    ) -> Solution:
        images = len(self.data_shape_) > 1
        default = STARTS if varies.sum() <= SMALL else 1
        return solve(
            S,
            varies,
            self.n_components,
            method=self.method,
            standardize=self.matrix == "correlation" or (self.matrix == "auto" and not images),
            floor=floors(S, self.noise_floor, images=images) if floor is None else floor,
            search=Search(
                n_starts=n_starts or default,
                random_state=self.random_state,
                algorithm=self.algorithm,
                tolerance=self.tolerance,
                max_iter=self.max_iter,
            ),
            turn=Turn(turn, self.kaiser, self.n_rotation_starts or default, self.random_state),
        )

    def _settle(
        self,
        observed: Observations,
        completed: Estimate | None = None,
        floor: Vector | None = None,
    ) -> Self:
        """Solve, take the solution up, and say what it shows."""
        S, varies = observed.covariance, observed.varies
        solution = self._solve(S, varies, floor, n_starts=self.n_starts, turn=self.rotation)
        self._take(observed, solution, completed)
        for finding in findings(self):
            warnings.warn(finding, FitWarning, stacklevel=3)
        return self
