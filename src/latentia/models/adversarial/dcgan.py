"""DCGAN: a GAN of strided convolutions, by the published guidelines.

    max_D  E log D(x) + E log(1 − D(G(z)))        ([2]_ eq. 1, first update)
    max_G  E log D(G(z))                          ([2]_ section 3: the non-saturating form)

The game is that of `latentia.models.adversarial.gan`; the nets are in `latentia.nets.dcgan`.

Shapes: ``x`` is (N, C, H, W) in [0, 1], inside the game in [−1, 1]; ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from torch import nn

from latentia.errors import Count, CountsWhen, Decay, InputError, Positive, Shapes
from latentia.models.adversarial.gan import MinimaxGame
from latentia.nets.players import Discriminator, players_for

LECTURE_LARGEST = 128
"""Largest side in pixels for the lecture's nets, whose dense layer then has 13 million weights."""


@dataclass(eq=False, repr=False, kw_only=True)
class DCGAN(MinimaxGame):
    """Deep convolutional generative adversarial network [1]_.

    ``sample`` decodes draws from N(0, I). Images of 8×8 to 256×256 with any number of channels, odd
    sizes and oblong ones too: the larger, the more layers. ``fit`` refuses tables, and images that
    are smaller or larger; the lecture's nets, two layers at any size, end at 128×128.

    Attributes
    ----------
    generator_, discriminator_
        The convolutional nets.
    seed_
        The seed that was used.

    References
    ----------
    .. [1] A. Radford, L. Metz, S. Chintala, "Unsupervised Representation Learning with Deep
       Convolutional Generative Adversarial Networks", ICLR 2016, sections 3-4.
    .. [2] I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).random((64, 8, 8))
    >>> model = DCGAN(n_components=4, width=8, n_epochs=1, random_state=0).fit(X)
    >>> model.sample(3, random_state=0).shape
    (3, 8, 8)
    """

    discriminator: nn.Module | None = None
    """A net of your own in the discriminator's place, which gives logits; none makes one."""
    architecture: Annotated[Literal["radford", "lecture"], Shapes("generator", "discriminator")] = (
        "radford"
    )
    """The paper's nets and weights N(0, 0.02), or the lecture's dense layer and upsampling."""
    ema_decay: Decay | None = 0.999
    """Decay of the averaged weights that the fitted model then uses; none keeps the last ones."""
    learning_rate: Positive = 1e-3
    """The step size of both players (2e-4 in the paper, which wants far more epochs)."""
    width: Annotated[
        Count, CountsWhen("architecture", ("radford",)), Shapes("generator", "discriminator")
    ] = 32
    """Channels of the layers next to the image in the paper's nets (64 there); deeper double."""
    discriminator_batch_norm: Annotated[
        bool, CountsWhen("architecture", ("radford",)), Shapes("discriminator")
    ] = True
    """Batch norm in the paper's discriminator; the generator keeps its own."""

    def make_players(self, shape: tuple[int, ...]) -> tuple[nn.Module, Discriminator]:
        """Return generator and discriminator with their source's initial weights."""
        self.check_is_image(shape)
        if self.architecture == "lecture" and max(shape[1:]) > LECTURE_LARGEST:
            raise InputError(
                f"architecture is 'lecture', whose dense layer grows with the image: it takes "
                f"sides of up to {LECTURE_LARGEST} pixels; these are {shape[1:]}: take 'radford'"
            )
        return players_for(
            shape,
            "lecture" if self.architecture == "lecture" else "convolutional",
            self.n_components,
            width=self.width,
            batch_norm=self.discriminator_batch_norm,
            packing=self.packing,
            n_kernels=self.minibatch_discrimination,
        )
