"""Deep embedded clustering: the encoder and the centres move until the clusters are sharp.

    q_ij ∝ (1 + ‖z_i − μ_j‖²/α)^(−(α+1)/2)                                  ([1]_ eq. 1)
    L = KL(P ‖ Q) = Σ_i Σ_j p_ij log(p_ij/q_ij)                             ([1]_ eq. 2)
    p_ij ∝ q_ij²/f_j,  f_j = Σ_i q_ij                                       ([1]_ eq. 3)

    1  train an autoencoder, find centres μ_j by k-means in its codes       ([1]_ section 3.2)
    2  every ``update_interval`` steps:  P from Q of all training data      (eq. 3)
    3  step encoder and centres down  L                                     (eq. 2)
    4  end when fewer than ``tolerance`` of the samples change clusters from one P to the next

The centres may also start at the means of a mixture of Gaussians, which finds clusters that are
long or of unequal width too. P is held fixed between two computations; for held-out data it follows
from their own Q. Losses are averaged over samples. The decoder stays what it was, so that
reconstructions get worse as the codes move; `latentia.models.clustering.idec` keeps them.

Shapes: ``x`` is (N, C, H, W) or (N, d), ``z_NK`` is (N, n_components), Q and P (N, n_clusters).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latentia.errors import Count, Positive, Shapes, Share
from latentia.models.autoencoders.base import AutoencodingModel
from latentia.models.clustering.base import gaussian_mixture, k_means
from latentia.models.clustering.pretraining import PretrainedClustering
from latentia.models.inputs import Labels
from latentia.training.batches import Source
from latentia.training.device import full_precision
from latentia.training.run import Numbers
from latentia.training.train import evaluating
from latentia.training.updates import Update, adam, name_of, sgd

CHUNK = 4096
HELD_OUT = -1
"""The row number of a sample that is not in the training data."""


class StudentClusters(nn.Module):
    """Soft assignments Q to centres by Student's t (eq. 1), and the targets P of training data.

    ``centers`` are μ, (n_clusters, n_components), and ``degrees_of_freedom`` α. ``target`` is P,
    (n_rows, n_clusters), a row for each sample of the training data; ``changed`` the share of these
    in other clusters than by the P before, where a tolerance asks for it.
    """

    target: Tensor
    changed: Tensor

    def __init__(self, centers: Tensor, degrees_of_freedom: float, n_rows: int) -> None:
        super().__init__()
        self.centers = nn.Parameter(centers)
        self.degrees_of_freedom = degrees_of_freedom
        self.register_buffer("target", torch.zeros(n_rows, len(centers)))

    def forward(self, z_NK: Tensor) -> Tensor:
        """Return (N, n_clusters) ``log q_ij``, q_ij ∝ (1 + ‖z_i − μ_j‖²/α)^(−(α+1)/2)."""
        alpha, z_NK = self.degrees_of_freedom, full_precision(z_NK)
        distances = (z_NK[:, None] - self.centers).square().sum(-1)
        return (-0.5 * (alpha + 1) * (distances / alpha).log1p()).log_softmax(1)


def divergence(p: Tensor, log_q: Tensor) -> Tensor:
    """Return the mean over samples of Σ_j p_ij log(p_ij/q_ij) (eq. 2), where 0 log 0 = 0."""
    return (torch.xlogy(p, p) - p * log_q).sum(1).mean()


def target_distribution(q: Tensor) -> Tensor:
    """Return P, (N, n_clusters): p_ij = (q_ij²/f_j) / Σ_j' (q_ij'²/f_j') (eq. 3)."""
    weight = q.square() / q.sum(0)
    return weight / weight.sum(1, keepdim=True)


