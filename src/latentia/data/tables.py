"""Tables from delimited text and .parquet: numbers, with an optional column of labels."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from latentia.data import delimited, matrices
from latentia.data.classes import are_few, classes_of
from latentia.data.dataset import TABLE_FILES, TEXT_TABLES, Array, Part
from latentia.data.delimited import Columns
from latentia.data.limits import check_bytes
from latentia.data.matrices import NamedMatrix
from latentia.data.numerals import as_numbers, first_word, gaps
from latentia.errors import InputError, shown

LABELS = ("label", "labels", "class", "target", "y")
FEWEST_COUNTED = 6
"""Rows that a column of 1, 2, 3 ... counts not by chance."""
COUNTING = 0.8
"""Share of the steps by 1 in an index of tables that were put below each other."""
UNNAMED = re.compile(r"|Unnamed: \d+|__index_level_\d+__")
"""What pandas and R call an index, and what they make of it when they read it again."""


@dataclass(frozen=True)
class Table:
    """A file's columns: numbers by name, words by name, and what was assumed."""

    numbers: dict[str, Array]
    words: dict[str, pa.ChunkedArray]
    names: tuple[str, ...]
    """All of them, in the order of the file."""
    notes: tuple[str, ...]
    headless: bool = False

    def without(self, names: Container[str]) -> Table:
        """Return the table without some columns."""
        return dataclasses.replace(
            self,
            numbers={name: values for name, values in self.numbers.items() if name not in names},
            words={name: column for name, column in self.words.items() if name not in names},
            names=tuple(name for name in self.names if name not in names),
        )

    @property
    def stacked(self) -> Array:
        """(n, p) numbers, NaN where missing."""
        return np.column_stack(list(self.numbers.values()))


def is_table(path: Path) -> bool:
    """Return whether a file is a table, by its name or else by its first lines."""
    suffix = path.suffix.lower()
    plausible = suffix in TEXT_TABLES and path.is_file()
    return suffix in TABLE_FILES or (plausible and delimited.looks_like_table(path))


def read(path: Path, gaps_stay: bool = False) -> Part:
    """Return a table as float64 rows, and its label column if it has one.

    A column named label, labels, class, target or y holds labels, as text or numbers; in a file
    without a header its one column of words does. Elsewhere text, missing and infinite values are
    refused, named by column and row, and so is a correlation matrix; ``gaps_stay`` leaves missing
    values as NaN. An index is left out.
    """
    table = _opened(path)
    if _matrix(table, path) is not None:
        raise InputError(
            f"{path} holds a correlation or covariance matrix and not rows; give the rows behind "
            f"it, or analyse it with: latentia factor {path}"
        )
    table = _without_index(table, path)
    label = next((name for name in table.names if name.lower() in LABELS), None)
    if label is None and table.headless and len(table.words) == 1:
        name, cells = next(iter(table.words.items()))
        label = name if are_few(len(pc.unique(cells)), len(cells)) else None
    words = [name for name in table.words if name != label]
    if words:
        word, row = first_word(table.words[words[0]])
        raise InputError(
            f"{path}: column {words[0]!r} holds {shown(word)} in data row {row}; give numbers, or "
            "name it 'label' if it holds the classes"
        )
    numbers = {name: values for name, values in table.numbers.items() if name != label}
    _refuse_empty(table, numbers, path)
    for name, values in numbers.items():
        _refuse_gaps(name, values, path, gaps_stay)
    x = np.column_stack(list(numbers.values()))
    if label is None:
        return Part(x, notes=table.notes, columns=tuple(numbers))
    y, names, said = _labels(table, label, path)
    return Part(x, y, names, (*table.notes, *said), tuple(numbers))


def columns(path: Path) -> tuple[pa.Table | NamedMatrix, tuple[str, ...]]:
    """Return a table's columns, float64 with NaN for gaps, or the matrix it holds, and notes."""
    table = _opened(path)
    found = _matrix(table, path)
    if found is not None:
        return found, (*table.notes, *found.notes)
    table = _without_index(table, path)
    if table.words:
        names = list(table.words)
        word, row = first_word(table.words[names[0]])
        raise InputError(
            f"{path}: columns without numbers: {', '.join(names[:8])}; drop them, or code their "
            f"values, such as {word!r} in data row {row}, as numbers"
        )
    _refuse_empty(table, table.numbers, path)
    return pa.table(list(table.numbers.values()), names=list(table.numbers)), table.notes


