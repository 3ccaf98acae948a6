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
from latentia.data.folders import (
    beside,
    contents,
    left_out,
    listed,
    passed_over,
    read_all,
    remarks,
    train_and_test,
)
from latentia.errors import Count, InputError, Seed, check_arguments
from latentia.files import printable

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
    length = SIDE if image_size is None else image_size
    train, test, notes = _parts(folder, length)
    return Dataset(
        name=printable(folder.name),
        x_train=random_crops(train.values(), length, random_state=random_state),
        y_train=None,
        x_test=random_crops(test.values(), length, random_state=random_state + 1),
        y_test=None,
        spec=str(folder.resolve()),
        image_size=length,
        description=f"pieces of {length}×{length} pixels of {len(train) + len(test)} pictures",
        notes=notes,
        own_test=False,
    )


def read_pictures(folder: Path) -> tuple[list[Array], tuple[str, ...]]:
    """Return the pictures in a folder as (3, H, W) uint8, and notes on what was left out."""
    found, notes = _read(folder)
    return list(found.values()), notes


def _read(folder: Path) -> tuple[dict[Path, Array], tuple[str, ...]]:
    found = contents(folder)
    good, failed = read_all(
        found.files,
        lambda path, take: images.read(path, take=take),
        f"the pictures in {folder}",
    )
    notes = (
        *left_out(sorted([*found.odd, *failed]), len(found.files) + len(found.odd)),
        *remarks([(path, notes) for path, (_, notes) in good]),
        *passed_over(found.hidden),
    )
    return {path: p if p.ndim == 3 else np.repeat(p[None], 3, 0) for path, (p, _) in good}, notes


def _parts(
    folder: Path, length: int
) -> tuple[dict[Path, Array], dict[Path, Array], tuple[str, ...]]:
    """Return training pictures, test pictures and notes."""
    parts = train_and_test(folder)
    read = [_read(part) for part in parts or [folder]]
    train, test = read[0][0], read[-1][0]
    notes = beside(folder, parts) if parts else ()
    if len(read) == 1:
        held_out = list(train)[9::10]
        test = {path: train.pop(path) for path in held_out}
        rule = "every tenth picture was held out for it."
        notes = (*notes, f"{printable(folder.name)} has no test part: {rule}")
    notes = (*notes, *(note for _, found in read for note in found))
    if not train or not test:
        raise InputError(
            f"{folder} holds {len(train)} pictures to train and {len(test)} to test on; give at "
            f"least 10, or folders train and test{''.join(f' ({note})' for note in notes)}"
        )
    every = train | test
    small = [f"{path}" for path, picture in every.items() if min(picture.shape[-2:]) < length]
    if small:
        words = f"of {len(every)} pictures have a side under {length} pixels and gave no piece"
        notes = (*notes, f"{len(small)} {words}: {listed(small)}.")
    return train, test, notes
