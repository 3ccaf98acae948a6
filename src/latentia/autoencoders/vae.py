"""The variational autoencoder: a deep latent-variable model with an explicit density.

    p(z) = N(0, I),  p(x given z) = Bernoulli(σ(g(z))) or N(g(z), v I)      (model)
    q(z given x) = N(μ(x), diag σ²(x)),  z = μ + σ·ε,  ε ~ N(0, I)          (posterior, [1]_ eq. 10)
    ELBO(x) = E_q[log p(x given z)] − KL(q(z given x) ‖ p(z)) ≤ log p(x)    ([1]_ eq. 3)

Training minimises −E log p(x given z) + β·KL with one ε for each sample, in nats summed over
dimensions and averaged over samples; β = 1 is the bound itself.

Shapes: ``x`` is (N, C, H, W) or (N, d); ``z_NK``, mean and log-variance are (N, n_components).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted
from torch import Tensor
from torch.distributions import Normal

from latentia import draws
from latentia.application import as_tensor
from latentia.autoencoders.base import AutoencodingModel
from latentia.base import Generator
from latentia.errors import InputError
from latentia.losses import (
    bernoulli_negative_log_likelihood,
    full_precision,
    gaussian_negative_log_likelihood,
    kl_to_standard_normal,
)
from latentia.parameters import check_range
from latentia.train import evaluating
from latentia.updates import Loss, Update


@final
@dataclass(eq=False, repr=False, kw_only=True)
class VAE(Generator, AutoencodingModel):
    """Variational autoencoder: a decoder with a prior, trained through a bound [1]_.

    ``transform`` gives the posterior mean, ``inverse_transform`` the mean of p(x given z),
    ``sample`` decodes draws from the prior, ``score`` is the mean ELBO in nats per sample: a lower
    bound on the mean log-likelihood, not the likelihood itself.

    Attributes
    ----------
    encoder_, decoder_
        The nets; the encoder gives mean and log-variance side by side.
    observation_
        The distribution of x given z that was used.
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

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).random((64, 8, 8))
    >>> model = VAE(n_components=2, hidden=(32,), n_epochs=1, random_state=0).fit(X)
    >>> model.sample(3, random_state=0).shape, model.transform(X).shape
    ((3, 8, 8), (64, 2))
    """

    observation: Literal["auto", "bernoulli", "gaussian"] = "auto"
    """Distribution of x given z; auto is bernoulli for data in [0, 1] and gaussian otherwise."""
    noise_variance: float = 0.1
    """Variance v of a gaussian observation; a table's unit is its columns' standard deviation."""
    beta: float = 1.0
    """Weight β of the KL term; 1 is the evidence lower bound."""

    @property
    def default_architecture(self) -> Literal["mlp", "convolutional"]:
        """The lecture's nets are fully connected."""
        return "mlp"

    def check_values(self) -> None:
        """Raise InputError for a hyperparameter out of its range."""
        self.check_shape_values()
        check_range("noise_variance", self.noise_variance, 0, open_low=True)
        check_range("beta", self.beta, 0)

    def code_outputs(self) -> int:
        """Return a mean and a log-variance for each component."""
        return 2 * self.n_components

    def updates(self) -> list[Update]:
        """One bound moves both nets."""
        self.observation_ = self._observation()
        name = "negative_elbo" if self.beta == 1 else "beta_negative_elbo"
        return [Update(name, self.bound_loss, [self.encoder_, self.decoder_])]

    def _observation(self) -> str:
        if self.observation == "bernoulli" and not self.unit_range_:
            raise InputError("observation is 'bernoulli' and the data leave [0, 1]; use 'gaussian'")
        if self.observation == "auto":
            return "bernoulli" if self.unit_range_ else "gaussian"
        return self.observation

    def posterior(self, x: Tensor) -> Normal:
        """Return q(z given x), a normal distribution over (N, n_components)."""
        output = full_precision(self.encoder_(self.standardisation_(x)))
        mean, log_variance = output.chunk(2, dim=1)
        scale = (0.5 * log_variance.clamp(-30, 20)).exp()
        return Normal(mean, scale, validate_args=False)

    def encode(self, x: Tensor) -> Tensor:
        """Return the posterior mean."""
        mean: Tensor = self.posterior(x).loc
        return mean

    def bound_loss(self, x: Tensor) -> Loss:
        """Return −E_q log p(x given z) + β·KL, with its two terms, in nats per sample."""
        q = self.posterior(x)
        z_NK = q.loc + q.scale * draws.normal_like(q.loc)
        reconstruction = self.reconstruction_loss(x, full_precision(self.decoder_(z_NK)))
        kl = kl_to_standard_normal(q)
        terms = {"reconstruction": reconstruction, "kl": kl}
        return Loss(reconstruction + self.beta * kl, terms)

    def reconstruction_loss(self, x: Tensor, output: Tensor) -> Tensor:
        """Return −log p(x given z), averaged over samples, from the decoder's raw output."""
        if self.observation_ == "bernoulli":
            return bernoulli_negative_log_likelihood(x, output)
        mean = output.sigmoid() if self.unit_range_ else output
        u = self.standardisation_(x)
        density_in_units = gaussian_negative_log_likelihood(u, mean, self.noise_variance)
        return density_in_units + self.standardisation_.scale.log().sum()

    def preview(self, x: Tensor) -> list[tuple[str, Tensor]]:
        """Return what 64 fixed draws from the prior decode to."""
        return [("samples", self.decode(draws.normal(64, (self.n_components,), x.device)))]

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Return the mean ELBO in nats per sample, with one fixed draw from each posterior."""
        return -self.bound_terms(X)["negative_elbo"]

    def bound_terms(self, X: ArrayLike) -> dict[str, float]:
        """Return ``negative_elbo``, ``reconstruction`` and ``kl`` in nats per sample."""
        check_is_fitted(self)
        array = self._incoming(X, reset=False)
        sums = np.zeros(2)
        with torch.no_grad(), torch.random.fork_rng(), evaluating(self.nets()):
            for first in range(0, len(array), 1024):
                chunk = array[first : first + 1024]
                draws.seed("score", first)
                loss = self.bound_loss(as_tensor(self, chunk).float())
                sums += [float(value) * len(chunk) for value in loss.terms.values()]
        reconstruction, kl = (float(value) for value in sums / len(array))
        return {
            "negative_elbo": reconstruction + kl,
            "reconstruction": reconstruction,
            "kl": kl,
        }
