"""A trained model as one page: an HTML file that holds the model and runs it, and asks for nothing.

The file has the program (`latentia.pages.program`), the runtime, and what is shown beside the
model: where codes of held-out data lie, what the facts are, what the formula says. All that comes
from the model or its data is in two blocks of JSON, which scripts write as text and never as HTML.
The content security policy allows the page's one script by its hash, and nothing from elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from latentia.data.dataset import Dataset
from latentia.errors import InputError
from latentia.evaluation.runs import data_of
from latentia.files import refuse_existing
from latentia.models.exported import Exported
from latentia.models.inputs import spread, unit_floats
from latentia.models.measures import complete
from latentia.pages import provenance
from latentia.pages.checks import check_of
from latentia.pages.diagrams import diagram_of
from latentia.pages.examples import enlarging_of, lend, n_held, rows_of, translation_of
from latentia.pages.graphs import chosen
from latentia.pages.named import Written
from latentia.pages.program import Precision, Program, program_of
from latentia.pages.runtime import source
from latentia.pages.scene import Functions, decoder_of, held_out, scene_of
from latentia.pages.thumbnails import habit_of, images_of, may_be_shown
from latentia.plots.page import templates, write_page
from latentia.training.progress import tell_notes

SCRIPTS = (
    "ground", "paint", "pictures", "worker", "latent", "map", "walk", "encode", "verdicts",
    "translate", "upscale", "uniforms", "language", "diagram", "facts", "frame", "start",
)  # fmt: skip
"""The page's scripts, in their order; they are one in the file."""
STYLES = ("page.css", "special.css")
PARTS = "// The page's parts."
"""Where they begin: what stands before runs in a worker too."""
NO_IMAGES = (
    "the page holds codes but no images of {}, whose licence is not known; --with-images embeds "
    "some of them"
)
PAD = 64
"""Sides of the largest images that are drawn by hand."""


def write(
    model: Any,
    path: Path,
    only: Sequence[str] = (),
    precision: Precision = "auto",
    overwrite: bool = False,
    *,
    data: Dataset | None = None,
    run: Path | None = None,
    with_images: bool = False,
) -> list[Written]:
    """Write the page of a fitted model.

    Parameters
    ----------
    path, only, precision, overwrite
        As for `latentia.models.exported.export`.
    data
        What it was trained on: then the page shows the codes of held-out rows, and of data whose
        licence is known also images.
    run
        The folder of its training, of which the facts tell.
    with_images
        Embed images of the data whatever their licence.
    """
    refuse_existing(path, overwrite)
    functions = {f.name: f for f in shown_of(chosen(model.exported(), only), only)}
    program = program_of(model, tuple(functions), precision)
    page = content(model, functions, data, run, with_images)
    page["commands"] = provenance.commands(run, path)
    write_page(path, html(program, page, diagram_of(model, data)))
    return [program.written(path)]


def shown_of(functions: Sequence[Exported], only: Sequence[str]) -> Sequence[Exported]:
    """Return what a page shows: the judge of a model that enlarges only where it is asked for."""
    names = {f.name for f in functions}
    return [f for f in functions if only or f.name != "critic" or "upscale" not in names]


def write_of_run(
    run: Path,
    model: Any,
    path: Path,
    only: Sequence[str] = (),
    precision: Precision = "auto",
    overwrite: bool = False,
    with_images: bool = False,
) -> list[Written]:
    """Write the page of the model of a run, with its data where they are still there."""
    refuse_existing(path, overwrite)
    data = None
    try:
        data, _ = data_of(run, None, model).hold_out()
    except (InputError, OSError) as error:
        tell_notes([f"the page shows the model without its data, since {error}"], shown=True)
    else:
        if not may_be_shown(data, with_images) and np.ndim(data.x_test) > 2:
            tell_notes([NO_IMAGES.format(data.name)], shown=True)
    place = run if (run / "config.json").exists() else None
    return write(
        model, path, only, precision, overwrite, data=data, run=place, with_images=with_images
    )


def content(
    model: Any,
    functions: Functions,
    data: Dataset | None,
    run: Path | None,
    with_images: bool,
) -> dict[str, Any]:
    """Return all that the page shows beside the model, as JSON has it."""
    shown = data is not None and may_be_shown(data, with_images)
    images = images_of(data) if data is not None and shown and coded(functions) else {}
    beside = beside_of(model, functions, data, shown)
    facts = [row for row in provenance.facts(model, data, run) if row["text"]["en"]]
    if data is None and "translation" in beside:
        lend(beside["translation"], run, model)
    if data is not None and np.ndim(data.x_test) > 2:
        facts.insert(-1, provenance.row("images", [inside(images, beside)]))
    return {
        "title": title_of(model, data, run),
        "lead": lead_of(functions),
        "family": provenance.family_of(model),
        "facts": facts,
        "scene": scene_of(model, functions, data),
        "images": images,
        "columns": columns_of(functions, data),
        "rows": rows_of(data, functions, shown),
        "habit": habit_of(data) if data is not None and has_pad(functions) else None,
        "clusters": clusters_of(model, functions, data),
        "checks": {name: check_of(function) for name, function in functions.items()},
        **beside,
    }


def inside(images: dict[str, Any], beside: dict[str, Any]) -> provenance.Both:
    """Return what images of the data the page holds."""
    if images:
        counts = {"n": images["seen"]["n"], "m": images["tested"]["n"]}
        return provenance.said("images/some", counts)
    held = sum(map(n_held, beside.values()))
    return provenance.said("images/tested", {"n": held}) if held else provenance.said("images/none")


