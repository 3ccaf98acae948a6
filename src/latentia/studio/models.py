"""The page of a model: what it is, one that is trained to play with, and the form to train it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from latentia.models.fields import model_reference, model_summary
from latentia.studio.map import place_of
from latentia.studio.rendering import show

router = APIRouter()


@router.get("/models/{command}")
def model(request: Request, command: str) -> HTMLResponse:
    """Show a model's place on the map."""
    place = place_of(command)
    given = {
        "place": place,
        "summary": model_summary(place.name),
        "reference": model_reference(place.name),
    }
    return show(request, "model.html", given)
