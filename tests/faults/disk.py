"""A disk that fails at its k-th operation, and commands run on it in processes of their own."""

import builtins
import io
import logging
import os
import traceback
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from latentia.cli.main import main
from tests.children import LONGEST, TRACEBACK, Forked

NAMED = ("open", "replace", "rename", "unlink", "mkdir", "rmdir")
KILLED = 137


class Disk:
    """Counts what is done to the files below a folder, and acts at the k-th of these operations.

    ``error`` is an errno that the operation fails with, all later ones too if it is ``lasting``;
    None ends the process there, as a kill does. Opening a file to read it counts if ``reads``.
    """

    def __init__(self, folder, k=None, error=None, lasting=False, reads=False):
        self.folder, self.k, self.error, self.lasting = str(folder), k, error, lasting
        self.reads = reads
        self.n, self.done = 0, []

    def touch(self, what, path):
        """Count an operation on a path, and fail if it is its turn."""
        if not str(Path.cwd() / os.fsdecode(path)).startswith(self.folder):
            return
        self.n += 1
        self.done.append((what, str(path)))
        if self.k is None or self.n < self.k or (self.n > self.k and not self.lasting):
            return
        if self.error is None:
            os._exit(KILLED)
        if what not in ("unlink", "rmdir"):
            named = (str(path),) if what == "open" else ()
            raise OSError(self.error, os.strerror(self.error), *named)


class Written:
    """A file that is written to, each write an operation."""

    def __init__(self, stream, path, disk):
        self._stream, self._path, self._disk = stream, path, disk

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._stream.close()

    def write(self, content):
        half = len(content) // 2
        # A kill or a full disk leaves a part.
        self._stream.write(content[:half])
        try:
            self._disk.touch("write", self._path)
        finally:
            self._stream.flush()
        self._stream.write(content[half:])
        return len(content)


@contextmanager
def failing(disk):
    """Let a disk stand before the operating system's within a ``with`` block."""
    plain = {name: getattr(os, name) for name in NAMED} | {"fsync": os.fsync}
    opened = io.open

    def operation(name):
        def act(path, *rest, **options):
            disk.touch(name, os.fspath(path))
            return plain[name](path, *rest, **options)

        return act

    def fsync(descriptor):
        # No power is cut here, and the real thing takes most of the time.
        disk.touch("fsync", Path(f"/proc/self/fd/{descriptor}").readlink())

    def open_(file, mode="r", *rest, **options):
        if isinstance(file, int):
            return opened(file, mode, *rest, **options)
        if any(letter in mode for letter in "wxa+"):
            disk.touch("open", os.fspath(file))
            return Written(opened(file, mode, *rest, **options), os.fspath(file), disk)
        if disk.reads:
            disk.touch("open", os.fspath(file))
        return opened(file, mode, *rest, **options)

    with pytest.MonkeyPatch.context() as patched:
        for name in NAMED[1:]:
            patched.setattr(os, name, operation(name))
        patched.setattr(os, "fsync", fsync)
        for module in (io, builtins):
            patched.setattr(module, "open", open_)
        yield disk


def in_child(job, said):
    """Run a job in a process of its own; return its exit status. ``said`` keeps what it says."""
    with Path(said).open("wb") as told, Path(os.devnull).open("wb") as nothing:
        return Forked(job, stdout=nothing, stderr=told, longest=LONGEST).wait()


def command(words, disk, said):
    """Return the exit status of a command on a disk, and what it said.

    A command that is to be killed runs in a process of its own.
    """

    def job():
        with failing(disk):
            return main(list(map(str, words)))

    if disk.k is not None and disk.error is None:
        return in_child(job, said), Path(said).read_text(errors="replace")
    return _here(job)


def _here(job):
    told, status = io.StringIO(), TRACEBACK
    # Warnings go where they go outside of pytest.
    root, handlers = logging.getLogger(), logging.getLogger().handlers
    root.handlers = []
    try:
        with redirect_stderr(told), redirect_stdout(io.StringIO()):
            status = job()
    except BaseException:
        traceback.print_exc(file=told)
    finally:
        root.handlers = handlers
    return status, told.getvalue()
