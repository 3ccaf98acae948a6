"""The gallery of examples: sphinx-gallery runs the scripts and takes the pictures that they write.

A script runs in a folder of the build, so that what it writes stays there. ``LATENTIA_SITE=full``
runs all that need no data of one's own; otherwise those that take seconds.
"""

from __future__ import annotations

import ast
import os
import shutil
from pathlib import Path
from typing import Any

QUICK = ("explore_digits",)
NEED_DATA = ("faces",)
"""They cannot run without pictures of one's own."""
SPELT = {"pix2pix": "pix2pix"}
"""Words of the scripts' names that are spelt otherwise in titles."""
SUFFIXES = (".png", ".gif")
HEADER = """Examples
========

Scripts that end in minutes on one processor, also as notebooks. Where this build ran one,
its page holds what it printed and drew; ``python3 start.py docs --full`` runs them all.
"""


def settings(source: Path) -> dict[str, Any]:
    """Return sphinx-gallery's settings for a copy of the documentation."""
    return {
        "examples_dirs": str(source / "_examples"),
        "gallery_dirs": str(source / "examples"),
        "filename_pattern": "|".join(rf"{os.sep}{name}\.py$" for name in executed()),
        "image_scrapers": ("generate.gallery.pictures",),
        "reset_modules": (),
        "abort_on_example_error": True,
        "download_all_examples": False,
        "show_signature": False,
        "show_memory": False,
        "min_reported_time": 10_000,
        "write_computation_times": False,
        "remove_config_comments": True,
        "first_notebook_cell": "import sys\n\nsys.argv = ['example.py']  # a notebook has no words",
        "thumbnail_size": (320, 224),
    }


def executed() -> tuple[str, ...]:
    """Return the names of the scripts that this build runs."""
    if os.environ.get("LATENTIA_SITE") != "full":
        return QUICK
    return tuple(name for name in all_examples() if name not in NEED_DATA)


def all_examples() -> list[str]:
    """Return the names of all scripts of the checkout."""
    folder = Path(os.environ["LATENTIA_SITE_ROOT"]) / "examples"
    return sorted(path.stem for path in folder.glob("*.py"))


def write_examples(root: Path, source: Path) -> None:
    """Copy the scripts to where sphinx-gallery reads them, with a title each."""
    folder = source / "_examples"
    folder.mkdir()
    (folder / "README.txt").write_text(HEADER, "utf-8")
    for path in sorted((root / "examples").glob("*.py")):
        (folder / path.name).write_text(with_title(path.stem, path.read_text("utf-8")), "utf-8")


def with_title(name: str, script: str) -> str:
    """Return a script whose docstring begins with a title, as sphinx-gallery asks."""
    text = ast.get_docstring(ast.parse(script)) or name
    words = [SPELT.get(word, word) for word in name.split("_")]
    title = " ".join(words)
    title = title if words[0] in SPELT else title.capitalize()
    code = script[script.index('"""', script.index('"""') + 3) + 3 :].lstrip("\n")
    body = "\n".join(_as_rest(text.splitlines()))
    note = "" if name in executed() else "\n\n*Not run when this site was built.*"
    hidden = f"# sphinx_gallery_start_ignore\n__doc__ = {text!r}\n# sphinx_gallery_end_ignore\n"
    future = "from __future__ import annotations\n"
    code = code.replace(future, future + hidden, 1) if future in code else hidden + code
    return f'"""\n{title}\n{"=" * len(title)}\n\n{body}{note}\n"""\n{code}'


def _as_rest(lines: list[str]) -> list[str]:
    """Return a docstring whose indented lines are kept as they are."""
    made: list[str] = []
    for i, line in enumerate(lines):
        if line.startswith("    ") and not (i and lines[i - 1].startswith("    ")):
            made += [".. code-block:: text", ""]
        made.append(line)
    return made


def pictures(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Take the pictures that a script has written into its folder, as sphinx-gallery's scraper."""
    from sphinx_gallery.scrapers import figure_rst

    folder = Path(block_vars["src_file"]).parent
    taken = []
    for path in sorted(p for p in folder.iterdir() if p.suffix in SUFFIXES):
        target = Path(next(block_vars["image_path_iterator"])).with_suffix(path.suffix)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
        taken.append(str(target))
    return figure_rst(taken, gallery_conf["src_dir"])
