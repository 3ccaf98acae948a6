"""The losses of autoencoders without a density: a sample beside what its code decodes to."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from latentia.errors import InputError
from latentia.models.autoencoders.base import AutoencodingModel
from latentia.models.autoencoders.likelihood import bernoulli_cross_entropy
from latentia.training.device import full_precision
from latentia.training.losses import root_mean_squared_error, squared_error

Comparison = Literal["mse", "rmse", "bce"]
"""Squared error summed over a sample's values, the root of its mean, or cross-entropy in nats."""


def compared(model: AutoencodingModel, kind: Comparison, x: Tensor, output: Tensor) -> Tensor:
    """Return the loss between data and a decoder's raw output, in standard units."""
    output = full_precision(output)
    if kind == "bce" and not model.unit_range_:
        raise InputError("objective is 'bce' and the data leave [0, 1]; choose objective='mse'")
    if kind == "bce":
        return bernoulli_cross_entropy(x, output).mean()
    error = squared_error if kind == "mse" else root_mean_squared_error
    if model.squashes:
        return error(x, output.sigmoid())
    return error(model.standardisation_(x), output)
