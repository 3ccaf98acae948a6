"""The scales that data may have: variances, and sums of them, must be ordinary float64 numbers."""

from __future__ import annotations

import math

import numpy as np

from latentia.errors import InputError
from latentia.models.inputs import Vector

LEAST, MOST = 1e-145, 1e145
"""Standard deviations whose squares, and the sums of these over rows, keep all digits."""
PLAIN, PLAIN_FLOAT32 = 1e30, 1e8
"""Up to this size, and from its inverse on, products of four numbers need no care."""


def unit_of(size: float, plain: float = PLAIN) -> float:
    """Return a power of two near a size that is far from 1, and 1 for any other.

    >>> unit_of(3.0), unit_of(1e-100) == 2.0**-332
    (1.0, True)
    """
    if not 0 < size < math.inf or 1 / plain <= size <= plain:
        return 1.0
    return float(2.0 ** round(math.log2(size)))


def refuse_spread(deviations: Vector, least: float = LEAST, most: float = MOST) -> None:
    """Refuse standard deviations of columns that are beyond reckoning; 0 is a constant column."""
    for column in np.flatnonzero((deviations > most) | ((deviations > 0) & (deviations < least))):
        raise beyond(f"column {column}", float(deviations[column]), least, most)


def beyond(what: str, deviation: float, least: float = LEAST, most: float = MOST) -> InputError:
    """Return what is said of data whose variance is no ordinary number."""
    return InputError(
        f"{what} varies by about {deviation:.0e}, and that is reckoned with from {least:.0e} to "
        f"{most:.0e} only: divide by a constant first"
    )
