"""The Wasserstein game: a critic that measures a distance, and a generator that shortens it.

    W(P_r, P_g) = sup_{‖f‖_L ≤ 1}  E f(x) − E f(G(z))     ([1]_ eq. 2)

The critic maximises the difference, several steps for each of the generator's; what keeps it
1-Lipschitz is the only thing in which WGAN and WGAN-GP differ. Shapes: ``x`` is (N, C, H, W) in
[0, 1] or (N, d); ``u`` the same as the nets see it.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from latentia.adversarial.base import AdversarialModel
from latentia.adversarial.players import EitherNets
from latentia.nets.discriminator import Discriminator
from latentia.parameters import check_range
from latentia.updates import Loss, Update


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
