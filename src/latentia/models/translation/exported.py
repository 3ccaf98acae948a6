"""What models from image to image offer to be exported: translations, and their judges' verdicts.

Shapes: images go in and come out as the verbs have them, in [0, 1]; verdicts are (N, h, w), one for
each patch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from latentia.models.apply import eager
from latentia.models.exported import Exported, Quantity, into_nets, out_of_nets, public_shape
from latentia.models.translation.base import inside
from latentia.training.device import full_precision
from latentia.training.train import evaluating

Shape = tuple[int, ...]


def image(model: Any, name: str, shape: Shape, words: str, free: int = 0) -> Quantity:
    """Return the quantity that is an image of a shape, in the layout of ``fit``."""
    return Quantity(name, "image", public_shape(model, shape), words, 0.0, 1.0, free=free)


def way(
    model: Any, name: str, net: nn.Module, shapes: tuple[Shape, Shape], verb: Callable[[Any], Any]
) -> Exported:
    """Return the translation by a method of this name, of images of one shape to another."""
    there, back = shapes
    free = free_sides(net, there)
    x = image(model, "x", there, "the image that is translated", free)
    y = image(model, "y", back, "what it becomes", free)

    def translate(x: Tensor) -> Any:
        return out_of_nets(model, getattr(model, name)(into_nets(model, x, there)), back)

    return Exported(name, translate, verb, (x,), (y,))


def critic(
    name: str, model: Any, net: nn.Module, seen: Sequence[Quantity], logits: bool
) -> Exported:
    """Return a judge's verdicts on images that it sees side by side, as probabilities of logits."""
    shapes = [model.data_shape_ if q.name == "x" else model.output_shape_ for q in seen]

    def judge(*images: Tensor) -> Tensor:
        shown = [inside(into_nets(model, u, shape)) for u, shape in zip(images, shapes)]
        verdicts: Tensor = full_precision(net(torch.cat(shown, 1)))[:, 0]
        return verdicts.sigmoid() if logits else verdicts

    kind = next(net.parameters()).dtype
    with torch.no_grad(), evaluating({"net": net}):
        patches = judge(*(torch.zeros(1, *q.shape, dtype=kind) for q in seen)).shape[1:]
    words = "of each patch that it is real"
    found = Quantity("probability", "probabilities", tuple(patches), words, 0.0, 1.0)
    if not logits:
        found = Quantity("score", "score", tuple(patches), "of each patch, near 1 if it is real")
    return Exported(name, judge, partial(eager, model, judge), tuple(seen), (found,))


def free_sides(net: nn.Module, shape: Shape) -> int:
    """Return what multiples the sides of images may be that a net takes as they are; 0: no others.

    A net of the user's own does not say.
    """
    multiple, sides = int(getattr(net, "multiple", 0)), shape[-2:]
    return multiple if multiple and not any(side % multiple for side in sides) else 0


def both_ways(model: Any) -> tuple[Exported, ...]:
    """Return the translations from A to B and back, and the verdicts on images of each domain."""
    shapes = (model.data_shape_, model.data_shape_)
    seen = (image(model, "x", model.data_shape_, "the image that is judged"),)
    logits = model.objective == "cross_entropy"
    return (
        way(model, "translate", model.generator_ab_, shapes, model.transform),
        way(model, "translate_back", model.generator_ba_, shapes, model.inverse_transform),
        critic("critic_a", model, model.discriminator_a_, seen, logits),
        critic("critic_b", model, model.discriminator_b_, seen, logits),
    )


def enlargement(model: Any, net: Callable[[Tensor], Tensor], shape: Shape, free: int) -> Exported:
    """Return what a function of small images of a shape, (h, w) or (C, h, w), makes of them."""
    large = (*shape[:-2], *(side * model.scale for side in shape[-2:]))
    x = image(model, "x", shape, "the small image", free)
    y = image(model, "y", large, f"the image {model.scale} times larger", free)

    def upscale(x: Tensor) -> Any:
        return out_of_nets(model, net(into_nets(model, x)), large)

    return Exported("upscale", upscale, model.transform, (x,), (y,))
