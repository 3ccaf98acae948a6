"""Sheets of .xlsx, .xls and .ods files as delimited text, so that all tables are read alike."""

from __future__ import annotations

import csv
import datetime
import io
import re
import zipfile
from pathlib import Path
from typing import Any

from latentia.data import delimited
from latentia.data.array_files import DAMAGE
from latentia.data.delimited import Columns
from latentia.data.limits import check_bytes
from latentia.data.options import OF_TEXT, TableOptions
from latentia.errors import InputError, nearest

SHEETS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
BYTES_A_CELL = 64
UNCOMPUTED = re.compile(rb"<f[^>]*>[^<]*</f>\s*(?:<v\s*/>|<v></v>|</c>)")
"""A formula in a sheet of .xlsx beside which no value is kept."""


def read(path: Path, options: TableOptions) -> Columns:
    """Return the columns of one sheet: the one that is asked for, or the first with cells."""
    if _is_text(path):
        found = delimited.read(path, options)
        said = f"{path.name}: it is text under the name of a spreadsheet, and was read as such."
        return found._replace(notes=(said, *found.notes))
    options.refuse(f"{path.name} is a spreadsheet, which leaves no choice of it", OF_TEXT)
    book = _opened(path)
    sheet, notes = _sheet(book, path, options.sheet)
    check_bytes(sheet.height * sheet.width * BYTES_A_CELL, f"{path}[{sheet.name}]")
    rows = sheet.to_python(skip_empty_area=True)
    if not any(cell != "" for row in rows for cell in row):
        others = "; choose with --sheet" if len(book.sheet_names) > 1 else ""
        raise InputError(f"{path}: its sheet {sheet.name!r} has no cells{others}")
    notes += _filled(rows, sheet)
    written = io.StringIO()
    writer = csv.writer(written, delimiter="\t", lineterminator="\n")
    writer.writerows([_text(cell) for cell in row] for row in rows)
    tabs = TableOptions(delimiter="\t", header=options.header)
    return delimited.of_text(written.getvalue(), path, tabs, (*notes, *_uncomputed(path)))


def _is_text(path: Path) -> bool:
    """Return whether a file is delimited text, as many programs export under Excel's suffix."""
    with path.open("rb") as stream:
        start = stream.read(512).lstrip()
    if start[:1] == b"<" and path.suffix.lower() != ".ods":
        raise InputError(
            f"{path} is a page of HTML or XML under the name of a spreadsheet: open it in one, and "
            "save it as .xlsx"
        )
    return not start.startswith((b"PK", b"\xd0\xcf")) and delimited.looks_like_table(path)


def _opened(path: Path) -> Any:
    try:
        import python_calamine
    except ImportError:
        raise InputError(
            f"{path} is a spreadsheet, and the package that reads it is not there: "
            "pip install 'latentia[excel]', or save it as .csv"
        ) from None
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as parts:
                check_bytes(sum(part.file_size for part in parts.infolist()), str(path))
        return python_calamine.CalamineWorkbook.from_path(path)
    except python_calamine.PasswordError:
        raise InputError(f"{path} is locked by a password; save it without one") from None
    except InputError:
        raise
    except (python_calamine.CalamineError, *DAMAGE) as error:
        raise InputError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None


def _sheet(book: Any, path: Path, wanted: str | None) -> tuple[Any, tuple[str, ...]]:
    names = list(book.sheet_names)
    if wanted is not None:
        counted = wanted.isdecimal() and 1 <= int(wanted) <= len(names)
        if wanted not in names and not counted:
            raise InputError(
                f"{path} has no sheet {wanted!r}; it has {', '.join(names)}{nearest(wanted, names)}"
            )
        name = wanted if wanted in names else names[int(wanted) - 1]
        return book.get_sheet_by_name(name), ()
    known = book.sheets_metadata
    hidden = {about.name for about in known if about.visible != type(about.visible).Visible}
    sheets = [book.get_sheet_by_name(name) for name in sorted(names, key=hidden.__contains__)]
    filled = [sheet for sheet in sheets if sheet.height and sheet.width] or sheets
    if len(filled) < 2:
        return filled[0], ()
    others = ", ".join(
        f"{s.name!r} (hidden)" if s.name in hidden else repr(s.name) for s in filled[1:]
    )
    said = f"its sheet {filled[0].name!r} was read, and not {others}, which --sheet would"
    return filled[0], (said,)


def _filled(rows: list[list[Any]], sheet: Any) -> tuple[str, ...]:
    """Fill cells that are merged with those above them, and return a clause about it."""
    top, left = sheet.start
    n = 0
    for (first, place), (last, end) in sheet.merged_cell_ranges or ():
        for row in range(first + 1 - top, last + 1 - top) if place == end else ():
            rows[row][place - left] = rows[first - top][place - left]
            n += 1
    return (f"{n} cell(s) merged with those above them hold the same",) if n else ()


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(" ")
    return " ".join(str(cell).split())


def _uncomputed(path: Path) -> tuple[str, ...]:
    """Return a clause about formulas without values, as programs without a computer write them."""
    if path.suffix.lower() not in (".xlsx", ".xlsm"):
        return ()
    with zipfile.ZipFile(path) as parts:
        sheets = [name for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
        n = sum(len(UNCOMPUTED.findall(parts.read(name))) for name in sheets)
    return (
        (f"{n} cell(s) hold formulas without values, and are missing: save it in a spreadsheet",)
        if n
        else ()
    )
