"""``latentia search``: the ranges of a recipe, and what came of the trials."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Mapping
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentia.cli.checkpoints import in_columns
from latentia.cli.parser import Parser, class_name_of, field_values, image_size_of, read_recipe
from latentia.cli.streams import tell
from latentia.cli.table_options import table_options
from latentia.errors import InputError, nearest
from latentia.files import write_atomically
from latentia.models.fields import Field, meant, model_fields

if TYPE_CHECKING:
    from latentia.evaluation.search import Choice, Plan, Span, Trial

PART = "search"
SETTINGS = ("n_trials", "minimise", "prune_after", "ranges")
NEVER = "never"
SPAN = ("low", "high", "log")
INTERRUPTED = 130


def search(parser: Parser, words: list[str]) -> None:
    """Try hyperparameters from ranges in a recipe, each in a run of its own."""
    parser.add_argument("recipe", type=Path, help="a TOML file with a table [search.ranges]")
    parser.add_argument(
        "--out",
        type=Path,
        help="the search's folder, of a run for each trial; the same goes on with it (default: "
        "runs/search-RECIPE)",
    )
    parser.add_argument("--n-trials", type=int, help="trials in all (default: the recipe's, or 20)")
    parser.set_defaults(call=_search)


def _search(given: argparse.Namespace) -> int:
    from latentia.evaluation.search import search as carry_out

    recipe = read_recipe(given.recipe, parts=(PART,))
    plan = _plan(given, recipe)
    folder = given.out or Path("runs") / f"search-{given.recipe.stem}"
    try:
        trials = carry_out(plan, folder, progress=True)
    except KeyboardInterrupt:
        tell("stopped; the same command goes on")
        return INTERRUPTED
    _leave(trials, recipe, folder)
    return 0


def _plan(given: argparse.Namespace, recipe: Mapping[str, Any]) -> Plan:
    """Return what a recipe asks to search."""
    from latentia.evaluation.search import WATCHED, Plan

    settings = _settings(given.recipe, recipe)
    class_name = class_name_of(str(recipe["model"]))
    fixed = field_values(class_name, recipe)
    seed = fixed.setdefault("random_state", 0)
    n_trials = settings.get("n_trials", 20) if given.n_trials is None else given.n_trials
    after = settings.get("prune_after", WATCHED)
    return Plan(
        class_name,
        fixed,
        _ranges(given.recipe, class_name, settings["ranges"], recipe),
        data=str(recipe.get("data", "digits")),
        image_size=image_size_of(given, recipe.get("image_size")),
        held_out=recipe.get("held_out"),
        options=table_options(given, recipe),
        n_trials=_whole("n_trials", n_trials, 1),
        minimise=settings.get("minimise"),
        prune_after=None if after == NEVER else _whole("prune_after", after, 0),
        seed=seed if isinstance(seed, int) else 0,
    )


def _settings(path: Path, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the part of a recipe that is about the search."""
    settings = recipe.get(PART)
    if not isinstance(settings, dict) or not isinstance(settings.get("ranges"), dict):
        raise InputError(f"{path} has no table [search.ranges], which says what is to be searched")
    for key in settings:
        if key not in SETTINGS:
            raise InputError(
                f"{path}: [search] has no setting {key!r}{nearest(key, SETTINGS)}; the fields that "
                "are searched stand in [search.ranges]"
            )
    if not settings["ranges"]:
        raise InputError(f"{path}: [search.ranges] is empty: give the range of a field at least")
    minimise = settings.get("minimise")
    if minimise is not None and not isinstance(minimise, str):
        raise InputError(f"minimise is {minimise!r}; it must be the name of a held-out value")
    return settings


def _whole(name: str, value: object, least: int) -> int:
    if type(value) is not int or value < least:
        also = f", or {NEVER!r}" if name == "prune_after" else ""
        raise InputError(f"{name} is {value!r}; it must be a whole number from {least}{also}")
    return value


def _ranges(
    path: Path, class_name: str, ranges: Mapping[str, Any], recipe: Mapping[str, Any]
) -> dict[str, Span | Choice]:
    """Return what is searched for each field, or refuse what is no range of a field."""
    fields = {field.name: field for field in model_fields(class_name)}
    found: dict[str, Span | Choice] = {}
    for name, stated in ranges.items():
        if name not in fields:
            raise InputError(f"{path}: {class_name} has no parameter {name!r}{meant(name, fields)}")
        if name in recipe:
            raise InputError(f"{path}: {name} has a value and a range; leave one of them out")
        if isinstance(stated, list):
            found[name] = _choice(class_name, name, stated)
        else:
            found[name] = _span(fields[name], stated)
    return found


def _choice(class_name: str, name: str, stated: list[Any]) -> Choice:
    from latentia.evaluation.search import Choice

    values = tuple(field_values(class_name, {name: value})[name] for value in stated)
    if len({json.dumps(value) for value in values}) < max(2, len(values)):
        raise InputError(f"{name} has the choices {stated}; give two or more, each of them once")
    return Choice(values)


def _span(field: Field, stated: object) -> Span:
    """Return a range of numbers, with both ends in it."""
    from latentia.evaluation.search import Span

    name = field.name
    kinds = {"int", "float"} & {*field.kinds}
    if not isinstance(stated, dict) or not kinds or "tuple" in field.kinds:
        numbers = "" if not kinds or "tuple" in field.kinds else "{low = ..., high = ...} or "
        raise InputError(f"the range of {name} is {stated!r}; give {numbers}a list of choices")
    for key in stated:
        if key not in SPAN:
            raise InputError(f"the range of {name} has no {key!r}{nearest(key, SPAN)}")
    whole, log = "float" not in kinds, stated.get("log", False)
    low, high = (_end(name, key, stated.get(key), whole) for key in ("low", "high"))
    if not isinstance(log, bool):
        raise InputError(f"log of the range of {name} is {log!r}; it must be true or false")
    if not low < high:
        raise InputError(
            f"the range of {name} is empty: its low {low} is not below its high {high}"
        )
    if log and low <= 0:
        raise InputError(f"the range of {name} begins at {low}, and a logarithmic one above 0")
    return Span(low, high, log, whole)


def _end(name: str, key: str, value: object, whole: bool) -> float:
    kinds = int if whole else int | float
    if isinstance(value, bool) or not isinstance(value, kinds):
        kind = "a whole number" if whole else "a number"
        raise InputError(f"{key} of the range of {name} is {value!r}; it must be {kind}")
    return value if whole else float(value)


def _leave(trials: list[Trial], recipe: Mapping[str, Any], folder: Path) -> None:
    """Print the trials, and leave their table, their picture and the best one's recipe."""
    from latentia.evaluation.search import best_of, table
    from latentia.plots.search_figure import search_figure
    from latentia.plots.style import png_bytes

    rows, best = [*table(trials)], best_of(trials)
    for line in in_columns(rows):
        print(line)
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    write_atomically(folder / "trials.csv", stream.getvalue().encode())
    values = [(t.number, t.values, nan if t.value is None else t.value, t.state) for t in trials]
    write_atomically(folder / "search.png", png_bytes(search_figure(values, best.number)))
    whole = {key: value for key, value in recipe.items() if key != PART} | dict(best.values)
    lines = [f"{key} = {_toml(value)}" for key, value in whole.items()]
    write_atomically(folder / "best.toml", ("\n".join(lines) + "\n").encode())
    print(f"the best is {best.run}, with {best.value:.6g}; train it again by {folder}/best.toml")


def _toml(value: object) -> str:
    """Return a recipe's value as TOML writes it."""
    return json.dumps("none" if value in (None, ()) else value)
