"""What a run hands on: its page, ONNX, its model's folder, its recipe, its figures."""

from __future__ import annotations

import shutil
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from latentia.errors import InputError
from latentia.files import temporary_name
from latentia.models.fields import model_fields
from latentia.plots.curves import loss_curves
from latentia.plots.style import png_bytes, svg_file
from latentia.studio.calls import called
from latentia.studio.folder import RunsFolder
from latentia.studio.live import page_of_run
from latentia.studio.recipes import toml_of
from latentia.studio.rendering import studio_of
from latentia.training.config import RunConfig
from latentia.training.metrics_file import read_metrics

router = APIRouter()
DRAWING = threading.Lock()
"""Matplotlib draws for one thread at a time."""
KINDS = {
    "page.html": "text/html; charset=utf-8",
    "onnx.zip": "application/zip",
    "model.zip": "application/zip",
    "recipe.toml": "application/toml",
    "report.html": "text/html; charset=utf-8",
    "curves.png": "image/png",
    "curves.svg": "image/svg+xml",
}
"""What may be asked for, by the end of its name."""


@router.get("/runs/{name}/export/{what}")
def export(request: Request, name: str, what: str) -> Response:
    """Return something of a run as a file to keep."""
    if what not in KINDS:
        raise InputError(f"a run is exported as {', '.join(KINDS)}, and not as {what!r:.40}")
    folder = studio_of(request).folder
    run = folder.run(name)
    if not (run / "config.json").is_file():
        raise InputError(f"there is no run {name}: choose one from the list")
    heads = {"content-disposition": f"attachment; filename*=utf-8''{quote(name, safe='')}-{what}"}
    if what in SMALL:
        return Response(SMALL[what](run), media_type=KINDS[what], headers=heads)
    return FileResponse(LARGE[what](folder, name), media_type=KINDS[what], headers=heads)


def recipe(run: Path) -> bytes:
    """Return a run as a recipe: what is not the default."""
    config = RunConfig.read(run)
    defaults = {field.name: field.default for field in model_fields(config.model)}
    values = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in config.parameters.items()
        if name in defaults
    }
    changed = {name: value for name, value in values.items() if value != defaults[name]}
    size = config.data.get("image_size")
    beside = {"image_size": str(size)} if size else {}
    return toml_of(config.model, str(config.data.get("spec", "")), changed, beside).encode()


def curves_png(run: Path) -> bytes:
    """Return the losses as a picture."""
    with DRAWING:
        return png_bytes(loss_curves(read_metrics(run)))


def curves_svg(run: Path) -> bytes:
    """Return the losses as a drawing."""
    with DRAWING:
        return svg_file(loss_curves(read_metrics(run)))


def report(folder: RunsFolder, name: str) -> Path:
    """Return the report of a finished run."""
    file = folder.run(name) / "report.html"
    if not file.is_file():
        raise InputError(f"{name} has no report yet: it is written when the run is finished")
    return file


def model(folder: RunsFolder, name: str) -> Path:
    """Return the folder of the trained model in an archive."""
    source = model_folder(folder, name)
    return packed(folder, name, "model", lambda _: source)


def model_folder(folder: RunsFolder, name: str) -> Path:
    """Return the folder of the trained model."""
    source = folder.run(name) / "model"
    if not (source / "config.json").is_file():
        raise InputError(f"{name} has no model yet: wait until it is trained")
    return source


def onnx(folder: RunsFolder, name: str) -> Path:
    """Return the model's functions as ONNX in an archive."""
    model_folder(folder, name)

    def written(place: Path) -> Path:
        called("export", str(folder.run(name)), "--out", str(place / f"{name}.onnx"))
        return place

    return packed(folder, name, "onnx", written)


def packed(folder: RunsFolder, name: str, what: str, fill: Callable[[Path], Path]) -> Path:
    """Return an archive of a folder's files, made anew, whole or not at all."""
    exports = folder.made(folder.own / "exports")
    place = exports / temporary_name()
    place.mkdir()
    try:
        source, partial = fill(place), exports / temporary_name()
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(source.iterdir()):
                if file.is_file():
                    archive.write(file, f"{name}/{file.name}")
        partial.replace(exports / f"{name}-{what}.zip")
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return exports / f"{name}-{what}.zip"


SMALL: dict[str, Callable[[Path], bytes]] = {
    "recipe.toml": recipe,
    "curves.png": curves_png,
    "curves.svg": curves_svg,
}
LARGE: dict[str, Callable[[RunsFolder, str], Path]] = {
    "page.html": page_of_run,
    "onnx.zip": onnx,
    "model.zip": model,
    "report.html": report,
}
