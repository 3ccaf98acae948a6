"""Pairs of images, input and target, in their usual layouts.

FOLDER              pictures side by side in one file, input left, target right; in ``train``
                    and ``test`` (or ``val``), or all together
FOLDER              with ``trainA``, ``trainB``, ``testA``, ``testB``, or ``A`` and ``B``, or
                    ``input`` and ``target``: files of equal names make a pair
FOLDER,FOLDER       the same, wherever the two are; archives (.zip, .tar) are read as folders
LIST.csv (.txt)     a line "input,target" for each pair: paths, relative to the list
FILE.npz            arrays ``x``, ``y``, or ``input``, ``target``, or ``x_train`` ... ``y_test``
KIND:DATA           pairs that are made of any images, KIND one of edges, sketch, grey,
                    noisy, holes, moving (`latentia.data.made_pairs`)
NAME                a named set of images: the same as edges:NAME
ANY:reversed        input and target exchanged
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple

import numpy as np

from latentia.data import images, named
from latentia.data.archives import Place
from latentia.data.array_files import opened
from latentia.data.arrays import checked_part
from latentia.data.dataset import Array, Dataset, ImageSize, Part, whole
from latentia.data.folders import (
    Take,
    beside,
    by_reason,
    contents,
    lasting,
    left_out,
    listed,
    parts_in,
    passed_over,
    read_all,
    remarks,
    sub_folders,
    train_and_test,
)
from latentia.data.framing import Frame, frame_of
from latentia.data.made_pairs import KINDS, made_pairs
from latentia.data.picture_sources import place_of
from latentia.data.pictures import Settled, name_of, settled, stack
from latentia.data.unread import refuse_address
from latentia.errors import InputError, Seed, check_arguments
from latentia.files import printable

REVERSED = ":reversed"
EDGES = "edges"
SIDES = (("A", "B"), ("input", "target"))
ARRAYS = (("x", "y"), *SIDES)

Pair = tuple[Place, Place]


class Files(NamedTuple):
    """Pairs of files, one file twice if its halves are the two, and notes on others."""

    pairs: list[Pair]
    notes: tuple[str, ...] = ()


def load_pairs(spec: str, *, random_state: Seed = 0, image_size: ImageSize = None) -> Dataset:
    """Return pairs of images as a data set whose ``pair_train`` and ``pair_test`` are the targets.

    Parameters
    ----------
    spec
        One of the layouts above.
    random_state
        Of the held-out tenth, where the data have no test part.
    image_size
        What pictures in files are resized to, after they were cut apart, as for
        `latentia.data.load`.
    """
    check_arguments(load_pairs, locals())
    frame_of(image_size)
    refuse_address(spec)
    plain = spec.removesuffix(REVERSED)
    data, train, test = _load(plain, random_state, image_size)
    if plain != spec:
        x_train, x_test = data.x_train, data.x_test
        data, train, test = dataclasses.replace(data, x_train=train, x_test=test), x_train, x_test
    kept = (data.spec or lasting(plain)) + spec[len(plain) :]
    return dataclasses.replace(data, spec=kept, pair_train=train, pair_test=test)


def _load(spec: str, random_state: int, image_size: ImageSize) -> tuple[Dataset, Array, Array]:
    """Return the inputs as a data set, and the targets of its two parts."""
    kind, _, made_of = (f"{EDGES}:{spec}" if spec in named.DESCRIPTIONS else spec).partition(":")
    if kind in KINDS and made_of:
        return made_pairs(kind, made_of, random_state, image_size)
    path, folder = Path(spec).expanduser(), place_of(spec)
    both = [place_of(part) for part in spec.split(",")]
    if folder is None and len(both) == 2 and both[0] is not None and both[1] is not None:
        files = [equal_names(both[0], both[1])]
        folder = both[0]
    elif path.suffix == ".npz" and path.is_file():
        named.refuse_size(image_size, path.name)
        return _in_two(_arrays(path), printable(path.stem), random_state)
    elif folder is not None:
        files = _layout(folder)
    elif path.suffix in (".csv", ".txt") and path.is_file():
        files, folder = [_list_of(path)], path
    else:
        raise InputError(
            f"{spec!r} names no pairs of images; give a folder of pictures side by side, or with "
            "sub-folders A and B, two folders with a comma between, a list .csv, an .npz, or "
            f"KIND:IMAGES with KIND one of {', '.join(KINDS)}"
        )
    name = printable(Path(name_of(folder)).stem)
    how = _settled(files, image_size, name)
    data, train, test = _in_two([_read(part, how.frame) for part in files], name, random_state)
    return how.told(data), train, test


def _in_two(
    parts: list[tuple[Part, Part]], name: str, random_state: int
) -> tuple[Dataset, Array, Array]:
    """Return pairs of parts as a data set of inputs, and both parts' targets."""
    # The same seed splits both sides alike.
    x, y = (whole([part[side] for part in parts], name, random_state) for side in (0, 1))
    return x, y.x_train, y.x_test


