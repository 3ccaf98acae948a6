"""A few leading eigenpairs from products alone, by block Krylov iteration [1]_ [2]_.

    K = orth[Ω, AΩ, A²Ω, …],  (KᵀAK) y = θ y,  u = K y                                  (1)

`linear.spectral` refines a good guess of a few vectors; here nothing is guessed, and the
basis grows until the residual ‖Au − θu‖ is small against the gap below θₖ, which bounds the angle
to the true subspace (Davis, Kahan, SIAM Journal on Numerical Analysis 1970). With more starting
columns than eigenvectors wanted, repeated eigenvalues cannot be missed.

Shapes: A (p, p); ``Q`` (p, b), the newest block of the basis; ``T`` = KᵀAK.

References
----------
.. [1] G. H. Golub, R. Underwood, "The block Lanczos method for computing eigenvalues", in
   Mathematical Software III, 1977.
.. [2] C. Musco, C. Musco, "Randomized block Krylov methods for stronger and faster approximate
   singular value decomposition", NeurIPS 2015, algorithm 2.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from scipy.sparse.linalg import LinearOperator, eigsh
from threadpoolctl import ThreadpoolController

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

GUARD = 4
ALIGN = 8
"""Products with a multiple of so many columns are the fastest."""
LARGE = 1000
FEW = 10
MOST_BASIS = 2000
ANGLE = 1e-9
"""Residual over gap at which a subspace has converged."""
RESIDUAL = 1e-10
ROUNDING = 10
UNSAFE = 10
BLOCK_VALUES = 2**17
FAR = 2.0
"""Columns with means within so many standard deviations of 0 are multiplied uncentred."""


class Eigenpairs(NamedTuple):
    """(k,) falling eigenvalues, (p, k) vectors, and whether their subspace has converged."""

    values: Vector
    vectors: Matrix
    converged: bool


def pays(p: int, k: int) -> bool:
    """Return whether k eigenpairs of a (p, p) matrix are few enough for iteration to pay."""
    return p > LARGE and FEW * k <= p


def width(p: int, k: int) -> int:
    """Return how many columns the iteration takes at a time."""
    return min(p, -(-(k + GUARD) // ALIGN) * ALIGN)


def largest(A: Matrix, k: int) -> tuple[Vector, Matrix]:
    """Return the k largest eigenpairs of a semi-definite matrix, without rounding below 0."""
    values, vectors = reduced(A, k)
    return values.clip(min=0), vectors


def krylov(
    product: Callable[[Matrix], Matrix],
    p: int,
    k: int,
    *,
    dtype: Any = np.float64,
    n_steps: int | None = None,
    seed: int | None = None,
) -> Eigenpairs:
    """Return the k largest eigenpairs of a positive semi-definite (p, p) matrix by equation (1).

    Parameters
    ----------
    product
        ``V ↦ AV`` for (p, b) columns.
    dtype
        Of the vectors. Products in float32 bound the angle to about 1e-6 θ₁ over the gap.
    n_steps
        Products to form at the most; none: until the basis has 2000 columns, or half of p.
    seed
        Of the starting columns Ω.
    """
    b = width(p, k)
    room = min(MOST_BASIS, p // 2) if n_steps is None else min(n_steps * b, p)
    steps = max(1, room // b)
    basis, T = np.empty((p, steps * b), dtype, order="F"), np.zeros((steps * b, steps * b))
    start = np.random.default_rng(0 if seed is None else seed).standard_normal((p, b))
    Q, check = linalg.qr(start.astype(dtype), mode="economic")[0], 1
    for step in range(1, steps + 1):
        past, here = basis[:, : step * b], slice((step - 1) * b, step * b)
        basis[:, here] = Q
        W = product(Q)
        H = past.T @ W
        T[: step * b, here], T[here, : step * b] = H, H.T
        Q, R = _beyond(W, H, past)
        if step < min(check, steps):
            continue
        # The check costs more as the basis grows, so it is made ever more rarely.
        check = step + 1 + step // 6
        values, Y = largest(T[: step * b, : step * b], min(k + 1, step * b))
        error = float(np.linalg.norm(R @ Y[-b:, :k]))
        gap = values[k - 1] - values[k:].max(initial=0)
        converged = error <= max(ANGLE * gap, ROUNDING * np.finfo(dtype).eps * values[0])
        if converged:
            break
    return Eigenpairs(values[:k], past @ Y[:, :k].astype(dtype), bool(converged))


def lanczos(product: Callable[[Vector], Vector], p: int, k: int, seed: int | None) -> Eigenpairs:
    """Return the same from products with single vectors, by ARPACK: faster where these are cheap.

    The residual is at most 1e-10 of each eigenvalue.
    """
    start = np.random.default_rng(0 if seed is None else seed).standard_normal(p)
    operator = LinearOperator((p, p), matvec=product, dtype=np.float64)
    values, vectors = eigsh(operator, k, v0=start, tol=RESIDUAL)
    return Eigenpairs(values[::-1].clip(min=0), vectors[:, ::-1], True)


def _beyond(W: Matrix, H: Matrix, basis: Matrix) -> tuple[Matrix, Matrix]:
    """Return Q and R with W = basis · H + QR, Q orthonormal and orthogonal to the basis."""
    Q, R = _orthonormal(W - basis @ H)
    Q, again = _orthonormal(Q - basis @ (basis.T @ Q))
    return Q, again @ R


def _orthonormal(W: Matrix) -> tuple[Matrix, Matrix]:
    """Return Q and R by Cholesky, several times faster than Householder, where it is safe."""
    try:
        R = linalg.cholesky((W.T @ W).astype(np.float64), check_finite=False)
    except linalg.LinAlgError:
        R = np.zeros((1, 1))
    scales = np.diag(R)
    if scales.min() <= UNSAFE * np.sqrt(np.finfo(W.dtype).eps) * scales.max():
        Q, R = linalg.qr(W, mode="economic", check_finite=False)
        return Q, R
    return W @ linalg.inv(R, check_finite=False).astype(W.dtype), R


def is_far(mean: Vector, variance: Vector) -> bool:
    """Return whether products around 0 would lose digits to the mean of some column."""
    return bool((mean**2 > FAR**2 * variance).any())


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


Product = Callable[[Matrix], Matrix]

DEPTH = 3
MOST_ROUNDS = 60
ORTHOGONAL = 1e-10
SETTLED = 1e-8
MANY = 5
"""For more than a fifth of the eigenpairs, finding all is faster."""
DENSE = 160
"""Below this size a full decomposition is cheaper than any iteration."""


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


def threads_for(p: int) -> AbstractContextManager[object]:
    """Return a context that holds small problems to one thread: two are slower there."""
    if p >= LARGE:
        return nullcontext()
    limited: AbstractContextManager[object] = _libraries().limit(limits=1, user_api="blas")
    return limited


def leading_of(matrix: Matrix, k: int) -> tuple[Matrix, Matrix]:
    """Return the ``k`` largest eigenvalues, falling, and (p, k) unit eigenvectors."""
    p = len(matrix)
    if p <= DENSE or MANY * k >= p:
        return reduced(matrix, k)
    values, vectors = leading(lambda V: matrix @ V, first_guess(matrix, k))
    values, vectors = values[:k], vectors[:, :k]
    residual = np.linalg.norm(matrix @ vectors - vectors * values, axis=0).max()
    if residual > SETTLED * abs(values[0]):
        return reduced(matrix, k)
    return values, vectors


def reduced(matrix: Matrix, k: int) -> tuple[Matrix, Matrix]:
    """Return what `leading_of` does by a full reduction to tridiagonal form."""
    p, few = len(matrix), (np.zeros(0), matrix)
    if MANY * k <= p:
        few = linalg.eigh(matrix, subset_by_index=(p - k, p - 1), check_finite=False)
    # LAPACK's search for a few finds none of many equal ones.
    found = len(few[0]) == k
    values, vectors = few if found else linalg.eigh(matrix, driver="evd", check_finite=False)
    return values[: -k - 1 : -1], vectors[:, : -k - 1 : -1]


def first_guess(matrix: Matrix, k: int) -> Matrix:
    """Return (p, k + guard) columns to start from: seeded noise, multiplied once."""
    noise = np.random.default_rng(0).standard_normal((len(matrix), k + GUARD))
    guess: Matrix = matrix @ noise
    return guess


def leading(product: Product, V: Matrix, tolerance: float = 1e-10) -> tuple[Matrix, Matrix]:
    """Return as many eigenpairs as ``V`` has columns; all but the last few are converged.

    Parameters
    ----------
    product
        ``V ↦ AV`` for a symmetric A.
    V
        (p, k + guard) starting columns.
    tolerance
        Of the residual ``‖Au − θu‖`` of the first k pairs, relative to the largest eigenvalue.

    Returns
    -------
    values, vectors
        Falling eigenvalues and (p, k + guard) orthonormal vectors.
    """
    k = V.shape[1] - GUARD
    for _ in range(MOST_ROUNDS):
        blocks, images = [linalg.qr(V, mode="economic")[0]], []
        for depth in range(DEPTH):
            images.append(product(blocks[-1]))
            if depth + 1 < DEPTH:
                blocks.append(_added(images[-1], np.hstack(blocks)))
        K, AK = np.hstack(blocks), np.hstack(images)
        values, Y = linalg.eigh(K.T @ AK)
        wanted = Y[:, ::-1][:, : V.shape[1]]
        values, V = values[::-1][: V.shape[1]], K @ wanted
        residual = AK @ wanted[:, :k] - V[:, :k] * values[:k]
        if np.sqrt((residual**2).sum(axis=0)).max() <= tolerance * abs(values[0]):
            break
    return values, V


def _added(block: Matrix, basis: Matrix) -> Matrix:
    """Return as many columns orthonormal to ``basis`` that span what ``block`` adds to it."""
    added = block
    for _ in range(2):
        added = added - basis @ (basis.T @ added)
        added = linalg.qr(added, mode="economic")[0]
    if np.abs(basis.T @ added).max() > ORTHOGONAL:
        # Nothing new in some direction: reflections complete the basis with any other.
        both = linalg.qr(np.hstack([basis, block]), mode="economic")[0]
        added = both[:, basis.shape[1] :]
    return added
