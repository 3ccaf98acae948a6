"""What Sphinx is told while it builds: the other language's page, docstrings, English pages."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform

import latentia
from latentia.models.fields import model_fields

TRANSLATED = ("index", "start/", "lectures/")
"""Pages that exist in Korean; links of these to others lead to the English ones."""
MARKUP = re.compile(r"(`+[^`]+`+|\*{1,2}\w(?:[^*]*[\w.)])?\*{1,2}|^\| |:\w+ [^:]*:)")
"""What stays as it is: code, emphasis, the bar of a line block, a field."""
SIGNS = re.compile(r"(?<=\w)_(?!\w)|(?<!\\)\*(?=[\w{])|(?<!\\)\|")
REQUEST = re.compile(r"set_\w+_request|get_metadata_routing")


def setup(app: Any) -> dict[str, bool]:
    """Connect the functions below."""
    app.connect("html-page-context", _languages)
    app.add_post_transform(EnglishPages)
    if "sphinx.ext.autodoc" in app.extensions:
        app.connect("autodoc-process-docstring", _list_attributes, priority=100)
        app.connect("autodoc-process-docstring", _plain_references)
        app.connect("autodoc-skip-member", _leave_out)
    return {"parallel_read_safe": True}


def is_translated(name: str) -> bool:
    """Return whether a page is written in Korean too."""
    return name.startswith(TRANSLATED)


class EnglishPages(SphinxPostTransform):
    """Leads links of Korean pages to those that are in English alone, which lie a folder up."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        """Replace these links."""
        if self.config.language != "ko":
            return
        here = PurePosixPath(self.env.docname).parent
        for node in list(self.document.findall(addnodes.pending_xref)):
            path, mark, place = node["reftarget"].partition("#")
            if node.get("reftype") == "myst" and path.endswith((".md", ".rst")):
                name = posixpath.normpath(here / PurePosixPath(path).with_suffix(".html"))
                up = "../" * (self.env.docname.count("/") + 1)
                uri = up + name + mark + place
                node.replace_self(nodes.reference("", "", *node[0].children, refuri=uri))


def _languages(app: Any, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Tell the template where the same page is in the other language, or else its first page."""
    is_ko = app.config.language == "ko"
    there = page if is_ko or is_translated(page) or page == "search" else "index"
    up = "../" * page.count("/") + ("../" if is_ko else "ko/")
    context["other_language"] = f"{up}{there}.html"


def _leave_out(app: Any, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """Leave out fields, which a model's own page lists, and what is scikit-learn's alone."""
    foreign = str(getattr(obj, "__module__", "")).startswith("sklearn.")
    return True if name in _fields() or foreign or REQUEST.match(name) else None


@cache
def _fields() -> frozenset[str]:
    names = (field.name for model in latentia.MODELS for field in model_fields(model))
    return frozenset({"lacks", *names})


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
