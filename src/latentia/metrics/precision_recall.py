"""Precision and recall, density and coverage: how far real and drawn samples overlap in features.

With ``B(f)`` the ball around a feature that reaches its k-th nearest other of its own set:

    precision = (1/m) Σⱼ 1[fⱼ in some B(rᵢ)]        recall   = (1/n) Σᵢ 1[rᵢ in some B(fⱼ)]
    density   = (1/km) Σⱼ Σᵢ 1[fⱼ in B(rᵢ)]         coverage = (1/n) Σᵢ 1[some fⱼ in B(rᵢ)]

Shapes: ``r`` is (n, d), ``f`` (m, d).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.errors import Count, InputError, check_arguments
from latentia.metrics.distances import rows_of, squared_distance_blocks


@dataclass(frozen=True)
class Overlap:
    """How far real and drawn samples overlap; all figures depend on the counts printed beside."""

    precision: float
    """Share of drawn samples within the real ones' support."""
    recall: float
    """Share of real samples within the drawn ones' support."""
    density: float
    """Real balls that a drawn sample lies in, over k: 1 on average for the same distribution."""
    coverage: float
    """Share of real balls with a drawn sample."""
    k: int
    n_real: int
    n_fake: int
    features: str = "the features given"

    def __str__(self) -> str:
        """Return one line for each figure, with the counts, and the feature space."""
        counts = f"k = {self.k}, {self.n_real:,} real, {self.n_fake:,} drawn"
        names = ("precision", "recall", "density", "coverage")
        lines = [f"{name:<9} {getattr(self, name):.4f}  ({counts})" for name in names]
        return "\n".join([*lines, f"in {self.features}"])


def precision_recall(
    real: NDArray[Any], fake: NDArray[Any], k: Count = 5, features: str = "the features given"
) -> Overlap:
    """Return precision, recall, density and coverage of two sets of features.

    Parameters
    ----------
    real, fake
        (n, d) and (m, d) features.
    k
        The neighbour that a ball reaches, itself not counted: 3 in [1]_, 5 in [2]_.
    features
        The name of the feature space, which any figure must be quoted with.

    References
    ----------
    .. [1] T. Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative
       Models", NeurIPS 2019, eq. 1 and 2.
    .. [2] M. F. Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative Models",
       ICML 2020, eq. 3 and 4.

    Examples
    --------
    >>> real = np.random.default_rng(0).normal(size=(200, 2))
    >>> found = precision_recall(real, real[:50] / 10, k=3)
    >>> found.precision > 0.9, found.recall < 0.2
    (True, True)
    """
    check_arguments(precision_recall, locals())
    r, f = rows_of(real, "real features"), rows_of(fake, "drawn features")
    if not 1 <= k < min(len(r), len(f)):
        raise InputError(
            f"k is {k}; it must be at least 1 and less than the {min(len(r), len(f))} samples of "
            "the smaller set"
        )
    around_real, around_fake = _radii(r, k), _radii(f, k)
    recalled, covered = np.zeros(len(r), bool), np.zeros(len(r), bool)
    balls = np.zeros(len(f), np.int64)
    for part, squared in squared_distance_blocks(r, f):
        inside = squared <= around_real[part, None]
        balls += inside.sum(axis=0)
        covered[part] = inside.any(axis=1)
        recalled[part] = (squared <= around_fake).any(axis=1)
    return Overlap(
        precision=float((balls > 0).mean()),
        recall=float(recalled.mean()),
        density=float(balls.mean() / k),
        coverage=float(covered.mean()),
        k=k,
        n_real=len(r),
        n_fake=len(f),
        features=features,
    )


def _radii(rows: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Return (n,) squared distances to each row's k-th nearest other row."""
    found = np.empty(len(rows))
    for part, squared in squared_distance_blocks(rows, rows):
        # The row itself, at distance 0, comes first.
        found[part] = np.partition(squared, k, axis=1)[:, k]
    return found
