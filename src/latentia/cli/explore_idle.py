"""Which options of ``latentia explore`` have nothing to do for a model, and why."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from latentia.errors import InputError
from latentia.models.base import Encoder
from latentia.models.decoding import DecodingModel


@dataclass(frozen=True)
class Case:
    """What is asked for, and of which model."""

    given: argparse.Namespace
    model: Any

    @property
    def encodes(self) -> bool:
        """Whether the model has codes of data."""
        return isinstance(self.model, Encoder)

    @property
    def draws(self) -> bool:
        """Whether codes are drawn, since no samples are there to encode."""
        return not (self.encodes or self.given.rows or self.given.images)


FILMED = [f"{a} --frames-per-second" for a in ("interpolate", "traverse", "attribute", "blend")]
SOLVED = ["invert --random-state", "invert --n-steps", "invert --n-restarts"]
PICTURED = ["interpolate --data", "blend --data", "invert --data"]
IDLE: list[tuple[list[str], Callable[[Case], object], str]] = [
    (FILMED, lambda c: c.given.out.suffix not in (".gif", ".mp4"), "only a .gif or .mp4 moves"),
    (
        ["attribute --check"],
        lambda c: c.given.out.suffix in (".gif", ".mp4"),
        "a film is not judged",
    ),
    (["traverse --n-coordinates"], lambda c: c.given.coordinates, "--coordinates names them"),
    (["interpolate --random-state"], lambda c: not c.draws, "the walk is between samples"),
    (["map --random-state", "traverse --random-state"], lambda c: c.encodes, "nothing is drawn"),
    (SOLVED, lambda c: not isinstance(c.model, DecodingModel), "the codes are solved for exactly"),
    (["map --labels", "map --data"], lambda c: not c.encodes, "the model has no codes of data"),
    (["neighbours --labels"], lambda c: c.given.images, "pictures of one's own have none"),
    (["interpolate --data", "traverse --data"], lambda c: c.draws, "codes are drawn"),
    (["traverse --data"], lambda c: c.given.images and not c.encodes, "the sample is of --images"),
    (PICTURED, lambda c: c.given.images, "the samples are --images"),
]
"""Flags by their action, in which case they have nothing to do, and why."""


def refuse_idle(action: str, given: argparse.Namespace, model: Any) -> None:
    """Refuse flags that were given and have nothing to do."""
    case = Case(given, model)
    for flags, idle, why in IDLE:
        for flag in given.asked & {flag.removeprefix(f"{action} ") for flag in flags}:
            if idle(case):
                raise InputError(f"{flag} has no effect here: {why}; leave it out")
