"""Means and covariances in one pass, in pieces, in any order, over processes or a cluster.

Around a fixed shift c, the sums Σw, Σw(x − c) and Σw(x − c)(x − c)ᵀ are plain additions, and give

    μ = c + s/n,   S = P/n − (s/n)(s/n)ᵀ.

They are added in float64 around the first block's mean, if that is far from 0. uint8 is summed
exactly, as integers around 128, so that any order of any blocks gives the same bits; float32 is
multiplied in float32, a thousand rows at a time, which changes no entry of S by 1e-6 of √(Sᵢᵢ Sⱼⱼ).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.linalg import blas

from latentia.data.limits import check_bytes
from latentia.errors import InputError
from latentia.models.base import to_numpy
from latentia.models.inputs import Matrix, Vector, checked_weights
from latentia.models.linear.arrow import arrow_blocks, arrow_names
from latentia.models.linear.products import (
    LEAST,
    MIDDLE,
    beyond,
    blocks_of,
    byte_products,
    flat,
    float_products,
    is_bytes,
    needed_shift,
    refuse_spread,
    sparse_products,
)
from latentia.models.linear.sufficient import (
    SLACK,
    SufficientStatistic,
    coded_names,
    common_names,
    contradiction,
    decoded_names,
)
from latentia.training.distributed import any_rank, broadcast, sum_over_processes

CANCELLATION = 1e-13
"""Share of the mean square around the shift below which a variance is rounding."""
ROUNDING = 16 * float(np.finfo(np.float64).eps)
"""Share of the mean below which a standard deviation is rounding."""
UNIT_BYTES = 1 / 255
SHIFTED = 1e-7
"""Share of a column's shift by which rounding may move its values."""


