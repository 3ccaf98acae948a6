"""Models that others start from, each trained in a run of its own inside the other's run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from latentia.models.gradient import GradientModel
from latentia.training import distributed


def train_start(
    start: GradientModel, array: NDArray[Any], folder: Path | None, progress: bool | None
) -> None:
    """Train a model in a folder, go on if that was begun, and keep the model; none leaves no files.

    The folder holds no finished model yet.
    """
    resume = folder is not None and (folder / "config.json").exists()
    start.fit(array, run=folder, resume=resume, progress=progress)
    if folder is not None and distributed.leads():
        start.save(folder / "model")
