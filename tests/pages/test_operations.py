"""Nets of the user's own: what a program has of torch's layers, alone and in the browser."""

import numpy as np
import pytest
import torch
from torch import nn

import latentia
from latentia.errors import InputError
from latentia.models.exported import Exported, Quantity
from latentia.pages.agreement import difference, differences
from latentia.pages.graphs import frozen, traced
from latentia.pages.program import SMALL, Program, program_of
from tests.pages.test_every_model import plain

IMAGES = np.random.default_rng(0).random((12, 8, 8), dtype=np.float32)


class Mixed(nn.Module):
    """Layers that the library's own nets do without."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=2, dilation=2)
        self.deep = nn.Conv2d(4, 8, 3, 2, 1, groups=2)
        self.norm = nn.BatchNorm2d(4)
        self.small = nn.ReflectionPad2d((1, 2, 0, 1))
        self.last = nn.Linear(8 + 4, 3)

    def forward(self, x):
        h = nn.functional.max_pool2d(nn.functional.gelu(self.norm(self.conv(x))), 2)
        h = nn.functional.silu(h) + nn.functional.softplus(h) * nn.functional.elu(h - 1)
        up = nn.functional.interpolate(nn.functional.avg_pool2d(h, 2), scale_factor=2)
        g = torch.cat(
            [nn.functional.adaptive_avg_pool2d(self.deep(self.small(h)), 1), up.mean((2, 3), True)],
            1,
        )
        spread = (h.exp().log1p().sqrt() / (1 + h.abs())).amax((2, 3)).softmax(1)
        return self.last(g.flatten(1)) + spread[:, :3] * torch.hypot(torch.ones(()), torch.ones(()))


@pytest.fixture(scope="module")
def own():
    """A model with the net, which is traced once."""
    torch.manual_seed(0)
    model = latentia.Autoencoder(n_components=3, encoder=Mixed(), hidden=(8,), n_epochs=1)
    return model.set_params(batch_size=4, random_state=0, device="cpu").fit(IMAGES)


@pytest.fixture(scope="module")
def graph(own):
    twin = frozen(own)
    return traced(twin, twin.exported()[0])


@pytest.fixture
def traced_once(graph, monkeypatch):
    monkeypatch.setattr("latentia.pages.program.traced", lambda model, function: graph)


def test_own_nets_run_in_the_browser(own, runtime, traced_once):
    program = program_of(own, ["encode"], precision="single")
    names = {name for name, *_ in program.functions["encode"]["operations"]}
    assert {
        "conv",
        "pool",
        "gelu",
        "silu",
        "softplus",
        "elu",
        "nearest",
        "pad",
        "max_over",
    } <= names
    (found,) = runtime(program.document(), [{"name": "encode", "given": {"x": plain(IMAGES[:2])}}])
    np.testing.assert_allclose(found["z"]["data"], own.transform(IMAGES[:2]).ravel(), atol=3e-6)
    assert program.facts["differences"]["encode"] <= 1e-6


def test_without_webassembly_plain_loops_do_the_same(own, chromium, traced_once):
    from latentia.pages.runtime import source

    program = program_of(own, ["encode"], precision="single")
    page = chromium.new_page()
    page.evaluate("delete globalThis.WebAssembly")
    page.evaluate(source() + "; globalThis.Latentia = Latentia")
    code = "async ([d, x]) => [...(await Latentia.open(d)).run('encode', {x}).z.data]"
    found = page.evaluate(code, [program.document(), plain(IMAGES[:2])])
    np.testing.assert_allclose(found, own.transform(IMAGES[:2]).ravel(), atol=3e-6)
    page.close()


class Turned(nn.Module):
    def forward(self, x):
        return torch.fft.fft2(x).real.flatten(1)[:, :3]


class Counted(nn.Module):
    def forward(self, x):
        return x.flatten(1)[:, :3] * len(x)


@pytest.mark.parametrize(
    ("net", "words"), [(Turned(), "lacks; ONNX"), (Counted(), "take x.shape\\[0\\] for len")]
)
def test_what_cannot_be_exported_is_refused_with_the_reason(net, words):
    model = latentia.Autoencoder(n_components=3, encoder=nn.Sequential(net, nn.Linear(3, 3)))
    model.set_params(n_epochs=1, random_state=0, device="cpu").fit(IMAGES)
    with pytest.raises(InputError, match=words):
        program_of(model, ["encode"])


def test_dropout_that_stays_is_no_function():
    model = latentia.Pix2Pix(width=2, test_noise=True, n_epochs=1, random_state=0, device="cpu")
    with pytest.raises(InputError, match="test_noise keeps dropout"):
        model.fit(IMAGES, IMAGES).export("x.json")


PROBABILITY = Quantity("p", "probabilities", (2,), "", 0.0, 1.0)
CODE = Quantity("z", "code", (2,), "")


@pytest.mark.parametrize(
    ("quantity", "a", "b", "expected"),
    [
        (PROBABILITY, [[0.5, 0.25]], [[0.5, 0.5]], 0.25),
        (CODE, [[100.0, 0.0]], [[100.0, 10.0]], 0.1),
        (CODE, [[np.nan, 0.0]], [[1.0, 0.0]], np.inf),
        (CODE, [[1.0]], [[1.0, 1.0]], np.inf),
    ],
)
def test_a_difference_is_relative_to_its_unit(quantity, a, b, expected):
    assert difference(quantity, np.array(a), np.array(b)) == pytest.approx(expected)


def test_batches_of_one_and_of_three_are_compared():
    seen = []
    usual = Quantity("z", "code", (2,), "", -3.0, 3.0)
    function = Exported("f", None, lambda z: z, (usual,), (CODE,))

    def off(z):
        seen.append(len(z))
        return [z + 0.5 * (len(z) == 3)]

    assert 0.1 < differences(None, function, off) < 1
    assert seen == [1, 3]


def test_weights_that_are_off_are_refused(own, traced_once, monkeypatch):
    right = Program.stored_weights
    monkeypatch.setattr(Program, "stored_weights", lambda self: [w + 0.1 for w in right(self)])
    with pytest.raises(InputError, match="the exported encode differs from the model's by"):
        program_of(own, ["encode"], precision="single")


def test_half_the_bits_are_taken_where_they_are_near_enough(own, traced_once, monkeypatch):
    monkeypatch.setattr("latentia.pages.program.SMALL", 8)
    near = program_of(own, ["encode"])
    assert (near.facts["bits"], near.written("x").bits) == (16, 16)
    assert 1e-6 < near.facts["differences"]["encode"] <= near.facts["allowed"]["encode"] == 5e-4
    monkeypatch.setattr("latentia.pages.agreement.LIMITS", {"single": 1e-6, "half": 1e-9})
    monkeypatch.setattr("latentia.pages.agreement.ROUNDINGS", 0)
    assert program_of(own, ["encode"]).facts["bits"] == 32
    with pytest.raises(InputError, match="take precision 'single'"):
        program_of(own, ["encode"], precision="half")


def test_smaller_tensors_keep_their_bits_before_all_do(own, graph, traced_once, monkeypatch):
    """Which then have 32 is said by the program, and by how far it is from the model."""
    largest = max(w.numel() for w in program_of(own, ["encode"]).weights if w.ndim > 1)
    monkeypatch.setattr("latentia.pages.program.SMALL", 8)
    monkeypatch.setattr("latentia.pages.program.LARGER", (largest - 1,))
    plain = program_of(own, ["encode"], precision="half")
    assert sum(plain.half) > 1
    # Just less than 16 bits everywhere would differ by.
    limits = {"single": 1e-6, "half": plain.facts["differences"]["encode"] * 0.999}
    monkeypatch.setattr("latentia.pages.agreement.LIMITS", limits)
    found = program_of(own, ["encode"])
    assert found.half == [w.numel() == largest and w.ndim > 1 for w in found.weights]
    assert 0 < found.facts["differences"]["encode"] < plain.facts["differences"]["encode"]
    assert found.facts["bits"] == 16


def test_a_graph_of_torch_holds_the_weights_that_it_needs_alone(own, graph):
    held = {name.split(".")[0] for name in graph.state_dict}
    assert held == {"encoder_"}
    assert sum(w.numel() for w in graph.state_dict.values()) == sum(
        w.numel() for w in own.encoder_.state_dict().values() if w.ndim
    )


def test_without_torchs_own_switch_graphs_are_traced(own, monkeypatch):
    monkeypatch.setattr("latentia.pages.graphs._config", object())
    twin = frozen(own)
    assert differences(twin, twin.exported()[1], runner_of(twin)) <= 1e-6


def runner_of(twin):
    graph = traced(twin, twin.exported()[1]).module()
    return lambda z: [graph(torch.from_numpy(z))[0].detach().numpy()]


class Of(nn.Module):
    """A function of images as a net, and a layer that learns after it."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.last = nn.LazyLinear(3)

    def forward(self, x):
        return self.last(self.function(x).flatten(1))


