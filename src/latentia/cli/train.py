"""``latentia train`` and ``latentia resume``: fields as flags, recipes, several processes."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import latentia
from latentia.cli.parser import Parser, add_fields, class_name_of, field_values, parse, read_recipe
from latentia.errors import InputError
from latentia.files import recorded_model
from latentia.models.fields import command_name, commands

INTERRUPTED = 130
RUN = "--run-directory"
"""The long form of ``--run``, which torchrun would take for the start of an option of its own."""


def train(words: list[str]) -> int:
    """Train a model on a data set in a run directory."""
    named = words[0] if words and not words[0].startswith("-") else None
    recipe = read_recipe(Path(_value(words, "--recipe"))) if "--recipe" in words else {}
    model = named or recipe.get("model")
    parser = Parser(prog=f"latentia train{f' {named}' if named else ''}", allow_abbrev=False)
    if named is not None:
        parser.add_argument("model", help=argparse.SUPPRESS)
    parser.description = f"Models: {', '.join(commands())}."
    parser.add_argument("--data", help="a data set's name or path, or a text (default: digits)")
    parser.add_argument(
        "--run",
        RUN,
        dest="run_directory",
        type=Path,
        help="the run directory (default: a new one in runs/)",
    )
    parser.add_argument("--recipe", type=Path, help="a TOML file of these options; flags win")
    parser.add_argument("--resume", type=Path, metavar="RUN", help="go on with a stopped run")
    parser.add_argument("--image-size", type=int, help="side in pixels for folders of pictures")
    parser.add_argument(
        "--held-out", type=float, help="share of a text not trained on (default: a twentieth)"
    )
    parser.add_argument(
        "--profile", action="store_true", help="measure the speed of a step when trained"
    )
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
    if class_name in latentia.SEQUENCES:
        return _train_on_text(class_name, values, recipe, given)
    if given.held_out is not None or "held_out" in recipe:
        raise InputError(f"held_out is for models of texts, and {command_name(class_name)} is none")
    data = str(given.data or recipe.get("data") or "digits")
    size = given.image_size or _image_size(recipe)
    folder = given.run_directory or _free_run(class_name, data)
    model = getattr(latentia, class_name)(**values)
    model.validate_parameters()
    if given.devices != 1:
        return _spawn(given.devices, folder)
    from latentia.evaluation import runs as jobs

    status = _report_on(folder, lambda: jobs.train(model, data, folder, size, progress=True))
    if given.profile and status == 0:
        if not hasattr(model, "updates"):
            raise InputError(f"{class_name} is fitted in closed form and has no training steps")
        print(jobs.measure_speed(model, data, folder, size))
    return status


def _train_on_text(
    class_name: str,
    values: dict[str, object],
    recipe: dict[str, object],
    given: argparse.Namespace,
) -> int:
    """Train a model of texts, which are read in order by one process."""
    name, data = command_name(class_name), given.data or recipe.get("data")
    if data is None:
        raise InputError(f"{name} learns from a text: give it with --data FILE.txt")
    for flag, value, usual in (
        ("--devices", given.devices, 1),
        ("--profile", given.profile, False),
        ("--image-size", given.image_size, None),
    ):
        if value != usual:
            raise InputError(f"{name} takes no {flag}: one process reads a text in order")
    model = getattr(latentia, class_name)(**values)
    model.validate_parameters()
    folder = given.run_directory or _free_run(class_name, str(data))
    from latentia.data.text import HELD_OUT
    from latentia.evaluation import sequence_jobs

    share = recipe.get("held_out", HELD_OUT) if given.held_out is None else given.held_out
    if not isinstance(share, int | float):
        raise InputError(f"held_out in the recipe is {share!r}; it must be a number")
    return _report_on(
        folder,
        lambda: sequence_jobs.train(model, str(data), folder, progress=True, held_out=share),
    )


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
    for flag in ("--devices", "--run", RUN):
        words = _without(words, flag)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    program = ["--nproc-per-node", str(n_devices), "-m", "latentia", *words, RUN, str(folder)]
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
    if recorded_model(given.run) in latentia.SEQUENCES:
        from latentia.evaluation import sequence_jobs

        return _report_on(given.run, lambda: sequence_jobs.resume(given.run, progress=True))
    from latentia.evaluation import runs as jobs

    return _report_on(given.run, lambda: jobs.resume(given.run, progress=True))
