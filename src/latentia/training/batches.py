"""Batches from arrays or tensors, in memory or memory-mapped: one vectorised step each.

uint8 stays uint8 in memory and becomes float32 in [0, 1] a batch at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentia.errors import Count, CountsWhen, InputError
from latentia.training.config import RunConfig
from latentia.training.distributed import rank, world_size

CHUNK = 4096
SMALL = 5_000
"""Samples below which batches are smaller, so that a pass over them has enough steps."""
DETAILED, LONG = 20, 100
"""Passes that are recorded one by one, and steps from which each pass is."""
FEW = 20
"""A training of this small a part of the usual steps is told to be too short."""
LEAST_STEPS = 500
"""Steps that no limit of the passes goes below."""
HELD_OUT = 12
"""Of so many rows one is held out, where nothing else is and the best epoch's weights are kept."""


class Batches(Protocol):
    """What the loop and the models read data from: rows that come out in batches."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def batch(self, rows: NDArray[np.integer[Any]]) -> tuple[Tensor, ...]:
        """Return what the losses take of rows, by their numbers."""

    def first(self, n: int) -> tuple[Tensor, ...]:
        """Return what the losses take of the first n rows, or of all if there are fewer."""


class Source:
    """Rows of data, with targets if there are any, that come out in batches.

    Parameters
    ----------
    x
        (n, d), (n, H, W) or (n, C, H, W) array, memory map or tensor; (n, H, W) gains a channel.
    y
        (n, ...) targets of any kind, or None.
    places
        (m,) row numbers in ``x`` and (m,) in ``y`` that each row is made of; by default row i of
        both.
    """

    def __init__(
        self,
        x: NDArray[Any] | Tensor,
        y: NDArray[Any] | Tensor | None = None,
        places: tuple[NDArray[np.intp], NDArray[np.intp]] | None = None,
    ) -> None:
        if x.ndim not in (2, 3, 4):
            raise InputError(
                f"data have {x.ndim} dimensions; give (n, d), (n, H, W) or (n, C, H, W)"
            )
        if len(x) == 0:
            raise InputError("the data hold 0 samples")
        if isinstance(x, np.ndarray) and x.dtype.kind not in "fiub":
            raise InputError(f"the data are of type {x.dtype}; give numbers")
        if y is not None and len(y) != len(x):
            raise InputError(f"there are {len(x)} samples and {len(y)} targets")
        self._x, self._y, self._places = x, y, places
        self.shape: tuple[int, ...] = (1, *x.shape[1:]) if x.ndim == 3 else tuple(x.shape[1:])
        """Of one sample: (d,) or (C, H, W)."""
        _refuse_not_finite(x)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._x if self._places is None else self._places[0])

    def batch(self, rows: NDArray[np.integer[Any]]) -> tuple[Tensor, ...]:
        """Return rows as ``(x,)`` or ``(x, y)``, x of shape (len(rows), *shape) in float32."""
        of_x, of_y = (rows, rows) if self._places is None else (p[rows] for p in self._places)
        x = as_floats(_gather(self._x, of_x)).reshape(len(rows), *self.shape)
        return (x,) if self._y is None else (x, _gather(self._y, of_y))

    def first(self, n: int) -> tuple[Tensor, ...]:
        """Return the first n rows, or all if there are fewer, as `batch` does."""
        return self.batch(np.arange(min(n, len(self))))

    def parted(self) -> tuple[Source, Source | None]:
        """Return all but every twelfth row, and those, which are to be held out, if there are."""
        rows = np.arange(len(self))
        held = rows % HELD_OUT == HELD_OUT - 1
        if not held.any():
            return self, None
        x, y = (rows, rows) if self._places is None else self._places
        parts = [Source(self._x, self._y, (x[part], y[part])) for part in (~held, held)]
        return parts[0], parts[1]


def _gather(values: NDArray[Any] | Tensor, rows: NDArray[np.integer[Any]]) -> Tensor:
    if isinstance(values, Tensor):
        return values.index_select(0, torch.from_numpy(rows).to(values.device))
    if isinstance(values, np.memmap):
        # Pages are read in file order, then put in the order asked for.
        order = np.argsort(rows, kind="stable")
        block = np.empty((len(rows), *values.shape[1:]), values.dtype)
        block[order] = values[rows[order]]
        return torch.from_numpy(block)
    return torch.from_numpy(values.take(rows, axis=0))


def as_floats(x: Tensor) -> Tensor:
    """Return uint8 as float32 in [0, 1], and other numbers as float32."""
    return x.to(torch.float32).div_(255) if x.dtype == torch.uint8 else x.to(torch.float32)


def _refuse_not_finite(x: NDArray[Any] | Tensor) -> None:
    for first in range(0, len(x), CHUNK):
        chunk = x[first : first + CHUNK]
        if isinstance(chunk, np.ndarray):
            if chunk.dtype.kind != "f":
                return
            finite = np.isfinite(chunk).reshape(len(chunk), -1).all(axis=1)
        else:
            if not chunk.is_floating_point():
                return
            finite = torch.isfinite(chunk).flatten(1).all(1).cpu().numpy()
        if not finite.all():
            row = first + int(np.argmin(finite))
            raise InputError(f"sample {row} holds NaN or infinity; remove it or fill it in")


def mean_of(source: Source) -> NDArray[np.float32]:
    """Return the mean of all rows."""
    total = torch.zeros(source.shape, dtype=torch.float64)
    for rows in np.array_split(np.arange(len(source)), -(-len(source) // CHUNK)):
        total += source.batch(rows)[0].cpu().sum(0, dtype=torch.float64)
    return (total / len(source)).float().numpy()


def column_moments(source: Source) -> tuple[float, float, Tensor, Tensor]:
    """Return the least and largest value, and each value's mean and variance in float64."""
    chunks = np.array_split(np.arange(len(source)), -(-len(source) // CHUNK))
    low, high = float("inf"), float("-inf")
    total = torch.zeros(source.shape, dtype=torch.float64)
    squares = torch.zeros(source.shape, dtype=torch.float64)
    for rows in chunks:
        x = source.batch(rows)[0].double().cpu()
        low, high = min(low, float(x.min())), max(high, float(x.max()))
        total += x.sum(0)
    mean = total / len(source)
    for rows in chunks:
        squares += (source.batch(rows)[0].double().cpu() - mean).square().sum(0)
    return low, high, mean, squares / len(source)


def column_scale(mean: Tensor, variance: Tensor) -> Tensor:
    """Return standard deviations, 1 for columns that are constant up to rounding."""
    scale = variance.sqrt()
    varies = scale > 1e-6 * mean.abs().clamp(min=1e-30)
    return torch.where(varies, scale, torch.ones(()).double())


@dataclass
class BatchOrder:
    """The order of a training run's batches.

    Each epoch goes once through a permutation of the rows, in batches of ``batch_size`` for each
    process; rows that do not fill a batch wait for another epoch's permutation. A step takes
    ``draws`` batches, since an update that repeats sees a new batch each time.

    ``draws`` is the largest ``repeats`` of the updates.
    """

    n_rows: int
    batch_size: int
    n_epochs: int
    seed: int
    draws: int = 1

    @cached_property
    def rows_each(self) -> int:
        """Rows of one process's batch, fewer than asked for only if the data are fewer."""
        return max(1, min(self.batch_size, self.n_rows // world_size()))

    @cached_property
    def batches_an_epoch(self) -> int:
        """Global batches in one permutation."""
        return max(1, self.n_rows // (self.rows_each * world_size()))

    @cached_property
    def steps_an_epoch(self) -> int:
        """Training steps in one epoch."""
        return max(1, self.batches_an_epoch // self.draws)

    @property
    def n_steps(self) -> int:
        """Training steps in the whole run."""
        return self.steps_an_epoch * self.n_epochs

    def epochs_for(self, n_steps: int) -> int:
        """Return how many epochs come nearest to so many steps: at least one."""
        return max(1, round(n_steps / self.steps_an_epoch))

    def epoch(self, step: int) -> int:
        """Return the epoch of a step, from 0."""
        return step // self.steps_an_epoch

    def ends_epoch(self, step: int) -> bool:
        """Return whether a step is the last of its epoch."""
        return (step + 1) % self.steps_an_epoch == 0

    def is_recorded(self, step: int) -> bool:
        """Return whether a step ends an epoch that is measured, drawn and saved.

        Hundreds of short epochs are not worth it: after 20 only every second one is recorded,
        after 40 every fourth, and so on, and the last one. It does not depend on how many there
        are, so that a run that is made longer goes on as the longer one would.
        """
        epoch = self.epoch(step) + 1
        spacing = 2 ** ((epoch - 1) // DETAILED).bit_length()
        due = self.steps_an_epoch >= LONG or epoch % spacing == 0 or epoch == self.n_epochs
        return due and self.ends_epoch(step)

    def rows(self, step: int, repeat: int) -> np.ndarray:
        """Return the row numbers of this process's batch."""
        permutation = self._permutation(self.epoch(step))
        batch = (step % self.steps_an_epoch) * self.draws + repeat
        first = (batch % self.batches_an_epoch * world_size() + rank()) * self.rows_each
        return permutation[first : first + self.rows_each]

    def told(self, name: str, unit: str, device: str, enough: int) -> list[str]:
        """Return what is about to happen in a line, and another if it is too little.

        ``enough`` is the usual number of steps, or 0 where that is what is taken.
        """
        n_threads, n_steps, each = torch.get_num_threads(), self.n_steps, self.steps_an_epoch
        lines = [
            f"{name}: {self.n_rows:,} {unit}, {n_steps:,} step{'s' * (n_steps > 1)} "
            f"({self.n_epochs:,} "
            f"epoch{'s' * (self.n_epochs > 1)} of {each:,}), batches of "
            f"{self.rows_each * world_size():,}, on {device}"
            f"{f' with {n_threads} threads' if n_threads > 1 else ''}"
        ]
        if n_steps * FEW <= enough:
            lines.append(
                f"n_epochs = {self.n_epochs} gives {n_steps:,} step{'s' * (n_steps > 1)} in all, "
                f"and {name} wants some {enough:,}: leave n_epochs out, or give about "
                f"{self.epochs_for(enough):,}"
            )
        return lines

    def _permutation(self, epoch: int) -> np.ndarray:
        kept: tuple[int, np.ndarray] | None = self.__dict__.get("_kept")
        if kept is None or kept[0] != epoch:
            generator = np.random.default_rng([self.seed, epoch])
            kept = self.__dict__["_kept"] = (epoch, generator.permutation(self.n_rows))
        return kept[1]


@dataclass(eq=False, repr=False, kw_only=True)
class Planned:
    """How long and with which batches a model is trained: one rule for every way to train it.

    A budget of steps is filled with whole passes over the data, and the batch suits their number.
    """

    usual_batches: ClassVar[tuple[int, int]] = (32, 128)
    """Samples in a batch, unless it is asked for: of fewer than 5,000 samples, and of more."""
    usual_steps: ClassVar[int] = 4_300
    """Training steps, unless ``n_steps`` or ``n_epochs`` is given."""

    n_epochs: Count | None = None
    """Passes over the training data; none takes as many as come nearest to ``n_steps``."""
    n_steps: Annotated[Count | None, CountsWhen("n_epochs", (None,))] = None
    """Training steps to take in whole passes over the data; none takes some 4,300 (10 of MNIST)."""
    batch_size: Count | None = None
    """Samples in a batch, in each process; none chooses by the number of samples."""
    patience: Count | None = None
    """Epochs without a better held-out value after which training ends, with the best weights."""

    @property
    def batches_a_step(self) -> int:
        """Batches that a training step takes: the most repeats of an update; here one."""
        return 1

    @property
    def keeps_best(self) -> bool:
        """Whether the weights of the epoch with the best held-out value are the fitted ones."""
        return self.patience is not None

    @property
    def waits(self) -> int | None:
        """Epochs without a better held-out value that end training; none takes all of them."""
        return self.patience

    def holds_out(self, settled: Mapping[str, object]) -> bool:
        """Return whether rows are held out where none are given, of what these data settle."""
        return False

    def parted(
        self, batches: Batches, held_out: Batches | None, settled: Mapping[str, object]
    ) -> tuple[Batches, Batches | None]:
        """Return what is trained on, and what is held out: what is given, or `holds_out`."""
        if held_out is None and isinstance(batches, Source) and self.holds_out(settled):
            return batches.parted()
        return batches, held_out

    @property
    def begun(self) -> RunConfig | None:
        """The run that a fit under way goes on with, and takes what is left open as it did."""
        found: RunConfig | None = vars(self).get("_begun")
        return found

    def resolve(self, batches: Batches) -> dict[str, object]:
        """Return what this fit takes where a parameter leaves it open; keep what the loop needs."""
        each = BatchOrder(len(batches), self.batch_size_, 1, 0, self.batches_a_step)
        before = None if self.begun is None else self.begun.taken("n_epochs")
        self.n_epochs_ = self.n_epochs or before or self.usual_epochs(each)
        steps = {"n_epochs": self.n_epochs_, "n_steps": self.n_epochs_ * each.n_steps}
        return {"batch_size": self.batch_size_, **steps}

    @property
    def most_epochs(self) -> int | None:
        """Passes that the usual steps take at most, where more learn the data by heart."""
        return None

    def usual_epochs(self, each: BatchOrder) -> int:
        """Return the passes that come nearest to ``n_steps``; unless it is given, `most_epochs`."""
        wanted, most = each.epochs_for(self.n_steps or self.usual_steps), self.most_epochs
        if most is None or self.n_steps is not None:
            return wanted
        return min(wanted, max(most, each.epochs_for(LEAST_STEPS)))

    def choose_batch(self, n_rows: int) -> None:
        """Choose the samples in a batch: those asked for, those of a run begun, or the usual."""
        small, large = self.usual_batches
        before = None if self.begun is None else self.begun.taken("batch_size")
        self.batch_size_ = self.batch_size or before or (small if n_rows < SMALL else large)


def recycled(numbers: NDArray[np.intp], n: int, seed: int) -> NDArray[np.intp]:
    """Return n of the numbers: one random order of them after another, the last cut off.

    >>> np.bincount(recycled(np.array([1, 3]), 5, seed=0)).tolist()
    [0, 3, 0, 2]
    """
    draw = np.random.default_rng(seed)
    return np.concatenate([draw.permutation(numbers) for _ in range(-(-n // len(numbers)))])[:n]
