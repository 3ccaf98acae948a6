"""What a form of the studio sends, and a model's fields as such a form."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

import latentia
from latentia.errors import InputError, check_fields
from latentia.models.fields import Field, model_fields

UNREADABLE = "The form that was sent cannot be read: send it again from its page."
MOST_FIELDS, MOST_FILES = 1000, 50_000
NO_ROOM = "the disk has {free:,.1f} GB free, and the upload takes {asked:,.1f} GB twice for a while"
MAIN = (
    "n_components", "n_clusters", "rotation", "scale", "order", "n_units", "n_layers", "beta",
    "corruption", "objective", "n_epochs", "batch_size", "learning_rate", "random_state",
)  # fmt: skip
"""Fields that stand open in a form; the others are folded."""
NONE = "none"


@dataclass(frozen=True)
class Sent:
    """A form without files, as it was sent."""

    values: FormData

    def text(self, name: str) -> str:
        """Return the last text under a name, or an empty one."""
        found = self.values.get(name)
        return found.strip() if isinstance(found, str) else ""

    def texts(self, name: str) -> list[str]:
        """Return all texts under a name."""
        return [each for each in self.values.getlist(name) if isinstance(each, str)]


async def sent(request: Request) -> Sent:
    """Read a form."""
    return Sent(await _read(request))


async def files_sent(request: Request) -> AsyncIterator[Sequence[UploadFile]]:
    """Read a form of files, which lie in temporary files of the system; refuse what has no room."""
    told = request.headers.get("content-length", "0")
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if told.isdecimal() and 2 * int(told) > free:
        raise HTTPException(413, NO_ROOM.format(free=free / 1e9, asked=int(told) / 1e9))
    form = await _read(request)
    try:
        yield [each for each in form.getlist("files") if isinstance(each, UploadFile)]
    finally:
        await form.close()


async def _read(request: Request) -> FormData:
    try:
        return await request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS)
    except HTTPException:
        raise
    except (ValueError, LookupError, AssertionError):
        raise HTTPException(400, UNREADABLE) from None


def value_of(field: Field, text: str) -> object:
    """Return a field's value as Python has it; what is none stays a text, which the model refuses.

    >>> hidden = Field("hidden", ("tuple",), (), (400,), "")
    >>> value_of(hidden, "200, 100"), value_of(hidden, "none"), value_of(hidden, "wide")
    ((200, 100), (), 'wide')
    """
    if text.lower() == NONE and {"none", "tuple"} & {*field.kinds}:
        return () if "tuple" in field.kinds else None
    if "bool" in field.kinds:
        return {"true": True, "false": False}.get(text, text)
    if text in field.choices:
        return text
    if "tuple" in field.kinds:
        parts = [_number(part, whole=True) for part in text.replace(",", " ").split()]
        return text if any(isinstance(part, str) for part in parts) else tuple(parts)
    if {"int", "float"} & {*field.kinds}:
        return _number(text, whole="float" not in field.kinds)
    return text


def _number(text: str, whole: bool) -> object:
    for kind in (int,) if whole else (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def shown_value(value: object) -> str:
    """Return a value as it stands in a form."""
    if isinstance(value, tuple | list):
        return " ".join(map(str, value)) or NONE
    if isinstance(value, bool):
        return str(value).lower()
    return NONE if value is None else str(value)


@dataclass(frozen=True)
class Entry:
    """A field in a form: what stands in it, and why it was refused, if it was."""

    field: Field
    text: str
    refusal: str = ""

    @property
    def main(self) -> bool:
        """Whether it stands open."""
        return self.field.name in MAIN or bool(self.refusal) or self.changed

    @property
    def default(self) -> str:
        """Its default, as it would stand in the form."""
        return shown_value(self.field.default)

    @property
    def changed(self) -> bool:
        """Whether it is not the default."""
        return self.text not in ("", self.default)

    @property
    def allowed(self) -> str:
        """Which numbers it takes, as the library says it."""
        return "" if self.field.range is None else str(self.field.range)


@dataclass(frozen=True)
class ModelForm:
    """A model's fields as they were filled in."""

    model: str
    """Its class."""
    entries: tuple[Entry, ...]
    refusal: str = ""
    """What was refused and is of no field."""

    @property
    def sound(self) -> bool:
        """Whether nothing was refused."""
        return not self.refusal and not any(entry.refusal for entry in self.entries)

    @property
    def changed(self) -> dict[str, Any]:
        """The values that are not the defaults, by field."""
        return {e.field.name: value_of(e.field, e.text) for e in self.entries if e.changed}

    @property
    def in_order(self) -> list[Entry]:
        """Those that stand open, in the order of ``MAIN``, and then the others."""
        order = {name: place for place, name in enumerate(MAIN)}
        return sorted(self.entries, key=lambda e: (not e.main, order.get(e.field.name, 99)))


def form_of(model: str, given: Mapping[str, str]) -> ModelForm:
    """Return a model's form, each value checked as the library checks it.

    A value is refused at its field by the model's own sentence, which begins with the field's name.
    """
    fields = model_fields(model)
    entries = tuple(Entry(f, given.get(f.name, shown_value(f.default))) for f in fields)
    form = ModelForm(model, entries)
    alone = tuple(Entry(e.field, e.text, _refused(model, e)) for e in entries)
    if any(entry.refusal for entry in alone):
        return ModelForm(model, alone)
    refusal = _refusal(model, form.changed)
    owner = refusal.split(" ", 1)[0]
    placed = tuple(Entry(e.field, e.text, refusal * (e.field.name == owner)) for e in entries)
    return ModelForm(model, placed, "" if any(e.refusal for e in placed) else refusal)


def _refused(model: str, entry: Entry) -> str:
    """Return why a value alone is not one of its field's, or nothing."""
    if not entry.changed:
        return ""
    try:
        value = value_of(entry.field, entry.text)
        check_fields(getattr(latentia, model)(**{entry.field.name: value}))
    except InputError as error:
        return str(error)
    return ""


def _refusal(model: str, values: Mapping[str, object]) -> str:
    """Return why a model does not take these values together, or nothing."""
    if not values:
        # The defaults are sound, and the library takes seconds to load for the first model.
        return ""
    try:
        getattr(latentia, model)(**values).validate_parameters()
    except InputError as error:
        return str(error)
    return ""
