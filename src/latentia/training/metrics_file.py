"""``metrics.jsonl``: a run's values, a line each, of which every checkpoint knows the hash.

A checkpoint counts on the lines before it, so these are on disk first, and their length and SHA-256
are in the checkpoint. What comes after is written again by the resumed run.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentia.data.limits import read_limited
from latentia.errors import InputError
from latentia.files import named_errors, sync_file, write_atomically

log = logging.getLogger(__name__)

Seal = Mapping[str, Any]
"""Length and hash of the metrics that a checkpoint counts on, as ``bytes`` and ``sha256``."""
Record = dict[str, Any]


class MetricsFile:
    """The metrics of a run that is being trained."""

    def __init__(self, run: Path) -> None:
        self.path = run / "metrics.jsonl"
        self._written, self._n_bytes = hashlib.sha256(), 0

    def begins_as(self, seal: Seal | None) -> bool:
        """Return whether the file begins as a checkpoint says; a missing one counts as such."""
        if seal is None or not self.path.exists():
            return True
        part = read_limited(self.path)[: seal["bytes"]]
        found = {"bytes": len(part), "sha256": hashlib.sha256(part).hexdigest()}
        return found == seal

    def restore(self, seal: Seal | None, step: int, *, keep: bool) -> list[Record]:
        """Return the records up to a checkpoint; if ``keep``, cut the file back to them."""
        content = read_limited(self.path) if self.path.exists() else b""
        kept = content[: seal["bytes"]] if seal else _up_to(step, content, self.path)
        if seal and len(kept) < seal["bytes"]:
            log.warning("%s is missing: the values up to step %d are lost", self.path, step)
        damaged = [line for line in _lines(content[len(kept) :]) if _parsed(line) is None]
        if keep:
            if damaged:
                log.warning("%s is damaged at its end: cut back to step %d", self.path, step)
            write_atomically(self.path, kept)
            self._written, self._n_bytes = hashlib.sha256(kept), len(kept)
        return _all_parsed(kept, self.path)

    def append(self, record: Record) -> None:
        """Write one more line."""
        line = json.dumps(record).encode() + b"\n"
        with named_errors(self.path), self.path.open("ab") as stream:
            stream.write(line)
        self._written.update(line)
        self._n_bytes += len(line)

    def seal(self) -> Seal:
        """Put on disk what was written; return its length and hash."""
        sync_file(self.path)
        return {"bytes": self._n_bytes, "sha256": self._written.hexdigest()}


def read_metrics(run: Path) -> list[Record]:
    """Return a run's recorded values, oldest first; a half-written last line is left out."""
    path = run / "metrics.jsonl"
    content = read_limited(path) if path.exists() else b""
    return _all_parsed(content[: content.rfind(b"\n") + 1], path)


def is_record(value: object) -> bool:
    """Return whether a value is a whole record, as a line of the file holds one."""
    if not isinstance(value, dict) or not isinstance(value.get("values"), dict):
        return False
    counts = [value.get(name) for name in ("step", "epoch")]
    numbers = [*value["values"].values(), value.get("seconds", 0.0)]
    texts = [value.get("split"), value.get("note", "")]
    return (
        all(type(count) is int and count > 0 for count in counts)
        and all(type(number) in (int, float) for number in numbers)
        and all(isinstance(text, str) for text in texts)
    )


def _lines(content: bytes) -> list[bytes]:
    return content.splitlines(keepends=True)


def _parsed(line: bytes) -> Record | None:
    """Return a line's record, or None if it holds none."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if line.endswith(b"\n") and is_record(record) else None


def _all_parsed(content: bytes, path: Path) -> list[Record]:
    records = []
    for number, line in enumerate(_lines(content), 1):
        record = _parsed(line)
        if record is None:
            raise _damage(path, number)
        records.append(record)
    return records


def _up_to(step: int, content: bytes, path: Path) -> bytes:
    """Return the lines up to a step, for a checkpoint of version 0.1.0, which has no hash of them.

    Raises
    ------
    InputError
        If there is damage before a line that belongs to them.
    """
    kept, damaged = b"", None
    for number, line in enumerate(_lines(content), 1):
        record = _parsed(line)
        if record is None:
            damaged = damaged or number
        elif record["step"] <= step:
            if damaged is not None:
                raise _damage(path, damaged)
            kept += line
    return kept


def _damage(path: Path, line: int) -> InputError:
    return InputError(
        f"{path} is damaged in line {line}: put back a copy, or remove it to go on without the "
        "values up to here"
    )
