"""Whether a training anew gives what a model of the zoo is: its bytes, or figures within bounds.

The bytes of a training are decided by its recipe, by the processor and its instructions, by the
system, the number of threads and processes, the device, the precision, and the versions of the
libraries that compute. Where all of these are as they were, the weights must be the same to the
last bit. Elsewhere rounding differs, and after thousands of steps all of it: then the figures must
lie within the bounds that the entry states.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentia.data.limits import read_limited
from latentia.metrics.definitions import DEFINITIONS
from latentia.metrics.estimates import Estimate
from latentia.models.zoo import Entry
from latentia.plots.page import format_number
from latentia.training.config import RunConfig, read_config

COMPUTING = ("torch", "numpy", "scipy", "scikit-learn")
OF_A_PROCESSOR = ("vendor_id", "cpu family", "model", "model name", "stepping")
CPU_INFO = Path("/proc/cpuinfo")
ERRORS = 4
"""Standard errors over test samples that a figure may differ by."""
SHARE = 0.05
"""Of a figure that it may differ by."""
SHARES: Mapping[str, float] = {
    "frechet_distance": 0.25,
    "class_agreement": 0.2,
    "adjusted_rand": 0.2,
}
"""The same, of figures in which trainings that differ by chance differ more."""


def machine(model: Any, config: RunConfig) -> dict[str, str]:
    """Return what decides the last bits of a run's training, on this machine."""
    found = {"system": f"{platform.system()} {platform.machine()}", **_processor()}
    found |= {"device": _device(model), "precision": config.precision}
    found |= {"threads": str(config.threads or _threads())}
    found |= {"processes": str(config.world_size or 1)}
    return found | {name: config.versions[name] for name in COMPUTING if name in config.versions}


def _processor() -> dict[str, str]:
    """Return the processor's kind, and a hash of the instructions that it has."""
    if not CPU_INFO.exists():
        return {"processor": platform.processor() or platform.machine()}
    first = CPU_INFO.read_text("utf-8").split("\n\n")[0]
    told = {k.strip(): v.strip() for k, _, v in (s.partition(":") for s in first.splitlines())}
    kind = " ".join(told[key] for key in OF_A_PROCESSOR if key in told)
    flags = " ".join(sorted(told.get("flags", told.get("Features", "")).split()))
    digest = hashlib.sha256(flags.encode()).hexdigest()[:12]
    return {"processor": kind or platform.machine(), "instructions": digest}


def _device(model: Any) -> str:
    if not model.resumable:
        return "cpu"
    # It loads torch, which models in closed form do without.
    from latentia.training.device import find_device

    return find_device(model.device).type


def _threads() -> int:
    """Return the threads of the linear algebra that a fit in closed form uses."""
    from threadpoolctl import threadpool_info

    return max((pool["num_threads"] for pool in threadpool_info()), default=1)


def bound(key: str, value: float) -> float:
    """Return how far a figure may be from a value after a training on another machine.

    Four standard errors over test samples, or a twentieth of it if that is more; of figures of
    samples and of clusters a quarter and a fifth.

    >>> round(bound("squared_error", 20.0), 2), round(bound("frechet_distance", 4.0), 2)
    (1.0, 1.0)
    """
    error = value.standard_error if isinstance(value, Estimate) else 0.0
    return max(ERRORS * error if error == error else 0.0, SHARES.get(key, SHARE) * abs(value))


@dataclass(frozen=True)
class Reproduction:
    """What a training anew gave: in sentences, and whether it is as it must be."""

    sentences: tuple[str, ...]
    holds: bool


def reproduction(entry: Entry, model: Any, run: Path) -> Reproduction:
    """Compare a finished run, and its model, with the entry by whose recipe it was trained."""
    weights = read_config(run / "model")["weights_sha256"]
    here = machine(model, RunConfig.read(run))
    if weights == entry.trained_sha256:
        return Reproduction((f"the same bytes: SHA-256 {weights}",), holds=True)
    differing = [
        f"{key} {here.get(key, 'not known')} here and {there} there"
        for key, there in entry.machine.items()
        if here.get(key) != there
    ]
    figures = json.loads(read_limited(run / "evaluation.json"))
    lines, near = zip(*_beside(entry, figures), strict=True) if entry.bounds else ((), ())
    if not differing:
        said = "other bytes, on the same kind of machine: something that computes has changed"
        return Reproduction((said, *lines), holds=False)
    said = f"other bytes, as may be on another kind of machine ({'; '.join(differing)})"
    return Reproduction((said, *lines), holds=all(near))


def _beside(entry: Entry, figures: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield a line for each figure that has a bound, and whether it lies within it."""
    for key, most in entry.bounds.items():
        there, here = entry.figures[key], figures.get(key, math.nan)
        near = abs(here - there) <= most
        word = "within" if near else "NOT within"
        numbers = f"{format_number(here)}, {format_number(there)} in the zoo"
        yield f"{DEFINITIONS[key].label}: {numbers}, {word} {format_number(most)}", near
