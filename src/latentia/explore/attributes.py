"""Attributes as directions in the latent space: adding a smile to a face, or taking it away.

    means       d = m₁ − m₀,  m_c the mean code of the samples with label c            [1]_, [2]_
    classifier  d = (u·(m₁ − m₀)) u,  u = w / ‖w‖,  w the normal of a logistic regression
    edited      x̂(s) = G(z + s d)

so that strength s = 1 moves, along d, from the one class's mean to the other's. With other
attributes' directions in the rows of O, ``against`` removes what d shares with them, so that a step
leaves their projections as they are ([3]_, conditional manipulation):

    d ← (u·(m₁ − m₀)) u,  u ∝ (I − Oᵀ (O Oᵀ)⁻¹ O) d

The rows of O are best the normals of classifiers: a step orthogonal to them leaves the other logits
as they are. Differences of means have more in common than the attributes do, and once all of it is
removed the other attribute moves the opposite way. `latentia.explore.attribute_check` measures what
the pixels show.

Shapes: codes ``Z_NK``, a direction (k,), edited (n, s, *data_shape_).

References
----------
.. [1] A. B. L. Larsen et al., "Autoencoding beyond pixels using a learned similarity metric",
   ICML 2016, section 4 (visual attribute vectors).
.. [2] T. White, "Sampling Generative Networks", arXiv:1609.04468, 2016, section 3.
.. [3] Y. Shen et al., "Interpreting the Latent Space of GANs for Semantic Face Editing",
   CVPR 2020, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression

from latentia.errors import InputError, nearest
from latentia.explore.codes import checked_codes, codes_of, decoded
from latentia.models.base import LatentModel
from latentia.models.inputs import unit_floats
from latentia.plots.explore import image_table

METHODS = ("means", "classifier")
LEAST_LEFT = 1e-6
"""Share of a direction's length below which nothing of it is left beside the others."""
ITERATIONS = 1000


def checked_labels(y: ArrayLike, n: int) -> NDArray[np.bool_]:
    """Return an attribute's (n,) labels as whether a sample has it."""
    labels = np.asarray(y)
    if labels.shape != (n,):
        raise InputError(f"there are {n} samples and labels of shape {labels.shape}; give ({n},)")
    values = np.unique(labels)
    if not np.isin(values, (0, 1)).all():
        shown = ", ".join(map(str, values[:5]))
        raise InputError(f"an attribute's labels are 0 or 1; these are {shown}")
    if len(values) < 2:
        raise InputError(
            f"all {n} labels are {int(values[0])}; a direction needs samples with the attribute "
            "and without it"
        )
    has: NDArray[np.bool_] = labels.astype(bool)
    return has


