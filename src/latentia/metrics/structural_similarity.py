"""Structural similarity of images.

    SSIM(x, y) = (2 μ_x μ_y + c₁)(2 σ_xy + c₂)
                 / ((μ_x² + μ_y² + c₁)(σ_x² + σ_y² + c₂))                        ([1]_ eq. 13)

with moments under a Gaussian window of 11×11 and σ 1.5, c₁ = (0.01 L)², c₂ = (0.03 L)² for values
that span L; the mean over all places that the window fits into, over channels, and over images.

Shapes: images are (n, H, W) or (n, C, H, W) floats in [0, L].

References
----------
.. [1] Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image Quality Assessment: From Error
   Visibility to Structural Similarity", IEEE Transactions on Image Processing 13, 2004, section
   III-C.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from latentia.errors import InputError, Positive, check_arguments

DEVIATION = 1.5
REACH = 5
"""Pixels that the window reaches from its centre: 11×11 in all."""
WINDOW = 2 * REACH + 1


def ssim(x: NDArray[Any], y: NDArray[Any], peak: Positive = 1.0) -> float:
    """Return the mean structural similarity of pairs of images, in float64: 1 for equal ones.

    Parameters
    ----------
    x, y
        Images of one shape, with sides of at least 11 pixels.
    peak
        L, what the values span.

    Examples
    --------
    >>> x = np.random.default_rng(0).random((2, 16, 16))
    >>> ssim(x, x), round(ssim(x, 1 - x), 2)
    (1.0, -0.97)
    """
    check_arguments(ssim, locals())
    return float(ssim_maps(x, y, peak).mean())


def ssim_maps(x: NDArray[Any], y: NDArray[Any], peak: Positive = 1.0) -> NDArray[np.float64]:
    """Return SSIM at each place that the window fits into, (..., H − 10, W − 10)."""
    check_arguments(ssim_maps, locals())
    if x.shape != y.shape:
        raise InputError(f"images of shapes {x.shape} and {y.shape} cannot be compared")
    if min(x.shape[-2:]) < WINDOW:
        raise InputError(f"SSIM needs sides of at least {WINDOW} pixels; these are {x.shape[-2:]}")
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    mean_a, mean_b = _windowed(a), _windowed(b)
    variance_a = _windowed(a * a) - mean_a**2
    variance_b = _windowed(b * b) - mean_b**2
    covariance = _windowed(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    alike = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    spread = (mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2)
    return np.asarray(alike / spread)


def _windowed(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Gaussian-weighted means over the windows that lie inside the image."""
    blurred: NDArray[np.float64] = gaussian_filter(x, DEVIATION, radius=REACH, axes=(-2, -1))
    return blurred[..., REACH:-REACH, REACH:-REACH]
