"""GAN: the first generative adversarial network, fully connected.

A generator G makes samples G(z) of draws z from a prior; a discriminator D gives the probability
that a sample is real.

    V(D, G) = E log D(x) + E log(1 − D(G(z))),    min_G max_D V(D, G)              ([1]_ eq. 1)

Algorithm 1: k times, θ_D moves up V; then θ_G moves, once, either

    down  E log(1 − D(G(z)))     the minimax form, flat where D is sure, or
    up    E log D(G(z))          the same goal without that fault                  ([1]_ section 3)

The net gives logits l, D = σ(l), and ``real_fake_cross_entropy(l, t)`` is
−E [t log D + (1 − t) log(1 − D)]. Real and generated samples pass through D as two batches, so
that batch norm sees each by itself.

The game, `MinimaxGame`, is that of DCGAN and the conditional GAN too. Shapes: ``x`` is (N, C, H, W)
in [0, 1] or (N, d); ``u`` the same as the nets see it; ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import torch
from torch import Tensor, nn, optim

from latentia.errors import Count, CountsWhen, Decay, InputError, Positive, Range, Shapes, Whole
from latentia.models.adversarial.base import AdversarialModel
from latentia.models.adversarial.remedies import Judge, unrolled
from latentia.nets.players import Discriminator, players_for
from latentia.training.device import full_precision
from latentia.training.losses import real_fake_cross_entropy
from latentia.training.updates import Loss, Update, sgd


@dataclass(eq=False, repr=False, kw_only=True)
class MinimaxGame(AdversarialModel):
    """A game of a generator against a discriminator that gives probabilities."""

    objective: Annotated[
        Literal["non_saturating", "minimax"], CountsWhen("feature_matching", (False,))
    ] = "non_saturating"
    """The generator maximises E log D(G(z)), or minimises E log(1 − D(G(z)))."""
    learning_rate: Positive = 2e-4
    """The step size of both players."""
    n_critic: Count = 1
    """Steps of the discriminator for each of the generator, k of algorithm 1."""
    label_smoothing: Annotated[float, Range(0.5, 1)] = 1.0
    """The target for real images; 0.9 is one-sided label smoothing, 1 none."""
    unrolled_steps: Whole = 0
    """Steps of the discriminator that the generator looks ahead; 0 for none."""
    unrolled_rate: Annotated[Positive, CountsWhen("unrolled_steps", unless=(0,))] = 0.01
    """η, the step size of those steps of gradient descent."""

    judge_name = "discriminator"

    @property
    def kind_of_game(self) -> str:
        """The name of the minimax form, or other."""
        return "minimax" if self.objective == "minimax" else "other"

    def check_values(self) -> None:
        """Raise InputError for remedies that exclude each other."""
        super().check_values()
        if self.unrolled_steps and self.feature_matching:
            raise InputError(
                "unrolled_steps and feature_matching both replace the generator's loss; "
                "choose one of them"
            )

    @property
    def batches_a_step(self) -> int:
        """Batches that a training step takes: one for each step of the judge."""
        return self.n_critic

    def updates(self) -> list[Update]:
        """Return algorithm 1: k steps of the discriminator, then one of the generator."""
        move = partial(Update, optimizer=self.own_optimizer())
        k, nets = self.n_critic, [self.judge]
        return [
            move("discriminator", self.discriminator_loss, nets, repeats=k, after=self.after_judge),
            move("generator", self.generator_loss, [self.generator_], after=self.after_generator),
        ]

    def discriminator_loss(self, x: Tensor, *targets: Tensor) -> Loss:
        """Return −V(D, G) of eq. 1, and what the chosen remedies add to it."""
        given = self.condition(*targets)
        u = self.inside(x)
        with torch.no_grad():
            u_fake = self.fake(x, *given)
        logits_real = self.judged(u, *given)
        logits_fake = self.judged(u_fake, *given)
        loss = self.negative_value(logits_real, logits_fake)
        probabilities = {
            "real_probability": logits_real.sigmoid().mean(),
            "fake_probability": logits_fake.sigmoid().mean(),
        }
        return Loss(loss + self.regularisation(u, *given), probabilities)

    def negative_value(self, logits_real: Tensor, logits_fake: Tensor) -> Tensor:
        """Return −V(D, G) = −E log D(x) − E log(1 − D(G(z))), real ones' target smoothed."""
        real = real_fake_cross_entropy(logits_real, self.label_smoothing)
        return real + real_fake_cross_entropy(logits_fake, 0.0)

    def generator_loss(self, x: Tensor, *targets: Tensor) -> Tensor:
        """Return the generator's loss for new samples, and what the remedies add to it."""
        given = self.condition(*targets)
        u_fake = self.fake(x, *given)
        return self.generator_loss_of(x, u_fake, *given) + self.generator_regularisation()

    def generator_loss_of(self, x: Tensor, u_fake: Tensor, *given: Tensor) -> Tensor:
        """Return −E log D(G(z)), or E log(1 − D(G(z))), or the distance of features instead."""
        if self.feature_matching:
            return self.feature_matching_loss(self.inside(x), u_fake, *given)
        discriminator = self.opponent(x, u_fake, *given)
        logits_fake = full_precision(discriminator(*self.seen(u_fake, *given)))
        if self.objective == "minimax":
            return -real_fake_cross_entropy(logits_fake, 0.0)
        return real_fake_cross_entropy(logits_fake, 1.0)

    def opponent(self, x: Tensor, u_fake: Tensor, *given: Tensor) -> Judge:
        """Return the discriminator as it is, or as it would be some steps ahead."""
        if not self.unrolled_steps:
            return self.judge
        shown = self.seen(self.inside(x), *given), self.seen(u_fake, *given)

        def loss(judge: Judge) -> Tensor:
            return self.negative_value(*(full_precision(judge(*part)) for part in shown))

        return unrolled(self.judge, loss, self.unrolled_steps, self.unrolled_rate)


