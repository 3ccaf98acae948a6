"""Moving one latent coordinate at a time, the ones that matter most first.

    z(t) = c + t s_j e_j,  t from −reach to +reach

with the centre c (a sample's code, the codes' mean, or a draw from the prior) and the unit s_j: 1
under a standard normal prior, the standard deviation of the codes otherwise. Coordinates come in
the order of their `latentia.explore.importance`.

Shapes: codes ``Z_NK``; images of a traversal (j, t, *data_shape_).

References
----------
.. [1] I. Higgins et al., "beta-VAE: Learning Basic Visual Concepts with a Constrained
   Variational Framework", ICLR 2017, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latentia.errors import Count, InputError, Positive, Seed, Several, check_arguments
from latentia.explore.codes import (
    checked_coordinate,
    codes_of,
    decoded,
    has_standard_normal_prior,
    prior_draws,
)
from latentia.explore.coordinates import Importance, importance
from latentia.models.base import Encoder, LatentModel
from latentia.plots.explore import image_table


@dataclass(frozen=True)
class Traversal:
    """Decoded walks along latent coordinates."""

    coordinates: NDArray[np.intp]
    """(j,), counted from 0."""
    steps: NDArray[np.float64]
    """(t,), in units of each coordinate's ``scales``."""
    scales: NDArray[np.float64]
    """(j,) latent units."""
    centre: NDArray[np.float64]
    """(k,) code in the middle."""
    codes: NDArray[np.float64]
    """(j, t, k)."""
    images: NDArray[Any]
    """(j, t, *data_shape_), what they decode to."""
    importance: Importance
    """Of all coordinates."""


def traverse(
    model: LatentModel,
    X: Any = None,
    centre: Any = None,
    *,
    coordinates: Sequence[int] | None = None,
    n_coordinates: Count = 10,
    reach: Positive = 3.0,
    n_steps: Several = 7,
    random_state: Seed = 0,
) -> Traversal:
    """Decode walks along single latent coordinates.

    Parameters
    ----------
    model
        A fitted model that decodes.
    X
        (n, *data_shape_) data that say what each coordinate is worth, where the codes' mean lies,
        and how far they spread; a model without an encoder needs none.
    centre
        (k,) code to start from, such as ``model.transform(x)[0]``. By default it is the codes'
        mean, or without an encoder a draw from the prior, whose mean lies far from its draws.
    coordinates
        Which ones, counted from 0, in this order; by default the most important.
    n_coordinates
        How many of the most important, at least 1; fewer if the model has fewer.
    reach
        Standard deviations to each side, above 0.
    n_steps
        Points of a walk, at least 2; an odd number has the centre among them.
    random_state
        Of the draws from the prior, without an encoder.

    Examples
    --------
    >>> from latentia import PCA
    >>> X = np.random.default_rng(0).normal(size=(50, 4)) * [3, 1, 2, 1]
    >>> traverse(PCA(n_components=2).fit(X), X, n_steps=5).images.shape
    (2, 5, 4)
    """
    check_arguments(traverse, locals())
    worth = importance(model, X, random_state)
    mean, spread = _middle(model, X, random_state)
    start = mean if centre is None else _centre(model, centre)
    chosen = worth.order[:n_coordinates] if coordinates is None else np.asarray(coordinates, int)
    for index in chosen:
        checked_coordinate(model, int(index))
    scales = spread[chosen]
    with np.errstate(over="ignore", invalid="ignore"):
        steps = reach * np.linspace(-1, 1, n_steps)
        codes = start + steps[:, None] * (scales[:, None] * np.eye(model.n_latent)[chosen])[:, None]
    images = decoded(model, codes.reshape(-1, model.n_latent))
    images = images.reshape(len(chosen), n_steps, *images.shape[1:])
    return Traversal(chosen, steps, scales, start, codes, images, worth)


def _middle(
    model: LatentModel, X: Any, random_state: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the (k,) mean of the codes, or a draw, and the unit of each coordinate."""
    ones = np.ones(model.n_latent)
    if not isinstance(model, Encoder):
        return prior_draws(model, 1, random_state)[0], ones
    if X is None:
        raise InputError(f"{type(model).__name__} has an encoder: give data to measure its codes")
    codes = codes_of(model, X).astype(np.float64)
    return codes.mean(axis=0), ones if has_standard_normal_prior(model) else codes.std(axis=0)


def _centre(model: LatentModel, centre: Any) -> NDArray[np.float64]:
    code = np.asarray(centre, np.float64)
    if code.shape != (model.n_latent,) or not np.isfinite(code).all():
        raise InputError(
            f"the centre has shape {code.shape}; give one code of {model.n_latent} finite numbers"
        )
    return code


def traversal_figure(walks: Traversal, title: str = "") -> Figure:
    """Return a row of images for each coordinate, labelled with what the coordinate is worth."""
    measure = walks.importance.measure
    rows = []
    for index, images in zip(walks.coordinates, walks.images):
        value = walks.importance.values[index]
        worth = f"{value:.2f} nats" if measure == "KL" else f"{value:.3g}"
        rows.append((f"z[{index}]   {measure} {worth}", images))
    columns = [f"{step:+.2g}".replace("-", "−") if step else "0" for step in walks.steps]
    return image_table(rows, columns, title=title)
