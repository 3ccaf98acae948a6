"""The variational autoencoder: a deep latent-variable model with an explicit density.

Model and posterior:

    p(z) = N(0, I),  p(x given z) from g(z)
    q(z given x) = N(μ(x), diag σ²(x)),  z = μ + σ·ε,  ε ~ N(0, I)               ([1]_ eqs. 9, 10)

p(x given z), of which an observation is made (`Bernoulli`, `Gaussian`, `WeightedError`):

    bernoulli   −log p = −Σ [x log p + (1 − x) log(1 − p)],  p = σ(g(z))         ([1]_ appendix C.1)
    gaussian    −log p = ½ Σ [(x − m)²/v + log 2πv],  m = g(z) or σ(g(z))        ([1]_ appendix C.2)
    mse         w · (1/D) Σ (x − m)²,     the lectures' weighted mean squared error
    rmse        w · √((1/D) Σ (x − m)²),  the lectures' weighted root of it

Bound and objective:

    ELBO(x) = E_q[log p(x given z)] − KL(q(z given x) ‖ p(z)) ≤ log p(x)         ([1]_ eq. 3)
    KL(q ‖ p) = Σ_j KL_j,  KL_j = ½ (μ_j² + σ_j² − 1 − log σ_j²)                 ([1]_ appendix B)
    minimise  E[−log p(x given z)] + β Σ_j max(λ, KL_j)               ([2]_ eq. 4; λ: [6]_ eq. 15)
    or        −E log (1/k) Σ_i w_i,  k > 1                                       ([3]_ eq. 8)

in nats, summed over dimensions and averaged over samples, with one ε for each sample. In the
objective KL_j is the batch's mean; β = 1, λ = 0 is −ELBO. β may rise from 0 over the first epochs
(annealing), and is β itself in every held-out value. Where v is learned this is the σ-VAE [4]_.

The weighted errors are no log-likelihoods. Beside a KL that is *summed* over components they set a
trade-off that the weight hides: mse pulls on m as a Gaussian of variance v = D/(2w) does, rmse as
one of variance v = D·RMSE/w. The KL's weight beside ½ Σ (x − m)², which is β·v, is logged as the
**effective β**; the bound that such a model scores is that Gaussian's.

Samples come from p(z), or from a mixture of Gaussians, fitted by EM on the posterior means of the
training data, which follows where the codes really lie ([5]_): the aggregate posterior of a trained
model is rarely N(0, I), and draws from the gaps between codes decode to nothing like the data.

Shapes: ``x`` is (N, C, H, W) or (N, d); ``z_NK``, mean and log-variance are (N, n_components).
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, final

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import Tensor, nn

from latentia.errors import Count, FitWarning, InputError, NonNegative, Positive, Whole
from latentia.models.autoencoders.base import AutoencodingModel, Observation, VariationalModel
from latentia.models.base import Encoder
from latentia.models.inputs import Labels
from latentia.nets.autoencoder import LearnedVariance
from latentia.nets.mlp import Standardisation
from latentia.training import draws
from latentia.training.batches import Source
from latentia.training.distributed import mean_over_processes
from latentia.training.losses import (
    bernoulli_cross_entropy,
    full_precision,
    gaussian_negative_log_density,
    kl_per_component,
    root_mean_square,
)
from latentia.training.updates import Loss, Update, adam

LEAST_PROBABILITY = 1e-3
ERRORS = ("mse", "rmse")
MOST_CODES = 50_000

Mixture = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


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
class Observing(Encoder):
    """The fields that choose p(x given z), for a model that is variational and autoencoding."""

    observation: Literal["auto", "bernoulli", "gaussian", "mse", "rmse"] = "auto"
    """Distribution of x given z, or a weighted error; auto is bernoulli for data in [0, 1]."""
    noise_variance: Positive | None = 0.1
    """Variance v of a gaussian, in a table's columns' variances; none learns it (σ-VAE)."""
    reconstruction_weight: Positive = 1000.0
    """Weight w of the errors mse and rmse."""
    binarize: bool = False
    """Draw each value as a bit with probability x, anew at every step (dynamic binarisation)."""

    def check_values(self) -> None:
        """Refuse bits under another likelihood than theirs."""
        if self.binarize and self.observation not in ("auto", "bernoulli"):
            raise InputError(
                f"binarize needs observation='bernoulli', not {self.observation!r}: bits have no "
                "other likelihood here"
            )

    def learn_scale(self, source: Source) -> None:
        """Find the data's range, the distribution that suits it, and the mean of binary data."""
        super().learn_scale(source)
        bits = self.binarize or self.observation == "bernoulli"
        if bits and not self.unit_range_:
            raise InputError("observation is 'bernoulli' and the data leave [0, 1]; use 'gaussian'")
        suited = "bernoulli" if self.unit_range_ else "gaussian"
        self.observation_ = suited if self.observation == "auto" else self.observation
        if self.observation_ == "bernoulli":
            self.mean_ = _mean(source)

    def build(self, shape: tuple[int, ...]) -> None:
        """Make encoder, decoder and the noise's variance; bits start at their mean."""
        self.make_nets(shape, 2 * self.n_components, n_given=self.n_given())
        # An earlier fit may have learned a variance that is now given.
        self.__dict__.pop("noise_", None)
        if self.observation_ == "gaussian" and self.noise_variance is None:
            self.noise_ = LearnedVariance()
        if self.observation_ == "bernoulli":
            p = torch.from_numpy(self.mean_).clamp(LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
            _set_output_bias(self.decoder_, p.logit())

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
        gaussian = Gaussian(variance, units, units.scale.log().sum(), self.unit_range_)
        if self.observation_ in ERRORS:
            return WeightedError(self.observation_, self.reconstruction_weight, gaussian)
        return gaussian

    def after_training(self, array: NDArray[Any], y: Labels) -> None:
        """Keep the noise variance that the model ended with."""
        super().after_training(array, y)
        likelihood = self.likelihood
        if isinstance(likelihood, WeightedError):
            errors = []
            for model, _, x, given in self.scored(array, y):
                output = model.decoder_output(model.encode(x, *given), *given)
                errors.append(model.likelihood.objective(x, full_precision(output)))
            variance = likelihood.equivalent_variance(torch.cat(errors), math.prod(x.shape[1:]))
            self.noise_variance_ = float(variance)
        elif isinstance(likelihood, Gaussian):
            self.noise_variance_ = float(likelihood.variance.detach())


def _mean(source: Source) -> NDArray[np.float32]:
    total = torch.zeros(source.shape, dtype=torch.float64)
    for rows in np.array_split(np.arange(len(source)), -(-len(source) // 4096)):
        total += source.batch(rows)[0].cpu().sum(0, dtype=torch.float64)
    return (total / len(source)).float().numpy()


def _set_output_bias(decoder: nn.Module, bias: Tensor) -> None:
    """Let the decoder start at the data's mean, as in Burda's own program."""
    last = [p for name, p in decoder.named_parameters() if name.endswith("bias")][-1]
    with torch.no_grad():
        # A convolution has one for each channel.
        last.copy_(bias.flatten() if len(last) == bias.numel() else bias.flatten(1).mean(1))


@dataclass(eq=False, repr=False, kw_only=True)
class BoundedModel(Observing, VariationalModel, AutoencodingModel):
    """A deep model trained through a bound on its likelihood, or a weighted one."""

    beta: NonNegative = 1.0
    """Weight β of the KL term; 1 is the evidence lower bound."""
    beta_warmup_epochs: Whole = 0
    """Epochs over which β rises from 0 to its value (annealing)."""
    free_bits: NonNegative = 0.0
    """Nats λ that each component may say for free: its KL counts as at least λ."""
    n_importance: Count = 1
    """Draws k of the importance-weighted bound; 1 is the ELBO."""
    adam_epsilon: Positive = 1e-8
    """Adam's ε; Burda et al. use 1e-4."""

    def check_values(self) -> None:
        """Refuse weighted terms beside importance weights."""
        super().check_values()
        weighted = self.beta != 1 or self.free_bits > 0 or self.beta_warmup_epochs > 0
        if self.n_importance > 1 and (weighted or self.observation in ERRORS):
            raise InputError(
                f"n_importance is {self.n_importance}, and the importance-weighted bound has no "
                "weighted terms: leave beta, beta_warmup_epochs, free_bits as they are and use a "
                "bernoulli or gaussian observation"
            )

    def updates(self) -> list[Update]:
        """One bound moves all nets."""
        self._ramp = 1.0
        name, loss = "negative_elbo" if self.beta == 1 else "beta_negative_elbo", self.bound_loss
        if self.n_importance > 1:
            name, loss = f"negative_iwae_{self.n_importance}", self.importance_loss
        elif self.observation_ in ERRORS:
            name = f"{self.observation_}_plus_kl"
        before = self._anneal if self.beta_warmup_epochs else None
        optimizer = partial(adam, learning_rate=self.learning_rate, epsilon=self.adam_epsilon)
        return [Update(name, loss, self.trained_nets(), before=before, optimizer=optimizer)]

    def _anneal(self, step: int, n_steps: int) -> None:
        warmup = n_steps * min(1.0, self.beta_warmup_epochs / self.n_epochs)
        self._ramp = min(1.0, step / warmup)

    def bound_loss(self, x: Tensor, *targets: Tensor) -> Loss:
        """Return reconstruction + β·KL in nats per sample, its terms, and the effective β."""
        given, observation = self.condition(*targets), self.likelihood
        x = observation.draw(x)
        q = self.posterior(x, *given)
        z_NK = torch.addcmul(q.loc, q.scale, draws.normal_like(q.loc))
        output = full_precision(self.decoder_output(z_NK, *given))
        errors = observation.objective(x, output)
        reconstruction, kl_NK = errors.mean(), kl_per_component(q)
        kl = kl_NK.sum(1).mean()
        counted = self._counted(kl_NK) if self.free_bits else kl
        beta = self.beta * (self._ramp if self.encoder_.training else 1.0)
        effective: Tensor | float = beta
        if isinstance(observation, WeightedError):
            effective = beta * observation.equivalent_variance(errors, x[0].numel())
        terms = {"reconstruction": reconstruction, "kl": kl, "effective_beta": effective}
        return Loss(reconstruction + beta * counted, terms)

    def _counted(self, kl_NK: Tensor) -> Tensor:
        """Return Σ_j max(λ, KL_j), each KL_j the mean over the batch of all processes."""
        mean = kl_NK.mean(0)
        # Held-out values are computed by one process alone.
        if self.encoder_.training:
            mean = mean_over_processes(mean)
        return mean.clamp(min=self.free_bits).sum()

    def importance_loss(self, x: Tensor, *targets: Tensor) -> Loss:
        """Return −log (1/k) Σ w in nats per sample, with the KL of q and the prior beside it."""
        given = self.condition(*targets)
        x = self.likelihood.draw(x)
        q = self.posterior(x, *given)
        noise = draws.normal(len(x), (self.n_importance, self.n_components), x.device)
        log_w = self.log_weights(x, q, noise.to(q.loc.dtype), *given)
        bound = log_w.logsumexp(1).mean() - math.log(self.n_importance)
        terms = {"negative_elbo": -log_w.mean(), "kl": kl_per_component(q).sum(1).mean()}
        return Loss(-bound, terms)


@final
@dataclass(eq=False, repr=False, kw_only=True)
class VAE(BoundedModel):
    """Variational autoencoder: a decoder with a prior, trained through a bound [1]_.

    ``transform`` gives the posterior mean, ``inverse_transform`` the mean of p(x given z),
    ``sample`` decodes draws from the prior, or from a mixture of Gaussians fitted on the codes of
    the training data [5]_. ``score`` is the mean ELBO in nats per sample and ``score_samples(X,
    n_importance=k)`` the importance-weighted bound: lower bounds on the log-likelihood. Bernoulli
    needs data in [0, 1].

    Attributes
    ----------
    encoder_, decoder_, noise_
        The nets; the encoder gives mean and log-variance side by side, ``noise_`` is there if the
        variance is learned.
    observation_
        The distribution of x given z that was used.
    noise_variance_
        v of a Gaussian, or the one that the weighted error amounts to, in standard units.
    mixture_weights_, mixture_means_, mixture_covariances_
        (m,), (m, k), (m, k, k): of the codes' mixture, with ``sampler='mixture'``.
    seed_
        The seed that was used.

    References
    ----------
    .. [1] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014, sections 2-3.
    .. [2] I. Higgins et al., "beta-VAE: Learning Basic Visual Concepts with a Constrained
       Variational Framework", ICLR 2017, eq. 4.
    .. [3] Y. Burda, R. Grosse, R. Salakhutdinov, "Importance Weighted Autoencoders", ICLR 2016.
    .. [4] O. Rybkin, K. Daniilidis, S. Levine, "Simple and Effective VAE Training with Calibrated
       Decoders", ICML 2021.
    .. [5] P. Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020, section 4.
    .. [6] D. P. Kingma et al., "Improved Variational Inference with Inverse Autoregressive Flow",
       NeurIPS 2016, appendix C.8.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).random((64, 8, 8))
    >>> model = VAE(n_components=2, hidden=(32,), n_epochs=1, random_state=0).fit(X)
    >>> model.sample(3, random_state=0).shape, model.transform(X).shape
    ((3, 8, 8), (64, 2))
    >>> model.score_samples(X, n_importance=10).shape
    (64,)
    """

    sampler: Literal["prior", "mixture"] = "prior"
    """Where samples' codes come from: N(0, I), or a mixture fitted on the training codes."""
    n_mixture: Count = 10
    """Gaussians in the codes' mixture."""

    def after_training(self, array: NDArray[Any], y: Labels) -> None:
        """Keep the noise variance, and fit the codes' mixture if samples are to come from it."""
        super().after_training(array, y)
        if self.sampler == "mixture":
            codes = self.apply("encode", array)
            found = fit_mixture(codes, self.n_mixture, self.seed_)
            self.mixture_weights_, self.mixture_means_, self.mixture_covariances_ = found

    def latent_draws(self, n: int, draw: np.random.RandomState) -> NDArray[Any]:
        """Return (n, n_components) draws of z from the prior, or from the codes' mixture."""
        if self.sampler == "prior":
            return draw.standard_normal((n, self.n_components))
        mixture = (self.mixture_weights_, self.mixture_means_, self.mixture_covariances_)
        return draw_codes(n, *mixture, draw)


def fit_mixture(codes: NDArray[Any], n_mixture: int, random_state: int) -> Mixture:
    """Return weights (m,), means (m, k) and covariances (m, k, k) of the codes' mixture, by EM.

    At most 50,000 codes, evenly spaced, are used; with fewer codes than Gaussians there are as
    many Gaussians as codes, and a `FitWarning` says so.
    """
    step = -(-len(codes) // MOST_CODES)
    used = np.asarray(codes[::step], np.float64)
    if len(used) < n_mixture:
        warnings.warn(
            f"n_mixture is {n_mixture} and there are {len(used)} codes: {len(used)} Gaussians",
            FitWarning,
            stacklevel=2,
        )
    model = GaussianMixture(min(n_mixture, len(used)), random_state=random_state, max_iter=200)
    with warnings.catch_warnings():
        # The last of 200 iterations serves a sampler as well as a settled one.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(used)
    return model.weights_, model.means_, model.covariances_


def draw_codes(
    n: int,
    weights: NDArray[Any],
    means: NDArray[Any],
    covariances: NDArray[Any],
    draw: np.random.RandomState,
) -> NDArray[np.float64]:
    """Return (n, k) draws from the mixture."""
    factors = np.linalg.cholesky(covariances)
    chosen = draw.choice(len(weights), size=n, p=weights / weights.sum())
    noise = draw.standard_normal((n, means.shape[1]))
    codes: NDArray[np.float64] = means[chosen] + np.einsum("nij,nj->ni", factors[chosen], noise)
    return codes
