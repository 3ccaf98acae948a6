"""What autoencoders share: two nets, and what p(x given z) makes of the decoder's output.

Tables of any scale are standardised by constants inside the nets; data in [0, 1] are used as they
are and decoded through a sigmoid. With g(z) the decoder's raw output, an observation is one of

    bernoulli   −log p = −Σ [x log p + (1 − x) log(1 − p)],  p = σ(g(z))         ([1]_ appendix C.1)
    gaussian    −log p = ½ Σ [(x − m)²/v + log 2πv],  m = g(z) or σ(g(z))        ([1]_ appendix C.2)
    mse         w · (1/D) Σ (x − m)²,     the lectures' weighted mean squared error
    rmse        w · √((1/D) Σ (x − m)²),  the lectures' weighted root of it

in nats, summed over the D values of x. The weighted errors are no log-likelihoods: beside a KL they
pull on m as a Gaussian's does, mse as one of variance v = D/(2w), rmse as one of variance
v = D·RMSE/w. The bound that such a model scores is that Gaussian's.

Shapes: ``x`` is (N, *shape); ``z_NK``, mean and log-variance are (N, n_components).

References
----------
.. [1] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latentia.errors import Count, CountsWhen, InputError, Positive, Shapes, are_own, own_among
from latentia.models.autoencoders.doctor import activity, examine
from latentia.models.autoencoders.linear_start import linear_solution, start
from latentia.models.base import Encoder, LatentModel
from latentia.models.decoding import DecodingModel
from latentia.models.gradient import GradientModel
from latentia.models.inputs import Labels, Rows, is_photographic, some_rows
from latentia.models.own_nets import mirrored, take
from latentia.nets.autoencoder import LearnedVariance, autoencoder_nets, decoded, set_output_bias
from latentia.nets.mlp import Standardisation
from latentia.training import draws
from latentia.training.batches import Source, column_moments, column_scale, mean_of
from latentia.training.losses import (
    bernoulli_cross_entropy,
    bernoulli_negative_log_likelihood,
    full_precision,
    gaussian_negative_log_density,
    root_mean_square,
    root_mean_squared_error,
    squared_error,
)
from latentia.training.run import Numbers

Comparison = Literal["mse", "rmse", "bce"]
"""Squared error summed over a sample's values, the root of its mean, or cross-entropy in nats."""
ERRORS = ("mse", "rmse")
LEAST_PROBABILITY = 1e-3
"""Of a bit, where the decoder's output starts."""


