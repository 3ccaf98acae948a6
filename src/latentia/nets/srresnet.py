"""SRResNet, which makes an image larger, and the discriminator that SRGAN sets against it.

    h₀ = PReLU(conv9(x)),   h_{i+1} = h_i + B(conv3(PReLU(B(conv3(h_i))))),   i = 0 … n − 1
    u = h₀ + B(conv3(h_n));   for each prime factor r of s:  u ← PReLU(shuffle(conv3(u)))
    y = conv9(u),   or  bicubic(x) + conv9(u)                                  ([1]_ figure 4)

with B batch norm or nothing, and the sub-pixel convolution of [2]_ (eq. 4),
``shuffle(t)[c, ri + a, rj + b] = t[r²c + ra + b, i, j]``. The r² kernels of a channel begin equal
([3]_), so that the untrained layer repeats pixels: r² unequal ones begin with a lattice of that
period, of which training leaves some.

The paper's net makes the whole image; with bicubic interpolation beside it, the net has only the
rest to learn, and begins as bicubic interpolation because its last layer begins at zero.

Shapes: ``x`` is (N, C, h, w) in [0, 1], ``y`` (N, C, s·h, s·w) around [0, 1], not bounded.

References
----------
.. [1] C. Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative
   Adversarial Network", CVPR 2017, figure 4.
.. [2] W. Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient
   Sub-Pixel Convolutional Neural Network", CVPR 2016.
.. [3] A. Aitken et al., "Checkerboard artifact free sub-pixel convolution: A note on sub-pixel
   convolution, resize convolution and convolution resize", 2017, section 3.2 (ICNR).
"""

from __future__ import annotations

from functools import partial
from math import ceil, prod
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.compiler import is_exporting
from torch.nn.functional import conv2d, interpolate, pixel_shuffle

from latentia.nets.mlp import leaky_relu
from latentia.nets.normalisation import BatchNorm

BICUBIC_REACH = 2
"""Pixels of the small image that bicubic interpolation reaches from a place."""
DENSE = 16
"""Units of the discriminator's hidden layer, in widths of its first (1024 in the paper)."""


class Residual(nn.Module):
    """Layers that keep the shape, beside which their input passes unchanged: ``x + net(x)``."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.net = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum."""
        out: Tensor = x + self.net(x)
        return out


def prime_factors(scale: int) -> list[int]:
    """Return the 2s and 3s whose product a scale is.

    >>> prime_factors(6), prime_factors(8)
    ([2, 3], [2, 2, 2])
    """
    factors: list[int] = []
    for prime in (2, 3):
        while scale % prime == 0:
            factors.append(prime)
            scale //= prime
    return factors


class SubPixelConvolution(nn.Sequential):
    """A convolution to r² times the channels, which become r×r pixels, then PReLU."""

    def __init__(self, width: int, factor: int = 2) -> None:
        layer = nn.Conv2d(width, factor**2 * width, 3, padding=1)
        begin_equal(layer, factor**2)
        super().__init__(layer, nn.PixelShuffle(factor), nn.PReLU())


@torch.no_grad()
def begin_equal(layer: nn.Conv2d, n: int) -> None:
    """Give each n outputs in turn one kernel and bias, drawn as usual ([3]_)."""
    for part in (layer.weight, cast(Tensor, layer.bias)):
        part.copy_(part[::n].repeat_interleave(n, 0))


class Upscaler(nn.Module):
    """SRResNet's net, the generator of SRGAN: images of ``n_channels`` to larger ones.

    ``scale`` is a product of 2s and 3s; ``n_blocks`` and ``width`` are 16 and 64 in the paper.
    ``batch_norm`` normalises convolutions inside the blocks, ``bicubic`` adds bicubic interpolation
    to what the net gives.
    """

    def __init__(
        self,
        n_channels: int,
        scale: int,
        n_blocks: int = 16,
        width: int = 64,
        *,
        batch_norm: bool = True,
        bicubic: bool = False,
    ) -> None:
        super().__init__()
        self.scale, self.n_blocks, self.bicubic = scale, n_blocks, bicubic
        self.head = nn.Sequential(nn.Conv2d(n_channels, width, 9, padding=4), nn.PReLU())
        layer = partial(convolution, width, batch_norm=batch_norm)
        blocks = [Residual(*layer(), nn.PReLU(), *layer()) for _ in range(n_blocks)]
        self.body = Residual(*blocks, *layer())
        steps = [SubPixelConvolution(width, factor) for factor in prime_factors(scale)]
        self.tail = nn.Sequential(*steps, nn.Conv2d(width, n_channels, 9, padding=4))
        if bicubic:
            last = cast(nn.Conv2d, self.tail[-1])
            nn.init.zeros_(last.weight)
            nn.init.zeros_(cast(Tensor, last.bias))

    def forward(self, x: Tensor) -> Tensor:
        """Return the large images."""
        y: Tensor = self.tail(self.body(self.head(x)))
        return y + bicubic_interpolation(x, self.scale) if self.bicubic else y

    @property
    def reach(self) -> int:
        """How many pixels of ``x``, at most, an output's place reaches to each side.

        4 and 4/s for the outer convolutions, 2 for a block, 1 after the blocks, then 1, 1/r …
        """
        factors = prime_factors(self.scale)
        steps = sum(1 / prod(factors[:step]) for step in range(len(factors)))
        net = ceil(4 + 2 * self.n_blocks + 1 + steps + 4 / self.scale)
        return max(net, BICUBIC_REACH)


