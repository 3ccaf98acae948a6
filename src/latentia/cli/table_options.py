"""How a table is read, as flags: the fields of `latentia.data.options.TableOptions`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from latentia.cli.parser import Parser
from latentia.models.fields import Field, record_fields

if TYPE_CHECKING:
    from latentia.data.options import TableOptions

METAVARS = {
    "missing_codes": "CODE",
    "levels": "WORDS",
    "sheet": "NAME",
    "delimiter": "SIGN",
    "decimal": ".|,",
    "encoding": "NAME",
    "header": "yes|no",
}


def table_fields() -> tuple[Field, ...]:
    """Return the fields of the options."""
    return record_fields("TableOptions", "latentia.data.options")


def add_table_options(parser: Parser) -> None:
    """Add one flag for each option of a table; a flag that is not given leaves no value."""
    group = parser.add_argument_group("how a table is read (what is not given is recognised)")
    for field in table_fields():
        flag, text = "--" + field.name.replace("_", "-"), field.help.replace("%", "%%")
        if "bool" in field.kinds:
            group.add_argument(flag, action="store_true", default=argparse.SUPPRESS, help=text)
            continue
        many = "tuple" in field.kinds
        metavar = METAVARS.get(field.name, "COLUMN")
        group.add_argument(
            flag, nargs="+" if many else None, metavar=metavar, default=argparse.SUPPRESS, help=text
        )


def table_options(
    given: argparse.Namespace, recipe: Mapping[str, Any] | None = None
) -> TableOptions:
    """Return the options that flags, or else a recipe, give."""
    from latentia.data.options import TableOptions

    values = (recipe or {}) | vars(given)
    names = [field.name for field in table_fields() if field.name in values]
    return TableOptions(**{name: values[name] for name in names})
