"""Principal component analysis: the best linear latent space in squared error.

    S = (X − μ)ᵀ(X − μ) / (n − 1) = V Λ Vᵀ,  λ₁ ≥ λ₂ ≥ …     (eigenvectors of the covariance)
    z = Vₖᵀ(x − μ),  x̂ = Vₖ z + μ                            (projection, reconstruction)

Shapes: ``X_ND`` is (n, d), images flattened; ``components_`` is (k, d), Vₖᵀ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg
from sklearn.utils.extmath import randomized_svd

from latentia.base import LatentModel, Transformer, unit_floats
from latentia.errors import InputError
from latentia.parameters import check_range

CHUNK = 8192
GRAM_LIMIT = 4096


@final
@dataclass(eq=False, repr=False, kw_only=True)
class PCA(Transformer, LatentModel):
    """Principal component analysis, in closed form [1]_ or randomised [2]_.

    ``transform`` projects, ``inverse_transform`` maps back, ``reconstruct`` is the projection onto
    the principal subspace, ``score`` is minus the squared error per sample. Each component's
    largest loading is positive, so that the signs are reproducible.

    Attributes
    ----------
    components_
        (n_components_, d) orthonormal rows, by decreasing variance.
    explained_variance_, explained_variance_ratio_
        (n_components_,) variances along them, and their shares of the total.
    singular_values_
        (n_components_,) of the centred data.
    mean_
        (d,).
    noise_variance_
        The mean variance of the directions left out.

    Raises
    ------
    InputError
        From ``fit``, for a bad parameter, or more components than min(n, d).

    References
    ----------
    .. [1] H. Hotelling, "Analysis of a complex of statistical variables into principal
       components", Journal of Educational Psychology, 1933, section 4.
    .. [2] N. Halko, P. G. Martinsson, J. A. Tropp, "Finding structure with randomness", SIAM
       Review 2011, algorithm 4.4.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 5)) * [3, 2, 1, 1, 1]
    >>> PCA(n_components=2).fit(X).transform(X).shape
    (100, 2)
    """

    n_components: int | None = None
    """How many components to keep; none keeps min(n, d)."""
    whiten: bool = False
    """Scale each latent coordinate to unit variance."""
    solver: Literal["auto", "exact", "randomized"] = "auto"
    """Exact decomposition or a randomised one; auto is exact unless both sides are large."""
    n_iterations: int = 7
    """Power iterations of the randomised solver."""
    random_state: int | None = None
    """Seed of the randomised solver."""

    lacks = {"sample": "PCA has no density; use probabilistic PCA, factor analysis or a VAE"}

    @property
    def n_latent(self) -> int:
        """The number of components kept."""
        return self.n_components_

    def check_values(self) -> None:
        """Raise InputError for a hyperparameter out of its range."""
        check_range("n_components", self.n_components, 1)
        check_range("n_iterations", self.n_iterations, 0)
        check_range("random_state", self.random_state, 0, 2**32 - 1)

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Find the principal components of (n, d) tables or of images, which are flattened."""
        self.validate_parameters()
        X_ND = _rows(self._incoming(X, reset=True))
        n, d = X_ND.shape
        k = min(n, d) if self.n_components is None else self.n_components
        if k > min(n, d):
            raise InputError(
                f"n_components is {k}; {n} samples of {d} values have at most {min(n, d)}"
            )
        self.n_components_ = k
        self.mean_, total = _mean_and_total_variance(X_ND)
        variances, components = self._decompose(X_ND, k)
        self._keep(variances, components, total, n, X_ND.dtype)
        return self

    def _decompose(self, X_ND: NDArray[Any], k: int) -> tuple[NDArray[Any], NDArray[Any]]:
        n, d = X_ND.shape
        large = min(n, d) > GRAM_LIMIT
        if self.solver == "randomized" or (self.solver == "auto" and large and 5 * k < min(n, d)):
            centred = _unit(X_ND) - self.mean_
            _, singular, components = randomized_svd(
                centred, k, n_iter=self.n_iterations, random_state=self.random_state
            )
            return singular**2 / max(1, n - 1), components
        if d > n or d > GRAM_LIMIT:
            _, singular, components = linalg.svd(_unit(X_ND) - self.mean_, full_matrices=False)
            return singular[:k] ** 2 / max(1, n - 1), components[:k]
        values, vectors = linalg.eigh(_covariance(X_ND, self.mean_), subset_by_index=(d - k, d - 1))
        return values[::-1].clip(min=0), vectors[:, ::-1].T

    def _keep(
        self,
        variances: NDArray[Any],
        components: NDArray[Any],
        total: float,
        n: int,
        dtype: np.dtype[Any],
    ) -> None:
        largest = np.abs(components).argmax(axis=1)
        signs = np.sign(components[np.arange(len(components)), largest])
        left_out = min(n - 1, components.shape[1]) - len(variances)
        kind = np.float64 if dtype == np.float64 else np.float32
        self.components_ = (components * signs[:, None]).astype(kind)
        self.explained_variance_ = variances.astype(kind)
        shares = variances / total if total > 0 else np.zeros_like(variances)
        self.explained_variance_ratio_ = shares.astype(kind)
        self.singular_values_ = np.sqrt(variances * max(1, n - 1)).astype(kind)
        rest = max(0.0, float(total - variances.sum()))
        self.noise_variance_ = rest / left_out if left_out > 0 else 0.0
        self.mean_ = self.mean_.astype(kind)

    def _scales(self) -> NDArray[Any]:
        if not self.whiten:
            return np.ones_like(self.explained_variance_)
        scales = np.sqrt(self.explained_variance_)
        return np.where(scales > 0, scales, 1).astype(scales.dtype)

    def _encode_array(self, X: NDArray[Any]) -> NDArray[Any]:
        X_ND = _rows(X)
        chunks = (X_ND[i : i + CHUNK] for i in range(0, len(X_ND), CHUNK))
        codes = [(unit_floats(chunk) - self.mean_) @ self.components_.T for chunk in chunks]
        whitened: NDArray[Any] = np.concatenate(codes) / self._scales()
        return whitened.astype(_kind(X.dtype), copy=False)

    def _decode_array(self, Z: NDArray[Any]) -> NDArray[Any]:
        X_ND = (Z * self._scales()) @ self.components_ + self.mean_
        X: NDArray[Any] = X_ND.astype(_kind(Z.dtype), copy=False)
        return X.reshape(len(Z), *self.data_shape_)

    def truncated(self, n_components: int) -> PCA:
        """Return the fitted model with only its first components, without fitting anew."""
        check_range("n_components", n_components, 1, self.n_components_)
        model = PCA(n_components=n_components, whiten=self.whiten)
        model.data_shape_, model.mean_ = self.data_shape_, self.mean_
        model.n_components_ = n_components
        model.components_ = self.components_[:n_components]
        model.explained_variance_ = self.explained_variance_[:n_components]
        return model

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Return minus the mean over samples of ``‖x − x̂‖²`` (higher is better)."""
        return self.negative_squared_error(X)


def _rows(X: NDArray[Any]) -> NDArray[Any]:
    return X.reshape(len(X), -1)


def _kind(dtype: np.dtype[Any]) -> type[np.floating[Any]]:
    return np.float64 if dtype == np.float64 else np.float32


def _unit(X_ND: NDArray[Any]) -> NDArray[np.float64]:
    """Return rows as float64, uint8 divided by 255."""
    return X_ND / 255.0 if X_ND.dtype == np.uint8 else X_ND.astype(np.float64)


def _mean_and_total_variance(X_ND: NDArray[Any]) -> tuple[NDArray[np.float64], float]:
    n = len(X_ND)
    starts = range(0, n, CHUNK)
    mean = sum(_unit(X_ND[i : i + CHUNK]).sum(axis=0) for i in starts) / n
    squares = sum(float(((_unit(X_ND[i : i + CHUNK]) - mean) ** 2).sum()) for i in starts)
    return np.asarray(mean, dtype=np.float64), squares / max(1, n - 1)


def _covariance(X_ND: NDArray[Any], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (d, d) covariance, accumulated in float64 block by block."""
    total = np.zeros((X_ND.shape[1], X_ND.shape[1]))
    for i in range(0, len(X_ND), CHUNK):
        centred = _unit(X_ND[i : i + CHUNK]) - mean
        total += centred.T @ centred
    return total / max(1, len(X_ND) - 1)
