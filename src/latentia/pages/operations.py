"""The operations of a program, and how the graphs of `torch.export` are put in terms of them.

A program is a list of operations that a small interpreter runs: each has a name, the values that it
takes, and plain attributes. What depends on weights alone is computed here, once; batch norm becomes
part of the convolution before it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx
from torch.export import ExportedProgram
from torch.nn import functional as F

from latentia.errors import InputError


@dataclass(eq=False)
class Value:
    """What an operation gives, a tensor or a size: ``operation`` of ``inputs`` and ``attributes``.

    Inputs are values, tensors of weights, or None; attributes numbers, words, and values of sizes.
    """

    operation: str
    inputs: list[Any]
    attributes: list[Any]


Arguments = Sequence[Any]
Made = Callable[[Arguments], Value]

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
SIZES = {
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
        arguments = fx.node.map_arg(node.args, self.known.__getitem__)
        if node.op == "output":
            return list(arguments[0])
        options = fx.node.map_arg(dict(node.kwargs), self.known.__getitem__)
        if node.target is operator.getitem:
            return arguments[0][arguments[1]]
        if not _holds_values((arguments, options)):
            with torch.no_grad():
                return node.target(*arguments, **options)  # type: ignore[operator]
        return self._made(node, [*arguments], options)

    def _made(self, node: fx.Node, arguments: list[Any], options: Mapping[str, Any]) -> Any:
        if node.target in SIZES:
            return Value("number", [], [SIZES[node.target], *arguments])  # type: ignore[index]
        name = str(node.target).removeprefix("aten.").partition(".")[0]
        own = getattr(_Made, f"of_{name.strip('_')}", None)
        if own is not None:
            return own(_Given(node, arguments, options))
        if name in SAME:
            return arguments[0]
        if name in ONE:
            following = arguments[1:] or list(USUAL_ATTRIBUTES.get(name, ()))
            following += [options[key] for key in ("approximate",) if key in options]
            return Value(ONE[name], arguments[:1], following)
        if name in TWO and options.get("alpha", 1) == 1 and not options.get("rounding_mode"):
            return Value(TWO[name], *_tensors_and_numbers(arguments))
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


def _tensors_and_numbers(arguments: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return two operands as inputs, in their order: numbers as weights of one value."""
    operands = [
        part if isinstance(part, Value | Tensor) else torch.tensor(float(part))
        for part in arguments[:2]
    ]
    return operands, []


@dataclass
class _Given:
    """What a node of torch's is given: its arguments in their order, and those by name."""

    node: fx.Node
    arguments: list[Any]
    options: Mapping[str, Any]

    def __getitem__(self, place: int) -> Any:
        return self.arguments[place]

    def get(self, place: int, name: str, usual: Any) -> Any:
        if place < len(self.arguments):
            return self.arguments[place]
        return self.options.get(name, usual)

    def shape(self, place: int = 0) -> Sequence[Any]:
        """Return the shape of an argument; sizes that are not fixed are symbols of torch's."""
        found: Sequence[Any] = self.node.args[place].meta["val"].shape  # type: ignore[union-attr]
        return found


def _axis(given: _Given, axis: int) -> int:
    return axis % len(given.shape())


def _pair(value: Any) -> list[Any]:
    parts = [*value] if isinstance(value, list | tuple) else [value]
    return parts * 2 if len(parts) == 1 else parts


