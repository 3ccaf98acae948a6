"""The one error a user can cause, the one warning, the nearest name, and what fields may be."""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import math
import typing
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from numbers import Integral, Real
from types import UnionType
from typing import Annotated, Any, Literal, TextIO


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one sentence that says what to do."""


class FitWarning(UserWarning):
    """A fit that is usable, with a finding that the user should know; one sentence."""


@contextmanager
def alone(model: Any) -> Iterator[None]:
    """Refuse to fit a model within a fit of its own, as a callback might."""
    # A copy of a model that learns may be fitted.
    if vars(model).get("_learner") == id(model):
        raise InputError(
            f"this {type(model).__name__} is being fitted: fit a copy, sklearn.base.clone(model), "
            "or end training by returning True, and fit it again when it has ended"
        )
    model._learner = id(model)
    try:
        yield
    finally:
        vars(model).pop("_learner", None)


@contextmanager
def noted_warnings() -> Iterator[list[str]]:
    """Note the sentences of `FitWarning` in a ``with`` block, which are shown as without it."""
    said: list[str] = []
    show = warnings.showwarning

    def note(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, FitWarning):
            said.append(str(message))
        show(message, category, filename, lineno, file, line)

    # What catches warnings inside the block puts its own in this place, and takes it away again.
    warnings.showwarning = note
    try:
        yield said
    finally:
        warnings.showwarning = show


OUT_OF_MEMORY = ("allocate", "out of memory", "too big", "dimension exceeded", "overflow")
"""Words of NumPy's and torch's errors where there is no memory for what is asked."""


@contextmanager
def within_memory(purpose: str) -> Iterator[None]:
    """Raise `InputError` where a ``with`` block finds no memory; ``purpose`` ends the sentence."""
    try:
        yield
    except InputError:
        raise
    except (MemoryError, RuntimeError, ValueError, OverflowError) as error:
        found = str(error).lower()
        if not isinstance(error, MemoryError) and not any(w in found for w in OUT_OF_MEMORY):
            raise
        raise InputError(f"there is not enough memory {purpose}") from None


def nearest(name: str, choices: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the choice most like ``name``, or an empty string.

    >>> nearest("vea", ["PCA", "VAE"])
    "; did you mean 'VAE'?"
    """
    lowered = {choice.lower(): choice for choice in choices}
    found = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
    return f"; did you mean {lowered[found[0]]!r}?" if found else ""


LARGEST = 3.4e38
"""Beyond it a number is infinite in the single precision that nets compute in."""
LARGEST_WHOLE = 10**15
"""Up to it a whole number is exact in double precision too."""
LONGEST_SHOWN = 80


@dataclasses.dataclass(frozen=True)
class Range:
    """The numbers that a field takes, stated in its annotation: ``Annotated[float, Range(0, 1)]``.

    >>> str(Range(0, 1, open_high=True))
    'at least 0 and less than 1'
    """

    low: float
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def __str__(self) -> str:
        """Say which numbers."""
        least = f"{'greater than' if self.open_low else 'at least'} {self.low:.10g}"
        if math.isinf(self.high):
            return least
        return f"{least} and {'less than' if self.open_high else 'at most'} {self.high:.10g}"

    def __contains__(self, value: float) -> bool:
        """Return whether a number is in the range, and not too large to compute with."""
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below and abs(value) <= largest_like(value)


def largest_like(value: float) -> float:
    """Return the largest number of a value's kind that can be computed with."""
    return LARGEST_WHOLE if isinstance(value, Integral) else LARGEST


DEEP = ("torch", "tensorboard")
"""Packages of the extra ``deep``."""


def offered(module: str, name: str) -> Any:
    """Import what a module offers under a name; say what it needs that is not installed.

    Raises ModuleNotFoundError with one sentence if that is a package of the extra ``deep``.
    """
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise with_command(error, name) from None


def with_command(error: ModuleNotFoundError, what: str) -> ModuleNotFoundError:
    """Return an error that says how to get a package of the extra ``deep``; others as they are."""
    if error.name not in DEEP or "latentia[deep]" in str(error):
        return error
    told = f"{what} needs {error.name}, which is not installed: pip install 'latentia[deep]'"
    return ModuleNotFoundError(told, name=error.name)


