"""Runs that go on for longer than they were begun for, and runs taken back to a checkpoint.

``n_epochs`` counts all the epochs of a run. A run that was to have 10 and is given 20 goes on for
10 more, and what is spread over the epochs, such as a learning rate's schedule, is spread over all
20 from there on. Where nothing is, 10 and 10 are the same as 20 at once. ``config.json`` keeps, in
``stages``, up to which step how many epochs were planned.

This module needs no torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from latentia.errors import InputError
from latentia.files import MOST_JSON, read_json, read_start
from latentia.training.config import RunConfig
from latentia.training.metrics_file import Record, read_metrics

BEST = "best"
THE_BEST = "the best on held-out data"


@dataclass(frozen=True)
class Kept:
    """A checkpoint that a run keeps.

    Attributes
    ----------
    name
        Of its files, without their endings.
    step
        Training steps before it.
    epoch
        The epoch that it ends, or None in the middle of one.
    values
        The held-out losses of that epoch, or empty.
    n_bytes
        Its size.
    damage
        What is wrong with it, or empty.
    """

    name: str
    step: int
    epoch: int | None
    values: Mapping[str, float]
    n_bytes: int
    damage: str = ""

    @property
    def is_best(self) -> bool:
        """Whether it is the one with the best held-out value."""
        return self.name == BEST

    @property
    def usable(self) -> bool:
        """Whether a run can be taken back to it: it is whole, and ends an epoch."""
        return not self.damage and self.epoch is not None


def checkpoints_of(run: Path) -> list[Kept]:
    """Return the checkpoints that a run keeps, the best one first, then by step."""
    records = read_metrics(run)
    return [_kept(path, records) for path in sorted((run / "checkpoints").glob("*.json"))]


def chosen(run: Path, which: str) -> Kept:
    """Return the checkpoint of an epoch's number or of ``best``; refuse what is not kept."""
    kept = [each for each in checkpoints_of(run) if each.usable]
    if not kept:
        raise InputError(f"{run} keeps no checkpoint to go back to: no epoch of it has ended")
    for each in kept:
        if (which == BEST and each.is_best) or which == str(each.epoch):
            return each
    epochs = ", ".join(str(n) for n in sorted({int(each.epoch or 0) for each in kept}))
    if which == BEST and any(each.is_best for each in checkpoints_of(run)):
        raise InputError(
            f"the best weights of the run in {run} are those from before its first epoch, or "
            f"damaged; it can be taken back to epochs {epochs}"
        )
    if which == BEST:
        raise InputError(
            f"the run in {run} has no best checkpoint, since no held-out value says which is; it "
            f"keeps those of epochs {epochs}"
        )
    raise InputError(f"the run in {run} keeps no checkpoint of epoch {which}, but of {epochs}")


def _kept(manifest: Path, records: list[Record]) -> Kept:
    try:
        file, stated = manifest.with_suffix(".safetensors"), read_json(manifest)["bytes"]
        header = json.loads(read_start(file, 8 + min(_length(file), MOST_JSON))[8:])
        step = json.loads(header["__metadata__"]["state"])["step"]
        damage = "" if file.stat().st_size == stated else "it is cut short"
        at = {r["split"]: r for r in records if r["step"] == step}
        epoch, values = at.get("train", {}).get("epoch"), at.get("validation", {}).get("values", {})
        return Kept(manifest.stem, step, epoch, values, file.stat().st_size, damage)
    except (OSError, ValueError, LookupError, TypeError) as error:
        return Kept(manifest.stem, 0, None, {}, 0, f"it cannot be read: {error}")


def _length(file: Path) -> int:
    """Return how long the header of a checkpoint's tensors says it is."""
    return int.from_bytes(read_start(file, 8), "little")


def trained(run: Path) -> tuple[int, int, bool]:
    """Return how many steps a run has had, in how many epochs, and whether it ended early."""
    steps = [int(p.stem[5:]) for p in (run / "checkpoints").glob("step_*.json")]
    records, step = read_metrics(run), max(steps, default=0)
    each = [r["step"] // r["epoch"] for r in records if r["split"] == "train"]
    done = -(-step // each[0]) if each else min(step, 1)
    return step, done, any(r["split"] == "end" and r["step"] == step for r in records)


def ended_early(run: Path) -> bool:
    """Return whether a run is known to have ended before the epochs that were asked for.

    Metrics that are damaged do not tell; the run that goes on says what becomes of them.
    """
    try:
        return trained(run)[2]
    except InputError:
        return False


def when(epoch: int) -> str:
    """Return in words which weights are kept: of an epoch, or 0 for those of the start."""
    return f"of epoch {epoch}" if epoch else "from before the first epoch"


def epochs_in_all(run: Path, more: int) -> int:
    """Return the epochs that a run will have had after so many more than it has, or was to have."""
    config = RunConfig.read(run)
    if "n_epochs" not in config.parameters:
        raise InputError(f"{config.model} is fitted at once: there are no more epochs to train")
    planned = config.taken("n_epochs") or 0
    _, done, early = trained(run)
    return more + (done if early else planned)


def extended(begun: RunConfig, n_epochs: Any, run: Path) -> RunConfig:
    """Return what a run was begun as, with as many epochs in all as are asked for now.

    Raises
    ------
    InputError
        If it has had that many.
    """
    before = begun.taken("n_epochs")
    if not isinstance(n_epochs, int) or before is None:
        return begun
    if n_epochs == before:
        return begun.of_epochs(n_epochs)
    step, done, _ = trained(run)
    if n_epochs <= done:
        raise InputError(
            f"the run in {run} has had {done} epochs, and n_epochs = {n_epochs} is how many it is "
            f"to have in all: give more than {done}, or with the command line --more-epochs"
        )
    stages = list(begun.stages)
    if step > begun.goes_on_at:
        stages.append({"step": step, "n_epochs": before})
    return replace(begun.of_epochs(n_epochs), stages=stages)


def going_on(config: RunConfig, run: Path) -> Iterator[str]:
    """Yield what a user should know of a run that goes on with another number of epochs."""
    if not config.stages:
        return
    (step, done, _), now = trained(run), config.taken("n_epochs") or 0
    if step != config.goes_on_at or now <= done:
        return
    before = config.stages[-1]["n_epochs"]
    yield (
        f"the run in {run} was planned for {before} epochs and has had {done}; it goes on to {now} "
        f"in all, {now - done} more"
    )
    schedule = config.parameters.get("learning_rate_schedule", "constant")
    warmup = config.parameters.get("beta_warmup_epochs", 0)
    spread = {"learning_rate_schedule": schedule} if schedule != "constant" else {}
    spread |= {"beta_warmup_epochs": warmup} if warmup > before else {}
    for name, value in spread.items():
        yield (
            f"its {name} ({value}) is spread over all {now} epochs from here on: this is not the "
            "same as training them at once"
        )
