"""A small convolutional classifier, trained here, that scores of generated images are read by.

    p(y | x) = softmax(V relu(f(x)) + c)

with ``f`` strided convolutions and a linear layer. Its penultimate features ``relu(f(x))`` serve
the Fréchet distance and precision and recall; its classes count modes. Every score must be quoted
with its `name`: other weights give other figures.

Shapes: ``x`` is (N, C, H, W) in [0, 1]; logits are (N, n_classes), features (N, n_features).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, final

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from latentia.errors import InputError, check_fields, check_range
from latentia.models.apply import apply
from latentia.models.base import to_numpy
from latentia.models.inputs import check_images
from latentia.models.saved import fill, save
from latentia.nets.autoencoder import conv_encoder
from latentia.training import draws
from latentia.training.batches import BatchOrder, Source
from latentia.training.device import set_threads
from latentia.training.progress import TrainingProgress
from latentia.training.run import Unrecorded
from latentia.training.train import train
from latentia.training.updates import SCHEDULES, Update

SMALLEST = 8
"""Side of an image in pixels below which three halvings leave nothing."""


@final
@dataclass(eq=False, repr=False, kw_only=True)
class ImageClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Small convolutional classifier of images, which names itself with a hash of its weights.

    Attributes
    ----------
    features_, head_
        The nets.
    classes_
        (n_classes,) labels seen in ``fit``, sorted.
    n_train_
        How many images it learnt from.

    Raises
    ------
    InputError
        From ``fit``, for a bad parameter, tables, too small images, or labels that do not fit.

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

    title: str = "images"
    """What it is trained on, for its name."""
    channels: tuple[int, ...] = (32, 64, 128)
    """Filters of each strided convolution."""
    n_features: int = 64
    """Width of the penultimate layer."""
    n_epochs: int = 6
    """Passes over the training images."""
    batch_size: int = 64
    """Images in a batch."""
    learning_rate: float = 2e-3
    """Adam's first step size; it falls to 0 along a cosine."""
    ema_decay: float | None = None
    """Decay of averaged weights; none keeps the last ones."""
    random_state: int = 0
    """Seed of everything random."""

    def nets(self) -> Mapping[str, nn.Module]:
        """Return the nets by name."""
        return {"features_": self.features_, "head_": self.head_}

    @property
    def sample_shape_(self) -> tuple[int, ...]:
        """(C, H, W): a sample's shape inside the nets."""
        return (1, *self.data_shape_) if len(self.data_shape_) == 2 else self.data_shape_

    def fit(self, X: Any, y: Any, *, progress: bool | None = None) -> Self:
        """Learn from images and their classes.

        Parameters
        ----------
        X
            (n, H, W) or (n, C, H, W) images of at least 8 pixels a side, uint8 or in [0, 1].
        y
            (n,) classes.
        progress
            Show a progress bar; by default only at a terminal.
        """
        self._check_values()
        images, labels = to_numpy(X), np.asarray(to_numpy(y))
        self.data_shape_ = tuple(np.shape(images)[1:])
        self._check_images(images)
        if labels.shape != (len(images),) or len(np.unique(labels)) < 2:
            raise InputError(
                f"y has shape {labels.shape} with {len(np.unique(labels))} classes; give one "
                f"label for each of {len(images)} images, of at least 2 classes"
            )
        self.classes_, targets = np.unique(labels, return_inverse=True)
        self.n_train_, self.seed_ = len(images), self.random_state
        set_threads()
        source = Source(images, targets.astype(np.int64))
        with torch.random.fork_rng():
            draws.seed(self.seed_, "build")
            self._build()
        steps = BatchOrder(len(source), self.batch_size, self.n_epochs, self.seed_).n_steps
        with TrainingProgress(steps, self.n_epochs, type(self).__name__, progress) as watch:
            train(self, source, None, Unrecorded(), watch, torch.device("cpu"))
        for net in self.nets().values():
            net.eval()
        return self

    def updates(self) -> list[Update]:
        """Return the one update: the cross-entropy of both nets."""
        return [Update("cross_entropy", self.loss, [self.features_, self.head_])]

    def rate_factor(self, done: float) -> float:
        """Return the learning rate's factor when this fraction of the training is done."""
        return SCHEDULES["cosine"](done, self.n_epochs)

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

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return (n, n_features) penultimate features."""
        return self._apply("penultimate", X)

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return (n, n_classes) probabilities, in the order of ``classes_``."""
        return self._apply("probabilities", X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return (n,) the likeliest labels."""
        likeliest: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
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

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the classifier into a folder that ``latentia.load`` reads."""
        check_is_fitted(self)
        return save(self, Path(path), overwrite=overwrite)

    def prepare_nets(self, tensors: Mapping[str, Tensor]) -> None:
        """Make the nets of a saved classifier and fill them."""
        self._build()
        fill(self.nets(), tensors)

    def _build(self) -> None:
        channels, height, width = self.sample_shape_
        image = (channels, height, width)
        self.features_ = conv_encoder(image, self.channels, (), self.n_features)
        self.head_ = nn.Linear(self.n_features, len(self.classes_))

    def _apply(self, verb: str, X: Any) -> NDArray[Any]:
        check_is_fitted(self)
        images = to_numpy(X)
        self._check_images(images)
        return apply(self, verb, images)

    def _check_values(self) -> None:
        check_fields(self)
        for name in ("n_features", "n_epochs", "batch_size"):
            check_range(name, getattr(self, name), 1)
        check_range("learning_rate", self.learning_rate, 0, open_low=True)
        check_range("ema_decay", self.ema_decay, 0, 1, open_high=True)
        check_range("random_state", self.random_state, 0, 2**32 - 1)

    def _check_images(self, images: NDArray[Any]) -> None:
        shape = np.shape(images)
        if len(shape) not in (3, 4) or min(shape[-2:]) < SMALLEST:
            raise InputError(
                f"a classifier takes images of at least {SMALLEST} pixels a side, (n, H, W) or "
                f"(n, C, H, W); these have shape {shape}"
            )
        check_images(images)
        if shape[1:] != self.data_shape_:
            raise InputError(f"images are {shape[1:]}; it was trained on {self.data_shape_}")


def stacked_digits(classifier: ImageClassifier, images: NDArray[Any]) -> NDArray[Any]:
    """Return (n, C) labels for (n, C, H, W) images: each channel is classified by itself."""
    n, channels, height, width = images.shape
    return classifier.predict(images.reshape(n * channels, height, width)).reshape(n, channels)
