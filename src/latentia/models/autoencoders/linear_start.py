"""Where an autoencoder of photographs starts: from the linear solution, in closed form.

A few hundred photographs of 64 × 64 pixels teach deep nets less than they teach PCA. So the nets
stand between the first r principal components u, and add to the linear solution:

    u = Vᵀ(x − m)/s,  x̂ = m + s V u                              V: r eigenvectors; s² = mean of λ
    autoencoder   z = Λ^−½ s u + f(u),  û = Λ^½ z/s + g(z)               PCA, codes of variance 1
    VAE           μ(x) = Λ⁻¹ (Λ − v I)^½ s u + f(u),  log σ²(x) = log(v Λ⁻¹) + h(u)
                  û = (Λ − v I)^½ z/s + g(z),  v = (tr S − Σ_{j ≤ k} λ_j)/(d − k)    [1]_ eqs. 6-8

of k components of z; (λ, V) are the leading eigenpairs of the covariance S of at most 2,048 rows
spread over the training data. The last layers of f, g and h start at 0, so that the model
starts as PCA, or as probabilistic PCA with its exact posterior, and what the nets learn beyond it
is kept if held-out data agree (`GradientModel.keeps_best`). V, m and the linear maps stay fixed.

Photographs are what `latentia.models.inputs.is_photographic` takes for them.

Shapes: ``x`` is (N, C, H, W), ``u`` (N, r).

References
----------
.. [1] M. E. Tipping, C. M. Bishop, "Probabilistic principal component analysis", Journal of the
   Royal Statistical Society B 1999.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from latentia.nets.autoencoder import PrincipalDecoder, PrincipalEncoder

MOST_COMPONENTS = 128
"""Components that the nets see: more show what 2,048 photographs of 64 pixels do not repeat."""
LEAST_NOISE = 1e-6


@dataclass(frozen=True)
class LinearSolution:
    """Principal components of images.

    Attributes
    ----------
    mean, vectors
        (C, H, W), and (r, C·H·W) rows of unit length.
    values
        (r,) falling eigenvalues of the covariance, divided by n.
    total
        The sum of all of them.
    """

    mean: Tensor
    vectors: Tensor
    values: Tensor
    total: float

    @property
    def unit(self) -> float:
        """The unit s of components."""
        return float(self.values.mean().sqrt())

    def n_started(self, n_components: int) -> int:
        """Return how many components of z start as linear ones; of few rows at most half of r."""
        return min(n_components, (len(self.values) + 1) // 2)

    def noise(self, n_components: int) -> float:
        """Return v ([1]_ eq. 8)."""
        k = self.n_started(n_components)
        left = self.total - float(self.values[:k].sum())
        return max(LEAST_NOISE, left / max(1, self.vectors.shape[1] - k))


def linear_solution(x: Tensor) -> LinearSolution:
    """Return the leading eigenpairs of images' covariance, from their (n, n) inner products."""
    mean = x.mean(0)
    c = (x - mean).flatten(1).double()
    values, vectors = torch.linalg.eigh(c @ c.T / len(c))
    values, vectors = values.flip(0).clamp(min=0), vectors.flip(1)
    kept = values > 1e-9 * values[0].clamp(min=1e-12)
    n_kept = max(1, min(MOST_COMPONENTS, int(kept.sum())))
    rows = (c.T @ vectors[:, :n_kept]).T
    rows = rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-12)
    leading = values[:n_kept].clamp(min=LEAST_NOISE)
    return LinearSolution(mean, rows.float(), leading.float(), float(values.sum()))


def start(
    encoder: nn.Module,
    decoder: nn.Module,
    solution: LinearSolution,
    n_components: int,
    noise: float | None,
) -> None:
    """Set the linear maps: those of PCA, or with the noise's variance v of probabilistic PCA.

    Components of z beyond half of r start with what the prior says of them.
    """
    assert isinstance(encoder, PrincipalEncoder)
    assert isinstance(decoder, PrincipalDecoder)
    k = solution.n_started(n_components)
    values, places = solution.values[:k], torch.arange(k)
    kept = values if noise is None else (values - noise).clamp(min=0)
    encoder.mean.copy_(solution.mean)
    encoder.vectors.copy_(solution.vectors)
    encoder.unit.fill_(solution.unit)
    encoder.weight[places, places] = kept.sqrt() / values * solution.unit
    decoder.weight[places, places] = kept.sqrt() / solution.unit
    if noise is not None:
        encoder.bias[n_components + places] = (noise / values).clamp(max=1).log()
