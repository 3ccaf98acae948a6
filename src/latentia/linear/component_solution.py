"""Principal components, rotated or not: projection, reconstruction and error of rows.

    z = Vₖᵀ(x − μ),  x̂ = Vₖ z + μ                            (projection, reconstruction)

Rotated, the loadings L = Vₖ Λₖ^½ turn to simple structure, and the scores with them:

    L ← L T⁻ᵀ,  Φ = TᵀT,   z = Tᵀ Λₖ^-½ Vₖᵀ (x − μ),  Cov(z) = Φ,  x̂ = L z + μ          (1)

Each rotated score has unit variance, as in R's ``psych::principal``; the reconstruction is that
of the same components unrotated, since L z is.

Shapes: ``X_ND`` is (n, d), images flattened; ``components_`` is (k, d), Vₖᵀ; T, Φ are (k, k).
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from latentia.base import LatentModel, Transformer, unit_floats
from latentia.errors import InputError
from latentia.linear.decomposition import Axes
from latentia.linear.solution import Turn

CHUNK = 8192
ROTATION_STARTS = 10
NO_VARIANCE = 1e-14


class ComponentSolution(Transformer, LatentModel):
    """Fitted principal components.

    Attributes
    ----------
    components_
        (n_components_, d) orthonormal rows by decreasing variance, never rotated.
    explained_variance_, explained_variance_ratio_
        (n_components_,) variances along them, and their shares of the total.
    singular_values_
        (n_components_,) of the centred data.
    mean_
        (d,).
    noise_variance_
        The mean variance of the directions left out.
    rotation_matrix_
        (n_components_, n_components_) T of equation (1), the identity without rotation.
    """

    whiten: bool
    rotation: str
    random_state: int | None
    n_components_: int
    explained_variance_ratio_: NDArray[Any]
    singular_values_: NDArray[Any]
    noise_variance_: float
    components_: NDArray[Any]
    explained_variance_: NDArray[Any]
    mean_: NDArray[Any]
    rotation_matrix_: NDArray[Any]

    @property
    def n_latent(self) -> int:
        """The number of components kept."""
        return self.n_components_

    @property
    def takes_sparse(self) -> bool:
        """Rows may be sparse, and stay so."""
        return True

    @property
    def loadings_(self) -> NDArray[Any]:
        """(d, k) L of equation (1): Vₖ Λₖ^½, rotated if that was asked for."""
        loadings: NDArray[Any] = self.components_.T * np.sqrt(self.explained_variance_)
        return loadings @ np.linalg.inv(self.rotation_matrix_).T

    @property
    def factor_correlations_(self) -> NDArray[Any]:
        """(k, k) Φ of equation (1), the correlations of the scores."""
        phi: NDArray[Any] = self.rotation_matrix_.T @ self.rotation_matrix_
        return phi

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that sparse rows are taken."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.takes_sparse
        return tags

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Return minus the mean over samples of ``‖x − x̂‖²`` (higher is better)."""
        check_is_fitted(self)
        if not sparse.issparse(X):
            return self.negative_squared_error(X)
        rows = sparse.csr_array(self._incoming(X, reset=False)).astype(np.float64)
        mean, V = self.mean_.astype(np.float64), self.components_.T.astype(np.float64)
        # By Pythagoras, as centred rows and their reconstructions would not be sparse.
        lengths = rows.multiply(rows).sum(axis=1) - 2 * (rows @ mean) + mean @ mean
        return float((np.square(rows @ V - mean @ V).sum() - lengths.sum()) / rows.shape[0])

    def _take(self, axes: Axes, n: int, weight: float, kind: Any) -> Self:  # noqa: ANN401
        """Take the axes up, their signs settled, in the precision of the data."""
        k, d = axes.components.shape
        largest = np.abs(axes.components).argmax(axis=1)
        signs = np.sign(axes.components[np.arange(k), largest])
        components = axes.components * signs[:, None]
        variances, total = axes.squares / max(1, weight - 1), axes.total / max(1, weight - 1)
        shares = variances / total if total > 0 else np.zeros_like(variances)
        left_out, rest = min(n - 1, d) - k, max(0.0, float(total - variances.sum()))
        self.rotation_matrix_ = self._turn(variances, components, n).astype(kind)
        self.n_components_ = k
        self.components_ = components.astype(kind)
        self.explained_variance_ = variances.astype(kind)
        self.explained_variance_ratio_ = shares.astype(kind)
        self.singular_values_ = np.sqrt(axes.squares).astype(kind)
        self.noise_variance_ = rest / left_out if left_out > 0 else 0.0
        self.mean_ = axes.mean.astype(kind)
        return self

    def _turn(self, variances: NDArray[Any], components: NDArray[Any], n: int) -> NDArray[Any]:
        if self.rotation == "none":
            return np.eye(len(variances))
        varying = int((variances > NO_VARIANCE * variances[0]).sum())
        if varying < len(variances):
            raise InputError(
                f"n_components is {len(variances)}, but {varying} components of the {n} sample(s) "
                "have variance; rotation needs it of all"
            )
        seed = self.random_state or 0
        loadings = components.T * np.sqrt(variances)
        return Turn(self.rotation, None, ROTATION_STARTS, seed).of(loadings).matrix

    def _scales(self) -> NDArray[Any]:
        """Return (k,) what the projections are divided by."""
        if not self.whiten and self.rotation == "none":
            return np.ones_like(self.explained_variance_)
        scales = np.sqrt(self.explained_variance_)
        return np.where(scales > 0, scales, 1).astype(scales.dtype)

    def _encode_array(self, X: Any) -> NDArray[Any]:  # noqa: ANN401
        weights = self.components_.T / self._scales()
        if self.rotation != "none":
            weights = weights @ self.rotation_matrix_
        Z: NDArray[Any]
        if sparse.issparse(X):
            Z = sparse.csr_array(X) @ weights - self.mean_ @ weights
            return Z.astype(precision_of(X), copy=False)
        X_ND = X.reshape(len(X), -1)
        chunks = (X_ND[first : first + CHUNK] for first in range(0, len(X_ND), CHUNK))
        codes = [(unit_floats(chunk) - self.mean_) @ weights for chunk in chunks]
        Z = np.concatenate(codes)
        return Z.astype(precision_of(X), copy=False)

    def _decode_array(self, Z: NDArray[Any]) -> NDArray[Any]:
        turned = np.linalg.solve(self.rotation_matrix_.T, Z.T).T if self.rotation != "none" else Z
        X_ND: NDArray[Any] = (turned * self._scales()) @ self.components_ + self.mean_
        return X_ND.astype(precision_of(Z), copy=False).reshape(len(Z), *self.data_shape_)


def precision_of(X: Any) -> type[np.floating[Any]]:  # noqa: ANN401
    """Return the precision of results: float32 for float32 data, and images not in float64."""
    word = str(getattr(X, "dtype", "float64"))
    images = getattr(X, "ndim", 2) > 2
    return (
        np.float32 if word.endswith("float32") or (images and "float64" not in word) else np.float64
    )
