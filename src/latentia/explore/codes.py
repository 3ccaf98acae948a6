"""From data to codes and back, checked, for everything else in `latentia.explore`.

A code is a row of the latent space: the posterior mean where there is a posterior, since that is
what ``transform`` gives. Shapes: ``X`` is (n, *data_shape_), ``Z`` is (n, k).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.utils import check_random_state

from latentia.errors import Count, InputError, Seed, check_arguments
from latentia.models.autoencoders.vae import VariationalModel
from latentia.models.base import Encoder, Generator, LatentModel
from latentia.models.inputs import channels_first


def check_unconditional(model: LatentModel) -> None:
    """Refuse a model without a latent space, or whose verbs take a class beside each code."""
    if not isinstance(model, LatentModel):
        raise InputError(f"{type(model).__name__} has no latent space to explore")
    if model.takes_labels:
        raise InputError(
            f"{type(model).__name__} takes a class beside each code; latentia.explore works with "
            "models of the code alone"
        )


def codes_of(model: LatentModel, X: Any) -> NDArray[Any]:
    """Return the (n, k) codes of data."""
    check_unconditional(model)
    if not isinstance(model, Encoder):
        raise InputError(
            f"{type(model).__name__} has no encoder; find codes with latentia.explore.invert"
        )
    return checked_codes(model, model.transform(X))


def checked_codes(model: LatentModel, Z: Any, least: int = 1) -> NDArray[Any]:
    """Return codes as an (n, k) float array."""
    codes = np.asarray(Z)
    codes = codes if codes.dtype in (np.float32, np.float64) else codes.astype(np.float64)
    if codes.ndim != 2 or codes.shape[1] != model.n_latent or len(codes) < least:
        raise InputError(
            f"the codes have shape {codes.shape}; {type(model).__name__} takes (n, "
            f"{model.n_latent}), n at least {least}"
        )
    finite = np.isfinite(codes).all(axis=1)
    if not finite.all():
        raise InputError(f"code {int(np.argmin(finite))} holds NaN or infinity; codes are finite")
    return codes


def decoded(model: LatentModel, Z: NDArray[Any]) -> NDArray[Any]:
    """Return (n, *data_shape_) for (n, k) codes, unless they lie so far out that it is infinite."""
    check_unconditional(model)
    codes = checked_codes(model, Z)
    with np.errstate(over="ignore", invalid="ignore"):
        decoded = np.asarray(model.inverse_transform(codes))
    images = np.asarray(channels_first(decoded, model, reset=True))
    if not np.isfinite(images).all():
        raise InputError(
            f"codes as long as {np.linalg.norm(codes, axis=1).max():.3g} decode to NaN or "
            "infinity; stay nearer to the data's"
        )
    return images


def has_standard_normal_prior(model: LatentModel) -> bool:
    """Return whether the model's ``z`` is N(0, I), by its density or else by how it draws."""
    if isinstance(model, VariationalModel):
        z_NK = np.concatenate([np.zeros((1, model.n_latent)), np.eye(model.n_latent)])
        found = model.log_prior(torch.from_numpy(z_NK).float()).detach().numpy()
        return bool(np.allclose(found, norm.logpdf(z_NK).sum(axis=1), rtol=1e-4))
    if not isinstance(model, Generator):
        return False
    # The draws of N(0, I) are scikit-learn's, number by number; any other prior's differ.
    drawn = model.latent_draws(2, check_random_state(0))
    return bool(np.array_equal(drawn, Generator.latent_draws(model, 2, check_random_state(0))))


def prior_draws(model: LatentModel, n: Count, random_state: Seed | None = 0) -> NDArray[Any]:
    """Return (n, k) draws of ``z`` from the model's prior, or from N(0, I) if it states none."""
    check_arguments(prior_draws, locals())
    draw = check_random_state(random_state)
    if isinstance(model, Generator):
        return np.asarray(model.latent_draws(n, draw))
    return np.asarray(draw.standard_normal((n, model.n_latent)))


def checked_coordinate(model: LatentModel, index: int) -> int:
    """Return a latent coordinate's index, from 0 to k − 1."""
    if not 0 <= index < model.n_latent:
        raise InputError(
            f"coordinate {index} is not one of the {model.n_latent} latent components, which are "
            f"numbered 0 to {model.n_latent - 1}"
        )
    return int(index)
