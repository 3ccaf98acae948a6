"""Pictures of any sizes as square pieces of one size, at full sharpness.

A picture is never resized: that would change how sharp it is. Training pieces and test pieces come
from different pictures. Pictures are decoded one after another, and only their pieces stay in
memory: as many as cover each picture four times, or fewer where that would take more than an eighth
of `latentia.data.limits`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from latentia.data import images, limits, named
from latentia.data.archives import Place
from latentia.data.dataset import Array, Dataset, ImageSize
from latentia.data.degrade import n_pieces, pieces_of
from latentia.data.folders import Take, contents, left_out, listed, passed_over, read_all, remarks
from latentia.data.framing import frame_of
from latentia.data.picture_sources import grouped
from latentia.data.pictures import Gathered, gathered
from latentia.errors import InputError, Seed, check_arguments
from latentia.files import printable

SIDE = 96
"""Of a piece where none is asked for: that of the SRGAN paper."""
COVERAGE = 4.0
"""Pixels of a picture's pieces, in multiples of its own."""
SHARE = 8
"""The part of the limit of memory, one in so many, that all pieces take together."""
CHANNELS = 3


class Pieces(NamedTuple):
    """Pieces of the pictures of one part."""

    x: Array
    n_pictures: int
    notes: tuple[str, ...]
    failed: list[tuple[Place, str]]


def load_crops(spec: str, *, image_size: ImageSize = None, random_state: Seed = 0) -> Dataset:
    """Return random pieces of pictures in folders or archives, or any other data as it is.

    Parameters
    ----------
    spec
        A folder or an archive of pictures, in parts ``train`` and ``test`` or in one, of which
        every tenth picture is then held out; or what `latentia.data.load` takes.
    image_size
        Side of the pieces in pixels, 96 without it.
    random_state
        Of the pieces' places.
    """
    check_arguments(load_crops, locals())
    frame_of(image_size)
    found = None if _is_other(spec) else grouped(spec)
    if found is None:
        return named.load(spec, random_state=random_state, image_size=image_size)
    length = _side(image_size)
    groups, notes = found
    name = printable(Path(spec).name)
    parts, more = _parts([gathered(group) for group in groups], name)
    sizes = _sizes([path for part in parts for path in part.files])
    coverage, budgeted = _coverage(sizes, length)
    train, test = (
        _cut(part, sizes, length, coverage, random_state + i) for i, part in enumerate(parts)
    )
    _check(parts, sizes, length, train, test)
    every = [*train.failed, *test.failed]
    n_files = sum(len(part.files) + len(part.odd) for part in parts)
    n = train.n_pictures + test.n_pictures
    return Dataset(
        name=name,
        x_train=train.x,
        y_train=None,
        x_test=test.x,
        y_test=None,
        spec=str(Path(spec).expanduser().resolve()),
        image_size=length,
        description=f"pieces of {length}×{length} pixels of {n} pictures",
        notes=(
            *notes,
            *more,
            *left_out(sorted(every, key=lambda pair: pair[0].parts), n_files),
            *train.notes,
            *test.notes,
            *passed_over([path for part in parts for path in part.hidden]),
            *_too_small(sizes, length),
            *budgeted,
        ),
        own_test=len(groups) > 1,
    )


def _is_other(spec: str) -> bool:
    """Return whether a spec names data that are no pictures in files."""
    path = Path(spec).expanduser()
    holds_none = path.is_file() and not named.may_hold_pictures(path)
    return holds_none or spec in named.names() or named.has_four_files(spec)


def _side(image_size: ImageSize) -> int:
    frame = frame_of(image_size)
    if image_size in ("fit", "crop") or (
        frame is not None and (frame.whole or frame.width != frame.height)
    ):
        raise InputError(
            f"image_size is {image_size!r}; pieces of pictures are squares that are cut out as "
            "they are: give one side in pixels, such as 96"
        )
    return SIDE if frame is None else frame.width


def read_pictures(folder: Path) -> tuple[list[Array], tuple[str, ...]]:
    """Return the pictures in a folder as (3, H, W) uint8, and notes on what was left out."""
    found = contents(folder)
    good, failed = read_all(
        found.files,
        lambda path, take: images.read(path, take=take),
        f"the pictures in {folder}",
    )
    bad = sorted([*found.odd, *failed], key=lambda pair: pair[0].parts)
    notes = (
        *left_out(bad, len(found.files) + len(found.odd)),
        *remarks([(path, notes) for path, (_, notes) in good]),
        *passed_over(found.hidden),
    )
    return [_coloured(pixels) for _, (pixels, _) in good], notes


