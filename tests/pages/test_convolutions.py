"""Convolutions in the browser, forwards and transposed: every way in which they are computed."""

import numpy as np
import pytest
import torch

from latentia.pages.assembler import assembled
from latentia.pages.program import Program
from latentia.pages.runtime import kernels, source
from tests.pages.test_every_model import difference, plain

CONVOLUTIONS = [
    # image, channels in and out, kernel, stride, padding, dilation, groups
    ((8, 16), 3, 5, (3, 3), (1, 1), (1, 1), (1, 1), 1),
    ((8, 16), 3, 5, (3, 3), (1, 1), (0, 0), (1, 1), 1),
    ((7, 7), 2, 4, (3, 3), (1, 1), (1, 1), (1, 1), 1),
    ((5, 3), 2, 3, (2, 3), (1, 1), (0, 1), (1, 1), 1),
    ((6, 9), 4, 6, (1, 1), (1, 1), (0, 0), (1, 1), 1),
    ((6, 9), 4, 6, (1, 1), (2, 3), (0, 0), (1, 1), 1),
    ((9, 11), 3, 4, (4, 4), (2, 2), (1, 1), (1, 1), 1),
    ((10, 7), 2, 3, (3, 2), (3, 2), (2, 1), (1, 1), 1),
    ((11, 10), 2, 3, (3, 3), (1, 1), (2, 2), (2, 2), 1),
    ((12, 13), 2, 3, (3, 3), (2, 2), (3, 4), (3, 2), 1),
    ((4, 4), 8, 5, (4, 4), (1, 1), (0, 0), (1, 1), 1),
    ((2, 2), 8, 5, (4, 4), (2, 2), (1, 1), (1, 1), 1),
    ((8, 8), 4, 8, (3, 3), (1, 1), (1, 1), (1, 1), 4),
    ((8, 9), 6, 6, (3, 3), (2, 2), (1, 1), (1, 1), 3),
    ((3, 3), 40, 9, (3, 3), (1, 1), (1, 1), (1, 1), 1),
    ((3, 3), 4, 6, (3, 3), (1, 1), (0, 0), (1, 1), 2),
]
"""The last but one has more than 256 weights a row, which the kernel takes in parts."""
TRANSPOSED = [
    # image, channels in and out, kernel, stride, padding, rows and columns more
    ((4, 4), 3, 5, (4, 4), (2, 2), (1, 1), (0, 0)),
    ((7, 5), 3, 2, (5, 5), (2, 2), (2, 2), (1, 1)),
    ((3, 4), 2, 3, (3, 3), (1, 1), (1, 0), (0, 0)),
    ((3, 2), 2, 3, (2, 2), (3, 3), (0, 0), (1, 2)),
    ((1, 1), 6, 4, (4, 5), (1, 1), (0, 0), (0, 0)),
    ((1, 1), 6, 4, (4, 4), (2, 2), (1, 1), (1, 0)),
    ((2, 1), 70, 3, (4, 4), (2, 2), (1, 1), (0, 0)),
    ((5, 8), 3, 4, (4, 3), (3, 2), (2, 1), (1, 1)),
]
DRAW = np.random.default_rng(0)


def drawn(*shape):
    return torch.from_numpy(DRAW.standard_normal(shape, dtype=np.float32))


