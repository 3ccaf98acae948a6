"""Records in .jsonl and .json, and Arrow's files, as columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from latentia.data.delimited import Columns
from latentia.data.encodings import encoding_of
from latentia.data.headers import distinct
from latentia.data.limits import check_bytes, read_limited
from latentia.errors import InputError

SHAPES = "a list of records [{...}, ...], of rows [[...], ...], or columns {name: [...], ...}"


def read_parquet(path: Path) -> Columns:
    """Return the columns of a .parquet file."""
    try:
        about = pa.parquet.read_metadata(path)
        check_bytes(about.num_rows * about.num_columns * 8, str(path))
        return _columns(pa.parquet.read_table(path), path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None


def read_arrow(path: Path) -> Columns:
    """Return the columns of a .feather or .arrow file, or of a stream of Arrow's."""
    try:
        with pa.memory_map(str(path)) as source:
            return _columns(_gathered(_batches(source), path), path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None


def _batches(source: Any) -> Iterator[pa.RecordBatch]:
    try:
        file = pa.ipc.open_file(source)
    except pa.ArrowInvalid:
        source.seek(0)
        yield from pa.ipc.open_stream(source)
        return
    yield from (file.get_batch(i) for i in range(file.num_record_batches))


def _gathered(batches: Iterator[pa.RecordBatch], path: Path) -> pa.Table:
    found, taken = [], 0
    for batch in batches:
        taken += batch.nbytes
        check_bytes(taken, str(path))
        found.append(batch)
    if not found:
        raise InputError(f"{path} holds 0 rows")
    return pa.Table.from_batches(found)


def _columns(table: pa.Table, path: Path) -> Columns:
    names, told = distinct(table.column_names)
    said = (f"{path.name}: {'; '.join(told)}.",) if told else ()
    return Columns(table.rename_columns(names), said, has_header=True)


def read_json(path: Path, content: bytes | None = None) -> Columns:
    """Return the columns of JSON, or of JSON a line; numbers where a column holds nothing else."""
    content = read_limited(path) if content is None else content
    try:
        text = content.decode(encoding_of(content)[0] or "utf-8")
        found = _lines(text) if _is_lines(path) else _records(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    if not found:
        raise InputError(f"{path} holds no table; give {SHAPES}")
    table = pa.table({name: _column(values) for name, values in found.items()})
    return Columns(table, (), has_header=True)


def _is_lines(path: Path) -> bool:
    return bool({".jsonl", ".ndjson"} & {suffix.lower() for suffix in path.suffixes})


def _lines(text: str) -> dict[str, list[Any]]:
    return _records([_line(line, n) for n, line in enumerate(text.split("\n"), 1) if line.strip()])


def _line(line: str, n: int) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        what = str(error).partition(": line ")[0]
        raise ValueError(f"line {n} is no JSON, {line[:40].strip()!r}: {what}") from None


def _records(found: Any) -> dict[str, list[Any]]:
    """Return columns of any of the usual shapes, or nothing."""
    if isinstance(found, dict) and {"columns", "data"} <= found.keys():
        return _rows(found["data"], found["columns"])
    if isinstance(found, dict) and len(found) == 1:
        inner = next(iter(found.values()))
        if isinstance(inner, list) and inner and isinstance(inner[0], dict | list):
            return _records(inner)
    if isinstance(found, dict):
        return _of_columns(found)
    if isinstance(found, list) and all(isinstance(row, dict) for row in found):
        names = dict.fromkeys(name for row in found for name in row)
        return {name: [row.get(name) for row in found] for name in names}
    return _rows(found, None)


def _of_columns(found: dict[str, Any]) -> dict[str, list[Any]]:
    values = list(found.values())
    if all(isinstance(v, dict) for v in values):
        rows = dict.fromkeys(row for v in values for row in v)
        return {name: [v.get(row) for row in rows] for name, v in found.items()}
    lists = {name: v for name, v in found.items() if isinstance(v, list)}
    whole = len(lists) == len(found) and len({len(v) for v in values}) == 1
    return lists if whole else {}


def _rows(found: Any, names: Any) -> dict[str, list[Any]]:
    if not isinstance(found, list) or not all(isinstance(r, list) for r in found):
        return {}
    if len({len(row) for row in found}) > 1:
        return {}
    if names is None:
        words = all(isinstance(cell, str) for cell in found[0])
        names, found = (found[0], found[1:]) if words else (range(len(found[0])), found)
        names = [name if words else f"x{name}" for name in names]
    if not isinstance(names, list) or (found and len(names) != len(found[0])):
        return {}
    told, _ = distinct([str(name) for name in names])
    return dict(zip(told, map(list, zip(*found))))


def _column(values: list[Any]) -> pa.Array:
    if all(v is None or isinstance(v, bool | int | float) for v in values):
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    return pa.array(
        [v if v is None or isinstance(v, str) else json.dumps(v) for v in values], pa.string()
    )
