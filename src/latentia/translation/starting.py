"""Where SRGAN starts from: an SRResNet with the same net, saved before or trained first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from latentia.errors import InputError
from latentia.saved import load
from latentia.starts import train_start
from latentia.translation.srresnet import SRResNet
from latentia.translation.upscaling import UpscalingModel

SAME = ("n_channels", "scale", "n_blocks", "width", "batch_norm", "beside")
"""What makes the net what it is."""


def saved_start(model: UpscalingModel, folder: str) -> SRResNet:
    """Return the SRResNet in a folder.

    Raises
    ------
    InputError
        If there is none, or it has another net than the model.
    """
    start = load(folder)
    if not isinstance(start, SRResNet):
        raise InputError(
            f"{folder} holds a {type(start).__name__}; {type(model).__name__} starts from SRResNet"
        )
    for name in SAME:
        theirs, ours = getattr(start, name), getattr(model, name)
        if theirs != ours:
            raise InputError(f"the SRResNet in {folder} has {name} {theirs!r}; here it is {ours!r}")
    return start


def trained_start(
    model: UpscalingModel,
    array: NDArray[Any],
    folder: Path | None,
    progress: bool | None,
    n_epochs: int,
    learning_rate: float,
) -> SRResNet:
    """Train an SRResNet with the model's net on its data, in a run of its own, and return it."""
    start = SRResNet(
        scale=model.scale,
        n_blocks=model.n_blocks,
        width=model.width,
        batch_norm=model.batch_norm,
        beside=model.beside,
        patch=model.patch,
        turn=model.turn,
        n_epochs=n_epochs,
        learning_rate=learning_rate,
        learning_rate_schedule=model.learning_rate_schedule,
        batch_size=model.batch_size,
        device=model.device,
        random_state=model.seed_,
    )
    train_start(start, array, folder, progress)
    return start
