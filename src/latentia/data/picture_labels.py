"""What stands beside pictures and says their classes.

FOLDER/cat/1.png                        the name of the sub-folder
metadata.csv, metadata.jsonl            a line for each picture, by ``file_name``
labels.csv, train.tsv ...               a line for each picture, by a column that names them
000001.jpg, 000001.cls (or .json)       webdataset: files of one name in an archive
a table's own column                    `latentia.data.hugging_face`

A table names pictures by their paths, by the ends of those, or without their endings. It lies among
the pictures, or beside the folder of a part: ``train.csv`` beside ``train``.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from latentia.data import options
from latentia.data.archives import Member, Place, part_of
from latentia.data.encodings import encoding_of
from latentia.errors import InputError
from latentia.files import composed

METADATA = ("metadata.csv", "metadata.jsonl")
TABLES = (".csv", ".tsv")
FILE_NAME = "file_name"
WORDS = ("label", "labels", "class", "cls", "class_name", "category", "target", "y")
MORE_WORDS = (*WORDS, "breed", "species", "diagnosis", "dx", "kind", "type")
"""Columns of classes in tables by other names than metadata's."""
SIDECARS = (".cls", ".json", ".txt", ".id", ".index", ".caption", ".cls.txt")
MOST_BYTES = 2**26
MOST_WORDS = 50
"""In the names of pictures that may be their classes."""
LISTED = 5

Row = Mapping[str, Any]


class Beside(NamedTuple):
    """The classes of pictures, and the files that say them."""

    classes: Mapping[Place, str]
    used: frozenset[Place]
    notes: tuple[str, ...] = ()
    useless: Mapping[Place, str] = {}
    """Tables beside the folder that say nothing of these pictures, and why."""


NOTHING = Beside({}, frozenset())


def words_in_names(files: Sequence[Place]) -> tuple[str, ...]:
    """Return a note on pictures whose names all hold one of a few words, as ``cat.0.jpg`` do.

    >>> words_in_names([Path(f"{word}.{i}.jpg") for word in ("cat", "dog") for i in range(2)])[0]
    'there are no classes, though every name holds one of the words cat, dog: to have these as \
classes, put the pictures into sub-folders of these names, or a labels.csv with the columns file \
and label beside them.'
    """
    words = Counter(re.sub(r"^[\d\W_]+|[\d\W_]+$", "", path.stem) for path in files)
    if "" in words or not 2 <= len(words) <= MOST_WORDS or min(words.values()) < 2:
        return ()
    return (
        f"there are no classes, though every name holds one of the words {', '.join(sorted(words))}"
        ": to have these as classes, put the pictures into sub-folders of these names, or a "
        "labels.csv with the columns file and label beside them.",
    )


def read_beside(files: Sequence[Place], folder: Place, label: str | None = None) -> Beside:
    """Return what tables, or webdataset's files of equal names, say of the pictures in a folder.

    ``label`` names the column of classes; ``"none"`` says that there are none.
    """
    own = [path for path in files if path.name.lower() in METADATA or is_table(path)]
    tables = [*own, *_beside_a_part(folder)]
    pictures = [path for path in files if path not in own]
    if not pictures:
        return Beside({}, frozenset())
    if label == options.NONE:
        return Beside({}, frozenset(own))
    if tables:
        found = _of_tables(tables, pictures, folder, label)
        if found.classes or own:
            return found
        return _of_equal_names(pictures, label)._replace(useless=found.useless)
    return _of_equal_names(pictures, label)


def is_table(path: Place) -> bool:
    """Return whether a file may be a table of classes, by its name."""
    return path.suffix.lower() in TABLES and "submission" not in path.name.lower()


def _beside_a_part(folder: Place) -> list[Place]:
    """Return the tables that lie beside a folder, if that is named as a part."""
    if not part_of(folder.name) or (isinstance(folder, Member) and not folder.inside):
        return []
    around: list[Place] = list(folder.parent.iterdir())
    return sorted((p for p in around if is_table(p) and not p.is_dir()), key=lambda p: p.name)


def _of_tables(
    tables: Sequence[Place], pictures: Sequence[Place], folder: Place, label: str | None
) -> Beside:
    classes: dict[Place, str] = {}
    notes: list[str] = []
    useless: dict[Place, str] = {}
    places, columns = _by_ends(pictures, folder), dict[str, None]()
    for table in tables:
        rows = _rows(table)
        columns |= {name: None for row in rows[:1] for name in row if name is not None}
        strict = table.name.lower() in METADATA
        if strict and (not rows or FILE_NAME not in rows[0]):
            raise InputError(f"{table} has no column {FILE_NAME!r}, which names each picture")
        names = FILE_NAME if strict else _column_of_names(rows, places)
        if names is None:
            useless[table] = "no column of it names these pictures"
            continue
        column = _class_column(rows, names, label, WORDS if strict else MORE_WORDS)
        known = [_place(row.get(names), places) for row in rows]
        lost = [str(row.get(names)) for row, path in zip(rows, known) if path is None]
        said = _said(rows, known, column)
        if lost:
            notes.append(
                f"{table} names {len(lost)} files that are not there: {', '.join(lost[:LISTED])}."
            )
        if isinstance(said, str):
            notes.append(f"{table} was left out: {said}.")
            continue
        classes |= said
        by = "" if strict else f", which names pictures by {names!r}; --label takes another column"
        notes.append(f"classes are from {_title(column)} of {table.name}{by}.")
    if label is not None and not classes:
        options.one(label, [*columns], "label", " and ".join(str(table) for table in tables))
    mine = frozenset(table for table in tables if folder.parts == table.parts[: len(folder.parts)])
    notes += [f"{t} was left out: {why}." for t, why in useless.items() if t in mine]
    return Beside(classes, mine, tuple(notes), {t: w for t, w in useless.items() if t not in mine})


