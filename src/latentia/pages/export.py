"""A fitted model written as files that other software runs; the suffix says which.

    .onnx   ONNX, a file for each function              (extra ``onnx``)
    .pt2    `torch.export`, a file for each function
    .html   a page that runs the model
    .json   the program that such a page runs
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sklearn.utils.validation import check_is_fitted

from latentia.errors import InputError, nearest
from latentia.files import as_path, refuse_existing, write_atomically
from latentia.pages.program import Precision, program_of

WRITERS = {
    ".onnx": "latentia.pages.onnx_files",
    ".pt2": "latentia.pages.torch_files",
    ".html": "latentia.pages.html",
    ".json": "latentia.pages.export",
}
"""The module whose function ``write`` writes files of a suffix."""


def export(
    model: Any,
    path: str | Path,
    *,
    only: Sequence[str] = (),
    precision: Precision = "auto",
    overwrite: bool = False,
) -> list[Path]:
    """Write a fitted model's functions as files, as `latentia.models.exported.export` says."""
    out = as_path(path, "path")
    if out.suffix not in WRITERS:
        raise InputError(
            f"{out} has no suffix of a format; give one of {', '.join(WRITERS)}"
            f"{nearest(out.suffix, WRITERS)}"
        )
    check_is_fitted(model)
    write = importlib.import_module(WRITERS[out.suffix]).write
    written: list[Path] = write(model, out, only, precision, overwrite)
    return written


def write(
    model: Any, out: Path, only: Sequence[str], precision: Precision, overwrite: bool
) -> list[Path]:
    """Write the program of a page as JSON."""
    refuse_existing(out, overwrite)
    program = program_of(model, only, precision)
    write_atomically(out, json.dumps(program.document(), ensure_ascii=False).encode())
    return [out]
