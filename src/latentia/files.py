"""Files that are whole or absent: temporary file, fsync, atomic replace, fsync of the folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def printable(name: str) -> str:
    r"""Return a file's name with bytes that are not UTF-8 spelt out.

    >>> printable("\udcb0.png")
    '\\xb0.png'
    """
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def write_atomically(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` so that a crash at any moment leaves the old file or the new."""
    with whole_file(path) as stream:
        stream.write(content)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Give a stream whose content is at ``path`` when the ``with`` block ends without an error."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with partial.open("w+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable (a no-op where folders cannot be opened)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_partial(folder: Path) -> None:
    """Remove what a killed writer left behind."""
    for partial in folder.glob("*.tmp"):
        partial.unlink(missing_ok=True)
