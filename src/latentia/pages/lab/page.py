"""The laboratory's page: one HTML file in which games are played in a worker of the browser.

What plays (the autograd, the nets, the games, the data, what is measured and the doctor) and the
texts lie compressed in the file; the page's own script is plain, and the content security policy
allows it by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from latentia.files import refuse_existing
from latentia.pages.runtime import kernels
from latentia.plots.page import write_page

PLAYED = ("shared", "graph", "nets", "games", "data", "linear", "measure", "worker")
SHOWN = ("shared", "state", "draw", "charts", "controls", "lessons", "page")
LITERALS = re.compile(
    r'("(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|/(?![/*\s])(?:[^/\\\n]|\\.)+/[a-z]*(?=[.,)\]]))'
)
"""Strings and regular expressions, in which blanks are not ours to take."""


def write(path: Path, overwrite: bool = False) -> Path:
    """Write the laboratory to a file, and return its path."""
    refuse_existing(path, overwrite)
    return write_page(path, html())


def html() -> str:
    """Return the file."""
    script = "\n".join(['"use strict";', *map(_script, SHOWN)])
    texts = {name: json.loads(_text(f"{name}.json")) for name in ("words", "lessons")}
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(
        _text("lab.html")
    )
    return template.render(
        style=Markup(_text("templates/design.css", "latentia.plots") + _text("lab.css")),
        script=Markup(script),
        hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        texts=_packed(json.dumps(texts, ensure_ascii=False, separators=(",", ":"))),
        played=_packed(f"{played()}\n{_script('loop')}"),
    )


def played() -> str:
    """Return what plays the games, without a page or a worker."""
    wasm = base64.b64encode(kernels("lab/kernels.wat")).decode()
    draws = _script("templates/uniforms", "latentia.pages")
    return "\n".join(['"use strict";', f'const KERNELS = "{wasm}";', draws, *map(_script, PLAYED)])


def _script(name: str, package: str = "latentia.pages.lab") -> str:
    """Return a script without its comments, indentation, and blanks around signs."""
    lines = (line.strip() for line in _text(f"{name}.js", package).splitlines())
    return "\n".join(map(_tight, (line for line in lines if line and not line.startswith("//"))))


def _tight(line: str) -> str:
    parts = LITERALS.split(line)
    parts[::2] = [re.sub(r" ?([=<>&|?:;,(){}\[\]*]+) ?", r"\1", part) for part in parts[::2]]
    return "".join(parts)


def _packed(text: str) -> str:
    compressor = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return base64.b64encode(compressor.compress(text.encode()) + compressor.flush()).decode()


def _text(name: str, package: str = "latentia.pages.lab") -> str:
    return (files(package) / name).read_text("utf-8")
