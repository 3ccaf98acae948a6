"""Data: named sets, files and folders, all as one `Dataset`; nothing here imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from latentia.data.dataset import Dataset, Description

if TYPE_CHECKING:
    from latentia.data.named import describe, fetch, load, names

__all__ = ["Dataset", "Description", "describe", "fetch", "load", "names"]


def __getattr__(name: str) -> Any:
    """Import what reads data when it is first asked for, so that a fit of arrays loads none."""
    if name not in __all__:
        raise AttributeError(f"module 'latentia.data' has no attribute {name!r}")
    from latentia.errors import offered

    return offered("latentia.data.named", name)


def __dir__() -> list[str]:
    """List the public names, also those not yet imported."""
    return sorted(__all__)
