"""Means and covariances in one pass, in pieces, in any order, over several processes.

Around a fixed shift c, the sums Σw, Σw(x − c) and Σw(x − c)(x − c)ᵀ are plain additions, and give

    μ = c + s/n,   S = P/n − (s/n)(s/n)ᵀ.

Floats are summed in float64 around the first block's mean. uint8 is summed exactly, as integers
around 128, so that any order of any blocks gives the same bits.
"""

from __future__ import annotations

import math
import mmap
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import blas

from latentia.data.limits import check_bytes
from latentia.errors import InputError
from latentia.models.base import to_numpy
from latentia.models.inputs import Matrix, Vector, checked_weights, is_tensor
from latentia.models.linear.scale import LEAST, beyond, refuse_spread
from latentia.training.distributed import any_rank, broadcast, sum_over_processes

BLOCK_VALUES = 2**20
"""Of floats, which then stay in the cache between conversion and product."""
BLOCK_BYTES = 2**24


def blocks_of(X: Any) -> Iterator[tuple[int, Any]]:
    """Yield (first row, rows), letting go of a memory map's pages after each block."""
    # Floats on a GPU are multiplied there; bytes are exact, and fast, only here.
    holds_bytes = str(X.dtype).endswith("uint8")
    moved = is_tensor(X) and (X.device.type != "cuda" or holds_bytes)
    values = BLOCK_BYTES if holds_bytes else BLOCK_VALUES
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


def exact_floats(rows: NDArray[np.int8]) -> tuple[Vector, Matrix]:
    """Return Σx and Σxxᵀ of up to 1,024 rows of int8 by NumPy's product of float32."""
    floats = rows.astype(np.float32)
    return floats.sum(axis=0).astype(np.float64), (floats.T @ floats).astype(np.float64)


def needed_shift(rows: Any) -> Vector:
    """Return columns' means where they dwarf the deviations, whose digits they would cost; else 0.

    A block that needs no shift is multiplied as it is, without a copy.
    """
    few = np.asarray(to_numpy(rows[:FIRST_ROWS]), dtype=np.float64)
    with np.errstate(all="ignore"):
        mean, spread = few.mean(axis=0), few.std(axis=0)
        dwarfed = np.isfinite(mean) & (np.abs(mean) > MOST_MEAN * spread)
    return np.where(dwarfed, mean, 0.0)


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
    rows = flat.astype(np.float64)
    if shift.any():
        rows -= shift
    if weights is None:
        return np.ones(len(rows)) @ rows, rows.T @ rows
    rows *= np.sqrt(weights)[:, None]
    return np.sqrt(weights) @ rows, rows.T @ rows


def sparse_products(
    block: Any,
    shift: Vector,
    weights: Vector | None,
) -> tuple[Vector, Matrix]:
    """Return s and P around 0, which keeps the zeros out (``shift`` is 0)."""
    rows = sparse.csr_array(block).astype(np.float64)
    heavy = rows if weights is None else sparse.diags_array(weights) @ rows
    return np.asarray(heavy.sum(axis=0)).ravel(), (heavy.T @ rows).toarray()


