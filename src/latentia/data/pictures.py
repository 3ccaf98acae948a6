"""Pictures in folders and archives as one array each for training and test.

They are labelled by what stands beside them (`latentia.data.picture_labels`) or by their
sub-folders, and brought to one size (`latentia.data.framing`).
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from latentia.data import images, limits, on_disk
from latentia.data.archives import NEUTRAL, Archive, Member, Place
from latentia.data.dataset import Array, Dataset, ImageSize, Part, split, whole
from latentia.data.folders import (
    Take,
    by_reason,
    contents,
    is_hidden,
    left_out,
    listed,
    once,
    passed_over,
    read_all,
    remarks,
)
from latentia.data.frames import frame_size, is_video, n_frames, read_frames
from latentia.data.framing import Frame, chosen_frame, frame_of
from latentia.data.many_bands import has_many_bands, size_of_bands
from latentia.data.options import NONE
from latentia.data.picture_labels import read_beside, words_in_names
from latentia.data.unread import of_camera
from latentia.errors import InputError
from latentia.files import composed, printable

AROUND = "it lies beside the folder of pictures"

HALF = (
    "classes were not taken, since only one of the parts for training and for test has some: to "
    "have them, give the folder of that part alone."
)

WIDENED = ("it is grey, and got three equal channels",)

DEEPENED = ("it has eight bits, and became floats beside pictures of more",)


def load_file(file: Path, random_state: int, image_size: ImageSize) -> Dataset:
    """Return the frames of one video or animation as a data set."""
    name = printable(file.name)
    how = settled([file], image_size, name)
    found = Gathered(str(file), [file], [], [], {}, (), {file: name}, ())
    part = read_found(found, how.frame, animated=True, test_of=random_state)
    return how.told(whole([part], name, random_state))


def load_places(
    groups: Sequence[Sequence[Place]],
    name: str,
    random_state: int,
    image_size: ImageSize,
    notes: tuple[str, ...] = (),
    label: str | None = None,
) -> Dataset:
    """Return pictures for training, and for the test if there is a second group, as a data set.

    ``label`` names the column of classes in the tables beside them.
    """
    found = [gathered(group, label) for group in groups]
    if label not in (None, NONE) and not any(part.classes for part in found):
        raise InputError(f"--label {label}: no table beside the pictures of {name} has it")
    notes = (*notes, *_of_no_use(found))
    how = settled([path for part in found for path in part.files], image_size, name)
    alone = random_state if len(found) == 1 else None
    read = _of_the_same_classes([read_found(part, how.frame, test_of=alone) for part in found])
    data = whole(read, name, random_state)
    return how.told(dataclasses.replace(data, notes=once((*notes, *data.notes))))


def _of_no_use(parts: Sequence[Gathered]) -> Iterator[str]:
    """Yield notes on the tables beside the parts that say nothing of any."""
    for table, why in parts[0].useless.items():
        if all(table in part.useless for part in parts):
            yield f"{table} was left out: {why}."


def name_of(folder: Place) -> str:
    """Return what a data set from a folder, or from an archive, is called."""
    if isinstance(folder, Member) and folder == folder.archive.root:
        return folder.archive.path.name
    return folder.name


class Settled(NamedTuple):
    """What pictures are brought to, with a note on how, and what their files are."""

    frame: Frame | None
    notes: tuple[str, ...]
    found: str

    def told(self, data: Dataset) -> Dataset:
        """Return a data set of these pictures that says so."""
        size = None if self.frame is None else self.frame.asked
        notes = (*data.notes, *self.notes)
        return dataclasses.replace(data, notes=notes, image_size=size, description=self.found)


def settled(
    files: Sequence[Place], image_size: ImageSize, owner: str, *, halves: bool = False
) -> Settled:
    """Return what pictures, or both ``halves`` of each, are brought to.

    Without an image size the files' headers decide, as `chosen_frame` says.
    """
    frame = frame_of(image_size)
    if frame is not None:
        note = f"the pictures of {owner} were brought to {frame.words}."
        return Settled(frame, (note,), _kinds(files))
    with images.quiet(), ThreadPoolExecutor(4) as pool:
        sizes = [size for size in pool.map(_size_of, files) if size is not None]
    if halves:
        sizes = [(width // 2, height) for width, height in sizes if width % 2 == 0]
    frame, why = chosen_frame(sizes, owner, image_size)
    return Settled(frame, (why,) if why else (), f"{_kinds(files)}{_spread(sizes)}")


def _kinds(files: Sequence[Place]) -> str:
    """Return how many files there are of each kind."""
    counts = Counter(path.suffix.lower() or _plain(path) for path in files).most_common()
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in counts)
    return f"{len(files):,} picture file{'' if len(files) == 1 else 's'} ({kinds})"


def _plain(path: Place) -> str:
    return (path.archive if isinstance(path, Member) else Archive).plain


def _spread(sizes: Sequence[tuple[int, int]]) -> str:
    """Return the smallest, the middle and the largest size."""
    ordered = sorted(sizes, key=lambda size: size[0] * size[1])
    if not ordered:
        return ""
    three = ordered[0], ordered[len(ordered) // 2], ordered[-1]
    low, middle, high = (f"{w}×{h}" for w, h in three)
    if low == high:
        return f", all of {low} pixels (width × height)"
    return f", from {low} to {high} pixels (width × height), the middle one {middle}"


def _size_of(path: Place) -> tuple[int, int] | None:
    try:
        if not of_camera(path) and has_many_bands(path):
            return size_of_bands(path)
        return frame_size(path) if is_video(path) else images.size_of(path)
    except (images.BadImageError, *images.BROKEN):
        return None


def _of_the_same_classes(parts: Sequence[Part]) -> list[Part]:
    """Return parts whose numbers stand for the same classes, if all have some, and at least two."""
    stated = {part.class_names for part in parts}
    every = {name for part in parts for name in part.class_names}
    names = list(stated.pop()) if len(stated) == 1 else sorted(every, key=_numbers_first)
    if len(names) < 2 or any(part.y is None for part in parts):
        said = (HALF,) if len(names) > 1 else ()
        bare = [dataclasses.replace(part, y=None, class_names=()) for part in parts]
        return [dataclasses.replace(bare[0], notes=(*bare[0].notes, *said)), *bare[1:]]
    found = []
    for part in parts:
        places = np.array([names.index(name) for name in part.class_names])
        found.append(dataclasses.replace(part, y=places[part.y], class_names=tuple(names)))
    return found


class Gathered(NamedTuple):
    """Pictures that are to be read, from one or several folders."""

    owner: str
    files: list[Place]
    odd: list[tuple[Place, str]]
    hidden: list[Place]
    classes: dict[Place, str]
    """What stands beside them, or else the sub-folder; of those that have one."""
    order: tuple[str, ...]
    """Of the classes, if a file states it."""
    names: dict[Place, str]
    """Of the pictures, from their folder on."""
    notes: tuple[str, ...]
    useless: Mapping[Place, str] = {}
    """Tables beside the folder that say nothing of these pictures, and why."""


def gathered(folders: Sequence[Place], label: str | None = None) -> Gathered:
    """Return what is to be read of folders together, with classes from a column if it is named."""
    found = [_of_folder(folder, label) for folder in folders]
    if len(found) == 1:
        return found[0]
    return Gathered(
        owner=f"{found[0].owner} and {len(found) - 1} more",
        files=[path for part in found for path in part.files],
        odd=[odd for part in found for odd in part.odd],
        hidden=[path for part in found for path in part.hidden],
        classes={path: name for part in found for path, name in part.classes.items()},
        order=found[0].order,
        names={path: f"{part.owner}/{n}" for part in found for path, n in part.names.items()},
        notes=once([note for part in found for note in part.notes]),
    )


def _of_folder(folder: Place, label: str | None) -> Gathered:
    found = contents(folder)
    notes: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    said = read_beside(found.files, folder, label)
    files = [path for path in found.files if path not in said.used]
    classes: dict[Place, str] = dict(said.classes)
    if isinstance(folder, Member):
        archive = folder.archive
        if folder == archive.root != archive.top:
            around = contents(archive.top, [archive.root])
            found.odd.extend([*((path, AROUND) for path in around.files), *around.odd])
            found.hidden.extend(around.hidden)
        inside = {p: p.inside for p in files if isinstance(p, Member)}
        labels = archive.labels
        classes |= {p: composed(labels[i]) for p, i in inside.items() if i in labels}
        notes, order = archive.notes, archive.class_names
    unlabelled: tuple[str, ...] = ()
    if not classes and label is None:
        classes, unlabelled = _of_sub_folders(files, folder)
        unlabelled = unlabelled or (() if classes else words_in_names(files))
    depth = len(folder.parts)
    names = {path: printable("/".join(path.parts[depth:])) for path in files}
    all_notes = (*notes, *said.notes, *unlabelled)
    own = (files, found.odd, found.hidden, classes, order, names, all_notes)
    return Gathered(str(folder), *own, useless=said.useless)


def read_found(
    found: Gathered, frame: Frame | None, *, animated: bool = False, test_of: int | None = None
) -> Part:
    """Return pictures as a part; those that cannot be read are in its notes.

    Of an ``animated`` picture all frames are taken, as of a video, and else the first. ``test_of``
    is the seed of a test part that is to be drawn from them, if there is one.
    """
    n = len(found.files) + len(found.odd)
    if not n:
        raise InputError(f"{found.owner} holds no files; give a folder of images")
    place = _size_in_all(found.files, frame)
    counts = [n_frames(path) if animated or is_video(path) else 1 for path in found.files]
    if place is not None and on_disk.are_too_many(found.files, counts, *place):
        return _from_disk(found, frame, counts, place, test_of)
    good, failed = read_all(
        found.files,
        lambda path, take: _read(path, frame, take, animated or is_video(path)),
        f"the pictures in {found.owner}",
    )
    bad = sorted([*found.odd, *failed], key=lambda pair: pair[0].parts)
    if not good:
        if n == 1 and str(bad[0][0]) == found.owner:
            raise InputError(f"{printable(found.owner)} cannot be used: {bad[0][1]}")
        from latentia.data.table_files import TABLES

        tables = [path.name for path, _ in bad if path.suffix.lower() in TABLES]
        also = f"; tables are given one by one, such as {tables[0]}" if tables else ""
        raise InputError(
            f"none of the {n} files in {found.owner} is a usable image: {by_reason(bad)}{also}"
        )
    each = [(path, *picture) for path, pictures in good for picture in pictures]
    x = stack([pixels for _, pixels, _ in each], found.owner)
    widened = [(path, WIDENED) for path, pixels, _ in each if pixels.ndim < x.ndim - 1]
    deepened = [(p, DEEPENED) for p, pixels, _ in each if pixels.dtype != x.dtype]
    y, names = _numbered([path for path, _, _ in each], found)
    without = [path for path, _ in good if path not in found.classes]
    notes = (
        *left_out(bad, n),
        *remarks([*((path, notes) for path, _, notes in each), *widened, *deepened]),
        *found.notes,
        *_unclassed(without, len(good)),
        *passed_over(found.hidden),
    )
    runs = tuple(len(pictures) for _, pictures in good)
    moves = runs if max(runs) > 1 else ()
    return Part(x, y, names, notes, runs=moves, names=_names(good, found.names))


def _size_in_all(files: Sequence[Place], frame: Frame | None) -> tuple[int, int] | None:
    """Return the (height, width) that pictures will have; None if none tells."""
    if frame is not None:
        return frame.height, frame.width
    size = next((size for size in map(_size_of, files) if size is not None), None)
    return None if size is None else (size[1], size[0])


def _from_disk(
    found: Gathered,
    frame: Frame | None,
    counts: list[int],
    place: tuple[int, int],
    test_of: int | None,
) -> Part:
    """Return pictures that are larger than memory as a part, those for the test at its end."""
    files, n_test, move = found.files, 0, max(counts) > 1
    if test_of is not None and len(files) > 1 and not move:
        # The rows that `split` would draw, were they in memory.
        halves = split(Part(np.arange(len(files))), found.owner, test_of)
        n_test = len(halves.x_test)
        files = [files[i] for i in (*halves.x_train, *halves.x_test)]
    owner = f"the pictures in {found.owner}"
    ends_last = move and test_of is not None
    kept = on_disk.keep(files, counts, frame, *place, owner, ends_last=ends_last)
    if not kept.good:
        why = by_reason(kept.bad)
        raise InputError(f"none of the files in {found.owner} is a usable image: {why}")
    paths = [path for path, _ in kept.good]
    each = [path for path, n in zip(paths, kept.runs) for _ in range(n)]
    y, names = _numbered([each[i] for i in kept.order], found)
    notes = (
        *left_out([*found.odd, *kept.bad], len(found.files) + len(found.odd)),
        *remarks(kept.good),
        *found.notes,
        *_unclassed([path for path in paths if path not in found.classes], len(paths)),
        f"{owner} take {limits.size(kept.x.nbytes)}, more than the limit of memory: they were "
        "decoded into a temporary file, eight bits a channel.",
        *passed_over(found.hidden),
    )
    is_test = {*files[len(files) - n_test :]} if n_test else set()
    named = _names([(path, range(n)) for path, n in zip(paths, kept.runs)], found.names)[kept.order]
    n_test = kept.n_test if move else sum(path in is_test for path in paths)
    runs = tuple(kept.runs) if move else ()
    return Part(kept.x, y, names, notes, names=named, n_test=n_test, runs=runs)


def _unclassed(without: Sequence[Place], n: int) -> tuple[str, ...]:
    """Return a note on pictures without a class where others have one."""
    if not 0 < len(without) < n:
        return ()
    listed_ = listed([str(path) for path in without])
    return (f"classes were not taken, since {len(without)} of {n} pictures have none: {listed_}.",)


def _names(good: Sequence[tuple[Place, Sequence[object]]], names: Mapping[Place, str]) -> Array:
    """Return each picture's name; of a video's frames with their numbers, from 1."""
    return np.array(
        [
            names[path] if len(pictures) == 1 else f"{names[path]} frame {number}"
            for path, pictures in good
            for number in range(1, len(pictures) + 1)
        ]
    )


def _read(
    path: Place, frame: Frame | None, take: Take, moves: bool
) -> list[tuple[Array, tuple[str, ...]]]:
    """Return a picture, or all frames of one that moves."""
    if moves:
        return read_frames(path, frame, take)
    return [images.read(path, frame, take, deep=True)]


def _numbered(paths: Sequence[Place], found: Gathered) -> tuple[Array | None, tuple[str, ...]]:
    """Return class numbers and names, if all pictures have a class."""
    names = [found.classes.get(path) for path in paths]
    known = {name for name in names if name is not None}
    if None in names or not known:
        return None, ()
    order = [*found.order] if known <= {*found.order} else sorted(known, key=_numbers_first)
    places = {name: number for number, name in enumerate(order)}
    y = np.array([places[str(name)] for name in names], np.int64)
    return y, tuple(printable(name) for name in order)


def _numbers_first(name: str) -> tuple[bool, int, str]:
    return (not name.isdecimal(), int(name) if name.isdecimal() else 0, name)


def stack(pictures: list[Array], owner: object) -> Array:
    """Return pictures of one size as one array, of the kind that holds all of them.

    Grey ones get three channels beside others with three, and bytes become floats in [0, 1] beside
    pictures of more than eight bits.
    """
    sizes = Counter(picture.shape[-2:] for picture in pictures)
    if len(sizes) > 1:
        seen = ", ".join(f"{h}×{w} ({n})" for (h, w), n in sizes.most_common(4))
        raise InputError(
            f"the images in {owner} have {len(sizes)} different sizes, such as {seen}; choose "
            "one side with --image-size"
        )
    depths = {picture.shape[0] for picture in pictures if picture.ndim == 3}
    grey = any(picture.ndim == 2 for picture in pictures)
    if len(depths) > 1 or (grey and not depths <= {3}):
        counts = Counter(1 if picture.ndim == 2 else len(picture) for picture in pictures)
        seen = ", ".join(f"{channels} ({n})" for channels, n in counts.most_common(4))
        raise InputError(
            f"the images in {owner} have different numbers of channels, {seen}; give those of one "
            "number"
        )
    kind = np.result_type(*{picture.dtype for picture in pictures})
    largest = max(picture.size for picture in pictures) * kind.itemsize
    limits.check_bytes(len(pictures) * largest, f"the pictures in {owner}")
    return np.stack([_like(picture, bool(depths), kind) for picture in pictures])


def _like(picture: Array, coloured: bool, kind: np.dtype[Any]) -> Array:
    if picture.dtype != kind:
        picture = picture / np.float32(255)
    return np.repeat(picture[None], 3, axis=0) if coloured and picture.ndim == 2 else picture


def _of_sub_folders(
    paths: Sequence[Place], folder: Place
) -> tuple[dict[Place, str], tuple[str, ...]]:
    """Return classes by the names of sub-folders, and a note where there could be some."""
    depth = len(folder.parts)
    deeper = {path: composed(path.parts[depth]) for path in paths if len(path.parts) > depth + 1}
    loose = [str(path) for path in paths if path not in deeper and _may_be_picture(path)]
    if loose:
        why = f"since files lie beside them: {listed(loose)}"
        note = f"sub-folders were not taken as classes, {why}."
        return {}, (note,) if deeper else ()
    taken = {*deeper.values()}
    if len(taken) == 1 and taken <= {*NEUTRAL}:
        return {}, ()
    inner = [path for path in folder.iterdir() if path.is_dir()]
    inner += folder.bare_folders() if isinstance(folder, Member) else []
    shown = [path for path in inner if not is_hidden(path)]
    empty = sorted(str(path) for path in shown if composed(path.name) not in taken)
    note = f"sub-folders without files are no classes: {listed(empty)}."
    return deeper, (note,) if empty and len(taken) > 1 else ()


def _may_be_picture(path: Place) -> bool:
    """Return whether a file is a picture or a video by its name, or has none that tells."""
    suffix = path.suffix.lower()
    return not suffix or suffix in images.suffixes() or is_video(path)