def convolution(width: int, *, batch_norm: bool) -> list[nn.Module]:
    """Return a 3×3 convolution, normalised or not; the norm's shift makes a bias superfluous."""
    layer = nn.Conv2d(width, width, 3, padding=1, bias=not batch_norm)
    return [layer, BatchNorm(width)] if batch_norm else [layer]


def bicubic_interpolation(x: Tensor, scale: int) -> Tensor:
    """Return images enlarged as `latentia.data.degrade.enlarged` does, but not clipped."""
    if is_exporting():
        return plain_bicubic_interpolation(x, scale)
    size = [side * scale for side in x.shape[-2:]]
    return interpolate(x, size, mode="bicubic", antialias=True)


def plain_bicubic_interpolation(x: Tensor, scale: int) -> Tensor:
    """Return the same by a convolution, in which other software has all that it needs.

    Pixel s·i + a of the result is the sum over small pixels j of k((a + ½)/s − ½ − j + i) x[j], k
    the kernel of [1]_ in `latentia.data.degrade`, divided by the sum of what weights fall inside.
    """
    reach = torch.arange(-BICUBIC_REACH, BICUBIC_REACH + 1)
    centres = (torch.arange(scale) + 0.5) / scale - 0.5
    t = (centres[:, None] - reach).abs()
    near, far = 1.5 * t**3 - 2.5 * t**2 + 1, -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    weights = torch.where(t < 1, near, torch.where(t < 2, far, 0.0))
    kernels = (weights[:, None, :, None] * weights[None, :, None, :]).flatten(0, 1)[:, None]
    n, n_channels, height, width = x.shape
    planes = torch.cat([x.flatten(0, 1)[:, None], torch.ones(1, 1, height, width)])
    large: Any = pixel_shuffle(conv2d(planes, kernels, padding=BICUBIC_REACH), scale)
    found: Tensor = (large[:-1] / large[-1:]).unflatten(0, (n, n_channels))[:, :, 0]
    return found


def bicubic_degradation(x: Tensor, scale: int) -> Tensor:
    """Return images made smaller as `latentia.data.degrade.degraded` does, rounded to 8 bits."""
    size = [side // scale for side in x.shape[-2:]]
    small = interpolate(x, size, mode="bicubic", antialias=True)
    return small.clamp(0, 1).mul(255).round().div(255)


class Striding(nn.Conv2d):
    """A convolution whose stride over a single pixel is one in bfloat16, which changes no value.

    Of a larger one torch 2.13 leaves the gradients of weights that see the margin alone unwritten.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution."""
        if min(x.shape[2:]) > 1 or not torch.is_autocast_enabled(x.device.type):
            return super().forward(x)
        stride = [min(step, side) for step, side in zip(self.stride, x.shape[2:])]
        return conv2d(x, self.weight, self.bias, stride, self.padding)


def srgan_discriminator(shape: tuple[int, int, int], width: int = 64) -> nn.Sequential:
    """Return the discriminator of figure 4 for images (C, H, W) of a size: one logit an image.

    3×3 convolutions of w, w, 2w, 2w, 4w, 4w, 8w, 8w channels, every second of stride 2, batch norm
    after all but the first, LeakyReLU 0.2; then 16w hidden units. A side s becomes ⌈s/16⌉.
    """
    n_in, *sides = shape
    layers: list[nn.Module] = []
    for index in range(8):
        n_out, step = width * 2 ** (index // 2), 1 + index % 2
        sides = [ceil(side / step) for side in sides]
        layers.append(Striding(n_in, n_out, 3, step, 1, bias=index == 0))
        layers += [leaky_relu()] if index == 0 else [BatchNorm(n_out), leaky_relu()]
        n_in = n_out
    n_features = n_in * sides[0] * sides[1]
    hidden = nn.Linear(n_features, DENSE * width)
    return nn.Sequential(*layers, nn.Flatten(), hidden, leaky_relu(), nn.Linear(DENSE * width, 1))
