"""What a model has of the user's own, as it is recorded, and given again when it is loaded.

A class is recorded by its name, a net by its form. Neither is code, which nothing here runs.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from latentia import INSTRUMENTS, MODELS
from latentia.errors import InputError, is_own_net, shown
from latentia.models.fields import NamedFields

Homes = Mapping[str, str | type]
"""Where the classes of models are, by their names: a module, or the class itself."""

CHOSEN = ("n_epochs", "batch_size")
"""Parameters of which a fitted model keeps what it chose for none."""


def homes_of(classes: Sequence[type]) -> Homes:
    """Return the homes of all classes that may be loaded, the user's own among them."""
    listed = isinstance(classes, list | tuple | set)
    for kind in classes if listed else (classes,):
        if not (listed and isinstance(kind, NamedFields)):
            raise InputError(
                f"classes is {shown(classes)}; give a list of classes that derive from Latentia's, "
                "such as [MyVAE]"
            )
    return {**{kind.__name__: kind for kind in classes}, **MODELS, **INSTRUMENTS}


def recorded(model: Any) -> dict[str, Any]:
    """Return a model's parameters as ``config.json`` keeps them: of a net, only what it is."""
    return {k: described(v) if is_own_net(v) else v for k, v in model.get_params().items()}


def told(model: Any) -> dict[str, Any]:
    """Return a model's parameters as reports print them: what it chose in the place of none."""
    came_to, given = vars(model), recorded(model)
    open_to_it = [name for name in CHOSEN if name in given and given[name] is None]
    chosen = {k: f"{came_to[k + '_']} (chosen)" for k in open_to_it if k + "_" in came_to}
    return given | chosen


def own_nets(model: Any) -> dict[str, Any]:
    """Return the nets of the user's own that a model is given, by their fields."""
    return {name: value for name, value in model.get_params().items() if is_own_net(value)}


def with_names_of_nets(model: Any) -> Any:
    """Return a copy of a model to be shown, with the class alone of each net of the user's own."""
    shown = copy.copy(model)
    vars(shown).update({k: _Named(type(net).__name__) for k, net in own_nets(model).items()})
    return shown


class _Named(str):
    """A net as it is shown: its class alone."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{self}(...)"


def described(net: Any) -> dict[str, str]:
    """Return the class of a net of the user's own, and a hash of its layers."""
    layers = re.sub(r" at 0x[0-9a-f]+", "", repr(net))
    return {"own_net": type(net).__name__, "layers": sha256(layers.encode()).hexdigest()[:16]}


def class_name(model: Any) -> str:
    """Return the name that a model is recorded by; refuse a class that bears another's."""
    name, home = type(model).__name__, type(model).__module__
    if (MODELS | INSTRUMENTS).get(name, home) != home:
        raise InputError(
            f"the class {name} of your own bears the name of one of Latentia's, by which it would "
            "be taken for it when it is loaded: give it another name"
        )
    return name


def with_nets(
    parameters: Mapping[str, Any], nets: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Return parameters with the user's own nets in the places of what was recorded of them."""
    if not isinstance(nets, Mapping):
        raise InputError(f"nets is {shown(nets)}; give them by name, as {{'encoder': net}}")
    own = {name: what for name, what in parameters.items() if isinstance(what, Mapping)}
    call = ", ".join(f"{name!r}: {what.get('own_net')}(...)" for name, what in own.items())
    for name, net in nets.items():
        if name not in own or not is_own_net(net):
            known = f"it takes {{{call}}}" if own else "it has none"
            raise InputError(
                f"nets holds {name!r}, which is no net of the model in {folder}: {known}"
            )
    for name, what in own.items():
        if name not in nets:
            raise InputError(
                f"the model in {folder} has a net of your own as {name}: give it, in Python, by "
                f"latentia.load({str(folder)!r}, nets={{{call}}})"
            )
        if described(nets[name]) != what:
            there, here = map(_in_words, (what, described(nets[name])))
            raise InputError(
                f"the model in {folder} was saved with another {name}: {there} there, {here} here"
            )
    return {**parameters, **nets}


def _in_words(net: Mapping[str, str]) -> str:
    return f"{net.get('own_net')} of layers {net.get('layers')}"
