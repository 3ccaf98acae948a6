"""What models from image to image share: `transform`, a few images at a time.

Shapes: ``X`` is (n, H, W) or (n, C, H, W); inside, ``x`` is (N, C, H, W) in [0, 1], ``u`` the same
in [−1, 1].
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple

from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn, optim

from latentia.data.dataset import Dataset
from latentia.errors import Count, CountsWhen, Decay, InputError, Positive, Shapes
from latentia.metrics.detail import Detail, detail_of
from latentia.models.apply import apply
from latentia.models.base import to_numpy
from latentia.models.diagnosis import PATIENCE
from latentia.models.gradient import GradientModel
from latentia.models.inputs import in_kind_of
from latentia.models.translation.palettes import drawn_in
from latentia.training.device import full_precision
from latentia.training.run import Numbers
from latentia.training.updates import adam

MOST_PIXELS = 2**20
"""Pixels that are translated at once: a net's layers take a thousand bytes for each."""
EXAMINED = 32
"""Training images that a checkup translates."""
PATCHES, VERDICTS = (1, -1), "a logit for each patch, high for real images"
"""What a judge gives for an image, and in words."""
IMAGE, NOT_SIGNED = "an image in [-1, 1], as Tanh gives it", (nn.Sigmoid, nn.Softmax, nn.ReLU)
"""What a generator gives, and last layers that do not give it."""
SMALLEST = 8
"""Side of an image in pixels below which there is little to translate."""


@dataclass(eq=False, repr=False, kw_only=True)
class Translator(GradientModel, ABC):
    """A model whose `transform` takes images to images, and whose judges look at patches."""

    receptive_field: Annotated[
        Literal["auto", "pixel", "16", "70", "image"], Shapes("discriminator_a", "discriminator_b")
    ] = "auto"
    """What a verdict sees: pixel, 16, 70 or the image; auto is 70, or a smaller image whole."""
    usual_steps = 5_000
    n_steps: Annotated[Count | None, CountsWhen("n_epochs", (None,))] = None
    """Training steps in whole passes over the data; none takes some 5,000 (paper: 200 passes)."""
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

    def remember(self, data: Dataset) -> None:
        """Keep the colours of inputs that are drawings, for whoever draws another."""
        super().remember(data)
        self.palettes_ = [drawn_in(data.x_train)]

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
        return in_kind_of(X, self.in_parts("translate", array), self)

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


class Compared(NamedTuple):
    """Outputs on (N, C, H, W) training images, what they should follow, and the words for both."""

    outputs: Tensor
    targets: Tensor
    name: str = "outputs"
    name_of_targets: str = "targets"


def examine(
    model: Any, shown: Mapping[str, Compared], earlier: Sequence[Numbers], *, last: bool
) -> tuple[dict[str, float], str]:
    """Return the detail of outputs, and a sentence where they do not follow their inputs.

    They have to learn to, so that this counts at the end, or when it lasts for five checkups. The
    numbers' names end as ``shown`` says; the model keeps the diagnosis.
    """
    found, said = dict[str, float](), ""
    model.diagnosis_ = "healthy"
    for ending, part in shown.items():
        targets = to_numpy(part.targets)
        detail = detail_of(
            to_numpy(full_precision(part.outputs)), targets, either_sign=part.name != "outputs"
        )
        if detail is None:
            continue
        found |= {f"own_detail{ending}": detail.own, f"shared_detail{ending}": detail.shared}
        if not detail.follows and (last or _lasted(earlier, ending)):
            model.diagnosis_, said = "texture", detail.sentence(part.name, part.name_of_targets)
    return found, said


def _lasted(earlier: Sequence[Numbers], ending: str) -> bool:
    own, shared = f"own_detail{ending}", f"shared_detail{ending}"
    before = [Detail(found[own], found[shared]) for found in earlier if own in found]
    return len(before) >= PATIENCE and not any(detail.follows for detail in before[-PATIENCE:])


def inside(x: Tensor) -> Tensor:
    """Return images in [0, 1] as the nets see them: in [−1, 1]."""
    return 2 * x - 1


def through(net: nn.Module, x: Tensor) -> Tensor:
    """Return what a generator makes of images in [0, 1], in [0, 1] too."""
    return (full_precision(net(inside(x))) + 1) / 2
