"""A text as windows for truncated back-propagation through time, read in order.

The text is cut into N lanes that are read side by side, a window of T symbols of each at a time
([1]_; N is the batch). A window begins where the one before ended, and the net's state goes with
it: only a lane's first window begins from nothing.

References
----------
.. [1] R. J. Williams, J. Peng, "An Efficient Gradient-Based Algorithm for On-Line Training of
   Recurrent Network Trajectories", Neural Computation 2, 1990 (BPTT(h; h′) with h = h′ = T).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentia.errors import InputError


class Windows:
    """Batches of a text's windows for the training loop.

    A recurrent net goes on where it stopped, so which windows come is a function of the step
    alone (`turn_to`): of the rows that the loop asks for only their number counts. Without a turn,
    as for held-out text, row ``w * n_lanes + l`` is window w of lane l.

    Parameters
    ----------
    ids
        (n,) symbol numbers.
    batch_size, n_steps
        The most lanes, and the most symbols of a window; a short text has fewer.

    Raises
    ------
    InputError
        For fewer than two symbols.
    """

    def __init__(self, ids: NDArray[np.int32], batch_size: int, n_steps: int) -> None:
        n = len(ids) - 1
        if n < 1:
            raise InputError(f"the text holds {len(ids)} symbols; give at least 2")
        self.n_lanes = max(1, min(batch_size, n // n_steps))
        self.n_steps = min(n_steps, n)
        self.n_windows = n // self.n_lanes // self.n_steps
        self._ids = ids
        self._left_over = n - self.n_lanes * self.n_windows * self.n_steps
        self._turn: tuple[int, int] | None = None

    def __len__(self) -> int:
        """Return the number of windows of all lanes."""
        return self.n_lanes * self.n_windows

    def turn_to(self, step: int, seed: int) -> None:
        """Let the next batch be the one of a training step, from 0.

        The seed says where an epoch begins to read: symbols left over at the end of one epoch are
        read in another.
        """
        epoch, window = divmod(step, self.n_windows)
        first = np.random.default_rng([seed, epoch]).integers(self._left_over + 1)
        self._turn = (window, int(first))

    def first(self, n: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return the first window of all lanes, whatever n is."""
        return self.batch(np.arange(n))

    def batch(self, rows: NDArray[np.integer]) -> tuple[Tensor, Tensor, Tensor]:
        """Return inputs (N, T), the symbols after them (N, T), and whether the lanes begin."""
        window, first = self._turn or (int(rows[0]) // self.n_lanes, 0)
        lanes = np.arange(self.n_lanes) * self.n_windows + window
        places = first + lanes[:, None] * self.n_steps + np.arange(self.n_steps + 1)
        symbols = torch.from_numpy(self._ids[places]).long()
        return symbols[:, :-1], symbols[:, 1:], torch.tensor(window == 0)
