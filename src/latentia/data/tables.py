"""Tables from .csv and .parquet: numbers, with an optional column of labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from latentia.data.dataset import Array, Part
from latentia.errors import InputError

LABELS = ("label", "labels", "class", "target", "y")


def read(path: Path) -> Part:
    """Return a table with a header row as float64 rows, and its label column if it has one.

    A column named label, labels, class, target or y holds labels, as text or numbers. Elsewhere
    text, missing and infinite values are refused, named by column and row.
    """
    table = _open(path)
    label = next((name for name in table.column_names if name.lower() in LABELS), None)
    names = [name for name in table.column_names if name != label]
    if table.num_rows == 0 or not names:
        raise InputError(f"{path} holds {table.num_rows} rows of {len(names)} columns of numbers")
    x = np.column_stack([_numbers(table[name], name, path) for name in names])
    if label is None:
        return Part(x)
    classes, y = np.unique(table[label].to_numpy(), return_inverse=True)
    return Part(x, y.astype(np.int64), tuple(str(name) for name in classes))


def columns(path: Path) -> tuple[pa.Table, bool]:
    """Return a table's columns by name, float64 with NaN for gaps, and whether it is a matrix.

    A first column that repeats the other columns' names is left out: such a file is a covariance.
    """
    table = _open(path)
    names = table.column_names
    matrix = is_matrix(table)
    if matrix:
        table, names = table.select(names[1:]), names[1:]
    if table.num_rows == 0 or not names:
        raise InputError(f"{path} holds {table.num_rows} rows of {len(names)} columns of numbers")
    text = [name for name in names if not _is_number(table[name].type)]
    if text:
        raise InputError(
            f"{path}: columns without numbers: {', '.join(text[:8])}; drop them, or code their "
            "values as numbers"
        )
    values = [table[name].cast(pa.float64(), safe=False).fill_null(float("nan")) for name in names]
    return pa.table(values, names=names), matrix


def is_matrix(table: pa.Table) -> bool:
    """Return whether the first column names the others."""
    names = table.column_names
    first = table[names[0]].to_pylist() if names else []
    others = names[1:]
    if first and all(isinstance(name, int) for name in first):
        # Names that are digits were read as numbers.
        return all(n.isdecimal() for n in others) and first == [int(n) for n in others]
    return bool(first) and [str(name) for name in first] == others


def _open(path: Path) -> pa.Table:
    try:
        reader = pa.csv.read_csv if path.suffix.lower() == ".csv" else pa.parquet.read_table
        table = reader(path)
        names = table.column_names
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not in UTF-8; save it in that encoding") from None
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise InputError(f"{path} has several columns named {twice[0]!r}; give each its own name")
    return table


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_null(kind)
    )


def _numbers(column: pa.ChunkedArray, name: str, path: Path) -> Array:
    kind = column.type
    if not _is_number(kind):
        raise InputError(
            f"{path}: column {name!r} holds {kind} values such as {column[0].as_py()!r}; give "
            "numbers, or name it 'label' if it holds the classes"
        )
    values = column.cast(pa.float64(), safe=False).to_numpy()
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise InputError(
            f"{path}: column {name!r} has {len(bad)} missing or infinite values, the first in data "
            f"row {bad[0] + 1}; fill them in or drop those rows"
        )
    return np.asarray(values, dtype=np.float64)
