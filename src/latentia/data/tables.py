"""Tables from files of every kind that is read: numbers, with labels, weights and rows' names."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from latentia.data import matrices, table_files
from latentia.data.classes import are_few, classes_of
from latentia.data.columns import (
    LABELS,
    UNNAMED,
    Table,
    asked,
    listed,
    numeric,
    taken,
    to_be_hot,
)
from latentia.data.dataset import Array, Part
from latentia.data.delimited import Columns
from latentia.data.matrices import NamedMatrix
from latentia.data.numerals import as_numbers, gaps, share_of_numbers
from latentia.data.options import NONE, USUAL, TableOptions, one
from latentia.data.published import counted
from latentia.data.table_files import is_table
from latentia.data.value_labels import no_answers
from latentia.errors import InputError

__all__ = ["Analysed", "columns", "is_table", "read"]

FEWEST_COUNTED = 6
"""Rows that a column of 1, 2, 3 ... counts not by chance."""
COUNTING = 0.8
"""Share of the steps by 1 in an index of tables that were put below each other."""
OF_ROWS = ("label", "weights", "index", "levels", "one_hot")
"""What a matrix of correlations has none of."""
MOST_ROW_TYPES = 8
"""Rows beside those of the variables in a matrix file of SPSS."""


class Analysed(NamedTuple):
    """A table's columns, float64 with NaN for gaps, or the matrix it holds."""

    columns: pa.Table | NamedMatrix
    notes: tuple[str, ...]
    weights: Array | None = None
    names: Array | None = None
    """(n,) names of the rows."""


def read(path: Path, gaps_stay: bool = False, options: TableOptions = USUAL) -> Part:
    """Return a table as float64 rows, and its label column if it has one.

    A column named label, labels, class, target or y holds labels, as text or numbers, unless
    ``options`` name another or none; in a file without a header its one column of words does. Text
    and dates are left out, and told. Missing and infinite values are refused, named by column and
    row, and so is a correlation matrix; ``gaps_stay`` leaves missing values as NaN. An index is
    left out, and names the rows.
    """
    table = _opened(path, options)
    if isinstance(table, NamedMatrix):
        raise InputError(
            f"{path} holds a correlation or covariance matrix and not rows; give the rows behind "
            f"it, analyse it with latentia factor {path}, or, if these are rows, --as-rows"
        )
    label = _label(table, path, options)
    weights = _weights(table, path, options)
    y, names, said = (None, (), ()) if label is None else _labels(table, label, path)
    table = _of_variables(table, path, options, label)
    for name, values in table.numbers.items():
        _refuse_gaps(name, values, path, gaps_stay)
    notes = (*table.notes, *said)
    return Part(
        table.stacked,
        y,
        names,
        notes,
        columns=tuple(table.numbers),
        weights=weights,
        names=table.row_names,
    )


def columns(path: Path, options: TableOptions = USUAL) -> Analysed:
    """Return a table's columns, or the matrix it holds; only a named label is no column."""
    table = _opened(path, options)
    if isinstance(table, NamedMatrix):
        return Analysed(table, table.notes)
    label = _label(table, path, options) if options.label else None
    weights = _weights(table, path, options)
    table = _of_variables(table, path, options, label)
    found = pa.table(list(table.numbers.values()), names=list(table.numbers))
    return Analysed(found, table.notes, weights, table.row_names)


def classes(path: Path, options: TableOptions) -> Array:
    """Return the (n,) names of the classes in the column that ``options`` name as their label."""
    table = _opened(path, options)
    label = None if isinstance(table, NamedMatrix) else _label(table, path, options)
    if isinstance(table, NamedMatrix) or label is None:
        raise InputError(f"{path} has no column of classes; name one of a table's")
    y, names, _ = _labels(table, label, path)
    if y is None:
        raise InputError(f"{path}: column {label!r} holds measures, and no classes")
    return np.asarray(names, dtype=object)[y]


