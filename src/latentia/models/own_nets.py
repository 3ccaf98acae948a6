"""Nets of the user's own in the place of a model's: copied, tried on a batch, and then trained.

A model states for each net what it maps to what. The net that is given stays as it was.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from latentia.errors import InputError, is_own_net

TRIED = 2
"""Samples of the batch that a net is tried on."""
Shape = tuple[int, ...]


class Maps(NamedTuple):
    """What a net maps to what, as shapes of one sample; ``words`` say what it gives.

    ``takes`` has a shape for each argument. Where ``gives`` ends in -1, any sizes may follow. A net
    that ends in one of the layers ``unlike`` gives something else.
    """

    takes: tuple[Shape, ...]
    gives: Shape
    words: str
    unlike: tuple[type[nn.Module], ...] = ()


PROBABILITIES = (nn.Sigmoid, nn.Softmax, nn.LogSoftmax, nn.LogSigmoid)
"""Layers after which there are no logits any more."""


def mirrored(
    shape: Shape, n_codes: int, k: int, n_given: int, in_unit_range: bool
) -> Mapping[str, Maps]:
    """Return what an encoder and a decoder map to what, of samples of a shape and k components.

    Both see ``n_given`` further numbers as a second argument, if there are any.
    """
    beside = ((n_given,),) if n_given else ()
    code = f"the code of {k} components"
    if n_codes == 2 * k:
        code = f"mean and log-variance of {k} components side by side"
    unlike: tuple[type[nn.Module], ...] = ()
    sample = "a sample in its columns' standard units"
    if in_unit_range:
        sample, unlike = "a sample's logits, which a sigmoid brings to [0, 1]", PROBABILITIES
    return {
        "encoder": Maps((shape, *beside), (n_codes,), code),
        "decoder": Maps(((k,), *beside), shape, sample, unlike),
    }


def take(model: Any, maps: Mapping[str, Maps]) -> None:
    """Give a model copies of the nets among these fields that are of the user's own.

    The copy of ``encoder`` is ``encoder_``, on the CPU, in float32.

    Raises
    ------
    InputError
        If nets share weights, cannot be copied, or do not map what they are to: with the shape
        that was expected and the one that came.
    """
    given = {name: net for name in maps if is_own_net(net := getattr(model, name))}
    _refuse_shared(given)
    for name, net in given.items():
        made = _copied(name, net)
        _try(name, type(model).__name__, made, maps[name])
        setattr(model, f"{name}_", made)


def _refuse_shared(nets: Mapping[str, nn.Module]) -> None:
    owner: dict[int, str] = {}
    for name, net in nets.items():
        for weight in net.parameters():
            if owner.setdefault(id(weight), name) != name:
                raise InputError(
                    f"{owner[id(weight)]} and {name} share weights; give each a net of its own"
                )


def _copied(name: str, net: nn.Module) -> nn.Module:
    try:
        made = copy.deepcopy(net).to("cpu", torch.float32)
        made.register_forward_pre_hook(_contiguous)
        return made
    except (RuntimeError, TypeError) as error:
        raise InputError(f"{name} cannot be copied and hooked: {_in_a_line(error)}") from None


def _contiguous(net: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Return inputs as most nets take them to be: ``view`` fails on windows and turned images."""
    return tuple(part.contiguous() for part in inputs)


def _try(name: str, owner: str, net: nn.Module, maps: Maps) -> None:
    """Refuse a net that does not map a batch as it should, tried in evaluation mode."""
    batch = [torch.rand(TRIED, *shape) for shape in maps.takes]
    shapes = " and ".join(str(tuple(part.shape)) for part in batch)
    net.eval()
    try:
        with torch.no_grad():
            found = net(*batch)
    except Exception as error:
        raise InputError(
            f"{name} fails on what {owner} gives it of {TRIED} samples, {shapes}: "
            f"{_in_a_line(error)}"
        ) from error
    if not isinstance(found, Tensor):
        raise InputError(f"{name} gives a {type(found).__name__}; {owner} needs a tensor")
    if found.dtype != torch.float32:
        raise InputError(f"{name} gives {found.dtype}; {owner} needs torch.float32, as it is given")
    wanted, any_after = (TRIED, *maps.gives), maps.gives[-1:] == (-1,)
    least = wanted[:-1] if any_after else wanted
    if found.shape[: len(least)] != least or not (any_after or found.ndim == len(least)):
        needs = str(wanted).replace("-1", "...")
        raise InputError(f"{name} gives {tuple(found.shape)}; {owner} needs {needs}: {maps.words}")
    last = list(net.modules())[-1]
    if isinstance(last, maps.unlike):
        raise InputError(
            f"{name} ends in a {type(last).__name__}; {owner} needs {maps.words}: leave that "
            "layer out"
        )


def _in_a_line(error: Exception) -> str:
    return " ".join(f"{error}".split()) or type(error).__name__