class _Made:
    """For operations whose arguments programs have in another form: what is made of them."""

    @staticmethod
    def of_linear(g: _Given) -> Value:
        return Value("linear", [g[0], g[1], g.get(2, "bias", None)], [])

    @staticmethod
    def of_addmm(g: _Given) -> Value:
        return Value("linear", [g[1], _weight(g, 2).T.contiguous(), g[0]], [])

    @staticmethod
    def of_mm(g: _Given) -> Value:
        return Value("linear", [g[0], _weight(g, 1).T.contiguous(), None], [])

    of_matmul = of_mm

    @staticmethod
    def of_conv2d(g: _Given) -> Value:
        stride, padding, dilation = (
            _pair(g.get(place, name, usual))
            for place, name, usual in ((3, "stride", 1), (4, "padding", 0), (5, "dilation", 1))
        )
        groups = g.get(6, "groups", 1)
        inputs = [g[0], _weight(g, 1), g.get(2, "bias", None)]
        return Value("conv", inputs, [*stride, *padding, *dilation, groups])

    @staticmethod
    def of_conv_transpose2d(g: _Given) -> Value:
        stride, padding, more, dilation = (
            _pair(g.get(place, name, usual))
            for place, name, usual in (
                (3, "stride", 1),
                (4, "padding", 0),
                (5, "output_padding", 0),
                (7, "dilation", 1),
            )
        )
        if g.get(6, "groups", 1) != 1 or dilation != [1, 1]:
            raise InputError("a page's program has no transposed convolution in groups or dilated")
        inputs = [g[0], _weight(g, 1), g.get(2, "bias", None)]
        return Value("spread", inputs, [*stride, *padding, *more])

    @staticmethod
    def of_native_batch_norm_legit_no_training(g: _Given) -> tuple[Value]:
        x, weight, bias, mean, variance, eps = (g[i] for i in (0, 1, 2, 3, 4, 6))
        factor = torch.rsqrt(variance.double() + eps)
        factor = factor if weight is None else factor * weight
        shift = -mean * factor if bias is None else bias - mean * factor
        last = g.node.args[0]
        alone = isinstance(last, fx.Node) and len(last.users) == 1
        if x.operation in ("conv", "spread") and alone:
            return (_normed(x, factor, shift),)
        return (Value("affine", [x, factor.float(), shift.float()], []),)

    @staticmethod
    def of_group_norm(g: _Given) -> Value:
        inputs = [g[0], g.get(2, "weight", None), g.get(3, "bias", None)]
        return Value("norm", inputs, [g[1], g.get(4, "eps", 1e-5)])

    @staticmethod
    def of_prelu(g: _Given) -> Value:
        return Value("prelu", [g[0], g[1]], [])

    @staticmethod
    def of_rsub(g: _Given) -> Value:
        return Value("sub", *_tensors_and_numbers([g[1], g[0]]))

    @staticmethod
    def of_square(g: _Given) -> Value:
        return Value("mul", [g[0], g[0]], [])

    @staticmethod
    def of_softmax(g: _Given) -> Value:
        return Value("softmax", [g[0]], [_axis(g, g[1]), 0])

    @staticmethod
    def of_log_softmax(g: _Given) -> Value:
        return Value("softmax", [g[0]], [_axis(g, g[1]), 1])

    @staticmethod
    def of_sum(g: _Given) -> Value:
        return _reduced(g, "sum")

    @staticmethod
    def of_mean(g: _Given) -> Value:
        return _reduced(g, "mean")

    @staticmethod
    def of_amax(g: _Given) -> Value:
        return _reduced(g, "max_over")

    @staticmethod
    def of_view(g: _Given) -> Value:
        return Value("view", [g[0]], [*g[1]])

    of_reshape = of_unsafe_view = of_view

    @staticmethod
    def of_unsqueeze(g: _Given) -> Value:
        return Value("unsqueeze", [g[0]], [g[1] % (len(g.shape()) + 1)])

    @staticmethod
    def of_squeeze(g: _Given) -> Value:
        axes = g[1] if isinstance(g[1], list | tuple) else [g[1]]
        return Value("squeeze", [g[0]], sorted(_axis(g, axis) for axis in axes))

    @staticmethod
    def of_select(g: _Given) -> Value:
        axis, place = _axis(g, g[1]), g[2]
        if place < 0:
            place = g.shape()[axis] + place
        cut = Value("slice", [g[0]], [axis, place, place + 1, 1])
        return Value("squeeze", [cut], [axis])

    @staticmethod
    def of_slice(g: _Given) -> Any:
        axis = _axis(g, g.get(1, "dim", 0))
        first, end = g.get(2, "start", None) or 0, g.get(3, "end", None)
        step = g.get(4, "step", 1)
        whole = end is None or (isinstance(end, int) and end >= 2**31)
        if first == 0 and whole and step == 1:
            return g[0]
        return Value("slice", [g[0]], [axis, first, 2**31 if whole else end, step])

    @staticmethod
    def of_split(g: _Given) -> tuple[Value, ...]:
        axis = _axis(g, g.get(2, "dim", 0))
        parts = [part.shape[axis] for part in g.node.meta["val"]]
        return _cut(g[0], axis, parts)

    of_split_with_sizes = of_chunk = of_split

    @staticmethod
    def of_unbind(g: _Given) -> tuple[Value, ...]:
        axis = _axis(g, g.get(1, "dim", 0))
        cut = _cut(g[0], axis, [1] * int(g.shape()[axis]))
        return tuple(Value("squeeze", [part], [axis]) for part in cut)

    @staticmethod
    def of_cat(g: _Given) -> Value:
        first = g.node.args[0][0].meta["val"]  # type: ignore[index,union-attr]
        return Value("cat", [*g[0]], [g.get(1, "dim", 0) % first.ndim])

    @staticmethod
    def of_stack(g: _Given) -> Value:
        first = g.node.args[0][0].meta["val"]  # type: ignore[index,union-attr]
        axis = g.get(1, "dim", 0) % (first.ndim + 1)
        return Value("cat", [Value("unsqueeze", [part], [axis]) for part in g[0]], [axis])

    @staticmethod
    def of_expand(g: _Given) -> Value:
        return Value("expand", [g[0]], [*g[1]])

    @staticmethod
    def of_permute(g: _Given) -> Value:
        return Value("permute", [g[0]], [_axis(g, axis) for axis in g[1]])

    @staticmethod
    def of_transpose(g: _Given) -> Value:
        order = list(range(len(g.shape())))
        first, second = _axis(g, g[1]), _axis(g, g[2])
        order[first], order[second] = second, first
        return Value("permute", [g[0]], order)

    @staticmethod
    def of_t(g: _Given) -> Value:
        return Value("permute", [g[0]], [1, 0])

    @staticmethod
    def of_pad(g: _Given) -> Value:
        mode, margins = g.get(2, "mode", "constant"), list(g[1])
        if len(margins) not in (2, 4) or mode == "circular":
            raise InputError(f"a page's program pads rows and columns, and not by {mode} {margins}")
        return Value("pad", [g[0]], [*([*margins, 0, 0][:4]), mode, g.get(3, "value", None) or 0.0])

    @staticmethod
    def of_pixel_shuffle(g: _Given) -> Value:
        return Value("shuffle", [g[0]], [g[1]])

    @staticmethod
    def of_upsample_nearest2d(g: _Given) -> Value:
        given = g.node.meta["val"].shape
        factors = [float(large) / float(small) for large, small in zip(given[2:], g.shape()[2:])]
        if any(factor != round(factor) for factor in factors):
            return Value("nearest", [g[0]], [int(given[2]), int(given[3]), 0])
        return Value("nearest", [g[0]], [*map(round, factors), 1])

    @staticmethod
    def of_embedding(g: _Given) -> Value:
        return Value("embedding", [_weight(g, 0), g[1]], [])

    @staticmethod
    def of_max_pool2d(g: _Given) -> Value:
        window = _pair(g[1])
        stride = _pair(g.get(2, "stride", None) or window)
        if _pair(g.get(4, "dilation", 1)) != [1, 1] or g.get(5, "ceil_mode", False):
            raise InputError("a page's program has no pooling that is dilated or rounds up")
        return Value("pool", [g[0]], [*window, *stride, *_pair(g.get(3, "padding", 0)), 1])

    @staticmethod
    def of_avg_pool2d(g: _Given) -> Value:
        window = _pair(g[1])
        stride = _pair(g.get(2, "stride", None) or window)
        if g.get(4, "ceil_mode", False) or not g.get(5, "count_include_pad", True):
            raise InputError("a page's program has no pooling that rounds up or leaves padding out")
        return Value("pool", [g[0]], [*window, *stride, *_pair(g.get(3, "padding", 0)), 0])

    @staticmethod
    def of_adaptive_avg_pool2d(g: _Given) -> Value:
        if _pair(g[1]) != [1, 1]:
            raise InputError("a page's program pools adaptively to one value a channel alone")
        return Value("mean", [g[0]], [2, 3, 1])

    @staticmethod
    def of_sym_size(g: _Given) -> Value:
        return Value("size", [g[0]], [g[1]])

    @staticmethod
    def of_ones(g: _Given) -> Value:
        return Value("fill", [], [1.0, *g[0]])

    @staticmethod
    def of_zeros(g: _Given) -> Value:
        return Value("fill", [], [0.0, *g[0]])

    @staticmethod
    def of_full(g: _Given) -> Value:
        return Value("fill", [], [float(g[1]), *g[0]])

    @staticmethod
    def of_zeros_like(g: _Given) -> Value:
        return _filled_like(g, 0.0)

    @staticmethod
    def of_ones_like(g: _Given) -> Value:
        return _filled_like(g, 1.0)

    @staticmethod
    def of_broadcast_tensors(g: _Given) -> tuple[Any, ...]:
        shapes = {str(part.meta["val"].shape) for part in g.node.args[0]}  # type: ignore[union-attr]
        if len(shapes) > 1:
            raise InputError("a page's program broadcasts no tensors of several shapes by themselves")
        return tuple(g[0])


