"""Rows of any kind, a block at a time."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from latentia.base import to_numpy

BLOCK_VALUES = 2**20
"""Of floats, which then stay in the cache between conversion and product."""
BLOCK_BYTES = 2**24


def blocks_of(X: Any) -> Iterator[tuple[int, Any]]:  # noqa: ANN401
    """Yield (first row, rows), letting go of a memory map's pages after each block."""
    # Floats on a GPU are multiplied there; bytes are exact, and fast, only here.
    moved = isinstance(X, torch.Tensor) and (X.device.type != "cuda" or X.dtype == torch.uint8)
    values = BLOCK_BYTES if X.dtype in (np.uint8, torch.uint8) else BLOCK_VALUES
    d = max(1, int(np.prod(X.shape[1:])))
    # Adding up d × d products should not cost more than making them.
    step = max(64, values // d, 4 * d)
    if sparse.issparse(X):
        X = sparse.csr_array(X)
    pages = _map_of(X)
    for first in range(0, X.shape[0], step):
        block = X[first : first + step]
        yield first, to_numpy(block) if moved else block
        if pages is not None and hasattr(pages, "madvise"):
            pages.madvise(mmap.MADV_DONTNEED)


def _map_of(X: Any) -> mmap.mmap | None:  # noqa: ANN401
    """Return the file map that an array is a view of, if it is a read-only or shared one."""
    if not isinstance(X, np.memmap) or X.mode == "c":
        return None
    base: Any = X
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None


def is_bytes(X: Any) -> bool:  # noqa: ANN401
    """Return whether an array holds bytes."""
    return isinstance(X, np.ndarray) and X.dtype == np.uint8


def flat(X: NDArray[Any]) -> NDArray[Any]:
    """Return rows of samples flattened."""
    return X.reshape(len(X), -1)
