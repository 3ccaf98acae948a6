"""A recorder that also asks how a model is after each epoch, keeps the answer and tells it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from latentia.training import draws
from latentia.training.batches import Source
from latentia.training.run import Run, Unrecorded
from latentia.training.state import TrainingState
from latentia.training.train import evaluating

CHECKED = 256
"""Samples of a checkup."""

Numbers = Mapping[str, float]
Examine = Callable[[Numbers, Sequence[Numbers], int], tuple[dict[str, float], str]]
"""From an epoch's means, earlier checkups and the epoch to numbers and, if need be, a sentence."""


class Checkups:
    """Pass everything on to a recorder, and add a checkup to each epoch's training means.

    Parameters
    ----------
    recorder
        What keeps the run.
    examine
        The model's own examination; no numbers mean that it has none.
    tell
        Takes a sentence when something is wrong.
    """

    def __init__(
        self, recorder: Run | Unrecorded, examine: Examine, tell: Callable[[int, str], None]
    ) -> None:
        self.recorder, self.examine, self.tell = recorder, examine, tell
        self.earlier: list[Numbers] = []
        self.checkpoint = recorder.checkpoint
        self.picture = recorder.picture

    def restore(self, state: TrainingState) -> None:
        """Bring the state to where an earlier run stopped, with the checkups until then."""
        self.recorder.restore(state)
        self.earlier = [r["values"] for r in self.recorder.records() if r["split"] == "health"]

    def record(
        self, state: TrainingState, epoch: int, split: str, values: dict[str, float]
    ) -> None:
        """Keep the values; after training means, examine the model."""
        self.recorder.record(state, epoch, split, values)
        if split != "train":
            return
        found, sentence = self.examine(values, self.earlier, epoch)
        self.earlier.append(found)
        if found:
            self.recorder.record(state, epoch, "health", found, sentence)
        if sentence:
            self.tell(epoch, sentence)


class Examinable(Protocol):
    """What a checkup needs of a model."""

    seed_: int

    def nets(self) -> Mapping[str, nn.Module]:
        """Return the model's modules by name."""

    def checkup(
        self,
        *batch: Any,
        means: Numbers,
        earlier: Sequence[Numbers],
        epoch: int,
    ) -> tuple[dict[str, float], str]:
        """Return numbers of the model's health, and a sentence if it ails."""


def examination(model: Examinable, source: Source, device: torch.device) -> Examine:
    """Return the model's checkup on the first samples of its data, which changes nothing."""
    rows = np.arange(min(CHECKED, len(source)))
    batch = [part.to(device) for part in source.batch(rows)]

    def examine(
        means: Numbers, earlier: Sequence[Numbers], epoch: int
    ) -> tuple[dict[str, float], str]:
        draws.seed(model.seed_, "checkup")
        with torch.no_grad(), evaluating(model.nets()):
            return model.checkup(*batch, means=means, earlier=earlier, epoch=epoch)

    return examine
