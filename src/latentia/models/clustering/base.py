"""What deep clustering shares: an encoder, clusters of its codes, and scikit-learn's verbs.

Images may be distorted in training, as in X. Guo, E. Zhu, X. Liu, J. Yin, "Deep Embedded Clustering
with Data Augmentation", ACML 2018, section 3: a digit that is turned a little stays that digit.

Shapes: ``X`` is (n, d) or images, codes are (n, n_components), labels (n,) whole numbers from 0.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import ClusterMixin
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.utils.validation import check_is_fitted
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from latentia.data.dataset import Dataset
from latentia.errors import Count, FitWarning, InputError, NonNegative, Shapes
from latentia.models.exported import Exported, Quantity, into_nets
from latentia.models.inputs import Rows, in_kind_of
from latentia.training import draws

STARTS = 20
"""Runs of k-means or EM, of which the best is kept: the papers' number."""
MOST_CODES = 20_000
LEAST_SHARE = 1e-3
"""Of the codes' variance, added to each Gaussian's, lest one collapse onto a sample."""

MOST = (0.25, 0.3, 0.15, 0.15, 1 / 7, 1 / 7)
"""A distortion of 1: radians, shear, growth in x and in y, and moves in x and y, in half sides."""

Mixture = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


@dataclass(eq=False, repr=False, kw_only=True)
class DeepClustering(ClusterMixin, ABC):  # type: ignore[misc]
    """What makes an `AutoencodingModel` a clustering: its codes fall into clusters."""

    n_components: Count = 10
    """Size of the latent space."""
    hidden: Annotated[tuple[Count, ...], Shapes("encoder", "decoder")] = (500, 500, 2000)
    """Widths of the encoder's fully connected layers; the decoder mirrors them."""
    activation: Annotated[
        Literal["auto", "leaky_relu", "relu", "tanh", "sigmoid", "elu"],
        Shapes("encoder", "decoder"),
    ] = "relu"
    """Between layers; auto is LeakyReLU 0.2 in fully connected nets and ReLU in convolutional."""
    n_clusters: Count = 10
    """Number of clusters."""
    distortion: NonNegative = 0.0
    """How far training images are turned, slanted, resized and moved before they are encoded; at 1
    by up to 14 degrees, 0.3, 15 % and a 14th of the sides."""

    usual_batches: ClassVar[tuple[int, int]] = (32, 256)

    @property
    def may_start_linear(self) -> bool:
        """Whether the nets start from PCA: those of an autoencoder that is trained first do not."""
        return False

    def before_nets(
        self, array: NDArray[Any], y: Any, run: Path | None, progress: bool | None
    ) -> None:
        """Refuse fewer samples than clusters, and to distort what is no image."""
        if len(array) < self.n_clusters:
            raise InputError(
                f"n_clusters is {self.n_clusters} and X has n_samples = {len(array)}; give at "
                "least as many samples as clusters"
            )
        if self.distortion and array.ndim == 2:
            raise InputError(
                f"distortion is {self.distortion:g}, which turns and moves images; the data are a "
                "table: leave it 0"
            )

    def seen(self, x: Tensor) -> Tensor:
        """Return what is encoded of samples: in training distorted, elsewhere themselves."""
        training = vars(self)["encoder_"].training
        return distorted(x, self.distortion) if self.distortion and training else x

    @abstractmethod
    def assign(self, x: Tensor) -> Tensor:
        """Return (N, n_clusters) values, the largest for the cluster of each sample."""

    def exported(self) -> tuple[Exported, ...]:
        """Return what autoencoders do, and `cluster`, what ``predict_proba`` does."""
        autoencoder: Any = super()
        return (*autoencoder.exported(), self.exported_clusters())

    def exported_clusters(self) -> Exported:
        """Return the probabilities of the clusters."""
        words = "of each cluster"
        p = Quantity("p", "probabilities", (self.n_clusters,), words, 0.0, 1.0)

        def cluster(x: Tensor) -> Tensor:
            return self.assign(into_nets(self, x))

        return Exported("cluster", cluster, self.predict_proba, coders_input(self), (p,))

    def predict(self, X: Rows) -> Any:
        """Return the (n,) cluster of each sample of data shaped as in ``fit``."""
        check_is_fitted(self)
        return in_kind_of(X, self.labels_of(self.checked(X, reset=False)))

    def measure(self, data: Dataset, random_state: int = 0) -> dict[str, float]:
        """Return the figures of the fitted model; also whether clusters and classes agree."""
        from latentia.models import measures

        found: dict[str, float] = super().measure(data, random_state)
        return found | measures.clusters(self.predict, data)

    def labels_of(self, array: NDArray[Any]) -> NDArray[np.int64]:
        """Return the (n,) clusters of checked data."""
        labels: NDArray[np.int64] = self.apply("assign", array).argmax(axis=1)
        return labels


