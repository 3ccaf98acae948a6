"""The few largest eigenpairs of a symmetric matrix, from a guess that is nearly right.

Estimation asks for them again and again for matrices that barely change. Block Krylov iteration
(Golub & Underwood 1977) from the last answer needs a handful of thin products each time:

    K = orth[V, AV, A²V, …],  (KᵀAK) y = θ y,  u = K y.                     (Rayleigh–Ritz)
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from threadpoolctl import ThreadpoolController

Matrix = NDArray[np.float64]
Product = Callable[[Matrix], Matrix]

GUARD = 4
DEPTH = 3
MOST_ROUNDS = 60
ORTHOGONAL = 1e-10
SETTLED = 1e-8
MANY = 5
"""For more than a fifth of the eigenpairs, finding all is faster."""
DENSE = 160
"""Below this size a full decomposition is cheaper than any iteration."""


LARGE = 1_000
"""From this size on the linear algebra gains from several threads."""


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
                blocks.append(_beyond(images[-1], np.hstack(blocks)))
        K, AK = np.hstack(blocks), np.hstack(images)
        values, Y = linalg.eigh(K.T @ AK)
        wanted = Y[:, ::-1][:, : V.shape[1]]
        values, V = values[::-1][: V.shape[1]], K @ wanted
        residual = AK @ wanted[:, :k] - V[:, :k] * values[:k]
        if np.sqrt((residual**2).sum(axis=0)).max() <= tolerance * abs(values[0]):
            break
    return values, V


def _beyond(block: Matrix, basis: Matrix) -> Matrix:
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