def _opened(path: Path, options: TableOptions) -> Table | NamedMatrix:
    raw = table_files.read(path, options)
    if raw.table.num_columns == 0:
        raise InputError(f"{path} holds 0 columns")
    found = None if options.as_rows else _matrix_in(raw, path, options)
    if found is None:
        table = _without_empty(taken(raw, path, options), path)
        return _without_index(_without_blank(table, path), path, options)
    options.refuse(f"{path.name} is a matrix and has no rows", OF_ROWS)
    wanted, _ = asked(found.columns, path, options)
    return found.of(wanted) if len(wanted) < len(found.columns) else found


def _matrix_in(raw: Columns, path: Path, options: TableOptions) -> NamedMatrix | None:
    """Return the matrix in a file, whichever of its variables are asked for."""
    if raw.table.num_rows > raw.table.num_columns + MOST_ROW_TYPES:
        return None
    try:
        whole = _without_empty(taken(raw, path, options.of_all()), path)
        found = _matrix(whole, path)
    except InputError:
        if options.columns or options.drop:
            return None
        raise
    return None if found is None else dataclasses.replace(found, notes=(*whole.notes, *found.notes))


def _of_variables(table: Table, path: Path, options: TableOptions, label: str | None) -> Table:
    """Return the numbers that a model is fitted to, of which there are some."""
    special = {label} if label else set()
    if options.weights:
        special.add(one(options.weights, table.names, "weights", path.name))
    found = numeric(table.without(special), path, options)
    if not found.numbers and (table.n_rows or table.row_names is not None):
        told = [note.removeprefix(f"{path.name}: ").rstrip(".") for note in found.notes]
        raise InputError("; ".join([f"{path} has no column of numbers left", *told]))
    _refuse_empty(found, found.numbers, path)
    return found.noting(*no_answers(found.numbers, found.value_labels, path.name))


def _label(table: Table, path: Path, options: TableOptions) -> str | None:
    """Return the column that holds classes, if there is one."""
    if options.label is not None:
        is_none = options.label == NONE and NONE not in table.names
        return None if is_none else one(options.label, table.names, "label", path.name)
    named = next((name for name in table.names if name.lower() in LABELS), None)
    if not table.headless or len(table.words) != 1:
        return named
    name, cells = next(iter(table.words.items()))
    return name if are_few(len(pc.unique(cells)), len(cells)) else None


def _weights(table: Table, path: Path, options: TableOptions) -> Array | None:
    if options.weights is None:
        return None
    name = one(options.weights, table.names, "weights", path.name)
    values = table.numbers.get(name)
    if values is None:
        raise InputError(f"{path}: column {name!r} holds words, and weights are numbers")
    bad = np.flatnonzero(~(values >= 0) | np.isinf(values))
    if len(bad):
        raise InputError(
            f"{path}: column {name!r} holds {values[bad[0]]:g} in data row {bad[0] + 1}; weights "
            "are finite numbers of at least 0"
        )
    if len(values) and not values.any():
        raise InputError(
            f"{path}: every weight in column {name!r} is 0; at least one row must count"
        )
    return values


def _without_empty(table: Table, path: Path) -> Table:
    """Return a table without nameless empty columns and without empty rows at its end."""
    blank = {n for n in table.numbers if _is_nameless(n) and np.isnan(table.numbers[n]).all()}
    table = table.without(blank)
    notes = table.notes
    if blank:
        notes += (f"{path.name}: {len(blank)} empty column(s) without a name were left out.",)
    held = [~np.isnan(values) for values in table.numbers.values()]
    held += [~gaps(column).to_numpy() for column in table.words.values()]
    full = np.flatnonzero(np.logical_or.reduce(held) if held else np.empty(0))
    if not len(full) or full[-1] + 1 == len(held[0]):
        return dataclasses.replace(table, notes=notes)
    n = int(full[-1]) + 1
    notes += (f"{path.name}: {len(held[0]) - n} empty row(s) at its end were left out.",)
    numbers = {name: values[:n] for name, values in table.numbers.items()}
    words = {name: column[:n] for name, column in table.words.items()}
    return dataclasses.replace(table, numbers=numbers, words=words, notes=notes)


def _is_nameless(name: str) -> bool:
    return bool(UNNAMED.fullmatch(name) or re.fullmatch(r"column \d+", name))


