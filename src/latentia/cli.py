"""The command line: the same dataclasses as the Python API, one sentence for every mistake.

Only what a command needs is imported, inside its function: ``--help`` never loads torch.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import latentia
from latentia.errors import InputError, nearest
from latentia.fields import command_name, commands, model_reference, model_summary
from latentia.options import (
    Parser,
    add_fields,
    class_name_of,
    field_values,
    parse,
    read_recipe,
)

INTERRUPTED = 130
MISUSED = 2


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return its exit status: 0, 2 for a mistake, 130 when it was stopped."""
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


def train(words: list[str]) -> int:
    """Train a model on a data set in a run directory."""
    named = words[0] if words and not words[0].startswith("-") else None
    recipe = read_recipe(Path(_value(words, "--recipe"))) if "--recipe" in words else {}
    model = named or recipe.get("model")
    parser = Parser(prog=f"latentia train{f' {named}' if named else ''}", allow_abbrev=False)
    if named is not None:
        parser.add_argument("model", help=argparse.SUPPRESS)
    parser.description = f"Models: {', '.join(commands())}."
    parser.add_argument("--data", help="a data set's name or path (default: digits)")
    parser.add_argument("--run", type=Path, help="the run directory (default: a new one in runs/)")
    parser.add_argument("--recipe", type=Path, help="a TOML file of these options; flags win")
    parser.add_argument("--resume", type=Path, metavar="RUN", help="go on with a stopped run")
    parser.add_argument("--image-size", type=int, help="side in pixels for folders of pictures")
    parser.add_argument("--devices", type=int, default=1, help="processes to train with")
    class_name = None if model is None else class_name_of(str(model))
    if class_name is not None:
        add_fields(parser, class_name)
    given = parse(parser, words)
    if given.resume is not None:
        return resume([str(given.resume)])
    if class_name is None:
        raise InputError(f"train needs a model: one of {', '.join(commands())}")
    return _train(class_name, recipe, given)


def _value(words: list[str], flag: str) -> str:
    place = words.index(flag) + 1
    if place >= len(words):
        raise InputError(f"{flag} needs a value")
    return words[place]


def _train(class_name: str, recipe: dict[str, object], given: argparse.Namespace) -> int:
    values = field_values(class_name, recipe | vars(given))
    data = str(given.data or recipe.get("data") or "digits")
    size = given.image_size or _image_size(recipe)
    folder = given.run or _free_run(class_name, data)
    model = getattr(latentia, class_name)(**values)
    model.validate_parameters()
    if given.devices != 1:
        return _spawn(given.devices, folder)
    from latentia import jobs

    return _report_on(folder, lambda: jobs.train(model, data, folder, size, progress=True))


def _image_size(recipe: dict[str, object]) -> int | None:
    size = recipe.get("image_size")
    if size is None or isinstance(size, int):
        return size
    raise InputError(f"image_size in the recipe is {size!r}; it must be a whole number")


def _free_run(class_name: str, data: str) -> Path:
    name = f"{command_name(class_name)}-{Path(data).stem}"
    return next(p for n in count(1) if not (p := Path("runs") / f"{name}-{n}").exists())


def _spawn(n_devices: int, folder: Path) -> int:
    """Start this command again under torchrun, in the same run directory."""
    if n_devices < 1:
        raise InputError(f"--devices is {n_devices}; it must be at least 1")
    words = sys.argv[1:]
    for flag in ("--devices", "--run"):
        words = _without(words, flag)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    program = ["--nproc-per-node", str(n_devices), "-m", "latentia", *words, "--run", str(folder)]
    environment = os.environ | {"LATENTIA_DEVICES": str(n_devices)}
    return subprocess.run([*launcher, *program], env=environment, check=False).returncode


def _without(words: list[str], flag: str) -> list[str]:
    kept = [word for word in words if not word.startswith(f"{flag}=")]
    if flag in kept:
        place = kept.index(flag)
        return kept[:place] + kept[place + 2 :]
    return kept


def _report_on(folder: Path, job: Callable[[], Path]) -> int:
    """Run a training job; tell where its report is, or how to go on after a stop."""
    try:
        report = job()
    except KeyboardInterrupt:
        print(f"latentia: stopped; go on with: latentia resume {folder}", file=sys.stderr)
        return INTERRUPTED
    if os.environ.get("RANK", "0") == "0":
        print(report)
    return 0


def resume(words: list[str]) -> int:
    """Go on with a stopped run, exactly as if it had not stopped."""
    parser = Parser(prog="latentia resume", allow_abbrev=False, description=resume.__doc__)
    parser.add_argument("run", type=Path, help="the run directory")
    given = parse(parser, words)
    from latentia import jobs

    return _report_on(given.run, lambda: jobs.resume(given.run, progress=True))


def sample(words: list[str]) -> int:
    """Draw new data from a trained model."""
    parser = Parser(prog="latentia sample", allow_abbrev=False, description=sample.__doc__)
    parser.add_argument("run", type=Path, help="a run directory or a saved model")
    parser.add_argument("-n", "--n-samples", type=int, default=64, help="how many (default: 64)")
    parser.add_argument("--out", type=Path, default=Path("samples.png"), help=".png, .npy or .npz")
    parser.add_argument("--random-state", type=int, default=None, help="makes it repeatable")
    given = parse(parser, words)
    from latentia import jobs

    print(jobs.sample(given.run, given.n_samples, given.out, given.random_state))
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
    from latentia import jobs

    print(jobs.reconstruct(given.run, given.data, given.out))
    return 0


def evaluate(words: list[str]) -> int:
    """Measure a trained model on a test set."""
    parser = Parser(prog="latentia evaluate", allow_abbrev=False, description=evaluate.__doc__)
    parser.add_argument("run", type=Path, help="a run directory or a saved model")
    parser.add_argument("--data", help="a data set (default: the one it was trained on)")
    given = parse(parser, words)
    from latentia import jobs
    from latentia.metrics.definitions import DEFINITIONS

    for key, value in jobs.evaluate(given.run, given.data).items():
        print(f"{DEFINITIONS[key].label:<26} {value:>14.4f} {DEFINITIONS[key].unit}".rstrip())
    return 0


def compare(words: list[str]) -> int:
    """Train several models on one data set and write one report."""
    parser = Parser(prog="latentia compare", allow_abbrev=False, description=compare.__doc__)
    parser.add_argument("--data", default="digits", help="a name or a path (default: digits)")
    parser.add_argument("--models", help="comma-separated (default: all that fit the data)")
    parser.add_argument("--out", type=Path, default=None, help="a new folder for the report")
    parser.add_argument("--random-state", type=int, default=0, help="the seed (default: 0)")
    parser.add_argument("--n-epochs", type=int, help="of each gradient-trained model")
    parser.add_argument("--image-size", type=int, help="side in pixels for folders of pictures")
    given = parse(parser, words)
    models = given.models and tuple(class_name_of(name) for name in given.models.split(","))
    out = given.out or next(
        p for n in count(1) if not (p := Path(f"comparison-{Path(given.data).stem}-{n}")).exists()
    )
    from latentia.compare import compare as run

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
        print(f"{label:<9} {value}")
    return 0


def _description_rows(known: Any) -> list[tuple[str, str]]:  # noqa: ANN401
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
    "train": train,
    "resume": resume,
    "sample": sample,
    "reconstruct": reconstruct,
    "evaluate": evaluate,
    "data": data,
    "models": models,
}
