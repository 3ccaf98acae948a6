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
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from latentia.data.degrade import enlarged, resized
from latentia.models.translation.base import MOST_PIXELS, Translator
from latentia.models.translation.super_resolution import SuperResolution
from latentia.models.translation.tiles import Image, Tiles, in_bands

Bands = Iterator[NDArray[np.float32]]
Watch = Callable[[float], None]
LUMA = np.array([0.299, 0.587, 0.114], np.float32)[:, None, None]
"""Y of a JPEG file's YCbCr, and Pillow's grey (ITU-R BT.601)."""
UPSCALED_TILE = 256
"""Side in small pixels of an upscaler's tiles: some 10 kB a pixel inside the net."""
TRANSLATED_TILE = 1024
"""Side of a translator's tiles: some 1 kB a pixel."""


def upscaled(
    model: SuperResolution,
    pixels: Image,
    tile: int | None,
    overlap: int | None,
    watch: Watch,
) -> Bands:
    """Yield a picture's enlargement, in the channels that the picture has.

    Parameters
    ----------
    model
        A fitted model of 1 or 3 channels.
    pixels
        The picture.
    tile, overlap
        As in the model's ``transform``; without a tile, 256 pixels.
    watch
        Told the share that is done after each tile.

    Raises
    ------
    InputError
        For an overlap as large as the tile.
    """
    tiles = model.tiles(UPSCALED_TILE if tile is None else tile, overlap)
    enlarge = _keeping_channels(model, len(pixels))
    return in_bands(_watched(enlarge, tiles, pixels, watch), pixels, tiles)


def translated(
    model: Translator,
    pixels: Image,
    tile: int | None,
    overlap: int | None,
    watch: Watch,
    *,
    reverse: bool = False,
) -> Bands:
    """Yield a picture's translation at the picture's own size.

    A picture smaller than those of ``fit`` is continued to their size by reflection; one of more
    than 1,024² pixels is translated in tiles.

    Parameters
    ----------
    model
        A fitted model of 1 or 3 channels on each side.
    pixels
        The picture.
    tile, overlap
        Side of the tiles, and the pixels that they share: without them 1,024 and a quarter.
    watch
        Told the share that is done after each tile.
    reverse
        Translate back, by ``inverse_transform``.

    Raises
    ------
    InputError
        For an overlap as large as the tile.
    """
    height, width = pixels.shape[-2:]
    if tile is None and height * width <= MOST_PIXELS:
        tile, overlap = max(2, height, width), 0
    side = TRANSLATED_TILE if tile is None else tile
    shared = side // 4 if overlap is None else overlap
    tiles = Tiles(side, shared, reach=shared // 4)

    def translate(piece: Image) -> Image:
        return whole(model, piece, reverse=reverse)

    return in_bands(_watched(translate, tiles, pixels, watch), pixels, tiles)


def whole(model: Translator, pixels: Image, *, reverse: bool = False) -> Image:
    """Return a picture translated at once, at its own size."""
    height, width = pixels.shape[-2:]
    missing = [max(0, least - side) for least, side in zip(model.fitted_size, (height, width))]
    margins = [(0, 0), *((gap // 2, gap - gap // 2) for gap in missing)]
    x = np.pad(_floats(pixels), margins, mode="reflect")
    y = at_its_size(model, x, reverse=reverse)
    top, left = margins[1][0], margins[2][0]
    return y[:, top : top + height, left : left + width]


def at_fitted_size(model: Translator, pixels: Image, *, reverse: bool = False) -> Image:
    """Return a picture resized to the size of ``fit``, translated, and resized back."""
    small = resized(_floats(pixels), *model.fitted_size)
    y = at_its_size(model, small, reverse=reverse)
    return resized(y, *pixels.shape[-2:])


def at_its_size(model: Translator, x: Image, *, reverse: bool) -> Image:
    """Return a picture in [0, 1] translated, in the channels of the model's results."""
    given = model.output_shape_ if reverse else model.data_shape_
    n_wanted = given[0] if len(given) == 3 else 1
    if len(x) != n_wanted:
        x = _luma(x) if n_wanted == 1 else np.repeat(x, n_wanted, axis=0)
    twin = model.at_size(*x.shape[-2:])
    images = x[None] if len(given) == 3 else x
    y = twin.inverse_transform(images) if reverse else twin.transform(images)
    found: Image = y.reshape(-1, *x.shape[-2:])
    return found


def behind_transparency(pixels: Image, alpha: NDArray[np.uint8]) -> Image:
    """Return a picture whose unseen pixels have the colours of the nearest seen ones.

    Else what a file happens to hold there would bleed into the seen ones.
    """
    if not (alpha == 0).any() or not alpha.any():
        return pixels
    nearest = distance_transform_edt(alpha == 0, return_distances=False, return_indices=True)
    return pixels[:, nearest[0], nearest[1]]


def _keeping_channels(model: SuperResolution, n: int) -> Callable[[Image], Image]:
    def one(x: Image) -> Image:
        return model.enlarge_one(_floats(x))

    def grey(x: Image) -> Image:
        return _luma(one(np.repeat(x, model.n_channels, axis=0)))

    def by_luma(x: Image) -> Image:
        # Adding to R, G and B alike changes Y and leaves Cb and Cr, which are of B − Y and R − Y.
        bicubic = enlarged(_floats(x), model.scale)
        large: Image = bicubic + (one(_luma(_floats(x))) - _luma(bicubic))
        return large

    if n == model.n_channels:
        return one
    return grey if n == 1 else by_luma


def _watched(
    function: Callable[[Image], Image], tiles: Tiles, pixels: Image, watch: Watch
) -> Callable[[Image], Image]:
    n_tiles, done = tiles.count(*pixels.shape[-2:]), 0

    def told(piece: Image) -> Image:
        nonlocal done
        found = function(piece)
        done += 1
        watch(done / n_tiles)
        return found

    return told


def _floats(pixels: Image) -> NDArray[Any]:
    if pixels.dtype.kind == "f":
        return pixels
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)


def _luma(x: Image) -> Image:
    y: Image = (x * LUMA).sum(axis=0, keepdims=True)
    return y
