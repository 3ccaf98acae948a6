"""One picture file to one uint8 array, whatever its mode; or a sentence on what is wrong.

16-bit grey is scaled to 8 bits (a plain conversion would saturate), transparency is laid on white,
EXIF rotation is applied, palette and CMYK become RGB, the first frame of an animation is taken.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from latentia.data.dataset import Array

MOST_PIXELS = 64_000_000


class BadImageError(Exception):
    """A file that is not a usable picture; the message says why."""


def read(path: Path, side: int | None = None) -> tuple[Array, tuple[str, ...]]:
    """Return a picture as (H, W) or (3, H, W) uint8, and notes on what was converted.

    Parameters
    ----------
    path
        The file.
    side
        Resize so that the picture covers a square of this side, and crop its centre.

    Raises
    ------
    BadImageError
        If it is empty, truncated, not a picture, or has more than ``MOST_PIXELS``.
    """
    with opened(path) as (image, notes):
        return _pixels(_eight_bit(image), side), notes


@contextmanager
def opened(path: Path) -> Iterator[tuple[Image.Image, tuple[str, ...]]]:
    """Give a picture, loaded and upright in its own mode, and notes on what was left out.

    Raises
    ------
    BadImageError
        As `read` does, also for what goes wrong inside the ``with`` block.
    """
    if path.stat().st_size == 0:
        raise BadImageError("it has zero bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            # A stream, since Pillow maps a TIFF that it opens by name before it has turned it.
            with path.open("rb") as stream, Image.open(stream) as image:
                notes = _notes(image)
                image.load()
                yield ImageOps.exif_transpose(image), notes
    except UnidentifiedImageError:
        raise BadImageError("it is not an image") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadImageError(str(error)) from None


def _notes(image: Image.Image) -> tuple[str, ...]:
    if image.width * image.height > MOST_PIXELS:
        raise BadImageError(f"it has {image.width}×{image.height} pixels, over the limit")
    return ("only its first frame was used",) if getattr(image, "n_frames", 1) > 1 else ()


def upright(image: Image.Image) -> Array:
    """Return an opened picture as `read` does: (H, W) or (3, H, W) uint8, turned as EXIF says."""
    return _pixels(_eight_bit(ImageOps.exif_transpose(image)), None)


def _pixels(image: Image.Image, side: int | None) -> Array:
    if side is not None:
        image = ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
    pixels = np.asarray(image, dtype=np.uint8)
    return pixels if pixels.ndim == 2 else np.moveaxis(pixels, 2, 0)


def resized(pixels: Array, side: int | None) -> Array:
    """Return an (H, W) or (3, H, W) uint8 picture resized as `read` resizes; None leaves it."""
    if side is None:
        return pixels
    plain = pixels if pixels.ndim == 2 else np.moveaxis(pixels, 0, 2)
    return _pixels(Image.fromarray(np.ascontiguousarray(plain)), side)


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode == "F" or image.mode.startswith("I"):
        values = np.asarray(image, dtype=np.float64)
        top = 65535.0 if image.mode.startswith("I") else max(1.0, float(values.max()))
        return Image.fromarray(np.rint(values.clip(0, top) / top * 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        flat = Image.alpha_composite(white, layer)
        return flat.convert("L" if image.mode in ("LA", "La", "L") else "RGB")
    return image.convert("L" if image.mode in ("L", "1") else "RGB")
