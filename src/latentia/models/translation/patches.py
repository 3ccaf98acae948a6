"""Random pieces of batches of images, mirrored and turned, all drawn at once.

Shapes: ``x`` is (N, C, H, W), a patch (N, C, h, w).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from latentia.training import draws


def random_patches(
    images: Sequence[Tensor], size: tuple[int, int], *, mirror: bool = False, turn: bool = False
) -> list[Tensor]:
    """Return a piece of each image from a random place, the same in every batch.

    Parameters
    ----------
    images
        Batches (N, C, H, W) of one size; their channels may differ.
    size
        (h, w), at most (H, W).
    mirror
        Whether pieces are mirrored left to right by chance.
    turn
        Whether pieces are mirrored in either direction by chance, and square ones transposed:
        each of the eight positions of a square is then equally likely.
    """
    first = images[0]
    height, width = size
    place_N5 = draws.uniform_like(first.new_empty(len(first), 5))
    rows = _window(place_N5[:, 0], first.shape[2], height)
    columns = _window(place_N5[:, 1], first.shape[3], width)
    if turn:
        rows = torch.where(place_N5[:, 2:3] < 0.5, rows.flip(1), rows)
    if turn or mirror:
        columns = torch.where(place_N5[:, 3:4] < 0.5, columns.flip(1), columns)
    rows, columns = rows[:, :, None], columns[:, None, :]
    if turn and height == width:
        across = place_N5[:, 4, None, None] < 0.5
        crossed = rows.transpose(1, 2), columns.transpose(1, 2)
        rows, columns = (
            torch.where(across, crossed[0], rows),
            torch.where(across, crossed[1], columns),
        )
    every = torch.arange(len(first), device=first.device)[:, None, None]
    # The slice between the indices puts the channels last, which is how convolutions want them.
    return [batch[every, :, rows, columns].permute(0, 3, 1, 2) for batch in images]


def centre_patches(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the middle of each image."""
    height, width = size
    top, left = (x.shape[2] - height) // 2, (x.shape[3] - width) // 2
    return x[:, :, top : top + height, left : left + width]


def _window(place_N: Tensor, whole: int, side: int) -> Tensor:
    """Return (N, side) consecutive places in a line of ``whole``, their starts equally likely."""
    starts = (place_N * (whole - side + 1)).long()
    return starts[:, None] + torch.arange(side, device=place_N.device)


def jittered(
    images: Sequence[Tensor], enlargement: float, *, mirror: bool, turn: bool = False
) -> list[Tensor]:
    """Return images enlarged and cut to their own size at a random place, a row of batches alike.

    Parameters
    ----------
    images
        Batches (N, C, H, W); their channels may differ.
    enlargement
        How much larger they are made, as a fraction of their sides.
    mirror, turn
        See `random_patches`.

    References
    ----------
    .. [1] P. Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR
       2017, section 6.2 (256 pixels, enlarged to 286).
    """
    size = (images[0].shape[2], images[0].shape[3])
    larger = tuple(side + round(enlargement * side) for side in size)
    if larger != size:
        images = [
            interpolate(batch, larger, mode="bilinear", align_corners=False) for batch in images
        ]
    return random_patches(images, size, mirror=mirror, turn=turn)
