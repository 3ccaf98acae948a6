"""Images of two domains, A and B, without pairs, in their usual layouts.

    FOLDER              with ``trainA``, ``trainB`` and, if there are, ``testA``, ``testB``
    FOLDER,FOLDER       the images of A, those of B; archives (.zip, .tar) are read as folders
    DATA                a labelled set with two classes: a folder with two sub-folders, such as
                        ``A`` and ``B``, or an .npz
    DATA:NAME,NAME      two classes of a labelled set, by name or number: ``fashion-mnist:7,9``
    FILE.npz:KEY        the labels under that key: ``faces.npz:smile``

A is the class that is named first, or else the first one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from latentia.data import named
from latentia.data.archives import Place
from latentia.data.arrays import labels_beside, named_classes, read_labels
from latentia.data.dataset import Array, Dataset, ImageSize, Part, whole
from latentia.data.folders import beside, lasting, once, parts_in
from latentia.data.framing import frame_of
from latentia.data.picture_sources import place_of
from latentia.data.pictures import gathered, name_of, read_found, settled
from latentia.errors import InputError, Seed, check_arguments, nearest
from latentia.files import printable

FEWEST = 24
"""Training images: a twelfth of them is held out, which must contain both domains."""
MOST_NAMED = 20

Sides = tuple[Array, Array]


def load_unpaired(spec: str, *, random_state: Seed = 0, image_size: ImageSize = None) -> Dataset:
    """Return images of two domains as a data set, labelled 0 for A and 1 for B.

    Both parts mix the domains evenly, each in a random order, so that their last rows are of both.

    Parameters
    ----------
    spec
        One of the layouts above.
    random_state
        Of the held-out tenth, where the data have no test part, and of the order.
    image_size
        What pictures are resized to, as for `latentia.data.load`.
    """
    check_arguments(load_unpaired, locals())
    frame_of(image_size)
    folders = _domain_folders(spec)
    if folders is None:
        data, train, test = _of_classes(spec, random_state, image_size)
    else:
        data, train, test = _of_folders(spec, folders, random_state, image_size)
    if data.x_train.ndim < 3:
        raise InputError(f"{data.name} is a table; domains are of images")
    draw = np.random.default_rng(random_state)
    x_train, y_train = mixed(train, draw)
    x_test, y_test = mixed(test, draw)
    if len(x_train) < FEWEST:
        raise InputError(
            f"{spec} has {len(x_train)} training images; at least {FEWEST} are needed, of which a "
            "twelfth is held out"
        )
    return dataclasses.replace(data, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


def mixed(sides: Sides, draw: np.random.Generator) -> tuple[Array, Array]:
    """Return two domains' images as one array, evenly mixed, and (n,) zeros and ones.

    The last images of both come last, whatever their numbers.

    >>> sides = np.zeros((6, 2, 2)), np.ones((2, 2, 2))
    >>> mixed(sides, np.random.default_rng(0))[1].tolist()
    [0, 0, 0, 1, 0, 0, 0, 1]
    """
    orders = [draw.permutation(len(side)) for side in sides]
    places = [np.arange(1, len(order) + 1) / len(order) for order in orders]
    together = np.argsort(np.concatenate(places), kind="stable")
    x = np.concatenate([side[order] for side, order in zip(sides, orders)])
    y = np.repeat([0, 1], [len(order) for order in orders])
    return x[together], y[together]


def _domain_folders(spec: str) -> list[tuple[Place, ...]] | None:
    """Return the folders of A and B for training and, if there are, for test."""
    root = place_of(spec)
    if root is not None:
        return parts_in(root, "A", "B") or None
    both = [place_of(part) for part in spec.split(",")]
    a, *others = both
    b = others[0] if len(others) == 1 else None
    return None if a is None or b is None else [(a, b)]


def _of_folders(
    spec: str, folders: list[tuple[Place, ...]], random_state: int, image_size: ImageSize
) -> tuple[Dataset, Sides, Sides]:
    """Return pictures in folders: a description, and both parts' domains."""
    found = [[gathered([folder]) for folder in pair] for pair in folders]
    files = [path for pair in found for side in pair for path in side.files]
    how = settled(files, image_size, printable(Path(spec).name))
    parts = [_same_channels([read_found(side, how.frame) for side in pair]) for pair in found]
    names = printable(name_of(folders[0][0])), printable(name_of(folders[0][1]))
    a, b = (whole([part[i] for part in parts], names[i], random_state) for i in (0, 1))
    shapes = a.x_train.shape[1:], b.x_train.shape[1:]
    if shapes[0] != shapes[1]:
        raise InputError(
            f"the images of {folders[0][0]} have {shapes[0][0]} channels and those of "
            f"{folders[0][1]} {shapes[1][0]}; give those of one number"
        )
    root = place_of(spec)
    others = beside(root, [side for part in folders for side in part]) if root is not None else ()
    data = dataclasses.replace(
        a,
        name=f"{names[0]} and {names[1]}" if "," in spec else printable(Path(spec).name),
        class_names=names if "," in spec else ("A", "B"),
        spec=lasting(spec),
        notes=once((*others, *a.notes, *b.notes)),
    )
    return how.told(data), (a.x_train, b.x_train), (a.x_test, b.x_test)


