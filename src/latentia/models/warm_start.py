"""Models that others start from: given, or trained in a run of its own inside the other's run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from latentia.models.gradient import GradientModel
from latentia.training.distributed import broadcast
from latentia.training.launch import leads

Start = TypeVar("Start", bound=GradientModel)
FOLDER = "pretraining"


def warm_start(
    first: Start,
    pretrained: str | None,
    load_from: Callable[[str], Start],
    data: tuple[NDArray[Any], Any],
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
    data
        The other model's X and y, or None for a model that takes no y.
    run, progress
        Its run directory and choice of a progress bar.
    """
    folder = None if run is None else run / FOLDER
    if pretrained is not None:
        return load_from(pretrained)
    # What the first process finds counts for all: it writes there while others come to look.
    there = [folder is not None and (folder / name).exists() for name in ("model", "config.json")]
    trained, begun = broadcast(np.array(there, dtype=np.float64)).astype(bool).tolist()
    if trained:
        return load_from(str(folder))
    first.fit(*data, run=folder, resume=begun, progress=progress)
    if folder is not None and leads():
        first.save(folder / "model")
    return first
