"""Trainings that wait, go on and have ended: one at a time, each a process of its own.

A training is the command ``latentia train`` in a session of its own, so that the studio may end, be
killed or begin anew meanwhile. What is known of it lies in ``.studio/jobs/NAME``: the command, its
process, and what it printed. The process holds a lock on that folder while it lives, so that a
studio that begins anew knows it again, and never takes another process of that number for it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from latentia import MODELS
from latentia.errors import InputError
from latentia.files import MOST_JSON, held_folder, read_bytes, read_json, write_atomically
from latentia.models.fields import command_name
from latentia.studio.calls import PLAIN, complaint
from latentia.studio.folder import RunsFolder, is_name

State = Literal["waiting", "running", "done", "stopped", "failed"]
MOST_LOG = 2**22
if sys.platform == "win32":
    # Instead of a session of its own, where Ctrl-C does not reach a training either.
    OWN_GROUP, STOP = subprocess.CREATE_NEW_PROCESS_GROUP, signal.CTRL_BREAK_EVENT
else:
    OWN_GROUP, STOP = 0, signal.SIGTERM
EVERY = 0.3
"""Seconds between two looks at what waits."""


@dataclass(frozen=True)
class Job:
    """A training: what is called, when it was asked for, and its process once it has one."""

    name: str
    words: tuple[str, ...]
    """Of the command ``latentia``, the run's place among them."""
    asked: float
    pid: int | None = None

    @property
    def waits(self) -> bool:
        """Whether it has not begun."""
        return self.pid is None


@dataclass(frozen=True)
class Shown:
    """A run in a list: its name, its model on the command line, its data, and how it stands."""

    name: str
    model: str
    data: str
    state: State


