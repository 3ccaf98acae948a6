"""SSIM against scikit-image and by its definition at one place."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from latentia.errors import InputError
from latentia.metrics.structural_similarity import ssim, ssim_maps

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(4, 20, 31), (3, 3, 11, 16), (2, 1, 64, 64)])
@pytest.mark.parametrize("peak", [1.0, 255.0])
def test_it_is_scikit_images(shape, peak):
    x = RNG.random(shape) * peak
    y = (x + RNG.normal(0, 0.2 * peak, shape)).clip(0, peak)
    theirs = [
        structural_similarity(
            a,
            b,
            data_range=peak,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            channel_axis=0 if len(shape) == 4 else None,
        )
        for a, b in zip(x, y, strict=True)
    ]
    assert ssim(x, y, peak) == pytest.approx(np.mean(theirs), abs=1e-12)


def test_one_place_by_the_definition():
    x, y = RNG.random((2, 1, 11, 11))
    line = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2
    a, b = x[0], y[0]
    mean_a, mean_b = (window * a).sum(), (window * b).sum()
    var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
    cov = (window * (a - mean_a) * (b - mean_b)).sum()
    expected = (2 * mean_a * mean_b + 1e-4) * (2 * cov + 9e-4)
    expected /= (mean_a**2 + mean_b**2 + 1e-4) * (var_a + var_b + 9e-4)
    np.testing.assert_allclose(ssim_maps(x, y), [[[expected]]], rtol=1e-10)


def test_float32_is_computed_in_float64():
    x = RNG.random((2, 32, 32)).astype(np.float32)
    assert ssim(x, x) == 1
    flat = np.full((1, 32, 32), 0.5, np.float32)
    assert ssim(flat, flat) == 1


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InputError, match="at least 11"):
        ssim(np.zeros((1, 10, 20)), np.zeros((1, 10, 20)))
    with pytest.raises(InputError, match="cannot be compared"):
        ssim(np.zeros((1, 1, 20, 20)), np.zeros((1, 20, 20)))
