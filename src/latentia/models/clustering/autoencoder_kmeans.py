"""An autoencoder, then k-means on its codes: clusters that the codes happen to have.

    1  z = f(x), x̂ = g(z),  minimise the mean over samples of ‖x − x̂‖²
    2  find centres μ_j that minimise  Σ_i min_j ‖f(x_i) − μ_j‖²            ([1]_)

The nets may first be trained layer by layer, from the input on, as in DEC ([2]_ section 3.2; after
[3]_): of f's layer l, which sees the layers before it as they are by then, h₀ = x, and of g's that
mirrors it,

    h̃ = dropout(h_l−1),  u = f_l(h̃),  minimise the mean of ‖h_l−1 − g_l(dropout(u))‖²

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

from latentia.errors import Count, CountsWhen, InputError, Shapes, UpTo, Whole
from latentia.models.autoencoders.base import AutoencodingModel
from latentia.models.autoencoders.reconstruction import compared
from latentia.models.clustering.base import DeepClustering, coders_input, k_means
from latentia.models.exported import Exported, Quantity, into_nets
from latentia.models.inputs import Labels
from latentia.training import draws
from latentia.training.device import full_precision
from latentia.training.losses import squared_error
from latentia.training.updates import Update, name_of

DROPPED = 0.2
"""Of the values that a layer sees and gives when it is trained alone: the papers' share."""


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
    .. [2] J. Xie, R. Girshick, A. Farhadi, "Unsupervised Deep Embedding for Clustering Analysis",
       ICML 2016.
    .. [3] P. Vincent et al., "Stacked Denoising Autoencoders: Learning Useful Representations in a
       Deep Network with a Local Denoising Criterion", JMLR 2010, section 3.

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
    layerwise_epochs: Annotated[
        Whole,
        CountsWhen("architecture", ("mlp",)),
        Shapes("encoder"),
        Shapes("decoder"),
        UpTo("n_epochs"),
    ] = 0
    """The first epochs, in which one layer after the other, from the input on, is trained alone as
    a denoising autoencoder, in equal parts and at a constant step."""

    lacks = {
        "sample": "an autoencoder has no prior over its latent space; use VaDE",
        "predict_proba": "k-means assigns each sample to one cluster; use DEC, IDEC or VaDE",
    }

    def check_values(self) -> None:
        """Refuse to wait for held-out values while layers are trained alone."""
        super().check_values()
        if self.layerwise_epochs and self.patience is not None:
            raise InputError(
                f"patience is {self.patience} and layerwise_epochs is {self.layerwise_epochs}, in "
                "which held-out values say nothing of the layer in training: leave one of them out"
            )

    def updates(self) -> list[Update]:
        """Move both nets by one loss, or at first a layer of each."""
        before = self._choose_layer if self.layerwise_epochs else None
        name = name_of(self.loss, "reconstruction")
        return [Update(name, self.loss, [self.encoder_, self.decoder_], before=before)]

    def _choose_layer(self, step: int, n_steps: int) -> None:
        layer = step * (len(self.hidden) + 1) * self.n_epochs_ // (n_steps * self.layerwise_epochs)
        self._layer = layer if layer <= len(self.hidden) else None

    def rate_factor(self, done: float) -> float:
        """Return the learning rate's factor: 1 for layers alone, then by the schedule."""
        alone = self.layerwise_epochs / self.n_epochs_
        return 1.0 if done < alone else super().rate_factor((done - alone) / (1 - alone))

    def loss(self, x: Tensor) -> Tensor:
        """Compare a sample with what its code decodes to, or a layer's input with its mirror's."""
        layer = vars(self).get("_layer")
        if layer is not None and self.encoder_.training:
            return self.layer_loss(self.seen(x), layer)
        return compared(self, "mse", x, self.decoder_output(self.encode(self.seen(x))))

    def layer_loss(self, x: Tensor, layer: int) -> Tensor:
        """Return the error of one layer's input, from that layer and its mirror with dropout."""
        nets: Any = (self.encoder_, self.decoder_)
        encoder, decoder, mirror = nets[0][1], nets[1][0], len(self.hidden) - layer
        with torch.no_grad():
            h = encoder[: 2 * layer](self.standardisation_(x).flatten(1))
        u = encoder[2 * layer : 2 * layer + 2](dropout(h))
        output = decoder[2 * mirror : 2 * mirror + 2](dropout(u))
        if layer == 0:
            return compared(self, "mse", x, output.view_as(x))
        return squared_error(full_precision(h), full_precision(output))

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
        self.__dict__.pop("_layer", None)


def dropout(h: Tensor) -> Tensor:
    """Return values of which a fifth are 0 and the others so much larger that the mean stays."""
    return h * (draws.uniform_like(h) >= DROPPED) / (1 - DROPPED)
