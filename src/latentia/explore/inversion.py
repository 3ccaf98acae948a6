"""Finding the code of a given sample by descending through the decoder.

    z* = argmin_z ‖x − G(z)‖² + (λ / 2) ‖z‖²

for models without an encoder, such as GANs ([1]_ section 2, [2]_ section 4.1), by Adam on z from
several starts; for each sample the best end is kept, and the step size falls along a cosine. With
λ = 2v it is the most probable z of x ~ N(G(z), v I) under z ~ N(0, I), since −2v log p(x, z) is the
objective up to a constant. A model with an encoder starts at its code, which the descent improves.
The affine decoders of closed-form models, x = W z + μ, need no descent: z* solves
(WᵀW + (λ/2) I) z = Wᵀ(x − μ).

Shapes: ``X`` is (n, *data_shape_), ``Z`` (n, k), restarts (r, n, k).

References
----------
.. [1] Z. C. Lipton, S. Tripathi, "Precise Recovery of Latent Vectors from Generative Adversarial
   Networks", ICLR workshop 2017.
.. [2] J.-Y. Zhu, P. Krähenbühl, E. Shechtman, A. A. Efros, "Generative Visual Manipulation on the
   Natural Image Manifold", ECCV 2016.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor, nn

from latentia.errors import (
    Count,
    InputError,
    NonNegative,
    Positive,
    Seed,
    check_arguments,
)
from latentia.explore.codes import check_unconditional, codes_of, decoded, prior_draws
from latentia.models.apply import as_tensor
from latentia.models.base import Encoder, LatentModel
from latentia.models.decoding import DecodingModel
from latentia.models.inputs import unit_floats
from latentia.plots.explore import image_table
from latentia.training.losses import sum_per_sample
from latentia.training.train import evaluating
from latentia.training.updates import adam, cosine

AT_ONCE = 256
"""Codes that descend together."""
RESTARTS, STEPS = 4, 300


@dataclass(frozen=True)
class Inversion:
    """The codes that were found, and how well they decode."""

    codes: NDArray[Any]
    """(n, k)."""
    images: NDArray[Any]
    """(n, *data_shape_), what they decode to."""
    squared_errors: NDArray[np.float64]
    """(n,) ‖x − G(z)‖², summed over a sample's values, in data units squared."""


def invert(
    model: LatentModel,
    X: Any,
    *,
    n_steps: Count = STEPS,
    n_restarts: Count | None = None,
    learning_rate: Positive = 0.1,
    prior_weight: NonNegative = 0.0,
    random_state: Seed = 0,
) -> Inversion:
    """Find codes that decode to given samples; the model stays as it is.

    Parameters
    ----------
    model
        A fitted model that is trained by gradients, or has an affine decoder.
    X
        (n, *data_shape_).
    n_steps
        Steps of Adam, at least 1.
    n_restarts
        Starts for each sample, of which the best end counts: draws from the prior, the first at
        the sample's code where there is an encoder. None is 1 with an encoder and 4 without.
    learning_rate
        Adam's first step size, in latent units.
    prior_weight
        λ, the weight of ‖z‖²/2 against the squared error; 0 leaves the prior out.
    random_state
        Of the starts.
    """
    check_arguments(invert, locals())
    check_unconditional(model)
    array = model.checked(X, reset=False)
    if isinstance(model, DecodingModel):
        starts = _starts(model, array, n_restarts, random_state)
        codes: NDArray[Any] = _searched(model, array, starts, n_steps, learning_rate, prior_weight)
    elif isinstance(model, Encoder):
        codes = _solved(model, array, prior_weight)
    else:
        raise InputError(f"{type(model).__name__} has neither an encoder nor gradients to descend")
    images = decoded(model, codes)
    gaps = (unit_floats(array) - images).reshape(len(array), -1)
    return Inversion(codes, images, np.square(gaps, dtype=np.float64).sum(axis=1))


def _searched(
    model: DecodingModel,
    X: NDArray[Any],
    starts: NDArray[np.float32],
    n_steps: int,
    learning_rate: float,
    prior_weight: float,
) -> NDArray[np.float32]:
    """Return the (n, k) best ends of descents from (r, n, k) starts, some samples at a time."""
    codes: NDArray[np.float32] = np.empty_like(starts[0])
    size = max(1, AT_ONCE // len(starts))
    for first in range(0, len(X), size):
        rows = slice(first, first + size)
        x = as_tensor(model, X[rows]).float()
        ends, objective = _descend(model, x, starts[:, rows], n_steps, learning_rate, prior_weight)
        best = objective.argmin(axis=0)
        codes[rows] = ends[best, np.arange(len(best))]
    return codes


def _solved(model: LatentModel, X: NDArray[Any], prior_weight: float) -> NDArray[np.float64]:
    """Return the exact (n, k) codes of an affine decoder, its matrix read off from unit vectors."""
    k = model.n_latent
    ends = decoded(model, np.concatenate([np.zeros((1, k)), np.eye(k)])).reshape(k + 1, -1)
    mean, W_KD = ends[0], ends[1:] - ends[0]
    target = np.concatenate([(unit_floats(X).reshape(len(X), -1) - mean).T, np.zeros((k, len(X)))])
    system = np.concatenate([W_KD.T, np.sqrt(prior_weight / 2) * np.eye(k)])
    return np.asarray(np.linalg.lstsq(system, target)[0].T)


def _starts(
    model: DecodingModel, X: NDArray[Any], n_restarts: int | None, random_state: int
) -> NDArray[np.float32]:
    """Return (r, n, k) codes to start from."""
    encodes = isinstance(model, Encoder)
    r, n = n_restarts or (1 if encodes else RESTARTS), len(X)
    drawn = prior_draws(model, r * n, random_state)
    starts: NDArray[np.float32] = drawn.reshape(r, n, -1).astype(np.float32)
    if encodes:
        starts[0] = codes_of(model, X)
    return starts


def _descend(
    model: DecodingModel,
    x: Tensor,
    starts: NDArray[np.float32],
    n_steps: int,
    learning_rate: float,
    prior_weight: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return (r, n, k) ends of the descents and their (r, n) objectives."""
    r, n, k = starts.shape
    z = nn.Parameter(torch.from_numpy(starts.reshape(r * n, k).copy()))
    repeated = x.repeat(r, *[1] * (x.ndim - 1))
    optimizer = adam([z], learning_rate)

    def objective() -> Tensor:
        error = sum_per_sample((repeated - model.decode(z)).square())
        return error + prior_weight / 2 * z.square().sum(1)

    with evaluating(model.nets()), torch.enable_grad():
        for step in range(n_steps):
            optimizer.param_groups[0]["lr"] = learning_rate * cosine(step / n_steps, 1)
            # Not backward(), which would leave gradients in the model's weights too.
            (z.grad,) = torch.autograd.grad(objective().sum(), [z])
            optimizer.step()
    with evaluating(model.nets()), torch.no_grad():
        reached = objective()
    return z.detach().numpy().reshape(r, n, k), reached.numpy().reshape(r, n)


def inversion_figure(found: Inversion, X: NDArray[Any]) -> Figure:
    """Return the samples above what their codes decode to, with the root mean squared errors."""
    originals = unit_floats(np.asarray(X))
    errors = np.sqrt(found.squared_errors / originals[0].size)
    rows = [("original", originals), ("G(z)", found.images)]
    captions = [[], [f"RMSE {error:.3f}" for error in errors]]
    return image_table(rows, captions=captions)
