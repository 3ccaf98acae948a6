"""What a model is conditioned on: a class, or a vector of measurements.

Each kind says what of ``y`` the losses take (``targets``), and what of that the nets see beside z
and x (``rows``). Shapes: labels are (n,), vectors (n, d); ``y_NC`` is (N, width).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from latentia.errors import InputError
from latentia.models.exported import USUAL, Quantity, in_two

MOST_SHOWN = 10
STEP = 2.0
"""How far from the mean a picture goes along a column, in standard deviations."""


@dataclass(frozen=True)
class Classes:
    """A class out of several, which the nets see one-hot.

    ``values`` are the (C,) labels, sorted, and ``shares`` their shares of the training data.
    """

    values: NDArray[Any]
    shares: NDArray[np.float64]

    wanted = "a label for each sample: give y, of shape (n,)"

    @property
    def width(self) -> int:
        """C, how many numbers the nets see."""
        return len(self.values)

    def targets(self, y: NDArray[Any], n_rows: int) -> NDArray[np.int64]:
        """Return (n,) labels as numbers from 0."""
        labels = checked_labels(y, n_rows)
        known = np.isin(labels, self.values)
        if not known.all():
            (stranger,) = labels[~known][:1].tolist()
            raise InputError(
                f"y holds {stranger!r}, which was not in fit; the classes are "
                f"{', '.join(map(str, self.values[:20]))}"
            )
        return np.searchsorted(self.values, labels).astype(np.int64)

    def rows(self, targets: Tensor) -> Tensor:
        """Return (N, C) one-hot rows for (N,) class numbers."""
        return one_hot(targets, self.width).float()

    def quantity(self, names: tuple[str, ...]) -> Quantity:
        """Return what is given as an input of exported functions: one-hot rows, blends too."""
        return Quantity("y", "class", (self.width,), "1 for the class", 0.0, 1.0, names)

    def seen(self, y_NC: Tensor) -> Tensor:
        """Return what the nets see of such an input: the same."""
        return y_NC

    def as_given(self, y_NC: NDArray[Any]) -> NDArray[Any]:
        """Return the labels that such an input stands for."""
        labels: NDArray[Any] = self.values[y_NC.argmax(axis=1)]
        return labels

    def one_each(self, y: NDArray[Any], n: int) -> NDArray[Any]:
        """Return a label for each of n samples, where one for all may be given."""
        return np.repeat(y, n) if y.ndim == 0 else y

    def drawn(self, n: int, draw: np.random.RandomState) -> NDArray[Any]:
        """Return (n,) labels as frequent as in training."""
        found: NDArray[Any] = self.values[draw.choice(len(self.values), n, p=self.shares)]
        return found

    def shown(self) -> list[tuple[str, Tensor]]:
        """Return the first classes for a picture: each one's name and its number, (1,)."""
        names = enumerate(self.values[:MOST_SHOWN])
        return [(str(label), torch.tensor([number])) for number, label in names]