@dataclasses.dataclass(frozen=True)
class CountsWhen:
    """When a field has an effect: while another has one of ``values``, or none of ``unless``.

    It stands in the field's annotation, ``Annotated[Positive, CountsWhen("loss", ("mse",))]``; of
    several, one is enough. From it follow what `check_effects` refuses and what the help says.

    >>> str(CountsWhen("loss", ("mse", "rmse"))), str(CountsWhen("dropout", unless=(0,)))
    ('loss mse or rmse', 'dropout other than 0')
    """

    field: str
    values: tuple[object, ...] = ()
    unless: tuple[object, ...] = ()

    def __str__(self) -> str:
        """Say when."""
        words = " or ".join(str(value).lower() for value in self.values or self.unless)
        return f"{self.field} {words}" if self.values else f"{self.field} other than {words}"

    def met(self, value: object) -> bool:
        """Return whether the other field has such a value; ``auto`` may come to mean it."""
        return value == "auto" or (
            value in self.values if self.values else value not in self.unless
        )

    def found(self, model: Any, settled: Mapping[str, object]) -> object:
        """Return the other field's value, or what it stands for; what is to be none stays so."""
        own = getattr(model, self.field)
        stays = own is None and None in self.values
        return own if stays else settled.get(self.field, own)


class Shapes:
    """That a field shapes nets: it has no effect if all of these are nets of the user's own.

    It stands in the field's annotation, ``Annotated[Count, Shapes("generator", "critic")]``; of
    several, all must hold. A name that the model has no field for counts for nothing.
    """

    def __init__(self, *nets: str) -> None:
        self.nets = nets

    def idle(self, model: Any) -> list[str]:
        """Return the nets that the field would shape if they were not the user's own."""
        fields = model.__dataclass_fields__
        given = {name: getattr(model, name) for name in self.nets if name in fields}
        return list(given) if all(map(is_own_net, given.values())) else []


def is_own_net(value: object) -> bool:
    """Return whether a field's value is a net; others are plain values, words and lists."""
    return hasattr(value, "state_dict")


def own_among(model: Any, *names: str) -> list[str]:
    """Return those of a model's fields, or of these, that hold a net of the user's own."""
    return [name for name in names or model.get_params() if is_own_net(getattr(model, name))]


def are_own(model: Any, *names: str) -> bool:
    """Return whether all these fields of a model hold nets of the user's own."""
    return len(own_among(model, *names)) == len(names)


@dataclasses.dataclass(frozen=True)
class UpTo:
    """That a field is at most another, in its annotation: ``Annotated[int, UpTo("n_epochs")]``."""

    field: str


Count = Annotated[int, Range(1)]
Whole = Annotated[int, Range(0)]
Several = Annotated[int, Range(2)]
Seed = Annotated[int, Range(0, 2**32 - 1)]
Positive = Annotated[float, Range(0, open_low=True)]
NonNegative = Annotated[float, Range(0)]
Share = Annotated[float, Range(0, 1)]
Level = Annotated[float, Range(0, 1, open_low=True, open_high=True)]
Decay = Annotated[float, Range(0, 1, open_high=True)]


def check_fields(model: Any) -> None:
    """Refuse a dataclass whose values are not of the types or in the ranges that its fields state.

    Raises
    ------
    InputError
        Naming the field, its value, what is allowed, and the nearest right word.
    """
    hints = _hints(type(model))  # type: ignore[arg-type, unused-ignore]
    for field in dataclasses.fields(model):
        check_value(field.name, getattr(model, field.name), hints[field.name])


def check_arguments(function: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """Refuse arguments that are not as a function's annotations state.

    It stands first in the function, whose ``locals()`` are then its arguments. Annotations that are
    not made of numbers, words and truth values are left to the function.

    Raises
    ------
    InputError
        As of `check_fields`.
    """
    for name, hint in _hints(function).items():
        if name in given and _is_plain(hint):
            check_value(name, given[name], hint)


def check_value(name: str, value: object, hint: Any) -> None:
    """Refuse a value that an annotation does not allow; `check_fields` says how."""
    if not _fits(value, hint):
        meant = (
            "; make one of the class" if isinstance(value, type) else _nearest_choice(value, hint)
        )
        raise InputError(f"{name} is {shown(value)}; it must be {_words(hint)}{meant}")
    many = isinstance(value, tuple | list)
    for number in value if isinstance(value, tuple | list) else (value,):
        for allowed in _ranges(hint):
            _hold(f"a number in {name}" if many else name, number, allowed)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind, include_extras=True)


def _ranges(hint: Any) -> list[Range]:
    if typing.get_origin(hint) is Annotated:
        own = [part for part in hint.__metadata__ if isinstance(part, Range)]
        return own + _ranges(hint.__origin__)
    return [found for part in typing.get_args(hint) for found in _ranges(part)]


