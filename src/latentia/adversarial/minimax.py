"""The original game, on logits: a discriminator that tells real from fake, and its generator.

    V(D, G) = E log D(x) + E log(1 − D(G(z)))     ([1]_ eq. 1)
    max_D V, then min_G V, or better max_G E log D(G(z)), which does not saturate ([1]_ section 3)

Real and fake samples pass through the discriminator as two batches, so that batch norm sees each
by itself. Shapes: ``x`` is (N, C, H, W) in [0, 1] or (N, d); ``u`` the same as the nets see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from latentia.adversarial.base import AdversarialModel
from latentia.adversarial.unrolling import Judge, unrolled
from latentia.errors import InputError
from latentia.losses import full_precision, real_fake_cross_entropy
from latentia.nets.discriminator import Discriminator
from latentia.parameters import check_range
from latentia.updates import Loss, Update


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
