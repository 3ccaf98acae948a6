"""Which classes the samples belong to, by a nearest-neighbour classifier on pixel features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from latentia.metrics.frechet import PixelFeatures

NEIGHBOURS = 5


def class_shares(
    x_train: NDArray[Any], y_train: NDArray[Any], x_samples: NDArray[Any], n_classes: int
) -> NDArray[np.float64]:
    """Return (n_classes,) shares of the samples that look like each class.

    The classifier votes among the five nearest training images in 64 principal components.
    """
    features = PixelFeatures().fit(x_train)
    classifier = KNeighborsClassifier(NEIGHBOURS).fit(features.transform(x_train), y_train)
    predicted = classifier.predict(features.transform(x_samples))
    return np.bincount(predicted, minlength=n_classes) / len(x_samples)


def coverage(shares: NDArray[np.float64], threshold: float = 0.1) -> int:
    """Return how many classes have at least ``threshold`` times an equal share."""
    return int(np.sum(shares >= threshold / len(shares)))
