"""Principal axes of a table: the leading eigenvectors of its scatter matrix.

    P = Σ (x − μ)(x − μ)ᵀ = V Σ² Vᵀ                                                     (1)
    G = (X − 1μᵀ)(X − 1μᵀ)ᵀ = U Σ² Uᵀ,   V = (X − 1μᵀ)ᵀ U Σ⁻¹                           (2)

Tall tables go through P, wide ones through G. Both square the singular values, so directions
with less than 10⁻⁶ of the largest variance lose digits that an SVD keeps. A few axes of a large
table need neither matrix: `latentia.models.linear.eigen` multiplies by X and Xᵀ only.

Shapes: ``X_ND`` (n, d), dense or sparse; ``P`` (d, d), ``G`` (n, n); k axes.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from latentia.errors import FitWarning, InputError
from latentia.models.inputs import Matrix, Vector
from latentia.models.linear.eigen import (
    PLAIN,
    PLAIN_FLOAT32,
    lanczos,
    leading,
    pays,
    reduced,
    unit_of,
    width,
)
from latentia.models.linear.products import LEAST, MOST, beyond

MOST_DENSE = 8192
"""A scatter matrix of more rows is formed only on request."""
MOST_PRODUCTS = 4096
"""Of sparse rows with at most so many columns, the scatter is formed in any case."""
SMALL_SHARE = 1e-6
SMALL_SHARE_FLOAT32 = 1e-4
"""Of the largest variance: below it, a squared matrix is too coarse."""
BLOCK_VALUES = 2**17
LEAST_ROWS = 4096
FAR = 2.0
"""Columns with means within so many standard deviations of 0 are multiplied uncentred."""
FOR_SHIFT = 256
"""Rows, spread over the table, from which a mean to multiply around is taken."""


class Axes(NamedTuple):
    """(k,) falling squared singular values, (k, d) unit rows, (d,) mean, and the sum of all Σ²."""

    squares: Vector
    components: Matrix
    mean: Vector
    total: float

    def times(self, unit: float, mean: Vector) -> Axes:
        """Return the axes of data that are so many times as large, around a mean of them."""
        longest = float(np.sqrt(self.squares[0])) * unit
        if 0 < longest < LEAST or longest > MOST:
            raise beyond("X", longest)
        squares = self.squares.astype(np.float64) * unit**2
        return Axes(squares, self.components, mean, self.total * unit**2)


def axes_of_scatter(P: Matrix, mean: Vector, k: int) -> Axes:
    """Return the k leading axes of a (d, d) scatter matrix, equation (1)."""
    total = float(np.trace(P))
    if (unit := unit_of(total)) != 1:
        return axes_of_scatter(P / unit, mean, k).times(np.sqrt(unit), mean)
    if pays(len(P), k):
        found = leading(lambda V: P @ V, len(P), k)
        if found.converged:
            return Axes(found.values.clip(min=0), found.vectors.T, mean, total)
    values, vectors = reduced(P, k)
    return Axes(values.clip(min=0), vectors.T, mean, total)


def axes_of_rows(
    X_ND: Any,
    k: int,
    solver: str,
    n_iterations: int,
    seed: int | None,
) -> Axes:
    """Return the k leading axes of float rows in memory, dense or sparse.

    ``solver`` is that of `latentia.models.linear.pca.PCA`.
    """
    n, d = X_ND.shape
    if (unit := _unit_of_rows(X_ND)) != 1:
        found = axes_of_rows(X_ND / unit, k, solver, n_iterations, seed)
        return found.times(unit, found.mean.astype(np.float64) * unit)
    if sparse.issparse(X_ND) and solver == "auto" and d <= min(n, MOST_PRODUCTS):
        solver = "covariance"
    if solver == "randomized" and 2 * (n_iterations + 1) * width(min(n, d), k) <= min(n, d):
        return _iterated(X_ND, k, n_iterations + 1, seed)[0]
    if solver == "krylov" or (solver == "auto" and pays(min(n, d), k)):
        found, converged = _iterated(X_ND, k, None, seed)
        if converged or min(n, d) > MOST_DENSE:
            return found if converged else _with_warning(found)
    if solver == "svd":
        return _by_svd(X_ND, k)
    if solver == "gram" or (d > n and solver != "covariance"):
        return _by_gram(X_ND, k, exact=solver != "gram")
    return _by_scatter(X_ND, k, exact=solver != "covariance" and n < 10 * d)


def _unit_of_rows(X_ND: Any) -> float:
    low, high = X_ND.min(axis=0), X_ND.max(axis=0)
    with np.errstate(over="ignore"):
        span = float((high - low).max())
    if np.isinf(span):
        raise beyond("X", float(abs(high).max()))
    return unit_of(span, PLAIN_FLOAT32 if X_ND.dtype == np.float32 else PLAIN)


def _with_warning(found: Axes) -> Axes:
    warnings.warn(
        f"axis {len(found.squares)} is too close to the next for the iteration; the axes are "
        "approximate",
        FitWarning,
        stacklevel=6,
    )
    return found


def _iterated(
    X_ND: Any,
    k: int,
    n_steps: int | None,
    seed: int | None,
) -> tuple[Axes, bool]:
    n, d = X_ND.shape
    rows = Centred(X_ND.astype(np.float64) if sparse.issparse(X_ND) else X_ND)
    there, back = (rows.times, rows.back) if d <= n else (rows.back, rows.times)
    p, kind = min(n, d), rows.dtype

    def product(V: Matrix) -> Matrix:
        return back(there(V))

    if sparse.issparse(X_ND) and n_steps is None and pays(p, k):
        found = lanczos(product, p, k, seed)
    else:
        found = leading(product, p, k, dtype=kind, n_steps=n_steps, seed=seed)
    V = found.vectors if d <= n else linalg.qr(rows.back(found.vectors), mode="economic")[0]
    return Axes(found.values.clip(min=0), V.T, rows.mean, rows.total), found.converged


def _by_svd(X_ND: Any, k: int) -> Axes:
    if sparse.issparse(X_ND):
        raise InputError("solver is 'svd', which would fill in the zeros of sparse rows; use auto")
    mean = X_ND.mean(axis=0, dtype=np.float64)
    _, singular, components = linalg.svd(X_ND - mean, full_matrices=False, overwrite_a=True)
    return Axes(singular[:k] ** 2, components[:k], mean, float((singular**2).sum()))


def _by_gram(X_ND: Any, k: int, *, exact: bool) -> Axes:
    """Return axes by equation (2); QR completes a direction without variance."""
    mean, G = (_sparse_gram if sparse.issparse(X_ND) else _dense_gram)(X_ND)
    values, U = reduced(G, k)
    values = values.clip(min=0)
    if exact and not sparse.issparse(X_ND) and _is_coarse(values[: len(G) - 1], SMALL_SHARE):
        return _by_svd(X_ND, k)
    if sparse.issparse(X_ND):
        V = X_ND.T @ U - np.outer(mean, U.sum(axis=0))
    else:
        V = np.concatenate([B.T @ U for B in _centred_columns(X_ND)])
    V = linalg.qr(V, mode="economic", overwrite_a=True)[0]
    return Axes(values, V.T, mean, float(np.trace(G)))


def _dense_gram(X_ND: NDArray[Any]) -> tuple[Vector, Matrix]:
    G = np.zeros((len(X_ND), len(X_ND)))
    for B in _centred_columns(X_ND):
        G += B @ B.T
    return X_ND.mean(axis=0, dtype=np.float64), G


def _sparse_gram(X_ND: Any) -> tuple[Vector, Matrix]:
    rows = X_ND.astype(np.float64)
    mean = np.asarray(rows.mean(axis=0)).ravel()
    away = rows @ mean
    G: Matrix = (rows @ rows.T).toarray()
    return mean, G - away[:, None] - away + mean @ mean


def _centred_columns(X_ND: NDArray[Any]) -> Iterator[Matrix]:
    """Yield some columns after others in float64, centred."""
    step = max(512, BLOCK_VALUES // len(X_ND))
    for first in range(0, X_ND.shape[1], step):
        block = X_ND[:, first : first + step].astype(np.float64)
        block -= block.mean(axis=0)
        yield block


def _by_scatter(X_ND: Any, k: int, *, exact: bool) -> Axes:
    """Return axes by equation (1), in float32 for float32 rows unless small axes need more."""
    if sparse.issparse(X_ND):
        mean, P = _sparse_scatter(X_ND)
        return axes_of_scatter(P, mean, k)
    mean, P = scatter(X_ND)
    axes = axes_of_scatter(P, mean, k)
    if X_ND.dtype == np.float32 and _is_coarse(axes.squares, SMALL_SHARE_FLOAT32):
        axes = axes_of_scatter(scatter(X_ND, np.float64)[1], mean, k)
    if exact and _is_coarse(axes.squares[: len(X_ND) - 1], SMALL_SHARE):
        return _by_svd(X_ND, k)
    return axes


def _sparse_scatter(X_ND: Any) -> tuple[Vector, Matrix]:
    rows = X_ND.astype(np.float64)
    mean = np.asarray(rows.mean(axis=0)).ravel()
    P: Matrix = (rows.T @ rows).toarray()
    return mean, P - rows.shape[0] * np.outer(mean, mean)


def _is_coarse(squares: Vector, share: float) -> bool:
    return bool(len(squares)) and not squares[-1] > share * squares[0]


def scatter(X_ND: NDArray[Any], dtype: Any = None) -> tuple[Vector, Matrix]:
    """Return the mean and P of equation (1), in one pass, both in float64.

    Blocks of rows are multiplied in the precision of the rows, or of ``dtype``, around the mean of
    some rows (around 0 if that is near), and added in float64.
    """
    n, d = X_ND.shape
    kind = X_ND.dtype if dtype is None else dtype
    step = max(LEAST_ROWS, BLOCK_VALUES // d)
    some = X_ND[:: max(1, n // FOR_SHIFT)].astype(np.float64)
    shift, spread = some.mean(axis=0), some.var(axis=0)
    shift = shift.astype(kind) if is_far(shift, spread) else None
    sums, P = np.zeros(d), np.zeros((d, d))
    for first in range(0, n, step):
        block = X_ND[first : first + step].astype(kind, copy=False)
        block = block if shift is None else block - shift
        sums += np.ones(len(block), kind) @ block
        P += block.T @ block
    away = sums / n
    P -= n * np.outer(away, away)
    return away if shift is None else shift + away, P


def is_far(mean: Vector, variance: Vector) -> bool:
    """Return whether products around 0 would lose digits to the mean of some column."""
    return bool((np.abs(mean) > FAR * np.sqrt(np.maximum(variance, 0))).any())


class Centred:
    """Products with X − 1μᵀ of dense or sparse rows, copied only where the mean is far from 0."""

    def __init__(self, X_ND: Any) -> None:
        self.mean, squares = column_moments(X_ND)
        self.dtype = X_ND.dtype
        self.total, self._rows, self._offset = float(squares.sum()), X_ND, self.mean
        if not sparse.issparse(X_ND) and is_far(self.mean, squares / len(X_ND)):
            self._rows, self._offset = X_ND - self.mean, np.zeros_like(self.mean)
        self._rows = self._rows.astype(X_ND.dtype, copy=False)
        self._offset = self._offset.astype(X_ND.dtype)

    def times(self, V: Matrix) -> Matrix:
        """Return (X − 1μᵀ) V of one vector or several columns."""
        product: Matrix = self._rows @ V
        product -= self._offset @ V
        return product

    def back(self, W: Matrix) -> Matrix:
        """Return (X − 1μᵀ)ᵀ W of one vector or several columns."""
        is_sparse = sparse.issparse(self._rows)
        # Dense rows are multiplied a third faster from the left.
        product: Matrix = self._rows.T @ W if is_sparse else (W.T @ self._rows).T
        product -= np.multiply.outer(self._offset, W.sum(axis=0))
        return product


def column_moments(X_ND: Any) -> tuple[Vector, Vector]:
    """Return (d,) means and centred sums of squares, in float64."""
    n = X_ND.shape[0]
    if sparse.issparse(X_ND):
        mean = np.asarray(X_ND.mean(axis=0, dtype=np.float64)).ravel()
        squares = np.asarray(X_ND.multiply(X_ND).sum(axis=0, dtype=np.float64)).ravel()
        return mean, squares - n * mean**2
    step = max(16, BLOCK_VALUES // X_ND.shape[1])
    shift = X_ND[:step].mean(axis=0, dtype=np.float64)
    sums, squares = np.zeros_like(shift), np.zeros_like(shift)
    for first in range(0, n, step):
        block = np.subtract(X_ND[first : first + step], shift, dtype=np.float64)
        sums += np.ones(len(block)) @ block
        squares += np.einsum("ij,ij->j", block, block)
    return shift + sums / n, squares - sums**2 / n
