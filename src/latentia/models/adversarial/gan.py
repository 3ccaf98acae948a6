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

import torch
from torch import Tensor, nn, optim

from latentia.errors import InputError, check_range
from latentia.models.adversarial.base import AdversarialModel
from latentia.models.adversarial.unrolling import Judge, unrolled
from latentia.nets.discriminator import Discriminator
from latentia.nets.players import (
    GOODFELLOW_HIDDEN,
    dense_generator,
    dense_players,
    maxout_body,
    small_uniform_weights,
)
from latentia.training.losses import full_precision, real_fake_cross_entropy
from latentia.training.updates import Loss, Update, sgd


@dataclass(eq=False, repr=False, kw_only=True)
class MinimaxGame(AdversarialModel):
    """A game of a generator against a discriminator that gives probabilities.

    References
    ----------
    .. [1] I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, algorithm 1.
    """

    objective: Literal["non_saturating", "minimax"] = "non_saturating"
    """The generator maximises E log D(G(z)), or minimises E log(1 − D(G(z)))."""
    learning_rate: float = 2e-4
    """The step size of both players."""
    discriminator_steps: int = 1
    """Steps of the discriminator for each of the generator, k of algorithm 1."""
    label_smoothing: float = 1.0
    """The target for real images; 0.9 is one-sided label smoothing, 1 none."""
    unrolled_steps: int = 0
    """Steps of the discriminator that the generator looks ahead; 0 for none."""
    unrolled_rate: float = 0.01
    """η, the step size of those steps of gradient descent."""

    @property
    def judge(self) -> Discriminator:
        """The discriminator."""
        return self.discriminator_

    def keep_judge(self, judge: Discriminator) -> None:
        """Keep it as ``discriminator_``."""
        self.discriminator_ = judge

    def check_minimax_values(self) -> None:
        """Raise InputError for a hyperparameter of the game out of its range."""
        self.check_game_values()
        check_range("discriminator_steps", self.discriminator_steps, 1)
        check_range("label_smoothing", self.label_smoothing, 0.5, 1)
        check_range("unrolled_steps", self.unrolled_steps, 0)
        check_range("unrolled_rate", self.unrolled_rate, 0, open_low=True)
        if self.unrolled_steps and self.feature_matching:
            raise InputError(
                "unrolled_steps and feature_matching both replace the generator's loss; "
                "choose one of them"
            )

    def updates(self) -> list[Update]:
        """Move the discriminator first, then the generator."""
        return self.turns("discriminator", self.discriminator_loss, self.discriminator_steps)

    def discriminator_loss(self, x: Tensor, *targets: Tensor) -> Loss:
        """Return −E log D(x) − E log(1 − D(G(z))), the first with its target smoothed."""
        given = self.condition(*targets)
        u = self.inside(x)
        with torch.no_grad():
            u_fake = self.fake(x, *given)
        logits_real = self.judged(u, *given)
        logits_fake = self.judged(u_fake, *given)
        loss = self.discrimination(logits_real, logits_fake)
        probabilities = {
            "real_probability": logits_real.sigmoid().mean(),
            "fake_probability": logits_fake.sigmoid().mean(),
        }
        return Loss(loss + self.regularisation(u, *given), probabilities)

    def discrimination(self, logits_real: Tensor, logits_fake: Tensor) -> Tensor:
        """Return the two cross-entropies of eq. 1, summed."""
        real = real_fake_cross_entropy(logits_real, self.label_smoothing)
        return real + real_fake_cross_entropy(logits_fake, 0.0)

    def verdict(self, x: Tensor, u_fake: Tensor, *given: Tensor) -> Tensor:
        """Return the loss of samples: deception of the opponent, or distance of features."""
        if self.feature_matching:
            return self.features_apart(self.inside(x), u_fake, *given)
        return self.deception(self.opponent(x, u_fake, *given)(*self.seen(u_fake, *given)))

    @property
    def kind_of_game(self) -> str:
        """The minimax form, or another."""
        return "minimax" if self.objective == "minimax" else "other"

    def deception(self, logits_fake: Tensor) -> Tensor:
        """Return −E log D(G(z)), or E log(1 − D(G(z))) in the minimax form."""
        logits_fake = full_precision(logits_fake)
        if self.objective == "minimax":
            return -real_fake_cross_entropy(logits_fake, 0.0)
        return real_fake_cross_entropy(logits_fake, 1.0)

    def opponent(self, x: Tensor, u_fake: Tensor, *given: Tensor) -> Judge:
        """Return the discriminator as it is, or some steps ahead."""
        if not self.unrolled_steps:
            return self.judge
        shown = self.seen(self.inside(x), *given), self.seen(u_fake, *given)

        def loss(judge: Judge) -> Tensor:
            return self.discrimination(*(full_precision(judge(*part)) for part in shown))

        return unrolled(self.judge, loss, self.unrolled_steps, self.unrolled_rate)


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
