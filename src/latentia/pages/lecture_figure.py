"""A lecture's figure as a page: the picture, a slider that moves it, and its models, to be played.

What has a parameter is drawn at each of its values. Models that the figure is made of are their own
pages in frames, and so is the laboratory of games where the figure's game is played there.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from pathlib import Path

from markupsafe import Markup

from latentia.pages.lab import page as lab
from latentia.pages.live import page_of
from latentia.plots.page import template, write_page
from latentia.plots.style import png_bytes
from latentia.theory.figures import Drawn, draw, in_korean

SCRIPT = re.compile(r"'sha256-[^']+'")


def write_figure(path: Path, drawn: Drawn, lang: str) -> Path:
    """Write the page of a figure that is drawn in a language, and return the page's path."""
    record, sheet, script = drawn.record, drawn.sheet, template("lecture_figure.js").render()
    name, values, start = sheet.moved
    said = in_korean if lang == "ko" else str
    places = [
        drawn if place == start else draw(record.name, lang, sheet.data, place)
        for place in range(len(values))
    ]
    pages = {said(key): page_of(model, data)[0] for key, (model, data) in sheet.models.items()}
    pages |= {"": lab.html()} if record.lab else {}
    begin = f'<html data-start="{html.escape(f"{record.lab}&lang={lang}")}"'
    hashes = {found for page in pages.values() for found in SCRIPT.findall(page)}
    own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = template("lecture_figure.html").render(
        record=record,
        lang=lang,
        moved=said(name),
        start=start,
        sheets=[
            {"png": png_bytes(each.figure), "numbers": each.numbers, "value": f"{value:g}"}
            for each, value in zip(places or [drawn], values or (0,))
        ],
        frames={key: page.replace("<html", begin, 1) for key, page in pages.items()},
        scripts=[f"'sha256-{own}'", *sorted(hashes)],
        script=Markup(script),
    )
    return write_page(path, page)
