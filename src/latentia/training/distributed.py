"""Several processes, one model: torch's own process group, started by `launch` or by torchrun.

Every rank holds the same nets, reads its own rows of each global batch and averages the
gradients, so that N processes do what one process with an N times larger batch does. torch is
imported where it is used: linear models ask here too, and need none of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentia.errors import InputError
from latentia.training.launch import LOST, MEETING

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


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Join the group that torchrun describes in the environment, and leave it at the end.

    A launcher that silently starts one process must not pass for the several of
    ``LATENTIA_DEVICES``. What another process owes is waited for `seconds_to_wait`.

    Raises
    ------
    InputError
        If too few processes were started, or one ended or did not answer in time.
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
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    meeting = os.environ.get(MEETING)
    try:
        dist.init_process_group(
            backend,
            init_method=None if meeting is None else f"file://{meeting}",
            rank=int(os.environ["RANK"]),
            world_size=started,
            timeout=timedelta(seconds=seconds_to_wait()),
        )
        yield
    except RuntimeError as error:
        known = isinstance(error, dist.DistError) or "gloo" in str(error)
        if dist.is_initialized() and not known:
            raise
        if meeting is not None:
            # Who was lost is told by the process that started all.
            sys.exit(LOST)
        raise InputError(
            f"process {os.environ['RANK']} lost another one, which ended or did not answer for "
            f"{seconds_to_wait():g} s (LATENTIA_TIMEOUT sets how long to wait)"
        ) from error
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def seconds_to_wait() -> float:
    """Return how long another process may take for what it owes: ``LATENTIA_TIMEOUT`` or 600."""
    asked = os.environ.get("LATENTIA_TIMEOUT", "600")
    try:
        seconds = float(asked)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 1e6:
        raise InputError(f"LATENTIA_TIMEOUT is {asked!r}; it must be a number of seconds above 0")
    return seconds


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


def barrier() -> None:
    """Wait until every process is here."""
    any_rank(False)


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
