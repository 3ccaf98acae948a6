"""Files of SPSS, Stata and SAS: numbers, what they stand for, and what they declare missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from latentia.data.delimited import Columns
from latentia.data.limits import check_bytes
from latentia.errors import InputError, first_of

READERS = {
    ".sav": "read_sav",
    ".zsav": "read_sav",
    ".por": "read_por",
    ".dta": "read_dta",
    ".sas7bdat": "read_sas7bdat",
    ".xpt": "read_xport",
}
MOST_NAMED = 8


def read(path: Path) -> Columns:
    """Return the columns of a file by its suffix; numbers that it declares missing are missing."""
    try:
        import pyreadstat
    except ImportError:
        raise InputError(
            f"{path} is of SPSS, Stata or SAS, and the package that reads it is not there: "
            "pip install 'latentia[spss]', or save it as .csv"
        ) from None
    function = getattr(pyreadstat, READERS[path.suffix.lower()])
    try:
        _, about = function(str(path), metadataonly=True)
        check_bytes((about.number_rows or 0) * about.number_columns * 8, str(path))
        found, about = function(str(path), output_format="dict")
    except InputError:
        raise
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, *FAILURES) as error:
        raise InputError(f"{path} cannot be read: {_first_line(error)}") from None
    table = pa.table({name: _column(values) for name, values in found.items()})
    check_bytes(table.nbytes, str(path))
    labels = {name: _numbered(values) for name, values in about.variable_value_labels.items()}
    return Columns(table, _declared(path, function), True, False, labels)


FAILURES = (OSError, ValueError, OverflowError, MemoryError, UnicodeDecodeError)


def _column(values: Any) -> pa.Array:
    array = np.asarray(values)
    if array.dtype.kind in "fiub":
        return pa.array(array)
    plain = [None if v is None or v != v else v for v in array.tolist()]
    if all(v is None or isinstance(v, int | float) for v in plain):
        return pa.array([None if v is None else float(v) for v in plain], pa.float64())
    return pa.array([None if v is None else str(v) for v in plain], pa.string())


def _numbered(labels: Mapping[Any, str]) -> dict[float, str]:
    return {float(k): str(v) for k, v in labels.items() if isinstance(k, int | float)}


def _declared(path: Path, function: Any) -> tuple[str, ...]:
    """Return a sentence about the values that the file itself declares missing."""
    if READERS[path.suffix.lower()] != "read_sav":
        return ()
    _, about = function(str(path), user_missing=True, row_limit=1)
    ranges = {
        name: ", ".join(_range(r) for r in found) for name, found in about.missing_ranges.items()
    }
    each = first_of([f"{name}: {what}" for name, what in ranges.items()], MOST_NAMED, ";")
    said = f"{path.name}: values that the file declares missing were taken so ({each})."
    return (said,) if ranges else ()


def _range(found: Any) -> str:
    low, high = found["lo"], found["hi"]
    words = [f"{v:g}" if isinstance(v, float | int) else str(v) for v in (low, high)]
    return words[0] if low == high else f"{words[0]} to {words[1]}"


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
