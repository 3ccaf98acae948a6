"""Pages of the lectures' figures: one file, a slider, models and games that are played in it."""

import re

import pytest

import latentia.theory.figures as figures
from latentia import PCA, load_data
from latentia.cli import main
from latentia.pages.lecture_figure import write_figure
from tests.browser.test_play import eventually

pytestmark = pytest.mark.slow
LANGUAGES = ("en", "ko")


@pytest.fixture(scope="module", params=LANGUAGES)
def cone(request, tmp_path_factory):
    """The page of a figure with a slider and the laboratory, by the command, and its language."""
    path = tmp_path_factory.mktemp("cone") / "cone.html"
    words = ["figure", "lipschitz-cone", "--out", str(path), "--lang", request.param]
    assert main(words) == 0
    return path, request.param


def playing(page):
    """Return the first frame once what is in it is open."""
    page.locator("iframe").first.scroll_into_view_if_needed()
    frame = page.locator("iframe").first.element_handle().content_frame()
    eventually(page, lambda: frame.evaluate("!!(window.live?.state.made || window.seen)"))
    return frame


@pytest.mark.parametrize("width", [375, 1400])
def test_the_slider_turns_to_the_figure_at_another_value(cone, opened, width):
    path, lang = cone
    page = opened(path, width)
    record = figures.record("lipschitz-cone")
    assert page.locator("h1").inner_text() == record.title[lang]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = page.locator(".sheet:visible")
    before = shown.locator("img").get_attribute("src"), shown.locator("ul").inner_text()
    assert page.locator("output").inner_text() == "2.2"
    page.locator("#place").evaluate("e => { e.value = 0; e.dispatchEvent(new Event('input')) }")
    assert page.locator("output").inner_text() == "1.2"
    assert shown.count() == 1
    after = shown.locator("img").get_attribute("src"), shown.locator("ul").inner_text()
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_the_laboratory_begins_at_the_figure_s_lesson_in_its_language(cone, opened):
    path, lang = cone
    frame = playing(opened(path, 1400))
    assert frame.evaluate("document.documentElement.lang") == lang
    assert frame.evaluate("state.lesson") == [4, 1]
    frame.click("#one")
    eventually(frame, lambda: frame.evaluate("seen.step > 0"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_model_of_the_figure_runs_in_its_page(lang, tmp_path, opened):
    drawn = figures.draw("dice", lang)
    data = load_data("digits")
    drawn.sheet.keep({"PCA": PCA(n_components=3).fit(data.x_train)}, data)
    frame = playing(opened(write_figure(tmp_path / "dice.html", drawn, lang), 375))
    assert frame.evaluate("document.documentElement.lang") == lang
    assert frame.evaluate("document.documentElement.scrollWidth") <= 375
    assert frame.evaluate("PAGE.images.tested.n") > 0


def test_the_policy_allows_the_page_s_scripts_and_no_others(cone):
    text = cone[0].read_text()
    allowed = {*re.findall(r"'sha256-[^']+'", text.partition("<title>")[0])}
    assert len(allowed) == 2
    assert "unsafe-inline' 'unsafe" not in text
    assert "'unsafe-eval'" not in text
    assert not re.search(r'<[^>]*(?:src|href)="(?!data:)', text.partition("<iframe")[0])
