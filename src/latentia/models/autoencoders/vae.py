"""The variational autoencoder: a deep latent-variable model with an explicit density.

    p(z) = N(0, I),  p(x given z) = Bernoulli(σ(g(z))) or N(g(z), v I)      (model)
    q(z given x) = N(μ(x), diag σ²(x)),  z = μ + σ·ε,  ε ~ N(0, I)          (posterior, [1]_ eq. 10)
    ELBO(x) = E_q[log p(x given z)] − KL(q(z given x) ‖ p(z)) ≤ log p(x)    ([1]_ eq. 3)

Training minimises −E log p(x given z) + β·KL with one ε for each sample, in nats summed over
dimensions and averaged over samples; β = 1 is the bound itself. `autoencoders.bound`
has annealing, free bits and the importance-weighted bound, `autoencoders.observation` the
distributions of x given z.

Shapes: ``x`` is (N, C, H, W) or (N, d); ``z_NK``, mean and log-variance are (N, n_components).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentia.errors import InputError, check_range
from latentia.models.autoencoders.code_mixture import draw_codes, fit_mixture
from latentia.models.autoencoders.observation import ObservationModel
from latentia.training import draws
from latentia.training.distributed import mean_over_processes
from latentia.training.losses import full_precision, kl_per_component
from latentia.training.updates import Loss, Update, adam


@dataclass(eq=False, repr=False, kw_only=True)
class BoundedModel(ObservationModel):
    """A deep model trained through a bound on its likelihood, or a weighted one."""

    beta: float = 1.0
    """Weight β of the KL term; 1 is the evidence lower bound."""
    beta_warmup_epochs: int = 0
    """Epochs over which β rises from 0 to its value (annealing)."""
    free_bits: float = 0.0
    """Nats λ that each component may say for free: its KL counts as at least λ."""
    n_importance: int = 1
    """Draws k of the importance-weighted bound; 1 is the ELBO."""
    adam_epsilon: float = 1e-8
    """Adam's ε; Burda et al. use 1e-4."""

    def check_bound(self) -> None:
        """Raise InputError for a hyperparameter out of its range."""
        self.check_observation()
        check_range("beta", self.beta, 0)
        check_range("beta_warmup_epochs", self.beta_warmup_epochs, 0)
        check_range("free_bits", self.free_bits, 0)
        check_range("n_importance", self.n_importance, 1)
        check_range("adam_epsilon", self.adam_epsilon, 0, open_low=True)
        weighted = self.beta != 1 or self.free_bits > 0 or self.beta_warmup_epochs > 0
        if self.n_importance > 1 and (weighted or self.observation in ("mse", "rmse")):
            raise InputError(
                f"n_importance is {self.n_importance}, and the importance-weighted bound has no "
                "weighted terms: leave beta, beta_warmup_epochs, free_bits as they are and use a "
                "bernoulli or gaussian observation"
            )

    def updates(self) -> list[Update]:
        """One bound moves all nets."""
        self._ramp = 1.0
        return [
            Update(
                self._objective_name(),
                self.bound_loss if self.n_importance == 1 else self.importance_loss,
                self.trained_nets(),
                before=self._anneal if self.beta_warmup_epochs else None,
                optimizer=partial(
                    adam, learning_rate=self.learning_rate, epsilon=self.adam_epsilon
                ),
            )
        ]

    def _objective_name(self) -> str:
        if self.n_importance > 1:
            return f"negative_iwae_{self.n_importance}"
        if self.observation_ in ("mse", "rmse"):
            return f"{self.observation_}_plus_kl"
        return "negative_elbo" if self.beta == 1 else "beta_negative_elbo"

    def _anneal(self, step: int, n_steps: int) -> None:
        warmup = n_steps * min(1.0, self.beta_warmup_epochs / self.n_epochs)
        self._ramp = min(1.0, step / warmup)

    def bound_loss(self, x: Tensor, *targets: Tensor) -> Loss:
        """Return reconstruction + β·KL in nats per sample, its terms, and the effective β."""
        given = self.condition(*targets)
        x = self.observed(x)
        q = self.posterior(x, *given)
        z_NK = torch.addcmul(q.loc, q.scale, draws.normal_like(q.loc))
        output = full_precision(self.decoder_output(z_NK, *given))
        reconstruction = self.reconstruction_objective(x, output)
        kl_NK = kl_per_component(q)
        distortion, kl = reconstruction.mean(), kl_NK.sum(1).mean()
        beta = self.beta * (self._ramp if self.encoder_.training else 1.0)
        effective = self._effective_beta(beta, reconstruction, x[0].numel())
        terms = {"reconstruction": distortion, "kl": kl, "effective_beta": effective}
        return Loss(distortion + beta * (self._counted(kl_NK) if self.free_bits else kl), terms)

    def _counted(self, kl_NK: Tensor) -> Tensor:
        mean = kl_NK.mean(0)
        # Held-out values are computed by one process alone.
        if self.encoder_.training:
            mean = mean_over_processes(mean)
        return mean.clamp(min=self.free_bits).sum()

    def _effective_beta(self, beta: float, reconstruction: Tensor, d: int) -> Tensor | float:
        if self.observation_ not in ("mse", "rmse"):
            return beta
        return beta * self.equivalent_variance(reconstruction, d)

    def importance_loss(self, x: Tensor, *targets: Tensor) -> Loss:
        """Return −log (1/k) Σ w in nats per sample, with the KL of q and the prior beside it."""
        given = self.condition(*targets)
        x = self.observed(x)
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
    n_importance=k)`` the importance-weighted bound: lower bounds on the log-likelihood.

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

    Raises
    ------
    InputError
        From ``fit``, for a bad parameter or data; Bernoulli needs data in [0, 1].

    References
    ----------
    .. [1] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014, sections 2-3.
    .. [2] I. Higgins et al., "beta-VAE: Learning Basic Visual Concepts with a Constrained
       Variational Framework", ICLR 2017, eq. 4.
    .. [3] Y. Burda, R. Grosse, R. Salakhutdinov, "Importance Weighted Autoencoders", ICLR 2016.
    .. [4] O. Rybkin, K. Daniilidis, S. Levine, "Simple and Effective VAE Training with Calibrated
       Decoders", ICML 2021.
    .. [5] P. Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020, section 4.

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
    n_mixture: int = 10
    """Gaussians in the codes' mixture."""

    @property
    def default_architecture(self) -> Literal["mlp", "convolutional"]:
        """The lecture's nets are fully connected."""
        return "mlp"

    def check_values(self) -> None:
        """Raise InputError for a hyperparameter out of its range."""
        self.check_bound()
        check_range("n_mixture", self.n_mixture, 1)

    def after_training(self, array: NDArray[Any], y: Any) -> None:
        """Keep the noise variance, and fit the codes' mixture if samples are to come from it."""
        self.keep_noise_variance(array, y)
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

    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return what 64 fixed draws from the prior decode to."""
        return [("samples", self.decode(draws.normal(64, (self.n_components,), x.device)))]
