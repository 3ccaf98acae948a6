"""Picture files in, picture files out: what a file holds is kept where its format can hold it.

    Grey stays grey. 16-bit grey stays 16-bit; 32-bit and floating-point grey become 16-bit by the
    rule of `latentia.data.images`, which is that of training.
    Transparency is read and written beside the colours.
    An ICC profile is kept with RGB and grey pixels.
    EXIF rotation is applied; other EXIF data are not written.
    16-bit colours are read as 8 bits, which is all that Pillow gives.

A file keeps its name. Where its format is not one of ``FORMATS``, or does not hold the result,
``.png`` is added to the name. JPEG is written at quality 95 without chroma subsampling, everything
else without loss.

A picture named on the command line goes to ``OUT/NAME``, a folder's pictures go to ``OUT`` in the
tree that they have in the folder. An input is never written to, and a file that exists stays unless
it may be replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentia.data.folders import contents, is_hidden, listed, passed_over
from latentia.data.images import FOREIGN, on_white, opened, planes, quiet, suffixes
from latentia.data.manifests import Existing, Ledger, Shard, listed_pictures
from latentia.data.remote import Location, Remote, leads_out, located, writable
from latentia.errors import InputError
from latentia.files import remove_abandoned

FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".jp2": "JPEG2000",
    ".bmp": "BMP",
    ".ppm": "PPM",
    ".pgm": "PPM",
}
HELD = {
    "PNG": {"L", "LA", "RGB", "RGBA", "I;16"},
    "TIFF": {"L", "LA", "RGB", "RGBA", "I;16"},
    "JPEG2000": {"L", "LA", "RGB", "RGBA", "I;16"},
    "WEBP": {"L", "LA", "RGB", "RGBA"},
    "PPM": {"L", "RGB", "I;16"},
    "JPEG": {"L", "RGB"},
    "BMP": {"L", "RGB"},
}
"""Which of Pillow's modes a format holds."""
SETTINGS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True},
}
NOT_READ = (
    ".hif .avif .jxl .jxr .wdp .exr .hdr .pfm .svg .psb .djvu .dcm .raw "
    ".cr2 .cr3 .nef .arw .dng .orf .rw2 .raf .pef .srw"
)
"""Endings of pictures that Pillow may not read."""
ROWS = 32
"""Rows that are rounded at once."""


@dataclass(frozen=True)
class Picture:
    """What a picture file holds."""

    pixels: NDArray[Any]
    """(1, H, W) or (3, H, W) uint8, or (1, H, W) uint16."""
    alpha: NDArray[np.uint8] | None = None
    """(H, W) uint8, or None."""
    profile: bytes | None = None
    """An ICC profile, or None."""
    notes: tuple[str, ...] = ()
    """What was left out."""

    def on_white(self) -> Self:
        """Return the picture laid on white."""
        return replace(self, pixels=on_white(self.pixels, self.alpha), alpha=None)


def read_picture(path: Location) -> Picture:
    """Return what a picture file holds.

    Raises
    ------
    BadImageError
        As `latentia.data.images.read` does.
    OSError
        If it lies elsewhere and cannot be had.
    """
    with quiet():
        image, notes = opened(path.fetched() if isinstance(path, Remote) else path)
        profile = None if image.mode in FOREIGN else image.info.get("icc_profile")
        return Picture(*planes(image), profile, notes)


class Canvas:
    """A picture that is painted in bands from the top, eight or sixteen bits deep.

    Parameters
    ----------
    n_channels
        1 or 3.
    size
        (height, width).
    deep
        Sixteen bits, if there is one channel.
    """

    def __init__(self, n_channels: int, size: tuple[int, int], *, deep: bool) -> None:
        mode = "RGB" if n_channels == 3 else "I;16" if deep else "L"
        self.image = Image.new(mode, (size[1], size[0]))
        self._row = 0

    def paint(self, band: NDArray[np.float32]) -> None:
        """Round the next rows, (C, h, W) in [0, 1], to whole values."""
        kind = np.uint16 if self.image.mode == "I;16" else np.uint8
        # A few rows at a time: a band of a large picture is itself hundreds of megabytes.
        for first in range(0, band.shape[1], ROWS):
            values = band[:, first : first + ROWS].clip(0, 1) * np.float32(np.iinfo(kind).max)
            whole = np.rint(values).astype(kind)
            plain = whole[0] if len(whole) == 1 else np.moveaxis(whole, 0, 2)
            self.image.paste(Image.fromarray(np.ascontiguousarray(plain)), (0, self._row))
            self._row += whole.shape[1]

    def veil(self, alpha: NDArray[np.uint8]) -> None:
        """Put transparency, (H, W), beside the colours."""
        self.image.putalpha(Image.fromarray(alpha))


