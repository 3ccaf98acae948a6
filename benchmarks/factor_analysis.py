"""Time factor analysis against what people use: scikit-learn, and R's factanal.

    python benchmarks/factor_analysis.py --mnist FOLDER [--out FOLDER] [--slow] [--gigabytes 10]

One process, one thread, peers interleaved; seconds are medians of wall clock (CPU in brackets).
Likelihoods are nats per sample over the pixels that vary by more than 8-bit rounding, each model's
noise variances raised to that rounding's, so that no model wins by betting on constants.
``--slow`` adds scikit-learn's exact solver; R is timed where Rscript is found.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
# Another processor's kernel would be timed.
for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(variable, None)

import argparse
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from scipy import linalg
from sklearn.decomposition import FactorAnalysis as SklearnFactorAnalysis
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_info

from latentia import FactorAnalysis, load_data
from latentia.errors import FitWarning
from latentia.models.factors.em import em
from latentia.models.factors.extraction import IMAGE_FLOOR
from latentia.models.linear.moments import Moments

warnings.simplefilter("ignore", FitWarning)
warnings.simplefilter("ignore", ConvergenceWarning)
torch.set_num_threads(1)


def timed(function):
    """Return (wall seconds, CPU seconds, result)."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def interleaved(functions, rounds):
    """Return {name: (median wall, median CPU, last result)}, one call of each in turn."""
    runs = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            runs[name].append(timed(function))
    return {
        name: (
            statistics.median(run[0] for run in found),
            statistics.median(run[1] for run in found),
            found[-1][2],
        )
        for name, found in runs.items()
    }


def likelihood(S, W, noise):
    """Return −½ (p log 2π + log|Σ| + tr Σ⁻¹S) with the noise raised to 8-bit rounding's."""
    noise = np.maximum(noise, IMAGE_FLOOR)
    sigma = W @ W.T + np.diag(noise)
    factor = linalg.cho_factor(sigma, lower=True)
    logs = 2 * np.log(np.diag(factor[0])).sum()
    return -0.5 * (len(S) * np.log(2 * np.pi) + logs + np.trace(linalg.cho_solve(factor, S)))


def line(name, wall, cpu, note=""):
    digits = 3 if wall >= 0.01 else 6
    print(f"  {name:<46}{wall:12.{digits}f} s [{cpu:10.{digits}f}]  {note}".rstrip(), flush=True)


def mnist(folder, rounds, slow):
    x = load_data(str(folder)).x_train
    floats = x.reshape(len(x), -1).astype(np.float32) / np.float32(255)
    doubles = floats.astype(np.float64)
    S = Moments().add(x).covariance
    kept = np.diag(S) > IMAGE_FLOOR
    S = S[np.ix_(kept, kept)]
    n, p = doubles.shape
    tensor, tensor64 = torch.from_numpy(floats), torch.from_numpy(doubles)
    print(f"MNIST, {n:,} × {p}, 10 factors (likelihood on {kept.sum()} pixels)")
    kernels = {f"{lib['internal_api']} {lib.get('architecture')}" for lib in threadpool_info()}
    print(f"  kernels: {', '.join(sorted(kernels))}")
    fast = interleaved(
        {
            "product": lambda: floats.T @ floats,
            "product64": lambda: doubles.T @ doubles,
            "torch": lambda: tensor.T @ tensor,
            "torch64": lambda: tensor64.T @ tensor64,
            "bytes": lambda: FactorAnalysis(n_components=10).fit(x),
            "float32": lambda: FactorAnalysis(n_components=10).fit(floats),
            "float64": lambda: FactorAnalysis(n_components=10).fit(doubles),
        },
        rounds,
    )
    peers = interleaved(
        {
            "default": lambda: SklearnFactorAnalysis(10, random_state=0).fit(doubles),
            "again": lambda: FactorAnalysis(n_components=10).fit(x),
        },
        min(rounds, 3),
    )
    ours = fast["bytes"][2]
    best = likelihood(S, ours.loadings_[kept], ours.noise_variance_[kept])
    line("one covariance product, float32", *fast["product"][:2])
    line("one covariance product, float64", *fast["product64"][:2])
    line("the same by torch, float32", *fast["torch"][:2])
    line("the same by torch, float64", *fast["torch64"][:2])
    for name, floor in (("bytes", "product"), ("float32", "product"), ("float64", "product64")):
        ratio = fast[name][1] / fast[floor][1]
        line(f"latentia, whole fit of {name}", *fast[name][:2], f"{ratio:.2f} × its product")
    print(f"  {'':52}likelihood {best:.4f}, {ours.n_iter_} steps, converged: {ours.converged_}")

    def peer(name, found, mine):
        wall, cpu, model = found
        value = likelihood(S, model.components_.T[kept], model.noise_variance_[kept])
        line(name, wall, cpu, f"{wall / mine:6.1f} × latentia, likelihood {value - best:+.6f}")

    peer("scikit-learn, default", peers["default"], peers["again"][0])
    tight = SklearnFactorAnalysis(
        10, random_state=0, tol=TIGHT_TOLERANCE, max_iter=100_000, iterated_power=15
    )
    peer("scikit-learn, until it agrees", timed(lambda: tight.fit(doubles)), peers["again"][0])
    if slow:
        exact = SklearnFactorAnalysis(10, svd_method="lapack", tol=TIGHT_TOLERANCE, max_iter=1000)
        peer("scikit-learn, exact solver", timed(lambda: exact.fit(doubles)), peers["again"][0])


