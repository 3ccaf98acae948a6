"""Time PCA against every solver of scikit-learn that fits the regime: ``python benchmarks/pca.py``.

One thread, interleaved runs, medians. Agreement is the sine of the largest angle to the subspace
of an eigendecomposition in float64. scikit-learn's solvers count as exact if theirs is below 1e-6
(1e-3 for float32); randomised ones are compared with the randomised solver here.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
# Another processor's kernel would be timed.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import sklearn.decomposition
import torch
from scipy import linalg, sparse
from sklearn.base import BaseEstimator

import latentia
from latentia.models.linear.pca import PCA

EXACT, EXACT_FLOAT32 = 1e-6, 1e-3
APPROXIMATE = ("randomized", "TruncatedSVD")
ROW = "{:<34} {:<12} {:>8} {:>8}  {:<16} {:>8} {:>8} {:>6}  {:>8} {:>8}"
HEAD = ("regime", "latentia", "wall s", "CPU s", "scikit-learn", "wall s", "CPU s", "ratio")


@dataclass
class Regime:
    """Data, how many components, and which of scikit-learn's solvers to try."""

    name: str
    X: Any
    k: int
    theirs: tuple[str, ...]


def regimes(mnist: str | None) -> Iterator[Regime]:
    rng = np.random.default_rng(0)
    full = ("covariance_eigh", "randomized", "arpack")
    images = digits(mnist, rng)
    for k in (10, 50):
        yield Regime(f"{'MNIST' if mnist else 'synthetic'} 60,000×784 uint8 k={k}", images, k, full)
    floats = images.astype(np.float32) / 255
    for k in (10, 50):
        yield Regime(f"{'MNIST' if mnist else 'synthetic'} 60,000×784 f32 k={k}", floats, k, full)
    yield Regime("tall 200,000×50 k=10", falling(rng, 200_000, 50), 10, full)
    yield Regime("wide 500×20,000 k=10", falling(rng, 500, 20_000), 10, (*full[1:], "full"))
    square = falling(rng, 3000, 3000)
    yield Regime("square 3,000×3,000 k=10", square, 10, full)
    yield Regime("square, float32 k=10", square.astype(np.float32), 10, full)
    yield Regime("square k=1,000", square, 1000, ("covariance_eigh", "randomized", "full"))
    yield Regime("square, flat spectrum k=10", rng.normal(size=(3000, 3000)), 10, full)
    signal = rng.normal(size=(5000, 20)) @ rng.normal(size=(20, 2000))
    low_rank = signal + 0.1 * rng.normal(size=signal.shape)
    yield Regime("rank 20 + noise 5,000×2,000 k=20", low_rank, 20, full)
    yield Regime("sparse 20,000×50,000 0.1 % k=10", topics(rng), 10, ("arpack", "TruncatedSVD"))
    narrow = sparse.random_array((200_000, 500), density=0.01, rng=rng, format="csr")
    yield Regime("sparse 200,000×500 1 % k=10", narrow, 10, (*full[::2], "TruncatedSVD"))


def digits(mnist: str | None, rng: np.random.Generator) -> Any:
    if mnist:
        return np.asarray(latentia.load_data(mnist).x_train).reshape(60_000, 784)
    latent = rng.normal(size=(60_000, 40)) / np.sqrt(1 + np.arange(40))
    values = 40 * latent @ rng.normal(size=(40, 784)) + rng.normal(0, 10, (60_000, 784))
    return values.clip(0, 255).astype(np.uint8)


def falling(rng: np.random.Generator, n: int, d: int) -> Any:
    """Return rows whose variances fall as 1/j."""
    return rng.normal(size=(n, d)) / np.sqrt(1 + np.arange(d))


def topics(rng: np.random.Generator, n: int = 20_000, d: int = 50_000) -> Any:
    """Return sparse counts: 40 values in a row at random, 10 from one of 30 topics."""
    topic = rng.choice(30, n, p=(weights := 1.0 / np.arange(1, 31)) / weights.sum())
    own = topic[:, None] * 200 + rng.integers(0, 200, (n, 10))
    columns = np.hstack([rng.integers(0, d, (n, 40)), own]).ravel()
    rows = np.repeat(np.arange(n), 50)
    return sparse.csr_array((rng.random(len(rows)) + 0.5, (rows, columns)), shape=(n, d))