@dataclass(eq=False, repr=False, kw_only=True)
class AutoencodingModel(Encoder, DecodingModel, GradientModel, LatentModel):
    """An encoder and its mirror for images or tables, fully connected or convolutional."""

    n_components: Count = 20
    """Size of the latent space."""
    encoder: nn.Module | None = None
    """A net of your own in the encoder's place, of which a copy is trained; none makes one."""
    decoder: nn.Module | None = None
    """A net of your own in the decoder's place, which gives its raw output; none makes one."""
    hidden: Annotated[tuple[Count, ...], Shapes("encoder", "decoder")] = (400, 400)
    """Widths of the encoder's fully connected layers; the decoder mirrors them."""
    channels: Annotated[
        tuple[Count, ...],
        CountsWhen("architecture", ("convolutional",)),
        Shapes("encoder", "decoder"),
    ] = (8, 16, 32)
    """Channels of the convolutional encoder's layers, each of which halves the image."""
    activation: Annotated[
        Literal["auto", "leaky_relu", "relu", "tanh", "sigmoid"], Shapes("encoder", "decoder")
    ] = "auto"
    """Between layers; auto is LeakyReLU 0.2 in fully connected nets and ReLU in convolutional."""
    architecture: Annotated[
        Literal["auto", "mlp", "convolutional", "principal"], Shapes("encoder", "decoder")
    ] = "auto"
    """The nets: fully connected, convolutional, between principal components of images, where they
    start as PCA, or what suits the data."""

    convolves_images: ClassVar[bool] = False
    """Whether ``auto`` means convolutional nets for images; tables have fully connected ones."""

    n_principal_ = 0
    photographic_ = False

    @property
    def may_start_linear(self) -> bool:
        """Whether the linear solution is one of this model's objective."""
        return True

    def check_values(self) -> None:
        """Refuse to start from a linear solution of another objective, or of nets of one's own."""
        if self.architecture == "principal" and (own := own_among(self, "encoder", "decoder")):
            raise InputError(
                f"architecture is 'principal', whose two nets start together, and {own[0]} is of "
                "your own: leave one of them out"
            )
        if self.architecture == "principal" and not self.may_start_linear:
            raise InputError(
                "architecture is 'principal', whose nets start as PCA: it goes with squared errors "
                "or a gaussian alone, not with tied or binarize; choose 'mlp'"
            )

    def settled(self, array: Rows) -> Mapping[str, object]:
        """Return which nets these data have."""
        if are_own(self, "encoder", "decoder"):
            return {}
        return {"architecture": self.nets_for(self.sample_shape_, is_photographic(array))}

    def learn_scale(self, source: Source) -> None:
        """Find the range of the data, and principal components, or each column's mean and scale."""
        self.unit_range_ = True
        if len(source.shape) > 1:
            x = source.batch(some_rows(np.arange(len(source))))[0].cpu()
            self.photographic_ = is_photographic(x.numpy())
            if self.nets_for(source.shape, self.photographic_) == "principal":
                self._solution = linear_solution(x)
                self.n_principal_ = len(self._solution.values)
            return
        low, high, mean, variance = column_moments(source)
        self.unit_range_ = low >= 0 and high <= 1
        if not self.unit_range_:
            self.column_mean_ = mean.float().numpy()
            self.column_scale_ = column_scale(mean, variance).float().numpy()

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the encoder and its mirror."""
        self.make_nets(shape, self.n_components)

    def make_nets(
        self, shape: tuple[int, ...], n_codes: int, *, tied: bool = False, n_given: int = 0
    ) -> None:
        """Make an encoder of ``n_codes`` outputs and its mirror, as `autoencoder_nets` does."""
        self.standardisation_ = Standardisation.identity(clips=self.n_principal_ > 0)
        if not self.unit_range_:
            columns = (self.column_mean_, self.column_scale_)
            self.standardisation_ = Standardisation(*map(torch.tensor, columns))
        self.encoder_: nn.Module
        self.decoder_: nn.Module
        if not are_own(self, "encoder", "decoder"):
            self.encoder_, self.decoder_ = autoencoder_nets(
                shape,
                n_codes,
                self.n_components,
                hidden=self.hidden,
                channels=self.channels,
                activation=self.activation,
                convolutional=self.nets_for(shape) == "convolutional",
                n_principal=self.n_principal_,
                tied=tied,
                n_given=n_given,
            )
        if "_solution" in vars(self):
            nets, k = (self.encoder_, self.decoder_), self.n_components
            start(*nets, vars(self).pop("_solution"), k, vars(self).get("_noise"))
        if own_among(self, "encoder", "decoder"):
            self.take_own(shape, n_codes, n_given)

    def take_own(self, shape: tuple[int, ...], n_codes: int, n_given: int) -> None:
        """Put copies of the user's own nets in their places."""
        take(self, mirrored(shape, n_codes, self.n_components, n_given, self.unit_range_))

    @property
    def squashes(self) -> bool:
        """Whether the decoder's output passes a sigmoid."""
        return self.unit_range_ and not self.n_principal_

    @property
    def keeps_best(self) -> bool:
        """Whether the best epoch's weights are the fitted ones: also from a linear start."""
        return self.n_principal_ > 0 or bool(super().keeps_best)

    def nets_for(self, shape: tuple[int, ...], photographic: bool = False) -> str:
        """Return the architecture of the nets for samples of this shape."""
        if self.architecture in ("convolutional", "principal") and len(shape) == 1:
            raise InputError(
                f"architecture is {self.architecture!r} and the data are a table of shape "
                f"(n, {shape[0]}); give images, or choose 'mlp'"
            )
        if self.architecture != "auto":
            return self.architecture
        if len(shape) > 1 and self.convolves_images:
            return "convolutional"
        suits = photographic and self.may_start_linear and not own_among(self, "encoder", "decoder")
        return "principal" if suits else "mlp"

    def encode(self, x: Tensor) -> Tensor:
        """Return (N, n_components) codes."""
        z_NK: Tensor = self.encoder_(self.standardisation_(x))
        return z_NK

    def _encode_array(self, X: NDArray[Any]) -> NDArray[Any]:
        return self.apply("encode", X)

    def decode(self, z_NK: Tensor) -> Tensor:
        """Return decoded data, (N, *shape): through a sigmoid, or in the data's units."""
        output = self.decoder_output(z_NK)
        return output.sigmoid() if self.squashes else self.standardisation_.inverse(output)

    def decoder_output(self, z_NK: Tensor) -> Tensor:
        """Return the decoder's raw output, (N, *shape)."""
        return decoded(self.decoder_, self.encoder_, z_NK)

    def compared(self, kind: Comparison, x: Tensor, output: Tensor) -> Tensor:
        """Return the loss between data and the decoder's raw output, in standard units."""
        output = full_precision(output)
        if kind == "bce" and not self.unit_range_:
            raise InputError("objective is 'bce' and the data leave [0, 1]; choose objective='mse'")
        if kind == "bce":
            return bernoulli_negative_log_likelihood(x, output)
        error = squared_error if kind == "mse" else root_mean_squared_error
        if self.squashes:
            return error(x, output.sigmoid())
        return error(self.standardisation_(x), output)

    def checkup(
        self, x: Tensor, *targets: Tensor, means: Numbers, earlier: Sequence[Numbers], epoch: int
    ) -> tuple[dict[str, float], str]:
        """Return what an epoch's end shows of the model's health, and the doctor's sentence."""
        z_NK = self.encode(x)
        return examine(self, x, self.decode(z_NK), activity(z_NK), means, earlier, epoch)

    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return two rows: original, reconstructed."""
        x = x[:10]
        return [("original", x), ("reconstructed", self.decode(self.encode(x)))]

    def score(self, X: Rows, y: Labels = None) -> float:
        """Return minus the mean over samples of ``‖x − x̂‖²`` (higher is better)."""
        return self.negative_squared_error(X)


class Observation(ABC):
    """How data x arise given z: a distribution p(x given z), or an error in its place.

    ``output`` is the decoder's raw output for z, of the shape of x, (N, *shape).
    """

    @abstractmethod
    def nll(self, x: Tensor, output: Tensor) -> Tensor:
        """Return (N,) values of −log p(x given z) in nats."""

    @abstractmethod
    def mean(self, output: Tensor) -> Tensor:
        """Return the mean of p(x given z) in the data's units."""

    @abstractmethod
    def around(self, means: NDArray[Any], draw: np.random.RandomState) -> NDArray[Any]:
        """Return draws of p(x given z) of these means, both in the data's units."""

    def draw(self, x: Tensor) -> Tensor:
        """Return data as the likelihood takes them; here as they are."""
        return x

    def objective(self, x: Tensor, output: Tensor) -> Tensor:
        """Return (N,) values of what the training minimises; here −log p(x given z)."""
        return self.nll(x, output)