def _without_blank(table: Table, path: Path) -> Table:
    """Return a table without columns that hold nothing at all, and without such rows."""
    wanted = {*table.wanted}
    empty = [n for n, values in table.numbers.items() if n in wanted and _holds_none(values)]
    if empty and len(empty) < len(table.names):
        note = f"{path.name}: {len(empty)} empty column(s) were left out: {listed(empty)}."
        table = table.without(empty).noting(note)
    return table


def _holds_none(values: Array) -> bool:
    return len(values) > 0 and bool(np.isnan(values).all())


def _without_index(table: Table, path: Path, options: TableOptions) -> Table:
    """Return a table whose rows are named, without the column that names them.

    It is the one that is asked for, or else the unnamed one in which pandas and R write their rows'
    names; a first column of words that are all different names the rows, too.
    """
    if options.index is not None and (options.index != NONE or NONE in table.names):
        name = one(options.index, table.names, "index", path.name)
        return dataclasses.replace(table.without([name]), row_names=_column_cells(table, name))
    if options.index == NONE:
        return table
    dropped = [n for n in table.names if UNNAMED.fullmatch(n) and _names_rows(table, n)]
    if not dropped or len(dropped) == len(table.names):
        return _named_by_words(_noting_kept(table, path), path, options)
    which = ", ".join(f"the column {name!r}" if name else "an unnamed column" for name in dropped)
    note = f"{path.name}: {which} was left out, since it numbers or names the rows; "
    note += "--index none keeps it."
    named = dataclasses.replace(table, row_names=_column_cells(table, dropped[0]))
    return named.without(dropped).noting(note)


def _named_by_words(table: Table, path: Path, options: TableOptions) -> Table:
    name = next(iter(table.words), None)
    special = {options.label, options.weights}
    if name is None or name != table.names[0] or name.lower() in LABELS or name in special:
        return table
    if name in to_be_hot(table, path, options):
        return table
    cells = _cells(table, name)
    told_apart = len(cells) > 1 and len({*cells}) == len(cells)
    if not told_apart or table.headless or share_of_numbers(table.words[name]) > 0:
        return table
    named = dataclasses.replace(table.without([name]), row_names=np.array(cells))
    return named.noting(f"{path.name}: the words in {name!r} were taken for the names of the rows.")


def _column_cells(table: Table, name: str) -> Array:
    return np.array(_cells(table, name))


def _noting_kept(table: Table, path: Path) -> Table:
    """Return a table with a note of a first column that may be an index and is kept."""
    name = table.names[0] if table.names else ""
    values = table.numbers.get(name, np.empty(0))
    starts = len(values) >= FEWEST_COUNTED
    if name not in table.wanted:
        return table
    if starts and (values == values[0] + np.arange(len(values))).all():
        what = f"{name!r} counts the rows"
    elif len(values) and len(table.names) > 1 and UNNAMED.fullmatch(name):
        what = "the first column has no name"
    else:
        return table
    note = f"{path.name}: {what}, and is kept as a variable; drop it if it is none."
    return dataclasses.replace(table, notes=(*table.notes, note))


def _names_rows(table: Table, name: str) -> bool:
    """Return whether a column without a name tells rows apart, or counts them piece by piece."""
    if name in table.words:
        cells = table.words[name]
        return len(pc.unique(cells)) == len(cells)
    values = table.numbers[name]
    if not (values % 1 == 0).all():
        return False
    pieces = len(values) >= FEWEST_COUNTED and (np.diff(values) == 1).mean() > COUNTING
    return pieces or len(np.unique(values)) == len(values)


