"""Games whose players are fully connected or convolutional, as suits the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from latentia.errors import InputError
from latentia.nets.discriminator import Discriminator
from latentia.nets.players import convolutional_players, dense_players
from latentia.parameters import check_range


@dataclass(eq=False, repr=False, kw_only=True)
class EitherNets:
    """The nets of a game, of either kind.

    It states nothing of a game: a game's own defaults would lose against what it inherits.
    """

    architecture: Literal["auto", "mlp", "convolutional"] = "auto"
    """The nets: fully connected, DCGAN's, or what suits the data."""
    hidden: tuple[int, ...] = (256, 512)
    """Widths of a fully connected generator's layers; its opponent mirrors them."""
    width: int = 32
    """Channels of the convolutional layers next to the image; deeper ones double."""

    def check_widths(self) -> None:
        """Raise InputError for a layer without units."""
        check_range("width", self.width, 1)
        for width in self.hidden:
            check_range("a width in hidden", width, 1)

    def players(
        self,
        shape: tuple[int, ...],
        n_inputs: int,
        *,
        packing: int,
        n_beside: int,
        batch_norm: bool,
        judge: Callable[..., Discriminator],
    ) -> tuple[nn.Module, Discriminator]:
        """Return generator and judge; see `latentia.nets.players.dense_players`."""
        if self.architecture == "mlp" or (self.architecture == "auto" and len(shape) == 1):
            return dense_players(
                shape, n_inputs, self.hidden, packing=packing, n_beside=n_beside, judge=judge
            )
        return convolutional_players(
            image_shape(type(self).__name__, shape),
            n_inputs,
            self.width,
            packing=packing,
            n_beside=n_beside,
            batch_norm=batch_norm,
            judge=judge,
        )


def image_shape(owner: str, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return (C, H, W), or refuse tables and images that strided convolutions cannot take."""
    if len(shape) != 3:
        raise InputError(f"{owner} learns images; the data are a table of shape (n, {shape[0]})")
    if min(shape[1:]) < 8 or max(shape[1:]) > 128:
        raise InputError(f"{owner} takes sides of 8 to 128 pixels; these are {shape[1:]}")
    return shape[0], shape[1], shape[2]
