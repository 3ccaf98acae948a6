"""How far what is exported is from the model: the largest difference, by the same inputs.

    d = max |a − b| / s,   s = 1 of probabilities and images, else max |b|

over batches of one and of three, and of images of other sizes where these are free. Two ways to
sum in single precision differ in the last bits, which a deep net with norms may enlarge: what is
allowed is no less than three times the distance of the model from itself in double precision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.errors import InputError
from latentia.models.apply import eager, in_double
from latentia.models.exported import Exported, Quantity
from latentia.pages.graphs import examples

LIMITS = {"single": 1e-6, "half": 5e-4, "onnx": 1e-5}
"""The largest difference that is allowed, by the weights' precision and by what runs them."""
ROUNDINGS = 3.0
"""How many of the model's own rounding errors are allowed where a deep net has larger ones."""
BATCHES = ((1, 0), (3, 0), (2, 1))
"""Sizes of the batches that are compared, and by how many multiples images are larger."""

Runner = Callable[..., Sequence[NDArray[Any]]]


def differences(model: Any, function: Exported, runner: Runner) -> float:
    """Return the largest difference between what a runner gives and what the model gives."""
    found, draw = 0.0, np.random.default_rng(0)
    for n, larger in batches_of(function):
        given = examples(function, n, draw, larger)
        # The verbs take images of the fit's size.
        wanted = eager(model, function.call, *given) if larger else function.verb(*given)
        found = max(found, largest(function, runner(*given), wanted))
    return found


def rounding(model: Any, name: str) -> float:
    """Return how far a model with nets is in single precision from itself in double precision."""
    (single,), twin = (f for f in model.exported() if f.name == name), in_double(model)
    (double,) = (f for f in twin.exported() if f.name == name)
    found, draw = 0.0, np.random.default_rng(0)
    for n, larger in batches_of(single):
        given = examples(single, n, draw, larger)
        exact = [part.astype(np.float64) if part.dtype == np.float32 else part for part in given]
        wanted = eager(twin, double.call, *exact)
        own = eager(model, single.call, *given)
        found = max(found, largest(single, own if isinstance(own, tuple) else (own,), wanted))
    return found


def batches_of(function: Exported) -> Sequence[tuple[int, int]]:
    """Return the batches by which a function is compared."""
    free = any(quantity.free for quantity in function.inputs)
    return BATCHES if free else BATCHES[:2]


def largest(function: Exported, found: Sequence[NDArray[Any]], wanted: Any) -> float:
    """Return the largest difference of all outputs."""
    parts = wanted if isinstance(wanted, tuple) else (wanted,)
    triples = zip(function.outputs, found, parts, strict=True)
    return max(difference(quantity, a, np.asarray(b)) for quantity, a, b in triples)


def difference(quantity: Quantity, a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the largest difference of one output; infinity if shapes differ or NaN came."""
    if a.shape != b.shape:
        return float("inf")
    unit = quantity.low == 0 and quantity.high == 1
    scale = 1.0 if unit else float(np.abs(b).max()) or 1.0
    found = float(np.abs(a.astype(np.float64) - b).max()) / scale
    return found if np.isfinite(found) else float("inf")


def allowed(kind: str, model: Any, found: Mapping[str, float]) -> dict[str, float]:
    """Return the largest difference that is allowed of each function, by those that were found."""
    limits = dict.fromkeys(found, LIMITS[kind])
    for name in limits:
        if limits[name] < found[name] < np.inf and model.nets():
            limits[name] = max(limits[name], ROUNDINGS * rounding(model, name))
    return limits


def refuse_other(found: Mapping[str, float], limits: Mapping[str, float], advice: str = "") -> None:
    """Refuse what is exported where it does not give what the model gives."""
    for name, value in found.items():
        if not value <= limits[name]:
            raise InputError(
                f"the exported {name} differs from the model's by {value:.1e}, and at most "
                f"{limits[name]:.1e} is allowed{advice}"
            )
