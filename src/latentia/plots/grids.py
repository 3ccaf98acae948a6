"""Pictures of many images: a tiled grid, or labelled rows.

Images are (n, H, W) or (n, C, H, W) with 1 or 3 channels, uint8 or floats in [0, 1]; pictures are
(H, W, 3) uint8.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentia.errors import InputError
from latentia.files import write_atomically

TILE_PIXELS = 56
WHITE = 255
DPI = 110
DRAWABLE = (1, 3)
"""How many channels a picture may have."""
LABEL_MARGIN = 6


def tile(
    images: NDArray[Any], n_columns: int, padding: int = 2, scale: int | None = None
) -> NDArray[np.uint8]:
    """Return images side by side in rows, small ones enlarged by a whole factor.

    Values outside [0, 1] are clipped and what is not a number is black.
    """
    shown = _as_rgb(images)
    n_columns = min(n_columns, len(shown))
    factor = scale or max(1, round(TILE_PIXELS / max(shown.shape[1:3])))
    shown = shown.repeat(factor, axis=1).repeat(factor, axis=2)
    n, height, width, _ = shown.shape
    n_rows = -(-n // n_columns)
    cell_height, cell_width = height + padding, width + padding
    shape = (n_rows * cell_height + padding, n_columns * cell_width + padding, 3)
    picture = np.full(shape, WHITE, np.uint8)
    for index, image in enumerate(shown):
        top = padding + index // n_columns * cell_height
        left = padding + index % n_columns * cell_width
        picture[top : top + height, left : left + width] = image
    return picture


def is_drawable(shape: Sequence[int]) -> bool:
    """Return whether data of this shape, (n, ...), are images that can be shown."""
    return len(shape) == 3 or (len(shape) == 4 and shape[1] in DRAWABLE)


def thumbnails(images: NDArray[Any]) -> tuple[bytes, ...]:
    """Return each image as a PNG of its own size, grey ones in one channel."""
    grey = images.ndim == 3 or images.shape[1] == 1
    shown = _as_rgb(images)
    return tuple(png(image[:, :, 0] if grey else image) for image in shown)


def _as_rgb(images: NDArray[Any]) -> NDArray[np.uint8]:
    x = images[:, None] if images.ndim == 3 else images
    if not is_drawable(x.shape):
        raise InputError(
            f"pictures need 1 or 3 channels; these images have shape {images.shape[1:]}"
        )
    if not len(x):
        raise InputError("a picture needs at least one image")
    if x.dtype != np.uint8 and x.dtype.kind in "iu" and x.max() > 1:
        raise InputError(f"pictures need uint8, or floats in [0, 1]; these images are {x.dtype}")
    if x.dtype != np.uint8:
        x = np.rint(np.nan_to_num(x).clip(0, 1) * 255).astype(np.uint8)
    return np.moveaxis(np.repeat(x, 3 // x.shape[1], axis=1), 1, 3)


def rows(labelled: Sequence[tuple[str, NDArray[Any]]]) -> NDArray[np.uint8]:
    """Return one row of images for each label, the label to the left (it may be Korean)."""
    strips = [tile(images, n_columns=len(images)) for _, images in labelled]
    label_width = max(_label(text, 40).shape[1] for text, _ in labelled)
    parts = []
    for (text, _), strip in zip(labelled, strips, strict=True):
        margin = np.full((strip.shape[0], label_width, 3), WHITE, np.uint8)
        label = _label(text, strip.shape[0])
        margin[:, : label.shape[1]] = label
        parts.append(np.concatenate([margin, strip], axis=1))
    width = max(part.shape[1] for part in parts)
    missing = [((0, 0), (0, width - part.shape[1]), (0, 0)) for part in parts]
    return np.concatenate([np.pad(p, m, constant_values=WHITE) for p, m in zip(parts, missing)])


def _label(text: str, height: int) -> NDArray[np.uint8]:
    # matplotlib draws the letters, and is loaded for them alone.
    from latentia.plots.style import new_figure, style

    with style():
        figure = new_figure(1, height / DPI)
        drawn = figure.text(0, 0.5, text, va="center", fontsize=9)
        width = drawn.get_window_extent(dpi=DPI).width + 2 * LABEL_MARGIN
        figure.set_size_inches(width / DPI, height / DPI)
        drawn.set_x(LABEL_MARGIN / width)
        stream = BytesIO()
        figure.savefig(stream, format="png", dpi=DPI)
    picture = np.asarray(Image.open(stream).convert("RGB"))
    fitted = np.full((height, picture.shape[1], 3), WHITE, np.uint8)
    fitted[: min(height, picture.shape[0])] = picture[:height]
    return fitted


def png(picture: NDArray[np.uint8]) -> bytes:
    """Return a picture as PNG."""
    stream = BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def save_png(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write a picture, whole or not at all."""
    write_atomically(path, png(picture))
