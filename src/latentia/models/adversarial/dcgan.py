"""DCGAN: a GAN of strided convolutions, by the published guidelines.

    max_D  E log D(x) + E log(1 − D(G(z)))        ([2]_ eq. 1, first update)
    max_G  E log D(G(z))                          ([2]_ section 3: the non-saturating form)

The game itself is in `latentia.models.adversarial.gan`; here are its nets.

Shapes: ``x`` is (N, C, H, W) in [0, 1], inside the game in [−1, 1]; ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from torch import nn

from latentia.errors import check_range
from latentia.models.adversarial.base import image_shape
from latentia.models.adversarial.gan import MinimaxGame
from latentia.nets import dcgan
from latentia.nets.discriminator import Discriminator


@final
@dataclass(eq=False, repr=False, kw_only=True)
class DCGAN(MinimaxGame):
    """Deep convolutional generative adversarial network [1]_.

    ``sample`` decodes draws from N(0, I); there is no encoder and no density. Images of 8×8 to
    128×128, any number of channels; odd sizes too.

    Attributes
    ----------
    generator_, discriminator_
        The nets.
    seed_
        The seed that was used.

    Raises
    ------
    InputError
        From ``fit``, for a bad parameter, for tables, and for images too small or too large.

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

    architecture: Literal["radford", "lecture"] = "radford"
    """The paper's nets and weights N(0, 0.02), or the lecture's dense layer and upsampling."""
    n_epochs: int = 5
    """Passes over the training data."""
    learning_rate: float = 1e-3
    """The step size of both players (2e-4 in the paper, which wants far more epochs)."""
    width: int = 32
    """Channels of the layers next to the image in the paper's nets (64 there); deeper double."""
    discriminator_batch_norm: bool = True
    """Batch norm in the paper's discriminator; the generator keeps its own."""

    def check_values(self) -> None:
        """Raise InputError for a hyperparameter out of its range."""
        self.check_minimax_values()
        check_range("width", self.width, 1)

    def make_players(self, shape: tuple[int, ...]) -> tuple[nn.Module, Discriminator]:
        """Return generator and discriminator with their source's initial weights."""
        image = image_shape("DCGAN", shape)
        packed = (image[0] * self.packing, *image[1:])
        if self.architecture == "lecture":
            generator = dcgan.lecture_generator(image, self.n_components)
            body, n_features = dcgan.lecture_body(packed)
            weights = dcgan.glorot_weights
        else:
            generator = dcgan.generator(image, self.n_components, self.width)
            normed = self.discriminator_batch_norm
            body, n_features = dcgan.discriminator_body(packed, self.width, batch_norm=normed)
            weights = dcgan.dcgan_weights
        judge = Discriminator(body, n_features, n_kernels=self.minibatch_discrimination)
        generator.apply(weights)
        judge.apply(weights)
        return generator, judge
