"""Training that begins with the weights of a fitted model: on more, or on other data.

The nets see data in the units that they were trained in, so the scales that were learnt then stay.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import nn

from latentia.errors import InputError
from latentia.files import as_path
from latentia.models.own_parts import own_nets
from latentia.models.places import is_elsewhere
from latentia.models.saved import load

START = "start"
"""The folder in a run of the model that it began with."""
UNITS = (
    "unit_range_",
    "n_principal_",
    "photographic_",
    "column_mean_",
    "column_scale_",
    "mean_",
    "scale_",
    "condition_mean_",
    "condition_scale_",
)
"""Learned attributes that say in which units the nets see data."""

OF_TRAINING = (
    "n_epochs",
    "batch_size",
    "learning_rate",
    "learning_rate_schedule",
    "ema_decay",
    "device",
    "precision",
    "random_state",
    "patience",
)
"""Parameters that make no net another one."""


def beginning_of(model: Any, given: Any) -> Any:
    """Return the fitted model that another is to start from, or refuse one of another class."""
    found = given
    if isinstance(given, str | Path):
        path = as_path(given, "start_from")
        found = load(path, classes=[type(model)], nets=own_nets(model))
    if type(found) is not type(model):
        raise InputError(
            f"start_from is {told_of(given)}, a {type(found).__name__}; training of a "
            f"{type(model).__name__} starts from another {type(model).__name__}"
        )
    check_is_fitted(found)
    # Its parameters may have been changed since, for what is to be trained now.
    return copy.copy(found).set_params(**vars(found)["_settings"])


def told_of(given: Any) -> str:
    """Return in words what training starts from: a path, or a model in memory."""
    if isinstance(given, str | Path):
        return str(given if is_elsewhere(given) else Path(given).absolute())
    return f"a fitted {type(given).__name__}"


def take_units(model: Any, start: Any) -> None:
    """Let a model see data in the units in which the one that it starts from saw them."""
    theirs, ours = vars(start), vars(model)
    if theirs.get("unit_range_") and not ours["unit_range_"]:
        raise InputError(
            "the model to start from was trained on data in [0, 1], and X leaves it: scale X, or "
            "train anew"
        )
    if "classes_" in theirs and not _same(theirs["classes_"], ours.get("classes_")):
        raise InputError(
            f"the model to start from knows the classes {_listed(theirs['classes_'])}; y holds "
            f"{_listed(ours.get('classes_'))}: give the same ones, or train anew"
        )
    for name in UNITS:
        found = getattr(start, name, None)
        if found is not None:
            setattr(model, name, found)


def _same(theirs: NDArray[Any], ours: NDArray[Any] | None) -> bool:
    return ours is not None and np.array_equal(theirs, ours)


def _listed(classes: NDArray[Any] | None) -> str:
    names = [] if classes is None else [str(name) for name in classes.tolist()]
    return ", ".join([*names[:8], "..."] if len(names) > 8 else names) or "none"


def take_weights(model: Any, start: Any) -> None:
    """Fill a model's new nets with the weights of the one that it starts from.

    A net that only one of them has, as the judge of a game that starts from L1 alone, is left as it
    is, and so is what a net keeps beside its weights of each training sample.
    """
    theirs, ours = start.nets(), model.nets()
    for name in theirs.keys() & ours.keys():
        if layers_of(theirs[name]) != layers_of(ours[name]):
            raise InputError(f"the model to start from has other nets: {_differing(start, model)}")
        own, fitted = ours[name].state_dict(), theirs[name].state_dict()
        same = {key: value for key, value in fitted.items() if value.shape == own[key].shape}
        ours[name].load_state_dict(own | same)


def layers_of(net: nn.Module) -> list[tuple[str, list[tuple[int, ...]]]]:
    """Return each layer's kind and the shapes of its weights."""
    return [
        (type(layer).__name__, [tuple(p.shape) for p in layer.parameters(recurse=False)])
        for layer in net.modules()
    ]


def _differing(start: Any, model: Any) -> str:
    """Return in words what may be why the nets of two models of a class differ."""
    there, here = ({"shape of a sample": m.sample_shape_} | m.get_params() for m in (start, model))
    names = [name for name in there if there[name] != here[name] and name not in OF_TRAINING]
    return ", ".join(f"{name} {there[name]!r} there and {here[name]!r} here" for name in names)
