"""Documents as files: one by its suffix, or all of them in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from latentia.errors import InputError
from latentia.evaluation.apa import word
from latentia.evaluation.apa.excel import as_xlsx
from latentia.evaluation.apa.html import as_html
from latentia.evaluation.apa.latex import as_latex
from latentia.evaluation.apa.table import Document
from latentia.evaluation.apa.text import as_text
from latentia.evaluation.table_writing import writer_of_sheets
from latentia.files import refuse_existing, refuse_filled, write_atomically

WRITERS: dict[str, Callable[[Document], bytes]] = {
    ".docx": word.as_docx,
    ".tex": lambda document: encoded(as_latex(document)),
    ".xlsx": as_xlsx,
    ".html": lambda document: encoded(as_html(document)),
    ".txt": lambda document: encoded(as_text(document)),
}
"""By suffix, what makes a file of a document."""
DRAWN = (".docx", ".html")
"""Suffixes of files that hold figures."""


def encoded(text: str) -> bytes:
    """Return text as bytes; names of files may hold what is no text."""
    return text.encode("utf-8", "replace")


def is_document(out: Path) -> bool:
    """Return whether a path is that of one file of tables, and not of a folder."""
    return out.suffix.lower() in WRITERS


def check_out(out: Path) -> None:
    """Refuse a folder with something in it, and a file that exists or that cannot be written."""
    if not is_document(out):
        refuse_filled(out)
        return
    refuse_existing(out, overwrite=False)
    if not out.parent.is_dir():
        raise InputError(f"{out} cannot be written: there is no folder {out.parent}")
    if out.suffix.lower() == ".docx":
        word.package()
    if out.suffix.lower() == ".xlsx":
        writer_of_sheets()


def write_document(out: Path, document: Document) -> Path:
    """Write a file by its suffix, whole or not at all."""
    write_atomically(out, WRITERS[out.suffix.lower()](document))
    return out


def write_documents(folder: Path, document: Document) -> tuple[str, ...]:
    """Write ``tables`` in every format, and figures as SVG, into a folder.

    Returns
    -------
    notes
        What was not written, and why, a sentence each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for figure in document.figures:
        write_atomically(folder / f"{figure.name}.svg", figure.svg_file)
    notes = list[str]()
    for suffix in WRITERS:
        try:
            write_document(folder / f"tables{suffix}", document)
        except InputError as error:
            notes.append(f"{folder.name}/tables{suffix} was not written: {error}.")
    return tuple(notes)
