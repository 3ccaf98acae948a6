"""Batch norm and dropout that mean the same in one process and in several."""

from __future__ import annotations

from typing import cast

import torch
import torch.distributed.nn.functional as collective
from torch import Tensor, nn

from latentia.distributed import world_size
from latentia.draws import bytes_like


class BatchNorm(nn.BatchNorm2d):
    """Batch norm over the batch of all processes (torch's own SyncBatchNorm needs a GPU).

    In one process it is exactly ``torch.nn.BatchNorm2d``.

    References
    ----------
    .. [1] S. Ioffe, C. Szegedy, "Batch Normalization", ICML 2015, algorithm 1.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, H, W) features, normalised per channel."""
        if not self.training or world_size() == 1:
            return super().forward(x)
        moments = torch.stack([x.mean((0, 2, 3)), x.square().mean((0, 2, 3))])
        together: Tensor = collective.all_reduce(moments)  # type: ignore[no-untyped-call]
        mean, square = together / world_size()
        variance = square - mean.square()
        self._remember(mean.detach(), variance.detach(), x.numel() // x.shape[1] * world_size())
        scale = cast(Tensor, self.weight) * torch.rsqrt(variance + self.eps)
        shift = cast(Tensor, self.bias) - mean * scale
        normalised: Tensor = x * scale[:, None, None] + shift[:, None, None]
        return normalised

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        momentum = cast(float, self.momentum)
        unbiased = variance * count / (count - 1)
        cast(Tensor, self.running_mean).lerp_(mean, momentum)
        cast(Tensor, self.running_var).lerp_(unbiased, momentum)
        cast(Tensor, self.num_batches_tracked).add_(1)


class Dropout(nn.Module):
    """Dropout whose mask is drawn for the batch of all processes.

    Parameters
    ----------
    rate
        The probability that an element is zeroed in training, to the nearest 1/256: the mask is
        made of bytes, which are cheap to draw.

    References
    ----------
    .. [1] N. Srivastava et al., "Dropout", JMLR 2014.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = round(rate * 256) / 256

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` with elements zeroed and the rest scaled by 1/(1 − rate), in training."""
        if not self.training:
            return x
        kept = bytes_like(x) >= 256 * self.rate
        return x * kept.to(x.dtype).mul_(1 / (1 - self.rate))
