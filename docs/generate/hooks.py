"""What Sphinx is told while it builds: the other language's page, docstrings, English pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import latentia
from latentia.models.fields import model_fields

TRANSLATED = ("index", "start/", "lectures/")
"""Pages that exist in Korean; all others say that they are in English."""
MARKUP = re.compile(r"(`+[^`]+`+|\*{1,2}\w(?:[^*]*[\w.)])?\*{1,2}|^\| |:\w+ [^:]*:)")
"""What stays as it is: code, emphasis, the bar of a line block, a field."""
SIGNS = re.compile(r"(?<=\w)_(?!\w)|(?<!\\)\*(?=[\w{])|(?<!\\)\|")
REQUEST = re.compile(r"set_\w+_request|get_metadata_routing")
IN_ENGLISH = "이 페이지는 아직 영어로만 있습니다."


def setup(app: Any) -> dict[str, bool]:
    """Connect the functions below."""
    app.connect("html-page-context", _languages)
    app.connect("source-read", _say_that_it_is_in_english)
    app.connect("autodoc-process-docstring", _list_attributes, priority=100)
    app.connect("autodoc-process-docstring", _plain_references)
    app.connect("autodoc-skip-member", _leave_out)
    return {"parallel_read_safe": True}


def _leave_out(app: Any, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """Leave out fields, which a model's own page lists, and what is scikit-learn's alone."""
    known = {field.name for model in latentia.MODELS for field in model_fields(model)}
    foreign = str(getattr(obj, "__module__", "")).startswith("sklearn.")
    return True if name in known | {"lacks"} or foreign or REQUEST.match(name) else None


def _list_attributes(
    app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Write the section of attributes as a list, since several of them may share an entry."""
    if "Attributes" not in lines:
        return
    start = lines.index("Attributes")
    end = next(
        (i - 1 for i in range(start + 3, len(lines)) if lines[i].startswith("---")), len(lines)
    )
    made = [".. rubric:: Attributes", ""]
    for line in lines[start + 2 : end]:
        is_name = line.strip() and not line.startswith(" ")
        made.append(f"``{line.strip()}``" if is_name else line)
    lines[start:end] = [*made, ""]


def is_translated(name: str) -> bool:
    """Return whether a page is written in Korean too."""
    return name.startswith(TRANSLATED)


def _languages(app: Any, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Tell the template where the same page is in the other language."""
    there = "../" if app.config.language == "ko" else "ko/"
    context["other_language"] = "../" * page.count("/") + there + f"{page}.html"


def _say_that_it_is_in_english(app: Any, name: str, source: list[str]) -> None:
    """Begin a page that has no Korean with a sentence that says so."""
    written = Path(app.env.doc2path(name)).suffix == ".md"
    if app.config.language == "ko" and written and not is_translated(name):
        head, _, rest = source[0].partition("\n")
        if head.startswith("# "):
            source[0] = f"{head}\n\n:::{{note}}\n{IN_ENGLISH}\n:::\n{rest}"


def _plain_references(
    app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Write numbered references as text, since a page has those of several; keep formulas.

    An indented block below a paragraph is a formula, whose lines must not be joined.
    """
    lines[:] = as_literal([re.sub(r"\[(\d+)\]_", r"[\1]", line) for line in lines])
    lines[:] = [re.sub(r"^\.\. \[(\d+)\] ", r"| [\1] ", line) for line in lines]
    lines[:] = [line if literal else _escaped(line) for line, literal in _marked(lines)]


def _marked(lines: list[str]) -> Iterator[tuple[str, bool]]:
    """Yield lines, and whether each is code, whose signs are not to be touched."""
    inside = doctest = False
    for line in lines:
        inside = line.startswith(".. code-block::") or (
            inside and (not line.strip() or line.startswith(" "))
        )
        doctest = line.lstrip().startswith(">>>") or (doctest and bool(line.strip()))
        yield line, inside or doctest


def _escaped(line: str) -> str:
    """Return a line whose stars, bars and last underscores are no marks of reStructuredText."""
    return "".join(
        part if i % 2 else SIGNS.sub(r"\\\g<0>", part) for i, part in enumerate(MARKUP.split(line))
    )


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
