"""Samples above their nearest training images, in the order they were drawn."""

import numpy as np
import pytest

from latentia.errors import InputError
from latentia.metrics.neighbours import nearest_training
from latentia.plots.memorisation import memorisation_figure
from latentia.plots.style import png_bytes


def test_pairs_stand_above_each_other():
    train = np.zeros((2, 8, 8))
    train[1] = 1
    samples = np.stack([np.full((8, 8), 0.25), np.full((8, 8), 0.75)])
    figure = memorisation_figure(nearest_training(train, samples), n_columns=2)
    picture = figure.axes[0].images[0].get_array()
    # 8 pixels enlarged to 96, with a border of 2 about each
    np.testing.assert_array_equal(picture[50, [50, 148]], [[64] * 3, [191] * 3])
    np.testing.assert_array_equal(picture[150, [50, 148]], [[0] * 3, [255] * 3])
    words = [text.get_text() for text in figure.axes[0].texts]
    assert "2.00" in words
    assert words.count("sample") == 1
    assert png_bytes(figure)[:4] == b"\x89PNG"


def test_rows_and_columns():
    train, samples = np.random.default_rng(0).random((2, 25, 3, 8, 8))
    found = nearest_training(train, samples)
    words = [t.get_text() for t in memorisation_figure(found, 6, 3).axes[0].texts]
    assert words.count("sample") == words.count("nearest training") == 3
    assert any("first 18 samples" in word for word in words)
    words = [t.get_text() for t in memorisation_figure(found, 10, 9).axes[0].texts]
    assert any("first 25 samples" in word for word in words)
    with pytest.raises(InputError, match="at least one"):
        memorisation_figure(found, 0)
    with pytest.raises(InputError, match="1 or 3 channels"):
        memorisation_figure(nearest_training(train[:, 0, 0], samples[:, 0, 0]))


def test_each_pair_has_its_own_distance_in_the_row_below_it():
    train = np.arange(5)[:, None, None] / 8 * np.ones((5, 8, 8))
    samples = train[[3, 0, 4]] + np.array([0.01, 0.02, 0.03])[:, None, None]
    axes = memorisation_figure(nearest_training(train, samples), 2, 2).axes[0]
    picture = np.asarray(axes.images[0].get_array())[..., 0]
    places = {text.get_text(): text.get_position() for text in axes.texts}
    # A distance is over 64 pixels, so 8 times what each of them is off.
    for j, (word, pixel) in enumerate({"0.08": 96, "0.16": 0, "0.24": 128}.items()):
        x, y = places[word]
        assert x == places["0.08" if j != 1 else "0.16"][0]
        assert picture[int(y) - 30, int(x)] == pixel
        assert picture[int(y) - 130, int(x)] == round(255 * (j + 1) / 100 + 255 * pixel / 256)
    assert places["0.08"][0] < places["0.16"][0]
    assert places["0.08"][1] == places["0.16"][1] < places["0.24"][1]


def test_the_nearest_of_few_training_images_is_found():
    train = np.stack([np.zeros((3, 3)), np.ones((3, 3))])
    found = nearest_training(train, train[::-1] * 0.9)
    assert found.rows.tolist() == [1, 0]
    np.testing.assert_allclose(found.distances, [0.3, 0], rtol=1e-5)
