"""``latentia data`` and ``latentia models``: what there is to learn from, and to learn it with."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from latentia.cli.parser import Parser, add_image_size, image_size_of
from latentia.cli.table_options import add_table_options, table_options
from latentia.errors import InputError, nearest
from latentia.models.fields import commands, model_reference, model_summary

ACTIONS = ("list", "describe", "fetch")


def data(parser: Parser, words: list[str]) -> None:
    """List, describe or fetch data sets, and describe files and folders."""
    parser.add_argument("action", help="list, describe NAME or PATH, or fetch NAME")
    parser.add_argument("name", nargs="?", help="a data set's name, or a file or folder")
    add_image_size(parser)
    add_table_options(parser)
    parser.set_defaults(call=_data)


def _data(given: argparse.Namespace) -> None:
    from latentia import data as sets
    from latentia.data.named import refuse_size

    if given.action not in ACTIONS:
        hint = nearest(given.action, ACTIONS)
        raise InputError(f"data has no action {given.action!r}; use list, describe or fetch{hint}")
    if given.action == "list" and given.name is not None:
        raise InputError(f"data list lists all sets: give 'data describe {given.name}', or no name")
    if given.action != "describe" and image_size_of(given) is not None:
        flags = "--image-size, --crop and --fit"
        raise InputError(f"{flags} are for data describe, and not for data {given.action}")
    if given.name in sets.names():
        refuse_size(image_size_of(given), given.name)
    if given.action != "describe" or given.name in sets.names():
        table_options(given).refuse("only tables have columns, and the named sets are none")
    if given.action == "list":
        for name in sets.names():
            known = sets.describe(name)
            print(f"{name:<20} {known.summary}{' (fetched)' if known.needs_network else ''}")
        return
    if given.name is None:
        path = " or a path" if given.action == "describe" else ""
        names = ", ".join(sets.names())
        raise InputError(f"data {given.action} needs a name{path}: one of {names}")
    if given.action == "fetch":
        print(sets.fetch(given.name))
        return
    for label, value in _named(given.name) or _found(given):
        if value or not label:
            print(f"{label:<9} {value}".rstrip())


def _named(name: str) -> list[tuple[str, str]]:
    """Return what is known of a named data set without loading it; nothing of another."""
    from latentia import data as sets

    if name not in sets.names():
        return []
    known = sets.describe(name)
    return [
        ("name", known.name),
        ("what", known.summary),
        ("sample", " × ".join(map(str, known.shape))),
        ("size", f"{known.n_train:,} for training, {known.n_test:,} for test"),
        ("classes", ", ".join(known.classes) or "not named"),
        ("origin", known.origin or "not named"),
        ("licence", known.licence or "not named"),
        ("network", "fetched on first use" if known.needs_network else "not needed"),
    ]


def _found(given: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Yield what a file or a folder holds, read as a model would read it."""
    from latentia.data import described, tables
    from latentia.data.matrices import NamedMatrix
    from latentia.data.named import load_with, refuse_size
    from latentia.data.options import USUAL
    from latentia.data.picture_sources import has_pictures
    from latentia.data.text import TEXT_FILES, read_text

    options, path = table_options(given), Path(given.name).expanduser()
    size = image_size_of(given)
    is_table = path.is_file() and tables.is_table(path) and not has_pictures(path)
    if is_table:
        found, notes, *_ = tables.columns(path, options)
        if isinstance(found, NamedMatrix):
            refuse_size(size, path.name)
            return described.described_matrix(found, notes, path.name)
    elif path.is_file() and options == USUAL and path.suffix in TEXT_FILES:
        refuse_size(size, path.name)
        return described.described_text(*read_text(path), path.name)
    loaded = load_with(options, given.name, image_size=size, gaps_stay=True)
    return described.described(loaded)


def models(parser: Parser, words: list[str]) -> None:
    """List the models, each with its paper."""
    parser.set_defaults(call=_models)


def _models(given: argparse.Namespace) -> None:
    for name, class_name in commands().items():
        print(f"{name:<22} {model_summary(class_name)}\n{'':<22} {model_reference(class_name)}")