@dataclass(eq=False, repr=False, kw_only=True)
class GAN(MinimaxGame):
    """Generative adversarial network [1]_ of fully connected nets, for tables and images.

    ``sample`` decodes draws from the prior; there is no encoder and no density. Tables are learnt
    in standard units, images in [−1, 1].

    Attributes
    ----------
    generator_, discriminator_
        The nets.
    seed_
        The seed that was used.

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

    discriminator: nn.Module | None = None
    """A net of your own in the discriminator's place, which gives logits; none makes one."""
    usual_batches = (64, 128)
    usual_steps = 6_500
    architecture: Annotated[Literal["mlp", "goodfellow"], Shapes("generator", "discriminator")] = (
        "mlp"
    )
    """LeakyReLU nets of the widths in ``hidden``, or the paper's: ReLU against maxout, dropout."""
    hidden: Annotated[
        tuple[Count, ...],
        CountsWhen("architecture", ("mlp",)),
        Shapes("generator", "discriminator"),
    ] = (256, 512)
    """Widths of the generator's layers; the discriminator mirrors them."""
    n_steps: Annotated[Count | None, CountsWhen("n_epochs", (None,))] = None
    """Training steps to take in whole passes over the data; none takes some 6,500 (14 of MNIST)."""
    ema_decay: Decay | None = 0.999
    """Decay of the averaged weights that the fitted model then uses; none keeps the last ones."""
    learning_rate: Positive = 5e-4
    """The step size of both players."""
    beta_1: Decay = 0.0
    """Adam's decay of the gradient's mean, or the momentum of gradient descent."""
    optimizer: Literal["adam", "sgd"] = "adam"
    """Adam, or the paper's gradient descent with momentum ``beta_1``."""
    beta_2: Annotated[Decay, CountsWhen("optimizer", ("adam",))] = 0.999
    """Adam's decay of the gradient's square."""

    def make_players(self, shape: tuple[int, ...]) -> tuple[nn.Module, Discriminator]:
        """Return the MLPs, with torch's initial weights or the paper's."""
        return players_for(
            shape,
            self.architecture,
            self.n_components,
            hidden=self.hidden,
            packing=self.packing,
            n_kernels=self.minibatch_discrimination,
        )

    def own_optimizer(self) -> Callable[[list[nn.Parameter]], optim.Optimizer]:
        """Return what makes a player's optimiser: Adam, or gradient descent."""
        if self.optimizer == "sgd":
            return partial(sgd, learning_rate=self.learning_rate, momentum=self.beta_1)
        return super().own_optimizer()
