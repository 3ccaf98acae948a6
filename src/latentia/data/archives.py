"""Archives, .zip and .tar, as if they were folders: members are read in place.

No member is unpacked to the disk. Names inside are labels to look things up by, never paths: one
that would lead out of the archive is left out with a reason, as are links, members behind a
password and archives within. A compressed .tar has no table of contents and is unpacked in memory,
up to `latentia.data.limits`.
"""

from __future__ import annotations

import importlib
import io
import re
import stat
import tarfile
import weakref
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import IO, ClassVar, NamedTuple, TypeAlias

from latentia.data.encodings import encoding_of
from latentia.data.limits import check_bytes, excess
from latentia.errors import InputError
from latentia.files import printable, read_start

try:
    from lzma import LZMAError
except ImportError:  # Python may be built without it
    LZMAError = zlib.error  # type: ignore[misc, assignment]

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
OUTSIDE = "its name leads out of the archive"
LINK = "it is a link in an archive, which is not followed"
LOCKED = "it is locked with a password; make an archive without one"
WITHIN = "it is an archive in an archive; unpack it first"
DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    LZMAError,
)
"""What Python's readers raise for archives that are damaged, locked or made up."""
BLOCK = 2**20
SUPPORT = ("__macosx", "@eadir")
"""Folders that other programs leave in archives."""
TRAIN_NAMES = ("train", "training")
TEST_NAMES = ("test", "testing", "val", "valid", "validation")
PART_NAMES = (*TRAIN_NAMES, *TEST_NAMES)
NEUTRAL = ("set", "data", "dataset", "images", "image", "imgs", "img", "pictures", "photos", "seg")
"""Words in folders' names beside the part that they are: ``training_set``, ``test-images``."""
BESIDE = (".md", ".txt", ".json", ".rst", ".html", ".pdf", "")
"""Endings of what lies beside the folder of pictures in an archive, and is no picture."""


class MemberError(OSError):
    """A member that cannot be read; the message says why."""


@dataclass(frozen=True)
class Member:
    """A file or a folder in an archive, asked and opened as a `Path` is."""

    archive: Archive = field(compare=False, repr=False)
    parts: tuple[str, ...]
    """The archive's own parts, and the member's inside."""

    def __str__(self) -> str:
        """Return the archive's path and the member's name inside."""
        return "/".join([str(self.archive.path), *self.inside])

    @property
    def inside(self) -> tuple[str, ...]:
        """The parts of its name in the archive."""
        return self.parts[len(self.archive.path.parts) :]

    @property
    def name(self) -> str:
        """The last part of its name."""
        return self.parts[-1]

    @property
    def stem(self) -> str:
        """Its name without the suffix."""
        return Path(self.name).stem

    @property
    def suffix(self) -> str:
        """The end of its name from the last point on."""
        return Path(self.name).suffix

    @property
    def parent(self) -> Member:
        """The folder that it lies in."""
        return Member(self.archive, self.parts[:-1])

    def resolve(self) -> Member:
        """Return itself: links are not followed."""
        return self

    def is_dir(self) -> bool:
        """Return whether it is a folder."""
        return self.inside in self.archive.folders

    def iterdir(self) -> Iterator[Member]:
        """Yield what lies in this folder."""
        for name in self.archive.folders[self.inside]:
            yield Member(self.archive, (*self.parts, name))

    def bare_folders(self) -> list[Member]:
        """Return the folders in this one that hold no file, and do not stand in `iterdir`."""
        depth, here = len(self.inside) + 1, self.inside
        found = {parts[:depth] for parts in self.archive.bare if len(parts) >= depth}
        bare = [p for p in found if p[:-1] == here and p not in self.archive.folders]
        return [Member(self.archive, (*self.parts, parts[-1])) for parts in bare]

    def oddity(self) -> str:
        """Return why it cannot be read, or an empty string."""
        return self.archive.reasons.get(self.inside, "")

    def open(self, mode: str = "rb") -> IO[bytes]:
        """Return a stream of its bytes."""
        return self.archive.opened(self.inside)

    def n_bytes(self) -> int:
        """Return how many bytes it unpacks to."""
        return self.archive.entries[self.inside].n_bytes


Place: TypeAlias = Path | Member
"""A file or folder on the disk, or in an archive."""


class Entry(NamedTuple):
    """What an archive says of a member."""

    n_bytes: int
    """That it unpacks to."""
    open: Callable[[], IO[bytes]]


