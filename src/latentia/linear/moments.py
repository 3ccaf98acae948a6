"""Means and covariances in one pass, in pieces, in any order, over several processes.

Around a fixed shift c, the sums Σw, Σw(x − c) and Σw(x − c)(x − c)ᵀ are plain additions, and give

    μ = c + s/n,   S = P/n − (s/n)(s/n)ᵀ.

Floats are summed in float64 around the first block's mean. uint8 is summed exactly, as integers
around 128, so that any order of any blocks gives the same bits.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import blas

from latentia.distributed import broadcast, sum_over_processes
from latentia.errors import InputError
from latentia.linear.products import (
    MIDDLE,
    byte_products,
    float_products,
    needed_shift,
    sparse_products,
)

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

BLOCK_VALUES = 2**22
BLOCK_BYTES = 2**24


class Moments:
    """Weighted count, mean and covariance of the rows seen so far.

    Attributes
    ----------
    n_rows
        Rows seen, n.
    weight
        Their total weight; n where there are no weights.
    sample_shape
        Of one sample; images are flattened.
    """

    def __init__(self) -> None:
        self.n_rows, self.weight = 0, 0.0
        self.sample_shape: tuple[int, ...] = ()
        self._scale = 1.0
        self._shift: Vector = np.zeros(0)
        self._sum: Vector = np.zeros(0)
        self._products: Matrix = np.zeros((0, 0))

    @property
    def n_features(self) -> int:
        """The number of columns, d; 0 before the first rows."""
        return len(self._shift)

    @property
    def mean(self) -> Vector:
        """(d,) mean; images of bytes count as [0, 1]."""
        mean: Vector = (self._shift + self._sum / self.weight) * self._scale
        return mean

    @property
    def covariance(self) -> Matrix:
        """(d, d) covariance, divided by the weight (n, not n − 1)."""
        away = self._sum / self.weight
        S: Matrix = self._products / self.weight
        # In place: another d × d array costs more than the arithmetic.
        S = blas.dger(-1.0, away, away, a=S.T, overwrite_a=1).T
        if self._scale != 1.0:
            S *= self._scale**2
        return S

    def add(self, X: Any, sample_weight: Any = None) -> Self:  # noqa: ANN401
        """Take rows up, block by block.

        Parameters
        ----------
        X
            (n, d) table or (n, ...) images: array, memory map, tensor on any device, SciPy sparse
            matrix or Dask array. Images of bytes count as [0, 1].
        sample_weight
            (n,) weights of at least 0.

        Raises
        ------
        InputError
            For samples of another shape than before, NaN or infinity, or bad weights.
        """
        if hasattr(X, "to_delayed"):
            return self._add_delayed(X, sample_weight)
        weights = checked_weights(sample_weight, X.shape[0])
        for first, block in _blocks(X):
            if not self.n_features:
                self._begin(block)
            self._check_shape(block)
            here = None if weights is None else weights[first : first + block.shape[0]]
            self._add_block(block, here, first)
        return self

    def merge(self, other: Moments) -> Self:
        """Take up the rows that another has seen.

        Raises
        ------
        InputError
            If its samples have another shape or scale.
        """
        if not other.n_features:
            return self
        if not self.n_features:
            self._shift, self._scale = other._shift, other._scale
            self.sample_shape = other.sample_shape
            self._sum, self._products = np.zeros_like(other._sum), np.zeros_like(other._products)
        if (other.sample_shape, other._scale) != (self.sample_shape, self._scale):
            raise InputError(
                f"moments of samples of shape {other.sample_shape} do not add to those of samples "
                f"of shape {self.sample_shape}, or one is of bytes and the other of floats"
            )
        away = other._shift - self._shift
        cross = np.outer(other._sum, away)
        products = other._products + cross + cross.T + other.weight * np.outer(away, away)
        self._tally(other.n_rows, other.weight, other._sum + other.weight * away, products)
        return self

    def all_reduce(self) -> Moments:
        """Return the moments of all processes' rows, the same in each of them (torchrun)."""
        common = Moments()
        common.sample_shape, common._scale = self.sample_shape, self._scale
        common._shift = broadcast(self._shift)
        common._sum, common._products = np.zeros_like(self._sum), np.zeros_like(self._products)
        common.merge(self)
        counts = sum_over_processes(np.array([common.n_rows, common.weight]))
        common.n_rows, common.weight = int(counts[0]), float(counts[1])
        common._sum = sum_over_processes(common._sum)
        common._products = sum_over_processes(common._products)
        return common

    def _begin(self, block: Any) -> None:  # noqa: ANN401
        self.sample_shape = tuple(block.shape[1:])
        d = int(np.prod(self.sample_shape))
        self._sum, self._products = np.zeros(d), np.zeros((d, d))
        if _is_bytes(block):
            self._scale = 1 / 255 if block.ndim > 2 else 1.0
            self._shift = np.full(d, float(MIDDLE))
        elif sparse.issparse(block):
            self._shift = np.zeros(d)
        else:
            self._shift = needed_shift(_flat(block))

    def _check_shape(self, block: Any) -> None:  # noqa: ANN401
        if tuple(block.shape[1:]) != self.sample_shape:
            raise InputError(
                f"samples have shape {tuple(block.shape[1:])}; those before had {self.sample_shape}"
            )
        if (self._scale != 1.0) and not _is_bytes(block):
            raise InputError(f"samples are {block.dtype}; those before were images of uint8")

    def _add_block(self, block: Any, weights: Vector | None, first: int) -> None:  # noqa: ANN401
        if _is_bytes(block) and weights is None:
            sums, products = byte_products(_flat(block))
            # Sums around 128 move to the shift that the first block had.
            away = MIDDLE - self._shift
            products += np.outer(sums, away) + np.outer(away, sums)
            products += len(block) * np.outer(away, away)
            self._tally(len(block), len(block), sums + len(block) * away, products)
            return
        adder = sparse_products if sparse.issparse(block) else float_products
        sums, products = adder(block, self._shift, weights)
        if not np.isfinite(sums).all():
            column = int(np.argmin(np.isfinite(sums)))
            raise InputError(
                f"column {column} holds NaN or infinity among rows {first} to "
                f"{first + block.shape[0] - 1}; fill it in, drop those rows, or let FactorAnalysis "
                "estimate with missing values (missing='fiml')"
            )
        n = block.shape[0]
        self._tally(n, n if weights is None else float(weights.sum()), sums, products)

    def _tally(self, n: int, weight: float, sums: Vector, products: Matrix) -> None:
        self.n_rows += n
        self.weight += weight
        self._sum = self._sum + sums
        self._products += products

    def _add_delayed(self, X: Any, sample_weight: Any) -> Self:  # noqa: ANN401
        """Take up a Dask array: each block's moments where the block is, then their sum."""
        import dask

        if sample_weight is not None:
            raise InputError("sample_weight does not go with a Dask array; weight its rows first")
        whole = X.rechunk(dict.fromkeys(range(1, X.ndim), -1))
        pieces = [dask.delayed(_of)(block) for block in whole.to_delayed().ravel()]
        for piece in dask.compute(*pieces):
            self.merge(piece)
        return self