def check_effects(model: Any, settled: Mapping[str, object]) -> None:
    """Refuse a dataclass with a value that is not its field's default and has no effect.

    ``settled`` says what fields that are ``auto`` or none stand for, where it is known.

    Raises
    ------
    InputError
        Naming the field, its value, when it counts, and what it is better left at.
    """
    hints = _hints(type(model))  # type: ignore[arg-type, unused-ignore]
    for field in dataclasses.fields(model):
        value, conditions = getattr(model, field.name), conditions_of(hints[field.name])
        for bound in getattr(hints[field.name], "__metadata__", ()):
            if not isinstance(bound, UpTo):
                continue
            most = settled.get(bound.field, getattr(model, bound.field))
            if most is not None and value > most:
                raise InputError(f"{field.name} is {value}; {bound.field} is only {most}")
        as_default = (tuple(value) if isinstance(value, list) else value) == field.default
        if not as_default:
            _refuse_beside_own_nets(model, field, hints[field.name])
        given = {c.field: c.found(model, settled) for c in conditions}
        if as_default or not conditions or any(c.met(given[c.field]) for c in conditions):
            continue
        here = " and ".join(
            f"{name} is {found!r}{' for these data' if found != getattr(model, name) else ''}"
            for name, found in given.items()
        )
        raise InputError(
            f"{field.name} is {value!r}, which counts only with "
            f"{' or '.join(map(str, conditions))}; {here}: change that, or leave {field.name} at "
            f"its default, {field.default!r}"
        )


def _refuse_beside_own_nets(model: Any, field: dataclasses.Field[Any], hint: Any) -> None:
    for part in getattr(hint, "__metadata__", ()):
        if isinstance(part, Shapes) and (idle := part.idle(model)):
            nets = f"{' and '.join(idle)} {'is' if len(idle) == 1 else 'are'}"
            raise InputError(
                f"{field.name} is {getattr(model, field.name)!r} and has no effect: {nets} of your "
                f"own; leave {field.name} at its default, {field.default!r}"
            )


def conditions_of(hint: Any) -> list[CountsWhen]:
    """Return when a field with this annotation counts; an empty list if always."""
    annotated = typing.get_origin(hint) is Annotated
    return [c for c in hint.__metadata__ if isinstance(c, CountsWhen)] if annotated else []


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
    if value is not None and not isinstance(value, Real):
        raise InputError(f"{name} is {shown(value)}; it must be a number")
    _hold(name, value, Range(low, high, open_low, open_high))


def _hold(name: str, value: Any, allowed: Range) -> None:
    if value is None or isinstance(value, str) or value in allowed:
        return
    unbounded = math.isinf(allowed.high) and value > largest_like(value)
    most = f" and at most {largest_like(value):.10g}" if unbounded else ""
    raise InputError(f"{name} is {shown(value)}; it must be {allowed}{most}")


def first_of(items: Sequence[str], most: int, mark: str = ",") -> str:
    """Return the first items, and how many more there are."""
    more = f"{mark.strip(',')} and {len(items) - most:,} more" if len(items) > most else ""
    return f"{mark} ".join(items[:most]) + more


def shown(value: object) -> str:
    """Return a value as a sentence names it: in one line, and not too long."""
    if isinstance(value, int) and value.bit_length() > LONGEST_SHOWN:
        return f"about {'-' if value < 0 else ''}2**{value.bit_length() - 1}"
    text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


def _is_plain(hint: Any) -> bool:
    """Return whether an annotation is made of numbers, words and truth values."""
    origin = typing.get_origin(hint)
    if origin is Annotated:
        return _is_plain(hint.__origin__)
    if origin in (UnionType, typing.Union):
        return all(map(_is_plain, typing.get_args(hint)))
    return origin is Literal or hint in (int, float, bool, str, type(None))


def _fits(value: object, hint: Any) -> bool:
    origin = typing.get_origin(hint)
    if origin is Annotated:
        return _fits(value, hint.__origin__)
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
    if hint is bool and type(value).__module__ == "numpy":
        return type(value).__name__.startswith("bool")
    return value is None if hint is type(None) else isinstance(value, hint)


def _words(hint: Any) -> str:
    origin = typing.get_origin(hint)
    if origin is Annotated:
        return _words(hint.__origin__)
    if origin in (UnionType, typing.Union):
        return " or ".join(_words(choice) for choice in typing.get_args(hint))
    if origin is Literal:
        return "one of " + ", ".join(typing.get_args(hint))
    if origin is tuple:
        return "a list of whole numbers"
    if hint is type(None):
        return "none"
    plain = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    return plain.get(hint, f"a {hint.__module__.partition('.')[0]} {hint.__name__}")


def _nearest_choice(value: object, hint: Any) -> str:
    parts = (hint, *typing.get_args(hint))
    choices = [c for part in parts for c in typing.get_args(part) if isinstance(c, str)]
    return nearest(value, choices) if isinstance(value, str) and choices else ""