@dataclass(frozen=True)
class Vectors:
    """Measurements such as features of a picture, which the nets see in standard units.

    ``mean`` and ``scale`` are the (d,) columns' of the training data; a constant one's scale is 1.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    @property
    def wanted(self) -> str:
        """What is missing without y."""
        return f"a condition for each sample: give y, of shape (n, {self.width})"

    @property
    def width(self) -> int:
        """How many numbers the nets see: d."""
        return len(self.mean)

    def targets(self, y: NDArray[Any], n_rows: int) -> NDArray[np.float32]:
        """Return (n, d) vectors in standard units."""
        if y.shape != (n_rows, self.width) or y.dtype.kind not in "fiub":
            raise InputError(
                f"y has shape {y.shape} and type {y.dtype}; give {n_rows} rows of {self.width} "
                "numbers, as in fit"
            )
        _check_finite(y)
        units: NDArray[np.float32] = ((y - self.mean) / self.scale).astype(np.float32)
        return units

    def rows(self, targets: Tensor) -> Tensor:
        """Return the (N, d) targets, which are as the nets see them."""
        return targets

    def quantity(self, names: tuple[str, ...]) -> Quantity:
        """Return what is given as an input of exported functions: vectors in their own units."""
        low, high = (tuple((self.mean + sign * USUAL * self.scale).tolist()) for sign in (-1, 1))
        return Quantity("y", "condition", (self.width,), "the condition", low, high)

    def seen(self, y_NC: Tensor) -> Tensor:
        """Return what the nets see of such an input: standard units."""
        whole, rest = (torch.from_numpy(part) for part in in_two(self.mean))
        return (y_NC - whole - rest) / torch.from_numpy(self.scale.astype(np.float32))

    def as_given(self, y_NC: NDArray[Any]) -> NDArray[Any]:
        """Return the vectors that such an input stands for: the same."""
        return y_NC

    def one_each(self, y: NDArray[Any], n: int) -> NDArray[Any]:
        """Return a vector for each of n samples, where one (d,) for all may be given."""
        return np.tile(y, (n, 1)) if y.ndim == 1 else y

    def drawn(self, n: int, draw: np.random.RandomState) -> NDArray[Any]:
        """Refuse: how the vectors of the training data are distributed was not learnt."""
        raise InputError(
            f"the model was fitted on conditions of {self.width} numbers and does not know how "
            f"these are distributed: give y, of shape ({n}, {self.width}) or ({self.width},)"
        )

    def shown(self) -> list[tuple[str, Tensor]]:
        """Return the mean, and steps from it along the first columns, for a picture: (1, d)."""
        steps = STEP * torch.eye(self.width)[: MOST_SHOWN - 1, None]
        names = [f"y{column} + {STEP:g} sd" for column in range(len(steps))]
        return [("mean y", torch.zeros(1, self.width)), *zip(names, steps)]


Condition = Classes | Vectors


def learnt(y: NDArray[Any], n_rows: int) -> Mapping[str, NDArray[Any]]:
    """Return what a model keeps of the conditions that it is fitted on, by attribute."""
    if y.ndim == 2:
        return _learnt_vectors(y, n_rows)
    labels = checked_labels(y, n_rows)
    classes, counts = np.unique(labels, return_counts=True)
    if not 2 <= len(classes) <= n_rows // 2 or labels.dtype.kind == "f":
        raise InputError(
            f"y holds {len(classes)} different values of type {labels.dtype} in {n_rows} rows; "
            "give whole numbers or names of at least 2 classes, with 2 rows each on average, or "
            "conditions as (n, d) floats"
        )
    return {"classes_": classes, "class_shares_": counts / n_rows}


def _learnt_vectors(y: NDArray[Any], n_rows: int) -> Mapping[str, NDArray[Any]]:
    if y.dtype.kind != "f" or len(y) != n_rows or not y.size:
        raise InputError(
            f"y has shape {y.shape} and type {y.dtype}; give {n_rows} labels, or {n_rows} rows of "
            "floats"
        )
    _check_finite(y)
    y = y.astype(np.float64)
    mean, scale = y.mean(axis=0), y.std(axis=0)
    varies = scale > 1e-6 * np.maximum(np.abs(mean), 1e-30)
    return {"condition_mean_": mean, "condition_scale_": np.where(varies, scale, 1.0)}


def _check_finite(y: NDArray[Any]) -> None:
    finite = np.isfinite(y).all(axis=1)
    if not finite.all():
        raise InputError(f"y holds NaN or infinity in row {int(np.argmin(finite))}; fill it in")


def checked_labels(y: NDArray[Any], n_rows: int) -> NDArray[Any]:
    """Return labels of one type: an object array's as text or numbers, if they are all of one."""
    if y.dtype.kind == "O":
        kinds = {type(value).__name__ for value in y.ravel()}
        if len(kinds) != 1 or not isinstance(y.flat[0], str | int):
            raise InputError(
                f"y holds values of type {', '.join(sorted(kinds))}; give whole numbers, or names"
            )
        y = np.asarray(y.tolist())
    if y.shape != (n_rows,):
        raise InputError(f"y has shape {y.shape}; give a label for each of {n_rows} rows")
    return y
