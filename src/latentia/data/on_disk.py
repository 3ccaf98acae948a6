"""Pictures larger than memory: each is decoded once, and kept in a temporary file.

The file has no name and is gone when nothing reads from it any more; it lies where ``TMPDIR`` says.
Rows of it are read as they are needed, and the system keeps those that memory has room for.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from latentia.data import images
from latentia.data.archives import Place
from latentia.data.dataset import Array
from latentia.data.folders import read_all
from latentia.data.framing import Frame
from latentia.data.limits import excess, size
from latentia.errors import InputError

LOOKED_AT = 64
"""Pictures whose headers tell whether a folder's are grey."""


class Kept(NamedTuple):
    """Decoded pictures in a file, and which of the files they are."""

    x: Array
    """(n, H, W) or (n, 3, H, W) bytes, a memory map."""
    good: list[tuple[Place, tuple[str, ...]]]
    """Each picture with notes on it."""
    bad: list[tuple[Place, str]]


def are_too_many(files: Sequence[Place], height: int, width: int) -> bool:
    """Return whether pictures in a folder would take more memory than the limit.

    What an archive unpacks to is never written to a disk.
    """
    n_values = len(files) * height * width
    if not excess(3 * n_values) or not all(isinstance(path, Path) for path in files):
        return False
    some = files[:: -(-len(files) // LOOKED_AT)]
    return bool(excess(n_values)) or not all(map(images.is_grey_file, some))


def keep(files: Sequence[Place], frame: Frame | None, height: int, width: int, owner: str) -> Kept:
    """Return pictures of one size, or brought to one, in a temporary file.

    Raises
    ------
    InputError
        If the disk has no room for them.
    """
    shape = (len(files), 3, height, width)
    n_bytes, free = int(np.prod(shape)), shutil.disk_usage(tempfile.gettempdir()).free
    if n_bytes > free:
        raise InputError(
            f"{owner} take {size(n_bytes)}, and {tempfile.gettempdir()} has {size(free)} left: set "
            "TMPDIR to a folder with more, or choose a smaller --image-size"
        )
    with tempfile.TemporaryFile() as file:
        x = np.memmap(file, np.uint8, "w+", shape=shape)

    def put(row: int, path: Place) -> tuple[tuple[str, ...], bool]:
        pixels, notes = images.read(path, frame)
        if pixels.shape[-2:] != (height, width):
            raise images.BadImageError(f"it has {pixels.shape[-1]}×{pixels.shape[-2]} pixels")
        x[row] = pixels
        return notes, pixels.ndim == 2

    read, failed = read_all(list(enumerate(files)), lambda pair, _: put(*pair), owner)
    for place, ((row, _), _) in enumerate(read):
        if place < row:
            x[place] = x[row]
    kept = x[: len(read)]
    good = [(path, notes) for (_, path), (notes, _) in read]
    grey = all(is_grey for _, (_, is_grey) in read)
    return Kept(kept[:, 0] if grey else kept, good, [(path, why) for (_, path), why in failed])