def _settled(parts: list[Files], image_size: ImageSize, name: str) -> Settled:
    """Return what pairs are brought to."""
    firsts = [pair for part in parts for pair in part.pairs]
    together = any(first == second for first, second in firsts)
    return settled([first for first, _ in firsts], image_size, name, halves=together)


def _layout(folder: Place) -> list[Files]:
    """Return the pairs of files of the training part, and of the test part if there is one."""
    for sides in SIDES:
        both = sub_folders(folder, *sides)
        parts = [both] if both else parts_in(folder, *sides)
        if parts:
            found = [equal_names(*part) for part in parts]
            return _with_notes(found, beside(folder, [side for part in parts for side in part]))
    halves = train_and_test(folder)
    found = [_halves(part) for part in halves or [folder]]
    return _with_notes(found, beside(folder, halves) if halves else ())


def _with_notes(parts: list[Files], notes: tuple[str, ...]) -> list[Files]:
    return [parts[0]._replace(notes=notes + parts[0].notes), *parts[1:]]


def _halves(folder: Place) -> Files:
    found = contents(folder)
    notes = left_out(found.odd, len(found.files) + len(found.odd)) + passed_over(found.hidden)
    return Files([(path, path) for path in found.files], notes)


def equal_names(inputs: Place, targets: Place) -> Files:
    """Return pairs of files with equal names, whatever their suffixes.

    Files that are no pictures by their names and have no partner are left out; pictures without a
    partner, and two pictures of one name, are refused.
    """
    found = [contents(folder) for folder in (inputs, targets)]
    ours, theirs = (_by_name(side.files, f) for side, f in zip(found, (inputs, targets)))
    alone, known = sorted(ours.keys() ^ theirs.keys()), images.suffixes()
    spare = {(ours | theirs)[name] for name in alone}
    pictures = [name for name in alone if (ours | theirs)[name].suffix.lower() in known]
    if pictures:
        raise InputError(
            f"{inputs} and {targets} must hold files of equal names; without a partner: "
            f"{listed(pictures)}"
        )
    names = sorted(ours.keys() & theirs.keys())
    used = {side[name] for name in names for side in (ours, theirs)}
    files = [path for side in found for path in side.files]
    why = {True: "it has no partner", False: "a picture has its name"}
    bad = [(path, why[path in spare]) for path in files if path not in used]
    bad += [odd for side in found for odd in side.odd]
    hidden = [path for side in found for path in side.hidden]
    notes = left_out(
        sorted(bad, key=lambda pair: pair[0].parts), len(used) + len(bad)
    ) + passed_over(hidden)
    return Files([(ours[name], theirs[name]) for name in names], notes)


