"""Labels of samples as classes with names: words, whole numbers, and what is neither."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentia.data.dataset import Array
from latentia.errors import InputError

MISSING = ("", "nan", "<na>", "nat")
"""What NumPy and pandas make of a missing label among words, in small letters."""
MOST_CLASSES = 50
"""An array under a name of its own holds classes if it has at most so many different values."""


def classes_of(
    labels: Array, name: str, known: Array | None = None
) -> tuple[Array | None, tuple[str, ...], str]:
    """Return labels as classes, or nothing where they are measures.

    Parameters
    ----------
    labels
        (n,) words or numbers; floats that are whole count as whole numbers.
    name
        What holds them, for errors.
    known
        The sorted values to number them by, if not their own.

    Returns
    -------
    y, names, said
        (n,) class numbers from 0, the classes' names in that order, and a clause about them.

    Examples
    --------
    >>> classes_of(np.array([2.0, 3.0, 2.0]), "y")
    (array([0, 1, 0]), ('2', '3'), 'holds labels of 2 classes: 2, 3')
    """
    values = plain_labels(labels, name)
    if values is None:
        return None, (), "holds measures and no classes, and was left out"
    found = np.unique(values) if known is None else known
    names = tuple(str(value) for value in found)
    shown = ", ".join(names[:8]) + (" ..." if len(names) > 8 else "")
    y = np.searchsorted(found, values).astype(np.int64)
    return y, names, f"holds labels of {len(names)} classes: {shown}"


def are_few(n_values: int, n: int) -> bool:
    """Return whether n samples with so many different labels have classes rather than measures."""
    return n_values <= 2 or n_values <= min(MOST_CLASSES, n // 2)


def plain_labels(labels: Array, name: str) -> Array | None:
    """Return labels as words or whole numbers, or None if they are fractions."""
    if labels.dtype.kind == "f":
        _refuse_missing(~np.isfinite(labels), name)
        return labels.astype(np.int64) if (labels % 1 == 0).all() else None
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    if labels.dtype.kind not in "iubU":
        raise InputError(f"{name} holds {labels.dtype} values; labels are words or whole numbers")
    if labels.dtype.kind == "U":
        _refuse_missing(np.isin(np.char.lower(np.char.strip(labels)), MISSING), name)
    return labels


def _refuse_missing(bad: NDArray[np.bool_], name: str) -> None:
    """Refuse labels that are none, by the row of the first."""
    if bad.any():
        raise InputError(
            f"{name} has {bad.sum()} missing or infinite labels, the first in data row "
            f"{bad.argmax() + 1}; fill them in or drop those rows"
        )
