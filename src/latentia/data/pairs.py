"""Pairs of images, input and target, in their usual layouts.

FOLDER              pictures side by side in one file, input left, target right; in ``train``
                    and ``test`` (or ``val``), or all together
FOLDER              with ``trainA``, ``trainB``, ``testA``, ``testB``, or ``A`` and ``B``, or
                    ``input`` and ``target``: files of equal names make a pair
FOLDER,FOLDER       the same, wherever the two are
LIST.csv (.txt)     a line "input,target" for each pair: paths, relative to the list
FILE.npz            arrays ``x``, ``y``, or ``input``, ``target``, or ``x_train`` ... ``y_test``
KIND:DATA           pairs that are made of any images, KIND one of edges, grey, noisy, holes,
                    moving (`latentia.data.made_pairs`)
NAME                a named set of images: the same as edges:NAME
ANY:reversed        input and target exchanged
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from latentia.data import images, named
from latentia.data.arrays import checked_part, opened
from latentia.data.dataset import Array, Dataset, Part, whole
from latentia.data.folders import (
    lasting,
    listed,
    parts_in,
    pictures_in,
    read_all,
    stack,
    train_and_test,
)
from latentia.data.made_pairs import KINDS, made_pairs
from latentia.errors import Count, InputError, Seed, check_arguments

REVERSED = ":reversed"
EDGES = "edges"
SIDES = (("A", "B"), ("input", "target"))
ARRAYS = (("x", "y"), *SIDES)

Files = list[tuple[Path, Path]]


def load_pairs(spec: str, *, random_state: Seed = 0, image_size: Count | None = None) -> Dataset:
    """Return pairs of images as a data set whose ``pair_train`` and ``pair_test`` are the targets.

    Parameters
    ----------
    spec
        One of the layouts above.
    random_state
        Of the held-out tenth, where the data have no test part.
    image_size
        Side in pixels that pictures are resized to, after they were cut apart.
    """
    check_arguments(load_pairs, locals())
    plain = spec.removesuffix(REVERSED)
    data, train, test = _load(plain, random_state, image_size)
    if plain != spec:
        x_train, x_test = data.x_train, data.x_test
        data, train, test = dataclasses.replace(data, x_train=train, x_test=test), x_train, x_test
    kept = (data.spec or lasting(plain)) + spec[len(plain) :]
    return dataclasses.replace(
        data, spec=kept, image_size=image_size, pair_train=train, pair_test=test
    )


def _load(spec: str, random_state: int, image_size: int | None) -> tuple[Dataset, Array, Array]:
    """Return the inputs as a data set, and the targets of its two parts."""
    kind, _, made_of = (f"{EDGES}:{spec}" if spec in named.DESCRIPTIONS else spec).partition(":")
    if kind in KINDS and made_of:
        return made_pairs(kind, made_of, random_state, image_size)
    folders = [Path(part).expanduser() for part in spec.split(",")]
    path = folders[0]
    size = image_size
    if len(folders) == 2 and all(folder.is_dir() for folder in folders):
        parts = [_read(equal_names(*folders), size)]
    elif path.is_dir() and len(folders) == 1:
        parts = [_read(files, size) for files in _layout(path)]
    elif path.suffix == ".npz" and path.is_file():
        parts = _arrays(path)
    elif path.suffix in (".csv", ".txt") and path.is_file():
        parts = [_read(_list_of(path), size)]
    else:
        raise InputError(
            f"{spec!r} names no pairs of images; give a folder of pictures side by side, or with "
            "sub-folders A and B, two folders with a comma between, a list .csv, an .npz, or "
            f"KIND:IMAGES with KIND one of {', '.join(KINDS)}"
        )
    # The same seed splits both sides alike.
    x, y = (whole([part[side] for part in parts], path.stem, random_state) for side in (0, 1))
    return x, y.x_train, y.x_test


def _layout(folder: Path) -> list[Files]:
    """Return the pairs of files of the training part, and of the test part if there is one."""
    for a, b in SIDES:
        if (folder / a).is_dir() and (folder / b).is_dir():
            return [equal_names(folder / a, folder / b)]
        if "train" in parts_in(folder, a, b):
            held = [name for name in parts_in(folder, a) if name != "train"][:1]
            return [equal_names(folder / f"{n}{a}", folder / f"{n}{b}") for n in ("train", *held)]
    return [
        [(path, path) for path in pictures_in(part)] for part in train_and_test(folder) or [folder]
    ]


def equal_names(inputs: Path, targets: Path) -> Files:
    """Return pairs of files with equal names, whatever their suffixes."""
    ours, theirs = (
        {str(path.relative_to(folder).with_suffix("")): path for path in pictures_in(folder)}
        for folder in (inputs, targets)
    )
    alone = sorted(set(ours) ^ set(theirs))
    if alone:
        raise InputError(
            f"{inputs} and {targets} must hold files of equal names; without a partner: "
            f"{listed(alone)}"
        )
    return [(ours[name], theirs[name]) for name in sorted(ours)]


def _list_of(path: Path) -> Files:
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [[word.strip() for word in line.split(",")] for line in lines if line]
    if rows and rows[0] == ["input", "target"]:
        rows = rows[1:]
    for row in rows:
        if len(row) != 2:
            raise InputError(f"{path}: {','.join(row)!r} is not 'input,target', two paths")
    found = [(path.parent / row[0], path.parent / row[1]) for row in rows]
    missing = [str(file) for pair in found for file in pair if not file.is_file()]
    if missing:
        raise InputError(f"{path} names files that are not there: {listed(missing)}")
    return found


def _read(files: Files, side: int | None) -> tuple[Part, Part]:
    """Return the readable pairs as two parts; what was left out is in the notes."""
    if not files:
        raise InputError("there are no pictures to pair")
    good, failed = read_all(files, lambda pair: _sides(*pair, side))
    bad = [f"{pair[0]}: {error}" for pair, error in failed]
    if not good:
        raise InputError(f"none of the {len(bad)} pairs can be used: {listed(bad)}")
    notes = (f"{len(bad)} of {len(files)} pairs were left out: {listed(bad)}.",) if bad else ()
    x, y = (stack([pair[i] for _, pair in good], files[0][i].parent) for i in (0, 1))
    return Part(x, notes=notes), Part(y)


def _sides(first: Path, second: Path, side: int | None) -> tuple[Array, Array]:
    """Return input and target from two files, or from the two halves of one."""
    if first != second:
        return images.read(first, side)[0], images.read(second, side)[0]
    pixels, _ = images.read(first)
    width = pixels.shape[-1]
    if width % 2:
        raise images.BadImageError(
            f"its width {width} is odd, so it is not two pictures side by side"
        )
    left, right = np.split(pixels, 2, axis=-1)
    return images.resized(left, side), images.resized(right, side)


def _arrays(path: Path) -> list[tuple[Part, Part]]:
    arrays = opened(path)
    pairs = [(f"x_{part}", f"y_{part}") for part in ("train", "test")]
    if not {key for pair in pairs for key in pair} <= set(arrays):
        pairs = [(x, y) for x, y in ARRAYS if x in arrays and y in arrays][:1]
    if pairs:
        return [
            (checked_part(arrays[x], f"{path}[{x}]"), checked_part(arrays[y], f"{path}[{y}]"))
            for x, y in pairs
        ]
    raise InputError(
        f"{path} holds {sorted(arrays)}; name the pairs 'x' and 'y', or 'input' and 'target'"
    )
