"""TensorBoard events, written at once: torch's writer leaves them to a thread that fails apart.

TensorBoard draws what bears one name in several folders as curves of one chart. So training and
held-out values lie in ``train`` and ``validation`` under the same names, with the model's health in
``health``; the pictures, the texts and the hyperparameters are in the folder above them.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_FLOAT, DT_STRING
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionStartInfo
from tensorboard.summary.writer.record_writer import RecordWriter

from latentia.files import named_errors, read_bytes

ONE = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])


def metadata(plugin: str, content: bytes = b"") -> SummaryMetadata:
    """Return for which of TensorBoard's pages a value is, and what that page reads."""
    data = SummaryMetadata.PluginData(plugin_name=plugin, content=content)
    return SummaryMetadata(plugin_data=data)


class EventFiles:
    """A run's event files, one for each split, and one for what it draws and was asked for."""

    def __init__(self, folder: Path, step: int) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.step = folder, step
        self._files: dict[str, EventFile] = {}

    def add_scalar(self, split: str, name: str, value: float, step: int) -> None:
        """Write a value of a split."""
        self._of(split).add(Summary.Value(tag=name, simple_value=value), step)

    def add_drawn(self, path: Path, step: int) -> None:
        """Write the picture or the text that a model drew into a file."""
        content = read_bytes(path)
        if path.suffix == ".png":
            width, height = (int.from_bytes(content[n : n + 4], "big") for n in (16, 20))
            picture = Summary.Image(
                width=width, height=height, colorspace=3, encoded_image_string=content
            )
            self._of("").add(Summary.Value(tag="samples", image=picture), step)
        else:
            text = TensorProto(dtype=DT_STRING, string_val=[content], tensor_shape=ONE)
            value = Summary.Value(tag="samples", tensor=text, metadata=metadata("text"))
            self._of("").add(value, step)

    def add_parameters(self, parameters: Mapping[str, Any], name: str) -> None:
        """Write a model's hyperparameters, as TensorBoard's table of runs shows them."""
        start = SessionStartInfo(group_name=name, start_time_secs=time.time())
        for key, value in parameters.items():
            if isinstance(value, bool):
                start.hparams[key].bool_value = value
            elif isinstance(value, int | float):
                start.hparams[key].number_value = value
            else:
                # A net of the user's own has pages of words.
                start.hparams[key].string_value = str(value).partition("\n")[0]
        content = HParamsPluginData(session_start_info=start, version=0).SerializeToString()
        nothing = TensorProto(dtype=DT_FLOAT, float_val=[0.0], tensor_shape=ONE)
        tag, kind = "_hparams_/session_start_info", metadata("hparams", content)
        self._of("").add(Summary.Value(tag=tag, tensor=nothing, metadata=kind), self.step)

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def _of(self, split: str) -> EventFile:
        if split not in self._files:
            self._files[split] = EventFile(self.folder / split, self.step)
        return self._files[split]


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

    def add(self, value: Summary.Value, step: int) -> None:
        """Write a value of a step."""
        self._write(Event(step=step, summary=Summary(value=[value])))

    def close(self) -> None:
        """Close the file."""
        with named_errors(self.path):
            self._stream.close()

    def _write(self, event: Event) -> None:
        event.wall_time = time.time()
        with named_errors(self.path):
            self._records.write(event.SerializeToString())
            self._records.flush()
