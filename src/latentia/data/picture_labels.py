"""What stands beside pictures and says their classes.

FOLDER/cat/1.png                        the name of the sub-folder
metadata.csv, metadata.jsonl            a line for each picture, by ``file_name``
000001.jpg, 000001.cls (or .json)       webdataset: files of one name in an archive
a table's own column                    `latentia.data.hugging_face`
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from latentia.data.archives import Member, Place
from latentia.errors import InputError

METADATA = ("metadata.csv", "metadata.jsonl")
FILE_NAME = "file_name"
WORDS = ("label", "labels", "class", "cls", "class_name", "category", "target", "y")
SIDECARS = (".cls", ".json", ".txt", ".id", ".index", ".caption", ".cls.txt")
MOST_BYTES = 2**26


class Beside(NamedTuple):
    """The classes of pictures, and the files that say them."""

    classes: Mapping[Place, str]
    used: frozenset[Place]
    notes: tuple[str, ...] = ()


NOTHING = Beside({}, frozenset())


def read_beside(files: Sequence[Place]) -> Beside:
    """Return what metadata files, or webdataset's files of equal names, say of pictures."""
    tables = [path for path in files if path.name.lower() in METADATA]
    if tables:
        return _of_metadata(tables, files)
    if files and isinstance(files[0], Member):
        return _of_equal_names([path for path in files if isinstance(path, Member)])
    return NOTHING


def _of_metadata(tables: Sequence[Place], files: Sequence[Place]) -> Beside:
    by_parts = {path.parts: path for path in files}
    classes: dict[Place, str] = {}
    notes: list[str] = []
    for table in tables:
        rows = _rows(table)
        if not rows or FILE_NAME not in rows[0]:
            raise InputError(f"{table} has no column {FILE_NAME!r}, which names each picture")
        column = _class_column(rows)
        known = [by_parts.get((*table.parent.parts, *_parts(row[FILE_NAME]))) for row in rows]
        lost = [str(row[FILE_NAME]) for row, path in zip(rows, known) if path is None]
        if lost:
            notes.append(
                f"{table} names {len(lost)} files that are not there: {', '.join(lost[:5])}."
            )
        if column is None:
            others = ", ".join(name for name in rows[0] if name != FILE_NAME)
            notes.append(f"{table} was left out: its columns, {others}, are no classes.")
        else:
            classes |= {p: str(row[column]) for p, row in zip(known, rows) if p is not None}
            notes.append(f"classes are from the column {column!r} of {table.name}.")
    return Beside(classes, frozenset(tables), tuple(notes))


def _rows(table: Place) -> list[dict[str, Any]]:
    with table.open("rb") as stream:
        content = stream.read(MOST_BYTES)
    try:
        text = content.decode("utf-8-sig")
        if table.suffix.lower() == ".csv":
            return list(csv.DictReader(io.StringIO(text)))
        found = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, csv.Error, RecursionError) as error:
        raise InputError(f"{table} cannot be read: {error}") from None
    return [row for row in found if isinstance(row, dict)]


def _parts(name: object) -> tuple[str, ...]:
    return tuple(part for part in str(name).replace("\\", "/").split("/") if part not in ("", "."))


def _class_column(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the column of classes: one of the usual names, or the only one of few values."""
    lowered = {str(name).lower(): name for name in rows[0] if name is not None}
    usual = next((lowered[word] for word in WORDS if word in lowered), None)
    if usual is not None:
        return usual
    others = [name for name in rows[0] if name not in (FILE_NAME, None)]
    values = {str(row.get(name)) for row in rows for name in others} if len(others) == 1 else set()
    return others[0] if 1 < len(values) <= len(rows) // 2 else None


def _of_equal_names(files: Sequence[Member]) -> Beside:
    """Return the classes in webdataset's .cls or .json files."""
    beside = {path: _key(path) for path in files if path.name.lower().endswith(SIDECARS)}
    pictures: dict[tuple[str, ...], list[Member]] = {}
    for path in files:
        if path not in beside:
            pictures.setdefault(_key(path), []).append(path)
    partners = [(path, other) for path, key in beside.items() for other in pictures.get(key, ())]
    if not partners:
        return NOTHING
    classes: dict[Place, str] = {}
    for path, picture in partners:
        if (found := _class_in(path)) is not None:
            classes[picture] = found
    used = frozenset(path for path, _ in partners)
    unread = sorted({path.suffix for path in used if path.suffix.lower() not in (".cls", ".json")})
    notes = (f"the files {', '.join(unread)} beside the pictures were left out.",) if unread else ()
    return Beside(classes, used, notes)


def _key(path: Member) -> tuple[str, ...]:
    """Return what the files of one sample have in common: the name up to its first point."""
    return (*path.parts[:-1], path.name.split(".")[0])


def _class_in(path: Member) -> str | None:
    if path.suffix.lower() not in (".cls", ".json"):
        return None
    try:
        with path.open("rb") as stream:
            text = stream.read(MOST_BYTES).decode()
        if path.suffix.lower() == ".cls":
            return text.strip()
        held = json.loads(text)
    except (ValueError, OSError, RecursionError):
        return None
    if isinstance(held, dict):
        held = next((held[word] for word in WORDS if word in held), None)
    return None if held is None or isinstance(held, dict | list) else str(held)
