"""What adversarial models share: a generator, a prior, images scaled to [−1, 1] inside.

Shapes: ``x`` is (N, C, H, W) in [0, 1]; ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from torch import Tensor

from latentia import draws
from latentia.base import Generator
from latentia.gradient import GradientModel


@dataclass(eq=False, repr=False, kw_only=True)
class AdversarialModel(Generator, GradientModel):
    """A generator that learns through a game, without a density."""

    n_components: int = 100
    """Size of the latent space."""

    lacks = {
        "transform": "a GAN has no encoder",
        "fit_transform": "a GAN has no encoder",
        "reconstruct": "a GAN has no encoder",
        "score": "a GAN's density is implicit; use latentia.evaluate",
    }

    def decode(self, z_NK: Tensor) -> Tensor:
        """Return ``G(z)`` in [0, 1]."""
        return (self.generate(z_NK) + 1) / 2

    @abstractmethod
    def generate(self, z_NK: Tensor) -> Tensor:
        """Return ``G(z)`` in [−1, 1], the range of its last layer."""

    def draw(self, x: Tensor) -> Tensor:
        """Return as many latent rows from the prior N(0, I) as ``x`` has samples."""
        return draws.normal(len(x), (self.n_components,), x.device)

    def preview(self, x: Tensor) -> list[tuple[str, Tensor]]:
        """Return what 64 fixed latent rows decode to."""
        return [("samples", self.decode(draws.normal(64, (self.n_components,), x.device)))]
