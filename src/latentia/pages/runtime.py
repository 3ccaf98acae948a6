"""The JavaScript that runs a program in a page."""

from __future__ import annotations

import base64
import re
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from latentia.pages.assembler import assembled


@cache
def source() -> str:
    """Return the runtime, which defines one global name, ``Latentia``, without its comments."""
    text = _read("runtime.js").replace("KERNELS_IN_BASE64", base64.b64encode(kernels()).decode())
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def kernels(name: str = "kernels.wat") -> bytes:
    """Return the functions of a file of the package as WebAssembly: first the sums of products."""
    template = Environment(undefined=StrictUndefined, autoescape=True)
    text = template.from_string(_read(name)).render()
    return assembled(re.sub(r";;.*", "", text))


def _read(name: str) -> str:
    return (files("latentia.pages") / name).read_text("utf-8")
