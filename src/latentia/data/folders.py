"""Folders of pictures: labels from sub-folders, parts from ``train`` and ``test``."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from latentia.data import images
from latentia.data.dataset import Array, Dataset, Part, whole
from latentia.data.limits import check_bytes, excess
from latentia.errors import InputError
from latentia.files import printable

SIDECARS = {"thumbs.db", "desktop.ini"}
TRAIN_NAMES = ("train", "training")
TEST_NAMES = ("test", "testing", "val", "valid", "validation")
MOST_NAMED = 20
WIDENED = ("it is grey, and got three equal channels",)

File = TypeVar("File")
Content = TypeVar("Content")
Take = Callable[[int], None]
"""Told how many bytes a picture takes, before they are taken."""


class Contents(NamedTuple):
    """What lies in a folder, its sub-folders and its links to folders, each sorted by path."""

    files: list[Path]
    """What may be pictures."""
    odd: list[tuple[Path, str]]
    """What cannot be read, and why."""
    hidden: list[Path]
    """Hidden files, and other programs' own."""


def contents(folder: Path, skip: Collection[Path] = ()) -> Contents:
    """Return all that lies in a folder, but for some of its sub-folders."""
    found = Contents([], [], [])
    for path, reason in sorted(_walked(folder, (), skip)):
        if _is_hidden(path, folder):
            found.hidden.append(path)
        elif reason:
            found.odd.append((path, reason))
        else:
            found.files.append(path)
    return found


def _walked(
    folder: Path, above: tuple[Path, ...], skip: Collection[Path]
) -> Iterator[tuple[Path, str]]:
    """Yield each file below a folder, and why it cannot be read, if so."""
    real = folder.resolve()
    if real in above:
        yield folder, "it is a link to a folder that it lies in"
        return
    try:
        paths = list(folder.iterdir())
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


