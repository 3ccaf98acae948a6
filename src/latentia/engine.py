"""Where the arithmetic happens: the device, its threads and its precision."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

import torch

from latentia.errors import InputError, nearest

DEVICES = ("auto", "cpu", "cuda", "mps")


def check_device_name(name: str) -> None:
    """Refuse a device name that torch would not know (``cuda:1`` is one that it does)."""
    if name.split(":")[0] not in DEVICES:
        raise InputError(
            f"device is {name!r}; it must be one of {', '.join(DEVICES)}{nearest(name, DEVICES)}"
        )


def find_device(name: str) -> torch.device:
    """Return the device asked for; ``auto`` takes CUDA, then Apple's MPS, then the CPU.

    Raises
    ------
    InputError
        If the device is not on this machine.
    """
    check_device_name(name)
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _has_mps()}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if present[kind])
    if not present[name.split(":")[0]]:
        raise InputError(f"device {name!r} is not on this machine; use 'cpu' or 'auto'")
    if name == "cuda" and "LOCAL_RANK" in os.environ:
        name = f"cuda:{os.environ['LOCAL_RANK']}"
    return torch.device(name)


def _has_mps() -> bool:
    return torch.backends.mps.is_available()


def set_threads() -> int:
    """Give torch the number of threads in ``LATENTIA_THREADS`` (else leave it); return it."""
    asked = os.environ.get("LATENTIA_THREADS")
    if asked is not None:
        if not asked.isdigit() or int(asked) < 1:
            raise InputError(f"LATENTIA_THREADS is {asked!r}; it must be a whole number from 1 up")
        torch.set_num_threads(int(asked))
    return torch.get_num_threads()


def autocast(device: torch.device) -> AbstractContextManager[object]:
    """Return bfloat16 autocast on GPUs that have it in hardware, and full precision elsewhere.

    On CPUs without matrix units bfloat16 is emulated and slower, so it is never used there.
    """
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0):
        return torch.autocast("cuda", torch.bfloat16)
    return nullcontext()
