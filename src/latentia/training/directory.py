"""A run directory as a place: one process at a time, and nothing in it that is not the run's.

This module needs no torch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from latentia.errors import InputError
from latentia.files import (
    PREFIX,
    held_folder,
    named_errors,
    read_bytes,
    remove_files,
    remove_partial,
)
from latentia.training.config import RunConfig
from latentia.training.distributed import barrier
from latentia.training.further import extended
from latentia.training.launch import leads

NAMES = (
    "metrics.jsonl",
    "checkpoints",
    "samples",
    "tensorboard",
    "pretraining",
    "start",
    "model",
    "evaluation.json",
    "profile.json",
    "report.html",
)
"""What a run directory may hold beside ``config.json``."""
PARTS = {
    "model": "model",
    "checkpoints": "checkpoints",
    "samples": "pictures",
    "tensorboard": "tensorboard",
    "pretraining": "pretraining",
    "start": "start",
}
"""Folders of a run by what they are called where their sizes are told."""
OWN_FILES = (
    "config.json",
    "metrics.jsonl",
    "samples/epoch_*",
    "tensorboard/events.out.tfevents.*",
    *(f"tensorboard/{split}/events.out.tfevents.*" for split in ("train", "validation", "health")),
    *(f"start/model/{name}" for name in ("config.json", "model.safetensors", "README.md")),
    "checkpoints/best.*",
    "checkpoints/step_*.safetensors",
    f"checkpoints/{PREFIX}*",
    f"samples/{PREFIX}*",
    f"{PREFIX}*",
)
"""What a run has written before its first checkpoint."""


@contextmanager
def held(
    path: Path, config: RunConfig, begun: RunConfig | None, defaults: Mapping[str, Any]
) -> Iterator[RunConfig]:
    """Hold a run directory for this process while it trains, as a new run or the one ``begun``.

    What it is now comes back: a run may go on with another number of epochs than it was begun with.
    ``defaults`` are what parameters were worth in a run of a release that did not have them.
    What ends in an error before its first checkpoint leaves nothing of a new run.
    """
    grown = None if begun is None else extended(begun, config.parameters.get("n_epochs"), path)
    if grown is not None:
        config.check_same(grown, defaults, path)
    if not leads():
        # The first process begins the run: what others made in the folder would be foreign to it.
        barrier()
        yield grown or config
        return
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    try:
        with _locked(path):
            _begin(path, config, begun, grown)
            barrier()
            try:
                yield grown or config
            except Exception:
                if begun is None and not _has_checkpoints(path):
                    remove_files(path, OWN_FILES)
                raise
    finally:
        for folder in made:
            # What holds a run, or anything else, stays.
            with suppress(OSError):
                folder.rmdir()


def _begin(path: Path, config: RunConfig, begun: RunConfig | None, grown: RunConfig | None) -> None:
    """Write a new run's ``config.json``, or the one of a run that is to be longer than begun."""
    if begun is None:
        refuse_foreign(path)
    for folder in (path, path / "samples"):
        remove_partial(folder)
    if grown is None:
        config.write(path)
    elif grown != begun:
        grown.rewrite(path)


def refuse_foreign(path: Path) -> None:
    """Refuse to begin a run in a folder where something bears a name that runs give."""
    foreign = [name for name in NAMES if (path / name).exists()]
    if foreign and not (path / "config.json").exists():
        raise InputError(
            f"{path} holds {foreign[0]}, which no run of Latentia's in it made: choose another "
            "directory"
        )


def _has_checkpoints(path: Path) -> bool:
    return any(path.glob("checkpoints/step_*.json")) or (path / "pretraining").exists()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    holder = path / "holder"

    def in_use() -> str:
        pid = _number(holder)
        return (
            f"{path} is in use by process {'unknown' if pid is None else pid}: wait for it, stop "
            "it, or choose another directory"
        )

    with held_folder(path, in_use):
        if holder.exists() and _number(holder) is None:
            raise InputError(f"{holder} is not Latentia's: choose another directory")
        try:
            with named_errors(holder):
                holder.write_text(str(os.getpid()), "utf-8")
            yield
        finally:
            with suppress(OSError):
                holder.unlink(missing_ok=True)


def _number(holder: Path) -> str | None:
    """Return the process that a file names, or None if it is no such file."""
    try:
        text = read_bytes(holder, most=20).decode()
    except (OSError, ValueError):
        return None
    return text if text.isdigit() or not text else None


def disk_taken(path: Path) -> str:
    """Return in a line what a run takes of the disk, and for what.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "report.html").write_bytes(bytes(2_500_000))
    ...     disk_taken(Path(folder)).removeprefix(folder)
    ': 2.5 MB: report and records 2.5 MB'
    """
    sizes = dict.fromkeys((*PARTS, "report and records"), 0)
    for file in path.rglob("*"):
        # What goes meanwhile, or is not to be looked at, is not counted.
        with suppress(OSError):
            if file.is_file() and not file.is_symlink():
                first = file.relative_to(path).parts[0]
                sizes[first if first in PARTS else "report and records"] += file.stat().st_size
    steps = len([*path.glob("checkpoints/step_*.safetensors")])
    best = " and the best" if (path / "checkpoints" / "best.safetensors").exists() else ""
    names = PARTS | {"checkpoints": f"{steps} checkpoint{'s' * (steps != 1)}{best}"}
    told = [f"{names.get(part, part)} {_rounded(n)}" for part, n in sizes.items() if n]
    return f"{path}: {_rounded(sum(sizes.values()))}: {', '.join(told)}"


def _rounded(n: int) -> str:
    if n < 1e5:
        return f"{max(n / 1e3, 1):.0f} kB"
    return f"{n / 1e6:.0f} MB" if n >= 10e6 else f"{n / 1e6:.1f} MB"
