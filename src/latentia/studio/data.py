"""Data to learn from: those with a name, and uploads, which are kept in the folder of runs."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import UploadFile

from latentia.data import describe, names
from latentia.data.images import suffixes
from latentia.errors import InputError
from latentia.files import remove_abandoned, temporary_name
from latentia.studio.calls import called
from latentia.studio.fitting import Known, known_by_names, known_of_set, known_when_read
from latentia.studio.folder import RunsFolder, checked_name, is_name
from latentia.studio.forms import Sent, files_sent, sent
from latentia.studio.map import PLACES
from latentia.studio.recipes import command_of
from latentia.studio.rendering import show, studio_of

router = APIRouter()
LABEL = 10
"""Columns that a label takes in what ``latentia data describe`` prints."""
DEEPEST = 3
"""Folders of a file's path that are kept: those above are the user's own."""
UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\/]')
"""What no file of an upload may have in its name, on any system."""
FIRST = {"pictures": "vae", "text": "lstm"}
"""The model to begin with; for a table it is the page of factor analysis."""


@dataclass(frozen=True)
class Choice:
    """Data that may be chosen: what the studio calls them, and a line on what they are."""

    key: str
    name: str
    what: str
    n_files: int = 0
    """Of an upload."""
    own: bool = False
    fetched: bool = False
    known: Known = field(default_factory=Known)


def choices(folder: RunsFolder) -> list[Choice]:
    """Return the data that there are to choose from, uploads first, the newest before."""
    return [*uploads(folder), *(named(name) for name in names())]


def named(name: str) -> Choice:
    """Return what is known of data with a name."""
    known = describe(name)
    fetched = known.needs_network
    return Choice(name, name, known.summary, fetched=fetched, known=known_of_set(known))


def uploads(folder: RunsFolder) -> list[Choice]:
    """Return the uploads, the newest first."""
    found = [p for p in folder.uploads.iterdir() if p.is_dir() and is_name(p.name)]
    found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    return [upload_at(path) for path in found]


def upload_at(path: Path) -> Choice:
    """Return what is known of an upload without reading it."""
    sizes = [p.stat().st_size for p in path.rglob("*") if p.is_file()]
    key, what, known = f"uploads/{path.name}", f"{sum(sizes) / 1e6:,.1f} MB", known_by_names(path)
    return Choice(key, path.name, what, len(sizes), own=True, known=known)


def spec_of(folder: RunsFolder, key: str) -> str:
    """Return what the library calls data that were chosen: a name, or a path inside the folder.

    Raises
    ------
    InputError
        For what is neither a named data set nor an upload.
    """
    if key in names():
        return key
    place = place_of(folder, key)
    inside = [p for p in place.iterdir() if not p.name.startswith(".") and not p.is_symlink()]
    alone = len(inside) == 1 and not is_picture(inside[0].name)
    return str(inside[0] if alone else place)


def place_of(folder: RunsFolder, key: str) -> Path:
    """Return where an upload is kept, or raise InputError for what is none."""
    head, _, name = key.partition("/")
    place = folder.uploads / checked_name(name) if head == "uploads" and name else None
    if place is None or place.is_symlink() or not place.is_dir():
        raise InputError(
            f"there are no data {key!r:.80}: choose some from the list, or upload them"
        )
    return place


def is_picture(name: str) -> bool:
    """Return whether a file is a picture, by its name."""
    return PurePosixPath(name).suffix.lower() in suffixes()


@router.get("/data")
def overview(request: Request) -> HTMLResponse:
    """Show the data there are, and the form that takes more."""
    studio = studio_of(request)
    given = {"choices": choices(studio.folder), "most": studio.most_upload}
    return show(request, "data.html", given)


@router.get("/data/show")
def one(request: Request, data: str) -> HTMLResponse:
    """Show what data are, read as a model would read them, and which models learn from them."""
    folder = studio_of(request).folder
    spec = spec_of(folder, data)
    # Where the studio keeps an upload is no news to who sent it.
    printed = called("data", "describe", spec).replace(f"{folder.uploads}{os.sep}", "")
    rows = described(printed)
    known = known_when_read(dict(rows))
    given = {
        "chosen": next(c for c in choices(folder) if c.key == data),
        "rows": rows,
        "kind": known.kind,
        "fitting": known.groups(),
        "first": PLACES[FIRST[known.kind]] if known.kind in FIRST else None,
        "command": command_of(["data", "describe", spec]),
    }
    return show(request, "describe.html", given)


@router.post("/data/delete")
def delete(request: Request, form: Annotated[Sent, Depends(sent)]) -> Response:
    """Delete an upload for good, which has to be said twice; not while a training needs it."""
    studio, key = studio_of(request), form.text("data")
    if form.text("sure") != "yes":
        raise InputError(f"{key!r:.80} are kept: say that you are sure, to delete them for good")
    place = place_of(studio.folder, key)
    for job in studio.queue.jobs():
        needs = any(Path(word).is_relative_to(place) for word in job.words)
        if needs and studio.queue.state(job.name) in ("waiting", "running"):
            raise InputError(f"{job.name} learns from {key}: wait for it, or stop it first")
    gone = studio.folder.uploads / temporary_name()
    place.rename(gone)
    shutil.rmtree(gone)
    return RedirectResponse("/data", 303)


def described(printed: str) -> list[tuple[str, str]]:
    r"""Return labels and what is said of each, of what ``latentia data describe`` printed.

    >>> described("name      ph\nnotes     one\n          two\n")
    [('name', 'ph'), ('notes', 'one'), ('', 'two')]
    """
    lines = [line for line in printed.splitlines() if line.strip()]
    return [(line[:LABEL].strip(), line[LABEL:].strip()) for line in lines]


@router.post("/data/upload")
def upload(
    request: Request, files: Annotated[Sequence[UploadFile], Depends(files_sent)]
) -> Response:
    """Keep files that were sent as new data, and show them."""
    return RedirectResponse(f"/data/show?data={keep(studio_of(request).folder, files)}", 303)


def keep(folder: RunsFolder, files: Sequence[UploadFile]) -> str:
    """Keep files that were sent, whole or not at all, and return what the data are called."""
    places = [(file, placed(file.filename or "")) for file in files if file.filename]
    places = [(file, place) for file, place in places if place is not None]
    if not places:
        raise InputError("no file was sent: choose pictures, a folder, an archive or a table")
    remove_abandoned(folder.uploads)
    name = name_of([place for _, place in places if place is not None])
    partial = folder.uploads / temporary_name()
    try:
        for file, place in places:
            write(file, partial, place or PurePosixPath())
        found = folder.free_upload(name)
        partial.rename(found)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return f"uploads/{found.name}"


def placed(given: str) -> PurePosixPath | None:
    r"""Return where a sent file goes in its folder, by its own path; None for hidden ones.

    Whatever the path says, it leads nowhere else.

    >>> str(placed("../../etc/passwd")), placed("a/.DS_Store"), str(placed(r"x\cats\1.png"))
    ('etc/passwd', None, 'x/cats/1.png')
    """
    parts = [UNFIT.sub("", part).strip(" ") for part in re.split(r"[\\/]", given)]
    parts = [part[-100:] for part in parts if part.strip(".")][-DEEPEST:]
    if not parts or parts[-1].startswith("."):
        return None
    return PurePosixPath(*(part.lstrip(".") for part in parts))


def name_of(places: Sequence[PurePosixPath]) -> str:
    """Return what an upload is called: after its folder, or else after its first file."""
    first = places[0]
    return first.parts[0] if len(first.parts) > 1 else first.stem


def write(file: UploadFile, folder: Path, place: PurePosixPath) -> None:
    """Copy a sent file to its place; one of two with a name is refused."""
    path = folder / place
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{place} leads out of its folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as stream:
            shutil.copyfileobj(file.file, stream, 2**20)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"two files are called {place}: rename one of them") from None
