"""Which precision a model's own training step is faster in, found by taking some of both."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from contextlib import suppress
from statistics import median
from typing import Any

import numpy as np
import torch

from latentia.training import distributed
from latentia.training.batches import Batches
from latentia.training.run import Run
from latentia.training.train import train

TURNS = 3
"""Times that each precision is timed, by turns."""
STEPS = 3
"""Steps of a turn that count; the one before them does not."""
WORTH_IT = 1.1
"""How many times faster bfloat16 must be: it keeps three digits."""


def faster_precision(model: Any, batches: Batches, device: torch.device) -> str:
    """Return bfloat16 if a step of a model with new nets is faster in it, else float32.

    The steps are of a copy: the model stays as it is. What the first process finds holds for all.
    """
    found: dict[str, list[float]] = {"float32": [], "bfloat16": []}
    for _ in range(TURNS):
        for precision, seconds in found.items():
            seconds.append(_seconds_of_a_step(model, precision, batches, device))
    float32, bfloat16 = (min(seconds) for seconds in found.values())
    pays = distributed.broadcast(np.array([float(bfloat16 * WORTH_IT < float32)]))
    return "bfloat16" if pays[0] else "float32"


def _seconds_of_a_step(model: Any, precision: str, batches: Batches, device: torch.device) -> float:
    """Return the median of a few steps: of the CPU's own seconds, which other programs leave."""
    twin = copy.deepcopy(model, {id(batches): batches})
    twin.precision_, twin.n_epochs_ = precision, 1 + STEPS
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    moments = [clock()]

    def watch(step: int, epoch: int, rows: int, values: Mapping[str, float]) -> None:
        moments.append(clock())
        if step > STEPS:
            raise StopIteration

    with suppress(StopIteration):
        train(twin, batches, None, Run(None), watch, device)
    return float(median(np.diff(moments[1:])))
