"""What long benchmarks share: a run that is done is kept, one that stopped goes on."""

from __future__ import annotations

from pathlib import Path

from latentia.cli.main import main as command


def trained(run: Path, words: list[str]) -> Path:
    """Train in a run directory as ``latentia train WORDS`` does, or go on, unless it is done.

    Raises
    ------
    SystemExit
        If the training fails.
    """
    if not (run / "report.html").exists():
        started = (run / "config.json").exists()
        order = ["resume", str(run)] if started else ["train", *words, "--run", str(run)]
        if command(order) != 0:
            raise SystemExit(f"training in {run} failed")
    return run
