"""Live pages of the zoo's models and of runs, made once by ``latentia export`` and kept.

They hold what a model says of itself, scripts too; so they stand in a frame without an origin,
which reaches neither the studio nor anything else.
"""

from __future__ import annotations

import hashlib
import re
import threading
from contextlib import suppress
from html import unescape
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

import latentia
from latentia.errors import InputError
from latentia.models.zoo import entry_of
from latentia.pages.lab.page import write
from latentia.studio.calls import called
from latentia.studio.folder import RunsFolder
from latentia.studio.rendering import show, studio_of

router = APIRouter()
POLICY = re.compile(r'Content-Security-Policy" content="([^"]*)"')
FRAMED = "; sandbox allow-scripts allow-downloads; frame-ancestors 'self'"
HEAD = 20_000
"""Characters of a page that hold its policy."""
ONE_AT_A_TIME = threading.Lock()


@router.get("/live/zoo/{name}")
def of_zoo(request: Request, name: str) -> Response:
    """Return the live page of a model of the zoo."""
    _, entry = entry_of(name)
    key = hashlib.sha256(f"{latentia.__version__} {entry.files}".encode()).hexdigest()[:16]
    return framed(made(studio_of(request).folder, f"zoo:{name}", f"zoo-{name}-{key}.html"))


@router.get("/live/runs/{name}")
def of_run(request: Request, name: str) -> Response:
    """Return the live page of a run's model."""
    return framed(page_of_run(studio_of(request).folder, name, with_images=True))


@router.get("/lab")
def laboratory(request: Request) -> Response:
    """Show the laboratory of games."""
    return show(request, "lab.html")


@router.get("/live/lab")
def lab(request: Request) -> Response:
    """Return the laboratory of games."""
    file = _pages(studio_of(request).folder) / f"lab-{latentia.__version__}.html"
    with ONE_AT_A_TIME:
        return framed(file if file.is_file() else write(file, False))


def page_of_run(folder: RunsFolder, name: str, with_images: bool = False) -> Path:
    """Return the page of a run's model; images of data of no known licence only if asked for."""
    run = folder.run(name)
    if not (run / "model" / "config.json").is_file():
        raise InputError(f"{name} has no model yet: wait until it is trained")
    changed = (run / "model" / "config.json").stat().st_mtime_ns
    key = hashlib.sha256(f"{latentia.__version__} {changed}".encode()).hexdigest()[:16]
    more = ["--with-images"] * with_images
    return made(folder, str(run), f"run-{name}-{key}{'-seen' * with_images}.html", *more)


def ready(folder: RunsFolder, name: str) -> None:
    """Begin to make the page of a run's model, so that it is there when somebody comes to play."""

    def make() -> None:
        with suppress(InputError, OSError):
            # To play with first, then to take along.
            page_of_run(folder, name, with_images=True)
            page_of_run(folder, name)

    threading.Thread(target=make, daemon=True).start()


def made(folder: RunsFolder, source: str, name: str, *more: str) -> Path:
    """Return the page of a model, which is made if it is not there."""
    file = _pages(folder) / name
    with ONE_AT_A_TIME:
        if not file.is_file():
            called("export", source, "--out", str(file), *more)
    return file


def framed(file: Path) -> Response:
    """Return a page with its own policy, and confined."""
    with file.open(encoding="utf-8") as stream:
        found = POLICY.search(stream.read(HEAD))
    policy = unescape(found[1]) if found else "default-src 'none'"
    heads = {"content-security-policy": policy + FRAMED, "cache-control": "private, max-age=60"}
    return FileResponse(file, media_type="text/html; charset=utf-8", headers=heads)


def _pages(folder: RunsFolder) -> Path:
    return folder.made(folder.own / "pages")
