"""Start the processes that train one model together on this machine, and end them together.

They find each other as torchrun's do, by ``RANK`` and ``WORLD_SIZE``; across machines, torchrun
itself starts them. A process ends when the one that started it does, and all end when one is lost.
This file needs no torch.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from latentia.training.signals import on_stop

LOST = 75
"""Exit status of a process that another one has left alone."""
MEETING = "LATENTIA_MEETING"
"""The variable with the file through which started processes find each other."""
SECONDS_TO_END = 10.0
"""What the others have to end by themselves once one is lost; then they are killed."""


def run_processes(command: Sequence[str], n: int) -> tuple[int, str]:
    """Run a command n times, as processes that train together; return how they ended.

    Signals that ask for an end are handed on to all. Their standard input is a pipe that closes
    when this process ends, however it ends (`end_with_parent`).

    Returns
    -------
    status
        0, or what the first process that did not end well ended with; 1 if it was killed.
    sentence
        What became of it; empty if the first process, which speaks for all, has told.
    """
    with tempfile.TemporaryDirectory(prefix="latentia-") as folder:
        processes = [_start(command, rank, n, Path(folder)) for rank in range(n)]
        try:
            with on_stop(lambda number, frame: _send(processes, number)):
                ended = _wait(processes)
        finally:
            _kill(processes)
        return _outcome(ended, n, Path(folder))


def is_one_of_several() -> bool:
    """Return whether this process was started as one of those that train together."""
    return "RANK" in os.environ


def leads() -> bool:
    """Return whether this process writes the files, also before and after the group exists."""
    return os.environ.get("RANK", "0") == "0"


def end_with_parent() -> None:
    """In a started process: stop when the one that started it is gone, at the latest in seconds."""

    def wait() -> None:
        # Nothing is ever written: the pipe ends when its other end does.
        os.read(0, 1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(SECONDS_TO_END)
        os._exit(LOST)

    threading.Thread(target=wait, daemon=True).start()


def _start(command: Sequence[str], rank: int, n: int, folder: Path) -> subprocess.Popen[bytes]:
    environment: Mapping[str, str] = os.environ | {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(n),
        "LATENTIA_DEVICES": str(n),
        MEETING: str(folder / "meeting"),
    }
    # The first process speaks for all; what another one says last is told if it fails alone.
    with (folder / str(rank)).open("wb") as said:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=said if rank else None,
            stderr=said if rank else None,
            start_new_session=True,
        )


def _send(processes: Sequence[subprocess.Popen[bytes]], number: int) -> None:
    for process in processes:
        # On Windows what a terminal sends has reached them too, and cannot be sent.
        with suppress(ValueError):
            process.send_signal(number)


def _kill(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.kill()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


def _wait(processes: Sequence[subprocess.Popen[bytes]]) -> dict[int, int | None]:
    """Return each process's status in the order of their ends; None for those that stayed."""
    ended: dict[int, int | None] = {}
    until = float("inf")
    while len(ended) < len(processes) and time.monotonic() < until:
        for rank, process in enumerate(processes):
            if rank not in ended and process.poll() is not None:
                ended[rank] = process.returncode
                if process.returncode and until == float("inf"):
                    until = time.monotonic() + SECONDS_TO_END
        time.sleep(0.02)
    return ended | {rank: None for rank in range(len(processes)) if rank not in ended}


def _outcome(ended: Mapping[int, int | None], n: int, folder: Path) -> tuple[int, str]:
    bad = {rank: status for rank, status in ended.items() if status not in (0, LOST)}
    if not bad:
        alone = LOST in ended.values()
        return (1, "the processes lost each other") if alone else (0, "")
    rank, status = next(iter(bad.items()))
    # What is no fault of one process alone, the first one has told.
    if status is not None and status > 0 and bad.get(0, 0) == status:
        return status, ""
    who = f"process {rank} of {n} (counted from 0)"
    if status is None:
        return 1, f"{who} did not answer any more and was stopped for good"
    if status < 0:
        name = signal.Signals(-status).name
        why = ", as a system does that runs out of memory" if name == "SIGKILL" else ""
        return 1, f"{who} was killed by {name}{why}"
    last = (folder / str(rank)).read_text("utf-8", errors="replace").strip().splitlines()[-1:]
    return status, ": ".join([f"{who} ended with status {status}", *last])
