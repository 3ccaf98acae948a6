"""Several processes, one model: torch's own process group, started by torchrun.

Every rank holds the same nets, reads its own rows of each global batch and averages the
gradients, so that N processes do what one process with an N times larger batch does. torch is
imported where it is used: linear models ask here too, and need none of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentia.errors import InputError

if TYPE_CHECKING:
    import torch


def world_size() -> int:
    """Return the number of processes that train together (1 without a process group)."""
    # A group was made by torch, which is then loaded.
    dist = sys.modules.get("torch.distributed")
    if dist is None or not (dist.is_available() and dist.is_initialized()):
        return 1
    return int(dist.get_world_size())


def rank() -> int:
    """Return this process's number, from 0."""
    if world_size() == 1:
        return 0
    import torch.distributed as dist

    return dist.get_rank()


def leads() -> bool:
    """Return whether this process writes the files, also before and after the group exists."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Join the group that torchrun describes in the environment, and leave it at the end.

    A launcher that silently starts one process must not pass for the several of
    ``LATENTIA_DEVICES``.
    """
    started = int(os.environ.get("WORLD_SIZE", "1"))
    asked = int(os.environ.get("LATENTIA_DEVICES", str(started)))
    if started != asked:
        raise InputError(
            f"{asked} processes were asked for and {started} started: start them with torchrun"
        )
    if started == 1 or world_size() > 1:
        yield
        return
    import torch
    import torch.distributed as dist

    if device.type == "cuda":
        torch.cuda.set_device(device)
    # Counters and flags are reduced on the CPU, gradients where they are.
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def average_gradients(parameters: Iterable[torch.nn.Parameter]) -> None:
    """Replace each gradient by its mean over the processes, in one message."""
    if world_size() == 1:
        return
    import torch
    import torch.distributed as dist

    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients])
    dist.all_reduce(flat)
    parts = torch.split(flat / world_size(), [g.numel() for g in gradients])
    for gradient, mean in zip(gradients, parts, strict=True):
        gradient.copy_(mean.view_as(gradient))


def mean_over_processes(values: torch.Tensor) -> torch.Tensor:
    """Return a tensor's mean over the processes, through which gradients flow."""
    if world_size() == 1:
        return values
    import torch.distributed.nn.functional as collective

    total: torch.Tensor = collective.all_reduce(values)  # type: ignore[no-untyped-call]
    return total / world_size()


def all_rows(values: torch.Tensor) -> torch.Tensor:
    """Return the rows of all processes, in the order of their numbers; no gradient flows."""
    if world_size() == 1:
        return values
    import torch
    import torch.distributed as dist

    own = values.detach().contiguous()
    parts = [torch.empty_like(own) for _ in range(world_size())]
    dist.all_gather(parts, own)
    return torch.cat(parts)


def sum_over_processes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the element-wise sum of all processes' arrays."""
    if world_size() == 1:
        return values
    import torch
    import torch.distributed as dist

    total = torch.from_numpy(np.array(values))
    dist.all_reduce(total)
    return total.numpy()


def average(values: dict[str, float]) -> dict[str, float]:
    """Return each logged value's mean over the processes."""
    if world_size() == 1:
        return values
    total = sum_over_processes(np.array(list(values.values()), np.float64))
    return dict(zip(values, (total / world_size()).tolist()))


def any_rank(flag: bool) -> bool:
    """Return whether the flag is set in any process, so that all stop at the same step."""
    return bool(sum_over_processes(np.array([flag], np.float64)).any())


def broadcast(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first process's array in all of them."""
    if world_size() == 1:
        return values
    import torch
    import torch.distributed as dist

    first = torch.from_numpy(np.array(values))
    dist.broadcast(first, 0)
    return first.numpy()
