"""The first pictures of data, as a strip to know them by; made once, and kept."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from latentia.data.named import load
from latentia.errors import InputError
from latentia.files import write_atomically
from latentia.plots.grids import is_drawable, png, tile
from latentia.studio.aside import FORMS
from latentia.studio.data import spec_of
from latentia.studio.rendering import studio_of
from latentia.studio.settling import is_at_hand

router = APIRouter()
SHOWN = 6
NOTHING = 204
"""The status of an answer without a picture: of a table, a text, or what is not at hand."""


@router.get("/data/pictures")
def pictures(request: Request, data: str) -> Response:
    """Return the strip of data that are pictures."""
    folder = studio_of(request).folder
    spec = spec_of(folder, data)
    key = hashlib.sha256(f"{data} {changed(spec)}".encode()).hexdigest()[:16]
    file = folder.made(folder.own / "pages") / f"strip-{key}.png"
    if not file.is_file() and not FORMS.ask(made, spec, file):
        return Response(status_code=NOTHING)
    return FileResponse(file, media_type="image/png", headers={"cache-control": "max-age=600"})


def changed(spec: str) -> int:
    """Return when a file or folder was last changed; of named data, nothing."""
    path = Path(spec)
    return path.stat().st_mtime_ns if path.is_absolute() else 0


def made(spec: str, file: Path) -> bool:
    """Write the strip, unless the data are no pictures, or are not read in a moment."""
    if not is_at_hand(spec):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            x = load(spec).x_train
    except InputError:
        return False
    if not is_drawable(x.shape):
        return False
    write_atomically(file, png(tile(x[:SHOWN], n_columns=SHOWN)))
    return True
