"""Conditional GAN: the game of x given its class y, or given a vector y of measurements.

    min_G max_D  E log D(x, y) + E log(1 − D(G(z, y), y))     ([1]_ eq. 2)

The generator sees y beside z: classes one-hot, vectors in standard units. The discriminator sees it
beside x, as constant channels of images in convolutional nets ([1]_), or by an inner product with
its features ([2]_). With x the tags of a picture and y features of the picture it is [1]_'s model
of section 4.2, which tags pictures.

Shapes: ``x`` is (N, C, H, W) in [0, 1] or (N, d); ``z_NK`` (N, n_components); ``y_NC`` what the
nets see of y.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from torch import Tensor, nn

from latentia.errors import Count, CountsWhen, Positive, Shapes, are_own
from latentia.models.adversarial.gan import MinimaxGame
from latentia.models.conditional import Conditional
from latentia.models.inputs import Rows
from latentia.nets.players import Discriminator, players_for

COLUMNS = 8


@dataclass(eq=False, repr=False, kw_only=True)
class ConditionalGAN(Conditional, MinimaxGame):
    """Conditional GAN: ``fit(X, y)`` and ``sample(n, y=...)`` [1]_.

    ``y`` is (n,) labels, or (n, d) floats: a vector for each sample, such as features of a picture.

    Attributes
    ----------
    generator_, discriminator_
        The nets, which see y beside z and x.
    classes_, class_shares_
        (n_classes,) labels and their shares of the training data, after a fit on labels.
    condition_mean_, condition_scale_
        (d,) of the columns of y, after a fit on vectors.
    seed_
        The seed that was used.

    References
    ----------
    .. [1] M. Mirza, S. Osindero, "Conditional Generative Adversarial Nets", 2014, section 3.2
       (and 4.2: tags given features).
    .. [2] T. Miyato, M. Koyama, "cGANs with Projection Discriminator", ICLR 2018, eq. 3.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.random.default_rng(0).random((64, 8, 8)), np.arange(64) % 4
    >>> model = ConditionalGAN(n_components=4, width=8, n_epochs=1, random_state=0).fit(X, y)
    >>> model.sample(3, random_state=0, y=2).shape
    (3, 8, 8)
    >>> tags, features = X[:, 0, :3], X[:, 1]
    >>> model = ConditionalGAN(n_components=4, n_epochs=1, random_state=0).fit(tags, features)
    >>> model.sample(64, random_state=0, y=features).shape
    (64, 3)
    """

    discriminator: Literal["concatenation", "projection"] | nn.Module = "concatenation"
    """How the discriminator sees y: beside x, or by a product with its features. In Python also a
    net of your own in its place, which gives logits for x and y."""
    architecture: Annotated[
        Literal["auto", "mlp", "convolutional"], Shapes("generator", "discriminator")
    ] = "auto"
    """The nets: fully connected, DCGAN's, or what suits the data."""
    hidden: Annotated[
        tuple[Count, ...],
        CountsWhen("architecture", ("mlp",)),
        Shapes("generator", "discriminator"),
    ] = (256, 512)
    """Widths of a fully connected generator's layers; the discriminator mirrors them."""
    width: Annotated[
        Count, CountsWhen("architecture", ("convolutional",)), Shapes("generator", "discriminator")
    ] = 32
    """Channels of the convolutional layers next to the image; deeper ones double."""
    learning_rate: Positive = 1e-3
    """The step size of both players."""
    n_epochs: Count = 5
    """Passes over the training data."""

    def settled(self, array: Rows) -> Mapping[str, object]:
        """Return which nets these data have."""
        if are_own(self, "generator", "discriminator"):
            return {}
        return {"architecture": self.nets_of(self.sample_shape_, self.architecture)}

    def n_given(self) -> int:
        """Return how many numbers the players see of y."""
        return self.given.width

    def make_players(self, shape: tuple[int, ...]) -> tuple[nn.Module, Discriminator]:
        """Return generator and discriminator, both of which see y."""
        width = self.given.width
        return players_for(
            shape,
            self.nets_of(shape, self.architecture),
            self.n_components + width,
            hidden=self.hidden,
            width=self.width,
            packing=self.packing,
            n_given=width * self.packing,
            projection=self.discriminator == "projection",
            n_kernels=self.minibatch_discrimination,
        )

    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return samples, a row for each of up to ten conditions: each column one z."""
        return self.rows_of_each(self.draw(x.new_zeros(COLUMNS, 1)))
