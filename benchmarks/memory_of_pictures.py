"""How much memory a training on a folder of large photographs takes, printed in GiB.

    python benchmarks/memory_of_pictures.py --pictures 800 --source data/sr/T91

The photographs are enlarged from those of a folder, or are gradients, with noise on them, so that
their files are as large as real ones. They are removed afterwards.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from PIL import Image

SIZE = (2040, 1356)
KINDS = 8
WORDS = (
    "train",
    "srresnet",
    "--n-epochs",
    "1",
    "--width",
    "4",
    "--n-blocks",
    "1",
    "--batch-size",
    "512",
)


def photographs(source, draw):
    """Yield a few photographs with noise."""
    paths = sorted(source.glob("*"))[:KINDS] if source else []
    for number in range(KINDS):
        if paths:
            image = Image.open(paths[number % len(paths)]).convert("RGB")
        else:
            image = Image.fromarray(draw.integers(0, 256, (6, 9, 3), dtype=np.uint8))
        pixels = np.asarray(image.resize(SIZE, Image.Resampling.BICUBIC), np.float32)
        pixels = pixels + draw.normal(0, 8, (*pixels.shape[:2], 1)).astype(np.float32)
        yield Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def main():
    """Make the folder, train on it in another process, and print the most memory it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=800)
    parser.add_argument("--source", type=Path, help="a folder of photographs to enlarge")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "photographs"
        folder.mkdir()
        draw = np.random.default_rng(0)
        for number, image in enumerate(photographs(given.source, draw)):
            for copy in range(number, given.pictures, KINDS):
                image.save(folder / f"{copy:05}.jpg", quality=90)
        run = ("--data", str(folder), "--run", str(Path(place) / "run"))
        subprocess.run([sys.executable, "-m", "latentia", *WORDS, *run], check=True)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        size = f"{SIZE[0]}×{SIZE[1]}"
        print(f"{given.pictures} pictures of {size} pixels: {peak:.2f} GiB at the most")


if __name__ == "__main__":
    main()
