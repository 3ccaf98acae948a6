"""Layers of torch's whose arguments a program has in another form: what is made of them.

Each function makes the value of one of torch's operations; what a program cannot do is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx

from latentia.errors import InputError


@dataclass(eq=False)
class Value:
    """What an operation gives, a tensor or a size: ``operation`` of ``inputs`` and ``attributes``.

    Inputs are values, tensors of weights, or None; attributes numbers, words, and values of sizes.
    """

    operation: str
    inputs: list[Any]
    attributes: list[Any]


@dataclass(eq=False)
class Scaled:
    """A weight times a factor of each channel, which a page multiplies when it opens.

    So the weight keeps its own numbers: what was stored in 16 bits is 16 bits here too.
    """

    weight: Tensor
    factor: Tensor
    axis: int


def operands(arguments: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return two operands as inputs, in their order: numbers as weights of one value."""
    operands = [
        part if isinstance(part, Value | Tensor) else torch.tensor(float(part))
        for part in arguments[:2]
    ]
    return operands, []


@dataclass
class Given:
    """What a node of torch's is given: its arguments in their order, and those by name."""

    node: fx.Node
    arguments: list[Any]
    options: Mapping[str, Any]

    def __getitem__(self, place: int) -> Any:
        return self.arguments[place]

    def get(self, place: int, name: str, usual: Any) -> Any:
        """Return an argument by its place or name, or what torch takes without it."""
        if place < len(self.arguments):
            return self.arguments[place]
        return self.options.get(name, usual)

    def shape(self, place: int = 0) -> Sequence[Any]:
        """Return the shape of an argument; sizes that are not fixed are symbols of torch's."""
        found: Sequence[Any] = value_of(self.node.args[place]).shape
        return found


def value_of(node: Any) -> Any:
    """Return what torch knows of the value of a node: a tensor without numbers, or several."""
    return node.meta["val"]


def parts_of(given: Given) -> Any:
    """Return the nodes in the list that is the first argument."""
    return given.node.args[0]


def first_of(given: Given) -> Any:
    """Return the first of them."""
    return parts_of(given)[0]


def _axis(given: Given, axis: int) -> int:
    return axis % len(given.shape())


def _pair(value: Any) -> list[Any]:
    parts = [*value] if isinstance(value, list | tuple) else [value]
    return parts * 2 if len(parts) == 1 else parts


def _of_linear(g: Given) -> Value:
    return Value("linear", [g[0], g[1], g.get(2, "bias", None)], [])


def _of_addmm(g: Given) -> Value:
    return Value("linear", [g[1], _weight(g, 2).T.contiguous(), g[0]], [])


def _of_mm(g: Given) -> Value:
    return Value("linear", [g[0], _weight(g, 1).T.contiguous(), None], [])


def _of_conv2d(g: Given) -> Value:
    stride, padding, dilation = (
        _pair(g.get(place, name, usual))
        for place, name, usual in ((3, "stride", 1), (4, "padding", 0), (5, "dilation", 1))
    )
    groups = g.get(6, "groups", 1)
    inputs = [g[0], _weight(g, 1), g.get(2, "bias", None)]
    return Value("conv", inputs, [*stride, *padding, *dilation, groups])


def _of_conv_transpose2d(g: Given) -> Value:
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


def _of_native_batch_norm_legit_no_training(g: Given) -> tuple[Value]:
    x, weight, bias, mean, variance, eps = (g[i] for i in (0, 1, 2, 3, 4, 6))
    factor = torch.rsqrt(variance.double() + eps)
    factor = factor if weight is None else factor * weight
    shift = -mean * factor if bias is None else bias - mean * factor
    last = g.node.args[0]
    alone = isinstance(last, fx.Node) and len(last.users) == 1
    if x.operation in ("conv", "spread") and alone:
        return (_normed(x, factor, shift),)
    return (Value("affine", [x, factor.float(), shift.float()], []),)


def _of_group_norm(g: Given) -> Value:
    inputs = [g[0], g.get(2, "weight", None), g.get(3, "bias", None)]
    return Value("norm", inputs, [g[1], g.get(4, "eps", 1e-5)])


def _of_prelu(g: Given) -> Value:
    return Value("prelu", [g[0], g[1]], [])


def _of_rsub(g: Given) -> Value:
    return Value("sub", *operands([g[1], g[0]]))


def _of_square(g: Given) -> Value:
    return Value("mul", [g[0], g[0]], [])


def _of_softmax(g: Given) -> Value:
    return Value("softmax", [g[0]], [_axis(g, g[1]), 0])


def _of_log_softmax(g: Given) -> Value:
    return Value("softmax", [g[0]], [_axis(g, g[1]), 1])


def _of_sum(g: Given) -> Value:
    return _reduced(g, "sum")


