"""The variational autoencoder: a deep latent-variable model with an explicit density.

    p(z) = N(0, I),  p(x given z) from g(z): a Bernoulli, a Gaussian, or an error in its place
    q(z given x) = N(μ(x), diag σ²(x)),  z = μ + σ·ε,  ε ~ N(0, I)               ([1]_ eqs. 9, 10)

Bounds:

    ELBO(x) = E_q[log p(x given z)] − KL(q(z given x) ‖ p(z)) ≤ log p(x)         ([1]_ eq. 3)
    KL(q ‖ p) = Σ_j KL_j,  KL_j = ½ (μ_j² + σ_j² − 1 − log σ_j²)                 ([1]_ appendix B)
    L_k(x) = E log (1/k) Σ_i w_i,  w = p(x given z) p(z) / q(z given x)          ([3]_ eqs. 8, 9)
    ELBO = L_1 ≤ L_k ≤ L_{k+1} ≤ log p(x)                                        ([3]_ theorem 1)

Objective:

    minimise  E[−log p(x given z)] + β Σ_j max(λ, KL_j)               ([2]_ eq. 4; λ: [6]_ eq. 15)
    or        −L_k,  k > 1

in nats, summed over dimensions and averaged over samples, with one ε for each sample. In the
objective KL_j is the batch's mean; β = 1, λ = 0 is −ELBO. β may rise from 0 over the first epochs
(annealing), and is β itself in every held-out value. Where the Gaussian's variance v is learned
this is the σ-VAE [4]_. Beside a *summed* KL a weighted error sets a trade-off that its weight
hides. The KL's weight beside ½ Σ (x − m)², which is β·v, is logged as the **effective β**.

Samples come from p(z), or from a mixture of Gaussians, fitted by EM on the posterior means of the
training data, which follows where the codes really lie ([5]_): the aggregate posterior of a trained
model is rarely N(0, I), and draws from the gaps between codes decode to nothing like the data.

The linear VAE and VaDE are `VariationalModel`s too, and the conditional VAE is a `BoundedModel`.
Likelihoods are in ``likelihood``. What some models know beside x is ``given``, or empty.
Shapes: ``x`` is (N, C, H, W) or (N, d); ``z_NK``, mean and log-variance are (N, n_components).
"""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor
from torch.distributions import Normal

from latentia.data.dataset import Dataset
from latentia.errors import (
    Count,
    CountsWhen,
    FitWarning,
    InputError,
    NonNegative,
    Positive,
    Seed,
    Several,
    UpTo,
    Whole,
    check_arguments,
)
from latentia.models.apply import as_tensor, in_double
from latentia.models.autoencoders.base import AutoencodingModel
from latentia.models.autoencoders.code_mixture import draw_codes, fit_mixture
from latentia.models.autoencoders.doctor import activity, examine
from latentia.models.autoencoders.importance import ImportanceEstimate, joined, log_mean_weight
from latentia.models.autoencoders.likelihood import (
    ERRORS,
    ChosenLikelihood,
    Observation,
    WeightedError,
)
from latentia.models.base import Encoder, Generator, LatentModel
from latentia.models.decoding import DecodingModel
from latentia.models.gradient import GradientModel
from latentia.models.inputs import Labels, Rows, refuse_outside_unit, with_labels
from latentia.nets.autoencoder import decoded
from latentia.training import distributed, draws
from latentia.training.device import full_precision
from latentia.training.run import Numbers
from latentia.training.train import evaluating
from latentia.training.updates import Loss, Update, adam, name_of

IMAGES = 128
"""Samples that are scored at a time."""
ACTIVE = 0.01
"""Variance of a posterior mean over the data from which a component counts as active."""
LOG_2PI = math.log(2 * math.pi)


