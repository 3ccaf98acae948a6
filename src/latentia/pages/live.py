"""A model's page inside another page: in a report, or in a notebook's cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from latentia.data.dataset import Dataset
from latentia.pages import provenance
from latentia.pages.html import content, html
from latentia.pages.program import program_of

NAME = Path("model.html")
"""What the page is called in the command that makes one of its own."""


def page_of(
    model: Any, data: Dataset | None, run: Path | None = None, with_images: bool = False
) -> tuple[str, dict[str, Any]]:
    """Return a model's page, and what it shows beside the model."""
    functions = {function.name: function for function in model.exported()}
    shown = content(model, functions, data, run, with_images)
    shown["commands"] = provenance.commands(run, NAME)
    return html(program_of(model), shown), shown
