"""The linear VAE: probabilistic PCA through a bound, and so a VAE whose likelihood is known.

    p(z) = N(0, I),  p(x given z) = N(W z + μ, v I),  q(z given x) = N(V (x − μ), D)    [1]_ eq. 9
    log p(x) = log N(x; μ, W Wᵀ + v I)                                         [2]_ eq. 4, exact

V is a linear layer, D a diagonal matrix that all x share. At the optimum ELBO = log p(x): q can be
the exact posterior, N(M⁻¹Wᵀ(x − μ), v M⁻¹) with M = WᵀW + v I, once the columns of W are
orthogonal, and W spans PCA's subspace ([1]_ section 4). μ is the data's mean.

Shapes: ``x`` is (N, C, H, W) or (N, d), ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from latentia.data.dataset import Dataset
from latentia.errors import Count, Positive
from latentia.models.autoencoders.base import Gaussian
from latentia.models.autoencoders.vae import VariationalModel
from latentia.models.inputs import Labels, Rows, unit_floats
from latentia.nets.autoencoder import LearnedVariance, LinearPosterior
from latentia.nets.mlp import Standardisation
from latentia.training.batches import Source, column_moments
from latentia.training.updates import Update, name_of


@dataclass(eq=False, repr=False, kw_only=True)
class LinearVAE(VariationalModel):
    """Linear variational autoencoder: its ELBO can reach the exact likelihood [1]_.

    ``score`` is the mean ELBO in nats per sample, ``score_samples(X, n_importance=k)`` the
    importance-weighted bound, and ``exact_score_samples`` the log-likelihood that they bound.

    Attributes
    ----------
    encoder_, decoder_, noise_
        V with log D; W without bias, since data are centred; v in standard units.
    mean_, scale_
        Mean of the training data, (d,) or (C, H, W), and the number that they are divided by.
    noise_variance_
        v in the data's squared unit.
    seed_
        The seed that was used.

    References
    ----------
    .. [1] J. Lucas, G. Tucker, R. Grosse, M. Norouzi, "Don't Blame the ELBO! A Linear VAE
       Perspective on Posterior Collapse", NeurIPS 2019, sections 3-4.
    .. [2] M. E. Tipping, C. M. Bishop, "Probabilistic Principal Component Analysis", JRSS B 1999.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 3)) * [3, 2, 0.1]
    >>> model = LinearVAE(n_components=1, n_epochs=20, random_state=0).fit(X)
    >>> bool(model.score(X) < model.exact_score_samples(X).mean())
    True
    """

    n_components: Count = 2
    """Size of the latent space."""
    learning_rate: Positive = 1e-2
    """The optimiser's step size."""

    linear = True
    lacks = dict.fromkeys(
        ("encoder", "decoder"), "its layers are linear; VAE takes nets of your own"
    )

    def learn_scale(self, source: Source) -> None:
        """Find the mean of the data and their root mean variance."""
        _, _, mean, variance = column_moments(source)
        self.mean_ = mean.float().numpy()
        scale = float(variance.mean().sqrt())
        self.scale_ = scale if scale > 0 else 1.0

    def build(self, shape: tuple[int, ...]) -> None:
        """Make one linear layer each way, the posterior's variances and the noise's."""
        d = int(np.prod(shape))
        self.standardisation_ = Standardisation(torch.tensor(self.mean_), torch.tensor(self.scale_))
        self.encoder_ = LinearPosterior(d, self.n_components)
        self.decoder_ = nn.Sequential(
            nn.Linear(self.n_components, d, bias=False), nn.Unflatten(1, shape)
        )
        self.noise_ = LearnedVariance(initial=0.5)

    def updates(self) -> list[Update]:
        """Move all parameters by one bound."""
        nets = [self.encoder_, self.decoder_, self.noise_]
        return [Update(name_of(self.loss, "negative_elbo"), self.loss, nets)]

    @property
    def likelihood(self) -> Gaussian:
        """N(W z + μ, v I), by the nets as they are now."""
        log_volume = math.prod(self.sample_shape_) * math.log(self.scale_)
        return Gaussian(self.noise_(), self.standardisation_, log_volume)

    def after_training(self, array: NDArray[Any], y: Labels) -> None:
        """Keep the noise variance in the data's squared unit."""
        self.noise_variance_ = float(self.noise_().detach()) * self.scale_**2

    def likelihoods(self, data: Dataset) -> dict[str, float]:
        """Return the exact likelihood of test data, and the bounds on it."""
        from latentia.models import measures

        return measures.density(self.exact_score_samples, data) | super().likelihoods(data)

    def exact_score_samples(self, X: Rows) -> NDArray[np.float64]:
        """Return (n,) values of log N(x; μ, W Wᵀ + v I) in nats, through a (k, k) matrix.

        With M = WᵀW + v I, log det(W Wᵀ + v I) = (d − k) log v + log det M, and the quadratic form
        is (‖x − μ‖² − ‖L⁻¹Wᵀ(x − μ)‖²)/v for M = L Lᵀ ([2]_ eq. 6-7).
        """
        array = unit_floats(self.checked(X, reset=False))
        (weight,) = self.decoder_.parameters()
        W = weight.detach().double().numpy() * self.scale_
        (d, k), v = W.shape, self.noise_variance_
        centred = array.reshape(len(array), d) - self.mean_.astype(np.float64).ravel()
        factor = np.linalg.cholesky(W.T @ W + v * np.eye(k))
        projected = np.linalg.solve(factor, W.T @ centred.T)
        distance = (np.square(centred).sum(1) - np.square(projected).sum(0)) / v
        log_det = (d - k) * math.log(v) + 2 * np.log(np.diag(factor)).sum()
        scores: NDArray[np.float64] = -0.5 * (d * math.log(2 * math.pi) + log_det + distance)
        return scores
