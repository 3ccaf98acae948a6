"""What autoencoders share: two nets, and with a density also a posterior, bounds and scores.

Tables of any scale are standardised by constants inside the nets; data in [0, 1] are used as they
are and decoded through a sigmoid. Of a model with a prior p(z) and a posterior q(z given x):

    log w = log p(x given z) + log p(z) − log q(z given x),  z ~ q(z given x)
    ELBO(x) = E log w                                                          [1]_ eq. 2
    L_k(x) = E log (1/k) Σ_i w_i,  ELBO = L_1 ≤ L_k ≤ L_{k+1} ≤ log p(x)       [2]_ eq. 8, theorem 1

All in nats per sample, summed over dimensions. A *condition* is what some models know beside x:
one-hot classes, ``y_NC``; for others the tuple ``given`` is empty.

Shapes: ``x`` is (N, *shape); ``z_NK``, mean and log-variance are (N, n_components).

References
----------
.. [1] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014, section 2.2.
.. [2] Y. Burda, R. Grosse, R. Salakhutdinov, "Importance Weighted Autoencoders", ICLR 2016,
   section 3.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn
from torch.distributions import Normal

from latentia.data.dataset import Dataset
from latentia.errors import Count, InputError, check_range
from latentia.models.apply import as_tensor, in_double
from latentia.models.base import Encoder, Generator, LatentModel
from latentia.models.gradient import DecodingModel, GradientModel
from latentia.models.inputs import Labels, Rows
from latentia.nets.autoencoder import TiedDecoder, autoencoder_nets
from latentia.nets.mlp import Standardisation
from latentia.training import draws
from latentia.training.batches import Source, column_moments, column_scale
from latentia.training.losses import (
    bernoulli_negative_log_likelihood,
    full_precision,
    kl_per_component,
    root_mean_squared_error,
    squared_error,
)
from latentia.training.train import evaluating
from latentia.training.updates import Loss

Comparison = Literal["mse", "rmse", "bce"]
"""Squared error summed over a sample's values, the root of its mean, or cross-entropy in nats."""
ROWS = 2048
"""Rows that go through the decoder at a time."""
IMAGES = 128
"""Samples that are scored at a time."""
ACTIVE = 0.01
"""Variance of a posterior mean over the data from which a component counts as active."""
LOG_2PI = math.log(2 * math.pi)


