"""The mathematics of generative models, computed: distributions and numbers in, numbers out."""

from __future__ import annotations

from typing import Any

_HOMES = {
    "cells": (
        "lstm_cell",
        "rnn_cell",
        "unroll",
    ),
    "convolution": (
        "filtered",
        "output_size",
        "pooled",
    ),
    "densities": (
        "as_density",
        "mixture",
    ),
    "divergences": (
        "js_divergence",
        "kl_divergence",
        "total_variation",
        "wasserstein",
    ),
    "filters": (
        "feature_maps",
        "first_filters",
    ),
    "game": (
        "Game",
        "image_cdf",
    ),
    "lines": ("parallel_lines",),
    "lipschitz": (
        "check_lipschitz",
        "gradient_norms",
        "lipschitz_bound",
        "spectral_norm",
    ),
    "minimax": (
        "optimal_logit",
        "train_discriminator",
        "value",
        "virtual_criterion",
    ),
    "monte_carlo": (
        "expectation",
        "running",
    ),
    "vanishing": ("norms_over_time",),
}
"""Every function by the module that holds it; no module has the name of a function."""
_PUBLIC = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    """Import a function when it is first asked for (PEP 562)."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from latentia.errors import offered

    return offered(f"{__name__}.{_PUBLIC[name]}", name)


def __dir__() -> list[str]:
    """List the functions, also those not yet imported."""
    return __all__
