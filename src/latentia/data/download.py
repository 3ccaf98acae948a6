"""Files from public mirrors: resumed where they stopped, kept only if the checksum is right.

A mirror that answers wrongly, sends too much, or sends less than `LEAST_BYTES` in
`TIMEOUT_SECONDS`, is left for the next one.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import os
import socket
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from latentia.data.limits import most_bytes, size
from latentia.errors import InputError

BLOCK = 1 << 18
TIMEOUT_SECONDS = 20.0
LEAST_BYTES = 1 << 15
"""A mirror that sends less than this in `TIMEOUT_SECONDS` is given up."""
BROKEN = (OSError, http.client.HTTPException, ValueError)
"""What a broken answer raises: ValueError of lengths and addresses that are none."""
BY_HAND = "put the file into {folder}, or name a folder that holds it with --data or LATENTIA_DATA"


@dataclass(frozen=True)
class RemoteFile:
    """A file on the network, gzipped or as it is."""

    name: str
    sha256: str
    """Of the unpacked bytes, since mirrors compress anew."""
    n_bytes: int | None = None
    """Of the unpacked bytes; without it what `latentia.data.limits` allows is the most."""

    @property
    def most(self) -> int:
        """Bytes that it has at most, on the network too: gzip adds less than 1 % to any file."""
        return most_bytes() if self.n_bytes is None else self.n_bytes + self.n_bytes // 100 + 100


class _Paced(io.RawIOBase):
    """Bytes from a socket, as long as they come fast enough."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._since, self._n_bytes = time.monotonic(), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        n: int | None = self._raw.readinto(buffer)
        self._n_bytes += n or 0
        passed = time.monotonic() - self._since
        if passed > TIMEOUT_SECONDS:
            if n and self._n_bytes < LEAST_BYTES:
                raise TimeoutError(f"it sent {self._n_bytes} bytes in {passed:.0f} seconds")
            self._since, self._n_bytes = time.monotonic(), 0
        return n

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer whose head and body must come fast enough."""

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp = io.BufferedReader(_Paced(self.fp.detach()))


class _Http(http.client.HTTPConnection):
    response_class = _Response


class _Https(http.client.HTTPSConnection):
    response_class = _Response


class _HttpHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Http, req)


class _HttpsHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Https, req)


def cache_folder() -> Path:
    """Return ``LATENTIA_DATA``, or else ``latentia`` in the user's cache directory."""
    named = os.environ.get("LATENTIA_DATA")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "latentia"


def fetch_all(
    files: Sequence[RemoteFile], mirrors: Sequence[str], folder: Path, cure: str = BY_HAND
) -> None:
    """Download every file that the folder lacks; an error tells what each mirror answered.

    ``cure`` is what else can be done about it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        if not (folder / file.name).exists():
            _fetch(file, mirrors, folder, cure.format(folder=folder))


def fetch_bytes(url: str, most: int) -> bytes:
    """Return what an address sends, which may be no more than the most, or say why it does not."""
    content = io.BytesIO()
    opener = urllib.request.build_opener(_HttpHandler, _HttpsHandler)
    try:
        with opener.open(url, timeout=TIMEOUT_SECONDS) as answer:
            _save(answer, content, most)
    except BROKEN as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{url} could not be fetched ({why}); check the network") from None
    return content.getvalue()


def _fetch(file: RemoteFile, mirrors: Sequence[str], folder: Path, cure: str) -> None:
    failures = []
    for mirror in mirrors:
        try:
            _fetch_from(mirror, file, folder)
            return
        except BROKEN as error:
            failures.append(f"{mirror}: {' '.join(str(error).split()) or type(error).__name__}")
    raise InputError(
        f"{file.name} could not be fetched ({'; '.join(failures)}); check the network, or {cure}"
    )


def _fetch_from(mirror: str, file: RemoteFile, folder: Path) -> None:
    partial = folder / f"{file.name}.part"
    resumed = partial.exists() and partial.stat().st_size > 0
    _download(f"{mirror}/{file.name}", partial, file.most)
    try:
        _verify(partial, file)
    except InputError:
        if not resumed:
            raise
        # What was there before may have come from a mirror that packs it otherwise.
        _download(f"{mirror}/{file.name}", partial, file.most)
        _verify(partial, file)
    partial.replace(folder / file.name)


def _download(url: str, partial: Path, most: int) -> None:
    """Append to ``partial``, or write it anew where the server cannot resume."""
    have = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    opener = urllib.request.build_opener(_HttpHandler, _HttpsHandler)
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            resumed = answer.status == 206
            there = answer.headers.get("Content-Range", f"bytes {have}-")
            if resumed and not there.startswith(f"bytes {have}-"):
                raise OSError(f"it sent {there!r} where bytes from {have} were asked for")
            with partial.open("ab" if resumed else "wb") as stream:
                _save(answer, stream, most)
            if answer.length:
                raise OSError(f"the connection ended {answer.length} bytes early")
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 416:  # already whole: the checksum decides
            raise


def _save(answer: Any, stream: BinaryIO | io.BytesIO, most: int) -> None:
    """Write an answer's bytes as they come, and no more than the most."""
    while block := answer.read1(BLOCK):
        if stream.tell() + len(block) > most:
            stream.truncate(0)
            raise OSError(f"it sends more than the {size(most)} that the file can have")
        stream.write(block)


def _verify(partial: Path, file: RemoteFile) -> None:
    """Refuse and remove a file that is another one; of one that ends early go on later."""
    digest = hashlib.sha256()
    try:
        n_bytes = 0
        for block in _unpacked(partial):
            n_bytes += len(block)
            if n_bytes > file.most:
                raise InputError(f"it unpacks to more than {size(file.most)}")
            digest.update(block)
    except EOFError:
        raise OSError(f"it ends early, after {size(partial.stat().st_size)}") from None
    except (OSError, zlib.error, InputError) as error:
        partial.unlink()
        raise InputError(f"it cannot be unpacked: {error}") from None
    found = digest.hexdigest()
    if found != file.sha256:
        partial.unlink()
        raise InputError(f"its checksum is {found[:12]}… and should be {file.sha256[:12]}…")


def _unpacked(path: Path) -> Iterator[bytes]:
    """Yield a file's content, unpacked if it is gzipped."""
    with path.open("rb") as plain:
        zipped = plain.read(2) == b"\x1f\x8b"
        plain.seek(0)
        stream: Any = gzip.GzipFile(fileobj=plain) if zipped else plain
        while block := stream.read(BLOCK):
            yield block