def attribute_direction(
    Z: ArrayLike,
    y: ArrayLike,
    method: Literal["means", "classifier"] = "means",
    against: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Return the direction of an attribute in the latent space.

    Parameters
    ----------
    Z
        (n, k) codes.
    y
        (n,) labels, 1 with the attribute and 0 without.
    method
        The difference of the classes' means, or the normal of the plane that a logistic regression
        on standardised codes puts between the classes, which gives less weight to what merely
        correlates with the attribute.
    against
        (o, k) directions of other attributes, best found by ``classifier``: a step leaves the
        projections on them unchanged.

    Returns
    -------
    direction
        (k,) latent units: adding it moves the mean of class 0, along the direction, to that of
        class 1.

    Examples
    --------
    >>> attribute_direction([[0, 0], [0, 2], [3, 0], [3, 2]], [0, 0, 1, 1])
    array([3., 0.])
    """
    codes = np.asarray(Z, np.float64)
    if codes.ndim != 2 or not np.isfinite(codes).all():
        raise InputError(f"the codes have shape {codes.shape}; give finite (n, k) ones")
    has = checked_labels(y, len(codes))
    if method not in METHODS:
        known = ", ".join(METHODS)
        raise InputError(f"method is {method!r}; it is one of {known}{nearest(method, METHODS)}")
    difference = codes[has].mean(axis=0) - codes[~has].mean(axis=0)
    normal = difference if method == "means" else _normal(codes, has)
    if against is not None:
        normal = _beside(normal, np.atleast_2d(np.asarray(against, np.float64)))
    length = float(np.linalg.norm(normal))
    if length == 0:
        raise InputError("the two classes have the same mean code; no direction separates them")
    unit = normal / length
    direction: NDArray[np.float64] = (unit @ difference) * unit
    return direction


def _normal(Z: NDArray[np.float64], has: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the gradient in z of the logit that a classifier of standardised codes gives."""
    spread = Z.std(axis=0)
    varies = spread > 0
    scale = np.where(varies, spread, 1)
    fitted = LogisticRegression(max_iter=ITERATIONS).fit((Z - Z.mean(axis=0)) / scale, has)
    normal: NDArray[np.float64] = fitted.coef_[0] / scale * varies
    return normal


def _beside(direction: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what of a direction is orthogonal to all others."""
    if others.shape[1:] != direction.shape or not np.isfinite(others).all():
        raise InputError(
            f"the other directions have shape {others.shape}; give finite (o, {len(direction)})"
        )
    _, sizes, axes = np.linalg.svd(others, full_matrices=False)
    span = axes[sizes > LEAST_LEFT * max(sizes.max(initial=0.0), np.finfo(float).tiny)]
    rest: NDArray[np.float64] = direction - (direction @ span.T) @ span
    if np.linalg.norm(rest) <= LEAST_LEFT * np.linalg.norm(direction):
        raise InputError("the direction lies in the span of the others; nothing of it is left")
    return rest


def edit(
    model: LatentModel,
    X: Any,
    direction: ArrayLike,
    strengths: Sequence[float] = (-2, -1, 0, 1, 2),
    *,
    residual: bool = False,
) -> NDArray[Any]:
    """Return samples with an attribute added (strength above 0) or removed (below).

    Parameters
    ----------
    model
        A fitted model that encodes and decodes.
    X
        (n, *data_shape_).
    direction
        (k,), from `attribute_direction`.
    strengths
        Multiples of the direction; 0 is the reconstruction.
    residual
        Add back what the model could not reconstruct, x − x̂, which keeps the sample's own detail;
        the result may leave [0, 1].

    Returns
    -------
    edited
        (n, s, *data_shape_).
    """
    codes = codes_of(model, X)
    edited = edit_codes(model, codes, direction, strengths)
    if not residual:
        return edited
    kept = unit_floats(np.asarray(X)) - decoded(model, codes)
    whole: NDArray[Any] = edited + kept[:, None]
    return whole


def edit_codes(
    model: LatentModel,
    Z: ArrayLike,
    direction: ArrayLike,
    strengths: Sequence[float] = (-2, -1, 0, 1, 2),
) -> NDArray[Any]:
    """Return (n, s, *data_shape_) for (n, k) codes, each moved along a direction; see `edit`."""
    codes = checked_codes(model, Z)
    step = checked_codes(model, np.atleast_2d(direction))[0]
    by = np.asarray(strengths, np.float64)
    if by.ndim != 1 or not len(by) or not np.isfinite(by).all():
        raise InputError(f"the strengths are {strengths}; give finite numbers such as -1 0 1")
    with np.errstate(over="ignore"):
        moved = (codes[:, None] + by[:, None] * step).astype(codes.dtype)
    images = decoded(model, moved.reshape(-1, model.n_latent))
    return images.reshape(len(codes), len(by), *images.shape[1:])


def attribute_figure(
    originals: NDArray[Any],
    edited: NDArray[Any],
    strengths: Sequence[float],
    name: str,
    captions: Sequence[Sequence[str]] = (),
    labels: Sequence[str] = (),
    *,
    residual: bool = False,
) -> Figure:
    """Return one row for each sample: the original, then every strength from low to high.

    Parameters
    ----------
    originals, edited, strengths, residual
        (n, *data_shape_) images, what `edit` made of them, and what it was given; strength 0 is
        called reconstructed, unless the residual was added back.
    name
        Of the attribute, which may be Korean.
    captions, labels
        (n, s + 1) words below the images, and (n,) words beside the rows.
    """
    order = np.argsort(strengths, kind="stable")
    rows = [
        (label, np.concatenate([[own], walk[order]]))
        for label, own, walk in zip(
            labels or [""] * len(edited), unit_floats(np.asarray(originals)), edited
        )
    ]
    words = [strengths[i] for i in order]
    middle = "0" if residual else "reconstructed"
    columns = [f"{s:+g}".replace("-", "−") if s else middle for s in words]
    below = "; below, its probability by a classifier of pixels" if len(captions) else ""
    title = f"{name}, removed (−) and added (+){below}"
    return image_table(rows, ["original", *columns], captions, title)
