"""What Latentia refuses and notes, in Korean: sentences of the code, found again by their form."""

from __future__ import annotations

import json
import os
import re
from functools import cache
from importlib import resources
from typing import NamedTuple

from latentia.errors import InputError

LANGUAGES = ("en", "ko")
WORD = r"('[^']*'|[^\s;,?]+)"
"""What stands in the gap of a part."""
GAP = re.compile(r"\{(\d*)\}")


class Form(NamedTuple):
    """A sentence with gaps: what matches it, how much of it is fixed, and its Korean."""

    pattern: re.Pattern[str]
    n_fixed: int
    korean: str

    def said(self, *values: str) -> str:
        """Return the Korean with values in its gaps, which are numbered from 1."""
        return GAP.sub(lambda gap: values[int(gap[1]) - 1], self.korean)

    def said_of(self, match: re.Match[str]) -> str:
        """Return the Korean with what a match found in its gaps."""
        return self.said(*match.groups())


def spoken() -> str:
    """Return the language of what is refused and noted: Korean where ``LATENTIA_LANG`` is ko."""
    return "ko" if os.environ.get("LATENTIA_LANG") == "ko" else "en"


def language(asked: str | None = None) -> str:
    """Return the language asked for, or that of ``LATENTIA_LANG``, or English."""
    found = asked or os.environ.get("LATENTIA_LANG") or "en"
    if found not in LANGUAGES:
        raise InputError(f"LATENTIA_LANG is '{found}', not en or ko")
    return found


def in_language(sentence: str, lang: str) -> str:
    """Return a sentence of the library's in a language, or as it is where it is not translated.

    >>> in_language("there is no file x.csv", "ko"), in_language("there is no file x.csv", "en")
    ('x.csv 파일이 없습니다', 'there is no file x.csv')
    """
    if lang == "en":
        return sentence
    for form in forms("around"):
        if match := form.pattern.fullmatch(sentence):
            return form.said(*(in_language(value, lang) for value in match.groups()))
    found = [(f.n_fixed, f, m) for f in forms("sentences") if (m := f.pattern.fullmatch(sentence))]
    if not found:
        whole = (form for form in forms("parts") if form.pattern.fullmatch(sentence))
        return (
            in_parts(sentence)
            if next(whole, None)
            else catalogue()["fields"].get(sentence, sentence)
        )
    _, form, match = max(found, key=lambda each: each[0])
    return form.said(*map(in_parts, match.groups()))


def in_parts(text: str) -> str:
    """Return a text with those of its parts in Korean that are told alike in many sentences."""
    for form in forms("parts"):
        text = form.pattern.sub(form.said_of, text)
    return text


@cache
def forms(kind: str) -> tuple[Form, ...]:
    """Return the sentences, or their parts, the longest first."""
    gaps = (r"(.*?)", r"((?:(?:;|:| \().*)?)") if kind != "parts" else (WORD, WORD)
    found = [
        Form(re.compile(pattern_of(english, *gaps), re.DOTALL), len(GAP.sub("", english)), korean)
        for english, korean in catalogue()[kind].items()
    ]
    return tuple(sorted(found, key=lambda form: -form.n_fixed))


def pattern_of(english: str, gap: str, second: str) -> str:
    """Return the regular expression of a sentence; of two gaps together, the second is a hint."""
    first, *rest = english.split("{}")
    parts = [re.escape(first)]
    for i, text in enumerate(rest):
        beside = i > 0 and not rest[i - 1]
        parts += [second if beside else gap, re.escape(text)]
    return "".join(parts)


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Return the English sentences, ``{}`` where a value stands, and their Korean, by kind.

    ``around`` are those that have others in their gaps, ``parts`` those that others have in theirs,
    ``fields`` what the fields of models are for.
    """
    text = (resources.files("latentia.plots") / "templates" / "sentences.json").read_text("utf-8")
    found: dict[str, dict[str, str]] = json.loads(text)
    return found
