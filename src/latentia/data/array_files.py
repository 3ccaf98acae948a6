"""Arrays in .npy and .npz files, whose headers are held against the file before memory is taken."""

from __future__ import annotations

import math
import struct
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from latentia.data.dataset import Array
from latentia.data.limits import check_bytes, size
from latentia.errors import InputError

DAMAGE = (
    OSError,
    ValueError,
    TypeError,
    SyntaxError,
    EOFError,
    OverflowError,
    RuntimeError,
    KeyError,
    MemoryError,
    RecursionError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy and zipfile raise for files that are damaged, encrypted or made up."""
MAGIC = b"\x93NUMPY"


def mapped(path: Path) -> Array:
    """Return the array of a .npy file, memory-mapped."""
    try:
        with path.open("rb") as stream:
            _check_header(stream, path.stat().st_size, str(path))
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except InputError:
        raise
    except DAMAGE as error:
        raise InputError(f"{path} cannot be read: {_first_line(error)}") from None
    return array


def opened(path: Path) -> dict[str, Array]:
    """Return the arrays of a .npz file, or say why it cannot be read.

    Members that are no arrays are left out. What they unpack to is limited (`data.limits`).
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_members(members, path)
            return {
                member.filename.removesuffix(".npy"): array
                for member in members
                if (array := _member(archive, member, path)) is not None
            }
    except InputError:
        raise
    except DAMAGE as error:
        raise InputError(f"{path} cannot be read: {_first_line(error)}") from None


def _check_members(members: list[zipfile.ZipInfo], path: Path) -> None:
    on_disk = path.stat().st_size
    for member in members:
        if member.compress_type == zipfile.ZIP_STORED and member.file_size > on_disk:
            raise InputError(
                f"{path} cannot be read: it has {size(on_disk)}, and promises "
                f"{size(member.file_size)} for {member.filename!r}"
            )
    check_bytes(sum(m.file_size for m in members if m.compress_type), str(path))


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> Array | None:
    with archive.open(member) as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            return None
    with archive.open(member) as stream:
        _check_header(stream, member.file_size, f"{path}[{member.filename}]")
    with archive.open(member) as stream:
        array: Array = np.lib.format.read_array(stream, allow_pickle=False)
    return array


def _check_header(stream: IO[bytes], n_bytes: int, name: str) -> None:
    """Refuse Python objects, and a header that promises more than there is."""
    version = np.lib.format.read_magic(stream)
    reader = "read_array_header_1_0" if version == (1, 0) else "read_array_header_2_0"
    shape, _, dtype = getattr(np.lib.format, reader)(stream)
    if dtype.hasobject:
        raise InputError(
            f"{name} cannot be read: it holds Python objects, which could run code; save numbers, "
            "as by array.astype(float)"
        )
    promised = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or promised > n_bytes - stream.tell():
        raise InputError(
            f"{name} cannot be read: its header promises {size(promised)} for shape {shape}, and "
            f"{size(max(0, n_bytes - stream.tell()))} follow"
        )


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
