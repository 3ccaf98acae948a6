"""Improved deep embedded clustering: DEC that keeps reconstructing, and so the local structure.

    minimise  L = L_r + γ L_c                                               ([1]_ section 3)
    L_r = the mean over samples and values of (x − g(f(x)))²                (reconstruction)
    L_c = KL(P ‖ Q)                                                         (clustering, as in DEC)

with Q, P and the steps of `latentia.models.clustering.dec`, the last of which moves the decoder
too. The paper writes L_r as a sum over a sample's values; the authors' program, and the γ = 0.1 of
its results, average them, as here.

Shapes: ``x`` is (N, C, H, W) or (N, d), ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from latentia.errors import NonNegative
from latentia.models.autoencoders.reconstruction import compared
from latentia.models.clustering.dec import SelfTraining
from latentia.training.updates import Loss, Update, name_of


@dataclass(eq=False, repr=False, kw_only=True)
class IDEC(SelfTraining):
    """Improved deep embedded clustering: self-training that keeps reconstructing [1]_.

    Verbs and attributes are those of `DEC`.

    References
    ----------
    .. [1] X. Guo, L. Gao, X. Liu, J. Yin, "Improved Deep Embedded Clustering with Local Structure
       Preservation", IJCAI 2017.
    .. [2] J. Xie, R. Girshick, A. Farhadi, "Unsupervised Deep Embedding for Clustering Analysis",
       ICML 2016.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(60, 4)) + np.repeat([[0], [9], [18]], 20, axis=0)
    >>> brief = {"hidden": (16,), "pretrain_epochs": 40, "n_epochs": 10}
    >>> model = IDEC(n_components=2, n_clusters=3, random_state=0, **brief)
    >>> np.bincount(model.fit_predict(X)).tolist(), model.reconstruct(X).shape
    ([20, 20, 20], (60, 4))
    """

    gamma: NonNegative = 0.1
    """γ, the weight of the clustering loss beside the reconstruction's."""

    def updates(self) -> list[Update]:
        """Move the nets and the centres by one loss."""
        nets = [self.encoder_, self.decoder_, self.clustering_]
        name = name_of(self.loss, "clustering_and_reconstruction")
        return [Update(name, self.loss, nets, before=self.update_targets)]

    def loss(self, x: Tensor, rows: Tensor) -> Loss:
        """Return L_r + γ L_c, with its two terms."""
        z_NK = self.encode(self.seen(x))
        reconstruction = compared(self, "mse", x, self.decoder_output(z_NK)) / x[0].numel()
        clustering = self.clustering_loss(z_NK, rows)
        terms = {"reconstruction": reconstruction, "clustering": clustering}
        return Loss(reconstruction + self.gamma * clustering, terms)