def _matrix(table: Table, path: Path) -> NamedMatrix | None:
    """Return the correlation or covariance matrix that a table holds, if it does."""
    lower = {name.lower(): name for name in table.names}
    heads = [lower[name] for name in (matrices.ROWTYPE, matrices.VARNAME) if name in lower]
    if len(heads) == 2:
        kinds, of = (_cells(table, name) for name in heads)
        rest = table.without(heads)
        _refuse_empty(rest, rest.numbers, path)
        return matrices.of_row_types(kinds, of, list(rest.numbers), rest.stacked, path.name)
    if not table.numbers:
        return None
    first, others = table.names[0], table.names[1:]
    rows = _row_names(table, first, others)
    if rows is not None and (places := counted(rows, others)) is not None:
        return _counted(table, *places, path)
    if rows is not None and others and all(name in table.numbers for name in others):
        values = np.column_stack([table.numbers[name] for name in others])
        found = matrices.named(others, rows, values, path.name)
        if found is not None:
            return found
    rest = _without_index(table, path, USUAL)
    if rest.words or len(rest.numbers) != len(next(iter(rest.numbers.values()))):
        return None
    return matrices.named(rest.names, None, rest.stacked, path.name)


def _counted(
    table: Table, variables: Sequence[str], columns: Sequence[str], path: Path
) -> NamedMatrix | None:
    """Return the matrix of variables that are counted in the first column, as papers do."""
    if not all(name in table.numbers for name in columns):
        return None
    values = np.full((len(variables), len(variables)), np.nan)
    values[:, : len(columns)] = np.column_stack([table.numbers[name] for name in columns])
    found = matrices.named(list(variables), list(variables), values, path.name)
    others = [repr(name) for name in table.names[1:] if name not in columns]
    if found is None or not others:
        return found
    note = f"{path.name}: {listed(others)} stand beside the matrix and were left out."
    return dataclasses.replace(found, notes=(*found.notes, note))


def _cells(table: Table, name: str) -> list[str]:
    if name in table.words:
        return [str(cell or "").strip() for cell in table.words[name].to_pylist()]
    return ["" if value != value else f"{value:g}" for value in table.numbers[name]]


def _row_names(table: Table, first: str, others: Sequence[str]) -> list[str] | None:
    """Return a first column of words, or of numbers such as those that name the columns."""
    if first in table.words:
        return _cells(table, first)
    values = table.numbers[first]
    if len(values) == len(others) and all(name.isdecimal() for name in others):
        return list(others) if values.tolist() == [float(name) for name in others] else None
    return None


def _labels(
    table: Table, label: str, path: Path
) -> tuple[Array | None, tuple[str, ...], tuple[str, ...]]:
    """Return class numbers, the classes' names, and what was assumed of a column of labels."""
    values = table.numbers.get(label)
    if values is None:
        column = table.words[label]
        missing = np.flatnonzero(gaps(column).to_numpy())
        if len(missing):
            raise InputError(
                f"{path}: column {label!r} has {len(missing)} missing labels, the first in data "
                f"row {missing[0] + 1}; fill them in or drop those rows"
            )
        as_number, _ = as_numbers({label: column}, str(path))
        cells = np.array([cell.strip() for cell in column.to_pylist()])
        values = as_number.get(label, cells)
    y, names, said = classes_of(np.asarray(values), f"{path}: column {label!r}")
    labels = {f"{value:g}": name for value, name in table.value_labels.get(label, {}).items()}
    if known := [f"{name} = {labels[name]}" for name in names if name in labels]:
        said += f", where {listed(known)}"
    return y, tuple(labels.get(n, n) for n in names), (f"{path.name}: {label!r} {said}.",)


def _refuse_empty(table: Table, numbers: dict[str, Array], path: Path) -> None:
    if table.n_rows == 0 or not numbers:
        raise InputError(f"{path} holds {table.n_rows} rows of {len(numbers)} columns of numbers")


def _refuse_gaps(name: str, values: Array, path: Path, gaps_stay: bool) -> None:
    if len(bad := np.flatnonzero(np.isinf(values))):
        raise InputError(
            f"{path}: column {name!r} holds {values[bad[0]]:g} in data row {bad[0] + 1}; correct "
            f"it, or take it for missing with --missing-codes {values[bad[0]]:g}"
        )
    bad = np.flatnonzero(np.isnan(values) & (not gaps_stay))
    if len(bad):
        raise InputError(
            f"{path}: column {name!r} has {len(bad)} missing values, the first in data "
            f"row {bad[0] + 1}; fill them in, drop those rows, or fit FactorAnalysis or "
            "ProbabilisticPCA with missing='fiml'"
        )
