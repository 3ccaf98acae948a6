"""What tables and paragraphs say, in English and in Korean, as a journal of either prints it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from latentia.evaluation.apa.table import Styled, joined

SPELLED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
"""Numbers below ten are words (section 6.32)."""


@cache
def wording(language: str) -> Mapping[str, str]:
    """Return words by what they are for, in a language."""
    text = (files("latentia.evaluation.apa") / "wording.json").read_text(encoding="utf-8")
    return MappingProxyType({key: said[language] for key, said in json.loads(text).items()})


def spelled(count: int, words: Mapping[str, str]) -> str:
    """Return a count as a word below ten, and as a numeral from there."""
    return words[SPELLED[count - 1]] if 1 <= count < 10 else f"{count:,}"


def series(items: Sequence[Styled], language: str) -> Styled:
    """Return items with commas between them, and before English's last one an *and*.

    Examples
    --------
    >>> from latentia.evaluation.apa.table import plain, styled
    >>> a, b, c = styled("a"), styled("b"), styled("c")
    >>> plain(series([a, b, c], "en")), plain(series([a, b], "en")), plain(series([a, b], "ko"))
    ('a, b, and c', 'a and b', 'a, b')
    """
    if language == "ko" or len(items) < 2:
        return joined(items, ", ")
    last = ", and " if len(items) > 2 else " and "
    return joined([joined(items[:-1], ", "), items[-1]], last)


def several(k: int, words: Mapping[str, str], what: str = "factors") -> str:
    """Return "five factors" or, of one, "one factor"; of "Factors", with capitals."""
    if k == 1:
        return words[f"{what.removesuffix('s')} alone"]
    count = spelled(k, words)
    return words[what].format(k=count.capitalize() if what[0].isupper() else count)
