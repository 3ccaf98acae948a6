"""Folders of pictures: labels from sub-folders, parts from ``train`` and ``test``.

An archive is read as the folder that it holds (`latentia.data.archives`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from latentia.data import images
from latentia.data.archives import (
    OUTSIDE,
    SUPPORT,
    TEST_NAMES,
    TRAIN_NAMES,
    Place,
    part_of,
)
from latentia.data.limits import check_bytes, excess
from latentia.errors import first_of
from latentia.files import printable

SIDECARS = {"thumbs.db", "desktop.ini", "ehthumbs.db", *SUPPORT}
MOST_NAMED = 20
MOST_ALIKE = 5
"""Files that are named with the reason that all of them share."""

File = TypeVar("File")
Content = TypeVar("Content")
Take = Callable[[int], None]
"""Told how many bytes a picture takes, before they are taken."""


class Contents(NamedTuple):
    """What lies in a folder, its sub-folders and its links to folders, each sorted by path."""

    files: list[Place]
    """What may be pictures."""
    odd: list[tuple[Place, str]]
    """What cannot be read, and why."""
    hidden: list[Place]
    """Hidden files, and other programs' own."""


def contents(folder: Place, skip: Collection[Place] = ()) -> Contents:
    """Return all that lies in a folder, but for some of its sub-folders."""
    found = Contents([], [], [])
    for path, reason in sorted(_walked(folder, (), skip), key=lambda pair: pair[0].parts):
        if is_hidden(path, folder) and reason != OUTSIDE:
            found.hidden.append(path)
        elif reason:
            found.odd.append((path, reason))
        else:
            found.files.append(path)
    return found


def _walked(
    folder: Place, above: tuple[Place, ...], skip: Collection[Place]
) -> Iterator[tuple[Place, str]]:
    """Yield each file below a folder, and why it cannot be read, if so."""
    real = folder.resolve()
    if real in above:
        yield folder, "it is a link to a folder that it lies in"
        return
    try:
        paths: list[Place] = list(folder.iterdir())
    except OSError as error:
        yield folder, f"it cannot be opened: {error.strerror}"
        return
    for path in paths:
        if path in skip:
            continue
        if path.is_dir():
            yield from _walked(path, (*above, real), skip)
        else:
            yield path, images.oddity(path)


def is_hidden(path: Place, folder: Place | None = None) -> bool:
    """Return whether a name, or one below a folder, is hidden or of another program's own."""
    parts = [path.name] if folder is None else path.parts[len(folder.parts) :]
    return any(part.startswith(".") or part.lower() in SIDECARS for part in parts)


def once(notes: Sequence[str]) -> tuple[str, ...]:
    """Return notes without those that both parts have."""
    return tuple(dict.fromkeys(notes))


def lasting(spec: str) -> str:
    """Return paths, with commas between, made absolute: a run can be resumed from any folder."""
    return ",".join(str(Path(part).expanduser().resolve()) for part in spec.split(","))


def sub_folders(folder: Place, *names: str) -> tuple[Place, ...] | None:
    """Return the sub-folders of these names, whatever their case, or None if one is not there."""
    # A name as it was asked for comes last, and wins.
    paths: list[Place] = [path for path in folder.iterdir() if path.is_dir()]
    there = sorted(paths, key=lambda path: path.name in names)
    held = {part_of(path.name): path for path in there}
    held |= {path.name.lower(): path for path in there}
    wanted = [name.lower() for name in names]
    return tuple(held[name] for name in wanted) if held.keys() >= set(wanted) else None


def parts_in(folder: Place, *sides: str) -> list[tuple[Place, ...]]:
    """Return the folders for training, one for each side as in ``trainA``, then those for test.

    Without folders for training there are none.
    """
    found = []
    for names in (TRAIN_NAMES, TEST_NAMES):
        rows = (sub_folders(folder, *(f"{name}{side}" for side in sides)) for name in names)
        found += [row for row in rows if row is not None][:1]
        if not found:
            break
    return found


def train_and_test(folder: Place) -> list[Place]:
    """Return the sub-folders for training and test, or for training if it is the only one."""
    found = [path for (path,) in parts_in(folder, "")]
    alone = len(found) == 1 and all(
        path == found[0] or path.name.startswith(".") or not path.is_dir()
        for path in folder.iterdir()
    )
    return found if alone or len(found) == 2 else []


