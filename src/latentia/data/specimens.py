"""What measurements look at: rows of a data set, and samples that a model draws beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.data import Dataset


def spread(x: NDArray[Any], n: int) -> NDArray[Any]:
    """Return at most ``n`` rows evenly spaced: files may be ordered by class."""
    places = np.linspace(0, len(x) - 1, n).astype(np.intp)
    return np.asarray(x[places] if len(x) > n else x)


def labelled(data: Dataset) -> bool:
    """Return whether every sample has a class."""
    return data.y_train is not None and data.y_test is not None and data.y_test.ndim == 1


def drawn(model: Any, data: Dataset, n: int, random_state: int) -> NDArray[Any]:
    """Return n samples; a model given measurements is given the test data's in turn."""
    if not model.takes_labels or hasattr(model, "classes_") or data.y_test is None:
        return np.asarray(model.sample(n, random_state=random_state))
    given = np.resize(data.y_test, (n, *data.y_test.shape[1:]))
    return np.asarray(model.sample(n, random_state=random_state, y=given))


def first_labels(model: Any, data: Dataset, n: int) -> tuple[NDArray[Any], ...]:
    """Return the first test labels for the verbs of a model that takes them, else nothing."""
    if data.y_test is None or not (model.takes_labels or model.learns_from == "domains"):
        return ()
    labels = np.asarray(data.y_test[:n])
    return (model.classes_[labels] if model.learns_from == "domains" else labels,)
