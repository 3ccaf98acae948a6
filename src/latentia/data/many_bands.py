"""TIFFs of more than Pillow reads: any number of channels, sixteen bits each, by ``tifffile``.

    bytes           stay bytes
    16 bits         out of 65535, as float32
    floats          in [0, 1], as they are

Other values are refused, since no file says what is white.
"""

from __future__ import annotations

import importlib
import logging
import math
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.data.archives import Place
from latentia.data.dataset import Array
from latentia.data.limits import excess

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
WHITE = 65535
DAMAGE = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    AttributeError,
)
"""What ``tifffile`` raises on files that are damaged, or of a kind that it does not know."""
CHANNELS = "SCQ"
"""Axes that are channels: samples, channels, and the first of a plain array that was saved."""
NAMED = "SC"
"""Those of them that a file calls so."""
PILLOWS = {"RGB": 3, "YCBCR": 3, "SEPARATED": 4, "CIELAB": 3, "MINISBLACK": 1, "MINISWHITE": 1}
"""Bytes in a pixel, beside transparency, of the kinds that Pillow reads."""
NEEDED = "pip install 'latentia[tiff]' reads all of it"


class BadImageError(Exception):
    """A file that is not a usable picture; the message says why."""


def is_tiff(path: Place) -> bool:
    """Return whether a file begins as a TIFF does."""
    with path.open("rb") as stream:
        return stream.read(4) in MAGIC


def reader() -> Any:
    """Return ``tifffile``, or None if it is not installed."""
    if not find_spec("tifffile"):
        return None
    # What it tells of a damaged file is told by us.
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    return importlib.import_module("tifffile")


def has_many_bands(path: Place) -> bool:
    """Return whether a file is a TIFF that Pillow would read in part, and ``tifffile`` whole."""
    try:
        if not is_tiff(path) or reader() is None:
            return False
        with path.open("rb") as stream, reader().TiffFile(stream) as file:
            page, series = file.pages[0], file.series[0]
            n_channels = _n_channels(series)
            if n_channels == 1:
                return False
            alpha = sum(kind in (1, 2) for kind in page.extrasamples)
            pillows = PILLOWS.get(getattr(page.photometric, "name", ""), 0)
            return bool(series.dtype != np.uint8 or n_channels != pillows + alpha)
    except DAMAGE:
        return False


def read_bands(path: Place) -> tuple[Array, tuple[str, ...]]:
    """Return all channels of a TIFF, (C, H, W) uint8 or float32 in [0, 1], and notes.

    Raises
    ------
    BadImageError
        If it is damaged, compressed in an unknown way, too large, or holds other values than above.
    """
    values, axes = _values(path)
    return _unit(_channels_first(values, axes)), _notes(values.shape, axes)


def read_pages(path: Place) -> Array:
    """Return every page of a TIFF, (n, H, W) or (n, C, H, W), with values as `read_bands` does.

    Whatever is no channel by its name, such as time or depth, is of pages.
    """
    values, axes = _values(path)
    channels = [place for place, axis in enumerate(axes) if axis in NAMED]
    pages = [place for place, axis in enumerate(axes) if axis not in f"{NAMED}YX"]
    order = [*pages, *channels, axes.index("Y"), axes.index("X")]
    n_channels = math.prod(values.shape[place] for place in channels)
    height, width = (values.shape[place] for place in order[-2:])
    found = _unit(values.transpose(order).reshape(-1, n_channels, height, width))
    return found[:, 0] if n_channels == 1 else found


def _values(path: Place) -> tuple[NDArray[Any], str]:
    """Return all values of a TIFF, and what each axis is."""
    with path.open("rb") as stream, reader().TiffFile(stream) as file:
        series = file.series[0]
        if too_many := excess(series.nbytes):
            raise BadImageError(f"it has shape {series.shape} and {too_many}")
        try:
            return series.asarray(), series.axes
        except DAMAGE as error:
            words = " ".join(str(error).split())
            cure = "; pip install imagecodecs reads it" if "imagecodecs" in words else ""
            raise BadImageError(f"it cannot be read: {words:.120}{cure}") from None


def size_of_bands(path: Place) -> tuple[int, int]:
    """Return the (width, height) of such a TIFF."""
    with path.open("rb") as stream, reader().TiffFile(stream) as file:
        series = file.series[0]
        size = dict(zip(series.axes, series.shape))
        return size["X"], size["Y"]


def _n_channels(series: Any) -> int:
    return math.prod(n for axis, n in zip(series.axes, series.shape) if axis in CHANNELS)


def _channels_first(values: NDArray[Any], axes: str) -> NDArray[Any]:
    """Return (C, H, W) of an array with named axes, the first of what has others."""
    for place in reversed(range(len(axes))):
        if axes[place] not in f"{CHANNELS}YX":
            values, axes = values.take(0, axis=place), axes[:place] + axes[place + 1 :]
    order = [place for place, axis in enumerate(axes) if axis in CHANNELS]
    order += [axes.index("Y"), axes.index("X")]
    return values.transpose(order).reshape(-1, values.shape[order[-2]], values.shape[order[-1]])


def _notes(shape: tuple[int, ...], axes: str) -> tuple[str, ...]:
    others = [n for axis, n in zip(axes, shape) if axis not in f"{CHANNELS}YX" and n > 1]
    n_channels = math.prod(n for axis, n in zip(axes, shape) if axis in CHANNELS)
    stack = (f"only the first of its {math.prod(others)} pages was used",) if others else ()
    pages = (f"its {n_channels} pages were taken for channels",) if "Q" in axes else ()
    return (*stack, *pages)


def _unit(pixels: NDArray[Any]) -> Array:
    """Return bytes as they are, other values in [0, 1]; refuse what the rule does not know."""
    if pixels.dtype == np.uint8:
        return pixels
    white = WHITE if pixels.dtype == np.uint16 else 1
    low, high = pixels.min(), pixels.max()
    if pixels.dtype.kind not in "fu" or not (low >= 0 and high <= white):
        raise BadImageError(
            f"its {pixels.dtype} values span {low:.6g} to {high:.6g}; what is white is known of "
            "bytes, 16 bits, and floats in [0, 1] only"
        )
    return pixels.astype(np.float32) / np.float32(white)
