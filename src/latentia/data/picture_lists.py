"""Which pictures are asked for, and where what becomes of each goes.

A file goes to ``OUT/NAME``; a folder's pictures go to ``OUT`` in the tree that they have in the
folder. An input is never written to, and a file that exists stays unless it may be replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from latentia.data.folders import pictures_in
from latentia.data.picture_files import named_like
from latentia.errors import InputError

Existing = Literal["refuse", "skip", "replace"]


@dataclass(frozen=True)
class Order:
    """Pictures to be made."""

    targets: dict[Path, Path]
    """For each input, in order, the file to be made of it."""
    existing: Existing = "refuse"
    """What to do about files that exist: refuse all work, leave them out, or replace them."""

    def prepare(self) -> None:
        """Make the folders, and remove what a killed run left half written in them."""
        names_in: dict[Path, set[str]] = {}
        for target in self.targets.values():
            names_in.setdefault(target.parent, set()).add(target.name)
        for folder, names in names_in.items():
            folder.mkdir(parents=True, exist_ok=True)
            for partial in folder.glob("*.tmp"):
                name, _, number = partial.stem.rpartition(".")
                if name in names and number.isdigit():
                    partial.unlink(missing_ok=True)

    def check(self, path: Path) -> None:
        """Refuse to write to a file that must stay, which only the picture itself led to."""
        if path.exists() and self.existing != "replace":
            raise InputError(f"{path} exists")


def order(paths: Sequence[Path], out: Path, existing: Existing = "refuse") -> Order:
    """Return where each of the pictures named, and in the folders named, goes.

    Parameters
    ----------
    paths
        Files and folders. Of folders all pictures are taken, in alphabetical order, except hidden
        files, files with another kind's suffix, and what lies in ``out``.
    out
        A folder, which need not exist.
    existing
        What to do about files that are there.

    Raises
    ------
    InputError
        For a path that is not there, no picture at all, two pictures that would go to one file, and
        a file that is an input or must stay.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; --out names a folder")
    targets: dict[Path, Path] = {}
    sources: dict[Path, Path] = {}
    for path in paths:
        for source, place in _pictures(path, out):
            target = out / place.with_name(named_like(place))
            other = sources.setdefault(target, source)
            if other != source:
                raise InputError(f"{other} and {source} would both become {target}; name one less")
            targets[source] = target
    if not targets:
        raise InputError(f"there are no pictures in {', '.join(map(str, paths))}")
    return Order(_allowed(targets, existing), existing)


def _pictures(path: Path, out: Path) -> list[tuple[Path, Path]]:
    """Return a file, or a folder's pictures, each with its place in ``out``."""
    if not path.exists():
        raise InputError(f"there is no file or folder {path}")
    if not path.is_dir():
        return [(path, Path(path.name))]
    inner = out.resolve() if out.resolve().is_relative_to(path.resolve()) else None
    if inner == path.resolve():
        raise InputError(f"{out} is the folder of the inputs; choose another --out")
    known = {suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    return [
        (found, found.relative_to(path))
        for found in pictures_in(path)
        if (found.suffix.lower() in known or not found.suffix)
        and (inner is None or not found.resolve().is_relative_to(inner))
    ]


def _allowed(targets: dict[Path, Path], existing: Existing) -> dict[Path, Path]:
    there = [target for target in targets.values() if target.exists()]
    inputs = {source.resolve() for source in targets}
    for target in there:
        if target.resolve() in inputs:
            raise InputError(f"{target} is one of the inputs; choose another --out")
    if there and existing == "refuse":
        more = f", and {len(there) - 1} more" if len(there) > 1 else ""
        raise InputError(
            f"{there[0]} exists{more}: choose another --out, or --overwrite or --skip-existing"
        )
    if existing == "skip":
        return {s: t for s, t in targets.items() if not t.exists()}
    return targets
