"""``latentia train`` and ``latentia resume``: fields as flags, recipes, several processes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import latentia
from latentia.cli.parser import (
    Parser,
    add_fields,
    add_image_size,
    class_name_of,
    field_values,
    free_path,
    image_size_of,
    in_a_folder,
    read_recipe,
    run_here,
    saved_model,
)
from latentia.cli.streams import tell
from latentia.cli.table_options import add_table_options, table_fields, table_options
from latentia.errors import InputError
from latentia.files import printable, told
from latentia.models.fields import command_name, commands, in_new_names, model_fields
from latentia.training.launch import (
    MEETING,
    end_with_parent,
    is_one_of_several,
    leads,
    run_processes,
)

GO_ON = "; go on with: latentia resume {}"
INTERRUPTED = 130
FLAGS = {"run_directory": "run"}
MORE = "epochs beside those that the run had or was to have"
LIVE = "embed the model in the report, where it runs, if it is small"
RUN = "--run-directory"
"""The long form of ``--run``, which torchrun would take for the start of an option of its own."""


def train(parser: Parser, words: list[str]) -> None:
    """Train a model on a data set in a run directory."""
    named = words[0] if words and not words[0].startswith("-") else None
    path = _value(words, "--recipe")
    recipe = {} if path is None else read_recipe(Path(path), named)
    model = named or recipe.get("model") or _earlier_model(words)
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
    parser.add_argument(
        "--resume",
        type=run_here,
        metavar="RUN",
        help="go on with a stopped run; with a larger --n-epochs, which counts all its epochs, or "
        "with --more-epochs also with a finished one",
    )
    parser.add_argument("--more-epochs", type=_count, metavar="N", help=MORE)
    parser.add_argument(
        "--start-from",
        type=saved_model,
        metavar="RUN",
        help="fine-tune: begin with the weights of a run or a saved model, and with its parameters "
        "where no flag says otherwise; a judge that it lacks begins anew",
    )
    add_image_size(parser)
    parser.add_argument(
        "--held-out", type=float, help="share of a text not trained on (default: a twentieth)"
    )
    parser.add_argument(
        "--profile", action="store_true", help="measure the speed of a step when trained"
    )
    parser.add_argument("--live", action="store_true", help=LIVE)
    parser.add_argument("--devices", type=int, help="processes to train with (default: 1)")
    add_table_options(parser)
    class_name = None if model is None else class_name_of(str(model))
    if class_name is not None:
        add_fields(parser, class_name)
    parser.set_defaults(call=_train, words=words, class_name=class_name, recipe_values=recipe)


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


def _count(text: str) -> int:
    """Return a whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _earlier_model(words: list[str]) -> str | None:
    """Return the model of the run that is to go on or to be started from: flags are of it."""
    run, start = _value(words, "--resume"), _value(words, "--start-from")
    if run is None and start is None:
        return None
    from latentia.training.config import RunConfig, read_config

    if run is not None:
        name = RunConfig.read(run_here(run)).model
    else:
        folder = in_a_folder(saved_model(str(start)))
        name = str(read_config(folder).get("model"))
    return name if name in latentia.MODELS else None


