"""The lectures' figures, each drawn by one function, with captions in English and Korean.

A record of ``captions.json`` names a figure, the file beside this one that draws it, and the rows
of the lectures (``lectures.json``) that it shows. The function has the figure's name with
underscores, takes a `Sheet` and returns a matplotlib figure with English words; a Korean figure is
the same one with its words looked up in ``korean.json``.
"""

from __future__ import annotations

import importlib
import json
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from latentia.errors import (
    FitWarning,
    InputError,
    Whole,
    check_arguments,
    check_range,
    nearest,
)
from latentia.plots.sentences import language

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NUMBER = re.compile(r"(?<![A-Za-z_₀-₉])[-−+]?\d[\d,]*(?:\.\d+)?(?:e[-−+]?\d+)?%?")
"""A number within words: what varies in a sentence, and is kept when its words change."""


CLAUSES = re.compile(r"(: |; |, | · |\n| \(|\)|  +)")
"""What stands between the clauses of a sentence or a label."""
KEPT = re.compile(r"\$[^$]*\$|p_data|log|tanh|[A-Z]{3,}|D?CGAN|VaDE|ReLU|WGAN|SRResNet")
"""What a Korean figure writes as an English one: formulas, and models by their short names."""


@dataclass(frozen=True)
class Record:
    """What is known of a figure without drawing it; texts are by language, 'en' and 'ko'."""

    name: str
    home: str
    """The file that draws it."""
    rows: tuple[str, ...]
    """The rows of the lectures that it shows, such as '000-06'."""
    title: Mapping[str, str]
    caption: Mapping[str, str]
    data: Mapping[str, str] = field(default_factory=dict)
    """What ``--data`` must hold, if the figure needs data that are not at hand; by language."""
    lab: str = ""
    """Where the laboratory of games begins in the figure's page, if the figure is played there."""

    @property
    def lectures(self) -> tuple[str, ...]:
        """The lectures that the rows belong to, '000' to '004', in order."""
        return tuple(sorted({row[:3] for row in self.rows}))


@dataclass
class Sheet:
    """What a figure is drawn from besides itself, what it finds, and what its page lets one move.

    ``place`` says which of the values of `moving` is taken.
    """

    data: str | None = None
    place: int | None = None
    numbers: list[str] = field(default_factory=list)
    models: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    moved: tuple[str, tuple[float, ...], int] = ("", (), 0)

    def say(self, sentence: str) -> None:
        """Note a sentence with numbers that the figure rests on."""
        self.numbers.append(sentence)

    def keep(self, models: Mapping[str, Any], data: Any = None) -> None:
        """Offer fitted models, and the data that they learnt from, to the figure's page."""
        self.models |= {name: (model, data) for name, model in models.items()}

    def moving(self, name: str, values: tuple[float, ...], start: int) -> Any:
        """Return the value of these that the figure is drawn at, number ``start`` if none is asked.

        The figure's page draws it at each of them, and has a slider of that name.
        """
        self.moved = name, values, start
        if self.place is not None:
            check_range("place", self.place, 0, len(values) - 1)
        return values[start if self.place is None else self.place]


@dataclass(frozen=True)
class Drawn:
    """A drawn figure and the sentences on it, in the language asked for."""

    record: Record
    figure: Figure
    sheet: Sheet

    @property
    def numbers(self) -> tuple[str, ...]:
        """The sentences with the numbers that the figure rests on."""
        return tuple(self.sheet.numbers)


