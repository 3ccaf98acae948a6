"""Figures of convolutions hold what they say, with Hangul in their titles."""

import numpy as np
import pytest

from latentia.errors import InputError
from latentia.plots.features import (
    kernel_figure,
    layers_figure,
    of_one_size,
    signed,
    sizes_figure,
)
from latentia.plots.style import png_bytes
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
