"""What all models with an approximate posterior share: bounds on the likelihood, and scores.

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
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor
from torch.distributions import Normal

from latentia.data.dataset import Dataset
from latentia.errors import check_range
from latentia.models.apply import as_tensor, in_double
from latentia.models.base import Encoder, Generator
from latentia.models.gradient import DecodingModel
from latentia.training import draws
from latentia.training.losses import full_precision, kl_per_component
from latentia.training.train import evaluating

ROWS = 2048
"""Rows that go through the decoder at a time."""


class Weighted(Protocol):
    """A model with importance weights."""

    def posterior(self, x: Tensor, *given: Tensor) -> Normal:
        """Return q(z given x)."""

    def log_weights(self, x: Tensor, q: Normal, noise: Tensor, *given: Tensor) -> Tensor:
        """Return (N, S) log importance weights."""


def log_mean_weight(model: Weighted, x: Tensor, k: int, *given: Tensor) -> tuple[Tensor, Tensor]:
    """Return (N,) values of ``log (1/k) Σ w`` and their standard errors, float64, in nats.

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


LOG_2PI = math.log(2 * math.pi)
IMAGES = 128
"""Samples that are scored at a time."""
ACTIVE = 0.01
"""Variance of a posterior mean over the data from which a component counts as active."""


@dataclass(eq=False, repr=False, kw_only=True)
class VariationalModel(Generator, Encoder, DecodingModel):
    """A model with p(x given z), a prior p(z), and an approximate posterior q(z given x)."""

    @abstractmethod
    def encoder_output(self, x: Tensor, *given: Tensor) -> Tensor:
        """Return (N, 2K): mean and log-variance of q(z given x), side by side."""

    @abstractmethod
    def decoder_output(self, z_NK: Tensor, *given: Tensor) -> Tensor:
        """Return what the decoder gives for z, before any output function; (N, *shape)."""

    @abstractmethod
    def reconstruction(self, x: Tensor, output: Tensor) -> Tensor:
        """Return (N,) values of −log p(x given z) in nats, from the decoder's raw output."""

    @abstractmethod
    def observed(self, x: Tensor) -> Tensor:
        """Return data as the likelihood takes them (drawn as bits, for binary data)."""

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

    def log_weights(self, x: Tensor, q: Normal, noise: Tensor, *given: Tensor) -> Tensor:
        """Return (N, S) log importance weights log w ([2]_ eq. 9).

        Parameters
        ----------
        x
            (N, *shape).
        q
            Posterior of x, over (N, K).
        noise
            (N, S, K) standard normal draws ε; z = μ + σ ε.
        given
            The condition, if the model has one.
        """
        n, s, k = noise.shape
        z = q.loc[:, None] + q.scale[:, None] * noise
        log_q = -(0.5 * (noise.square() + LOG_2PI) + q.scale.log()[:, None]).sum(-1)
        repeated = [part.repeat_interleave(s, 0) for part in given]
        output = full_precision(self.decoder_output(z.reshape(n * s, k), *repeated))
        x_repeated = x[:, None].expand(n, s, *x.shape[1:]).reshape(n * s, *x.shape[1:])
        log_likelihood = -self.reconstruction(x_repeated, output).view(n, s)
        return log_likelihood + self.log_prior(z.reshape(n * s, k)).view(n, s) - log_q

    def elbo_terms(self, x: Tensor, *given: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N,) reconstruction and (N,) KL, with one draw ε for each sample."""
        q = self.posterior(x, *given)
        z_NK = q.loc + q.scale * draws.normal_like(q.loc)
        output = full_precision(self.decoder_output(z_NK, *given))
        return self.reconstruction(x, output), self.divergence(q, z_NK)

    def score_samples(
        self,
        X: Any,
        y: Any = None,
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

    def score(self, X: Any, y: Any = None, n_importance: int = 1) -> float:
        """Return the mean ELBO, or L_k, in nats per sample: a bound, not the likelihood."""
        return float(np.mean(self.score_samples(X, y, n_importance=n_importance)))

    def likelihoods(self, data: Dataset) -> dict[str, float]:
        """Return bounds on the likelihood of test data."""
        from latentia.models import measures

        return measures.bounds(self, data)

    def bound_terms(self, X: Any, y: Any = None) -> dict[str, float]:
        """Return ``negative_elbo``, ``reconstruction`` and ``kl`` in nats per sample."""
        sums = np.zeros(2)
        for model, _, x, given in self.scored(X, y):
            sums += [float(term.double().sum()) for term in model.elbo_terms(x, *given)]
        reconstruction, kl = (float(value) for value in sums / len(X))
        return {"negative_elbo": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}

    def active_units(self, X: Any, y: Any = None, threshold: float = ACTIVE) -> int:
        """Return how many components the posterior uses: Var_x(E_q[z_j]) > threshold.

        References
        ----------
        .. [1] Y. Burda et al., ICLR 2016, section 5, "the activity of a unit".
        """
        means = [model.encode(x, *given) for model, _, x, given in self.scored(X, y)]
        return int((torch.cat(means).double().var(0, correction=0) > threshold).sum())

    def scored(
        self,
        X: Any,
        y: Any,
        random_state: int = 0,
    ) -> Iterator[tuple[Self, slice, Tensor, tuple[Tensor, ...]]]:
        """Yield the model, rows, data and condition chunk by chunk, draws a function of the row.

        Tables of float64 are scored in float64, by a copy of the model.
        """
        check_is_fitted(self)
        array = self.checked(X, reset=False)
        targets = self.targets(y, len(array), reset=False)
        precise = array.dtype == np.float64 and array.ndim == 2
        model = in_double(self) if precise else self
        with model.quietly():
            for first in range(0, len(array), IMAGES):
                rows = slice(first, min(first + IMAGES, len(array)))
                x = as_tensor(model, array[rows])
                with draws.by_row(x, "score", random_state):
                    given = () if targets is None else (torch.from_numpy(targets[rows]),)
                    yield model, rows, model.observed(x), model.condition(*given)

    def condition(self, *targets: Tensor) -> tuple[Tensor, ...]:
        """Return what the nets are given for a batch's targets; here the targets as they are."""
        return targets

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Evaluate without gradients, leaving modes and the caller's generator as they were."""
        with torch.no_grad(), torch.random.fork_rng(), evaluating(self.nets()):
            yield

    def _encode_array(self, X: NDArray[Any]) -> NDArray[Any]:
        return self.apply("encode", X)