@dataclass(eq=False, repr=False, kw_only=True)
class AutoencodingModel(Encoder, DecodingModel, GradientModel, LatentModel):
    """An encoder and its mirror for images or tables, fully connected or convolutional."""

    n_components: Count = 20
    """Size of the latent space."""
    hidden: tuple[Count, ...] = (400, 400)
    """Widths of the encoder's fully connected layers; the decoder mirrors them."""
    channels: tuple[Count, ...] = (8, 16, 32)
    """Channels of the convolutional encoder's layers, each of which halves the image."""
    activation: Literal["auto", "leaky_relu", "relu", "tanh", "sigmoid"] = "auto"
    """Between layers; auto is LeakyReLU 0.2 in fully connected nets and ReLU in convolutional."""
    architecture: Literal["auto", "mlp", "convolutional"] = "auto"
    """The nets: fully connected, convolutional, or what suits the data."""

    convolves_images: ClassVar[bool] = False
    """Whether ``auto`` means convolutional nets for images; tables have fully connected ones."""

    def learn_scale(self, source: Source) -> None:
        """Find whether the data lie in [0, 1], and otherwise the mean and scale of each column."""
        self.unit_range_ = True
        if len(source.shape) > 1:
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
        self.standardisation_ = Standardisation.identity()
        if not self.unit_range_:
            columns = (self.column_mean_, self.column_scale_)
            self.standardisation_ = Standardisation(*map(torch.tensor, columns))
        self.encoder_: nn.Module
        self.decoder_: nn.Module
        self.encoder_, self.decoder_ = autoencoder_nets(
            shape,
            n_codes,
            self.n_components,
            hidden=self.hidden,
            channels=self.channels,
            activation=self.activation,
            convolutional=self.is_convolutional(shape),
            tied=tied,
            n_given=n_given,
        )

    def is_convolutional(self, shape: tuple[int, ...]) -> bool:
        """Return whether the nets for samples of this shape are convolutional."""
        if self.architecture == "convolutional" and len(shape) == 1:
            raise InputError(
                "architecture is 'convolutional' and the data are a table of shape "
                f"(n, {shape[0]}); give images, or choose 'mlp'"
            )
        if self.architecture == "auto":
            return len(shape) > 1 and self.convolves_images
        return self.architecture == "convolutional"

    def encode(self, x: Tensor) -> Tensor:
        """Return (N, n_components) codes."""
        z_NK: Tensor = self.encoder_(self.standardisation_(x))
        return z_NK

    def _encode_array(self, X: NDArray[Any]) -> NDArray[Any]:
        return self.apply("encode", X)

    def decode(self, z_NK: Tensor) -> Tensor:
        """Return decoded data, (N, *shape): through a sigmoid, or in the data's units."""
        output = self.decoder_output(z_NK)
        return output.sigmoid() if self.unit_range_ else self.standardisation_.inverse(output)

    def decoder_output(self, z_NK: Tensor) -> Tensor:
        """Return the decoder's raw output, (N, *shape); tied weights are the encoder's."""
        beside = (self.encoder_,) if isinstance(self.decoder_, TiedDecoder) else ()
        output: Tensor = self.decoder_(z_NK, *beside)
        return output

    def compared(self, kind: Comparison, x: Tensor, output: Tensor) -> Tensor:
        """Return the loss between data and the decoder's raw output, in standard units."""
        output = full_precision(output)
        if kind == "bce" and not self.unit_range_:
            raise InputError("loss is 'bce' and the data leave [0, 1]; choose loss='mse'")
        if kind == "bce":
            return bernoulli_negative_log_likelihood(x, output)
        error = squared_error if kind == "mse" else root_mean_squared_error
        if self.unit_range_:
            return error(x, output.sigmoid())
        return error(self.standardisation_(x), output)

    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return two rows: original, reconstructed."""
        x = x[:10]
        return [("original", x), ("reconstructed", self.decode(self.encode(x)))]

    def score(self, X: Rows, y: Labels = None) -> float:
        """Return minus the mean over samples of ``‖x − x̂‖²`` (higher is better)."""
        return self.negative_squared_error(X)


class Observation(ABC):
    """How data x are seen given z: a distribution, or what stands for one.

    ``output`` is the decoder's raw output for z, of the shape of x, (N, *shape).
    """

    @abstractmethod
    def nll(self, x: Tensor, output: Tensor) -> Tensor:
        """Return (N,) values of −log p(x given z) in nats."""

    @abstractmethod
    def mean(self, output: Tensor) -> Tensor:
        """Return the mean of p(x given z) in the data's units."""

    def draw(self, x: Tensor) -> Tensor:
        """Return data as the likelihood takes them; here as they are."""
        return x

    def objective(self, x: Tensor, output: Tensor) -> Tensor:
        """Return (N,) values of what the training minimises; here −log p(x given z)."""
        return self.nll(x, output)