def _by_name(files: list[Place], folder: Place) -> dict[str, Place]:
    """Return files by their names without suffixes: of several, the one that is a picture."""
    groups: dict[str, list[Place]] = {}
    for path in files:
        name = str(Path(*path.parts[len(folder.parts) :]).with_suffix(""))
        groups.setdefault(name, []).append(path)
    known, found = images.suffixes(), {}
    for name, group in groups.items():
        pictures = [path for path in group if path.suffix.lower() in known]
        if len(pictures) > 1:
            raise InputError(
                f"{' and '.join(map(str, pictures))} have one name, so that it is not clear which "
                "has the partner; leave one out"
            )
        found[name] = (pictures or group)[0]
    return found


def _list_of(path: Path) -> Files:
    # Names in other bytes than UTF-8 are escaped, as they are everywhere else.
    text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    lines = [line.strip() for line in text.splitlines()]
    rows = [[word.strip() for word in line.split(",")] for line in lines if line]
    if rows and rows[0] == ["input", "target"]:
        rows = rows[1:]
    for row in rows:
        if len(row) != 2:
            raise InputError(f"{path}: {','.join(row)!r} is not 'input,target', two paths")
    named_ = [path.parent / name for row in rows for name in row]
    missing = [str(file) for file in named_ if not file.is_file()]
    found: list[Pair] = list(zip(named_[::2], named_[1::2]))
    if missing:
        raise InputError(f"{path} names files that are not there: {listed(missing)}")
    return Files(found)


def _read(files: Files, side: Frame | None) -> tuple[Part, Part]:
    """Return the readable pairs as two parts; what was left out is in the notes."""
    if not files.pairs:
        raise InputError(" ".join(("there are no pictures to pair", *files.notes)))
    owner = f"the pairs in {files.pairs[0][0].parent}"
    good, failed = read_all(files.pairs, lambda pair, take: _sides(*pair, side, take), owner)
    bad = [(pair[0], error) for pair, error in failed]
    if not good:
        raise InputError(f"none of the {len(bad)} pairs can be used: {by_reason(bad)}")
    noted = [(path, notes) for pair, (_, _, found) in good for path, notes in zip(pair, found)]
    notes = (*left_out(bad, len(files.pairs), "pairs"), *remarks(noted), *files.notes)
    x = stack([found[0] for _, found in good], files.pairs[0][0].parent)
    y = stack([found[1] for _, found in good], files.pairs[0][1].parent)
    return Part(x, notes=notes), Part(y)


Notes = tuple[tuple[str, ...], ...]


def _sides(
    first: Place, second: Place, side: Frame | None, take: Take
) -> tuple[Array, Array, Notes]:
    """Return input and target from two files, or from the two halves of one, and both's notes."""
    n_in_file = 1 if first != second else 2

    def kept(n_bytes: int) -> None:
        take(n_bytes if side is None else min(n_bytes, 3 * n_in_file * side.width * side.height))

    if first != second:
        (x, x_notes), (y, y_notes) = (images.read(path, take=kept) for path in (first, second))
        _check_alike(x.shape[-2:], y.shape[-2:], f"{first} and {second}")
        return _framed(x, side), _framed(y, side), (x_notes, y_notes)
    pixels, notes = images.read(first, take=kept)
    width = pixels.shape[-1]
    if width % 2:
        raise images.BadImageError(
            f"its width {width} is odd, so it is not two pictures side by side"
        )
    left, right = np.split(pixels, 2, axis=-1)
    return _framed(left, side), _framed(right, side), (notes,)


def _framed(pixels: Array, frame: Frame | None) -> Array:
    return pixels if frame is None else frame.of(pixels)


def _check_alike(size: tuple[int, ...], other: tuple[int, ...], owners: str) -> None:
    """Refuse a pair whose sides would be cut differently, so that they no longer lie together."""
    (h, w), (other_h, other_w) = size, other
    # A side that was scaled to whole pixels may be half a pixel from the other's proportions.
    if abs(h * other_w - w * other_h) * 2 > max(h + w, other_h + other_w):
        raise InputError(
            f"{owners} are a pair of {w}×{h} and {other_w}×{other_h} pixels, which do not lie on "
            "each other; give both the same proportions"
        )


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
