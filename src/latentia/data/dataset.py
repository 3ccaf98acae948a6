"""What every source of data becomes: arrays for training and test, and where they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.errors import InputError

Array = NDArray[Any]
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

    @property
    def targets(self) -> Array | None:
        """What is fitted beside ``x_train``: the images to become, else labels, else nothing."""
        return self.y_train if self.pair_train is None else self.pair_train


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
    """Return two parts as one data set."""
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


def whole(parts: Sequence[Part], name: str, random_state: int) -> Dataset:
    """Return a training and a test part as one data set, or a single part split in two."""
    if len(parts) == 1:
        return split(parts[0], name, random_state)
    return join(parts[0], parts[1], name)
