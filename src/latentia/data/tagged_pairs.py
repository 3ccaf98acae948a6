"""Pictures of two digits with tags that say what is in them: a task with several labels each.

Samples are drawn, not stored: the same seed gives the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentia.data.dataset import Array
from latentia.errors import Count, InputError, Seed, check_arguments

EVEN, LOOP, STRAIGHT = (0, 2, 4, 6, 8), (0, 6, 8, 9), (1, 4, 7)
"""Digits that are even, have a closed loop, or are written in straight strokes."""
TAGS = (
    *(f"a {digit}" for digit in range(10)),
    "even",
    "odd",
    "loop",
    "two loops",
    "straight",
    "left larger",
    "right larger",
    "twins",
    "neighbours",
    "sum over 9",
)
"""What each column of the tags says of a picture."""


@dataclass(frozen=True)
class TaggedPairs:
    """Pictures of two digits, with tags."""

    pictures: Array
    """(n, H, 2W), the first digit left of the second."""
    tags: NDArray[np.float32]
    """(n, 20), 1 where a tag of `TAGS` is true and 0 elsewhere."""
    digits: NDArray[np.int64]
    """(n, 2)."""


def tagged_pairs(images: Array, labels: Array, n: Count, seed: Seed = 0) -> TaggedPairs:
    """Return pictures of two digits drawn at random, and their tags.

    Parameters
    ----------
    images, labels
        (m, H, W) images and their (m,) classes from 0 to 9.
    n
        How many pictures to make.
    seed
        Of the draws.

    Examples
    --------
    >>> found = tagged_pairs(np.zeros((10, 8, 8)), np.arange(10), 3, seed=0)
    >>> found.pictures.shape, found.digits[0]
    ((3, 8, 16), array([8, 6]))
    >>> [tag for tag, true in zip(TAGS, found.tags[0]) if true]
    ['a 6', 'a 8', 'even', 'loop', 'two loops', 'left larger', 'sum over 9']
    """
    check_arguments(tagged_pairs, locals())
    if images.ndim != 3 or labels.shape != (len(images),):
        raise InputError(
            f"pairs need images (m, H, W) with a label each, not {images.shape} and {labels.shape}"
        )
    if not np.isin(labels, range(10)).all():
        raise InputError("labels hold other values than the digits 0 to 9")
    rows = np.random.default_rng(seed).integers(len(images), size=(n, 2))
    digits = labels[rows].astype(np.int64)
    pictures = np.concatenate([images[rows[:, 0]], images[rows[:, 1]]], axis=2)
    return TaggedPairs(pictures, tags_of(digits), digits)


def tags_of(digits: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the (n, 20) tags of (n, 2) digits."""
    left, right = digits.T
    even, loop, straight = (np.isin(digits, kind) for kind in (EVEN, LOOP, STRAIGHT))
    found = [
        *((digits == digit).any(axis=1) for digit in range(10)),
        even.any(axis=1),
        ~even.all(axis=1),
        loop.any(axis=1),
        loop.all(axis=1),
        straight.any(axis=1),
        left > right,
        right > left,
        left == right,
        np.abs(left - right) == 1,
        left + right > 9,
    ]
    return np.stack(found, axis=1).astype(np.float32)
