"""Tables of pictures as Hugging Face's ``datasets`` write them: .parquet and .arrow files.

A picture is a struct of ``bytes`` and ``path``, or plain bytes. The names of classes are in the
schema's metadata; pictures of which only a path is there are left out, since it is of another
machine.
"""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
from pyarrow import ipc

from latentia.data.archives import Archive, Entry
from latentia.data.options import NONE, one
from latentia.errors import InputError

KEY = b"huggingface"
ENDINGS = (".parquet", ".arrow")
IMAGES = ("image", "img", "picture", "jpg", "jpeg", "png", "webp")
LABELS = ("label", "labels", "class", "cls", "fine_label", "category", "target", "y")
ONLY_A_PATH = "its bytes are not in the table, only a path"


class ImageTable(Archive):
    """A table with a column of pictures, whose rows are its members."""

    kind = "a table of pictures"
    plain = "rows of a table"

    def __init__(self, path: Path, label: str | None = None) -> None:
        self._label = label
        super().__init__(path)

    def _read(self) -> None:
        self._lock = threading.Lock()
        self._held: tuple[int, Any] = (-1, None)
        schema = schema_of(self.path)
        features = _features(schema)
        column = image_column(schema)
        if column is None:
            raise InputError(
                f"{self.path} has no column of pictures, but {', '.join(schema.names)}"
            )
        labels = self._label_column(schema, features, column)
        row = 0
        for number, block in enumerate(self._blocks([c for c in (column, labels) if c])):
            lengths, is_null = _lengths(block.column(column))
            words = None if labels is None else block.column(labels).to_pylist()
            for place, n_bytes in enumerate(lengths):
                name = (f"row {row:07}",)
                if is_null[place]:
                    self.reasons[name] = ONLY_A_PATH
                else:
                    self.entries[name] = Entry(
                        n_bytes, partial(self._picture, column, number, place)
                    )
                if words is not None and words[place] is not None:
                    self.labels[name] = _named(words[place], features.get(str(labels)))
                row += 1
        self._describe(schema, features, column, labels)

    def _label_column(self, schema: Any, features: dict[str, Any], column: str) -> str | None:
        """Return the column of classes: the one asked for, or one that is called so."""
        if self._label is None:
            return _label_column(schema, features)
        if self._label == NONE:
            return None
        others = [name for name in schema.names if name != column]
        return one(self._label, others, "label", str(self.path))

    def _describe(
        self, schema: Any, features: dict[str, Any], column: str, labels: str | None
    ) -> None:
        """Note which columns were taken, and keep the classes' names."""
        self.class_names = tuple((features.get(labels or "") or {}).get("names") or ())
        others = [name for name in schema.names if name not in (column, labels)]
        taken = f"the pictures are from the column {column!r}"
        taken += "" if labels is None else f", their classes from {labels!r}"
        left = f"; left out: {', '.join(others[:8])}" if others else ""
        self.notes = (f"{taken}{left}.",)

    def _blocks(self, columns: list[str]) -> Iterator[Any]:
        """Yield the table a row group or batch at a time."""
        if self.path.suffix == ".parquet":
            with pq.ParquetFile(self.path) as file:
                for number in range(file.num_row_groups):
                    yield file.read_row_group(number, columns=columns)
        else:
            with pa.memory_map(str(self.path)) as source:
                for batch in _arrow(source):
                    yield pa.Table.from_batches([batch])

    def _picture(self, column: str, number: int, place: int) -> IO[bytes]:
        """Return one row's bytes; the block that it lies in is kept for the next rows."""
        with self._lock:
            if self._held[0] != number:
                self._held = (number, self._block(column, number))
            value = self._held[1].column(column)[place].as_py()
        return io.BytesIO(value["bytes"] if isinstance(value, dict) else value)

    def _block(self, column: str, number: int) -> Any:
        if self.path.suffix == ".parquet":
            with pq.ParquetFile(self.path) as file:
                return file.read_row_group(number, columns=[column])
        with pa.memory_map(str(self.path)) as source:
            batch = next(b for i, b in enumerate(_arrow(source)) if i == number)
            return pa.Table.from_batches([batch])


def schema_of(path: Path) -> Any:
    """Return a table's schema."""
    if path.suffix == ".parquet":
        return pq.read_schema(path)
    with pa.memory_map(str(path)) as source:
        return _arrow(source).schema


def _arrow(source: Any) -> Any:
    """Return a reader of batches: of a stream, as ``datasets`` write, or of a file."""
    try:
        return ipc.open_stream(source)
    except pa.ArrowInvalid:
        source.seek(0)
        file = ipc.open_file(source)
        return pa.RecordBatchReader.from_batches(
            file.schema, (file.get_batch(i) for i in range(file.num_record_batches))
        )


def image_column(schema: Any) -> str | None:
    """Return the name of the column of pictures, if a table has one."""
    features = _features(schema)
    named = [n for n in schema.names if (features.get(n) or {}).get("_type") == "Image"]
    structs = [f.name for f in schema if pa.types.is_struct(f.type) and _has_bytes(f.type)]
    plain = [f.name for f in schema if _is_binary(f.type) and _words(f.name) & {*IMAGES}]
    return next(iter([*named, *structs, *plain]), None)


def _words(name: str) -> set[str]:
    """Return the words of a column's name, such as image and bytes of ``image_bytes``."""
    return set(re.split(r"[^a-z]+", name.lower())) | {name.lower()}


def is_image_table(path: Path) -> bool:
    """Return whether a file is a table with a column of pictures."""
    if path.suffix not in ENDINGS or not path.is_file():
        return False
    try:
        return image_column(schema_of(path)) is not None
    except (pa.ArrowException, OSError):
        return False


def _has_bytes(kind: Any) -> bool:
    place = kind.get_field_index("bytes")
    held = kind.field(place).type if place >= 0 else None
    # Where no picture has its bytes, their column is of no type.
    return held is not None and (_is_binary(held) or pa.types.is_null(held))


def _is_binary(kind: Any) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _features(schema: Any) -> dict[str, Any]:
    try:
        held = json.loads((schema.metadata or {}).get(KEY, b"{}"))
        features = held["info"]["features"]
    except (ValueError, LookupError, TypeError):
        return {}
    return features if isinstance(features, dict) else {}


def _label_column(schema: Any, features: dict[str, Any]) -> str | None:
    named = [n for n in schema.names if (features.get(n) or {}).get("_type") == "ClassLabel"]
    usual = [name for word in LABELS for name in schema.names if name.lower() == word]
    plain = (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string, pa.types.is_boolean)
    fitting = [n for n in usual if any(is_kind(schema.field(n).type) for is_kind in plain)]
    return next(iter([*named, *fitting]), None)


def _named(value: Any, feature: Any) -> str:
    names = (feature or {}).get("names")
    if isinstance(names, list) and isinstance(value, int) and 0 <= value < len(names):
        return str(names[value])
    return str(value)


def _lengths(column: Any) -> tuple[list[int], list[bool]]:
    """Return how many bytes each picture of a block has, and whether they are missing."""
    lengths: list[int] = []
    for chunk in column.chunks:
        held = pa.compute.struct_field(chunk, "bytes") if pa.types.is_struct(chunk.type) else chunk
        held = held.cast(pa.large_binary())
        lengths += [-1 if n is None else n for n in pa.compute.binary_length(held).to_pylist()]
    return lengths, [n < 0 for n in lengths]
