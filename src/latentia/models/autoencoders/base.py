"""What autoencoders share: an encoder and a decoder for images or tables.

Tables of any scale are standardised by constants inside the nets; data in [0, 1] are used as they
are and decoded through a sigmoid.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latentia.errors import InputError, check_range
from latentia.models.base import Encoder
from latentia.models.gradient import DecodingModel
from latentia.nets.conv import conv_decoder, conv_encoder, dense_decoder, dense_encoder
from latentia.nets.mlp import ACTIVATIONS, Standardisation, glorot, leaky_relu, relu
from latentia.nets.tied import TiedDecoder
from latentia.training.batches import Source, column_moments, column_scale
from latentia.training.losses import (
    bernoulli_negative_log_likelihood,
    full_precision,
    root_mean_squared_error,
    squared_error,
)

Comparison = Literal["mse", "rmse", "bce"]
"""Squared error summed over a sample's values, the root of its mean, or cross-entropy in nats."""


@dataclass(eq=False, repr=False, kw_only=True)
class AutoencodingModel(Encoder, DecodingModel):
    """An encoder and a decoder, trained together."""

    n_components: int = 20
    """Size of the latent space."""
    hidden: tuple[int, ...] = (400, 400)
    """Widths of the encoder's fully connected layers; the decoder mirrors them."""
    channels: tuple[int, ...] = (8, 16, 32)
    """Channels of the convolutional encoder's layers, each of which halves the image."""
    activation: Literal["auto", "leaky_relu", "relu", "tanh", "sigmoid"] = "auto"
    """Between layers; auto is LeakyReLU 0.2 in fully connected nets and ReLU in convolutional."""
    architecture: Literal["auto", "mlp", "convolutional"] = "auto"
    """The nets: fully connected, convolutional, or what suits the data."""

    @property
    @abstractmethod
    def default_architecture(self) -> Literal["mlp", "convolutional"]:
        """The nets that ``auto`` means for images."""

    @abstractmethod
    def code_outputs(self) -> int:
        """Return how many numbers the encoder gives for each sample."""

    @property
    def ties_weights(self) -> bool:
        """Whether the decoder's weights are the encoder's transposed; here they are its own."""
        return False

    def check_shape_values(self) -> None:
        """Raise InputError for sizes out of range."""
        self.check_shared_values()
        for name in ("hidden", "channels"):
            for width in getattr(self, name):
                check_range(f"a width in {name}", width, 1)

    def learn_scale(self, source: Source) -> None:
        """Find whether the data lie in [0, 1], and otherwise the mean and scale of each column."""
        self.unit_range_ = True
        if len(source.shape) > 1:
            return
        low, high, mean, variance = column_moments(source)
        self.unit_range_ = low >= 0 and high <= 1
        if not self.unit_range_:
            self.column_mean_ = mean.float().numpy()
            self.column_scale_ = column_scale(mean, variance).float().numpy()

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the encoder and its mirror."""
        self.make_nets(shape)

    def make_nets(self, shape: tuple[int, ...], n_given: int = 0) -> None:
        """Make the nets; both see ``n_given`` further numbers beside x and z (a condition)."""
        self.standardisation_ = Standardisation.identity()
        if not self.unit_range_:
            columns = (self.column_mean_, self.column_scale_)
            self.standardisation_ = Standardisation(*map(torch.tensor, columns))
        n_codes = self.code_outputs()
        if self.is_convolutional(shape):
            image = (shape[0], shape[1], shape[2])
            seen = (image[0] + n_given, *image[1:])
            widths = (self.channels, self.hidden)
            act = relu if self.activation == "auto" else ACTIVATIONS[self.activation]
            self.encoder_: nn.Module = conv_encoder(seen, *widths, n_codes, act)
            self.decoder_: nn.Module = conv_decoder(
                image, *widths, self.n_components + n_given, act
            )
        else:
            act = leaky_relu if self.activation == "auto" else ACTIVATIONS[self.activation]
            n_seen = int(np.prod(shape)) + n_given
            self.encoder_ = dense_encoder(n_seen, self.hidden, n_codes, act)
            self.decoder_ = dense_decoder(shape, self.hidden, self.n_components + n_given, act)
        if self.ties_weights:
            self.decoder_ = TiedDecoder(self.encoder_, shape, act)
        if self.activation in ("tanh", "sigmoid"):
            glorot(self.encoder_)
            glorot(self.decoder_)

    def is_convolutional(self, shape: tuple[int, ...]) -> bool:
        """Return whether the nets for samples of this shape are convolutional."""
        if self.architecture == "convolutional" and len(shape) == 1:
            raise InputError(
                "architecture is 'convolutional' and the data are a table of shape "
                f"(n, {shape[0]}); give images, or choose 'mlp'"
            )
        if self.architecture == "auto":
            return len(shape) > 1 and self.default_architecture == "convolutional"
        return self.architecture == "convolutional"

    @abstractmethod
    def encode(self, x: Tensor) -> Tensor:
        """Return (N, n_components) codes."""

    def _encode_array(self, X: NDArray[Any]) -> NDArray[Any]:
        return self.apply("encode", X)

    def decode(self, z_NK: Tensor) -> Tensor:
        """Return decoded data in their own units, (N, *shape)."""
        return self.to_data(self.decoder_output(z_NK))

    def decoder_output(self, z_NK: Tensor) -> Tensor:
        """Return the decoder's raw output, (N, *shape); tied weights are the encoder's."""
        beside = (self.encoder_,) if self.ties_weights else ()
        output: Tensor = self.decoder_(z_NK, *beside)
        return output

    def to_data(self, output: Tensor) -> Tensor:
        """Return the decoder's raw output as data: through a sigmoid, or in the data's units."""
        if self.unit_range_:
            return output.sigmoid()
        return self.standardisation_.inverse(output)

    def check_comparison(self, kind: Comparison) -> None:
        """Raise InputError where data outside [0, 1] would be compared by cross-entropy."""
        if kind == "bce" and not self.unit_range_:
            raise InputError("loss is 'bce' and the data leave [0, 1]; choose loss='mse'")

    def compared(self, kind: Comparison, x: Tensor, output: Tensor) -> Tensor:
        """Return the loss between data and the decoder's raw output, in standard units."""
        output = full_precision(output)
        if kind == "bce":
            return bernoulli_negative_log_likelihood(x, output)
        error = squared_error if kind == "mse" else root_mean_squared_error
        if self.unit_range_:
            return error(x, output.sigmoid())
        return error(self.standardisation_(x), output)