TIGHT_TOLERANCE = 0.0005
"""Of scikit-learn's total log-likelihood: it ends within 1e-5 nats per sample of the optimum."""


def simulated(n, p, k, seed=0, minor=0):
    """Return rows of k factors, and of ``minor`` weaker ones that no k-factor model can fit."""
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(p, k))
    X = rng.normal(size=(n, k)) @ W.T
    X += 0.5 * rng.normal(size=(n, minor)) @ rng.normal(size=(minor, p))
    X += rng.normal(size=(n, p)) * np.sqrt(rng.uniform(0.5, 5, p))
    return X


def wide(rounds):
    X = simulated(5000, 2000, 10, minor=40)
    S = Moments().add(X).covariance
    print("simulated, 5,000 × 2,000, 10 factors (and 40 weaker ones)")
    found = interleaved(
        {
            "product": lambda: X.T @ X,
            "latentia": lambda: FactorAnalysis(n_components=10).fit(X),
            "scikit-learn": lambda: SklearnFactorAnalysis(10, random_state=0).fit(X),
        },
        rounds,
    )
    line("one covariance product, float64", *found["product"][:2])
    mine, _, model = found["latentia"]
    best = likelihood(S, model.loadings_, model.noise_variance_)
    line("latentia", *found["latentia"][:2], f"{mine / found['product'][0]:.2f} × the product")
    careful = SklearnFactorAnalysis(10, random_state=0, tol=0.05, max_iter=1000, iterated_power=15)
    slow = timed(lambda: careful.fit(X))
    for name, run in (("default", found["scikit-learn"]), ("until it agrees", slow)):
        wall, cpu, theirs = run
        apart = likelihood(S, theirs.components_.T, theirs.noise_variance_) - best
        note = f"{wall / mine:.1f} × latentia, likelihood {apart:+.6f}"
        line(f"scikit-learn, {name}", wall, cpu, note)


FACTANAL = """
arguments <- commandArgs(TRUE)
X <- as.matrix(read.csv(arguments[1])); k <- as.integer(arguments[2])
control <- list(nstart = as.integer(arguments[3]))
fit <- function() factanal(X, k, rotation = "none", control = control)
for (i in 1:3) fit()
t <- sapply(1:15, function(i) system.time(for (j in 1:5) fit())[[3]])
cat(median(t) / 5)
"""


