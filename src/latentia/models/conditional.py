"""What models conditioned on a class or on measurements share: the verbs that take them.

`transform`, `inverse_transform`, `reconstruct` and `sample` of a conditional model take ``y``
beside their usual argument. Shapes: ``y`` is (n,) labels, or (n, d) floats; ``y_NC`` is what the
nets see of it, one-hot rows or standard units.
"""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from latentia.data.dataset import Array, Dataset
from latentia.errors import Count, InputError, Seed, check_arguments, within_memory
from latentia.models.base import Generator, in_kind_of, seeded, to_numpy
from latentia.models.conditions import Classes, Condition, Vectors, learnt
from latentia.models.gradient import DecodingModel

if TYPE_CHECKING:
    from latentia.plots.page import Picture

LEARNED = ("classes_", "class_shares_", "condition_mean_", "condition_scale_")


class Conditional(Generator, DecodingModel, ABC):
    """A model of x given y: a class, or a vector of measurements, as ``y`` in ``fit`` is.

    Attributes
    ----------
    classes_, class_shares_
        (n_classes,) the labels seen in ``fit``, sorted, and their shares of the training data;
        absent after a fit on vectors.
    condition_mean_, condition_scale_
        (d,) of the vectors' columns; absent after a fit on labels.
    """

    classes_: NDArray[Any]
    class_shares_: NDArray[np.float64]
    condition_mean_: NDArray[np.float64]
    condition_scale_: NDArray[np.float64]

    @property
    def takes_labels(self) -> bool:
        """Whether its verbs take labels: they do."""
        return True

    @property
    def known_classes(self) -> NDArray[Any]:
        """(n_classes,) the labels seen in ``fit``; empty after a fit on vectors."""
        return self.given.values if isinstance(self.given, Classes) else np.empty(0)

    def labels_for(self, y: Array | None) -> tuple[Array, ...]:
        """Return the labels, which the verbs take."""
        return () if y is None else (y,)

    def drawn_for(self, data: Dataset, n: int, random_state: int) -> NDArray[Any]:
        """Return n samples; of a model given vectors, for those of the test data in turn."""
        if len(self.known_classes) or data.y_test is None:
            return super().drawn_for(data, n, random_state)
        given = np.resize(data.y_test, (n, *data.y_test.shape[1:]))
        return self.sample(n, random_state=random_state, y=given)

    def picture_of_samples(self, data: Dataset) -> Picture:
        """Return a picture of samples, a row for each class if there are any."""
        from latentia.models import figures

        if not len(self.known_classes):
            return super().picture_of_samples(data)
        return figures.samples_of_each(self, self.known_classes)

    def measure(self, data: Dataset, random_state: int = 0) -> dict[str, float]:
        """Return the figures of the fitted model; also whether samples are of their class."""
        from latentia.models import measures

        found: dict[str, float] = super().measure(data, random_state)
        if data.labelled and len(self.known_classes):
            found |= measures.class_agreement(self, self.known_classes, data, random_state)
        return found

    @property
    def given(self) -> Condition:
        """What the model is conditioned on."""
        if "classes_" in vars(self):
            return Classes(self.classes_, self.class_shares_)
        return Vectors(self.condition_mean_, self.condition_scale_)

    def targets(self, y: Any, n_rows: int, *, reset: bool) -> NDArray[Any]:
        """Return what the losses take of labels or vectors, learning their kind in ``fit``."""
        if y is None:
            both = "a label for each sample: give y, of shape (n,), or conditions, (n, d) floats"
            wanted = both if reset else self.given.wanted
            raise InputError(f"{type(self).__name__} needs {wanted}")
        values = np.asarray(to_numpy(y))
        if reset:
            for name in LEARNED:
                self.__dict__.pop(name, None)
            self.__dict__.update(learnt(values, n_rows))
        return self.given.targets(values, n_rows)

    def condition(self, *targets: Tensor) -> tuple[Tensor, ...]:
        """Return ``y_NC``, what the nets see beside z and x."""
        return tuple(self.given.rows(y) for y in targets)

    def rows_of_each(self, z_NK: Tensor) -> list[tuple[str, Tensor]]:
        """Return what the same latent rows decode to under some conditions, with their names."""
        pictures = []
        for name, target in self.given.shown():
            targets = target.to(z_NK.device).repeat_interleave(len(z_NK), 0)
            pictures.append((name, self.decode(z_NK, *self.condition(targets))))
        return pictures

    def inverse_transform(self, Z: ArrayLike, y: ArrayLike | None = None) -> Any:
        """Decode (n, n_components) latent rows as data given y."""
        return in_kind_of(Z, self.decode_given(self.latent_rows(Z), y))

    def sample(
        self, n_samples: Count = 1, random_state: Seed | None = None, y: ArrayLike | None = None
    ) -> NDArray[np.float32]:
        """Draw new data given y; without it, of classes as frequent as in training.

        Parameters
        ----------
        n_samples
            How many, at least 1.
        random_state
            Makes the draw repeatable.
        y
            (n_samples,) labels, or one label for all; (n_samples, d) vectors, or one (d,) for all.

        Returns
        -------
        X
            (n_samples, ...) float32 in the layout that the model was fitted on.
        """
        check_arguments(Conditional.sample, locals())
        check_is_fitted(self)
        draw = seeded(random_state)
        with within_memory(f"for {n_samples} samples"):
            if y is None:
                conditions = self.given.drawn(n_samples, draw)
            else:
                conditions = self.given.one_each(np.asarray(to_numpy(y)), n_samples)
            z_NK = self.latent_draws(n_samples, draw).astype(np.float32)
        return np.asarray(self.decode_given(z_NK, conditions), dtype=np.float32)

    def decode_given(self, z_NK: NDArray[Any], y: Any) -> NDArray[Any]:
        """Return (n, *data_shape_) for latent rows given y."""
        decoded: NDArray[Any] = self.apply("decode", z_NK, self.given_rows(y, len(z_NK), z_NK))
        return decoded.reshape(len(z_NK), *self.data_shape_)

    def given_rows(self, y: Any, n: int, like: NDArray[Any]) -> NDArray[Any]:
        """Return what the nets see of y, (n, width), in the precision of what stands beside it."""
        (rows,) = self.condition(torch.from_numpy(self.targets(y, n, reset=False)))
        kind = np.float64 if like.dtype == np.float64 and like.ndim == 2 else np.float32
        return rows.numpy().astype(kind)
