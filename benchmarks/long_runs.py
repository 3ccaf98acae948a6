"""What long benchmarks share: what is done is kept, a run that stopped goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from latentia.cli.main import main as command
from latentia.files import write_atomically


def trained(run: Path, words: list[str]) -> Path:
    """Train in a run directory as ``latentia train WORDS`` does, or go on, unless it is done.

    Raises
    ------
    SystemExit
        If the training fails.
    """
    if not is_done(run):
        started = (run / "config.json").exists()
        order = ["resume", str(run)] if started else ["train", *words, "--run", str(run)]
        if command(order) != 0:
            raise SystemExit(f"training in {run} failed")
    return run


def is_done(run: Path) -> bool:
    """Return whether a run was trained, measured and reported."""
    return (run / "report.html").exists()


def measured(run: Path) -> dict[str, Any]:
    """Return what was measured of a run that is done."""
    found: dict[str, Any] = json.loads((run / "evaluation.json").read_text())
    return found


def kept(path: Path, make: Callable[[], Any]) -> Any:
    """Return the JSON at ``path``, made and written there unless it is there."""
    if not path.exists():
        write_atomically(path, json.dumps(make()).encode())
    return json.loads(path.read_text())
