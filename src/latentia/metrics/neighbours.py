"""Nearest neighbours: whether samples are copies, and codes keep the classes apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors


def memorisation(x_train: NDArray[Any], x_test: NDArray[Any], x_samples: NDArray[Any]) -> float:
    """Return median distance sample → nearest training image over that of test images.

    Near 1, samples are as far from the training images as new data are; near 0 they are copies.
    Where the test images themselves are copies the ratio is infinite, or not a number if the
    samples are copies too.
    """
    train = _flat(x_train)
    index = NearestNeighbors(n_neighbors=1).fit(train)
    sampled, fresh = (_median_distance(index, train, _flat(x)) for x in (x_samples, x_test))
    if fresh == 0:
        return float("inf" if sampled > 0 else "nan")
    return sampled / fresh


def _median_distance(index: Any, train: NDArray[Any], x: NDArray[Any]) -> float:  # noqa: ANN401
    # The index expands ‖a − b‖², which is not exactly 0 for copies.
    nearest = train[index.kneighbors(x, return_distance=False)[:, 0]]
    return float(np.median(np.linalg.norm(x - nearest, axis=1)))


def code_accuracy(
    z_train: NDArray[Any],
    y_train: NDArray[Any],
    z_test: NDArray[Any],
    y_test: NDArray[Any],
    k: int = 5,
) -> float:
    """Return the share of test codes whose ``k`` nearest training codes vote for their class."""
    classifier = KNeighborsClassifier(k).fit(z_train, y_train)
    return float(classifier.score(z_test, y_test))


def _flat(x: NDArray[Any]) -> NDArray[Any]:
    return x.reshape(len(x), -1).astype(np.float32)
