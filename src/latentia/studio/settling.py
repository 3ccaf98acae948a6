"""What a model's settings come to with the data that were chosen, or why it does not learn them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

import latentia
from latentia.data import describe, names
from latentia.errors import InputError
from latentia.studio.data import spec_of
from latentia.studio.forms import ModelForm, Sent, sent, shown_value
from latentia.studio.map import place_of
from latentia.studio.models import filled_in, pictures_of
from latentia.studio.rendering import show, studio_of

router = APIRouter()
MOST_BYTES = 300 * 10**6
"""Of an upload that is read while a form is filled in."""


@router.post("/models/{command}/settled")
def settled(request: Request, command: str, form: Annotated[Sent, Depends(sent)]) -> HTMLResponse:
    """Return the part of a form that says what is settled by the data."""
    place = place_of(command)
    filled, given = filled_in(place, form)
    found: dict[str, str] = {}
    refusal = ""
    try:
        spec = spec_of(studio_of(request).folder, given["data"])
        if filled.sound and is_at_hand(spec):
            found = settled_by(filled, spec, pictures_of(given).get("image_size"))
    except InputError as error:
        refusal = str(error)
    return show(request, "settled.html", {"found": found, "refusal": refusal})


def is_at_hand(spec: str) -> bool:
    """Return whether data are read in a moment: with the software, or not too large."""
    if spec in names():
        return not describe(spec).needs_network
    path = Path(spec)
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(file.stat().st_size for file in files if file.is_file()) <= MOST_BYTES


def settled_by(filled: ModelForm, spec: str, image_size: str | None) -> dict[str, str]:
    """Return what settings that are none or auto come to, as a training would settle them.

    Raises
    ------
    InputError
        If the model does not learn these data, as training would refuse them.
    """
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
        found = {**model.settled(array), **model.resolve(model.read(array, y, reset=True))}
        model.check_effects(found)
    given = {entry.field.name: entry.text for entry in filled.entries}
    return {n: shown_value(v) for n, v in found.items() if given.get(n) in ("none", "auto")}
