"""Which rows make which batch: a function of (seed, epoch), so that nothing has to be saved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from latentia.distributed import rank, world_size


@dataclass
class BatchOrder:
    """The order of a training run's batches.

    Each epoch goes once through a permutation of the rows, in batches of ``batch_size`` for each
    process; rows that do not fill a batch wait for another epoch's permutation. A step takes
    ``draws`` batches, since an update that repeats sees a new batch each time.

    Attributes
    ----------
    n_rows, batch_size, n_epochs, seed
        Of the data and the run.
    draws
        Batches in each step: the largest ``repeats`` of the updates.
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

    def epoch(self, step: int) -> int:
        """Return the epoch of a step, from 0."""
        return step // self.steps_an_epoch

    def ends_epoch(self, step: int) -> bool:
        """Return whether a step is the last of its epoch."""
        return (step + 1) % self.steps_an_epoch == 0

    def rows(self, step: int, repeat: int) -> np.ndarray:
        """Return the row numbers of this process's batch."""
        permutation = self._permutation(self.epoch(step))
        batch = (step % self.steps_an_epoch) * self.draws + repeat
        first = (batch % self.batches_an_epoch * world_size() + rank()) * self.rows_each
        return permutation[first : first + self.rows_each]

    def _permutation(self, epoch: int) -> np.ndarray:
        kept: tuple[int, np.ndarray] | None = self.__dict__.get("_kept")
        if kept is None or kept[0] != epoch:
            generator = np.random.default_rng([self.seed, epoch])
            kept = self.__dict__["_kept"] = (epoch, generator.permutation(self.n_rows))
        return kept[1]
