"""Probabilistic PCA: the linear-Gaussian model whose noise is the same in every direction.

    x = μ + W z + ε,   z ~ N(0, I),   ε ~ N(0, σ² I)                          [1] eq. 2
    σ² = 1/(d − k) Σ_{j > k} λⱼ                                                [1] eq. 8
    W = Vₖ (Λₖ − σ² I)^½ R                                                     [1] eq. 7
    EM: M = WᵀW + σ² I,  W⁺ = S W (σ² I + M⁻¹ Wᵀ S W)⁻¹,                      [1] eq. 29
        σ²⁺ = 1/d tr(S − S W M⁻¹ W⁺ᵀ)                                          [1] eq. 30

(λ, V) are the eigenpairs of S, the covariance divided by n; R = I is taken. Missing values are
integrated out by `latentia.models.linear.missing`, each of whose M-steps is the closed form.

Shapes: S is (d, d), W (d, k).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from latentia.errors import Count, FitWarning, InputError, Positive, Seed
from latentia.models.inputs import Channels, Matrix, Vector, reads_in_blocks
from latentia.models.linear.eigen import leading_of, unit_of
from latentia.models.linear.gaussian import LOG_2PI, LinearGaussian, Scores
from latentia.models.linear.missing import of_gaps, structured
from latentia.models.linear.moments import Moments
from latentia.models.linear.patterns import Patterns
from latentia.models.linear.pca import PCA
from latentia.models.linear.reading import read_moments, refuse_other, take_columns

NO_NOISE = 1e-12
WIDEST = 4096
"""Tables with more columns, and more columns than rows, are not given a covariance matrix."""


@final
@dataclass(eq=False, repr=False, kw_only=True)
class ProbabilisticPCA(LinearGaussian):
    """Probabilistic PCA by its closed form or by EM, with missing values if asked [1]_.

    ``transform`` gives E[z | x], ``sample`` new data, ``score_samples`` the exact log-density.

    Attributes
    ----------
    loadings_, components_
        (d, k) W and its transpose.
    noise_variance_
        σ², one number.
    mean_
        (d,).
    log_likelihood_, log_likelihood_trace_
        Nats per sample at the end, and before each step of EM.
    n_samples_, n_iter_, converged_
        Rows or their total weight, steps of EM, and whether it ended by itself.

    References
    ----------
    .. [1] M. E. Tipping, C. M. Bishop, "Probabilistic principal component analysis", Journal of
       the Royal Statistical Society B 1999, sections 3.2 and 3.4, appendix B.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 5)) * [3, 2, 1, 1, 1]
    >>> round(ProbabilisticPCA(n_components=2).fit(X).noise_variance_, 1)
    1.0
    """

    n_components: Count = 1
    """How many latent dimensions, fewer than columns."""
    algorithm: Literal["closed_form", "em"] = "closed_form"
    """Eigenvectors at once, or EM, whose likelihood is recorded."""
    missing: Literal["error", "fiml"] = "error"
    """What NaN means: an error, or a value to be integrated out (full information ML)."""
    tolerance: Positive = 1e-10
    """EM stops when a step gains fewer nats a row; fiml when it moves no moment by more."""
    max_iter: Count = 10_000
    """The most steps of EM and fiml."""
    random_state: Seed | None = 0
    """Seed of EM's start; none draws one."""

    def check_values(self) -> None:
        """Refuse EM of complete rows for rows with gaps."""
        if self.algorithm == "em" and self.missing == "fiml":
            raise InputError(
                "algorithm is 'em', which is for complete rows; missing='fiml' has an EM of its own"
            )

    def fit(self, X: ArrayLike, y: object = None, *, channels: Channels = "first") -> Self:
        """Estimate from (n, d) rows or from images, in the kinds that FactorAnalysis takes.

        Images are (n, C, H, W), or (n, H, W, C) if their ``channels`` are last.
        """
        with self.learning(channels=channels):
            self.validate_parameters()
            if self.missing == "fiml":
                return self._fit_with_gaps(X)
            if not reads_in_blocks(X):
                array = self.checked(X, reset=True)
                if array[0].size > max(WIDEST, len(array)):
                    return self._fit_wide(array)
            return self._fit_from(read_moments(self, X, enough=self._check_size))

    def fit_moments(self, moments: Moments | Patterns) -> Self:
        """Estimate from moments gathered in pieces, or over processes.

        With missing values, from `latentia.models.linear.missing.Patterns`.
        """
        with self.learning():
            self.validate_parameters()
            gaps = self.missing == "fiml"
            refuse_other(moments, Patterns if gaps else Moments, f"missing={self.missing!r}")
            take_columns(self, moments.sample_shape, moments.names)
            if isinstance(moments, Patterns):
                return self._fit_patterns(moments.checked())
            return self._fit_from(moments)

    def _fit_from(self, moments: Moments) -> Self:
        self._check_size(moments.n_rows, moments.n_features)
        S = moments.covariance
        em = self.algorithm == "em"
        found, trace, converged = self._by_em(S) if em else (self._closed(S), [], True)
        return self._take(found, moments.mean, moments.weight, trace, converged)

    def _closed(self, S: Matrix) -> Estimate:
        values, vectors = leading_of(S, self.n_components)
        return closed_form(values, vectors, float(S.trace()))

    def _by_em(self, S: Matrix) -> tuple[Estimate, list[float], bool]:
        """Run equations 29 and 30 from a seeded start until the likelihood settles, if it does."""
        if (unit := unit_of(float(S.trace()) / len(S))) != 1:
            found, trace, converged = self._by_em(S / unit)
            shift = len(S) / 2 * np.log(unit)
            level = found.log_likelihood - shift
            found = Estimate(found.loadings * np.sqrt(unit), found.noise_variance * unit, level)
            return found, [each - shift for each in trace], converged
        W = np.random.default_rng(self.random_state).standard_normal((len(S), self.n_components))
        noise, trace = float(S.trace()) / len(S), list[float]()
        W *= np.sqrt(noise)
        # EM would creep towards a noise of 0 for ever.
        self._closed(S)
        converged = False
        while not converged and len(trace) < self.max_iter:
            W, noise, likelihood = em_step(S, W, noise)
            trace.append(likelihood)
            converged = len(trace) > 1 and trace[-1] - trace[-2] < self.tolerance
        vectors, lengths, _ = linalg.svd(W, full_matrices=False)
        return Estimate(vectors * lengths, noise, em_step(S, W, noise)[2]), trace, converged

    def _fit_wide(self, X: NDArray[np.floating]) -> Self:
        """Take eigenpairs from the rows themselves, whose covariance would be too large."""
        if self.algorithm == "em":
            raise InputError(
                f"algorithm is 'em', which needs a covariance matrix, too large for {X[0].size} "
                "columns; use 'closed_form'"
            )
        n = len(X)
        self._check_size(n, X[0].size)
        if self.n_components >= n - 1:
            raise InputError(
                f"n_components is {self.n_components}, which leaves no variance for the noise: "
                f"{n} rows span {n - 1} dimensions; use fewer components"
            )
        pca = PCA(n_components=self.n_components).fit(X)
        # PCA divides by n − 1, and the likelihood by n.
        values = pca.explained_variance_.astype(np.float64) * (n - 1) / n
        total = float(values[0] / max(pca.explained_variance_ratio_[0], NO_NOISE))
        vectors = pca.components_.T.astype(np.float64)
        found = closed_form(values, vectors, total)
        return self._take(found, pca.mean_.astype(np.float64), float(n))

    def _fit_with_gaps(self, X: ArrayLike) -> Self:
        """EM over the missing values, whose M-step is the closed form."""
        array = self.checked(X, reset=True)
        if array.ndim > 2:
            raise InputError("missing is 'fiml', which takes tables; images have no gaps")
        self._check_size(*array.shape)
        return self._fit_patterns(Patterns(array))

    def _fit_patterns(self, patterns: Patterns) -> Self:
        d = patterns.seen.shape[1]
        self._check_size(patterns.n_samples, d)
        names = [*map(str, vars(self).get("feature_names_in_", [f"x{i}" for i in range(d)]))]
        for remark in of_gaps(patterns.n_empty, patterns.coverage, names):
            warnings.warn(remark, FitWarning, stacklevel=4)

        def implied(expected: Matrix) -> Matrix:
            found = self._closed(expected)
            model: Matrix = found.loadings @ found.loadings.T
            return model + found.noise_variance * np.eye(len(expected))

        start = np.diag(np.full(d, patterns.column_variances.mean()))
        found = structured(
            patterns,
            implied,
            patterns.column_means,
            start,
            tolerance=self.tolerance,
            max_iter=self.max_iter,
        )
        self._take(self._closed(found.covariance), found.mean, float(patterns.weight.sum()))
        self.log_likelihood_ = float(found.log_likelihood)
        self.log_likelihood_trace_ = np.asarray(found.trace)
        self.n_iter_, self.converged_ = found.n_iterations, bool(found.converged)
        return self

    def _check_size(self, n: int, d: int) -> None:
        if n < 2:
            raise InputError(f"X has {n} sample(s); probabilistic PCA needs at least 2 rows")
        if self.n_components >= d:
            raise InputError(
                f"n_components is {self.n_components}, but X has {d} feature(s); there must be "
                "fewer components than columns"
            )

    def _take(
        self,
        found: Estimate,
        mean: Vector,
        weight: float,
        trace: Sequence[float] = (),
        converged: bool = True,
    ) -> Self:
        self.log_likelihood_trace_ = np.array(trace, dtype=np.float64)
        self.n_iter_, self.converged_ = max(1, len(trace)), converged
        W = found.loadings
        largest = W[np.abs(W).argmax(axis=0), np.arange(W.shape[1])]
        self.loadings_ = W * np.where(largest < 0, -1.0, 1.0)
        self.mean_, self.n_samples_ = mean, weight
        self.noise_variance_, self.log_likelihood_ = found.noise_variance, found.log_likelihood
        return self

    def _noise(self) -> Vector:
        return np.full(len(self.mean_), self.noise_variance_)

    def _factor_correlations(self) -> Matrix:
        return np.eye(self.n_latent)

    def _scores(self) -> Scores:
        return "regression"


