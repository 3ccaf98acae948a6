"""Everything that training changes: nets, optimisers, averages, counters. What resumes a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from latentia.training.updates import Update

COUNTERS = ("step", "best_score", "sums", "seconds")
LATER_COUNTERS = {"best_epoch": 0, "ended": ""}
"""Counters that version 0.1.0 did not save, and what they were."""


def weights_of(nets: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Return every weight and buffer of some nets, as ``<net>.<name>``."""
    return {
        f"{name}.{key}": value.detach()
        for name, net in nets.items()
        for key, value in net.state_dict().items()
    }


class MovingAverage:
    """Keep ``a ← d·a + (1 − d)·w`` of each weight ``w``, with ``d = min(decay, (1 + t)/(10 + t))``.

    The rising ``d`` keeps the random start out of a short run's average. Buffers (the running
    statistics of batch norm) are copied, since they are averages already. The number of updates
    ``t`` is the training step, so nothing but the averages has to be saved.

    References
    ----------
    .. [1] B. T. Polyak, A. B. Juditsky, "Acceleration of stochastic approximation by averaging",
       SIAM J. Control Optim., 1992.
    """

    def __init__(self, nets: Mapping[str, nn.Module], decay: float) -> None:
        self.nets = nets
        self.decay = decay
        self.averages = {name: value.clone() for name, value in weights_of(nets).items()}
        named = {n: net.named_parameters(remove_duplicate=False) for n, net in nets.items()}
        self.trained = {f"{n}.{key}" for n, found in named.items() for key, _ in found}
        self._trained = self._pairs(lambda name: name in self.trained)
        self._copied = self._pairs(lambda name: name not in self.trained)

    def _pairs(self, wanted: Callable[[str], bool]) -> tuple[list[Tensor], list[Tensor]]:
        """Return averages and the tensors of the nets that they follow."""
        found = {name: value for name, value in weights_of(self.nets).items() if wanted(name)}
        return [self.averages[name] for name in found], list(found.values())

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
        for name, value in weights_of(self.nets).items():
            value.copy_(self.averages[name])

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the nets hold their averages within a ``with`` block."""
        kept = {name: value.clone() for name, value in weights_of(self.nets).items()}
        self.copy_to_nets()
        try:
            yield
        finally:
            with torch.no_grad():
                for name, value in weights_of(self.nets).items():
                    value.copy_(kept[name])


class TrainingState:
    """The nets with an optimiser for each update and averaged weights, at a step.

    ``learning_rate`` is for updates without an optimiser of their own; without an ``ema_decay``
    there are no averages.
    """

    def __init__(
        self,
        nets: Mapping[str, nn.Module],
        updates: Sequence[Update],
        learning_rate: float,
        ema_decay: float | None,
    ) -> None:
        self.nets = nets
        self.parameters = {u.name: list(u.parameters()) for u in updates}
        self.optimizers = {u.name: u.make_optimizer(learning_rate) for u in updates}
        self.base_rates = {
            name: [group["lr"] for group in o.param_groups] for name, o in self.optimizers.items()
        }
        self.average = None if ema_decay is None else MovingAverage(nets, ema_decay)
        self.step = 0
        self.best_score: float | None = None
        self.best_epoch = 0
        self.best: dict[str, Tensor] = {}
        self.ended = ""
        self.sums: dict[str, float] = {}
        self.seconds = 0.0

    def scale_learning_rate(self, name: str, factor: float) -> None:
        """Set an optimiser's learning rates to ``factor`` times those it began with."""
        for group, rate in zip(self.optimizers[name].param_groups, self.base_rates[name]):
            group["lr"] = rate * factor

    def rate(self, score: float | None, epoch: int, *, hold: bool) -> bool:
        """Take an epoch's held-out value, if it has one; return whether it is the best so far.

        To ``hold`` is to keep the weights of the best epoch at hand.
        """
        better = score is not None and (self.best_score is None or score < self.best_score)
        if better:
            self.best_score, self.best_epoch = score, epoch
        if better and hold:
            self.best = {name: value.clone() for name, value in self.fitted_weights().items()}
        return better

    def fitted_weights(self) -> Mapping[str, Tensor]:
        """Return the weights that a model fitted so far has: the averaged, or else the last."""
        return weights_of(self.nets) if self.average is None else self.average.averages

    @torch.no_grad()
    def settle(self) -> None:
        """Leave the nets with the weights of the fitted model: the best that are held, if any."""
        for name, value in weights_of(self.nets).items():
            value.copy_((self.best or self.fitted_weights())[name])

    def tensors(self) -> dict[str, Tensor]:
        """Return every tensor that a resumed run needs, by a unique name."""
        found = {
            f"nets/{name}/{key}": value
            for name, net in self.nets.items()
            for key, value in net.state_dict().items()
        }
        for name, optimizer in self.optimizers.items():
            for index, slots in optimizer.state_dict()["state"].items():
                for slot, value in slots.items():
                    found[f"optimizers/{name}/{index}/{slot}"] = value
        if self.average is not None:
            # Buffers are copies of the nets' own.
            averages, trained = self.average.averages, self.average.trained
            found |= {f"average/{name}": v for name, v in averages.items() if name in trained}
        return found

    def counters(self) -> dict[str, Any]:
        """Return what a resumed run needs besides tensors, as JSON."""
        return {name: getattr(self, name) for name in (*COUNTERS, *LATER_COUNTERS)}

    def restore(self, tensors: Mapping[str, Tensor], counters: Mapping[str, Any]) -> None:
        """Take back what `tensors` and `counters` gave."""
        for name, net in self.nets.items():
            net.load_state_dict(_below(tensors, f"nets/{name}/"))
        for name, optimizer in self.optimizers.items():
            owners = [owner for group in optimizer.param_groups for owner in group["params"]]
            slots: dict[int, dict[str, Tensor]] = {}
            for key, value in _below(tensors, f"optimizers/{name}/").items():
                index, slot = key.split("/")
                slots.setdefault(int(index), {})[slot] = _laid_out(value, owners[int(index)])
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": slots, "param_groups": groups})
        if self.average is not None:
            whole = weights_of(self.nets) | _below(tensors, "average/")
            for name, value in whole.items():
                self.average.averages[name].copy_(value)
        for name in COUNTERS:
            setattr(self, name, counters[name])
        for name, before in LATER_COUNTERS.items():
            setattr(self, name, counters.get(name, before))

    def hold(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the best epoch's weights from what `tensors` gave then."""
        found = {k.replace("/", "."): v for k, v in _below(tensors, "nets/").items()}
        if self.average is not None:
            found |= _below(tensors, "average/")
        self.best = {name: found[name].to(v.device) for name, v in weights_of(self.nets).items()}


def _laid_out(slot: Tensor, owner: Tensor) -> Tensor:
    """Return an optimiser's slot in its parameter's memory layout.

    torch's fused kernels walk through both in storage order, without looking at the strides.
    """
    return torch.empty_like(owner).copy_(slot) if slot.shape == owner.shape else slot


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
