"""Rows of Arrow's tables and record batches as arrays of numbers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.errors import InputError
from latentia.models.data_frames import refuse_words

ROWS = 2**16


def is_arrow(X: Any) -> bool:
    """Return whether something is a table or a record batch, without importing pyarrow."""
    arrow = sys.modules.get("pyarrow")
    return arrow is not None and isinstance(X, arrow.RecordBatch | arrow.Table)


def arrow_names(X: Any) -> tuple[str, ...]:
    """Return the names of the columns."""
    return tuple(map(str, X.schema.names))


def arrow_blocks(X: Any, *, gaps: bool = False) -> Iterator[NDArray[Any]]:
    """Yield (rows, d) arrays, NaN where a value is missing if there may be gaps.

    All columns become float64, unless they are all of one other type that holds numbers.
    """
    refuse_words(X)
    kinds = {_kind(X, i) for i in range(X.num_columns)}
    dtype = np.dtype(kinds.pop() if len(kinds) == 1 and not gaps else np.float64)
    for first in range(0, X.num_rows, ROWS):
        part = X.slice(first, ROWS)
        rows = np.empty((part.num_rows, part.num_columns), dtype, order="F")
        for i, name in enumerate(arrow_names(X)):
            if part.column(i).null_count and not gaps:
                raise InputError(
                    f"column {name!r} holds missing values among rows {first} to "
                    f"{first + part.num_rows - 1}: fill them in or drop those rows, or gather "
                    "latentia.models.linear.patterns.Patterns for missing='fiml'"
                )
            column = part.column(i)
            if dtype == np.float64:
                column = column.cast("float64", safe=False)
            # Nulls become NaN.
            rows[:, i] = column.to_numpy(zero_copy_only=False)
        yield rows


def _kind(X: Any, i: int) -> Any:
    """Return the type that a column's numbers have in NumPy."""
    name, kind = arrow_names(X)[i], X.schema.types[i]
    try:
        found = np.dtype(kind.to_pandas_dtype())
    except NotImplementedError:
        found = np.dtype(object)
    if found.kind not in "fiub":
        raise InputError(f"column {name!r} holds values of type {kind}; cast it to double")
    return found if found in (np.dtype(np.float32), np.dtype(np.uint8)) else np.dtype(np.float64)