def _train(given: argparse.Namespace) -> int:
    if given.resume is not None and given.start_from is not None:
        raise InputError("a run that goes on has its own weights: leave --start-from out")
    if given.resume is not None:
        return _go_on(given.resume, _asked_epochs(given), given.more_epochs, given.live)
    if given.class_name is None:
        raise InputError(f"train needs a model: one of {', '.join(commands())}")
    if given.more_epochs is not None:
        raise InputError("--more-epochs is for a run that goes on: give it with --resume RUN")
    recipe: dict[str, Any] = given.recipe_values
    start = given.start_from
    fields = field_values(given.class_name, recipe | vars(given))
    model = getattr(latentia, given.class_name)(
        **{**_parameters_of(start, given.class_name), **fields}
    )
    model.validate_parameters()
    _check_steps(model, given)
    data = given.data or _entry(recipe, "data", str, "text") or _data_of(start)
    data = _check_text(model, given, data) or str(data or "digits")
    size = image_size_of(given, _entry(recipe, "image_size", int | str, "64 or 64x48"))
    held_out = _entry(recipe, "held_out", int | float, "a number")
    held_out = held_out if given.held_out is None else given.held_out
    name = f"{command_name(given.class_name)}-{printable(Path(data).stem)}"
    run = given.run_directory or free_path(f"runs/{name}")
    if given.devices not in (None, 1) and not is_one_of_several():
        named = [] if given.run_directory else [RUN, str(run)]
        return _spawn(given.devices, ["train", *given.words, *named], run)
    from latentia.evaluation import runs

    options = table_options(given, recipe)
    how: dict[str, Any] = {"options": options, "start_from": start, "live": given.live}
    status = _report_on(
        run, lambda: runs.train(model, data, run, size, held_out, progress=True, **how)
    )
    if given.profile and status == 0:
        from latentia.evaluation.profiling import measure_speed

        print(measure_speed(model, model.load_data(data, size, options=options), run))
    return status


def _parameters_of(start: Path | None, class_name: str) -> dict[str, Any]:
    """Return the parameters of the model that is started from."""
    if start is None:
        return {}
    from latentia.models.saved import load

    found = load(start)
    return found.get_params() if type(found).__name__ == class_name else {}


def _data_of(start: Path | None) -> str | None:
    """Return the data of the run that is started from, where none are given."""
    if start is None:
        return None
    from latentia.training.config import read_config

    spec: str | None = read_config(start).get("data", {}).get("spec")
    return spec


def _check_steps(model: Any, given: argparse.Namespace) -> None:
    """Refuse what is of training steps to a model that is fitted without any."""
    flag = "--devices" if given.devices not in (None, 1) else "--profile" if given.profile else None
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
    if given.devices not in (None, 1) or given.profile:
        flag = "--profile" if given.devices in (None, 1) else "--devices"
        raise InputError(f"{name} takes no {flag}: one process reads a text in order")
    return str(data)


def _entry(recipe: dict[str, Any], key: str, kind: Any, word: str) -> Any:
    value = recipe.get(key)
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise InputError(f"{key} in the recipe is {value!r}; it must be {word}")
    return value


def _spawn(n_devices: int, words: list[str], run: Path) -> int:
    """Start a command again in several processes, which train in one run directory."""
    if n_devices < 1:
        raise InputError(f"--devices is {n_devices}; it must be at least 1")
    status, sentence = run_processes([sys.executable, "-m", "latentia", *words], n_devices)
    if sentence and (run / "checkpoints").is_dir():
        sentence += GO_ON.format(run)
    if sentence:
        tell(f"error: {sentence}")
    return status


def _report_on(folder: Path, job: Callable[[], Path]) -> int:
    """Run a training job; tell where its report is, or how to go on after a stop."""
    if MEETING in os.environ:
        end_with_parent()
    try:
        report = job()
    except KeyboardInterrupt:
        if leads():
            tell("stopped" + GO_ON.format(folder))
        return INTERRUPTED
    except OSError as error:
        if not (folder / "config.json").exists():
            raise
        raise InputError(f"{told(error)}; then go on with: latentia resume {folder}") from error
    if leads():
        if (folder / "checkpoints").is_dir():
            from latentia.training.directory import disk_taken

            tell(disk_taken(folder))
        print(report)
    return 0


def resume(parser: Parser, words: list[str]) -> None:
    """Go on with a stopped run, exactly as if it had not stopped, or with a finished one."""
    parser.add_argument("run", type=run_here, help="the run directory")
    parser.add_argument(
        "--n-epochs", type=_count, metavar="N", help="epochs of the whole run, those it had too"
    )
    parser.add_argument("--more-epochs", type=_count, metavar="N", help=MORE)
    parser.add_argument("--live", action="store_true", help=LIVE)
    parser.add_argument(
        "--checkpoint",
        metavar="best|EPOCH",
        help="go back to a checkpoint, as a new run in --out; 'latentia checkpoints' lists them",
    )
    parser.add_argument("--out", type=Path, help="the new run's directory, with --checkpoint")
    parser.set_defaults(call=_resume)


