"""Where pictures lie: folders, archives, shards and tables, all as folders, in parts.

    FOLDER                          pictures; in ``train`` and ``test``, if there are such
    FILE.zip, .tar, .tar.gz ...     the same in an archive
    shard-{000..009}.tar, *.tar     several archives as one, and a folder that holds only archives
    FILE.parquet, .arrow            a table of pictures, as Hugging Face's
    FOLDER                          of such tables: ``save_to_disk``, or a repository of the Hub

Of several files, those with ``train`` in the name are for training and those with ``test``,
``val`` or the like for the test.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from latentia.data import images
from latentia.data.archives import (
    TEST_NAMES,
    TRAIN_NAMES,
    Archive,
    Member,
    Packed,
    Place,
    innermost,
    is_archive,
    is_named_archive,
)
from latentia.data.folders import beside, train_and_test
from latentia.data.frames import VIDEOS
from latentia.data.hugging_face import ENDINGS, ImageTable, is_image_table
from latentia.data.picture_labels import is_table
from latentia.errors import InputError

BESIDE = (".md", ".json", ".gitattributes", ".txt", ".lock", ".crc", ".yaml", ".yml", ".py")
"""Endings of what lies beside the tables and archives that a folder holds."""
MOST_FILES = 100_000
BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")


def place_of(spec: str) -> Place | None:
    """Return the one folder or archive that a spec names, or None."""
    path = Path(spec).expanduser()
    if path.is_dir():
        return path
    return Packed(path).root if is_archive(path) else None


def grouped(
    spec: str, label: str | None = None
) -> tuple[list[list[Place]], tuple[str, ...]] | None:
    """Return the folders and archives of the training part and of the test part, and notes.

    Without a test part there is one; None for what is neither a folder nor archives nor tables.
    ``label`` names a table's column of classes.
    """
    if files := files_of(spec):
        parts, notes = in_parts(files)
        return [[opened(file, label).root for file in part] for part in parts], notes
    place = place_of(spec)
    if place is None:
        return None
    inner = _inner(place)
    folders = train_and_test(inner)
    outer = place.archive.top if isinstance(place, Member) and folders else place
    notes = beside(outer, [inner]) if inner != outer else ()
    if not folders:
        return [[inner]], notes
    tables = [path for path in inner.iterdir() if is_table(path)]
    return [[_inner(folder)] for folder in folders], (*notes, *beside(inner, folders, tables))


def _inner(place: Place) -> Place:
    """Return the only folder in one, and so on, if that holds folders: a class, or a part, each."""
    inner = innermost(place)
    return inner if any(path.is_dir() for path in inner.iterdir()) else place


def files_of(spec: str) -> list[Path]:
    """Return the archives or tables that a spec names, in order; none if it names something else.

    Raises
    ------
    InputError
        If a pattern names nothing, or some of a range are missing.
    """
    path = Path(spec).expanduser()
    if path.is_file():
        return [path] if is_image_table(path) else []
    if path.is_dir():
        return _files_in(path)
    return _files_like(str(path)) if set(spec) & set("*?[{") else []


def _files_like(pattern: str) -> list[Path]:
    """Return files by a pattern with ``*``, ``?``, ``[...]``, or ``{000..009}`` and ``{a,b}``."""
    names = _unfolded(pattern)
    paths = list(dict.fromkeys(path for name in names for path in _matches(Path(name))))
    pictures = [path for path in paths if path.suffix.lower() in images.suffixes()]
    if pictures:
        raise InputError(f"{pattern} names pictures, {pictures[0].name}: give their folder")
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise InputError(f"{pattern} names {missing[0]}, which is not there")
    if not paths:
        raise InputError(f"no file is like {pattern}")
    return paths


def _matches(pattern: Path) -> list[Path]:
    """Return the files that a path with ``*``, ``?`` or ``[...]`` is like, or the path itself."""
    if not set(str(pattern)) & set("*?["):
        return [pattern]
    anchor = Path(pattern.anchor)
    return sorted(anchor.glob(str(pattern.relative_to(anchor))))


def _unfolded(pattern: str) -> list[str]:
    """Return the names that braces stand for.

    >>> _unfolded("a-{08..10}.tar")
    ['a-08.tar', 'a-09.tar', 'a-10.tar']
    """
    found = BRACES.search(pattern)
    if found is not None:
        first, last = int(found[1]), int(found[2])
        if not first <= last < first + MOST_FILES:
            raise InputError(f"{pattern}: give the range from low to high, such as {{000..009}}")
        words = [str(n).zfill(len(found[1])) for n in range(first, last + 1)]
    else:
        found = re.search(r"\{([^{}]*,[^{}]*)\}", pattern)
        if found is None:
            return [pattern]
        words = found[1].split(",")
    before, after = pattern[: found.start()], pattern[found.end() :]
    return [name for word in words for name in _unfolded(f"{before}{word}{after}")]


def _files_in(folder: Path) -> list[Path]:
    """Return the tables or archives in a folder that holds nothing else that could be data."""
    found = sorted(p for p in folder.rglob("*") if p.is_file() and not _is_hidden(p, folder))
    held = [p for p in found if p.suffix.lower() not in BESIDE]
    tables = [path for path in held if path.suffix in ENDINGS]
    if tables and len(tables) == len(held) and is_image_table(tables[0]):
        return tables
    archives = [path for path in held if is_named_archive(path.name)]
    return archives if archives and len(archives) == len(held) else []


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def has_pictures(path: Path) -> bool:
    """Return whether what may be a table or an archive of tables holds pictures."""
    if path.suffix in ENDINGS:
        return is_image_table(path)
    if path.suffix.lower() != ".zip":
        return False
    kinds = images.suffixes().union(VIDEOS)
    return any(Path(parts[-1]).suffix.lower() in kinds for parts in Packed(path).entries)


def in_parts(files: Sequence[Path]) -> tuple[list[list[Path]], tuple[str, ...]]:
    """Return files for training and, if there are some, those for the test, and a note on others.

    The part is a word of the file's name, or of the folder that it lies in.
    """
    by_word: dict[str, list[Path]] = {}
    for path in files:
        by_word.setdefault(_part_of(path, files), []).append(path)
    train = next((by_word[word] for word in TRAIN_NAMES if word in by_word), None)
    test = next((by_word[word] for word in TEST_NAMES if word in by_word), None)
    if train is None:
        return [list(files)], ()
    taken = [train] if test is None else [train, test]
    others = [str(path) for path in files if not any(path in part for part in taken)]
    note = f"{len(others)} files were left out: {', '.join(others[:5])}."
    return taken, (note,) if others else ()


def _part_of(path: Path, files: Sequence[Path]) -> str:
    words = re.split(r"[^a-z]+", path.stem.lower())
    if len(files) > 1:
        words += re.split(r"[^a-z]+", path.parent.name.lower())
    return next((word for word in words if word in (*TRAIN_NAMES, *TEST_NAMES)), "")


def opened(path: Path, label: str | None = None) -> Archive:
    """Return a table, with its column of classes if that is named, or an archive."""
    return ImageTable(path, label) if path.suffix in ENDINGS else Packed(path)
