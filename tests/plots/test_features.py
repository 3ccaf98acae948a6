"""Figures of convolutions and of gradients hold what they say, with Hangul in their titles."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from latentia.errors import InputError
from latentia.plots.features import (
    ZERO,
    kernel_figure,
    layers_figure,
    of_one_size,
    signed,
    sizes_figure,
)
from latentia.plots.style import COLOURS, png_bytes
from latentia.plots.theory import gradient_figure
from latentia.theory.convolution import KERNELS, filtered, output_size

X = np.random.default_rng(0).random((12, 12))


def words(figure):
    return {text.get_text() for axes in figure.axes for text in axes.texts}


def test_signs_are_colours_and_zero_is_white():
    found = signed(np.array([[[0.0, 3.0, -1.5]]]))[0, :, 0]
    np.testing.assert_array_equal(found[:, 0], 1)
    assert found[0, 1] > found[2, 1]
    assert found[2, 2] > found[0, 2]
    assert np.isfinite(signed(np.zeros((1, 2, 2)))).all()


def test_blocks_keep_every_pixel():
    np.testing.assert_array_equal(of_one_size(X, (36, 24))[::3, ::2], X)


def test_layers_are_rows_that_say_their_sizes():
    layers = [("첫째 층", np.stack([X, 0 * X, -X])), ("둘째 층", X[None, ::4, ::4])]
    figure = layers_figure(layers, X, "특징 지도")
    assert {"특징 지도", "첫째 층\n3 maps of 12×12", "둘째 층\n1 maps of 3×3"} <= words(figure)
    assert png_bytes(figure).startswith(b"\x89PNG")
    with pytest.raises(InputError, match="no layers"):
        layers_figure([], X, "")


def test_kernels_stand_above_their_results():
    results = np.concatenate([filtered(X[None], kernel) for kernel in KERNELS.values()])
    figure = kernel_figure(list(KERNELS.values()), results, list(KERNELS), "필터")
    assert {"필터", *KERNELS} <= words(figure)
    assert png_bytes(figure)


def test_a_panel_for_each_size_with_two_places_of_the_kernel():
    figure = sizes_figure([(5, 3, 2, 1, output_size(5, 3, 2, 1)), (3, 3, 1, 0, 1)])
    assert [axes.get_title(loc="left") for axes in figure.axes[2:]] == ["output 3×3", "output 1×1"]
    assert len(figure.axes[0].patches) == 7 * 7 + 2
    assert len(figure.axes[1].patches) == 9 + 1
    assert png_bytes(figure)


def test_layers_show_the_most_active_maps_first_each_from_0_to_its_greatest():
    picture = np.full((8, 8), 0.25)
    strong, weak = np.zeros((2, 8, 8))
    strong[:, 4:], weak[:4] = 8.0, 0.5
    below = np.where(np.arange(8) < 2, -1.0, 1.0) * np.ones((8, 1))
    figure = layers_figure([("layer", np.stack([weak, below, strong]))], picture, "t", most=2)
    shown = np.asarray(figure.axes[0].images[0].get_array())[..., 0]
    top, bottom = np.split(shown, 2)
    corner = top[10, 10], bottom[10, 10], bottom[10, 90], bottom[10, 104], bottom[10, 190]
    assert corner == (64, 0, 255, 0, 255)
    words = [text.get_text() for text in figure.axes[0].texts if text.get_text()]
    assert sorted(words) == ["layer\n3 maps of 8×8", "picture", "t"]


def test_each_kernel_has_its_own_result_below_it():
    kernels = [np.array([[1.0]]), np.array([[-2.0]])]
    results = np.stack([np.full((8, 8), 0.5), np.full((8, 8), -3.0)])
    axes = kernel_figure(kernels, results, ["one", "two"], "").axes[0]
    top, bottom = np.split(np.asarray(axes.images[0].get_array()), 2)
    orange, blue = [214, 94, 0], [0, 115, 178]
    assert [part.tolist() for part in (top[40, 40], top[40, 140])] == [orange, blue]
    # Weights that sum to 1 leave a grey picture, others one of signs.
    assert [part.tolist() for part in (bottom[40, 40], bottom[40, 140])] == [[128] * 3, blue]
    places = {text.get_text(): text.get_position()[0] for text in axes.texts}
    assert places["one"] < places["two"]
    rows = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert rows["kernel"] < rows["picture"]


def test_frames_stand_where_the_kernel_does():
    figure = sizes_figure([(5, 3, 2, 1, 3)])
    above, below = figure.axes
    assert above.get_title(loc="left") == "input 5×5, kernel 3×3\nstride 2, padding 1"
    frames = [p for p in above.patches if not p.get_fill()]
    assert [(p.get_xy(), p.get_width(), p.get_height()) for p in frames] == [
        ((-1, -1), 3, 3), ((1, -1), 3, 3),
    ]  # fmt: skip
    cells = below.patches[-2:]
    assert [p.get_xy() for p in cells] == [(0, 0), (1, 0)]
    for frame, cell, colour in zip(frames, cells, COLOURS):
        assert to_rgb(frame.get_edgecolor()) == to_rgb(cell.get_facecolor()) == to_rgb(colour)
    padded = {p.get_xy() for p in above.patches if to_rgb(p.get_facecolor()) == to_rgb(ZERO)}
    grid = {(column, row) for column in range(-1, 6) for row in range(-1, 6)}
    assert padded == {place for place in grid if min(place) < 0 or max(place) > 4}


def test_gradients_are_drawn_over_steps_back_relative_to_the_last():
    panels = {
        "untrained": {"RNN": np.array([0.0, 1.0, 4.0]), "LSTM": np.array([3.0, 1.0, 2.0])},
        "trained": {"RNN": np.array([1.0, 2.0])},
    }
    figure = gradient_figure(panels)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["untrained", "trained"]
    expected = [
        [("RNN", [2, 1, 0], [1e-45, 0.25, 1]), ("LSTM", [2, 1, 0], [1.5, 0.5, 1])],
        [("RNN", [1, 0], [0.5, 1])],
    ]
    for axes, lines in zip(figure.axes, expected, strict=True):
        for line, (label, steps, norms) in zip(axes.lines, lines, strict=True):
            assert line.get_label() == label
            np.testing.assert_array_equal(line.get_xdata(), steps)
            np.testing.assert_allclose(line.get_ydata(), norms)
        assert axes.get_yscale() == "log"
        assert axes.get_xlabel() == "steps back, T − t"
    lines = figure.axes[0].lines
    assert [line.get_color() for line in lines] == list(COLOURS[:2])
    assert lines[0].get_marker() != lines[1].get_marker()
