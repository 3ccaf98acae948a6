"""The Parzen-window log-likelihood: what the GAN paper reports for models without a density.

    log p(x) ≈ log (1/n) Σᵢ N(x; sᵢ, σ² I)

with n drawn samples s and a bandwidth σ that fits held-out data best. Arrays are (n, ...) with any
shape of a sample; log-densities are in nats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.errors import InputError
from latentia.metrics.distances import rows_of, squared_distance_blocks

BANDWIDTHS = tuple(float(sigma) for sigma in np.geomspace(0.1, 1, 10))
"""The grid of the GAN paper's authors, for pixels in [0, 1]."""

WARNING = (
    "A Parzen-window estimate is far from the true log-likelihood in high dimensions, however "
    "many samples are drawn, and can rank models wrongly: centroids of k-means score better than "
    "the data themselves (Theis, van den Oord, Bethge 2016, section 3.2)."
)


@dataclass(frozen=True)
class ParzenEstimate:
    """A mean log-likelihood by Parzen windows, in nats a sample; printing it shows the warning."""

    value: float
    """Mean over test samples."""
    standard_error: float
    """Of the mean, from the choice of the test samples."""
    bandwidth: float
    """σ, in the units of the data."""
    bandwidths: tuple[float, ...]
    """The grid it was chosen from."""
    n_samples: int
    """Windows."""
    n_validation: int
    """Held-out samples that chose σ."""
    n_test: int

    @property
    def at_edge(self) -> bool:
        """Whether σ is the least or largest of several, so that a wider grid may fit better."""
        edges = (min(self.bandwidths), max(self.bandwidths))
        return len(self.bandwidths) > 1 and self.bandwidth in edges

    def __str__(self) -> str:
        """Return the estimate with everything that it must be quoted with."""
        edge = " (at the edge of its grid: widen it)" if self.at_edge else ""
        return (
            f"Parzen-window log-likelihood {self.value:.1f} ± {self.standard_error:.1f} nats a "
            f"sample: {self.n_samples:,} drawn samples, {self.n_test:,} test samples, σ = "
            f"{self.bandwidth:.3g}{edge} by {self.n_validation:,} held-out samples.\n{WARNING}"
        )


def parzen_log_likelihood(
    x_samples: NDArray[Any],
    x_validation: NDArray[Any],
    x_test: NDArray[Any],
    bandwidths: Sequence[float] = BANDWIDTHS,
) -> ParzenEstimate:
    """Estimate the mean log-likelihood of test data under a model that can only be sampled.

    Parameters
    ----------
    x_samples
        (n, ...) draws of the model; the paper takes 10,000.
    x_validation
        (v, ...) held-out data, apart from the test data, that choose σ.
    x_test
        (m, ...) test data.
    bandwidths
        The grid for σ.

    References
    ----------
    .. [1] I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, section 5.
    .. [2] L. Theis, A. van den Oord, M. Bethge, "A note on the evaluation of generative models",
       ICLR 2016, section 3.2.

    Examples
    --------
    >>> draws = np.random.default_rng(0).normal(size=(3, 2000, 1))
    >>> found = parzen_log_likelihood(*draws)
    >>> round(found.value, 1)  # E log N(x; 0, 1) = −½ log 2πe = −1.42
    -1.4
    """
    windows = rows_of(x_samples, "samples")
    test = rows_of(x_test, "test data", least=2)
    grid = tuple(float(sigma) for sigma in bandwidths)
    fits = log_densities(rows_of(x_validation, "validation data"), windows, grid).mean(axis=1)
    best = grid[int(fits.argmax())]
    found = log_densities(test, windows, (best,))[0]
    error = float(found.std(ddof=1) / len(found) ** 0.5)
    counts = len(windows), len(x_validation), len(test)
    return ParzenEstimate(float(found.mean()), error, best, grid, *counts)


def log_densities(
    x: NDArray[Any], x_samples: NDArray[Any], bandwidths: Sequence[float]
) -> NDArray[np.float64]:
    """Return (len(bandwidths), n) log-densities of ``x`` under windows at the samples.

    The largest term is taken out of each sum, in float64: no sum under- or overflows.
    """
    if not bandwidths or not all(np.isfinite(s) and s > 0 for s in bandwidths):
        raise InputError(f"bandwidths are {tuple(bandwidths)}; give numbers greater than 0")
    rows, windows = rows_of(x, "data"), rows_of(x_samples, "samples")
    sigmas = np.asarray(bandwidths, np.float64)
    found = np.empty((len(sigmas), len(rows)))
    for part, squared in squared_distance_blocks(rows, windows):
        nearest = squared.min(axis=1)
        squared -= nearest[:, None]
        for index, sigma in enumerate(sigmas):
            sums = np.exp(squared / (-2 * sigma**2)).sum(axis=1)
            found[index, part] = np.log(sums) - nearest / (2 * sigma**2)
    constants = np.log(len(windows)) + rows.shape[1] / 2 * np.log(2 * np.pi * sigmas**2)
    found -= constants[:, None]
    return found
