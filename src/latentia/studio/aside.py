"""Processes beside the studio that read foreign files: a file may hold or end them, not the studio.

Each answers one question after the other and keeps what it has loaded, so that a form is followed
in a moment. One that answers too late, or takes too much memory, is ended, and the next question
begins another.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import TypeVar

from latentia.errors import InputError

T = TypeVar("T")
BEYOND = (
    "the file takes more memory than there is for it, or is damaged: give a smaller one, or use "
    "the command line"
)
LEAST_MEMORY = 2 * 2**30
"""Bytes that a process beside the studio may take on a small machine; on others half of all."""


class Aside:
    """A process that functions are called in, each within so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.lock = seconds, threading.Lock()
        self.child: tuple[SpawnProcess, Connection] | None = None
        self.ended = False

    def ask(self, function: Callable[..., T], *given: object) -> T:
        """Return what a function of a module returns, or raise what it raises.

        Raises
        ------
        InputError
            If it answers too late, or takes more memory than there is for it.
        """
        with self.lock:
            child, pipe = self.child = self.child or _begun()
            try:
                if self.ended:
                    raise InputError("the studio ends: start it anew")
                pipe.send((function, given))
                if not pipe.poll(self.seconds):
                    raise InputError(
                        f"reading took longer than {self.seconds:g} s: give a smaller file, or use "
                        "the command line"
                    )
                found, error = pipe.recv()
            except BaseException as ended:
                child.kill()
                self.child = None
                if isinstance(ended, EOFError | OSError):
                    raise InputError(BEYOND) from None
                raise
        if error is not None:
            raise error
        answer: T = found
        return answer

    def end(self) -> None:
        """Answer nothing any more, and let go of what waits for an answer."""
        self.ended = True
        if self.child is not None:
            self.child[0].kill()


FORMS = Aside(120)
"""What is asked while a form is filled in."""
TABLES = Aside(600)
"""Factor analyses, which may take minutes."""


def _begun() -> tuple[SpawnProcess, Connection]:
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(
        target=_answer, args=(theirs,), daemon=True
    )
    child.start()
    theirs.close()
    return child, ours


def _answer(pipe: Connection) -> None:
    # Ctrl-C at the terminal ends the studio, and this with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit()
    with suppress(EOFError, BrokenPipeError):
        while True:
            function, given = pipe.recv()
            found: object = None
            error: Exception | None = None
            try:
                found = function(*given)
            except MemoryError:
                error = InputError(BEYOND)
            except (InputError, OSError) as raised:
                error = raised
            except Exception as raised:
                # Not each can be sent.
                error = RuntimeError("".join(traceback.format_exception(raised)))
            pipe.send((found, error))


def limit(process: int = 0) -> None:
    """Let a process, or else this one, take half of the machine's memory and no more, on Linux."""
    if sys.platform == "linux":
        import resource

        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        most = max(LEAST_MEMORY, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
        with suppress(ValueError, OSError):
            resource.prlimit(process, resource.RLIMIT_DATA, (most, hard))
