"""What a page computes again in the browser, to say how far it is from the program it came from.

Inputs are a formula, so that they need no place in the file: value i of an input is

    low + (high − low) · frac((i + 1) φ),    φ = 0.618 033 988 749 894 9,

which is the same number in double precision everywhere.
"""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.models.exported import Exported, Quantity

RATIO = 0.6180339887498949
SAMPLES = 3
MOST = 4_096
"""Values of an output that are kept."""


def check_of(function: Exported) -> list[dict[str, Any]]:
    """Return what a function gives for the formula's inputs: some values of each output."""
    found = function.verb(*(given(quantity) for quantity in function.inputs))
    outputs = found if isinstance(found, tuple) else (found,)
    return [kept(np.asarray(part)) for part in outputs]


def kept(values: NDArray[Any]) -> dict[str, Any]:
    """Return every so manieth value as float32 in base64."""
    flat = values.ravel().astype("<f4")
    every = math.ceil(flat.size / MOST)
    return {"every": every, "values": base64.b64encode(flat[::every].tobytes()).decode()}


def given(quantity: Quantity) -> NDArray[Any]:
    """Return samples of an input: the formula, classes and symbols in turn, or no state yet."""
    shape = (SAMPLES, *quantity.shape)
    if quantity.kind == "symbol":
        return np.arange(SAMPLES) % len(quantity.names)
    if quantity.kind == "state":
        return np.zeros(shape, np.float32)
    if quantity.kind == "class":
        k = quantity.shape[-1]
        rows = np.arange(math.prod(shape) // k) % k
        return np.eye(k, dtype=np.float32)[rows].reshape(shape)
    low = np.asarray(-1.0 if quantity.low is None else quantity.low, float)
    high = np.asarray(1.0 if quantity.high is None else quantity.high, float)
    share = (np.arange(1, math.prod(shape) + 1) * RATIO % 1.0).reshape(shape)
    values: NDArray[Any] = (low + (high - low) * share).astype(np.float32)
    return values
