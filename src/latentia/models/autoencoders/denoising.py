"""The denoising autoencoder: take noise away, and so learn where the data lie.

A clean sample ``x`` is corrupted to ``x̃``, encoded and decoded, and compared with the *clean* one:

    x̃ ~ q(x̃ given x)                               (corruption: `autoencoders.corruption`)
    z = f(x̃),  x̂ = g(z)                            (autoencoder)
    minimise  E ‖x − x̂‖²,  or the cross-entropy    (target: the clean x)

Shapes: ``x`` is (N, C, H, W) or (N, d), ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from latentia.errors import InputError
from latentia.models.autoencoders.base import AutoencodingModel
from latentia.models.autoencoders.corruption import check_noise, corrupted, level_of_ratio
from latentia.models.base import in_kind_of
from latentia.nets.mlp import Standardisation
from latentia.training import draws
from latentia.training.batches import Source, column_moments
from latentia.training.updates import Update

USUAL_NOISE = 0.3


@final
@dataclass(eq=False, repr=False, kw_only=True)
class DenoisingAutoencoder(AutoencodingModel):
    """Denoising autoencoder: encode a noisy sample, decode the clean one [1]_.

    ``transform`` encodes, ``inverse_transform`` decodes, ``reconstruct`` denoises what it is
    given, ``add_noise`` corrupts as the training does, ``score`` is minus the squared error per
    sample on clean input. By default the lecture's convolutional net on images (1→8→16→32
    channels of stride 2, batch norm, linear 128, 4 latent components) and fully connected layers
    on tables. Gaussian noise is clipped to [0, 1] where the data lie in it; on other tables the
    unit of noise is each column's standard deviation, and masking gives its mean.

    Attributes
    ----------
    encoder_, decoder_
        The nets.
    noise_level_
        Standard deviation of gaussian noise, or the probability that a value is replaced.
    seed_
        The seed that was used.

    Raises
    ------
    InputError
        From ``fit``, for a bad parameter or data; cross-entropy and salt-and-pepper noise need
        data in [0, 1].

    References
    ----------
    .. [1] P. Vincent, H. Larochelle, Y. Bengio, P.-A. Manzagol, "Extracting and Composing Robust
       Features with Denoising Autoencoders", ICML 2008, section 2.3.
    .. [2] P. Vincent et al., "Stacked Denoising Autoencoders: Learning Useful Representations in a
       Deep Network with a Local Denoising Criterion", JMLR 2010, section 3.3 (kinds of noise).

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).random((64, 8, 8))
    >>> model = DenoisingAutoencoder(n_components=2, noise="masking", snr=3, n_epochs=1).fit(X)
    >>> model.reconstruct(model.add_noise(X, random_state=0)).shape, round(model.noise_level_, 3)
    ((64, 8, 8), 0.501)
    """

    n_components: int = 4
    """Size of the latent space."""
    hidden: tuple[int, ...] = (128,)
    """Widths of the encoder's fully connected layers; the decoder mirrors them."""
    noise: Literal["gaussian", "masking", "salt_and_pepper"] = "gaussian"
    """What is done to values: a normal draw added, 0 (a table's mean) put there, or 0 or 1."""
    noise_factor: float | None = None
    """Gaussian: standard deviation; other noise: a value's probability of it; none means 0.3."""
    snr: float | None = None
    """Signal-to-noise ratio in dB on the training data, in the place of noise_factor."""
    tied: bool = False
    """Whether the decoder's weights are the encoder's, transposed."""
    loss: Literal["mse", "rmse", "bce"] = "mse"
    """Squared error of a sample, the root of its mean over values, or cross-entropy in nats."""

    lacks = {"sample": "an autoencoder has no prior over its latent space; use a VAE"}

    @property
    def default_architecture(self) -> Literal["mlp", "convolutional"]:
        """The lecture's nets are convolutional."""
        return "convolutional"

    @property
    def ties_weights(self) -> bool:
        """What the field says."""
        return self.tied

    def check_values(self) -> None:
        """Raise InputError for a hyperparameter out of its range."""
        self.check_shape_values()
        check_noise(self.noise, self.noise_factor, self.snr)

    def code_outputs(self) -> int:
        """Return the size of the latent space."""
        return self.n_components

    def learn_scale(self, source: Source) -> None:
        """Find the range of the data, and the noise level that has the asked ratio to them."""
        super().learn_scale(source)
        if self.noise == "salt_and_pepper" and not self.unit_range_:
            raise InputError(
                "noise is 'salt_and_pepper' and the data leave [0, 1]; choose 'gaussian' or "
                "'masking'"
            )
        self.noise_level_ = USUAL_NOISE if self.noise_factor is None else float(self.noise_factor)
        if self.snr is not None:
            _, _, mean, variance = column_moments(source)
            if not self.unit_range_:
                scale = torch.from_numpy(self.column_scale_).double()
                mean, variance = torch.zeros_like(mean), variance / scale.square()
            self.noise_level_ = level_of_ratio(self.noise, self.snr, mean, variance)

    def updates(self) -> list[Update]:
        """One loss moves both nets."""
        self.check_comparison(self.loss)
        return [Update("reconstruction", self.reconstruction_loss, [self.encoder_, self.decoder_])]

    def corrupt(self, x: Tensor) -> Tensor:
        """Return ``x̃``, clipped to [0, 1] where the data lie in it."""
        units: Standardisation = self.standardisation_
        return corrupted(x, self.noise, self.noise_level_, units, clip=self.unit_range_)

    def add_noise(self, X: ArrayLike, random_state: int | None = None) -> Any:
        """Return data corrupted as in training.

        Parameters
        ----------
        X
            Clean data, shaped as in ``fit``.
        random_state
            Makes the draw repeatable.

        Returns
        -------
        X_noisy
            Of the shape of ``X``, as floats; images in [0, 1].
        """
        check_is_fitted(self)
        array = self.checked(X, reset=False)
        with torch.random.fork_rng():
            draws.seed("noise", np.random.default_rng(random_state).integers(2**32))
            noisy = self.apply("corrupt", array).reshape(array.shape)
        return in_kind_of(X, noisy)

    def damaged(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return data with noise, always the same."""
        return np.asarray(self.add_noise(X, random_state=0))

    def encode(self, x: Tensor) -> Tensor:
        """Return (N, n_components) codes of what is given, without adding noise."""
        z_NK: Tensor = self.encoder_(self.standardisation_(x))
        return z_NK

    def reconstruction_loss(self, x: Tensor) -> Tensor:
        """Compare what the noisy sample decodes to with the clean one."""
        return self.compared(self.loss, x, self.decoder_output(self.encode(self.corrupt(x))))

    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return three rows: original, noisy, reconstructed."""
        x = x[:10]
        noisy = self.corrupt(x)
        restored = self.decode(self.encode(noisy))
        return [("original", x), ("noisy", noisy), ("reconstructed", restored)]

    def score(self, X: object, y: object = None) -> float:
        """Return minus the mean over samples of ``‖x − x̂‖²`` on clean input (higher is better)."""
        return self.negative_squared_error(X)