@cache
def _table(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((resources.files(__name__) / name).read_text("utf-8"))
    return found


def lectures() -> dict[str, dict[str, str]]:
    """Return the titles of the five lectures by number and language."""
    return dict(_table("lectures.json")["decks"])


def lecture_rows() -> dict[str, dict[str, Any]]:
    """Return every row of the lectures by its number: priority, topic, heading, caption."""
    return dict(_table("lectures.json")["rows"])


@cache
def records() -> tuple[Record, ...]:
    """Return all figures in the order of the lectures, without drawing or importing any."""
    made = [
        Record(name, **(each | {"rows": tuple(each["rows"])}))
        for name, each in _table("captions.json").items()
    ]
    return tuple(sorted(made, key=lambda record: record.rows[0]))


def record(name: str) -> Record:
    """Return the figure of a name; an unknown name is refused with the nearest one."""
    known = {each.name: each for each in records()}
    if name not in known:
        raise InputError(f"there is no figure '{name}'{nearest(name, [*known])}")
    return known[name]


def draw(
    name: str, lang: str | None = None, data: str | None = None, place: Whole | None = None
) -> Drawn:
    """Draw a figure.

    Parameters
    ----------
    name
        As `records` have it, such as 'em-steps'.
    lang
        'en' or 'ko'; default as the environment's ``LATENTIA_LANG`` says, or English.
    data
        A data set's name or path, for those figures that need one.
    place
        Which of the values that the figure's page moves through, from 0; default as the figure
        begins.
    """
    check_arguments(draw, locals())
    found, words = record(name), language(lang)
    if data is not None and not found.data:
        raise InputError(f"data is given, and the figure {name} takes none")
    if data is None and found.data:
        raise InputError(f"the figure {name} needs data: {found.data[language()]}")
    module = importlib.import_module(f"{__name__}.{found.home}")
    function: Callable[[Sheet], Figure] = getattr(module, name.replace("-", "_"))
    sheet = Sheet(data, place)
    with warnings.catch_warnings():
        # What estimation warns of is known of these figures, and is not what they show.
        warnings.simplefilter("ignore", FitWarning)
        figure = function(sheet)
    if place is not None and not sheet.moved[1]:
        raise InputError(f"place is {place}, and the figure {name} has nothing that moves")
    drawn = Drawn(found, figure, sheet)
    if words == "ko":
        translate(drawn)
    return drawn


def pattern(words: str) -> tuple[str, list[str]]:
    """Return words with each number as {}, and the numbers.

    >>> pattern("JSD 0.69 after 3 steps")
    ('JSD {} after {} steps', ['0.69', '3'])
    """
    return NUMBER.sub("{}", words), NUMBER.findall(words)


def in_korean(words: str) -> str:
    """Return words in Korean, whole or clause by clause, their numbers kept.

    Words that the table lacks stay as they are, such as names and formulas.
    """
    whole = _looked_up(words)
    if whole is not None:
        return whole
    return "".join(_looked_up(part) or part for part in CLAUSES.split(words))


def _looked_up(words: str) -> str | None:
    # Rows of a figure that have one name differ by spaces at its end.
    words = words.rstrip(" ")
    table, (found, numbers) = _table("korean.json"), pattern(words)
    if words in table:
        return str(table[words])
    return str(table[found]).format(*numbers) if found in table else None


def untranslated(words: str) -> list[str]:
    """Return the clauses with a word of three letters that Korean figures would leave English."""
    if _looked_up(words) is not None:
        return []
    left = [part for part in CLAUSES.split(words) if _looked_up(part) is None]
    return [part for part in left if re.search("[A-Za-z]{3}", KEPT.sub("", part))]


def translate(drawn: Drawn) -> None:
    """Put a figure's words and its sentences into Korean, where they stand."""
    from matplotlib.text import Text

    from latentia.plots.style import FONT

    drawn.sheet.numbers = [in_korean(sentence) for sentence in drawn.sheet.numbers]
    for axes in drawn.figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            labels = [label.get_text() for label in axis.get_ticklabels()]
            if any(in_korean(label) != label for label in labels):
                axis.set_ticks(axis.get_ticklocs(), [in_korean(label) for label in labels])
    for text in drawn.figure.findobj(Text):
        words, said = text.get_text(), in_korean(text.get_text())
        text.set_text(said)
        if "$" in said and said != words:
            # Beside a formula matplotlib looks for letters in one font alone.
            text.set_fontfamily(FONT)