@dataclass(frozen=True)
class Bernoulli(Observation):
    """Each value is a bit, 1 with probability σ(g(z)); grey values count as their mean."""

    binarize: bool = False

    def nll(self, x: Tensor, output: Tensor) -> Tensor:
        """Return (N,) values of −log p(x given z) in nats."""
        return bernoulli_cross_entropy(x, output)

    def mean(self, output: Tensor) -> Tensor:
        """Return the probabilities."""
        return output.sigmoid()

    def around(self, means: NDArray[Any], draw: np.random.RandomState) -> NDArray[Any]:
        """Return bits, each 1 with the probability that is its mean."""
        return (draw.random_sample(means.shape) < means).astype(np.float32)

    def draw(self, x: Tensor) -> Tensor:
        """Return bits, each 1 with probability x, if they are asked for."""
        return (draws.uniform_like(x) < x).to(x.dtype) if self.binarize else x


@dataclass(frozen=True)
class Gaussian(Observation):
    """N(m, v I) of data in standard units; m is g(z), or for data in [0, 1] σ(g(z)).

    In the data's own units the log-density is lower by ``log_volume``, the sum of log scale over
    values.
    """

    variance: Tensor
    units: Standardisation
    log_volume: Tensor | float
    sigmoid: bool = False

    def nll(self, x: Tensor, output: Tensor) -> Tensor:
        """Return (N,) values of −log p(x given z) in nats, in the data's units."""
        in_units = gaussian_negative_log_density(*self.in_units(x, output), self.variance)
        return in_units + self.log_volume

    def mean(self, output: Tensor) -> Tensor:
        """Return m in the data's units."""
        return output.sigmoid() if self.sigmoid else self.units.inverse(output)

    def around(self, means: NDArray[Any], draw: np.random.RandomState) -> NDArray[Any]:
        """Return the means with noise of variance v in standard units."""
        scale = self.variance.detach().sqrt() * self.units.scale
        return means + np.asarray(scale.cpu()) * draw.standard_normal(means.shape)

    def in_units(self, x: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:
        """Return data and m, both in standard units."""
        return self.units(x), output.sigmoid() if self.sigmoid else output


@dataclass(frozen=True)
class WeightedError(Observation):
    """An error whose weight w is chosen, and the Gaussian that it scores as."""

    kind: str
    weight: float
    gaussian: Gaussian

    def nll(self, x: Tensor, output: Tensor) -> Tensor:
        """Return (N,) values of the Gaussian's −log p(x given z) in nats."""
        return self.gaussian.nll(x, output)

    def mean(self, output: Tensor) -> Tensor:
        """Return m in the data's units."""
        return self.gaussian.mean(output)

    def around(self, means: NDArray[Any], draw: np.random.RandomState) -> NDArray[Any]:
        """Refuse: an error is no density to draw from."""
        raise InputError(f"observation is {self.kind!r}, an error and no density: leave noise out")

    def objective(self, x: Tensor, output: Tensor) -> Tensor:
        """Return (N,) weighted errors."""
        u, mean = self.gaussian.in_units(x, output)
        if self.kind == "mse":
            return self.weight * (u - mean).square().flatten(1).mean(1)
        return self.weight * root_mean_square(u - mean)

    def equivalent_variance(self, objective: Tensor, d: int) -> Tensor:
        """Return the v of the Gaussian that pulls as (N,) weighted errors of D = d values do."""
        if self.kind == "mse":
            return torch.tensor(d / (2 * self.weight))
        return d * objective.detach().mean() / self.weight**2


@dataclass(eq=False, repr=False, kw_only=True)
class ChosenLikelihood(Encoder):
    """The fields that choose p(x given z), for an `AutoencodingModel` with a posterior."""

    observation: Literal["auto", "bernoulli", "gaussian", "mse", "rmse"] = "auto"
    """Distribution of x given z, or a weighted error; auto is bernoulli for data in [0, 1] but for
    photographs."""
    noise_variance: Annotated[Positive | None, CountsWhen("observation", ("gaussian",))] = 0.1
    """Variance v of a gaussian, in a table's columns' variances; none learns it (σ-VAE), as does
    the value by default for photographs whose observation is auto."""
    reconstruction_weight: Annotated[Positive, CountsWhen("observation", ("mse", "rmse"))] = 1000.0
    """Weight w of the errors mse and rmse."""
    binarize: bool = False
    """Draw each value as a bit with probability x, anew at every step (dynamic binarisation)."""

    def check_values(self) -> None:
        """Refuse bits under another likelihood than the Bernoulli."""
        super().check_values()
        if self.binarize and self.observation not in ("auto", "bernoulli"):
            raise InputError(
                f"binarize needs observation='bernoulli', not {self.observation!r}: bits have no "
                "other likelihood here"
            )

    def settled(self, array: Rows) -> Mapping[str, object]:
        """Return which nets and which distribution these data have."""
        shared: Mapping[str, object] = super().settled(array)
        if self.observation != "auto":
            return shared
        in_range = len(self.data_shape_) > 1 or bool(array.min() >= 0 and array.max() <= 1)
        return {**shared, "observation": self.suited(in_range, is_photographic(array))}

    def suited(self, in_range: bool, photographic: bool) -> str:
        """Return what ``auto`` means: gaussian for photographs and data that leave [0, 1]."""
        grey = (photographic or self.architecture == "principal") and self.may_start_linear
        return "gaussian" if grey or not in_range else "bernoulli"

    @property
    def may_start_linear(self) -> bool:
        """Whether the linear solution is the observation's: a Gaussian's, of grey values."""
        return self.observation in ("auto", "gaussian") and not self.binarize

    def learn_scale(self, source: Source) -> None:
        """Find the data's range, the distribution that suits it, and the mean of binary data."""
        super().learn_scale(source)
        bits = self.binarize or self.observation == "bernoulli"
        if bits and not self.unit_range_:
            raise InputError("observation is 'bernoulli' and the data leave [0, 1]; use 'gaussian'")
        suited = self.suited(self.unit_range_, self.photographic_)
        self.observation_ = suited if self.observation == "auto" else self.observation
        if self.observation_ == "bernoulli":
            self.mean_ = mean_of(source)
        if self.n_principal_:
            learned, k = self.learns_noise, self.n_components
            self._noise = self._solution.noise(k) if learned else self.noise_variance

    def build(self, shape: tuple[int, ...]) -> None:
        """Make encoder, decoder and the noise's variance; bits start at their mean."""
        self.make_nets(shape, 2 * self.n_components, n_given=self.n_given())
        noise = vars(self).pop("_noise", 0.1)
        if self.observation_ == "gaussian" and self.learns_noise:
            self.noise_ = LearnedVariance(noise)
        if self.observation_ == "bernoulli" and not are_own(self, "decoder"):
            p = torch.from_numpy(self.mean_).clamp(LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
            set_output_bias(self.decoder_, p.logit())

    @property
    def learns_noise(self) -> bool:
        """Whether v is learned: if asked, or of photographs whose observation is left open."""
        usual = type(self).__dataclass_fields__["noise_variance"].default
        left = self.photographic_ and self.observation == "auto"
        return self.noise_variance is None or (left and self.noise_variance == usual)

    def bounded_by(self) -> str:
        """Return why data must lie in [0, 1]: for the Bernoulli likelihood."""
        return "the likelihood is Bernoulli's" if self.observation_ == "bernoulli" else ""

    def n_given(self) -> int:
        """Return how many numbers the nets see beside x and z."""
        return 0

    def trained_nets(self) -> list[nn.Module]:
        """Return the nets that the bound moves."""
        nets = [self.encoder_, self.decoder_]
        return [*nets, self.noise_] if "noise_" in vars(self) else nets

    @property
    def likelihood(self) -> Observation:
        """p(x given z), by the nets as they are now."""
        if self.observation_ == "bernoulli":
            return Bernoulli(self.binarize)
        units, known = self.standardisation_, self.noise_variance
        if self.observation_ in ERRORS:
            # It follows from the errors when the training has ended.
            known = vars(self).get("noise_variance_", math.nan)
        variance = self.noise_() if "noise_" in vars(self) else torch.tensor(known)
        gaussian = Gaussian(variance, units, units.scale.log().sum(), self.squashes)
        if self.observation_ in ERRORS:
            return WeightedError(self.observation_, self.reconstruction_weight, gaussian)
        return gaussian

    def after_training(self, array: NDArray[Any], y: Labels) -> None:
        """Keep the noise variance that the model ended with."""
        super().after_training(array, y)
        likelihood = self.likelihood
        if isinstance(likelihood, WeightedError):
            errors = []
            for model, x, given in self.scored(array, y):
                output = model.decoder_output(model.encode(x, *given), *given)
                errors.append(model.likelihood.objective(x, full_precision(output)))
            variance = likelihood.equivalent_variance(torch.cat(errors), math.prod(x.shape[1:]))
            self.noise_variance_ = float(variance)
        elif isinstance(likelihood, Gaussian):
            self.noise_variance_ = float(likelihood.variance.detach())
