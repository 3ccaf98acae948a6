"""The first page, and what all pages are dressed in: style, scripts, language and size."""

from __future__ import annotations

from importlib import resources
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from latentia.errors import InputError
from latentia.plots.sentences import LANGUAGES
from latentia.studio.forms import Sent, sent
from latentia.studio.rendering import SIZES, show

router = APIRouter()
YEAR = 365 * 24 * 3600
KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


@router.get("/")
def home(request: Request) -> HTMLResponse:
    """Show the map and what may be done."""
    return show(request, "home.html")


@router.post("/settings")
def settings(request: Request, form: Annotated[Sent, Depends(sent)]) -> Response:
    """Keep the reader's language or size, and lead back to the page."""
    back = form.text("back")
    answer = RedirectResponse(back if back.startswith("/") and back[1:2] != "/" else "/", 303)
    for name, allowed in (("language", LANGUAGES), ("size", SIZES)):
        value = form.text(name)
        if value in allowed:
            answer.set_cookie(name, value, max_age=YEAR, samesite="strict", httponly=True)
    return answer


@router.get("/static/{name}")
def static(name: str) -> Response:
    """Return a style sheet or a script of the studio."""
    if name == "design.css":
        file = resources.files("latentia.plots") / "templates" / name
    else:
        folder = resources.files("latentia.studio") / "static"
        known = [each.name for each in folder.iterdir()]
        if name not in known:
            raise InputError(f"the studio has no file {name!r:.60}")
        file = folder / name
    kind = KINDS[name[name.rindex(".") :]]
    return Response(file.read_bytes(), media_type=kind)
