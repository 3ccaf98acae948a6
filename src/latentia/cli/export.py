"""``latentia export``: a trained model as a file that other software runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from latentia.cli.parser import SAVED, Parser, saved_model

ABOUT = """\
Write a trained model as a file that other software runs.

.html is one page that runs the model, from a memory stick or a mail, without a server; .onnx and
.pt2 (torch.export) are for programs, with a batch of any size; .json is what a page runs. Of .onnx
and .pt2 there is a file for each function of the model, model.encode.onnx and model.decode.onnx.
What is written is compared with the model at once, and the largest difference printed and kept in
the file.
"""


def export(parser: Parser, words: list[str]) -> None:
    """Write a trained model as a page, as ONNX or for torch.export."""
    parser.description, parser.formatter_class = ABOUT, argparse.RawDescriptionHelpFormatter
    parser.add_argument("run", type=saved_model, help=SAVED)
    parser.add_argument("--out", type=Path, required=True, help=".html, .onnx, .pt2 or .json")
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="FUNCTION",
        default=(),
        help="of what the model offers, such as decode (default: all)",
    )
    parser.add_argument(
        "--precision",
        choices=("auto", "half", "single"),
        default="auto",
        help="of the weights in .html and .json: 16 bits, 32, or 16 where these are near enough "
        "(default: auto)",
    )
    parser.add_argument(
        "--with-images",
        action="store_true",
        help="embed some images of the data in a page also where their licence is not known",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")
    parser.set_defaults(call=_export)


def _export(given: argparse.Namespace) -> None:
    from latentia.pages.export import export_run

    order = (given.out, given.only, given.precision, given.overwrite)
    print(*export_run(given.run, *order, with_images=given.with_images), sep="\n")
