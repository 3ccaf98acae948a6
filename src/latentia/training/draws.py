"""Random numbers that depend on the seed and the step alone.

`seed` makes torch's generator a function of (seed, step, update, repeat), so that a resumed run
draws what the undisturbed one would have drawn and no generator state is ever saved. Every draw
is made for the *global* batch and each process keeps its own rows: two processes see the noise
that one process with the doubled batch sees.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

from latentia.training.distributed import rank, world_size


def seed(*where: object) -> None:
    """Seed torch's generators by a stable hash of the values, e.g. ``(seed, step, update)``.

    Only those in use: ``torch.manual_seed`` notes the call stack for every kind of device that has
    not been started, which takes as long as a small training step.
    """
    number = zlib.crc32("/".join(map(str, where)).encode())
    torch.default_generator.manual_seed(number)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(number)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(number)


_generators: ContextVar[list[torch.Generator] | None] = ContextVar("generators", default=None)


@contextmanager
def by_row(x: Tensor, *where: object, seen: Counter[int] | None = None) -> Iterator[None]:
    """Let draws, within a ``with`` block, be a function of each row's values and of ``where``.

    A sample's score then depends neither on its place nor on the samples beside it. Equal rows have
    the same draws, unless it is counted which rows were ``seen``: then each has its own.
    """
    salt = zlib.crc32("/".join(map(str, where)).encode())
    rows = x.float().cpu().contiguous().numpy()
    seeds = [zlib.crc32(row.tobytes(), salt) for row in rows]
    if seen is not None:
        seeds = [_apart(number, seen) for number in seeds]
    token = _generators.set([torch.Generator().manual_seed(number) for number in seeds])
    try:
        yield
    finally:
        _generators.reset(token)


def _apart(number: int, seen: Counter[int]) -> int:
    """Return the seed of a row, another one each time that the row comes again."""
    again = seen[number]
    seen[number] += 1
    return zlib.crc32(str(again).encode(), number) if again else number


def normal(n_rows: int, shape: tuple[int, ...], device: torch.device | str = "cpu") -> Tensor:
    """Return this process's ``(n_rows, *shape)`` rows of standard normal noise."""
    generators = _generators.get()
    if generators is not None:
        return torch.stack([torch.randn(*shape, generator=g) for g in generators])
    return _own_rows(lambda n: torch.randn(n, *shape, device=device), n_rows)


def normal_like(x: Tensor) -> Tensor:
    """Return standard normal noise of the shape, type and device of ``x``."""
    return normal(len(x), tuple(x.shape[1:]), x.device).to(x.dtype)


def uniform_like(x: Tensor) -> Tensor:
    """Return noise uniform on [0, 1) of the shape, type and device of ``x``."""
    shape = x.shape[1:]
    generators = _generators.get()
    if generators is not None:
        return torch.stack([torch.rand(*shape, generator=g) for g in generators]).to(x.dtype)
    return _own_rows(lambda n: torch.rand(n, *shape, device=x.device), len(x)).to(x.dtype)


def bytes_like(x: Tensor) -> Tensor:
    """Return uint8 noise, uniform on 0 to 255, of the shape and memory layout of ``x``.

    Drawn eight at a time, it takes a fraction of the time of `uniform_like`.
    """
    size = x[0].numel()
    generators = _generators.get()
    if generators is not None:
        words = torch.stack([_words(1, size, x.device, generator)[0] for generator in generators])
    else:
        words = _own_rows(lambda n: _words(n, size, x.device), len(x))
    flat = words.view(torch.uint8)[:, :size]
    if x.is_contiguous(memory_format=torch.channels_last):
        n, c, h, w = x.shape
        return flat.view(n, h, w, c).permute(0, 3, 1, 2)
    return flat.view(x.shape)


def _words(
    n: int, size: int, device: torch.device, generator: torch.Generator | None = None
) -> Tensor:
    """Return (n, ⌈size / 8⌉) random words of 64 bits."""
    words = torch.empty(n, -(-size // 8), dtype=torch.int64, device=device)
    return words.random_(-(2**63), None, generator=generator)


_undivided: ContextVar[bool] = ContextVar("undivided", default=False)


@contextmanager
def undivided() -> Iterator[None]:
    """Let one process draw for its rows alone, as what is measured on them asks for.

    The first rows of a larger draw are not always those of a smaller one.
    """
    token = _undivided.set(True)
    try:
        yield
    finally:
        _undivided.reset(token)


def _own_rows(draw: Callable[[int], Tensor], n_rows: int) -> Tensor:
    if _undivided.get():
        return draw(n_rows)
    first = rank() * n_rows
    return draw(n_rows * world_size())[first : first + n_rows]
