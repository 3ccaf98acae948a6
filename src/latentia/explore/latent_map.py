"""Maps of the latent space: a plane of it decoded on a grid, beside the codes that lie on it.

A point u of the plane is the code ``z = o + (u − s) A``, with the origin o, orthonormal axes A
(2, k), and s = o Aᵀ where the axes are coordinates (so that u are these coordinates themselves) or
0 where they are principal components. Under a standard normal prior the grid along coordinates is
that of [1]_, Φ⁻¹ of equally spaced probabilities: each cell has the same prior mass.

Shapes: codes ``Z_NK``, points on the plane ``U_N2``.

References
----------
.. [1] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix A, fig. 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import norm

from latentia.errors import InputError, Seed, Several, check_arguments
from latentia.explore.codes import (
    check_unconditional,
    checked_codes,
    checked_coordinate,
    decoded,
    has_standard_normal_prior,
    prior_draws,
)
from latentia.models.base import Generator, LatentModel
from latentia.plots.explore import plane_map

LEFT_OUT = 0.01
"""Share of the codes at each end that a grid leaves out."""
DRAWS = 1000
"""Draws from a prior that show its range."""


@dataclass(frozen=True)
class Plane:
    """A plane in a latent space of k dimensions."""

    origin: NDArray[np.float64]
    """(k,), o."""
    axes: NDArray[np.float64]
    """(2, k), A, orthonormal."""
    shift: NDArray[np.float64]
    """(2,), s: where the origin lies on the plane."""
    names: tuple[str, str]
    """Of the two axes."""
    by_coordinates: bool
    """Whether the axes are coordinates of the latent space."""

    def points(self, Z: NDArray[Any]) -> NDArray[np.float64]:
        """Return the (n, 2) places of codes projected onto the plane."""
        return np.asarray((Z - self.origin) @ self.axes.T + self.shift)

    def codes(self, U: NDArray[Any]) -> NDArray[np.float64]:
        """Return the (n, k) codes of places on the plane."""
        return np.asarray(self.origin + (U - self.shift) @ self.axes)


@dataclass(frozen=True)
class Manifold:
    """A decoded grid on a plane."""

    plane: Plane
    across: NDArray[np.float64]
    """(w,) places along the first axis, from left to right."""
    down: NDArray[np.float64]
    """(h,) places along the second axis, from the top."""
    codes: NDArray[np.float64]
    """(h·w, k), row by row from the top."""
    images: NDArray[Any]
    """(h·w, *data_shape_), what they decode to."""


def latent_plane(
    model: LatentModel,
    Z: Any = None,
    coordinates: Sequence[int] | None = None,
    random_state: Seed = 0,
) -> Plane:
    """Return the plane through the mean of codes, along two coordinates or their widest spread.

    Parameters
    ----------
    model
        A fitted model with at least two latent components.
    Z
        (n, k) codes. Without them the plane goes through a draw from the prior, not its mean, which
        lies far from the draws, and needs ``coordinates`` if k > 2.
    coordinates
        Two different coordinates, counted from 0; none means the first two principal components
        of the codes, or the two coordinates there are.
    random_state
        Of the draw.
    """
    check_arguments(latent_plane, locals())
    check_unconditional(model)
    k = model.n_latent
    if k < 2:
        raise InputError(f"a map needs 2 latent components and this {type(model).__name__} has {k}")
    if coordinates is None and Z is None and k > 2:
        raise InputError(
            f"a map of {k} latent components without codes needs two coordinates to lie along"
        )
    if Z is None:
        origin = prior_draws(model, 1, random_state)[0]
    else:
        origin = checked_codes(model, Z).mean(axis=0, dtype=np.float64)
    if coordinates is None and k > 2:
        return _principal_plane(checked_codes(model, Z, least=3), origin)
    pair = [checked_coordinate(model, index) for index in coordinates or (0, 1)]
    if len(set(pair)) != 2 or len(pair) != 2:
        raise InputError(f"the coordinates are {pair}; a map needs two different ones")
    axes = np.eye(k)[pair]
    names = (f"z[{pair[0]}]", f"z[{pair[1]}]")
    return Plane(origin, axes, axes @ origin, names, by_coordinates=True)


def _principal_plane(Z: NDArray[Any], origin: NDArray[np.float64]) -> Plane:
    covariance = np.cov(Z.T.astype(np.float64))
    variances, vectors = np.linalg.eigh(covariance)
    axes = vectors[:, [-1, -2]].T
    # Signs are reproducible when the largest weight is positive.
    axes *= np.sign(axes[[0, 1], np.abs(axes).argmax(axis=1)])[:, None]
    shares = variances[[-1, -2]] / max(float(variances.sum()), np.finfo(float).tiny)
    first, second = (f"component {i + 1} of z ({share:.0%})" for i, share in enumerate(shares))
    return Plane(origin, axes, np.zeros(2), (first, second), by_coordinates=False)


def manifold(
    model: LatentModel,
    Z: Any = None,
    coordinates: Sequence[int] | None = None,
    n_grid: Several = 20,
    random_state: Seed = 0,
) -> Manifold:
    """Decode a square grid on a plane of the latent space.

    Parameters
    ----------
    model, Z, coordinates, random_state
        As in `latent_plane`.
    n_grid
        Cells in a row and in a column, at least 2.

    Returns
    -------
    manifold
        Its places are ``Φ⁻¹((i + ½) / n_grid)`` along coordinates under a standard normal prior,
        and otherwise equally spaced over the middle 98 % of the codes, or without these of draws
        from the model's own prior.
    """
    check_arguments(manifold, locals())
    plane = latent_plane(model, Z, coordinates, random_state)
    if plane.by_coordinates and has_standard_normal_prior(model):
        across = np.asarray(norm.ppf((np.arange(n_grid) + 0.5) / n_grid))
        upward = across
    elif Z is not None or isinstance(model, Generator):
        spread = prior_draws(model, DRAWS, random_state) if Z is None else np.asarray(Z)
        ends = np.quantile(plane.points(spread), [LEFT_OUT, 1 - LEFT_OUT], axis=0)
        across, upward = np.linspace(ends[0], ends[1], n_grid).T
    else:
        raise InputError(f"{type(model).__name__} has no prior to draw from; give codes as well")
    down = upward[::-1]
    places = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
    codes = plane.codes(places)
    return Manifold(plane, across, down, codes, decoded(model, codes))


def map_figure(
    grid: Manifold,
    Z: NDArray[Any] | None = None,
    labels: NDArray[Any] | None = None,
    class_names: Sequence[str] = (),
) -> Figure:
    """Return the grid of `manifold`, decoded, beside the (n, k) codes on its plane, if given.

    The codes are coloured by their (n,) labels; the classes' names may be Korean.
    """
    if Z is not None and labels is not None and len(Z) != len(labels):
        raise InputError(f"there are {len(Z)} codes and {len(labels)} labels; give one for each")
    points = None if Z is None else grid.plane.points(Z)
    ticks = (grid.across, grid.down)
    return plane_map(points, labels, class_names, grid.images, ticks, grid.plane.names)
