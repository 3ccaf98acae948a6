"""The denoising autoencoder: take noise away, and so learn where the data lie.

A clean sample ``x`` is corrupted to ``x̃``, encoded and decoded, and compared with the *clean* one:

    x̃ ~ q(x̃ given x)                               (corruption, below)
    z = f(x̃),  x̂ = g(z)                            (autoencoder)
    minimise  E ‖x − x̂‖²,  or the cross-entropy    (target: the clean x)        ([1]_ section 2.3)

    gaussian          x̃ = x + s·ε,  ε ~ N(0, I), clipped to [0, 1] where the data lie in it
    masking           x̃_j = 0 with probability ν, else x_j
    salt and pepper   x̃_j = 0 or 1, each with probability ν/2, else x_j         ([2]_ section 3.3)

The level is s or ν; in [2]_ ν is a fixed share of each sample's values. Tables of any scale are
corrupted in standard units u = (x − μ)/σ of their columns, where 0 is the mean. A signal-to-noise
ratio R, in dB, is 10 log₁₀(E[x²] / E[(x̃ − x)²]) with E over all values of the training data, in
standard units for tables. Of noise that is clipped it is the ratio that is left: with N(0, 1)'s
density φ and distribution Φ, a = −x/s and b = (1 − x)/s,

    E[(x̃ − x)² given x] = s² [Φ(b) − Φ(a) − b φ(b) + a φ(a)] + x² Φ(a) + (1 − x)² (1 − Φ(b))

which grows with s from 0 to ½ [x² + (1 − x)²], and so has one level s for each ratio down to that.

Shapes: ``x`` is (N, C, H, W) or (N, d), ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from latentia.errors import Count, InputError, Seed, Shapes, check_arguments, check_range
from latentia.models.autoencoders.base import AutoencodingModel
from latentia.models.autoencoders.reconstruction import compared
from latentia.models.inputs import Rows, in_kind_of, refuse_outside_unit
from latentia.training import draws
from latentia.training.batches import CHUNK, Source, column_moments
from latentia.training.updates import Update, name_of

Noise = Literal["gaussian", "masking", "salt_and_pepper"]

USUAL_NOISE = 0.3
BINS = 255 * 20
"""Of the values that a level is found for: a byte is one of them."""
QUIETEST_LOG, LOUDEST_LOG = math.log(1e-7), math.log(1e7)
LOUDEST = {"gaussian": math.inf, "masking": 1.0, "salt_and_pepper": 1.0}
"""The greatest level of each kind: a standard deviation has no bound, a probability has."""


@dataclass(eq=False, repr=False, kw_only=True)
class DenoisingAutoencoder(AutoencodingModel):
    """Denoising autoencoder: encode a noisy sample, decode the clean one [1]_.

    ``transform`` encodes, ``inverse_transform`` decodes, ``reconstruct`` denoises what it is
    given, ``add_noise`` corrupts as the training does, ``score`` is minus the squared error per
    sample on clean input. By default the lecture's convolutional net on images (1→8→16→32
    channels of stride 2, batch norm, linear 128, 4 latent components) and fully connected layers
    on tables. Gaussian noise is clipped to [0, 1] where the data lie in it; on other tables the
    unit of noise is each column's standard deviation, and masking gives its mean. Cross-entropy
    and salt-and-pepper noise need data in [0, 1].

    Attributes
    ----------
    encoder_, decoder_
        The nets.
    noise_level_
        Standard deviation of gaussian noise, or the probability that a value is replaced.
    seed_
        The seed that was used.

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

    n_components: Count = 4
    """Size of the latent space."""
    hidden: Annotated[tuple[Count, ...], Shapes("encoder", "decoder")] = (128,)
    """Widths of the encoder's fully connected layers; the decoder mirrors them."""
    noise: Literal["gaussian", "masking", "salt_and_pepper"] = "gaussian"
    """What is done to values: a normal draw added, 0 (a table's mean) put there, or 0 or 1."""
    noise_factor: float | None = None
    """Gaussian: standard deviation; other noise: a value's probability of it; none means 0.3."""
    snr: float | None = None
    """Signal-to-noise ratio in dB on the training data, once clipped, instead of noise_factor."""
    architecture: Annotated[
        Literal["auto", "mlp", "convolutional"], Shapes("encoder", "decoder")
    ] = "auto"
    """The nets: fully connected, convolutional, or what suits the data."""
    tied: Annotated[bool, Shapes("encoder"), Shapes("decoder")] = False
    """Whether the decoder's weights are the encoder's, transposed."""
    objective: Literal["mse", "rmse", "bce"] = "mse"
    """Squared error of a sample, the root of its mean over values, or cross-entropy in nats."""

    lacks = {"sample": "an autoencoder has no prior over its latent space; use a VAE"}

    convolves_images: ClassVar[bool] = True

    def check_values(self) -> None:
        """Refuse a level out of the range of its kind, or one that is stated twice."""
        check_range("noise_factor", self.noise_factor, 0, LOUDEST[self.noise])
        # Masking noise is at most the signal itself: 0 dB.
        check_range("snr", self.snr, 0 if self.noise == "masking" else -100, 100)
        if self.noise_factor is not None and self.snr is not None:
            raise InputError(
                f"noise_factor is {self.noise_factor:g} and snr is {self.snr:g}; give one of them, "
                "since each determines the other"
            )

    def learn_scale(self, source: Source) -> None:
        """Find the range of the data, and the noise level that has the asked ratio to them."""
        super().learn_scale(source)
        if self.noise == "salt_and_pepper" and not self.unit_range_:
            raise InputError(
                "noise is 'salt_and_pepper' and the data leave [0, 1]; choose 'gaussian' or "
                "'masking'"
            )
        self.noise_level_ = USUAL_NOISE if self.noise_factor is None else float(self.noise_factor)
        if self.snr is not None and self.noise == "gaussian" and self.unit_range_:
            self.noise_level_ = level_of_clipped_ratio(self.snr, *histogram(source))
        elif self.snr is not None:
            _, _, mean, variance = column_moments(source)
            if not self.unit_range_:
                scale = torch.from_numpy(self.column_scale_).double()
                mean, variance = torch.zeros_like(mean), variance / scale.square()
            self.noise_level_ = level_of_ratio(self.noise, self.snr, mean, variance)

    def bounded_by(self) -> str:
        """Return why data must lie in [0, 1]: for cross-entropy, or for noise that stays in it."""
        if self.objective == "bce":
            return "the loss is cross-entropy"
        return "the noise stays in it" if self.unit_range_ and self.noise != "masking" else ""

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the encoder and its mirror."""
        self.make_nets(shape, self.n_components, tied=self.tied)

    def updates(self) -> list[Update]:
        """Move both nets by one loss."""
        name = name_of(self.loss, "reconstruction")
        return [Update(name, self.loss, [self.encoder_, self.decoder_])]

    def loss(self, x: Tensor) -> Tensor:
        """Compare what the noisy sample decodes to with the clean one."""
        return compared(self, self.objective, x, self.decoder_output(self.encode(self.corrupt(x))))

    def corrupt(self, x: Tensor) -> Tensor:
        """Return ``x̃``, gaussian noise clipped to [0, 1] where the data lie in it."""
        units = self.standardisation_
        if self.noise == "gaussian":
            noisy = x + self.noise_level_ * units.scale * draws.normal_like(x)
            return noisy.clamp(0, 1) if self.unit_range_ else noisy
        share = draws.uniform_like(x)
        if self.noise == "masking":
            return torch.where(share < self.noise_level_, units.mean.to(x.dtype), x)
        extreme = (share < self.noise_level_ / 2).to(x.dtype)
        return torch.where(share < self.noise_level_, extreme, x)

    def add_noise(self, X: Rows, random_state: Seed | None = None) -> Any:
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
        check_arguments(DenoisingAutoencoder.add_noise, locals())
        check_is_fitted(self)
        array = self.checked(X, reset=False)
        refuse_outside_unit(array, self.bounded_by())
        with torch.random.fork_rng():
            draws.seed("noise", np.random.default_rng(random_state).integers(2**32))
            noisy = self.apply("corrupt", array).reshape(array.shape)
        return in_kind_of(X, noisy, self)

    def damaged(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return data with noise, always the same."""
        return np.asarray(self.add_noise(X, random_state=0))

    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return three rows: original, noisy, reconstructed."""
        x = x[:10]
        noisy = self.corrupt(x)
        restored = self.decode(self.encode(noisy))
        return [("original", x), ("noisy", noisy), ("reconstructed", restored)]


def histogram(source: Source) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return values in [0, 1], those of bytes among them, and the share of the data at each."""
    counts = np.zeros(BINS + 1)
    for first in range(0, len(source), CHUNK):
        (x,) = source.batch(np.arange(first, min(first + CHUNK, len(source))))[:1]
        places = (BINS * x).round().long().flatten()
        counts += torch.bincount(places, minlength=BINS + 1).cpu().numpy()
    return np.arange(BINS + 1) / BINS, counts / counts.sum()


