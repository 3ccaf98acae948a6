"""One training step of each image-to-image game, beside the reference programs' way to take it.

    python benchmarks/translation.py [--rounds 3] [--steps 3] [--only pix2pix cyclegan srgan]
        [--precisions float32 bfloat16] [--write docs/translation_speed.md]

pix2pix: U-Net-256 of 64 filters, 70×70 PatchGAN, 256×256, a batch of one. CycleGAN: nine residual
blocks of 64 filters, 128×128, a batch of one. SRGAN: 16 blocks, 96×96 crops, batches of 16, a
content loss of pixels. Random images; dropout, jitter and mirroring are off on both sides. One
thread; in each round both systems take their steps by turns in one process, and the table holds
medians of the process's own CPU seconds over rounds, their ratio, the share of the convolution
rate, which is measured in between, that Latentia's step reaches, and each system's peak of memory,
measured in a process of its own. The reference and the convolution rate are float32 throughout;
Latentia computes in bfloat16 on a CPU where LATENTIA_PRECISION asks for it, and lines named so are
such runs: only a processor that multiplies bfloat16 gains by it.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

os.environ["LATENTIA_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
import translation_peers as peers
from torch import nn

import latentia
from latentia.evaluation.profiling import Bench
from latentia.files import write_atomically
from latentia.training.device import set_threads
from latentia.training.run import Run
from latentia.training.train import train

CPU = torch.device("cpu")
SHARED: dict[str, Any] = {"n_epochs": 1, "random_state": 0, "device": "cpu"}
SIDES = {"pix2pix": 256, "cyclegan": 128, "srgan": 96}
BATCHES = {"pix2pix": 1, "cyclegan": 1, "srgan": 16}
PRECISIONS = ("float32", "bfloat16")
GOALS = "goals: 1.5 times the reference's speed, 60 % of the convolution rate, no more memory"


def model_of(name: str) -> Any:
    """Return the estimator of a game at the paper's size."""
    if name == "pix2pix":
        still: dict[str, Any] = {"dropout": 0.0, "jitter": 0.0, "mirror": False}
        return latentia.Pix2Pix(width=64, norm="batch", batch_size=1, **still, **SHARED)
    if name == "cyclegan":
        sizes: dict[str, Any] = {"width": 64, "n_blocks": 9}
        return latentia.CycleGAN(batch_size=1, mirror=False, **sizes, **SHARED)
    plain: dict[str, Any] = {"beside": "nothing", "turn": False, "pretrain_epochs": 1}
    return latentia.SRGAN(n_blocks=16, width=64, patch=96, batch_size=16, **plain, **SHARED)


