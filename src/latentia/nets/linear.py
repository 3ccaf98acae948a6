"""A linear posterior: the mean is linear in x, the variances are the same for every x."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LinearPosterior(nn.Module):
    """``V x`` and the log-variances of D, side by side.

    Parameters
    ----------
    n_features, n_components
        d and k.
    """

    def __init__(self, n_features: int, n_components: int) -> None:
        super().__init__()
        self.mean = nn.Linear(n_features, n_components, bias=False)
        self.log_variance = nn.Parameter(torch.zeros(n_components))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, 2k) for (N, ...) samples."""
        mean = self.mean(x.flatten(1))
        return torch.cat([mean, self.log_variance.expand_as(mean)], 1)
