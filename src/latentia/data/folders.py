"""Folders of pictures: labels from sub-folders, parts from ``train`` and ``test``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from latentia.data import images
from latentia.data.dataset import Array, Dataset, Part, whole
from latentia.errors import InputError

SIDECARS = {"thumbs.db", "desktop.ini"}
TEST_NAMES = ("test", "val", "valid", "validation")
MOST_NAMED = 20

File = TypeVar("File")
Content = TypeVar("Content")


def load_folder(folder: Path, random_state: int, image_size: int | None) -> Dataset:
    """Return a folder of pictures as a data set; bad files are named in its notes."""
    parts = [read_part(part, image_size) for part in train_and_test(folder) or [folder]]
    return whole(parts, folder.name, random_state)


def lasting(spec: str) -> str:
    """Return paths, with commas between, made absolute: a run can be resumed from any folder."""
    return ",".join(str(Path(part).expanduser().resolve()) for part in spec.split(","))


def parts_in(folder: Path, *sides: str) -> list[str]:
    """Return which of ``train``, ``test``, ``val`` ... have a folder for each side: ``trainA``."""
    names = ("train", *TEST_NAMES)
    return [n for n in names if all((folder / f"{n}{side}").is_dir() for side in sides)]


def train_and_test(folder: Path) -> list[Path]:
    """Return the sub-folders for training and test, or none unless there are both."""
    found = parts_in(folder, "")[:2]
    return [folder / name for name in found] if len(found) == 2 and found[0] == "train" else []


def pictures_in(folder: Path) -> list[Path]:
    """Return the files that may be pictures: not hidden, and not another program's own."""
    return [path for path in sorted(folder.rglob("*")) if is_candidate(path, folder)]


def is_candidate(path: Path, folder: Path) -> bool:
    """Return whether a file in a folder may be a picture."""
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.is_file() and not hidden and path.name.lower() not in SIDECARS


def read_all(
    files: Sequence[File], read: Callable[[File], Content]
) -> tuple[list[tuple[File, Content]], list[tuple[File, str]]]:
    """Return what four threads could read, and what is wrong with the other files."""

    def outcome(file: File) -> tuple[Content | None, str]:
        try:
            return read(file), ""
        except images.BadImageError as error:
            return None, str(error)

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(zip(files, pool.map(outcome, files)))
    good = [(file, found) for file, (found, _) in outcomes if found is not None]
    return good, [(file, error) for file, (found, error) in outcomes if found is None]


def read_part(folder: Path, image_size: int | None) -> Part:
    """Return the pictures in a folder, labelled by its sub-folders; bad ones are in the notes."""
    paths = pictures_in(folder)
    if not paths:
        raise InputError(f"{folder} holds no files; give a folder of images")
    good, failed = read_all(paths, lambda path: images.read(path, image_size))
    bad = [f"{path}: {error}" for path, error in failed]
    if not good:
        raise InputError(
            f"none of the {len(bad)} files in {folder} is a usable image: {listed(bad)}"
        )
    notes = [f"{path}: {note}." for path, (_, found) in good for note in found]
    if bad:
        notes.append(f"{len(bad)} of {len(paths)} files were left out: {listed(bad)}.")
    x = stack([pixels for _, (pixels, _) in good], folder)
    y, names = _labels([path for path, _ in good], folder)
    return Part(x, y, names, tuple(notes[:MOST_NAMED]))


def listed(items: list[str]) -> str:
    """Return the first items, and how many more there are."""
    more = f"; and {len(items) - MOST_NAMED} more" if len(items) > MOST_NAMED else ""
    return "; ".join(items[:MOST_NAMED]) + more


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
    return np.stack([p if p.ndim == 3 else np.repeat(p[None], 3, axis=0) for p in pictures])


def _labels(paths: list[Path], folder: Path) -> tuple[Array | None, tuple[str, ...]]:
    names = [path.relative_to(folder).parts[0] if path.parent != folder else "" for path in paths]
    if "" in names or len(set(names)) < 2:
        return None, ()
    classes, y = np.unique(names, return_inverse=True)
    return y.astype(np.int64), tuple(str(name) for name in classes)