def _of_mean(g: Given) -> Value:
    return _reduced(g, "mean")


def _of_amax(g: Given) -> Value:
    return _reduced(g, "max_over")


def _of_view(g: Given) -> Value:
    return Value("view", [g[0]], [*g[1]])


def _of_unsqueeze(g: Given) -> Value:
    return Value("unsqueeze", [g[0]], [g[1] % (len(g.shape()) + 1)])


def _of_squeeze(g: Given) -> Value:
    axes = g[1] if isinstance(g[1], list | tuple) else [g[1]]
    return Value("squeeze", [g[0]], sorted(_axis(g, axis) for axis in axes))


def _of_select(g: Given) -> Value:
    axis, place = _axis(g, g[1]), g[2]
    if place < 0:
        place = g.shape()[axis] + place
    cut = Value("slice", [g[0]], [axis, place, place + 1, 1])
    return Value("squeeze", [cut], [axis])


def _of_slice(g: Given) -> Any:
    axis = _axis(g, g.get(1, "dim", 0))
    first, end = g.get(2, "start", None) or 0, g.get(3, "end", None)
    step = g.get(4, "step", 1)
    whole = end is None or (isinstance(end, int) and end >= 2**31)
    if first == 0 and whole and step == 1:
        return g[0]
    return Value("slice", [g[0]], [axis, first, 2**31 if whole else end, step])


def _of_split(g: Given) -> tuple[Value, ...]:
    axis = _axis(g, g.get(2, "dim", 0))
    parts = [part.shape[axis] for part in value_of(g.node)]
    return _cut(g[0], axis, parts)


def _of_unbind(g: Given) -> tuple[Value, ...]:
    axis = _axis(g, g.get(1, "dim", 0))
    cut = _cut(g[0], axis, [1] * int(g.shape()[axis]))
    return tuple(Value("squeeze", [part], [axis]) for part in cut)


def _of_cat(g: Given) -> Value:
    first = value_of(first_of(g))
    return Value("cat", [*g[0]], [g.get(1, "dim", 0) % first.ndim])


def _of_stack(g: Given) -> Value:
    first = value_of(first_of(g))
    axis = g.get(1, "dim", 0) % (first.ndim + 1)
    return Value("cat", [Value("unsqueeze", [part], [axis]) for part in g[0]], [axis])


def _of_expand(g: Given) -> Value:
    return Value("expand", [g[0]], [*g[1]])


def _of_permute(g: Given) -> Value:
    return Value("permute", [g[0]], [_axis(g, axis) for axis in g[1]])


def _of_transpose(g: Given) -> Value:
    order = list(range(len(g.shape())))
    first, second = _axis(g, g[1]), _axis(g, g[2])
    order[first], order[second] = second, first
    return Value("permute", [g[0]], order)


def _of_t(g: Given) -> Value:
    return Value("permute", [g[0]], [1, 0])


def _of_pad(g: Given) -> Value:
    mode, margins = g.get(2, "mode", "constant"), list(g[1])
    if len(margins) not in (2, 4) or mode == "circular":
        raise InputError(f"a page's program pads rows and columns, and not by {mode} {margins}")
    return Value("pad", [g[0]], [*([*margins, 0, 0][:4]), mode, g.get(3, "value", None) or 0.0])


def _of_pixel_shuffle(g: Given) -> Value:
    return Value("shuffle", [g[0]], [g[1]])


def _of_upsample_nearest2d(g: Given) -> Value:
    given = value_of(g.node).shape
    factors = [float(large) / float(small) for large, small in zip(given[2:], g.shape()[2:])]
    if any(factor != round(factor) for factor in factors):
        return Value("nearest", [g[0]], [int(given[2]), int(given[3]), 0])
    return Value("nearest", [g[0]], [*map(round, factors), 1])


def _of_embedding(g: Given) -> Value:
    return Value("embedding", [_weight(g, 0), g[1]], [])


def _of_max_pool2d(g: Given) -> Value:
    window = _pair(g[1])
    stride = _pair(g.get(2, "stride", None) or window)
    if _pair(g.get(4, "dilation", 1)) != [1, 1] or g.get(5, "ceil_mode", False):
        raise InputError("a page's program has no pooling that is dilated or rounds up")
    return Value("pool", [g[0]], [*window, *stride, *_pair(g.get(3, "padding", 0)), 1])


def _of_avg_pool2d(g: Given) -> Value:
    window = _pair(g[1])
    stride = _pair(g.get(2, "stride", None) or window)
    if g.get(4, "ceil_mode", False) or not g.get(5, "count_include_pad", True):
        raise InputError("a page's program has no pooling that rounds up or leaves padding out")
    return Value("pool", [g[0]], [*window, *stride, *_pair(g.get(3, "padding", 0)), 0])


