"""Tables of the APA as a page of HTML, from which they can be copied into a manuscript."""

from __future__ import annotations

from markupsafe import Markup, escape

from latentia.evaluation.apa.table import Document, Styled
from latentia.plots.page import template


def as_html(document: Document, *, page: bool = True) -> str:
    """Return self-contained HTML: a page, or the part of one that another page shows."""
    return template("apa.html").render(document=document, marked=marked, page=page, Markup=Markup)


def marked(text: Styled) -> Markup:
    """Return styled text as HTML."""
    runs = (Markup("<i>{}</i>").format(r.text) if r.italic else escape(r.text) for r in text)
    return Markup("").join(runs)
