"""Blending images: the weighted mean of their codes, decoded, beside the mean of their pixels.

    x̂ = G(Σ_i w_i z_i),  Σ_i w_i = 1                             against  Σ_i w_i x_i

A mean of pixels shows both faces at once; a mean of codes one face in between [1]_, as far as the
region where the codes lie is convex.

Shapes: ``X`` is (m, *data_shape_), weights (m,) or (b, m) for b blends.

References
----------
.. [1] D. P. Kingma, P. Dhariwal, "Glow: Generative Flow with Invertible 1x1 Convolutions",
   NeurIPS 2018, section 6 (interpolation between the encodings of two real faces).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from latentia.errors import InputError, Several, check_arguments
from latentia.explore.codes import checked_codes, codes_of, decoded
from latentia.models.base import LatentModel
from latentia.models.inputs import unit_floats
from latentia.plots.explore import image_table

SUM_TOLERANCE = 1e-6


def mix(parts: NDArray[Any], weights: ArrayLike | None = None) -> NDArray[Any]:
    """Return weighted means of samples or of codes.

    Parameters
    ----------
    parts
        (m, ...), at least two; uint8 counts as [0, 1].
    weights
        (m,) numbers that sum to 1, or (b, m) for several means; none weights all alike.

    Returns
    -------
    means
        (b, ...) floats, b = 1 for (m,) weights.

    Examples
    --------
    >>> mix(np.array([[0.0, 1.0], [4.0, 1.0]]), [0.75, 0.25])
    array([[1., 1.]])
    """
    values = unit_floats(np.asarray(parts))
    m = len(values)
    if m < 2:
        raise InputError(f"there are {m} samples to blend; give at least 2")
    shares = np.atleast_2d(np.full(m, 1 / m) if weights is None else np.asarray(weights, float))
    if shares.ndim != 2 or shares.shape[1] != m or not np.isfinite(shares).all():
        raise InputError(
            f"the weights have shape {shares.shape}; give {m} finite numbers for {m} samples"
        )
    off = np.abs(shares.sum(axis=1) - 1)
    if off.max() > SUM_TOLERANCE:
        total = shares.sum(axis=1)[off.argmax()]
        raise InputError(f"the weights sum to {total:g}; weights of a mean sum to 1")
    return np.tensordot(shares.astype(values.dtype), values, axes=1)


def blend(model: LatentModel, X: Any, weights: ArrayLike | None = None) -> NDArray[Any]:
    """Return what weighted means of the samples' codes decode to.

    Parameters
    ----------
    model
        A fitted model that encodes and decodes; for another see `blend_codes`.
    X
        (m, *data_shape_), at least two samples.
    weights
        As in `mix`; all weight on one sample gives its reconstruction.

    Returns
    -------
    images
        (b, *data_shape_).
    """
    return blend_codes(model, codes_of(model, X), weights)


def blend_codes(model: LatentModel, Z: ArrayLike, weights: ArrayLike | None = None) -> NDArray[Any]:
    """Return what weighted means of (m, k) codes decode to; see `blend`."""
    return decoded(model, mix(checked_codes(model, Z), weights))


def shares_of_two(n_steps: Several = 5) -> NDArray[np.float64]:
    """Return (n_steps, 2) weights of two samples, from the first alone to the second alone.

    >>> shares_of_two(3)
    array([[1. , 0. ],
           [0.5, 0.5],
           [0. , 1. ]])
    """
    check_arguments(shares_of_two, locals())
    second = np.linspace(0, 1, n_steps)
    return np.column_stack([1 - second, second])


def blend_figure(
    model: LatentModel,
    X: NDArray[Any],
    Z: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> Figure:
    """Return the samples, the decoded means of their codes, and the means of their pixels.

    Parameters are those of `blend`, and ``Z`` the samples' (m, k) codes, without which ``X`` is
    encoded. Several blends of two samples, as by `shares_of_two`, stand between the two.
    """
    codes = codes_of(model, X) if Z is None else checked_codes(model, Z)
    originals = unit_floats(np.asarray(X))
    latent, pixels = blend_codes(model, codes, weights), mix(X, weights)
    if len(originals) == 2 and len(latent) > 1:
        latent, pixels = (
            np.concatenate([originals[:1], row, originals[1:]]) for row in (latent, pixels)
        )
        shares = [f"{share:.0%}" for share in np.asarray(weights)[:, 1]]
        rows = [("mean of codes", latent), ("mean of pixels", pixels)]
        return image_table(rows, ["original", *shares, "original"])
    rows = [("original", originals), ("mean of codes", latent), ("mean of pixels", pixels)]
    return image_table(rows)
