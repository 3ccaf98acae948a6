"""Files from public mirrors: resumed where they stopped, kept only if the checksum is right."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from latentia.data import idx
from latentia.errors import InputError

BLOCK = 1 << 18
TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True)
class RemoteFile:
    """A gzipped idx file on the network."""

    name: str
    sha256: str
    """Of the unpacked bytes, since mirrors compress anew."""


def cache_folder() -> Path:
    """Return ``LATENTIA_DATA``, or else ``latentia`` in the user's cache directory."""
    named = os.environ.get("LATENTIA_DATA")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "latentia"


def fetch_all(files: Sequence[RemoteFile], mirrors: Sequence[str], folder: Path) -> None:
    """Download every file that the folder lacks; an error tells what each mirror answered."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        if not (folder / file.name).exists():
            _fetch(file, mirrors, folder)


def _fetch(file: RemoteFile, mirrors: Sequence[str], folder: Path) -> None:
    failures = []
    partial = folder / f"{file.name}.part"
    for mirror in mirrors:
        try:
            _download(f"{mirror}/{file.name}", partial)
            _verify(partial, file)
        except (OSError, InputError) as error:
            failures.append(f"{mirror}: {error}")
            continue
        partial.replace(folder / file.name)
        return
    raise InputError(
        f"{file.name} could not be fetched ({'; '.join(failures)}); check the network, or put the "
        f"file into {folder}, or name a folder that holds it with --data or LATENTIA_DATA"
    )


def _download(url: str, partial: Path) -> None:
    """Append to ``partial``, or write it anew where the server cannot resume."""
    have = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            mode = "ab" if answer.status == 206 else "wb"
            with partial.open(mode) as stream:
                while block := answer.read(BLOCK):
                    stream.write(block)
            if answer.length:
                raise OSError(f"the connection ended {answer.length} bytes early")
    except urllib.error.HTTPError as error:
        if error.code != 416:  # already whole: the checksum decides
            raise


def _verify(partial: Path, file: RemoteFile) -> None:
    try:
        content = idx.read_bytes(partial)
    except InputError:
        partial.unlink()
        raise
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        partial.unlink()
        raise InputError(f"its checksum is {found[:12]}… and should be {file.sha256[:12]}…")
