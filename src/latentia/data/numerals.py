"""Numbers as people and programs write them: decimal signs, thousands, percent, gaps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from latentia.errors import InputError

Texts: TypeAlias = pa.ChunkedArray

GAPS = ("", "na", "n/a", "nan", "-nan", "null", "none", "<na>", "#n/a", "#na", ".", "-", "--", "?")
"""What stands for a missing cell, in small letters."""
DASHES = "−–—"
USUAL_GAPS = {"", "na", "nan", "null", "n/a", "none", "<na>"}
"""Those that need no mention."""
END = r"([eE][+-]?\d+)?%?"
POINT = rf"[+-]?(\d+|[1-9]\d{{0,2}}(,\d{{3}})+)?(\.\d*)?{END}"
"""A number with a decimal point; thousands, in groups of three, may have commas."""
COMMA = rf"[+-]?(\d+|[1-9]\d{{0,2}}(\.\d{{3}})+)?(,\d*)?{END}"
SPACED = r"[+-]?[1-9]\d{0,2}([ \x{a0}\x{202f}'’]\d{3})+([.,]\d*)?"
ENDLESS = r"[+-]?inf(inity)?"
_NUMBER = re.compile(rf"(?=.*\d)({POINT}|{COMMA})|{ENDLESS}|nan", re.IGNORECASE)
_PLAIN = re.compile(r"-?(?=\.?\d)\d*(\.\d*)?([eE][+-]?\d+)?")
_ARROWS_GAPS = {"", "NA", "NaN", "nan", "NULL", "null", "N/A", "n/a", "#N/A"}
TRUTH = ("true", "false")


def is_missing(cell: str) -> bool:
    """Return whether a cell stands for nothing: blank, NA, a dot, a dash."""
    return cell.strip().lower() in GAPS or cell.strip() in DASHES


def is_number(cell: str) -> bool:
    """Return whether a cell is a number in some notation, such as 1.5, 1,5 or 12%."""
    bare = re.sub(r"(?<=\d)[ \u00a0\u202f'’](?=\d{3}|%$)", "", cell.strip())
    return bool(_NUMBER.fullmatch(re.sub(f"^[{DASHES}]", "-", bare)))


def looks_plain(cells: Iterable[str]) -> bool:
    """Return whether every cell is a number with a decimal point, or a gap as programs write it."""
    return all(cell in _ARROWS_GAPS or _PLAIN.fullmatch(cell.strip()) for cell in cells)


def as_numbers(
    columns: Mapping[str, Texts],
    name: str,
    has_points: bool = False,
    decimal: str | None = None,
) -> tuple[dict[str, NDArray[np.float64]], tuple[str, ...]]:
    """Return those columns of text that hold numbers, gaps as NaN, and what was assumed.

    Parameters
    ----------
    columns
        Columns of text of one length by name. One that holds a word is left out.
    name
        Of the file, for errors.
    has_points
        Whether other columns have decimal points, so that commas stand between thousands.
    decimal
        The decimal sign, where it is told.
    """
    if not columns:
        return {}, ()
    keys = np.array(list(columns), dtype=object)
    # One column after another, so that wide tables cost no more than long ones.
    cells = pa.chunked_array([chunk for c in columns.values() for chunk in c.chunks], pa.string())
    bare, notes = _bare(cells)
    points, commas = (
        _fits(bare, pattern).reshape(len(keys), -1).all(axis=1) for pattern in (POINT, COMMA)
    )
    has_comma = _flags(pc.match_substring(bare, ",")).reshape(len(keys), -1).any(axis=1)
    if decimal is not None:
        points, commas = points & (decimal == "."), commas & (decimal == ",")
    only_points, only_commas = keys[points & ~commas], keys[commas & ~points]
    if len(only_commas) and decimal is None and (len(only_points) or has_points):
        raise InputError(
            f"{name}: column {only_commas[0]!r} has decimal commas and "
            f"{repr(only_points[0]) if len(only_points) else 'another'} decimal points; write them "
            "alike"
        )
    decided = len(only_points) or len(only_commas) or has_points or decimal
    if not decided and (points & has_comma).any():
        _refuse_ambiguous(columns[keys[points & has_comma][0]], keys[points & has_comma][0], name)
    sign = "," if len(only_commas) else "."
    numeric = points | commas
    if len(only_commas) and decimal is None:
        notes += ("decimal commas were read as decimal points",)
    elif (points & has_comma).any():
        notes += ("commas between thousands were left out",)
    chosen = bare.filter(pa.array(np.repeat(numeric, len(bare) // len(keys))))
    values, percent = _floats(chosen, sign, keys[numeric], name)
    notes += tuple(f"{key!r} is in percent: 12% became 0.12" for key in percent)
    found = dict(zip(keys[numeric].tolist(), values))
    truths, said = _truths({key: columns[key] for key in keys[~numeric]})
    return found | truths, notes + said


def first_word(column: Texts) -> tuple[str, int]:
    """Return the first cell that is no number, and its row from 1."""
    cells = column.to_pylist()
    words = (i for i, c in enumerate(cells) if c and not is_missing(c) and not is_number(c))
    place = next(words, 0)
    return str(cells[place]), place + 1


def share_of_numbers(column: Texts) -> float:
    """Return the share of the cells that are not missing which are numbers in some notation."""
    bare, _ = _bare(column)
    known = bare.drop_null()
    return float((_fits(known, POINT) | _fits(known, COMMA)).mean()) if len(known) else 0.0


def gaps(column: Texts) -> Texts:
    """Return which cells of a column of text are missing."""
    trimmed = pc.utf8_lower(pc.utf8_trim_whitespace(column))
    return pc.is_in(pc.fill_null(trimmed, ""), pa.array([*GAPS, *DASHES]))


def _flags(cells: Texts) -> NDArray[np.bool_]:
    return np.asarray(pc.fill_null(cells, False).to_numpy(), dtype=bool)


def _bare(cells: Texts) -> tuple[Texts, tuple[str, ...]]:
    """Return text without blanks around it, gaps null, with plain minus signs, and a note."""
    missing = gaps(cells)
    kept = pc.if_else(missing, pa.scalar(None, pa.string()), pc.utf8_trim_whitespace(cells))
    kept = pc.replace_substring_regex(kept, f"^[{DASHES}]", "-")
    kept = pc.replace_substring_regex(kept, r"([\d.,])\s+%$", r"\1%")
    notes = _odd_gaps(cells.filter(missing))
    spaced = pc.match_substring_regex(kept, f"^{SPACED}$")
    if not pc.any(spaced).as_py():
        return kept, notes
    joined = pc.replace_substring_regex(kept, r"[ \x{a0}\x{202f}'’]", "")
    said = "blanks or apostrophes between thousands were left out"
    return pc.if_else(spaced, joined, kept), (*notes, said)


def _odd_gaps(missing: Texts) -> tuple[str, ...]:
    """Return a note of cells that were taken for missing though they are not empty or NA."""
    counts = pc.value_counts(missing.drop_null()).to_pylist()
    odd = {c["values"]: c["counts"] for c in counts if c["values"].lower() not in USUAL_GAPS}
    shown = ", ".join(map(repr, sorted(odd)[:4]))
    return (f"{sum(odd.values())} cell(s) that hold {shown} were taken for missing",) if odd else ()


def _fits(bare: Texts, pattern: str) -> NDArray[np.bool_]:
    """Return which cells are numbers in a notation; gaps are in all."""
    digits = pc.match_substring_regex(bare, rf"^({pattern})$")
    numbers = pc.and_(digits, pc.match_substring_regex(bare, r"\d"))
    infinite = pc.match_substring_regex(bare, f"^{ENDLESS}$", ignore_case=True)
    return np.asarray(pc.fill_null(pc.or_(numbers, infinite), True).to_numpy(), dtype=bool)


def _refuse_ambiguous(column: Texts, key: str, name: str) -> None:
    cell = column.filter(pc.match_substring(column, ","))[0].as_py().strip()
    raise InputError(
        f"{name}: {cell!r} in column {key!r} can be {cell.replace(',', '')} with a comma between "
        f"thousands, or {cell.replace(',', '.')} with a decimal comma, and no other cell decides "
        "it; tell it by --decimal . or --decimal ,"
    )


def _floats(
    cells: Texts, sign: str, keys: NDArray[np.object_], name: str
) -> tuple[NDArray[np.float64], list[str]]:
    """Return (p, n) numbers in the notation of a decimal sign, and the columns in percent."""
    cells = pc.replace_substring(cells, "." if sign == "," else ",", "")
    cells = pc.replace_substring(cells, ",", ".")
    shape = (len(keys), -1 if len(keys) else 0)
    percent = _flags(pc.ends_with(cells, "%")).reshape(shape)
    missing = np.asarray(pc.is_null(cells).to_numpy(), dtype=bool).reshape(shape)
    some = percent.any(axis=1)
    if not (percent | missing)[some].all():
        key = keys[some & ~(percent | missing).all(axis=1)][0]
        raise InputError(f"{name}: column {key!r} has a percent sign in some cells only")
    plain = pc.replace_substring_regex(cells, r"^\+|%$", "")
    values = np.array(pc.fill_null(pc.cast(plain, pa.float64()), np.nan).to_numpy()).reshape(shape)
    values[some] /= 100
    return values, list(keys[some])


def _truths(
    columns: Mapping[str, Texts],
) -> tuple[dict[str, NDArray[np.float64]], tuple[str, ...]]:
    """Return columns of true and false as ones and zeros, gaps as NaN."""
    found = {}
    for key, column in columns.items():
        lower = pc.utf8_lower(pc.utf8_trim_whitespace(column))
        missing = gaps(column)
        if pc.all(pc.or_(missing, pc.is_in(lower, pa.array(TRUTH)))).as_py():
            values = pc.cast(pc.equal(lower, "true"), pa.float64())
            kept = pc.if_else(missing, pa.scalar(np.nan), values)
            found[key] = np.asarray(kept.to_numpy())
    said = f"{', '.join(map(repr, found))} hold true and false, which became 1 and 0"
    return found, (said,) if found else ()
