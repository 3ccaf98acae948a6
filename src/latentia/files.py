"""Files that are whole or absent, folders that one process holds, and what may be read or replaced.

A file is written under a name of its own, ``.latentia-<random>.tmp``, synced, and put in place.
Nothing without such a name, or without being known as Latentia's, is removed or replaced.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import stat
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, EDQUOT, EFBIG, EINVAL, ENOLCK, ENOSPC, ENOSYS, ENOTSUP, EROFS
from pathlib import Path
from typing import Any, BinaryIO

from latentia.errors import InputError, shown

log = logging.getLogger(__name__)

PREFIX, SUFFIX = ".latentia-", ".tmp"
UNSUPPORTED = (ENOLCK, ENOSYS, ENOTSUP, EINVAL)
"""What a file system answers that has no locks, or does not sync folders."""
FULL = (ENOSPC, EDQUOT)
ABANDONED = 3600.0
"""Seconds without a change after which a half-written file has no writer any more."""
MOST_JSON = 64 * 2**20
"""Bytes of the largest JSON file that is read."""


def temporary_name() -> str:
    """Return a name that nobody else has, and that tells whose it is."""
    return f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}"


def as_path(given: object, name: str) -> Path:
    """Return the path that a text or a path gives; ``name`` is the argument's."""
    if not isinstance(given, str | os.PathLike) or "\0" in str(given):
        raise InputError(f"{name} is {shown(given)}; it must be the path of a folder, as text")
    return Path(given)


def printable(name: str) -> str:
    r"""Return a file's name with bytes that are not UTF-8 spelt out.

    >>> printable("\udcb0.png")
    '\\xb0.png'
    """
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def composed(name: str) -> str:
    """Return a name with its letters whole: what one system spells in parts is the same name.

    >>> composed("e\N{COMBINING ACUTE ACCENT}") == "\N{LATIN SMALL LETTER E WITH ACUTE}"
    True
    """
    return unicodedata.normalize("NFC", name)


