"""The linear-Gaussian latent model, whatever estimated it.

    x = μ + Λ z + ε,   z ~ N(0, Φ),   ε ~ N(0, Ψ),  Ψ diagonal
    x ~ N(μ, Σ),   Σ = Λ Φ Λᵀ + Ψ                                                       (1)
    z | x ~ N(V Λᵀ Ψ⁻¹ (x − μ), V),   V = (Φ⁻¹ + Λᵀ Ψ⁻¹ Λ)⁻¹                            (2)

With Φ = T Tᵀ, B = Ψ^-½ Λ T, M = I + BᵀB and y = Ψ^-½ (x − μ), nothing larger than (k, k) is
inverted: log|Σ| = Σ log ψ + log|M|, and (x − μ)ᵀ Σ⁻¹ (x − μ) = ‖y‖² − ‖M^-½ Bᵀ y‖².

Constant columns have ψ = 0: they are reproduced, and do not enter densities or codes.

Shapes: X is (n, d), images flattened; Λ is (d, k); μ, ψ are (d,); Φ, M, V are (k, k).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, sparse
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from latentia.data.dataset import Dataset
from latentia.errors import Count, InputError, Seed, check_arguments, within_memory
from latentia.models.base import Encoder, LatentModel, Sampler, seeded
from latentia.models.exported import Exported, linear_coders
from latentia.models.inputs import Matrix, Vector, channels_first, in_kind_of, unit_floats
from latentia.models.linear.eigen import unit_of

if TYPE_CHECKING:
    from latentia.plots.page import Picture

Scores = Literal["regression", "bartlett", "ten_berge"]

CHUNK = 8192
SINGULAR = 1e-10
"""Least share of a correlation matrix's largest eigenvalue at which it is inverted."""
LOG_2PI = float(np.log(2 * np.pi))


