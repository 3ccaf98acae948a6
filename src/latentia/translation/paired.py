"""What translators that learn from pairs share: the target images, their score, their picture.

Shapes: ``X`` is (n, H, W) or (n, C, H, W), ``y`` the same with its own channels; inside, ``x`` and
``y`` are (N, C, H, W) in [0, 1].
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from latentia.base import to_numpy, unit_floats
from latentia.data.source import as_floats
from latentia.errors import InputError
from latentia.inputs import check_images
from latentia.plots.grids import DRAWABLE
from latentia.translation.base import Translator

SHOWN = 8
"""Pairs in an epoch's picture."""


@dataclass(eq=False, repr=False, kw_only=True)
class PairedTranslator(Translator, ABC):
    """A translator that learns from images and what each of them is to become.

    Attributes
    ----------
    target_shape_
        (H, W) or (C, H, W) of an image of ``y``.
    """

    learns_from = "pairs"

    @property
    def output_shape_(self) -> tuple[int, ...]:
        """The shape of an image of ``y``."""
        return tuple(self.target_shape_)

    @property
    def n_outputs(self) -> int:
        """The channels of an image of ``y``."""
        return self.output_shape_[0] if len(self.output_shape_) == 3 else 1

    def targets(self, y: Any, n_rows: int, *, reset: bool) -> NDArray[Any]:  # noqa: ANN401
        """Return the paired images, learning their shape in ``fit``.

        Raises
        ------
        InputError
            For images that are missing, not one for each of X, of another size, or not images.
        """
        owner = type(self).__name__
        self.check_is_image(self.sample_shape_)
        if y is None:
            raise InputError(f"{owner} needs y: for each image of X the one that it is to become")
        images: NDArray[Any] = np.asarray(to_numpy(y))
        if images.ndim not in (3, 4):
            raise InputError(
                f"y has shape {images.shape}; {owner} learns from images of shape (n, H, W) or "
                "(n, C, H, W)"
            )
        check_images(images)
        if len(images) != n_rows:
            raise InputError(f"there are {n_rows} images in X and {len(images)} in y; pair them")
        if images.shape[-2:] != self.sample_shape_[1:]:
            raise InputError(
                f"the images of X have sides {self.sample_shape_[1:]} and those of y "
                f"{images.shape[-2:]}; they must agree"
            )
        if reset:
            self.target_shape_ = images.shape[1:]
        elif images.shape[1:] != self.output_shape_:
            raise InputError(
                f"y has images of shape {images.shape[1:]}; this {owner} was fitted on "
                f"{self.output_shape_}"
            )
        return images

    def target(self, y: Tensor) -> Tensor:
        """Return a batch of ``y`` as (N, C, H, W) floats in [0, 1]."""
        return as_floats(y).reshape(len(y), self.n_outputs, *y.shape[-2:])

    def score(self, X: ArrayLike, y: ArrayLike | None = None) -> float:
        """Return minus the mean absolute difference between `transform` and ``y``, in [0, 1]."""
        check_is_fitted(self)
        images = self.targets(y, len(self._incoming(X, reset=False)), reset=False)
        output = to_numpy(self.transform(X))
        return -float(np.abs(output - unit_floats(images), dtype=np.float64).mean())

    def preview(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return the first images, what they become, and what they should become."""
        x, targets = x[:SHOWN], self.target(beside[0][:SHOWN])
        rows = [("input", x), ("output", self.output(x)), ("target", targets)]
        return [(label, images) for label, images in rows if images.shape[1] in DRAWABLE]

    @abstractmethod
    def output(self, x: Tensor) -> Tensor:
        """Return what images become without any noise."""
