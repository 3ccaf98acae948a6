"""Sums and cross-products of a block of rows around a shift: bytes, floats, tensors, sparse.

s = Σ w (x − c),   P = Σ w (x − c)(x − c)ᵀ
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from latentia.base import to_numpy

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

MIDDLE = 128
FIRST_ROWS = 1024
MOST_MEAN = 4.0
"""Standard deviations that a mean may lie from 0 before it is subtracted first."""
EXACT_BYTE_ROWS = 2**16
"""Whose products fit into 32 bits: 2¹⁶ · 128² = 2³⁰."""
EXACT_ROWS = 1024
"""So many products of bytes around 128 add up exactly in float32: 1024 · 128² = 2²⁴."""


def byte_products(X_ND: NDArray[np.uint8]) -> tuple[Vector, Matrix]:
    """Return Σ(x − 128) and Σ(x − 128)(x − 128)ᵀ of bytes, exactly."""
    centred = np.bitwise_xor(X_ND, np.uint8(MIDDLE)).view(np.int8)
    d = X_ND.shape[1]
    sums, products = np.zeros(d), np.zeros((d, d))
    # torch 2.13 returns uninitialised memory for the product of a single column.
    if d > 1 and integer_products_are_exact():
        for first in range(0, len(centred), EXACT_BYTE_ROWS):
            rows = torch.from_numpy(centred[first : first + EXACT_BYTE_ROWS])
            ones = torch.ones((8, len(rows)), dtype=torch.int8)
            sums += torch._int_mm(ones, rows)[0].double().numpy()
            products += torch._int_mm(rows.T, rows).double().numpy()
        return sums, products
    for first in range(0, len(centred), EXACT_ROWS):
        floats = centred[first : first + EXACT_ROWS].astype(np.float32)
        sums += floats.sum(axis=0)
        products += floats.T @ floats
    return sums, products


def needed_shift(rows: Any) -> Vector:  # noqa: ANN401
    """Return columns' means where they dwarf the deviations, whose digits they would cost; else 0.

    A block that needs no shift is multiplied as it is, without a copy.
    """
    few = np.asarray(to_numpy(rows[:FIRST_ROWS]), dtype=np.float64)
    with np.errstate(all="ignore"):
        mean, spread = few.mean(axis=0), few.std(axis=0)
        dwarfed = np.isfinite(mean) & (np.abs(mean) > MOST_MEAN * spread)
    return np.where(dwarfed, mean, 0.0)


@cache
def integer_products_are_exact() -> bool:
    """Return whether torch multiplies int8 matrices here, and without saturating.

    It is twice as fast as float32 where the processor can; some add pairs of products in 16 bits.
    """
    extremes = torch.tensor([[-128, 127, -128, 127]], dtype=torch.int8).repeat(64, 8)
    try:
        products = torch._int_mm(extremes.T, extremes)
    except (AttributeError, RuntimeError):
        return False
    truth = extremes.double().T @ extremes.double()
    return bool(torch.equal(products.double(), truth))


def float_products(
    block: Any,  # noqa: ANN401
    shift: Vector,
    weights: Vector | None,
) -> tuple[Vector, Matrix]:
    """Return s and P in float64 of an array, or of a tensor on the device it is on."""
    if isinstance(block, torch.Tensor):
        away = block.flatten(1).double() - torch.from_numpy(shift).to(block.device)
        heavy = away if weights is None else away * torch.from_numpy(weights).to(away)[:, None]
        return heavy.sum(0).cpu().numpy(), (heavy.T @ away).cpu().numpy()
    flat = block.reshape(len(block), -1)
    if weights is None and flat.dtype == np.float64 and not shift.any():
        return np.ones(len(flat)) @ flat, flat.T @ flat
    rows = flat.astype(np.float64)
    if shift.any():
        rows -= shift
    if weights is None:
        return np.ones(len(rows)) @ rows, rows.T @ rows
    rows *= np.sqrt(weights)[:, None]
    return np.sqrt(weights) @ rows, rows.T @ rows


def sparse_products(
    block: Any,  # noqa: ANN401
    shift: Vector,
    weights: Vector | None,
) -> tuple[Vector, Matrix]:
    """Return s and P around 0, which keeps the zeros out (``shift`` is 0)."""
    rows = sparse.csr_array(block).astype(np.float64)
    heavy = rows if weights is None else sparse.diags_array(weights) @ rows
    return np.asarray(heavy.sum(axis=0)).ravel(), (heavy.T @ rows).toarray()
