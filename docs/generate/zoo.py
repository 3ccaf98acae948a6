"""The cards of the zoo's models as pages of the site."""

from __future__ import annotations

import re
import shutil
from pathlib import Path


def write_cards(root: Path, source: Path) -> None:
    """Copy the cards, without the headers that hubs read, and let the zoo's page lead to them."""
    folder = source / "zoo-cards"
    folder.mkdir()
    page = source / "zoo.md"
    names = sorted(path.parent.name for path in (root / "zoo").glob("*/README.md"))
    for name in names:
        card = (root / "zoo" / name / "README.md").read_text("utf-8")
        card = re.sub(r"\A---\n.*?\n---\n+", "", card, flags=re.S)
        for picture in re.findall(r"!\[[^]]*\]\(([^):]+)\)", card):
            shutil.copy(root / "zoo" / name / picture, folder / f"{name}-{picture}")
            card = card.replace(f"]({picture})", f"]({name}-{picture})")
        card = re.sub(r"\]\((?!http|#|" + re.escape(name) + r"-)([^)]+)\)", r"]", card)
        (folder / f"{name}.md").write_text(card, "utf-8")
    text = page.read_text("utf-8").replace("../zoo/", "zoo-cards/").replace("/README.md)", ".md)")
    listed = "\n".join(f"zoo-cards/{name}" for name in names)
    page.write_text(f"{text}\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n", "utf-8")
