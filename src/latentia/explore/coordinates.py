"""What each latent coordinate is worth to a model.

    KL        mean over samples of KL(q(z_j given x) ‖ N(0, 1)), nats, where the bound holds it:
              at least the information that z_j carries about x
    variance  explained variance of PCA's components, or else the variance of the codes
    change    E ‖G(z + e_j) − G(z − e_j)‖² / 4, z from the prior, where there is no encoder

Shapes: ``X`` is (n, *data_shape_), values (k,).

References
----------
.. [1] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix B.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from latentia.errors import InputError, Seed, check_arguments
from latentia.explore.codes import (
    check_unconditional,
    codes_of,
    decoded,
    has_standard_normal_prior,
    prior_draws,
)
from latentia.models.apply import as_tensor
from latentia.models.autoencoders.vae import VariationalModel, kl_per_component
from latentia.models.base import Encoder, LatentModel
from latentia.models.linear.pca import PCA
from latentia.training.train import evaluating

CHUNK, DRAWS = 512, 16


@dataclass(frozen=True)
class Importance:
    """What each latent coordinate is worth."""

    values: NDArray[np.float64]
    """(k,), at least 0."""
    measure: str
    """KL in nats, explained variance of the data, variance of the codes, or change of the decoded
    sample, each in squared units."""

    @property
    def order(self) -> NDArray[np.intp]:
        """(k,) coordinates, the most important first."""
        return np.argsort(-self.values, kind="stable")


def importance(model: LatentModel, X: Any = None, random_state: Seed = 0) -> Importance:
    """Return what each latent coordinate is worth, by the measure that suits the model.

    Parameters
    ----------
    model
        A fitted model that decodes.
    X
        (n, *data_shape_), which models with an encoder need, PCA excepted.
    random_state
        Of the draws from the prior, without an encoder.

    Returns
    -------
    importance
        KL for a variational model with the prior N(0, I), explained variance for PCA without
        rotation, the variance of the codes for others that encode, and change without an encoder.
    """
    check_arguments(importance, locals())
    check_unconditional(model)
    if not isinstance(model, Encoder):
        return Importance(_changes(model, random_state), "change")
    if isinstance(model, PCA) and model.rotation == "none":
        return Importance(np.asarray(model.explained_variance_, np.float64), "explained variance")
    if X is None:
        raise InputError(f"{type(model).__name__} has an encoder: give data to measure its codes")
    if isinstance(model, VariationalModel) and has_standard_normal_prior(model):
        return Importance(_divergences(model, X), "KL")
    return Importance(codes_of(model, X).var(axis=0, dtype=np.float64), "variance")


def _divergences(model: VariationalModel, X: Any) -> NDArray[np.float64]:
    """Return (k,) values of KL(q(z_j | x) ‖ N(0, 1)) in nats, averaged over data."""
    array = model.checked(X, reset=False)
    total = np.zeros(model.n_latent)
    with torch.no_grad(), evaluating(model.nets()):
        for first in range(0, len(array), CHUNK):
            x = as_tensor(model, array[first : first + CHUNK]).float()
            total += kl_per_component(model.posterior(x)).double().sum(0).numpy()
    return total / len(array)


def _changes(model: LatentModel, random_state: int) -> NDArray[np.float64]:
    z_NK = prior_draws(model, DRAWS, random_state)
    steps = np.eye(model.n_latent)[:, None]
    high, low = (
        decoded(model, moved.reshape(-1, model.n_latent)).reshape(model.n_latent, DRAWS, -1)
        for moved in (z_NK + steps, z_NK - steps)
    )
    gaps = np.square(high - low, dtype=np.float64).sum(axis=2)
    return np.asarray(gaps.mean(axis=1) / 4)