def _same_channels(parts: Sequence[Part]) -> Sequence[Part]:
    """Return grey images in three channels if those of the other domain have them."""
    if all(part.x.ndim == 3 for part in parts):
        return parts
    wide = [p.x if p.x.ndim == 4 else np.repeat(p.x[:, None], 3, axis=1) for p in parts]
    return [Part(x, notes=part.notes, runs=part.runs) for x, part in zip(wide, parts)]


def _of_classes(
    spec: str, random_state: int, image_size: ImageSize
) -> tuple[Dataset, Sides, Sides]:
    """Return two classes of a labelled set: a description, and both parts' domains."""
    plain, key, chosen = _taken_apart(spec)
    data = named.load(plain, random_state=random_state, image_size=image_size)
    if key:
        data = _labelled_by(data, plain, key, random_state)
    if data.y_train is None or data.y_test is None:
        raise InputError(
            f"{plain} has no labels to tell two domains by; give a folder with trainA and trainB, "
            "two folders with a comma between, a labelled set, or FILE.npz:key"
        )
    names = data.class_names or tuple(map(str, range(int(data.y_train.max()) + 1)))
    numbers = _numbers(chosen, names, data.name) if chosen else list(range(len(names)))
    if len(numbers) != 2:
        raise InputError(
            f"{data.name} has {len(names)} classes ({', '.join(names[:MOST_NAMED])}); name two of "
            f"them, such as {plain}:{len(names) - 2},{len(names) - 1}"
        )
    sides = []
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        found = [np.asarray(x[np.flatnonzero(y == number)]) for number in numbers]
        for number, images in zip(numbers, found):
            if not len(images):
                raise InputError(f"a part of {data.name} holds no image of {names[number]!r}")
        sides.append((found[0], found[1]))
    suffix = ":".join(["", *([key] if key else []), *([",".join(chosen)] if chosen else [])])
    a, b = (names[number] for number in numbers)
    name, spec = f"{data.name}, {a} and {b}", f"{data.spec}{suffix}"
    described = dataclasses.replace(data, name=name, class_names=(a, b), spec=spec)
    return described, sides[0], sides[1]


def _taken_apart(spec: str) -> tuple[str, str, list[str]]:
    """Return the data, a key of labels and two classes; what is not given is empty."""
    if Path(spec).expanduser().exists():
        return spec, "", []
    plain, _, last = spec.rpartition(":")
    chosen = [word.strip() for word in last.split(",")]
    if len(chosen) == 1:
        chosen = []
        if ".npz" not in plain:
            return spec, "", []
        return plain, last, chosen
    if Path(plain).expanduser().exists() or plain in named.DESCRIPTIONS:
        return plain, "", chosen
    before, _, key = plain.rpartition(":")
    return (before, key, chosen) if before.endswith(".npz") else (plain, "", chosen)


def _labelled_by(data: Dataset, file: str, key: str, random_state: int) -> Dataset:
    """Return a data set with labels under a key of its file."""
    (labels,) = read_labels(f"{file}:{key}").values()
    train, test = labels_beside(data, labels, key, random_state)
    values = np.unique(labels)
    return dataclasses.replace(
        data,
        y_train=np.searchsorted(values, train),
        y_test=np.searchsorted(values, test),
        class_names=named_classes(values, key),
        notes=tuple(note for note in data.notes if "taken for its labels" not in note),
    )


def _numbers(chosen: Sequence[str], names: Sequence[str], title: str) -> list[int]:
    """Return the classes' numbers, given by name or else by number."""
    lowered = [name.lower() for name in names]
    found = []
    for word in chosen:
        if word.lower() in lowered:
            found.append(lowered.index(word.lower()))
        elif word.isdecimal() and int(word) < len(names):
            found.append(int(word))
        else:
            raise InputError(
                f"{title} has no class {word!r}; its classes are "
                f"{', '.join(names[:MOST_NAMED])}{nearest(word, names)}"
            )
    if len(set(found)) != len(found):
        raise InputError(f"both domains are {names[found[0]]!r}; name two classes")
    return found
