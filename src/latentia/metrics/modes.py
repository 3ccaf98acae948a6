"""Mode coverage: whether samples of a mixture with known modes show them all, and evenly.

Shapes: samples are (n, d), centres (k, d).

References
----------
.. [1] A. Srivastava et al., "VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational
   Learning", NeurIPS 2017, section 4.1.
.. [2] Z. Lin et al., "PacGAN: The power of two samples in generative adversarial networks",
   NeurIPS 2018, sections 4.1 and 4.2.
.. [3] L. Metz et al., "Unrolled Generative Adversarial Networks", ICLR 2017, sections 3.1, 3.3.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.errors import Count, InputError, Positive, check_arguments
from latentia.metrics.distances import rows_of, squared_distance_blocks


@dataclass(frozen=True)
class ModeCoverage:
    """How many modes samples show, and how evenly."""

    covered: int
    """Modes shown."""
    n_modes: int
    reverse_kl: float
    """KL(samples ‖ uniform) of the modes' shares in nats: 0 if even, log(n_modes) for one mode.
    Even samples have about ``(n_modes − 1) / 2n`` by chance."""
    n_samples: int
    """More samples cover more modes."""
    high_quality: float | None = None
    """Share of samples near a mode; None where modes are classes."""

    def __str__(self) -> str:
        """Return the figures as a sentence."""
        quality = "" if self.high_quality is None else f", {self.high_quality:.1%} of high quality"
        return (
            f"{self.covered:,} of {self.n_modes:,} modes{quality}, KL {self.reverse_kl:.3f} nats "
            f"({self.n_samples:,} samples)"
        )


def mode_coverage(
    x_samples: NDArray[Any],
    centres: NDArray[Any],
    standard_deviation: Positive,
    n_deviations: Positive = 3.0,
) -> ModeCoverage:
    """Count the modes of a mixture of round Gaussians that samples show.

    A sample is of high quality within ``n_deviations`` standard deviations of a centre; a mode is
    covered if it is the nearest one to a sample of high quality ([1]_, [2]_, on mixtures of [3]_).
    In the KL divergence each sample, of whatever quality, counts for its nearest mode. Of the
    mixture's own draws in the plane ``1 − e^(−9/2)`` = 98.9 % are of high quality at 3 deviations.

    Parameters
    ----------
    x_samples
        (n, d) draws; the papers take 2,500.
    centres
        (k, d) modes.
    standard_deviation
        Of each mode in each direction.
    n_deviations
        How far from a centre a sample is still of high quality.

    Examples
    --------
    >>> print(mode_coverage(np.array([[5.0, 0.1], [7.0, 0.0]]), np.eye(2) * 5, 0.1))
    1 of 2 modes, 50.0% of high quality, KL 0.693 nats (2 samples)
    """
    check_arguments(mode_coverage, locals())
    rows, modes = rows_of(x_samples, "samples"), rows_of(centres, "centres")
    nearest, distance = np.empty(len(rows), np.intp), np.empty(len(rows))
    for part, squared in squared_distance_blocks(rows, modes):
        nearest[part] = squared.argmin(axis=1)
        distance[part] = np.sqrt(squared.min(axis=1))
    good = distance <= n_deviations * standard_deviation
    counts = np.bincount(nearest, minlength=len(modes))
    covered = len(np.unique(nearest[good]))
    return ModeCoverage(covered, len(modes), _reverse_kl(counts), len(rows), float(good.mean()))


def stacked_mode_coverage(digits: NDArray[Any], n_classes: Count = 10) -> ModeCoverage:
    """Count the modes of stacked MNIST, the combinations of the channels' digits ([3]_, [2]_).

    Parameters
    ----------
    digits
        (n, channels) classes from 0, one for each channel, by a classifier; the papers take
        26,000 samples of three channels, so 1,000 modes.
    n_classes
        Classes in each channel.

    Examples
    --------
    >>> stacked_mode_coverage(np.array([[1, 2, 3], [1, 2, 3], [3, 2, 1]])).covered
    2
    """
    check_arguments(stacked_mode_coverage, locals())
    found = np.asarray(digits)
    if found.ndim != 2 or not len(found) or found.dtype.kind not in "iu":
        raise InputError(f"digits are {found.dtype} of shape {found.shape}; give (n, channels)")
    if found.min() < 0 or found.max() >= n_classes:
        raise InputError(
            f"digits go from {found.min()} to {found.max()}; give 0 to {n_classes - 1}"
        )
    numbers = found.astype(np.int64) @ n_classes ** np.arange(found.shape[1])[::-1]
    counts = np.bincount(numbers, minlength=n_classes ** found.shape[1])
    return ModeCoverage(int((counts > 0).sum()), len(counts), _reverse_kl(counts), len(found))


def _reverse_kl(counts: NDArray[Any]) -> float:
    """Return ``Σ p log(p k)`` in nats of the shares p of k modes."""
    shares = counts[counts > 0] / counts.sum()
    return abs(float(np.sum(shares * np.log(shares * len(counts)))))
