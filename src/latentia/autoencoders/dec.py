"""Deep embedded clustering: the encoder and the centres move until the clusters are sharp.

    1  train an autoencoder, find centres μ_j by k-means in its codes       ([1]_ section 3.2)
    2  every ``update_interval`` steps:  P from Q of all training data      (eq. 3)
    3  step encoder and centres down  KL(P ‖ Q)                             (eq. 2)

with Q, P and the loss as in `latentia.autoencoders.self_training`. The decoder stays what it was,
so that reconstructions get worse as the codes move; `latentia.autoencoders.idec` keeps them.

Shapes: ``x`` is (N, C, H, W) or (N, d), ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal, final

from torch import Tensor

from latentia.autoencoders.self_training import SelfTraining
from latentia.updates import Update, adam, sgd


@final
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

    Raises
    ------
    InputError
        From ``fit``, for a bad parameter or data, fewer samples than clusters, or a ``pretrained``
        folder without an autoencoder of these nets.

    References
    ----------
    .. [1] J. Xie, R. Girshick, A. Farhadi, "Unsupervised Deep Embedding for Clustering Analysis",
       ICML 2016.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(60, 4)) + np.repeat([[0], [9], [18]], 20, axis=0)
    >>> model = DEC(n_components=2, n_clusters=3, hidden=(16,), pretrain_epochs=40, random_state=0)
    >>> np.bincount(model.fit_predict(X)).tolist(), model.predict_proba(X).shape
    ([20, 20, 20], (60, 3))
    """

    n_epochs: int = 20
    """Passes over the training data, after those of the autoencoder."""
    learning_rate: float = 0.01
    """The optimiser's step size."""
    optimizer: Literal["sgd", "adam"] = "sgd"
    """Stochastic gradient descent with momentum 0.9, or Adam."""

    def check_values(self) -> None:
        """Raise InputError for a hyperparameter out of its range."""
        self.check_self_training()

    def updates(self) -> list[Update]:
        """One loss moves the encoder and the centres."""
        kind = adam if self.optimizer == "adam" else sgd
        return [
            Update(
                "clustering",
                self.loss,
                [self.encoder_, self.clustering_],
                before=self.update_targets,
                optimizer=partial(kind, learning_rate=self.learning_rate),
            )
        ]

    def loss(self, x: Tensor, rows: Tensor) -> Tensor:
        """Return KL(P ‖ Q) (eq. 2)."""
        return self.clustering_loss(self.encode(x), rows)
