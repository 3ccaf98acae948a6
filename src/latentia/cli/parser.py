"""A model's fields as flags and as the keys of a TOML recipe; nothing here imports torch."""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

from latentia.errors import InputError, nearest
from latentia.files import MOST_JSON, read_bytes
from latentia.models.fields import (
    RENAMED,
    SECOND_FLAGS,
    SYNONYMS,
    Field,
    command_name,
    commands,
    in_new_names,
    meant,
    model_fields,
    named_models,
    new_name,
    record_fields,
)

NONE = "none"
"""How None, and a list without numbers, are written as flags and in TOML."""
SAVED = "a run directory, a saved model, zoo:NAME, or hf://name/model"
ELSEWHERE = re.compile(r"hf:/|https?://|zoo:", re.IGNORECASE)
"""How words begin that lead to a hub or to the zoo, and not to a folder."""
RECIPE_KEYS = ("model", "data", "image_size", "held_out")


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one sentence, raised as `InputError`."""

    def error(self, message: str) -> NoReturn:
        """Raise rather than print the usage."""
        raise InputError(f"{message} (see '{self.prog} --help')")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and refuse what is left over, an unknown flag with the nearest right one."""
        self._refuse_two_names(args or ())
        found, rest = super().parse_known_args(args, namespace)
        for word in rest:
            if word.startswith("-"):
                known = [o[2:] for a in self._actions for o in a.option_strings if o[:2] == "--"]
                flag = word.split("=")[0]
                raise InputError(f"{self.prog} has no option {flag}{hint(flag.lstrip('-'), known)}")
        if rest:
            raise InputError(f"{self.prog} does not know what to do with {rest[0]!r}")
        return found, rest

    def _refuse_two_names(self, words: Iterable[str]) -> None:
        """Refuse two names of one option, of which the first would be lost, and --x with --no-x."""
        given = {word.split("=")[0] for word in words}
        for action in self._actions:
            names = sorted(given & {*action.option_strings})
            if len(names) > 1:
                raise InputError(f"{' and '.join(names)} are of one option; give one of them")


def add_command(
    parser: Parser, words: list[str], summaries: Mapping[str, str], complaint: str, metavar: str
) -> Parser | None:
    """Add a sub-parser for each name; return that of the first word, or None if it is a flag.

    A first word that is no name is refused by the complaint, with the nearest name.
    """
    if words and words[0] not in (*summaries, "-h", "--help", "--version"):
        known = f"choose from {', '.join(summaries)}{nearest(words[0], summaries)}"
        raise InputError(f"{complaint} {words[0]!r}; {known}")
    parts = parser.add_subparsers(metavar=metavar, parser_class=Parser)
    added = {
        name: parts.add_parser(name, help=text, description=text, allow_abbrev=False)
        for name, text in summaries.items()
    }
    return added.get(words[0]) if words else None


def free_path(name: str) -> Path:
    """Return the first of ``name-1``, ``name-2`` and so on that does not exist."""
    return next(p for n in count(1) if not (p := Path(f"{name}-{n}")).exists())


