"""How well clusters agree with classes that they were not told. Arrays are (n,) whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix

from latentia.errors import InputError


def cluster_accuracy(classes: NDArray[Any], clusters: NDArray[Any]) -> float:
    """Return the share of samples in the cluster that stands for their class.

    ``max_m (1/n) Σᵢ 1[yᵢ = m(cᵢ)]`` over all one-to-one maps ``m`` from clusters to classes, by
    the Hungarian algorithm. Where there are more clusters than classes, the clusters that are
    left over count as wrong.

    References
    ----------
    .. [1] J. Xie, R. Girshick, A. Farhadi, "Unsupervised Deep Embedding for Clustering Analysis",
       ICML 2016, eq. 10.

    >>> cluster_accuracy([0, 0, 1, 1], [7, 7, 7, 3])
    0.75
    """
    if np.shape(classes) != np.shape(clusters) or np.ndim(classes) != 1 or not len(classes):
        raise InputError(
            f"classes have shape {np.shape(classes)} and clusters {np.shape(clusters)}; give one "
            "of each for every sample"
        )
    counts = contingency_matrix(classes, clusters)
    rows, columns = linear_sum_assignment(counts, maximize=True)
    return float(counts[rows, columns].sum() / len(classes))


def cluster_agreement(classes: NDArray[Any], clusters: NDArray[Any]) -> dict[str, float]:
    """Return ``cluster_accuracy``, ``nmi`` (arithmetic mean) and ``adjusted_rand``."""
    return {
        "cluster_accuracy": cluster_accuracy(classes, clusters),
        "nmi": float(normalized_mutual_info_score(classes, clusters)),
        "adjusted_rand": float(adjusted_rand_score(classes, clusters)),
    }
