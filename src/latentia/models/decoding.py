"""Models whose nets decode latent rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from torch import Tensor


class DecodingModel(BaseEstimator, ABC):  # type: ignore[misc]
    """What makes a `GradientModel` a `LatentModel` too: its nets decode latent rows.

    A subclass of all three states `decode`; an encoding one also ``encode``.
    """

    @abstractmethod
    def decode(self, z_NK: Tensor) -> Tensor:
        """Return data of shape (N, *shape) for latent rows."""

    @property
    def n_latent(self) -> int:
        """The size of ``z``."""
        return int(self.n_components or 0)

    def _decode_array(self, Z: NDArray[Any]) -> NDArray[Any]:
        decoded: NDArray[Any] = self.apply("decode", Z).reshape(len(Z), *self.data_shape_)
        return decoded
