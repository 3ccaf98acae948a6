"""How far what is exported is from the model: the largest difference, by the same inputs.

    d = max |a − b| / s,   s = 1 of probabilities and images, else max |b|

over batches of one and of three, and of images of other sizes where these are free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.models.apply import eager
from latentia.models.exported import Exported, Quantity
from latentia.pages.graphs import examples

LIMITS = {"single": 1e-6, "half": 5e-4, "onnx": 1e-5}
"""The largest difference that is allowed, by the weights' precision and by what runs them."""
BATCHES = ((1, 0), (3, 0), (2, 1))
"""Sizes of the batches that are compared, and by how many multiples images are larger."""

Runner = Callable[..., Sequence[NDArray[Any]]]


def differences(model: Any, function: Exported, runner: Runner) -> float:
    """Return the largest difference between what a runner gives and what the model gives."""
    found, draw = 0.0, np.random.default_rng(0)
    free = any(quantity.free for quantity in function.inputs)
    for n, larger in BATCHES if free else BATCHES[:2]:
        given = examples(function, n, draw, larger)
        # The verbs take images of the fit's size.
        wanted = eager(model, function.call, *given) if larger else function.verb(*given)
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        for quantity, a, b in zip(function.outputs, runner(*given), wanted, strict=True):
            found = max(found, difference(quantity, a, np.asarray(b)))
    return found


def difference(quantity: Quantity, a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the largest difference of one output; infinity if shapes differ or NaN came."""
    if a.shape != b.shape:
        return float("inf")
    unit = quantity.low == 0 and quantity.high == 1
    scale = 1.0 if unit else float(np.abs(b).max()) or 1.0
    found = float(np.abs(a.astype(np.float64) - b).max()) / scale
    return found if np.isfinite(found) else float("inf")
