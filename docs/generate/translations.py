"""The messages of the pages that are written in Korean too, as gettext has them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

PAGES = ("index", "start/index", "lectures/index", "lectures/glossary", "lectures/errors")
"""Pages whose Korean stands in ``locales``; the lectures' own pages are made in both languages."""
SETTINGS = (
    "extensions=myst_parser",
    "myst_enable_extensions=colon_fence,deflist,attrs_inline",
    "gettext_compact=0",
    "gettext_location=0",
)


def write_messages(docs: Path, folder: Path) -> Path:
    """Write the messages of these pages as .pot files below a folder, and return where they are."""
    source, pot = folder / "messages-source", folder / "pot"
    for each in (source, pot):
        shutil.rmtree(each, ignore_errors=True)
    for page in PAGES:
        (source / page).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(docs / f"{page}.md", source / f"{page}.md")
    words = ["-m", "sphinx", "-Q", "-C", "-b", "gettext"]
    words += [word for each in SETTINGS for word in ("-D", each)]
    subprocess.run([sys.executable, *words, str(source), str(pot)], check=True)
    return pot
