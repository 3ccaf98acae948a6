"""Strided convolutions of images that have shrunk to a few pixels, as one matrix product.

Deep inside a U-Net an image has fewer pixels than channels. A library's convolution is made for
the opposite and its backward pass takes tens of times as long as the products need; here patches
are laid out as rows, and forward, ∂x and ∂w are one large product each. Function and weights are
those of torch's layers.

Shapes: (N, C_in, H, W) in, (N, C_out, H / 2, W / 2) or (N, C_out, 2H, 2W) out.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.compiler import is_exporting
from torch.nn.functional import fold, pad

SMALL = 16
"""Pixels of the smaller image up to which a product is faster on CPUs, in batches of 1 to 16."""


class Halving(nn.Conv2d):
    """A 4×4 convolution of stride 2 that halves even sides."""

    def __init__(self, n_in: int, n_out: int, *, bias: bool) -> None:
        super().__init__(n_in, n_out, 4, 2, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolved image."""
        n, height, width = x.shape[0], x.shape[2] // 2, x.shape[3] // 2
        if is_exporting() or height * width > SMALL:
            return super().forward(x)
        patches = pad(x, (1, 1, 1, 1)).unfold(2, 4, 2).unfold(3, 4, 2)
        rows = patches.permute(0, 2, 3, 4, 5, 1).reshape(n * height * width, -1)
        # In channels-last memory this is a view.
        kernel = self.weight.permute(0, 2, 3, 1).reshape(self.out_channels, -1)
        product = nn.functional.linear(rows, kernel, self.bias)
        return product.view(n, height, width, -1).permute(0, 3, 1, 2)


class Doubling(nn.ConvTranspose2d):
    """A transposed 4×4 convolution of stride 2 that doubles sides."""

    def __init__(self, n_in: int, n_out: int, *, bias: bool) -> None:
        super().__init__(n_in, n_out, 4, 2, 1, bias=bias)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Return the enlarged image."""
        n, _, height, width = x.shape
        if is_exporting() or height * width > SMALL:
            return super().forward(x, output_size)
        rows = x.permute(0, 2, 3, 1).reshape(n * height * width, -1)
        kernel = self.weight.permute(0, 2, 3, 1).reshape(self.in_channels, -1)
        spread = (rows @ kernel).view(n, height * width, 16, self.out_channels)
        columns = spread.permute(0, 3, 2, 1).reshape(n, -1, height * width)
        y = fold(columns, (2 * height, 2 * width), 4, padding=1, stride=2)
        return y if self.bias is None else y + self.bias[:, None, None]
