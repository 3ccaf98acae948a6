"""The page of factor analysis by clicks: from an upload to tables, and what moves on the way."""

import os
import re
import subprocess
import sys
from pathlib import Path

import docx
import numpy as np
import pandas
import pytest

from latentia.evaluation.apa.table import bounded
from latentia.models.factors.factor_analysis import FactorAnalysis
from tests.children import environment

pytestmark = pytest.mark.slow
REFERENCE = Path(os.environ.get("LATENTIA_REFERENCE", ".")) / "factor_analysis"
BFI = REFERENCE / "bfi_complete_data.csv"


@pytest.fixture(scope="module")
def questionnaire(tmp_path_factory):
    """Return a file of answers to 25 items of five traits: bfi where it is, or made ones."""
    if BFI.is_file():
        return BFI
    draw = np.random.default_rng(0)
    traits = draw.multivariate_normal(np.zeros(5), 0.2 + 0.8 * np.eye(5), size=1500)
    sizes = np.tile([0.8, -0.7, 0.7, 0.6, 0.5], 5)
    latent = np.repeat(traits, 5, axis=1) * sizes + 0.7 * draw.normal(size=(1500, 25))
    names = [f"{trait}{i}" for trait in "ACENO" for i in range(1, 6)]
    file = tmp_path_factory.mktemp("answers") / "made.csv"
    pandas.DataFrame(np.digitize(latent, [-1, 0, 1]) + 1, columns=names).to_csv(file, index=False)
    return file


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Return the address, with its key, of a studio in a process of its own."""
    command = [sys.executable, "-m", "latentia", "studio", "--no-browser", "--port", "0"]
    command += ["--runs", str(tmp_path_factory.mktemp("studio") / "runs")]
    studio = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
    yield re.search(r"http\S+", studio.stdout.readline())[0]
    studio.terminate()
    studio.communicate()


@pytest.fixture
def page(chromium, address):
    """Return a function that opens the studio; nothing may go wrong or be asked elsewhere."""
    contexts, wrong = [], []

    def opened(**options):
        context = chromium.new_context(**options)
        contexts.append(context)
        found = context.new_page()
        found.set_default_timeout(60_000)
        found.on("console", lambda message: wrong.append(message.text))
        found.on("pageerror", lambda error: wrong.append(str(error)))
        own = address.partition("/?")[0]
        found.on("request", lambda r: None if r.url.startswith((own, "data:")) else wrong.append(r))
        found.goto(address)
        return found

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def shown(page):
    """Return the loadings on the page, by variable, hidden ones too."""
    rows = page.locator("#loadings tbody tr")
    return {
        row.locator("th").inner_text(): row.locator("td.load span").evaluate_all(
            "spans => spans.map((each) => each.textContent)"
        )
        for row in (rows.nth(i) for i in range(rows.count()))
    }


def expected(file, **fields):
    frame = pandas.read_csv(file)
    model = FactorAnalysis(**fields).fit(frame)
    L = model.standardized_loadings_
    return {name: [bounded(x) for x in row] for name, row in zip(frame.columns, L)}


def test_an_upload_is_rotated_by_clicks_and_its_tables_taken_along(page, questionnaire, tmp_path):
    found = page(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    found.get_by_role("link", name="Factor analysis of a table").first.click()
    found.set_input_files("#up-files", questionnaire)
    found.get_by_role("button", name="Open").click()
    found.locator("#loadings").wait_for()
    for k in ("6", "5"):
        found.fill("#f-k", k)
        found.press("#f-k", "Tab")
        found.locator(f"#about[data-k='{k}']").wait_for(state="attached")
    found.locator("label", has_text="varimax").click()
    found.wait_for_url("**rotation=varimax**")
    assert shown(found) == expected(questionnaire, n_components=5, rotation="varimax")
    found.locator("label", has_text="oblimin").click()
    found.wait_for_url("**rotation=oblimin**")
    truth = expected(questionnaire, n_components=5, rotation="oblimin")
    assert shown(found) == truth
    with found.expect_download() as download:
        found.get_by_role("link", name="Tables for Word").click()
    download.value.save_as(tmp_path / "t.docx")
    tables = docx.Document(tmp_path / "t.docx").tables
    cells = {row.cells[0].text for table in tables for row in table.rows}
    assert set(truth) <= cells
    found.reload()
    assert shown(found) == truth


def test_the_slider_cuts_at_once(page):
    found = page()
    found.goto(found.url + "factor?data=example&k=3")
    visible = found.locator("#loadings td.load:not(.small)")
    sizes = found.locator("#loadings td.load").evaluate_all(
        "all => all.map((e) => +e.dataset.size)"
    )
    assert visible.count() == sum(size >= 0.3 for size in sizes)
    found.locator("#f-cutoff").evaluate(
        "slider => { slider.value = 0.6; slider.dispatchEvent(new Event('input')); }"
    )
    assert visible.count() == sum(size >= 0.6 for size in sizes)
    assert found.locator("#cut-shown").inner_text() == ".60"


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_loadings_glide_unless_less_motion_is_asked_for(page, motion):
    found = page(reduced_motion=motion)
    found.goto(found.url + "factor?data=example&k=3&rotation=none")
    watched = """async () => {
        document.querySelector("[name=rotation][value=varimax]").click();
        const moving = () => document.getAnimations().filter((a) => a.effect.target.dataset?.key);
        let most = 0;
        for (let i = 0; i < 2000; i++) {
            await new Promise((done) => setTimeout(done, 10));
            most = Math.max(most, moving().length);
            if (document.getElementById("state").textContent.startsWith("Solved")) break;
        }
        return most;
    }"""
    assert (found.evaluate(watched) > 20) == (motion == "no-preference")


def test_a_phone_shows_it_without_scrolling_sideways_and_a_korean_reads_it(page):
    found = page(viewport={"width": 375, "height": 800}, locale="ko-KR")
    found.goto(found.url + "factor?data=example")
    assert found.evaluate("document.documentElement.scrollWidth") <= 375
    assert found.get_by_role("heading", name="적합도 풀이").is_visible()


def test_a_number_that_cannot_be_is_refused_on_the_page(page):
    found = page()
    found.goto(found.url + "factor?data=example&k=3")
    found.locator("#f-k").evaluate("field => { field.max = 99; }")
    found.fill("#f-k", "15")
    found.press("#f-k", "Tab")
    found.locator("#solution .note.bad").wait_for()
    assert "n_components is 15" in found.locator("#solution .note.bad").inner_text()


def test_the_page_works_by_keyboard(page):
    found = page()
    found.goto(found.url + "factor?data=example&k=3&rotation=promax")
    found.locator("[name=rotation][value=promax]").focus()
    found.keyboard.press("ArrowRight")
    found.wait_for_url("**rotation=oblimin**")
    assert found.evaluate("document.activeElement.value") == "oblimin"