CANCELLATION = 1e-13
"""Share of the mean square around the shift below which a variance is rounding."""
ROUNDING = 16 * float(np.finfo(np.float64).eps)
"""Share of the mean below which a standard deviation is rounding."""


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
        self._scale, self._cancellation = 1.0, CANCELLATION
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

    @property
    def varies(self) -> NDArray[np.bool_]:
        """(d,) which columns are not constant, as far as rounding lets that be seen.

        InputError for one whose variance is no ordinary number.
        """
        raw = np.diag(self._products) / self.weight
        variances = raw - (self._sum / self.weight) ** 2
        spread = np.sqrt(np.maximum(variances, 0)) * self._scale
        found: NDArray[np.bool_] = variances > self._cancellation * raw
        found &= spread > ROUNDING * np.abs(self.mean)
        refuse_spread(np.where(found, spread, 0))
        return found

    @classmethod
    def restored(
        cls, mean: Vector, covariance: Matrix, weight: float, n_rows: int, shape: tuple[int, ...]
    ) -> Self:
        """Return the moments that have these values, to add more rows to."""
        moments = cls()
        moments.sample_shape, moments.n_rows, moments.weight = shape, n_rows, weight
        moments._shift, moments._sum = mean.copy(), np.zeros_like(mean)
        moments._products = covariance * weight
        return moments

    def add(
        self,
        X: Any,
        sample_weight: Any = None,
        check: Callable[[Any], None] | None = None,
    ) -> Self:
        """Take rows up, block by block.

        Parameters
        ----------
        X
            (n, d) table or (n, ...) images: array, memory map, tensor on any device, SciPy sparse
            matrix or Dask array. Images of bytes count as [0, 1].
        sample_weight
            (n,) weights of at least 0.
        check
            Called with every block before it is taken up.

        Raises
        ------
        InputError
            For NaN, infinity, a spread whose square is no ordinary float, or a covariance matrix
            larger than the limit in `latentia.data.limits`.
        """
        d = math.prod(X.shape[1:])
        check_bytes(8 * d**2, f"the covariance matrix of {d:,} columns")
        if hasattr(X, "to_delayed"):
            return self._add_delayed(X, sample_weight, check)
        weights = checked_weights(sample_weight, X.shape[0])
        for first, block in blocks_of(X):
            if check is not None:
                check(block)
            here = None if weights is None else weights[first : first + block.shape[0]]
            self.merge(self._of_block(block, here, first))
        return self

    def merge(self, other: Moments) -> Self:
        """Take up the rows that another has seen, of the same shape."""
        if not other.n_features:
            return self
        if not self.n_features:
            self.__dict__.update(vars(other))
            self._products = other._products.copy()
            return self
        if other.sample_shape != self.sample_shape:
            raise InputError(
                f"samples have shape {other.sample_shape}; those before had {self.sample_shape}"
            )
        if other._scale != self._scale:
            self.__dict__.update(vars(self._in_units()))
            other = other._in_units()
        away = other._shift - self._shift
        products = other._products
        if away.any():
            cross = np.outer(other._sum, away)
            products = products + cross + cross.T + other.weight * np.outer(away, away)
        self._cancellation = max(self._cancellation, other._cancellation)
        self.n_rows += other.n_rows
        self.weight += other.weight
        self._sum = self._sum + other._sum + other.weight * away
        self._products += products
        return self

    def all_reduce(self) -> Moments:
        """Return the moments of all processes' rows, the same in each of them (torchrun)."""
        if not self.n_features:
            raise InputError("a process has seen no rows; give each of them some")
        first = float(broadcast(np.array([self._scale]))[0])
        own = self._in_units() if any_rank(first != self._scale) else self
        common = own._empty(broadcast(own._shift)).merge(own)
        counts = sum_over_processes(np.array([common.n_rows, common.weight]))
        common.n_rows, common.weight = int(counts[0]), float(counts[1])
        common._sum = sum_over_processes(common._sum)
        common._products = sum_over_processes(common._products)
        return common

    def _in_units(self) -> Moments:
        """Return the same moments as those of floats: bytes are scaled to [0, 1]."""
        moments = self._empty(self._shift * self._scale)
        moments.n_rows, moments.weight, moments._scale = self.n_rows, self.weight, 1.0
        moments._sum = self._sum * self._scale
        moments._products = self._products * self._scale**2
        return moments

    def _empty(self, shift: Vector) -> Moments:
        """Return moments of no rows around a shift, of samples like these."""
        moments = Moments()
        moments.sample_shape, moments._scale = self.sample_shape, self._scale
        moments._shift, moments._sum = shift, np.zeros_like(shift)
        moments._products = np.zeros((len(shift), len(shift)))
        return moments

    def _of_block(self, block: Any, weights: Vector | None, first: int) -> Moments:
        """Return the moments of one block, around the shift that is in use if it will do."""
        found, n = Moments(), block.shape[0]
        found.sample_shape, found.n_rows = tuple(block.shape[1:]), n
        found.weight = float(n if weights is None else weights.sum())
        if is_bytes(block):
            found._scale = 1 / 255 if block.ndim > 2 else 1.0
        if is_bytes(block) and weights is None:
            found._shift = np.full(flat(block).shape[1], float(MIDDLE))
            found._sum, found._products = byte_products(flat(block))
            return found
        known = found.sample_shape == self.sample_shape and found._scale == self._scale
        adder = sparse_products if sparse.issparse(block) else float_products
        if sparse.issparse(block):
            found._shift = np.zeros(block.shape[1])
            # Summed one by one, unshifted.
            found._cancellation = max(CANCELLATION, n * ROUNDING)
        else:
            found._shift = self._shift if known else needed_shift(flat(block))
        with np.errstate(over="ignore", invalid="ignore"):
            found._sum, found._products = adder(block, found._shift, weights)
        squares = np.diag(found._products)
        if not (finite := np.isfinite(found._sum) & np.isfinite(squares)).all():
            _refuse_not_finite(block, finite, first)
        if (vanishing := squares <= LEAST**2 * found.weight).any():
            _refuse_vanishing(block, found._shift, weights, vanishing)
        return found

    def _add_delayed(self, X: Any, sample_weight: Any, check: Any) -> Self:
        """Take up a Dask array: each block's moments where the block is, then their sum."""
        import dask

        if sample_weight is not None:
            raise InputError("sample_weight does not go with a Dask array; weight its rows first")
        whole = X.rechunk(dict.fromkeys(range(1, X.ndim), -1))
        # Blocks of unknown length count as none in the row numbers of errors.
        starts = np.cumsum(np.nan_to_num([0, *whole.chunks[0]]))
        blocks = zip(whole.to_delayed().ravel(), starts, strict=False)
        pieces = [dask.delayed(_of)(block, int(first), check) for block, first in blocks]
        for piece in dask.compute(*pieces):
            self.merge(piece)
        return self


