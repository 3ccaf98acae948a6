"""Signals that ask for an end, and how a training takes them: after the step that has begun."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Windows has no SIGHUP, and alone has SIGBREAK, by which the studio asks there."""


@contextmanager
def on_stop(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Within a ``with`` block, let a function take the signals that ask for an end.

    Only the main thread may. A signal that this process was told to ignore, as ``nohup`` and a
    shell's background jobs tell it, stays ignored.
    """
    before = {}
    if threading.current_thread() is threading.main_thread():
        known = [number for number in signal.Signals if number.name in NAMES]
        heard = [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)


class Interruption:
    """Note that the user asked to stop (with `on_stop`); when asked twice, stop at once.

    A step that has begun is finished first, so that the run stays resumable.
    """

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take a signal."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
