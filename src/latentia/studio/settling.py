"""What a model's settings come to with the data that were chosen, or why it does not learn them."""

from __future__ import annotations

import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import latentia
from latentia.data import describe, names
from latentia.studio.forms import ModelForm, shown_value

MOST_BYTES = 300 * 10**6
"""Of an upload that is read while a form is filled in."""


def is_at_hand(spec: str) -> bool:
    """Return whether data are read in a moment: with the software, or not too large."""
    if spec in names():
        return not describe(spec).needs_network
    path = Path(spec)
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(file.stat().st_size for file in files if file.is_file()) <= MOST_BYTES


@lru_cache(maxsize=16)
def settled_by(filled: ModelForm, spec: str, image_size: str | None) -> dict[str, str]:
    """Return what settings that are none or auto come to, as a training would settle them.

    Raises
    ------
    InputError
        If the model does not learn these data, as training would refuse them.
    """
    import torch

    from latentia.models.gradient import GradientModel
    from latentia.models.inputs import with_labels

    model: Any = getattr(latentia, filled.model)(**filled.changed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = model.load_data(spec, image_size)
        model.check_data(data)
        data, _ = data.hold_out()
        if not isinstance(model, GradientModel) or isinstance(data.x_train, str):
            return {}
        x, y = with_labels(data.x_train, data.beside.get("y"), model)
        array = model.checked(x, reset=True)
        model.choose_batch(len(array))
        batches = model.read(array, y, reset=True)
        found = {**model.settled(array), **model.resolve(batches)}
        model.check_effects(found)
        # Nets refuse samples of a shape that they are not for.
        model.seed_ = 0
        model.initialise(batches, torch.device("cpu"))
    given = {entry.field.name: entry.text for entry in filled.entries}
    return {n: shown_value(v) for n, v in found.items() if given.get(n) in ("none", "auto")}
