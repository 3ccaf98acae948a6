"""What every source of data becomes: arrays for training and test, and where they came from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from latentia.errors import InputError

Array = NDArray[Any]
TABLE_FILES = (".csv", ".tsv", ".tab", ".parquet")
TEXT_TABLES = (".txt", ".dat", ".data")
"""Files that may be tables, and may be something else."""
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


@dataclass(frozen=True)
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
    image_size: int | None = None
    """What `load` was asked for."""
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

    unit: ClassVar[str] = "samples"
    """What ``x_train`` is counted in."""

    @property
    def targets(self) -> Array | None:
        """What is fitted beside ``x_train``: the images to become, else labels, else nothing."""
        return self.y_train if self.pair_train is None else self.pair_train

    @property
    def beside(self) -> Mapping[str, Any]:
        """What `fit` takes beside ``x_train``, by name."""
        return {"y": self.targets}

    @property
    def asked(self) -> Mapping[str, object]:
        """What loads the same data again, which a run keeps: nothing, where arrays were given."""
        return {"spec": self.spec, "image_size": self.image_size} if self.spec else {}

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
        kept = dataclasses.replace(
            self,
            x_train=self.x_train[:n],
            y_train=None if self.y_train is None else self.y_train[:n],
            pair_train=None if self.pair_train is None else self.pair_train[:n],
        )
        if not len(rows):
            return kept, None
        return kept, rows if targets is None else (rows, targets[n:])


def spread(x: Array, n: int) -> Array:
    """Return at most ``n`` rows evenly spaced: files may be ordered by class.

    >>> spread(np.arange(10), 4)
    array([0, 3, 6, 9])
    """
    places = np.linspace(0, len(x) - 1, n).astype(np.intp)
    return np.asarray(x[places] if len(x) > n else x)


@dataclass(frozen=True)
class Part:
    """Samples with their labels, one half of a `Dataset`."""

    x: Array
    y: Array | None = None
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def split(part: Part, name: str, random_state: int) -> Dataset:
    """Hold out a tenth, at least one sample, as the test part, and say so.

    The tenth is drawn with the seed; of a file too large to be copied it is the last rows, and the
    file stays on the disk.
    """
    n = len(part.x)
    if n < 2:
        raise InputError(
            f"{name} has too few samples, {n}; at least 2 are needed to train and to test"
        )
    n_test = max(1, n // 10)
    train: Any = slice(n - n_test)
    test: Any = slice(n - n_test, n)
    if isinstance(part.x, np.memmap) and part.x.nbytes > MEMORY_LIMIT:
        rule = f" and stays on the disk: its last {n_test} samples are the test."
    else:
        order = np.random.default_rng(random_state).permutation(n)
        train, test = np.sort(order[n_test:]), np.sort(order[:n_test])
        rule = f": {n_test} of its {n} samples were drawn at random for it."
    return Dataset(
        name=name,
        x_train=part.x[train],
        y_train=None if part.y is None else part.y[train],
        x_test=part.x[test],
        y_test=None if part.y is None else part.y[test],
        class_names=part.class_names,
        notes=(*part.notes, f"{name} has no test part{rule}"),
        own_test=False,
    )


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
