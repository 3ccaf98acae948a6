"""``latentia checkpoints``: what a run can be taken back to."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from latentia.cli.parser import Parser, run_here

if TYPE_CHECKING:
    from latentia.training.further import Kept


def checkpoints(parser: Parser, words: list[str]) -> None:
    """List the checkpoints that a run keeps: epoch, held-out value, size."""
    parser.add_argument("run", type=run_here, help="the run directory")
    parser.set_defaults(call=_checkpoints)


def _checkpoints(given: argparse.Namespace) -> None:
    from latentia.errors import InputError
    from latentia.training.config import RunConfig
    from latentia.training.further import checkpoints_of

    config = RunConfig.read(given.run)
    if "n_epochs" not in config.parameters:
        raise InputError(f"{config.model} is fitted at once, and keeps no checkpoints")
    kept = checkpoints_of(given.run)
    if not kept:
        raise InputError(f"the run in {given.run} keeps no checkpoint yet")
    for line in in_columns([("checkpoint", "steps", "held-out", "size"), *map(_row, kept)]):
        print(line)
    if any(each.usable for each in kept):
        which = next(each for each in kept if each.usable)
        name = which.name if which.is_best else which.epoch
        print(f"go back with: latentia resume {given.run} --checkpoint {name} --out NEW")


def _row(kept: Kept) -> tuple[str, ...]:
    from latentia.data.limits import size

    if kept.damage:
        return kept.name, "", kept.damage, ""
    epoch = "in the middle of an epoch" if kept.epoch is None else f"epoch {kept.epoch}"
    name, value = next(iter(kept.values.items()), ("", None))
    held_out = "none" if value is None else f"{name} {value:.6g}"
    best = "best, " if kept.is_best else ""
    return f"{best}{epoch}", f"{kept.step:,}", held_out, size(kept.n_bytes)


def in_columns(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Yield rows as lines, in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
