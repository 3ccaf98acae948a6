"""Pairs of images that are made here, of any images: KIND:DATA, where DATA is a name or a path.

    edges:DATA          outlines → the image; a named set alone means this too
    sketch:DATA         thin lines, as a pen would draw them → the image; for photographs
    grey:DATA           the image in grey, as grey files have it and `translate` shows it (luma) →
                        the colour image
    noisy:DATA          the image with Gaussian noise → the image
    holes:DATA          the image with a grey square cut out somewhere → the image
    moving:DATA         four frames of two images that bounce about → the frame that follows

Noise and holes are functions of the seed, and a picture's are the same in every epoch.

Shapes: images are (n, H, W) or (n, C, H, W), uint8 or floats in [0, 1]; pairs are uint8.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from latentia.data import named
from latentia.data.dataset import Array, Dataset, ImageSize
from latentia.data.degrade import enlarged
from latentia.data.lab import luma
from latentia.data.moving_digits import moving_digits
from latentia.errors import InputError

FAINTEST, EDGE = 0.06, 0.3
"""Steps between neighbours, of values in [0, 1]: never an outline below, always one above."""
DRAWN = 0.12
"""The share of a soft picture's pixels, the steepest ones, that become outlines."""
PEN = (0.10, 0.25)
"""The shares of a picture's steepest pixels that begin a line of a sketch, that go on with it."""
SHORTEST_LINE = 8
SKETCHED_AT_ONCE = 500
IN_ONE_PICTURE = np.stack([np.zeros((3, 3)), np.ones((3, 3)), np.zeros((3, 3))])
"""Pixels of (n, H, W) that touch: eight in their own picture, none in another."""
SOFTENED = 64
"""A sketch leaves out what is finer than a pixel of a picture with sides this long."""
NOISE = 0.2
"""Standard deviation of the noise, of values in [0, 1]."""
HOLE = 1 / 3
"""Side of a hole, of the image's shorter side."""
HOLE_GREY = 128
N_SEEN, N_FILMS = 4, 4000
SMALL_DIGIT = 16
"""Digits under this many pixels are enlarged to it at least; a frame is twice as wide as one."""


def made_pairs(
    kind: str, data_spec: str, random_state: int = 0, image_size: ImageSize = None
) -> tuple[Dataset, Array, Array]:
    """Return the inputs as a data set, and the targets of its two parts.

    Parameters
    ----------
    kind
        One of `KINDS`.
    data_spec
        What `latentia.load_data` takes.
    random_state
        Of the held-out tenth, where the data have no test part, and of noise, holes and films.
    image_size
        What pictures are resized to, as for `latentia.data.load`.
    """
    data = named.load(data_spec, random_state=random_state, image_size=image_size)
    if data.x_train.ndim < 3:
        raise InputError(f"{data.name} is a table; pairs are of images")
    make, words = KINDS[kind]
    x_train, y_train = make(as_bytes(data.x_train), np.random.default_rng([random_state, 0]))
    x_test, y_test = make(as_bytes(data.x_test), np.random.default_rng([random_state, 1]))
    name = f"{words} {data.name}"
    inputs = Dataset(
        name=name,
        x_train=x_train,
        y_train=None,
        x_test=x_test,
        y_test=None,
        spec=f"{kind}:{data.spec}",
        description=data.description,
        origin=data.origin,
        licence=data.licence,
        notes=(*data.notes, f"The inputs are {name}, made here."),
        own_test=data.own_test,
    )
    return inputs, y_train, y_test


def as_bytes(images: Array) -> Array:
    """Return uint8 images as they are, and floats in [0, 1] as uint8."""
    if images.dtype == np.uint8:
        return np.asarray(images)
    return np.asarray(np.rint(np.asarray(images).clip(0, 1) * 255), np.uint8)


def outlines(x: Array) -> Array:
    """Return (n, H, W) uint8 images, white where a value differs from its left or upper neighbour.

    Differences of neighbours, unlike Sobel's wider ones, keep the lines one pixel thin. Steps in
    photographs are soft: where few of them reach `EDGE`, the picture's own steepest ones count.

    Examples
    --------
    >>> x = np.zeros((1, 5, 6))
    >>> x[:, :, 3:] = 1
    >>> outlines(x)[0, 2].tolist()
    [0, 0, 0, 255, 0, 0]
    """
    grey = unit_grey(x)
    across = np.diff(grey, axis=-1, prepend=grey[..., :1])
    down = np.diff(grey, axis=-2, prepend=grey[..., :1, :])
    step = np.hypot(across, down)
    least = np.quantile(step, 1 - DRAWN, axis=(-2, -1), keepdims=True).clip(FAINTEST, EDGE)
    return np.where(step > least, np.uint8(255), np.uint8(0))


def unit_grey(x: Array) -> Array:
    """Return (n, H, W) means over channels, in [0, 1], of uint8 or float images."""
    unit = x / 255 if x.dtype == np.uint8 else np.asarray(x)
    return unit.mean(axis=1) if unit.ndim == 4 else unit


