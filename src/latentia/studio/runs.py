"""The page of a run: what goes on in it, as it goes on; to stop it, and to go on with it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from latentia.errors import InputError
from latentia.models.fields import commands
from latentia.pages import provenance
from latentia.plots.curves import loss_pictures
from latentia.plots.page import Picture
from latentia.studio.forms import Sent, sent
from latentia.studio.live import framed
from latentia.studio.map import PLACES
from latentia.studio.queue import Queue, config_of, data_in
from latentia.studio.recipes import command_of, values_in
from latentia.studio.rendering import Studio, show, studio_of
from latentia.training.metrics_file import Record, read_metrics

router = APIRouter()
FRAME = re.compile(r"epoch_\d{1,9}\.(png|txt)|sample\.txt")
PROGRESS = re.compile(r"step ([\d,]+)/([\d,]+)  epoch (\d+)/(\d+).*?  ([\d,]+) s left")
BETWEEN = 0.3
"""Seconds between two looks at a run that goes on."""
ALIVE = 15.0
"""Seconds of silence after which a stream says that it is still there."""
MOST_EPOCHS = 10**6
ON = ("waiting", "running")


@router.get("/runs/{name}")
def run(request: Request, name: str) -> HTMLResponse:
    """Show a run."""
    return show(request, "run.html", told(studio_of(request), name))


@router.get("/runs/{name}/part")
def part(request: Request, name: str) -> HTMLResponse:
    """Return the part of a run's page that changes while it goes on."""
    return show(request, "watched.html", told(studio_of(request), name) | {"full": False})


@router.get("/runs/{name}/samples/{file}")
def sample(request: Request, name: str, file: str) -> Response:
    """Return what the model drew, or wrote, at the end of an epoch."""
    path = studio_of(request).folder.run(name) / "samples" / file
    if not FRAME.fullmatch(file) or not path.is_file():
        raise InputError(f"the run {name} has drawn no {file:.40}")
    kind = "image/png" if path.suffix == ".png" else "text/plain; charset=utf-8"
    return FileResponse(path, media_type=kind, headers={"cache-control": "private, max-age=600"})


@router.get("/runs/{name}/report")
def report(request: Request, name: str) -> Response:
    """Return the report of a finished run, confined as live pages are."""
    file = studio_of(request).folder.run(name) / "report.html"
    if not file.is_file():
        raise InputError(f"{name} has no report yet: it is written when the run is finished")
    return framed(file)


@router.post("/runs/{name}/stop")
def stop(request: Request, name: str, form: Annotated[Sent, Depends(sent)]) -> Response:
    """Ask a training to end; what it learnt is kept."""
    studio = studio_of(request)
    waited = studio.queue.state(name) == "waiting"
    studio.queue.stop(name)
    gone = waited and not studio.folder.run(name).exists()
    return RedirectResponse("/" if gone else f"/runs/{name}", 303)


@router.post("/runs/{name}/go-on")
def go_on(request: Request, name: str, form: Annotated[Sent, Depends(sent)]) -> Response:
    """Let a run that stopped go on, or a finished one learn for more epochs."""
    studio, run = studio_of(request), studio_of(request).folder.run(name)
    if not (run / "config.json").is_file():
        raise InputError(f"there is no run {name} to go on with: train it on its model's page")
    words, more = ["resume", str(run)], form.text("more_epochs")
    if more:
        if not more.isdecimal() or not 1 <= int(more) <= MOST_EPOCHS:
            raise InputError(f"more epochs is {more!r:.20}; it must be a whole number from 1")
        words += ["--more-epochs", more]
    studio.queue.add(name, words)
    return RedirectResponse(f"/runs/{name}", 303)


@router.post("/runs/{name}/delete")
def delete(request: Request, name: str, form: Annotated[Sent, Depends(sent)]) -> Response:
    """Delete a run for good, which has to be said twice."""
    if form.text("sure") != "yes":
        raise InputError(f"{name} is kept: say that you are sure, to delete it for good")
    studio_of(request).queue.remove(name)
    return RedirectResponse("/", 303)


@router.get("/runs/{name}/stream")
async def stream(request: Request, name: str) -> StreamingResponse:
    """Send the lines of a run's ``metrics.jsonl`` as they are written, and how the run stands."""
    studio = studio_of(request)
    metrics = studio.folder.run(name) / "metrics.jsonl"
    last = request.headers.get("last-event-id", "")
    offset = int(last) if last.isdecimal() and len(last) < 15 else 0
    events = followed(studio.queue, name, metrics, offset)
    return StreamingResponse(events, media_type="text/event-stream")


async def followed(queue: Queue, name: str, metrics: Path, offset: int) -> AsyncIterator[str]:
    """Yield server-sent events until the run has ended: each whole line, once, in order.

    The id of an event is the place in the file behind its line, from which a browser that lost the
    connection goes on. A file that was cut back, as a resumed run's is, is sent anew.
    """
    state, silent = "", 0.0
    while True:
        now = await run_in_threadpool(queue.state, name)
        lines, offset, anew = await run_in_threadpool(new_lines, metrics, offset)
        if anew:
            yield "event: anew\ndata: \n\n"
        for line, end in lines:
            yield f"id: {end}\nevent: record\ndata: {line}\n\n"
        if now != state:
            yield f"event: state\ndata: {now}\n\n"
        if now not in ON:
            return
        silent = 0.0 if lines or now != state else silent + BETWEEN
        if silent > ALIVE:
            yield ": still there\n\n"
            silent = 0.0
        state = now
        await asyncio.sleep(BETWEEN)


