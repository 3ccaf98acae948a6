"""What every source of data becomes: arrays for training and test, and where they came from."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from latentia.data.options import USUAL, TableOptions
from latentia.errors import Count, InputError

Array = NDArray[Any]
ImageSize: TypeAlias = Count | str | tuple[int, ...] | None
"""A side in pixels, ``(width, height)``, or words such as ``64x48``, ``64 fit``; none for what
`latentia.data.framing` chooses."""
TEXT_TABLES = (".txt", ".dat", ".data")
"""Files that may be tables, and may be something else."""
MOST_CLASSES = 10
"""That are named where a data set is shown."""
NO_TEST = "has no test part"
VIDEO = ": the last tenth of each video, {} of its {} frames, is the test."
MEMORY_LIMIT = 2**30
"""Memory-mapped files above this many bytes are never copied into memory."""


@dataclass(frozen=True)
class Description:
    """A named data set, before it is loaded."""

    name: str
    summary: str
    shape: tuple[int, ...]
    """Of one sample."""
    n_train: int
    n_test: int
    classes: tuple[str, ...]
    """Their names."""
    origin: str
    licence: str
    needs_network: bool
    """Whether the first use downloads it."""


@dataclass(frozen=True, repr=False)
class Dataset:
    """Training and test samples: (n, H, W) or (n, C, H, W) images, or (n, d) tables.

    Arrays may be memory-mapped; uint8 stays uint8.
    """

    name: str
    x_train: Array
    y_train: Array | None
    """(n,) class numbers from 0, or None."""
    x_test: Array
    y_test: Array | None
    class_names: tuple[str, ...] = ()
    """One for each class, or empty."""
    spec: str = ""
    image_size: int | str | None = None
    """What the pictures were brought to (`latentia.data.framing`); None for all as they are."""
    description: str = ""
    origin: str = ""
    licence: str = ""
    notes: tuple[str, ...] = ()
    """What was converted, left out or held out: one sentence each."""
    own_test: bool = True
    """Whether the test part came as such, and was not drawn from the training part."""
    pair_train: Array | None = None
    """The image that each sample is to become, where the data are pairs of images."""
    pair_test: Array | None = None
    columns: tuple[str, ...] = ()
    """Names of a table's columns."""
    weights_train: Array | None = None
    """(n,) weights of the training rows, where a column of the table holds them."""
    names_train: Array | None = None
    """(n,) names of the samples: a table's index, the files of pictures."""
    names_test: Array | None = None
    runs: tuple[int, ...] = ()
    """Lengths of the sequences in the file, of which `split` took the ends."""
    options: TableOptions = USUAL
    """What was asked of a table."""

    unit: ClassVar[str] = "samples"
    """What ``x_train`` is counted in."""

    def __repr__(self) -> str:
        """Return three lines: what they are, how many of which shape, their classes."""
        what = self.name + (f": {self.description}" if self.description else "")
        sizes = f"{len(self.x_train):,} training and {len(self.x_test):,} test {self.unit}"
        if isinstance(self.x_train, np.ndarray):
            sizes += f" of shape {tuple(self.x_train.shape[1:])}, {self.x_train.dtype}"
        if self.pair_train is not None:
            sizes += f", each beside one of shape {tuple(self.pair_train.shape[1:])}"
        return "\n".join(" ".join(line.split()) for line in (what, sizes, self._classes()))

    def _classes(self) -> str:
        """Return in words which classes the samples have, the first ones of many."""
        if self.y_train is None:
            return "without classes"
        if self.y_train.ndim > 1:
            return f"given vectors of shape {tuple(self.y_train.shape[1:])}"
        names = self.class_names or tuple(map(str, np.unique(self.y_train).tolist()))
        shown = [*names[:MOST_CLASSES], *(["..."] if len(names) > MOST_CLASSES else [])]
        return f"{len(names)} classes: {', '.join(shown)}"

    @property
    def targets(self) -> Array | None:
        """What is fitted beside ``x_train``: the images to become, else labels, else nothing."""
        return self.y_train if self.pair_train is None else self.pair_train

    @property
    def beside(self) -> Mapping[str, Any]:
        """What `fit` takes beside ``x_train``, by name."""
        weights = {} if self.weights_train is None else {"sample_weight": self.weights_train}
        return {"y": self.targets, **weights}

    @property
    def asked(self) -> Mapping[str, object]:
        """What loads the same data again, which a run keeps: nothing, where arrays were given."""
        if not self.spec:
            return {}
        options = {"options": self.options.given} if self.options != USUAL else {}
        return {"spec": self.spec, "image_size": self.image_size, **options}

    @property
    def column_ranges(self) -> Array:
        """(p, 3): each column's least and largest training value, and 1 if all are whole."""
        x = np.asarray(self.x_train, float)
        whole = np.where(np.isfinite(x), x % 1 == 0, True).all(axis=0)
        with warnings.catch_warnings():
            # A column may have no value at all.
            warnings.simplefilter("ignore", RuntimeWarning)
            return np.column_stack([np.nanmin(x, axis=0), np.nanmax(x, axis=0), whole])

    @property
    def notes_of_all(self) -> tuple[str, ...]:
        """The notes without the one on the test part, for what is made of all samples."""
        return tuple(note for note in self.notes if f"{self.name} {NO_TEST}" not in note)

    @property
    def labelled(self) -> bool:
        """Whether every sample has a class."""
        return self.y_train is not None and self.y_test is not None and self.y_test.ndim == 1

    def hold_out(self) -> tuple[Dataset, Any]:
        """Return the data without the last twelfth of the training rows, and that twelfth.

        Of MNIST's 60,000 training images these are the last 5,000, the usual validation set. They
        are rows, or rows and their targets, as `fit` takes them, or None if there are none.
        """
        n = len(self.x_train) - len(self.x_train) // 12
        rows, targets = self.x_train[n:], self.targets
        beside = ("y_train", "pair_train", "weights_train", "names_train")
        held = {name: getattr(self, name) for name in beside}
        cut = {name: values[:n] for name, values in held.items() if values is not None}
        kept = dataclasses.replace(self, x_train=self.x_train[:n], **cut)
        if not len(rows):
            return kept, None
        return kept, rows if targets is None else (rows, targets[n:])


