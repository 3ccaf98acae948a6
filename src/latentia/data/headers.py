"""The lines above a table's rows: titles, and the names of its columns in one line or several."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from latentia.data.numerals import is_missing, is_number

MOST_TITLES, MOST_HEADINGS = 10, 4
"""Lines above a table, and lines of its header."""
FEWEST_ROWS, FEWEST_BELOW = 2, 5
"""Rows that make a table, and rows of numbers below a header of several lines."""


def is_regular(rows: list[list[str]]) -> bool:
    """Return whether all rows have as many cells, at least two; names may lack that of the rows."""
    widths = {len(row) for row in rows[1:]} or {len(rows[0])}
    return len(widths) == 1 and max(widths) > 1 and max(widths) - len(rows[0]) in (0, 1)


def n_titles(rows: list[list[str]]) -> int | None:
    """Return how many lines of words stand above rows of as many cells; None if rows are uneven."""
    width = len(rows[-1])
    for n in range(min(MOST_TITLES, len(rows) - FEWEST_ROWS) + 1):
        filled = [cell for cell in rows[n] if cell.strip()]
        alone = len(filled) == 1 and width > 2 and bool(rows[n][0].strip())
        whole = n == 0 or len(rows[n]) == width > 1
        if whole and is_regular(rows[n:]) and filled and not alone:
            return n
        if any(map(is_number, filled)) or (len(filled) > 1 and 2 * len(filled) >= width):
            return None
    return None


def n_heading(rows: list[list[str]]) -> int:
    """Return how many lines name columns: below the first, those of words above numbers alone."""
    if not has_header(rows):
        return 0
    if len(rows[0]) != len(rows[-1]):
        return 1
    most = min(MOST_HEADINGS, len(rows) - FEWEST_BELOW)
    return next((n for n in range(most, 1, -1) if _are_headings(rows[1:n], rows[n:])), 1)


def _are_headings(heads: list[list[str]], rows: list[list[str]]) -> bool:
    """Return whether lines hold words where all the lines below them hold numbers."""
    columns = [[cell for cell in column if not is_missing(cell)] for column in zip(*rows)]
    numeric = [i for i, cells in enumerate(columns) if cells and all(map(is_number, cells))]
    found = [[head[i] for i in numeric if not is_missing(head[i])] for head in heads]
    return all(len(words) > 1 and not any(map(is_number, words)) for words in found)


def first_names(heads: list[list[str]]) -> tuple[list[str], list[str]]:
    """Return the names in several lines: the first one's, or each below its group's."""
    first, *others = heads
    if not others:
        return first, []
    if all(cell.strip() for cell in first) and len({*first}) == len(first):
        return first, [f"{len(others)} line(s) of words below the names were left out"]
    groups: list[str] = []
    for cell in first:
        groups.append(cell.strip() or (groups[-1] if groups else ""))
    names = [
        " ".join(dict.fromkeys(part.strip() for part in parts if part.strip()))
        for parts in zip(groups, *others)
    ]
    return names, [f"names were read from its first {len(heads)} lines, such as {names[-1]!r}"]


def distinct(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return names of which no two are alike, and a clause about those that were.

    >>> distinct(["a", "b", "a"])
    (['a', 'b', 'a_2'], ["several columns are named 'a', and were told apart as 'a_2'"])
    """
    found: dict[str, None] = {}
    told, given = [], {*names}
    for name in names:
        ways = (f"{name}_{n}" for n in itertools.count(2))
        free = (way for way in ways if way not in given and way not in found)
        fresh = name if name not in found else next(free)
        found[fresh] = None
        if fresh != name:
            told.append(f"several columns are named {name!r}, and were told apart as {fresh!r}")
    return [*found], told


def has_header(rows: list[list[str]]) -> bool:
    """Return whether the first row names columns: something else than what stands below it."""
    first, body = rows[0], rows[1:]
    if not body:
        return not all(is_number(cell) for cell in first)
    if len(first) < len(body[0]):
        return True
    columns = [[cell for cell in column if not is_missing(cell)] for column in zip(*body)]
    numeric = [i for i, cells in enumerate(columns) if cells and all(map(is_number, cells))]
    if not numeric or any(not is_missing(first[i]) and not is_number(first[i]) for i in numeric):
        return True
    return _counts(first, columns)


def _counts(first: list[str], columns: list[list[str]]) -> bool:
    """Return whether a row of numbers names columns: 0, 1, 2 ... or years, above other numbers.

    So does one that begins with a blank where all rows below begin with words.
    """
    cells = first[1:] if not first[0].strip() else first
    if len(cells) < 3 or not all(cell.strip().isdecimal() for cell in cells):
        return False
    steps = {int(b) - int(a) for a, b in itertools.pairwise(cells)}
    below = columns[len(first) - len(cells) :]
    fractions = all(not all(c.strip().isdecimal() for c in column or ["."]) for column in below)
    from_zero = int(cells[0]) == 0 and len(cells) > 3
    named = len(cells) < len(first) and bool(columns[0]) and not any(map(is_number, columns[0]))
    return len(steps) == 1 and min(steps) > 0 and (fractions or from_zero or named)
