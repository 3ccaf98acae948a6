"""Sums and products of one block of rows, Σx and Σxxᵀ, by the fastest way that is exact enough.

Bytes are summed exactly, as integers around 128. float64 is multiplied as it is, and from 1,024
rows on, float32 in float32 where its sums lose little, so many rows at a time, which are added in
float64. NumPy's product of Xᵀ with X forms one triangle only: no full product is as fast.
"""

from __future__ import annotations

import math
import mmap
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from latentia.errors import InputError
from latentia.models.base import to_numpy
from latentia.models.inputs import Matrix, Vector, is_tensor
from latentia.models.linear.eigen import PLAIN_FLOAT32

BLOCK_VALUES = 2**20
"""Of floats, which then stay in the cache between conversion and product."""
BLOCK_BYTES = 2**24
LEAST, MOST = 1e-145, 1e145
"""Standard deviations whose squares, and the sums of these over rows, keep all digits."""


def blocks_of(X: Any) -> Iterator[tuple[int, Any]]:
    """Yield (first row, rows), letting go of a memory map's pages after each block."""
    # Floats on a GPU are multiplied there; bytes are exact, and fast, only here.
    holds_bytes = str(X.dtype).endswith("uint8")
    moved = is_tensor(X) and (X.device.type != "cuda" or holds_bytes)
    values = BLOCK_BYTES if holds_bytes else BLOCK_VALUES
    d = max(1, int(np.prod(X.shape[1:])))
    # Adding up d × d products should not cost more than making them.
    step = max(64, values // d, 4 * d)
    step = step if step < EXACT_ROWS else -(-step // EXACT_ROWS) * EXACT_ROWS
    if sparse.issparse(X):
        X = sparse.csr_array(X)
    pages = _map_of(X)
    for first in range(0, X.shape[0], step):
        block = X[first : first + step]
        yield first, to_numpy(block) if moved else block
        if pages is not None and hasattr(pages, "madvise"):
            pages.madvise(mmap.MADV_DONTNEED)


def _map_of(X: Any) -> mmap.mmap | None:
    """Return the file map that an array is a view of, if it is a read-only or shared one."""
    if not isinstance(X, np.memmap) or X.mode == "c":
        return None
    base: Any = X
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None


def is_bytes(X: Any) -> bool:
    """Return whether an array holds bytes."""
    return isinstance(X, np.ndarray) and X.dtype == np.uint8


def flat(X: NDArray[Any]) -> NDArray[Any]:
    """Return rows of samples flattened."""
    return X.reshape(len(X), -1)


MIDDLE = 128
FIRST_ROWS = 1024
MOST_MEAN, MOST_MEAN_FLOAT32 = 4.0, 2.0
"""Standard deviations that a mean may lie from 0 before it is subtracted first."""
EXACT_BYTE_ROWS = 2**16
"""Whose products fit into 32 bits: 2¹⁶ · 128² = 2³⁰."""
EXACT_ROWS = 1024
"""So many products of bytes around 128 add up exactly in float32: 1024 · 128² = 2²⁴. Of floats, no
more are added up in float32: what they lose stays below 1e-6 of √(Sᵢᵢ Sⱼⱼ)."""


def byte_products(X_ND: NDArray[np.uint8]) -> tuple[Vector, Matrix]:
    """Return Σ(x − 128) and Σ(x − 128)(x − 128)ᵀ of bytes, exactly."""
    centred = np.bitwise_xor(X_ND, np.uint8(MIDDLE)).view(np.int8)
    d = X_ND.shape[1]
    sums, products = np.zeros(d), np.zeros((d, d))
    # torch 2.13 returns uninitialised memory for the product of a single column.
    whole = d > 1 and integer_products_are_exact() and integer_products_pay()
    multiply, n = (integer_products, EXACT_BYTE_ROWS) if whole else (exact_floats, EXACT_ROWS)
    for first in range(0, len(centred), n):
        part = multiply(centred[first : first + n])
        sums += part[0]
        products += part[1]
    return sums, products


def integer_products(rows: NDArray[np.int8]) -> tuple[Vector, Matrix]:
    """Return Σx and Σxxᵀ of up to 2¹⁶ rows of int8 by torch's product of integers."""
    import torch

    x = torch.from_numpy(rows)
    sums = torch._int_mm(torch.ones((8, len(x)), dtype=torch.int8), x)[0]
    return sums.double().numpy(), torch._int_mm(x.T, x).double().numpy()


def exact_floats(rows: NDArray[np.int8]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return Σx and Σxxᵀ of up to 1,024 rows of int8 by NumPy's product of float32."""
    floats = rows.astype(np.float32)
    return np.ones(len(floats), np.float32) @ floats, floats.T @ floats


def needed_shift(rows: Any) -> Vector:
    """Return columns' means where they dwarf the deviations, whose digits they would cost; else 0.

    A block that needs no shift is multiplied as it is, without a copy.
    """
    few = np.asarray(to_numpy(rows[:FIRST_ROWS]), dtype=np.float64)
    single = str(rows.dtype).endswith("float32")
    most = MOST_MEAN_FLOAT32 if single else MOST_MEAN
    with np.errstate(all="ignore"):
        mean, spread = few.mean(axis=0), few.std(axis=0)
        dwarfed = np.isfinite(mean) & (np.abs(mean) > most * spread)
    # What float32 holds is subtracted in float32.
    return np.where(dwarfed, mean.astype(np.float32) if single else mean, 0.0)


PROBED_ROWS, PROBED_COLUMNS, PROBES = 1024, 128, 3


@cache
def integer_products_pay() -> bool:
    """Return whether products of integers are the faster ones here; both give the same bits.

    A processor with instructions for them takes half of float32's time, another up to a hundred
    times as long.
    """
    rows = np.ones((PROBED_ROWS, PROBED_COLUMNS), np.int8)
    taken = {integer_products: math.inf, exact_floats: math.inf}
    for multiply in (*taken,) * PROBES:
        begun = time.perf_counter()
        multiply(rows)
        taken[multiply] = min(taken[multiply], time.perf_counter() - begun)
    return taken[integer_products] < taken[exact_floats]


@cache
def integer_products_are_exact() -> bool:
    """Return whether torch multiplies int8 matrices here, and without saturating.

    Some processors add pairs of products in 16 bits.
    """
    try:
        import torch
    except ModuleNotFoundError:
        return False
    extremes = torch.tensor([[-128, 127, -128, 127]], dtype=torch.int8).repeat(64, 8)
    try:
        products = torch._int_mm(extremes.T, extremes)
    except (AttributeError, RuntimeError):
        return False
    truth = extremes.double().T @ extremes.double()
    return bool(torch.equal(products.double(), truth))


def float_products(
    block: Any,
    shift: Vector,
    weights: Vector | None,
) -> tuple[Vector, Matrix]:
    """Return s and P in float64 of an array, or of a tensor on the device it is on."""
    if is_tensor(block):
        import torch

        away = block.flatten(1).double() - torch.from_numpy(shift).to(block.device)
        heavy = away if weights is None else away * torch.from_numpy(weights).to(away)[:, None]
        return heavy.sum(0).cpu().numpy(), (heavy.T @ away).cpu().numpy()
    flat = block.reshape(len(block), -1)
    if weights is None and flat.dtype == np.float64 and not shift.any():
        return np.ones(len(flat)) @ flat, flat.T @ flat
    if weights is None and flat.dtype == np.float32 and len(flat) >= EXACT_ROWS:
        sums, products = float32_products(flat, shift)
        if _loses_little(sums / len(flat), np.diag(products) / len(flat)):
            return sums, products
    rows = flat.astype(np.float64)
    if shift.any():
        rows -= shift
    if weights is None:
        return np.ones(len(rows)) @ rows, rows.T @ rows
    rows *= np.sqrt(weights)[:, None]
    return np.sqrt(weights) @ rows, rows.T @ rows


def float32_products(rows: NDArray[np.float32], shift: Vector) -> tuple[Vector, Matrix]:
    """Return s and P, multiplied in float32; NaN where float32 does not hold the shift."""
    d, single = rows.shape[1], shift.astype(np.float32)
    sums, products = np.zeros(d), np.zeros((d, d))
    if (single != shift).any():
        return sums * np.nan, products
    for first in range(0, len(rows), EXACT_ROWS):
        part = rows[first : first + EXACT_ROWS]
        part = part - single if shift.any() else part
        sums += np.ones(len(part), np.float32) @ part
        products += part.T @ part
    return sums, products


def _loses_little(away: Vector, squares: Vector) -> bool:
    """Return whether sums in float32 around a shift were good, from means of x and of x²."""
    variances = squares - away**2
    near = away**2 <= MOST_MEAN**2 * variances
    plain = (variances > PLAIN_FLOAT32**-2) & (variances < PLAIN_FLOAT32**2)
    return bool(((near & plain) | ((squares == 0) & (away == 0))).all())


def sparse_products(
    block: Any,
    shift: Vector,
    weights: Vector | None,
) -> tuple[Vector, Matrix]:
    """Return s and P around 0, which keeps the zeros out (``shift`` is 0)."""
    rows = sparse.csr_array(block).astype(np.float64)
    heavy = rows if weights is None else sparse.diags_array(weights) @ rows
    return np.asarray(heavy.sum(axis=0)).ravel(), (heavy.T @ rows).toarray()


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
