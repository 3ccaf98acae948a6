"""What a page shows of a latent space beside the model: where codes lie, and what moves them apart.

What changes most comes first, by the mean metric of the decoder G over base points z,

    M = E JᵀJ,    J_j = (G(z + s_j 1_j) − G(z − s_j 1_j)) / 2u,

s the standard deviations of the codes and u the columns' units. A coordinate changes M_jj, which of
PCA is its explained variance. Where no encoder gives the coordinates a meaning, sliders are along
eigenvectors of M first ([1]_ learns such directions from samples). The map is the plane of Fisher's
discriminants v of the classes, of codes z − m at (v₁·(z − m), v₂·(z − m)); a step along an axis is
S_W v, S_W the scatter within classes, which leaves the other axis as it is. Without classes it is
the plane of the first two sliders.

References
----------
.. [1] E. Härkönen et al., "GANSpace: Discovering Interpretable GAN Controls", NeurIPS 2020.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, eigh
from sklearn.utils import check_random_state

from latentia.data.dataset import Dataset
from latentia.errors import InputError
from latentia.explore.codes import prior_draws
from latentia.models.base import Encoder, Generator
from latentia.models.exported import Exported, Quantity
from latentia.models.inputs import spread, unit_floats
from latentia.models.linear.gaussian import LinearGaussian
from latentia.models.linear.pca import PCA
from latentia.models.measures import complete

ROWS, VALUES = 600, 40_000
"""Held-out rows whose codes are shown, and how many numbers these may have together."""
CENTRES = 6
"""Latent rows around which coordinates are moved."""
POOL = 512
"""Draws from a prior that the page cannot draw from."""
MOST_CLASSES = 20
FACTORED = 64
"""Coordinates up to which a page draws with the codes' correlations."""
RIDGE = 1e-3
APART = 0.05
"""Of the codes' spread, from which on two means lie apart."""
MOST_PIXELS = 4_096
"""Values of what is decoded by which changes are measured."""
DIRECTIONS = 10
REACH = {"normal": 3.0, "uniform": 1.0}
"""How far sliders go, by the prior."""
ENDS = ("share", "low", "high")

Array = NDArray[Any]
Functions = Mapping[str, Exported]


def decoder_of(functions: Functions) -> Exported | None:
    """Return the function from latent rows to data, if there is one."""
    return next((f for f in functions.values() if f.inputs[0].kind == "code"), None)


def scene_of(model: Any, functions: Functions, data: Dataset | None) -> dict[str, Any]:
    """Return all of it, as JSON has it; empty for a model that decodes nothing."""
    decoder = decoder_of(functions)
    if decoder is None:
        return {}
    codes, labels = held_out(model, data)
    seen = len(codes) > 0
    z = codes if seen else likely_codes(model)
    # Where rows are few, a coordinate may be the same in all of them.
    widths = np.maximum(z.std(axis=0), 1e-6)
    metric = metric_of(decoder, spread(z, CENTRES), widths)
    prior = prior_of(model, z)
    sliders = sliders_of(z, metric, prior["kind"], free=not isinstance(model, Encoder))
    told = None if labels is None or model.takes_labels else labels
    means = None if seen else vars(model).get("class_codes_")
    named = vars(model).get("class_names_", []) if means is not None else []
    # A mean code stands for all codes of its class.
    rows, of = (z, told) if means is None else (means, np.arange(len(means)))
    return {
        "centre": rounded(z.mean(axis=0)),
        "sliders": sliders,
        "prior": prior,
        "plane": plane_of(z, told, sliders),
        "codes": packed(codes) if seen else None,
        "labels": None if labels is None else labels.tolist(),
        "classes": named if labels is None or data is None else classes_of(data, labels),
        "pins": pins_of(rows, of),
        "directions": directions_of(rows, of, float(z.var(axis=0).sum())),
        "noise": noise_of(model),
    }


def noise_of(model: Any) -> dict[str, Any] | None:
    """Return the noise that a model of pictures in [0, 1] learnt to take away, if it did."""
    known = vars(model)
    if "noise_level_" not in known or not known["unit_range_"]:
        return None
    return {"kind": model.noise, "level": known["noise_level_"]}


