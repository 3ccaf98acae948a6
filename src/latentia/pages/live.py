"""A model's page inside another page: in a report, or in a notebook's cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from latentia.data.dataset import Dataset
from latentia.errors import InputError
from latentia.pages import provenance
from latentia.pages.diagrams import diagram_of
from latentia.pages.html import content, html, shown_of
from latentia.pages.program import program_of

MOST_BYTES = 1_500_000
"""Of a page that a report embeds: several make a report that is still mailed, and opens at once."""
NAME = Path("model.html")
"""What the page is called in the command that makes one of its own."""


def page_of(
    model: Any, data: Dataset | None, run: Path | None = None, with_images: bool = False
) -> tuple[str, dict[str, Any]]:
    """Return a model's page, and what it shows beside the model."""
    functions = {function.name: function for function in shown_of(model.exported(), ())}
    shown = content(model, functions, data, run, with_images)
    shown["commands"] = provenance.commands(run, NAME)
    program = program_of(model, tuple(functions))
    return html(program, shown, diagram_of(model, data)), shown


def live_page(model: Any, data: Dataset, run: Path) -> str:
    """Return a model's page for a report that embeds it; refuse one that is too large for that."""
    page, _ = page_of(model, data, run)
    n_bytes = len(page.encode(errors="replace"))
    if n_bytes > MOST_BYTES:
        raise InputError(
            f"its page takes {n_bytes / 1e6:.1f} MB, and a report embeds up to "
            f"{MOST_BYTES / 1e6:.1f} MB; 'latentia export {run} --out {NAME}' writes it alone"
        )
    return page
