"""Factor analysis of a table: chosen, suggested, rotated before one's eyes, and taken along."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import UploadFile

from latentia.errors import InputError
from latentia.evaluation.apa.documents import factor_document
from latentia.evaluation.apa.factors import factor_names
from latentia.evaluation.apa.files import DRAWN, WRITERS
from latentia.evaluation.apa.paragraphs import paragraphs
from latentia.evaluation.apa.table import bounded, number, probability
from latentia.evaluation.apa.wording import wording
from latentia.evaluation.factor_tables import tables_of
from latentia.evaluation.fit_rules import readings
from latentia.evaluation.table_writing import write_table
from latentia.models.factors.n_factors import VOTELESS
from latentia.models.linear.rotation import METHODS as ROTATED
from latentia.plots.style import svg_file
from latentia.studio import answers as reading
from latentia.studio.answers import (
    Asked,
    Solved,
    answers_of,
    asked,
    choices_of,
    settled,
    solution_of,
    solved,
)
from latentia.studio.aside import TABLES
from latentia.studio.data import choices, keep
from latentia.studio.diagrams import path_lines, scatter_points, scree_lines
from latentia.studio.folder import RunsFolder
from latentia.studio.forms import files_sent
from latentia.studio.rendering import Reader, reader_of, show, studio_of

router = APIRouter()
TYPES = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".tex": "application/x-tex",
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".svg": "image/svg+xml",
}
SHEETS = ("loadings", "scores", "residuals")
"""What is taken along as .csv."""


@router.get("/factor")
def page(request: Request, data: str = "") -> HTMLResponse:
    """Show the page: data to choose, and of chosen ones the variables and the solution."""
    studio = studio_of(request)
    given: dict[str, Any] = {
        "own": [each for each in choices(studio.folder) if each.own],
        "most": studio.most_upload,
        "answers": None,
        "ask": None,
        "solution": None,
        "data": data,
    }
    if not data:
        return show(request, "factor.html", given)
    answers = TABLES.ask(choices_of, studio.folder, data)
    ask = asked(request.query_params, answers)
    given |= {
        "answers": answers,
        "methods": reading.METHODS,
        "orthogonal": [name for name in reading.ROTATIONS if not is_oblique(name)],
        "oblique": [name for name in reading.ROTATIONS if is_oblique(name)],
        **solution(request, ask),
    }
    return show(request, "factor.html", given)


@router.get("/factor/solution")
def part(request: Request, data: str) -> HTMLResponse:
    """Return the part of the page that a change of rotation, method or cut replaces."""
    answers = TABLES.ask(choices_of, studio_of(request).folder, data)
    given = solution(request, asked(request.query_params, answers))
    return show(request, "factor_solution.html", {**given, "answers": answers, "full": True})


@router.post("/factor/upload")
def upload(
    request: Request, files: Annotated[Sequence[UploadFile], Depends(files_sent)]
) -> Response:
    """Keep a table that was sent, and lead to its analysis."""
    key = keep(studio_of(request).folder, files)
    return RedirectResponse(f"/factor?data={quote(key, safe='/')}", 303)


@router.get("/factor/take/{name}")
def take(request: Request, name: str, data: str) -> Response:
    """Return tables for a paper, scores and other columns, or the path diagram, as a file."""
    folder, language = studio_of(request).folder, reader_of(request).language
    answers = TABLES.ask(choices_of, folder, data)
    ask = asked(request.query_params, answers)
    content = TABLES.ask(content_of, folder, ask, name, language)
    file = f"{answers.observed.name}-{name}"
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in file)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file)}"
    return Response(
        content, media_type=TYPES[Path(name).suffix], headers={"content-disposition": disposition}
    )


def content_of(folder: RunsFolder, ask: Asked, name: str, language: str) -> bytes:
    """Return a file to take along, by its name."""
    answers = answers_of(folder, ask.data)
    found = solved(answers, settled(answers, ask))
    stem, _, suffix = name.rpartition(".")
    suffix = f".{suffix}"
    if stem == "tables" and suffix in WRITERS:
        return _document(found, language, suffix)
    if stem in SHEETS and suffix == ".csv":
        return _columns(found, stem)
    if name == "path-diagram.svg":
        return _diagram(found)
    raise InputError(f"there is no file {name!r:.60} to take along")


def _document(found: Solved, language: str, suffix: str) -> bytes:
    title = f"Factor analysis of {found.observed.name}"
    drawn = suffix in DRAWN
    return WRITERS[suffix](factor_document(found.told, title, language, drawn=drawn))


def _columns(found: Solved, name: str) -> bytes:
    columns = tables_of(found.model, found.observed, name)
    with TemporaryDirectory() as folder:
        return write_table(Path(folder) / f"{name}.csv", columns).read_bytes()


def _diagram(found: Solved) -> bytes:
    document = factor_document(found.told, "", "en")
    if not document.figures:
        raise InputError("a path diagram shows at most 60 variables: choose fewer")
    return svg_file(document.figures[0].drawing)


def is_oblique(rotation: str) -> bool:
    """Return whether a rotation lets factors correlate."""
    orthogonal = ("none", "varimax", "quartimax", "equamax")
    return (
        rotation in ROTATED and rotation not in orthogonal and not rotation.endswith("_orthogonal")
    )


def solution(request: Request, ask: Asked) -> dict[str, Any]:
    """Return what the part of the page shows, or the sentence that refuses it."""
    reader = reader_of(request)
    try:
        found = TABLES.ask(solution_of, studio_of(request).folder, ask)
    except InputError as error:
        return {"ask": ask, "solution": None, "refusal": str(error), "link": urlencode(ask.pairs)}
    return {
        "ask": found.asked,
        "refusal": "",
        "link": urlencode(found.asked.pairs),
        "solution": found,
        "factors": factor_names(found.model),
        "correlated": is_oblique(found.model.rotation),
        "rows": _rows(found),
        "fit": _fit(found, reader),
        "advice": advice(found, reader),
        "scree": None if found.told.suggestion is None else scree_lines(found.told.suggestion),
        "paths": path_lines(found.told),
        "points": scatter_points(found.told, *_axes(request, found)),
        "told": paragraphs(found.told, reader.language),
        "bounded": bounded,
        "number": number,
        "apa": wording(reader.language),
    }


def _axes(request: Request, found: Solved) -> tuple[int, int]:
    """Return the factors across and up, counted from 0."""
    k, chosen = found.model.n_latent, list[int]()
    for name, usual in (("across", 1), ("up", 2)):
        text = request.query_params.get(name, "")
        place = int(text) if text.isdecimal() and 1 <= int(text[:3]) <= k else min(usual, k)
        chosen.append(place - 1)
    return chosen[0], chosen[1]


def _rows(found: Solved) -> list[dict[str, Any]]:
    """Return the variables in the order shown, with their coefficients."""
    model, names = found.model, found.model.variable_names()
    pattern = model.standardized_loadings_
    return [
        {
            "name": names[i],
            "loadings": [float(x) for x in pattern[i]],
            "communality": float(model.communalities_[i]),
            "uniqueness": float(model.uniquenesses_[i]),
        }
        for i in found.told.order()
    ]


def _fit(found: Solved, reader: Reader) -> list[dict[str, str]]:
    """Return each index with its verdict, its words and its value as it is printed."""
    summary, robust = found.model.summary(found.asked.cutoff), found.told.robust
    fit, (chi, dof, p) = summary.fit, summary.sphericity
    values = {
        "kmo": bounded(summary.kmo),
        "sphericity": f"χ²({dof}) = {number(chi)}, p {probability(p)}",
        "chi": f"χ²({fit.dof}) = {number(fit.chi_square)}, p {probability(fit.p_value)}",
        "rmsea": f"{bounded(fit.rmsea, 3)} [{bounded(fit.rmsea_low, 3)}, "
        f"{bounded(fit.rmsea_high, 3)}]",
        "cfi": bounded(fit.cfi, 3),
        "tli": bounded(fit.tli, 3),
        "srmr": bounded(fit.srmr, 3),
    }
    if robust is not None:
        test = f"χ²({robust.dof}) = {number(robust.chi_square)}, p {probability(robust.p_value)}"
        values[robust.kind] = (
            f"{test}; RMSEA {bounded(robust.rmsea, 3)}, CFI {bounded(robust.cfi, 3)}"
        )
    return [
        {
            "name": reader.say(f"factor/fit/{r.key}"),
            "value": values[r.key],
            "verdict": r.verdict,
            "meaning": r.meaning[reader.language],
        }
        for r in readings(fit, summary.kmo, p, robust)
    ]


def advice(found: Solved, reader: Reader) -> str:
    """Return how many factors criteria name, as a sentence with its dissent."""
    if found.told.suggestion is None:
        return ""
    counts, words = found.told.suggestion.counts, wording(reader.language)
    agreed = found.told.suggestion.consensus
    if agreed is None:
        return ""
    criteria = ", ".join(words[name] for name in agreed.agree)
    values = {"k": agreed.n_factors, "criteria": criteria, "n": len(agreed.agree)}
    said = reader.say("factor/advice", {**values, "of": len(set(counts) - set(VOTELESS))})
    if agreed.as_many:
        said += " " + reader.say("factor/tie", {"k": ", ".join(map(str, agreed.as_many))})
    others = [f"{words[name]} ({counts[name]})" for name in agreed.dissent]
    if others:
        said += " " + reader.say("factor/dissent", {"criteria": ", ".join(others)})
    return said
