"""Where a trained model may be: in a folder, in the zoo (``zoo:NAME``), on a hub (``hf://...``)."""

from __future__ import annotations

from pathlib import Path

from latentia.files import as_path
from latentia.models.hub import fetched, is_on_hub
from latentia.models.zoo import folder_of, is_in_zoo


def is_elsewhere(given: object) -> bool:
    """Return whether what was given leads to the zoo or to a hub, and is no path."""
    return is_in_zoo(given) or is_on_hub(given)


def folder_at(given: str | Path, name: str) -> Path:
    """Return the folder that a path is or an address leads to; ``name`` is the argument's."""
    if is_in_zoo(given):
        return folder_of(given)
    return fetched(given) if is_on_hub(given) else as_path(given, name)