def small(rounds):
    X = np.rint(simulated(2436, 25, 5, seed=3))
    print("simulated answers, 2,436 × 25, 5 factors (the shape of bfi)")

    def repeated(**parameters):
        return lambda: [FactorAnalysis(n_components=5, **parameters).fit(X) for _ in range(5)]

    found = interleaved({"one": repeated(n_starts=1), "ten": repeated()}, max(rounds, 9))
    starts = {"one": 1, "ten": 10}
    for name, n_starts in starts.items():
        line(f"latentia, starts: {n_starts}", found[name][0] / 5, found[name][1] / 5)
    if shutil.which("Rscript") is None:
        print("  R is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        np.savetxt(path, X, delimiter=",", header=",".join(f"v{i}" for i in range(25)), comments="")
        for name, n_starts in starts.items():
            command = ["Rscript", "-e", FACTANAL, str(path), "5", str(n_starts)]
            seconds = float(subprocess.run(command, capture_output=True, check=True).stdout)
            note = f"{seconds / (found[name][0] / 5):.2f} × latentia"
            line(f"R's factanal, starts: {n_starts}", seconds, seconds, note)


STREAM = """
import re, sys, time, numpy as np, torch
torch.set_num_threads(1)
from latentia import FactorAnalysis
X = np.load(sys.argv[1], mmap_mode="r")
FactorAnalysis(n_components=2).fit(np.random.default_rng(0).normal(size=(50, 8)))
most = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
before = most()
start = time.perf_counter()
model = FactorAnalysis(n_components=5).fit(X)
wall = time.perf_counter() - start
print(wall, before, most())
"""


def streaming(gigabytes, folder):
    p = 256
    n = int(gigabytes * 2**30 / (4 * p))
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "x.npy"
        X = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, p))
        block = simulated(2**16, p, 5).astype(np.float32)
        for first in range(0, n, len(block)):
            X[first : first + len(block)] = block[: n - first]
        del X
        print(
            f"memory-mapped, {n:,} × {p} float32, {path.stat().st_size / 2**30:.1f} GiB, 5 factors"
        )
        wall, _, _ = timed(lambda: shutil.copyfile(path, os.devnull))
        line("reading the file", wall, wall)
        out = subprocess.run(
            [
                "python3" if shutil.which("python3") is None else os.sys.executable,
                "-c",
                STREAM,
                path,
            ],
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        seconds, before, peak = map(float, out.split())
        rate = path.stat().st_size / 2**30 / seconds
        note = f"{rate:.2f} GiB/s, resident memory {peak:.0f} MiB at most ({before:.0f} before)"
        line("latentia, whole fit", seconds, seconds, note)


def em_steps():
    print("EM, seconds a step, 200 columns, 10 factors")
    for n in (2_000, 20_000, 200_000):
        S = Moments().add(simulated(n, 200, 10)).covariance
        W = np.random.default_rng(0).normal(size=(200, 10))
        floor = np.full(200, 1e-3)

        def run(S=S, W=W, floor=floor):
            em(S, W, np.diag(S) / 2, floor, expanded=False, tolerance=-1.0, max_iter=200)

        wall, cpu, _ = timed(run)
        line(f"n = {n:,}", wall / 200, cpu / 200)


def growth(folder, rounds):
    """Draw seconds against n, p and k, ours and scikit-learn's."""
    sweeps = {
        "n": [(n, 100, 5) for n in (1_000, 4_000, 16_000, 64_000, 256_000)],
        "p": [(4_000, p, 5) for p in (25, 50, 100, 200, 400, 800, 1_600)],
        "k": [(20_000, 200, k) for k in (1, 2, 5, 10, 20, 40)],
    }
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    for axes, (name, sizes) in zip(figure.subplots(1, 3), sweeps.items(), strict=True):
        seconds = {"latentia": [], "scikit-learn": [], "covariance product": []}
        for n, p, k in sizes:
            X = simulated(n, p, k)
            found = interleaved(
                {
                    "latentia": lambda X=X, k=k: FactorAnalysis(n_components=k, n_starts=1).fit(X),
                    "scikit-learn": lambda X=X, k=k: SklearnFactorAnalysis(k).fit(X),
                    "covariance product": lambda X=X: X.T @ X,
                },
                rounds,
            )
            for label, times in seconds.items():
                times.append(found[label][0])
            print(
                f"  n = {n}, p = {p}, k = {k}: "
                + ", ".join(f"{label} {times[-1]:.4f} s" for label, times in seconds.items()),
                flush=True,
            )
        x = [size["npk".index(name)] for size in sizes]
        for label, times in seconds.items():
            axes.loglog(x, times, marker=".", label=label, ls=":" if label[0] == "c" else "-")
        axes.set_xlabel(name)
        axes.set_ylabel("seconds, one thread")
        axes.legend(fontsize=8)
    path = folder / "factor_analysis_speed.png"
    figure.savefig(path, dpi=110)
    print(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", type=Path, help="folder of MNIST's idx files")
    parser.add_argument("--out", type=Path, default=Path(), help="where pictures and files go")
    parser.add_argument("--slow", action="store_true", help="scikit-learn's exact solver too")
    parser.add_argument("--gigabytes", type=float, default=0, help="size of the streamed file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("mnist", "wide", "small", "stream", "em", "growth"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    parts = {
        "mnist": lambda: given.mnist and mnist(given.mnist, given.rounds, given.slow),
        "wide": lambda: wide(given.rounds),
        "small": lambda: small(given.rounds),
        "stream": lambda: given.gigabytes and streaming(given.gigabytes, given.out),
        "em": em_steps,
        "growth": lambda: growth(given.out, given.rounds),
    }
    for name, part in parts.items():
        if given.only in (None, name):
            part()
    print(
        f"most resident memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB"
    )


if __name__ == "__main__":
    main()
