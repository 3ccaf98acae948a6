"""Conditional GAN: the game of x given its class y.

    min_G max_D  E log D(x, y) + E log(1 − D(G(z, y), y))     ([1]_ eq. 2)

The generator sees y one-hot beside z. The discriminator sees it beside x, as constant channels of
images in convolutional nets ([1]_), or by an inner product with its features ([2]_).

Shapes: ``x`` is (N, C, H, W) in [0, 1] or (N, d); ``z_NK`` (N, n_components); ``y_NC`` one-hot.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal, final

import torch
from torch import Tensor, nn

from latentia.adversarial.minimax import MinimaxGame
from latentia.adversarial.players import EitherNets
from latentia.conditional import ClassConditional
from latentia.nets.discriminator import Discriminator

MOST_CLASSES, COLUMNS = 10, 8


@final
@dataclass(eq=False, repr=False, kw_only=True)
class ConditionalGAN(ClassConditional, EitherNets, MinimaxGame):
    """Conditional GAN: ``fit(X, y)`` and ``sample(n, y=...)`` [1]_.

    Attributes
    ----------
    generator_, discriminator_
        The nets, which see the class beside z and x.
    classes_, class_shares_
        (n_classes,) labels and their shares of the training data.
    seed_
        The seed that was used.

    Raises
    ------
    InputError
        From ``fit``, for a bad parameter or data, or labels that are missing or of one class.

    References
    ----------
    .. [1] M. Mirza, S. Osindero, "Conditional Generative Adversarial Nets", 2014, section 3.2.
    .. [2] T. Miyato, M. Koyama, "cGANs with Projection Discriminator", ICLR 2018, eq. 3.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.random.default_rng(0).random((64, 8, 8)), np.arange(64) % 4
    >>> model = ConditionalGAN(n_components=4, width=8, n_epochs=1, random_state=0).fit(X, y)
    >>> model.sample(3, random_state=0, y=2).shape
    (3, 8, 8)
    """

    discriminator: Literal["concatenation", "projection"] = "concatenation"
    """How the discriminator sees the class: beside x, or by a product with its features."""
    n_epochs: int = 5
    """Passes over the training data."""

    def check_values(self) -> None:
        """Raise InputError for a hyperparameter out of its range."""
        self.check_minimax_values()
        self.check_widths()

    def make_players(self, shape: tuple[int, ...]) -> tuple[nn.Module, Discriminator]:
        """Return generator and discriminator, both of which see the class."""
        n_classes = len(self.classes_)
        n_given = n_classes * self.packing
        projected = self.discriminator == "projection"
        judge = partial(
            Discriminator,
            n_given=n_given,
            projection=projected,
            n_kernels=self.minibatch_discrimination,
        )
        return self.players(
            shape,
            self.n_components + n_classes,
            n_beside=0 if projected else n_given,
            batch_norm=True,
            judge=judge,
        )

    def preview(self, x: Tensor) -> list[tuple[str, Tensor]]:
        """Return samples, a row for each of up to ten classes: each column one z."""
        z_NK = self.draw(x.new_zeros(COLUMNS, 1))
        pictures = []
        for number, label in enumerate(self.classes_[:MOST_CLASSES]):
            classes = torch.full((COLUMNS,), number, device=x.device)
            pictures.append((str(label), self.decode(z_NK, *self.condition(classes))))
        return pictures
