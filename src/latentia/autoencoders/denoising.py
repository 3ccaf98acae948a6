"""The denoising autoencoder: take noise away, and so learn where the data lie.

A clean sample ``x`` is corrupted to ``x̃``, encoded and decoded, and compared with the *clean* one:

    x̃ = clip(x + s·ε, 0, 1),  ε ~ N(0, I)          (corruption)
    z = f(x̃),  x̂ = g(z)                            (autoencoder)
    minimise  E ‖x − x̂‖²,  or the cross-entropy    (target: the clean x)

Shapes: ``x`` is (N, C, H, W) or (N, d), ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from torch import Tensor

from latentia import draws
from latentia.autoencoders.base import AutoencodingModel
from latentia.errors import InputError
from latentia.losses import bernoulli_negative_log_likelihood, full_precision, squared_error
from latentia.parameters import check_range
from latentia.updates import Update


@final
@dataclass(eq=False, repr=False, kw_only=True)
class DenoisingAutoencoder(AutoencodingModel):
    """Denoising autoencoder: encode a noisy sample, decode the clean one [1]_.

    ``transform`` encodes, ``inverse_transform`` decodes, ``reconstruct`` denoises what it is
    given, ``score`` is minus the squared error per sample on clean input. By default the lecture's
    convolutional net on images (1→8→16→32 channels of stride 2, batch norm, linear 128, 4 latent
    components) and fully connected layers on tables. Noise is clipped to [0, 1] where the data
    lie in it; on other tables its unit is each column's standard deviation.

    Attributes
    ----------
    encoder_, decoder_
        The nets.
    seed_
        The seed that was used.

    Raises
    ------
    InputError
        From ``fit``, for a bad parameter or data; cross-entropy needs data in [0, 1].

    References
    ----------
    .. [1] P. Vincent, H. Larochelle, Y. Bengio, P.-A. Manzagol, "Extracting and Composing Robust
       Features with Denoising Autoencoders", ICML 2008, section 2.3.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).random((64, 8, 8))
    >>> model = DenoisingAutoencoder(n_components=2, n_epochs=1, random_state=0).fit(X)
    >>> model.reconstruct(X).shape, model.transform(X).shape
    ((64, 8, 8), (64, 2))
    """

    n_components: int = 4
    """Size of the latent space."""
    hidden: tuple[int, ...] = (128,)
    """Widths of the encoder's fully connected layers; the decoder mirrors them."""
    noise_factor: float = 0.3
    """Standard deviation s of the noise that is added, in the data's unit; 0 adds none."""
    loss: Literal["mse", "bce"] = "mse"
    """Squared error, or cross-entropy in nats; both summed over a sample's values."""

    lacks = {"sample": "an autoencoder has no prior over its latent space; use a VAE"}

    @property
    def default_architecture(self) -> Literal["mlp", "convolutional"]:
        """The lecture's nets are convolutional."""
        return "convolutional"

    def check_values(self) -> None:
        """Raise InputError for a hyperparameter out of its range."""
        self.check_shape_values()
        check_range("noise_factor", self.noise_factor, 0)

    def code_outputs(self) -> int:
        """Return the size of the latent space."""
        return self.n_components

    def updates(self) -> list[Update]:
        """One loss moves both nets."""
        if self.loss == "bce" and not self.unit_range_:
            raise InputError("loss is 'bce' and the data leave [0, 1]; choose loss='mse'")
        return [Update("reconstruction", self.reconstruction_loss, [self.encoder_, self.decoder_])]

    def corrupt(self, x: Tensor) -> Tensor:
        """Return ``x̃``, clipped to [0, 1] where the data lie in it."""
        noisy = x + self.noise_factor * self.standardisation_.scale * draws.normal_like(x)
        return noisy.clamp(0, 1) if self.unit_range_ else noisy

    def encode(self, x: Tensor) -> Tensor:
        """Return (N, n_components) codes of what is given, without adding noise."""
        z_NK: Tensor = self.encoder_(self.standardisation_(x))
        return z_NK

    def reconstruction_loss(self, x: Tensor) -> Tensor:
        """Compare what the noisy sample decodes to with the clean one."""
        output = full_precision(self.decoder_(self.encode(self.corrupt(x))))
        if self.loss == "bce":
            return bernoulli_negative_log_likelihood(x, output)
        if self.unit_range_:
            return squared_error(x, output.sigmoid())
        return squared_error(self.standardisation_(x), output)

    def preview(self, x: Tensor) -> list[tuple[str, Tensor]]:
        """Return three rows: original, noisy, reconstructed."""
        x = x[:10]
        noisy = self.corrupt(x)
        restored = self.decode(self.encode(noisy))
        return [("original", x), ("noisy", noisy), ("reconstructed", restored)]

    def score(self, X: object, y: object = None) -> float:
        """Return minus the mean over samples of ``‖x − x̂‖²`` on clean input (higher is better)."""
        return self.negative_squared_error(X)
