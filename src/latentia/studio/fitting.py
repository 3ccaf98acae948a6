"""Which models learn from which data, by what is known of data before anything is trained."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from latentia.data import Description
from latentia.data.images import suffixes
from latentia.data.table_files import TABLES
from latentia.data.text import TEXT_FILES
from latentia.studio.map import GROUPS, Group, Place

SIDES = re.compile(r"(\d+)×(\d+)")
SHARP = 96
"""Pixels of the shortest side that pieces of photographs are cut from."""
KINDS = {
    "pictures": {"pictures", "table"},
    "images": {"pictures"},
    "classes": {"pictures", "table"},
    "pairs": {"pictures"},
    "domains": {"pictures"},
    "photographs": {"pictures"},
    "texts": {"text"},
}
"""Kinds of data that give what a model needs."""


@dataclass(frozen=True)
class Known:
    """What is known of data; None stands for what only reading them tells."""

    kind: str | None = None
    """``pictures``, ``table``, ``matrix`` or ``text``."""
    n_classes: int | None = None
    sides: tuple[int, int] | None = None
    """(width, height) of the smallest picture."""

    def suits(self, place: Place) -> bool:
        """Return whether a model may learn from such data."""
        if self.kind is not None and self.kind not in KINDS[place.needs]:
            return False
        n, (width, height) = self.n_classes, self.sides or (0, 0)
        beside = self.sides is None or width == 2 * height
        return {
            "classes": n != 0,
            "domains": n in (None, 2),
            "pairs": n == 2 or beside,
            "photographs": self.sides is None or min(width, height) >= SHARP,
        }.get(place.needs, True)

    def groups(self) -> list[Group]:
        """Return the models that learn from such data, in the groups of the map."""
        found = [Group(g.key, tuple(filter(self.suits, g.places))) for g in GROUPS]
        return [group for group in found if group.places]


def known_of_set(set_: Description) -> Known:
    """Return what is known of data with a name."""
    if len(set_.shape) == 1:
        return Known("table", len(set_.classes))
    *_, height, width = set_.shape
    return Known("pictures", len(set_.classes), (width, height))


def known_by_names(folder: Path) -> Known:
    """Return what the names of an upload's files tell."""
    found = {path.suffix.lower() for path in folder.rglob("*") if path.name[0] != "."}
    for kind, given in (("pictures", suffixes()), ("text", TEXT_FILES), ("table", TABLES)):
        if not found.isdisjoint(given):
            return Known(None if kind == "text" and found & {*TABLES} else kind)
    return Known()


def known_when_read(rows: Mapping[str, str]) -> Known:
    """Return what ``latentia data describe`` tells of data, by its labels."""
    what, samples = rows.get("what", ""), rows.get("samples", rows.get("sample", ""))
    if what.startswith("a text"):
        return Known("text")
    if " matrix of " in what:
        return Known("matrix")
    classes = rows.get("classes", "none")
    count = re.match(r"(\d+):", classes)
    n = int(count[1]) if count else 0 if classes == "none" else classes.count(",") + 1
    found = SIDES.search(what) or SIDES.search(samples.replace(" ", ""))
    if "column" in samples or found is None:
        return Known("table", n)
    return Known("pictures", n, (int(found[1]), int(found[2])))