def encoder_of(function):
    torch.manual_seed(0)
    net = Of(function)
    net(torch.zeros(2, 1, 8, 8))
    model = latentia.Autoencoder(n_components=3, encoder=net, hidden=(4,), n_epochs=1)
    return model.set_params(batch_size=4, random_state=0, device="cpu").fit(IMAGES)


OPERATIONS = {
    "select the last row": lambda x: x[:, :, -1],
    "select the last rows": lambda x: x[:, :, -3:],
    "select the last column": lambda x: x[..., -1],
    "select the second column": lambda x: x.select(-1, 1),
    "squeeze one axis": lambda x: x.squeeze(1),
    "sums that stay axes": lambda x: x - x.sum(2, keepdim=True) / 8,
    "means that stay axes": lambda x: x - x.mean(3, keepdim=True),
    "maxima that stay axes": lambda x: x - x.amax(2, keepdim=True),
    "squeeze several axes": lambda x: x.sum(2, keepdim=True).squeeze((1, 2)),
    "transposed weights": lambda x: x @ torch.arange(24.0).view(3, 8).t(),
    "zeros": lambda x: x + torch.cat([torch.zeros(1, 1, 4, 8), torch.ones(1, 1, 4, 8)], 2),
    "full": lambda x: x * torch.full((1, 1, 8, 8), 2.5),
    "zeros like": lambda x: torch.maximum(x - 0.5, torch.zeros_like(x)),
    "ones like": lambda x: torch.ones_like(x) - x,
    "enlarged to a whole multiple": lambda x: nn.functional.interpolate(x, (16, 24)),
    "enlarged to any size": lambda x: nn.functional.interpolate(x, (11, 13)),
    "pad with a value": lambda x: nn.functional.pad(x, (1, 0, 2, 0), value=0.25),
    "pad columns alone": lambda x: nn.functional.pad(x, (1, 2)),
    "pool with a stride": lambda x: nn.functional.max_pool2d(x, 3, (1, 2), padding=1),
    "mean in windows": lambda x: nn.functional.avg_pool2d(x, (2, 3), 1, padding=1),
    "split and stack": lambda x: torch.stack(x.split((3, 5), 2)[1].unbind(3)[:2], -1),
    "steps of a slice": lambda x: x[:, :, 1:7:3, ::2],
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_gives_what_torchs_gives(name):
    model = encoder_of(OPERATIONS[name])
    program = program_of(model, ["encode"], precision="single")
    (z,) = program.run("encode", IMAGES[:5])
    np.testing.assert_allclose(z, model.transform(IMAGES[:5]), atol=3e-6)


POOL, MEAN = nn.functional.max_pool2d, nn.functional.avg_pool2d
LACKING = {
    "pads rows and columns, and not by circular": lambda x: nn.functional.pad(
        x, (1,) * 4, "circular"
    ),
    "no pooling that is dilated or rounds up": lambda x: POOL(x, 3, dilation=2),
    "pooling that is dilated or rounds up": lambda x: POOL(x, 3, ceil_mode=True),
    "no pooling that rounds up or leaves padding out": lambda x: MEAN(x, 3, ceil_mode=True),
    "that rounds up or leaves padding out": lambda x: MEAN(
        x, 2, padding=1, count_include_pad=False
    ),
    "pools adaptively to one value a channel": lambda x: nn.functional.adaptive_avg_pool2d(x, 2),
}


@pytest.mark.parametrize("words", LACKING)
def test_an_operation_that_a_program_lacks_is_refused(words):
    with pytest.raises(InputError, match=words):
        program_of(encoder_of(LACKING[words]), ["encode"])


def test_an_array_that_is_met_twice_is_kept_once_and_another_of_its_shape_beside_it():
    one, other = torch.eye(8) * 2, torch.eye(8) * 3
    twice, both = (
        program_of(encoder_of(lambda x, then=then: x @ one @ then), ["encode"], precision="single")
        for then in (one, other)
    )
    assert len(both.weights) == len(twice.weights) + 1
    assert sum(w.shape == one.shape and torch.equal(w, one) for w in twice.weights) == 1


def test_tensors_as_small_as_is_said_keep_their_bits():
    matrices = torch.ones(8, SMALL // 8), torch.ones(SMALL // 8, 1 + SMALL // 8)
    model = encoder_of(lambda x: x @ matrices[0] @ matrices[1])
    program = program_of(model, ["encode"], precision="half")
    half = {w.numel(): bits for w, bits in zip(program.weights, program.half)}
    assert [half[each.numel()] for each in matrices] == [False, True]
