"""What models conditioned on a class share: labels, one-hot rows, and the verbs that take them.

`transform`, `inverse_transform`, `reconstruct` and `sample` of a conditional model take labels
beside their usual argument. Shapes: ``y`` is (n,), ``y_NC`` is one-hot, (N, n_classes).
"""

from __future__ import annotations

from abc import ABC
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array, check_is_fitted
from torch import Tensor
from torch.nn.functional import one_hot

from latentia.base import Generator, in_kind_of, seeded, to_numpy
from latentia.decoding import DecodingModel
from latentia.errors import InputError
from latentia.parameters import check_range


class ClassConditional(Generator, DecodingModel, ABC):
    """A model of x given its class y.

    Attributes
    ----------
    classes_
        (n_classes,) the labels seen in ``fit``, sorted.
    class_shares_
        (n_classes,) their shares of the training data.
    """

    @property
    def takes_labels(self) -> bool:
        """Whether its verbs take labels: they do."""
        return True

    def targets(self, y: Any, n_rows: int, *, reset: bool) -> NDArray[np.int64]:  # noqa: ANN401
        """Return labels as numbers from 0, learning the classes in ``fit``.

        Raises
        ------
        InputError
            For labels that are missing, too few or too many, not one for each row, or unknown.
        """
        owner = type(self).__name__
        if y is None:
            raise InputError(f"{owner} needs a label for each sample: give y, of shape (n,)")
        labels = _plain(np.asarray(to_numpy(y)))
        if labels.shape != (n_rows,):
            raise InputError(f"y has shape {labels.shape}; give a label for each of {n_rows} rows")
        if reset:
            self.classes_, counts = np.unique(labels, return_counts=True)
            self.class_shares_ = counts / n_rows
            if not 2 <= len(self.classes_) <= n_rows // 2 or labels.dtype.kind == "f":
                raise InputError(
                    f"y holds {len(self.classes_)} different values of type {labels.dtype} in "
                    f"{n_rows} rows; give whole numbers or names of at least 2 classes, with 2 "
                    "rows each on average"
                )
        known = np.isin(labels, self.classes_)
        if not known.all():
            (stranger,) = labels[~known][:1].tolist()
            raise InputError(
                f"y holds {stranger!r}, which was not in fit; the classes are "
                f"{', '.join(map(str, self.classes_[:20]))}"
            )
        return np.searchsorted(self.classes_, labels).astype(np.int64)

    def condition(self, *targets: Tensor) -> tuple[Tensor, ...]:
        """Return (N, n_classes) one-hot rows for (N,) class numbers."""
        return tuple(one_hot(y, len(self.classes_)).float() for y in targets)

    def inverse_transform(self, Z: ArrayLike, y: ArrayLike | None = None) -> Any:  # noqa: ANN401
        """Decode (n, n_components) latent rows as data of classes y."""
        check_is_fitted(self)
        z_NK = check_array(to_numpy(Z), dtype=[np.float64, np.float32])
        if z_NK.shape[1] != self.n_latent:
            raise InputError(
                f"Z has {z_NK.shape[1]} columns; {type(self).__name__} has {self.n_latent} "
                "latent components"
            )
        return in_kind_of(Z, self.decode_given(z_NK, y))

    def sample(
        self, n_samples: int = 1, random_state: int | None = None, y: ArrayLike | None = None
    ) -> NDArray[np.float32]:
        """Draw new data, of the classes asked for or of classes as frequent as in training.

        Parameters
        ----------
        n_samples
            How many, at least 1.
        random_state
            Makes the draw repeatable.
        y
            (n_samples,) labels, or one label for all.

        Returns
        -------
        X
            (n_samples, ...) float32 in the layout that the model was fitted on.
        """
        check_is_fitted(self)
        check_range("n_samples", n_samples, 1)
        draw = seeded(random_state)
        if y is None:
            labels = self.classes_[draw.choice(len(self.classes_), n_samples, p=self.class_shares_)]
        else:
            labels = np.asarray(to_numpy(y))
            labels = np.repeat(labels, n_samples) if labels.ndim == 0 else labels
        z_NK = self.latent_draws(n_samples, draw).astype(np.float32)
        return np.asarray(self.decode_given(z_NK, labels), dtype=np.float32)

    def decode_given(self, z_NK: NDArray[Any], y: Any) -> NDArray[Any]:  # noqa: ANN401
        """Return (n, *data_shape_) for latent rows and classes y."""
        decoded = self.apply("decode", z_NK, self._one_hot(y, len(z_NK), z_NK))
        return decoded.reshape(len(z_NK), *self.data_shape_)

    def _one_hot(self, y: Any, n: int, like: NDArray[Any]) -> NDArray[Any]:  # noqa: ANN401
        (rows,) = self.condition(torch.from_numpy(self.targets(y, n, reset=False)))
        kind = np.float64 if like.dtype == np.float64 and like.ndim == 2 else np.float32
        return rows.numpy().astype(kind)


class ConditionalTransformer(ClassConditional, ABC):
    """A conditional model with a way back from data and class to the latent space."""

    def transform(self, X: ArrayLike, y: ArrayLike | None = None) -> Any:  # noqa: ANN401
        """Return the (n, n_components) latent rows of data of classes y."""
        check_is_fitted(self)
        array = self._incoming(X, reset=False)
        return in_kind_of(X, self.encode_given(array, y))

    def reconstruct(self, X: ArrayLike, y: ArrayLike | None = None) -> Any:  # noqa: ANN401
        """Return what the latent space and the class keep of each sample."""
        check_is_fitted(self)
        array = self._incoming(X, reset=False)
        return in_kind_of(X, self.decode_given(self.encode_given(array, y), y))

    def encode_given(self, array: NDArray[Any], y: Any) -> NDArray[Any]:  # noqa: ANN401
        """Return (n, n_components) codes of data of classes y."""
        return self.apply("encode", array, self._one_hot(y, len(array), array))


def _plain(labels: NDArray[Any]) -> NDArray[Any]:
    """Return labels of one type: an object array's as text or numbers, if they are all of one."""
    if labels.dtype.kind != "O":
        return labels
    kinds = {type(value).__name__ for value in labels.ravel()}
    if len(kinds) != 1 or not isinstance(labels.flat[0], str | int):
        raise InputError(
            f"y holds values of type {', '.join(sorted(kinds))}; give whole numbers, or names"
        )
    return np.asarray(labels.tolist())