def cases():
    """Yield operations with their weights, and the input's shape without the batch."""
    for (h, w), c, o, kernel, stride, padding, dilation, groups in CONVOLUTIONS:
        weights = [drawn(o, c // groups, *kernel), drawn(o)]
        yield "conv", weights, [*stride, *padding, *dilation, groups], (c, h, w)
    for (h, w), c, o, kernel, stride, padding, more in TRANSPOSED:
        yield "spread", [drawn(c, o, *kernel), drawn(o)], [*stride, *padding, *more], (c, h, w)
    yield "conv", [drawn(3, 2, 3, 3)], [1, 1, 1, 1, 1, 1, 1], (2, 5, 6)
    yield "spread", [drawn(2, 3, 4, 4)], [2, 2, 1, 1, 0, 0], (2, 5, 6)


def program_of_all():
    """Return a program with a function for each case, and a call of each."""
    program, calls = Program(), []
    for place, (name, weights, attributes, shape) in enumerate(cases()):
        first = -1 - len(program.weights)
        references = [0, *(first - i for i in range(len(weights)))]
        program.weights += weights
        program.functions[f"f{place}"] = {
            "inputs": [{"name": "x", "shape": list(shape)}],
            "outputs": [{"name": "y"}],
            "operations": [[name, [*references, None][:3], attributes]],
            "results": [1],
        }
        calls += [(f"f{place}", drawn(n, *shape).numpy()) for n in (1, 2)]
    scaled_in_halves(program)
    return program, calls


def scaled_in_halves(program):
    """Keep the weights of the last two cases in 16 bits, with a factor for each channel out."""
    n = len(program.weights)
    program.weights += [drawn(3), drawn(3)]
    program.half = [place in (n - 2, n - 1) for place in range(n + 2)]
    program.scaled = {n - 2: (n, 0), n - 1: (n + 1, 1)}


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=1e-5)


def test_a_scaled_weight_is_its_halves_times_the_factor_of_each_channel():
    program, calls = program_of_all()
    (conv, x), (spread, z) = calls[-3], calls[-1]
    *_, weight, back, factor, other = program.weights
    expected = torch.conv2d(torch.from_numpy(x), weight.half().float(), padding=1)
    assert_close(program.run(conv, x)[0], expected * factor[:, None, None])
    expected = torch.conv_transpose2d(torch.from_numpy(z), back.half().float(), None, 2, 1)
    assert_close(program.run(spread, z)[0], expected * other[:, None, None])


def check(program, calls, found):
    for (name, x), result in zip(calls, found, strict=True):
        (expected,) = program.run(name, x)
        assert result["y"]["shape"] == list(expected.shape)
        y = np.reshape(result["y"]["data"], expected.shape)
        assert difference(y, expected) <= 2e-6, name


def test_convolutions_are_those_of_torch(runtime):
    program, calls = program_of_all()
    given = [{"name": name, "given": {"x": plain(x)}} for name, x in calls]
    # Twice: memory that is used again holds what was left there.
    check(program, calls * 2, runtime(program.document(), given * 2))


def test_plain_loops_do_the_same(chromium):
    program, calls = program_of_all()
    page = chromium.new_page()
    page.evaluate("delete globalThis.WebAssembly")
    page.evaluate(source() + "; globalThis.Latentia = Latentia")
    code = """async ([document, calls]) => {
      const model = await Latentia.open(document);
      return calls.map(([name, x]) => {
        const { y } = model.run(name, { x });
        return { y: { shape: y.shape, data: [...y.data] } };
      });
    }"""
    given = [[name, plain(x)] for name, x in calls]
    check(program, calls, page.evaluate(code, [program.document(), given]))
    page.close()


def test_the_kernels_are_a_module_of_two_functions():
    made = kernels()
    assert made.startswith(b"\0asm\1\0\0\0")
    assert b"\x09correlate\x00" in made
    assert b"\x06linear\x00" in made
    assert len(made) < 3000


def test_the_assembler_writes_what_the_specification_says():
    made = assembled("""(module (import "e" "m" (memory 1))
      (func (export "f") (param $a i32) (local $b f32)
        (block $out (loop $on
          (br_if $out (i32.lt_u (local.get $a) (i32.const -8)))
          (local.set $b (if (result f32) (local.get $a)
            (then (f32.load offset=200 (local.get $a))) (else (local.get $b))))
          (br $on)))))""")
    assert made.hex(" ") == (
        "00 61 73 6d 01 00 00 00 "
        "01 05 01 60 01 7f 00 "  # a type: i32 to nothing
        "02 08 01 01 65 01 6d 02 00 01 "  # memory e.m of a page and more
        "03 02 01 00 "
        "07 05 01 01 66 00 00 "
        "0a 25 01 23 01 01 7d "  # a function with a variable of f32
        "02 40 03 40 20 00 41 78 49 0d 01 "
        "20 00 04 7d 20 00 2a 02 c8 01 05 20 01 0b 21 01 0c 00 0b 0b 0b"
    )


@pytest.mark.parametrize("text", ["(module (func (export f) (i32.sub (local.get $a))))"])
def test_an_instruction_that_is_not_known_is_an_error(text):
    with pytest.raises((KeyError, ValueError)):
        assembled(text)
