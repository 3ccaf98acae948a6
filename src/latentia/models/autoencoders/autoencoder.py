"""The autoencoder: nonlinear principal component analysis by a deep encoder and decoder.

    z = f(x),  x̂ = g(z)                                               ([1]_, figure 1)
    minimise the mean over samples of
        mse    ‖x − x̂‖²
        rmse   √(‖x − x̂‖² / d),  d values in a sample
        bce    −Σ_d [x log x̂ + (1 − x) log(1 − x̂)], in nats, on the decoder's logits

The code is linear in the last hidden layer, as in [1]_. With tied weights a layer W h + b of the
encoder is mirrored by Wᵀ h + b' ([2]_ section 2.2): half the weights, and each gets the sum of
both gradients.

Shapes: ``x`` is (N, C, H, W) or (N, d), ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from torch import Tensor

from latentia.errors import Count, Shapes
from latentia.models.autoencoders.base import AutoencodingModel
from latentia.models.autoencoders.reconstruction import compared
from latentia.training.updates import Update, name_of


@dataclass(eq=False, repr=False, kw_only=True)
class Autoencoder(AutoencodingModel):
    """Deep autoencoder, fully connected or convolutional, of any depth [1]_.

    ``transform`` encodes, ``inverse_transform`` decodes, ``score`` is minus the squared error per
    sample in the data's unit, whatever the loss. Data in [0, 1] are decoded through a sigmoid;
    other tables are compared in units of their columns' standard deviations. Cross-entropy needs
    data in [0, 1].

    Attributes
    ----------
    encoder_, decoder_
        The nets. A tied decoder owns offsets only and is called as ``decoder_(z, encoder_)``;
        ``decoder_output(z)`` serves both kinds.
    seed_
        The seed that was used.

    References
    ----------
    .. [1] G. E. Hinton, R. R. Salakhutdinov, "Reducing the Dimensionality of Data with Neural
       Networks", Science 2006.
    .. [2] P. Vincent et al., "Stacked Denoising Autoencoders: Learning Useful Representations in a
       Deep Network with a Local Denoising Criterion", JMLR 2010.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).random((64, 8, 8))
    >>> model = Autoencoder(n_components=2, hidden=(32,), tied=True, n_epochs=1).fit(X)
    >>> model.transform(X).shape, model.reconstruct(X).shape
    ((64, 2), (64, 8, 8))
    """

    n_components: Count = 30
    """Size of the latent space."""
    hidden: Annotated[tuple[Count, ...], Shapes("encoder", "decoder")] = (400, 200)
    """Widths of the encoder's fully connected layers; the decoder mirrors them."""
    tied: Annotated[bool, Shapes("encoder"), Shapes("decoder")] = False
    """Whether the decoder's weights are the encoder's, transposed."""
    objective: Literal["mse", "rmse", "bce"] = "mse"
    """Squared error of a sample, the root of its mean over values, or cross-entropy in nats."""

    lacks = {"sample": "an autoencoder has no prior over its latent space; use a VAE"}

    @property
    def most_epochs(self) -> int | None:
        """Passes that the usual steps take at most: over a table, whose rows are few numbers."""
        return 60 if len(self.data_shape_) == 1 else None

    @property
    def may_start_linear(self) -> bool:
        """Whether PCA's solution is the objective's: with a squared error and free weights."""
        return not self.tied and self.objective != "bce"

    def bounded_by(self) -> str:
        """Return why data must lie in [0, 1]: for cross-entropy."""
        return "the loss is cross-entropy" if self.objective == "bce" else ""

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the encoder and its mirror."""
        self.make_nets(shape, self.n_components, tied=self.tied)

    def updates(self) -> list[Update]:
        """Move both nets by one loss."""
        name = name_of(self.loss, "reconstruction")
        return [Update(name, self.loss, [self.encoder_, self.decoder_])]

    def loss(self, x: Tensor) -> Tensor:
        """Compare a sample with what its code decodes to."""
        return compared(self, self.objective, x, self.decoder_output(self.encode(x)))
