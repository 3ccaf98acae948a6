"""Nearest-neighbour upsampling and a convolution, computed together.

    y[2i + a, 2j + b] = Σ_uv w[u, v] x↑[2i + a + u − p, 2j + b + v − p]
    x↑[s, t] = x[⌊s/2⌋, ⌊t/2⌋]

Taps of the kernel that fall on the same pixel of x add up, so that each of the four phases (a, b)
is a convolution of the small image with a smaller kernel: 5×5 on the large image, 25 products a
pixel, becomes 3×3, 9 products. The function and the weights are those of the plain pair.

Shapes: (N, C_in, H, W) in, (N, C_out, 2H, 2W) out.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pixel_shuffle


class UpsampledConvolution(nn.Conv2d):
    """``Conv2d(Upsample(2)(x))`` with stride 1 and an odd kernel that keeps the size.

    Parameters
    ----------
    n_in, n_out
        Channels.
    side
        Rows and columns of the kernel, odd.
    """

    phases: Tensor

    def __init__(self, n_in: int, n_out: int, side: int) -> None:
        super().__init__(n_in, n_out, side, padding=side // 2)
        self.register_buffer("phases", phase_sums(side), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolved large image."""
        n_out, n_in = self.weight.shape[:2]
        small = self.phases.shape[1]
        # (2, s, k) on both sides of (o, c, k, k): a kernel for each phase.
        kernels = torch.einsum("aik,ockl,bjl->oabcij", self.phases, self.weight, self.phases)
        bias = None if self.bias is None else self.bias.repeat_interleave(4)
        merged = kernels.reshape(4 * n_out, n_in, small, small)
        return pixel_shuffle(conv2d(x, merged, bias, padding=small // 2), 2)


def phase_sums(side: int) -> Tensor:
    """Return (2, s, side) zeros and ones: which taps fall on which small pixel, for each phase.

    >>> phase_sums(5)[0].int().tolist()
    [[1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]]
    """
    reach = side // 2
    pixels = [[(phase + tap - reach) // 2 for tap in range(side)] for phase in (0, 1)]
    outermost = max(abs(pixel) for row in pixels for pixel in row)
    sums = torch.zeros(2, 2 * outermost + 1, side)
    for phase, row in enumerate(pixels):
        for tap, pixel in enumerate(row):
            sums[phase, pixel + outermost, tap] = 1
    return sums
