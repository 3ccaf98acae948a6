"""Gradient-trained models with a latent space: rows of ``z`` are decoded by a net.

Shapes: ``z_NK`` is (N, n_components); ``x`` is (N, C, H, W) or (N, d) in data units.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

from latentia.base import LatentModel
from latentia.gradient import GradientModel
from latentia.parameters import check_range


@dataclass(eq=False, repr=False, kw_only=True)
class DecodingModel(GradientModel, LatentModel, ABC):
    """A model of data that arise from a smaller latent ``z``, trained by gradients.

    A subclass states `decode`; an encoding one also ``encode``.
    """

    @abstractmethod
    def decode(self, z_NK: Tensor) -> Tensor:
        """Return data of shape (N, *shape) for latent rows."""

    @property
    def n_latent(self) -> int:
        """The size of ``z``."""
        return int(self.n_components or 0)

    def check_shared_values(self) -> None:
        """Raise InputError for a shared hyperparameter out of its range."""
        super().check_shared_values()
        check_range("n_components", self.n_components, 1)

    def _decode_array(self, Z: NDArray[Any]) -> NDArray[Any]:
        return self.apply("decode", Z).reshape(len(Z), *self.data_shape_)