@dataclass(eq=False, repr=False, kw_only=True)
class VariationalModel(Generator, Encoder, DecodingModel, GradientModel, LatentModel):
    """A model with p(x given z), a prior p(z), and an approximate posterior q(z given x)."""

    @property
    @abstractmethod
    def likelihood(self) -> Observation:
        """p(x given z), by the nets as they are now."""

    def encoder_output(self, x: Tensor, *given: Tensor) -> Tensor:
        """Return (N, 2K): mean and log-variance of q(z given x), side by side."""
        output: Tensor = self.encoder_(self.standardisation_(x))
        return output

    def decoder_output(self, z_NK: Tensor, *given: Tensor) -> Tensor:
        """Return what the decoder gives for z, before any output function; (N, *shape)."""
        output: Tensor = self.decoder_(z_NK)
        return output

    def log_prior(self, z_NK: Tensor) -> Tensor:
        """Return (N,) values of log p(z); the standard normal's."""
        return -0.5 * (z_NK.square() + LOG_2PI).sum(-1)

    def divergence(self, q: Normal, z_NK: Tensor) -> Tensor:
        """Return (N,) values of KL(q ‖ p), or of what estimates it with one draw z of q."""
        return kl_per_component(q).sum(1)

    def posterior(self, x: Tensor, *given: Tensor) -> Normal:
        """Return q(z given x), a normal distribution over (N, n_components)."""
        output = full_precision(self.encoder_output(x, *given))
        mean, log_variance = output.chunk(2, dim=1)
        scale = (0.5 * log_variance.clamp(-30, 20)).exp()
        return Normal(mean, scale, validate_args=False)

    def encode(self, x: Tensor, *given: Tensor) -> Tensor:
        """Return the posterior mean, (N, n_components)."""
        mean: Tensor = self.posterior(x, *given).loc
        return mean

    def decode(self, z_NK: Tensor, *given: Tensor) -> Tensor:
        """Return the mean of p(x given z) in the data's units, (N, *shape)."""
        return self.likelihood.mean(self.decoder_output(z_NK, *given))

    def log_weights(self, x: Tensor, q: Normal, noise: Tensor, *given: Tensor) -> Tensor:
        """Return (N, S) log importance weights log w ([2]_ eq. 9), z = μ + σ ε.

        ``q`` is the posterior of x, over (N, K), and ``noise`` (N, S, K) standard normal draws ε.
        """
        n, s, k = noise.shape
        z = q.loc[:, None] + q.scale[:, None] * noise
        log_q = -(0.5 * (noise.square() + LOG_2PI) + q.scale.log()[:, None]).sum(-1)
        repeated = [part.repeat_interleave(s, 0) for part in given]
        output = full_precision(self.decoder_output(z.reshape(n * s, k), *repeated))
        x_repeated = x[:, None].expand(n, s, *x.shape[1:]).reshape(n * s, *x.shape[1:])
        log_likelihood = -self.likelihood.nll(x_repeated, output).view(n, s)
        return log_likelihood + self.log_prior(z.reshape(n * s, k)).view(n, s) - log_q

    def elbo_terms(self, x: Tensor, *given: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N,) reconstruction and (N,) KL, with one draw ε for each sample."""
        q = self.posterior(x, *given)
        z_NK = q.loc + q.scale * draws.normal_like(q.loc)
        output = full_precision(self.decoder_output(z_NK, *given))
        return self.likelihood.nll(x, output), self.divergence(q, z_NK)

    def negative_elbo(self, x: Tensor) -> Loss:
        """Return −ELBO in nats per sample and its terms, of data seen as the likelihood does."""
        x = self.likelihood.draw(x)
        reconstruction, kl = (term.mean() for term in self.elbo_terms(x))
        return Loss(reconstruction + kl, {"reconstruction": reconstruction, "kl": kl})

    def score_samples(
        self,
        X: Rows,
        y: Labels = None,
        *,
        n_importance: int = 1,
        return_std: bool = False,
        random_state: int = 0,
    ) -> Any:
        """Return a lower bound on each sample's log-likelihood.

        With one importance sample it is the ELBO, its KL in closed form; with k it is L_k, which
        in expectation never falls as k grows and tends to log p(x).

        Parameters
        ----------
        X
            Data as in ``fit``.
        y
            (n,) labels, for a conditional model only.
        n_importance
            k, draws of z for each sample; 5,000 is the literature's.
        return_std
            Return the standard errors of the estimates too: of log (1/k) Σ w by the delta method,
            sd(w) / (√k mean(w)). They need at least two draws.
        random_state
            Of the draws, and of binary data.

        Returns
        -------
        bounds
            (n,) float64, nats.
        standard_errors
            (n,) float64, nats; only with ``return_std``.

        Raises
        ------
        InputError
            For data of another shape, or fewer than one draw (two with ``return_std``).
        """
        check_is_fitted(self)
        check_range("n_importance", n_importance, 2 if return_std else 1)
        found = np.empty((2, len(X)))
        for model, rows, x, given in self.scored(X, y, random_state):
            if n_importance == 1:
                reconstruction, divergence = model.elbo_terms(x, *given)
                found[0, rows] = -(reconstruction + divergence).double().numpy()
            else:
                estimate = log_mean_weight(model, x, n_importance, *given)
                found[:, rows] = [value.numpy() for value in estimate]
        return (found[0], found[1]) if return_std else found[0]

    def score(self, X: Rows, y: Labels = None, n_importance: int = 1) -> float:
        """Return the mean ELBO, or L_k, in nats per sample: a bound, not the likelihood."""
        return float(np.mean(self.score_samples(X, y, n_importance=n_importance)))

    def likelihoods(self, data: Dataset) -> dict[str, float]:
        """Return bounds on the likelihood of test data."""
        from latentia.models import measures

        return measures.bounds(self, data)

    def bound_terms(self, X: Rows, y: Labels = None) -> dict[str, float]:
        """Return ``negative_elbo``, ``reconstruction`` and ``kl`` in nats per sample."""
        sums = np.zeros(2)
        for model, _, x, given in self.scored(X, y):
            sums += [float(term.double().sum()) for term in model.elbo_terms(x, *given)]
        reconstruction, kl = (float(value) for value in sums / len(X))
        return {"negative_elbo": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}

    def active_units(self, X: Rows, y: Labels = None, threshold: float = ACTIVE) -> int:
        """Return how many components the posterior uses: Var_x(E_q[z_j]) > threshold.

        References
        ----------
        .. [1] Y. Burda et al., ICLR 2016, section 5, "the activity of a unit".
        """
        means = [model.encode(x, *given) for model, _, x, given in self.scored(X, y)]
        return int((torch.cat(means).double().var(0, correction=0) > threshold).sum())

    def scored(
        self, X: Rows, y: Labels, random_state: int = 0
    ) -> Iterator[tuple[Self, slice, Tensor, tuple[Tensor, ...]]]:
        """Yield the model, rows, data and condition chunk by chunk, draws a function of the row.

        Tables of float64 are scored in float64, by a copy of the model. Modes of the nets and the
        caller's random generator stay as they were.
        """
        check_is_fitted(self)
        array = self.checked(X, reset=False)
        targets = self.targets(y, len(array), reset=False)
        precise = array.dtype == np.float64 and array.ndim == 2
        model = in_double(self) if precise else self
        with torch.no_grad(), torch.random.fork_rng(), evaluating(model.nets()):
            for first in range(0, len(array), IMAGES):
                rows = slice(first, min(first + IMAGES, len(array)))
                x = as_tensor(model, array[rows])
                with draws.by_row(x, "score", random_state):
                    given = () if targets is None else (torch.from_numpy(targets[rows]),)
                    yield model, rows, model.likelihood.draw(x), model.condition(*given)

    def condition(self, *targets: Tensor) -> tuple[Tensor, ...]:
        """Return what the nets are given for a batch's targets; here the targets as they are."""
        return targets

    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return what 64 fixed draws from the prior decode to."""
        return [("samples", self.decode(draws.normal(64, (self.n_components,), x.device)))]

    def _encode_array(self, X: NDArray[Any]) -> NDArray[Any]:
        return self.apply("encode", X)


def log_mean_weight(
    model: VariationalModel, x: Tensor, k: int, *given: Tensor
) -> tuple[Tensor, Tensor]:
    """Return (N,) values of ``log (1/k) Σ w`` and their standard errors, float64, in nats.

    At constant memory: a running maximum m and the sums Σ e^{l_i − m}, Σ e^{2(l_i − m)} are kept,
    with l = log w; the encoder is evaluated once for each sample, and draws of z come in blocks.
    The standard error is the delta method's, ``sd(w) / (√k mean(w))``; of few draws with
    heavy-tailed weights it says too little.
    """
    q = model.posterior(x, *given)
    n, n_latent = q.loc.shape
    block = max(1, ROWS // n)
    top = torch.full((n,), -math.inf, dtype=torch.float64)
    total, squares = torch.zeros_like(top), torch.zeros_like(top)
    for first in range(0, k, block):
        noise = draws.normal(n, (min(block, k - first), n_latent))
        log_w = model.log_weights(x, q, noise, *given).double()
        higher = torch.maximum(top, log_w.max(1).values)
        shrink = (top - higher).exp()
        w = (log_w - higher[:, None]).exp()
        total = total * shrink + w.sum(1)
        squares = squares * shrink.square() + w.square().sum(1)
        top = higher
    mean = total / k
    variance = (squares / k - mean.square()).clamp(min=0) * k / max(1, k - 1)
    return top + mean.log(), (variance / k).sqrt() / mean
