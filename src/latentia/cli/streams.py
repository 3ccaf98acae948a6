"""Standard streams of a command: what cannot be written there stops no work."""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def tell(sentence: str) -> None:
    """Print a sentence to the error stream, if it takes one."""
    with suppress(OSError):
        if sys.stderr is not None:
            print(f"latentia: {sentence}", file=sys.stderr)


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
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
