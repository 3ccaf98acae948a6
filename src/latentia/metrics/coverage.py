"""Which classes the samples belong to, by a nearest-neighbour classifier on pixel features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from latentia.errors import Count, InputError, NonNegative, check_arguments
from latentia.metrics.frechet import PixelFeatures

NEIGHBOURS = 5


def class_shares(
    x_train: NDArray[Any], y_train: NDArray[Any], x_samples: NDArray[Any], n_classes: Count
) -> NDArray[np.float64]:
    """Return (n_classes,) shares of the samples that look like each class.

    The classifier votes among the five nearest training images in at most 64 principal
    components. Shares are in the order of the labels; classes without a training image come last.
    """
    check_arguments(class_shares, locals())
    classes, y = np.unique(y_train, return_inverse=True)
    if len(classes) > n_classes:
        raise InputError(f"the labels name {len(classes)} classes; there are at most {n_classes}")
    predicted = nearest_classes(x_train, y, x_samples)
    return np.bincount(predicted, minlength=n_classes) / len(x_samples)


def nearest_classes(
    x_train: NDArray[Any], y_train: NDArray[Any], x_samples: NDArray[Any]
) -> NDArray[Any]:
    """Return (n,) labels that five nearest training images vote for, in at most 64 components."""
    features = PixelFeatures().fit(x_train)
    classifier = KNeighborsClassifier(min(NEIGHBOURS, len(y_train)))
    classifier.fit(features.transform(x_train), y_train)
    return np.asarray(classifier.predict(features.transform(x_samples)))


def coverage(shares: NDArray[np.float64], threshold: NonNegative = 0.1) -> int:
    """Return how many classes have at least ``threshold`` times an equal share."""
    check_arguments(coverage, locals())
    return int(np.sum(shares >= threshold / len(shares)))


def entropy(shares: NDArray[np.float64]) -> float:
    """Return ``−Σ p log p`` in nats: 0 for one class, log C for C equal shares.

    >>> round(entropy(np.array([0.5, 0.5, 0.0])), 4)
    0.6931
    """
    positive = shares[shares > 0]
    return abs(float(np.sum(positive * np.log(positive))))