def hint(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean --x?", also for other software's words for the same thing."""
    flags = list(known)
    words = {s.replace("_", "-"): own.replace("_", "-") for s, own in SYNONYMS.items()}
    usable = {word: own for word, own in words.items() if own in flags}
    found = nearest(name, [*flags, *usable])
    if not found:
        return ""
    word = found.split("'")[1]
    if word in flags:
        return f"; did you mean --{word}?"
    return f"; did you mean --{usable[word]} (it is what {word.replace('-', '_')} is called here)?"


def add_fields(parser: argparse.ArgumentParser, class_name: str) -> None:
    """Add a flag for each field, after a second one if it has one; not given it leaves no value."""
    second = SECOND_FLAGS.get(class_name, {})
    group = parser.add_argument_group(f"parameters of {command_name(class_name)}")
    for field in model_fields(class_name):
        flags = ["--" + field.name.replace("_", "-")]
        flags = [second[field.name], *flags] if field.name in second else flags
        allowed = "" if field.range is None else f"{field.range}; "
        when = " or ".join(map(str, field.counts_when))
        allowed += f"counts with {when}; " if when else ""
        text = f"{field.help} ({allowed}default: {_shown(field.default)})".replace("%", "%%")
        if "bool" in field.kinds:
            group.add_argument(
                *flags,
                action=argparse.BooleanOptionalAction,
                default=argparse.SUPPRESS,
                help=text,
            )
            continue
        group.add_argument(
            *flags,
            type=reader(field),
            nargs="+" if "tuple" in field.kinds else None,
            metavar=_metavar(field),
            dest=field.name,
            default=argparse.SUPPRESS,
            help=text,
        )
    _add_old_flags(group, class_name)


def _add_old_flags(group: Any, class_name: str) -> None:
    """Add what the flags of renamed fields were called, without a line in the help."""
    fields = {field.name: field for field in model_fields(class_name)}
    for old in RENAMED:
        if (new := new_name(old, fields)) != old:
            group.add_argument(
                f"--{old.replace('_', '-')}",
                action=OldFlag,
                dest=new,
                type=reader(fields[new]),
                default=argparse.SUPPRESS,
                help=argparse.SUPPRESS,
            )


class OldFlag(argparse.Action):
    """A flag whose field has another name now, which is said."""

    def __call__(self, parser: Any, given: Any, value: Any, flag: str | None = None) -> None:
        """Take the value for the field."""
        new = self.dest.replace("_", "-")
        if self.dest in given:
            raise InputError(f"{flag} is the old name of --{new}; give one of them")
        print(f"latentia: {flag} is called --{new} now", file=sys.stderr)
        setattr(given, self.dest, value)


def _metavar(field: Field) -> str:
    """Return what stands for a value in the help: words as they are, and kinds."""
    kinds = "|".join(k for k in field.kinds if not (field.choices and k == "str"))
    words = "|".join(field.choices)
    if not words:
        return kinds.replace("tuple", "N|none").upper()
    return f"{words}|{kinds.upper()}" if "float" in field.kinds else words


def _shown(default: object) -> str:
    if isinstance(default, tuple):
        return " ".join(map(str, default)) or NONE
    return NONE if default is None else str(default)


def reader(field: Field) -> Callable[[str], object]:
    """Return the function that reads a field's value from the command line."""

    def read(text: str) -> object:
        if text.lower() == NONE and "none" in field.kinds:
            return None
        if text.lower() == NONE and "tuple" in field.kinds:
            return NONE
        if field.choices:
            if text not in field.choices and "float" in field.kinds:
                return _number(text, field)
            if text not in field.choices:
                allowed = ", ".join(field.choices)
                raise argparse.ArgumentTypeError(
                    f"{text!r} is not one of {allowed}{nearest(text, field.choices)}"
                )
            return text
        if "str" in field.kinds:
            return text
        return _number(text, field)

    return read


def _number(text: str, field: Field) -> float:
    whole = "int" in field.kinds or "tuple" in field.kinds
    try:
        return int(text) if whole else float(text)
    except ValueError:
        words = [*field.choices, *(("none",) if {"none", "tuple"} & {*field.kinds} else ())]
        also = "".join(f" or {word}" for word in words)
        if whole:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number{also}") from None
        raise argparse.ArgumentTypeError(f"{text!r} is not a number{also}") from None


def class_name_of(model: str) -> str:
    """Return the class of a model's command-line name, or refuse with the nearest right name."""
    known = commands()
    lowered = {name.lower(): name for name in known.values()}
    if model in (named := named_models()):
        return named[model]
    if model.lower() in lowered:
        return lowered[model.lower()]
    raise InputError(
        f"there is no model {model!r}; choose from {', '.join(known)}{nearest(model, known)}"
    )


class Elsewhere(str):
    """What leads to a model of the zoo or of a hub; it is fetched when all words are understood."""


def saved_model(text: str) -> Path | Elsewhere:
    """Return what a word for a run or a saved model leads to: a folder, or a model elsewhere."""
    return Elsewhere(text) if ELSEWHERE.match(text) else Path(text)


def run_here(text: str) -> Path:
    """Return the directory of a run, which neither a hub nor the zoo has."""
    if ELSEWHERE.match(text):
        raise argparse.ArgumentTypeError(
            f"{text} is a finished model and no run; 'latentia train --start-from {text}' goes on "
            "from its weights"
        )
    return Path(text)


def in_a_folder(found: Path | Elsewhere) -> Path:
    """Return the folder of a run or a saved model, fetched if it is elsewhere."""
    if not isinstance(found, Elsewhere):
        return found
    from latentia.models.places import folder_at

    return folder_at(found, "path")


def add_image_size(parser: Parser) -> None:
    """Give a parser the flags of how pictures are brought to one size."""
    parser.add_argument(
        "--image-size",
        metavar="SIDE",
        help="pixels of a side, or WIDTHxHEIGHT, that pictures are resized to (default: as they "
        "are if they are alike and small, else 64)",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--crop", action="store_true", help="cut pictures to it, as is usual")
    how.add_argument("--fit", action="store_true", help="keep pictures whole, on black")


def image_size_of(given: argparse.Namespace, otherwise: object = None) -> Any:
    """Return what these flags say, in one value as a run's ``config.json`` keeps it.

    ``--image-size`` wins over what is said ``otherwise``, and ``--crop`` or ``--fit`` over the way
    that is said in either.
    """
    from latentia.data.framing import WORDS, frame_of

    size = otherwise if getattr(given, "image_size", None) is None else given.image_size
    how = [word for word in WORDS if getattr(given, word, False)]
    if size is None:
        return how[0] if how else None
    asked = " ".join([word for word in str(size).split(" ") if not (how and word in WORDS)] + how)
    frame = frame_of(asked)
    return asked if frame is None else frame.asked


def read_recipe(
    path: Path, model: str | None = None, parts: tuple[str, ...] = ()
) -> dict[str, object]:
    """Return a TOML recipe: ``model``, ``data``, ``image_size``, ``held_out`` and the fields.

    The fields are those of the model that is named beside it, or else of its own. It may also have
    the ``parts`` that a command reads besides.
    """
    try:
        recipe = tomllib.loads(read_bytes(path, most=MOST_JSON).decode())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"the recipe {path} cannot be read: {error}") from None
    own = str(model or recipe.get("model", ""))
    if not own:
        raise InputError(f'the recipe {path} names no model: add model = "vae", or name it first')
    recipe = _told(recipe, model_fields(class_name_of(own)))
    if "search" in {*recipe} - {*parts}:
        raise InputError(f"{path} has a table [search]: give it to 'latentia search'")
    for stated in {own, str(recipe.get("model", own))}:
        known = [
            *parts,
            *recipe_keys(),
            *(field.name for field in model_fields(class_name_of(stated))),
        ]
        for key in recipe:
            if key not in known:
                found = meant(key, known)
                raise InputError(f"{path}: {stated} has no parameter {key!r}{found}")
    return recipe


def recipe_keys() -> list[str]:
    """Return what a recipe may name beside the fields of its model."""
    options = record_fields("TableOptions", "latentia.data.options")
    return [*RECIPE_KEYS, *(option.name for option in options)]


def _told(recipe: Mapping[str, object], fields: Iterable[Field]) -> dict[str, object]:
    """Return a recipe by what its fields are called now, and say which were renamed."""
    found = in_new_names(recipe, [*recipe_keys(), *(field.name for field in fields)])
    for old in recipe.keys() - found.keys():
        print(f"latentia: {old} is called {RENAMED[old]} now", file=sys.stderr)
    return found


def field_values(class_name: str, given: Mapping[str, object]) -> dict[str, object]:
    """Return those of the given values that are the model's fields, as the fields take them.

    The word none is None where a field takes it, which TOML cannot write, and an empty list; lists
    become tuples.
    """
    fields = {field.name: field for field in model_fields(class_name)}
    return {name: _value(fields[name], value) for name, value in given.items() if name in fields}


def _value(field: Field, value: object) -> object:
    is_list = "tuple" in field.kinds
    nothing = value == NONE or (is_list and value == [NONE])
    if nothing and (is_list or "none" in field.kinds):
        return () if is_list else None
    return tuple(value) if isinstance(value, list) else value
