"""The residual generator of CycleGAN: two halvings, residual blocks, two doublings.

    c7s1-w, d2w, d4w, R4w × n, u2w, uw, c7s1-C, tanh                          [1]_ appendix 7.2

Small images may be halved once, or not at all: two halvings leave 7×7 places of 28×28 pixels. With
a skip connection it is tanh(x + net(x)): the net learns the difference between two domains alone
[3]_, and what both have in common need not be drawn anew.

c7s1-k is a 7×7 convolution, dk a 3×3 convolution of stride 2, uk one of stride ½ (transposed), Rk
two 3×3 convolutions beside which their input passes unchanged [2]_. Instance norm and ReLU follow
each but the last; the second of a block has no ReLU. Convolutions of stride 1 pad by reflection.

Shapes: ``x`` is (N, C, H, W) in [−1, 1], the result (N, C, H, W) in (−1, 1).

References
----------
.. [1] J.-Y. Zhu, T. Park, P. Isola, A. A. Efros, "Unpaired Image-to-Image Translation using
   Cycle-Consistent Adversarial Networks", ICCV 2017.
.. [2] J. Johnson, A. Alahi, L. Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and
   Super-Resolution", ECCV 2016.
.. [3] T. de Bel et al., "Residual cyclegan for robust domain transformation of histopathological
   tissue slides", Medical Image Analysis 70, 2021.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from latentia.nets.mlp import relu
from latentia.nets.normalisation import InstanceNorm
from latentia.nets.srresnet import Residual
from latentia.nets.unet import at_multiple


class ResNetGenerator(nn.Module):
    """The generator; sides that do not halve evenly are padded by reflection and cropped again.

    Parameters
    ----------
    n_channels
        Of the images, in and out.
    width
        Channels of the outermost layers, w: 64 in the paper.
    n_blocks
        Residual blocks: 6 in the paper for 128 pixels, 9 from 256 on.
    n_halvings
        How often the image is halved before the blocks: twice in the paper.
    skip
        Add the image to what the net makes of it, before the tanh.
    """

    def __init__(
        self, n_channels: int, width: int, n_blocks: int, n_halvings: int = 2, *, skip: bool = False
    ) -> None:
        super().__init__()
        self.skip = skip
        self.multiple = 2**n_halvings
        widths = [width * 2**level for level in range(n_halvings + 1)]
        block = partial(reflected, widths[-1], widths[-1], 3)
        last = nn.Conv2d(width, n_channels, 7, padding=3, padding_mode="reflect")
        self.net = nn.Sequential(
            *reflected(n_channels, width, 7),
            relu(),
            *(layer for pair in pairwise(widths) for layer in halving(*pair)),
            *(Residual(*block(), relu(), *block()) for _ in range(n_blocks)),
            *(layer for pair in pairwise(widths[::-1]) for layer in doubling(*pair)),
            last,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the translated image."""
        y = at_multiple(self.net, x, self.multiple)
        return torch.tanh(x + y if self.skip else y)


def reflected(n_in: int, n_out: int, side: int) -> list[nn.Module]:
    """Return a convolution of stride 1, padded by reflection, and its norm."""
    layer = nn.Conv2d(n_in, n_out, side, padding=side // 2, padding_mode="reflect", bias=False)
    return [layer, InstanceNorm(n_out)]


def halving(n_in: int, n_out: int) -> list[nn.Module]:
    """Return d: a 3×3 convolution of stride 2, its norm and ReLU."""
    return [nn.Conv2d(n_in, n_out, 3, 2, 1, bias=False), InstanceNorm(n_out), relu()]


def doubling(n_in: int, n_out: int) -> list[nn.Module]:
    """Return u: a 3×3 convolution of stride ½, its norm and ReLU."""
    layer = nn.ConvTranspose2d(n_in, n_out, 3, 2, 1, output_padding=1, bias=False)
    return [layer, InstanceNorm(n_out), relu()]