def write_atomically(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` so that a crash at any moment leaves the old file or the new."""
    with whole_file(path) as stream:
        stream.write(content)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Give a stream whose content is at ``path`` when the ``with`` block ends without an error."""
    partial = path.with_name(temporary_name())
    try:
        with named_errors(path, partial), partial.open("x+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        with named_errors(path, partial):
            partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextmanager
def named_errors(path: Path, stand_in: Path | None = None) -> Iterator[None]:
    """Let an error of the file system name what is at stake, and not what stands in for it."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        elif stand_in is not None and str(error.filename).startswith(str(stand_in)):
            error.filename = str(path) + str(error.filename)[len(str(stand_in)) :]
            error.filename2 = None
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable (a no-op where folders cannot be opened or synced)."""
    if os.name == "nt":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            with named_errors(folder):
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in (*UNSUPPORTED, EACCES):
            raise


def sync_file(path: Path) -> None:
    """Make what was appended to a file durable."""
    with named_errors(path), path.open("ab") as stream:
        os.fsync(stream.fileno())


def remove_partial(folder: Path, more: Iterable[str] = ()) -> None:
    """Remove what a killed writer of ours left behind in a folder that this process holds."""
    remove_files(folder, (f"{PREFIX}*{SUFFIX}", *more))


def remove_abandoned(folder: Path) -> None:
    """Remove half-written files of ours that no process still writes: they are an hour old."""
    for path in folder.glob(f"{PREFIX}*{SUFFIX}"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED:
                path.unlink()


def remove_files(folder: Path, patterns: Iterable[str]) -> None:
    """Remove the files of these patterns, and the folders that this leaves empty; keep all else."""
    for pattern in patterns:
        for path in folder.glob(pattern):
            if not path.is_dir():
                path.unlink(missing_ok=True)
    for pattern in patterns:
        for name in list(Path(pattern).parents)[:-1]:
            with suppress(OSError):
                (folder / name).rmdir()


def refuse_existing(out: Path, overwrite: bool, option: str = "--out") -> None:
    """Refuse to write a file where something is, unless it is a file and that was asked for."""
    if os.path.lexists(out) and (out.is_dir() or not overwrite):
        raise InputError(f"{out} exists: give another {option}, or --overwrite for a file")


def refuse_filled(folder: Path, kind: str = "folder") -> None:
    """Refuse to write a folder where something is, unless that is an empty folder."""
    if os.path.lexists(folder) and not is_empty(folder):
        raise InputError(f"{folder} exists: choose another {kind}, or an empty one, with --out")


def is_empty(folder: Path) -> bool:
    """Return whether something is a folder with nothing in it."""
    return folder.is_dir() and not any(folder.iterdir())


def read_bytes(path: Path, n_bytes: int | None = None, most: int | None = None) -> bytes:
    """Return a file's content; only of a regular file, and of the size that it should have.

    Raises
    ------
    ValueError
        For a pipe, a device, a folder, or another size than ``n_bytes`` or more than ``most``,
        before anything is read.
    """
    n_found = _size(path)
    if n_bytes is not None and n_found != n_bytes:
        raise ValueError(f"{path.name} has {n_found:,} bytes, and was written with {n_bytes:,}")
    if most is not None and n_found > most:
        raise ValueError(f"{path.name} has {n_found:,} bytes; at most {most:,} are read")
    return path.read_bytes()


def read_start(path: Path, n_bytes: int) -> bytes:
    """Return the first bytes of a regular file; a ValueError says that it has fewer."""
    if _size(path) < n_bytes:
        raise ValueError(f"{path.name} is cut off")
    with path.open("rb") as stream:
        return stream.read(n_bytes)


def _size(path: Path) -> int:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(f"{path.name} is no regular file")
    return found.st_size


def read_json(path: Path) -> Any:
    """Return what a JSON file of sound size holds; a ValueError says what is wrong with it."""
    content = read_bytes(path, most=MOST_JSON)
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("its tables are nested too deeply") from None


@contextmanager
def held_folder(
    folder: Path, in_use: Callable[[], str], seconds: float = 0.0, complain: bool = True
) -> Iterator[int | None]:
    """Hold a folder, which one process at a time can; wait ``seconds`` for another to let go.

    The lock is the folder's own, so no file can be removed to get around it; it ends with the
    process, or with the child that is given the descriptor, which is None without such a lock.
    ``in_use`` is what to say, as an `InputError`, if another holds it. Where the file system has no
    locks, this is said (unless ``complain`` is false), and work goes on without one.
    """
    if sys.platform == "win32":
        from filelock import FileLock, Timeout

        try:
            with FileLock(str(folder / ".lock"), timeout=seconds):
                yield None
        except Timeout:
            raise InputError(in_use()) from None
        return
    descriptor = _locked(folder, in_use, seconds, complain)
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _locked(folder: Path, in_use: Callable[[], str], seconds: float, complain: bool) -> int | None:
    """Return the descriptor of a folder with the lock, or None where there are no locks."""
    import fcntl

    end = time.perf_counter() + seconds
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        _warn_of_no_lock(folder, complain)
        return None
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.perf_counter() >= end:
                os.close(descriptor)
                raise InputError(in_use()) from None
            time.sleep(0.01)
        except OSError as error:
            os.close(descriptor)
            if error.errno not in UNSUPPORTED:
                raise
            _warn_of_no_lock(folder, complain)
            return None


def _warn_of_no_lock(folder: Path, complain: bool) -> None:
    if complain:
        log.warning("%s cannot be locked: do not start a second training in it", folder)


def told(error: OSError) -> str:
    """Return an error of the file system as a sentence with what to do."""
    cures = dict.fromkeys(FULL, "; free some space, or choose another disk")
    cures |= {EROFS: "; choose a folder that can be written to"}
    cures |= {EFBIG: "; the file system takes no larger file"}
    where = "" if error.filename is None else f"{error.filename}: "
    what = error.strerror or str(error) or type(error).__name__
    return f"{where}{what}{cures.get(error.errno or 0, '')}"


def without_folders(spec: str) -> str:
    """Return data as their words name them, without where they lie on one machine.

    >>> without_folders("sketch:/home/me/faces.npz:reversed"), without_folders("/a/cats,/b/dogs")
    ('sketch:faces.npz:reversed', 'cats,dogs')
    """
    found = []
    for part in spec.split(","):
        kind, colon, rest = part.partition(":")
        # A letter alone is a drive's.
        is_kind = bool(colon) and kind.isalpha() and len(kind) > 1 and rest[:2] != "//"
        found.append(kind + colon + Path(rest).name if is_kind else Path(part).name)
    return ",".join(found)


def is_gone(spec: str) -> bool:
    """Return whether data lay in one place, of which what follows a colon takes a part."""
    places = [Path(spec), Path(spec.rsplit(":", 1)[0])]
    return places[0].is_absolute() and "," not in spec and not any(map(Path.exists, places))
