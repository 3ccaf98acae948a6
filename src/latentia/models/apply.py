"""A trained model's nets applied to arrays: chunk by chunk, without gradients.

Arrays are (n, d) tables, (n, H, W) or (n, C, H, W) images, or (n, k) latent rows.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentia.errors import within_memory
from latentia.models.base import Model
from latentia.models.inputs import unit_floats
from latentia.training.train import evaluating

CHUNK = 512


Netted = TypeVar("Netted", bound=Model)


def apply(
    model: Model, verb: str, rows: NDArray[Any], *beside: NDArray[Any], n_at_once: int = CHUNK
) -> NDArray[Any]:
    """Run a method of tensors, such as ``encode``; float64 tables are computed in float64.

    In float32 a row's result depends in its last bits on the rows beside it. Arrays ``beside``
    the first, such as labels, are cut into the same chunks. Images may be of any size.
    """
    model = in_double(model) if rows.dtype == np.float64 and rows.ndim == 2 else model
    method: Callable[..., Tensor] = getattr(model, verb)
    n = min(n_at_once, CHUNK)
    places = [slice(first, first + n) for first in range(0, len(rows), n)]
    memory = within_memory("for so many rows; give fewer at a time")
    with memory, torch.no_grad(), evaluating(model.nets()):
        parts = [
            method(as_tensor(model, rows[p]), *(torch.from_numpy(b[p]) for b in beside)).numpy()
            for p in places
        ]
        return np.concatenate(parts)


def eager(model: Model, function: Callable[..., Any], *arrays: NDArray[Any]) -> Any:
    """Run a function of tensors that uses a model's nets on whole arrays, as they are."""
    with torch.no_grad(), evaluating(model.nets()):
        found = function(*map(torch.from_numpy, arrays))
        return tuple(part.numpy() for part in found) if isinstance(found, tuple) else found.numpy()


def as_tensor(model: Model, chunk: NDArray[Any]) -> Tensor:
    """Return rows as the nets take them: images as float32 of (N, C, H, W), tables as they are."""
    x = torch.from_numpy(np.require(unit_floats(chunk), requirements=["C", "W"]))
    if x.ndim == 3:
        x = x.reshape(len(x), model.sample_shape_[0], *x.shape[1:])
    return x.float() if x.ndim == 4 else x


def in_double(model: Netted) -> Netted:
    """Return a copy of the model with nets in float64."""
    twin = copy.copy(model)
    for name, net in model.nets().items():
        setattr(twin, name, copy.deepcopy(net).double())
    return twin
