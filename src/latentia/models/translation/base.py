"""What models from image to image share: `transform`, a few images at a time.

Shapes: ``X`` is (n, H, W) or (n, C, H, W); inside, ``x`` is (N, C, H, W) in [0, 1].
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from latentia.errors import InputError
from latentia.models.base import in_kind_of
from latentia.models.gradient import GradientModel

MOST_PIXELS = 2**20
"""Pixels that are translated at once: a net's layers take a thousand bytes for each."""
SMALLEST = 8
"""Side of an image in pixels below which there is little to translate."""
SHAPES = ("data_shape_", "target_shape_")
"""What a fitted model remembers of the images' shapes."""


@dataclass(eq=False, repr=False, kw_only=True)
class Translator(GradientModel, ABC):
    """A model whose `transform` takes images to images."""

    @property
    @abstractmethod
    def output_shape_(self) -> tuple[int, ...]:
        """(H, W) or (C, H, W) of an image that `transform` returns."""

    @abstractmethod
    def translate(self, x: Tensor) -> Tensor:
        """Return what (N, C, H, W) images in [0, 1] become, in [0, 1] too."""

    def transform(self, X: ArrayLike) -> Any:
        """Return the translated images.

        Parameters
        ----------
        X
            (n, H, W) or (n, C, H, W) images shaped as in ``fit``, uint8 or floats in [0, 1].

        Returns
        -------
        Y
            (n, *output_shape_) float32 in [0, 1]; a tensor if ``X`` is one.
        """
        check_is_fitted(self)
        array = self.checked(X, reset=False)
        return in_kind_of(X, self.in_parts("translate", array))

    def in_parts(self, verb: str, array: NDArray[Any]) -> NDArray[Any]:
        """Return what a method of tensors makes of checked images, a few at a time."""
        n_at_once = max(1, MOST_PIXELS // (array.shape[-1] * array.shape[-2]))
        firsts = range(0, len(array), n_at_once)
        parts = [self.apply(verb, array[first : first + n_at_once]) for first in firsts]
        return np.concatenate(parts).reshape(len(array), *self.output_shape_)

    @property
    def fitted_size(self) -> tuple[int, int]:
        """(H, W) of the images of ``fit``."""
        height, width = self.data_shape_[-2:]
        return height, width

    def at_size(self, height: int, width: int) -> Self:
        """Return the fitted model for images of other sides, with the same nets.

        They are convolutions and take any size; how far the result can be trusted away from the
        size of ``fit`` is for the eye to judge.
        """
        twin = copy.copy(self)
        for name in SHAPES:
            if name in vars(self):
                setattr(twin, name, (*getattr(self, name)[:-2], height, width))
        return twin

    def check_is_image(self, shape: tuple[int, ...]) -> None:
        """Refuse tables, and images with a side under ``SMALLEST`` pixels."""
        owner = type(self).__name__
        if len(shape) != 3:
            raise InputError(f"{owner} translates images; X is a table of shape (n, {shape[0]})")
        if min(shape[1:]) < SMALLEST:
            raise InputError(
                f"{owner} takes sides of at least {SMALLEST} pixels; these are {shape[1:]}"
            )


def inside(x: Tensor) -> Tensor:
    """Return images in [0, 1] as the nets see them: in [−1, 1]."""
    return 2 * x - 1