def named_like(path: Path) -> str:
    """Return the name of a picture made from a file, as far as the file's name tells."""
    return path.name if path.suffix.lower() in FORMATS else f"{path.name}.png"


def fitting(path: Location, mode: str) -> Location:
    """Return the path, with ``.png`` added if the format of its name does not hold the mode."""
    kind = FORMATS[path.suffix.lower()]
    return path if mode in HELD[kind] else path.with_name(f"{path.name}.png")


def write_picture(path: Location, image: Image.Image, profile: bytes | None) -> None:
    """Write a picture in the format that its path names, whole or not at all."""
    kind = FORMATS[path.suffix.lower()]
    settings = SETTINGS.get(kind, {}) | ({} if profile is None else {"icc_profile": profile})
    with writable(path) as stream:
        image.save(stream, kind, **settings)


@dataclass(frozen=True)
class Order:
    """Pictures to be made."""

    targets: dict[Location, Location]
    """For each input, in order, the file to be made of it."""
    existing: Existing = "refuse"
    """What to do about files that exist: refuse all work, leave them out, or replace them."""
    bad: tuple[tuple[str, str], ...] = ()
    """Each file that cannot be read, as its name or place tells, and why."""
    notes: tuple[str, ...] = ()
    """What else lies in the folders and is not looked at."""
    out: Location = Path()
    """The folder of the results."""
    there: dict[Location, Location] = field(default_factory=dict)
    """For each input that is left out, the file that exists."""
    ledger: Ledger = field(default_factory=Ledger, compare=False)
    """Where it is told what became of each."""

    def prepare(self) -> None:
        """Make the folders, and remove what a run that was killed an hour ago left half-written."""
        for folder in {t.parent for t in self.targets.values() if isinstance(t, Path)}:
            folder.mkdir(parents=True, exist_ok=True)
            remove_abandoned(folder)

    def is_there(self, path: Location) -> bool:
        """Return whether a file whose name depended on the picture is there, and is to stay.

        Raises
        ------
        InputError
            If it must not be there.
        """
        if self.existing == "replace" or not path.exists():
            return False
        if self.existing == "refuse":
            raise InputError(f"{path} exists")
        return True


def order(
    paths: Sequence[Path | str],
    out: Path | str,
    existing: Existing = "refuse",
    *,
    manifest: Path | None = None,
    shard: Shard | None = None,
    ledger: Ledger | None = None,
) -> Order:
    """Return where each picture goes, of those named and those in the folders named.

    Parameters
    ----------
    paths
        Files and folders, of this machine or as addresses. Of folders all pictures are taken, in
        alphabetical order, except hidden files, files with another kind's suffix, and what lies in
        ``out``; what is not taken is told.
    out
        A folder, which need not exist.
    existing
        What to do about targets that exist.
    manifest
        A list of further pictures (`latentia.data.manifests`).
    shard
        The part of all these, in their order, that is to be made.
    ledger
        Where it is told what became of each.

    Raises
    ------
    InputError
        If a path does not exist, there is no picture, two pictures would go to one file, or a
        target is an input or must stay.
    """
    folder, ledger = located(out), Ledger() if ledger is None else ledger
    if isinstance(folder, Path) and folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; --out names a folder")
    found = [_pictures(located(path), folder) for path in paths]
    found += [] if manifest is None else [_Found(listed_pictures(manifest))]
    targets = _targets([pair for part in found for pair in part.pictures], folder)
    bad = tuple(dict.fromkeys(line for part in found for line in part.bad))
    notes = tuple(dict.fromkeys(line for part in found for line in part.notes))
    if not targets:
        named = ", ".join(map(str, paths))
        why = f": {listed([f'{path}: {reason}' for path, reason in bad])}" if bad else ""
        raise InputError(f"there are no pictures in {named}{why}")
    shard = shard or Shard()
    inputs, targets = {*targets}, dict(shard.of(targets.items()))
    ledger.check(existing)
    there = _existing(targets, folder, ledger)
    _check_existing(there, inputs, existing)
    left = {s: t for s, t in targets.items() if s not in there or existing == "replace"}
    return Order(left, existing, tuple(shard.of(bad)), notes, folder, there, ledger)