def _filled_like(g: _Given, value: float) -> Value:
    sizes = [Value("size", [g[0]], [axis]) for axis in range(len(g.shape()))]
    return Value("fill", [], [value, *sizes])


def _weight(g: _Given, place: int) -> Tensor:
    found = g[place]
    if not isinstance(found, Tensor):
        raise InputError("a page's program multiplies by weights, and not two tensors that vary")
    return found


def _normed(conv: Value, factor: Tensor, shift: Tensor) -> Value:
    """Return a convolution followed by a factor and a shift of each channel, as a convolution."""
    x, weight, bias = conv.inputs
    shape = (1, -1, 1, 1) if conv.operation == "spread" else (-1, 1, 1, 1)
    scaled = (weight.double() * factor.reshape(shape)).float()
    bias = shift if bias is None else bias * factor + shift
    return Value(conv.operation, [x, scaled, bias.float()], conv.attributes)


def _reduced(g: _Given, how: str) -> Value:
    axes = g.get(1, "dim", None)
    axes = list(range(len(g.shape()))) if axes in (None, []) else axes
    axes = [axes] if isinstance(axes, int) else axes
    keep = int(bool(g.get(2, "keepdim", False)))
    return Value(how, [g[0]], [*sorted(_axis(g, axis) for axis in axes), keep])


def _cut(x: Value, axis: int, parts: Sequence[Any]) -> tuple[Value, ...]:
    ends = [int(sum(parts[: place + 1])) for place in range(len(parts))]
    starts = [0, *ends[:-1]]
    return tuple(Value("slice", [x], [axis, a, b, 1]) for a, b in zip(starts, ends))
