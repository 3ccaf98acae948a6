"""Training on shards that are larger than memory, beside the same training in memory.

    python benchmarks/streamed_shards.py [--pictures 20000] [--side 96] [--limit 64M]

Pictures are written as JPEG into ten .tar files, as webdataset's, and an autoencoder is trained on
them for an epoch, once with the usual limit of memory and once with ``--limit``, above which they
are decoded into a temporary file and read from there as batches need them. Printed are the most
memory of its own that a process took (RssAnon of Linux; pages of the file are the system's to take
back), the seconds, and whether both trained the same bits. ``--only streamed`` is for a machine, or
a control group, that has no memory for the other.
"""

import argparse
import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

N_SHARDS = 10
WORDS = "train autoencoder --architecture mlp --hidden 16 --n-components 4 --n-epochs 1"
WORDS += " --batch-size 64 --random-state 0"


def main():
    """Make the shards, train twice, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--limit", default="64M", help="of memory for the pictures")
    parser.add_argument("--only", choices=["held", "streamed"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_shards(folder, given.pictures, given.side)
        packed = sum(path.stat().st_size for path in folder.glob("*.tar")) / 2**20
        decoded = 3 * given.pictures * given.side**2 / 2**20
        print(f"{given.pictures:,} pictures: {packed:,.0f} MiB packed, {decoded:,.0f} decoded\n")
        print("| pictures | memory, MiB | seconds | SHA-256 of the weights |\n|---|---|---|---|")
        for kind, limit in (("held", "64G"), ("streamed", given.limit)):
            if given.only in (None, kind):
                line(folder, kind, limit)


def write_shards(folder, n, side):
    """Write pictures of coarse random colours with noise into shards."""
    draw = np.random.default_rng(0)
    for shard in range(N_SHARDS):
        with tarfile.open(folder / f"shard-{shard:03}.tar", "w") as archive:
            for number in range(shard, n, N_SHARDS):
                coarse = Image.fromarray(draw.integers(0, 256, (4, 4, 3), dtype=np.uint8))
                stream = io.BytesIO()
                coarse.resize((side, side), Image.Resampling.BICUBIC).save(stream, "JPEG")
                info = tarfile.TarInfo(f"{number:07}.jpg")
                info.size = stream.tell()
                stream.seek(0)
                archive.addfile(info, stream)


def line(folder, kind, limit):
    """Train in a process of its own, and print what it took."""
    run = folder / kind
    shards = folder / f"shard-{{000..{N_SHARDS - 1:03}}}.tar"
    words = [sys.executable, "-m", "latentia", *WORDS.split()]
    environment = os.environ | {"LATENTIA_MAX_BYTES": limit}
    began, peak = time.perf_counter(), 0
    process = subprocess.Popen(
        [*words, "--data", str(shards), "--run", str(run)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None:
        peak = max(peak, own_memory(process.pid))
        time.sleep(0.05)
    seconds = time.perf_counter() - began
    weights = run / "model" / "model.safetensors"
    ended = f"ended with status {process.returncode}"
    done = hashlib.sha256(weights.read_bytes()).hexdigest()[:16] if weights.exists() else ended
    print(f"| {kind}, limit {limit} | {peak / 1024:,.0f} | {seconds:,.0f} | {done} |", flush=True)


def own_memory(pid):
    """Return how many KiB of memory a process has that are in no file."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"RssAnon:\s*(\d+)", status)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    main()
