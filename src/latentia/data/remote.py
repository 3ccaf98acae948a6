"""Files at addresses that fsspec understands: ``s3://``, ``https://``, ``tar://::FILE.tar`` ...

A file is read whole and written whole, in one call of the store, which needs the extra ``remote``
and what fsspec names for the store. ``file://`` is a path of this machine, and needs neither.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, TypeAlias
from urllib.parse import unquote, urlsplit

from latentia.data.archives import Archive, Entry, Member
from latentia.data.limits import most_bytes, size
from latentia.errors import InputError
from latentia.files import whole_file

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
HERE = ("file://", "local://")
CHAIN = "::"
"""Between what is inside a file and where that file lies, as fsspec writes it."""


@dataclass(frozen=True)
class Remote:
    """A file or a folder in a store, asked and opened as a `Path` is."""

    url: str
    """Its address, by which two are the same."""
    store: Any = field(compare=False, repr=False)
    """The file system of fsspec."""
    path: str = field(compare=False)
    """Its path in the store."""

    def __str__(self) -> str:
        """Return the address."""
        return self.url

    def __truediv__(self, place: Path) -> Remote:
        """Return what lies below this folder."""
        return self._at(f"{self.path.rstrip('/')}/{place.as_posix()}")

    @property
    def name(self) -> str:
        """The last part of its path, without what a web address asks for."""
        plain = urlsplit(self.path).path if self.is_web else self.path
        return PurePosixPath(self.spelt(plain)).name

    @property
    def suffix(self) -> str:
        """The end of its name from the last point on."""
        return PurePosixPath(self.name).suffix

    @property
    def is_web(self) -> bool:
        """Whether its names are spelt as those of web addresses."""
        return self.url.startswith(("http://", "https://"))

    def spelt(self, name: str) -> str:
        """Return a name with its letters as they are meant."""
        return unquote(name) if self.is_web else name

    def with_name(self, name: str) -> Remote:
        """Return what lies beside it under another name."""
        return self._at(f"{self.path.rpartition('/')[0]}/{name}")

    def _at(self, path: str) -> Remote:
        inner, colons, outer = self.url.partition(CHAIN)
        # What stands before the path, such as a machine's name, stands before others of the store.
        whole = inner.rstrip("/") if self.path.rstrip("/") else inner
        before = whole.removesuffix(self.path.rstrip("/"))
        return replace(self, url=before + path + colons + outer, path=path)

    def lies_in(self, folder: Location) -> bool:
        """Return whether it is another place, or lies below it."""
        if not isinstance(folder, Remote) or folder.store is not self.store:
            return False
        return f"{self.path}/".startswith(f"{folder.path.rstrip('/')}/")

    def exists(self) -> bool:
        """Return whether something is there."""
        with _told_errors():
            return bool(self.store.exists(self.path))

    def files(self) -> list[tuple[Remote, Path]]:
        """Return all files below it with their places there, sorted; itself, if it is a file."""
        root = self.path.rstrip("/")
        with _told_errors():
            found = sorted(self.store.find(root or self.path))
        return [(self._at(path), Path(self.spelt(path[len(root) :].lstrip("/")))) for path in found]

    def open(self, mode: str = "rb") -> BinaryIO:
        """Return a stream of its bytes, which are all in memory.

        Raises
        ------
        OSError
            If it is not there, cannot be read, or is larger than the limit of memory.
        """
        most = most_bytes()
        with _told_errors(), self.store.open(self.path, "rb") as stream:
            content = stream.read(most + 1)
        if len(content) > most:
            raise OSError(f"it has more than {size(most)}, the limit of memory")
        return io.BytesIO(content)

    def fetched(self) -> Member:
        """Return the file, held in memory, as what lies in archives is read."""
        name = self.name or "file"
        return Member(_Fetched(name, self.open().read()), (name,))

    def write(self, content: bytes) -> None:
        """Put a file there in one call: whole or not at all, as far as the store is so."""
        with _told_errors():
            try:
                self.store.pipe_file(self.path, content)
            except FileNotFoundError:
                self.store.makedirs(self.path.rpartition("/")[0], exist_ok=True)
                self.store.pipe_file(self.path, content)


Location: TypeAlias = Path | Remote
"""A file or folder of this machine or elsewhere."""


class _Fetched(Archive):
    """One file in memory."""

    kind = "a file"

    def __init__(self, name: str, content: bytes) -> None:
        self._named = (name,), Entry(len(content), partial(io.BytesIO, content))
        super().__init__(Path())

    def _read(self) -> None:
        self.entries.update([self._named])


def is_address(text: str) -> bool:
    """Return whether a text is an address, and not a path.

    >>> is_address("s3://pictures/a"), is_address("C:/pictures"), is_address("pictures/a.png")
    (True, False, False)
    """
    return ADDRESS.match(text) is not None


def located(given: Path | str) -> Location:
    """Return where a path or an address leads.

    Raises
    ------
    InputError
        If the address needs a package that is not installed, or fsspec does not know its kind.
    """
    text = str(given)
    if isinstance(given, Path) or not is_address(text):
        return Path(given)
    if text.startswith(HERE) and CHAIN not in text:
        return Path(text.partition("://")[2])
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError:
        raise InputError(
            f"{text} needs fsspec, which is not installed: pip install 'latentia[remote]'"
        ) from None
    try:
        store, path = url_to_fs(text)
    except (ImportError, ValueError, OSError) as error:
        raise InputError(f"{text} cannot be opened: {error}") from None
    return Remote(text, store, path)


def leads_out(place: Path) -> bool:
    """Return whether a place in a folder is none: what others name may lead anywhere.

    >>> leads_out(Path("a/b.png")), leads_out(Path("a/../../b.png")), leads_out(Path("/b.png"))
    (False, True, True)
    """
    return bool(place.is_absolute() or place.drive or ".." in place.parts)


def within(place: Location, folder: Location) -> str:
    """Return the place of a file in a folder that it lies in, with slashes."""
    if isinstance(place, Path) and isinstance(folder, Path):
        return place.relative_to(folder).as_posix()
    return str(place)[len(str(folder)) :].lstrip("/")


@contextmanager
def writable(path: Location) -> Iterator[BinaryIO]:
    """Give a stream whose content is at a place when the ``with`` block ends without an error."""
    if isinstance(path, Path):
        with whole_file(path) as stream:
            yield stream
        return
    content = io.BytesIO()
    yield content
    path.write(content.getvalue())


@contextmanager
def _told_errors() -> Iterator[None]:
    """Make whatever a store raises an `OSError` with a sentence: each has errors of its own."""
    try:
        yield
    except FileNotFoundError:
        raise OSError("there is no such file") from None
    except Exception as error:
        words = " ".join(str(error).split()) or type(error).__name__
        raise OSError(f"the store answers: {words:.200}") from error
