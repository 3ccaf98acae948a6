"""Walking through the latent space from one code to another, in a line or along a sphere.

    linear     z(t) = (1 − t) a + t b
    spherical  z(t) = sin((1 − t) Ω) / sin Ω · a + sin(t Ω) / sin Ω · b,  cos Ω = a·b / (‖a‖ ‖b‖)

[1]_ for unit vectors; [2]_ for latent ones, whose lengths are kept: draws from N(0, I) in k
dimensions lie near the sphere of radius √k, which a straight line leaves.

Shapes: anchors ``Z_MK``, a path ``Z_NK``; ``X`` is (M, *data_shape_).

References
----------
.. [1] K. Shoemake, "Animating Rotation with Quaternion Curves", SIGGRAPH 1985, "Great arc
   in-betweening".
.. [2] T. White, "Sampling Generative Networks", arXiv:1609.04468, 2016, section 2.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from latentia.errors import Count, InputError, check_arguments
from latentia.explore.codes import checked_codes, codes_of, decoded
from latentia.models.base import LatentModel
from latentia.models.inputs import unit_floats
from latentia.plots.explore import image_table

SMALLEST_ANGLE = 1e-6
"""Vectors nearer than this, in radians, to parallel or opposite have no great circle to walk."""


def lerp(a: ArrayLike, b: ArrayLike, t: ArrayLike) -> NDArray[Any]:
    """Return the points ``(1 − t) a + t b`` of a line.

    Parameters
    ----------
    a, b
        (k,) vectors.
    t
        A number, or (n,) of them; 0 is ``a``, 1 is ``b``, others go on beyond.

    Returns
    -------
    z
        (k,), or (n, k).

    Examples
    --------
    >>> lerp([0.0, 1.0], [4.0, 1.0], [0.0, 0.25])
    array([[0., 1.],
           [1., 1.]])
    """
    start, end = _pair(a, b)
    share = np.asarray(t)[..., None]
    return np.asarray((1 - share) * start + share * end)


def slerp(a: ArrayLike, b: ArrayLike, t: ArrayLike) -> NDArray[Any]:
    """Return points on the great circle from ``a`` to ``b``, at equal angles for equal ``t``.

    Parameters and result are those of `lerp`. Lengths that differ change gradually in between, as
    in White's formula. A zero vector has no direction, parallel vectors no arc, and opposite ones
    no single arc: for these the path is the line.

    Examples
    --------
    >>> slerp([1.0, 0.0], [0.0, 1.0], 0.5).round(4)
    array([0.7071, 0.7071])
    """
    start, end = _pair(a, b)
    angle = _angle(start, end)
    if not SMALLEST_ANGLE < angle < np.pi - SMALLEST_ANGLE:
        return lerp(a, b, t)
    share = np.asarray(t)[..., None]
    arc = np.sin((1 - share) * angle) * start + np.sin(share * angle) * end
    return np.asarray(arc / np.sin(angle))


def _pair(a: ArrayLike, b: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    start, end = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if start.ndim != 1 or start.shape != end.shape:
        raise InputError(
            f"the ends have shapes {start.shape} and {end.shape}; give two vectors of one length"
        )
    if not (np.isfinite(start).all() and np.isfinite(end).all()):
        raise InputError("an end of the path holds NaN or infinity; ends are finite")
    return start, end


def _angle(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the angle between vectors in radians, 0 if one is zero, exact for small angles."""
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    if 0 in lengths:
        return 0.0
    u, v = a / lengths[0], b / lengths[1]
    return float(2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v)))


def latent_path(
    anchors: ArrayLike, n_steps: Count = 8, *, spherical: bool = False, closed: bool = False
) -> NDArray[Any]:
    """Return codes on the way through several anchors, each of which occurs once.

    Parameters
    ----------
    anchors
        (M, k) codes, at least two.
    n_steps
        Steps from an anchor to the next, at least 1.
    spherical
        Along great circles (`slerp`) rather than lines (`lerp`).
    closed
        Go on from the last anchor to just before the first, so that the path can be repeated.

    Returns
    -------
    Z
        ((M − 1)·n_steps + 1, k), or (M·n_steps, k) if closed; float32 for float32 anchors.

    Examples
    --------
    >>> latent_path([[0.0], [2.0], [0.0]], n_steps=2).ravel()
    array([0., 1., 2., 1., 0.])
    """
    check_arguments(latent_path, locals())
    Z_MK = np.asarray(anchors)
    if Z_MK.ndim != 2 or len(Z_MK) < 2:
        raise InputError(f"the anchors have shape {Z_MK.shape}; give (M, k), M at least 2")
    between = slerp if spherical else lerp
    ends = np.roll(Z_MK, -1, axis=0) if closed else Z_MK[1:]
    shares = np.arange(n_steps) / n_steps
    parts = [between(a, b, shares) for a, b in zip(Z_MK, ends)]
    path = np.concatenate(parts if closed else [*parts, Z_MK[-1:]])
    return path.astype(np.float32) if Z_MK.dtype == np.float32 else path


def interpolate(
    model: LatentModel, X: Any, n_steps: Count = 8, *, spherical: bool = False, closed: bool = False
) -> NDArray[Any]:
    """Return what the model decodes on the way through the codes of several samples.

    Parameters
    ----------
    model
        A fitted model that encodes and decodes; for another see `interpolate_codes`.
    X
        (M, *data_shape_), at least two samples.
    n_steps, spherical, closed
        As in `latent_path`.

    Returns
    -------
    images
        One for each code of the path, in the model's layout.
    """
    check_arguments(interpolate, locals())
    codes = codes_of(model, X)
    return interpolate_codes(model, codes, n_steps, spherical=spherical, closed=closed)


def interpolate_codes(
    model: LatentModel,
    Z: ArrayLike,
    n_steps: Count = 8,
    *,
    spherical: bool = False,
    closed: bool = False,
) -> NDArray[Any]:
    """Return what the model decodes on the way through (M, k) codes; see `interpolate`."""
    check_arguments(interpolate_codes, locals())
    anchors = checked_codes(model, Z)
    return decoded(model, latent_path(anchors, n_steps, spherical=spherical, closed=closed))


def interpolation_figure(
    model: LatentModel,
    Z: ArrayLike,
    originals: NDArray[Any] | None = None,
    n_steps: Count = 8,
    *,
    spherical: bool = False,
) -> Figure:
    """Return the strip of images that `interpolate_codes` decodes on the way through (M, k) codes.

    The (M, *data_shape_) ``originals`` of the codes stand above it, and a spherical path stands
    above the straight one.
    """
    check_arguments(interpolation_figure, locals())
    kinds = {"great circle": True, "straight line": False} if spherical else {"decoded": False}
    rows = [
        (name, interpolate_codes(model, Z, n_steps, spherical=bent)) for name, bent in kinds.items()
    ]
    if originals is not None:
        above = np.ones_like(rows[0][1])
        above[::n_steps] = unit_floats(np.asarray(originals))
        rows.insert(0, ("original", above))
    shares = (np.arange(len(rows[0][1])) % n_steps) / n_steps
    return image_table(rows, [f"{share:.2g}" if share else "•" for share in shares])