@final
class Moments(SufficientStatistic):
    """Weighted count, mean and covariance of the rows seen so far.

    ``add`` takes rows up, ``merge`` the rows of another, ``all_reduce`` those of all processes;
    `from_sums` begins from sums that a database or another program has made.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(1000, 4))
    >>> parts = [Moments().add(part).to_bytes() for part in np.split(rows, 4)]
    >>> whole = Moments()
    >>> for part in parts:
    ...     whole = whole.merge(Moments.from_bytes(part))
    >>> np.abs(whole.covariance - np.cov(rows.T, ddof=0)).max() < 1e-12
    np.True_

    Attributes
    ----------
    n_rows
        Rows seen, n.
    weight
        Their total weight; n where there are no weights.
    sample_shape
        Of one sample; images are flattened.
    names
        Of the columns, if rows came in tables of Arrow.
    """

    kind, version = "moments", 1
    layout = {
        "n_rows": ("int64", 0),
        "weight": ("float64", 0),
        "scale": ("float64", 0),
        "cancellation": ("float64", 0),
        "sample_shape": ("int64", 1),
        "names": ("uint8", 1),
        "shift": ("float64", 1),
        "sum": ("float64", 1),
        "products": ("float64", 1),
    }

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
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
    def from_sums(
        cls,
        weight: float,
        sums: ArrayLike,
        products: ArrayLike,
        *,
        shift: ArrayLike | None = None,
        n_rows: int | None = None,
        sample_shape: tuple[int, ...] | None = None,
        names: tuple[str, ...] = (),
    ) -> Self:
        """Return the moments of rows whose sums around a shift are known, to add more to.

        Parameters
        ----------
        weight
            Total weight of the rows; their number if they have no weights.
        sums
            (d,) Σw(x − c).
        products
            (d, d) Σw(x − c)(x − c)ᵀ.
        shift
            (d,) c, 0 if none is given. One near the mean keeps digits that products around 0 lose.
        n_rows
            Their number; none: the weight.
        sample_shape
            Of one sample; none: (d,).
        names
            Of the d columns, or none.

        Raises
        ------
        InputError
            For sums that no rows have.
        """
        moments, d = cls(), np.size(sums)
        moments.n_rows = round(weight) if n_rows is None else n_rows
        moments.weight, moments.names = float(weight), tuple(names)
        moments.sample_shape = (d,) if sample_shape is None else sample_shape
        moments._sum = np.array(sums, dtype=np.float64)
        moments._products = np.array(products, dtype=np.float64)
        moments._shift = np.zeros(d) if shift is None else np.array(shift, dtype=np.float64)
        # They may have been summed one by one.
        moments._cancellation = max(CANCELLATION, min(weight * ROUNDING, SLACK))
        return moments._checked()

    def _checked(self) -> Self:
        """Refuse sums that no rows have, as far as these can be told."""
        d, P = len(self._shift), self._products
        if self._sum.shape != (d,) or P.shape != (d, d) or math.prod(self.sample_shape) != d:
            raise contradiction("moments", f"sums of other shapes than ({d},) and ({d}, {d})")
        if not all(np.isfinite(part).all() for part in (self.weight, self._shift, self._sum, P)):
            raise contradiction("moments", "NaN or infinity")
        if self.n_rows < 1 or self.weight <= 0 or min(self.sample_shape, default=0) < 1:
            raise contradiction("moments", f"{self.n_rows} rows of weight {self.weight:g}")
        if not CANCELLATION <= self._cancellation <= 1 or self._scale not in (1.0, UNIT_BYTES):
            raise contradiction("moments", "an unknown scale")
        # A column far from 0 that is constant has products of rounding.
        roots = np.sqrt(np.diag(P).clip(min=0) + self.weight * (SHIFTED * self._shift) ** 2)
        slack = SLACK * np.outer(roots, roots)
        # Of Cauchy and Schwarz, for two columns, and for one beside a column of ones.
        if (np.abs(P - P.T) > slack).any() or (np.abs(P) > np.outer(roots, roots) + slack).any():
            raise contradiction("moments", "products that are not those of any columns")
        if (np.abs(self._sum) > (1 + SLACK) * roots * math.sqrt(self.weight)).any():
            raise contradiction("moments", "a mean square below the square of the mean")
        if len(self.names) not in (0, d):
            raise contradiction("moments", f"{len(self.names)} names of {d} columns")
        return self

    def _arrays(self) -> dict[str, Any]:
        below = np.tri(self.n_features, dtype=bool)
        return {
            "n_rows": self.n_rows,
            "weight": self.weight,
            "scale": self._scale,
            "cancellation": self._cancellation,
            "sample_shape": self.sample_shape,
            "names": coded_names(self.names),
            "shift": self._shift,
            "sum": self._sum,
            "products": self._products[below],
        }

    @classmethod
    def _restored(cls, arrays: dict[str, Any]) -> Self:
        moments, d = cls(), len(arrays["shift"])
        if len(arrays["products"]) != d * (d + 1) // 2:
            raise contradiction("moments", f"other than {d * (d + 1) // 2} products")
        if d == 0:
            return moments
        moments.n_rows, moments.weight = int(arrays["n_rows"]), float(arrays["weight"])
        moments._scale, moments._cancellation = (
            float(arrays["scale"]),
            float(arrays["cancellation"]),
        )
        moments.sample_shape = tuple(arrays["sample_shape"].tolist())
        moments.names = decoded_names("moments", arrays["names"], d)
        moments._shift, moments._sum = arrays["shift"], arrays["sum"]
        moments._products = np.zeros((d, d))
        moments._products[np.tri(d, dtype=bool)] = arrays["products"]
        moments._products += np.tril(moments._products, -1).T
        return moments._checked()

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
            matrix or Dask array, or a table or record batch of Arrow, whose names are kept. Images
            of bytes count as [0, 1].
        sample_weight
            (n,) weights of at least 0.
        check
            Called with every block before it is taken up.

        Raises
        ------
        InputError
            For NaN, infinity, nulls, a spread whose square is no ordinary float, a covariance
            matrix larger than the limit in `latentia.data.limits`, or other columns than before.
        """
        if hasattr(X, "num_columns"):
            return self._add_arrow(X, sample_weight, check)
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
        """Take up the rows that another has seen, of the same shape and names."""
        same = other.names == self.names
        names = self.names if same else common_names(self.names, other.names)
        if not other.n_features:
            return self
        if not self.n_features:
            self.__dict__.update(vars(other) | {"names": names})
            self._products = other._products.copy()
            return self
        if other.sample_shape != self.sample_shape:
            raise InputError(
                f"samples have shape {other.sample_shape}; those before had {self.sample_shape}"
            )
        if other._scale != self._scale:
            self.__dict__.update(vars(self._in_units()))
            other = other._in_units()
        # Fewer rows lose fewer digits around a shift that is far from theirs.
        shift = (other if other.weight > self.weight else self)._shift
        (mine, products), (others, added) = self._around(shift), other._around(shift)
        self.names, self._cancellation = names, max(self._cancellation, other._cancellation)
        self.n_rows += other.n_rows
        self.weight += other.weight
        self._shift, self._sum, self._products = shift, mine + others, products
        self._products += added
        return self

    def _around(self, shift: Vector) -> tuple[Vector, Matrix]:
        """Return s and P around another shift."""
        away = self._shift - shift
        if not away.any():
            return self._sum, self._products
        cross = np.outer(self._sum, away)
        products = self._products + cross + cross.T + self.weight * np.outer(away, away)
        return self._sum + self.weight * away, products

    def all_reduce(self) -> Moments:
        """Return the moments of all processes' rows, the same in each of them (torchrun)."""
        if not self.n_features:
            raise InputError("a process has seen no rows; give each of them some")
        first = float(broadcast(np.array([self._scale]))[0])
        own = self._in_units() if any_rank(first != self._scale) else self
        common = own._empty(broadcast(own._shift))
        counts = sum_over_processes(np.array([own.n_rows, own.weight]))
        common.n_rows, common.weight = int(counts[0]), float(counts[1])
        common._cancellation = own._cancellation
        sums, products = own._around(common._shift)
        common._sum = sum_over_processes(sums)
        common._products = sum_over_processes(products)
        return common

    def _in_units(self) -> Moments:
        """Return the same moments as those of floats: bytes are scaled to [0, 1]."""
        moments = self._empty(self._shift * self._scale)
        moments.n_rows, moments.weight, moments._scale = self.n_rows, self.weight, 1.0
        moments._cancellation = self._cancellation
        moments._sum = self._sum * self._scale
        moments._products = self._products * self._scale**2
        return moments

    def _empty(self, shift: Vector) -> Moments:
        """Return moments of no rows around a shift, of samples like these."""
        moments = Moments()
        moments.sample_shape, moments._scale = self.sample_shape, self._scale
        moments.names = self.names
        moments._shift, moments._sum = shift, np.zeros_like(shift)
        moments._products = np.zeros((len(shift), len(shift)))
        return moments

    def _of_block(self, block: Any, weights: Vector | None, first: int) -> Moments:
        """Return the moments of one block, around the shift that is in use if it will do."""
        found, n = Moments(), block.shape[0]
        found.sample_shape, found.n_rows = tuple(block.shape[1:]), n
        found.weight = float(n if weights is None else weights.sum())
        if is_bytes(block):
            found._scale = UNIT_BYTES if block.ndim > 2 else 1.0
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

    def _add_arrow(self, X: Any, sample_weight: Any, check: Any) -> Self:
        """Take up a table of Arrow, block by block, and the names of its columns."""
        self.names = common_names(self.names, arrow_names(X))
        weights, first = checked_weights(sample_weight, X.num_rows), 0
        for rows in arrow_blocks(X):
            self.add(rows, None if weights is None else weights[first : first + len(rows)], check)
            first += len(rows)
        return self

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
    found = _columns(block, columns)
    if (found == shift[columns]).all():
        return
    counted = slice(None) if weights is None else weights > 0
    away = np.abs(found[counted] - shift[columns]).max(axis=0, initial=0)
    for place in np.flatnonzero(away > ROUNDING * np.abs(shift[columns])):
        raise beyond(f"column {np.flatnonzero(columns)[place]}", float(away[place]))


def _columns(block: Any, columns: NDArray[np.bool_]) -> NDArray[Any]:
    """Return some columns of a block of any kind."""
    if sparse.issparse(block):
        return np.asarray(sparse.csc_array(block)[:, np.flatnonzero(columns)].toarray())
    return np.asarray(flat(to_numpy(block)).take(np.flatnonzero(columns), axis=1))
