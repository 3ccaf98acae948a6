"""The command line: the same dataclasses as the Python API, one sentence for every mistake.

Only what a command needs is imported, inside its function: ``--help`` never loads torch.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import latentia
from latentia.cli.explore import explore
from latentia.cli.factor import factor
from latentia.cli.parser import Parser, class_name_of, parse
from latentia.cli.pictures import translate, upscale
from latentia.cli.sequence_command import add_text_options, models_texts, refuse_text_options
from latentia.cli.sequence_command import evaluate as evaluate_texts
from latentia.cli.sequence_command import sample as sample_texts
from latentia.cli.train import INTERRUPTED, resume, train
from latentia.errors import InputError, nearest
from latentia.models.fields import commands, model_reference, model_summary

MISUSED = 2


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return its exit status: 0, 1 for some bad files, 2 a mistake, 130 a stop."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        return dispatch(words)
    except InputError as error:
        return _complain(str(error))
    except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError) as error:
        return _complain(f"{error.filename}: {error.strerror}")
    except KeyboardInterrupt:
        print("latentia: stopped", file=sys.stderr)
        return INTERRUPTED


def _complain(sentence: str) -> int:
    if os.environ.get("RANK", "0") == "0":
        print(f"latentia: error: {' '.join(sentence.split())}", file=sys.stderr)
    return MISUSED


def dispatch(words: list[str]) -> int:
    """Find the command that the first word names and run it."""
    if not words or words[0] in ("-h", "--help"):
        print(_overview())
        return 0
    if words[0] == "--version":
        print(f"latentia {latentia.__version__}")
        return 0
    if words[0] not in COMMANDS:
        raise InputError(
            f"there is no command {words[0]!r}; choose from {', '.join(COMMANDS)}"
            f"{nearest(words[0], COMMANDS)}"
        )
    return COMMANDS[words[0]](words[1:])


def _overview() -> str:
    lines = ["usage: latentia COMMAND ...", "", "Latent-variable generative models.", ""]
    for name, command in COMMANDS.items():
        lines.append(f"  {name:<12} {(command.__doc__ or '').splitlines()[0]}")
    return "\n".join([*lines, "", "'latentia COMMAND --help' tells a command's options."])


def sample(words: list[str]) -> int:
    """Draw new data from a trained model."""
    parser = Parser(prog="latentia sample", allow_abbrev=False, description=sample.__doc__)
    parser.add_argument("run", type=Path, help="a run directory or a saved model")
    parser.add_argument(
        "-n", "--n-samples", type=int, help="how many (default: 64, and 1 of texts)"
    )
    parser.add_argument(
        "--out", type=Path, help=".png, .npy or .npz (default: samples.png); of texts .txt"
    )
    parser.add_argument("--random-state", type=int, default=None, help="makes it repeatable")
    parser.add_argument("--label", help="the class to draw, for a conditional model")
    add_text_options(parser)
    given = parse(parser, words)
    if models_texts(given.run):
        return sample_texts(given)
    refuse_text_options(given)
    from latentia.evaluation import runs as jobs

    n_samples = 64 if given.n_samples is None else given.n_samples
    out = given.out or Path("samples.png")
    print(jobs.sample(given.run, n_samples, out, given.random_state, given.label))
    return 0


def reconstruct(words: list[str]) -> int:
    """Write test samples beside what a trained model makes of them."""
    parser = Parser(
        prog="latentia reconstruct", allow_abbrev=False, description=reconstruct.__doc__
    )
    parser.add_argument("run", type=Path, help="a run directory or a saved model")
    parser.add_argument("--data", help="a data set (default: the one it was trained on)")
    parser.add_argument(
        "--out", type=Path, default=Path("reconstructions.png"), help=".png, .npy or .npz"
    )
    given = parse(parser, words)
    from latentia.evaluation import runs as jobs

    print(jobs.reconstruct(given.run, given.data, given.out))
    return 0


def evaluate(words: list[str]) -> int:
    """Measure a trained model on a test set."""
    parser = Parser(prog="latentia evaluate", allow_abbrev=False, description=evaluate.__doc__)
    parser.add_argument("run", type=Path, help="a run directory or a saved model")
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
    given = parse(parser, words)
    if models_texts(given.run):
        return evaluate_texts(given)
    from latentia.cli import evaluate as jobs
    from latentia.metrics.definitions import DEFINITIONS

    questions = (given.n_importance, given.memorisation, given.judge)
    if questions != (None, None, None):
        for answer in jobs.answers(given.run, given.data, *questions):
            print(answer)
        return 0
    metrics, notes = jobs.evaluate(given.run, given.data)
    for key, value in metrics.items():
        print(f"{DEFINITIONS[key].label:<26} {value:>14.4f} {DEFINITIONS[key].unit}".rstrip())
    print(*notes, sep="\n")
    return 0


def compare(words: list[str]) -> int:
    """Train several models on one data set and write one report."""
    parser = Parser(prog="latentia compare", allow_abbrev=False, description=compare.__doc__)
    parser.add_argument("--data", default="digits", help="a name or a path (default: digits)")
    parser.add_argument(
        "--models",
        help="comma-separated (default: seven models and two baselines, one of each kind, without "
        "those that cannot learn the data)",
    )
    parser.add_argument("--out", type=Path, default=None, help="a new folder for the report")
    parser.add_argument("--random-state", type=int, default=0, help="the seed (default: 0)")
    parser.add_argument("--n-epochs", type=int, help="of each gradient-trained model")
    parser.add_argument("--image-size", type=int, help="side in pixels for folders of pictures")
    given = parse(parser, words)
    models = given.models and tuple(class_name_of(name) for name in given.models.split(","))
    out = given.out or next(
        p for n in count(1) if not (p := Path(f"comparison-{Path(given.data).stem}-{n}")).exists()
    )
    from latentia.evaluation.comparison import compare as run

    print(
        run(
            given.data,
            models,
            out,
            random_state=given.random_state,
            n_epochs=given.n_epochs,
            image_size=given.image_size,
            progress=True,
        )
    )
    return 0


def data(words: list[str]) -> int:
    """List, describe or fetch the named data sets."""
    parser = Parser(prog="latentia data", allow_abbrev=False, description=data.__doc__)
    parser.add_argument("action", help="list, describe NAME, or fetch NAME")
    parser.add_argument("name", nargs="?", help="a data set")
    given = parse(parser, words)
    from latentia import data as sets

    if given.action not in ("list", "describe", "fetch"):
        hint = nearest(given.action, ("list", "describe", "fetch"))
        raise InputError(f"data has no action {given.action!r}; use list, describe or fetch{hint}")
    if given.action == "list":
        for name in sets.names():
            known = sets.describe(name)
            print(f"{name:<20} {known.summary}{' (fetched)' if known.needs_network else ''}")
        return 0
    if given.name is None:
        raise InputError(f"data {given.action} needs a name: one of {', '.join(sets.names())}")
    if given.action == "fetch":
        print(sets.fetch(given.name))
        return 0
    known = sets.describe(given.name)
    for label, value in _description_rows(known):
        print(f"{label:<9} {value or 'not named'}")
    return 0


def _description_rows(known: Any) -> list[tuple[str, str]]:
    return [
        ("name", known.name),
        ("what", known.summary),
        ("sample", " × ".join(map(str, known.shape))),
        ("size", f"{known.n_train:,} for training, {known.n_test:,} for test"),
        ("classes", ", ".join(known.classes)),
        ("origin", known.origin),
        ("licence", known.licence),
        ("network", "fetched on first use" if known.needs_network else "not needed"),
    ]


def models(words: list[str]) -> int:
    """List the models, each with its paper."""
    parser = Parser(prog="latentia models", allow_abbrev=False, description=models.__doc__)
    parse(parser, words)
    for name, class_name in commands().items():
        print(f"{name:<22} {model_summary(class_name)}\n{'':<22} {model_reference(class_name)}")
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "compare": compare,
    "factor": factor,
    "train": train,
    "resume": resume,
    "sample": sample,
    "reconstruct": reconstruct,
    "evaluate": evaluate,
    "explore": explore,
    "translate": translate,
    "upscale": upscale,
    "data": data,
    "models": models,
}
