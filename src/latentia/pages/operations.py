"""The operations of a program, and how the graphs of `torch.export` are put in terms of them.

A program is a list of operations that a small interpreter runs: each has a name, the values that it
takes, and plain attributes. What depends on weights alone is computed here, once; batch norm
becomes part of the convolution before it.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import torch
from torch import fx
from torch.export import ExportedProgram

from latentia.errors import InputError
from latentia.pages.layers import MADE, Given, Value, operands

ONE = {
    "relu": "relu",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "exp": "exp",
    "log": "log",
    "log1p": "log1p",
    "neg": "neg",
    "abs": "abs",
    "sqrt": "sqrt",
    "rsqrt": "rsqrt",
    "softplus": "softplus",
    "silu": "silu",
    "gelu": "gelu",
    "elu": "elu",
    "hardtanh": "clamp",
    "clamp": "clamp",
    "leaky_relu": "leaky",
}
"""Operations on each value by itself, by the names of torch's; what follows are attributes."""
USUAL_ATTRIBUTES = {"leaky_relu": (0.01,), "elu": (1.0,), "hardtanh": (-1.0, 1.0)}
"""What torch takes where it is given nothing."""
TWO = {
    "add": "add",
    "sub": "sub",
    "mul": "mul",
    "div": "div",
    "maximum": "max",
    "minimum": "min",
    "pow": "pow",
}
"""Operations on two values, or a value and a number."""
SAME = ("clone", "alias", "detach", "contiguous", "lift_fresh_copy", "dropout", "to", "_to_copy")
"""Operations that leave values as they are."""
SIZES: Mapping[Any, str] = {
    operator.add: "add",
    operator.sub: "sub",
    operator.mul: "mul",
    operator.floordiv: "floor",
    operator.mod: "mod",
}
"""What is done with sizes."""


def values_of(graph: ExportedProgram, name: str) -> tuple[int, list[Value]]:
    """Return how many inputs a graph has, and what it gives, as values.

    Raises
    ------
    InputError
        If it needs an operation that programs lack.
    """
    translation = _Translation(graph, name)
    found = [translation.run(node) for node in graph.graph.nodes]
    return translation.n_inputs, found[-1]


class _Translation:
    """One graph on its way into values."""

    def __init__(self, graph: ExportedProgram, name: str) -> None:
        signature = graph.graph_signature
        owned = {
            **signature.inputs_to_parameters,
            **signature.inputs_to_buffers,
            **signature.inputs_to_lifted_tensor_constants,
        }
        stored: Mapping[str, Any] = {**graph.state_dict, **graph.constants}
        self.weights = {key: stored[target].detach() for key, target in owned.items()}
        self.name, self.n_inputs = name, 0
        self.known: dict[fx.Node, Any] = {}

    def run(self, node: fx.Node) -> Any:
        """Return what a node gives: a value, a tensor, a number, or several of them."""
        found = self._run(node)
        self.known[node] = found
        return found

    def _run(self, node: fx.Node) -> Any:
        if node.op == "placeholder":
            if node.name in self.weights:
                return self.weights[node.name]
            self.n_inputs += 1
            return Value("input", [], [self.n_inputs - 1])
        arguments: Any = fx.node.map_arg(node.args, self.known.__getitem__)
        if node.op == "output":
            return list(arguments[0])
        options: Any = fx.node.map_arg(dict(node.kwargs), self.known.__getitem__)
        if node.target is operator.getitem:
            return arguments[0][arguments[1]]
        if not _holds_values((arguments, options)):
            with torch.no_grad():
                function: Any = node.target
                return function(*arguments, **options)
        return self._made(node, [*arguments], options)

    def _made(self, node: fx.Node, arguments: list[Any], options: Mapping[str, Any]) -> Any:
        target: Any = node.target
        if target in SIZES:
            return Value("number", [], [SIZES[target], *arguments])
        name = str(node.target).removeprefix("aten.").partition(".")[0]
        if name.strip("_") in MADE:
            return MADE[name.strip("_")](Given(node, arguments, options))
        if name in SAME:
            return arguments[0]
        if name in ONE:
            following = arguments[1:] or list(USUAL_ATTRIBUTES.get(name, ()))
            following += [options[key] for key in ("approximate",) if key in options]
            return Value(ONE[name], arguments[:1], following)
        if name in TWO and options.get("alpha", 1) == 1 and not options.get("rounding_mode"):
            return Value(TWO[name], *operands(arguments))
        raise InputError(
            f"{self.name} needs the operation {name}, which the program of a page lacks; ONNX "
            "(.onnx) and torch.export (.pt2) may have it"
        )


def _holds_values(part: Any) -> bool:
    if isinstance(part, dict):
        return _holds_values(tuple(part.values()))
    if isinstance(part, list | tuple):
        return any(map(_holds_values, part))
    return isinstance(part, Value)
