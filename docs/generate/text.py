"""Docstrings as MyST: formulas keep their lines, and what is code looks like it."""

from __future__ import annotations

import inspect
import re
from typing import Any


def prose(docstring: str) -> str:
    r"""Return a docstring's paragraphs; indented blocks become blocks of text.

    >>> print(prose("A model ``x``.\\n\\n    x = 1*2\\n\\nEnd [1]_."))
    A model `x`.
    <BLANKLINE>
    ```text
    x = 1*2
    ```
    <BLANKLINE>
    End [1].
    """
    blocks = re.split(r"\n\s*\n", inspect.cleandoc(docstring))
    made: list[str] = []
    for block in blocks:
        lines = plain(block).split("\n")
        while lines:
            count = next(
                (i for i, line in enumerate(lines) if _is_formula(line) != _is_formula(lines[0])),
                len(lines),
            )
            part, lines = lines[:count], lines[count:]
            if _is_formula(part[0]):
                made.append("```text\n" + inspect.cleandoc("\n" + "\n".join(part)) + "\n```")
            else:
                made.append(_escaped("\n".join(part)))
    joined = "\n\n".join(made)
    return joined.replace("\n```\n\n```text\n", "\n\n")


def _is_formula(line: str) -> bool:
    return line.startswith("    ")


def plain(text: str) -> str:
    """Return text without the marks of references that reStructuredText has."""
    return re.sub(r"\[(\d+)\]_", r"[\1]", text)


def inline(text: str) -> str:
    """Return a line of a docstring as a line of MyST."""
    return _escaped(plain(text))


def _escaped(text: str) -> str:
    parts = re.split(r"(``[^`]+``|`[^`]+`)", text)
    made = [f"`{part.strip('`')}`" if part.startswith("`") else _signs(part) for part in parts]
    # A line that begins with a sign would begin a list, and a dash below a line a heading.
    return re.sub(r"(?m)^([-+=]+)(\s|$)", r"\\\1\2", "".join(made))


def _signs(text: str) -> str:
    """Return text whose signs are signs, and whose *emphasis* is still that."""
    return "".join(
        part if i % 2 else re.sub(r"([*<\[\]])", r"\\\1", part)
        for i, part in enumerate(re.split(r"(\*{1,2}[\w–-][^*\n]*[\w.]\*{1,2})", text))
    )


def section(docstring: str, name: str) -> str:
    """Return a section of a docstring in NumPy's layout, or nothing."""
    text = inspect.cleandoc(docstring)
    found = re.search(rf"^{name}\n-+\n(.*?)(?=^[A-Z][A-Za-z ]+\n-+\n|\Z)", text, re.M | re.S)
    return found[1].strip("\n") if found else ""


def introduction(docstring: str) -> str:
    """Return what stands before the first section of a docstring."""
    return re.split(r"\n[A-Z][A-Za-z ]+\n-+\n", inspect.cleandoc(docstring))[0]


def references(docstring: str) -> list[tuple[str, str]]:
    """Return the numbered references of a docstring: number and text."""
    text = section(docstring, "References")
    found = re.findall(r"^\.\. \[(\d+)\] (.*?)(?=^\.\. \[|\Z)", text, re.M | re.S)
    return [(number, " ".join(entry.split())) for number, entry in found]


def definitions(entries: list[tuple[str, str]]) -> str:
    """Return a list of terms and what they mean."""
    return "\n\n".join(f"{term}\n: {text}" for term, text in entries)


def home(obj: Any) -> str:
    """Return the docstring of the module of an object."""
    return inspect.getdoc(inspect.getmodule(obj)) or ""
