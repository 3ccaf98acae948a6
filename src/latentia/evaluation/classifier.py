"""A small convolutional classifier, trained here, that scores of generated images are read by.

    p(y | x) = softmax(V relu(f(x)) + c)

with ``f`` strided convolutions and a linear layer. Its penultimate features ``relu(f(x))`` serve
the Fréchet distance and precision and recall; its classes count modes. Every score must be quoted
with its `name`: other weights give other figures.

Shapes: ``x`` is (N, C, H, W) in [0, 1]; logits are (N, n_classes), features (N, n_features).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, final

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from latentia.errors import Count, InputError, Positive, Seed
from latentia.models.base import to_numpy
from latentia.models.conditions import Classes
from latentia.models.gradient import GradientModel
from latentia.models.inputs import Labels, Rows
from latentia.nets.autoencoder import conv_encoder
from latentia.training.updates import Update

SMALLEST = 8
"""Side of an image in pixels below which three halvings leave nothing."""


@final
@dataclass(eq=False, repr=False, kw_only=True)
class ImageClassifier(ClassifierMixin, GradientModel):  # type: ignore[misc]
    """Small convolutional classifier of images, which names itself with a hash of its weights.

    ``fit(X, y)`` takes (n, H, W) or (n, C, H, W) images of at least 8 pixels a side, and their (n,)
    classes.

    Attributes
    ----------
    features_, head_
        The nets.
    classes_
        (n_classes,) labels seen in ``fit``, sorted.
    n_train_
        How many images it learnt from.

    References
    ----------
    .. [1] Y. LeCun et al., "Gradient-based learning applied to document recognition", Proc. IEEE
       86, 1998, section II (convolutional nets).
    .. [2] T. Salimans et al., "Improved Techniques for Training GANs", NeurIPS 2016, section 4
       (samples judged by a classifier).

    Examples
    --------
    >>> X = np.random.default_rng(0).random((40, 8, 8))
    >>> classifier = ImageClassifier(n_epochs=1, random_state=0).fit(X, np.arange(40) % 2)
    >>> classifier.predict_proba(X).shape, classifier.transform(X).shape
    ((40, 2), (40, 64))
    """

    layout: ClassVar[torch.memory_format] = torch.contiguous_format
    """Of the nets; another would change the last bits of classifiers that figures were read by."""

    title: str = "images"
    """What it is trained on, for its name."""
    channels: tuple[Count, ...] = (32, 64, 128)
    """Filters of each strided convolution."""
    n_features: Count = 64
    """Width of the penultimate layer."""
    n_epochs: Count = 6
    """Passes over the training images."""
    usual_steps = 1
    n_steps: None = field(default=None, init=False)
    """Not used: it is always trained for so many passes."""
    batch_size: Count = 64
    """Images in a batch."""
    learning_rate: Positive = 2e-3
    """Adam's first step size; it falls to 0 along a cosine."""
    learning_rate_schedule: Literal["cosine"] = field(default="cosine", init=False)
    """How the step size changes."""
    device: str = field(default="cpu", init=False)
    """Where it is trained, so that it is the same on every machine."""
    random_state: Seed = 0
    """Seed of everything random."""

    def checked(self, X: Rows, *, reset: bool) -> NDArray[Any]:
        """Return images as an array, unless they are too small or no images."""
        shape = np.shape(to_numpy(X))
        if len(shape) not in (3, 4) or min(shape[-2:]) < SMALLEST:
            raise InputError(
                f"a classifier takes images of at least {SMALLEST} pixels a side, (n, H, W) or "
                f"(n, C, H, W); these have shape {shape}"
            )
        return super().checked(X, reset=reset)

    def targets(self, y: Labels | None, n_rows: int, *, reset: bool) -> NDArray[np.int64]:
        """Return (n,) classes as numbers from 0, learning in ``fit`` which there are."""
        labels = np.asarray(to_numpy(y))
        found, counts = np.unique(labels, return_counts=True)
        if labels.shape != (n_rows,) or (reset and len(found) < 2):
            raise InputError(
                f"y has shape {labels.shape} with {len(found)} classes; give one label for each of "
                f"{n_rows} images, of at least 2 classes"
            )
        if reset:
            self.classes_, self.n_train_ = found, n_rows
        return Classes(self.classes_, counts / n_rows).targets(labels, n_rows)

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the nets."""
        image = (shape[0], shape[1], shape[2])
        self.features_ = conv_encoder(image, self.channels, (), self.n_features)
        self.head_ = nn.Linear(self.n_features, len(self.classes_))

    def updates(self) -> list[Update]:
        """Return the one update: the cross-entropy of both nets."""
        return [Update("cross_entropy", self.loss, [self.features_, self.head_])]

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Return −(1/N) Σ log p(y | x) in nats."""
        return cross_entropy(self.logits(x), y)

    def penultimate(self, x: Tensor) -> Tensor:
        """Return (N, n_features) features ``relu(f(x))``."""
        return torch.relu(self.features_(x))

    def logits(self, x: Tensor) -> Tensor:
        """Return (N, n_classes) logits."""
        found: Tensor = self.head_(self.penultimate(x))
        return found

    def probabilities(self, x: Tensor) -> Tensor:
        """Return (N, n_classes) probabilities."""
        return self.logits(x).softmax(dim=1)

    def transform(self, X: Rows) -> NDArray[np.float32]:
        """Return (n, n_features) penultimate features."""
        check_is_fitted(self)
        return self.apply("penultimate", self.checked(X, reset=False))

    def predict_proba(self, X: Rows) -> NDArray[np.float32]:
        """Return (n, n_classes) probabilities, in the order of ``classes_``."""
        check_is_fitted(self)
        return self.apply("probabilities", self.checked(X, reset=False))

    def predict(self, X: Rows) -> NDArray[Any]:
        """Return (n,) the likeliest labels."""
        places = self.predict_proba(X).argmax(axis=1)
        likeliest: NDArray[Any] = self.classes_[places]
        return likeliest

    @property
    def name(self) -> str:
        """What any score by this classifier must be quoted with."""
        check_is_fitted(self)
        digest = hashlib.sha256()
        for net in self.nets().values():
            for key, tensor in sorted(net.state_dict().items()):
                digest.update(key.encode() + tensor.numpy().tobytes())
        return (
            f"classifier-{self.title}, {self.n_features} features, learnt from {self.n_train_:,} "
            f"images, sha256 {digest.hexdigest()[:8]}"
        )


def stacked_digits(classifier: ImageClassifier, images: NDArray[Any]) -> NDArray[Any]:
    """Return (n, C) labels for (n, C, H, W) images: each channel is classified by itself."""
    n, channels, height, width = images.shape
    return classifier.predict(images.reshape(n * channels, height, width)).reshape(n, channels)
