"""Norms, and dropout, that mean the same in one process and in several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, cast

import torch
import torch.distributed.nn.functional as collective
from torch import Tensor, nn
from torch.compiler import is_exporting

from latentia.errors import InputError
from latentia.training.distributed import world_size
from latentia.training.draws import bytes_like


class BatchNorm(nn.BatchNorm2d):
    """Batch norm over the batch of all processes (torch's own SyncBatchNorm needs a GPU).

    In one process it is exactly ``torch.nn.BatchNorm2d``.

    References
    ----------
    .. [1] S. Ioffe, C. Szegedy, "Batch Normalization", ICML 2015, algorithm 1.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, H, W) features, normalised per channel."""
        if self.training and x.numel() == x.shape[1] and world_size() == 1:
            raise InputError(
                "batch norm learns from at least two values of a channel, and a batch of one of "
                "these images leaves one: take a batch_size of 2 or more, of as many images"
            )
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


class InstanceNorm(nn.GroupNorm):
    """Norm of each channel of each image by itself, with a learned scale and shift.

    It is batch norm of a batch of one, in training and afterwards alike, so that an image's result
    does not depend on others. On a CPU it is computed so, image by image: torch's group norm with a
    group for each channel is the same sum, and its backward pass takes several times as long, in
    bfloat16 most of all.

    References
    ----------
    .. [1] D. Ulyanov, A. Vedaldi, V. Lempitsky, "Instance Normalization: The Missing Ingredient for
       Fast Stylization", 2016, eq. 2.
    """

    def __init__(self, width: int) -> None:
        super().__init__(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, H, W) features, each channel of each image normalised."""
        if x.device.type != "cpu" or is_exporting():
            return super().forward(x)
        normalised = [
            torch.batch_norm(image, self.weight, self.bias, None, None, True, 0.0, self.eps, False)
            for image in torch.split(x, 1)
        ]
        return normalised[0] if len(x) == 1 else torch.cat(normalised)


class LayerNorm(nn.GroupNorm):
    """Norm of each image by itself over all its channels, with a scale and shift of each channel.

    What makes one channel stronger than another in the whole image, such as its colour, is kept,
    where instance norm takes it away.

    References
    ----------
    .. [1] J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016, eq. 3.
    .. [2] Y. Wu, K. He, "Group Normalization", ECCV 2018, section 3.1 (the case of one group).
    """

    def __init__(self, width: int) -> None:
        super().__init__(1, width)


Normalisation = Literal["batch", "instance", "layer"]
"""Each channel over a batch's images, each channel of each image, or each image's channels."""
NORMS: Mapping[Normalisation, Callable[[int], nn.Module]] = {
    "batch": BatchNorm,
    "instance": InstanceNorm,
    "layer": LayerNorm,
}


@contextmanager
def noisy(net: nn.Module) -> Iterator[None]:
    """Let a net's dropout act within a ``with`` block, whatever the net's mode."""
    layers = [(layer, layer.training) for layer in net.modules() if isinstance(layer, Dropout)]
    for layer, _ in layers:
        layer.train()
    try:
        yield
    finally:
        for layer, mode in layers:
            layer.train(mode)