def new_lines(file: Path, offset: int) -> tuple[list[tuple[str, int]], int, bool]:
    """Return a file's whole lines behind a place, each with its end; and if it was cut back."""
    try:
        size = file.stat().st_size
        anew = size < offset
        with file.open("rb") as stream:
            stream.seek(0 if anew else offset)
            content = stream.read()
    except OSError:
        return [], offset, False
    place, found = 0 if anew else offset, list[tuple[str, int]]()
    for line in content[: content.rfind(b"\n") + 1].splitlines(keepends=True):
        place += len(line)
        found.append((line.decode(errors="replace").rstrip("\r\n"), place))
    return found, place, anew


def told(studio: Studio, name: str) -> dict[str, Any]:
    """Return what the page of a run tells."""
    run, job = studio.folder.run(name), studio.queue.job(name)
    config = config_of(run)
    if job is None and not config:
        raise InputError(f"there is no run {name}: choose one from the list")
    command = model_of(config, job.words if job else ())
    records = records_of(run)
    state = studio.queue.state(name)
    doctor = [r["note"] for r in records if r["split"] == "health" and r.get("note")]
    healthy = [r for r in records if r["split"] == "health"]
    return {
        "name": name,
        "place": PLACES.get(command),
        "model": command,
        "data": spec_of_run(config) or data_in(job.words if job else ()),
        "state": state,
        "progress": progress_of(studio.queue.log(name)) if state == "running" else None,
        "complaint": studio.queue.complaint(name) if state in ("failed", "stopped") else "",
        "curves": list(curves(records)),
        "frames": frames(run),
        "text": written(run),
        "doctor": doctor[-1] if healthy and healthy[-1].get("note") else "",
        "examined": bool(healthy),
        "ended": [r["note"] for r in records if r["split"] == "end" and r.get("note")],
        "scores": scores(run),
        "has_model": (run / "model" / "config.json").is_file(),
        "has_report": (run / "report.html").is_file(),
        "trained": any(r["split"] == "train" for r in records),
        "command": command_of(job.words) if job else "",
        "again": again(studio, job.words if job else ()),
        "settings": settings(config),
    }


def again(studio: Studio, words: tuple[str, ...]) -> str:
    """Return what leads to the form of a model as it was filled in."""
    values = values_in(words)
    spec = values.pop("data", "")
    uploads = studio.folder.path / "uploads"
    if Path(spec).is_relative_to(uploads):
        spec = "/".join(("uploads", *Path(spec).relative_to(uploads).parts[:1]))
    return urlencode({"data": spec, **{n: v for n, v in values.items() if n != "run"}})


def model_of(config: Mapping[str, Any], words: tuple[str, ...]) -> str:
    """Return the model of a run on the command line."""
    known = {name: command for command, name in commands().items()}
    if config.get("model") in known:
        return known[config["model"]]
    return words[1] if len(words) > 1 and words[0] == "train" else str(config.get("model", ""))


def spec_of_run(config: Mapping[str, Any]) -> str:
    """Return what a run learns from, by its last name."""
    data = config.get("data")
    return Path(str(data.get("spec", ""))).name if isinstance(data, dict) else ""


def records_of(run: Path) -> list[Record]:
    """Return a run's records; of damaged ones none, which its report would say."""
    try:
        return read_metrics(run)
    except (InputError, OSError):
        return []


def curves(records: list[Record]) -> Iterator[Picture]:
    """Yield the losses as drawings, if there are any."""
    if any(record["split"] in ("train", "validation") and record["values"] for record in records):
        yield from loss_pictures(records)


def frames(run: Path) -> list[str]:
    """Return the pictures of a run, by epoch."""
    return sorted(path.name for path in run.glob("samples/epoch_*.png"))


def written(run: Path) -> str:
    """Return what a model of texts wrote last."""
    found = sorted(run.glob("samples/epoch_*.txt"))
    last = run / "samples" / "sample.txt"
    file = last if last.is_file() else found[-1] if found else None
    return "" if file is None else file.read_text("utf-8", errors="replace")[:4000]


def progress_of(log: str) -> dict[str, int] | None:
    """Return the last step that a training told, how many there are, and the seconds left.

    >>> progress_of("VAE  step 194/210  epoch 5/6  2,535 samples/s  negative_elbo -1  7 s left")
    {'step': 194, 'steps': 210, 'epoch': 5, 'epochs': 6, 'left': 7}
    """
    found = PROGRESS.findall(log)
    names = ("step", "steps", "epoch", "epochs", "left")
    numbers = [int(part.replace(",", "")) for part in found[-1]] if found else []
    return dict(zip(names, numbers, strict=True)) if numbers else None


def scores(run: Path) -> list[dict[str, Any]]:
    """Return the figures of a finished run, each with its meaning, in both languages."""
    try:
        _, figures = provenance.recorded(run)
    except (InputError, OSError, ValueError):
        return []
    told = [provenance.score(key, figures[key]) for key in provenance.SCORES if key in figures]
    return [{"text": text, "meaning": meaning} for text, meaning in told]


def settings(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a run's parameters as they were given, and what those that are auto came to."""
    given, resolved = config.get("parameters"), config.get("resolved")
    found = dict(given) if isinstance(given, dict) else {}
    for name, value in resolved.items() if isinstance(resolved, dict) else ():
        if found.get(name) in (None, "auto") and value not in (None, "auto"):
            found[name] = f"{json.dumps(value)} ({'none' if found.get(name) is None else 'auto'})"
    return [(n, v if isinstance(v, str) else json.dumps(v)) for n, v in sorted(found.items())]
