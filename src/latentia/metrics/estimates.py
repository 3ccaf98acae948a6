"""A figure of test samples together with what its standard error is computed from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

GROUPS = 10
"""Parts that are left out in turn for the error of a figure that is no mean over samples."""


class Estimate(float):
    """A number that knows the ``values``, (n,), whose spread gives its standard error.

    They are one for each test sample, with the number as their mean, or a jackknife's pseudo-values
    (B. Efron, C. Stein, "The Jackknife Estimate of Variance", Annals of Statistics 1981). Two
    models' values are of the same samples in the same order, so that they can be paired.
    """

    values: NDArray[np.float64]

    def __new__(cls, value: float, values: ArrayLike = ()) -> Self:
        """Return the number with its values, none of which are needed."""
        made = super().__new__(cls, value)
        made.values = np.asarray(values, np.float64)
        return made

    @classmethod
    def mean_of(cls, values: ArrayLike) -> Self:
        """Return the mean of one value for each sample."""
        each = np.asarray(values, np.float64)
        return cls(float(each.mean()), each)

    @property
    def standard_error(self) -> float:
        """Of the number over test samples; NaN where fewer than two values are known."""
        return _error_of_mean(self.values)

    def error_beside(self, other: Estimate) -> float:
        """Return the standard error of the difference, over the same samples where they are."""
        if len(self.values) == len(other.values):
            return _error_of_mean(self.values - other.values)
        return float(np.hypot(self.standard_error, other.standard_error))


def jackknifed(statistic: Callable[[NDArray[Any]], float], rows: NDArray[Any]) -> Estimate:
    """Return a statistic of (n, k) rows; its error comes from leaving each tenth of them out."""
    value, n_groups = statistic(rows), min(GROUPS, len(rows))
    if len(rows) < 3:
        return Estimate(value)
    group = np.arange(len(rows)) % n_groups
    without = np.array([statistic(rows[group != i]) for i in range(n_groups)])
    return Estimate(value, n_groups * value - (n_groups - 1) * without)


def _error_of_mean(values: NDArray[np.float64]) -> float:
    if len(values) < 2:
        return float("nan")
    return float(values.std(ddof=1) / len(values) ** 0.5)