@dataclass(frozen=True)
class Part:
    """Samples with their labels, one half of a `Dataset`."""

    x: Array
    y: Array | None = None
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    weights: Array | None = None
    names: Array | None = None
    """(n,) names of the samples, if they have any."""
    runs: tuple[int, ...] = ()
    """Lengths of sequences whose samples follow each other, as a video's frames do."""
    n_test: int = 0
    """Of the last samples, which were drawn to be the test part; 0 if none were."""


def split(part: Part, name: str, random_state: int) -> Dataset:
    """Hold out a tenth, at least one sample, as the test part, and say so.

    The tenth is drawn with the seed; of a file too large to be copied it is the last rows, and the
    file stays on the disk. Of sequences it is the end of each, since neighbours are alike.
    """
    n = len(part.x)
    if n < 2:
        raise InputError(
            f"{name} has too few samples, {n}; at least 2 are needed to train and to test"
        )
    n_test = part.n_test or max(1, n // 10)
    train: Any = slice(n - n_test)
    test: Any = slice(n - n_test, n)
    told = f"{name} has no test part: {n_test} of its {n} samples were drawn at random for it."
    if part.n_test and part.runs:
        told = f"{name} {NO_TEST}{VIDEO.format(n_test, n)}"
    elif not part.n_test and isinstance(part.x, np.memmap) and part.x.nbytes > MEMORY_LIMIT:
        told = f"{name} {NO_TEST} and stays on the disk: its last {n_test} samples are the test."
    elif part.runs:
        train, test = ends(part.runs)
        told = f"{name} {NO_TEST}{VIDEO.format(len(test), n)}"
    elif not part.n_test:
        order = np.random.default_rng(random_state).permutation(n)
        train, test = np.sort(order[n_test:]), np.sort(order[:n_test])
    return Dataset(
        name=name,
        x_train=part.x[train],
        y_train=None if part.y is None else part.y[train],
        x_test=part.x[test],
        y_test=None if part.y is None else part.y[test],
        columns=part.columns,
        weights_train=None if part.weights is None else part.weights[train],
        runs=part.runs,
        names_train=None if part.names is None else part.names[train],
        names_test=None if part.names is None else part.names[test],
        class_names=part.class_names,
        notes=(*part.notes, told),
        own_test=False,
    )


def ends(runs: Sequence[int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the numbers of the rows before and in the last tenth of each sequence.

    >>> [rows.tolist() for rows in ends([3, 1])]
    [[0, 1, 3], [2]]
    """
    is_end = np.concatenate(
        [np.arange(n) >= n - max(1, n // 10) if n > 1 else [False] for n in runs]
    )
    return np.flatnonzero(~is_end), np.flatnonzero(is_end)


def in_file_order(data: Dataset, random_state: int = 0) -> Part:
    """Return all samples as they stood before `split`; parts that came as such follow each other.

    ``random_state`` is the one that ``data`` were loaded with.
    """
    n = len(data.x_train) + len(data.x_test)
    order = np.arange(n)
    if not data.own_test and not isinstance(data.x_train, np.memmap):
        # The split depends on the number of samples and its seed alone.
        halves = split(Part(order, runs=data.runs), data.name, random_state)
        order = np.argsort(np.concatenate([halves.x_train, halves.x_test]))

    def whole(train: Array | None, test: Array | None) -> Array | None:
        return None if train is None or test is None else np.concatenate([train, test])[order]

    x = np.concatenate([data.x_train, data.x_test])[order]
    names, y = whole(data.names_train, data.names_test), whole(data.y_train, data.y_test)
    return Part(x, y, data.class_names, data.notes, columns=data.columns, names=names)


def join(train: Part, test: Part, name: str) -> Dataset:
    """Return two parts as one data set, whose classes are numbered alike."""
    if train.class_names != test.class_names and train.class_names and test.class_names:
        names = tuple(sorted({*train.class_names, *test.class_names}))
        train, test = _renumbered(train, names), _renumbered(test, names)
    if train.x.shape[1:] != test.x.shape[1:]:
        raise InputError(
            f"{name}: training samples have shape {train.x.shape[1:]} and test samples "
            f"{test.x.shape[1:]}; they must agree"
        )
    if len(train.x) < 2 or len(test.x) < 1:
        raise InputError(
            f"{name} holds {len(train.x)} training and {len(test.x)} test samples; at least 2 "
            "and 1 are needed"
        )
    return Dataset(
        name=name,
        x_train=train.x,
        y_train=train.y,
        x_test=test.x,
        y_test=test.y,
        columns=train.columns,
        names_train=train.names,
        names_test=test.names,
        class_names=train.class_names,
        notes=train.notes + test.notes,
    )


def _renumbered(part: Part, names: tuple[str, ...]) -> Part:
    """Return a part whose class numbers are places in other names, which hold its own."""
    places = np.array([names.index(name) for name in part.class_names])
    y = None if part.y is None else places[part.y]
    return dataclasses.replace(part, y=y, class_names=names)


def whole(parts: Sequence[Part], name: str, random_state: int) -> Dataset:
    """Return a training and a test part as one data set, or a single part split in two."""
    if len(parts) == 1:
        return split(parts[0], name, random_state)
    return join(parts[0], parts[1], name)
