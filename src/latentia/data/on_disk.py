"""Pictures larger than memory: each is decoded once, and kept in a temporary file.

The file has no name and is gone when nothing reads from it any more; it lies where ``TMPDIR`` says.
Rows of it are read as they are needed, and the system keeps those that memory has room for. What
lies in archives and tables is decoded so too, and so are the frames of videos: only pixels come to
the disk, and never a member itself.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from latentia.data import images
from latentia.data.archives import Member, Place
from latentia.data.dataset import Array, ends
from latentia.data.folders import read_all
from latentia.data.frames import frames_of, is_video
from latentia.data.framing import Frame
from latentia.data.limits import excess, size
from latentia.errors import InputError

LOOKED_AT = 64
"""Pictures whose headers tell whether a folder's are grey."""
MOST_GROWTH = 1000
"""Times an archive's or a video's bytes that its pictures may take on the disk."""
MORE_FRAMES = "it holds more frames than it announces, which were left out"


class Kept(NamedTuple):
    """Decoded pictures in a file, and which of the files they are."""

    x: Array
    """(n, H, W) or (n, 3, H, W) bytes, a memory map."""
    good: list[tuple[Place, tuple[str, ...]]]
    """Each file with notes on it."""
    bad: list[tuple[Place, str]]
    runs: list[int]
    """How many pictures each file holds."""
    order: Array
    """(n,) for each row, which of the pictures it is, counted in the order of the files."""
    n_test: int = 0
    """Rows at the end that are the last frames of videos, if those were asked for."""


def are_too_many(files: Sequence[Place], counts: Sequence[int], height: int, width: int) -> bool:
    """Return whether pictures, so many of each file, are to be kept on the disk.

    That is, whether they would take more memory than the limit. An archive or a video that grows
    more than `MOST_GROWTH` times is not: it may be made to fill the disk, and memory refuses it.
    """
    n_values = sum(counts) * height * width
    if not excess(3 * n_values) or 3 * n_values > MOST_GROWTH * _n_packed(files, counts):
        return False
    some = files[:: -(-len(files) // LOOKED_AT)]
    return bool(excess(n_values)) or not all(map(images.is_grey_file, some))


def _n_packed(files: Sequence[Place], counts: Sequence[int]) -> float:
    """Return how many bytes the archives and videos have that files are of, if they are of such."""
    packs = {path.archive.path for path in files if isinstance(path, Member)}
    packs |= {p for p, n in zip(files, counts) if n > 1 and not isinstance(p, Member)}
    return sum(path.stat().st_size for path in packs) if packs else math.inf


def keep(
    files: Sequence[Place],
    counts: Sequence[int],
    frame: Frame | None,
    height: int,
    width: int,
    owner: str,
    *,
    ends_last: bool = False,
) -> Kept:
    """Return pictures of one size, or brought to one, in a temporary file.

    Of files of several frames ``counts`` says how many there are at most. With ``ends_last`` the
    last tenth of each such file comes behind all others.

    Raises
    ------
    InputError
        If the disk has no room for them.
    """
    firsts = np.concatenate([[0], np.cumsum(counts)])
    n = int(firsts[-1])
    spare = sum(max(1, count // 10) for count in counts) if ends_last else 0
    x = _empty((n + spare, 3, height, width), owner)

    def put(row: int, pixels: Array) -> bool:
        if pixels.shape[-2:] != (height, width):
            raise images.BadImageError(f"it has {pixels.shape[-1]}×{pixels.shape[-2]} pixels")
        x[row] = pixels
        return pixels.ndim == 2

    def decoded(number: int, path: Place) -> tuple[tuple[str, ...], bool, int]:
        if counts[number] == 1 and not is_video(path):
            pixels, notes = images.read(path, frame)
            return notes, put(firsts[number], pixels), 1
        grey, n_read = True, 0
        for pixels in frames_of(path, frame):
            if n_read == counts[number]:
                return (MORE_FRAMES,), grey, n_read
            grey = put(firsts[number] + n_read, pixels) and grey
            n_read += 1
        return (), grey, n_read

    read, failed = read_all(list(enumerate(files)), lambda pair, _: decoded(*pair), owner)
    rows = [firsts[i] + j for (i, _), (_, _, n_read) in read for j in range(n_read)]
    runs = [n_read for _, (_, _, n_read) in read]
    before, last = ends(runs) if ends_last and read else (np.arange(len(rows)), np.arange(0))
    _arrange(x, [rows[i] for i in before], [rows[i] for i in last], n)
    kept = x[: len(rows)]
    good = [(path, notes) for (_, path), (notes, _, _) in read]
    grey = all(is_grey for _, (_, is_grey, _) in read)
    bad = [(path, why) for (_, path), why in failed]
    order = np.concatenate([before, last])
    return Kept(kept[:, 0] if grey else kept, good, bad, runs, order, len(last))


def _empty(shape: tuple[int, ...], owner: str) -> Array:
    """Return an array of bytes in a temporary file, or refuse what the disk has no room for."""
    n_bytes, free = int(np.prod(shape)), shutil.disk_usage(tempfile.gettempdir()).free
    if n_bytes > free:
        raise InputError(
            f"{owner} take {size(n_bytes)}, and {tempfile.gettempdir()} has {size(free)} left: set "
            "TMPDIR to a folder with more, or choose a smaller --image-size"
        )
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, np.uint8, "w+", shape=shape)


def _arrange(x: Array, rows: Sequence[int], last: Sequence[int], spare: int) -> None:
    """Bring rows, which are in order, to the beginning, and others behind them.

    Those are kept from row ``spare`` on meanwhile.
    """
    for place, row in enumerate(last):
        x[spare + place] = x[row]
    for place, row in enumerate(rows):
        if place < row:
            x[place] = x[row]
    for place in range(len(last)):
        x[len(rows) + place] = x[spare + place]
