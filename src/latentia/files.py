"""Writing: files that are whole or absent, and standard streams that stop no work.

A file is whole by a temporary file, fsync, an atomic replacement and fsync of the folder.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


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


class ErrorStream(io.TextIOBase):
    """The error stream of the moment, which drops what it cannot take.

    A full disk, a broken pipe or nothing at all behind it stops no work.
    """

    def write(self, text: str) -> int:
        """Write what can be written."""
        with suppress(OSError, ValueError):
            if sys.stderr is not None:
                sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """Bring out what can be brought out."""
        with suppress(OSError, ValueError):
            if sys.stderr is not None:
                sys.stderr.flush()

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return sys.stderr is not None and sys.stderr.isatty()

    def fileno(self) -> int:
        """Return its number, by which a terminal is asked for its width."""
        return -1 if sys.stderr is None else sys.stderr.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The letters that it knows."""
        return "utf-8" if sys.stderr is None else sys.stderr.encoding


def fill_gaps() -> None:
    """Put nothing in the place of standard streams that are closed.

    The next file that is opened would get their number, and what libraries print would go into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def flush_output() -> None:
    """Bring out what was printed, where errors can still be told; a closed output has nothing."""
    if sys.stdout is not None:
        sys.stdout.flush()


def let_go() -> None:
    """Drop what the standard streams cannot take, so that the program ends as its work did."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
