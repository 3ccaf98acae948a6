"""``latentia push``: a trained model sent to a model hub."""

from __future__ import annotations

import argparse

from latentia.cli.parser import SAVED, Parser, saved_model

ABOUT = """\
Send a trained model to a model hub, with a card and a page that runs it.

What is sent is a saved model's folder: config.json, model.safetensors, README.md (the card, whose
header hubs read), and index.html, the page. Of data whose licence is not known nothing is sent.
The token is that of 'hf auth login' or HF_TOKEN; HF_ENDPOINT names another hub. Everybody with
access loads the model by latentia.load("hf://name/model"), and every command takes hf://name/model
where it takes a saved model.
"""


def push(parser: Parser, words: list[str]) -> None:
    """Send a trained model to a model hub, with its card and page."""
    parser.description, parser.formatter_class = ABOUT, argparse.RawDescriptionHelpFormatter
    parser.add_argument("run", type=saved_model, help=SAVED)
    parser.add_argument("name", metavar="name/model", help="your name there, and the model's")
    parser.add_argument("--private", action="store_true", help="for you alone (default: public)")
    parser.add_argument("--no-page", action="store_true", help="send no page")
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="make a new version of a model that is there; the hub keeps the earlier ones",
    )
    parser.set_defaults(call=_push)


def _push(given: argparse.Namespace) -> None:
    from latentia.pages.hub import push_run

    place = push_run(given.run, given.name, given.private, not given.no_page, given.overwrite)
    print(place)
    print(f'load it by: latentia.load("hf://{place.split("/", 3)[3]}")')
