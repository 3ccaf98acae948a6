"""Large pictures through the commands: peak memory, seconds, and the seams between tiles.

    python benchmarks/large_pictures.py [--only NAME,...] [--side PIXELS] [--upscaler RUN]
        [--translator RUN]

Each case is a process of its own, whose peak resident memory is the operating system's figure. The
nets have the papers' sizes and random weights, for time and memory do not ask what they are; with
``--upscaler`` and ``--translator`` the seams are those of trained models.

A seam is what tiles change. ``away`` is the largest difference from the whole picture's result
outside the pixels that tiles share, ``shared`` the largest inside. ``jump`` is by how much the mean
difference of neighbouring columns is larger near a cut than in the whole picture's result in the
same place, for the worst cut: what the eye sees as a line. All are in 1/255.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("LATENTIA_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import zoom

import latentia
from latentia.data.picture_files import order
from latentia.models.translation import files as jobs
from latentia.models.translation import pictures
from latentia.models.translation.tiles import Tiles, in_tiles

LIMIT = 2.0
"""Gigabytes that no case may exceed."""
Image.MAX_IMAGE_PIXELS = None  # The pictures are our own.
RNG = np.random.default_rng(0)
BRIEF = {"n_epochs": 1, "random_state": 0, "device": "cpu"}


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", help=f"comma-separated: {', '.join(CASES)}, seams")
    parser.add_argument("--side", type=int, help="of the input pictures, instead of each case's")
    parser.add_argument("--upscaler", type=Path, help="a trained model, for the seams")
    parser.add_argument("--translator", type=Path, help="a trained model, for the seams")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure(given.measure, given.side)
        return
    chosen = given.only.split(",") if given.only else [*CASES, "seams"]
    print("| case | pixels | seconds of CPU | peak memory, GB | |\n|---|---|---|---|---|")
    for name in chosen:
        if name not in [*CASES, "seams"]:
            raise SystemExit(f"there is no case {name!r}")
        if name in CASES:
            side = given.side or CASES[name][1]
            words = [sys.executable, __file__, "--measure", name, "--side", str(side)]
            done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
            print(done.stdout, end="", flush=True)
    if "seams" in chosen:
        seams(given)


def measure(name: str, side: int) -> None:
    """Put one picture through a model, and print the process's figures."""
    make, _, verb = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        make(path)
        picture = Image.fromarray(texture(side))
        picture.save(path / "in.png")
        del picture
        began = time.process_time()
        verb(path / "model", order([path / "in.png"], path / "out"))
        seconds = time.process_time() - began
        with Image.open(path / "out" / "in.png") as made:
            size = f"{side:,}² → {made.width:,} × {made.height:,}"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    verdict = "within" if peak < LIMIT else "OVER"
    print(f"| {name} | {size} | {seconds:,.0f} | {peak:.2f} | {verdict} {LIMIT:g} GB |")


def texture(side: int) -> Any:
    """Return a (side, side, 3) picture with detail at several scales, in tiles of one texture."""
    piece = sum(zoom(RNG.random((256 // s, 256 // s, 3)), (s, s, 1), order=1) for s in (2, 8, 64))
    piece = np.uint8(255 * (piece - piece.min()) / np.ptp(piece))
    n = -(-side // 256)
    return np.tile(piece, (n, n, 1))[:side, :side]


def upscaler(folder: Path, scale: int, n_blocks: int, width: int) -> None:
    """Save an SRResNet of a size, with random weights."""
    x = RNG.random((2, 3, 16, 16), dtype=np.float32)
    sizes = {"scale": scale, "n_blocks": n_blocks, "width": width}
    model = latentia.SRResNet(**sizes, beside="nothing", batch_size=2, **BRIEF).fit(x)
    model.save(folder / "model")


def translator(folder: Path) -> None:
    """Save the paper's U-Net for 256 pixels, with random weights."""
    x = RNG.random((2, 3, 256, 256), dtype=np.float32)
    latentia.Pix2Pix(width=64, objective="l1", batch_size=1, **BRIEF).fit(x, x).save(
        folder / "model"
    )


def upscale(model: Path, job: Any) -> None:
    """Enlarge as the command does."""
    done = jobs.upscale(model if model.exists() else Path(jobs.BASELINE), job, jobs.Cut(), None)
    assert not done.bad, done.bad


def translate(model: Path, job: Any) -> None:
    """Translate as the command does."""
    done = jobs.translate(model, job, jobs.Cut())
    assert not done.bad, done.bad


# Of an SRResNet: scale, blocks × channels; of Pix2Pix its width.
CASES: dict[str, tuple[Callable[[Path], None], int, Callable[[Path, Any], None]]] = {
    "bicubic-×4": (lambda folder: None, 4000, upscale),
    "SRResNet-×4-16×64": (lambda folder: upscaler(folder, 4, 16, 64), 1000, upscale),
    "SRResNet-×2-2×16": (lambda folder: upscaler(folder, 2, 2, 16), 4000, upscale),
    "Pix2Pix-64": (translator, 2048, translate),
}


def seams(given: argparse.Namespace) -> None:
    """Print what tiles change, of trained models or of small random ones."""
    print("\n| model | tile | overlap | away | shared | jump |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        if given.upscaler is None:
            upscaler(Path(folder), 4, 2, 16)
        model = latentia.load(given.upscaler or Path(folder) / "model")
        x = np.moveaxis(texture(200), 2, 0)[: model.n_channels] / np.float32(255)
        whole = model.enlarge_one(x)
        for overlap in sorted({0, 8, 16, 32, 48, 2 * model.reach}):
            tiles = model.tiles(max(96, overlap + 32), overlap)
            line(model, tiles, in_tiles(model.enlarge_one, x, tiles), whole)
    with tempfile.TemporaryDirectory() as folder:
        if given.translator is None:
            translator(Path(folder))
        model = latentia.load(given.translator or Path(folder) / "model")
        x = np.moveaxis(texture(768), 2, 0) / np.float32(255)
        whole = pictures.whole(model, x)
        for side, overlap in ((256, 0), (256, 64), (512, 64), (512, 128), (512, 256)):
            tiles = Tiles(side, overlap, overlap // 4)
            made = in_tiles(lambda piece: pictures.whole(model, piece), x, tiles)
            line(model, tiles, made, whole)


def line(model: Any, tiles: Tiles, made: Any, whole: Any) -> None:
    """Print one setting's figures."""
    width = whole.shape[2]
    starts, scale = tiles.starts(width // tiles.scale), tiles.scale
    ends = [start + tiles.side for start in starts[:-1]]
    mine, theirs = (np.abs(np.diff(image, axis=2)).mean((0, 1)) for image in (made, whole))
    shared = np.zeros(width, bool)
    jumps = []
    for start, end in zip(starts[1:], ends):
        place = slice(scale * start, max(scale * end, scale * start + 1))
        shared[place] = True
        near = slice(max(0, place.start - 1), place.stop)
        jumps.append((mine[near] - theirs[near]).max())
    # Cuts between rows of tiles cross every column: only the middle of a row of tiles is looked at.
    middle = np.abs(made - whole)[:, scale * tiles.side // 4 : scale * tiles.side // 2]
    apart = middle.max((0, 1)) * 255
    away = apart[~shared].max() if (~shared).any() else 0.0
    inside = apart[shared].max() if shared.any() else 0.0
    print(
        f"| {type(model).__name__} | {tiles.side} | {tiles.overlap} | {away:.3f} | {inside:.3f} | "
        f"{255 * max(jumps):.3f} |"
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