@dataclass(eq=False, repr=False, kw_only=True)
class SelfTraining(PretrainedClustering, AutoencodingModel):
    """Centres in the latent space, and targets that sharpen the assignments to them."""

    architecture: Annotated[
        Literal["auto", "mlp", "convolutional"], Shapes("encoder", "decoder")
    ] = "auto"
    """The nets: fully connected, convolutional, or what suits the data."""
    degrees_of_freedom: Positive = 1.0
    """α of Student's t; the papers' is 1."""
    update_interval: Count = 140
    """Steps between two computations of the targets P."""
    first_centers: Literal["k_means", "mixture"] = "k_means"
    """Where the centres start: k-means' (the papers'), or the means of a mixture of Gaussians."""
    tolerance: Share = 0.0
    """Share of samples that change clusters below which training ends; the papers' is 0.001."""

    lacks = {"sample": "an autoencoder has no prior over its latent space; use VaDE"}

    def targets(self, y: Labels, n_rows: int, *, reset: bool) -> NDArray[Any]:
        """Return each sample's row number in the training data, by which the losses find its P."""
        return np.arange(n_rows) if reset else np.full(n_rows, HELD_OUT)

    def find_clusters(self, codes: NDArray[Any], array: NDArray[Any]) -> None:
        """Find the first centres μ (step 1)."""
        if self.first_centers == "k_means":
            centers: NDArray[Any] = k_means(codes, self.n_clusters, self.seed_)
        else:
            _, centers, _ = gaussian_mixture(codes, self.n_clusters, self.seed_)
        self._centers = torch.tensor(centers, dtype=torch.float32)

    def learn_scale(self, source: Source) -> None:
        """Keep the training data at hand, for P."""
        super().learn_scale(source)
        self._source = source

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the nets and the centres."""
        super().build(shape)
        centers = torch.zeros(self.n_clusters, self.n_components)
        if self.start is not None:
            centers = self._centers
        n_rows = len(self._source) if "_source" in vars(self) else 0
        self.clustering_ = StudentClusters(centers, self.degrees_of_freedom, n_rows)
        if n_rows and self.tolerance:
            # In the checkpoints: a run that goes on ends where an undisturbed one does.
            self.clustering_.register_buffer("changed", torch.ones(()))

    def assign(self, x: Tensor) -> Tensor:
        """Return Q, (N, n_clusters) (eq. 1)."""
        q: Tensor = self.clustering_(self.encode(x)).exp()
        return q

    def update_targets(self, step: int, n_steps: int) -> None:
        """Compute P from all training data, when it is due (step 2)."""
        if step % self.update_interval:
            return
        target = self.clustering_.target
        chunks = np.array_split(np.arange(len(target)), -(-len(target) // CHUNK))
        with torch.no_grad(), evaluating(self.nets()):
            batches = (self._source.batch(rows)[0].to(target.device) for rows in chunks)
            p = target_distribution(torch.cat([self.assign(x) for x in batches]))
            if step and self.tolerance:
                changed = p.argmax(1) != target.argmax(1)
                self.clustering_.changed.copy_(changed.float().mean())
            target.copy_(p)

    @property
    def done(self) -> str:
        """Why training ends after this epoch: so few samples changed clusters (step 4)."""
        changed = float(self.clustering_.changed) if self.tolerance else 1.0
        less = changed < self.tolerance
        return f"{changed:.2%} of the samples changed clusters: fewer than tolerance" * less

    def clustering_loss(self, z_NK: Tensor, rows: Tensor) -> Tensor:
        """Return KL(P ‖ Q) in nats, averaged over samples, P held fixed (step 3)."""
        log_q: Tensor = self.clustering_(z_NK)
        if rows[0] == HELD_OUT:
            return divergence(target_distribution(log_q.detach().exp()), log_q)
        return divergence(self.clustering_.target[rows], log_q)

    def after_training(self, array: NDArray[Any], y: Labels) -> None:
        """Keep the clusters of the training data, and drop what only the training needed."""
        super().after_training(array, y)
        self.clustering_.target = self.clustering_.target[:0].clone()
        if self.tolerance:
            del self.clustering_.changed
        del self._source
        self.__dict__.pop("_centers", None)

    @property
    def cluster_centers_(self) -> NDArray[np.float32]:
        """(n_clusters, n_components) centres μ."""
        return self.clustering_.centers.detach().numpy()


@dataclass(eq=False, repr=False, kw_only=True)
class DEC(SelfTraining):
    """Deep embedded clustering: k-means in codes, sharpened by self-training [1]_.

    ``predict`` gives the cluster, ``predict_proba`` the soft assignment Q, ``transform`` the code,
    ``score`` minus the squared error per sample.

    Attributes
    ----------
    encoder_, decoder_, clustering_
        The nets, and the module that holds the centres.
    labels_
        (n,) clusters of the training data.
    cluster_centers_
        (n_clusters, n_components) μ.
    seed_
        The seed that was used.

    References
    ----------
    .. [1] J. Xie, R. Girshick, A. Farhadi, "Unsupervised Deep Embedding for Clustering Analysis",
       ICML 2016.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(60, 4)) + np.repeat([[0], [9], [18]], 20, axis=0)
    >>> brief = {"hidden": (16,), "pretrain_epochs": 40, "n_epochs": 10}
    >>> model = DEC(n_components=2, n_clusters=3, random_state=0, **brief)
    >>> np.bincount(model.fit_predict(X)).tolist(), model.predict_proba(X).shape
    ([20, 20, 20], (60, 3))
    """

    learning_rate: Positive = 0.01
    """The optimiser's step size."""
    optimizer: Literal["sgd", "adam"] = "sgd"
    """Stochastic gradient descent with momentum 0.9, or Adam."""

    def updates(self) -> list[Update]:
        """Move the encoder and the centres by one loss."""
        kind = adam if self.optimizer == "adam" else sgd
        optimizer = partial(kind, learning_rate=self.learning_rate)
        nets, before = [self.encoder_, self.clustering_], self.update_targets
        name = name_of(self.loss, "clustering")
        return [Update(name, self.loss, nets, before=before, optimizer=optimizer)]

    def checkup(
        self, x: Tensor, *targets: Tensor, means: Numbers, earlier: Sequence[Numbers], epoch: int
    ) -> tuple[dict[str, float], str]:
        """Find nothing: reconstructions are not trained, and the loss rises as P sharpens."""
        return {}, ""

    def loss(self, x: Tensor, rows: Tensor) -> Tensor:
        """Return KL(P ‖ Q) (eq. 2)."""
        return self.clustering_loss(self.encode(self.seen(x)), rows)
