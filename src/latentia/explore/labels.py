"""Labels of any kind as attributes that a sample has or has not.

Two values are one attribute; a few are one attribute each, against all others; numbers of many
values, such as ages, are split at their median.

Shapes: labels (n,).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from latentia.data.arrays import MOST_CLASSES
from latentia.errors import InputError

Pair = tuple[NDArray[np.bool_], NDArray[np.bool_]]


def binary_attributes(
    name: str,
    train: NDArray[np.generic],
    test: NDArray[np.generic],
    class_names: Sequence[str] = (),
) -> dict[str, Pair]:
    """Return attributes by name, each as two arrays of whether samples have it.

    Parameters
    ----------
    name
        Of the labels.
    train, test
        (n,) and (m,) numbers or words, of the two parts of a data set.
    class_names
        Names of the classes 0, 1, ..., if the labels are such numbers.

    Returns
    -------
    attributes
        ``name`` for labels of two values, of which the higher has it; each class for up to 50;
        ``name > median`` for more, if they are numbers.

    Raises
    ------
    InputError
        For labels of one value, or more than 50 words.

    Examples
    --------
    >>> binary_attributes("smile", np.array([0, 1]), np.array([1]))
    {'smile': (array([False,  True]), array([ True]))}
    >>> list(binary_attributes("age", np.arange(20, 90), np.array([50])))
    ['age > 54.5']
    """
    values = np.unique(train)
    if len(values) < 2:
        raise InputError(f"all labels of {name} are {values[0]}; an attribute needs two kinds")
    if len(values) == 2:
        return {name: (train == values[1], test == values[1])}
    if len(values) <= MOST_CLASSES:
        return {_name(v, class_names): (train == v, test == v) for v in values}
    if train.dtype.kind == "U":
        raise InputError(f"{name} has {len(values)} different words; give at most {MOST_CLASSES}")
    middle = float(np.median(train))
    return {f"{name} > {middle:g}": (train > middle, test > middle)}


def _name(value: object, class_names: Sequence[str]) -> str:
    known = isinstance(value, np.integer) and 0 <= int(value) < len(class_names)
    return class_names[int(str(value))] if known else str(value)
