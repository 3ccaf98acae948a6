"""WGAN: the Wasserstein game with a critic whose weights are clipped.

    max_w  E f_w(x) − E f_w(G(z)),   w ← clip(w, −c, c) after each step     ([1]_ algorithm 1)
    min_θ  −E f_w(G_θ(z))

Clipping bounds the critic's Lipschitz constant by some K that depends on c and the net, so the
logged distance is K times a Wasserstein-1 distance, of unknown K.

Shapes: ``x`` is (N, C, H, W) in [0, 1] or (N, d); ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, final

import torch
from torch import Tensor, nn, optim

from latentia.adversarial.wasserstein import WassersteinGame
from latentia.parameters import check_range
from latentia.updates import rmsprop


@final
@dataclass(eq=False, repr=False, kw_only=True)
class WGAN(WassersteinGame):
    """Wasserstein GAN with weight clipping [1]_.

    Attributes
    ----------
    generator_, critic_
        The nets.
    seed_
        The seed that was used.

    Raises
    ------
    InputError
        From ``fit``, for a bad parameter or data that cannot be used.

    References
    ----------
    .. [1] M. Arjovsky, S. Chintala, L. Bottou, "Wasserstein Generative Adversarial Networks", ICML
       2017, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(64, 2))
    >>> model = WGAN(n_components=4, hidden=(16,), n_epochs=1, random_state=0).fit(X)
    >>> max(float(w.detach().abs().max()) for w in model.critic_.parameters()) <= 0.01
    True
    """

    learning_rate: float = 2e-4
    """The step size of both players (5e-5 in the paper, which trains for longer)."""
    clipping: float = 0.01
    """c: the critic's weights stay in [−c, c]."""
    optimizer: Literal["rmsprop", "adam"] = "rmsprop"
    """The paper's RMSprop, or Adam, with which the paper saw training become unstable."""

    @property
    def critic_batch_norm(self) -> bool:
        """Whether a convolutional critic has batch norm: DCGAN's, as the paper's has."""
        return True

    def check_values(self) -> None:
        """Raise InputError for a hyperparameter out of its range."""
        self.check_wasserstein_values()
        check_range("clipping", self.clipping, 0, open_low=True)

    def own_optimizer(self) -> Callable[[list[nn.Parameter]], optim.Optimizer]:
        """Return what makes a player's optimiser."""
        if self.optimizer == "rmsprop":
            return partial(rmsprop, learning_rate=self.learning_rate)
        return super().own_optimizer()

    def constraint(self, u: Tensor, u_fake: Tensor) -> Tensor:
        """Return 0: the weights are clipped instead."""
        return u.new_zeros(())

    @torch.no_grad()
    def after_judge(self) -> None:
        """Clip the critic's weights, each step."""
        for weight in self.critic_.parameters():
            weight.clamp_(-self.clipping, self.clipping)
        super().after_judge()
