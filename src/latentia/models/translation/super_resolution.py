"""What models that make images larger share: their verbs, and the figure they are judged by.

    fit(sharp)    transform(small) = large    inverse_transform(sharp) = small
    score(sharp) = PSNR of transform(inverse_transform(sharp)) against sharp, in dB

Shapes: images are (n, H, W) or (n, C, H, W), uint8 or floats in [0, 1]. Those of ``fit`` are of one
size; the other verbs take any size.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from latentia.data.crops import load_crops
from latentia.data.dataset import Dataset, ImageSize
from latentia.data.degrade import cut_to_multiple, degraded
from latentia.data.options import USUAL, TableOptions
from latentia.errors import InputError, Several, Whole, check_arguments
from latentia.metrics.structural_similarity import WINDOW
from latentia.metrics.super_resolution import luma_psnr, luma_ssim
from latentia.models.base import Model, to_numpy
from latentia.models.fields import command_name
from latentia.models.inputs import (
    as_array,
    channels_first,
    check_images,
    in_kind_of,
    spread,
    unit_floats,
)
from latentia.models.translation import figures
from latentia.models.translation.baselines import detail_figures, detail_notes
from latentia.models.translation.tiles import Tiles, in_tiles
from latentia.plots.page import Picture

Images = NDArray[Any]
SCALES = (2, 3, 4, 6, 8)
"""Factors of enlargement: what sub-pixel convolutions by 2 and 3 give."""
SMALLEST = 8
"""Shortest side in pixels of a sharp image to learn from, at any scale."""
MEASURED = 3
"""The same in multiples of the scale: the figures leave out one at each border."""
MOST_TESTED = 200
"""Test images that are measured."""


@dataclass(eq=False, repr=False, kw_only=True)
class SuperResolution(Model, ABC):
    """A model whose `transform` makes images larger by a whole factor."""

    scale: int = 4
    """How much larger images become: 2, 3, 4, 6 or 8."""

    lacks = {
        "sample": "it enlarges a given image and has no prior to draw one from",
        "reconstruct": "its two verbs take images of different sizes; score compares them",
    }

    def load_data(
        self,
        spec: str,
        image_size: ImageSize = None,
        held_out: float | None = None,
        options: TableOptions = USUAL,
    ) -> Dataset:
        """Return random pieces of a folder's pictures, or any other data as it is."""
        self.refuse_share(held_out)
        options.refuse(f"{command_name(type(self).__name__)} learns pictures and no tables")
        return load_crops(spec, image_size=image_size)

    def check_data(self, data: Dataset) -> None:
        """Refuse a table, and images too small to learn from."""
        self.data_shape_ = data.x_train.shape[1:]
        self.check_sharp()

    def measure(self, data: Dataset, random_state: int = 0) -> dict[str, float]:
        """Return the PSNR on test images, and SSIM where they are large enough."""
        sharp, large = self.beside_enlarged(spread(data.x_test, MOST_TESTED))
        found = {"luma_psnr": luma_psnr(sharp, large, self.scale)}
        if min(sharp.shape[-2:]) >= WINDOW + 2 * self.scale:
            found["luma_ssim"] = luma_ssim(sharp, large, self.scale)
        return found | detail_figures(large, sharp)

    def caveats(self, data: Dataset) -> tuple[str, ...]:
        """Return what was cut off the sharp test images, and what detail they share."""
        sharp = self.beside_enlarged(spread(data.x_test, MOST_TESTED))[0]
        whole, left = (f"{h}×{w}" for h, w in (data.x_test.shape[-2:], sharp.shape[-2:]))
        cut = f"Test images of {whole} pixels were cut to {left}: the scale is {self.scale}."
        return (*((cut,) if whole != left else ()), *detail_notes(sharp))

    def pictures(self, data: Dataset) -> Iterator[Picture]:
        """Yield test images made small and enlarged, beside the sharp ones."""
        return figures.beside_bicubic(self, data)

    def check_values(self) -> None:
        """Raise InputError for a scale that is not offered."""
        if self.scale not in SCALES:
            offered = ", ".join(map(str, SCALES))
            raise InputError(f"scale is {self.scale!r}; it must be one of {offered}")

    @property
    def n_channels(self) -> int:
        """The channels of an image."""
        return self.data_shape_[0] if len(self.data_shape_) == 3 else 1

    def check_sharp(self) -> None:
        """Raise InputError if ``fit`` was given a table, or images too small to learn from."""
        owner = type(self).__name__
        if len(self.data_shape_) == 1:
            raise InputError(
                f"{owner} enlarges images; X is a table of shape (n, {self.data_shape_[0]})"
            )
        least = max(SMALLEST, MEASURED * self.scale)
        if min(self.data_shape_[-2:]) < least:
            raise InputError(
                f"{owner} of scale {self.scale} learns from sides of at least {least} pixels; "
                f"these are {self.data_shape_[-2:]}"
            )

    @property
    @abstractmethod
    def reach(self) -> int:
        """How many pixels of the small image, at most, a pixel depends on to each side."""

    @abstractmethod
    def enlarge(self, images: Images) -> Images:
        """Return (n, C, h, w) images larger by the scale, float32 in [0, 1]."""

    def transform(
        self,
        X: ArrayLike,
        tile: Several | None = None,
        overlap: Whole | None = None,
    ) -> Any:
        """Return images made larger, whole or in tiles.

        Parameters
        ----------
        X
            (n, h, w) or (n, C, h, w) small images of any size, with the channels of ``fit``.
        tile
            Side of the tiles in small pixels that bound the memory; none enlarges images whole.
        overlap
            Small pixels that neighbouring tiles share. None shares twice ``reach``, which gives
            what whole images give, if that is at most half a tile; less is faster.

        Returns
        -------
        Y
            (n, s·h, s·w) or (n, C, s·h, s·w), float32 in [0, 1]; a tensor if ``X`` is one.
        """
        check_arguments(SuperResolution.transform, locals())
        array = self.images_of(X)
        images = array.reshape(len(array), self.n_channels, *array.shape[-2:])
        if tile is None and overlap is not None:
            raise InputError(f"overlap is {overlap!r}, and counts only beside a tile; give one")
        if tile is None:
            large = self.enlarge(images)
        else:
            tiles = self.tiles(tile, overlap)
            large = np.stack([in_tiles(self.enlarge_one, image, tiles) for image in images])
        return in_kind_of(X, large.reshape(*array.shape[:-2], *large.shape[-2:]), self)

    def enlarge_one(self, image: Images) -> Images:
        """Return a (C, h, w) image larger by the scale, float32 in [0, 1]."""
        large: Images = self.enlarge(image[None])[0]
        return large

    def tiles(self, side: int, overlap: int | None = None) -> Tiles:
        """Return how `transform` cuts an image."""
        Tiles(side, 0).check()
        shared = min(2 * self.reach, side // 2) if overlap is None else overlap
        tiles = Tiles(side, shared, self.reach, self.scale)
        tiles.check()
        return tiles

    def inverse_transform(self, X: ArrayLike) -> Any:
        """Return images made smaller by Pillow's antialiased bicubic resampling.

        Of X, (n, H, W) or (n, C, H, W) sharp images, what does not fill a multiple of the scale is
        cut off at the lower and right border. The result is uint8 if ``X`` is, else float32.
        """
        return in_kind_of(X, degraded(self.images_of(X), self.scale), self)

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Return the PSNR of sharp images made small and enlarged again, in dB.

        The papers' protocol: Y of YCbCr, without a border as wide as the scale, the enlarged image
        rounded to 8 bits; the mean over images.
        """
        return luma_psnr(*self.beside_enlarged(X), self.scale)

    def beside_enlarged(self, X: ArrayLike) -> tuple[Images, Images]:
        """Return sharp images in [0, 1], and what becomes of them made small: 8 bits deep."""
        sharp = cut_to_multiple(self.images_of(X), self.scale)
        large = to_numpy(self.transform(degraded(sharp, self.scale)))
        return unit_floats(sharp), np.rint(large * 255) / np.float32(255)

    def images_of(self, X: Any) -> Images:
        """Return images of any size, checked, with the channels of ``fit``."""
        check_is_fitted(self)
        array: Images = np.asarray(as_array(X))
        if array.ndim == 4 and array.shape[1] != self.n_channels:
            array = channels_first(array, self, reset=True)
        owner = type(self).__name__
        if array.ndim not in (3, 4):
            raise InputError(
                f"X has shape {array.shape}; {owner} takes images of shape (n, H, W) or "
                "(n, C, H, W)"
            )
        check_images(array)
        n_channels = array.shape[1] if array.ndim == 4 else 1
        if n_channels != self.n_channels:
            raise InputError(
                f"X has shape {array.shape}, of {n_channels} channels; this {owner} was fitted on "
                f"{self.n_channels}"
            )
        return array
