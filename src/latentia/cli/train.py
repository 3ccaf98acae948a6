"""``latentia train`` and ``latentia resume``: fields as flags, recipes, several processes."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import latentia
from latentia.cli.parser import (
    Parser,
    add_fields,
    class_name_of,
    field_values,
    free_path,
    read_recipe,
)
from latentia.errors import InputError
from latentia.models.fields import command_name, commands

INTERRUPTED = 130
RUN = "--run-directory"
"""The long form of ``--run``, which torchrun would take for the start of an option of its own."""


def train(parser: Parser, words: list[str]) -> None:
    """Train a model on a data set in a run directory."""
    named = words[0] if words and not words[0].startswith("-") else None
    path = _value(words, "--recipe")
    recipe = {} if path is None else read_recipe(Path(path), named)
    model = named or recipe.get("model")
    if named is not None:
        parser.prog += f" {named}"
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
    parser.set_defaults(call=_train, class_name=class_name, recipe_values=recipe)


def _value(words: list[str], flag: str) -> str | None:
    """Return the last value that words give to a flag, after a space or an equals sign."""
    value = None
    for place, word in enumerate(words, start=1):
        if word == flag and place == len(words):
            raise InputError(f"{flag} needs a value")
        if word == flag:
            value = words[place]
        elif word.startswith(f"{flag}="):
            value = word.removeprefix(f"{flag}=")
    return value


def _train(given: argparse.Namespace) -> int:
    if given.resume is not None:
        return _resume(argparse.Namespace(run=given.resume))
    if given.class_name is None:
        raise InputError(f"train needs a model: one of {', '.join(commands())}")
    recipe: dict[str, Any] = given.recipe_values
    model = getattr(latentia, given.class_name)(
        **field_values(given.class_name, recipe | vars(given))
    )
    model.validate_parameters()
    _check_steps(model, given)
    data = given.data or _entry(recipe, "data", str, "text")
    data = _check_text(model, given, data) or str(data or "digits")
    size = given.image_size or _entry(recipe, "image_size", int, "a whole number")
    held_out = given.held_out
    if held_out is None:
        held_out = _entry(recipe, "held_out", int | float, "a number")
    name = f"{command_name(given.class_name)}-{Path(data).stem}"
    run = given.run_directory or free_path(f"runs/{name}")
    if given.devices != 1:
        return _spawn(given.devices, run)
    from latentia.evaluation import runs

    status = _report_on(run, lambda: runs.train(model, data, run, size, held_out, progress=True))
    if given.profile and status == 0:
        from latentia.evaluation.profiling import measure_speed

        print(measure_speed(model, model.load_data(data, size), run))
    return status


def _check_steps(model: Any, given: argparse.Namespace) -> None:
    """Refuse what is of training steps to a model that is fitted without any."""
    flag = "--devices" if given.devices != 1 else "--profile" if given.profile else None
    if flag is not None and not model.resumable:
        name = command_name(given.class_name)
        raise InputError(f"{name} takes no {flag}: one process fits it, without training steps")


def _check_text(model: Any, given: argparse.Namespace, data: object) -> str | None:
    """Return the text of a model of texts, which one process reads in order."""
    from latentia.models.language.base import LanguageModel

    if not isinstance(model, LanguageModel):
        return None
    name = command_name(given.class_name)
    if data is None:
        raise InputError(f"{name} learns from a text: give it with --data FILE.txt")
    if given.devices != 1 or given.profile:
        flag = "--devices" if given.devices != 1 else "--profile"
        raise InputError(f"{name} takes no {flag}: one process reads a text in order")
    return str(data)


def _entry(recipe: dict[str, Any], key: str, kind: Any, word: str) -> Any:
    value = recipe.get(key)
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise InputError(f"{key} in the recipe is {value!r}; it must be {word}")
    return value


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


def resume(parser: Parser, words: list[str]) -> None:
    """Go on with a stopped run, exactly as if it had not stopped."""
    parser.add_argument("run", type=Path, help="the run directory")
    parser.set_defaults(call=_resume)


def _resume(given: argparse.Namespace) -> int:
    from latentia.evaluation.runs import resume

    return _report_on(given.run, lambda: resume(given.run, progress=True))
