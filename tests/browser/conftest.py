"""A page that is opened from a file, of which nothing may be asked for and nothing go wrong."""

import pytest


@pytest.fixture
def opened(chromium):
    """Return a function that opens a file at a width; nothing may be asked for or go wrong.

    ``fragment`` is what follows in the address, with its #.
    """
    pages, wrong = [], []

    def open_at(path, width, dark=False, fragment=""):
        scheme = "dark" if dark else "light"
        page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(page)
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: wrong.append(request.url) if outside(request) else None)
        page.goto(path.as_uri() + fragment)
        return page

    def outside(request):
        return not request.url.startswith(("data:", "file:", "blob:null/"))

    yield open_at
    for page in pages:
        page.close()
    assert wrong == []
