"""An autoencoder, then k-means on its codes: clusters that the codes happen to have.

    1  z = f(x), x̂ = g(z),  minimise the mean over samples of ‖x − x̂‖²
    2  find centres μ_j that minimise  Σ_i min_j ‖f(x_i) − μ_j‖²            ([1]_)

Nothing asks the codes to fall into clusters; this is what DEC, IDEC and VaDE start from and what
they are measured against.

Shapes: ``x`` is (N, C, H, W) or (N, d), ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentia.errors import Count, CountsWhen, Shapes
from latentia.models.autoencoders.base import AutoencodingModel
from latentia.models.autoencoders.reconstruction import compared
from latentia.models.clustering.base import DeepClustering, coders_input, k_means
from latentia.models.exported import Exported, Quantity, into_nets
from latentia.models.inputs import Labels
from latentia.training.updates import Update, name_of


@dataclass(eq=False, repr=False, kw_only=True)
class AutoencoderKMeans(DeepClustering, AutoencodingModel):
    """Autoencoder whose codes are clustered by k-means [1]_.

    ``predict`` gives the cluster, ``transform`` the code, ``score`` minus the squared error per
    sample. A saved one can be the start of DEC, IDEC and VaDE.

    Attributes
    ----------
    encoder_, decoder_
        The nets.
    labels_
        (n,) clusters of the training data.
    cluster_centers_
        (n_clusters, n_components) μ.
    seed_
        The seed that was used.

    References
    ----------
    .. [1] S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information
       Theory 1982.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(60, 4)) + np.repeat([[0], [9], [18]], 20, axis=0)
    >>> brief = {"hidden": (16,), "n_epochs": 40}
    >>> model = AutoencoderKMeans(n_components=2, n_clusters=3, random_state=0, **brief)
    >>> np.bincount(model.fit_predict(X)).tolist(), model.cluster_centers_.shape
    ([20, 20, 20], (3, 2))
    """

    architecture: Annotated[
        Literal["auto", "mlp", "convolutional"], Shapes("encoder", "decoder")
    ] = "auto"
    """The nets: fully connected, convolutional, or what suits the data."""
    usual_steps = 6_500
    n_steps: Annotated[Count | None, CountsWhen("n_epochs", (None,))] = None
    """Training steps to take in whole passes over the data; none takes some 6,500."""

    lacks = {
        "sample": "an autoencoder has no prior over its latent space; use VaDE",
        "predict_proba": "k-means assigns each sample to one cluster; use DEC, IDEC or VaDE",
    }

    def updates(self) -> list[Update]:
        """Move both nets by one loss."""
        name = name_of(self.loss, "reconstruction")
        return [Update(name, self.loss, [self.encoder_, self.decoder_])]

    def loss(self, x: Tensor) -> Tensor:
        """Compare a sample with what its code decodes to."""
        return compared(self, "mse", x, self.decoder_output(self.encode(self.seen(x))))

    def assign(self, x: Tensor) -> Tensor:
        """Return minus the squared distances to the centres, (N, n_clusters)."""
        z_NK = self.encode(x)
        centers = torch.from_numpy(self.cluster_centers_).to(z_NK)
        return -(z_NK[:, None] - centers).square().sum(-1)

    def exported_clusters(self) -> Exported:
        """Return the squared distances of codes to the centres, the least that of the cluster."""
        d = Quantity("distances", "score", (self.n_clusters,), "squared, to each centre", 0.0)

        def cluster(x: Tensor) -> Tensor:
            return -self.assign(into_nets(self, x))

        def distances(X: NDArray[Any]) -> NDArray[Any]:
            gaps = self.transform(X)[:, None] - self.cluster_centers_
            squared: NDArray[Any] = np.square(gaps).sum(axis=-1)
            return squared

        return Exported("cluster", cluster, distances, coders_input(self), (d,))

    def after_training(self, array: NDArray[Any], y: Labels) -> None:
        """Cluster the codes of the training data."""
        super().after_training(array, y)
        self.cluster_centers_ = k_means(self.apply("encode", array), self.n_clusters, self.seed_)
        self.labels_ = self.labels_of(array)
