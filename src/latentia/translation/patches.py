"""Random pieces of a batch of images, mirrored and turned, all drawn at once.

Shapes: ``x`` is (N, C, H, W), a patch (N, C, h, w).
"""

from __future__ import annotations

import torch
from torch import Tensor

from latentia import draws


def random_patches(x: Tensor, size: tuple[int, int], *, turn: bool) -> Tensor:
    """Return a piece of each image from a random place.

    Parameters
    ----------
    size
        (h, w), at most (H, W).
    turn
        Whether pieces are mirrored in either direction by chance, and square ones transposed:
        each of the eight positions of a square is then equally likely.
    """
    height, width = size
    place_N5 = draws.uniform_like(x.new_empty(len(x), 5))
    rows = _window(place_N5[:, 0], x.shape[2], height)
    columns = _window(place_N5[:, 1], x.shape[3], width)
    if turn:
        rows = torch.where(place_N5[:, 2:3] < 0.5, rows.flip(1), rows)
        columns = torch.where(place_N5[:, 3:4] < 0.5, columns.flip(1), columns)
    every = torch.arange(len(x), device=x.device)[:, None, None]
    # The slice between the indices puts the channels last, which is how convolutions want them.
    patch_NHWC = x[every, :, rows[:, :, None], columns[:, None, :]]
    if turn and height == width:
        across = place_N5[:, 4, None, None, None] < 0.5
        patch_NHWC = torch.where(across, patch_NHWC.transpose(1, 2), patch_NHWC)
    return patch_NHWC.permute(0, 3, 1, 2)


def centre_patches(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the middle of each image."""
    height, width = size
    top, left = (x.shape[2] - height) // 2, (x.shape[3] - width) // 2
    return x[:, :, top : top + height, left : left + width]


def _window(place_N: Tensor, whole: int, side: int) -> Tensor:
    """Return (N, side) consecutive places in a line of ``whole``, their starts equally likely."""
    starts = (place_N * (whole - side + 1)).long()
    return starts[:, None] + torch.arange(side, device=place_N.device)
