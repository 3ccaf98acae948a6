"""The variance of Gaussian noise as something to be learned."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

SPEED = 10.0
"""Adam moves a parameter by about its learning rate a step; a log-variance has further to go."""


class LearnedVariance(nn.Module):
    """One variance ``v = exp(10 θ)`` shared by all values, starting at ``v = initial``."""

    def __init__(self, initial: float = 0.1) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.tensor(math.log(initial) / SPEED))

    def forward(self) -> Tensor:
        """Return ``v``, a positive scalar."""
        return (SPEED * self.log_variance).clamp(-20, 20).exp()
