"""``latentia studio``: the local web application, in the browser."""

from __future__ import annotations

import argparse
from pathlib import Path

from latentia.cli.parser import Parser
from latentia.errors import InputError

ABOUT = """\
Open the studio in the browser: each lecture's model to play with, to train, to watch, to compare
and to hand on. It listens to this machine alone, and nothing leaves it.
"""
NEEDED = "the studio needs further packages: pip install 'latentia[studio]'"
PORT = 8642


def studio(parser: Parser, words: list[str]) -> None:
    """Open the studio, a local web application: train, watch, play, compare, export."""
    parser.description, parser.formatter_class = ABOUT, argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--port",
        type=_port,
        default=PORT,
        metavar="N",
        help=f"of this machine; 0 takes a free one (default: {PORT})",
    )
    parser.add_argument(
        "--runs",
        type=Path,
        default=Path("runs"),
        metavar="FOLDER",
        help="the folder of runs (default: runs)",
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address alone")
    parser.set_defaults(call=_studio)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 65535")
    return int(text)


def _studio(given: argparse.Namespace) -> None:
    try:
        from latentia.studio.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("latentia"):
            raise
        raise InputError(NEEDED) from None
    serve(given.runs, given.port, not given.no_browser)