class _Found(NamedTuple):
    pictures: list[tuple[Location, Path]]
    """Each with its place in the folder for the results."""
    bad: list[tuple[str, str]] = []
    notes: list[str] = []


def _targets(pictures: Sequence[tuple[Location, Path]], out: Location) -> dict[Location, Location]:
    targets: dict[Location, Location] = {}
    sources: dict[Location, Location] = {}
    for source, place in pictures:
        target = out / place.with_name(named_like(place))
        other = sources.setdefault(target, source)
        if other != source:
            raise InputError(f"{other} and {source} would both become {target}; leave one out")
        targets[source] = target
    return targets


def _pictures(path: Location, out: Location) -> _Found:
    """Return a file, or what is in a folder."""
    if isinstance(path, Remote):
        return _elsewhere(path, out)
    if not path.exists():
        raise InputError(f"there is no file or folder {path}")
    if not path.is_dir():
        return _Found([(path, Path(path.name))])
    real, there = path.resolve(), out.resolve() if isinstance(out, Path) else None
    inner = there if there is not None and there.is_relative_to(real) else None
    if inner == real:
        raise InputError(f"{out} is the folder of the inputs; choose another --out")
    every, odd, hidden = contents(path)
    files = [found for found in every if isinstance(found, Path)]
    if inner is not None:
        files = [found for found in files if not found.resolve().is_relative_to(inner)]
    found = _by_name([(found, found.relative_to(path)) for found in files])
    bad = [*((str(place), reason) for place, reason in odd), *found.bad]
    return _Found(found.pictures, bad, [*found.notes, *passed_over(hidden)])


def _elsewhere(path: Remote, out: Location) -> _Found:
    """Return a picture, as its name tells, or what is in a folder."""
    if path.suffix.lower() in suffixes():
        return _Found([(path, Path(path.name))])
    if isinstance(out, Remote) and out.lies_in(path) and path.lies_in(out):
        raise InputError(f"{out} is the folder of the inputs; choose another --out")
    try:
        files = [pair for pair in path.files() if not pair[0].lies_in(out)]
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error}") from None
    seen = [pair for pair in files if leads_out(pair[1]) or not is_hidden(pair[1], Path())]
    return _by_name(seen)


def _by_name(files: Sequence[tuple[Location, Path]]) -> _Found:
    """Return which files are pictures by their names, which cannot be read, and which are none."""
    known, found, others = suffixes() | {""}, _Found([], [], []), []
    for path, place in files:
        suffix = place.suffix.lower()
        if leads_out(place):
            found.bad.append((str(path), "its name leads out of the folder"))
        elif suffix in known:
            found.pictures.append((path, place))
        elif suffix in NOT_READ.split():
            why = f"pictures in {suffix[1:]} cannot be read; convert it to png"
            found.bad.append((str(path), why))
        else:
            others.append(str(path))
    if others:
        found.notes.append(f"no picture by its name, and not looked at: {listed(others)}")
    return found


def _existing(
    targets: dict[Location, Location], out: Location, ledger: Ledger
) -> dict[Location, Location]:
    """Return those targets that exist, also under the name that the ledger says."""
    # One question for all, where each is a message to another machine.
    there = {str(path) for path, _ in out.files()} if isinstance(out, Remote) else None
    found = {}
    for source, target in targets.items():
        told = ledger.output_of(source)
        places = [target] if told is None else [target, out / Path(told)]
        for place in places:
            if str(place) in there if there is not None else place.exists():
                found[source] = place
    return found


def _check_existing(
    there: dict[Location, Location], inputs: set[Location], existing: Existing
) -> None:
    real = {path.resolve() if isinstance(path, Path) else path for path in inputs} if there else {}
    for target in there.values():
        if (target.resolve() if isinstance(target, Path) else target) in real:
            raise InputError(f"{target} is one of the inputs; choose another --out")
    if there and existing == "refuse":
        more = f", and {len(there) - 1} more" if len(there) > 1 else ""
        raise InputError(
            f"{next(iter(there.values()))} exists{more}: choose another --out, or --overwrite or "
            "--skip-existing"
        )
