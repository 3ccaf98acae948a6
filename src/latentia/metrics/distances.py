"""Squared Euclidean distances between two sets of rows, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.errors import InputError

BLOCK_VALUES = 4_000_000
"""Distances held at once: 32 MB."""


def rows_of(x: NDArray[Any], what: str, least: int = 1) -> NDArray[np.float64]:
    """Return (n, ...) samples as (n, d) float64."""
    if np.ndim(x) < 2 or len(x) < least:
        raise InputError(f"{what} have shape {np.shape(x)}; give at least {least} rows of values")
    flat: NDArray[np.float64] = np.asarray(x, np.float64).reshape(len(x), -1)
    if not np.isfinite(flat).all():
        raise InputError(f"{what} hold NaN or infinity; remove those rows")
    return flat


def squared_distance_blocks(
    a: NDArray[np.float64], b: NDArray[np.float64]
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yield rows of ``a`` with their (rows, len(b)) values of ``‖a − b‖²``.

    As ``‖a‖² − 2ab + ‖b‖²`` about the mean of ``b``, so that a common offset costs no digits;
    what rounding leaves of the distance between equal rows is 0.
    """
    if a.shape[1] != b.shape[1]:
        raise InputError(
            f"samples of {a.shape[1]} values cannot be compared with samples of {b.shape[1]}"
        )
    centre = b.mean(axis=0)
    a, b = a - centre, b - centre
    of_a, of_b = (np.einsum("ij,ij->i", rows, rows) for rows in (a, b))
    step = max(1, BLOCK_VALUES // len(b))
    for first in range(0, len(a), step):
        part = slice(first, first + step)
        norms = of_a[part, None] + of_b
        squared = norms - 2 * (a[part] @ b.T)
        squared[squared < 8 * np.finfo(float).eps * norms] = 0
        yield part, squared
