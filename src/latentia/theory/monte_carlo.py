"""Expectations by Monte Carlo, with their standard errors.

    E f(X) ≈ m_N = (1/N) Σᵢ f(xᵢ),   se_N = s_N / √N,   s_N² = Σᵢ (f(xᵢ) − m_N)² / (N − 1)

Where f(X) has a variance, m_N ± z·se_N covers E f(X) with the normal's probability as N grows: the
error falls as 1/√N, whatever the dimension of X.

References
----------
.. [1] C. P. Robert, G. Casella, "Monte Carlo Statistical Methods", 2nd ed., Springer 2004,
   section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from latentia.errors import InputError, Seed, Several, check_arguments, check_range


class Distribution(Protocol):
    """What draws: a frozen distribution of ``scipy.stats``, or a `Density`."""

    def rvs(self, size: Any, random_state: Any) -> Any:
        """Return ``size`` draws."""


@final
@dataclass(frozen=True, kw_only=True)
class Running:
    """An expectation's estimate after each draw from the second on, (N − 1,) values each."""

    n: NDArray[np.int64]
    """Numbers of draws."""
    mean: NDArray[np.float64]
    """In units of f, as is its error."""
    standard_error: NDArray[np.float64]

    def interval(self, probability: float = 0.95) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the ends of the central intervals m_n ± z·se_n."""
        check_range("probability", probability, 0, 1, open_low=True, open_high=True)
        reach = ndtri((1 + probability) / 2) * self.standard_error
        return self.mean - reach, self.mean + reach


def expectation(
    f: Callable[[Any], ArrayLike],
    distribution: Distribution,
    n: Several,
    random_state: Seed | None = None,
) -> Running:
    """Return the running estimate of ``E f(X)``; its last values are those of all n draws.

    Parameters
    ----------
    f
        A function of (n,) or (n, d) draws to (n,) values.
    distribution
        Of X: frozen, of ``scipy.stats``, also discrete or multivariate; or a `Density`.
    n
        Draws, at least 2.
    random_state
        The seed.

    Examples
    --------
    >>> from scipy.stats import norm
    >>> second_moment = expectation(np.square, norm(0, 1), 10_000, random_state=0)
    >>> bool(abs(second_moment.mean[-1] - 1) < 3 * second_moment.standard_error[-1])
    True
    """
    check_arguments(expectation, locals())
    draws = distribution.rvs(size=n, random_state=np.random.default_rng(random_state))
    values = np.asarray(f(draws), np.float64)
    if values.shape != (n,) or not np.isfinite(values).all():
        raise InputError(
            f"f returns shape {values.shape} for {n} draws; it must return {n} finite values"
        )
    return running(values)


def running(values: NDArray[np.float64]) -> Running:
    """Return the running mean of (N,) values and its standard error."""
    n = np.arange(1, len(values) + 1)
    # Sums about the mean of all lose no digits to a large common part.
    centre = values.mean()
    first, second = np.cumsum(values - centre), np.cumsum(np.square(values - centre))
    mean = first / n
    variance = np.maximum(second - n * mean**2, 0)[1:] / (n[1:] - 1)
    return Running(n=n[1:], mean=centre + mean[1:], standard_error=np.sqrt(variance / n[1:]))
