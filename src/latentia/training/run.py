"""A run directory: everything that one training run leaves, and nothing else does.

``config.json`` (model, resolved parameters, data, versions), ``metrics.jsonl`` (one line for each
epoch and split) with the same values as TensorBoard events in ``tensorboard/``, ``samples/`` (a
picture or a text of some epochs), ``checkpoints/``, and at the end ``model/`` and ``report.html``.
Where something else bears one of these names, no run begins.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from latentia.errors import InputError, shown
from latentia.training.checkpoint import Checkpoints
from latentia.training.launch import leads
from latentia.training.metrics_file import MetricsFile, Record
from latentia.training.state import TrainingState

CHECKPOINT_SECONDS = 60.0
"""The longest time without a checkpoint; each epoch ends with one all the same."""
EACH_DRAWN = 10
"""Epochs of which each is drawn."""

Truth = (bool, np.bool_)
Numbers = Mapping[str, float]
Examine = Callable[[Numbers, Sequence[Numbers], int], tuple[dict[str, float], str]]
"""From an epoch's means, earlier checkups and the epoch to numbers and, if need be, a sentence."""


@dataclass(frozen=True)
class EpochEnd:
    """What a function among ``callbacks`` of ``fit`` is shown after an epoch.

    It asks training to end by returning True, and nothing else that it returns counts. ``model``
    may be used meanwhile, to sample from it or to score it, as it would be if training ended here.
    """

    epoch: int
    """From 1."""
    step: int
    """Training steps so far."""
    train: Mapping[str, float]
    """The losses and their terms, averaged over the epoch."""
    validation: Mapping[str, float]
    """The same on held-out data, or empty without any."""
    seconds: float
    """Of training so far."""
    health: str
    """What ails the model, in a sentence; empty if nothing does."""
    model: Any
    """The model that is being trained."""


Callback = Callable[[EpochEnd], object]


