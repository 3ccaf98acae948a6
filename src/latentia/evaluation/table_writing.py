"""What verbs write: tables as .csv, .tsv, .parquet or .xlsx, arrays as .npy or .npz, pictures."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from latentia.errors import InputError
from latentia.files import whole_file
from latentia.plots.grids import rows, save_png, tile

WRITTEN = (".csv", ".tsv", ".parquet", ".xlsx", ".npy")
ROWS_OF_A_SHEET, COLUMNS_OF_A_SHEET = 2**20, 2**14
Columns = Mapping[str, NDArray[Any]]


def check_written(out: Path) -> None:
    """Refuse a file in no folder, or whose suffix is none that a table is written in."""
    if not out.parent.is_dir():
        raise InputError(f"{out} cannot be written: there is no folder {out.parent}")
    if out.suffix.lower() not in WRITTEN:
        raise InputError(f"{out} ends in {out.suffix!r}; a table is {', '.join(WRITTEN)}")
    if out.suffix.lower() == ".xlsx":
        writer_of_sheets()


def write_table(out: Path, columns: Columns) -> Path:
    """Write columns of one length, numbers or words, whole or not at all.

    Of a .npy file they are the (n, k) columns of numbers, and words are left out.
    """
    check_written(out)
    suffix = out.suffix.lower()
    if suffix == ".xlsx":
        return write_sheets(out, {"table": columns})
    with whole_file(out) as stream:
        if suffix == ".npy":
            np.save(stream, np.column_stack([v for v in columns.values() if v.dtype.kind in "fiu"]))
        elif suffix == ".parquet":
            pa.parquet.write_table(pa.table(dict(columns)), stream)
        else:
            separator = "\t" if suffix == ".tsv" else ","
            options = pa.csv.WriteOptions(delimiter=separator, quoting_style="needed")
            pa.csv.write_csv(pa.table(dict(columns)), stream, options)
    return out


def write_sheets(out: Path, sheets: Mapping[str, Columns]) -> Path:
    """Write a .xlsx file of several sheets, each of columns by name."""
    written = io.BytesIO()
    with writer_of_sheets().Workbook(
        written, {"in_memory": True, "nan_inf_to_errors": True}
    ) as book:
        for title, columns in sheets.items():
            n = max(map(len, columns.values()), default=0)
            if n >= ROWS_OF_A_SHEET or len(columns) > COLUMNS_OF_A_SHEET:
                raise InputError(
                    f"{out} would have {n:,} rows and {len(columns):,} columns, more than a sheet "
                    "takes: write .csv or .parquet"
                )
            sheet = book.add_worksheet(title)
            for place, (name, values) in enumerate(columns.items()):
                sheet.write_string(0, place, name)
                for row, value in enumerate(values.tolist(), start=1):
                    _write_cell(sheet, row, place, value)
    with whole_file(out) as stream:
        stream.write(written.getvalue())
    return out


def _write_cell(sheet: Any, row: int, place: int, value: Any) -> None:
    """Write a cell; words stay words, also those that begin like a formula."""
    if isinstance(value, str):
        sheet.write_string(row, place, value)
    elif value == value:
        sheet.write_number(row, place, value)


def writer_of_sheets() -> Any:
    """Return the package that writes .xlsx, or say how it is got."""
    try:
        import xlsxwriter
    except ImportError:
        raise InputError(
            "the package that writes .xlsx is not there: pip install 'latentia[excel]', or choose "
            ".csv"
        ) from None
    return xlsxwriter


def write_arrays(out: Path, named: list[tuple[str, NDArray[Any]]]) -> Path:
    """Write arrays as the file's suffix asks: .png, .npy (the last one) or .npz."""
    if out.suffix == ".png":
        if named[0][1].ndim < 3:
            raise InputError(f"{out} would be a picture of a table; use .npy or .npz")
        n_columns = max(1, round(len(named[0][1]) ** 0.5))
        picture = tile(named[0][1], n_columns=n_columns) if len(named) == 1 else rows(named)
        save_png(out, picture)
    elif out.suffix == ".npy":
        with whole_file(out) as stream:
            np.save(stream, named[-1][1])
    elif out.suffix == ".npz":
        with whole_file(out) as stream:
            np.savez_compressed(stream, allow_pickle=False, **dict(named))
    else:
        raise InputError(f"{out} ends in {out.suffix!r}; use .png, .npy or .npz")
    return out
