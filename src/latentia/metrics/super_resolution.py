"""PSNR and SSIM of enlarged images, by the protocol of the papers on super-resolution.

    Y = 16 + (65.481 R + 128.553 G + 24.966 B),   R, G, B in [0, 1]       ([1]_ table 3, 16 to 235)
    PSNR = 10 log₁₀(255² / MSE_Y) in dB,   SSIM_Y with L = 255

on luma alone, in float64 and unrounded, without as many pixels at each border as the scale, one
value an image, the mean over images. Grey images are taken as R = G = B.

Shapes: images are (n, H, W), (n, 1, H, W) or (n, 3, H, W), uint8 or floats in [0, 1].

References
----------
.. [1] Recommendation ITU-R BT.601-7, "Studio encoding parameters of digital television", 2011.
.. [2] C. Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative
   Adversarial Network", CVPR 2017, section 3.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.errors import InputError, Several, Whole, check_arguments
from latentia.metrics.reconstruction import psnr
from latentia.metrics.structural_similarity import WINDOW, ssim

WEIGHTS = np.array([65.481, 128.553, 24.966])
FOOT = 16.0
PEAK = 255.0
LEAST_PERIODS = 16
"""Of a lattice, that an image must hold for its frequencies to stand apart."""


def luma(images: NDArray[Any]) -> NDArray[np.float64]:
    """Return Y of YCbCr as (n, H, W) float64, from 16 for black to 235 for white.

    Images with other than one or three channels have no luma: each channel is taken as grey, and
    they come back as (n·C, H, W).

    >>> luma(np.array([0, 255], np.uint8).reshape(1, 1, 2)).ravel().tolist()
    [16.0, 235.0]
    """
    values = np.asarray(images, np.float64) / (255.0 if images.dtype == np.uint8 else 1.0)
    if values.ndim == 4 and values.shape[1] == 3:
        return np.asarray(FOOT + np.tensordot(values, WEIGHTS, axes=(1, 0)))
    return np.asarray(FOOT + WEIGHTS.sum() * values.reshape(-1, *values.shape[-2:]))


def luma_psnr(sharp: NDArray[Any], estimate: NDArray[Any], border: Whole) -> float:
    """Return the mean PSNR of Y over images in dB, without a border as wide as the scale."""
    check_arguments(luma_psnr, locals())
    a, b = _compared(sharp, estimate, border, 1)
    return psnr(a, b, PEAK)


def luma_ssim(sharp: NDArray[Any], estimate: NDArray[Any], border: Whole) -> float:
    """Return the mean SSIM of Y over images, with the parameters of `luma_psnr`."""
    check_arguments(luma_ssim, locals())
    a, b = _compared(sharp, estimate, border, WINDOW)
    return ssim(a, b, PEAK)


def luma_lattice(images: NDArray[Any], period: Several) -> float:
    """Return by how many dB Y's power at a lattice's frequencies exceeds that beside them.

    10 log₁₀ Σ P(u, v) / Σ P̄(u, v) with P the power spectrum of Y under a Hann window, u and v over
    the harmonics j / period of a lattice that repeats after ``period`` pixels down and across,
    and P̄ the mean of P three and four bins to either side. Photographs have some 0 dB; sub-pixel
    and transposed convolutions draw such lattices ([3]_).

    Raises InputError for images of fewer than 16 periods a side, where bins are too few.

    References
    ----------
    .. [3] A. Odena, V. Dumoulin, C. Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016.
    """
    check_arguments(luma_lattice, locals())
    height, width = (side - side % period for side in images.shape[-2:])
    if min(height, width) < LEAST_PERIODS * period:
        raise InputError(
            f"images of {images.shape[-2:]} pixels are too small to show a lattice of period "
            f"{period}; give sides of at least {LEAST_PERIODS * period}"
        )
    y = luma(images[..., :height, :width])
    on, beside = 0.0, 0.0
    for lines in (y, y.swapaxes(1, 2)):
        n = lines.shape[1]
        window = np.hanning(n + 1)[:-1, None]
        power = np.square(np.abs(np.fft.rfft((lines - lines.mean()) * window, axis=1)))
        at = np.arange(1, period // 2 + 1) * (n // period)
        on += power[:, at].sum()
        off = [(at + k) % n for k in (-4, -3, 3, 4)]
        beside += sum(power[:, np.minimum(k, n - k)].sum() for k in off) / len(off)
    return float(10 * np.log10(on / beside))


def _compared(
    sharp: NDArray[Any], estimate: NDArray[Any], border: int, least: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if sharp.shape != estimate.shape:
        raise InputError(f"images of shapes {sharp.shape} and {estimate.shape} cannot be compared")
    if min(sharp.shape[-2:]) < 2 * border + least:
        raise InputError(
            f"images of {sharp.shape[-2:]} pixels are too small to be compared without {border} at "
            f"each border; give sides of at least {2 * border + least}"
        )
    height, width = sharp.shape[-2:]
    inner = (..., slice(border, height - border), slice(border, width - border))
    return luma(sharp)[inner], luma(estimate)[inner]
