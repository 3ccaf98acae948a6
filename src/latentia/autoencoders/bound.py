"""The objective of a VAE and its knobs: β, annealing, free bits, importance weights.

    minimise  E[−log p(x given z)] + β Σ_j max(λ, KL_j)                [1]_ eq. 4; λ: [2]_ eq. 15
    or        −E log (1/k) Σ_i w_i,  k > 1                              [3]_ eq. 8

KL_j is the batch's mean KL of component j; β = 1, λ = 0 is −ELBO. β may rise from 0 over the first
epochs (annealing), and is β itself in every held-out value.

References
----------
.. [1] I. Higgins et al., "beta-VAE", ICLR 2017.
.. [2] D. P. Kingma et al., "Improved Variational Inference with Inverse Autoregressive Flow",
   NeurIPS 2016, appendix C.8.
.. [3] Y. Burda et al., "Importance Weighted Autoencoders", ICLR 2016.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from latentia import draws
from latentia.autoencoders.observation import ObservationModel
from latentia.distributed import mean_over_processes
from latentia.errors import InputError
from latentia.losses import full_precision, kl_per_component
from latentia.parameters import check_range
from latentia.updates import Loss, Update, adam


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
