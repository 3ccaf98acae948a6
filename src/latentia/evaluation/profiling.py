"""How fast a model trains, against what the machine's matrix products allow.

    fraction = (floating-point operations of a step's matrix products / seconds a step)
               / (those of a large product / its seconds)

Both are measured by turns, at the same number of threads and in the same precision, so that other
load on the machine slows them alike. What is not a matrix product counts as no work, only as time.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import clone
from torch.utils.flop_counter import FlopCounterMode

from latentia.data.dataset import Dataset
from latentia.errors import InputError, NonNegative, check_arguments
from latentia.files import write_atomically
from latentia.models.gradient import GradientModel
from latentia.training import draws
from latentia.training.batches import BatchOrder
from latentia.training.device import autocast, find_device, set_threads
from latentia.training.run import Run
from latentia.training.train import as_loss, train

SIDE = 1536
"""Rows and columns of the product that measures the machine."""
WARM_UP = 5
PARTS = ("data", "forward", "backward", "optimiser")


@dataclass(frozen=True)
class Profile:
    """A training step's speed, by the median step of the whole loop of `latentia.training.train`.

    ``step_flops`` are the floating-point operations of one step's matrix products and convolutions,
    forward and backward, a multiplication and an addition being two; ``matrix_rate`` those of a
    large matrix product a second; ``fraction`` is the step's rate over that; ``shares`` are of a
    step's time.
    """

    samples_per_second: float
    step_flops: float
    matrix_rate: float
    fraction: float
    shares: Mapping[str, float]
    threads: int
    precision: str
    device: str

    def __str__(self) -> str:
        """Return the figures as lines of text."""
        rate = self.fraction * self.matrix_rate
        parts = ", ".join(f"{name} {share:.0%}" for name, share in self.shares.items())
        return (
            f"{self.samples_per_second:,.0f} samples/s on {self.device}, {self.threads} "
            f"thread{'s' * (self.threads > 1)}, {self.precision}\n"
            f"{rate / 1e9:,.1f} GFLOP/s in matrix products of {self.matrix_rate / 1e9:,.1f} that "
            f"the machine does: {self.fraction:.0%}\n"
            f"a step's time: {parts}"
        )


def measure_speed(model: Any, data: Dataset, run: Path) -> Profile:
    """Profile a model's training steps on data; leave ``profile.json`` in its run."""
    if not model.resumable:
        name = type(model).__name__
        raise InputError(f"{name} is fitted in closed form and has no training steps")
    kept, _ = data.hold_out()
    found = profile(model, kept.x_train, kept.targets)
    write_atomically(run / "profile.json", json.dumps(dataclasses.asdict(found)).encode())
    return found


def profile(
    model: GradientModel, X: ArrayLike, y: Any = None, seconds: NonNegative = 3.0
) -> Profile:
    """Measure a model's training steps on data, without touching the model; print what it returns.

    Parameters
    ----------
    model
        Its hyperparameters are used; it need not be fitted.
    X, y
        Data, and labels for a model that takes them, as for ``fit``.
    seconds
        About how long to measure.
    """
    check_arguments(profile, locals())
    twin, set_to = clone(model), set_threads()
    twin.validate_parameters()
    device = find_device(twin.device)
    twin.seed_ = 0
    array = twin.checked(X, reset=True)
    twin.choose_batch(len(array))
    source = twin.read(array, y, reset=True)
    twin.resolve(source)
    twin.before_nets(array, None, False)
    twin.initialise(source, device)
    flops = step_flops(twin, source, device)
    steps: list[float] = []
    rates: list[float] = []
    before = time.perf_counter()
    while len(steps) < 2 or time.perf_counter() - before < seconds:
        rates.append(matrix_rate(device))
        steps.append(_step_seconds(twin, source, device, seconds / 8))
    shares = _shares(twin, source, device)
    step, rate = median(steps), median(rates)
    with autocast(device):
        precision = "bfloat16" if torch.is_autocast_enabled(device.type) else "float32"
    rows = BatchOrder(len(source), twin.batch_size_, 1, 0).rows_each
    return Profile(
        rows / step, flops, rate, flops / step / rate, shares, set_to, precision, str(device)
    )


def matrix_rate(device: torch.device) -> float:
    """Return the machine's floating-point operations a second in one large matrix product."""
    left, right = (torch.randn(SIDE, SIDE, device=device) for _ in range(2))
    with autocast(device):
        torch.mm(left, right)
        taken = [_seconds(lambda: torch.mm(left, right), device) for _ in range(3)]
    return 2 * SIDE**3 / median(taken)


def _seconds(work: Any, device: torch.device) -> float:
    began = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


def _step_seconds(twin: Any, source: Any, device: torch.device, seconds: float) -> float:
    """Return the median time of steps of the one loop, run for about so long."""
    moments: list[float] = []

    def watch(step: int, epoch: int, rows: int, values: Mapping[str, float]) -> None:
        moments.append(time.perf_counter())
        if len(moments) > WARM_UP + 2 and moments[-1] - moments[0] > seconds:
            raise StopIteration

    twin.n_epochs_ = 1_000_000
    with suppress(StopIteration):
        train(twin, source, None, Run(None), watch, device)
    return float(median(np.diff(moments[WARM_UP:])))


def step_flops(twin: Any, source: Any, device: torch.device) -> float:
    """Return the floating-point operations of a step's matrix products, of a model with nets."""
    order = BatchOrder(len(source), twin.batch_size_, 1, 0)
    total = 0.0
    with torch.random.fork_rng():
        for update in twin.updates():
            batch = [part.to(device) for part in source.batch(order.rows(0, 0))]
            draws.seed("profile")
            with FlopCounterMode(display=False) as counter:
                loss = as_loss(update.loss(*batch)).total
                loss.backward(inputs=list(update.parameters()))  # type: ignore[no-untyped-call]
            total += update.repeats * counter.get_total_flops()
    return total


def _shares(twin: Any, source: Any, device: torch.device) -> dict[str, float]:
    """Return how a step's time divides, each part timed on its own over a few steps."""
    order = BatchOrder(len(source), twin.batch_size_, 1, 0)
    spent = dict.fromkeys(PARTS, 0.0)
    updates = twin.updates()
    optimizers = [update.make_optimizer(twin.learning_rate) for update in updates]
    with torch.random.fork_rng():
        for _ in range(20):
            for update, optimizer in zip(updates, optimizers, strict=True):
                moments = [time.perf_counter()]
                batch = [part.to(device) for part in source.batch(order.rows(0, 0))]
                moments.append(time.perf_counter())
                with autocast(device):
                    loss = as_loss(update.loss(*batch)).total
                moments.append(time.perf_counter())
                optimizer.zero_grad()
                loss.backward(inputs=list(update.parameters()))  # type: ignore[no-untyped-call]
                moments.append(time.perf_counter())
                optimizer.step()
                moments.append(time.perf_counter())
                for name, taken in zip(PARTS, np.diff(moments), strict=True):
                    spent[name] += float(taken)
    total = sum(spent.values())
    return {name: value / total for name, value in spent.items()}