class Archive(ABC):
    """A file that holds files: its table of contents, and streams for several threads.

    Parameters
    ----------
    path
        The file.
    """

    kind: ClassVar[str]
    """What messages call it."""
    plain: ClassVar[str] = "without an ending"
    """What its members without an ending are."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[tuple[str, ...], Entry] = {}
        self.reasons: dict[tuple[str, ...], str] = {}
        self.bare: set[tuple[str, ...]] = set()
        """Folders that stand in the table of contents themselves."""
        self.labels: dict[tuple[str, ...], str] = {}
        self.class_names: tuple[str, ...] = ()
        """In the order of the file, if it states one."""
        self.notes: tuple[str, ...] = ()
        try:
            self._read()
        except InputError:
            raise
        except DAMAGE as error:
            words = " ".join(str(error).split()) or type(error).__name__
            raise InputError(f"{path} cannot be read as {self.kind}: {words:.200}") from None

    @abstractmethod
    def _read(self) -> None:
        """Read the table of contents."""

    @property
    def top(self) -> Member:
        """The folder that holds all."""
        return Member(self, self.path.parts)

    @cached_property
    def root(self) -> Member:
        """The folder that holds the pictures: the archive's top, or the only folder in it."""
        found = innermost(self.top)
        assert isinstance(found, Member)
        return found

    @cached_property
    def folders(self) -> dict[tuple[str, ...], list[str]]:
        """The names in each folder."""
        found: dict[tuple[str, ...], dict[str, None]] = {(): {}}
        for parts in (*self.entries, *self.reasons):
            for depth in range(len(parts)):
                found.setdefault(parts[:depth], {})[parts[depth]] = None
        return {parts: list(names) for parts, names in found.items()}

    def opened(self, parts: tuple[str, ...]) -> IO[bytes]:
        """Return a stream of a member's bytes, or raise an `OSError`."""
        entry = self.entries[parts]
        if too_many := excess(entry.n_bytes):
            raise MemberError(f"it {too_many}")
        try:
            with entry.open() as stream:
                content = stream.read(entry.n_bytes + 1)
        except DAMAGE as error:
            words = " ".join(str(error).split()) or type(error).__name__
            raise MemberError(f"it is damaged in its archive ({words:.100})") from None
        if len(content) != entry.n_bytes:
            raise MemberError(f"it holds {len(content)} of the {entry.n_bytes} bytes it promises")
        return io.BytesIO(content)


class Packed(Archive):
    """A .zip or .tar; which of them, its content tells."""

    kind = "an archive"

    def _read(self) -> None:
        self._replaced: list[str] = []
        self._is_cut = False
        if _begins(self.path).startswith(b"PK") or self.path.suffix.lower() == ".zip":
            self._read_zip()
        else:
            self._read_tar()
        if self._replaced:
            named = ", ".join(map(printable, self._replaced[:5]))
            self.notes += (
                f"{self.path.name} holds {len(self._replaced)} members whose names come again "
                f"later, of which the last was taken: {named}.",
            )
        if self._is_cut:
            self.notes += (f"{self.path.name} lacks its end: it is cut off, or was not finished.",)

    def _add(self, name: str, entry: Entry, reason: str = "") -> None:
        parts = _parts(name)
        if parts is None:
            self.reasons[(name.replace("/", "\N{DIVISION SLASH}"),)] = OUTSIDE
            return
        if not parts:
            return
        if self.entries.pop(parts, None) or self.reasons.pop(parts, None):
            self._replaced.append(name)
        if reason := reason or (WITHIN if is_named_archive(name) else ""):
            self.reasons[parts] = reason
        else:
            self.entries[parts] = entry

    def _read_zip(self) -> None:
        archive = zipfile.ZipFile(self.path)
        # The file is closed when nothing reads from it any more.
        weakref.finalize(self, archive.close)
        members = archive.infolist()
        for info, name in zip(members, self._zip_names(members)):
            if info.is_dir():
                self.bare.add(_parts(name) or ())
                continue
            is_link = stat.S_ISLNK(info.external_attr >> 16)
            reason = LOCKED if info.flag_bits & 1 else LINK if is_link else ""
            entry = Entry(info.file_size, partial(archive.open, info))
            self._add(name.replace("\\", "/"), entry, reason)

    def _zip_names(self, members: list[zipfile.ZipInfo]) -> list[str]:
        """Return the members' names, those of unknown encoding as UTF-8 or Korean if they are."""
        unknown = {i: _bytes_of(info) for i, info in enumerate(members) if _is_foreign(info)}
        codec, title = encoding_of(b"\n".join(unknown.values()))
        names = [info.filename for info in members]
        if not unknown or codec not in ("utf-8", "cp949"):
            return names
        for i, content in unknown.items():
            names[i] = content.decode(codec)
        if title:
            self.notes += (f"the names in {self.path.name} were read as {title}.",)
        return names

    def _read_tar(self) -> None:
        unpacked = _unpacked(self.path)

        def content(offset: int, n_bytes: int) -> IO[bytes]:
            if unpacked is not None:
                return io.BytesIO(unpacked[offset : offset + n_bytes])
            with self.path.open("rb") as stream:
                stream.seek(offset)
                return io.BytesIO(stream.read(n_bytes))

        whole = self.path.open("rb") if unpacked is None else io.BytesIO(unpacked)
        with whole, tarfile.open(fileobj=whole, mode="r:") as archive:
            for info in archive:
                if info.isdir():
                    self.bare.add(_parts(info.name) or ())
                    continue
                usual = info.isreg() and not info.issparse()
                reason = "" if usual else LINK if info.issym() or info.islnk() else "it is no file"
                entry = Entry(info.size, partial(content, info.offset_data, info.size))
                self._add(info.name, entry, reason)
            whole.seek(archive.offset)
            self._is_cut = not whole.read(tarfile.BLOCKSIZE)