def contenders(regime: Regime) -> dict[str, Callable[[], BaseEstimator]]:
    found: dict[str, Callable[[], BaseEstimator]] = {
        "auto": lambda: PCA(n_components=regime.k).fit(regime.X)
    }
    if set(regime.theirs) & set(APPROXIMATE):
        found["randomized"] = lambda: PCA(
            n_components=regime.k, solver="randomized", random_state=0
        ).fit(regime.X)
    for solver in regime.theirs:
        found[f"sklearn {solver}"] = lambda solver=solver: theirs(solver, regime)
    return found


def theirs(solver: str, regime: Regime) -> BaseEstimator:
    if solver == "TruncatedSVD":
        return sklearn.decomposition.TruncatedSVD(regime.k, random_state=0).fit(regime.X)
    return sklearn.decomposition.PCA(regime.k, svd_solver=solver, random_state=0).fit(regime.X)


def measure(regime: Regime, repeats: int) -> dict[str, tuple[float, float, Any]]:
    """Return median wall and CPU seconds, and components, of each contender, in turns."""
    fits = contenders(regime)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in fits}
    components = {}
    for _ in range(repeats):
        for name, fit in fits.items():
            wall, cpu = time.perf_counter(), time.process_time()
            components[name] = fit().components_
            times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    medians = {name: np.median(taken, axis=0) for name, taken in times.items()}
    return {name: (*medians[name], components[name]) for name in fits}


def reference(X: Any, k: int) -> Any:
    """Return (k, d) leading axes by an eigendecomposition in float64."""
    if sparse.issparse(X) and X.shape[1] > 5000:
        return (
            sklearn.decomposition.PCA(k, svd_solver="arpack", tol=0, random_state=0)
            .fit(X)
            .components_
        )
    rows = X.toarray() if sparse.issparse(X) else X.astype(np.float64)
    rows = rows - rows.mean(axis=0)
    n, d = rows.shape
    if d <= n:
        return linalg.eigh(rows.T @ rows, subset_by_index=(d - k, d - 1))[1].T
    U = linalg.eigh(rows @ rows.T, subset_by_index=(n - k, n - 1))[1]
    return linalg.qr(rows.T @ U, mode="economic")[0].T


def sine(components: Any, truth: Any) -> float:
    rows = components.astype(np.float64)
    return float(np.linalg.norm(rows - (rows @ truth.T) @ truth, 2))


def lines(regime: Regime, repeats: int) -> Iterator[str]:
    """Yield a line for exact solvers, and one for randomised ones if there are any."""
    taken, truth = measure(regime, repeats), reference(regime.X, regime.k)
    apart = {name: sine(result[2], truth) for name, result in taken.items()}
    goal = EXACT_FLOAT32 if regime.X.dtype == np.float32 else EXACT
    rivals = {name: taken[name][0] for name in taken if name.startswith("sklearn")}
    exact = {name: wall for name, wall in rivals.items() if apart[name] < goal}
    rough = {name: wall for name, wall in rivals.items() if name.split()[1] in APPROXIMATE}
    for mine, group in (("auto", exact), ("randomized", rough)):
        if not group:
            continue
        best = min(group, key=lambda name: group[name])
        yield ROW.format(
            regime.name,
            mine,
            *(f"{value:.3f}" for value in taken[mine][:2]),
            best.split()[1],
            *(f"{value:.3f}" for value in taken[best][:2]),
            f"{taken[best][0] / taken[mine][0]:.2f}",
            f"{apart[mine]:.0e}",
            f"{apart[best]:.0e}",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", help="a folder of MNIST's idx files; else data of that shape")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="", help="only regimes with this in their name")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    print(ROW.format(*HEAD, "ours off", "off"))
    for regime in regimes(arguments.mnist):
        if arguments.only in regime.name:
            for line in lines(regime, arguments.repeats):
                print(line, flush=True)


if __name__ == "__main__":
    main()
