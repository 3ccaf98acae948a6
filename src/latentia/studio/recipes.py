"""A training in words to keep: as a command, as a recipe in TOML, and as Python."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from latentia.models.fields import command_name


def words_of(
    model: str, spec: str, values: Mapping[str, Any], beside: Mapping[str, str], run: str
) -> list[str]:
    """Return the words of ``latentia`` that train a model in a run."""
    found = ["train", command_name(model), "--data", spec]
    for name, value in {**beside, **values}.items():
        found += flag_words(name, value)
    return [*found, "--run", run]


def flag_words(name: str, value: object) -> list[str]:
    """Return a value as a flag.

    >>> flag_words("hidden", (200, 100)), flag_words("tied", False), flag_words("n_epochs", None)
    (['--hidden', '200', '100'], ['--no-tied'], ['--n-epochs', 'none'])
    """
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [flag if value else f"--no-{name.replace('_', '-')}"]
    if isinstance(value, tuple | list):
        return [flag, *(map(str, value) if value else ["none"])]
    return [flag, "none" if value is None else str(value)]


def values_in(words: Sequence[str]) -> dict[str, str]:
    """Return the flags of a command as they would stand in a form.

    >>> values_in(["train", "vae", "--hidden", "8", "4", "--no-tied", "--binarize"])
    {'hidden': '8 4', 'tied': 'false', 'binarize': 'true'}
    """
    found: dict[str, str] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word.removeprefix("--").replace("-", "_")
            said = "false" if name.startswith("no_") else "true"
            name = name.removeprefix("no_")
            found[name] = said
        elif name:
            found[name] = word if found[name] == "true" else f"{found[name]} {word}"
    return found


def command_of(words: Sequence[str]) -> str:
    """Return words as they are typed."""
    return f"latentia {shlex.join(words)}"


def toml_of(model: str, spec: str, values: Mapping[str, Any], beside: Mapping[str, str]) -> str:
    """Return a recipe, for ``latentia train --recipe FILE``."""
    head = {"model": command_name(model), "data": spec, **beside}
    return "".join(f"{name} = {_toml(value)}\n" for name, value in {**head, **values}.items())


def _toml(value: object) -> str:
    if value is None or value == ():
        return '"none"' if value is None else '["none"]'
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


def python_of(model: str, spec: str, values: Mapping[str, Any], beside: Mapping[str, str]) -> str:
    """Return the same as a program."""
    given = ", ".join(f"{name}={value!r}" for name, value in values.items())
    more = "".join(f", {name}={value!r}" for name, value in beside.items())
    return (
        "import latentia\n\n"
        f"model = latentia.{model}({given})\n"
        f"data = model.load_data({spec!r}{more})\n"
        "model.fit(data.x_train, **data.beside)\n"
    )
