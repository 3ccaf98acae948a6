"""Tiles against whole images, their weights, their seams."""

from itertools import count, pairwise

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from latentia.errors import InputError
from latentia.models.translation.bicubic import Bicubic
from latentia.models.translation.pictures import translated, upscaled
from latentia.models.translation.srresnet import SRResNet
from latentia.models.translation.tiles import Tiles, in_bands, in_tiles

RNG = np.random.default_rng(0)
REACH = 3


def blurred(image):
    """Return an image twice as large that looks REACH pixels around."""
    mean = uniform_filter(image, (0, 2 * REACH + 1, 2 * REACH + 1), mode="constant")
    return mean.repeat(2, 1).repeat(2, 2)


@pytest.mark.parametrize("length", [5, 12, 13, 40, 41])
@pytest.mark.parametrize(("side", "overlap", "reach"), [(12, 0, 0), (12, 3, 0), (12, 7, 3)])
def test_weights_sum_to_one_and_tiles_cover(length, side, overlap, reach):
    tiles = Tiles(side, overlap, reach, 2)
    total = np.zeros(2 * length)
    starts = tiles.starts(length)
    for start, row in zip(starts, tiles.weights(length), strict=True):
        assert row.min() >= 0
        total[2 * start : 2 * start + len(row)] += row
    np.testing.assert_allclose(total, 1, atol=1e-6)
    assert starts[-1] + min(side, length) == length
    assert all(later - start <= side - overlap for start, later in pairwise(starts))


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize(("height", "width"), [(40, 33), (12, 50), (7, 9)])
def test_an_overlap_of_twice_the_reach_is_the_whole_image(height, width, more):
    image = RNG.random((3, height, width))
    tiles = Tiles(12, 2 * REACH + more, REACH, 2)
    np.testing.assert_allclose(in_tiles(blurred, image, tiles), blurred(image), atol=1e-6)


def test_less_overlap_leaves_seams_that_blending_softens():
    image = np.full((1, 64, 64), 0.5)
    errors = {
        overlap: np.abs(in_tiles(blurred, image, Tiles(16, overlap, REACH, 2)) - blurred(image))
        for overlap in (0, 4)
    }
    assert errors[0].max() > 0.2
    assert errors[4].max() < 0.7 * errors[0].max()
    # Away from cuts nothing differs.
    assert errors[0][0, 10:22, 10:22].max() < 1e-6


def test_bands_come_as_soon_as_their_rows_are_finished():
    seen, image = [], RNG.random((2, 41, 30))
    tiles = Tiles(12, 2 * REACH, REACH, 2)

    def counted(piece):
        seen.append(piece.shape)
        return blurred(piece)

    heights = []
    for number, band in enumerate(in_bands(counted, image, tiles), start=1):
        heights.append(band.shape[1])
        assert len(seen) == number * tiles.count(1, 30)
    assert len(seen) == tiles.count(41, 30)
    assert sum(heights) == 82
    assert max(heights) <= 24


@pytest.mark.parametrize("scale", [2, 3, 8])
def test_interpolation_in_tiles_is_that_of_the_whole_image(scale):
    x = RNG.integers(0, 256, (2, 3, 50, 33), dtype=np.uint8)
    model = Bicubic(scale=scale).fit(x)
    np.testing.assert_allclose(model.transform(x, tile=16), model.transform(x), atol=1e-6)


def test_tiles_bound_what_the_function_sees():
    seen = []

    def identity(image):
        seen.append(image.shape)
        return image

    image = RNG.random((1, 50, 70)).astype(np.float32)
    np.testing.assert_allclose(in_tiles(identity, image, Tiles(16, 4)), image, atol=1e-6)
    assert max(map(max, seen)) == 16


@pytest.mark.parametrize(("side", "overlap", "word"), [(1, 0, "tile"), (8, 8, "overlap")])
def test_tiles_that_cover_nothing_are_refused(side, overlap, word):
    with pytest.raises(InputError, match=word):
        in_tiles(blurred, np.zeros((1, 9, 9)), Tiles(side, overlap))


@pytest.mark.parametrize("side", [16.0, True, "16"])
def test_sides_of_tiles_are_whole_numbers_of_pixels(side):
    with pytest.raises(InputError, match=f"tile is {side!r}; it must be a whole number of pixels"):
        Tiles(side, 0).check()


@pytest.mark.parametrize("beside", ["bicubic", "nothing"])
@pytest.mark.parametrize("scale", [2, 3, 8])
def test_a_models_tiles_are_its_whole_images(beside, scale):
    sizes = {"n_blocks": 1, "width": 4, "scale": scale, "beside": beside}
    X = RNG.random((16, 3, 24, 24), dtype=np.float32)
    model = SRResNet(**sizes, n_epochs=2, learning_rate=0.01, random_state=0).fit(X)
    x = RNG.random((1, 3, 61, 40), dtype=np.float32)
    whole = model.transform(x)
    for overlap in (None, 2 * model.reach, 2 * model.reach + 1):
        exact = model.transform(x, tile=44, overlap=overlap)
        np.testing.assert_allclose(exact, whole, atol=1e-5)
    rough = model.transform(x, tile=27, overlap=2)
    assert np.abs(rough - whole).max() > 1e-3
    with pytest.raises(InputError, match="overlap is 32"):
        model.transform(x, tile=20, overlap=32)


def test_a_translators_tiles_leave_out_a_quarter_of_what_they_share_at_each_cut(monkeypatch):
    """Of four rows that two tiles share, the outer two are one tile's alone."""
    numbers = count()

    def whole(model, piece, *, reverse):
        return np.full_like(piece, next(numbers))

    monkeypatch.setattr("latentia.models.translation.pictures.whole", whole)
    bands = translated(None, np.zeros((1, 28, 5), np.float32), 16, None, lambda done: None)
    found = np.concatenate(list(bands), axis=1)[0, :, 0]
    assert set(found[:13]) == {0.0}
    assert set(found[15:]) == {1.0}
    assert 0 < found[13] < found[14] < 1


def test_a_picture_tells_which_share_of_its_tiles_is_done():
    done, X = [], RNG.integers(0, 256, (1, 3, 50, 33), dtype=np.uint8)
    model = Bicubic(scale=2).fit(X)
    list(upscaled(model, X[0], 16, 4, done.append))
    n_tiles = Tiles(16, 4).count(50, 33)
    assert n_tiles > 9
    np.testing.assert_allclose(done, np.arange(1, n_tiles + 1) / n_tiles)
