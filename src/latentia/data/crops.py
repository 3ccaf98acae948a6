"""Folders of pictures of any sizes as square pieces of one size, at full sharpness.

A picture is never resized: that would change how sharp it is. Training pieces and test pieces come
from different pictures.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from latentia.data import idx, images, named
from latentia.data.dataset import Array, Dataset
from latentia.data.degrade import random_crops
from latentia.data.folders import MOST_NAMED, TEST_NAMES, is_candidate, listed
from latentia.errors import InputError, check_range

SIDE = 96
"""Of a piece where none is asked for: that of the SRGAN paper."""


def load_crops(spec: str, *, image_size: int | None = None, random_state: int = 0) -> Dataset:
    """Return random pieces of a folder's pictures, or any other data as it is.

    Parameters
    ----------
    spec
        A folder of pictures, in parts ``train`` and ``test`` or in one, of which every tenth
        picture is then held out; or what `latentia.data.load` takes.
    image_size
        Side of the pieces in pixels, 96 without it; other data than folders of pictures are
        resized to it as `latentia.data.load` does.
    random_state
        Of the pieces' places.
    """
    folder = Path(spec).expanduser()
    if spec in named.names() or not folder.is_dir() or idx.find(folder) is not None:
        return named.load(spec, random_state=random_state, image_size=image_size)
    check_range("image_size", image_size, 1)
    train, test, notes = _parts(folder)
    length = SIDE if image_size is None else image_size
    return Dataset(
        name=folder.name,
        x_train=random_crops(train, length, random_state=random_state),
        y_train=None,
        x_test=random_crops(test, length, random_state=random_state + 1),
        y_test=None,
        spec=str(folder.resolve()),
        image_size=length,
        description=f"pieces of {length}×{length} pixels of {len(train) + len(test)} pictures",
        notes=notes,
        own_test=False,
    )


def read_pictures(folder: Path) -> tuple[list[Array], list[str]]:
    """Return the pictures in a folder as (3, H, W) uint8, and what is wrong with other files."""
    found, bad = [], []
    for path in sorted(folder.rglob("*")):
        if not is_candidate(path, folder):
            continue
        try:
            pixels, _ = images.read(path, None)
        except images.BadImageError as error:
            bad.append(f"{path}: {error}")
        else:
            found.append(pixels if pixels.ndim == 3 else np.repeat(pixels[None], 3, axis=0))
    return found, bad


def _parts(folder: Path) -> tuple[list[Array], list[Array], tuple[str, ...]]:
    """Return training pictures, test pictures and notes."""
    held_out = next((folder / name for name in TEST_NAMES if (folder / name).is_dir()), None)
    if held_out is not None and (folder / "train").is_dir():
        (train, bad), (test, more) = read_pictures(folder / "train"), read_pictures(held_out)
        bad += more
        notes = []
    else:
        pictures, bad = read_pictures(folder)
        train, test = [p for n, p in enumerate(pictures) if n % 10 != 9], pictures[9::10]
        notes = [f"{folder.name} has no test part: every tenth picture was held out for it."]
    if bad:
        notes.append(f"{len(bad)} files were left out: {listed(bad)}.")
    if not train or not test:
        raise InputError(
            f"{folder} holds {len(train)} pictures to train and {len(test)} to test on; give at "
            "least 10, or folders train and test"
        )
    return train, test, tuple(notes[:MOST_NAMED])
