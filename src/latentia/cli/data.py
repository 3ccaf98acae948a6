"""``latentia data`` and ``latentia models``: what there is to learn from, and to learn it with."""

from __future__ import annotations

import argparse

from latentia.cli.parser import Parser
from latentia.errors import InputError, nearest
from latentia.models.fields import commands, model_reference, model_summary

ACTIONS = ("list", "describe", "fetch")


def data(parser: Parser, words: list[str]) -> None:
    """List, describe or fetch the named data sets."""
    parser.add_argument("action", help="list, describe NAME, or fetch NAME")
    parser.add_argument("name", nargs="?", help="a data set")
    parser.set_defaults(call=_data)


def _data(given: argparse.Namespace) -> None:
    from latentia import data as sets

    if given.action not in ACTIONS:
        hint = nearest(given.action, ACTIONS)
        raise InputError(f"data has no action {given.action!r}; use list, describe or fetch{hint}")
    if given.action == "list" and given.name is not None:
        raise InputError(f"data list lists all sets: give 'data describe {given.name}', or no name")
    if given.action == "list":
        for name in sets.names():
            known = sets.describe(name)
            print(f"{name:<20} {known.summary}{' (fetched)' if known.needs_network else ''}")
        return
    if given.name is None:
        raise InputError(f"data {given.action} needs a name: one of {', '.join(sets.names())}")
    if given.action == "fetch":
        print(sets.fetch(given.name))
        return
    known = sets.describe(given.name)
    rows = {
        "name": known.name,
        "what": known.summary,
        "sample": " × ".join(map(str, known.shape)),
        "size": f"{known.n_train:,} for training, {known.n_test:,} for test",
        "classes": ", ".join(known.classes),
        "origin": known.origin,
        "licence": known.licence,
        "network": "fetched on first use" if known.needs_network else "not needed",
    }
    for label, value in rows.items():
        print(f"{label:<9} {value or 'not named'}")


def models(parser: Parser, words: list[str]) -> None:
    """List the models, each with its paper."""
    parser.set_defaults(call=_models)


def _models(given: argparse.Namespace) -> None:
    for name, class_name in commands().items():
        print(f"{name:<22} {model_summary(class_name)}\n{'':<22} {model_reference(class_name)}")
