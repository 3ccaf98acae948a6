"""``latentia compare``: several models on one data set, in one report."""

from __future__ import annotations

import argparse
from pathlib import Path

from latentia.cli.parser import (
    Parser,
    add_image_size,
    class_name_of,
    free_path,
    image_size_of,
)
from latentia.cli.table_options import add_table_options, table_options
from latentia.files import printable


def compare(parser: Parser, words: list[str]) -> None:
    """Train several models on one data set and write one report."""
    parser.add_argument("--data", default="digits", help="a name or a path (default: digits)")
    parser.add_argument(
        "--models",
        help="comma-separated (default: seven models and two baselines, one of each kind, without "
        "those that cannot learn the data)",
    )
    parser.add_argument("--out", type=Path, help="a new folder for the report")
    parser.add_argument("--random-state", type=int, default=0, help="the seed (default: 0)")
    parser.add_argument("--n-epochs", type=int, help="of each gradient-trained model")
    add_image_size(parser)
    parser.add_argument(
        "--n-components",
        type=int,
        help="the one size of z of all models that encode (default: 20, or a quarter of a sample's "
        "values)",
    )
    parser.add_argument("--live", action="store_true", help="embed small models, which run there")
    add_table_options(parser)
    parser.set_defaults(call=_compare)


def _compare(given: argparse.Namespace) -> None:
    models = given.models and tuple(class_name_of(name) for name in given.models.split(","))
    out = given.out or free_path(f"comparison-{printable(Path(given.data).stem)}")
    from latentia.evaluation.comparison import compare_with

    path = compare_with(
        table_options(given),
        given.data,
        models,
        out,
        random_state=given.random_state,
        n_epochs=given.n_epochs,
        image_size=image_size_of(given),
        progress=True,
        n_components=given.n_components,
        live=given.live,
    )
    print(path)
