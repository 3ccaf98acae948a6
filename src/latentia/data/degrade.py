"""From sharp images to small ones and back, by Pillow's antialiased bicubic resampling.

    small = (k_s * sharp) at every s-th place,   k_s(t) = k(t / s) / s
    k(t) = (3|t|³ − 5|t|² + 2) / 2               for |t| < 1                  ([1]_ eq. 4, a = −1/2)
         = (−|t|³ + 5|t|² − 8|t| + 4) / 2        for 1 ≤ |t| < 2

along rows, then along columns, with weights that sum to 1 at the borders too. A kernel that is
widened with the scale is what the literature on super-resolution means by bicubic; without it (no
antialiasing) the small image differs, and published figures cannot be compared.

Shapes: images are (n, H, W) or (n, C, H, W), uint8 or floats in [0, 1]. Floats become float32;
uint8 stays uint8 and is what the floats give, rounded once. Pillow itself rounds and clips bytes
between its two passes, which gives another image: by a level where it is made smaller, by up to 11
where it is enlarged and overshoots.

References
----------
.. [1] R. Keys, "Cubic Convolution Interpolation for Digital Image Processing", IEEE Transactions on
   Acoustics, Speech, and Signal Processing 29, 1981.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentia.errors import Count, InputError, check_arguments

Images = NDArray[Any]


def cut_to_multiple(images: Images, scale: int) -> Images:
    """Return images without the last rows and columns that do not fill a multiple of the scale.

    >>> cut_to_multiple(np.zeros((2, 9, 11)), 4).shape
    (2, 8, 8)
    """
    height, width = (side - side % scale for side in images.shape[-2:])
    return images[..., :height, :width]


def degraded(images: Images, scale: Count) -> Images:
    """Return images smaller by the scale, after `cut_to_multiple`."""
    check_arguments(degraded, locals())
    whole = cut_to_multiple(images, scale)
    if min(whole.shape[-2:]) == 0:
        raise InputError(
            f"images of {images.shape[-2:]} pixels cannot be made {scale} times smaller; give "
            f"sides of at least {scale} pixels"
        )
    return resized(whole, whole.shape[-2] // scale, whole.shape[-1] // scale)


def enlarged(images: Images, scale: Count) -> Images:
    """Return images larger by the scale; floats are clipped to [0, 1], as uint8 is to 0–255."""
    check_arguments(enlarged, locals())
    return resized(images, images.shape[-2] * scale, images.shape[-1] * scale)


def resized(images: Images, height: int, width: int) -> Images:
    """Return images resampled to a size, each channel by itself, and clipped."""
    is_bytes = images.dtype == np.uint8
    planes = images.reshape(-1, *images.shape[-2:])
    out = np.empty((len(planes), height, width), np.uint8 if is_bytes else np.float32)
    for place, plane in enumerate(planes):
        image = Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
        found = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))
        out[place] = np.rint(found).clip(0, 255) if is_bytes else found.clip(0, 1)
    return out.reshape(*images.shape[:-2], height, width)


def pieces_of(
    picture: Images, number: int, side: int, coverage: float, random_state: int
) -> list[Images]:
    """Return square pieces of a picture, cut out at places that depend on its number and the seed.

    Parameters
    ----------
    picture
        (H, W) or (C, H, W); with a side shorter than ``side`` it gives nothing.
    number
        Of the picture among others.
    side
        Of the pieces, in pixels.
    coverage
        Pixels of the pieces, in multiples of the picture's: ⌈coverage · H · W / side²⌉ pieces.
    random_state
        Of the places.
    """
    height, width = picture.shape[-2:]
    n = n_pieces(width, height, side, coverage)
    if not n:
        return []
    draw = np.random.default_rng([random_state, number])
    tops = draw.integers(height - side + 1, size=n)
    lefts = draw.integers(width - side + 1, size=n)
    return [picture[..., t : t + side, c : c + side] for t, c in zip(tops, lefts)]


def n_pieces(width: int, height: int, side: int, coverage: float) -> int:
    """Return how many pieces a picture gives: none if one of its sides is too short."""
    covered = int(np.ceil(coverage * height * width / side**2))
    return covered if min(width, height) >= side else 0
