"""What a recurrent net carries from window to window, so that a checkpoint holds it."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from latentia.training import draws

AFRESH = 1 / 50
"""Share of a training window's lanes that start from zero, wherever they are in the text."""


class Memory(nn.Module):
    """The state after the last window, of training and, apart from it, of evaluation.

    Training's is a buffer: it is saved with the weights, and a resumed run reads on as the
    undisturbed one. It is kept without its graph, which ends back-propagation at the window. Now
    and then a lane starts from zero: a net that did so at the beginning of epochs alone would not
    know how, and a prompt that begins as no lane did could leave it lost for good.

    Parameters
    ----------
    zero_state
        (S, L, N, H): the state before anything was read.
    """

    carried: Tensor

    def __init__(self, zero_state: Tensor) -> None:
        super().__init__()
        self.register_buffer("carried", zero_state)
        self._evaluated: Tensor | None = None

    def recall(self, zero_state: Tensor, begins: Tensor) -> Tensor:
        """Return the state that a window starts from: zero at the beginning of the lanes."""
        if bool(begins):
            return zero_state
        if not self.training:
            return cast(Tensor, self._evaluated)
        afresh_N1 = draws.uniform_like(zero_state[0, 0, :, :1]) < AFRESH
        return torch.where(afresh_N1, zero_state, self.carried)

    @torch.no_grad()
    def keep(self, state: Tensor) -> None:
        """Remember the state at the end of a window."""
        if self.training:
            # A new tensor each time: the graph of this step still holds the one before.
            self.carried = state.detach().to(self.carried.dtype)
        else:
            self._evaluated = state.detach()
