"""Models that others start from: given, or trained in a run of its own inside the other's run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from numpy.typing import NDArray

from latentia.models.gradient import GradientModel
from latentia.training.launch import leads

Start = TypeVar("Start", bound=GradientModel)
FOLDER = "pretraining"


def warm_start(
    first: Start,
    pretrained: str | None,
    load_from: Callable[[str], Start],
    array: NDArray[Any],
    run: Path | None,
    progress: bool | None,
) -> Start:
    """Return the model that another starts from: loaded, or trained in the run's ``pretraining``.

    Parameters
    ----------
    first
        The model to train if there is none yet.
    pretrained
        Folder of a saved one, or None.
    load_from
        Loads from a folder, and refuses another kind of model.
    array, run, progress
        The other model's data, run directory and choice of a progress bar.
    """
    folder = None if run is None else run / FOLDER
    if pretrained is not None:
        return load_from(pretrained)
    if folder is not None and (folder / "model").is_dir():
        return load_from(str(folder))
    resume = folder is not None and (folder / "config.json").exists()
    first.fit(array, run=folder, resume=resume, progress=progress)
    if folder is not None and leads():
        first.save(folder / "model")
    return first
