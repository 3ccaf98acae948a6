"""The laboratory in a browser: one file that asks for nothing, plays, and is its address."""

import re

import pytest

from latentia.pages.lab.page import write
from tests.browser.test_live_page import until

pytestmark = pytest.mark.slow
LARGEST = 100_000


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return write(tmp_path_factory.mktemp("lab") / "lab.html")


def ready(page, step=0):
    until(
        page, f"window.seen && seen.step >= {step} && document.getElementById('word').textContent"
    )
    return page


def test_it_is_one_small_file(lab):
    text = lab.read_text()
    assert lab.stat().st_size <= LARGEST
    assert not re.search(r"<[^>]*(?:src|href)=\"(?!#)", text)
    assert "unsafe-inline' 'unsafe" not in text
    assert "'unsafe-eval'" not in text


@pytest.mark.parametrize("width", [375, 1400])
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_it_plays_at_both_widths_in_both_languages(lab, opened, width, lang):
    page = ready(opened(lab, width, fragment=f"#lang={lang}&run=1"), 20)
    page.click("#run")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.documentElement.lang") == lang
    assert not page.evaluate("document.body.innerText.includes('{')")
    assert page.locator("#s-r1").is_visible()


def test_each_model_and_data_set_plays(lab, opened):
    page = ready(opened(lab, 1400, fragment="#lang=en"))
    for data in page.evaluate("DATA"):
        for game in page.evaluate("GAMES"):
            page.evaluate(f"begin({{ data: '{data}', game: '{game}' }}, false)")
            until(page, "window.seen && seen.step === 0 && latest.measured")
            page.click("#one")
            until(page, "seen.step > 0")
            assert page.evaluate("!seen.lost")


def test_every_remedy_plays_or_says_why_not(lab, opened):
    page = ready(opened(lab, 1400, fragment="#lang=en"))
    for name in page.evaluate("Object.keys(REMEDIES)"):
        page.evaluate("begin({}, false)")
        until(page, "seen.step === 0")
        page.locator(f"#s-{name}").click()
        assert name in page.url
        page.click("#one")
        until(page, "seen.step === 1 && !seen.lost")
    page.evaluate("begin({ game: 'vae' }, false)")
    assert page.locator("#s-r1").count() == 0


def test_the_address_brings_the_same_game_back(lab, opened):
    fragment = "#data=moons&r1=0.1&beta1=0.5&seed=7&lang=en&map=1"
    games = []
    for _ in range(2):
        page = ready(opened(lab, 1400, fragment=fragment))
        for step in range(1, 4):
            page.click("#one")
            until(page, f"seen.step === {step}")
        games.append(
            page.evaluate("[seen.told.judge, seen.told.generator, ...seen.samples.slice(0, 8)]")
        )
        assert page.evaluate("[state.set.data, state.set.r1, state.set.seed, state.shows.map]") == [
            "moons",
            0.1,
            7,
            1,
        ]
        found = dict(part.split("=") for part in page.url.split("#")[1].split("&"))
        assert found == {
            "data": "moons",
            "r1": "0.1",
            "beta1": "0.5",
            "seed": "7",
            "map": "1",
            "lang": "en",
        }
    assert games[0] == games[1]


def test_lessons_set_the_game(lab, opened):
    page = ready(opened(lab, 1400, fragment="#lang=ko"))
    page.click("#open-lessons")
    seen = set()
    for _ in range(30):
        seen.add(page.locator("#lesson-title").inner_text())
        assert len(page.locator("#lesson-question").inner_text()) > 8
        page.locator("#lesson-more summary").click()
        assert len(page.locator("#lesson-answer").inner_text()) > 20
        until(page, "window.seen")
        page.click("#next") if page.locator("#next").is_enabled() else None
    assert len(seen) == 30
    assert "lesson=6.5" in page.url


def test_by_keys_alone(lab, opened):
    page = ready(opened(lab, 1400, fragment="#lang=en&data=drawn"))
    page.keyboard.press("s")
    until(page, "seen.step === 1")
    page.focus("#plane")
    for key in ("ArrowRight", "ArrowRight", " ", "ArrowUp", "ArrowUp", " "):
        page.keyboard.press(key)
    assert page.evaluate("state.set.points.length") == 2
    assert "points=" in page.url
    page.locator("#s-model").focus()
    page.keyboard.press("r")
    assert page.evaluate("state.mode") == "stop"
    page.locator("h1").click()
    page.keyboard.press("r")
    assert page.evaluate("state.mode") == "run"


def test_hostile_addresses_are_settled(lab, opened):
    fragment = "#data=constructor&game=__proto__&rate=NaN&critic=1e9&k=-3&seed=x"
    fragment += "&points=%3C%3E&lesson=9.9&lang=xx&field=%3Cb%3E"
    page = ready(opened(lab, 375, fragment=fragment))
    assert page.evaluate("[state.set.data, state.set.game, state.set.critic, state.set.k]") == [
        "ring",
        "gan",
        8,
        1,
    ]
