"""Nearest neighbours: whether samples are copies, and codes keep the classes apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import rankdata
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from latentia.errors import Count, InputError, check_arguments
from latentia.metrics.estimates import Estimate


def memorisation(x_train: NDArray[Any], x_test: NDArray[Any], x_samples: NDArray[Any]) -> float:
    """Return median distance sample → nearest training image over that of test images.

    Near 1, samples are as far from the training images as new data are; near 0 they are copies.
    Where the test images themselves are copies the ratio is infinite, or not a number if the
    samples are copies too.
    """
    sampled, fresh = (
        float(np.median(nearest_training(x_train, x).distances)) for x in (x_samples, x_test)
    )
    if fresh == 0:
        return float("inf" if sampled > 0 else "nan")
    return sampled / fresh


@dataclass(frozen=True)
class NearestTraining:
    """Samples in the order they were given, each with the training sample nearest to it."""

    samples: NDArray[Any]
    """(n, ...)."""
    neighbours: NDArray[Any]
    """(n, ...), row by row those of the samples."""
    rows: NDArray[np.intp]
    """(n,) places of the neighbours in the training data."""
    distances: NDArray[np.float64]
    """(n,) Euclidean distances."""


def nearest_training(x_train: NDArray[Any], x_samples: NDArray[Any]) -> NearestTraining:
    """Find each sample's nearest training sample, as [1]_ shows beside samples.

    Give samples as they were drawn, none selected: a chosen few prove nothing.

    References
    ----------
    .. [1] I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, figure 2.
    """
    x_train, x_samples = np.asarray(x_train), np.asarray(x_samples)
    if 0 in (len(x_train), len(x_samples)) or x_train[0].size != x_samples[0].size:
        raise InputError(
            f"samples {x_samples.shape} cannot be compared with {x_train.shape}; give some "
            "of each, of one shape"
        )
    if (x_train.dtype == np.uint8) != (x_samples.dtype == np.uint8):
        raise InputError("one set is uint8 and the other is not: divide it by 255")
    train, samples = _flat(x_train), _flat(x_samples)
    index = NearestNeighbors(n_neighbors=1).fit(train)
    rows = index.kneighbors(samples, return_distance=False)[:, 0]
    # The index expands ‖a − b‖², which is not exactly 0 for copies.
    distances = np.linalg.norm(samples - train[rows], axis=1).astype(np.float64)
    return NearestTraining(x_samples, x_train[rows], rows, distances)


@dataclass(frozen=True)
class CopyingTest:
    """Whether samples lie nearer to the training data than new data do."""

    z: float
    """The standardised Mann–Whitney statistic: far below 0 for copies, far above 0 for samples that
    miss the data, about N(0, 1) for a perfect model."""
    p_value: float
    """The probability of a z this low for a perfect model."""
    share_farther: float
    """P(a sample is farther from the training data than a test sample), ties half: 0.5 at best."""
    n_train: int
    n_test: int
    n_samples: int

    def __str__(self) -> str:
        """Return the statistic as a sentence, with the sets' sizes."""
        return (
            f"data-copying z = {self.z:.2f} (p = {self.p_value:.2g}): a sample is farther from "
            f"the training data than a test sample in {self.share_farther:.1%} of pairs "
            f"({self.n_samples:,} samples, {self.n_test:,} test, {self.n_train:,} training)"
        )


def copying_test(
    x_train: NDArray[Any], x_test: NDArray[Any], x_samples: NDArray[Any]
) -> CopyingTest:
    """Test whether samples are nearer to the training data than held-out data are.

    With d the distance to the nearest training sample and n, m samples and test samples,

        U = Σᵢⱼ 1[d(sᵢ) > d(tⱼ)] + ½ 1[=],   z = (U − nm/2) / √(nm (n + m + 1) / 12),

    the variance corrected for ties: [1]_'s test over the whole space as one cell. Blurred samples
    lie near the training data too, so a low z asks for a look at `nearest_training`'s pairs.

    Parameters
    ----------
    x_train, x_test, x_samples
        (n, ...) arrays in the same units; a feature space says more than pixels.

    References
    ----------
    .. [1] C. Meehan, K. Chaudhuri, S. Dasgupta, "A non-parametric test to detect data-copying in
       generative models", AISTATS 2020, section 3.

    Examples
    --------
    >>> train, test, new = np.random.default_rng(0).normal(size=(3, 200, 2))
    >>> copying_test(train, test, train + 0.01).z < -3 < copying_test(train, test, new).z
    True
    """
    sampled, fresh = (nearest_training(x_train, x).distances for x in (x_samples, x_test))
    n, m = len(sampled), len(fresh)
    together = np.concatenate([sampled, fresh])
    wins = float(rankdata(together)[:n].sum()) - n * (n + 1) / 2
    ties = np.unique(together, return_counts=True)[1].astype(float)
    spread = n + m + 1 - np.sum(ties**3 - ties) / ((n + m) * max(1, n + m - 1))
    deviation = float(np.sqrt(n * m / 12 * spread))
    z = (wins - n * m / 2) / deviation if deviation > 0 else 0.0
    return CopyingTest(z, float(ndtr(z)), wins / (n * m), len(x_train), m, n)


def code_accuracy(
    z_train: NDArray[Any],
    y_train: NDArray[Any],
    z_test: NDArray[Any],
    y_test: NDArray[Any],
    k: Count = 5,
) -> Estimate:
    """Return the share of test codes whose ``k`` nearest training codes vote for their class."""
    check_arguments(code_accuracy, locals())
    classifier = KNeighborsClassifier(k).fit(z_train, y_train)
    return Estimate.mean_of(classifier.predict(z_test) == y_test)


def _flat(x: NDArray[Any]) -> NDArray[Any]:
    return x.reshape(len(x), -1).astype(np.float32)
