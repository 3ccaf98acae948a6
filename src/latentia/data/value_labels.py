"""Labels of values, as SPSS and Stata keep them, that say a number stands for no answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

import numpy as np

from latentia.data.dataset import Array
from latentia.errors import first_of

NO_ANSWER = re.compile(
    r"(system |user )?missing( (value|data))?s?|non-?(response|answer)"
    r"|no (answer|response|reply|data)\b.*"
    r"|not (answered|applicable|asked|stated|available|ascertained|known)\b.*|unknown|unanswered"
    r"|(i )?(don.?t|do not|doesn.?t) know\b.*|dont know\b.*|can.?t (say|choose)\b.*|can.?t know\b.*"
    r"|refus(ed|al|es)\b.*|declined\b.*|prefer not\b.*|inapplicable\b.*|inap\.?|iap|skipped"
    r"|dk|na|n/a|n\.a|nr|rf|dk/(na|nr|refused)"
    r"|.*(무응답|응답\s*거[절부]|해당\s*(사항)?\s*없음|비해당|결측).*|거절|(잘\s*)?모름(\s*/.*)?|(잘\s*)?모르겠(다|음|습니다)"
    r"|keine (angabe|antwort)\b.*|weiss nicht\b.*|trifft nicht zu|no (contesta|sabe)\b.*|ns/?nc"
    r"|(ne sait pas|sans réponse|non réponse|refus)\b.*|無回答|非該当|わからない|拒答|不知道|不适用"
)
"""What a label of a missing value says, whole, in small letters."""
MOST_NAMED = 8


def no_answers(
    numbers: Mapping[str, Array], labels: Mapping[str, Mapping[float, str]], title: str
) -> tuple[str, ...]:
    """Return a note on numbers in these columns whose labels say that they are none.

    >>> found = no_answers({"q": np.array([1.0, 99])}, {"q": {99.0: "No answer"}}, "t.sav")
    >>> found[0].partition(";")[0]
    "t.sav: 99 ('No answer') in 'q' is taken for a number"
    """
    codes: dict[float, str] = {}
    where: dict[str, None] = {}
    for name, values in numbers.items():
        said = {code: label for code, label in labels.get(name, {}).items() if _is_none(label)}
        for code in said.keys() & (set(np.unique(values).tolist()) if said else set()):
            codes.setdefault(code, said[code])
            where[name] = None
    if not codes:
        return ()
    told = ", ".join(f"{code:.15g} ({codes[code]!r})" for code in sorted(codes))
    flags = " ".join(f"{code:.15g}" for code in sorted(codes))
    names = first_of([*map(repr, where)], MOST_NAMED)
    verb = "is taken for a number" if len(codes) == 1 else "are taken for numbers"
    return (
        f"{title}: {told} in {names} {verb}; --missing-codes {flags} makes such cells "
        "missing, in all columns.",
    )


def _is_none(label: str) -> bool:
    plain = (
        unicodedata.normalize("NFC", label)
        .casefold()
        .replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    )
    return NO_ANSWER.fullmatch(" ".join(plain.strip("<>()[]*-. ").split())) is not None
