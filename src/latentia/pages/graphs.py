"""The functions of a fitted model as graphs of tensor operations, by `torch.export`.

Layers that are written for speed take their plain form while they are traced
(`torch.compiler.is_exporting`). The batch may have any size, and so may the images of a net that
takes them.
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.export import Dim, ExportedProgram
from torch.fx.experimental import _config

from latentia.errors import InputError, nearest
from latentia.models.exported import Exported, Quantity

TRACED = 2
"""Samples in the batch that is traced: of one, its size would be taken for fixed."""


class Function(nn.Module):
    """An exported function as a module that owns the model's nets."""

    def __init__(self, model: Any, function: Exported) -> None:
        super().__init__()
        self.function = function
        for name, net in model.nets().items():
            self.add_module(name, net)

    def forward(self, *inputs: torch.Tensor) -> Any:
        """Return what the function gives, always as a tuple."""
        found = self.function.call(*inputs)
        return found if isinstance(found, tuple) else (found,)


def frozen(model: Any) -> Any:
    """Return a copy of the model whose nets are fixed, in float32 on the CPU."""
    twin = copy.copy(model)
    for name, net in model.nets().items():
        setattr(twin, name, copy.deepcopy(net).float().cpu().eval().requires_grad_(False))
    return twin


def chosen(functions: Sequence[Exported], only: Sequence[str]) -> tuple[Exported, ...]:
    """Return those functions that are asked for, or all; refuse a name that none has."""
    names = [function.name for function in functions]
    for name in only:
        if name not in names:
            raise InputError(
                f"there is no function {name!r}; the model has {', '.join(names)}"
                f"{nearest(name, names)}"
            )
    return tuple(function for function in functions if not only or function.name in only)


def traced(model: Any, function: Exported) -> ExportedProgram:
    """Return the graph of a function of a frozen model."""
    inputs = examples(function, TRACED, np.random.default_rng(0), larger=1)
    axes = tuple(dynamic_axes(quantity) for quantity in function.inputs)
    try:
        with torch.no_grad(), ones_as_any_size(), quiet():
            graph = torch.export.export(
                Function(model, function).eval(),
                tuple(map(torch.from_numpy, inputs)),
                dynamic_shapes={"inputs": axes},
                strict=False,
            )
            return in_use(graph.run_decompositions({}))
    except Exception as error:
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(
            f"{type(model).__name__}'s {function.name} cannot be traced by torch.export: {why} (in "
            "a net of your own take x.shape[0] for len(x), and no size as a plain number)"
        ) from error


def ones_as_any_size() -> AbstractContextManager[Any]:
    """Take sizes of 1, which innermost layers may have, for no special ones in a ``with`` block.

    torch has no public switch for it. Without one a graph refuses images of such a size.
    """
    config: Any = _config
    known = hasattr(config, "backed_size_oblivious")
    return config.patch(backed_size_oblivious=True) if known else nullcontext()


def in_use(graph: ExportedProgram) -> ExportedProgram:
    """Return a graph with those weights alone that it needs, of all that the model has."""
    unused = {n.name for n in graph.graph.nodes if n.op == "placeholder" and not n.users}
    signature = graph.graph_signature
    for spec in [*signature.input_specs]:
        if spec.target is not None and spec.arg.name in unused:
            signature.input_specs.remove(spec)
            for stored in (graph.state_dict, graph.constants):
                stored.pop(spec.target, None)
    kept = {spec.arg.name for spec in signature.input_specs}
    for node in [n for n in graph.graph.nodes if n.op == "placeholder" and n.name not in kept]:
        graph.graph.erase_node(node)
    graph.graph_module.recompile()
    return graph


@contextmanager
def quiet() -> Iterator[None]:
    """Leave unsaid, within a ``with`` block, what torch's exporters say of their own insides."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = logging.root.manager.disable
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(before)


def dynamic_axes(quantity: Quantity) -> dict[int, Any]:
    """Return which axes of an input may have any size: the batch, and free sides of images."""
    # Of rows that were cut out torch asks whether they lie side by side, as those of one image do;
    # what it traces from 2 on is right for 1 as well, which `differences` sees to.
    axes: dict[int, Any] = {0: Dim("batch", min=2)}
    if quantity.free:
        for axis, name in zip(sides_of(quantity), ("height", "width")):
            whole = Dim(name if quantity.free == 1 else f"{name}_{quantity.free}")
            axes[axis] = whole if quantity.free == 1 else quantity.free * whole
    return axes


def sides_of(quantity: Quantity) -> tuple[int, int]:
    """Return the axes of an image's height and width, the batch's among them."""
    first = 1 if len(quantity.shape) == 3 and quantity.shape[2] <= 4 < quantity.shape[0] else 0
    axes = range(1, 1 + len(quantity.shape))
    return (axes[0], axes[1]) if first else (axes[-2], axes[-1])


def examples(
    function: Exported, n: int, draw: np.random.Generator, larger: int = 0
) -> list[NDArray[Any]]:
    """Return n values of each input, of free sides ``larger`` multiples larger than usual."""
    return [example(quantity, n, draw, larger) for quantity in function.inputs]


def example(q: Quantity, n: int, draw: np.random.Generator, larger: int = 0) -> NDArray[Any]:
    """Return n values of one input: codes from N(0, I), the others from their usual range."""
    shape = [n, *q.shape]
    for axis in sides_of(q) if q.free and larger else ():
        shape[axis] += q.free * larger
    if q.kind == "symbol":
        return draw.integers(0, len(q.names), shape)
    if q.kind == "class":
        return np.eye(q.shape[-1], dtype=np.float32)[draw.integers(0, q.shape[-1], shape[:-1])]
    if q.kind == "code" and q.low == -3:
        return draw.standard_normal(shape, dtype=np.float32)
    low, high = np.asarray(q.low), np.asarray(q.high)
    values: NDArray[Any] = low + (high - low) * draw.random(shape)
    return values.astype(np.float32)
