"""Everything that training changes: nets, optimisers, averages, counters. What resumes a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from latentia.ema import MovingAverage
from latentia.updates import Update


class TrainingState:
    """The nets with their optimisers and averaged weights, at a step.

    Parameters
    ----------
    nets
        The modules by name.
    updates
        The model's updates, one optimiser each.
    learning_rate
        For updates without an optimiser of their own.
    ema_decay
        Of the averaged weights; None keeps none.
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
        self.sums: dict[str, float] = {}
        self.seconds = 0.0

    def scale_learning_rate(self, name: str, factor: float) -> None:
        """Set an optimiser's learning rates to ``factor`` times those it began with."""
        for group, rate in zip(self.optimizers[name].param_groups, self.base_rates[name]):
            group["lr"] = rate * factor

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
            found |= {f"average/{name}": v for name, v in self.average.averages.items()}
        return found

    def counters(self) -> dict[str, Any]:
        """Return what a resumed run needs besides tensors, as JSON."""
        return {
            "step": self.step,
            "best_score": self.best_score,
            "sums": self.sums,
            "seconds": self.seconds,
        }

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
            for name, value in _below(tensors, "average/").items():
                self.average.averages[name].copy_(value)
        self.step, self.best_score = counters["step"], counters["best_score"]
        self.sums, self.seconds = dict(counters["sums"]), counters["seconds"]


def _laid_out(slot: Tensor, owner: Tensor) -> Tensor:
    """Return an optimiser's slot in its parameter's memory layout.

    torch's fused kernels walk through both in storage order, without looking at the strides.
    """
    return torch.empty_like(owner).copy_(slot) if slot.shape == owner.shape else slot


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
