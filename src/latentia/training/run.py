"""A run directory: everything that one training run leaves, and nothing else does.

``config.json`` (model, resolved parameters, data, versions), ``metrics.jsonl`` (one line for each
epoch and split) with the same values as TensorBoard events in ``tensorboard/``, ``samples/`` (a
picture an epoch), ``checkpoints/``, and at the end ``model/`` and ``report.html``.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, MappingProxyType, TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout
from numpy.typing import NDArray

from latentia.errors import InputError
from latentia.files import write_atomically
from latentia.training.checkpoint import Checkpoints
from latentia.training.config import check_or_write
from latentia.training.distributed import leads
from latentia.training.state import TrainingState


class Interruption:
    """Within a ``with`` block, note that the user asked to stop; a second Ctrl-C stops at once."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        """Take over the signals (only the main thread may)."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


NO_DEFAULTS: Mapping[str, Any] = MappingProxyType({})

Draw = Callable[[], NDArray[Any] | None]


class Run:
    """The recorder of one run, at the folder ``path``; made by `open_run`.

    Parameters
    ----------
    path
        The folder.
    draw
        Returns the picture of an epoch as an (H, W, 3) uint8 array, or None.
    checkpoint_seconds
        The longest time without a checkpoint; each epoch ends with one all the same.
    keep
        How many checkpoints stay.
    """

    def __init__(
        self, path: Path, draw: Draw, checkpoint_seconds: float = 60.0, keep: int = 3
    ) -> None:
        self.path = path
        self.draw = draw
        self.checkpoint_seconds = checkpoint_seconds
        self.checkpoints = Checkpoints(path / "checkpoints", keep)
        self.saved_at = time.monotonic()
        self.events: Any = None
        (path / "samples").mkdir(exist_ok=True)

    def records(self) -> list[dict[str, Any]]:
        """Return what is in ``metrics.jsonl``."""
        return read_metrics(self.path)

    def close(self) -> None:
        """Flush what is still in memory."""
        if self.events is not None:
            self.events.close()

    def restore(self, state: TrainingState) -> None:
        """Bring the state to the newest sound checkpoint, and the metrics to the same step."""
        found = self.checkpoints.latest()
        if found is not None:
            state.restore(*found)
        if not leads():
            return
        self.events = _event_writer(self.path / "tensorboard", state.step)
        kept = [r for r in read_metrics(self.path) if r["step"] <= state.step]
        lines = "".join(json.dumps(record) + "\n" for record in kept)
        write_atomically(self.path / "metrics.jsonl", lines.encode())

    def record(
        self, state: TrainingState, epoch: int, split: str, values: dict[str, float], note: str = ""
    ) -> None:
        """Append an epoch's values, and a note on them, to ``metrics.jsonl`` and to TensorBoard."""
        if self.events is None:
            return
        record = {"step": state.step, "epoch": epoch, "split": split, "values": values}
        record |= {"note": note} if note else {}
        line = json.dumps(record | {"seconds": round(state.seconds, 3)})
        with (self.path / "metrics.jsonl").open("a") as stream:
            stream.write(line + "\n")
        for name, value in values.items():
            self.events.add_scalar(f"{split}/{name}", value, state.step)

    def checkpoint(self, state: TrainingState, score: float | None, *, force: bool) -> None:
        """Save at an epoch's end, when the last one is old, or at once; keep the best apart."""
        if self.events is None:
            return
        best = score is not None and (state.best_score is None or score < state.best_score)
        if best:
            state.best_score = score
        old = time.monotonic() - self.saved_at > self.checkpoint_seconds
        if not (force or best or old or not state.sums):
            return
        tensors, counters = state.tensors(), state.counters()
        # The best goes first: killed in between, the resumed run comes here again and repeats it.
        if best:
            self.checkpoints.save_best(tensors, counters)
        self.checkpoints.save(state.step, tensors, counters)
        self.saved_at = time.monotonic()

    def picture(self, state: TrainingState, epoch: int) -> None:
        """Save the picture of an epoch as ``samples/epoch_0001.png``."""
        from latentia.plots.grids import save_png

        picture = None if self.events is None else self.draw()
        if picture is not None:
            save_png(self.path / "samples" / f"epoch_{epoch:04d}.png", picture)


def _event_writer(folder: Path, step: int) -> Any:
    """Return TensorBoard's writer; what earlier events say of later steps no longer holds."""
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=step + 1)


class Unrecorded:
    """The recorder of a fit that leaves no files."""

    def restore(self, state: TrainingState) -> None:
        """Start from the beginning."""

    def records(self) -> list[dict[str, Any]]:
        """Return nothing: nothing is kept."""
        return []

    def record(
        self, state: TrainingState, epoch: int, split: str, values: dict[str, float], note: str = ""
    ) -> None:
        """Keep nothing."""

    def checkpoint(self, state: TrainingState, score: float | None, *, force: bool) -> None:
        """Save nothing."""

    def picture(self, state: TrainingState, epoch: int) -> None:
        """Draw nothing."""


@contextmanager
def open_run(
    path: Path,
    config: Mapping[str, Any],
    draw: Draw,
    *,
    resume: bool,
    defaults: Mapping[str, Any] = NO_DEFAULTS,
) -> Iterator[Run]:
    """Hold a run directory for this process while it trains.

    ``defaults`` are what parameters were worth in a run of a release that did not have them.

    What is refused before its first checkpoint leaves no run that a new one would be refused for.

    Raises
    ------
    InputError
        If another process holds it (named by its id), if it holds a run and ``resume`` is False,
        or if the run there had another model, parameters or data.
    """
    path.mkdir(parents=True, exist_ok=True)
    with _held(path):
        if leads():
            check_or_write(path, config, defaults, resume=resume)
        run = Run(path, draw)
        try:
            yield run
        except InputError:
            if leads() and not resume and run.checkpoints.empty:
                (path / "config.json").unlink()
            raise
        finally:
            run.close()


@contextmanager
def _held(path: Path) -> Iterator[None]:
    if not leads():
        yield
        return
    holder = path / "holder"
    lock = FileLock(str(path / ".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        pid = holder.read_text() if holder.exists() else "unknown"
        raise InputError(
            f"{path} is in use by process {pid}: wait for it, stop it, or choose another directory"
        ) from None
    try:
        holder.write_text(str(os.getpid()))
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Return a run's recorded values, oldest first; a half-written last line is left out."""
    file = path / "metrics.jsonl"
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]
