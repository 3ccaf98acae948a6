"""The folder of runs as the studio sees it: names that lead inside it, and nowhere else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from latentia.errors import InputError

NAME = re.compile(r"[^\W_][\w.-]{0,99}")
"""What a run, or an upload, may be called: letters of any script, digits, dots, hyphens."""
OWN = ".studio"
UPLOADS = "uploads"


@dataclass(frozen=True)
class RunsFolder:
    """The runs that the studio shows and starts, and what it keeps beside them."""

    path: Path

    @property
    def own(self) -> Path:
        """Where the queue, what trainings said, and finished pages are kept."""
        return self.made(self.path / OWN)

    @property
    def uploads(self) -> Path:
        """Where uploaded data are kept, each in a folder of its own."""
        return self.made(self.path / UPLOADS)

    def made(self, folder: Path) -> Path:
        """Return a folder, which is made if it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def run(self, name: str) -> Path:
        """Return the place of a run by its name, which can lead nowhere else.

        Raises
        ------
        InputError
            For what is no name.
        """
        return self.path / checked_name(name)

    def names(self) -> list[str]:
        """Return the runs that are there, the newest first."""
        if not self.path.is_dir():
            return []
        found = [
            p for p in self.path.iterdir() if is_name(p.name) and (p / "config.json").is_file()
        ]
        times = {path: (path / "config.json").stat().st_mtime for path in found}
        return [path.name for path in sorted(found, key=lambda p: times[p], reverse=True)]

    def free_name(self, wanted: str, taken: set[str]) -> str:
        """Return the first of NAME-1, NAME-2 and so on that nothing has, nor is to have."""
        base = re.sub(r"[^\w.-]+", "-", wanted).strip("-._")[:60] or "run"
        base = base if is_name(base) else "run"
        numbered = (f"{base}-{n}" for n in range(1, 10**6))
        return next(n for n in numbered if n not in taken and not (self.path / n).exists())

    def free_upload(self, wanted: str) -> Path:
        """Return a place for an upload that nothing has."""
        base = re.sub(r"[^\w.-]+", "-", wanted).strip("-._")[:60] or "data"
        base = base if is_name(base) else "data"
        numbered = (base, *(f"{base}-{n}" for n in range(2, 10**6)))
        return next(p for n in numbered if not (p := self.uploads / n).exists())


def is_name(text: str) -> bool:
    """Return whether a text names one thing in a folder."""
    return NAME.fullmatch(text) is not None and ".." not in text and text != UPLOADS


def checked_name(text: str) -> str:
    """Return a name, or refuse what is none."""
    if not is_name(text):
        raise InputError(f"{text!r:.60} is no name of a run: letters, digits, dots and hyphens are")
    return text
