"""What a site is held to: no request, no dead link, no missing translation, no idle example."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src"}


class Page(HTMLParser):
    """The links of a page, what it loads, and the names within it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag leads to."""
        # What a page has within itself it does not ask for.
        given = {name: value or "" for name, value in attrs if not f"{value}".startswith("data:")}
        self.names |= {given[key] for key in ("id", "name") if key in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in LOADS and LOADS[tag] in given:
            self.loads.append(given[LOADS[tag]])
        if tag == "link" and "href" in given and given.get("rel") not in ("canonical", "search"):
            self.loads.append(given["href"])


def pages(html: Path) -> list[str]:
    """Return a sentence for everything that a page asks for outside, and for each dead link."""
    found = {path: Page(path.read_text("utf-8")) for path in sorted(html.rglob("*.html"))}
    made = []
    for path, page in found.items():
        here = path.relative_to(html)
        made += [f"{here} loads {each}" for each in page.loads if _is_outside(each)]
        for link in {*page.links, *page.loads}:
            if not _is_outside(link) and (why := _dead(link, path, found)):
                made.append(f"{here} links to {link}: {why}")
    for path in sorted(html.rglob("*.css")):
        for url in re.findall(
            r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')]+)""", path.read_text("utf-8")
        ):
            made.append(f"{path.relative_to(html)} loads {url}")
    return made


def _is_outside(link: str) -> bool:
    parts = urlsplit(link)
    return bool(parts.netloc) or parts.scheme not in ("", "file")


def _dead(link: str, page: Path, found: dict[Path, Page]) -> str:
    parts = urlsplit(link)
    target = page if not parts.path else (page.parent / unquote(parts.path)).resolve()
    if target.is_dir():
        target /= "index.html"
    if not target.exists():
        return "no such file"
    name = unquote(parts.fragment)
    if name and target in found and name not in found[target].names:
        return "no such place"
    return ""


def untranslated(locales: Path) -> list[str]:
    """Return a sentence for each message of the Korean files that is empty or doubtful."""
    from babel.messages.pofile import read_po

    made = []
    for path in sorted(locales.rglob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="ko"):
                if message.id and (not message.string or "fuzzy" in message.flags):
                    made.append(f"{path.name}: not in Korean: {str(message.id)[:60]}")
    return made


def missing_messages(pot: Path, locales: Path) -> list[str]:
    """Return a sentence for each message of the pages that the Korean files lack."""
    from babel.messages.pofile import read_po

    made = []
    for path in sorted(pot.rglob("*.pot")):
        po = locales / "ko" / "LC_MESSAGES" / path.relative_to(pot).with_suffix(".po")
        with path.open("rb") as file:
            wanted = [message.id for message in read_po(file) if message.id]
        known = set()
        if po.exists():
            with po.open("rb") as file:
                known = {message.id for message in read_po(file, locale="ko")}
        made += [f"{po.name}: lacks {str(each)[:60]}" for each in wanted if each not in known]
    return made


def not_run(source: Path) -> list[str]:
    """Return a sentence for each example that should have been run and has no page with output."""
    from generate.gallery import executed

    made = []
    for name in executed():
        page = source / "examples" / f"{name}.rst"
        if not page.exists() or "sphx-glr-script-out" not in page.read_text("utf-8"):
            made.append(f"examples/{name}.py was not run, or printed nothing")
    return made