def _resume(given: argparse.Namespace) -> int:
    from latentia.evaluation import runs

    if (given.checkpoint is None) != (given.out is None):
        raise InputError(
            "--checkpoint and --out go together: the run taken back is a new one in --out, and "
            "the old one stays as it is"
        )
    run = given.run
    if given.checkpoint is not None:
        run = runs.go_back(run, given.checkpoint, given.out)
    return _go_on(run, given.n_epochs, given.more_epochs, given.live)


def _go_on(run: Path, n_epochs: int | None, more_epochs: int | None, live: bool) -> int:
    """Go on with a run, in as many processes as it was begun with."""
    from latentia.evaluation.runs import resume
    from latentia.training.further import epochs_in_all

    if more_epochs is not None and n_epochs is not None:
        raise InputError("--n-epochs counts all epochs and --more-epochs further ones: give one")
    if more_epochs is not None:
        n_epochs = epochs_in_all(run, more_epochs)
    n_devices = _processes(run)
    if n_devices > 1 and not is_one_of_several():
        more = [] if n_epochs is None else ["--n-epochs", str(n_epochs)]
        more += ["--live"] * live
        return _spawn(n_devices, ["train", "--resume", str(run), *more], run)
    options: dict[str, int] = {} if n_epochs is None else {"n_epochs": n_epochs}
    return _report_on(run, lambda: resume(run, progress=True, live=live, **options))


def _processes(run: Path) -> int:
    from latentia.training.config import RunConfig

    return RunConfig.read(run).world_size or 1 if (run / "config.json").exists() else 1


def _asked_epochs(given: argparse.Namespace) -> int | None:
    """Return the epochs asked for beside ``--resume``; refuse a flag that would change the run."""
    from latentia.training.config import RunConfig

    begun = RunConfig.read(given.resume)
    recipe: dict[str, Any] = given.recipe_values
    there: dict[str, Any] = {
        "model": begun.model,
        "data": begun.data.get("spec"),
        "run_directory": str(given.resume),
        "image_size": begun.data.get("image_size"),
        "held_out": begun.data.get("held_out"),
        "devices": begun.world_size or given.devices or 1,
        "profile": False,
        **dict.fromkeys((field.name for field in table_fields()), "nothing asked"),
        **begun.data.get("options", {}),
        **in_new_names(begun.parameters, [f.name for f in model_fields(begun.model)]),
    }
    values = recipe | vars(given) | {"image_size": image_size_of(given, recipe.get("image_size"))}
    here = {name: value for name, value in values.items() if name in there}
    here |= {"model": given.class_name}
    n_epochs: int | None = here.pop("n_epochs", None)
    for name, value in here.items():
        plain = list(value) if isinstance(value, tuple) else value
        plain = str(plain) if isinstance(plain, Path) else plain
        if plain not in (None, there[name]) and not _same_data(name, plain, there[name]):
            flag = "the model" if name == "model" else FLAGS.get(name, name)
            raise InputError(
                f"{flag if ' ' in flag else '--' + flag.replace('_', '-')} is {plain}, and the run "
                f"in {given.resume} was begun with {there[name]}: leave it out, or train anew "
                "without --resume"
            )
    return n_epochs


def _same_data(name: str, here: object, there: object) -> bool:
    """Return whether a path names the data that a run recorded by their absolute path.

    Or whether a word for how pictures are cut is how they were, at the side that was chosen.
    """
    if name == "image_size" and here in ("crop", "fit"):
        return there is not None and str(there).endswith("fit") == (here == "fit")
    return name == "data" and str(Path(str(here)).absolute()) == there
