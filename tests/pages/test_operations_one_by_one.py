"""Each operation by itself: a program gives what torch gives, whatever torch calls it."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from latentia.pages.graphs import quiet
from latentia.pages.interpreter import NUMBERS, RUN, run
from latentia.pages.operations import ONE, SIZES, TWO, USUAL_ATTRIBUTES, values_of
from latentia.pages.program import Program, _Writer

X = torch.linspace(-2.7, 3.1, 24).reshape(2, 3, 4)
IMAGES = torch.sin(torch.arange(2 * 4 * 6 * 6.0)).reshape(2, 4, 6, 6)
SCALE, SHIFT = torch.tensor([1.0, 2.0, 0.5, 3.0]), torch.tensor([0.1, -0.2, 0.3, 0.0])
KERNEL = torch.cos(torch.arange(4 * 4 * 9.0)).reshape(4, 4, 3, 3)
CALLS = {
    **{name: lambda x, i, n=name: getattr(torch.ops.aten, n)(x) for name in ONE if name not in
       ("log", "log1p", "sqrt", "rsqrt", "clamp", "hardtanh")},
    **{name: lambda x, i, n=name: getattr(torch.ops.aten, n)(x.abs() + 1)
       for name in ("log", "log1p", "sqrt", "rsqrt")},
    "clamp": lambda x, i: x.clamp(-0.5, 1.5),
    "hardtanh": lambda x, i: functional.hardtanh(x),
    "hardtanh between": lambda x, i: functional.hardtanh(x, -2, 0.5),
    "leaky": lambda x, i: functional.leaky_relu(x, 0.2),
    "elu of 2": lambda x, i: functional.elu(x, 2.0),
    "gelu by tanh": lambda x, i: functional.gelu(x, approximate="tanh"),
    **{name: lambda x, i, n=name: getattr(torch, n)(x, 0.3 - x * x) for name in TWO
       if name != "pow"},
    "pow": lambda x, i: (x.abs() + 0.1) ** 1.7,
    "rsub": lambda x, i: 2.5 - x,
    "sub a number": lambda x, i: x - 2.5,
    "divided": lambda x, i: x / 9.0,
    "softmax": lambda x, i: x.softmax(1),
    "log_softmax": lambda x, i: x.log_softmax(-1),
    "sum": lambda x, i: x.sum((0, 2)),
    "sum kept": lambda x, i: x.sum(1, keepdim=True),
    "mean": lambda x, i: x.mean((1, 2)),
    "amax": lambda x, i: x.amax(2),
    "permute": lambda x, i: x.permute(0, 2, 1),
    "transpose": lambda x, i: x.transpose(1, 2),
    "view": lambda x, i: x.reshape(x.shape[0], -1),
    "unsqueeze": lambda x, i: x.unsqueeze(1),
    "slice": lambda x, i: x[:, 1:, ::2],
    "select": lambda x, i: x[:, 1],
    "cat": lambda x, i: torch.cat([x, -x], 2),
    "chunk": lambda x, i: x.chunk(2, 2)[1],
    "group norm": lambda x, i: functional.group_norm(i, 2, SCALE, SHIFT, 1e-3),
    "conv": lambda x, i: functional.conv2d(i, KERNEL, SHIFT, stride=2, padding=1),
    "conv in groups": lambda x, i: functional.conv2d(i, KERNEL[:, :2], padding=(1, 0), groups=2),
    "conv dilated": lambda x, i: functional.conv2d(i, KERNEL, SHIFT, dilation=2),
    "spread": lambda x, i: functional.conv_transpose2d(i, KERNEL, SHIFT, stride=2, padding=1),
    "largest": lambda x, i: functional.max_pool2d(i, 2),
    "average": lambda x, i: functional.avg_pool2d(i, 3, 2),
    "pad": lambda x, i: functional.pad(i, (1, 0, 2, 1), value=0.7),
    "reflect": lambda x, i: functional.pad(i, (1, 2, 0, 1), mode="reflect"),
    "replicate": lambda x, i: functional.pad(i, (1, 2, 0, 1), mode="replicate"),
    "shuffle": lambda x, i: functional.pixel_shuffle(i, 2),
    "nearest": lambda x, i: functional.interpolate(i, scale_factor=2),
    "expand": lambda x, i: x[:, :1].expand(-1, 5, -1) + 0,
    "sizes": lambda x, i: x.reshape(-1, x.shape[1] * x.shape[2]) * 1,
}  # fmt: skip


class All(nn.Module):
    def forward(self, x, images):
        return tuple(call(x, images) for call in CALLS.values())


@pytest.fixture(scope="module")
def found():
    with quiet():
        graph = torch.export.export(All(), (X, IMAGES), strict=False).run_decompositions({})
    n_inputs, results = values_of(graph, "all")
    program = Program()
    writer = _Writer(program, n_inputs)
    function = {"results": [writer.place(value) for value in results]}
    function["operations"] = writer.operations
    assert {name for name, *_ in writer.operations} <= RUN.keys()
    x, images = X * 0.7 + 0.1, IMAGES.flip(0) * 1.3
    given = run(function, program.stored_weights(), [x, images])
    return dict(zip(CALLS, zip(given, All()(x, images), strict=True), strict=True))


@pytest.mark.parametrize("name", CALLS)
def test_a_program_gives_what_torch_gives(name, found):
    given, wanted = found[name]
    assert given.shape == wanted.shape
    assert torch.allclose(given, wanted, atol=1e-5), name


def test_no_operation_is_left_out():
    assert {*ONE, *TWO} <= CALLS.keys() | {"leaky_relu"}
    assert USUAL_ATTRIBUTES.keys() <= ONE.keys()


@pytest.mark.parametrize("operation", SIZES)
def test_sizes_are_reckoned_as_python_does(operation):
    assert NUMBERS[SIZES[operation]](17, 5) == operation(17, 5)
