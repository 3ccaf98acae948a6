"""Degradation against Pillow itself and against the kernel's formula; crops."""

import numpy as np
import pytest
from PIL import Image

from latentia.data.degrade import cut_to_multiple, degraded, enlarged, pieces_of
from latentia.errors import InputError

RNG = np.random.default_rng(0)


def kernel(t):
    t = np.abs(t)
    near = (3 * t**3 - 5 * t**2 + 2) / 2
    far = (-(t**3) + 5 * t**2 - 8 * t + 4) / 2
    return np.where(t < 1, near, np.where(t < 2, far, 0))


def resampling(n_in, n_out):
    """Return the (n_out, n_in) matrix of the docstring's formula."""
    ratio = n_in / n_out
    centres = (np.arange(n_out) + 0.5) * ratio - 0.5
    weights = kernel((np.arange(n_in)[None] - centres[:, None]) / max(ratio, 1))
    return weights / weights.sum(1, keepdims=True)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_floats_follow_the_formula(scale):
    x = 0.3 + 0.4 * RNG.random((2, 3, 24, 48))
    small = degraded(x, scale)
    down = [resampling(n, n // scale) for n in (24, 48)]
    np.testing.assert_allclose(small, down[0] @ x @ down[1].T, atol=1e-6)
    up = [resampling(n // scale, n) for n in (24, 48)]
    expected = (up[0] @ small.astype(float) @ up[1].T).clip(0, 1)
    np.testing.assert_allclose(enlarged(small, scale), expected, atol=1e-6)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_bytes_are_what_the_formula_gives_rounded_once(scale):
    x = RNG.integers(0, 256, (2, 3, 18, 25), dtype=np.uint8)
    height, width = 18 - 18 % scale, 25 - 25 % scale
    down = [resampling(n, n // scale) for n in (height, width)]
    up = [resampling(n // scale, n) for n in (height, width)]
    small = degraded(x, scale)
    wanted = (down[0] @ x[..., :height, :width] @ down[1].T).clip(0, 255)
    np.testing.assert_allclose(small, wanted, atol=0.501)
    wanted = (up[0] @ small.astype(float) @ up[1].T).clip(0, 255)
    np.testing.assert_allclose(enlarged(small, scale), wanted, atol=0.501)
    assert small.dtype == enlarged(small, scale).dtype == np.uint8


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_overshoot_is_clipped_at_the_end_and_not_between_the_two_passes(scale):
    """As Pillow does it for bytes, corners of black and white come out up to 11 levels off."""
    x = np.kron(RNG.integers(0, 2, (12, 12)), np.ones((2, 2)))[None].astype(np.uint8) * 255
    of_floats = 255 * enlarged(x / np.float32(255), scale)
    np.testing.assert_allclose(enlarged(x, scale), of_floats, atol=0.501)
    size = (24 * scale, 24 * scale)
    by_pillow = np.asarray(Image.fromarray(x[0]).resize(size, Image.Resampling.BICUBIC))
    assert np.abs(by_pillow - of_floats[0]).max() > 5


def test_layouts_and_ranges():
    x = (RNG.random((3, 8, 8)) > 0.5).astype(np.float32)
    large = enlarged(x, 4)
    assert large.shape == (3, 32, 32)
    assert large.dtype == np.float32
    assert (large.min(), large.max()) == (0, 1)
    np.testing.assert_array_equal(enlarged(x[:, None], 4)[:, 0], large)
    assert cut_to_multiple(x, 3).shape == (3, 6, 6)


def test_an_image_smaller_than_the_scale_is_refused():
    with pytest.raises(InputError, match="at least 4 pixels"):
        degraded(np.zeros((1, 3, 9)), 4)


def pieces(pictures, side, seed=0):
    cut = [pieces_of(picture, k, side, 2.0, seed) for k, picture in enumerate(pictures)]
    return np.concatenate([found for found in cut if found])


def test_crops_are_pieces_of_their_pictures_and_repeat():
    sizes = [(20, 30), (9, 40), (16, 16)]
    pictures = [
        np.arange(3 * h * w).reshape(3, h, w) + 10_000 * k for k, (h, w) in enumerate(sizes)
    ]
    crops = pieces(pictures, 16)
    owners = crops[:, 0, 0, 0] // 10_000
    assert [int((owners == k).sum()) for k in range(3)] == [5, 0, 2]
    for crop, owner in zip(crops, owners, strict=True):
        w = sizes[owner][1]
        top, left = divmod(int(crop[0, 0, 0]) - 10_000 * owner, w)
        np.testing.assert_array_equal(crop, pictures[owner][:, top : top + 16, left : left + 16])
    assert len(np.unique(crops[owners == 0][:, 0, 0, 0])) > 1
    np.testing.assert_array_equal(pieces(pictures, 16), crops)
    assert not np.array_equal(pieces(pictures, 16, seed=1), crops)
    # A picture's places do not depend on those before it.
    shorter = [pictures[0][:, :1], pictures[1], pictures[2]]
    np.testing.assert_array_equal(pieces(shorter, 16), crops[owners == 2])