@dataclass(eq=False, repr=False, kw_only=True)
class VariationalModel(Generator, Encoder, DecodingModel, GradientModel, LatentModel):
    """A model with p(x given z), a prior p(z), and an approximate posterior q(z given x)."""

    def log_prior(self, z_NK: Tensor) -> Tensor:
        """Return (N,) values of log p(z); the standard normal's."""
        return -0.5 * (z_NK.square() + LOG_2PI).sum(-1)

    @property
    @abstractmethod
    def likelihood(self) -> Observation:
        """p(x given z), by the nets as they are now."""

    def around(self, means: NDArray[Any], draw: np.random.RandomState) -> NDArray[Any]:
        """Return draws of p(x given z) of these means."""
        return self.likelihood.around(means, draw)

    def decoder_output(self, z_NK: Tensor, *given: Tensor) -> Tensor:
        """Return the decoder's raw output g(z), (N, *shape)."""
        return decoded(self.decoder_, self.encoder_, z_NK)

    def encoder_output(self, x: Tensor, *given: Tensor) -> Tensor:
        """Return (N, 2K): mean and log-variance of q(z given x), side by side."""
        output: Tensor = self.encoder_(self.standardisation_(x))
        return output

    def posterior(self, x: Tensor, *given: Tensor) -> Normal:
        """Return q(z given x), a normal distribution over (N, n_components) (eq. 9)."""
        mean, log_variance = full_precision(self.encoder_output(x, *given)).chunk(2, dim=1)
        scale = (0.5 * log_variance.clamp(-30, 20)).exp()
        return Normal(mean, scale, validate_args=False)

    def divergence(self, q: Normal, z_NK: Tensor) -> Tensor:
        """Return (N,) values of KL(q ‖ p), or of an estimate of it from one draw z of q."""
        return kl_per_component(q).sum(1)

    def elbo_terms(self, x: Tensor, *given: Tensor) -> tuple[Tensor, Tensor]:
        """Return the (N,) reconstruction and KL of −ELBO, one ε for each sample (eqs. 3, 10)."""
        q = self.posterior(x, *given)
        z_NK = q.loc + q.scale * draws.normal_like(q.loc)
        output = full_precision(self.decoder_output(z_NK, *given))
        return self.likelihood.nll(x, output), self.divergence(q, z_NK)

    def loss(self, x: Tensor) -> Loss:
        """Return −ELBO in nats per sample, with its two terms."""
        reconstruction, kl = (term.mean() for term in self.elbo_terms(self.likelihood.draw(x)))
        return Loss(reconstruction + kl, {"reconstruction": reconstruction, "kl": kl})

    def log_weights(self, x: Tensor, q: Normal, noise: Tensor, *given: Tensor) -> Tensor:
        """Return (N, S) log importance weights log w ([3]_ eq. 9), z = μ + σ ε.

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

    def condition(self, *targets: Tensor) -> tuple[Tensor, ...]:
        """Return what the nets are given for a batch's targets; here the targets as they are."""
        return targets

    def score_samples(
        self,
        X: Rows,
        y: Labels = None,
        *,
        n_importance: Count = 1,
        return_std: bool = False,
        random_state: Seed = 0,
    ) -> Any:
        """Return a lower bound on each sample's log-likelihood.

        With one importance sample it is the ELBO, its KL in closed form; with k it is L_k, which
        in expectation never falls as k grows and tends to log p(x).

        Parameters
        ----------
        X, y
            Data as in ``fit``; (n,) labels for a conditional model only.
        n_importance
            k, draws of z for each sample; 5,000 is the literature's.
        return_std
            Return standard errors too, of at least two draws; a warning says which not to trust.
        random_state
            Of the draws, and of binary data.

        Returns
        -------
        bounds, standard_errors
            (n,) float64, nats; the second only with ``return_std``.

        Raises
        ------
        InputError
            For data of another shape, or fewer than one draw (two with ``return_std``).
        """
        check_arguments(VariationalModel.score_samples, locals())
        if return_std and n_importance < 2:
            raise InputError("n_importance is 1; a standard error takes at least 2 draws")
        if n_importance == 1:
            terms = (m.elbo_terms(x, *given) for m, x, given in self.scored(X, y, random_state))
            return np.concatenate([-(error + kl).double().numpy() for error, kl in terms])
        found = self.importance_estimate(X, y, n_importance=n_importance, random_state=random_state)
        if not return_std:
            return found.bounds
        if found.n_heavy:
            warnings.warn(str(found), FitWarning, stacklevel=2)
        return found.bounds, found.standard_errors

    def importance_estimate(
        self, X: Rows, y: Labels = None, *, n_importance: Several = 5000, random_state: Seed = 0
    ) -> ImportanceEstimate:
        """Return the bounds L_k of samples, their errors, and whether these can be trusted.

        The parameters are those of `score_samples`; at least two draws are needed.
        """
        check_arguments(VariationalModel.importance_estimate, locals())
        scored = self.scored(X, y, random_state)
        return joined([log_mean_weight(m, x, n_importance, *given) for m, x, given in scored])

    def score(self, X: Rows, y: Labels = None, n_importance: Count = 1) -> float:
        """Return the mean ELBO, or L_k, in nats per sample: a bound, not the likelihood."""
        return float(np.mean(self.score_samples(X, y, n_importance=n_importance)))

    def likelihoods(self, data: Dataset) -> dict[str, float]:
        """Return bounds on the likelihood of test data."""
        from latentia.models import measures

        return measures.bounds(self, data)

    def bound_terms(self, X: Rows, y: Labels = None) -> dict[str, float]:
        """Return ``negative_elbo``, ``reconstruction`` and ``kl`` in nats per sample."""
        terms = [torch.stack(m.elbo_terms(x, *given)) for m, x, given in self.scored(X, y)]
        reconstruction, kl = torch.cat(terms, 1).double().mean(1).tolist()
        return {"negative_elbo": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}

    def scored(
        self, X: Rows, y: Labels, random_state: int = 0
    ) -> Iterator[tuple[Self, Tensor, tuple[Tensor, ...]]]:
        """Yield the model, data and condition chunk by chunk.

        Draws are a function of the row, and of how many before it are equal, not of its place.
        Tables of float64 are scored in float64, by a copy of the model. Modes of the nets and the
        caller's random generator stay as they were.
        """
        check_is_fitted(self)
        X, y = with_labels(X, y, self)
        array = self.checked(X, reset=False)
        refuse_outside_unit(array, self.bounded_by())
        targets = self.targets(y, len(array), reset=False)
        precise = array.dtype == np.float64 and array.ndim == 2
        model = in_double(self) if precise else self
        seen = Counter[int]()
        with torch.no_grad(), torch.random.fork_rng(), evaluating(model.nets()):
            for first in range(0, len(array), IMAGES):
                rows = slice(first, first + IMAGES)
                x = as_tensor(model, array[rows])
                with draws.by_row(x, "score", random_state, seen=seen):
                    given = () if targets is None else (torch.from_numpy(targets[rows]),)
                    yield model, model.likelihood.draw(x), model.condition(*given)

    def active_units(self, X: Rows, y: Labels = None, threshold: NonNegative = ACTIVE) -> int:
        """Return how many z_j the posterior uses: Var_x(E_q[z_j]) > threshold ([3]_ section 5)."""
        check_arguments(VariationalModel.active_units, locals())
        means = [model.encode(x, *given) for model, x, given in self.scored(X, y)]
        return int((torch.cat(means).double().var(0, correction=0) > threshold).sum())

    def encode(self, x: Tensor, *given: Tensor) -> Tensor:
        """Return the posterior mean, (N, n_components)."""
        mean: Tensor = self.posterior(x, *given).loc
        return mean

    def _encode_array(self, X: NDArray[Any]) -> NDArray[Any]:
        return self.apply("encode", X)

    def decode(self, z_NK: Tensor, *given: Tensor) -> Tensor:
        """Return the mean of p(x given z) in the data's units, (N, *shape)."""
        return self.likelihood.mean(self.decoder_output(z_NK, *given))

    def checkup(
        self, x: Tensor, *targets: Tensor, means: Numbers, earlier: Sequence[Numbers], epoch: int
    ) -> tuple[dict[str, float], str]:
        """Return what an epoch's end shows of the model's health, and the doctor's sentence."""
        given = self.condition(*targets)
        q = self.posterior(x, *given)
        active = activity(q.loc, q.scale.square())
        return examine(self, x, self.decode(q.loc, *given), active, means, earlier, epoch)

    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return what 64 fixed draws from the prior decode to."""
        return [("samples", self.decode(draws.normal(64, (self.n_components,), x.device)))]


def kl_per_component(q: Normal) -> Tensor:
    """Return (N, K) values of KL_j = ½ (μ_j² + σ_j² − 1 − log σ_j²) (appendix B)."""
    variance = q.scale.square()
    return 0.5 * (q.loc.square() + variance - 1 - variance.log())


@dataclass(eq=False, repr=False, kw_only=True)
class BoundedModel(ChosenLikelihood, VariationalModel, AutoencodingModel):
    """A deep model that is trained through a bound on its likelihood, its terms weighted or not."""

    beta: NonNegative = 1.0
    """Weight β of the KL term; 1 is the evidence lower bound."""
    beta_warmup_epochs: Annotated[Whole, CountsWhen("beta", unless=(0,)), UpTo("n_epochs")] = 0
    """Epochs over which β rises from 0 to its value (annealing), at most those of the training."""
    free_bits: Annotated[NonNegative, CountsWhen("beta", unless=(0,))] = 0.0
    """Nats λ that each component may carry for free: its KL counts as at least λ."""
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
                f"n_importance is {self.n_importance}, whose bound has no weighted terms: leave "
                "beta, beta_warmup_epochs, free_bits, and take a bernoulli or gaussian observation"
            )

    def updates(self) -> list[Update]:
        """Move all nets by one bound."""
        self._ramp = 1.0
        name = "negative_elbo" if self.beta == 1 else "beta_negative_elbo"
        if self.n_importance > 1:
            name = f"negative_iwae_{self.n_importance}"
        elif self.observation_ in ERRORS:
            name = f"{self.observation_}_plus_kl"
        before = self._anneal if self.beta_warmup_epochs else None
        optimizer = partial(adam, learning_rate=self.learning_rate, epsilon=self.adam_epsilon)
        name, nets = name_of(self.loss, name), self.trained_nets()
        return [Update(name, self.loss, nets, before=before, optimizer=optimizer)]

    def loss(self, x: Tensor, *targets: Tensor) -> Loss:
        """Return what is minimised, in nats per sample."""
        return (self.bound_loss if self.n_importance == 1 else self.importance_loss)(x, *targets)

    def _anneal(self, step: int, n_steps: int) -> None:
        warmup = n_steps * min(1.0, self.beta_warmup_epochs / self.n_epochs_)
        self._ramp = min(1.0, step / warmup)

    def bound_loss(self, x: Tensor, *targets: Tensor) -> Loss:
        """Return reconstruction + β·KL in nats per sample, its terms, and the effective β."""
        given, likelihood = self.condition(*targets), self.likelihood
        x = likelihood.draw(x)
        q = self.posterior(x, *given)
        z_NK = torch.addcmul(q.loc, q.scale, draws.normal_like(q.loc))
        output = full_precision(self.decoder_output(z_NK, *given))
        errors = likelihood.objective(x, output)
        reconstruction, kl_NK = errors.mean(), kl_per_component(q)
        kl = kl_NK.sum(1).mean()
        counted = self._with_free_bits(kl_NK) if self.free_bits else kl
        beta = self.beta * (self._ramp if self.encoder_.training else 1.0)
        effective: Tensor | float = beta
        if isinstance(likelihood, WeightedError):
            effective = beta * likelihood.equivalent_variance(errors, x[0].numel())
        terms = {"reconstruction": reconstruction, "kl": kl, "effective_beta": effective}
        return Loss(reconstruction + beta * counted, terms)

    def _with_free_bits(self, kl_NK: Tensor) -> Tensor:
        """Return Σ_j max(λ, KL_j), where KL_j is the mean over the batch of all processes."""
        mean = kl_NK.mean(0)
        # Held-out values are computed by one process alone.
        if self.encoder_.training:
            mean = distributed.mean_over_processes(mean)
        return mean.clamp(min=self.free_bits).sum()

    def importance_loss(self, x: Tensor, *targets: Tensor) -> Loss:
        """Return −L_k in nats per sample, with −ELBO and the KL beside it."""
        given, x = self.condition(*targets), self.likelihood.draw(x)
        q = self.posterior(x, *given)
        noise = draws.normal(len(x), (self.n_importance, self.n_components), x.device)
        log_w = self.log_weights(x, q, noise.to(q.loc.dtype), *given)
        bound = log_w.logsumexp(1).mean() - math.log(self.n_importance)
        terms = {"negative_elbo": -log_w.mean(), "kl": kl_per_component(q).sum(1).mean()}
        return Loss(-bound, terms)


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
        v of the Gaussian, or of the one that a weighted error amounts to, in standard units.
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
    n_mixture: Annotated[Count, CountsWhen("sampler", ("mixture",))] = 10
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