class Queue:
    """The trainings of a folder of runs."""

    def __init__(self, folder: RunsFolder) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self.children: dict[str, subprocess.Popen[bytes]] = {}

    def place(self, name: str) -> Path:
        """Return the folder of what is known of a training."""
        return self.folder.own / "jobs" / name

    def job(self, name: str) -> Job | None:
        """Return a training by its run's name, or None if the studio did not start it."""
        file = self.place(name) / "job.json"
        with suppress(OSError, ValueError, TypeError, LookupError):
            told = read_json(file)
            words, pid = tuple(map(str, told["words"])), told["pid"]
            return Job(name, words, float(told["asked"]), None if pid is None else int(pid))
        return None

    def jobs(self) -> list[Job]:
        """Return all trainings that the studio knows of, the oldest first."""
        places = self.folder.own / "jobs"
        names = [p.name for p in places.iterdir() if is_name(p.name)] if places.is_dir() else []
        found = [job for job in map(self.job, names) if job is not None]
        return sorted(found, key=lambda job: (job.asked, job.name))

    def add(self, name: str, words: Sequence[str]) -> Job:
        """Let a training wait for its turn."""
        with self.lock:
            if self.state(name) in ("waiting", "running"):
                raise InputError(f"{name} is being trained, or is to be: wait for it, or stop it")
            job = Job(name, tuple(words), time.time())
            self._keep(job)
        return job

    def _keep(self, job: Job) -> None:
        place = self.place(job.name)
        place.mkdir(parents=True, exist_ok=True)
        write_atomically(place / "job.json", json.dumps(asdict(job)).encode())

    def state(self, name: str) -> State:
        """Return how a run stands."""
        job, run = self.job(name), self.folder.run(name)
        if job is not None and job.waits:
            return "waiting"
        if self.lives(name):
            return "running"
        if (run / "report.html").is_file():
            return "done"
        return "stopped" if (run / "config.json").is_file() else "failed"

    def lives(self, name: str) -> bool:
        """Return whether a run has a process that trains it, the studio's or another."""
        child = self.children.get(name)
        if child is not None:
            if child.poll() is None:
                return True
            del self.children[name]
        if sys.platform != "win32" and _is_held(self.place(name)):
            return True
        return (self.folder.run(name) / "holder").exists() and _is_held(self.folder.run(name))

    def step(self) -> str | None:
        """Start the next training if none goes on; return its name."""
        with self.lock:
            jobs = self.jobs()
            if any(not job.waits and self.lives(job.name) for job in jobs):
                return None
            waiting = [job for job in jobs if job.waits]
            if not waiting:
                return None
            self._start(waiting[0])
            return waiting[0].name

    def _start(self, job: Job) -> None:
        place = self.place(job.name)
        command = [sys.executable, "-m", "latentia", *job.words]
        env = os.environ | PLAIN | {"PYTHONUNBUFFERED": "1"}
        with (
            held_folder(place, lambda: "held", complain=False) as lock,
            (place / "log.txt").open("wb") as log,
        ):
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                creationflags=OWN_GROUP,
                pass_fds=() if lock is None else (lock,),
                env=env,
            )
        self.children[job.name] = child
        self._keep(replace(job, pid=child.pid))

    def stop(self, name: str) -> None:
        """Ask a training to end after its step, or take one that waits out of the queue."""
        with self.lock:
            job = self.job(name)
            if job is not None and job.waits:
                (self.place(name) / "job.json").unlink()
            elif job is not None and job.pid is not None and self.lives(name):
                with suppress(OSError):
                    os.kill(job.pid, STOP)

    def remove(self, name: str) -> None:
        """Delete a run that does not go on: its folder, and what is known of its training.

        Raises
        ------
        InputError
            For a run that goes on or waits, and for a folder that holds no run of Latentia's.
        """
        with self.lock:
            run, job = self.folder.run(name), self.job(name)
            if self.state(name) in ("waiting", "running"):
                raise InputError(f"{name} is being trained, or is to be: wait for it, or stop it")
            if job is None and config_of(run).get("model") not in MODELS:
                raise InputError(f"there is no run {name}: choose one from the list")
            for place in (run, self.place(name)):
                if place.exists():
                    shutil.rmtree(place)

    def log(self, name: str) -> str:
        """Return what a training printed."""
        try:
            content = read_bytes(self.place(name) / "log.txt", most=MOST_LOG)
        except (OSError, ValueError):
            return ""
        return content.decode(errors="replace").replace("\r", "\n")

    def complaint(self, name: str) -> str:
        """Return why a training failed, in its own sentence; or nothing."""
        return complaint(self.log(name))

    def shown(self) -> list[Shown]:
        """Return every run and training, what goes on first, then the newest."""
        jobs = {job.name: job for job in self.jobs()}
        names = [*reversed(jobs), *(n for n in self.folder.names() if n not in jobs)]
        found = [self._shown(name, jobs.get(name)) for name in names]
        order = {"running": 0, "waiting": 1}
        return sorted(found, key=lambda shown: order.get(shown.state, 2))

    def _shown(self, name: str, job: Job | None) -> Shown:
        told = config_of(self.folder.run(name))
        model, data = told.get("model"), told.get("data")
        spec = data.get("spec", "") if isinstance(data, dict) else ""
        if job is not None and not isinstance(model, str):
            return Shown(name, job.words[1], data_in(job.words), self.state(name))
        return Shown(name, command_name(str(model)), Path(str(spec)).name, self.state(name))

    def watch(self, ended: threading.Event, trained: Callable[[str], None]) -> None:
        """Start what waits, one after the other, until told to end; tell of each that is done."""
        before: set[str] = set()
        while not ended.wait(EVERY):
            with suppress(OSError, InputError):
                if (begun := self.step()) is not None:
                    # It is told too if it ends at once.
                    before.add(begun)
                now = {job.name for job in self.jobs() if not job.waits and self.lives(job.name)}
                for name in before - now:
                    if self.state(name) == "done":
                        trained(name)
                before = now


def config_of(run: Path) -> dict[str, Any]:
    """Return what a run's ``config.json`` says, or nothing if it cannot be read."""
    with suppress(OSError, ValueError):
        told = json.loads(read_bytes(run / "config.json", most=MOST_JSON))
        return told if isinstance(told, dict) else {}
    return {}


def data_in(words: Sequence[str]) -> str:
    """Return what a training that has not begun is to learn from, by its last name."""
    return Path(words[words.index("--data") + 1]).name if "--data" in words[:-1] else ""


def _is_held(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    try:
        with held_folder(folder, lambda: "held", complain=False):
            return False
    except InputError:
        return True
