"""A page of the runtime that is opened from a file."""

import pytest

from latentia.pages.runtime import source
from tests.models.language import conftest as language

short_excerpts = language.short_excerpts

RUN = """async ({document, calls}) => {
  const model = await Latentia.open(document);
  return calls.map(({name, given}) => {
    const plain = ([key, {shape, data}]) => [key, {shape, data: [...data]}];
    return Object.fromEntries(Object.entries(model.run(name, given)).map(plain));
  });
}"""


@pytest.fixture(scope="module")
def runtime(chromium, tmp_path_factory):
    """Return a function that runs calls of a document in the page; nothing may go wrong in it."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    script = source().replace("</", "<\\/")
    path.write_text(f"<!doctype html><meta charset=utf-8><title>x</title><script>{script}</script>")
    page, wrong = chromium.new_page(), []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(path.as_uri())
    yield lambda document, calls: page.evaluate(RUN, {"document": document, "calls": calls})
    page.close()
    assert wrong == []
