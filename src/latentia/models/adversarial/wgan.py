"""WGAN: the Wasserstein game with a critic whose weights are clipped.

    max_w  E f_w(x) − E f_w(G(z)),   w ← clip(w, −c, c) after each step     ([1]_ algorithm 1)
    min_θ  −E f_w(G_θ(z))

Clipping bounds the critic's Lipschitz constant by some K that depends on c and the net, so the
logged distance is K times a Wasserstein-1 distance, of unknown K.

Shapes: ``x`` is (N, C, H, W) in [0, 1] or (N, d); ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, final

import torch
from torch import Tensor, nn, optim

from latentia.errors import check_range
from latentia.models.adversarial.base import AdversarialModel, EitherNets
from latentia.nets.discriminator import Discriminator
from latentia.training.updates import Loss, Update, rmsprop


@dataclass(eq=False, repr=False, kw_only=True)
class WassersteinGame(EitherNets, AdversarialModel):
    """A game of a generator against a critic that gives any number.

    References
    ----------
    .. [1] M. Arjovsky, S. Chintala, L. Bottou, "Wasserstein Generative Adversarial Networks", ICML
       2017, eq. 2 and algorithm 1.
    """

    batch_size: int = 64
    """Samples in a batch, in each process."""
    n_critic: int = 5
    """Steps of the critic for each of the generator."""

    @property
    @abstractmethod
    def critic_batch_norm(self) -> bool:
        """Whether a convolutional critic has batch norm."""

    @abstractmethod
    def constraint(self, u: Tensor, u_fake: Tensor) -> Tensor:
        """Return what the critic's loss pays for leaving the 1-Lipschitz functions."""

    @property
    def judge(self) -> Discriminator:
        """The critic."""
        return self.critic_

    def keep_judge(self, judge: Discriminator) -> None:
        """Keep it as ``critic_``."""
        self.critic_ = judge

    def check_wasserstein_values(self) -> None:
        """Raise InputError for a hyperparameter of the game out of its range."""
        self.check_game_values()
        check_range("n_critic", self.n_critic, 1)
        self.check_widths()

    def make_players(self, shape: tuple[int, ...]) -> tuple[nn.Module, Discriminator]:
        """Return generator and critic."""
        return self.players(
            shape,
            self.n_components,
            packing=self.packing,
            n_beside=0,
            batch_norm=self.critic_batch_norm,
            judge=partial(Discriminator, n_kernels=self.minibatch_discrimination),
        )

    def updates(self) -> list[Update]:
        """Move the critic several times, then the generator once."""
        return self.turns("critic", self.critic_loss, self.n_critic)

    def critic_loss(self, x: Tensor) -> Loss:
        """Return −(E f(x) − E f(G(z))), constrained; the distance is logged."""
        u = self.inside(x)
        with torch.no_grad():
            u_fake = self.fake(x)
        distance = self.judged(u).mean() - self.judged(u_fake).mean()
        total = -distance + self.constraint(u, u_fake) + self.regularisation(u)
        return Loss(total, {"distance": distance})

    def verdict(self, x: Tensor, u_fake: Tensor, *given: Tensor) -> Tensor:
        """Return the loss of samples, without what the remedies add to it."""
        if self.feature_matching:
            return self.features_apart(self.inside(x), u_fake)
        return -self.judged(u_fake).mean()

    @property
    def kind_of_game(self) -> str:
        """The Wasserstein game."""
        return "wasserstein"


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
