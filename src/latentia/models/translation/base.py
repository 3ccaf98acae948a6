"""What models from image to image share: `transform`, a few images at a time.

Shapes: ``X`` is (n, H, W) or (n, C, H, W); inside, ``x`` is (N, C, H, W) in [0, 1], ``u`` the same
in [−1, 1].
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn, optim

from latentia.errors import Decay, InputError, Positive
from latentia.models.apply import apply
from latentia.models.base import in_kind_of
from latentia.models.gradient import GradientModel
from latentia.training.losses import full_precision
from latentia.training.updates import adam

MOST_PIXELS = 2**20
"""Pixels that are translated at once: a net's layers take a thousand bytes for each."""
SMALLEST = 8
"""Side of an image in pixels below which there is little to translate."""


@dataclass(eq=False, repr=False, kw_only=True)
class Translator(GradientModel, ABC):
    """A model whose `transform` takes images to images, and whose judges look at patches."""

    receptive_field: Literal["auto", "pixel", "16", "70", "image"] = "auto"
    """What a verdict sees: pixel, 16, 70 or the image; auto is 70, or a smaller image whole."""
    learning_rate: Positive = 2e-4
    """The step size of all nets."""
    beta_1: Decay = 0.5
    """Adam's decay of the gradient's mean."""
    beta_2: Decay = 0.999
    """Adam's decay of the gradient's square."""

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
        made = apply(self, verb, array, n_at_once=n_at_once)
        return made.reshape(len(array), *self.output_shape_)

    def own_optimizer(self) -> Callable[[list[nn.Parameter]], optim.Optimizer]:
        """Return what makes each player's optimiser."""
        return partial(adam, learning_rate=self.learning_rate, betas=(self.beta_1, self.beta_2))

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


def through(net: nn.Module, x: Tensor) -> Tensor:
    """Return what a generator makes of images in [0, 1], in [0, 1] too."""
    return (full_precision(net(inside(x))) + 1) / 2
