"""Principal component analysis: the best linear latent space in squared error.

    S = (X − μ)ᵀ(X − μ) / (n − 1) = V Λ Vᵀ,  λ₁ ≥ λ₂ ≥ …     (eigenvectors of the covariance)
    z = Vₖᵀ(x − μ),  x̂ = Vₖ z + μ                            (projection, reconstruction)

With a rotation T of the loadings (`linear.rotation`) the scores are those of unit variance, turned:

    L = Vₖ Λₖ^½ (T⁻¹)ᵀ,  Φ = TᵀT                                                        (1)

How the components are found is in `linear.decomposition`.

Shapes: ``X_ND`` is (n, d), images flattened; ``components_`` is (k, d), Vₖᵀ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from latentia.data.dataset import Dataset
from latentia.errors import Count, CountsWhen, InputError, Seed, Whole, check_arguments, check_range
from latentia.models.base import Encoder, LatentModel
from latentia.models.exported import Exported, linear_coders
from latentia.models.inputs import Channels, reads_in_blocks, unit_floats
from latentia.models.linear.decomposition import Axes, axes_of_rows, axes_of_scatter
from latentia.models.linear.eigen import unit_of
from latentia.models.linear.moments import Moments
from latentia.models.linear.reading import read_moments, refuse_other, take_columns
from latentia.models.linear.rotation import RotationRule

if TYPE_CHECKING:
    from latentia.plots.page import Picture

CHUNK = 8192
ROTATION_STARTS = 10
NO_VARIANCE = 1e-14


MOST_COLUMNS = 4096
"""Of data that are read once through their d × d covariance, where there is a choice."""


@final
@dataclass(eq=False, repr=False, kw_only=True)
class PCA(Encoder, LatentModel):
    """Principal component analysis [1]_, in memory, in one pass over blocks, or of sparse rows.

    ``transform`` projects, ``inverse_transform`` maps back, ``reconstruct`` is the projection onto
    the principal subspace, ``score`` is minus the squared error per sample. Each component's
    largest loading is positive, so that the signs are reproducible.

    In float64 the subspace is that of an SVD to about 1e-8, unless components with less than 1e-6
    of the largest variance are kept of tall data (solver svd resolves them). float32 rows are
    multiplied in float32 and added in float64: to about 1e-6 of the largest variance over the gap.

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

    References
    ----------
    .. [1] H. Hotelling, "Analysis of a complex of statistical variables into principal
       components", Journal of Educational Psychology, 1933, section 4.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 5)) * [3, 2, 1, 1, 1]
    >>> PCA(n_components=2).fit(X).transform(X).shape
    (100, 2)
    """

    n_components: Count | None = None
    """How many components to keep; none keeps min(n, d)."""
    whiten: Annotated[bool, CountsWhen("rotation", ("none",))] = False
    """Scale each latent coordinate to unit variance; rotated ones have it anyway."""
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
    """Rotation of the loadings to simple structure; the last four let scores correlate."""
    solver: Literal["auto", "exact", "covariance", "gram", "svd", "krylov", "randomized"] = "auto"
    """Auto is the fastest accurate one; exact reduces fully; randomized stops early if k is few."""
    iterated_power: Annotated[Whole, CountsWhen("solver", ("randomized",))] = 7
    """Power iterations of the randomised solver."""
    random_state: Seed | None = 0
    """Seed of krylov, of randomized, and of the rotation's starts; none draws one."""

    linear = True
    lacks = {"sample": "PCA has no density; use probabilistic PCA, factor analysis or a VAE"}

    def fit(self, X: ArrayLike, y: object = None, *, channels: Channels = "first") -> Self:
        """Find the principal components; weighted rows are for ``partial_fit``.

        Parameters
        ----------
        X
            (n, d) table or (n, ...) images: array, data frame, tensor, SciPy sparse matrix, memory
            map or Dask array. Dask arrays, and maps with more rows than columns and at most 4096
            of these, are read once, block by block.
        y
            Ignored.
        channels
            Which axis of images holds the channels: first, (n, C, H, W), or last, (n, H, W, C). The
            fitted model then takes and gives images so.
        """
        with self.learning(channels=channels):
            self.validate_parameters()
            self._moments: Moments | None = None
            if hasattr(X, "to_delayed") or self._in_one_pass(X):
                return self._solve(read_moments(self, X), precision_of(X))
            X_ND = _float_rows(self.checked(X, reset=True))
            n, d = X_ND.shape
            k = self._rank(n, d)
            axes = axes_of_rows(X_ND, k, self.solver, self.iterated_power, self.random_state)
            return self._keep(axes, n, n, X_ND.dtype.type)

    def partial_fit(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Take up one more block of rows; the components are those of all rows since the first.

        The first block needs n_components rows. To decompose only once, at the end, gather
        `latentia.models.linear.moments.Moments` and use ``fit_moments``. Neither a ``fit`` nor a
        saved model is continued.

        Parameters
        ----------
        X
            As in ``fit``; the (d, d) covariance must fit into memory.
        y
            Ignored.
        sample_weight
            (n,) counts of each row, which sum to more than 1.
        """
        before: Moments | None = vars(self).get("_moments")
        with self.learning(afresh=before is None):
            self.validate_parameters()
            block = read_moments(self, X, sample_weight, reset=before is None)
            # A copy is added to: a block that is refused must leave no trace.
            gathered = block if before is None else Moments().merge(before).merge(block)
            self._solve(gathered, precision_of(X))
            self._moments = gathered
        return self

    def fit_moments(self, moments: Moments) -> Self:
        """Find the components of rows gathered in pieces, or over processes."""
        with self.learning():
            self.validate_parameters()
            self._moments = None
            refuse_other(moments, Moments, "PCA")
            take_columns(self, moments.sample_shape, moments.names)
            return self._solve(moments, np.float64)

    @property
    def n_latent(self) -> int:
        """The number of components kept."""
        return int(self.n_components_)

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

    def n_parameters(self) -> int:
        """Return how many numbers were learnt: mean and components."""
        return int(self.components_.size + self.mean_.size)

    def findings(self, data: Dataset) -> tuple[str, ...]:
        """Return the squared error of test samples by number of components, as a sentence."""
        sizes = [k for k in (2, 10, 30) if k <= self.n_components_]
        if self.rotation != "none" or not sizes:
            return ()
        errors = [f"{e:.2f} at {k}" for k, e in self.errors_by_size(data.x_test, sizes).items()]
        return (f"Squared error of test samples by number of components: {', '.join(errors)}.",)

    def errors_by_size(self, X: ArrayLike, sizes: Iterable[int]) -> dict[int, float]:
        """Return the mean of ``‖x − x̂‖²`` with so many of the fitted components, for each size."""
        return {k: -self.truncated(k).score(X) for k in sizes}

    def pictures(self, data: Dataset) -> Iterator[Picture]:
        """Yield pictures of what the fitted model makes of test data, and its spectrum."""
        from latentia.plots.latent_pictures import spectrum_picture

        yield from super().pictures(data)
        yield spectrum_picture(self.explained_variance_ratio_)

    def pictures_of_parameters(self, names: Sequence[str] = ()) -> Iterator[Picture]:
        """Yield the loadings as images."""
        from latentia.models import figures

        yield figures.loadings(self, names)

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Return minus the mean over samples of ``‖x − x̂‖²`` (higher is better)."""
        check_is_fitted(self)
        if not sparse.issparse(X):
            return self.negative_squared_error(X)
        rows = sparse.csr_array(self.checked(X, reset=False)).astype(np.float64)
        mean, V = self.mean_.astype(np.float64), self.components_.T.astype(np.float64)
        # By Pythagoras, as centred rows and their reconstructions would not be sparse.
        lengths = rows.multiply(rows).sum(axis=1) - 2 * (rows @ mean) + mean @ mean
        return float((np.square(rows @ V - mean @ V).sum() - lengths.sum()) / rows.shape[0])

    def _keep(self, axes: Axes, n: int, weight: float, kind: Any) -> Self:
        """Take the axes up, their signs settled, in the precision of the data."""
        k, d = axes.components.shape
        largest = np.abs(axes.components).argmax(axis=1)
        signs = np.sign(axes.components[np.arange(k), largest])
        components = axes.components * signs[:, None]
        variances, total = axes.squares / max(1, weight - 1), axes.total / max(1, weight - 1)
        shares = variances / total if total > 0 else np.zeros_like(variances)
        if kind is np.float32 and unit_of(float(variances[0])) != 1:
            # Their squares would leave float32.
            kind = np.float64
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
        loadings = components.T * np.sqrt(variances)
        rule = RotationRule(self.rotation, None, ROTATION_STARTS, self.random_state)
        return rule.of(loadings).matrix

    def _scales(self) -> NDArray[Any]:
        """Return (k,) what the projections are divided by."""
        if not self.whiten and self.rotation == "none":
            return np.ones_like(self.explained_variance_)
        scales = np.sqrt(self.explained_variance_)
        return np.where(scales > 0, scales, 1).astype(scales.dtype)

    def _encode_array(self, X: Any) -> NDArray[Any]:
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

    def exported(self) -> tuple[Exported, ...]:
        """Return what ``transform`` and ``inverse_transform`` do with dense rows."""
        T = self.rotation_matrix_.astype(np.float64)
        turned = np.linalg.inv(T) if self.rotation != "none" else T
        coding = self.components_.T / self._scales()
        coding = coding @ self.rotation_matrix_ if self.rotation != "none" else coding
        decoding = turned * self._scales() @ self.components_
        shares = np.square(self.components_)
        # The directions that were left out have the noise's variance each.
        left_out = (1 - shares.sum(axis=0)).clip(min=0) * self.noise_variance_
        variances = self.explained_variance_ @ shares + left_out
        return linear_coders(self, coding, decoding, np.sqrt(variances))

    def truncated(self, n_components: Count) -> PCA:
        """Return the fitted model with only its first components, without fitting anew."""
        check_arguments(PCA.truncated, locals())
        check_is_fitted(self)
        if self.rotation != "none":
            raise InputError(
                f"rotation is {self.rotation!r}, and rotated components depend on how many are "
                f"kept; fit PCA(n_components={n_components}, rotation={self.rotation!r}) anew"
            )
        check_range("n_components", n_components, 1, self.n_components_)
        model = PCA(n_components=n_components, whiten=self.whiten)
        model.data_shape_, model.mean_ = self.data_shape_, self.mean_
        model.n_components_ = n_components
        model.components_ = self.components_[:n_components]
        model.explained_variance_ = self.explained_variance_[:n_components]
        model.rotation_matrix_ = np.eye(n_components, dtype=self.mean_.dtype)
        return model

    def _in_one_pass(self, X: Any) -> bool:
        """Return whether moments in one pass are the best way to data that are not weighted."""
        given = reads_in_blocks(X) or str(getattr(X, "dtype", "")).endswith("uint8")
        if not given or sparse.issparse(X) or self.solver not in ("auto", "exact", "covariance"):
            return False
        return bool(np.prod(X.shape[1:]) <= min(X.shape[0], MOST_COLUMNS))

    def _rank(self, n: int, d: int) -> int:
        k = min(n, d) if self.n_components is None else self.n_components
        if k > min(n, d) or k < 1:
            raise InputError(
                f"n_components is {k}; {n} samples of {d} values have at most {min(n, d)}"
            )
        return int(k)

    def _solve(self, moments: Moments, kind: Any) -> Self:
        weight = moments.weight
        if moments.n_rows > 1 and weight <= 1:
            raise InputError(
                f"sample_weight sums to {weight:g}; weights count rows, so give more than 1 in all"
            )
        n = int(round(weight, 6))
        k = self._rank(n, moments.n_features)
        axes = axes_of_scatter(moments.covariance * weight, moments.mean, k)
        return self._keep(axes, n, weight, kind)


def precision_of(X: Any) -> type[np.floating[Any]]:
    """Return the precision of results: float32 for float32 data, and images not in float64."""
    word = str(getattr(X, "dtype", "float64"))
    images = getattr(X, "ndim", 2) > 2
    return (
        np.float32 if word.endswith("float32") or (images and "float64" not in word) else np.float64
    )


def _float_rows(X: Any) -> Any:
    """Return (n, d) rows in float64 or float32, sparse ones as they are."""
    rows = sparse.csr_array(X) if sparse.issparse(X) else unit_floats(X).reshape(len(X), -1)
    return rows if rows.dtype in (np.float64, np.float32) else rows.astype(np.float32)
