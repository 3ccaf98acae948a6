"""A file's columns, whatever kind of table it is: by its suffix, packed or not."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path
from typing import Any

from latentia.data import delimited, matlab_files, records, spreadsheets, statistics_files
from latentia.data.array_files import DAMAGE
from latentia.data.dataset import TEXT_TABLES
from latentia.data.delimited import Columns
from latentia.data.limits import check_bytes, most_bytes
from latentia.data.options import OF_TEXT, TableOptions
from latentia.errors import InputError, nearest

DELIMITED = (".csv", ".tsv", ".tab", ".gct")
JSON = (".json", ".jsonl", ".ndjson")
ARROW = (".arrow", ".feather", ".ipc")
PACKED: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
IN_PACK = (*DELIMITED, *TEXT_TABLES, *JSON)
TABLES = (
    *DELIMITED,
    *JSON,
    *ARROW,
    ".parquet",
    ".mat",
    *spreadsheets.SHEETS,
    *statistics_files.READERS,
)
HAVE_SHEETS = (*spreadsheets.SHEETS, ".mat", ".zip")
LEAVES_NO_CHOICE = "{} leaves no choice of it"


def is_table(path: Path) -> bool:
    """Return whether a file is a table, by its name or else by its first lines."""
    suffix = path.suffix.lower()
    if suffix in PACKED:
        return Path(path.stem).suffix.lower() in IN_PACK and "idx" not in path.name
    if suffix == ".zip":
        return path.is_file() and bool(_members(path))
    plausible = suffix in TEXT_TABLES and path.is_file()
    return suffix in TABLES or (plausible and delimited.looks_like_table(path))


def choices(path: Path) -> tuple[str, ...]:
    """Return the options of its layout that a file's kind leaves open."""
    suffix = path.suffix.lower()
    inner = Path(path.stem).suffix.lower() if suffix in PACKED else suffix
    open_ = ["sheet"] if suffix in HAVE_SHEETS else []
    if inner in (*DELIMITED, *TEXT_TABLES, ".zip"):
        open_ += [*OF_TEXT, "decimal"]
    return (*open_, "header") if len(open_) > 1 or inner in spreadsheets.SHEETS else (*open_,)


def read(path: Path, options: TableOptions) -> Columns:
    """Return the columns of a file, and what was assumed of them."""
    suffix, why = path.suffix.lower(), LEAVES_NO_CHOICE.format(path.name)
    if suffix not in HAVE_SHEETS:
        options.refuse(f"{path.name} holds one table", ("sheet",))
    if suffix in spreadsheets.SHEETS:
        return spreadsheets.read(path, options)
    content = None
    if suffix in PACKED or suffix == ".zip":
        path, content = _unpacked(path, options.sheet)
        suffix = path.suffix.lower()
    if suffix in (*DELIMITED, *TEXT_TABLES):
        return delimited.read(path, options, content)
    options.refuse(why, (*OF_TEXT, "header"))
    if suffix in JSON:
        return records.read_json(path, content)
    if suffix in ARROW:
        return records.read_arrow(path)
    if suffix == ".mat":
        return matlab_files.read(path, options.sheet)
    if suffix in statistics_files.READERS:
        return statistics_files.read(path)
    return records.read_parquet(path)


def _unpacked(path: Path, wanted: str | None) -> tuple[Path, bytes]:
    """Return the content of a packed table and the path it would have unpacked."""
    try:
        if path.suffix.lower() == ".zip":
            return _of_zip(path, wanted)
        with PACKED[path.suffix.lower()](path) as stream:
            content: bytes = stream.read(most_bytes() + 1)
        check_bytes(len(content), f"{path} unpacked")
    except InputError:
        raise
    except (lzma.LZMAError, *DAMAGE) as error:
        raise InputError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    return path.with_suffix(""), content


def _of_zip(path: Path, wanted: str | None) -> tuple[Path, bytes]:
    members = _members(path)
    names = [member.filename for member in members]
    if wanted is not None and wanted not in names:
        raise InputError(
            f"{path} has no table {wanted!r}, but {', '.join(names)}{nearest(wanted, names)}"
        )
    if wanted is None and len(names) > 1:
        raise InputError(
            f"{path} holds {len(names)} tables: {', '.join(names[:8])}; choose one with --sheet"
        )
    member = members[names.index(wanted) if wanted else 0]
    check_bytes(member.file_size, f"{path}[{member.filename}]")
    with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
        content = stream.read(member.file_size + 1)
    # Only the last part of a member's name is used, and never to write.
    return path.with_name(Path(member.filename).name), content


def _members(path: Path) -> list[zipfile.ZipInfo]:
    """Return the tables in an archive that holds nothing else but remarks about them."""
    try:
        with zipfile.ZipFile(path) as archive:
            every = archive.infolist()
    except DAMAGE:
        return []
    held = [m for m in every if not m.is_dir() and "__MACOSX" not in m.filename]
    found = [m for m in held if Path(m.filename).suffix.lower() in (*DELIMITED, *JSON)]
    others = {Path(m.filename).suffix.lower() for m in held if m not in found}
    return found if others <= {".txt", ".md", ".pdf", ".html", ""} else []
