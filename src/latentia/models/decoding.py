"""Models whose nets decode latent rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from torch import Tensor

from latentia.models.base import Encoder
from latentia.models.exported import Exported, Quantity, code_of, data_of, into_nets, out_of_nets


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

    def exported(self) -> tuple[Exported, ...]:
        """Return `encode`, of a model that has it, and `decode`."""
        encode = (self.exported_encoder(),) if isinstance(self, Encoder) else ()
        return (*encode, self.exported_decoder("decode"))

    def exported_encoder(self) -> Exported:
        """Return what ``transform`` does."""

        def encode(x: Tensor, *y: Tensor) -> Any:
            return self.encode(into_nets(self, x), *self.known(*y))

        def transform(X: NDArray[Any], *y: NDArray[Any]) -> Any:
            return self.transform(X, *self.labels_of_known(*y))

        x = self.exported_data("what is encoded")
        return Exported("encode", encode, transform, (x, *self.conditions()), (code_of(self),))

    def exported_decoder(self, name: str) -> Exported:
        """Return what ``inverse_transform`` does, under a name."""

        def decode(z_NK: Tensor, *y: Tensor) -> Any:
            x = self.decode(z_NK, *self.known(*y))
            return out_of_nets(self, x, self.data_shape_)

        def inverse_transform(Z: NDArray[Any], *y: NDArray[Any]) -> Any:
            return self.inverse_transform(Z, *self.labels_of_known(*y))

        x = self.exported_data("what is decoded")
        return Exported(name, decode, inverse_transform, (code_of(self), *self.conditions()), (x,))

    def exported_data(self, words: str) -> Quantity:
        """Return the quantity that is a sample: an image in [0, 1], or a table's row."""
        units = self.standardisation_
        if units.mean.ndim == 0:
            return data_of(self, "x", words)
        return data_of(self, "x", words, units.mean.numpy(), units.scale.numpy())

    def conditions(self) -> tuple[Quantity, ...]:
        """Return what is given beside x and z; here nothing."""
        return ()

    def known(self, *y: Tensor) -> tuple[Tensor, ...]:
        """Return what the nets see of what is given; here nothing."""
        return ()

    def labels_of_known(self, *y: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """Return what is given as the verbs take it; here nothing."""
        return ()
