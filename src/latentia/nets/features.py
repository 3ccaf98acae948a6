"""Networks trained on photographs, in whose layers images are compared.

    SqueezeNet 1.0: the output of fire8 (features.10), 512 channels at an eighth of the size
    VGG-19: φ_{5,4}, the last convolution after ReLU (features.35), 512 channels at a sixteenth

Weights come from a file that the user has, with the key names of the common model hubs; its keys
say which of the two nets it holds. A feature network's name is part of the name of every result
that was had with it.

Shapes: ``x`` is (N, 1, H, W) or (N, 3, H, W) in [0, 1]; features are (N, 512, h, w).

References
----------
.. [1] F. N. Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and
   <0.5MB model size", 2016.
.. [2] K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
   Recognition", ICLR 2015.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn.functional import relu

from latentia.errors import InputError

SQUEEZENET_FACTOR = 1 / 354
"""What makes the features of bicubic ×4 differ from those of sharp images (T91, 96 pixels) as much
as their pixels in [−1, 1] do, in mean squares: the SRGAN paper's rule for VGG-19."""
VGG19_FACTOR = 1 / 12.75
"""The SRGAN paper's, section 3.2."""
SQUEEZENET_KEY, VGG19_KEY = "features.10.expand3x3.weight", "features.34.weight"
FIRES = {
    3: (96, 16),
    4: (128, 16),
    5: (128, 32),
    7: (256, 32),
    8: (256, 48),
    9: (384, 48),
    10: (384, 64),
}
"""Channels that come in and squeezed ones, of each fire module by its number."""
VGG19_WIDTHS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0) + (512,) * 4
"""Channels of each convolution; 0 is pooling."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue in [0, 1]."""
Inputs = Literal["standardised", "bytes"]
"""What a net was trained on: (x − mean) / deviation, or 255 (x − mean)."""


@dataclass(frozen=True)
class FeatureNetwork:
    """A network that gives features of images, with the name that its results carry.

    Gradients flow through it to the images and never into it.
    """

    name: str
    """For tables and file names."""
    net: Callable[[Tensor], Tensor]
    """(N, C, H, W) images in [0, 1] to features; a module is to be in evaluation mode."""
    factor: float = 1.0
    """What features are multiplied by before they are compared (1/12.75 for VGG-19 in SRGAN)."""
    smallest: int = 1
    """The shortest side in pixels that it takes."""

    def __call__(self, x: Tensor) -> Tensor:
        """Return the features times the factor, in the images' precision."""
        return self.factor * self.net(x)

    def to(self, device: torch.device) -> FeatureNetwork:
        """Return itself, with its module if it has one on a device."""
        if isinstance(self.net, nn.Module):
            self.net.to(device)
        return self


class Fire(nn.Module):
    """SqueezeNet's module: fewer channels, then 1×1 and 3×3 convolutions side by side."""

    def __init__(self, n_in: int, n_squeezed: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(n_in, n_squeezed, 1)
        self.expand1x1 = nn.Conv2d(n_squeezed, 4 * n_squeezed, 1)
        self.expand3x3 = nn.Conv2d(n_squeezed, 4 * n_squeezed, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, 8 · n_squeezed, h, w)."""
        squeezed = relu(self.squeeze(x))
        return torch.cat([relu(self.expand1x1(squeezed)), relu(self.expand3x3(squeezed))], 1)


class PhotographFeatures(nn.Module):
    """Layers of a net of photographs, for images in [0, 1], grey ones in three channels."""

    shift: Tensor
    gain: Tensor

    def __init__(self, features: nn.Sequential, inputs: Inputs) -> None:
        super().__init__()
        self.features = features
        deviation = DEVIATION if inputs == "standardised" else (1 / 255,) * 3
        gain = torch.tensor(deviation).reciprocal()
        self.register_buffer("shift", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("gain", gain[:, None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the last layer's output."""
        found: Tensor = self.features((x - self.shift) * self.gain)
        return found


def squeezenet_layers() -> nn.Sequential:
    """Return SqueezeNet 1.0 up to fire8."""
    layers: dict[str, nn.Module] = {"0": nn.Conv2d(3, 96, 7, stride=2), "1": nn.ReLU()}
    for number in range(2, 11):
        pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        layers[str(number)] = Fire(*FIRES[number]) if number in FIRES else pool
    return nn.Sequential(OrderedDict(layers))


def vgg19_layers() -> nn.Sequential:
    """Return VGG-19 up to the ReLU of its last convolution."""
    layers: list[nn.Module] = []
    n_in = 3
    for n_out in VGG19_WIDTHS:
        layers += [nn.Conv2d(n_in, n_out, 3, padding=1), nn.ReLU()] if n_out else [nn.MaxPool2d(2)]
        n_in = n_out or n_in
    return nn.Sequential(*layers)


def squeezenet(tensors: Mapping[str, Tensor], inputs: Inputs = "bytes") -> FeatureNetwork:
    """Return SqueezeNet 1.0; the authors trained on bytes, copies in other frameworks not all."""
    net = _filled(squeezenet_layers(), tensors, inputs)
    return FeatureNetwork("SqueezeNet 1.0 fire8", net, SQUEEZENET_FACTOR, smallest=32)


def vgg19(tensors: Mapping[str, Tensor], inputs: Inputs = "standardised") -> FeatureNetwork:
    """Return VGG-19, named VGG54 as in the SRGAN paper."""
    net = _filled(vgg19_layers(), tensors, inputs)
    return FeatureNetwork("VGG54", net, VGG19_FACTOR, smallest=16)


def load_features(path: str | Path) -> FeatureNetwork:
    """Return the feature network whose weights a file holds, SqueezeNet 1.0 or VGG-19.

    The file is ``.safetensors``, or ``.npz`` without pickled objects, with keys such as
    ``features.0.weight``.
    """
    tensors = _read(Path(path))
    if SQUEEZENET_KEY in tensors:
        return squeezenet(tensors)
    if VGG19_KEY in tensors:
        return vgg19(tensors)
    raise InputError(f"{path} holds neither SqueezeNet 1.0 nor VGG-19: it lacks their key names")


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load(path.read_bytes())
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                return {name: torch.from_numpy(arrays[name]).float() for name in arrays.files}
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"the feature network in {path} cannot be read: {error}") from None
    raise InputError(f"{path} is of no known kind; give weights as .safetensors or .npz")


def _filled(
    layers: nn.Sequential, tensors: Mapping[str, Tensor], inputs: Inputs
) -> PhotographFeatures:
    wanted = layers.state_dict()
    found = {key: tensors.get(f"features.{key}") for key in wanted}
    for key, value in found.items():
        if value is None or value.shape != wanted[key].shape:
            shape = "missing" if value is None else f"of shape {tuple(value.shape)}"
            raise InputError(
                f"features.{key} is {shape}; it must be of shape {tuple(wanted[key].shape)}"
            )
    layers.load_state_dict({key: value for key, value in found.items() if value is not None})
    return PhotographFeatures(layers, inputs).eval().requires_grad_(False)