def clipped_energy(s: float, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return E[(x̃ − x)² given x] for x̃ = x + s·ε clipped to [0, 1]."""
    a, b = -x / s, (1 - x) / s
    within = norm.cdf(b) - norm.cdf(a) - b * norm.pdf(b) + a * norm.pdf(a)
    energy: NDArray[np.float64] = s**2 * within + x**2 * norm.cdf(a) + (1 - x) ** 2 * norm.sf(b)
    return energy


def level_of_clipped_ratio(
    snr: float, x: NDArray[np.float64], shares: NDArray[np.float64]
) -> float:
    """Return the s at which clipped gaussian noise is ``snr`` dB below the signal.

    ``shares`` are those of the values x in the data.
    """
    signal = float(shares @ x**2)
    energy = signal / 10 ** (snr / 10)
    if signal == 0:
        return 0.0

    def excess(log_s: float) -> float:
        return float(shares @ clipped_energy(math.exp(log_s), x)) / energy - 1

    if excess(LOUDEST_LOG) < 0:
        least = 10 * math.log10(2 * signal / float(shares @ (x**2 + (1 - x) ** 2)))
        raise InputError(
            f"snr is {snr:g}; gaussian noise clipped to [0, 1] leaves these data at least "
            f"{least:.2f} dB"
        )
    return math.exp(brentq(excess, QUIETEST_LOG, LOUDEST_LOG, xtol=1e-9))


def level_of_ratio(kind: Noise, snr: float, mean: Tensor, variance: Tensor) -> float:
    """Return the level at which the noise is ``snr`` dB below the signal, if it can be so loud.

    Mean and variance are of each value over the training data, in the unit of the noise.
    """
    signal = float((variance + mean.square()).mean())
    energy = signal / 10 ** (snr / 10)
    if kind == "gaussian":
        return math.sqrt(energy)
    salted = float((variance + (1 - mean).square()).mean())
    whole = signal if kind == "masking" else 0.5 * (signal + salted)
    level = energy / whole if whole > 0 else 0.0
    if level > 1:
        least = 10 * math.log10(signal / whole)
        raise InputError(
            f"snr is {snr:g}; {kind} noise in every value of these data gives {least:.2f} dB, "
            "which is the least"
        )
    return level