class LinearGaussian(Sampler, Encoder, LatentModel):
    """A Gaussian model with the parameters ``mean_``, ``loadings_``, noise and ``Φ``."""

    linear = True

    missing: str
    mean_: Vector
    loadings_: Matrix

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn about NaN and sparse rows."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan, tags.input_tags.sparse = self.takes_gaps, self.takes_sparse
        return tags

    @abstractmethod
    def _noise(self) -> Vector:
        """Return the (d,) noise variances, 0 for constant columns."""

    @abstractmethod
    def _factor_correlations(self) -> Matrix:
        """Return the (k, k) covariance Φ of the factors."""

    @abstractmethod
    def _scores(self) -> Scores:
        """Return which factor scores ``transform`` gives."""

    @property
    def takes_gaps(self) -> bool:
        """Whether rows may hold NaN."""
        return self.missing == "fiml"

    @property
    def takes_sparse(self) -> bool:
        """Rows may be sparse: they are read, and made dense, a block at a time."""
        return not self.takes_gaps

    @property
    def components_(self) -> Matrix:
        """(k, d), the loadings transposed: scikit-learn's name for them."""
        components: Matrix = self.loadings_.T
        return components

    @property
    def n_latent(self) -> int:
        """The number of factors."""
        return int(self.loadings_.shape[1])

    def get_covariance(self) -> Matrix:
        """Return Σ of equation (1), (d, d)."""
        check_is_fitted(self)
        sigma: Matrix = self.loadings_ @ self._factor_correlations() @ self.loadings_.T
        return sigma + np.diag(self._noise())

    def posterior_covariance(self) -> Matrix:
        """Return V of equation (2), (k, k): the same for every sample."""
        check_is_fitted(self)
        T, B = self._whitened()
        V: Matrix = T @ linalg.inv(np.eye(len(T)) + B.T @ B) @ T.T
        return V

    def score_weights(self, scores: Scores = "regression") -> Matrix:
        """Return the (d, k) weights of factor scores, ``z = (x − μ) @ weights``.

        regression
            E[z | x] of equation (2): Thomson, "The Factorial Analysis of Human Ability", 1951.
        bartlett
            ``(ΛᵀΨ⁻¹Λ)⁻¹ΛᵀΨ⁻¹``, unbiased given z: Bartlett, British J. Psychology 1937.
        ten_berge
            Of the rows that were fitted, correlated as Φ: ten Berge et al., Linear Algebra and its
            Applications 1999, eq. 8.
        """
        check_arguments(LinearGaussian.score_weights, locals())
        check_is_fitted(self)
        T, B = self._whitened()
        root = np.sqrt(self._noise())
        inverse_root = np.divide(1, root, out=np.zeros_like(root), where=root > 0)
        inner = B.T @ B
        if scores == "regression":
            return _scaled(inverse_root, B @ linalg.inv(np.eye(len(T)) + inner) @ T.T)
        if np.linalg.matrix_rank(inner, hermitian=True) < len(T):
            raise InputError(f"{scores} scores need {len(T)} factors with loadings; use regression")
        if scores == "bartlett":
            return _scaled(inverse_root, B @ linalg.inv(inner) @ T.T)
        phi_root = linalg.sqrtm(T @ T.T).real
        turned = B @ linalg.solve(T, phi_root)
        implied = turned @ linalg.inv(np.eye(len(T)) + turned.T @ turned)
        return self._correlation_preserving(_scaled(inverse_root, implied), phi_root)

    def _correlation_preserving(self, V: Matrix, phi_root: Matrix) -> Matrix:
        """Return V (VᵀSV)^-½ Φ^½, V being S⁻¹ΛΦ^½ of the S observed, or Σ⁻¹ΛΦ^½ as it is given.

        That is what it stays where no S was kept, or it is singular.
        """
        varies, S = self._noise() > 0, vars(self).get("covariance_", self.get_covariance())
        S = S[np.ix_(varies, varies)]
        D = np.sqrt(np.diag(S))[:, None]
        R, weights = S / D / D.T, np.zeros_like(V)
        values = linalg.eigvalsh(R)
        regular = values[0] > SINGULAR * values[-1]
        V = linalg.solve(R, self.loadings_[varies] @ phi_root / D) / D if regular else V[varies]
        weights[varies] = V @ linalg.inv(linalg.sqrtm(V.T @ S @ V).real) @ phi_root
        return weights

    def n_parameters(self) -> int:
        """Return how many numbers were learnt: mean, loadings and noise."""
        return int(self.components_.size + self.mean_.size + np.size(self.noise_variance_))

    def likelihoods(self, data: Dataset) -> dict[str, float]:
        """Return the exact likelihood of test data."""
        from latentia.models import measures

        return measures.density(self.score_samples, data)

    def pictures_of_parameters(self, names: Sequence[str] = ()) -> Iterator[Picture]:
        """Yield the loadings; of images above images made of random factors."""
        from latentia.models import figures

        images = len(self.data_shape_) > 1
        drawn = self.sample(10, 0, noise=False) if images else None
        yield figures.loadings(
            self, names, None if drawn is None else channels_first(drawn, self, reset=True)
        )

    def score_samples(self, X: ArrayLike) -> NDArray[Any]:
        """Return the exact log-density of each row, (n,), in nats, summed over its values.

        Constant columns are left out; of rows with gaps, the density is that of the values seen.
        """
        check_is_fitted(self)
        array = self.checked(X, reset=False)
        chunks = (array[first : first + CHUNK] for first in range(0, array.shape[0], CHUNK))
        return np.concatenate([self._log_densities(_rows(chunk)) for chunk in chunks])

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Return the mean exact log-likelihood, in nats per sample."""
        return float(self.score_samples(X).mean())

    def mean_log_likelihood(self, S: Matrix, varies: NDArray[np.bool_]) -> float:
        """Return −½ (p log 2π + log|Σ| + tr Σ⁻¹S), by the identities at the top."""
        _, B = self._whitened()
        noise = self._noise()
        # Rows of constant columns are 0, and drop out.
        scaled = np.divide(B, np.sqrt(noise)[:, None], out=np.zeros_like(B), where=B != 0)
        M = np.eye(B.shape[1]) + B.T @ B
        explained = np.trace(np.linalg.solve(M, scaled.T @ (S @ scaled)))
        logs = np.log(noise[varies]).sum() + np.linalg.slogdet(M)[1]
        objective = logs + (np.diag(S)[varies] / noise[varies]).sum() - explained
        return float(-0.5 * (varies.sum() * LOG_2PI + objective))

    def sample(
        self, n_samples: Count = 1, random_state: Seed | None = None, *, noise: bool = True
    ) -> NDArray[np.float32]:
        """Draw new data: ``z ~ N(0, Φ)``, ``x = μ + Λz + ε``.

        Parameters
        ----------
        n_samples
            How many, at least 1.
        random_state
            Makes the draw repeatable.
        noise
            Without it, ε is left out: the factors' part alone, which on images is smooth.

        Returns
        -------
        X
            (n_samples, ...) float32, or float64 of sizes beyond 1e±30; images may leave [0, 1], as
            the Gaussian does.
        """
        check_arguments(LinearGaussian.sample, locals())
        check_is_fitted(self)
        draw = seeded(random_state)
        T = linalg.cholesky(self._factor_correlations(), lower=True)
        with within_memory(f"for {n_samples} samples"):
            z_NK = draw.standard_normal((n_samples, self.n_latent)) @ T.T
            x_ND = z_NK @ self.loadings_.T + self.mean_
            if noise:
                x_ND += draw.standard_normal(x_ND.shape) * np.sqrt(self._noise())
        plain = unit_of(float(np.abs(x_ND).max())) == 1
        X: NDArray[Any] = x_ND.astype(np.float32 if plain else np.float64)
        return np.asarray(in_kind_of(None, X.reshape(n_samples, *self.data_shape_), self))

    def _encode_array(self, X: NDArray[Any]) -> NDArray[Any]:
        weights = self.score_weights(self._scores())
        chunks = (X[first : first + CHUNK] for first in range(0, X.shape[0], CHUNK))
        codes = [self._filled(_rows(chunk) - self.mean_) @ weights for chunk in chunks]
        Z: NDArray[Any] = np.concatenate(codes).astype(_kind(X.dtype), copy=False)
        return Z

    def _decode_array(self, Z: NDArray[Any]) -> NDArray[Any]:
        X: NDArray[Any] = (Z @ self.loadings_.T + self.mean_).astype(_kind(Z.dtype), copy=False)
        return X.reshape(len(Z), *self.data_shape_)

    def exported(self) -> tuple[Exported, ...]:
        """Return what ``transform`` does, of rows without gaps, and ``inverse_transform``."""
        deviation = np.sqrt(np.diag(self.get_covariance()))
        weights = self.score_weights(self._scores())
        return linear_coders(self, weights, self.loadings_.T, deviation)

    def _whitened(self) -> tuple[Matrix, Matrix]:
        """Return T and B = Ψ^-½ Λ T, whose rows are 0 for constant columns."""
        T = linalg.cholesky(self._factor_correlations(), lower=True)
        root = np.sqrt(self._noise())[:, None]
        return T, np.divide(
            self.loadings_ @ T, root, out=np.zeros_like(self.loadings_), where=root > 0
        )

    def _log_densities(self, X_ND: Matrix) -> Vector:
        varies = self._noise() > 0
        found = np.empty(len(X_ND))
        for seen, rows in _patterns(X_ND):
            found[rows] = self._log_density(X_ND[rows], seen & varies)
        return found

    def _log_density(self, X_ND: Matrix, columns: NDArray[np.bool_]) -> Vector:
        """Return log N(x; μ, Σ) over some columns, by the identities at the top."""
        noise = self._noise()[columns]
        B = self._whitened()[1][columns]
        y = (X_ND[:, columns] - self.mean_[columns]) / np.sqrt(noise)
        factor = linalg.cholesky(np.eye(B.shape[1]) + B.T @ B, lower=True)
        explained = linalg.solve_triangular(factor, (y @ B).T, lower=True)
        log_determinant = np.log(noise).sum() + 2 * np.log(np.diag(factor)).sum()
        unit = unit_of(float(np.abs(y).max(initial=0)))
        with np.errstate(over="ignore"):
            # A density too small for a number is −inf, and no difference of infinities.
            distance = ((y / unit) ** 2).sum(axis=1) - ((explained / unit) ** 2).sum(axis=0)
            distance = distance * unit * unit
        density: Vector = -0.5 * (len(noise) * LOG_2PI + log_determinant + distance)
        return density

    def _filled(self, centred_ND: Matrix) -> Matrix:
        """Replace NaN by its expectation given the rest of its row, Λ E[z | seen]."""
        if not np.isnan(centred_ND).any():
            return centred_ND
        T, B = self._whitened()
        root = np.sqrt(self._noise())
        y = np.divide(centred_ND, root, out=np.zeros_like(centred_ND), where=root > 0)
        whole = centred_ND.copy()
        for seen, rows in _patterns(centred_ND):
            B_seen = B[seen]
            inner = np.eye(len(T)) + B_seen.T @ B_seen
            z = linalg.solve(inner, (y[np.ix_(rows, seen)] @ B_seen).T, assume_a="pos").T
            whole[np.ix_(rows, ~seen)] = z @ (self.loadings_ @ T)[~seen].T
        return whole


def _patterns(X_ND: Matrix) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.intp]]]:
    """Yield (columns seen, rows that see just these)."""
    seen = ~np.isnan(X_ND)
    if seen.all():
        yield np.ones(X_ND.shape[1], dtype=bool), np.arange(len(X_ND))
        return
    patterns, labels = np.unique(seen, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        yield pattern, np.flatnonzero(labels.ravel() == number)


def _scaled(rows: Vector, matrix: Matrix) -> Matrix:
    scaled: Matrix = rows[:, None] * matrix
    return scaled


def _rows(X: Any) -> Matrix:
    """Return flattened, dense rows in float64."""
    if sparse.issparse(X):
        return np.asarray(X.toarray(), dtype=np.float64)
    rows: Matrix = unit_floats(X).reshape(len(X), -1).astype(np.float64, copy=False)
    return rows


def _kind(dtype: np.dtype[Any]) -> type[np.floating[Any]]:
    return np.float64 if dtype == np.float64 else np.float32