class Run:
    """What is kept of a training, in a run directory or, without one, nowhere.

    Parameters
    ----------
    path
        The folder, which `held` holds; None keeps nothing.
    draw
        Writes what the model makes at the end of an epoch: ``draw(folder, epoch)``.
    examine
        Returns numbers of the model's health, which are kept, and a sentence if it ails.
    tell
        Takes an epoch and such a sentence.
    callbacks, model
        Functions that each epoch is shown to, and the model that they are shown.
    goes_on_at
        The step at which a run goes on that had ended; 0 in another.
    """

    def __init__(
        self,
        path: Path | None,
        draw: Callable[[Path, int], None] | None = None,
        examine: Examine | None = None,
        tell: Callable[[int, str], None] | None = None,
        callbacks: Sequence[Callback] = (),
        model: Any = None,
        goes_on_at: int = 0,
    ) -> None:
        self.path, self.draw, self.examine, self.tell = path, draw, examine, tell
        self.callbacks, self.model, self.goes_on_at = _checked(callbacks), model, goes_on_at
        self.keeps = path is not None and leads()
        self.records: list[Record] = []
        self.earlier: list[Numbers] = []
        self.saved_at = time.monotonic()
        self.events: Any = None
        if path is not None:
            self.checkpoints = Checkpoints(path / "checkpoints", writes=self.keeps)
            self.metrics = MetricsFile(path)
            if self.keeps:
                (path / "samples").mkdir(exist_ok=True)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *error: object) -> None:
        """Flush what is still in memory."""
        if self.events is not None:
            self.events.close()

    def restore(
        self, state: TrainingState, n_steps: int | None = None, *, hold: bool = False
    ) -> None:
        """Bring the state to the newest sound checkpoint, and the metrics to the same step.

        To ``hold`` is to keep the best epoch's weights at hand, as `TrainingState.rate` does.
        If that is the last of ``n_steps``, no epoch's end is to come, and the last one's checkup is
        repeated for what the model keeps of it.
        """
        if self.path is None:
            return
        found, seal = self.checkpoints.latest_with(self.metrics.begins_as), None
        if found is not None:
            tensors, counters, seal = found
            try:
                state.restore(tensors, counters)
            except (RuntimeError, LookupError, TypeError, ValueError) as error:
                what = " ".join(str(error).split())
                raise InputError(
                    f"the checkpoint in {self.path} is not of this model and these parameters: "
                    f"{what:.200}"
                ) from None
        best = self.checkpoints.best() if hold and state.step else None
        if best is not None:
            state.hold(best[0])
        if state.step == self.goes_on_at:
            state.ended = ""
        kept = self.metrics.restore(seal, state.step, keep=self.keeps)
        self.records[:] = kept
        self.earlier = [r["values"] for r in kept if r["split"] == "health"]
        trained = [record for record in kept if record["split"] == "train"]
        if self.examine is not None and trained and state.step == n_steps:
            self.examine(trained[-1]["values"], self.earlier[:-1], trained[-1]["epoch"])
        if self.keeps:
            # It takes a while to import.
            from latentia.training.events import EventFiles

            self.events = EventFiles(self.path / "tensorboard", state.step)
            if self.model is not None:
                self.events.add_parameters(self.model.get_params(), self.path.name)

    def record(
        self, state: TrainingState, epoch: int, split: str, values: dict[str, float], note: str = ""
    ) -> None:
        """Keep an epoch's values, also for TensorBoard; after training means, examine the model."""
        record: Record = {"step": state.step, "epoch": epoch, "split": split, "values": values}
        record |= {"note": note} if note else {}
        record |= {"seconds": round(state.seconds, 3)}
        self.records.append(record)
        if self.keeps:
            self.metrics.append(record)
            for name, value in values.items():
                self.events.add_scalar(split, name, value, state.step)
        if split == "train" and self.examine is not None:
            found, sentence = self.examine(values, self.earlier, epoch)
            self.earlier.append(found)
            if found:
                self.record(state, epoch, "health", found, sentence)
            if sentence and self.tell is not None:
                self.tell(epoch, sentence)

    def checkpoint(
        self, state: TrainingState, best: bool, *, force: bool, over: bool = False
    ) -> None:
        """Save at an epoch's end, when the last one is old, or at once; keep the best apart.

        When training is ``over``, fewer large ones are kept.
        """
        if not self.keeps:
            return
        old = time.monotonic() - self.saved_at > CHECKPOINT_SECONDS
        if not (force or best or old or not state.sums):
            return
        # The best goes first: killed in between, the resumed run comes here again and repeats it.
        if best:
            self.keep_best(state)
        tensors, counters = state.tensors(), state.counters()
        self.checkpoints.save(state.step, tensors, counters, self.metrics.seal(), over=over)
        self.saved_at = time.monotonic()

    def keep_best(self, state: TrainingState) -> None:
        """Save the best epoch so far apart."""
        if self.keeps:
            self.checkpoints.save_best(state.tensors(), state.counters())

    def show(self, state: TrainingState, epoch: int, *, last: bool = True) -> None:
        """Let the model write a picture or a text of an epoch, as ``samples/epoch_0001.png``.

        Of the first ten epochs each is drawn, later ones when twice as many are over, and the last.
        TensorBoard is given those of epochs 1, 2, 4, 8 and so on, and the last.
        """
        if self.keeps and self.path is not None and self.draw is not None:
            if not (last or epoch <= EACH_DRAWN or epoch >= 2 * self._last_drawn()):
                return
            self.draw(self.path / "samples", epoch)
            if not (last or epoch.bit_count() == 1):
                return
            for drawn in (self.path / "samples").glob(f"epoch_{epoch:04d}.*"):
                self.events.add_drawn(drawn, state.step)

    def _last_drawn(self) -> int:
        folder = Path() if self.path is None else self.path / "samples"
        return max((int(p.stem[6:]) for p in folder.glob("epoch_[0-9]*")), default=0)

    def ask(self, state: TrainingState, epoch: int) -> str:
        """Show an epoch to the functions of the user; return who asks to end, or nothing."""
        if not (self.callbacks and leads()):
            return ""
        parts = {r["split"]: r for r in self.records if r["epoch"] == epoch}
        train, validation = (
            MappingProxyType(parts[split]["values"] if split in parts else {})
            for split in ("train", "validation")
        )
        health = parts["health"].get("note", "") if "health" in parts else ""
        shown = EpochEnd(epoch, state.step, train, validation, state.seconds, health, self.model)
        answers = [(name_of(callback), callback(shown)) for callback in self.callbacks]
        return " and ".join(name for name, said in answers if isinstance(said, Truth) and said)

    def end(self, state: TrainingState, epoch: int, why: str) -> None:
        """Keep, and tell, why training ended before the epochs that were asked for."""
        self.record(state, epoch, "end", {}, why)
        if self.tell is not None:
            self.tell(epoch, why)


def _checked(callbacks: Sequence[Callback]) -> list[Callback]:
    """Return functions of the user as a list, or say that they are none."""
    listed = isinstance(callbacks, Iterable) and not callable(callbacks)
    found = list(callbacks) if listed else []
    if not listed or not all(map(callable, found)):
        raise InputError(
            f"callbacks is {shown(callbacks)}; give a list of functions that take one record each, "
            "such as [show]"
        )
    return found


def name_of(callback: Callback) -> str:
    """Return what a function is called, or what kind of thing it is."""
    name: str = getattr(callback, "__name__", type(callback).__name__)
    return name
