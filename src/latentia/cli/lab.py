"""``latentia lab``: the laboratory of games, opened in the browser or written as one file."""

from __future__ import annotations

import argparse
import tempfile
import webbrowser
from pathlib import Path

from latentia.cli.parser import Parser
from latentia.errors import InputError

ABOUT = """\
Open the laboratory of games in the browser: data on the line and on the plane, GANs and WGANs with
their remedies as switches, VAE, autoencoder, PCA and factor analysis, learning before one's eyes.
It is one HTML file that asks for nothing; --out keeps it.
"""


def lab(parser: Parser, words: list[str]) -> None:
    """Open the laboratory in which adversarial games are seen, or write it as a page."""
    parser.description, parser.formatter_class = ABOUT, argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--out", type=Path, metavar="FILE.html", help="write it there, and open nothing"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the file if it exists")
    parser.set_defaults(call=_lab)


def _lab(given: argparse.Namespace) -> None:
    from latentia.pages.lab.page import write

    if given.out is None and given.overwrite:
        raise InputError("--overwrite is for the file of --out: give both, or neither")
    path = given.out or Path(tempfile.mkdtemp(prefix="latentia-")) / "lab.html"
    print(write(path, given.overwrite))
    if given.out is None:
        webbrowser.open(path.as_uri())
