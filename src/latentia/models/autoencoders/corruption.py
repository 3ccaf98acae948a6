"""Corruption of samples: gaussian noise, masking noise, salt-and-pepper noise.

    gaussian          x̃ = x + s·ε,  ε ~ N(0, I), clipped to [0, 1] where the data lie in it
    masking           x̃_j = 0 with probability ν, else x_j
    salt and pepper   x̃_j = 0 or 1, each with probability ν/2, else x_j            ([1]_)

The level is s or ν. Tables of any scale are corrupted in standard units u = (x − μ)/σ of their
columns, where 0 is the mean. A signal-to-noise ratio R, in dB, is 10 log₁₀(E[x²] / E[(x̃ − x)²])
with E over all values of the training data, in standard units for tables, before clipping.

Shapes: ``x`` is (N, C, H, W) or (N, d).

References
----------
.. [1] P. Vincent, H. Larochelle, I. Lajoie, Y. Bengio, P.-A. Manzagol, "Stacked Denoising
   Autoencoders: Learning Useful Representations in a Deep Network with a Local Denoising
   Criterion", JMLR 2010, section 3.3 (there ν is a fixed share of each sample's values).
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from latentia.errors import InputError, check_range
from latentia.nets.mlp import Standardisation
from latentia.training import draws

Noise = Literal["gaussian", "masking", "salt_and_pepper"]

LOUDEST = {"gaussian": math.inf, "masking": 1.0, "salt_and_pepper": 1.0}
"""The greatest level of each kind: a standard deviation has no bound, a probability has."""


def check_noise(kind: Noise, noise_factor: float | None, snr: float | None) -> None:
    """Raise InputError for a level out of its kind's range, or one that is stated twice."""
    check_range("noise_factor", noise_factor, 0, LOUDEST[kind])
    # Masking noise is at most the signal itself: 0 dB.
    check_range("snr", snr, 0 if kind == "masking" else -100, 100)
    if noise_factor is not None and snr is not None:
        raise InputError(
            f"noise_factor is {noise_factor:g} and snr is {snr:g}; give one of them, "
            "since each determines the other"
        )


def level_of_ratio(kind: Noise, snr: float, mean: Tensor, variance: Tensor) -> float:
    """Return the level at which the noise is ``snr`` dB below the signal.

    Parameters
    ----------
    kind
        Of the noise.
    snr
        In dB.
    mean, variance
        Of each value over the training data, in the unit in which the noise is added.

    Raises
    ------
    InputError
        If not even noise in every value is so loud.
    """
    signal = float((variance + mean.square()).mean())
    energy = signal / 10 ** (snr / 10)
    if kind == "gaussian":
        return math.sqrt(energy)
    salted = float((variance + (1 - mean).square()).mean())
    whole = signal if kind == "masking" else 0.5 * (signal + salted)
    level = energy / whole if whole > 0 else 0.0
    if level > 1:
        least = 10 * math.log10(signal / whole)
        raise InputError(
            f"snr is {snr:g}; {kind} noise in every value of these data gives {least:.2f} dB, "
            "which is the least"
        )
    return level


def corrupted(
    x: Tensor, kind: Noise, level: float, units: Standardisation, *, clip: bool
) -> Tensor:
    """Return ``x̃``: noise in the given units, gaussian noise clipped to [0, 1] on request."""
    if kind == "gaussian":
        noisy = x + level * units.scale * draws.normal_like(x)
        return noisy.clamp(0, 1) if clip else noisy
    share = draws.uniform_like(x)
    if kind == "masking":
        return torch.where(share < level, units.mean.to(x.dtype), x)
    extreme = (share < level / 2).to(x.dtype)
    return torch.where(share < level, extreme, x)
