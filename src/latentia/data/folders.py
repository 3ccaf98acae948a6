"""Folders of pictures: labels from sub-folders, parts from ``train`` and ``test``."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from latentia.data import images
from latentia.data.dataset import Array, Dataset, Part, join, split
from latentia.errors import InputError

SIDECARS = {"thumbs.db", "desktop.ini"}
TEST_NAMES = ("test", "val", "valid", "validation")
MOST_NAMED = 20


def load_folder(folder: Path, random_state: int, image_size: int | None) -> Dataset:
    """Return a folder of pictures as a data set; bad files are named in its notes."""
    train = folder / "train"
    test = next((folder / name for name in TEST_NAMES if (folder / name).is_dir()), None)
    if train.is_dir() and test is not None:
        return join(read_part(train, image_size), read_part(test, image_size), folder.name)
    return split(read_part(folder, image_size), folder.name, random_state)


def read_part(folder: Path, image_size: int | None) -> Part:
    """Return the pictures in a folder, labelled by its sub-folders; bad ones are in the notes."""
    paths = [path for path in sorted(folder.rglob("*")) if is_candidate(path, folder)]
    if not paths:
        raise InputError(f"{folder} holds no files; give a folder of images")
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda path: _outcome(path, image_size), paths))
    bad = [f"{p}: {o}" for p, o in zip(paths, outcomes, strict=True) if isinstance(o, str)]
    good = [(p, o) for p, o in zip(paths, outcomes, strict=True) if not isinstance(o, str)]
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


def is_candidate(path: Path, folder: Path) -> bool:
    """Return whether a file may be a picture: it is not hidden, nor another program's own."""
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.is_file() and not hidden and path.name.lower() not in SIDECARS


def _outcome(path: Path, side: int | None) -> tuple[Array, tuple[str, ...]] | str:
    try:
        return images.read(path, side)
    except images.BadImageError as error:
        return str(error)


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