def _of(block: Any) -> Moments:  # noqa: ANN401
    return Moments().add(block)


def _blocks(X: Any) -> Iterator[tuple[int, Any]]:  # noqa: ANN401
    """Yield (first row, rows), letting go of a memory map's pages after each block."""
    if isinstance(X, torch.Tensor) and X.device.type != "cuda":
        X = X.detach().cpu().numpy()
    values = BLOCK_BYTES if _is_bytes(X) else BLOCK_VALUES
    step = max(64, values // max(1, int(np.prod(X.shape[1:]))))
    if sparse.issparse(X):
        X = sparse.csr_array(X)
    pages = _map_of(X)
    for first in range(0, X.shape[0], step):
        yield first, X[first : first + step]
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


def _is_bytes(X: Any) -> bool:  # noqa: ANN401
    return isinstance(X, np.ndarray) and X.dtype == np.uint8


def _flat(X: NDArray[Any]) -> NDArray[Any]:
    return X.reshape(len(X), -1)


def checked_weights(sample_weight: Any, n: int) -> Vector | None:  # noqa: ANN401
    """Return (n,) finite weights of at least 0, not all 0; None stays None."""
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != (n,) or not np.isfinite(weights).all() or (weights < 0).any():
        raise InputError(
            f"sample_weight has shape {weights.shape}, least value "
            f"{weights.min() if weights.size else 'none'}; give {n} finite numbers of at least 0"
        )
    if not weights.any():
        raise InputError("every sample weight is zero; at least one row must count")
    return weights
