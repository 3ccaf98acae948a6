"""A fitted model written as files that other software runs; the suffix says which.

.onnx   ONNX, a file for each function              (extra ``onnx``)
.pt2    `torch.export`, a file for each function
.html   a page that runs the model
.json   the program that such a page runs
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sklearn.utils.validation import check_is_fitted

from latentia.errors import InputError, check_arguments, nearest
from latentia.files import as_path, refuse_existing
from latentia.models.saved import load
from latentia.pages.facts import OF_NO_RUN, facts_of_run
from latentia.pages.named import Written, write_all
from latentia.pages.program import Precision, program_of

WRITERS = {
    ".onnx": "latentia.pages.onnx_files",
    ".pt2": "latentia.pages.torch_files",
    ".html": "latentia.pages.html",
    ".json": "latentia.pages.export",
}
"""The module whose function ``write`` writes files of a suffix."""
IN_SINGLE = (".onnx", ".pt2")
"""Formats whose weights have 32 bits."""


def export(
    model: Any,
    path: str | Path,
    *,
    only: Sequence[str] = (),
    precision: Precision = "auto",
    overwrite: bool = False,
) -> list[Path]:
    """Write a fitted model's functions as files, as `latentia.models.exported.export` says."""
    check_arguments(export, {"precision": precision, "overwrite": overwrite})
    found = written(model, as_path(path, "path"), only, precision, overwrite)
    return [each.path for each in found]


def export_run(
    run: Path,
    out: Path,
    only: Sequence[str],
    precision: Precision,
    overwrite: bool,
    *,
    with_images: bool = False,
) -> list[Written]:
    """Write the files of a run's model, or of a saved one, and return what each of them is."""
    if out.suffix == ".html":
        from latentia.pages.html import write_of_run

        order = (out, only, precision, overwrite)
        return write_of_run(run, load(run), *order, with_images=with_images)
    if with_images:
        raise InputError(f"--with-images is for pages, and {out} is none: leave it out")
    return written(load(run), out, only, precision, overwrite, facts_of_run(run))


def written(
    model: Any,
    out: Path,
    only: Sequence[str],
    precision: Precision,
    overwrite: bool,
    of_run: Mapping[str, Any] = OF_NO_RUN,
) -> list[Written]:
    """Write the files, with the facts of a run in them, and return what each of them is."""
    if out.suffix not in WRITERS:
        raise InputError(
            f"{out} must end in the suffix of a format: {', '.join(WRITERS)}"
            f"{nearest(out.suffix, WRITERS)}"
        )
    if precision == "half" and out.suffix in IN_SINGLE:
        raise InputError(f"{out.suffix} has weights of 32 bits; 'half' is for .html and .json")
    if isinstance(only, str):
        raise InputError(f"only is {only!r}; give a list of names, such as [{only!r}]")
    check_is_fitted(model)
    write_them = importlib.import_module(WRITERS[out.suffix]).write
    more = {"of_run": of_run} if of_run else {}
    made: list[Written] = write_them(model, out, tuple(only), precision, overwrite, **more)
    return made


def write(
    model: Any,
    out: Path,
    only: Sequence[str],
    precision: Precision,
    overwrite: bool,
    of_run: Mapping[str, Any] = OF_NO_RUN,
) -> list[Written]:
    """Write the program of a page as JSON."""
    refuse_existing(out, overwrite)
    program = program_of(model, only, precision)
    program.facts |= of_run
    content = json.dumps(program.document(), ensure_ascii=False).encode()
    return write_all({program.written(out): content})