def _unpacked(path: Path) -> bytes | None:
    """Return what a compressed .tar unpacks to; None for one that is not compressed."""
    head = read_start(path, 6)
    kinds = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\0": "lzma"}
    kind = next((module for magic, module in kinds.items() if head.startswith(magic)), None)
    if kind is None:
        return None
    content = io.BytesIO()
    with importlib.import_module(kind).open(path, "rb") as stream:
        while block := stream.read(BLOCK):
            check_bytes(content.tell() + len(block), f"{path}, unpacked,")
            content.write(block)
    return content.getvalue()


def _parts(name: str) -> tuple[str, ...] | None:
    """Return the parts of a member's name, or None if it would lead out of the archive."""
    parts = name.split("/")
    # "C:" is a drive.
    if name.startswith("/") or ".." in parts or name[1:2] == ":" or "\0" in name:
        return None
    return tuple(part for part in parts if part not in ("", "."))


def _is_foreign(info: zipfile.ZipInfo) -> bool:
    """Return whether a name is not ASCII, and its encoding is not told."""
    told = info.flag_bits & 0x800 or info.filename != info.orig_filename
    return not (told or info.filename.isascii())


def _bytes_of(info: zipfile.ZipInfo) -> bytes:
    """Return a name as it stands in the archive: the library takes it for CP437."""
    return info.filename.encode("cp437")


def innermost(place: Place) -> Place:
    """Return the folder that holds the pictures: this one, or the only one in it, and so on."""
    while True:
        inner = [child for child in _children(place) if not is_support(child.name)]
        deeper = [child for child in inner if child.is_dir()]
        loose = [child for child in inner if not child.is_dir()]
        if (
            len(deeper) != 1
            or part_of(deeper[0].name) not in ("", part_of(place.name))
            or (isinstance(deeper[0], Path) and deeper[0].is_symlink())
            or not all(child.suffix.lower() in BESIDE or _is_odd(child) for child in loose)
        ):
            return place
        place = deeper[0]


def _children(place: Place) -> list[Place]:
    """Return what lies in a folder, or nothing of one that cannot be opened: its reader says so."""
    try:
        return list(place.iterdir())
    except OSError:
        return []


def _is_odd(child: Place) -> bool:
    return isinstance(child, Member) and bool(child.oddity())


def part_of(name: str) -> str:
    """Return the part that a folder is by its name, or an empty string.

    >>> part_of("Training_Set"), part_of("seg_test"), part_of("testimony")
    ('training', 'test', '')
    """
    words = [word for word in re.split(r"[\W_]+", name.lower()) if word not in ("", *NEUTRAL)]
    return words[0] if len(words) == 1 and words[0] in PART_NAMES else ""


def is_support(name: str) -> bool:
    """Return whether a file or folder is hidden, or another program's own."""
    return name.startswith(".") or name.lower() in SUPPORT


def is_named_archive(name: str) -> bool:
    """Return whether a file's name is that of an archive."""
    return name.lower().endswith(ENDINGS)


def is_archive(path: Path) -> bool:
    """Return whether a file is an archive that can be read, by its name or else by its content."""
    return path.is_file() and (is_named_archive(path.name) or _is_packed(path))


def _is_packed(path: Path) -> bool:
    head = _begins(path)
    return head.startswith(b"PK\3\4") or head[257:262] == b"ustar"


def _begins(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(262)