def sketch(x: Array) -> Array:
    """Return (n, H, W) uint8 images, white on black lines one pixel thin, as a pen would draw them.

    A line runs where the blurred picture's slope is greatest across it; it begins at a picture's
    steepest pixels, goes on through less steep ones, and is left out where it is short.

    J. Canny, "A Computational Approach to Edge Detection", IEEE PAMI 8 (1986), sections VI to VIII.
    """
    blocks = np.split(x, range(SKETCHED_AT_ONCE, len(x), SKETCHED_AT_ONCE))
    drawn = np.concatenate([lines(unit_grey(part)) for part in blocks])
    return np.where(drawn, np.uint8(255), np.uint8(0))


def lines(grey: Array) -> NDArray[np.bool_]:
    """Return where the lines of the sketches of (n, H, W) pictures run."""
    blur = max(1.0, min(grey.shape[1:]) / SOFTENED)
    slope = [ndimage.gaussian_filter(grey, (0, blur, blur), (0, *way)) for way in ((1, 0), (0, 1))]
    step = np.hypot(*slope)
    begins, goes_on = np.quantile(step, 1 - np.array(PEN), axis=(1, 2), keepdims=True)
    pieces, n = ndimage.label(crests(step, slope, step > goes_on), IN_ONE_PICTURE)
    long, steep = (
        np.bincount(pieces[where].ravel(), minlength=n + 1) for where in (..., step > begins)
    )
    drawn = (long >= SHORTEST_LINE) & (steep > 0)
    drawn[0] = False
    return np.asarray(drawn[pieces])


def crests(step: Array, slope: list[Array], among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which pixels' steps are no less than a pixel uphill, and more than one downhill."""
    picture, *place = np.nonzero(among)
    here = step[among]
    uphill, downhill = (
        ndimage.map_coordinates(
            step,
            [
                picture,
                *(at + sign * part[among] / here for at, part in zip(place, slope, strict=True)),
            ],
            order=1,
            mode="nearest",
        )
        for sign in (1, -1)
    )
    found = among.copy()
    found[among] = (here >= uphill) & (here > downhill)
    return found


def noisy(x: Array, draw: np.random.Generator, noise: float = NOISE) -> Array:
    """Return uint8 images with Gaussian noise of a standard deviation for values in [0, 1]."""
    shifted = draw.standard_normal(x.shape, dtype=np.float32)
    shifted *= np.float32(255 * noise)
    shifted += x
    return np.asarray(np.rint(shifted.clip(0, 255)), np.uint8)


def holes(
    shape: tuple[int, ...], draw: np.random.Generator, share: float = HOLE
) -> NDArray[np.bool_]:
    """Return (n, H, W) masks of images (n, ..., H, W), each with one missing square wholly inside.

    The square's side is a share of the shorter side.

    Examples
    --------
    >>> masks = holes((2, 3, 9, 12), np.random.default_rng(0))
    >>> masks.shape, masks.sum(axis=(1, 2)).tolist()
    ((2, 9, 12), [9, 9])
    """
    n, height, width = shape[0], *shape[-2:]
    side = max(1, round(share * min(height, width)))
    down, right = (
        (np.arange(length) - draw.integers(length - side + 1, size=(n, 1)))
        for length in (height, width)
    )
    inside = [(place >= 0) & (place < side) for place in (down, right)]
    return inside[0][:, :, None] & inside[1][:, None, :]


def with_holes(x: Array, missing: NDArray[np.bool_]) -> Array:
    """Return uint8 images that are grey where (n, H, W) masks say that they are missing."""
    return np.where(missing if x.ndim == 3 else missing[:, None], np.uint8(HOLE_GREY), x)


def next_frames(
    digits: Array, draw: np.random.Generator, n_films: int = N_FILMS
) -> tuple[Array, Array]:
    """Return (n, 4, S, S) frames of two digits that move, and the (n, S, S) that follow.

    The (m, h, w) digits are enlarged by a whole factor if they are under 16 pixels.
    """
    large = enlarged_digits(digits)
    side = 2 * max(large.shape[1:])
    seed = int(draw.integers(2**32))
    films = moving_digits(large, n_films, N_SEEN + 1, side, seed=seed).frames
    return films[:, :N_SEEN], films[:, N_SEEN]


def enlarged_digits(digits: Array) -> Array:
    """Return images of any type as uint8, small ones enlarged by a whole factor to 16 pixels."""
    if digits.ndim != 3:
        raise InputError(f"moving digits are made of images (m, H, W), not {digits.shape}")
    return enlarged(as_bytes(digits), max(1, SMALL_DIGIT // max(digits.shape[1:])))


Maker = Callable[[Array, np.random.Generator], tuple[Array, Array]]


KINDS: dict[str, tuple[Maker, str]] = {
    "edges": (lambda x, _: (outlines(x), x), "outlines of"),
    "sketch": (lambda x, _: (sketch(x), x), "sketches of"),
    "grey": (lambda x, _: (as_bytes(luma(x)), x), "grey copies of"),
    "noisy": (lambda x, draw: (noisy(x, draw), x), "noisy copies of"),
    "holes": (lambda x, draw: (with_holes(x, holes(x.shape, draw)), x), "holes in"),
    "moving": (next_frames, "frames of moving"),
}
