"""The page of a model: what it is, one that is trained to play with, and the form to train it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from latentia.errors import InputError
from latentia.models.fields import command_name, model_fields, model_reference, model_summary
from latentia.studio.aside import FORMS
from latentia.studio.data import Choice, choices, spec_of
from latentia.studio.folder import is_name
from latentia.studio.forms import ModelForm, Sent, form_of, sent
from latentia.studio.map import Place, place_of
from latentia.studio.recipes import command_of, python_of, toml_of, words_of
from latentia.studio.rendering import Studio, show, studio_of
from latentia.studio.settling import is_at_hand, settled_by

router = APIRouter()
IMAGE_SIZES = ("", "28", "32", "48", "64", "96", "128")
"""Sides that pictures may be brought to; the empty one leaves it to the library."""
FRAMES = ("", "crop", "fit")
USUAL = "digits"


@router.get("/models/{command}")
def model(request: Request, command: str, data: str = "") -> HTMLResponse:
    """Show a model's place on the map, with the form to train it."""
    place, studio = place_of(command), studio_of(request)
    asked = request.query_params
    given = {"data": data or usual_data(studio, place), "zoo": asked.get("zoo", "")}
    names = [field.name for field in model_fields(place.name)]
    values = {name: asked[name].strip() for name in names if asked.get(name, "").strip()}
    return shown(request, place, form_of(place.name, values), given)


@router.post("/models/{command}/train")
def train(request: Request, command: str, form: Annotated[Sent, Depends(sent)]) -> Response:
    """Let a training wait for its turn, or say at the field why it cannot be."""
    place, studio = place_of(command), studio_of(request)
    filled, given = filled_in(place, form)
    if not filled.sound:
        return shown(request, place, filled, given, 422)
    try:
        settlement(studio, filled, given)
        words = planned(studio, filled, given)
    except InputError as error:
        return shown(request, place, filled, given | {"refusal": str(error)}, 422)
    name = given["run"]
    studio.queue.add(name, words)
    return RedirectResponse(f"/runs/{name}", 303)


@router.post("/models/{command}/recipe")
def recipe(request: Request, command: str, form: Annotated[Sent, Depends(sent)]) -> HTMLResponse:
    """Return the part of the page that says the same in a terminal, in TOML and in Python."""
    place, studio = place_of(command), studio_of(request)
    filled, given = filled_in(place, form)
    return show(request, "same.html", {"same": same(studio, filled, given), "form": filled})


@router.post("/models/{command}/settled")
def settled(request: Request, command: str, form: Annotated[Sent, Depends(sent)]) -> HTMLResponse:
    """Return the part of a form that says what is settled by the data."""
    filled, given = filled_in(place_of(command), form)
    found, refusal = dict[str, str](), ""
    try:
        found = settlement(studio_of(request), filled, given) if filled.sound else {}
    except InputError as error:
        refusal = str(error)
    return show(request, "settled.html", {"found": found, "refusal": refusal})


def settlement(studio: Studio, filled: ModelForm, given: Mapping[str, str]) -> dict[str, str]:
    """Return what data settle, or raise InputError as a training would; not of what takes long."""
    spec = spec_of(studio.folder, given["data"])
    if not is_at_hand(spec):
        return {}
    return FORMS.ask(settled_by, filled, spec, pictures_of(given).get("image_size"))


def filled_in(place: Place, form: Sent) -> tuple[ModelForm, dict[str, str]]:
    """Return a form's fields, and what it says beside them."""
    names = [field.name for field in model_fields(place.name)]
    filled = form_of(place.name, {name: form.text(name) for name in names if form.text(name)})
    beside = ("data", "run-name", "image_size", "frame")
    return filled, {name.removesuffix("-name"): form.text(name) for name in beside}


def planned(studio: Studio, filled: ModelForm, given: dict[str, str]) -> list[str]:
    """Return the words of a training; its run gets a name of its own unless it was given one."""
    spec = spec_of(studio.folder, given["data"])
    taken = {job.name for job in studio.queue.jobs()}
    if given["run"]:
        if not is_name(given["run"]):
            raise InputError(
                f"{given['run']!r:.60} cannot name a run: take letters, digits, dots and hyphens"
            )
        if given["run"] in taken or studio.folder.run(given["run"]).exists():
            raise InputError(f"there is a run {given['run']} already: take another name, or none")
    else:
        wanted = f"{command_name(filled.model)}-{given['data'].rpartition('/')[2]}"
        given["run"] = studio.folder.free_name(wanted, taken)
    run = str(studio.folder.run(given["run"]))
    return words_of(filled.model, spec, filled.changed, pictures_of(given), run)


def pictures_of(given: Mapping[str, str]) -> dict[str, str]:
    """Return how pictures are brought to one size, where that was asked for."""
    if not given["data"].startswith("uploads/"):
        return {}
    size = given["image_size"] if given["image_size"] in IMAGE_SIZES else ""
    frame = given["frame"] if given["frame"] in FRAMES else ""
    asked = " ".join(part for part in (size, frame) if part)
    return {"image_size": asked} if asked else {}


def same(studio: Studio, filled: ModelForm, given: Mapping[str, str]) -> dict[str, str]:
    """Return a training as a command, as a recipe and as a program; of an unsound form nothing."""
    try:
        spec = spec_of(studio.folder, given["data"])
    except InputError:
        return {}
    if not filled.sound:
        return {}
    beside, run = pictures_of(given), str(studio.folder.path / (given.get("run") or "NAME"))
    return {
        "command": command_of(words_of(filled.model, spec, filled.changed, beside, run)),
        "toml": toml_of(filled.model, spec, filled.changed, beside),
        "python": python_of(filled.model, spec, filled.changed, beside),
    }


def usual_data(studio: Studio, place: Place) -> str:
    """Return the data that a model's form opens with: digits, or else the newest upload."""
    keys = [choice.key for choice in offered(studio, place, "")]
    return USUAL if USUAL in keys else "".join(keys[:1])


def offered(studio: Studio, place: Place, chosen: str) -> list[Choice]:
    """Return the data that a model may learn from, and what was chosen in any case.

    Of what the library has, nothing is in pairs, large, or of two kinds.
    """
    own = place.needs in ("pairs", "domains", "photographs")
    every = [c for c in choices(studio.folder) if c.known.suits(place) and (c.own or not own)]
    return every + [c for c in choices(studio.folder) if c.key == chosen and c not in every]


def shown(
    request: Request,
    place: Place,
    form: ModelForm,
    given: Mapping[str, str],
    status: int = 200,
) -> HTMLResponse:
    """Return the page of a model with its form."""
    studio = studio_of(request)
    beside = {"data": "", "run": "", "image_size": "", "frame": "", "refusal": "", "zoo": ""}
    given = {**beside, **given}
    zoo = given["zoo"] if given["zoo"] in place.zoo else "".join(place.zoo[:1])
    page = {
        "place": place,
        "summary": model_summary(place.name),
        "reference": model_reference(place.name),
        "form": form,
        "given": given,
        "choices": offered(studio, place, given["data"]),
        "same": same(studio, form, given),
        "sizes": IMAGE_SIZES,
        "frames": FRAMES,
        "zoo": zoo,
        "own_runs": [run for run in studio.queue.shown() if run.model == place.command],
    }
    return show(request, "model.html", page, status)
