"""CIELab against scikit-image, and there and back."""

import numpy as np
import pytest
from skimage.color import lab2rgb, rgb2lab

from latentia.data.lab import lab_of, lightness, rgb_of
from latentia.errors import InputError

RGB = np.random.default_rng(0).random((3, 3, 9, 7))


def last(images):
    return np.moveaxis(images, -3, -1)


def test_as_scikit_image_has_it():
    np.testing.assert_allclose(last(lab_of(RGB)), rgb2lab(last(RGB)), atol=2e-3)
    lab = lab_of(RGB)
    np.testing.assert_allclose(last(rgb_of(lab)), lab2rgb(last(lab)), atol=1e-5)


def test_bytes_are_colours_out_of_255():
    x = np.rint(255 * RGB).astype(np.uint8)
    np.testing.assert_allclose(last(lab_of(x)), rgb2lab(last(x)), atol=2e-3)


def test_there_and_back_in_both_branches_of_the_curves():
    dark = np.concatenate([RGB, RGB / 100, np.zeros((1, 3, 9, 7)), np.ones((1, 3, 9, 7))])
    np.testing.assert_allclose(rgb_of(lab_of(dark)), dark, atol=1e-5)
    assert lab_of(dark).dtype == rgb_of(lab_of(dark)).dtype == np.float32


def test_colours_that_no_screen_shows_are_clipped():
    lab = np.broadcast_to(np.array([50.0, 120, -120])[:, None, None], (3, 2, 2))
    found = rgb_of(lab)
    assert 0 <= found.min() <= found.max() <= 1


def test_lightness_keeps_greys_in_order_and_ends():
    grey = np.linspace(0, 1, 11)[None, :, None].repeat(3, axis=0)
    found = lightness(grey)[:, 0]
    assert (np.diff(found) > 0).all()
    np.testing.assert_allclose(found[[0, -1]], [0, 1], atol=1e-4)
    np.testing.assert_allclose(lab_of(grey)[1:], 0, atol=0.01)


def test_grey_images_are_refused():
    with pytest.raises(InputError, match=r"colours need images .* have shape \(4, 8, 8\)"):
        lab_of(np.zeros((4, 8, 8)))
