"""How data x arise given z: the distributions p(x given z) that a user may choose from.

With g(z) the decoder's raw output, an observation is one of

    bernoulli   −log p = −Σ [x log p + (1 − x) log(1 − p)],  p = σ(g(z))         ([1]_ appendix C.1)
    gaussian    −log p = ½ Σ [(x − m)²/v + log 2πv],  m = g(z) or σ(g(z))        ([1]_ appendix C.2)
    mse         w · (1/D) Σ (x − m)²,     the lectures' weighted mean squared error
    rmse        w · √((1/D) Σ (x − m)²),  the lectures' weighted root of it

in nats, summed over the D values of x. The weighted errors are no log-likelihoods: beside a KL they
pull on m as a Gaussian's does, mse as one of variance v = D/(2w), rmse as one of variance
v = D·RMSE/w. The bound that such a model scores is that Gaussian's.

References
----------
.. [1] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from latentia.data.dataset import Dataset
from latentia.errors import (
    CountsWhen,
    Decay,
    InputError,
    Positive,
    are_own,
)
from latentia.models.base import Encoder, Generator
from latentia.models.inputs import Labels, Rows, is_photographic
from latentia.nets.autoencoder import LearnedVariance, set_output_bias
from latentia.nets.mlp import Standardisation
from latentia.training import draws
from latentia.training.batches import Source, mean_of
from latentia.training.device import full_precision
from latentia.training.losses import root_mean_square

ERRORS = ("mse", "rmse")
USUAL_NOISE = 0.04
"""The variance of a gaussian where none is asked for nor learned."""
TINY = 16
"""Side in pixels of images below which ``auto`` means a gaussian observation."""
LEAST_PROBABILITY = 1e-3
"""Of a bit, where the decoder's output starts."""


def bernoulli_cross_entropy(x: Tensor, logits: Tensor) -> Tensor:
    """Return (N,) values of ``−Σ_d [x log p + (1 − x) log(1 − p)]``, p = σ(logits), in nats.

    The form on logits is ``max(l, 0) − l·x + log(1 + e^{−|l|})``, which never overflows. For grey
    values in (0, 1) it is the cross-entropy, as the literature on MNIST uses it.

    References
    ----------
    .. [1] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix C.1.
    """
    return binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)


def gaussian_negative_log_density(x: Tensor, mean: Tensor, variance: float | Tensor) -> Tensor:
    """Return (N,) values of ``½ Σ_d [(x − m)²/v + log(2πv)]`` with one variance ``v``.

    References
    ----------
    .. [1] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix C.2.
    """
    v = torch.as_tensor(variance, dtype=x.dtype)
    constant = x[0].numel() * torch.log(2 * math.pi * v)
    return 0.5 * ((x - mean).square().flatten(1).sum(1) / v + constant)


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
class ChosenLikelihood(Generator, Encoder):
    """The fields that choose p(x given z), for an `AutoencodingModel` with a posterior."""

    observation: Literal["auto", "bernoulli", "gaussian", "mse", "rmse"] = "auto"
    """Distribution of x given z, or a weighted error; auto is bernoulli for data in [0, 1] but for
    photographs and for images under 16 pixels a side."""
    noise_variance: Annotated[
        Positive | Literal["auto"] | None, CountsWhen("observation", ("gaussian",))
    ] = "auto"
    """Variance v of a gaussian, in a table's columns' variances; none learns it (σ-VAE), and auto
    learns it for photographs whose observation is auto, and takes 0.04 otherwise."""
    reconstruction_weight: Annotated[Positive, CountsWhen("observation", ("mse", "rmse"))] = 1000.0
    """Weight w of the errors mse and rmse."""
    binarize: bool = False
    """Draw each value as a bit with probability x, anew at every step (dynamic binarisation)."""
    ema_decay: Decay | None = 0.99
    """Decay of the averaged weights that the fitted model then uses; none keeps the last ones."""

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
        """Return what ``auto`` means for these data; in a resumed run what it meant there.

        Gaussian for photographs, data that leave [0, 1], and images of a few grey pixels:
        cross-entropy says so little about each of them that the posterior keeps to the prior, and
        samples blur.
        """
        tiny = len(self.data_shape_) > 1 and max(self.data_shape_[-2:]) < TINY
        photographic = photographic or self.architecture == "principal"
        grey = (tiny and not self.binarize) or (photographic and self.may_start_linear)
        if self.beginning is not None:
            return str(self.beginning.observation_)
        if self.begun is not None:
            # Runs of version 0.1.0 do not say: there it followed from the range alone.
            grey = self.begun.resolved.get("observation") == "gaussian"
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
            self._noise = self._solution.noise(k) if learned else self.given_noise

    def build(self, shape: tuple[int, ...]) -> None:
        """Make encoder, decoder and the noise's variance; bits start at their mean."""
        self.make_nets(shape, 2 * self.n_components, n_given=self.n_given())
        noise = self.__dict__.pop("_noise", 0.1)
        if self.observation_ == "gaussian" and self.learns_noise:
            self.noise_ = LearnedVariance(noise)
        if self.observation_ == "bernoulli" and not are_own(self, "decoder"):
            p = torch.from_numpy(self.mean_).clamp(LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
            set_output_bias(self.decoder_, p.logit())

    @property
    def learns_noise(self) -> bool:
        """Whether v is learned: if asked, or of photographs where both are left open."""
        left = self.noise_variance == self.observation == "auto"
        return self.noise_variance is None or (left and self.photographic_)

    @property
    def given_noise(self) -> float | None:
        """The v that is asked for or usual, where it is not learned."""
        return USUAL_NOISE if isinstance(self.noise_variance, str) else self.noise_variance

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
        units, known = self.standardisation_, self.given_noise
        if self.observation_ in ERRORS:
            # It follows from the errors when the training has ended.
            known = vars(self).get("noise_variance_", math.nan)
        variance = self.noise_() if "noise_" in vars(self) else torch.tensor(known)
        gaussian = Gaussian(variance, units, units.scale.log().sum(), self.squashes)
        if self.observation_ in ERRORS:
            return WeightedError(self.observation_, self.reconstruction_weight, gaussian)
        return gaussian

    def drawn_for(self, data: Dataset, n: int, random_state: int) -> NDArray[Any]:
        """Return n samples to be held against data: rows of a table with the noise of p(x given z).

        Means alone would lie closer together than rows, whose noise other densities draw too.
        """
        if len(self.data_shape_) > 1 or self.observation_ in ERRORS:
            return super().drawn_for(data, n, random_state)
        return np.asarray(self.sample(n, random_state, noise=True))

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
