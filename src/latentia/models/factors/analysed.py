"""What a factor analysis starts from: means and covariances, of numbers or of ordinal answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentia.errors import InputError
from latentia.models.factors.contingency import ContingencyTables
from latentia.models.factors.ordinal import influences
from latentia.models.factors.polychoric import BOUND, Polychoric
from latentia.models.factors.polychoric import of_tables as polychoric_of
from latentia.models.inputs import Matrix, Vector
from latentia.models.linear.missing import of_gaps, pairs
from latentia.models.linear.moments import Moments
from latentia.models.linear.patterns import Patterns
from latentia.models.linear.reading import (
    checked_count,
    checked_covariance,
    checked_mean,
    naming,
    refuse_other,
    take_columns,
)


@final
@dataclass(frozen=True)
class Analysed:
    """(d,) means, a (d, d) covariance (/n), which columns vary, and what there is to say of them.

    ``weight`` is the total weight of the rows and ``n_rows`` their number, 0 if unknown;
    ``variances`` are n Var of the correlations of the columns that vary, if they were asked for.
    """

    mean: Vector
    covariance: Matrix
    varies: NDArray[np.bool_]
    weight: float
    n_rows: int
    remarks: tuple[str, ...] = ()
    variances: Matrix | None = None


def take_up(model: Any, gathered: Moments | Patterns | ContingencyTables) -> None:
    """Note the columns of what was gathered, if it is what the model is estimated from."""
    polychoric = model.correlation == "polychoric"
    of = "correlation='polychoric'" if polychoric else f"missing={model.missing!r}"
    plain = Patterns if model.missing == "fiml" else Moments
    refuse_other(gathered, ContingencyTables if polychoric else plain, of)
    if polychoric and model.method == "dwls":
        raise InputError("method='dwls' needs all rows for its weights: use fit, or minres")
    take_columns(model, gathered.sample_shape, gathered.names)
    if not isinstance(gathered, Moments):
        with naming(vars(model).get("feature_names_in_")):
            gathered.checked()


def rows_of(model: Any) -> Moments:
    """Return the moments of the rows that a model was fitted to, from its own."""
    return Moments.from_sums(
        model.n_samples_,
        np.zeros_like(model.mean_),
        model.covariance_ * model.n_samples_,
        shift=model.mean_,
        n_rows=model.n_rows_,
        sample_shape=model.data_shape_,
    )


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
    rows: NDArray[Any], names: list[str], sample_weight: Any, zero_add: float, *, weighted: bool
) -> Analysed:
    """Return polychoric correlations of (n, d) answers, times the deviations of their codes.

    NaN is missing: a pair of columns uses the rows that have both. ``weighted`` asks for the
    sampling variances.
    """
    with naming(np.array(names, dtype=object)):
        tables = ContingencyTables(rows, sample_weight)
    found, given = of_tables(tables, names, zero_add)
    if found is None or not weighted:
        return given
    return replace(given, variances=_variances(rows[:, given.varies], found, sample_weight))


def of_tables(
    tables: ContingencyTables, names: list[str], zero_add: float
) -> tuple[Polychoric | None, Analysed]:
    """Return the same from tables of all pairs of columns, but for sampling variances."""
    refuse_few(tables.n_samples)
    variances, varies, found = tables.column_variances, tables.n_categories > 1, None
    S, remarks = np.diag(variances), of_gaps(tables.n_empty, tables.coverage, names)
    n_cells = (tables.n_samples + tables.n_empty) * len(varies)
    if (n_missing := n_cells - int(tables.n_seen.sum())) > 0:
        remarks.append(f"{n_missing} cells are empty: a correlation uses the rows that have both")
    within = [name for name, kept in zip(names, varies) if kept]
    if len(within) > 1:
        with naming(np.array(within, dtype=object)):
            found = polychoric_of(tables.columns(varies), zero_add)
        deviations = np.sqrt(variances[varies])
        S[np.ix_(varies, varies)] = found.correlation * deviations[:, None] * deviations
        advice = "" if zero_add else "fill empty cells (zero_add=0.5), "
        remarks += of_polychoric(found, within, advice)
    counted = tables.weight, tables.n_samples
    return found, Analysed(tables.column_means, S, varies, *counted, tuple(remarks))


def _variances(rows: Matrix, found: Polychoric, sample_weight: Any) -> Matrix:
    """Return the (p, p) sampling variances of polychoric correlations, 1 on the diagonal."""
    variances = np.eye(rows.shape[1])
    i, j = np.triu_indices(len(variances), 1)
    variances[i, j] = variances[j, i] = influences(rows, found, sample_weight).variances()
    return variances


def of_polychoric(found: Polychoric, names: list[str], advice: str = "") -> Iterator[str]:
    """Yield what there is to say of correlations at their bound, or smoothed."""
    if found.at_bound:
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
