"""``latentia sample`` and ``latentia evaluate`` for models of texts."""

from __future__ import annotations

import argparse
from pathlib import Path

from latentia import SEQUENCES
from latentia.cli.parser import Parser
from latentia.errors import InputError
from latentia.files import recorded_model

LENGTH = 500
OF_TEXTS = ("prompt", "temperature", "length")
OF_IMAGES = ("memorisation", "judge")


def models_texts(run: Path) -> bool:
    """Return whether a run or a saved model is of texts."""
    return recorded_model(run) in SEQUENCES


def add_text_options(parser: Parser) -> None:
    """Add what only models of texts are asked."""
    parser.add_argument("--prompt", help="of texts: what they begin with")
    parser.add_argument(
        "--temperature", type=float, help="of texts: 0 the likeliest, 1 as learnt (default: 1)"
    )
    parser.add_argument("--length", type=int, help=f"of texts: characters (default: {LENGTH})")


def refuse_text_options(given: argparse.Namespace) -> None:
    """Refuse what only models of texts are asked."""
    for name in OF_TEXTS:
        if getattr(given, name) is not None:
            raise InputError(f"--{name} is for models of texts, and {given.run} is none")


def sample(given: argparse.Namespace) -> int:
    """Print texts, or write them into a file."""
    if given.label is not None:
        raise InputError("a model of texts knows no classes: leave --label out")
    from latentia.evaluation import sequence_jobs

    drawn = sequence_jobs.sample(
        given.run,
        1 if given.n_samples is None else given.n_samples,
        given.out,
        given.random_state,
        length=LENGTH if given.length is None else given.length,
        temperature=1.0 if given.temperature is None else given.temperature,
        prompt=given.prompt or "",
    )
    print(drawn, end="" if given.out is None else "\n")
    return 0


def evaluate(given: argparse.Namespace) -> int:
    """Print the model's figures on a text beside the 5-gram's."""
    if given.n_importance is not None:
        raise InputError("--n-importance bounds log p(x): a model of texts gives it exactly")
    for name in OF_IMAGES:
        if getattr(given, name) is not None:
            raise InputError(f"--{name} is for models of images, and {given.run} is of texts")
    from latentia.evaluation import sequence_jobs
    from latentia.metrics.definitions import DEFINITIONS

    table = sequence_jobs.evaluate(given.run, given.data)
    print(f"{'':<26}" + "".join(f" {name:>21}" for name in table))
    for key, column in DEFINITIONS.items():
        values = [figures[key] for figures in table.values() if key in figures]
        if len(values) == len(table):
            cells = "".join(f" {value:>21.4f}" for value in values)
            print(f"{column.label:<26}{cells} {column.unit}".rstrip())
    return 0
