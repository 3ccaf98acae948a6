"""How fast models train, beside scripts and libraries, as a share of the machine's matrix rate.

    python benchmarks/training.py [--mnist FOLDER] [--images 12800] [--rounds 3]

One thread. In each round every system trains the same net from scratch on the same images for two
epochs, by turns in one process, and a large matrix product is timed beside each; the table holds
medians over the rounds. Seconds are the process's own CPU seconds, which other programs on the
machine disturb least. The loss is the one that each reached on 2,000 test images, by one yardstick.
Peers are in ``benchmarks/training_peers.py``; pythae takes part if it is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import logging
import os
import time
import warnings
from collections.abc import Callable
from statistics import median
from typing import Any

os.environ["LATENTIA_THREADS"] = "1"

import numpy as np
import torch
from torch.nn import functional
from training_peers import (
    kl_of,
    library_vae,
    memory_vae,
    script_denoiser,
    script_vae,
)

import latentia

EPOCHS = 2
SIDE = 1536
VAE_PRODUCTS = 3 * (784 * 400 + 400 * 40 + 20 * 400 + 400 * 784) - 784 * 400
"""Multiplications and additions, two each below, for one image: forward, and backward twice, but
for the gradient of the data."""


def latentia_vae(images: np.ndarray, batch_size: int, n_epochs: int) -> Any:
    """Train Latentia's VAE."""
    model = latentia.VAE(
        n_components=20,
        hidden=(400,),
        activation="relu",
        ema_decay=None,
        batch_size=batch_size,
        n_epochs=n_epochs,
        random_state=0,
    ).fit(images)

    def outputs(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        q = model.posterior(x)
        return model.decoder_(q.rsample()).flatten(1), q.loc, 2 * q.scale.log()

    return outputs


def latentia_denoiser(images: np.ndarray, batch_size: int, n_epochs: int) -> Any:
    """Train Latentia's denoising autoencoder."""
    model = latentia.DenoisingAutoencoder(
        batch_size=batch_size, n_epochs=n_epochs, random_state=0
    ).fit(images)
    return lambda x: model.decode(model.encode(x))


def negative_elbo(outputs: Any, x: torch.Tensor) -> float:
    """Return −ELBO in nats an image."""
    torch.manual_seed(1)
    logits, mean, log_variance = outputs(x)
    reconstruction = functional.binary_cross_entropy_with_logits(
        logits.flatten(1), x.flatten(1), reduction="sum"
    )
    return float((reconstruction + kl_of(mean, log_variance)) / len(x))


def denoising_error(restore: Any, x: torch.Tensor) -> float:
    """Return the squared error of an image restored from noise."""
    torch.manual_seed(1)
    noisy = (x + 0.3 * torch.randn(x.shape)).clip(0, 1)
    return float((restore(noisy) - x).square().flatten(1).sum(1).mean())


def matrix_seconds() -> float:
    """Return the CPU seconds of one large product."""
    a, b = torch.randn(SIDE, SIDE), torch.randn(SIDE, SIDE)
    taken = []
    for _ in range(4):
        began = time.process_time()
        torch.mm(a, b)
        taken.append(time.process_time() - began)
    return median(taken)


def table(
    title: str,
    systems: dict[str, Callable[..., Any]],
    measure: Callable[[Any, torch.Tensor], float],
    images: tuple[np.ndarray, torch.Tensor],
    batch_size: int,
    rounds: int,
    products: int | None,
) -> None:
    """Time the systems by turns and print their lines."""
    train, test = images
    seconds: dict[str, list[float]] = {name: [] for name in systems}
    rates: dict[str, list[float]] = {name: [] for name in systems}
    losses: dict[str, float] = {}
    for _ in range(rounds):
        for name, fit in systems.items():
            product = matrix_seconds()
            began = time.process_time()
            with (
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                outputs = fit(train, batch_size, EPOCHS)
            taken = time.process_time() - began
            product = (product + matrix_seconds()) / 2
            seconds[name].append(taken)
            if products is not None:
                work = 2 * products * len(train) * EPOCHS
                rates[name].append(work / taken / (2 * SIDE**3 / product))
            with torch.no_grad():
                losses[name] = measure(outputs, test)
    print(f"\n{title}, batches of {batch_size}: {len(train):,} images, {EPOCHS} epochs")
    print(f"{'':<34}{'images/s':>10}{'matrix rate':>13}{'x slower':>10}{'loss':>9}")
    best = median(seconds["latentia"])
    for name in systems:
        rate = len(train) * EPOCHS / median(seconds[name])
        share = f"{median(rates[name]):.0%}" if products is not None else "-"
        slower = median(seconds[name]) / best
        print(f"{name:<34}{rate:>10,.0f}{share:>13}{slower:>10.2f}{losses[name]:>9.2f}", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mnist", default="fashion-mnist-small", help="a folder, or a data set")
    parser.add_argument("--images", type=int, default=12_800)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    data = latentia.load_data(given.mnist)
    train = np.ascontiguousarray(data.x_train[: given.images])
    test = torch.from_numpy(np.array(data.x_test[:2000])).float().div(255).unsqueeze(1)
    vaes = {"script, one image at a time": script_vae}
    if importlib.util.find_spec("pythae") is None:
        print("pythae is not installed and takes no part")
    else:
        vaes["pythae"] = library_vae
    vaes |= {"in memory, logits, fused Adam": memory_vae, "latentia": latentia_vae}
    print("one thread, CPU seconds, medians")
    for batch_size in (128, 512):
        table(
            "VAE 784-400-20",
            vaes,
            negative_elbo,
            (train, test),
            batch_size,
            given.rounds,
            VAE_PRODUCTS,
        )
    denoisers = {"script, one image at a time": script_denoiser, "latentia": latentia_denoiser}
    table(
        "convolutional denoising autoencoder",
        denoisers,
        denoising_error,
        (train, test),
        128,
        given.rounds,
        None,
    )


if __name__ == "__main__":
    main()
