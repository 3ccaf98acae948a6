"""GAN: the first generative adversarial network, fully connected.

    min_G max_D V(D, G) = E log D(x) + E log(1 − D(G(z)))     ([1]_ eq. 1)

The updates are [1]_'s algorithm 1: k steps of the discriminator, then one of the generator, whose
loss is −E log D(G(z)) unless the minimax form is asked for. Images and tables.

Shapes: ``x`` is (N, C, H, W) in [0, 1] or (N, d); ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Literal, final

from torch import nn, optim

from latentia.adversarial.minimax import MinimaxGame
from latentia.nets.discriminator import Discriminator
from latentia.nets.players import (
    GOODFELLOW_HIDDEN,
    dense_generator,
    dense_players,
    maxout_body,
    small_uniform_weights,
)
from latentia.parameters import check_range
from latentia.updates import sgd


@final
@dataclass(eq=False, repr=False, kw_only=True)
class GAN(MinimaxGame):
    """Generative adversarial network [1]_ of fully connected nets.

    ``sample`` decodes draws from the prior; there is no encoder and no density. Tables are learnt
    in standard units, images in [−1, 1].

    Attributes
    ----------
    generator_, discriminator_
        The nets.
    seed_
        The seed that was used.

    Raises
    ------
    InputError
        From ``fit``, for a bad parameter or data that cannot be used.

    References
    ----------
    .. [1] I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, algorithm 1.
    .. [2] T. Salimans et al., "Improved Techniques for Training GANs", NeurIPS 2016, section 3,
       for the remedies.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(64, 2))
    >>> model = GAN(n_components=4, hidden=(16,), n_epochs=1, random_state=0).fit(X)
    >>> model.sample(3, random_state=0).shape
    (3, 2)
    """

    architecture: Literal["mlp", "goodfellow"] = "mlp"
    """LeakyReLU nets of the widths in ``hidden``, or the paper's: ReLU against maxout, dropout."""
    hidden: tuple[int, ...] = (256, 512)
    """Widths of the generator's layers; the discriminator mirrors them."""
    n_epochs: int = 30
    """Passes over the training data."""
    optimizer: Literal["adam", "sgd"] = "adam"
    """Adam, or the paper's gradient descent with momentum ``beta_1``."""

    def check_values(self) -> None:
        """Raise InputError for a hyperparameter out of its range."""
        self.check_minimax_values()
        for width in self.hidden:
            check_range("a width in hidden", width, 1)

    def make_players(self, shape: tuple[int, ...]) -> tuple[nn.Module, Discriminator]:
        """Return the MLPs, with torch's initial weights or the paper's."""
        judge = partial(Discriminator, n_kernels=self.minibatch_discrimination)
        if self.architecture == "mlp":
            return dense_players(
                shape,
                self.n_components,
                self.hidden,
                packing=self.packing,
                n_beside=0,
                judge=judge,
            )
        players = (
            dense_generator(shape, self.n_components, GOODFELLOW_HIDDEN, "relu"),
            judge(*maxout_body(prod(shape) * self.packing), flat=True),
        )
        for player in players:
            player.apply(small_uniform_weights)
        return players

    def own_optimizer(self) -> Callable[[list[nn.Parameter]], optim.Optimizer]:
        """Return what makes a player's optimiser."""
        if self.optimizer == "sgd":
            return partial(sgd, learning_rate=self.learning_rate, momentum=self.beta_1)
        return super().own_optimizer()
