"""The one error a user can cause, the one warning, the nearest name, and ranges of parameters."""

from __future__ import annotations

import dataclasses
import difflib
import math
import typing
from collections.abc import Iterable
from functools import cache
from numbers import Integral, Real
from types import UnionType
from typing import Any, Literal


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one sentence that says what to do."""


class FitWarning(UserWarning):
    """A fit that is usable, with a finding that the user should know; one sentence."""


def nearest(name: str, choices: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the choice most like ``name``, or an empty string.

    >>> nearest("vea", ["pca", "vae"])
    "; did you mean 'vae'?"
    """
    found = difflib.get_close_matches(name.lower(), list(choices), n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else ""


def check_fields(model: Any) -> None:  # noqa: ANN401
    """Refuse a dataclass whose values are not of the types that its fields state.

    Raises
    ------
    InputError
        Naming the field, its value, what is allowed, and the nearest right word.
    """
    hints = _hints(type(model))  # type: ignore[arg-type, unused-ignore]
    for field in dataclasses.fields(model):
        value = getattr(model, field.name)
        if not _fits(value, hints[field.name]):
            raise InputError(
                f"{field.name} is {value!r}; it must be {_words(hints[field.name])}"
                f"{_nearest_choice(value, hints[field.name])}"
            )


@cache
def _hints(kind: Any) -> dict[str, Any]:  # noqa: ANN401
    return typing.get_type_hints(kind)


def check_range(
    name: str,
    value: float | None,
    low: float,
    high: float = math.inf,
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> None:
    """Refuse a number outside [low, high]; None passes (the field's type says if it may be)."""
    if value is None:
        return
    below = value <= low if open_low else value < low
    above = value >= high if open_high else value > high
    if below or above or not math.isfinite(value):
        raise InputError(f"{name} is {value!r}; it must be {_span(low, high, open_low, open_high)}")


def check_betas(model: Any) -> None:  # noqa: ANN401
    """Refuse decays of Adam, ``beta_1`` and ``beta_2``, outside [0, 1)."""
    for name in ("beta_1", "beta_2"):
        check_range(name, getattr(model, name), 0, 1, open_high=True)


def _span(low: float, high: float, open_low: bool, open_high: bool) -> str:
    least = f"greater than {low:g}" if open_low else f"at least {low:g}"
    if math.isinf(high):
        return least
    return f"{least} and {'less than' if open_high else 'at most'} {high:g}"


def _fits(value: object, hint: Any) -> bool:  # noqa: ANN401
    origin = typing.get_origin(hint)
    if origin in (UnionType, typing.Union):
        return any(_fits(value, choice) for choice in typing.get_args(hint))
    if origin is Literal:
        return isinstance(value, str) and value in typing.get_args(hint)
    if origin is tuple:
        element = typing.get_args(hint)[0]
        return isinstance(value, tuple | list) and all(_fits(v, element) for v in value)
    if hint in (int, float):
        number = Integral if hint is int else Real
        return isinstance(value, number) and not isinstance(value, bool)
    return value is None if hint is type(None) else isinstance(value, hint)


def _words(hint: Any) -> str:  # noqa: ANN401
    origin = typing.get_origin(hint)
    if origin in (UnionType, typing.Union):
        return " or ".join(_words(choice) for choice in typing.get_args(hint))
    if origin is Literal:
        return "one of " + ", ".join(typing.get_args(hint))
    if origin is tuple:
        return "a list of whole numbers"
    plain = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    return plain.get(hint, "none")


def _nearest_choice(value: object, hint: Any) -> str:  # noqa: ANN401
    choices = [c for c in typing.get_args(hint) if isinstance(c, str)]
    return nearest(value, choices) if isinstance(value, str) and choices else ""
