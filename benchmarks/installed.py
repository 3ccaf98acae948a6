"""What an installation weighs, and how long the first fit of a table takes from a cold start.

    python benchmarks/installed.py

Sizes are those of the files that pip lists for Latentia and all that it needs, in the environment
that runs this; of the extra ``deep`` they are counted if it is installed. Times are CPU seconds
of a whole process that imports a library and fits one factor analysis of 1,000 × 12 numbers: the
least of five, the two libraries in turn.
"""

from __future__ import annotations

import importlib.metadata as metadata
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

DATA = "import numpy as np; X = np.random.default_rng(0).normal(size=(1000, 12))"
FITS = {
    "latentia": (
        f"{DATA}; from latentia import FactorAnalysis; FactorAnalysis(n_components=2).fit(X)"
    ),
    "scikit-learn": (
        f"{DATA}; from sklearn.decomposition import FactorAnalysis; "
        "FactorAnalysis(n_components=2).fit(X)"
    ),
    "Python alone": "pass",
}
REPEATS = 5


def needed(name: str, extras: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield what a package needs, that is installed."""
    for line in metadata.requires(name) or ():
        asked = re.search(r"""extra\s*==\s*["']([\w-]+)""", line)
        if asked is None or asked[1] in extras:
            yield re.match(r"[\w.-]+", line)[0].lower().replace("_", "-")


def closure(name: str, extras: tuple[str, ...] = ()) -> set[str]:
    """Return a package and all that it needs, as far as it is installed."""
    found, new = set[str](), [(name, extras)]
    while new:
        one, asked = new.pop()
        if one not in found and is_here(one):
            found.add(one)
            new += [(other, ()) for other in needed(one, asked)]
    return found


def is_here(name: str) -> bool:
    """Return whether a package is installed."""
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def megabytes(name: str) -> float:
    """Return what a package's files weigh; compiled ones are made later and do not count."""
    files = metadata.files(name) or ()
    paths = [Path(str(file.locate())) for file in files if file.suffix != ".pyc"]
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def seconds(code: str) -> float:
    """Return the CPU seconds of a process that runs a line of Python, on one thread."""
    env = os.environ | {"OMP_NUM_THREADS": "1", "LATENTIA_THREADS": "1"}
    before = os.times()
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, env=env)
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


def main() -> None:
    """Print both."""
    core, deep = closure("latentia"), closure("latentia", ("deep",))
    for title, names in (("core", core), ("deep, beside it", deep - core)):
        sizes = sorted(((megabytes(name), name) for name in names), reverse=True)
        largest = ", ".join(f"{name} {size:.0f}" for size, name in sizes[:6])
        print(
            f"{title}: {sum(size for size, _ in sizes):.0f} MB in {len(sizes)} packages ({largest})"
        )
    least = dict.fromkeys(FITS, float("inf"))
    for _ in range(REPEATS):
        for name, code in FITS.items():
            least[name] = min(least[name], seconds(code))
            time.sleep(0.1)
    for name, taken in least.items():
        print(f"{name}: {taken:.2f} CPU seconds")


if __name__ == "__main__":
    main()
