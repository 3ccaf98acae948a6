"""What models conditioned on a class or on measurements share: the verbs that take them.

`transform`, `inverse_transform`, `reconstruct` and `sample` of a conditional model take ``y``
beside their usual argument. Shapes: ``y`` is (n,) labels, or (n, d) floats; ``y_NC`` is what the
nets see of it, one-hot rows or standard units.
"""

from __future__ import annotations

import dataclasses
from abc import ABC
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from latentia.data.dataset import Array, Dataset, ImageSize
from latentia.data.options import USUAL, TableOptions
from latentia.errors import Count, InputError, Seed, check_arguments, within_memory
from latentia.models.base import Generator, seeded, to_numpy
from latentia.models.conditions import Classes, Condition, Vectors, learnt
from latentia.models.decoding import DecodingModel
from latentia.models.exported import Quantity
from latentia.models.inputs import channels_first, in_kind_of

if TYPE_CHECKING:
    from latentia.plots.page import Picture


class Conditional(Generator, DecodingModel, ABC):
    """A model of x given y: a class, or a vector of measurements, as ``y`` in ``fit`` is.

    Attributes
    ----------
    classes_, class_shares_
        (n_classes,) the labels seen in ``fit``, sorted, and their shares of the training data;
        absent after a fit on vectors.
    class_names_
        Names of the classes 0, 1, ... of the data set that a run was of, which the verbs take too.
    condition_mean_, condition_scale_
        (d,) of the vectors' columns; absent after a fit on labels.
    """

    classes_: NDArray[Any]
    class_shares_: NDArray[np.float64]
    class_names_: list[str]
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

    @property
    def named_classes(self) -> Mapping[str, Any]:
        """The labels seen in ``fit`` by their names, or by themselves as text."""
        names = vars(self).get("class_names_")
        return {str(v) if names is None else names[v]: v for v in self.known_classes}

    def check_data(self, data: Dataset) -> None:
        """Refuse a class that is measured and not trained on."""
        parts = [
            part for part in (data.y_train, data.y_test) if part is not None and part.ndim == 1
        ]
        trained = data.hold_out()[0].y_train
        if not parts or trained is None:
            return
        values, counts = np.unique(np.concatenate(parts), return_counts=True)
        for value, count in zip(values, counts):
            if value not in trained:
                name = data.class_names[value] if data.class_names else str(value)
                raise InputError(
                    f"{data.name} has {count} sample(s) of class {name!r}, none of them in the "
                    "part that is trained on; give more of them, or leave the class out"
                )

    def remember(self, data: Dataset) -> None:
        """Keep the names of the classes, in the order of their numbers, and of columns."""
        super().remember(data)
        if data.class_names and len(self.known_classes):
            self.class_names_ = list(data.class_names)

    def load_data(
        self,
        spec: str,
        image_size: ImageSize = None,
        held_out: float | None = None,
        options: TableOptions = USUAL,
    ) -> Dataset:
        """Return named data, numbered by the classes of the fitted model; others are refused."""
        data: Dataset = super().load_data(spec, image_size, held_out, options)
        fitted = "classes_" in vars(self) and data.y_train is not None
        return self._renumbered(data) if fitted else data

    def _renumbered(self, data: Dataset) -> Dataset:
        """Return data with the model's numbers for their classes, which must be among its own."""
        own = self._class_names()
        by_name = own is not None and bool(data.class_names)
        known = own if own is not None and by_name else self.known_classes.tolist()
        parts = [part for part in (data.y_train, data.y_test) if part is not None]
        places = {}
        for value in np.unique(np.concatenate(parts)).tolist():
            label = data.class_names[value] if by_name else value
            if label not in known:
                raise InputError(
                    f"{data.name} has the class {str(label)!r}, which the model was not trained "
                    f"on; its classes are {', '.join(map(str, known))}"
                )
            places[value] = known.index(label) if by_name else value
        if own is None or not by_name:
            return data
        parts = [np.array([places[value] for value in part]) for part in parts]
        test = None if data.y_test is None else parts[-1]
        return dataclasses.replace(data, y_train=parts[0], y_test=test, class_names=tuple(own))

    def _class_names(self) -> list[str] | None:
        """Return the names of the classes 0, 1, ... of a data set, where the model knows them."""
        if "class_names_" in vars(self):
            return self.class_names_
        words = self.known_classes.dtype.kind == "U"
        return [str(word) for word in self.known_classes] if words else None

    def labels_for(self, y: Array | None) -> tuple[Array, ...]:
        """Return the labels, which the verbs take, as words if the model was fitted on words."""
        if y is None:
            return ()
        words = self.known_classes.dtype.kind == "U" and y.dtype.kind in "iu"
        return (self.known_classes[y],) if words else (y,)

    def drawn_for(self, data: Dataset, n: int, random_state: int) -> NDArray[Any]:
        """Return n samples; of a model given vectors, for those of the test data in turn."""
        if len(self.known_classes) or data.y_test is None:
            return super().drawn_for(data, n, random_state)
        given = np.resize(data.y_test, (n, *data.y_test.shape[1:]))
        drawn = self.sample(n, random_state=random_state, y=given)
        return np.asarray(channels_first(drawn, self, reset=True))

    def picture_of_samples(self, data: Dataset) -> Picture:
        """Return a picture of samples, a row for each class if there are any."""
        from latentia.models import figures

        if not len(self.known_classes):
            return super().picture_of_samples(data)
        return figures.samples_of_each(self, self.named_classes)

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
        if not reset and values.dtype.kind == "U" and "class_names_" in vars(self):
            values = np.array([self.named_classes.get(v, v) for v in values.ravel().tolist()])
        if reset:
            self.__dict__.update(learnt(values, n_rows))
        return self.given.targets(values, n_rows)

    def condition(self, *targets: Tensor) -> tuple[Tensor, ...]:
        """Return ``y_NC``, what the nets see beside z and x."""
        return tuple(self.given.rows(y) for y in targets)

    def conditions(self) -> tuple[Quantity, ...]:
        """Return y, which exported functions take beside x and z."""
        return (self.given.quantity(tuple(self.named_classes)),)

    def known(self, *y: Tensor) -> tuple[Tensor, ...]:
        """Return what the nets see of y."""
        return tuple(self.given.seen(part) for part in y)

    def labels_of_known(self, *y: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """Return y as the verbs take it."""
        return tuple(self.given.as_given(part) for part in y)

    def rows_of_each(self, z_NK: Tensor) -> list[tuple[str, Tensor]]:
        """Return what the same latent rows decode to under some conditions, with their names."""
        pictures = []
        for name, target in self.given.shown():
            targets = target.to(z_NK.device).repeat_interleave(len(z_NK), 0)
            pictures.append((name, self.decode(z_NK, *self.condition(targets))))
        return pictures

    def inverse_transform(self, Z: ArrayLike, y: ArrayLike | None = None) -> Any:
        """Decode (n, n_components) latent rows as data given y."""
        return in_kind_of(Z, self.decode_given(self.latent_rows(Z), y), self)

    def sample(
        self,
        n_samples: Count = 1,
        random_state: Seed | None = None,
        y: ArrayLike | None = None,
        *,
        noise: bool = False,
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
        noise
            Draw from p(x given z, y), and not its mean alone.

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
        decoded = self.decode_given(z_NK, conditions)
        drawn = np.asarray(self.around(decoded, draw) if noise else decoded, dtype=np.float32)
        return np.asarray(in_kind_of(None, drawn, self))

    def decode_given(self, z_NK: NDArray[Any], y: Any) -> NDArray[Any]:
        """Return (n, *data_shape_) for latent rows given y."""
        decoded: NDArray[Any] = self.apply("decode", z_NK, self.given_rows(y, len(z_NK), z_NK))
        return decoded.reshape(len(z_NK), *self.data_shape_)

    def given_rows(self, y: Any, n: int, like: NDArray[Any]) -> NDArray[Any]:
        """Return what the nets see of y, (n, width), in the precision of what stands beside it."""
        (rows,) = self.condition(torch.from_numpy(self.targets(y, n, reset=False)))
        kind = np.float64 if like.dtype == np.float64 and like.ndim == 2 else np.float32
        return rows.numpy().astype(kind)