def _of_adaptive_avg_pool2d(g: Given) -> Value:
    if _pair(g[1]) != [1, 1]:
        raise InputError("a page's program pools adaptively to one value a channel alone")
    return Value("mean", [g[0]], [2, 3, 1])


def _of_sym_size(g: Given) -> Value:
    return Value("size", [g[0]], [g[1]])


def _of_ones(g: Given) -> Value:
    return Value("fill", [], [1.0, *g[0]])


def _of_zeros(g: Given) -> Value:
    return Value("fill", [], [0.0, *g[0]])


def _of_full(g: Given) -> Value:
    return Value("fill", [], [float(g[1]), *g[0]])


def _of_zeros_like(g: Given) -> Value:
    return _filled_like(g, 0.0)


def _of_ones_like(g: Given) -> Value:
    return _filled_like(g, 1.0)


def _of_broadcast_tensors(g: Given) -> tuple[Any, ...]:
    shapes = {str(value_of(part).shape) for part in parts_of(g)}
    if len(shapes) > 1:
        raise InputError("a page's program broadcasts no tensors of several shapes by themselves")
    return tuple(g[0])


def _filled_like(g: Given, value: float) -> Value:
    sizes = [Value("size", [g[0]], [axis]) for axis in range(len(g.shape()))]
    return Value("fill", [], [value, *sizes])


def _weight(g: Given, place: int) -> Tensor:
    found = g[place]
    if not isinstance(found, Tensor):
        raise InputError("a page's program multiplies by weights, and not two tensors that vary")
    return found


def _normed(conv: Value, factor: Tensor, shift: Tensor) -> Value:
    """Return a convolution followed by a factor and a shift of each channel, as a convolution."""
    x, weight, bias = conv.inputs
    scaled = Scaled(weight, factor.float(), 1 if conv.operation == "spread" else 0)
    bias = shift if bias is None else bias * factor + shift
    return Value(conv.operation, [x, scaled, bias.float()], conv.attributes)


def _reduced(g: Given, how: str) -> Value:
    axes = g.get(1, "dim", None)
    axes = list(range(len(g.shape()))) if axes in (None, []) else axes
    axes = [axes] if isinstance(axes, int) else axes
    keep = int(bool(g.get(2, "keepdim", False)))
    return Value(how, [g[0]], [*sorted(_axis(g, axis) for axis in axes), keep])


def _cut(x: Value, axis: int, parts: Sequence[Any]) -> tuple[Value, ...]:
    ends = [int(sum(parts[: place + 1])) for place in range(len(parts))]
    starts = [0, *ends[:-1]]
    return tuple(Value("slice", [x], [axis, a, b, 1]) for a, b in zip(starts, ends))


MADE: Mapping[str, Callable[[Given], Any]] = {
    "linear": _of_linear,
    "addmm": _of_addmm,
    "mm": _of_mm,
    "conv2d": _of_conv2d,
    "conv_transpose2d": _of_conv_transpose2d,
    "native_batch_norm_legit_no_training": _of_native_batch_norm_legit_no_training,
    "group_norm": _of_group_norm,
    "prelu": _of_prelu,
    "rsub": _of_rsub,
    "square": _of_square,
    "softmax": _of_softmax,
    "log_softmax": _of_log_softmax,
    "sum": _of_sum,
    "mean": _of_mean,
    "amax": _of_amax,
    "view": _of_view,
    "unsqueeze": _of_unsqueeze,
    "squeeze": _of_squeeze,
    "select": _of_select,
    "slice": _of_slice,
    "split": _of_split,
    "unbind": _of_unbind,
    "cat": _of_cat,
    "stack": _of_stack,
    "expand": _of_expand,
    "permute": _of_permute,
    "transpose": _of_transpose,
    "t": _of_t,
    "pad": _of_pad,
    "pixel_shuffle": _of_pixel_shuffle,
    "upsample_nearest2d": _of_upsample_nearest2d,
    "embedding": _of_embedding,
    "max_pool2d": _of_max_pool2d,
    "avg_pool2d": _of_avg_pool2d,
    "adaptive_avg_pool2d": _of_adaptive_avg_pool2d,
    "sym_size": _of_sym_size,
    "ones": _of_ones,
    "zeros": _of_zeros,
    "full": _of_full,
    "zeros_like": _of_zeros_like,
    "ones_like": _of_ones_like,
    "broadcast_tensors": _of_broadcast_tensors,
    "matmul": _of_mm,
    "reshape": _of_view,
    "unsafe_view": _of_view,
    "split_with_sizes": _of_split,
    "chunk": _of_split,
}
"""By the names of torch's operations, the lines below which they begin and end with left out."""
