"""The few largest eigenpairs of a symmetric matrix, whole or known by its products alone.

A block Krylov iteration [1]_ [2]_ needs products only:

    K = orth[Ω, AΩ, A²Ω, …],  (KᵀAK) y = θ y,  u = K y                                  (1)

Without a guess the basis grows until the residual ‖Au − θu‖ is small against the gap below θₖ,
which bounds the angle to the true subspace (Davis, Kahan, SIAM J. Numerical Analysis 1970). With
more starting columns than eigenvectors wanted, repeated eigenvalues cannot be missed. From a guess
Ω near the eigenvectors a few products do, and the basis starts again from its best vectors.

Shapes: A (p, p); ``Q`` (p, b), the newest block of the basis; ``T`` = KᵀAK.

References
----------
.. [1] G. H. Golub, R. Underwood, "The block Lanczos method for computing eigenvalues", in
   Mathematical Software III, 1977.
.. [2] C. Musco, C. Musco, "Randomized block Krylov methods for stronger and faster approximate
   singular value decomposition", NeurIPS 2015, algorithm 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import linalg
from scipy.sparse.linalg import LinearOperator, eigsh

from latentia.models.inputs import Matrix, Vector

Product = Callable[[Matrix], Matrix]

PLAIN, PLAIN_FLOAT32 = 1e30, 1e8
"""Up to this size, and from its inverse on, products of four numbers need no care."""

GUARD = 4
ALIGN = 8
"""Products with a multiple of so many columns are the fastest."""
LARGE = 1000
"""From here on two threads are faster than one, and iteration than a full decomposition."""
FEW = 10
MOST_BASIS = 2000
MOST_ROUNDS = 60
WARM_BLOCKS = 6
"""Blocks of a basis that starts from a guess."""
ANGLE = 1e-9
"""Residual over gap at which a subspace has converged."""
RESIDUAL = 1e-10
ROUNDING = 10
UNSAFE = 10
MANY = 5
"""For more than a fifth of the eigenpairs, finding all is faster."""
DENSE = 160
"""Below this size a full decomposition is cheaper than any iteration."""


def unit_of(size: float, plain: float = PLAIN) -> float:
    """Return a power of two near a size that is far from 1, and 1 for any other.

    >>> unit_of(3.0), unit_of(1e-100) == 2.0**-332
    (1.0, True)
    """
    if not 0 < size < math.inf or 1 / plain <= size <= plain:
        return 1.0
    return float(2.0 ** round(math.log2(size)))


class Eigenpairs(NamedTuple):
    """Falling eigenvalues, (p, ·) unit vectors, and whether their subspace has converged."""

    values: Vector
    vectors: Matrix
    converged: bool


def pays(p: int, k: int) -> bool:
    """Return whether k eigenpairs of a (p, p) matrix are few enough for iteration to pay."""
    return p > LARGE and FEW * k <= p


def width(p: int, k: int) -> int:
    """Return how many columns the iteration takes at a time."""
    return min(p, -(-(k + GUARD) // ALIGN) * ALIGN)


def leading(
    product: Product,
    p: int,
    k: int,
    start: Matrix | None = None,
    *,
    tolerance: float = 0.0,
    dtype: Any = np.float64,
    n_steps: int | None = None,
    seed: int | None = 0,
) -> Eigenpairs:
    """Return the k largest eigenpairs of a symmetric (p, p) matrix by equation (1).

    Parameters
    ----------
    product
        ``V ↦ AV`` for (p, b) columns.
    start
        (p, b) guess, b at least k + 4, of which as many vectors come back; none: random columns.
    tolerance
        Residual, as a share of the largest eigenvalue, that is small enough whatever the gap.
    dtype
        Of the vectors. Products in float32 bound the angle to about 1e-6 θ₁ over the gap.
    n_steps
        Products to form at the most; none: until the basis has 2000 columns, or half of p.
    seed
        Of the random columns.
    """
    b, rounds = (width(p, k), 1) if start is None else (start.shape[1], MOST_ROUNDS)
    room = min(MOST_BASIS, p // 2) if n_steps is None else min(n_steps * b, p)
    blocks = max(1, room // b)
    if start is None:
        start = np.random.default_rng(seed).standard_normal((p, b))
        wanted = k
    else:
        blocks, wanted = max(1, min(WARM_BLOCKS, p // b)), b
    least = max(tolerance, ROUNDING * float(np.finfo(dtype).eps))
    start = start.astype(dtype)
    for _ in range(rounds):
        found = _grown(product, start, k, wanted, blocks, least)
        if found.converged:
            break
        start = found.vectors
    return found


def _grown(
    product: Product, start: Matrix, k: int, wanted: int, blocks: int, least: float
) -> Eigenpairs:
    """Grow one basis from (p, b) columns, to so many blocks at the most."""
    p, b = start.shape
    kind = start.dtype
    basis, T = np.empty((p, blocks * b), kind, order="F"), np.zeros((blocks * b, blocks * b))
    Q, check = linalg.qr(start, mode="economic")[0], 1
    for step in range(1, blocks + 1):
        past, here = basis[:, : step * b], slice((step - 1) * b, step * b)
        basis[:, here] = Q
        W = product(Q)
        H = past.T @ W
        T[: step * b, here], T[here, : step * b] = H, H.T
        Q, R = _beyond(W, H, past)
        if step < min(check, blocks):
            continue
        # The check costs more as the basis grows, so it is made ever more rarely.
        check = step + 1 + step // 6
        values, Y = reduced(T[: step * b, : step * b], min(max(wanted, k + 1), step * b))
        error = float(np.linalg.norm(R @ Y[-b:, :k]))
        gap = values[k - 1] - values[k:].max(initial=min(0, values[-1]))
        converged = error <= max(ANGLE * gap, least * abs(values[0]))
        if converged:
            break
    return Eigenpairs(values[:wanted], past @ Y[:, :wanted].astype(kind), bool(converged))


def lanczos(product: Callable[[Vector], Vector], p: int, k: int, seed: int | None) -> Eigenpairs:
    """Return the same from products with single vectors, by ARPACK: faster where these are cheap.

    The residual is at most 1e-10 of each eigenvalue.
    """
    start = np.random.default_rng(seed).standard_normal(p)
    operator = LinearOperator((p, p), matvec=product, dtype=np.float64)
    values, vectors = eigsh(operator, k, v0=start, tol=RESIDUAL)
    return Eigenpairs(values[::-1], vectors[:, ::-1], True)


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


def leading_of(matrix: Matrix, k: int) -> tuple[Vector, Matrix]:
    """Return the k largest eigenvalues, falling, and (p, k) unit eigenvectors of a matrix."""
    p, unit = len(matrix), unit_of(float(np.trace(matrix)) / len(matrix))
    if unit != 1:
        values, vectors = leading_of(matrix / unit, k)
        return values * unit, vectors
    if p > DENSE and MANY * k < p:
        found = leading(lambda V: matrix @ V, p, k, tolerance=RESIDUAL)
        if found.converged:
            return found.values, found.vectors
    return reduced(matrix, k)


def reduced(matrix: Matrix, k: int) -> tuple[Vector, Matrix]:
    """Return what `leading_of` does by a full reduction to tridiagonal form."""
    p, few = len(matrix), (np.zeros(0), matrix)
    if MANY * k <= p:
        few = linalg.eigh(matrix, subset_by_index=(p - k, p - 1), check_finite=False)
    # LAPACK's search for a few finds none of many equal ones.
    found = len(few[0]) == k
    values, vectors = few if found else linalg.eigh(matrix, driver="evd", check_finite=False)
    return values[: -k - 1 : -1], vectors[:, : -k - 1 : -1]