def _coloured(picture: Array) -> Array:
    return picture if picture.ndim == CHANNELS else np.repeat(picture[None], CHANNELS, 0)


def _parts(found: Sequence[Gathered], name: str) -> tuple[list[Gathered], tuple[str, ...]]:
    """Return a training and a test part: every tenth picture where there is no test part."""
    if len(found) == 2:
        return list(found), ()
    (part,) = found
    known = [path for path in part.files if _size(path) is not None]
    held_out = set(known[9::10])
    train = part._replace(files=[path for path in part.files if path not in held_out])
    test = part._replace(files=known[9::10], odd=[], hidden=[])
    return [train, test], (f"{name} has no test part: every tenth picture was held out for it.",)


def _size(path: Place) -> tuple[int, int] | None:
    try:
        return images.size_of(path)
    except (images.BadImageError, *images.BROKEN):
        return None


def _sizes(files: Sequence[Place]) -> dict[Place, tuple[int, int]]:
    """Return the (width, height) of the pictures whose header can be read."""
    with images.quiet(), ThreadPoolExecutor(4) as pool:
        found = zip(files, pool.map(_size, files))
    return {path: size for path, size in found if size is not None}


def _coverage(sizes: Mapping[Place, tuple[int, int]], side: int) -> tuple[float, tuple[str, ...]]:
    """Return how often pieces cover a picture so that all fit in the budget; a note if less."""
    a_piece, budget = CHANNELS * side**2, limits.most_bytes() // SHARE
    n = sum(n_pieces(w, h, side, COVERAGE) for w, h in sizes.values())
    if n * a_piece <= budget:
        return COVERAGE, ()
    coverage = COVERAGE * budget / (n * a_piece)
    kept = sum(n_pieces(w, h, side, coverage) for w, h in sizes.values())
    return coverage, (
        f"{len(sizes)} pictures would give {n:,} pieces; {kept:,} were cut, which cover each "
        f"{coverage:.2g} times and take {kept * a_piece / 2**20:,.0f} MiB of memory; "
        f"{limits.VARIABLE} raises it.",
    )


def _cut(
    part: Gathered,
    sizes: Mapping[Place, tuple[int, int]],
    side: int,
    coverage: float,
    random_state: int,
) -> Pieces:
    """Decode the pictures of a part in turn, and keep the pieces of each."""
    known = [path for path in part.files if path in sizes]
    counts = [n_pieces(*sizes[path], side, coverage) for path in known]
    numbers = {path: number for number, path in enumerate(known)}
    firsts = np.concatenate([[0], np.cumsum(counts)]).astype(int)
    x = np.empty((firsts[-1], CHANNELS, side, side), np.uint8)
    there = np.zeros(len(x), bool)

    def read(path: Place, take: Take) -> tuple[str, ...]:
        pixels, notes = images.read(path)
        number = numbers[path]
        rows = slice(firsts[number], firsts[number + 1])
        pieces = pieces_of(_coloured(pixels), number, side, coverage, random_state)
        take(len(pieces) * x[:1].nbytes)
        x[rows] = np.stack(pieces) if pieces else x[rows]
        there[rows] = True
        return notes

    good, failed = read_all(part.files, read, f"the pieces of the pictures in {part.owner}")
    notes = remarks(list(good))
    return Pieces(x if there.all() else x[there], len(good), notes, [*part.odd, *failed])


def _check(
    parts: Sequence[Gathered],
    sizes: Mapping[Place, tuple[int, int]],
    side: int,
    train: Pieces,
    test: Pieces,
) -> None:
    """Refuse a part without pictures, or without pieces."""
    owner = parts[0].owner
    if not train.n_pictures or not test.n_pictures:
        notes = left_out([*train.failed, *test.failed], len(parts[0].files) + len(parts[0].odd))
        raise InputError(
            f"{owner} holds {train.n_pictures} pictures to train and {test.n_pictures} to test on; "
            f"give at least 10, or folders train and test{''.join(f' ({note})' for note in notes)}"
        )
    if not len(train.x) or not len(test.x):
        raise InputError(f"no picture has sides of at least {side} pixels; cut smaller crops")


def _too_small(sizes: Mapping[Place, tuple[int, int]], side: int) -> tuple[str, ...]:
    small = [str(path) for path, size in sizes.items() if min(size) < side]
    words = f"of {len(sizes)} pictures have a side under {side} pixels and gave no piece"
    return (f"{len(small)} {words}: {listed(small)}.",) if small else ()
