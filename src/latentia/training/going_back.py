"""A run taken back to one of its checkpoints: a new run, and the old one stays as it is."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

from latentia.files import named_errors, refuse_filled, temporary_name, write_atomically
from latentia.training.checkpoint import Checkpoints
from latentia.training.config import RunConfig
from latentia.training.further import Kept, chosen
from latentia.training.metrics_file import read_metrics

MODELS_IN_RUNS = ("start", "pretraining")
"""Folders of models that a run began with: without them it would not go on as it did."""


def take_back(run: Path, which: str, out: Path) -> Path:
    """Make a new run of what another one was at a checkpoint; return its path.

    Parameters
    ----------
    run
        Stays as it is.
    which
        ``best``, or the number of an epoch whose checkpoint the run keeps.
    out
        A new or empty directory: as if ``run`` had been begun for so many epochs. Its
        ``config.json`` says where it comes from and how many were planned.
    """
    config, kept = RunConfig.read(run), chosen(run, which)
    refuse_filled(out, "directory")
    place = Path(os.path.realpath(out))
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_name(temporary_name())
    try:
        with named_errors(out, partial):
            _fill(partial, run, kept)
            _earlier(config, run, kept).write(partial)
            if place.is_dir():
                # Not everywhere can a folder take the place of an empty one.
                place.rmdir()
            partial.rename(place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return out


def _earlier(config: RunConfig, run: Path, kept: Kept) -> RunConfig:
    """Return what a run was at a checkpoint: so many epochs of those that were planned then."""
    later = [stage for stage in config.stages if stage["step"] >= kept.step]
    planned = later[0]["n_epochs"] if later else config.taken("n_epochs") or 0
    stages = [stage for stage in config.stages if stage["step"] < kept.step]
    return replace(
        config.of_epochs(int(kept.epoch or 0)),
        stages=[*stages, {"step": kept.step, "n_epochs": planned}],
        taken_from=str(run.absolute()),
    )


def _fill(folder: Path, run: Path, kept: Kept) -> None:
    """Write the checkpoint, and what was recorded and drawn before it."""
    records = [r for r in read_metrics(run) if r["step"] <= kept.step]
    before = [r for r in records if (r["step"], r["split"]) != (kept.step, "end")]
    content = b"".join(json.dumps(record).encode() + b"\n" for record in before)
    seal = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    tensors, state, _ = Checkpoints(run / "checkpoints", writes=False).read(kept.name)
    state = {**state, "ended": ""}
    checkpoints = Checkpoints(folder / "checkpoints")
    if state.get("best_epoch") == kept.epoch:
        checkpoints.save_best(tensors, state)
    else:
        # The best one is not among what this run has.
        state |= {"best_score": None, "best_epoch": 0}
    checkpoints.save(kept.step, tensors, state, seal)
    write_atomically(folder / "metrics.jsonl", content)
    (folder / "samples").mkdir()
    for drawn in (run / "samples").glob("epoch_*"):
        if drawn.stem[6:].isdigit() and int(drawn.stem[6:]) <= (kept.epoch or 0):
            shutil.copyfile(drawn, folder / "samples" / drawn.name)
    for name in MODELS_IN_RUNS:
        if (run / name / "model").is_dir():
            shutil.copytree(run / name / "model", folder / name / "model")
