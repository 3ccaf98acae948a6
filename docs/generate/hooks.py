"""What Sphinx is told while it builds: the other language's page, docstrings, what is in English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TRANSLATED = ("index", "start/", "lectures/")
"""Pages that exist in Korean; all others say that they are in English."""
IN_ENGLISH = "이 페이지는 아직 영어로만 있습니다."


def setup(app: Any) -> dict[str, bool]:
    """Connect the functions below."""
    app.connect("html-page-context", _languages)
    app.connect("source-read", _say_that_it_is_in_english)
    app.connect("autodoc-process-docstring", _plain_references)
    return {"parallel_read_safe": True}


def is_translated(name: str) -> bool:
    """Return whether a page is written in Korean too."""
    return name.startswith(TRANSLATED)


def _languages(app: Any, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Tell the template where the same page is in the other language."""
    is_ko = app.config.language == "ko"
    there = f"{page}.html"
    context["other_language"] = f"../{there}" if is_ko else f"ko/{there}"


def _say_that_it_is_in_english(app: Any, name: str, source: list[str]) -> None:
    """Begin a page that has no Korean with a sentence that says so."""
    written = Path(app.env.doc2path(name)).suffix == ".md"
    if app.config.language == "ko" and written and not is_translated(name):
        head, _, rest = source[0].partition("\n")
        if head.startswith("# "):
            source[0] = f"{head}\n\n:::{{note}}\n{IN_ENGLISH}\n:::\n{rest}"


def _plain_references(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Write numbered references as text, since a page has those of several docstrings; keep formulas.

    An indented block below a paragraph is a formula, whose lines must not be joined.
    """
    lines[:] = as_literal([re.sub(r"\[(\d+)\]_", r"[\1]", line) for line in lines])
    lines[:] = [re.sub(r"^\.\. \[(\d+)\] ", r"| [\1] ", line) for line in lines]
    lines[:] = ["".join(_names(line)) for line in lines]


def _names(line: str) -> Iterator[str]:
    """Yield a line's parts, names that end in an underscore so written that they are no references."""
    for part in re.split(r"(`+[^`]+`+)", line):
        yield part if part.startswith("`") else re.sub(r"(?<=\w)_(?!\w)", r"\\_", part)


def as_literal(lines: list[str]) -> list[str]:
    """Return lines of reStructuredText whose indented paragraphs are literal blocks."""
    made: list[str] = []
    inside = False
    for i, line in enumerate(lines):
        above = next((each for each in reversed(made) if each.strip()), "")
        begins = line.startswith("    ") and i > 0 and not lines[i - 1].strip()
        if begins and not inside and above and not above.startswith((" ", "..", ":", "|")):
            made += [".. code-block:: text", ""]
            inside = True
        elif line.strip() and not line.startswith(" "):
            inside = False
        made.append(line)
    return made
