"""A program of a page, run in torch: what its weights give, before a browser runs it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Run = Callable[[Any, Any], Any]
NUMBERS: Mapping[str, Callable[[int, int], int]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "floor": operator.floordiv,
    "mod": operator.mod,
}


def _pooled(x: Any, a: Any) -> Any:
    pool = functional.max_pool2d if a[6] else functional.avg_pool2d
    return pool(x[0], a[:2], a[2:4], a[4:6])


def _padded(x: Any, a: Any) -> Any:
    if a[4] == "constant":
        return functional.pad(x[0], a[:4], value=a[5])
    return functional.pad(x[0], a[:4], mode=a[4])


def _nearest(x: Any, a: Any) -> Any:
    sides = [side * by for side, by in zip(x[0].shape[2:], a[:2])] if a[2] else a[:2]
    return functional.interpolate(x[0], sides, mode="nearest")


def _slice(x: Any, a: Any) -> Any:
    places: list[slice] = [slice(None)] * x[0].ndim
    places[a[0]] = slice(a[1], a[2], a[3])
    return x[0][tuple(places)]


def _softmax(x: Any, a: Any) -> Any:
    return x[0].log_softmax(a[0]) if a[1] else x[0].softmax(a[0])


def _channels(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(-1, *[1] * (like.ndim - 2))


def _of_one(function: Any) -> Run:
    return lambda x, a: function(x[0])


def _of_two(function: Any) -> Run:
    return lambda x, a: function(x[0], x[1])


def _convolved(x: Any, a: Any) -> Any:
    function: Any = functional.conv2d
    return function(*x, a[:2], a[2:4], a[4:6], a[6])


def _spread(x: Any, a: Any) -> Any:
    function: Any = functional.conv_transpose2d
    return function(*x, a[:2], a[2:4], a[4:6])


RUN: Mapping[str, Run] = {
    **{
        name: _of_one(function)
        for name, function in {
            "relu": torch.relu,
            "sigmoid": torch.sigmoid,
            "tanh": torch.tanh,
            "exp": torch.exp,
            "log": torch.log,
            "log1p": torch.log1p,
            "neg": torch.neg,
            "abs": torch.abs,
            "sqrt": torch.sqrt,
            "rsqrt": torch.rsqrt,
            "softplus": functional.softplus,
            "silu": functional.silu,
        }.items()
    },
    **{
        name: _of_two(function)
        for name, function in {
            "add": torch.add,
            "sub": torch.sub,
            "mul": torch.mul,
            "div": torch.div,
            "max": torch.maximum,
            "min": torch.minimum,
            "pow": torch.pow,
        }.items()
    },
    "gelu": lambda x, a: functional.gelu(x[0], approximate=a[0] if a else "none"),
    "elu": lambda x, a: functional.elu(x[0], *a[:1]),
    "leaky": lambda x, a: functional.leaky_relu(x[0], *a),
    "clamp": lambda x, a: x[0].clamp(*a),
    "linear": lambda x, a: functional.linear(*x),
    "conv": _convolved,
    "spread": _spread,
    "affine": lambda x, a: x[0] * _channels(x[1], x[0]) + _channels(x[2], x[0]),
    "norm": lambda x, a: functional.group_norm(x[0], a[0], x[1], x[2], a[1]),
    "prelu": lambda x, a: functional.prelu(*x),
    "softmax": _softmax,
    "sum": lambda x, a: x[0].sum(a[:-1], keepdim=bool(a[-1])),
    "mean": lambda x, a: x[0].mean(a[:-1], keepdim=bool(a[-1])),
    "max_over": lambda x, a: x[0].amax(a[:-1], keepdim=bool(a[-1])),
    "view": lambda x, a: x[0].reshape(a),
    "unsqueeze": lambda x, a: x[0].unsqueeze(a[0]),
    "squeeze": lambda x, a: x[0].squeeze(tuple(a)),
    "slice": _slice,
    "cat": lambda x, a: torch.cat(list(x), a[0]),
    "expand": lambda x, a: x[0].expand(a),
    "permute": lambda x, a: x[0].permute(a),
    "pad": _padded,
    "shuffle": lambda x, a: functional.pixel_shuffle(x[0], a[0]),
    "nearest": _nearest,
    "embedding": lambda x, a: x[0][x[1].long()],
    "pool": _pooled,
    "size": lambda x, a: x[0].shape[a[0]],
    "number": lambda x, a: NUMBERS[a[0]](a[1], a[2]),
    "fill": lambda x, a: torch.full(a[1:], a[0]),
}
"""How each operation is computed from its inputs and attributes."""


def run(
    function: Mapping[str, Any], weights: Sequence[Tensor], inputs: Sequence[Tensor]
) -> list[Tensor]:
    """Return the outputs of a function of a program, with these weights.

    Parameters
    ----------
    function
        As it stands in the document: ``operations`` and ``results``.
    weights
        In the order of the document's table.
    """
    values: list[Any] = list(inputs)

    def meant(reference: Any) -> Any:
        if reference is None:
            return None
        return weights[-1 - reference] if reference < 0 else values[reference]

    for name, given, attributes in function["operations"]:
        plain = [values[part["r"]] if isinstance(part, dict) else part for part in attributes]
        values.append(RUN[name]([meant(reference) for reference in given], plain))
    return [values[place] for place in function["results"]]
