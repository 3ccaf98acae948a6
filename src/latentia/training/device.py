"""Where the arithmetic happens: the device, its threads and its precision."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_parameter_registration_hook,
)
from torch.nn.parameter import is_lazy

from latentia.errors import InputError, nearest, within_memory
from latentia.training.config import MOST_WORKERS, RunConfig

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "float32", "bfloat16")
PROBES = 15
MOST_WEIGHTS = 2**30
WORTH_IT = 1.2
"""How many times faster all threads must be than one to be chosen."""
CLEARLY = 1.3
"""How many times faster bfloat16 must be than float32 to be chosen."""


def check_device_name(name: str) -> None:
    """Refuse a device name that torch would not know (``cuda:1`` is one that it does)."""
    kind, colon, number = name.partition(":")
    numbered = number.isdecimal() and number.isascii() and len(number) < 4 and kind != "auto"
    if kind not in DEVICES or (colon and not numbered):
        raise InputError(
            f"device is {name!r}; it must be one of {', '.join(DEVICES)}{nearest(name, DEVICES)}"
        )


def find_device(name: str) -> torch.device:
    """Return the device asked for; ``auto`` takes CUDA, then Apple's MPS, then the CPU."""
    check_device_name(name)
    has_mps = torch.backends.mps.is_available()
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": has_mps}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if present[kind])
    if not present[name.split(":")[0]]:
        raise InputError(f"device {name!r} is not on this machine; use 'cpu' or 'auto'")
    kind, _, number = name.partition(":")
    last = torch.cuda.device_count() - 1 if kind == "cuda" else 0
    if number and int(number) > last:
        raise InputError(f"device {name!r} is not on this machine; the last one is '{kind}:{last}'")
    if name == "cuda" and "LOCAL_RANK" in os.environ:
        name = f"cuda:{os.environ['LOCAL_RANK']}"
    return torch.device(name)


@contextmanager
def bounded_weights() -> Iterator[None]:
    """Refuse nets of too many weights, as they are made in a ``with`` block.

    Each layer is counted before its weights are drawn, and so before its memory is taken. The most
    are ``MOST_WEIGHTS``, or what the environment's ``LATENTIA_MOST_WEIGHTS`` says.
    """
    most, total = _asked_number("LATENTIA_MOST_WEIGHTS", sys.maxsize) or MOST_WEIGHTS, 0

    def count(layer: nn.Module, name: str, values: torch.Tensor | None) -> None:
        nonlocal total
        total += 0 if values is None or is_lazy(values) else values.numel()
        if total > most:
            raise InputError(
                f"the nets would have more than {most:,} weights, of 4 bytes each and 16 in "
                "training; choose smaller or fewer layers, or set LATENTIA_MOST_WEIGHTS higher"
            )

    hooks = (
        register_module_parameter_registration_hook(count),
        register_module_buffer_registration_hook(count),
    )
    try:
        with within_memory("for so wide a net; choose smaller layers"):
            yield
    finally:
        for hook in hooks:
            hook.remove()


def _asked_number(variable: str, most: int) -> int | None:
    """Return the whole number from 1 up that an environment's variable holds, if it is set."""
    asked = os.environ.get(variable)
    digits = len(str(most))
    if asked is not None and not (asked.isdecimal() and 1 <= int(asked[: digits + 1]) <= most):
        raise InputError(f"{variable} is {asked!r}; it must be a whole number from 1 to {most}")
    return None if asked is None else int(asked)


def set_threads(recorded: int | None = None) -> int:
    """Set torch's number of threads, and return it.

    ``LATENTIA_THREADS`` decides, or else what a resumed run recorded; without either a short
    probe, since several threads on a loaded machine can be slower than one.
    """
    torch.set_num_threads(
        _asked_number("LATENTIA_THREADS", MOST_WORKERS) or recorded or _fastest_threads()
    )
    return torch.get_num_threads()


@cache
def _fastest_threads() -> int:
    """Return one thread or all of them, whichever does a small net's kind of work faster."""
    every = torch.get_num_threads()
    if every == 1:
        return 1
    taken = {threads: _probe(threads) for threads in (1, every)}
    return every if taken[every] * WORTH_IT < taken[1] else 1


def _probe(threads: int) -> float:
    """Return the median seconds of a layer's products and activation at a number of threads."""
    torch.set_num_threads(threads)
    x, w = torch.zeros(128, 784), torch.zeros(784, 512)
    taken = []
    for _ in range(PROBES):
        began = time.perf_counter()
        torch.mm(torch.tanh(torch.mm(x, w)), w.T)
        taken.append(time.perf_counter() - began)
    return median(taken)


def asked_precision() -> str | None:
    """Return what ``LATENTIA_PRECISION`` says: float32, bfloat16, auto, or None if it is unset."""
    asked = os.environ.get("LATENTIA_PRECISION")
    if asked is not None and asked not in PRECISIONS:
        raise InputError(
            f"LATENTIA_PRECISION is {asked!r}; it must be one of {', '.join(PRECISIONS)}"
        )
    return asked


def precision_for(device: torch.device, asked: str | None, recorded: str | None = None) -> str:
    """Return float32 or bfloat16, or auto where the model's own step is yet to be probed.

    What a run ``recorded`` wins; then comes what is ``asked`` for, then ``LATENTIA_PRECISION``.
    Without either a GPU computes in bfloat16 where its products are clearly faster so, and a CPU in
    float32: some nets are slower in bfloat16, and a seed's result would depend on the machine from
    its third digit on. Runs of version 0.1.0 recorded "auto" for that.
    """
    if recorded in ("float32", "bfloat16"):
        return recorded
    asked = asked or (asked_precision() if recorded is None else None)
    return asked or ("bfloat16" if bfloat16_pays(device) else "float32")


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Return bfloat16 autocast for that precision, and for float32 one that changes nothing."""
    if precision == "bfloat16":
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


@dataclass(eq=False, repr=False, kw_only=True)
class Placed:
    """Where a model is trained and in what: the fields, and what a run settled of them."""

    device: str = "auto"
    """Where to train: auto, cpu, cuda, cuda:1, mps."""
    precision: Literal["float32", "bfloat16", "auto"] | None = None
    """What the nets compute in as they are trained; auto probes a step of both and takes the
    faster, and none is float32, or on a GPU bfloat16 where its products are clearly faster."""

    def prepare_machine(self, begun: RunConfig | None = None) -> torch.device:
        """Set the threads and the precision, those of a run that was begun; return the device."""
        set_threads(None if begun is None else begun.threads)
        device = find_device(self.device)
        recorded = None if begun is None else begun.precision
        self.precision_ = precision_for(device, self.precision, recorded)
        return device


@cache
def bfloat16_pays(device: torch.device) -> bool:
    """Return whether a GPU multiplies bfloat16, and does so clearly faster than float32."""
    if device.type != "cuda" or torch.cuda.get_device_capability(device) < (8, 0):
        return False
    seconds = {kind: _product_seconds(device, kind) for kind in (torch.float32, torch.bfloat16)}
    return seconds[torch.bfloat16] * CLEARLY < seconds[torch.float32]


def _product_seconds(device: torch.device, kind: torch.dtype) -> float:
    x = torch.zeros(512, 1024, device=device, dtype=kind)
    taken = []
    for _ in range(PROBES):
        began = time.perf_counter()
        # Reading a value waits for the device.
        float(torch.mm(x, x.T)[0, 0])
        taken.append(time.perf_counter() - began)
    return median(taken)


def full_precision(x: Tensor) -> Tensor:
    """Return what a net gave in bfloat16 as float32, and anything else as it is."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