def _said(
    rows: Sequence[Row], known: Sequence[Place | None], column: str | list[str] | None
) -> dict[Place, str] | str:
    """Return the class of each picture, or why a table says none."""
    if column is None:
        others = ", ".join(str(name) for name in rows[0] if name is not None)
        return f"none of its columns, {others}, is of classes; --label takes one"
    found: dict[Place, str] = {}
    for row, path in zip(rows, known):
        if path is None:
            continue
        value = _class_of(row, column)
        if not value:
            continue
        if found.setdefault(path, value) != value:
            return f"it gives {path.name} several classes, {found[path]} and {value}"
    return found


def _class_of(row: Row, column: str | list[str]) -> str:
    if isinstance(column, str):
        return composed(str(row[column] or "").strip())
    return next(name for name in column if _is_one(row[name]))


def _title(column: str | list[str] | None) -> str:
    if isinstance(column, list):
        return f"the {len(column)} columns of 0 and 1, {', '.join(column[:LISTED])},"
    return f"the column {column!r}"


def _by_ends(pictures: Iterable[Place], folder: Place) -> dict[tuple[str, ...], Place | None]:
    """Return pictures by the ends of their paths, with their endings and without.

    Where two have the same, it stands for none.
    """
    found: dict[tuple[str, ...], Place | None] = {}
    for path in pictures:
        parts = tuple(map(composed, path.parts[len(folder.parts) :]))
        for end in {parts[-1], Path(parts[-1]).stem}:
            for first in range(len(parts)):
                key = (*parts[first:-1], end)
                found[key] = path if found.get(key, path) == path else None
    return found


def _place(name: object, places: Mapping[tuple[str, ...], Place | None]) -> Place | None:
    """Return the picture that a table means: the longest end of a path that one has."""
    parts = tuple(part for part in re.split(r"[\\/]", composed(str(name))) if part not in ("", "."))
    ends = (parts[first:] for first in range(len(parts)))
    return next((places[end] for end in ends if end in places), None)


def _column_of_names(
    rows: Sequence[Row], places: Mapping[tuple[str, ...], Place | None]
) -> str | None:
    """Return the column that names the most pictures, or None if none does."""
    columns = [name for name in rows[0] if name is not None] if rows else []
    named = {
        name: len({_place(row.get(name), places) for row in rows} - {None}) for name in columns
    }
    best = max(columns, key=lambda name: named[name], default=None)
    return best if best is not None and named[best] else None


def _rows(table: Place) -> list[dict[str, Any]]:
    with table.open("rb") as stream:
        content = stream.read(MOST_BYTES)
    try:
        text = content.decode(encoding_of(content)[0] or "utf-8")
        if table.suffix.lower() in TABLES:
            first = text.partition("\n")[0]
            sign = max(",;\t|", key=first.count)
            held = csv.DictReader(io.StringIO(text), delimiter=sign, skipinitialspace=True)
            return list(held)
        found = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, csv.Error, RecursionError) as error:
        raise InputError(f"{table} cannot be read: {error}") from None
    return [row for row in found if isinstance(row, dict)]


def _class_column(
    rows: Sequence[Row], names: str, label: str | None, words: Sequence[str]
) -> str | list[str] | None:
    """Return the column of classes, or columns of which each is one.

    It is the one asked for, one of the usual names, or the only one of few values.
    """
    columns = [name for name in rows[0] if name is not None]
    others = [name for name in columns if name != names]
    if label is not None:
        return options.one(label, columns, "label", "it") if options.has(label, columns) else None
    lowered = {str(name).lower(): name for name in others}
    usual = next((lowered[word] for word in words if word in lowered), None)
    if usual is not None:
        return usual
    if len(others) > 1 and all(sum(_is_one(row.get(n)) for n in others) == 1 for row in rows):
        return others
    values = {str(row.get(name)) for row in rows for name in others} if len(others) == 1 else set()
    return others[0] if 1 < len(values) <= len(rows) // 2 else None


def _is_one(value: object) -> bool:
    try:
        return float(str(value)) == 1
    except ValueError:
        return False


def _of_equal_names(places: Sequence[Place], label: str | None) -> Beside:
    """Return the classes in webdataset's .cls or .json files in an archive."""
    files = [path for path in places if isinstance(path, Member)]
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
        if (found := _class_in(path, label)) is not None:
            classes[picture] = found
    used = frozenset(path for path, _ in partners)
    unread = sorted({path.suffix for path in used if path.suffix.lower() not in (".cls", ".json")})
    notes = (f"the files {', '.join(unread)} beside the pictures were left out.",) if unread else ()
    return Beside(classes, used, notes)


def _key(path: Member) -> tuple[str, ...]:
    """Return what the files of one sample have in common: the name up to its first point."""
    return (*path.parts[:-1], path.name.split(".")[0])


def _class_in(path: Member, label: str | None) -> str | None:
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
        words = WORDS if label is None else (label,)
        held = next((held[word] for word in words if word in held), None)
    return None if held is None or isinstance(held, dict | list) else composed(str(held))
