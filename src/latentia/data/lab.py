"""Colours as CIELab: L, how light a colour is, and a, b, which colour it is.

    linear = c / 12.92                        for c ≤ 0.04045               (sRGB, IEC 61966-2-1)
           = ((c + 0.055) / 1.055)^2.4        above
    XYZ = M linear,   f(t) = t^(1/3)          for t > (6/29)³               (CIE 15, 2° observer)
                           = t / (3 (6/29)²) + 4/29     below
    L = 116 f(Y/Yn) − 16,   a = 500 (f(X/Xn) − f(Y/Yn)),   b = 200 (f(Y/Yn) − f(Z/Zn))

with (Xn, Yn, Zn) the white of daylight, D65. L runs from 0 to 100; of sRGB's colours a lies in
(−87, 99) and b in (−108, 95).

Shapes: colours are (..., 3, H, W), the channels third from the end.

References
----------
.. [1] CIE 15:2004, "Colorimetry", section 8.2.1.
.. [2] IEC 61966-2-1:1999, "Default RGB colour space - sRGB".
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.errors import InputError

Images = NDArray[Any]
TO_XYZ = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
WHITE = np.array([0.95047, 1.0, 1.08883])
TO_RGB = np.linalg.inv(TO_XYZ)
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
BEND = 6 / 29


def lab_of(images: Images) -> NDArray[np.float32]:
    """Return the L, a and b of sRGB images.

    Parameters
    ----------
    images
        (..., 3, H, W), uint8 or floats in [0, 1].

    Examples
    --------
    >>> [round(float(value), 1) for value in lab_of(np.array([[[1.0]], [[0]], [[0]]])).ravel()]
    [53.2, 80.1, 67.2]
    """
    check_colours(images)
    rgb = images / 255 if images.dtype == np.uint8 else np.asarray(images, np.float64)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    t = _mixed(TO_XYZ / WHITE[:, None], linear)
    f = np.where(t > BEND**3, np.cbrt(t), t / (3 * BEND**2) + 4 / 29)
    x, y, z = (f[..., i, :, :] for i in range(3))
    lab = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-3)
    return lab.astype(np.float32)


def rgb_of(lab: Images) -> NDArray[np.float32]:
    """Return the sRGB images in [0, 1] of L, a and b; colours that no screen shows are clipped.

    Examples
    --------
    >>> rgb = rgb_of(np.array([[[53.24]], [[80.09]], [[67.2]]]))
    >>> [round(float(value), 2) for value in rgb.ravel()]
    [1.0, 0.0, 0.0]
    """
    check_colours(lab)
    light, a, b = (np.asarray(lab[..., i, :, :], np.float64) for i in range(3))
    y = (light + 16) / 116
    f = np.stack([y + a / 500, y, y - b / 200], axis=-3)
    t = np.where(f > BEND, f**3, 3 * BEND**2 * (f - 4 / 29))
    linear = _mixed(TO_RGB * WHITE, t).clip(0, 1)
    rgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return rgb.clip(0, 1).astype(np.float32)


def lightness(images: Images) -> NDArray[np.float32]:
    """Return the L of sRGB images as grey images (..., H, W) in [0, 1]."""
    return lab_of(images)[..., 0, :, :] / np.float32(100)


def luma(images: Images) -> NDArray[np.float32]:
    """Return Y′ = 0.299 R + 0.587 G + 0.114 B of sRGB images, (..., H, W) in [0, 1].

    This is what grey files hold: Pillow's and libjpeg's grey, ITU-R BT.601. It is not the lightness
    L, which is 6/255 higher in the mean over photographs, and up to 60/255.
    """
    check_colours(images)
    y: NDArray[np.float32] = np.einsum("c,...chw->...hw", LUMA, images, dtype=np.float32)
    return y / np.float32(255) if images.dtype == np.uint8 else y


def check_colours(images: Images) -> None:
    """Refuse images without three channels."""
    if images.ndim < 3 or images.shape[-3] != 3:
        raise InputError(f"colours need images (n, 3, H, W); these have shape {images.shape}")


def _mixed(matrix: NDArray[np.float64], channels: NDArray[np.float64]) -> NDArray[np.float64]:
    mixed: NDArray[np.float64] = np.einsum("ij,...jhw->...ihw", matrix, channels)
    return mixed