def held_out(model: Any, data: Dataset | None) -> tuple[Array, Array | None]:
    """Return codes of test rows without gaps, and their classes if they have any."""
    nothing = np.zeros((0, 0)), None
    if data is None or not isinstance(model, Encoder):
        return nothing
    try:
        data = complete(data)
    except InputError:
        return nothing
    if model.takes_labels and not data.labelled:
        return nothing
    n = min(ROWS, max(1, VALUES // model.n_latent))
    y = None if data.y_test is None else spread(data.y_test, n)
    codes = model.transform(unit_floats(spread(data.x_test, n)), *model.labels_for(y))
    few = data.labelled and len(np.unique(np.asarray(y))) <= MOST_CLASSES
    return np.asarray(codes, float), np.asarray(y).astype(int) if few else None


def likely_codes(model: Any) -> Array:
    """Return codes as they may be without data: the prior's, or as PCA knows the variances."""
    if not isinstance(model, PCA):
        return np.asarray(prior_draws(model, ROWS), float)
    draws = check_random_state(0).standard_normal((ROWS, len(model.components_)))
    rows = draws * np.sqrt(model.explained_variance_) @ model.components_ + model.mean_
    # Of images none leaves the range.
    rows = rows if len(model.data_shape_) == 1 else np.clip(rows, 0, 1)
    return np.asarray(model.transform(rows.reshape(-1, *model.data_shape_)), float)


def classes_of(data: Dataset, labels: Array) -> list[str]:
    """Return the names of the classes, by their numbers."""
    n = int(labels.max()) + 1
    return list(data.class_names) if len(data.class_names) >= n else [str(c) for c in range(n)]


def metric_of(decoder: Exported, centres: Array, widths: Array) -> Array:
    """Return the (k, k) mean metric of a decoder, in standard deviations of the codes."""
    scale = units_of(decoder.outputs[0])
    given = [condition(q, len(centres)) for q in decoder.inputs[1:]]
    changes = []
    for j, width in enumerate(widths):
        step = np.zeros(len(widths))
        step[j] = width
        up, down = (
            np.asarray(decoder.verb((centres + sign * step).astype(np.float32), *given), float)
            for sign in (1, -1)
        )
        change = (up - down).reshape(len(centres), -1) / (2 * scale)
        # Of large images some pixels tell enough.
        changes.append(change[:, :: -(-change.shape[1] // MOST_PIXELS)].ravel())
    J = np.nan_to_num(np.stack(changes, axis=1)) / np.sqrt(len(centres))
    return np.asarray(J.T @ J)


def sliders_of(z: Array, metric: Array, prior: str, *, free: bool) -> list[dict[str, Any]]:
    """Return what is moved, first what changes most: directions of a free z, and coordinates."""
    k, total = len(metric), max(float(np.trace(metric)), 1e-30)
    effects = np.diag(metric)
    low, high = ranges_of(z, prior)
    found: list[dict[str, Any]] = [
        {"index": int(j), "share": effects[j] / total, "low": low[j], "high": high[j]}
        for j in np.argsort(-effects, kind="stable")
    ]
    if free and k > 2:
        values, vectors = np.linalg.eigh(metric)
        ahead = vectors[:, ::-1].T[: min(DIRECTIONS, k)]
        wide = 3 * (z @ ahead.T).std(axis=0)
        shares = values[::-1] / total
        found = [
            {"axis": rounded(axis), "share": float(share), "low": -float(w), "high": float(w)}
            for axis, share, w in zip(ahead, shares, wide)
        ] + found
    for slider in found:
        slider.update({name: rounded(slider[name]) for name in ENDS})
    return found


def units_of(quantity: Quantity) -> Array:
    """Return what values are counted in: the widths of a table's columns, 1 for images."""
    low, high = np.asarray(quantity.low, float), np.asarray(quantity.high, float)
    widths = np.atleast_1d(high - low)
    return np.where(np.isfinite(widths) & (widths > 0), widths, 1.0)


def condition(quantity: Quantity, n: int) -> Array:
    """Return n rows of what a function is given beside z: classes in turn, or the middle."""
    if quantity.kind == "class":
        return np.eye(quantity.shape[0], dtype=np.float32)[np.arange(n) % quantity.shape[0]]
    middle = (np.asarray(quantity.low, float) + np.asarray(quantity.high, float)) / 2
    return np.tile(np.broadcast_to(middle, quantity.shape), (n, 1)).astype(np.float32)


def prior_of(model: Any, z: Array) -> dict[str, Any]:
    """Return how the page draws z: N(0, Φ), uniformly, from draws, or as the codes lie."""
    if isinstance(model, Generator):
        drawn = model.latent_draws(2, check_random_state(0))
        if np.array_equal(drawn, check_random_state(0).standard_normal(drawn.shape)):
            return {"kind": "normal"}
        if np.array_equal(drawn, check_random_state(0).uniform(-1, 1, drawn.shape)):
            return {"kind": "uniform"}
        return {"kind": "drawn", "draws": packed(model.latent_draws(POOL, check_random_state(0)))}
    if isinstance(model, LinearGaussian):
        correlations = vars(model).get("factor_correlations_")
        if correlations is None:
            return {"kind": "normal"}
        return {"kind": "normal", "factor": rounded(cholesky(correlations, lower=True))}
    covariance = np.atleast_2d(np.cov(z.T)) if len(z) > 1 else np.eye(z.shape[1])
    if z.shape[1] > FACTORED:
        covariance = np.diag(np.diag(covariance))
    level = RIDGE * float(np.trace(covariance)) / len(covariance) + 1e-12
    factor = cholesky(covariance + level * 1e-3 * np.eye(len(covariance)), lower=True)
    mean = rounded(z.mean(axis=0))
    if z.shape[1] > FACTORED:
        return {"kind": "fitted", "mean": mean, "widths": rounded(np.diag(factor))}
    return {"kind": "fitted", "mean": mean, "factor": rounded(factor)}


def ranges_of(z: Array, prior: str) -> tuple[Array, Array]:
    """Return how far each coordinate is moved: three standard deviations, or as far as codes go."""
    mean, wide = z.mean(axis=0), 3 * z.std(axis=0)
    low, high = mean - wide, mean + wide
    if prior in REACH:
        low, high = np.full_like(mean, -REACH[prior]), np.full_like(mean, REACH[prior])
    low, high = np.minimum(low, z.min(axis=0)), np.maximum(high, z.max(axis=0))
    flat = high - low < 1e-6
    return low - flat, high + flat


def plane_of(
    z: Array, labels: Array | None, sliders: list[dict[str, Any]]
) -> dict[str, Any] | None:
    """Return the map: its axes, the steps along them, where it is centred, and how far it goes."""
    k = z.shape[1]
    if k < 2:
        return None
    first = np.stack([axis_of(slider, k) for slider in sliders[:2]])
    apart = labels is not None and len(np.unique(labels)) > 1
    project, move = discriminants(z, np.asarray(labels), first[0]) if apart else (first, first)
    places = (z - z.mean(axis=0)) @ project.T
    far = np.maximum(np.quantile(np.abs(places), 0.995, axis=0), 1e-6) * 1.08
    return {
        "project": rounded(project),
        "move": rounded(move),
        "reach": rounded(far),
        "classes": bool(apart),
        "deviations": rounded(places.std(axis=0)),
    }


def axis_of(slider: dict[str, Any], k: int) -> Array:
    """Return a slider's direction in z, of length 1."""
    return np.asarray(slider["axis"]) if "axis" in slider else np.eye(k)[slider["index"]]


def discriminants(z: Array, labels: Array, axis: Array) -> tuple[Array, Array]:
    """Return (2, k) Fisher's discriminants v, and the steps S_W v along them."""
    k, classes = z.shape[1], np.unique(labels)
    means = np.stack([z[labels == c].mean(axis=0) for c in classes])
    rest = z - means[np.searchsorted(classes, labels)]
    within = rest.T @ rest / len(z)
    within += RIDGE * max(float(np.trace(within)) / k, 1e-12) * np.eye(k)
    gaps = means - means.mean(axis=0)
    _, vectors = eigh(gaps.T @ gaps, within)
    first = vectors[:, -1]
    second = vectors[:, -2]
    if len(classes) == 2:
        # One line tells two classes apart; across it goes what changes most.
        second = axis - first * (first @ within @ axis)
        second = second / max(float(np.sqrt(second @ within @ second)), 1e-12)
    project = np.stack([first, second])
    return project, project @ within


def pins_of(z: Array, labels: Array | None) -> list[list[float]]:
    """Return the two ends of an interpolation: typical rows of two classes, or two far apart.

    Without classes these are of the half of the rows that lies nearest to the middle.
    """
    ends = z[[0, -1]]
    if labels is not None and len(np.unique(labels)) > 1:
        means = np.stack([z[labels == c].mean(axis=0) for c in np.unique(labels)])
        ends = means[list(farthest(means))]
    elif len(z) > 1:
        few = spread(z, 120)
        gaps = np.square(few - z.mean(axis=0)).sum(axis=1)
        few = few[gaps <= np.median(gaps)]
        ends = few[list(farthest(few))]
    return [rounded(z[np.square(z - end).sum(axis=1).argmin()]) for end in ends]


def farthest(rows: Array) -> tuple[int, int]:
    """Return which two rows are farthest apart."""
    gaps = np.square(rows[:, None] - rows[None]).sum(axis=-1)
    first, second = np.unravel_index(int(gaps.argmax()), gaps.shape)
    return int(first), int(second)


def directions_of(
    z: Array, labels: Array | None, variance: float | None = None
) -> list[dict[str, Any]]:
    """Return for each class the way from the mean of all others to its own, if they lie apart.

    That is judged by the total variance of the codes, which is that of z if it is not given.
    """
    variance = float(z.var(axis=0).sum()) if variance is None else variance
    classes = [] if labels is None else np.unique(labels).tolist()
    if len(classes) < 2:
        return []
    found = []
    for c in classes[1:] if len(classes) == 2 else classes:
        others = z[labels != c].mean(axis=0)
        step = z[labels == c].mean(axis=0) - others
        if np.square(step).sum() > (APART**2) * variance:
            found.append({"class": c, "from": rounded(others), "step": rounded(step)})
    return found


def rounded(values: Array) -> Any:
    """Return numbers to five digits, which is what a page needs of them."""
    flat = [float(f"{v:.5g}") for v in np.asarray(values, float).ravel()]
    return np.asarray(flat).reshape(np.shape(values)).tolist()


def packed(rows: Array) -> dict[str, Any]:
    """Return (n, k) numbers in 16 bits between each column's least and most, in base64."""
    low, high = rows.min(axis=0), rows.max(axis=0)
    step = np.maximum(high - low, 1e-12) / 65535
    whole = np.round((rows - low) / step).astype("<u2")
    return {
        "n": len(rows),
        "low": rounded(low),
        "high": rounded(high),
        "values": base64.b64encode(whole.tobytes()).decode(),
    }
