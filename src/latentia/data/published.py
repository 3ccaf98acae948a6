"""Matrices as papers print them: stars of significance, and what stands on the diagonal.

Stars and daggers behind numbers are left out. Dashes on the diagonal are ones, and so are values in
brackets, which are reliabilities as a rule. Rows are counted, "1. Age", where columns are 1, 2, 3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from latentia.data.numerals import DASHES, Texts, gaps, is_number

FEWEST, MOST = 3, 99
"""Variables of a matrix that is recognised by its lines, of which a hundred are looked at."""
MOST_BESIDE = 4
"""Numbers in front of a row of correlations: mean, standard deviation and the like."""
NUMBER = rf"([-+{DASHES}]?\d*[.,]?\d+)"
MARKS = r"(\*{1,4}|[†‡])"
STARRED = rf"^{NUMBER}\s?{MARKS}?$"
BRACKETED = r"[(\[]\s*\d*[.,]\d+\s*[)\]]"
COUNTED = re.compile(r"(\d+)\s*[.):]?\s+(\S.*)")
COUNT = re.compile(r"(\d+)\s*[.):]?")
OF_STARS = "signs of significance were left out, such as those of {!r}"
OF_BRACKETS = "the values in brackets on the diagonal, reliabilities as a rule, were taken for ones"


class _Line(NamedTuple):
    """A variable's name and its numbers, as they stand in a line."""

    name: str
    cells: list[str]


def without_stars(columns: Mapping[str, Texts]) -> tuple[dict[str, Texts], tuple[str, ...]]:
    """Return columns of text without stars behind the numbers, and a clause about it."""
    found, examples = dict(columns), []
    for name, column in columns.items():
        bare = pc.utf8_trim_whitespace(column)
        known = bare.filter(pc.invert(gaps(column)))
        starred = known.filter(pc.match_substring_regex(known, f"{MARKS}$"))
        if len(starred) and pc.all(pc.match_substring_regex(known, STARRED)).as_py():
            found[name] = pc.replace_substring_regex(bare, STARRED, r"\1")
            examples.append(starred[0].as_py())
    return found, (OF_STARS.format(examples[0]),) if examples else ()


def unit_diagonal(columns: Mapping[str, Texts]) -> tuple[dict[str, Texts], tuple[str, ...]]:
    """Return columns of a matrix with ones for the values in brackets on its diagonal.

    The columns are all that hold such a value, one each, from the first row to the last.
    """
    places: dict[str, int] = {}
    for name, column in columns.items():
        cells = column.to_pylist() if FEWEST <= len(column) <= MOST else []
        rows = [i for i, cell in enumerate(cells) if re.fullmatch(BRACKETED, str(cell).strip())]
        if len(rows) == 1:
            places[name] = rows[0]
    n_rows = len(next(iter(columns.values()), ()))
    if len(places) < FEWEST or list(places.values()) != list(range(n_rows)):
        return dict(columns), ()
    made = {
        name: pa.chunked_array([[*column[:i].to_pylist(), "1", *column[i + 1 :].to_pylist()]])
        for name, i in places.items()
        for column in (columns[name],)
    }
    return {**columns, **made}, (OF_BRACKETS,)


def counted(rows: Sequence[str], names: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """Return the variables that rows count, and their columns, 1 to p or all but the last.

    >>> counted(["1. Age", "2. Mood", "3. Sleep"], ["M", "1", "2", "3"])
    (['Age', 'Mood', 'Sleep'], ['1', '2', '3'])
    """
    found = [COUNTED.fullmatch(row) for row in rows]
    heads = [name for name in names if COUNT.fullmatch(name)]
    numbers = [int(match[1]) for match in map(COUNT.fullmatch, heads) if match]
    p = len(found)
    if p < FEWEST or numbers not in ([*range(1, p + 1)], [*range(1, p)]):
        return None
    if [int(match[1]) if match else 0 for match in found] != [*range(1, p + 1)]:
        return None
    return [match[2] for match in found if match], heads


def triangle(lines: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the lines of a lower triangle between blanks as a square between tabs, and clauses.

    Each line is one number longer than that before; names may stand in front, of several words and
    counted, then numbers such as mean and standard deviation, which are left out.
    """
    if len(lines) > MOST:
        return "", ()
    rows = [_line(line) for line in lines if line.strip()]
    body = rows[next((i for i, row in enumerate(rows) if row.cells), 0) :]
    heads = rows[: len(rows) - len(body)]
    if len(body) > FEWEST and all(map(COUNT.fullmatch, body[0].cells)) and len(body[0].cells) > 1:
        # A first line of counts names the columns.
        heads, body = [*heads, body[0]], body[1:]
    p, beside = len(body), len(body[0].cells) - 1 if body else 0
    steps = [len(row.cells) - k for k, row in enumerate(body)]
    if not FEWEST <= p <= MOST or {*steps} != {beside + 1} or not 0 <= beside <= MOST_BESIDE:
        return "", ()
    if len(heads) > 1 or not all(_is_unit(row.cells[-1]) for row in body):
        return "", ()
    named = all(row.name for row in body)
    names = [row.name if named else f"x{k}" for k, row in enumerate(body)]
    square = [["", *names]]
    for k, (name, row) in enumerate(zip(names, body)):
        below = [re.sub(f"{MARKS}$", "", cell) for cell in row.cells[beside:-1]]
        if not all(is_number(cell) for cell in below):
            return "", ()
        square.append([name, *below, "1", *[""] * (p - k - 1)])
    return "\n".join("\t".join(row) for row in square) + "\n", (*_said(body, beside),)


def _line(line: str) -> _Line:
    """Return the name in front of a line's numbers, without its count, and the numbers."""
    parts = re.sub(rf"(?<=\d)\s+(?={MARKS})", "", line.strip()).split()
    n = len(parts)
    while n and (re.fullmatch(rf"{NUMBER}{MARKS}?", parts[n - 1]) or _is_unit(parts[n - 1])):
        n -= 1
    name = " ".join(parts[:n]).strip("\"'")
    match = COUNTED.fullmatch(name)
    return _Line(match[2] if match else name, parts[n:])


def _is_unit(cell: str) -> bool:
    """Return whether a cell can stand on the diagonal: a one, a dash, or a value in brackets."""
    return bool(re.fullmatch(rf"1([.,]0*)?|[-{DASHES}]+|{BRACKETED}", cell))


def _said(body: Sequence[_Line], beside: int) -> list[str]:
    said = []
    cells = [cell for row in body for cell in row.cells]
    if starred := [cell for cell in cells if re.search(f"{MARKS}$", cell)]:
        said.append(OF_STARS.format(starred[0]))
    if any(re.fullmatch(BRACKETED, row.cells[-1]) for row in body):
        said.append(OF_BRACKETS)
    if beside:
        said.append(f"the {beside} number(s) in front of each row of correlations were left out")
    return said