def _is_hidden(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return hidden or path.name.lower() in SIDECARS


def load_folder(folder: Path, random_state: int, image_size: int | None) -> Dataset:
    """Return a folder of pictures as a data set; what was left out or assumed is in its notes."""
    parts = train_and_test(folder)
    read = _of_the_same_classes([read_part(part, image_size) for part in parts or [folder]])
    data = whole(read, printable(folder.name), random_state)
    return dataclasses.replace(data, notes=(*beside(folder, parts), *data.notes)) if parts else data


def _of_the_same_classes(parts: Sequence[Part]) -> list[Part]:
    """Return parts whose numbers stand for the same classes, if all have some, and at least two."""
    names = sorted({name for part in parts for name in part.class_names})
    if len(names) < 2 or any(part.y is None for part in parts):
        return [dataclasses.replace(part, y=None, class_names=()) for part in parts]
    found = []
    for part in parts:
        places = np.array([names.index(name) for name in part.class_names])
        found.append(dataclasses.replace(part, y=places[part.y], class_names=tuple(names)))
    return found


def lasting(spec: str) -> str:
    """Return paths, with commas between, made absolute: a run can be resumed from any folder."""
    return ",".join(str(Path(part).expanduser().resolve()) for part in spec.split(","))


def sub_folders(folder: Path, *names: str) -> tuple[Path, ...] | None:
    """Return the sub-folders of these names, whatever their case, or None if one is not there."""
    # A name as it was asked for comes last, and wins.
    there = sorted(folder.iterdir(), key=lambda path: path.name in names)
    held = {path.name.lower(): path for path in there if path.is_dir()}
    wanted = [name.lower() for name in names]
    return tuple(held[name] for name in wanted) if held.keys() >= set(wanted) else None


def parts_in(folder: Path, *sides: str) -> list[tuple[Path, ...]]:
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


def train_and_test(folder: Path) -> list[Path]:
    """Return the sub-folders for training and test, or for training if it is the only one."""
    found = [path for (path,) in parts_in(folder, "")]
    alone = len(found) == 1 and all(
        path == found[0] or path.name.startswith(".") or not path.is_dir()
        for path in folder.iterdir()
    )
    return found if alone or len(found) == 2 else []


def beside(folder: Path, taken: Collection[Path]) -> tuple[str, ...]:
    """Return notes on what lies in a folder beside the sub-folders that are taken from it."""
    found = contents(folder, taken)
    paths = [*found.files, *(path for path, _ in found.odd)]
    names = ", ".join(path.name for path in taken)
    notes = []
    if any(path.name[0].isupper() for path in taken if len(path.name) > 1):
        notes.append(f"{names} were taken as the parts of {folder.name}.")
    if paths:
        n = len(paths)
        notes.append(
            f"{n} file{'s' if n > 1 else ''} in {folder.name} beside {names} "
            f"{'were' if n > 1 else 'was'} left out: {listed([str(path) for path in paths])}."
        )
    return (*notes, *passed_over(found.hidden))


def passed_over(hidden: Sequence[Path]) -> tuple[str, ...]:
    """Return a note on hidden files, if there are any."""
    words = "hidden file" if len(hidden) == 1 else "hidden files"
    named = listed([str(path) for path in hidden])
    return (f"{len(hidden)} {words} not looked at: {named}.",) if hidden else ()


def left_out(bad: Sequence[tuple[Path, str]], n: int, unit: str = "files") -> tuple[str, ...]:
    """Return a note on those of n files that were left out, if there are any."""
    lines = [f"{path}: {reason}" for path, reason in bad]
    return (f"{len(bad)} of {n} {unit} were left out: {listed(lines)}.",) if bad else ()


def remarks(read: Sequence[tuple[Path, Sequence[str]]]) -> tuple[str, ...]:
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


def read_part(folder: Path, image_size: int | None) -> Part:
    """Return the pictures in a folder, labelled by its sub-folders; bad ones are in the notes."""
    found = contents(folder)
    n = len(found.files) + len(found.odd)
    if not n:
        raise InputError(f"{folder} holds no files; give a folder of images")
    good, failed = read_all(
        found.files,
        lambda path, take: images.read(path, image_size, take),
        f"the pictures in {folder}",
    )
    bad = sorted([*found.odd, *failed])
    if not good:
        lines = [f"{path}: {reason}" for path, reason in bad]
        raise InputError(f"none of the {n} files in {folder} is a usable image: {listed(lines)}")
    x = stack([pixels for _, (pixels, _) in good], folder)
    widened = [(path, WIDENED) for path, (pixels, _) in good if pixels.ndim < x.ndim - 1]
    y, names, unlabelled = _labels([path for path, _ in good], folder)
    notes = (
        *left_out(bad, n),
        *remarks([*((path, notes) for path, (_, notes) in good), *widened]),
        *unlabelled,
        *passed_over(found.hidden),
    )
    files = np.array([printable(str(path.relative_to(folder))) for path, _ in good])
    return Part(x, y, names, notes, names=files)


def listed(items: list[str]) -> str:
    """Return the first items, and how many more there are."""
    more = f"; and {len(items) - MOST_NAMED} more" if len(items) > MOST_NAMED else ""
    return printable("; ".join(items[:MOST_NAMED])) + more


def stack(pictures: list[Array], folder: Path) -> Array:
    """Return pictures of one size as one array, grey ones in three channels if others have them."""
    sizes = Counter(picture.shape[-2:] for picture in pictures)
    if len(sizes) > 1:
        seen = ", ".join(f"{h}×{w} ({n})" for (h, w), n in sizes.most_common(4))
        raise InputError(
            f"the images in {folder} have {len(sizes)} different sizes, such as {seen}; choose "
            "one side with --image-size"
        )
    if all(picture.ndim == 2 for picture in pictures):
        return np.stack(pictures)
    check_bytes(len(pictures) * max(p.nbytes for p in pictures), f"the pictures in {folder}")
    return np.stack([p if p.ndim == 3 else np.repeat(p[None], 3, axis=0) for p in pictures])


def _labels(
    paths: list[Path], folder: Path
) -> tuple[Array | None, tuple[str, ...], tuple[str, ...]]:
    """Return class numbers and names from sub-folders, and a note where there could be some."""
    names = [path.relative_to(folder).parts[0] if path.parent != folder else "" for path in paths]
    classes, y = np.unique(names, return_inverse=True)
    if "" not in names:
        return y.astype(np.int64), tuple(printable(str(name)) for name in classes), ()
    loose = [str(path) for path, name in zip(paths, names) if not name]
    note = f"sub-folders were not taken as classes, since files lie beside them: {listed(loose)}."
    return None, (), (note,) if len(classes) > 1 else ()
