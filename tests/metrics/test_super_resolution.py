"""PSNR and SSIM of super-resolution against scikit-image and published figures."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from latentia.data.degrade import cut_to_multiple, degraded, enlarged
from latentia.errors import InputError
from latentia.metrics.super_resolution import luma, luma_lattice, luma_psnr, luma_ssim

RNG = np.random.default_rng(0)
PICTURES = Path(os.environ.get("LATENTIA_DATA", "absent"), "sr")


def noisy(x):
    return np.rint((x + RNG.normal(0, 12, x.shape)).clip(0, 255)).astype(np.uint8)


def test_luma_is_that_of_scikit_image():
    x = RNG.integers(0, 256, (4, 3, 12, 9), dtype=np.uint8)
    expected = [rgb2ycbcr(np.moveaxis(image, 0, 2))[..., 0] for image in x]
    np.testing.assert_allclose(luma(x), expected, rtol=1e-12)
    np.testing.assert_allclose(luma(x / 255.0), expected, rtol=1e-12)
    np.testing.assert_allclose(luma(x[:, 0]), luma(np.repeat(x[:, :1], 3, axis=1)), rtol=1e-12)


@pytest.mark.parametrize("border", [0, 2, 4])
def test_figures_are_those_of_scikit_image(border):
    x = RNG.integers(0, 256, (3, 3, 40, 33), dtype=np.uint8)
    y = noisy(x)
    pairs = [
        [
            rgb2ycbcr(np.moveaxis(image, 0, 2))[border : 40 - border, border : 33 - border, 0]
            for image in pair
        ]
        for pair in zip(x, y, strict=True)
    ]
    expected = np.mean([peak_signal_noise_ratio(*pair, data_range=255) for pair in pairs])
    assert luma_psnr(x, y, border) == pytest.approx(expected, rel=1e-12)
    expected = np.mean(
        [
            structural_similarity(
                *pair,
                data_range=255,
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
            )
            for pair in pairs
        ]
    )
    assert luma_ssim(x, y, border) == pytest.approx(expected, rel=1e-10)


def test_images_that_cannot_be_compared_are_refused():
    x = np.zeros((2, 3, 12, 12))
    with pytest.raises(InputError, match="cannot be compared"):
        luma_psnr(x, x[:, :1], 2)
    with pytest.raises(InputError, match="at least 13"):
        luma_psnr(x, x, 6)
    with pytest.raises(InputError, match="at least 15"):
        luma_ssim(x, x, 2)


def figures(name, scale=4):
    """Return (PSNR, SSIM) of Pillow's bicubic for each picture of a set."""
    found = []
    for path in sorted((PICTURES / name).glob("*.png")):
        with Image.open(path) as image:
            sharp = cut_to_multiple(
                np.moveaxis(np.asarray(image.convert("RGB")), 2, 0)[None], scale
            )
        estimate = enlarged(degraded(sharp, scale), scale)
        found.append((luma_psnr(sharp, estimate, scale), luma_ssim(sharp, estimate, scale)))
    return np.array(found)


@pytest.mark.skipif(not PICTURES.is_dir(), reason="LATENTIA_DATA holds no folder sr")
def test_bicubic_reaches_its_published_figures():
    """Published for Set5: 28.43 dB; the copies of Set14 are cropped, 25.99 there."""
    assert figures("Set5")[:, 0].mean() == pytest.approx(28.43, abs=0.005)
    set14 = figures("Set14")
    assert set14[:, 0].mean() == pytest.approx(26.09, abs=0.005)
    assert set14[4, 0] == pytest.approx(21.69, abs=0.005)


@pytest.mark.skipif(not PICTURES.is_dir(), reason="LATENTIA_DATA holds no folder sr")
@pytest.mark.parametrize(("scale", "published"), [(2, 33.66), (3, 30.39), (8, 24.40)])
def test_bicubic_reaches_its_figures_at_other_scales(scale, published):
    """Published for Set5 with MATLAB's imresize, which differs at the borders."""
    assert figures("Set5", scale)[:, 0].mean() == pytest.approx(published, abs=0.025)


def test_a_lattice_is_seen_at_its_own_period_alone():
    noise = RNG.normal(0, 0.01, (2, 96, 128))
    grey = 0.5 + noise
    assert abs(luma_lattice(grey, 4)) < 1
    lattice = grey + 0.05 * (np.arange(128) % 4 == 1)
    weaker = grey + 0.005 * (np.arange(128) % 4 == 1)
    assert luma_lattice(lattice, 4) > luma_lattice(weaker, 4) + 10
    assert luma_lattice(lattice.swapaxes(1, 2), 4) == pytest.approx(luma_lattice(lattice, 4), abs=1)
    assert abs(luma_lattice(lattice, 3)) < 1
    with pytest.raises(InputError, match="sides of at least 64"):
        luma_lattice(lattice[:, :60], 4)


def test_a_lattice_of_known_power_has_its_decibels():
    """White noise of variance s² and a wave a cos(πx/2): power a²n/6 + s² against s² a bin."""
    s, a, n = 0.02, 0.01, 256
    x = RNG.normal(0, s, (8, n, n)) + a * np.cos(np.pi / 2 * np.arange(n))
    expected = 10 * np.log10((4 * s**2 + a**2 * n / 6) / (4 * s**2))
    assert luma_lattice(x, 4) == pytest.approx(expected, abs=0.15)


@pytest.mark.parametrize("away", [-4, -3, 3, 4])
def test_each_neighbour_of_a_period_counts_as_much(away):
    """A wave a of n/4 cycles has (an/4)² in its bin, one beside it (bn/4)² and twice (bn/8)²."""
    a, b, n = 0.02, 0.01, 128
    cycles = 2 * np.pi * np.arange(n) / n
    lines = 0.5 + a * np.cos(cycles * n / 4) + b * np.cos(cycles * (n / 4 + away))
    found = luma_lattice(np.tile(lines, (1, n, 1)), 4)
    assert found == pytest.approx(10 * np.log10(16 / 5 * (a / b) ** 2), abs=1e-6)