def _opened(path: Path) -> Table:
    raw, notes, has_header, has_points = (
        _parquet(path) if path.suffix.lower() == ".parquet" else delimited.read(path)
    )
    text = {
        name: column.cast(pa.string())
        for name, column in zip(raw.column_names, raw.columns)
        if not _is_number(column.type)
    }
    unlabelled = {name: c for name, c in text.items() if name.lower() not in LABELS}
    converted, said = as_numbers(unlabelled, str(path), has_points)
    numbers = {
        name: converted[name] if name in converted else _floats(column)
        for name, column in zip(raw.column_names, raw.columns)
        if name in converted or name not in text
    }
    words = {name: column for name, column in text.items() if name not in numbers}
    notes = (*notes, *(f"{path.name}: {sentence}." for sentence in said))
    return _without_empty(
        Table(numbers, words, tuple(raw.column_names), notes, not has_header), path
    )


def _floats(column: pa.ChunkedArray) -> Array:
    return np.asarray(column.cast(pa.float64(), safe=False).fill_null(float("nan")).to_numpy())


def _parquet(path: Path) -> Columns:
    try:
        about = pa.parquet.read_metadata(path)
        check_bytes(about.num_rows * about.num_columns * 8, str(path))
        found = pa.parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    for name, times in Counter(found.column_names).items():
        if times > 1:
            raise InputError(f"{path} has several columns named {name!r}; give each its own name")
    return Columns(found, (), has_header=True)


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
    )


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


def _without_index(table: Table, path: Path) -> Table:
    """Return a table without the unnamed columns in which pandas and R write their rows' names."""
    dropped = [n for n in table.names if UNNAMED.fullmatch(n) and _names_rows(table, n)]
    if not dropped or len(dropped) == len(table.names):
        return _noting_kept(table, path)
    which = ", ".join(f"the column {name!r}" if name else "an unnamed column" for name in dropped)
    note = f"{path.name}: {which} was left out, since it numbers or names the rows."
    return dataclasses.replace(table.without(dropped), notes=(*table.notes, note))


def _noting_kept(table: Table, path: Path) -> Table:
    """Return a table with a note of a first column that may be an index and is kept."""
    name = table.names[0] if table.names else ""
    values = table.numbers.get(name, np.empty(0))
    starts = len(values) >= FEWEST_COUNTED and values[0] in (0, 1)
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
    if not table.names or not table.numbers:
        return None
    first, others = table.names[0], table.names[1:]
    rows = _row_names(table, first, others)
    if rows is not None and others and all(name in table.numbers for name in others):
        values = np.column_stack([table.numbers[name] for name in others])
        found = matrices.named(others, rows, values, path.name)
        if found is not None:
            return found
    rest = _without_index(table, path)
    if rest.words or len(rest.numbers) != len(next(iter(rest.numbers.values()))):
        return None
    return matrices.named(rest.names, None, rest.stacked, path.name)


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
    return y, names, (f"{path.name}: {label!r} {said}.",)


def _refuse_empty(table: Table, numbers: dict[str, Array], path: Path) -> None:
    n_rows = max(
        (len(values) for values in (*table.numbers.values(), *table.words.values())), default=0
    )
    if n_rows == 0 or not numbers:
        raise InputError(f"{path} holds {n_rows} rows of {len(numbers)} columns of numbers")


def _refuse_gaps(name: str, values: Array, path: Path, gaps_stay: bool) -> None:
    bad = np.flatnonzero(np.isinf(values) if gaps_stay else ~np.isfinite(values))
    if len(bad):
        raise InputError(
            f"{path}: column {name!r} has {len(bad)} missing or infinite values, the first in data "
            f"row {bad[0] + 1}; fill them in, drop those rows, or take a model with --missing fiml"
        )
