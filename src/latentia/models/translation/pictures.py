"""Single pictures of any size and colour through a model of images, in bands from the top.

Channels are made to fit:

    grey picture, colour model        its grey in each channel; an upscaler's result is grey again
    colour picture, grey upscaler     Y by the model; Cb and Cr by bicubic interpolation, as the
                                      papers on super-resolution do
    colour picture, grey translator   Y = 0.299 R + 0.587 G + 0.114 B

so that an upscaler keeps a picture's kind, and a translator gives the kind that it was fitted on.

An upscaler looks a known way around (`SuperResolution.reach`), and its tiles are what the whole
picture gives; of the paper's net, after a short training, tiles that share 32 pixels rather than
twice the reach, 80, differ by 0.05/255.

A translator's net is convolutional and takes any size, but its norms take moments over all that
they see, and its inmost layers see hundreds of pixels: tiles differ from the whole picture
everywhere, and are blended. With a U-Net fitted on maps of 128 pixels, tiles of 512 that share a
quarter differ on a mosaic of photographs by 1/255 in the mean, 16/255 at most; the step at a cut is
under 0.1/255, and 7/255 with tiles of 256 that share nothing. `benchmarks/large_pictures.py` prints
such figures of any model.

Shapes: pixels are (C, H, W), uint8, uint16 or floats in [0, 1]; bands (C', h, s·W) float32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from latentia.data.degrade import enlarged, resized
from latentia.data.lab import luma
from latentia.models.translation.base import MOST_PIXELS, Translator
from latentia.models.translation.super_resolution import SuperResolution
from latentia.models.translation.tiles import Image, Tiles, in_bands

Bands = Iterator[NDArray[np.float32]]
Watch = Callable[[float], None]
"""Told the share that is done after each tile."""
UPSCALED_TILE = 256
"""Side in small pixels of an upscaler's tiles: some 10 kB a pixel inside the net."""
TRANSLATED_TILE = 1024
"""Side of a translator's tiles: some 1 kB a pixel."""


def upscaled(
    model: SuperResolution, pixels: Image, tile: int | None, overlap: int | None, watch: Watch
) -> Bands:
    """Yield a picture's enlargement by a model of 1 or 3 channels, in the picture's channels.

    ``tile`` and ``overlap`` are as in the model's ``transform``; without a tile, 256 pixels.
    """
    tiles = model.tiles(UPSCALED_TILE if tile is None else tile, overlap)
    return _bands(lambda piece: _enlarged(model, piece), pixels, tiles, watch)


def translated(
    model: Translator,
    pixels: Image,
    tile: int | None,
    overlap: int | None,
    watch: Watch,
    *,
    reverse: bool = False,
) -> Bands:
    """Yield a picture's translation at its own size, by a model of 1 or 3 channels on each side.

    A picture smaller than those of ``fit`` is continued to their size by reflection; one of more
    than 1,024² pixels is translated in tiles of that side that share a quarter, or as ``tile`` and
    ``overlap`` say. ``reverse`` translates back, by ``inverse_transform``.
    """
    height, width = pixels.shape[-2:]
    if tile is None and height * width <= MOST_PIXELS:
        tile, overlap = max(2, height, width), 0
    side = TRANSLATED_TILE if tile is None else tile
    shared = side // 4 if overlap is None else overlap
    tiles = Tiles(side, shared, reach=shared // 4)
    return _bands(lambda piece: whole(model, piece, reverse=reverse), pixels, tiles, watch)


def whole(model: Translator, pixels: Image, *, reverse: bool = False) -> Image:
    """Return a picture translated at once, at its own size."""
    size = pixels.shape[-2:]
    missing = [max(0, least - side) for least, side in zip(model.data_shape_[-2:], size)]
    margins = [(0, 0), *((gap // 2, gap - gap // 2) for gap in missing)]
    y = _translated(model, np.pad(_floats(pixels), margins, mode="reflect"), reverse=reverse)
    top, left = margins[1][0], margins[2][0]
    return y[:, top : top + size[0], left : left + size[1]]


def at_fitted_size(model: Translator, pixels: Image, *, reverse: bool = False) -> Image:
    """Return a picture resized to the size of ``fit``, translated, and resized back."""
    small = resized(_floats(pixels), *model.data_shape_[-2:])
    return resized(_translated(model, small, reverse=reverse), *pixels.shape[-2:])


def behind_transparency(pixels: Image, alpha: NDArray[np.uint8]) -> Image:
    """Return a picture whose unseen pixels have the colours of the nearest seen ones.

    Else what a file happens to hold there would bleed into the seen ones.
    """
    if not (alpha == 0).any() or not alpha.any():
        return pixels
    nearest = distance_transform_edt(alpha == 0, return_distances=False, return_indices=True)
    return pixels[:, nearest[0], nearest[1]]


def _translated(model: Translator, x: Image, *, reverse: bool) -> Image:
    """Return a picture in [0, 1] of any size translated, in the channels of the result.

    The nets are convolutions and take any size; how far the result can be trusted away from the
    size of ``fit`` is for the eye to judge.
    """
    given = model.output_shape_ if reverse else model.data_shape_
    x = _in_channels(x, given[0] if len(given) == 3 else 1)
    y: Image = model.apply("translate_back" if reverse else "translate", x[None])[0]
    return y


def _enlarged(model: SuperResolution, pixels: Image) -> Image:
    """Return a picture in any kind of pixels enlarged, in its own channels."""
    x = _floats(pixels)
    large = model.enlarge_one(_in_channels(x, model.n_channels))
    if len(x) == model.n_channels:
        return large
    if len(x) == 1:
        return _luma(large)
    # Adding to R, G and B alike changes Y and leaves Cb and Cr, which are of B − Y and R − Y.
    bicubic = enlarged(x, model.scale)
    both: Image = bicubic + (large - _luma(bicubic))
    return both


def _bands(change: Callable[[Image], Image], pixels: Image, tiles: Tiles, watch: Watch) -> Bands:
    numbers, n_tiles = count(1), tiles.count(*pixels.shape[-2:])

    def watched(piece: Image) -> Image:
        found = change(piece)
        watch(next(numbers) / n_tiles)
        return found

    return in_bands(watched, pixels, tiles)


def _floats(pixels: Image) -> NDArray[Any]:
    if pixels.dtype.kind == "f":
        return pixels
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)


def _in_channels(x: Image, n: int) -> Image:
    """Return a picture of n channels: its luma in each, or as it is."""
    if len(x) == n:
        return x
    return _luma(x) if n == 1 else np.repeat(x, n, axis=0)


def _luma(x: Image) -> Image:
    return luma(x)[None]
