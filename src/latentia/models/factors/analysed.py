"""What a factor analysis starts from: means and covariances, of numbers or of ordinal answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentia.errors import InputError
from latentia.models.factors.contingency import ContingencyTables
from latentia.models.factors.extraction import Analysed, refuse_few
from latentia.models.factors.ordinal import Influences, influences, of_cells
from latentia.models.factors.polychoric import BOUND, Polychoric, polychoric
from latentia.models.factors.polychoric import of_tables as polychoric_of
from latentia.models.factors.polyserial import mixed_correlations, mixed_influences
from latentia.models.inputs import Vector
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


def take_up(model: Any, gathered: Moments | Patterns | ContingencyTables) -> None:
    """Note the columns of what was gathered, if it is what the model is estimated from."""
    ordinal = model.correlation == "polychoric"
    of = "correlation='polychoric'" if ordinal else f"missing={model.missing!r}"
    plain = Patterns if model.missing == "fiml" else Moments
    if model.correlation == "mixed":
        raise InputError("correlation='mixed' needs all rows: use fit")
    refuse_other(gathered, ContingencyTables if ordinal else plain, of)
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


def of_matrix(S: Any, n_samples: int | None, mean: ArrayLike | None) -> tuple[Analysed, list[str]]:
    """Return a (p, p) covariance with (p,) means, 0 if none are given, and its columns' names."""
    n = checked_count(n_samples)
    matrix, names = checked_covariance(S)
    centre = checked_mean(mean, len(matrix))
    return Analysed(centre, matrix, np.diag(matrix) > 0, float(n), n), names


def correlations_of(model: Any, rows: Any, sample_weight: Any = None) -> Polychoric:
    """Return the polychoric or mixed correlations that a factor analysis is of."""
    given: Any = {"sample_weight": sample_weight, "zero_add": model.zero_add}
    if model.correlation == "mixed":
        return mixed_correlations(rows, most_categories=model.most_categories, **given)
    return polychoric(rows, **given)


def influences_of(
    model: Any, rows: Any, found: Polychoric, sample_weight: Any = None
) -> Influences:
    """Return the influences of rows on these correlations."""
    if model.correlation == "mixed":
        most = model.most_categories
        return mixed_influences(rows, found, sample_weight, most_categories=most)
    return influences(rows, found, sample_weight)


def of_answers(model: Any, rows: NDArray[Any], names: list[str], sample_weight: Any) -> Analysed:
    """Return polychoric or mixed correlations of (n, d) rows, times the deviations of the columns.

    NaN is missing: a pair of columns uses the rows that have both. Sampling variances are those
    that method dwls weighs by.
    """
    if model.correlation == "polychoric":
        with naming(np.array(names, dtype=object)):
            tables = ContingencyTables(rows, sample_weight)
        return of_tables(model, tables, names)
    patterns = Patterns(rows, sample_weight)
    refuse_few(patterns.n_samples)
    varies, n_missing = patterns.varies, int(np.isnan(rows).sum())
    remarks = _of_cells(patterns, n_missing, names)

    def estimate() -> Polychoric:
        return correlations_of(model, rows[:, varies], sample_weight)

    def variances(found: Polychoric) -> Vector:
        return influences_of(model, rows[:, varies], found, sample_weight).variances()

    weight = float(patterns.weight.sum())
    return _of_pairs(model, patterns, varies, weight, remarks, names, estimate, variances)


def of_tables(model: Any, tables: ContingencyTables, names: list[str]) -> Analysed:
    """Return the same from tables of all pairs of ordinal columns."""
    refuse_few(tables.n_samples)
    varies = tables.n_categories > 1
    n_cells = (tables.n_samples + tables.n_empty) * len(varies)
    remarks = _of_cells(tables, n_cells - int(tables.n_seen.sum()), names)

    within = tables.columns(varies)

    def estimate() -> Polychoric:
        return polychoric_of(within, model.zero_add)

    def variances(found: Polychoric) -> Vector:
        return of_cells(within, found.thresholds, found.estimated, tables.weight).variances()

    return _of_pairs(model, tables, varies, tables.weight, remarks, names, estimate, variances)


def _of_cells(
    gathered: Patterns | ContingencyTables, n_missing: int, names: list[str]
) -> list[str]:
    """Return what there is to say of empty cells."""
    remarks = of_gaps(gathered.n_empty, gathered.coverage, names)
    if n_missing:
        remarks.append(f"{n_missing} cells are empty: a correlation uses the rows that have both")
    return remarks


def _of_pairs(
    model: Any,
    gathered: Patterns | ContingencyTables,
    varies: NDArray[np.bool_],
    weight: float,
    remarks: list[str],
    names: list[str],
    estimate: Callable[[], Polychoric],
    variances_of: Callable[[Polychoric], Vector],
) -> Analysed:
    """Return what is analysed: correlations of the columns that vary, if two do."""
    S, variances, ordinal = np.diag(gathered.column_variances), None, tuple[str, ...]()
    within = [name for name, kept in zip(names, varies) if kept]
    if len(within) > 1:
        with naming(np.array(within, dtype=object)):
            found = estimate()
        deviations = np.sqrt(gathered.column_variances[varies])
        S[np.ix_(varies, varies)] = found.correlation * deviations[:, None] * deviations
        advice = "" if model.zero_add else "fill empty cells (zero_add=0.5), "
        remarks += of_polychoric(found, within, advice)
        ordinal = tuple(name for name, cuts in zip(within, found.thresholds) if len(cuts))
        if model.method == "dwls":
            variances = np.eye(len(within))
            variances[np.triu_indices(len(within), 1)] = variances_of(found)
            variances = np.maximum(variances, variances.T)
    told = tuple(remarks), variances, ordinal
    return Analysed(gathered.column_means, S, varies, weight, gathered.n_samples, *told)


def of_polychoric(found: Polychoric, names: list[str], advice: str = "") -> Iterator[str]:
    """Yield what there is to say of correlations at their bound, or smoothed."""
    n_cuts = [len(cuts) for cuts in found.thresholds]
    among = [pair for pair in found.at_bound if min(n_cuts[pair[0]], n_cuts[pair[1]]) > 0]
    if among:
        yield (
            f"polychoric correlations lie at their bound of ±{BOUND}, as empty cells in the table "
            f"of a pair let the likelihood rise up to ±1: {pairs(among, names)}; {advice}"
            "merge rare answers, or leave variables out"
        )
    if exact := [pair for pair in found.at_bound if pair not in among]:
        yield (
            f"polyserial correlations lie at their bound of ±{BOUND}, as a number tells an answer "
            f"without error: {pairs(exact, names)}; leave one of the two out"
        )
    if found.smoothed:
        yield (
            "the polychoric correlations were no correlation matrix (least eigenvalue "
            f"{found.least_eigenvalue:.3g}) and were smoothed: eigenvalues below 0 were raised to 0"
        )
