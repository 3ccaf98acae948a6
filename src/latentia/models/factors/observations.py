"""What a factor model is estimated from, however it was come by."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentia.errors import InputError
from latentia.models.factors.polychoric import polychoric
from latentia.models.linear.missing import Estimate, Patterns, structured
from latentia.models.linear.moments import Moments

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Observations:
    """The moments of rows.

    Attributes
    ----------
    mean, covariance
        (d,) and (d, d), divided by the weight.
    varies
        (d,) which columns are not constant.
    weight, n_rows
        Total weight and number of rows; 0 if unknown.
    """

    mean: Vector
    covariance: Matrix
    varies: NDArray[np.bool_]
    weight: float
    n_rows: int

    def correlated(self, X_ND: NDArray[Any], sample_weight: ArrayLike | None) -> Observations:
        """Return the same variances with the polychoric correlations of ordinal columns."""
        found = polychoric(X_ND, sample_weight=sample_weight)
        deviations = np.sqrt(np.diag(self.covariance))
        S: Matrix = found.correlation * deviations[:, None] * deviations
        return replace(self, covariance=S)


@contextmanager
def naming(names: Any) -> Iterator[None]:
    """Let sentences about numbered columns tell their names, if there are any."""
    try:
        yield
    except InputError as error:
        if names is None:
            raise
        named = re.sub(r"column (\d+)", lambda m: f"column {str(names[int(m[1])])!r}", str(error))
        raise InputError(named) from None


def observations(moments: Moments) -> Observations:
    """Return what moments say.

    Raises
    ------
    InputError
        If there are fewer than two rows.
    """
    _refuse_few(moments.n_rows)
    m = moments
    return Observations(m.mean, m.covariance, m.varies, m.weight, m.n_rows)


def _refuse_few(n: int) -> None:
    if n < 2:
        raise InputError(f"X has {n} sample(s); factor analysis needs at least 2 rows")


class Gaps:
    """Rows with missing values, and what estimation by full information makes of them.

    Attributes
    ----------
    varies
        (d,) which columns' observed values are not all the same.
    spread
        (d, d) diagonal of the observed values' variances.
    """

    def __init__(self, X_ND: NDArray[Any], sample_weight: ArrayLike | None) -> None:
        _refuse_few(len(X_ND))
        whole = Patterns(X_ND, sample_weight)
        self._mean = whole.column_means
        self.spread: Matrix = np.diag(whole.column_variances)
        rounding = 16 * np.finfo(np.float64).eps * np.abs(self._mean)
        self.varies: NDArray[np.bool_] = whole.column_variances > rounding**2
        self._patterns = (
            whole if self.varies.all() else Patterns(X_ND[:, self.varies], sample_weight)
        )

    def completed(self, implied: Callable[[Matrix], Matrix]) -> tuple[Observations, Estimate]:
        """Return the expected moments under the model whose (d, d) covariance is ``implied``."""
        within = np.ix_(self.varies, self.varies)

        def m_step(expected: Matrix) -> Matrix:
            S = self.spread.copy()
            S[within] = expected
            return implied(S)[within]

        found = structured(
            self._patterns, m_step, self._mean[self.varies], self.spread[within], tolerance=1e-7
        )
        mean, S = self._mean.copy(), np.zeros_like(self.spread)
        mean[self.varies], S[within] = found.mean, found.covariance
        weight = float(self._patterns.weight.sum())
        observed = Observations(mean, S, self.varies, weight, self._patterns.n_samples)
        return observed, found
