"""Pages of the studio: a template, the language of the reader, and what stands on each page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from latentia.metrics.definitions import Definition
from latentia.pages import korean, provenance
from latentia.plots.page import Drawing, Picture, Swatch, templates
from latentia.plots.sentences import LANGUAGES, in_language
from latentia.studio.folder import RunsFolder
from latentia.studio.map import GROUPS, TOOLS, Place
from latentia.studio.queue import Queue

SIZES = ("usual", "large")
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Studio:
    """What every page is made from: the folder of runs and the queue of trainings."""

    folder: RunsFolder
    queue: Queue
    most_upload: int


@cache
def words() -> dict[str, dict[str, str]]:
    """Return every text of the studio by its key, in both languages."""
    found: dict[str, dict[str, str]] = {}
    for file in (resources.files("latentia.studio") / "words").iterdir():
        if file.name.endswith(".json"):
            found |= json.loads(file.read_text("utf-8"))
    return found


@dataclass(frozen=True)
class Curve:
    """A drawing of losses, in a language."""

    title: str
    svg: Markup
    """Its text is escaped."""
    legend: Sequence[Swatch]


@dataclass(frozen=True)
class Reader:
    """Who reads a page: in which language, and in which size."""

    language: str
    size: str

    def say(self, key: str, values: Mapping[str, object] = NOTHING) -> str:
        """Return a text in the reader's language."""
        return words()[key][self.language].format_map(values)

    def word(self, key: str) -> str:
        """Return a text that there may be, or an empty one."""
        return words()[key][self.language] if key in words() else ""

    def told(self, sentence: str) -> Markup:
        """Return what the library refuses or notes, in the reader's language where it can be."""
        said = in_language(sentence, self.language)
        lang = "en" if said == sentence else self.language
        return Markup('<span lang="{}">{}</span>').format(lang, said)

    def idea(self, place: Place) -> str:
        """Return the sentence that goes with a model's formula, as its live page has it."""
        found = provenance.words().get(f"formula/{place.family}")
        return found[self.language] if found else ""

    def metric(self, definition: Definition) -> str:
        """Return the heading of a figure."""
        known = korean.METRICS.get(definition.key)
        if self.language == "en":
            return definition.label
        return known[0] if known else self.word(f"metric/{definition.key}") or definition.label

    def doctor(self, sentence: str) -> str:
        """Return what the doctor says of a run: in English as it is, in Korean in short."""
        found = provenance.words().get(f"doctor/{sentence.split(':')[0]}")
        return found["ko"] if found and self.language == "ko" else sentence

    def curve(self, picture: Picture) -> Curve:
        """Return losses in the reader's words: an English title names all, a Korean one each."""
        drawing = picture.drawing or Drawing("")
        if self.language == "en":
            return Curve(picture.title, Markup(drawing.svg), drawing.legend)
        legend = [(self.word(f"loss/{n}") or n, c, m) for n, c, m in drawing.legend]
        key = "loss/believed" if picture.title.startswith("What the") else "loss"
        title = self.say(key, {"names": ", ".join(name for name, *_ in legend)})
        svg = drawing.svg.replace(">epoch<", f">{self.say('film/epoch')}<")
        return Curve(title, Markup(svg), legend)

    def pick(self, both: Mapping[str, str]) -> str:
        """Return that of two texts which is in the reader's language."""
        return both[self.language]


def reader_of(request: Request) -> Reader:
    """Return how a browser asked to be spoken to: by its cookies, or else by its own language."""
    asked = request.cookies.get("language", "")
    own = request.headers.get("accept-language", "").lower().startswith("ko")
    language = asked if asked in LANGUAGES else "ko" if own else "en"
    size = request.cookies.get("size", "")
    return Reader(language, size if size in SIZES else "usual")


def studio_of(request: Request) -> Studio:
    """Return the studio that a request is made to."""
    found: Studio = request.app.state.studio
    return found


def show(
    request: Request, name: str, given: Mapping[str, Any] = NOTHING, status: int = 200
) -> HTMLResponse:
    """Return a page made of a template."""
    return HTMLResponse(render(request, name, given), status)


def render(request: Request, name: str, given: Mapping[str, Any] = NOTHING) -> str:
    """Return a template filled in: with what is given, the reader's words, the map and the runs."""
    reader = reader_of(request)
    beside = {
        "say": reader.say,
        "pick": reader.pick,
        "language": reader.language,
        "size": reader.size,
        "groups": GROUPS,
        "tools": TOOLS,
        "place": None,
        "rail": () if "full" in given else studio_of(request).queue.shown(),
        "here": request.url.path,
        "word": reader.word,
        "told": reader.told,
        "idea": reader.idea,
        "metric": reader.metric,
        "curve": reader.curve,
        "doctor_says": reader.doctor,
        "formula": formula,
    }
    return templates("latentia.studio").get_template(name).render({**beside, **given})


@cache
def formula(place: Place) -> Markup:
    """Return the formula of a place's model in MathML, as its live page has it; or nothing."""
    if f"formula/{place.family}" not in provenance.words():
        return Markup("")
    text = "{% import 'formulas.html' as found %}{{ found.formula(family) }}"
    return Markup(templates("latentia.pages").from_string(text).render(family=place.family))


def sentence(request: Request, text: str, status: int) -> HTMLResponse:
    """Return a page that says why something is not done."""
    return show(request, "refusal.html", {"text": text}, status)
