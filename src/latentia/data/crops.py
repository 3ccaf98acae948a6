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
from latentia.data.folders import MOST_NAMED, listed, pictures_in, read_all, train_and_test
from latentia.errors import Count, InputError, Seed, check_arguments

SIDE = 96
"""Of a piece where none is asked for: that of the SRGAN paper."""


def load_crops(spec: str, *, image_size: Count | None = None, random_state: Seed = 0) -> Dataset:
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
    check_arguments(load_crops, locals())
    folder = Path(spec).expanduser()
    if spec in named.names() or not folder.is_dir() or idx.find(folder) is not None:
        return named.load(spec, random_state=random_state, image_size=image_size)
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
    good, bad = read_all(pictures_in(folder), images.read)
    pictures = [pixels for _, (pixels, _) in good]
    coloured = [p if p.ndim == 3 else np.repeat(p[None], 3, axis=0) for p in pictures]
    return coloured, [f"{path}: {error}" for path, error in bad]


def _parts(folder: Path) -> tuple[list[Array], list[Array], tuple[str, ...]]:
    """Return training pictures, test pictures and notes."""
    read = [read_pictures(part) for part in train_and_test(folder) or [folder]]
    bad = [line for _, lines in read for line in lines]
    train, test = read[0][0], read[-1][0]
    notes = []
    if len(read) == 1:
        train, test = [p for n, p in enumerate(train) if n % 10 != 9], train[9::10]
        notes = [f"{folder.name} has no test part: every tenth picture was held out for it."]
    if bad:
        notes.append(f"{len(bad)} files were left out: {listed(bad)}.")
    if not train or not test:
        raise InputError(
            f"{folder} holds {len(train)} pictures to train and {len(test)} to test on; give at "
            "least 10, or folders train and test"
        )
    return train, test, tuple(notes[:MOST_NAMED])
