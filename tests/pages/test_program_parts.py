"""Parts of a page's program, of its graph and of its scene, by hand and without a net."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from latentia.errors import InputError
from latentia.models.exported import Quantity
from latentia.pages import layers, operations, scene
from latentia.pages.graphs import dynamic_axes
from latentia.pages.html import has_pad
from latentia.pages.onnx_files import name_sizes


def image(free, shape=(1, 8, 8)):
    return Quantity("x", "image", shape, "an image", free=free)


@pytest.mark.parametrize(
    ("free", "names"),
    [(0, ["batch"]), (1, ["batch", "height", "width"]), (4, ["batch", "4*height_4", "4*width_4"])],
)
def test_free_sides_are_any_or_multiples(free, names):
    axes = dynamic_axes(image(free))
    assert [*axes] == [0, 2, 3][: len(names)]
    assert [axis.__name__ for axis in axes.values()] == names


def test_sizes_of_a_graph_are_called_by_their_axes():
    def value(*words):
        sizes = [SimpleNamespace(dim_param=word) for word in words]
        tensor = SimpleNamespace(shape=SimpleNamespace(dim=sizes))
        return SimpleNamespace(type=SimpleNamespace(tensor_type=tensor))

    graph = SimpleNamespace(
        input=[value("s0", "", "s1", "4*s2")], output=[value("s0", "", "2*s1", "s2")], value_info=[]
    )
    name_sizes(graph, SimpleNamespace(inputs=[image(1)]))
    found = [
        [size.dim_param for size in part.type.tensor_type.shape.dim]
        for part in (*graph.input, *graph.output)
    ]
    assert found == [["batch", "", "height", "4*width"], ["batch", "", "2*height", "width"]]


def given(groups, dilation):
    arguments = ["x", "w", None, [1, 1], [0, 0], [0, 0], groups, dilation]
    return layers.Given(None, arguments, {})


def test_a_transposed_convolution_is_of_one_group_and_not_dilated(monkeypatch):
    monkeypatch.setattr(layers, "_weight", lambda g, place: g[place])
    assert layers._of_conv_transpose2d(given(1, [1, 1])).operation == "spread"
    for groups, dilation in ((2, [1, 1]), (1, [2, 2]), (1, [1, 2])):
        with pytest.raises(InputError, match="no transposed convolution in groups or dilated"):
            layers._of_conv_transpose2d(given(groups, dilation))


@pytest.mark.parametrize(
    ("name", "options", "made"),
    [
        ("div", {}, "div"),
        ("div", {"rounding_mode": "floor"}, None),
        ("add", {"alpha": 1}, "add"),
        ("add", {"alpha": 2}, None),
    ],
)
def test_two_numbers_are_taken_as_they_are(monkeypatch, name, options, made):
    monkeypatch.setattr(operations, "operands", lambda arguments: ([], arguments))
    node = SimpleNamespace(target=f"aten.{name}.Tensor")
    translation = SimpleNamespace(name="decode")
    if made is None:
        with pytest.raises(InputError, match=f"^decode needs the operation {name}, which the prog"):
            operations._Translation._made(translation, node, ["a", "b"], options)
    else:
        found = operations._Translation._made(translation, node, ["a", "b"], options)
        assert found.operation == made


def test_the_metric_is_that_of_a_linear_decoders_matrix(monkeypatch):
    A = np.random.default_rng(0).normal(size=(2, 5))
    widths = np.array([0.5, 3.0])
    moved = A * widths[:, None]
    monkeypatch.setattr(scene, "units_of", lambda quantity: 2.0)
    decoder = SimpleNamespace(outputs=[None], inputs=[None], verb=lambda z: z @ A)
    metric = scene.metric_of(decoder, np.zeros((7, 2)), widths)
    np.testing.assert_allclose(metric, moved @ moved.T / 4, rtol=1e-5)


def test_of_many_pixels_every_so_manyth_tells_the_metric(monkeypatch):
    A = np.random.default_rng(0).normal(size=(2, 26))
    monkeypatch.setattr(scene, "units_of", lambda quantity: 1.0)
    monkeypatch.setattr(scene, "MOST_PIXELS", 10)
    decoder = SimpleNamespace(outputs=[None], inputs=[None], verb=lambda z: z @ A)
    metric = scene.metric_of(decoder, np.zeros((3, 2)), np.ones(2))
    np.testing.assert_allclose(metric, A[:, ::3] @ A[:, ::3].T, rtol=1e-5)


def test_a_direction_is_moved_as_far_to_either_side():
    z = np.random.default_rng(0).normal(size=(50, 3))
    found = scene.sliders_of(z, np.diag([1.0, 6.0, 3.0]), "normal", free=True)
    assert [np.abs(slider["axis"]).argmax() for slider in found[:3]] == [1, 2, 0]
    assert [slider["share"] for slider in found[:3]] == pytest.approx([0.6, 0.3, 0.1], abs=1e-3)
    wide = 3 * z.std(axis=0)[[1, 2, 0]]
    assert [slider["high"] for slider in found[:3]] == pytest.approx(wide.tolist(), rel=1e-2)
    assert [slider["low"] for slider in found[:3]] == [-slider["high"] for slider in found[:3]]
    bound = scene.sliders_of(z, np.diag([1.0, 6.0, 3.0]), "normal", free=False)
    assert [slider["index"] for slider in bound] == [1, 2, 0]


@pytest.mark.parametrize(
    ("shape", "there"),
    [
        ((64, 64), True),
        ((1, 64, 64), True),
        ((64, 65), False),
        ((3, 8, 8), False),
        ((8,), False),
    ],
)
def test_a_pad_is_for_small_images_of_one_channel(shape, there):
    function = SimpleNamespace(inputs=[image(0, shape)])
    assert has_pad({"encode": function}) == there
    assert has_pad({"cluster": function}) == there
    assert not has_pad({"decode": function})
    assert not has_pad({"encode": SimpleNamespace(inputs=[replace(image(0, shape), kind="row")])})
