"""``latentia transform``: codes, factor scores or clusters of data, as a table."""

from __future__ import annotations

import argparse
from pathlib import Path

from latentia.cli.parser import SAVED, Parser, add_image_size, image_size_of, saved_model
from latentia.cli.table_options import add_table_options, table_options


def transform(parser: Parser, words: list[str]) -> None:
    """Write a model's codes, factor scores or clusters of data."""
    parser.add_argument("run", type=saved_model, help=SAVED)
    parser.add_argument("data", help="a data set's name or path")
    parser.add_argument(
        "--out", type=Path, required=True, help=".csv, .tsv, .parquet, .xlsx or .npy"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the file if it exists")
    add_image_size(parser)
    add_table_options(parser)
    parser.set_defaults(call=_transform)


def _transform(given: argparse.Namespace) -> None:
    from latentia.evaluation.transformed import transform

    options = table_options(given)
    size = image_size_of(given)
    print(transform(given.run, given.data, given.out, given.overwrite, options, size))
