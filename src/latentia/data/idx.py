"""Files in MNIST's idx format, plain or gzipped, and folders that hold the usual four."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from latentia.data.dataset import Array, Dataset, Part, join
from latentia.errors import InputError

TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


def read_bytes(path: Path) -> bytes:
    """Return a file's content, unpacked if it is gzipped."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {error}") from None


def parse(content: bytes, name: str) -> Array:
    """Return the array in an idx file's bytes."""
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in TYPES:
        raise InputError(f"{name} is not an idx file: its first bytes are {content[:4]!r}")
    dtype, n_dims = np.dtype(TYPES[content[2]]), content[3]
    header = 4 + 4 * n_dims
    shape = tuple(int(size) for size in np.frombuffer(content[4:header], ">u4"))
    expected = header + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if len(shape) != n_dims or len(content) != expected:
        raise InputError(f"{name} has {len(content)} bytes; its header promises {expected}")
    array = np.frombuffer(content, dtype, offset=header).reshape(shape)
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
