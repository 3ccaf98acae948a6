"""Amounts with a unit or a sign of money in every cell of a column, as numbers without it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pyarrow.compute as pc

from latentia.data.numerals import Texts, gaps

MONEY = "$€£¥₩₹"
MONEY_BEHIND = ("원", "円", "元", "€", "USD", "EUR", "KRW")
DIGITS = r"(?:[1-9][\d.,'’ ]*|0?[.,]\d+|0)"
"""No zero stands before other digits: such a number is a code."""
AMOUNT = re.compile(
    rf"\(?[-−]?(?P<before>[{MONEY}]?)\s*[-−]?{DIGITS}"
    r"(?P<after>[^\d\s()%.,:/+-][^\d()%,:/]{0,9})?\)?"
)
IN_BRACKETS = r"^\((.*)\)$"
GROUPED = r"^[-−]?\d{1,3}(,\d{3})*(\.\d{1,2})?$"


def without_units(columns: Mapping[str, Texts]) -> tuple[dict[str, Texts], tuple[str, ...]]:
    """Return columns of text without the unit that all their cells share, and clauses about it.

    Amounts in brackets among others are negative, as in accounts. Only money stands in front of a
    number: what begins with a letter is a name.
    """
    found, units, negative = dict(columns), [], []
    for name, column in columns.items():
        known = pc.utf8_trim_whitespace(column.filter(pc.invert(gaps(column))))
        amount = AMOUNT.fullmatch(known[0].as_py()) if len(known) > 1 else None
        if amount is None:
            continue
        before, after = amount["before"], (amount["after"] or "").strip()
        brackets = pc.match_substring_regex(known, IN_BRACKETS)
        bracketed = pc.any(brackets).as_py() and not pc.all(brackets).as_py()
        pattern = rf"^([-−]?){re.escape(before)}\s*([-−]?{DIGITS})\s*{re.escape(after)}$"
        signed = pc.replace_substring_regex(known, IN_BRACKETS, r"-\1") if bracketed else known
        fits = pc.all(pc.match_substring_regex(signed, pattern)).as_py()
        if not fits or not (before or after or bracketed):
            continue
        cells = pc.utf8_trim_whitespace(column)
        cells = pc.replace_substring_regex(cells, IN_BRACKETS, r"-\1") if bracketed else cells
        cells = pc.replace_substring_regex(cells, pattern, r"\1\2")
        found[name] = _ungrouped(cells) if before or after in MONEY_BEHIND else cells
        units += [f"{name!r} ({known[0]})"] if before or after else []
        negative += [repr(name)] if bracketed else []
    said: tuple[str, ...] = ()
    if units:
        said += (f"units and signs of money were left out: {', '.join(units)}",)
    if negative:
        said += (f"amounts in brackets were taken for negative ones: {', '.join(negative)}",)
    return found, said


def _ungrouped(cells: Texts) -> Texts:
    """Return money without commas between thousands, which are no decimal signs in it."""
    bare = pc.utf8_trim_whitespace(cells)
    grouped = pc.or_(gaps(cells), pc.match_substring_regex(bare, GROUPED))
    return pc.replace_substring(bare, ",", "") if pc.all(grouped).as_py() else cells
