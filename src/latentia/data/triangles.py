"""Triangles of correlation and covariance matrices in text, made whole rows.

They are lower or upper, below names or not, with names of rows or not, or one row of numbers.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
import re

from latentia.data.numerals import is_number

MOST_LINES = 100
Rows = list[list[str]]


def as_square(readings: list[Rows]) -> str:
    """Return a triangle's rows as lines of as many cells, tabs between, below a header, or "".

    ``readings`` are the rows of cells that each separator would give.
    """
    for rows in readings:
        rows = [row[:-1] if row[-1:] == [""] else row for row in rows]
        if len(rows) <= 2:
            rows = _folded(rows)
        if 2 < len(rows) < MOST_LINES and (found := _lower(rows) or _upper(rows)):
            return found
    return ""


def split_blanks(lines: list[str]) -> Rows:
    """Return the cells of lines that blanks separate; quoted ones may hold some."""
    return [re.findall(r'"[^"]*"|[^ \t\n]+', line) for line in lines]


def _folded(rows: Rows) -> Rows:
    """Return one row of p(p + 1)/2 numbers, under names or not, as p rows with a unit diagonal."""
    head, cells = rows[:-1], rows[-1] if rows else []
    p = (math.isqrt(8 * len(cells) + 1) - 1) // 2
    if p * (p + 1) // 2 != len(cells) or not all(map(is_number, cells)):
        return rows
    if head and (len(head[0]) != p or any(map(is_number, head[0]))):
        return rows
    for lengths in (range(1, p + 1), range(p, 0, -1)):
        ends = list(itertools.accumulate(lengths))
        found = [cells[end - n : end] for n, end in zip(lengths, ends)]
        diagonal = [row[-1] if lengths[0] == 1 else row[0] for row in found]
        if all(_value(cell) == 1 for cell in diagonal):
            return [*head, *found]
    return rows


def _value(cell: str) -> float:
    return float(cell.strip().replace(",", "."))


def _lower(rows: Rows) -> str:
    """Return the rows of a lower triangle, each one cell longer, as a square."""
    widths = [len(row) for row in rows]
    below = int(widths[0] >= widths[-1] - 1 > 1)
    steps = {b - a for a, b in itertools.pairwise(widths[below:])}
    first, n = rows[below], len(rows) - below
    names = rows[0][-n:] if below else None
    if steps != {1} or widths[-1] not in (n, n + 1) or not is_number(first[-1]):
        return ""
    if len(first) == 1 or _names(rows[below:], names):
        return _whole(rows, below == 1)
    return ""


def _upper(rows: Rows) -> str:
    """Return the rows of an upper triangle, each one cell shorter, as a square."""
    below = int(not any(map(is_number, rows[0])))
    body = rows[below:]
    n, named = len(body), len(body[-1]) - 1
    if n < 3 or named not in (0, 1) or [len(row) - named for row in body] != [*range(n, 0, -1)]:
        return ""
    if not all(is_number(cell) for row in body for cell in row[named:]):
        return ""
    heads = rows[0][-n:] if below else [row[0] if named else f"x{i}" for i, row in enumerate(body)]
    if len(heads) != n or (named and not _names(body, heads)):
        return ""
    blank = [[""] * i + row[named:] for i, row in enumerate(body)]
    return _written([["", *heads], *([name, *row] for name, row in zip(heads, blank))])


def _names(rows: Rows, names: list[str] | None) -> bool:
    """Return whether rows begin with these names, or with words."""
    found = [row[0] for row in rows]
    return not any(map(is_number, found)) if names is None else found == names


def _whole(rows: Rows, has_header: bool) -> str:
    """Return a triangle's rows as lines of as many cells, below a header."""
    if not has_header:
        named = len(rows[0]) == 2
        rows = [[row[0] if named else f"x{i}" for i, row in enumerate(rows)], *rows]
    width = len(rows[-1])
    full = [[""] * (width - len(rows[0])) + rows[0]]
    return _written(full + [row + [""] * (width - len(row)) for row in rows[1:]])


def _written(rows: Rows) -> str:
    written = io.StringIO()
    csv.writer(written, delimiter="\t", lineterminator="\n").writerows(rows)
    return written.getvalue()
