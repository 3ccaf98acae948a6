"""A large image enlarged in overlapping tiles, so that memory is bounded by the tile.

    Y = Σ_t w_t · f(X_t),   Σ_t w_t = 1 everywhere,   w_t(i, j) = a_t(i) b_t(j)

Along each side a tile's weight rises from 0 to 1 on a line through the overlap, and falls so at its
other end. It is 0 as far from the cut as the function reaches (where the overlap is at least twice
that), since there the function has seen the cut: then Y is what the whole image would give. With
less overlap a quarter of it is left out at each cut, and seams are blended.

Shapes: ``image`` is (C, H, W); the result is (C, s·H, s·W) for a scale s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.errors import InputError, check_range

Image = NDArray[Any]


@dataclass(frozen=True)
class Tiles:
    """How an image is cut into tiles: sides and overlap in pixels of the small image.

    ``reach`` is how far the function that is applied looks from a place, ``scale`` how much larger
    it makes an image. Neighbouring tiles share at least ``overlap``.
    """

    side: int
    overlap: int
    reach: int = 0
    scale: int = 1

    def check(self) -> None:
        """Raise InputError for tiles that do not cover an image."""
        for name, value in (("tile", self.side), ("overlap", self.overlap)):
            if not isinstance(value, Integral) or isinstance(value, bool):
                raise InputError(f"{name} is {value!r}; it must be a whole number of pixels")
        check_range("tile", self.side, 2)
        check_range("overlap", self.overlap, 0, self.side - 1)

    def count(self, height: int, width: int) -> int:
        """Return how many tiles an image is cut into."""
        return len(self.starts(height)) * len(self.starts(width))

    def starts(self, length: int) -> list[int]:
        """Return where tiles begin along a side; the last one ends with the image.

        >>> Tiles(side=8, overlap=2).starts(19)
        [0, 6, 11]
        """
        if length <= self.side:
            return [0]
        starts = list(range(0, length - self.side, self.side - self.overlap))
        return [*starts, length - self.side]

    def weights(self, length: int) -> NDArray[np.float32]:
        """Return (n_tiles, s · tile) weights along a side; at each pixel they sum to 1."""
        starts, scale = self.starts(length), self.scale
        side = min(self.side, length)
        ramps = np.zeros((len(starts), side * scale))
        places = np.arange(side * scale, dtype=np.float64) + 0.5
        for row, start in enumerate(starts):
            ramps[row] = 1
            if row > 0:
                shared = (starts[row - 1] + side - start) * scale
                ramps[row] *= self._rise(places, shared)
            if row < len(starts) - 1:
                shared = (start + side - starts[row + 1]) * scale
                ramps[row] *= self._rise(places[::-1], shared)
        total = np.zeros(length * scale)
        for row, start in enumerate(starts):
            total[start * scale : (start + side) * scale] += ramps[row]
        for row, start in enumerate(starts):
            ramps[row] /= total[start * scale : (start + side) * scale]
        return ramps.astype(np.float32)

    def _rise(self, places: NDArray[np.float64], shared: int) -> NDArray[np.float64]:
        """Return the ramp from 0 to 1 over the pixels shared with the tile before."""
        reach = self.reach * self.scale
        left_out = reach if shared >= 2 * reach else shared // 4
        rise: NDArray[np.float64] = (places - left_out) / max(1, shared - 2 * left_out)
        return rise.clip(0, 1)


def in_bands(
    function: Callable[[Image], Image], image: Image, tiles: Tiles
) -> Iterator[NDArray[np.float32]]:
    """Yield an image enlarged tile by tile, from the top, as soon as rows are finished.

    What is held is one row of tiles, so that a result larger than memory can be written away.

    Parameters
    ----------
    function
        (C, h, w) to (C', s·h, s·w), for any size up to the tile's.
    image
        (C, H, W); a memory map is read a tile at a time.
    tiles
        How it is cut.
    """
    tiles.check()
    height, width = image.shape[-2:]
    tops, down = tiles.starts(height), tiles.weights(height)
    begun: NDArray[np.float32] | None = None
    for number, (top, rise) in enumerate(zip(tops, down)):
        strip = image[:, top : top + tiles.side]
        band = _row_of_tiles(function, strip, tiles, width)
        band *= rise[:, None]
        if begun is not None:
            band[:, : begun.shape[1]] += begun
        end = tops[number + 1] if number + 1 < len(tops) else height
        n_finished = (end - top) * tiles.scale
        yield band[:, :n_finished]
        begun = band[:, n_finished:].copy()


def _row_of_tiles(
    function: Callable[[Image], Image], strip: Image, tiles: Tiles, width: int
) -> NDArray[np.float32]:
    row: NDArray[np.float32] | None = None
    for left, slope in zip(tiles.starts(width), tiles.weights(width)):
        piece = function(strip[:, :, left : left + tiles.side])
        if row is None:
            row = np.zeros((*piece.shape[:2], width * tiles.scale), np.float32)
        start = left * tiles.scale
        row[:, :, start : start + len(slope)] += piece * slope
    assert row is not None
    return row


def in_tiles(function: Callable[[Image], Image], image: Image, tiles: Tiles) -> NDArray[np.float32]:
    """Return what `in_bands` yields as one image, float32."""
    return np.concatenate(list(in_bands(function, image, tiles)), axis=1)
