"""Moving one latent coordinate at a time, the ones that matter most first.

    z(t) = c + t s_j e_j,  t from −reach to +reach

with the centre c (a sample's code, or the codes' mean) and the unit s_j: 1 under a standard normal
prior, the standard deviation of the codes otherwise. What a coordinate is worth is measured by

    KL        mean over samples of KL(q(z_j given x) ‖ N(0, 1)), nats, where this is the bound's:
              at least the information that z_j carries about x
    variance  explained variance, where components have it, or else the variance of the codes
    change    ‖G(c + s_j e_j) − G(c − s_j e_j)‖² / 4, where there is no encoder

Shapes: codes ``Z_NK``; images of a traversal (j, t, *data_shape_).

References
----------
.. [1] I. Higgins et al., "beta-VAE: Learning Basic Visual Concepts with a Constrained
   Variational Framework", ICLR 2017, section 4.
.. [2] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix B.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latentia.application import as_tensor
from latentia.base import LatentModel, Transformer
from latentia.errors import InputError
from latentia.explore.codes import (
    check_unconditional,
    checked_coordinate,
    codes_of,
    decoded,
    has_standard_normal_prior,
)
from latentia.losses import kl_per_component
from latentia.parameters import check_range
from latentia.plots.explore import image_table
from latentia.train import evaluating

CHUNK = 512


@dataclass(frozen=True)
class Importance:
    """What each latent coordinate is worth.

    Attributes
    ----------
    values
        (k,), at least 0.
    measure
        KL (nats), explained variance (of the data, squared units), variance (of the codes) or
        change (of the decoded sample, squared units).
    """

    values: NDArray[np.float64]
    measure: str

    @property
    def order(self) -> NDArray[np.intp]:
        """(k,) coordinates, the most important first."""
        return np.argsort(-self.values, kind="stable")


@dataclass(frozen=True)
class Traversal:
    """Decoded walks along latent coordinates.

    Attributes
    ----------
    coordinates
        (j,), counted from 0.
    steps
        (t,), in units of each coordinate's ``scales``.
    scales
        (j,) latent units.
    centre
        (k,) code in the middle.
    codes, images
        (j, t, k) and what they decode to, (j, t, *data_shape_).
    importance
        Of all coordinates.
    """

    coordinates: NDArray[np.intp]
    steps: NDArray[np.float64]
    scales: NDArray[np.float64]
    centre: NDArray[np.float64]
    codes: NDArray[np.float64]
    images: NDArray[Any]
    importance: Importance


def importance(model: LatentModel, X: Any = None) -> Importance:  # noqa: ANN401
    """Return what each latent coordinate is worth, by the measure that suits the model.

    Parameters
    ----------
    model
        A fitted model that decodes.
    X
        (n, *data_shape_), which models with an encoder need, PCA excepted.

    Returns
    -------
    importance
        KL for a model with ``posterior`` and the prior N(0, I), explained variance for one with
        ``explained_variance_`` whose components are not rotated, else variance of the codes;
        change without an encoder.

    Raises
    ------
    InputError
        For no data where they are needed, or data of another shape.
    """
    check_unconditional(model)
    if not isinstance(model, Transformer):
        return Importance(_changes(model), "change")
    if hasattr(model, "explained_variance_") and getattr(model, "rotation", "none") == "none":
        return Importance(np.asarray(model.explained_variance_, np.float64), "explained variance")
    if X is None:
        raise InputError(f"{type(model).__name__} has an encoder: give data to measure its codes")
    if hasattr(model, "posterior") and has_standard_normal_prior(model):
        return Importance(_divergences(model, X), "KL")
    return Importance(codes_of(model, X).var(axis=0, dtype=np.float64), "variance")


def _divergences(model: Any, X: Any) -> NDArray[np.float64]:  # noqa: ANN401
    """Return (k,) values of KL(q(z_j | x) ‖ N(0, 1)) in nats, averaged over data."""
    array = model._incoming(X, reset=False)
    total = np.zeros(model.n_latent)
    with torch.no_grad(), evaluating(model.nets()):
        for first in range(0, len(array), CHUNK):
            x = as_tensor(model, array[first : first + CHUNK]).float()
            total += kl_per_component(model.posterior(x)).double().sum(0).numpy()
    return total / len(array)


def _changes(model: LatentModel) -> NDArray[np.float64]:
    ends = np.concatenate([np.eye(model.n_latent), -np.eye(model.n_latent)])
    high, low = np.split(decoded(model, ends).reshape(len(ends), -1).astype(np.float64), 2)
    changes: NDArray[np.float64] = np.square(high - low).sum(axis=1) / 4
    return changes


def traverse(
    model: LatentModel,
    X: Any = None,  # noqa: ANN401
    centre: Any = None,  # noqa: ANN401
    *,
    coordinates: Sequence[int] | None = None,
    n_coordinates: int = 10,
    reach: float = 3.0,
    n_steps: int = 7,
) -> Traversal:
    """Decode walks along single latent coordinates.

    Parameters
    ----------
    model
        A fitted model that decodes.
    X
        (n, *data_shape_) data that say what each coordinate is worth, where the codes' mean lies,
        and how far they spread; a model without an encoder does without.
    centre
        (k,) code to start from, such as ``model.transform(x)[0]``; none is the codes' mean, or 0
        without an encoder.
    coordinates
        Which ones, counted from 0, in this order; none takes the most important.
    n_coordinates
        How many of the most important, at least 1; fewer if the model has fewer.
    reach
        Standard deviations to each side, above 0.
    n_steps
        Points of a walk, at least 2; an odd number has the centre among them.

    Raises
    ------
    InputError
        For a value out of its range, no data where they are needed, a coordinate that is not
        there, or a centre of another shape.

    Examples
    --------
    >>> from latentia import PCA
    >>> X = np.random.default_rng(0).normal(size=(50, 4)) * [3, 1, 2, 1]
    >>> traverse(PCA(n_components=2).fit(X), X, n_steps=5).images.shape
    (2, 5, 4)
    """
    for name, count, least in (("n_coordinates", n_coordinates, 1), ("n_steps", n_steps, 2)):
        check_range(name, count, least)
    check_range("reach", reach, 0, open_low=True)
    worth = importance(model, X)
    mean, spread = _middle(model, X)
    start = mean if centre is None else _centre(model, centre)
    chosen = worth.order[:n_coordinates] if coordinates is None else np.asarray(coordinates, int)
    for index in chosen:
        checked_coordinate(model, int(index))
    steps = np.linspace(-reach, reach, n_steps)
    scales = spread[chosen]
    codes = start + steps[:, None] * (scales[:, None] * np.eye(model.n_latent)[chosen])[:, None]
    images = decoded(model, codes.reshape(-1, model.n_latent))
    images = images.reshape(len(chosen), n_steps, *images.shape[1:])
    return Traversal(chosen, steps, scales, start, codes, images, worth)


def _middle(model: LatentModel, X: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # noqa: ANN401
    """Return the (k,) mean of the codes and the unit of each coordinate."""
    ones = np.ones(model.n_latent)
    if not isinstance(model, Transformer):
        return 0 * ones, ones
    if X is None:
        raise InputError(f"{type(model).__name__} has an encoder: give data to measure its codes")
    codes = codes_of(model, X).astype(np.float64)
    return codes.mean(axis=0), ones if has_standard_normal_prior(model) else codes.std(axis=0)


def _centre(model: LatentModel, centre: Any) -> NDArray[np.float64]:  # noqa: ANN401
    code = np.asarray(centre, np.float64)
    if code.shape != (model.n_latent,) or not np.isfinite(code).all():
        raise InputError(
            f"the centre has shape {code.shape}; give one code of {model.n_latent} finite numbers"
        )
    return code


def traversal_figure(walks: Traversal, title: str = "") -> Figure:
    """Return a row of images for each coordinate, labelled with what the coordinate is worth.

    Raises
    ------
    InputError
        If the model is not one of images.
    """
    measure = walks.importance.measure
    rows = []
    for index, images in zip(walks.coordinates, walks.images):
        value = walks.importance.values[index]
        worth = f"{value:.2f} nats" if measure == "KL" else f"{value:.3g}"
        rows.append((f"z[{index}]   {measure} {worth}", images))
    columns = [f"{step:+.2g}".replace("-", "−").replace("+0", "0") for step in walks.steps]
    return image_table(rows, columns, title=title)
