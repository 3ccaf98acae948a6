"""Files in MNIST's idx format, plain or gzipped, and folders that hold the usual four."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from latentia.data.dataset import Array, Dataset, Part, join
from latentia.data.limits import check_bytes, size
from latentia.errors import InputError

TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
LONGEST_HEADER = 4 + 4 * 255
MOST_DIMENSIONS = 4
FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


def read_bytes(path: Path) -> bytes:
    """Return a file's content, unpacked if it is gzipped, and no more than its header promises.

    One byte more tells that there is more. What is unpacked is limited (`data.limits`).
    """
    try:
        with path.open("rb") as plain:
            zipped = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            if not zipped:
                start = plain.read(LONGEST_HEADER)
                most = min(_promised(start, LONGEST_HEADER), path.stat().st_size)
                return start + plain.read(max(0, most + 1 - len(start)))
        with gzip.open(path) as stream:
            start = stream.read(LONGEST_HEADER)
            promised = _promised(start, LONGEST_HEADER)
            check_bytes(promised, str(path))
            return start + stream.read(max(0, promised + 1 - len(start)))
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {error}") from None


def _shape(start: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{start[3]}I", start[4 : 4 + 4 * start[3]])


def _promised(start: bytes, otherwise: int) -> int:
    """Return how many bytes an idx file should have by its first ones, or another number."""
    if len(start) < 4 or start[2] not in TYPES or len(start) < 4 + 4 * start[3]:
        return otherwise
    itemsize = np.dtype(TYPES[start[2]]).itemsize
    return 4 + 4 * start[3] + math.prod(_shape(start)) * itemsize


def parse(content: bytes, name: str) -> Array:
    """Return the array in an idx file's bytes."""
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in TYPES:
        raise InputError(f"{name} is not an idx file: its first bytes are {content[:4]!r}")
    expected = _promised(content, 4 + 4 * content[3])
    if len(content) != expected:
        more = "more" if len(content) > expected else size(len(content))
        raise InputError(f"{name} has {more}; its header promises {size(expected)}")
    if content[3] > MOST_DIMENSIONS:
        raise InputError(f"{name} says that it has {content[3]} dimensions; at most 4 are read")
    dtype = np.dtype(TYPES[content[2]])
    array = np.frombuffer(content, dtype, offset=4 + 4 * content[3]).reshape(_shape(content))
    return array.astype(dtype.newbyteorder("="), copy=False)


def read(path: Path) -> Array:
    """Return the array in an idx file, plain or gzipped."""
    return parse(read_bytes(path), str(path))


def find(folder: Path) -> dict[str, Path] | None:
    """Return the four files by role if the folder holds them all, else None."""
    found = {}
    for role, stem in FILES.items():
        spellings = (stem, stem.replace("-idx", ".idx"))
        candidates = [folder / f"{name}{end}" for name in spellings for end in ("", ".gz")]
        present = [path for path in candidates if path.is_file()]
        if not present:
            return None
        found[role] = present[0]
    return found


def load_folder(files: dict[str, Path], name: str) -> Dataset:
    """Return the data set in the usual four files."""
    arrays = {role: read(path) for role, path in files.items()}
    for part in ("train", "test"):
        n_images, n_labels = len(arrays[f"x_{part}"]), len(arrays[f"y_{part}"])
        if n_images != n_labels:
            raise InputError(f"{name}: {n_images} {part} images and {n_labels} labels")
    train = Part(arrays["x_train"], arrays["y_train"].astype(np.int64))
    return join(train, Part(arrays["x_test"], arrays["y_test"].astype(np.int64)), name)
