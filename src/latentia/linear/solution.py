"""From a covariance matrix to a rotated factor solution in the data's units.

    R = D⁻¹ S D⁻¹  (D = diag(S)^½ for correlations, I for covariances)
    R ≈ A Aᵀ + Ψ   (`latentia.linear.extraction`),   Λ = D A T⁻ᵀ   (`latentia.linear.rotation`)

Constant columns are left out of R; their loadings and noise variances are 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentia.errors import InputError
from latentia.linear.extraction import extract
from latentia.linear.rotation import Rotation, order, rotate
from latentia.linear.search import Extraction, Method, Search
from latentia.linear.spectral import threads_for

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

TABLE_FLOOR = 0.005
"""Of each variance, as in R's factanal."""
IMAGE_FLOOR = (1 / 255) ** 2 / 12
"""The variance that rounding to 8 bits adds to pixels in [0, 1]."""
BY_KAISER = ("varimax", "promax")


@dataclass(frozen=True)
class Turn:
    """How to rotate: as in `latentia.linear.rotation.rotate`; ``kaiser`` None is R's choice."""

    method: str
    kaiser: bool | None
    n_starts: int
    random_state: int | None

    def of(self, loadings: Matrix) -> Rotation:
        """Return the loadings rotated and put in order."""
        k = loadings.shape[1]
        if self.method == "none" or k == 1:
            return order(Rotation(loadings, np.eye(k), np.eye(k), 0.0, True, 1))
        kaiser = self.method in BY_KAISER if self.kaiser is None else self.kaiser
        return order(
            rotate(
                loadings,
                self.method,
                kaiser=kaiser,
                n_starts=self.n_starts,
                random_state=self.random_state,
            )
        )


@dataclass(frozen=True)
class Solution:
    """A rotated factor solution.

    Attributes
    ----------
    loadings, noise_variance
        (d, k) Λ and (d,) Ψ in the data's units.
    scale
        (d,) D.
    varies
        (d,) which columns are not constant.
    extraction, rotation
        On R's scale, of the columns that vary.
    """

    loadings: Matrix
    noise_variance: Vector
    scale: Vector
    varies: NDArray[np.bool_]
    extraction: Extraction
    rotation: Rotation

    def implied(self) -> Matrix:
        """Return Λ Φ Λᵀ + Ψ, (d, d)."""
        sigma: Matrix = self.loadings @ self.rotation.factor_correlations @ self.loadings.T
        return sigma + np.diag(self.noise_variance)

    @property
    def at_floor(self) -> NDArray[np.bool_]:
        """(d,) which noise variances their floor holds up."""
        found = np.zeros(len(self.varies), dtype=bool)
        found[self.varies] = self.extraction.at_floor
        return found


def floors(S: Matrix, share: float | None, *, images: bool) -> Vector:
    """Return the (d,) least noise variances: a share of each variance, or 8-bit rounding's."""
    if images and share is None:
        return np.full(len(S), IMAGE_FLOOR)
    least: Vector = (TABLE_FLOOR if share is None else share) * np.diag(S)
    return least


def solve(
    S: Matrix,
    varies: NDArray[np.bool_],
    k: int,
    *,
    method: Method,
    standardize: bool,
    floor: Vector,
    search: Search,
    turn: Turn,
) -> Solution:
    """Return a k-factor solution of S.

    Parameters
    ----------
    S, varies
        (d, d) covariance, and which columns are not constant.
    k
        Number of factors, fewer than columns that vary.
    method, search, turn
        How to estimate and rotate; the search's floor is replaced.
    standardize
        Whether to work on correlations.
    floor
        (d,) least noise variances in the data's units.

    Raises
    ------
    InputError
        If k is not smaller than the number of columns that vary.
    """
    p = int(varies.sum())
    if k >= p:
        raise InputError(
            f"n_components is {k}, but of {len(S)} feature(s) {p} vary; there must be fewer "
            "factors than columns that vary"
        )
    scale = np.sqrt(np.diag(S)) if standardize else np.ones(len(S))
    D = scale[varies]
    R = S if p == len(S) else S[np.ix_(varies, varies)]
    if standardize:
        R = R / D[:, None]
        R /= D
    with threads_for(p):
        found = extract(R, k, method, search.above(floor[varies] / D**2))
        rotation = turn.of(found.loadings)
    loadings, noise = np.zeros((len(S), k)), np.zeros(len(S))
    loadings[varies] = rotation.loadings * D[:, None]
    noise[varies] = found.noise_variance * D**2
    return Solution(loadings, noise, scale, varies, found, rotation)
