"""The site and the first pages: nothing in one language only, no dead link, no empty promise."""

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import latentia
from latentia.cli.main import main
from tests.children import environment

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CAPTIONS = ROOT / "src/latentia/theory/figures/captions.json"
FIRST_PAGES = ("README.md", "README.ko.md")


def module(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / "generate" / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.mark.parametrize("name", FIRST_PAGES)
def test_a_first_page_is_short_and_its_links_lead_somewhere(name):
    text = (ROOT / name).read_text("utf-8")
    assert len(text.splitlines()) <= 120
    assert "python3 start.py test" in text
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) > 12
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_figures_that_pages_name_are_drawn_by_a_command():
    pages = [*(ROOT / name for name in FIRST_PAGES), *DOCS.rglob("*.md"), *DOCS.rglob("*.csv")]
    text = "".join(path.read_text("utf-8") for path in pages)
    known = {*json.loads(CAPTIONS.read_text("utf-8")), "list"}
    named = set(re.findall(r"latentia figure\s+([a-z][\w-]*)", text))
    assert named > {"list"}
    assert named <= known


def test_every_model_has_its_sentences():
    notes = tomllib.loads((DOCS / "models.toml").read_text("utf-8"))
    assert notes.keys() == latentia.MODELS.keys()
    for note in notes.values():
        assert {"use", "not"} <= note.keys() <= {"use", "not", "data"}


def test_every_error_of_the_slides_is_told_in_both_languages():
    parts = tomllib.loads((DOCS / "lectures/errors.toml").read_text("utf-8"))
    errors = [error for part in parts.values() for error in part["errors"]]
    assert len(errors) == 47
    shown = [error for error in errors if {"figure", "run"} & error.keys()]
    # One is of history, and one of a word.
    assert len(shown) == 45
    figures = {error["figure"] for error in shown if "figure" in error}
    assert figures <= json.loads(CAPTIONS.read_text("utf-8")).keys()
    for error in errors:
        told = [error[key] for key in ("name", "where", "said", "right")]
        told += [error["shown"]] if "shown" in error else []
        assert all(each["en"].strip() and re.search("[가-힣]", each["ko"]) for each in told)
        script = error["run"].split() if "run" in error else []
        if script[:1] == ["python"] and script[1] != "-c":
            assert (ROOT / script[1]).exists(), script


def test_no_korean_message_is_missing():
    files = sorted((DOCS / "locales").rglob("*.po"))
    assert len(files) == 5
    for path in files:
        text = path.read_text("utf-8").split("\n\n", 1)[1]
        assert not re.search(r'msgstr ""\n(?!")', text), path
        assert "fuzzy" not in text


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        (
            '<script src="https://cdn.example/x.js"></script>',
            "a.html loads https://cdn.example/x.js",
        ),
        ('<link rel="stylesheet" href="//x.example/f.css">', "a.html loads //x.example/f.css"),
        ('<a href="b.html">b</a>', "a.html links to b.html: no such file"),
        ('<a href="#b">b</a>', "a.html links to #b: no such place"),
        ('<img src="data:image/png;base64,AA=="><a href="data:text/plain,a">a</a>', None),
        ('<a href="https://example.org">elsewhere</a><p id="b"><a href="#b">b</a>', None),
    ],
)
def test_a_built_page_is_held_to_its_links(page, complaint, tmp_path):
    (tmp_path / "a.html").write_text(page)
    assert module("check").pages(tmp_path) == ([complaint] if complaint else [])


def test_the_doctor_says_a_line_each(capsys, monkeypatch):
    monkeypatch.setenv("LATENTIA_THREADS", "3")
    assert main(["doctor"]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert {"latentia", "python", "versions", "threads", "gpu", "cache", "settings"} <= lines.keys()
    assert lines["latentia"].startswith(latentia.__version__)
    assert "LATENTIA_THREADS is 3" in lines["threads"]
    assert "LATENTIA_THREADS=3" in lines["settings"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages of a site that is built with a figure's picture and page at hand."""
    pytest.importorskip("furo")
    out = tmp_path_factory.mktemp("site")
    (out / "figures").mkdir()
    for lang in ("en", "ko"):
        for ending in ("png", "html"):
            page = out / f"figures/value-function-{lang}.{ending}"
            assert main(["figure", "value-function", "--lang", lang, "--out", str(page)]) == 0
    command = [sys.executable, str(DOCS / "make.py"), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stdout + done.stderr
    return out / "html"


@pytest.mark.slow
def test_the_site_has_both_languages_and_the_pages_of_figures(site):
    assert (site / "ko/lectures/errors.html").exists()
    for folder in (site, site / "ko"):
        lecture = (folder / "lectures/000.html").read_text("utf-8")
        assert 'href="../live/value-function.html"' in lecture
        assert (folder / "live/value-function.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize("width", [375, 1300])
def test_no_page_of_the_site_asks_for_anything_or_is_wider_than_the_window(site, chromium, width):
    page, wrong = chromium.new_page(viewport={"width": width, "height": 900}), []
    inside = ("file:", "data:", "blob:")
    page.on("request", lambda r: None if r.url.startswith(inside) else wrong.append(r.url))
    page.on("console", lambda message: wrong.append((page.url, message.text)))
    page.on("pageerror", lambda error: wrong.append((page.url, str(error))))
    for path in site.rglob("*.html"):
        page.goto(path.as_uri())
        wide = page.evaluate("document.documentElement.scrollWidth")
        wrong += [(page.url, wide)] if wide > width else []
    page.close()
    assert wrong == []
