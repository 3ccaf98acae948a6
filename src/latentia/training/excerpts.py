"""A recorder that leaves a text after each epoch, where models of images leave a picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from latentia.files import write_atomically
from latentia.training.run import Run, Unrecorded
from latentia.training.state import TrainingState


class Excerpts:
    """Pass everything on to a recorder, and write ``samples/epoch_0001.txt`` and so on.

    Parameters
    ----------
    recorder
        What keeps the run.
    folder
        The run directory, or None.
    draw
        Returns the text of an epoch.
    """

    def __init__(
        self, recorder: Run | Unrecorded, folder: Path | None, draw: Callable[[], str]
    ) -> None:
        self.folder, self.draw = folder, draw
        self.restore = recorder.restore
        self.record = recorder.record
        self.checkpoint = recorder.checkpoint

    def picture(self, state: TrainingState, epoch: int) -> None:
        """Write the text of an epoch."""
        if self.folder is not None:
            path = self.folder / "samples" / f"epoch_{epoch:04d}.txt"
            write_atomically(path, self.draw().encode("utf-8", "replace"))
