"""Adam: steps along the gradient's running mean, over the root of its running mean square.

    m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,  both from 0          ([1]_ algorithm 1)
    w ← w − γ (m/(1 − β₁ᵗ)) / (√(v/(1 − β₂ᵗ)) + ε)

References
----------
.. [1] D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn


class Adam:
    """Adam as one call of torch's fused kernel, which reads and writes each weight once.

    It gives the bits of ``torch.optim.Adam(fused=True)`` and takes its state, without the hooks,
    groupings and dictionaries around the call, which cost a small net as much as the call itself.

    Parameters
    ----------
    parameters
        What moves: all of one type, on one device.
    learning_rate
        γ; it may be changed between steps, in ``param_groups``.
    betas
        (β₁, β₂).
    epsilon
        ε.
    """

    def __init__(
        self,
        parameters: Sequence[nn.Parameter],
        learning_rate: float,
        betas: tuple[float, float],
        epsilon: float,
    ) -> None:
        self.parameters = list(parameters)
        self.betas, self.epsilon = betas, epsilon
        self.param_groups: list[dict[str, Any]] = [{"params": self.parameters, "lr": learning_rate}]
        self.means = [torch.zeros_like(w, requires_grad=False) for w in self.parameters]
        self.squares = [torch.zeros_like(w, requires_grad=False) for w in self.parameters]
        self.t = torch.zeros((), device=self.parameters[0].device)

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for w in self.parameters:
            w.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move every weight that has a gradient."""
        self.t += 1
        moving = [
            (*map(_as_stored, (w, _laid_out_as(w, w.grad), m, v)), self.t)
            for w, m, v in zip(self.parameters, self.means, self.squares)
            if w.grad is not None
        ]
        weights, gradients, means, squares, steps = map(list, zip(*moving))
        torch._fused_adam_(
            weights,
            gradients,
            means,
            squares,
            [],
            steps,
            lr=self.param_groups[0]["lr"],
            beta1=self.betas[0],
            beta2=self.betas[1],
            weight_decay=0.0,
            eps=self.epsilon,
            amsgrad=False,
            maximize=False,
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the moments and t of each weight, in the layout of torch's optimisers."""
        moments = zip(self.means, self.squares)
        slots = [{"step": self.t.clone(), "exp_avg": m, "exp_avg_sq": v} for m, v in moments]
        return {"state": dict(enumerate(slots)), "param_groups": self.param_groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take back what `state_dict` gave; a weight that never moved may be missing."""
        for index, slots in state_dict["state"].items():
            self.means[index].copy_(slots["exp_avg"])
            self.squares[index].copy_(slots["exp_avg_sq"])
            self.t.copy_(slots["step"])


def _laid_out_as(weight: Tensor, gradient: Tensor) -> Tensor:
    """Return the gradient in the weight's layout; the kernel goes by the place in memory."""
    if gradient.stride() == weight.stride():
        return gradient
    return torch.empty_like(weight).copy_(gradient)


def _as_stored(x: Tensor) -> Tensor:
    """Return a view of all values in the order of memory; the kernel is slow on other orders."""
    return x if x.is_contiguous() else x.as_strided((x.numel(),), (1,))
