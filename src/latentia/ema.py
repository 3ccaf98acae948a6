"""Averaged weights: an exponential moving average of every net along the training path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class MovingAverage:
    """Keep ``a ← d·a + (1 − d)·w`` of each weight ``w``, with ``d = min(decay, (1 + t)/(10 + t))``.

    The rising ``d`` keeps the random start out of a short run's average. Buffers (the running
    statistics of batch norm) are copied, since they are averages already. The number of updates
    ``t`` is the training step, so nothing but the averages has to be saved.

    Parameters
    ----------
    nets
        The modules by name.
    decay
        ``d``, in [0, 1).

    References
    ----------
    .. [1] B. T. Polyak, A. B. Juditsky, "Acceleration of stochastic approximation by averaging",
       SIAM J. Control Optim., 1992.
    """

    def __init__(self, nets: Mapping[str, nn.Module], decay: float) -> None:
        self.nets = nets
        self.decay = decay
        self.averages = {name: value.clone() for name, value in self._current().items()}
        trained = {f"{n}.{k}" for n, net in nets.items() for k, _ in net.named_parameters()}
        self._trained = self._pairs(lambda name: name in trained)
        self._copied = self._pairs(lambda name: name not in trained)

    def _pairs(self, wanted: Callable[[str], bool]) -> tuple[list[Tensor], list[Tensor]]:
        """Return averages and the tensors of the nets that they follow."""
        found = {name: value for name, value in self._current().items() if wanted(name)}
        return [self.averages[name] for name in found], list(found.values())

    def _current(self) -> dict[str, Tensor]:
        return {
            f"{name}.{key}": value.detach()
            for name, net in self.nets.items()
            for key, value in net.state_dict().items()
        }

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move the averages towards the weights after training step ``step``, from 1."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(*self._trained, 1 - decay)
        if self._copied[0]:
            torch._foreach_copy_(*self._copied)

    @torch.no_grad()
    def copy_to_nets(self) -> None:
        """Overwrite the nets' weights with their averages."""
        for name, value in self._current().items():
            value.copy_(self.averages[name])

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the nets hold their averages within a ``with`` block."""
        kept = {name: value.clone() for name, value in self._current().items()}
        self.copy_to_nets()
        try:
            yield
        finally:
            with torch.no_grad():
                for name, value in self._current().items():
                    value.copy_(kept[name])