def data_of(name: str, n_steps: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Return random images for so many steps, and what they are paired with."""
    side, n = SIDES[name], BATCHES[name] * n_steps
    draw = np.random.default_rng(0)
    x, y = (draw.random((n, 3, side, side), dtype=np.float32) for _ in range(2))
    if name == "pix2pix":
        return x, y
    if name == "cyclegan":
        return np.concatenate([x, y]), np.repeat([0, 1], n)
    return x, None


def ours(name: str, n_steps: int) -> Callable[[], list[float]]:
    """Return what takes Latentia's steps and returns the CPU seconds of all but the first."""
    x, y = data_of(name, n_steps)
    model = prepared(name, x, y)

    def run() -> list[float]:
        moments: list[float] = []

        def watch(step: int, epoch: int, images: int, values: Mapping[str, float]) -> None:
            moments.append(time.process_time())

        source = model.read(x, y, reset=True)
        train(model, source, None, Run(None), watch, CPU)
        return [float(taken) for taken in np.diff(moments)]

    return run


def prepared(name: str, x: np.ndarray, y: np.ndarray | None) -> Any:
    """Return a model whose nets are made and ready to be trained."""
    model = model_of(name)
    model.validate_parameters()
    model.data_shape_, model.seed_ = x.shape[1:], 0
    source = model.read(x, y, reset=True)
    model.before_nets(x[: BATCHES[name]], None, None, False)
    model.prepare_machine()
    model.initialise(source, CPU)
    return model


def reference(name: str, n_steps: int) -> Callable[[], list[float]]:
    """Return what takes the reference's steps and returns the CPU seconds of all but the first."""
    makers = {
        "pix2pix": peers.ReferencePix2Pix,
        "cyclegan": peers.ReferenceCycleGAN,
        "srgan": peers.ReferenceSRGAN,
    }
    system = makers[name]()
    side, batch = SIDES[name], BATCHES[name]

    def run() -> list[float]:
        taken = []
        for _ in range(n_steps):
            x, y = (torch.rand(batch, 3, side, side) * 2 - 1 for _ in range(2))
            if name == "srgan":
                x = torch.rand(batch, 3, side // 4, side // 4)
            began = time.process_time()
            system.step(x, y)
            taken.append(time.process_time() - began)
        return taken[1:]

    return run


def convolution_rate() -> float:
    """Return the operations a second of a large convolution, forward and backward."""
    layer = nn.Conv2d(256, 256, 3, padding=1).to(memory_format=torch.channels_last)
    x = torch.randn(1, 256, 64, 64).to(memory_format=torch.channels_last).requires_grad_()
    taken = []
    for _ in range(4):
        began = time.process_time()
        layer(x).sum().backward()
        taken.append(time.process_time() - began)
    return 3 * 2 * 9 * 256 * 256 * 64 * 64 / median(taken[1:])


def peak(name: str, system: str) -> float:
    """Return the gigabytes that a system's two steps take in a process of its own."""
    words = [sys.executable, __file__, "--only", name, "--peak-of", system]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def most_resident() -> float:
    """Return the gigabytes that this process held at most; its ru_maxrss begins at its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 2**20


def row(name: str, precision: str, n_rounds: int, n_steps: int) -> str:
    """Measure a game and return its line of the table."""
    os.environ["LATENTIA_PRECISION"] = precision
    systems = [reference(name, n_steps), ours(name, n_steps)]
    taken: list[list[float]] = [[], []]
    rates = []
    for _ in range(n_rounds):
        for found, run in zip(taken, systems, strict=True):
            found.append(median(run()))
        rates.append(convolution_rate())
    theirs, here = (median(found) for found in taken)
    x, y = data_of(name, 1)
    model = prepared(name, x, y)
    products = Bench(model, model.read(x, y, reset=True), CPU).products()
    share = sum(part.flops for part in products) / here / median(rates)
    memory = [peak(name, system) for system in ("reference", "latentia")]
    label = name if precision == "float32" else f"{name}, {precision}"
    return (
        f"| {label} | {theirs:.2f} | {here:.2f} | {theirs / here:.2f} | "
        f"{median(rates) / 1e9:.0f} | {share:.0%} | {memory[0]:.2f} | {memory[1]:.2f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3, help="of a round; the first is not counted")
    parser.add_argument("--only", nargs="+", choices=list(SIDES), default=list(SIDES))
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=["float32"])
    parser.add_argument("--peak-of", choices=("latentia", "reference"), help=argparse.SUPPRESS)
    parser.add_argument("--write", type=Path, help="a Markdown file for the table")
    given = parser.parse_args()
    set_threads()
    torch.manual_seed(0)
    if given.peak_of is not None:
        {"latentia": ours, "reference": reference}[given.peak_of](given.only[0], 2)()
        print(most_resident())
        return
    lines = [
        "| game | reference, s | latentia, s | ratio | convolution, GFLOP/s | share of it "
        "| reference, GiB | latentia, GiB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    for name, precision in product(given.only, given.precisions):
        lines.append(row(name, precision, given.rounds, given.steps))
        print(lines[-1], flush=True)
    print(GOALS)
    if given.write is not None:
        write_atomically(given.write, page(lines, given.precisions).encode())


def page(lines: list[str], precisions: list[str]) -> str:
    """Return the table as a page."""
    about = (__doc__ or "").split("\n\n", 2)[2].strip()
    words = f"--precisions {' '.join(precisions)} --write docs/translation_speed.md"
    command = f"Printed by `python benchmarks/translation.py {words}`."
    title = "# A training step of each image-to-image game"
    return "\n\n".join([title, command, about, "\n".join(lines), f"{GOALS.capitalize()}.\n"])


if __name__ == "__main__":
    main()
