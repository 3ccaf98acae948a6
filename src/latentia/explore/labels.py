"""Labels of any kind as classes, and classes as attributes that a sample has or has not.

Shapes: labels (n,) in the training part, (m,) in the test part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.data.classes import MOST_CLASSES, are_few
from latentia.errors import InputError

Pair = tuple[NDArray[np.bool_], NDArray[np.bool_]]


@dataclass(frozen=True)
class Classes:
    """Classes of the samples of a data set."""

    train: NDArray[np.int64]
    """(n,) class numbers from 0."""
    test: NDArray[np.int64]
    names: tuple[str, ...]
    """One for each class, which may be Korean."""

    def attributes(self) -> dict[str, Pair]:
        """Return whether samples have an attribute: the second of two classes, or each of several.

        Examples
        --------
        >>> classes("smile", np.array([0, 1]), np.array([1])).attributes()
        {'smile': (array([False,  True]), array([ True]))}
        """
        numbers = [1] if len(self.names) == 2 else range(len(self.names))
        return {self.names[i]: (self.train == i, self.test == i) for i in numbers}


def classes(
    name: str, train: NDArray[Any], test: NDArray[Any], names: Sequence[str] = ()
) -> Classes:
    """Return labels as classes.

    Parameters
    ----------
    name
        Of the labels.
    train, test
        (n,) and (m,) whole numbers or words. Numbers with more than 50 values, or with more than
        half as many as there are samples, such as ages, are split at the median of ``train``.
    names
        Of the classes 0, 1, ..., if the labels are such numbers. Without names, classes have those
        of their values; 0 and 1, or -1 and 1, are called "not ``name``" and ``name``.

    Examples
    --------
    >>> classes("age", np.arange(20, 90), np.array([50, 60])).names
    ('age ≤ 54.5', 'age > 54.5')
    """
    values = np.unique(np.concatenate([train, test]))
    if len(values) < 2:
        raise InputError(f"all labels of {name} are {values[0]}; at least two values are needed")
    if are_few(len(values), len(train) + len(test)):
        parts = [np.searchsorted(values, part).astype(np.int64) for part in (train, test)]
        return Classes(parts[0], parts[1], _names(name, values, names))
    if values.dtype.kind == "U":
        raise InputError(f"{name} has {len(values)} different words; give at most {MOST_CLASSES}")
    middle = float(np.median(train))
    parts = [(part > middle).astype(np.int64) for part in (train, test)]
    return Classes(parts[0], parts[1], (f"{name} ≤ {middle:g}", f"{name} > {middle:g}"))


def _names(name: str, values: NDArray[Any], names: Sequence[str]) -> tuple[str, ...]:
    if names and values.dtype.kind in "iu" and int(values[-1]) < len(names):
        return tuple(names[int(value)] for value in values)
    if values.tolist() in ([0, 1], [-1, 1]):
        return (f"not {name}", name)
    return tuple(str(value) for value in values)
