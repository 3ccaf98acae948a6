"""The U-Net of pix2pix: an encoder, its mirror, and a skip connection between layers of one size.

    e_0 = C(x),  e_i = N(C(lrelu(e_{i−1}))),  d_k = relu(e_k)                    [1]_ section 6.1.1
    d_{i−1} = relu([drop(N(Cᵀ(d_i))), e_{i−1}]),  y = tanh(Cᵀ(d_0))

C and Cᵀ are 4×4 convolutions of stride 2, plain and transposed, N a norm, drop dropout of one half
in the three innermost layers. The innermost e_k has no norm: over one pixel it would leave 0 ([1]_,
errata).

A transposed convolution makes four pixels of one, each by weights of its own, which draws a lattice
on even ground such as water; repeated pixels and a 3×3 convolution draw none ([2]_). Innermost
layers, whose lattice is the coarsest, may have these.

Shapes: ``x`` is (N, C_in, H, W), the result (N, C_out, H, W) in (−1, 1).

References
----------
.. [1] P. Isola, J.-Y. Zhu, T. Zhou, A. A. Efros, "Image-to-Image Translation with Conditional
   Adversarial Networks", CVPR 2017.
.. [2] A. Odena, V. Dumoulin, C. Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pad, relu

from latentia.nets.normalisation import NORMS, Dropout, Normalisation
from latentia.nets.small_images import Doubling, Halving

DEEPEST = 8
"""Halvings of the paper's net, which take 256 pixels to one."""
WIDEST = 8
"""The most channels, in widths of the outermost layer."""
N_NOISY = 3
"""Decoder layers with dropout."""


def unet_depth(size: tuple[int, int]) -> int:
    """Return how often an image of this size is halved: until its shorter side is one pixel.

    >>> unet_depth((256, 256)), unet_depth((64, 100)), unet_depth((28, 28))
    (8, 6, 4)
    """
    return min(DEEPEST, min(size).bit_length() - 1)


class UNet(nn.Module):
    """The generator; sides that do not halve evenly are padded by reflection and cropped again.

    Parameters
    ----------
    n_in, n_out
        Channels on each side.
    width
        Channels of the outermost layer; deeper ones double up to eight times that.
    depth
        How often the image is halved.
    norm
        The norm's kind.
    dropout
        Of the three innermost decoder layers.
    n_resized
        How many of the innermost decoder layers repeat pixels; the outermost never does.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        width: int,
        depth: int,
        norm: Normalisation,
        dropout: float,
        n_resized: int = 0,
    ) -> None:
        super().__init__()
        self.depth, self.multiple = depth, 2**depth
        widths = [width * min(WIDEST, 2**level) for level in range(depth)]
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level, n_outer in enumerate([n_in, *widths[:-1]]):
            normed = 0 < level < depth - 1
            conv = Halving(n_outer, widths[level], bias=not normed)
            self.down.append(nn.Sequential(conv, *([NORMS[norm](widths[level])] if normed else [])))
        for level in reversed(range(1, depth)):
            n_inner = widths[level] * (1 if level == depth - 1 else 2)
            make = repeated if level >= depth - n_resized else partial(Doubling, bias=False)
            up = make(n_inner, widths[level - 1])
            noisy = dropout > 0 and level >= depth - N_NOISY
            noise = [Dropout(dropout)] if noisy else []
            self.up.append(nn.Sequential(up, NORMS[norm](widths[level - 1]), *noise))
        n_last = widths[0] * (1 if depth == 1 else 2)
        self.last = Doubling(n_last, n_out, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the translated image."""
        return at_multiple(self._translated, x, self.multiple)

    def _translated(self, h: Tensor) -> Tensor:
        skips = []
        for level, down in enumerate(self.down):
            h = down(leaky_relu(h, 0.2) if level else h)
            skips.append(h)
        d = relu(skips.pop())
        for up in self.up:
            d = relu(torch.cat([up(d), skips.pop()], 1))
        return torch.tanh(self.last(d))


def repeated(n_in: int, n_out: int) -> nn.Sequential:
    """Return what doubles sides by repeated pixels and a 3×3 convolution."""
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(n_in, n_out, 3, 1, 1, bias=False))


def at_multiple(net: Callable[[Tensor], Tensor], x: Tensor, multiple: int) -> Tensor:
    """Return what a net makes of images padded by reflection to a multiple, cropped again."""
    height, width = x.shape[2:]
    margins = reflection_margins((height, width), multiple)
    y = net(pad(x, margins, mode="reflect") if any(margins) else x)
    left, _, top, _ = margins
    return y[:, :, top : top + height, left : left + width]


def reflection_margins(size: tuple[int, int], multiple: int) -> tuple[int, int, int, int]:
    """Return (left, right, top, bottom) pixels that bring both sides to a multiple.

    >>> reflection_margins((28, 32), 16), reflection_margins((8, 9), 8)
    ((0, 0, 2, 2), (3, 4, 0, 0))
    """
    (up, down), (left, right) = ((-s % multiple // 2, -(-(-s % multiple) // 2)) for s in size)
    return left, right, up, down


def isola_weights(module: nn.Module) -> None:
    """Draw weights from N(0, 0.02) and, as in the authors' code, norms' scales from N(1, 0.02).

    Biases are 0 ([1]_ section 6.2).
    """
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    if isinstance(weight, Tensor):
        centre = 0.0 if weight.ndim > 1 else 1.0
        nn.init.normal_(weight, centre, 0.02)
    if isinstance(bias, Tensor):
        nn.init.zeros_(bias)
