"""DCGAN: a GAN of strided convolutions, by the published guidelines.

    max_D  E log D(x) + E log(1 − D(G(z)))        ([2]_ eq. 1, first update)
    max_G  E log D(G(z))                          ([2]_ section 3: the non-saturating form)

Both on logits, as cross-entropies. Real and fake images pass through the discriminator as two
batches, so that batch norm sees each by itself.

Shapes: ``x`` is (N, C, H, W) in [0, 1], inside the game in [−1, 1]; ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal, final

from torch import Tensor, nn

from latentia.adversarial.base import AdversarialModel
from latentia.errors import InputError
from latentia.losses import full_precision, real_fake_cross_entropy
from latentia.nets import dcgan
from latentia.parameters import check_range
from latentia.updates import Loss, Update, adam


@final
@dataclass(eq=False, repr=False, kw_only=True)
class DCGAN(AdversarialModel):
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
    width: int = 64
    """Channels of the layers next to the image in the paper's nets; deeper ones double."""
    learning_rate: float = 2e-4
    """Adam's step size."""
    beta_1: float = 0.5
    """Adam's decay of the gradient's mean."""
    label_smoothing: float = 1.0
    """The target for real images; 0.9 is one-sided label smoothing, 1 none."""

    def check_values(self) -> None:
        """Raise InputError for a hyperparameter out of its range."""
        self.check_shared_values()
        check_range("width", self.width, 1)
        check_range("beta_1", self.beta_1, 0, 1, open_high=True)
        check_range("label_smoothing", self.label_smoothing, 0.5, 1)

    def build(self, shape: tuple[int, ...]) -> None:
        """Make generator and discriminator with their source's initial weights."""
        if len(shape) != 3:
            raise InputError(f"DCGAN learns images; the data are a table of shape (n, {shape[0]})")
        if min(shape[1:]) < 8 or max(shape[1:]) > 128:
            raise InputError(f"DCGAN takes sides of 8 to 128 pixels; these are {shape[1:]}")
        image = (shape[0], shape[1], shape[2])
        if self.architecture == "lecture":
            self.generator_: nn.Module = dcgan.lecture_generator(image, self.n_components)
            self.discriminator_: nn.Module = dcgan.lecture_discriminator(image)
            weights = dcgan.glorot_weights
        else:
            self.generator_ = dcgan.generator(image, self.n_components, self.width)
            self.discriminator_ = dcgan.discriminator(image, self.width)
            weights = dcgan.dcgan_weights
        self.generator_.apply(weights)
        self.discriminator_.apply(weights)

    def updates(self) -> list[Update]:
        """Move the discriminator first, then the generator."""
        own = partial(adam, learning_rate=self.learning_rate, betas=(self.beta_1, 0.999))
        return [
            Update("discriminator", self.discriminator_loss, [self.discriminator_], optimizer=own),
            Update("generator", self.generator_loss, [self.generator_], optimizer=own),
        ]

    def generate(self, z_NK: Tensor) -> Tensor:
        """Return ``G(z)`` in [−1, 1]."""
        x_fake: Tensor = self.generator_(z_NK)
        return x_fake

    def discriminator_loss(self, x: Tensor) -> Loss:
        """Return −E log D(x) − E log(1 − D(G(z))), the first with its target smoothed."""
        logits_real = full_precision(self.discriminator_(2 * x - 1))
        x_fake = self.generate(self.draw(x)).detach()
        logits_fake = full_precision(self.discriminator_(x_fake))
        real = real_fake_cross_entropy(logits_real, self.label_smoothing)
        fake = real_fake_cross_entropy(logits_fake, 0.0)
        probabilities = {
            "real_probability": logits_real.sigmoid().mean(),
            "fake_probability": logits_fake.sigmoid().mean(),
        }
        return Loss(real + fake, probabilities)

    def generator_loss(self, x: Tensor) -> Tensor:
        """Return −E log D(G(z)), the non-saturating form."""
        logits_fake = full_precision(self.discriminator_(self.generate(self.draw(x))))
        return real_fake_cross_entropy(logits_fake, 1.0)
