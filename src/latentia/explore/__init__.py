"""The latent space as a place to work in, for any model that decodes: arrays in, arrays out."""

from __future__ import annotations

from typing import Any

_HOMES = {
    "animate": (
        "mosaic",
        "there_and_back",
        "write_animation",
    ),
    "attributes": (
        "attribute_direction",
        "attribute_figure",
        "edit",
        "edit_codes",
    ),
    "blending": (
        "blend",
        "blend_codes",
        "blend_figure",
        "mix",
        "shares_of_two",
    ),
    "codes": (
        "codes_of",
        "prior_draws",
    ),
    "coordinates": ("importance",),
    "interpolation": (
        "interpolate",
        "interpolate_codes",
        "interpolation_figure",
        "latent_path",
        "lerp",
        "slerp",
    ),
    "inversion": (
        "inversion_figure",
        "invert",
    ),
    "labels": ("classes",),
    "latent_map": (
        "latent_plane",
        "manifold",
        "map_figure",
    ),
    "neighbours": (
        "nearest_neighbours",
        "neighbours_figure",
    ),
    "pictures": ("read_pictures",),
    "pixel_classifiers": (
        "PixelClassifiers",
        "attribute_check",
    ),
    "traversal": (
        "traversal_figure",
        "traverse",
    ),
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