def distorted(x: Tensor, strength: float) -> Tensor:
    """Return (N, C, H, W) images, each distorted by its own uniform draws; outside is 0."""
    share = 2 * draws.uniform_like(x.new_zeros(len(x), len(MOST))) - 1
    turn, slant, *rest = (strength * share * x.new_tensor(MOST)).unbind(1)
    (wide, high, right, down), cos, sin = rest, turn.cos(), turn.sin()
    from_x = torch.stack([cos, sin], 1) * (1 + wide)[:, None]
    from_y = torch.stack([slant * cos - sin, slant * sin + cos], 1) * (1 + high)[:, None]
    map_N23 = torch.stack([from_x, from_y, torch.stack([right, down], 1)], 2)
    places = affine_grid(map_N23, list(x.shape), align_corners=False)
    return grid_sample(x, places, align_corners=False)


def coders_input(model: Any) -> tuple[Quantity, ...]:
    """Return the input of an exported function that clusters."""
    return (model.exported_data("what is clustered"),)


def k_means(codes: NDArray[Any], n_clusters: int, seed: int) -> NDArray[np.float32]:
    """Return the (n_clusters, k) centres that the best of twenty runs of k-means finds."""
    n_different = len(np.unique(codes, axis=0))
    if n_different < n_clusters:
        warnings.warn(
            f"n_clusters is {n_clusters} and the codes take only {n_different} different values: "
            "some clusters stay empty",
            FitWarning,
            stacklevel=2,
        )
    with warnings.catch_warnings():
        # It would say the same, and of each of its runs.
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = KMeans(n_clusters, n_init=STARTS, random_state=seed).fit(codes)
    centers: NDArray[np.float32] = found.cluster_centers_.astype(np.float32)
    return centers


def gaussian_mixture(codes: NDArray[Any], n_clusters: int, seed: int) -> Mixture:
    """Return weights (m,), means (m, k) and variances (m, k) of the likeliest of 20 runs of EM.

    EM fits whole covariances, of which the diagonals are returned: the axes of an autoencoder's
    codes are arbitrary, and clusters lie across them. It sees at most 20,000 codes, evenly spaced,
    and at least two, since one has no variance.
    """
    if len(codes) < 2:
        raise InputError("X has n_samples = 1; a mixture of Gaussians needs at least 2")
    rows = codes[:: -(-len(codes) // MOST_CODES)].astype(np.float64)
    model = GaussianMixture(n_clusters, reg_covar=least_variance(rows), tol=1e-4, max_iter=300)
    model.set_params(n_init=STARTS, random_state=seed)
    with warnings.catch_warnings():
        # The training goes on from here, also from a mixture that has not settled.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(rows)
    return model.weights_, model.means_, np.diagonal(model.covariances_, axis1=1, axis2=2)


def moments_of(codes: NDArray[Any], labels: NDArray[np.int64], n_clusters: int) -> Mixture:
    """Return weights (m,), means (m, k) and variances (m, k) of clusters that all have codes."""
    own = [codes[labels == c].astype(np.float64) for c in range(n_clusters)]
    weights = np.array([len(rows) / len(codes) for rows in own])
    variances = np.stack([rows.var(axis=0) for rows in own]) + least_variance(codes)
    return weights, np.stack([rows.mean(axis=0) for rows in own]), variances


def least_variance(codes: NDArray[Any]) -> float:
    """Return what is added to each Gaussian's variance."""
    return LEAST_SHARE * float(codes.var(axis=0).mean()) + float(np.finfo(np.float32).tiny)
