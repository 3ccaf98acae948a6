"""The JavaScript that runs a program in a page."""

from __future__ import annotations

from importlib.resources import files


def source() -> str:
    """Return the runtime, which defines one global name, ``Latentia``, without its comments."""
    text = (files("latentia.pages") / "runtime.js").read_text("utf-8")
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
