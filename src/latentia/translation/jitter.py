"""Random jitter and mirroring of images, both of a pair alike.

Images are enlarged, a window of their own size is cut out at a random place, and every second one
is mirrored left to right. All places and turns are drawn for the whole batch at once.

References
----------
.. [1] P. Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR
   2017, section 6.2 (256 pixels, enlarged to 286).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from latentia import draws


def jittered(images: Sequence[Tensor], enlargement: float, *, mirror: bool) -> list[Tensor]:
    """Return images (N, C, H, W) of one size, those of one row moved and mirrored alike.

    Parameters
    ----------
    images
        Any number of batches; their channels may differ.
    enlargement
        How much larger they are made before a window is cut out, as a fraction of their sides.
    mirror
        Whether every second image, by chance, is mirrored.
    """
    first = images[0]
    height, width = first.shape[2:]
    tall, wide = (side + round(enlargement * side) for side in (height, width))
    place_N3 = draws.uniform_like(first.new_empty(len(first), 3))
    rows = _window(place_N3[:, 0], tall, height)
    columns = _window(place_N3[:, 1], wide, width)
    if mirror:
        columns = torch.where(place_N3[:, 2:] < 0.5, columns.flip(1), columns)
    every = torch.arange(len(first), device=first.device)[:, None, None]
    moved = []
    for batch in images:
        large = batch
        if (tall, wide) != (height, width):
            large = interpolate(batch, (tall, wide), mode="bilinear", align_corners=False)
        # The slice between the indices puts the channels last, which is how convolutions want them.
        window_NHWC = large[every, :, rows[:, :, None], columns[:, None, :]]
        moved.append(window_NHWC.permute(0, 3, 1, 2))
    return moved


def _window(place_N: Tensor, whole: int, side: int) -> Tensor:
    """Return (N, side) consecutive places in a line of ``whole``, their starts equally likely."""
    starts = (place_N * (whole - side + 1)).long()
    return starts[:, None] + torch.arange(side, device=place_N.device)
