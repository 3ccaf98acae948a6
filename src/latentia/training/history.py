"""What a training left epoch by epoch, as the user of a notebook wants it: lists by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

from latentia.errors import InputError


class History(dict[str, list[Any]]):
    """The values of each recorded epoch, by name, as lists of one length.

    ``epoch``, ``step`` and ``seconds`` are of its end; ``train/<loss>`` is a mean over the epoch,
    ``validation/<loss>`` one over held-out data, and ``health/<number>`` what the model was found
    to be; the names after the stroke are those of ``metrics.jsonl``. What was not recorded in an
    epoch is NaN.

    Attributes
    ----------
    ended
        Why training ended before the epochs that were asked for; empty if it did not.
    ailments
        What ailed the model, a sentence by epoch.
    """

    def __init__(self, records: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__()
        ends = [record for record in records if record["split"] == "end"]
        last = max((record["step"] for record in records), default=0)
        self.ended = str(ends[-1]["note"]) if ends and ends[-1]["step"] == last else ""
        self.ailments = {
            int(r["epoch"]): str(r["note"])
            for r in records
            if r["split"] == "health" and r.get("note")
        }
        rows: dict[int, dict[str, Any]] = {}
        for record in (r for r in records if r["split"] != "end"):
            row = rows.setdefault(record["epoch"], {})
            row |= {name: record[name] for name in ("epoch", "step", "seconds") if name in record}
            row |= {f"{record['split']}/{n}": value for n, value in record["values"].items()}
        names = dict.fromkeys(name for row in rows.values() for name in row)
        for name in names:
            self[name] = [row.get(name, nan) for row in rows.values()]

    def to_frame(self) -> Any:
        """Return a pandas table of one row for each recorded epoch, whose index is the epoch."""
        try:
            from pandas import DataFrame
        except ImportError:
            raise InputError("to_frame makes a table of pandas: pip install pandas") from None
        return DataFrame(dict(self)).set_index("epoch") if self else DataFrame()
