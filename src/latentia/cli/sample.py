"""``latentia sample`` and ``latentia reconstruct``: what a trained model draws and keeps."""

from __future__ import annotations

import argparse
from pathlib import Path

from latentia.cli.parser import SAVED, Parser, saved_model
from latentia.cli.table_options import add_table_options, table_options


def sample(parser: Parser, words: list[str]) -> None:
    """Draw new data from a trained model."""
    parser.add_argument("run", type=saved_model, help=SAVED)
    parser.add_argument(
        "-n", "--n-samples", type=int, help="how many (default: 64, and 1 of texts)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        help=".png, .npy or .npz (default: samples.png); of tables also .csv, .parquet or .xlsx "
        "(default: samples.csv); of texts .txt",
    )
    parser.add_argument("--random-state", type=int, help="makes it repeatable")
    parser.add_argument("--label", help="the class to draw, for a conditional model")
    parser.add_argument("--prompt", help="of texts: what they begin with")
    parser.add_argument(
        "--temperature", type=float, help="of texts: 0 the likeliest, 1 as learnt (default: 1)"
    )
    parser.add_argument("--length", type=int, help="of texts: characters (default: 500)")
    parser.add_argument(
        "--noise",
        action=argparse.BooleanOptionalAction,
        help="draw from p(x given z), or take its mean (default: as the model's sample)",
    )
    parser.add_argument(
        "--round",
        action=argparse.BooleanOptionalAction,
        default=argparse.SUPPRESS,
        help="of tables: make whole numbers of columns that were so in training (default: round)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the file if it exists")
    parser.set_defaults(call=_sample)


def _sample(given: argparse.Namespace) -> None:
    from latentia.evaluation.sampled import sample

    found = sample(
        given.run,
        given.n_samples,
        given.out,
        given.random_state,
        label=given.label,
        prompt=given.prompt,
        temperature=given.temperature,
        length=given.length,
        overwrite=given.overwrite,
        noise=given.noise,
        rounded=vars(given).get("round"),
    )
    print(found.removesuffix("\n"))


def reconstruct(parser: Parser, words: list[str]) -> None:
    """Write test samples beside what a trained model makes of them."""
    parser.add_argument("run", type=saved_model, help=SAVED)
    parser.add_argument("--data", help="a data set (default: the one it was trained on)")
    parser.add_argument(
        "--out", type=Path, default=Path("reconstructions.png"), help=".png, .npy or .npz"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the file if it exists")
    add_table_options(parser)
    parser.set_defaults(call=_reconstruct)


def _reconstruct(given: argparse.Namespace) -> None:
    from latentia.evaluation.runs import reconstruct

    print(reconstruct(given.run, given.data, given.out, given.overwrite, table_options(given)))
