"""Lists of pictures that are to be made, and what became of them: a manifest, a file of failures.

A list names pictures in a column or key ``source``, a path from the list's folder on or an address,
and if it has ``output``, where in the folder of the results each goes:

    FILE.jsonl, .csv, .parquet      with these names
    FILE.txt                        a picture a line

A manifest has a line of JSON for each picture made: ``source``, ``output``, ``size`` in bytes and
``sha256``, so that it is a list too. A line is appended in one call when its picture is in place;
what a killed process left of a last line is cut off when the file goes on.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, NamedTuple, Self, TypeVar

from latentia.data.limits import read_limited
from latentia.data.records import read_parquet
from latentia.data.remote import Location, is_address, leads_out, located, within
from latentia.errors import InputError

Existing = Literal["refuse", "skip", "replace"]
LISTS = (".jsonl", ".csv", ".parquet", ".txt")
SOURCE, OUTPUT = "source", "output"
MADE = (SOURCE, OUTPUT, "size", "sha256")
FAILED = (SOURCE, "error")
BLOCK = 2**20

Item = TypeVar("Item")


class Shard(NamedTuple):
    """One of several parts of the work, each in a process or on a machine of its own.

    Part i of n is every n-th item from the i-th on, so that parts are disjoint, together whole, and
    differ by one item at most.

    >>> [Shard(i, 3).of(range(7)) for i in (1, 2, 3)]
    [[0, 3, 6], [1, 4], [2, 5]]
    """

    number: int = 1
    n_shards: int = 1

    def of(self, items: Iterable[Item]) -> list[Item]:
        """Return this part's items."""
        return list(items)[self.number - 1 :: self.n_shards]


def shard(text: str) -> Shard:
    """Return the part that a text such as ``3/8`` names.

    >>> shard("3/8")
    Shard(number=3, n_shards=8)
    """
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text.strip())
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise InputError(f"the shard is {text!r}; give i/n from 1/n to n/n, such as 3/8")
    return Shard(int(found[1]), int(found[2]))


def listed_pictures(path: Path) -> list[tuple[Location, Path]]:
    """Return the pictures that a list names, in its order, each with its place among the results.

    That is its ``output``, or else its path as it stands in the list, or the last part of an
    address or of a path that leads elsewhere.

    Raises
    ------
    InputError
        If the file is no such list, names nothing, or an ``output`` leads out of the folder.
    """
    rows = _rows(path)
    found = [
        (_source(row.get(SOURCE), path, number), row.get(OUTPUT))
        for number, row in enumerate(rows, 1)
    ]
    if not found:
        raise InputError(f"{path} names no pictures")
    pictures = [(_located(s, path.parent), _place(s, output, path)) for s, output in found]
    if len(twice := dict(pictures)) < len({*pictures}):
        source = next(source for source, place in pictures if twice[source] != place)
        raise InputError(f"{path} names {source} twice, with other places; name it once")
    return pictures


def _rows(path: Path) -> list[dict[str, Any]]:
    suffix = path.suffix.lower()
    if suffix not in LISTS:
        raise InputError(f"{path} is no list of pictures; give one of {', '.join(LISTS)}")
    if suffix == ".parquet":
        rows: list[dict[str, Any]] = read_parquet(path).table.to_pylist()
        return rows
    try:
        text = read_limited(path).decode("utf-8-sig")
        if suffix == ".csv":
            return list(csv.DictReader(io.StringIO(text, newline="")))
        lines = [line for line in text.splitlines() if line.strip()]
        return [{SOURCE: x.strip()} if suffix == ".txt" else _record(x) for x in lines]
    except (ValueError, RecursionError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}") from None


def _record(line: str) -> dict[str, Any]:
    found = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError(f'{line[:40]!r} is no record, such as {{"source": "a.png"}}')
    return found


def _source(found: object, path: Path, number: int) -> str:
    if not isinstance(found, str) or not found.strip():
        raise InputError(f"{path}: picture {number} has no {SOURCE!r}, which is to name its file")
    return found


def _located(source: str, folder: Path) -> Location:
    return located(source if is_address(source) else folder / source)


