"""The Wasserstein game: a critic that measures a distance, and a generator that shortens it.

    W(P_r, P_g) = sup_{‖f‖_L ≤ 1}  E f(x) − E f(G(z))     ([1]_ eq. 2)

The critic maximises the difference, several steps for each of the generator's; what keeps it
1-Lipschitz is the only thing in which WGAN and WGAN-GP differ. Shapes: ``x`` is (N, C, H, W) in
[0, 1] or (N, d); ``u`` the same as the nets see it.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from math import prod
from typing import Literal

import torch
from torch import Tensor, nn

from latentia.adversarial.base import AdversarialModel, image_shape
from latentia.nets import dcgan
from latentia.nets.discriminator import Discriminator
from latentia.nets.players import dense_body, dense_generator
from latentia.parameters import check_range
from latentia.updates import Loss, Update


@dataclass(eq=False, repr=False, kw_only=True)
class WassersteinGame(AdversarialModel):
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
    architecture: Literal["auto", "mlp", "convolutional"] = "auto"
    """The nets: fully connected, DCGAN's, or what suits the data."""
    hidden: tuple[int, ...] = (256, 512)
    """Widths of a fully connected generator's layers; the critic mirrors them."""
    width: int = 32
    """Channels of the convolutional layers next to the image; deeper ones double."""

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
        check_range("width", self.width, 1)
        for width in self.hidden:
            check_range("a width in hidden", width, 1)

    def make_players(self, shape: tuple[int, ...]) -> tuple[nn.Module, Discriminator]:
        """Return generator and critic; convolutional ones with DCGAN's initial weights."""
        kernels = self.minibatch_discrimination
        if self.architecture == "mlp" or (self.architecture == "auto" and len(shape) == 1):
            body, n_features = dense_body(prod(shape) * self.packing, self.hidden[::-1])
            judge = Discriminator(body, n_features, n_kernels=kernels, flat=True)
            return dense_generator(shape, self.n_components, self.hidden), judge
        image = image_shape(type(self).__name__, shape)
        generator = dcgan.generator(image, self.n_components, self.width)
        packed = (image[0] * self.packing, *image[1:])
        normed = self.critic_batch_norm
        body, n_features = dcgan.discriminator_body(packed, self.width, batch_norm=normed)
        judge = Discriminator(body, n_features, n_kernels=kernels)
        generator.apply(dcgan.dcgan_weights)
        judge.apply(dcgan.dcgan_weights)
        return generator, judge

    def updates(self) -> list[Update]:
        """Move the critic several times, then the generator once."""
        return [
            Update(
                "critic",
                self.critic_loss,
                [self.critic_],
                repeats=self.n_critic,
                optimizer=self.own_optimizer(),
                after=self.after_judge,
            ),
            Update(
                "generator",
                self.generator_loss,
                [self.generator_],
                optimizer=self.own_optimizer(),
                after=self.after_generator,
            ),
        ]

    def critic_loss(self, x: Tensor) -> Loss:
        """Return −(E f(x) − E f(G(z))), constrained; the distance is logged."""
        u = self.inside(x)
        with torch.no_grad():
            u_fake = self.fake(x)
        distance = self.judged(u).mean() - self.judged(u_fake).mean()
        total = -distance + self.constraint(u, u_fake) + self.regularisation(u)
        return Loss(total, {"distance": distance})

    def generator_loss(self, x: Tensor) -> Tensor:
        """Return −E f(G(z)), or the distance of mean features."""
        return self.verdict(x, self.fake(x)) + self.generator_regularisation()

    def verdict(self, x: Tensor, u_fake: Tensor, *given: Tensor) -> Tensor:
        """Return the loss of samples, without what the remedies add to it."""
        if self.feature_matching:
            return self.features_apart(self.inside(x), u_fake)
        return -self.judged(u_fake).mean()

    @property
    def kind_of_game(self) -> str:
        """The Wasserstein game."""
        return "wasserstein"