@dataclass(frozen=True)
class Estimate:
    """(d, k) W, σ², and the log-likelihood in nats per sample."""

    loadings: Matrix
    noise_variance: float
    log_likelihood: float


def closed_form(values: Vector, vectors: Matrix, total: float) -> Estimate:
    """Return equations 7 and 8 for the k largest eigenpairs and the sum of all eigenvalues."""
    d, k = vectors.shape
    noise = (total - float(values.sum())) / (d - k)
    refuse_no_noise(noise, total, k)
    loadings = vectors * np.sqrt(np.maximum(values - noise, 0))
    logs = np.log(np.maximum(values, noise)).sum() + (d - k) * np.log(noise)
    return Estimate(loadings, noise, float(-0.5 * (d * LOG_2PI + logs + d)))


def refuse_no_noise(noise: float, total: float, k: int) -> None:
    """Raise InputError if σ² is nothing beside the total variance, or that is nothing itself."""
    if not noise > NO_NOISE * total:
        raise InputError(
            f"n_components is {k}, which leaves no variance for the noise: the data lie in so few "
            "dimensions; use fewer components, or PCA"
        )


def em_step(S: Matrix, W: Matrix, noise: float) -> tuple[Matrix, float, float]:
    """Return W and σ² of equations 29 and 30, and the log-likelihood of those given."""
    d, k = W.shape
    M = W.T @ W + noise * np.eye(k)
    SW = S @ W
    inner = linalg.solve(M, W.T @ SW, assume_a="pos")
    logs = (d - k) * np.log(noise) + np.linalg.slogdet(M)[1]
    likelihood = -0.5 * (d * LOG_2PI + logs + (S.trace() - inner.trace()) / noise)
    new_W = linalg.solve((noise * np.eye(k) + inner).T, SW.T).T
    explained = (SW * linalg.solve(M, new_W.T, assume_a="pos").T).sum()
    return new_W, float(S.trace() - explained) / d, float(likelihood)
