"""``latentia evaluate``: every figure of a trained model, or one that takes longer."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from latentia.cli.parser import SAVED, Parser, saved_model
from latentia.cli.table_options import add_table_options, table_options
from latentia.errors import InputError


def evaluate(parser: Parser, words: list[str]) -> None:
    """Measure a trained model on a test set."""
    parser.add_argument("run", type=saved_model, help=SAVED)
    parser.add_argument("--data", help="a data set (default: the one it was trained on)")
    parser.add_argument(
        "--n-importance",
        type=int,
        help="only bound log p(x) of all test samples, with so many draws each (5000)",
    )
    parser.add_argument(
        "--memorisation",
        type=Path,
        metavar="PICTURE",
        help="only look for copies: draw samples above their nearest training images into this "
        ".png, and print the copying statistic and the Parzen-window estimate",
    )
    parser.add_argument(
        "--judge",
        type=Path,
        metavar="CLASSIFIER",
        help="only judge samples by the ImageClassifier in this folder, which is trained on the "
        "data's labels and saved there if there is none",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace PICTURE if it exists")
    add_table_options(parser)
    parser.set_defaults(call=_evaluate)


def _evaluate(given: argparse.Namespace) -> None:
    from latentia.evaluation.runs import answers, figures

    if given.overwrite and given.memorisation is None:
        raise InputError("--overwrite is for the PICTURE of --memorisation: leave it out")
    options = table_options(given)
    questions = (given.n_importance, given.memorisation, given.judge)
    if questions != (None, None, None):
        for answer in answers(given.run, given.data, *questions, given.overwrite, options):
            print(answer)
        return
    table, caveats = figures(given.run, given.data, options)
    _print_table(table)
    print(*caveats, sep="\n", end="\n" if caveats else "")


def _print_table(table: Mapping[str, Mapping[str, float]]) -> None:
    """Print a figure a line, and the models' names above them if there are several."""
    from latentia.metrics.definitions import DEFINITIONS

    first, *others = table.values()
    keys = [
        key for key in (DEFINITIONS if others else first) if all(key in c for c in table.values())
    ]
    width = 21 if others else 14
    margin = max([26, *(len(DEFINITIONS[key].label) for key in keys)])
    if others:
        print(f"{'':<{margin}}" + "".join(f" {name:>{width}}" for name in table))
    for key in keys:
        cells = "".join(f" {column[key]:>{width}.4f}" for column in table.values())
        print(f"{DEFINITIONS[key].label:<{margin}}{cells} {DEFINITIONS[key].unit}".rstrip())
