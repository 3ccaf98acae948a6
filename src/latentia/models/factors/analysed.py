"""What a factor analysis starts from: means and covariances, of numbers or of ordinal answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentia.errors import InputError
from latentia.models.factors.polychoric import BOUND, Polychoric, polychoric
from latentia.models.inputs import Matrix, Vector
from latentia.models.linear.missing import Patterns, of_gaps, pairs
from latentia.models.linear.moments import Moments
from latentia.models.linear.reading import (
    checked_count,
    checked_covariance,
    checked_mean,
    naming,
)


@final
@dataclass(frozen=True)
class Analysed:
    """(d,) means, a (d, d) covariance (/n), which columns vary, and what there is to say of them.

    ``weight`` is the total weight of the rows and ``n_rows`` their number, 0 if unknown.
    """

    mean: Vector
    covariance: Matrix
    varies: NDArray[np.bool_]
    weight: float
    n_rows: int
    remarks: tuple[str, ...] = ()


def refuse_few(n: int, d: int = 0) -> None:
    """Refuse a single row, or none."""
    if n < 2:
        raise InputError(f"X has {n} sample(s); factor analysis needs at least 2 rows")


def refuse_many(k: int, varies: NDArray[np.bool_]) -> None:
    """Refuse as many factors as columns that vary, or more."""
    if k >= varies.sum():
        raise InputError(
            f"n_components is {k}, but of {len(varies)} feature(s) {varies.sum()} vary; there must "
            "be fewer factors than columns that vary"
        )


def of_moments(moments: Moments) -> Analysed:
    """Return the moments of rows of numbers."""
    refuse_few(moments.n_rows)
    m = moments
    return Analysed(m.mean, m.covariance, m.varies, m.weight, m.n_rows)


def of_matrix(S: Any, n_samples: int | None, mean: ArrayLike | None) -> tuple[Analysed, list[str]]:
    """Return a (p, p) covariance with (p,) means, 0 if none are given, and its columns' names."""
    n = checked_count(n_samples)
    matrix, names = checked_covariance(S)
    centre = checked_mean(mean, len(matrix))
    return Analysed(centre, matrix, np.diag(matrix) > 0, float(n), n), names


def of_answers(
    rows: NDArray[Any], names: list[str], sample_weight: Any, zero_add: float
) -> Analysed:
    """Return polychoric correlations of (n, d) answers, times the deviations of their codes.

    NaN is missing: a pair of columns uses the rows that have both.
    """
    patterns = Patterns(rows, sample_weight)
    refuse_few(patterns.n_samples)
    varies, S = patterns.varies, np.diag(patterns.column_variances)
    remarks = of_gaps(patterns, names)
    if (n_empty := int(np.isnan(rows).sum())) > 0:
        remarks.append(f"{n_empty} cells are empty: a correlation uses the rows that have both")
    within = [name for name, kept in zip(names, varies) if kept]
    if len(within) > 1:
        with naming(np.array(within, dtype=object)):
            found = polychoric(rows[:, varies], sample_weight=sample_weight, zero_add=zero_add)
        deviations = np.sqrt(patterns.column_variances[varies])
        S[np.ix_(varies, varies)] = found.correlation * deviations[:, None] * deviations
        remarks += _of_answers(found, within, zero_add)
    weight = float(patterns.weight.sum())
    return Analysed(patterns.column_means, S, varies, weight, patterns.n_samples, tuple(remarks))


def _of_answers(found: Polychoric, names: list[str], zero_add: float) -> Iterator[str]:
    if found.at_bound:
        advice = "" if zero_add else "fill empty cells (zero_add=0.5), "
        yield (
            f"polychoric correlations lie at their bound of ±{BOUND}, as empty cells in the table "
            f"of a pair let the likelihood rise up to ±1: {pairs(found.at_bound, names)}; {advice}"
            "merge rare answers, or leave variables out"
        )
    if found.smoothed:
        yield (
            "the polychoric correlations were no correlation matrix (least eigenvalue "
            f"{found.least_eigenvalue:.3g}) and were smoothed: eigenvalues below 0 were raised to 0"
        )
