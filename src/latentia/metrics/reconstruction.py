"""How well something is reconstructed. Arrays are (n, ...) floats, images in [0, 1]."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.errors import InputError, Positive, check_arguments
from latentia.metrics.estimates import Estimate


def squared_error(x: NDArray[Any], x_hat: NDArray[Any]) -> Estimate:
    """Return the mean over samples of ``‖x − x̂‖²``, summed over a sample's values."""
    return Estimate.mean_of(_per_sample(x, x_hat).sum(axis=1))


def psnr(x: NDArray[Any], x_hat: NDArray[Any], peak: Positive = 1.0) -> Estimate:
    """Return the mean over images of ``10 log₁₀(peak² / MSE)`` in dB, MSE over one image's pixels.

    One perfect image makes it infinite.
    """
    check_arguments(psnr, locals())
    mse = _per_sample(x, x_hat).mean(axis=1)
    if np.any(mse == 0):
        return Estimate(float("inf"))
    return Estimate.mean_of(10 * np.log10(peak**2 / mse))


def _per_sample(x: NDArray[Any], x_hat: NDArray[Any]) -> NDArray[np.float64]:
    if x.shape != x_hat.shape:
        raise InputError(
            f"data have shape {x.shape} and their reconstruction {x_hat.shape}; give one shape"
        )
    difference = np.asarray(x, np.float64) - np.asarray(x_hat, np.float64)
    return np.square(difference).reshape(len(difference), -1)