def _place(source: str, output: object, path: Path) -> Path:
    if output in (None, ""):
        plain = Path(source)
        elsewhere = is_address(source) or leads_out(plain)
        return Path(located(source).name or "picture") if elsewhere else plain
    place = Path(str(output))
    if leads_out(place):
        raise InputError(f"{path}: the {OUTPUT} {output} leads out of the folder of the results")
    return place


class Lines:
    """A file of JSON lines of ours, which one process writes.

    Parameters
    ----------
    path
        The file.
    keys
        What each line names.
    option
        The option that names the file.
    """

    def __init__(self, path: Path, keys: Sequence[str], option: str) -> None:
        self.path, self.option = path, option
        self._keys = {*keys}
        self._stream: BinaryIO | None = None

    def earlier(self, existing: Existing) -> list[dict[str, Any]]:
        """Return the whole lines that the file has.

        Raises
        ------
        InputError
            If the file must not exist, is another program's, or its folder is not there.
        """
        if not self.path.parent.is_dir():
            raise InputError(f"there is no folder {self.path.parent} for {self.option}")
        if not self.path.exists():
            return []
        if existing == "refuse":
            raise InputError(
                f"{self.path} exists: give another {self.option}, or --overwrite or --skip-existing"
            )
        whole = read_limited(self.path).rpartition(b"\n")[0]
        try:
            found = [_record(line) for line in whole.decode().split("\n") if line]
        except (ValueError, RecursionError):
            found = [{}]
        if not all(line.keys() == self._keys for line in found):
            raise InputError(f"{self.path} is another file than {self.option} writes: it stays")
        return found

    def begin(self, *, go_on: bool) -> None:
        """Open the file behind its whole lines, or anew."""
        stream = self._stream = self.path.open("ab", buffering=0)
        whole = read_limited(self.path).rfind(b"\n") + 1 if go_on else 0
        stream.truncate(whole)

    def add(self, line: dict[str, Any]) -> None:
        """Append a line in one call."""
        assert self._stream is not None
        self._stream.write(json.dumps(line).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()


class Ledger:
    """What became of pictures, in a manifest and a file of failures, each if it is asked for.

    Where results that exist are left as they are, the manifest goes on, and they are in it too; the
    failures are always of the last call.
    """

    def __init__(self, manifest: Path | None = None, failures: Path | None = None) -> None:
        self.manifest = None if manifest is None else Lines(manifest, MADE, "--manifest-out")
        self.failures = None if failures is None else Lines(failures, FAILED, "--failures")
        self._goes_on = False
        self._known: dict[str, str] = {}

    def check(self, existing: Existing) -> None:
        """Read what the files have, or refuse them, before any work."""
        self._goes_on = existing == "skip"
        if self.failures is not None:
            self.failures.earlier(existing)
        earlier = [] if self.manifest is None else self.manifest.earlier(existing)
        self._known = {line[SOURCE]: line[OUTPUT] for line in earlier if self._goes_on}

    def output_of(self, source: Location) -> str | None:
        """Return where the result of a picture is, as the manifest says that goes on."""
        return self._known.get(_named(source))

    def __enter__(self) -> Self:
        """Open the files."""
        if self.manifest is not None:
            self.manifest.begin(go_on=self._goes_on)
        if self.failures is not None:
            self.failures.begin(go_on=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close them."""
        for lines in (self.manifest, self.failures):
            if lines is not None:
                lines.close()

    def made(self, source: Location, path: Location, out: Location) -> None:
        """Tell that a picture is in place, unless that is told already."""
        if self.manifest is None or self.output_of(source) == (output := within(path, out)):
            return
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as stream:
            while block := stream.read(BLOCK):
                digest.update(block)
                size += len(block)
        self.manifest.add(dict(zip(MADE, (_named(source), output, size, digest.hexdigest()))))

    def failed(self, source: object, why: str) -> None:
        """Tell why a picture could not be used."""
        if self.failures is not None:
            self.failures.add(dict(zip(FAILED, (_named(source), why))))


def _named(source: object) -> str:
    return str(source.absolute() if isinstance(source, Path) else source)
