"""Earlier translations that a discriminator sees again, so that the game oscillates less.

The first 50 images are kept and shown as they come. From then on each new image is, by the toss of
a coin, either shown itself, or exchanged for a kept one drawn at random, which is shown instead.

Several processes hold the same pool: each takes in the images of all of them, in the order of the
batch that one process would have had, and shows its own.

References
----------
.. [1] A. Shrivastava et al., "Learning from Simulated and Unsupervised Images through Adversarial
   Training", CVPR 2017, section 2.3.
.. [2] J.-Y. Zhu, T. Park, P. Isola, A. A. Efros, "Unpaired Image-to-Image Translation using
   Cycle-Consistent Adversarial Networks", ICCV 2017, section 4.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentia.training import draws
from latentia.training.distributed import all_rows, rank

EXCHANGED = 0.5
"""How probably a new image is exchanged for a kept one."""


class ImagePool(nn.Module):
    """The kept images, which are part of a run's state.

    Parameters
    ----------
    size
        How many images are kept; 0 shows every image itself.
    shape
        (C, H, W) of an image.
    """

    images: Tensor
    n_kept: Tensor

    def __init__(self, size: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(size, *shape))
        self.register_buffer("n_kept", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Return images (N, C, H, W) to show for new ones; in evaluation, those themselves."""
        size = len(self.images)
        if not (self.training and size):
            return x
        places_N2 = draws.uniform_like(torch.empty(len(x), 2, device=x.device))
        exchanged_N, slots_N = all_rows(places_N2).unbind(1)
        kept, shown = exchange(
            list(range(int(self.n_kept))),
            (exchanged_N < EXCHANGED).tolist(),
            (slots_N * size).long().tolist(),
            size,
        )
        stock = torch.cat([self.images[: int(self.n_kept)], all_rows(x)])
        self.images[: len(kept)] = stock[kept]
        self.n_kept.fill_(len(kept))
        first = rank() * len(x)
        return stock[shown[first : first + len(x)]]


def exchange(
    kept: list[int], exchanged: list[bool], slots: list[int], size: int
) -> tuple[list[int], list[int]]:
    """Return which images are kept and which are shown, as numbers: the kept ones, then the new.

    ``kept`` are those of the pool, 0 … k − 1; each new one, k, k + 1, …, is exchanged or not, for
    the image of a slot. The pool holds ``size``.

    >>> exchange([0, 1], [True, False, True], [1, 0, 1], size=2)
    ([0, 4], [1, 3, 2])
    """
    now, shown = list(kept), []
    for number, (swapped, slot) in enumerate(zip(exchanged, slots), start=len(kept)):
        full = len(now) == size
        shown.append(now[slot] if full and swapped else number)
        if not full:
            now.append(number)
        elif swapped:
            now[slot] = number
    return now, shown