def beside(folder: Place, taken: Collection[Place], but: Collection[Place] = ()) -> tuple[str, ...]:
    """Return notes on what lies in a folder beside the sub-folders that are taken from it.

    Of the files in ``but`` something else is said.
    """
    found = contents(folder, [*taken, *but])
    paths = [*found.files, *(path for path, _ in found.odd)]
    names = ", ".join(path.name for path in taken)
    notes = []
    parts, called = [part_of(path.name) for path in taken], [path.name for path in taken]
    capital = any(name[0].isupper() for name in called if len(name) > 1)
    if capital or (all(parts) and parts != called):
        notes.append(f"{names} were taken as the parts of {folder.name}.")
    if paths:
        n = len(paths)
        notes.append(
            f"{n} file{'s' if n > 1 else ''} in {folder.name} beside {names} "
            f"{'were' if n > 1 else 'was'} left out: {listed([str(path) for path in paths])}."
        )
    return (*notes, *passed_over(found.hidden))


def passed_over(hidden: Sequence[Place]) -> tuple[str, ...]:
    """Return a note on hidden files, if there are any."""
    words = "hidden file" if len(hidden) == 1 else "hidden files"
    named = listed([str(path) for path in hidden])
    return (f"{len(hidden)} {words} not looked at: {named}.",) if hidden else ()


def left_out(bad: Sequence[tuple[Place, str]], n: int, unit: str = "files") -> tuple[str, ...]:
    """Return a note on those of n files that were left out, if there are any."""
    return (f"{len(bad)} of {n} {unit} were left out: {by_reason(bad)}.",) if bad else ()


def by_reason(bad: Sequence[tuple[object, object]]) -> str:
    """Return what could not be used, each reason once, with the first of those that it is of."""
    owners: dict[str, list[str]] = {}
    for path, reason in bad:
        owners.setdefault(str(reason), []).append(str(path))
    return listed([f"{_several(paths)}: {reason}" for reason, paths in owners.items()])


def _several(paths: Sequence[str]) -> str:
    counted = f" ({len(paths):,} in all)" if len(paths) > MOST_ALIKE else ""
    return first_of(paths, MOST_ALIKE) + counted


def remarks(read: Sequence[tuple[Place, Sequence[str]]]) -> tuple[str, ...]:
    """Return what was noted of each file as notes on all of them."""
    owners: dict[str, list[str]] = {}
    for path, notes in read:
        for note in notes:
            owners.setdefault(note, []).append(str(path))
    return tuple(
        f"{paths[0]}: {note}."
        if len(paths) == 1
        else f"{len(paths)} files, of each: {note} ({listed(paths)})."
        for note, paths in owners.items()
    )


def read_all(
    files: Sequence[File], read: Callable[[File, Take], Content], owner: str
) -> tuple[list[tuple[File, Content]], list[tuple[File, str]]]:
    """Return what four threads could read, and what is wrong with the other files.

    Raises
    ------
    InputError
        If the pictures, as the headers tell, would take more memory than `latentia.data.limits`
        allows; ``owner`` names them.
    """
    taken, lock = 0, threading.Lock()

    def take(n_bytes: int) -> None:
        nonlocal taken
        with lock:
            taken += n_bytes
        # Those that follow are counted and not read, so that the sentence tells what all take.
        if excess(taken):
            raise images.BadImageError("there is no memory left for it")

    def outcome(file: File) -> tuple[Content | None, str]:
        try:
            return read(file, take), ""
        except (images.BadImageError, OSError) as error:
            return None, str(error)

    with images.quiet(), ThreadPoolExecutor(4) as pool:
        outcomes = list(zip(files, pool.map(outcome, files)))
    check_bytes(taken, owner)
    good = [(file, found) for file, (found, _) in outcomes if found is not None]
    return good, [(file, error) for file, (found, error) in outcomes if found is None]


def listed(items: list[str]) -> str:
    """Return the first items, and how many more there are."""
    return printable(first_of(items, MOST_NAMED, ";"))
