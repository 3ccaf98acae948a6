"""Pairs of images, input and target, in the layouts that people have them in.

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

Nothing here imports torch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from latentia.data import images, named
from latentia.data.arrays import checked_part, opened
from latentia.data.dataset import Array, Dataset, Part, join, split
from latentia.data.folders import TEST_NAMES, is_candidate, listed, stack
from latentia.data.made_pairs import KINDS, made_pairs
from latentia.errors import InputError, check_range

REVERSED = ":reversed"
EDGES = "edges"
SIDES = (("A", "B"), ("input", "target"))
ARRAYS = (("x", "y"), *SIDES)
MOST_NAMED = 20

Files = list[tuple[Path, Path]]
Pair = tuple[Array, Array]


def load_pairs(spec: str, *, random_state: int = 0, image_size: int | None = None) -> Dataset:
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
    check_range("image_size", image_size, 1)
    plain = spec.removesuffix(REVERSED)
    data, train, test = _load(plain, random_state, image_size)
    if plain != spec:
        x_train, x_test = data.x_train, data.x_test
        data, train, test = dataclasses.replace(data, x_train=train, x_test=test), x_train, x_test
    lasting = (data.spec or _lasting(plain)) + spec[len(plain) :]
    return dataclasses.replace(
        data, spec=lasting, image_size=image_size, pair_train=train, pair_test=test
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
    x, y = (_dataset([part[side] for part in parts], path.stem, random_state) for side in (0, 1))
    return x, y.x_train, y.x_test


def _dataset(parts: Sequence[Part], name: str, random_state: int) -> Dataset:
    """Return one side of the pairs; the same seed parts both sides alike."""
    if len(parts) == 1:
        return split(parts[0], name, random_state)
    return join(parts[0], parts[1], name)


def _layout(folder: Path) -> list[Files]:
    """Return the pairs of files of the training part, and of the test part if there is one."""
    tests = [name for name in TEST_NAMES if (folder / name).is_dir()]
    for a, b in SIDES:
        if (folder / a).is_dir() and (folder / b).is_dir():
            return [equal_names(folder / a, folder / b)]
        if (folder / f"train{a}").is_dir() and (folder / f"train{b}").is_dir():
            held = [n for n in TEST_NAMES if (folder / f"{n}{a}").is_dir()][:1]
            return [equal_names(folder / f"{n}{a}", folder / f"{n}{b}") for n in ("train", *held)]
    if (folder / "train").is_dir() and tests:
        return [_side_by_side(folder / part) for part in ("train", tests[0])]
    return [_side_by_side(folder)]


def _pictures(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if is_candidate(path, folder)]


def _side_by_side(folder: Path) -> Files:
    return [(path, path) for path in _pictures(folder)]


def equal_names(inputs: Path, targets: Path) -> Files:
    """Return pairs of files with equal names, whatever their suffixes."""
    ours, theirs = (
        {str(path.relative_to(folder).with_suffix("")): path for path in _pictures(folder)}
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
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda pair: _outcome(pair, side), files))
    bad = [f"{f[0]}: {o}" for f, o in zip(files, outcomes, strict=True) if isinstance(o, str)]
    good = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    if not good:
        raise InputError(f"none of the {len(bad)} pairs can be used: {listed(bad)}")
    notes = (f"{len(bad)} of {len(files)} pairs were left out: {listed(bad)}.",) if bad else ()
    folders = files[0][0].parent, files[0][1].parent
    stacks = [stack([pair[i] for pair in good], folders[i]) for i in (0, 1)]
    return Part(stacks[0], notes=notes), Part(stacks[1])


def _outcome(pair: tuple[Path, Path], side: int | None) -> Pair | str:
    try:
        if pair[0] != pair[1]:
            return images.read(pair[0], side)[0], images.read(pair[1], side)[0]
        pixels, _ = images.read(pair[0])
        if pixels.shape[-1] % 2:
            return f"its width {pixels.shape[-1]} is odd, so it is not two pictures side by side"
        left, right = np.split(pixels, 2, axis=-1)
        return images.resized(left, side), images.resized(right, side)
    except images.BadImageError as error:
        return str(error)


def _arrays(path: Path) -> list[tuple[Part, Part]]:
    arrays = opened(path)
    part: Callable[[str], Part] = lambda key: checked_part(arrays[key], f"{path}[{key}]")  # noqa: E731
    if {"x_train", "y_train", "x_test", "y_test"} <= set(arrays):
        return [(part(f"x_{name}"), part(f"y_{name}")) for name in ("train", "test")]
    for x, y in ARRAYS:
        if x in arrays and y in arrays:
            return [(part(x), part(y))]
    raise InputError(
        f"{path} holds {sorted(arrays)}; name the pairs 'x' and 'y', or 'input' and 'target'"
    )


def _lasting(spec: str) -> str:
    """Return paths made absolute, so that a run can be resumed anywhere."""
    return ",".join(str(Path(part).expanduser().resolve()) for part in spec.split(","))
