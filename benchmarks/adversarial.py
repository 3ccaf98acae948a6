"""How fast GANs train, beside plain loops with the same nets.

    python benchmarks/adversarial.py [--mnist FOLDER] [--images 1280] [--rounds 3]

One thread, batches of 128, one epoch. In each round both systems train by turns in one process; the
table holds medians of the process's own CPU seconds, which other programs disturb least. The plain
loops are written as tutorials write them: real and fake batches through the discriminator, Adam,
the fake batch shared by both players; the script reads its images one by one through a DataLoader,
the in-memory loop slices an array. Latentia draws a fresh fake batch for the generator, as the
papers' algorithm 1 does. It also prints the largest difference between the lecture's upsampling and
its merged form.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

os.environ["LATENTIA_THREADS"] = "1"

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader
from training_peers import OneImage

import latentia
from latentia.nets.dcgan import UpsampledConvolution

BATCH, LATENT = 128, 100


def lecture_nets() -> tuple[nn.Module, nn.Module]:
    """Return the lecture's DCGAN for 28×28 images."""
    generator = nn.Sequential(
        nn.Linear(LATENT, 128 * 49), nn.LeakyReLU(0.2), nn.Unflatten(1, (128, 7, 7)),
        nn.Upsample(scale_factor=2), nn.Conv2d(128, 64, 5, padding=2), nn.LeakyReLU(0.2),
        nn.Upsample(scale_factor=2), nn.Conv2d(64, 1, 5, padding=2), nn.Tanh(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Conv2d(1, 64, 5, 2, 2), nn.LeakyReLU(0.2), nn.Dropout(0.3),
        nn.Conv2d(64, 128, 5, 2, 2), nn.LeakyReLU(0.2), nn.Dropout(0.3),
        nn.Flatten(), nn.Linear(128 * 49, 1),
    )  # fmt: skip
    return generator, discriminator


def dense_nets() -> tuple[nn.Module, nn.Module]:
    """Return the MLPs of `latentia.GAN`."""
    generator = nn.Sequential(
        nn.Linear(LATENT, 256), nn.LeakyReLU(0.2), nn.Linear(256, 512), nn.LeakyReLU(0.2),
        nn.Linear(512, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28)),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 512), nn.LeakyReLU(0.2), nn.Linear(512, 256),
        nn.LeakyReLU(0.2), nn.Linear(256, 1),
    )  # fmt: skip
    return generator, discriminator


def in_memory(images: np.ndarray) -> Iterator[Tensor]:
    """Yield batches of an array, scaled at once."""
    for first in range(0, len(images) - BATCH + 1, BATCH):
        yield torch.from_numpy(images[first : first + BATCH]).float().div(127.5).sub(1)[:, None]


def image_by_image(images: np.ndarray) -> Iterator[Tensor]:
    """Yield a DataLoader's batches of images that are read one by one."""
    for x in DataLoader(OneImage(images), BATCH, shuffle=True, drop_last=True):
        yield 2 * x - 1


def plain_loop(nets: tuple[nn.Module, nn.Module], batches: Iterator[Tensor]) -> None:
    """Train one epoch as tutorials do."""
    generator, discriminator = nets
    settings: dict[str, Any] = {"lr": 2e-4, "betas": (0.5, 0.999)}
    optimizers = [torch.optim.Adam(net.parameters(), **settings) for net in nets]
    for x in batches:
        fake = generator(torch.randn(len(x), LATENT))
        step(optimizers[1], verdict(discriminator(x), 1) + verdict(discriminator(fake.detach()), 0))
        step(optimizers[0], verdict(discriminator(fake), 1))


def verdict(logits: Tensor, target: float) -> Tensor:
    """Return the cross-entropy with a target."""
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Take one step."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def seconds(run: Callable[..., object], *given: object) -> float:
    """Return the CPU seconds of a call."""
    began = time.process_time()
    run(*given)
    return time.process_time() - began


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mnist", default="fashion-mnist-small", help="a folder, or a data set")
    parser.add_argument("--images", type=int, default=1280)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    images = np.array(latentia.load_data(given.mnist).x_train[: given.images])
    shared: dict[str, Any] = {"n_epochs": 1, "batch_size": BATCH, "random_state": 0}
    games = {
        "the lecture's DCGAN": (lecture_nets, latentia.DCGAN(architecture="lecture", **shared), 1),
        "MLP GAN": (dense_nets, latentia.GAN(**shared), 8),
    }
    layer = UpsampledConvolution(128, 64, 5)
    x = torch.randn(2, 128, 7, 7)
    large = functional.interpolate(x, scale_factor=2)
    plain = functional.conv2d(large, layer.weight, layer.bias, padding=2)
    difference = float((layer(x) - plain).detach().abs().max())
    print(f"merged upsampling differs by at most {difference:.1e}")
    print("| images/s, one thread, batch 128 | script | in-memory loop | latentia | ratios |")
    print("|---|---|---|---|---|")
    for name, (nets, model, copies) in games.items():
        data = np.concatenate([images] * copies)
        taken = [
            (
                seconds(plain_loop, nets(), image_by_image(data)),
                seconds(plain_loop, nets(), in_memory(data)),
                seconds(model.fit, data),
            )
            for _ in range(given.rounds)
        ]
        script, memory, ours = (median(column) for column in zip(*taken, strict=True))
        rates = " | ".join(f"{len(data) / spent:,.0f}" for spent in (script, memory, ours))
        print(f"| {name} | {rates} | {script / ours:.2f}, {memory / ours:.2f} |", flush=True)


if __name__ == "__main__":
    main()
