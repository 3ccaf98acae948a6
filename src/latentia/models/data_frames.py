"""Data frames of pandas and polars and Arrow's tables: which of their columns are no numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from latentia.errors import InputError


def refuse_words(X: Any) -> None:
    """Refuse a data frame with columns that are not numbers, by name."""
    of_arrow = type(X).__module__.startswith("pyarrow")
    kinds = X.schema.types if of_arrow else getattr(X, "dtypes", None)
    if kinds is None:
        return
    words = ("object", "str", "cat", "date", "utf8", "enum", "large_str", "dict", "timestamp")
    known = [i for i, kind in enumerate(kinds) if str(kind).lower().startswith(words)]
    names = X.column_names if of_arrow else X.columns
    if text := [str(names[i]) for i in known if not _holds_numbers(X, i)]:
        some = text[:8]
        polars = type(X).__module__.startswith("polars")
        drop = f"X.drop({some!r})" if polars or of_arrow else f"X.drop(columns={some!r})"
        code = "X.to_dummies(...)" if polars else "pandas.get_dummies(X, dtype=float)"
        raise InputError(
            f"columns without numbers: {', '.join(some)}; leave them out, as by {drop}, or code "
            f"their values as numbers, as by {code}"
        )


def _holds_numbers(X: Any, place: int) -> bool:
    """Return whether a column of objects of pandas' holds numbers and no words."""
    try:
        column = X.iloc[:, place]
        np.asarray(column, dtype=float)
    except (AttributeError, TypeError, ValueError):
        return False
    return str(column.dtype) == "object" and not any(isinstance(v, str | bytes) for v in column)
