"""How long a training step takes, against its own matrix products and convolutions alone.

    ratio = seconds of a step of the whole loop / seconds of its products alone

The products are those that one step is seen to compute, forward and backward: they are computed
again with the same numbers, in the same precision and with as many threads, and nothing between
them. Both are measured by turns, so that other load on the machine slows them alike, on one thread
in the process's own CPU seconds. Of what a step takes beside its products, an optimiser's part is
mostly memory that it moves, so that a plain copy of as many bytes is timed beside it.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from torch import Tensor, nn, optim
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from latentia.data.dataset import Dataset
from latentia.errors import InputError, NonNegative, check_arguments
from latentia.files import write_atomically
from latentia.models.gradient import GradientModel
from latentia.training import draws
from latentia.training.batches import Batches, BatchOrder
from latentia.training.device import autocast
from latentia.training.run import Run
from latentia.training.train import as_loss, train
from latentia.training.updates import Update

WARM_UP = 5
PARTS = ("data", "forward", "backward", "optimiser")
ROUNDS = 7
"""Turns that the figures are medians of, of so many seconds in all."""
OFTEN = 4
"""Times that products and parts are timed in a turn."""


@dataclass(frozen=True)
class Profile:
    """A training step's speed, by the median step of the whole loop of `latentia.training.train`.

    ``ratio`` is a step's time over that of its own matrix products and convolutions alone,
    forward and backward, of which there are ``n_products`` with ``step_flops`` floating-point
    operations, a multiplication and an addition being two, ``product_rate`` a second. ``shares``
    are what the rest takes, in the products' time: 1 and all of them make the ratio. ``copy_share``
    is what a plain copy of the ``optimiser_bytes`` takes that the optimiser reads and writes.
    """

    samples_per_second: float
    ratio: float
    n_products: int
    step_flops: float
    product_rate: float
    shares: Mapping[str, float]
    optimiser_bytes: float
    copy_share: float
    threads: int
    precision: str
    device: str

    def __str__(self) -> str:
        """Return the figures as lines of text."""
        parts = ", ".join(f"{name} {share:.0%}" for name, share in self.shares.items())
        return (
            f"{self.samples_per_second:,.0f} samples/s on {self.device}, {self.threads} "
            f"thread{'s' * (self.threads > 1)}, {self.precision}\n"
            f"a step takes {self.ratio:.2f} times as long as its {self.n_products} matrix products "
            f"and convolutions alone, which do {self.product_rate / 1e9:,.1f} GFLOP/s\n"
            f"beside them, in their time: {parts}; a plain copy of the "
            f"{self.optimiser_bytes / 1e6:.1f} MB that the optimiser moves takes "
            f"{self.copy_share:.0%}"
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
    model: GradientModel, X: ArrayLike, y: Any = None, seconds: NonNegative = 5.0
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
    twin = clone(model)
    twin.validate_parameters()
    device = twin.prepare_machine()
    twin.seed_ = 0
    array = twin.checked(X, reset=True)
    twin.choose_batch(len(array))
    source = twin.read(array, y, reset=True)
    twin.resolve(source)
    twin.before_nets(array, y, None, False)
    twin.initialise(source, device)
    twin.settle_precision(source, device, None, None)
    with torch.random.fork_rng():
        return Bench(twin, source, device).measure(seconds)


class Products(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """The matrix products and convolutions of what is computed within a ``with`` block."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[Callable[[], object]] = []
        self.flops = 0.0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Compute, and keep what is a product with its operands."""
        call = partial(function, *args, **(kwargs or {}))
        found = call()
        count = flop_registry.get(function._overloadpacket)
        if count is not None:
            self.calls.append(call)
            self.flops += count(*args, **(kwargs or {}), out_val=found)
        return found


class Bench:
    """A model with new nets and its data, whose steps and their parts are timed."""

    def __init__(self, model: Any, source: Batches, device: torch.device) -> None:
        self.model, self.source, self.device = model, source, device
        self.updates: list[Update] = model.updates()
        self.optimizers: list[optim.Optimizer] = []
        self.rows = BatchOrder(len(source), model.batch_size_, 1, 0).rows(0, 0)
        self.spent = dict.fromkeys(PARTS, 0.0)
        self.since = 0.0
        single = torch.get_num_threads() == 1
        self.clock = time.process_time if device.type == "cpu" and single else time.perf_counter

    def measure(self, seconds: float) -> Profile:
        """Return the figures, medians over turns."""
        forward, backward = self.products()
        turns = []
        for _ in range(ROUNDS):
            alone = [self.seconds_of(part.calls) for part in (forward, backward)]
            step, *parts = self.step_seconds(seconds / 2 / ROUNDS)
            rest = [*np.subtract(parts, [0, *alone, 0]), step - sum(parts)]
            shares = np.divide([step, *rest, self.seconds_of([self.copy()])], sum(alone))
            turns.append([step, sum(alone), *shares])
        step, alone_, ratio, *shares, copied = np.median(turns, axis=0).tolist()
        flops = forward.flops + backward.flops
        return Profile(
            samples_per_second=len(self.rows) / step,
            ratio=ratio,
            n_products=len(forward.calls) + len(backward.calls),
            step_flops=flops,
            product_rate=flops / alone_,
            shares=dict(zip((*PARTS, "the loop"), shares, strict=True)),
            optimiser_bytes=4 * self.n_moved(),
            copy_share=copied,
            threads=torch.get_num_threads(),
            precision=self.model.precision_,
            device=str(self.device),
        )

    def products(self) -> tuple[Products, Products]:
        """Return the products of a step, forward and backward, of each update as it repeats."""
        found = Products(), Products()
        for update in self.updates:
            forward, backward = Products(), Products()
            batch = [part.to(self.device) for part in self.source.batch(self.rows)]
            draws.seed("profile")
            with forward, autocast(self.device, self.model.precision_):
                loss = as_loss(update.loss(*batch)).total
            with backward:
                torch.autograd.backward(loss, inputs=list(update.parameters()))
            for whole, part in zip(found, (forward, backward), strict=True):
                whole.calls += part.calls * update.repeats
                whole.flops += part.flops * update.repeats
        return found

    def now(self) -> float:
        """Return the seconds when all that was asked for is done."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return self.clock()

    def seconds_of(self, calls: Sequence[Callable[[], object]]) -> float:
        """Return the median time of some calls, one after the other."""
        taken = []
        with torch.no_grad():
            for _ in range(OFTEN):
                began = self.now()
                for call in calls:
                    call()
                taken.append(self.now() - began)
        return median(taken)

    def step_seconds(self, seconds: float) -> list[float]:
        """Return the median time of steps of the one loop and of their parts, run for so long."""
        steps: list[list[float]] = []
        begun = [self.now()]

        def watch(step: int, epoch: int, rows: int, values: Mapping[str, float]) -> None:
            begun.append(self.now())
            steps.append([begun[-1] - begun[-2], *self.spent.values()])
            self.spent = dict.fromkeys(PARTS, 0.0)
            if len(steps) > WARM_UP + 1 and begun[-1] - begun[0] > seconds:
                raise StopIteration

        self.optimizers.clear()
        self.model.n_epochs_ = 1_000_000
        self.model.updates = lambda: [self.timed(update) for update in self.updates]
        with suppress(StopIteration):
            train(self.model, Timed(self), None, Run(None), watch, self.device)
        return [float(part) for part in np.median(steps[WARM_UP:], axis=0)]

    def timed(self, update: Update) -> Update:
        """Return an update that tells how long its loss, the way back and its optimiser take."""

        def loss(*batch: Tensor) -> Any:
            self.since = self.now()
            found = update.loss(*batch)
            self.passed("forward")
            return found

        def optimizer(weights: list[nn.Parameter]) -> optim.Optimizer:
            made = update.make_optimizer(self.model.learning_rate)
            made.register_step_pre_hook(lambda *given: self.passed("backward"))
            made.register_step_post_hook(lambda *given: self.passed("optimiser"))
            self.optimizers.append(made)
            return made

        return dataclasses.replace(update, loss=loss, optimizer=optimizer)

    def passed(self, part: str) -> None:
        """Note the time since the last part as that of this one."""
        now = self.now()
        self.spent[part] += now - self.since
        self.since = now

    def n_moved(self) -> int:
        """Return how many numbers the optimisers read and write in a step.

        Each weight, its gradient and what is kept for it are read; weight and kept are written.
        """
        return sum(
            update.repeats * (3 * weight.numel() + 2 * _kept(optimizer, weight))
            for update, optimizer in zip(self.updates, self.optimizers[-len(self.updates) :])
            for weight in update.parameters()
        )

    def copy(self) -> Callable[[], object]:
        """Return a call that copies half as many numbers, and so reads and writes as many."""
        half = self.n_moved() // 2
        whole = torch.zeros(2, half, device=self.device)
        return partial(whole[0].copy_, whole[1])


class Timed:
    """Batches whose time is that of the part "data"."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.first = bench, bench.source.first

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.bench.source)

    def batch(self, rows: NDArray[np.integer[Any]]) -> tuple[Tensor, ...]:
        """Return what the losses take of rows."""
        self.bench.since = self.bench.now()
        found = self.bench.source.batch(rows)
        self.bench.passed("data")
        return found


def _kept(optimizer: optim.Optimizer, weight: nn.Parameter) -> int:
    """Return how many numbers an optimiser keeps for a weight, but for its count of steps."""
    kept = optimizer.state[weight].values()
    return sum(value.numel() for value in kept if value.shape == weight.shape)
