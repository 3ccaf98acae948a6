"""A factor analysis as tables: scores, loadings, residuals, and all of them as one spreadsheet."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from latentia.errors import InputError
from latentia.evaluation.factor_report import Observed
from latentia.evaluation.table_writing import Columns, write_sheets, write_table
from latentia.models.factors.factor_analysis import FactorAnalysis

MOST_VARIABLES = 2_000
"""In a table of residuals, which has a column for each."""


def write_factor_tables(
    folder: Path, model: FactorAnalysis, observed: Observed
) -> tuple[list[Path], tuple[str, ...]]:
    """Write ``loadings.csv``, ``residuals.csv``, ``scores.csv`` and ``factors.xlsx``.

    Loadings are standardized (the pattern, if factors correlate), residuals those of the
    correlations, and scores as the model's ``scores`` says, a row for each of the data, by their
    names or counted from 1.

    Returns
    -------
    paths, notes
        What was written, and why something was not.
    """
    tables, notes = {"loadings": _loadings(model)}, []
    names = model.variable_names()
    if len(names) <= MOST_VARIABLES:
        tables["residuals"] = _residuals(model)
    else:
        notes.append(f"residuals.csv was not written: it would have {len(names):,} columns")
    if len(model.factor_correlations_) > 1:
        tables["factor correlations"] = _by_factor(model.factor_correlations_, "factor")
    try:
        tables["scores"] = _scores(model, observed)
    except InputError as error:
        notes.append(f"scores.csv was not written: {error}")
    of_text = {name: columns for name, columns in tables.items() if " " not in name}
    paths = [write_table(folder / f"{name}.csv", columns) for name, columns in of_text.items()]
    try:
        paths.append(write_sheets(folder / "factors.xlsx", tables))
    except InputError as error:
        notes.append(f"factors.xlsx was not written: {error}")
    return paths, tuple(f"{note}." for note in notes)


def tables_of(model: FactorAnalysis, observed: Observed, name: str) -> Columns:
    """Return ``loadings``, ``residuals`` or ``scores`` as columns."""
    if name == "scores":
        return _scores(model, observed)
    return _loadings(model) if name == "loadings" else _residuals(model)


def _residuals(model: FactorAnalysis) -> Columns:
    names = model.variable_names()
    return {"variable": np.array(names)} | dict(zip(names, model.residual_correlations().T))


def _loadings(model: FactorAnalysis) -> Columns:
    loadings = model.standardized_loadings_
    return {
        "variable": np.array(model.variable_names()),
        **{f"F{j + 1}": loadings[:, j] for j in range(loadings.shape[1])},
        "communality": model.communalities_,
        "uniqueness": model.uniquenesses_,
    }


def _by_factor(values: np.ndarray, title: str) -> Columns:
    names = [f"F{j + 1}" for j in range(len(values))]
    return {title: np.array(names)} | dict(zip(names, values.T))


def _scores(model: FactorAnalysis, observed: Observed) -> Columns:
    if observed.rows is None:
        raise InputError(f"{observed.name} is a matrix, and scores are of rows")
    scores = model.transform(observed.rows)
    first = {"name": observed.names} if observed.names is not None else None
    rows: Columns = first or {"row": np.arange(1, len(scores) + 1)}
    return {**rows, **{f"F{j + 1}": scores[:, j] for j in range(scores.shape[1])}}
