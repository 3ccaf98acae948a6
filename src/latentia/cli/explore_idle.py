"""Which options of ``latentia explore`` have nothing to do for a model, and why."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from latentia.errors import InputError
from latentia.models.base import Encoder
from latentia.models.gradient import DecodingModel


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
        """Whether a walk goes between draws, and not between samples."""
        return not (self.encodes or self.given.rows or self.given.images)

    @property
    def films(self) -> bool:
        """Whether the file moves."""
        return self.given.out.suffix in (".gif", ".mp4")

    @property
    def solved(self) -> bool:
        """Whether codes are solved for, since the decoder is affine."""
        return not isinstance(self.model, DecodingModel)


IDLE: Mapping[tuple[str, str], tuple[Callable[[Case], object], str]] = {
    ("traverse", "--n-coordinates"): (
        lambda case: case.given.coordinates,
        "--coordinates names them",
    ),
    ("interpolate", "--random-state"): (lambda case: not case.draws, "the walk is between samples"),
    ("map", "--random-state"): (
        lambda case: case.encodes,
        "the data's codes say where the map lies",
    ),
    ("traverse", "--random-state"): (lambda case: case.encodes, "the data's codes are its middle"),
    ("invert", "--random-state"): (lambda case: case.solved, "the codes are solved for exactly"),
    ("invert", "--n-steps"): (lambda case: case.solved, "the codes are solved for exactly"),
    ("invert", "--n-restarts"): (lambda case: case.solved, "the codes are solved for exactly"),
    ("map", "--labels"): (
        lambda case: not case.encodes,
        "the model has no codes of data to colour",
    ),
    ("neighbours", "--labels"): (lambda case: case.given.images, "pictures of one's own have none"),
    ("map", "--data"): (lambda case: not case.encodes, "the model has no codes of data to show"),
    ("traverse", "--data"): (
        lambda case: case.draws or (case.given.images and not case.encodes),
        "nothing is asked of data",
    ),
    ("interpolate", "--data"): (
        lambda case: case.draws or case.given.images,
        "the walk is between others",
    ),
    ("blend", "--data"): (lambda case: case.given.images, "the samples are --images"),
    ("invert", "--data"): (lambda case: case.given.images, "the samples are --images"),
    ("attribute", "--check"): (lambda case: case.films, "a film is not judged"),
    **{
        (action, "--frames-per-second"): (lambda case: not case.films, "only a .gif or .mp4 moves")
        for action in ("interpolate", "traverse", "attribute", "blend")
    },
}
"""By action and flag: in which case the flag has nothing to do, and why."""


def refuse_idle(action: str, given: argparse.Namespace, model: Any) -> None:
    """Refuse flags that were given and have nothing to do."""
    case = Case(given, model)
    for (of, flag), (idle, why) in IDLE.items():
        if of == action and flag in given.asked and idle(case):
            raise InputError(f"{flag} has no effect here: {why}; leave it out")
