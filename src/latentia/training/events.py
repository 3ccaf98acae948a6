"""TensorBoard events, written at once: torch's writer leaves them to a thread that fails apart."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from latentia.files import named_errors


class EventFile:
    """A new event file in a folder; what earlier ones say of steps after ``step`` is void."""

    def __init__(self, folder: Path, step: int) -> None:
        folder.mkdir(exist_ok=True)
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"
        self.path = folder / name
        with named_errors(self.path):
            self._stream = self.path.open("ab")
        self._records = RecordWriter(self._stream)
        restarted = SessionLog(status=SessionLog.START)
        try:
            self._write(Event(step=step + 1, file_version="brain.Event:2"))
            self._write(Event(step=step + 1, session_log=restarted))
        except OSError:
            with suppress(OSError):
                self.close()
            raise

    def add_scalar(self, name: str, value: float, step: int) -> None:
        """Write a value of a step."""
        values = [Summary.Value(tag=name, simple_value=value)]
        self._write(Event(step=step, summary=Summary(value=values)))

    def close(self) -> None:
        """Close the file."""
        with named_errors(self.path):
            self._stream.close()

    def _write(self, event: Event) -> None:
        event.wall_time = time.time()
        with named_errors(self.path):
            self._records.write(event.SerializeToString())
            self._records.flush()
