"""The variational autoencoder: a deep latent-variable model with an explicit density.

    p(z) = N(0, I),  p(x given z) = Bernoulli(σ(g(z))) or N(g(z), v I)      (model)
    q(z given x) = N(μ(x), diag σ²(x)),  z = μ + σ·ε,  ε ~ N(0, I)          (posterior, [1]_ eq. 10)
    ELBO(x) = E_q[log p(x given z)] − KL(q(z given x) ‖ p(z)) ≤ log p(x)    ([1]_ eq. 3)

Training minimises −E log p(x given z) + β·KL with one ε for each sample, in nats summed over
dimensions and averaged over samples; β = 1 is the bound itself. `latentia.autoencoders.bound`
has annealing, free bits and the importance-weighted bound, `latentia.autoencoders.observation` the
distributions of x given z.

Shapes: ``x`` is (N, C, H, W) or (N, d); ``z_NK``, mean and log-variance are (N, n_components).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from latentia import draws
from latentia.autoencoders.bound import BoundedModel
from latentia.autoencoders.code_mixture import draw_codes, fit_mixture
from latentia.parameters import check_range


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

    def conclude(self, array: NDArray[Any], y: Any) -> None:  # noqa: ANN401
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

    def preview(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return what 64 fixed draws from the prior decode to."""
        return [("samples", self.decode(draws.normal(64, (self.n_components,), x.device)))]