def coded(functions: Functions) -> bool:
    """Return whether something is decoded, or encoded."""
    return any(q.kind == "code" for f in functions.values() for q in (*f.inputs, *f.outputs))


def beside_of(
    model: Any, functions: Functions, data: Dataset | None, shown: bool
) -> dict[str, Any]:
    """Return what a translator, or a model that enlarges, has beside."""
    if "translate" in functions or "translate_back" in functions:
        return {"translation": translation_of(model, data, shown)}
    if "upscale" in functions:
        return {"enlarging": enlarging_of(model, functions["upscale"], data, shown)}
    return {}


def title_of(model: Any, data: Dataset | None, run: Path | None) -> provenance.Both:
    """Return the page's title: the model, and what it learnt from."""
    name = provenance.data_name(data, run)
    of = f" · {name}" if name else ""
    return {lang: name + of for lang, name in provenance.name_of(model).items()}


def lead_of(functions: Functions) -> provenance.Both:
    """Return one sentence on what is to be done with the page."""
    decoder = decoder_of(functions)
    if decoder is None:
        return lead_of_special(functions)
    k, made = decoder.inputs[0].shape[0], decoder.outputs[0]
    key = f"lead/{made.kind}" + "/one" * (k == 1)
    return provenance.said(key, {"k": k, "d": math.prod(made.shape)})


def lead_of_special(functions: Functions) -> provenance.Both:
    """Return the sentence of a model that decodes nothing."""
    if "step" in functions:
        return provenance.said("lead/step", {"v": functions["step"].outputs[0].shape[0]})
    if "upscale" in functions:
        small, large = functions["upscale"].inputs[0], functions["upscale"].outputs[0]
        return provenance.said("lead/upscale", {"scale": max(large.shape) // max(small.shape)})
    return provenance.said("lead/translate" if "translate" in functions else "lead/other")


def columns_of(functions: Functions, data: Dataset | None) -> list[dict[str, Any]] | None:
    """Return the least and largest value of a table's columns, and whether all are whole."""
    decoder = decoder_of(functions)
    if data is None or decoder is None or decoder.outputs[0].kind != "row":
        return None
    ranges = np.nan_to_num(data.column_ranges)
    return [{"low": low, "high": high, "whole": bool(w)} for low, high, w in ranges.tolist()]


def has_pad(functions: Functions) -> bool:
    """Return whether there is something to draw for: a small image of one channel that is read."""
    return any(
        q.kind == "image" and len(q.shape) == 2 + (1 in q.shape[:1]) and max(q.shape) <= PAD
        for name in ("encode", "cluster")
        for q in (functions[name].inputs if name in functions else ())
    )


def clusters_of(model: Any, functions: Functions, data: Dataset | None) -> list[str] | None:
    """Return the class that most held-out rows of each cluster have, if there are classes."""
    if data is None or "cluster" not in functions or not data.labelled:
        return None
    _, labels = held_out(model, data)
    if labels is None:
        return None
    function: Exported = functions["cluster"]
    x = unit_floats(spread(complete(data).x_test, len(labels))).astype(np.float32)
    values = np.asarray(function.verb(x))
    likely = function.outputs[0].kind == "probabilities"
    found = values.argmax(axis=1) if likely else values.argmin(axis=1)
    n = int(labels.max()) + 1
    names = data.class_names if len(data.class_names) >= n else tuple(map(str, range(n)))
    counts = [np.bincount(labels[found == c], minlength=n) for c in range(values.shape[1])]
    return [names[int(count.argmax())] if count.any() else "" for count in counts]


def html(program: Program, page: dict[str, Any], diagram: Markup) -> str:
    """Return the file: its size, which its facts tell, is that of what is written."""
    document = program.document()
    page["bits"] = 16 if any(program.half) else 32
    page["words"] = provenance.words()
    script = "\n".join(
        ['"use strict";', source(), PARTS, *(_text(f"{name}.js") for name in SCRIPTS)]
    )
    given = {
        "title": page["title"],
        "family": page["family"],
        "noscript": provenance.said("noscript"),
        "style": Markup(_text("design.css", "latentia.plots") + "".join(map(_text, STYLES))),
        "script": Markup(script),
        "wasm": "WebAssembly" in script,
        "hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "program": embedded(document),
        "kinds": kinds_of(document),
        "noise": page["scene"].get("noise"),
        "diagram": diagram,
    }
    template = templates("latentia.pages").get_template("page.html")
    n = len(template.render(given, page=embedded(page | {"kilobytes": 0})).encode(errors="replace"))
    return template.render(given, page=embedded(page | {"kilobytes": round(n / 1000)}))


def kinds_of(document: dict[str, Any]) -> set[str]:
    """Return what the model offers: its functions, and the kinds of what goes in and comes out."""
    functions = document["functions"]
    kinds = {f"{name}:{q['kind']}" for name, f in functions.items() for q in f["inputs"]}
    decoders = [f for f in functions.values() if f["inputs"][0]["kind"] == "code"]
    made = {f"made:{f['outputs'][0]['kind']}" for f in decoders}
    given = {f"given:{q['kind']}" for f in decoders for q in f["inputs"][1:]}
    return {*functions} | kinds | made | given


def embedded(content: Any) -> Markup:
    """Return data as JSON that may stand in a script element, where no ``<`` may be."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def _text(name: str, package: str = "latentia.pages") -> str:
    return (resources.files(package) / "templates" / name).read_text("utf-8")
