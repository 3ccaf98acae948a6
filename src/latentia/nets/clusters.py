"""Clusters in a latent space as modules: Student's t around centres, and a mixture of Gaussians.

Shapes: ``z_NK`` latent rows, (N, n_components); per-cluster values are (N, n_clusters).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

LOG_2PI = math.log(2 * math.pi)
LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE = -12.0, 12.0
"""Beyond these a Gaussian of the mixture would collapse onto a sample, or mean nothing."""


class StudentClusters(nn.Module):
    """Soft assignments to centres by Student's t, and the targets that they are trained towards.

    Parameters
    ----------
    centers
        (n_clusters, n_components) μ.
    degrees_of_freedom
        α.
    n_rows
        Rows of the training data, whose (n_rows, n_clusters) targets are kept.

    References
    ----------
    .. [1] J. Xie, R. Girshick, A. Farhadi, "Unsupervised Deep Embedding for Clustering Analysis",
       ICML 2016, eq. 1.
    """

    target: Tensor

    def __init__(self, centers: Tensor, degrees_of_freedom: float, n_rows: int) -> None:
        super().__init__()
        self.centers = nn.Parameter(centers)
        self.degrees_of_freedom = degrees_of_freedom
        self.register_buffer("target", torch.zeros(n_rows, len(centers)))

    def forward(self, z_NK: Tensor) -> Tensor:
        """Return (N, n_clusters) ``log q_ij``, q_ij ∝ (1 + ‖z_i − μ_j‖²/α)^(−(α+1)/2)."""
        alpha = self.degrees_of_freedom
        distances = (z_NK[:, None] - self.centers).square().sum(-1)
        return (-0.5 * (alpha + 1) * (distances / alpha).log1p()).log_softmax(1)


class GaussianMixture(nn.Module):
    """A prior p(z) = Σ_c π_c N(z; μ_c, diag σ_c²) whose parameters can be learned.

    Parameters
    ----------
    weights
        (n_clusters,) π, positive.
    means, variances
        (n_clusters, n_components) each.
    """

    def __init__(self, weights: Tensor, means: Tensor, variances: Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(weights.log())
        self.means = nn.Parameter(means)
        self.log_variances = nn.Parameter(variances.log())

    def log_weights(self) -> Tensor:
        """Return (n_clusters,) ``log π_c``."""
        return self.logits.log_softmax(0)

    def bounded_log_variances(self) -> Tensor:
        """Return (n_clusters, n_components) ``log σ_c²``, kept where they are usable."""
        return self.log_variances.clamp(LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE)

    def log_joint(self, z_NK: Tensor) -> Tensor:
        """Return (N, n_clusters) ``log π_c + log N(z; μ_c, σ_c²)``."""
        return self.log_weights() - self.cross_entropies(z_NK, torch.zeros_like(z_NK))

    def cross_entropies(self, mean: Tensor, variance: Tensor) -> Tensor:
        """Return (N, n_clusters) ``−E log N(z; μ_c, σ_c²)`` for z ~ N(mean, diag variance)."""
        log_variances = self.bounded_log_variances()
        squares = (mean[:, None] - self.means).square() + variance[:, None]
        return 0.5 * (LOG_2PI + log_variances + squares / log_variances.exp()).sum(-1)

    def distribution(self) -> MixtureSameFamily:
        """Return the mixture as a distribution of torch's."""
        normal = Normal(self.means, (0.5 * self.bounded_log_variances()).exp())
        return MixtureSameFamily(Categorical(logits=self.logits), Independent(normal, 1))