def _of(block: Any, first: int, check: Any) -> Moments:
    """Return the moments of a block that begins at a row of a larger array."""
    if check is not None:
        check(block)
    return Moments()._of_block(block, None, first)


def _refuse_not_finite(block: Any, finite: NDArray[np.bool_], first: int) -> None:
    """Refuse a block whose sums overflow, or hold NaN or infinity, by the first such column."""
    column = int(np.argmin(finite))
    largest = float(np.abs(_columns(block, np.arange(len(finite)) == column)).max())
    if np.isfinite(largest):
        raise beyond(f"column {column}", largest)
    raise InputError(
        f"column {column} holds NaN or infinity among rows {first} to {first + block.shape[0] - 1};"
        " fill it in, drop those rows, or let FactorAnalysis estimate with missing values "
        "(missing='fiml')"
    )


def _refuse_vanishing(
    block: Any, shift: Vector, weights: Vector | None, columns: NDArray[np.bool_]
) -> None:
    """Refuse columns that vary, though the sum of their squares is nothing."""
    counted = slice(None) if weights is None else weights > 0
    away = np.abs(_columns(block, columns)[counted] - shift[columns]).max(axis=0, initial=0)
    for place in np.flatnonzero(away > ROUNDING * np.abs(shift[columns])):
        raise beyond(f"column {np.flatnonzero(columns)[place]}", float(away[place]))


def _columns(block: Any, columns: NDArray[np.bool_]) -> Matrix:
    """Return some columns of a block of any kind."""
    if sparse.issparse(block):
        return np.asarray(sparse.csc_array(block)[:, np.flatnonzero(columns)].toarray())
    return np.asarray(flat(to_numpy(block))[:, columns], dtype=np.float64)
