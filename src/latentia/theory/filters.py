"""What a trained net's convolutions look for, and what they see in a picture.

Shapes: pictures are (n, H, W) or (n, C, H, W); a layer's maps are (n, filters, h, w).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latentia.errors import InputError
from latentia.models.inputs import unit_floats


@dataclass(frozen=True)
class FeatureMaps:
    """What one convolution makes of pictures, after the norm and the activation that follow it."""

    name: str
    """Such as "convolution 2, 3×3, stride 2"."""
    maps: NDArray[np.float32]
    """(n, filters, h, w)."""


def feature_maps(net: nn.Module, pictures: NDArray[Any]) -> list[FeatureMaps]:
    """Return the maps of each convolution of a net, in the order in which they are used.

    Parameters
    ----------
    net
        Such as a fitted model's ``encoder_``, or a classifier's ``features_``.
    pictures
        (n, H, W) or (n, C, H, W), uint8 or floats in [0, 1], as the model was trained on.
    """
    found: list[FeatureMaps] = []

    def watch(layer: nn.Module, _: object, output: object) -> None:
        if not isinstance(output, Tensor):
            return
        if isinstance(layer, nn.Conv2d):
            height, width = layer.kernel_size
            size = f"{height}×{width}, stride {layer.stride[0]}"
            found.append(FeatureMaps(f"convolution {len(found) + 1}, {size}", _array(output)))
        elif found and tuple(output.shape) == found[-1].maps.shape:
            found[-1] = FeatureMaps(found[-1].name, _array(output))

    leaves = [layer for layer in net.modules() if not list(layer.children())]
    hooks = [layer.register_forward_hook(watch) for layer in leaves]
    x = torch.from_numpy(np.ascontiguousarray(unit_floats(pictures), np.float32))
    mode = net.training
    try:
        with torch.no_grad():
            net.eval()(x[:, None] if x.ndim == 3 else x)
    finally:
        net.train(mode)
        for hook in hooks:
            hook.remove()
    if not found:
        raise InputError(f"this {type(net).__name__} has no convolutions")
    return found


def first_filters(net: nn.Module) -> NDArray[np.float32]:
    """Return the (filters, C, k, k) weights of a net's first convolution."""
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            return _array(layer.weight)
    raise InputError(f"this {type(net).__name__} has no convolutions")


def _array(values: Tensor) -> NDArray[np.float32]:
    return np.array(values.detach().cpu().numpy(), np.float32)
