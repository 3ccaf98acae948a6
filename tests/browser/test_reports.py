"""The report in a browser: it fits every width, follows light and dark, and asks for nothing."""

import numpy as np
import pytest

from latentia.evaluation.model_section import ModelSection
from latentia.evaluation.report import Report, write_report
from latentia.metrics.definitions import DEFINITIONS
from latentia.models.figures import side_by_side, tiles
from latentia.plots.curves import loss_pictures
from latentia.plots.factors import path_diagram, scree
from latentia.plots.grids import thumbnails
from latentia.plots.latent_pictures import loadings_picture, map_picture, spectrum_picture
from latentia.plots.page import Drawing, Picture
from latentia.plots.style import svg

HOSTILE = "<script>alert(1)</script>" + "long" * 40
WIDTHS = (375, 800, 1024, 1280, 1400)


def section(name, x, figures=10):
    codes, labels = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 3
    records = [
        {"epoch": e, "split": s, "values": {"negative_elbo": 1e6 / e, "negative_elbo/kl": 1.0 * e}}
        for e in (1, 2, 3)
        for s in ("train", "validation")
    ]
    pictures = (
        Picture("Samples", HOSTILE, tiles=tiles(x, 4)),
        Picture("Reconstructions", "c", tiles=side_by_side([("test", x), (HOSTILE, x)])),
        map_picture(codes, labels, (HOSTILE, "b", "c")),
        spectrum_picture(np.array([0.5, 0.25])),
        loadings_picture(np.eye(3), ["a", HOSTILE, "c"]),
        *loss_pictures(records),
    )
    metrics = dict.fromkeys(DEFINITIONS, 123456.789 + figures)
    return ModelSection(
        name, HOSTILE, HOSTILE, {"alpha": HOSTILE}, metrics, pictures, (HOSTILE,), ("remark",),
        (HOSTILE,), 20, 64, 10, True, rebuilt=thumbnails(x), drawn=thumbnails(x),
    )  # fmt: skip


def written(folder, n_models):
    """Write a report of so many models, the first of them with a hostile name."""
    x = np.random.default_rng(0).random((8, 8, 8))
    names = [HOSTILE, "ProbabilisticPCA", *(f"VAE {i}" for i in range(2, n_models))]
    sections = tuple(section(name, x, i) for i, name in enumerate(names))
    report = Report(
        f"Models on {HOSTILE}", HOSTILE, {"data": HOSTILE}, sections, (HOSTILE,), HOSTILE,
        compared=True, test_images=thumbnails(x), n_test=8, size=(8, 8),
    )  # fmt: skip
    return write_report(folder / "report.html", report)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return written(tmp_path_factory.mktemp("report"), 9)


def fits(shown, width):
    """Refuse a page that scrolls sideways, or cuts a text or a number of the table."""
    assert shown.evaluate("document.documentElement.scrollWidth") <= width, width
    cut = shown.evaluate(
        """() => [...document.querySelectorAll("main *")].filter(e =>
            !e.children.length && e.textContent.trim() && !e.closest(".unseen, svg, .tip")
            && e.getBoundingClientRect().right > innerWidth + 1
            || e.matches(".metrics td") && e.scrollWidth > e.clientWidth + 1 && e.clientWidth
            ).map(e => e.outerHTML)"""
    )
    assert cut == [], width


def test_nothing_scrolls_sideways_and_nothing_is_cut(page, opened):
    shown = opened(page, WIDTHS[0])
    for width in WIDTHS:
        shown.set_viewport_size({"width": width, "height": 900})
        fits(shown, width)


def test_many_models_are_listed_in_each_row(opened, tmp_path):
    shown = opened(written(tmp_path, 14), 1024)
    fits(shown, 1024)
    style = "e => getComputedStyle(e).display"
    assert shown.locator(".metrics.listed td").first.evaluate(style) == "block"
    assert opened(written(tmp_path, 11), 1024).locator(".metrics td").first.evaluate(style) == (
        "table-cell"
    )


def test_dark_mode_reaches_into_drawings(page, opened):
    ask = """() => ["body", ".plot text", ".plot path.l", ".plot rect", ".card"].map(s =>
        { const c = getComputedStyle(document.querySelector(s));
          return [c.color, c.fill, c.stroke, c.backgroundColor].join() })"""
    light, dark = (opened(page, 1400, dark=dark).evaluate(ask) for dark in (False, True))
    assert all(a != b for a, b in zip(light, dark, strict=True))


def test_a_metric_tells_its_meaning_without_a_script(page, opened):
    shown = opened(page, 1400)
    definition = shown.locator("#def-squared_error")
    assert not definition.is_visible()
    shown.locator('[data-key="squared_error"] button').first.click()
    assert definition.is_visible()
    assert DEFINITIONS["squared_error"].formula in definition.inner_text()


def test_a_phone_folds_what_a_desk_shows(page, opened):
    figure = "#model-2 .figs"
    assert opened(page, 1400).locator(figure).is_visible()
    phone = opened(page, 375)
    assert not phone.locator(figure).is_visible()
    phone.locator("#model-2 > details > summary").click()
    assert phone.locator(figure).is_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 375


def test_paper_shows_figures_and_definitions(page, opened):
    shown = opened(page, 794)
    shown.emulate_media(media="print")
    assert shown.locator("#model-2 .figs").is_visible()
    assert shown.locator("#def-squared_error").is_visible()
    assert not shown.locator(".toc").is_visible()


@pytest.mark.parametrize("n_cards", [2, 3, 4, 5])
def test_a_card_of_the_best_has_room_for_its_words(n_cards, page, opened):
    shown = opened(page, WIDTHS[0])
    cut = "n => document.querySelectorAll('.wins li').forEach((e, i) => i < n || e.remove())"
    shown.evaluate(cut, n_cards)
    for width in WIDTHS:
        shown.set_viewport_size({"width": width, "height": 900})
        widths = shown.eval_on_selector_all(".wins li", "all => all.map(e => e.offsetWidth)")
        assert len(widths) == n_cards
        assert min(widths) >= 140, width


def test_a_chart_takes_the_colours_of_the_page(opened, tmp_path):
    chart = Drawing(svg(scree(np.array([2.0, 0.5])), "s"))
    wide = Drawing(svg(path_diagram(np.array([[0.9], [-0.8]]), ["a" * 28, "b"]), "d"), wide=True)
    pictures = (Picture("Scree", "c", drawing=chart), Picture("Paths", "c", drawing=wide))
    parts = (ModelSection("PCA", "", "", {}, {"seconds": 1.0}, pictures),)
    path = write_report(tmp_path / "r.html", Report("t", "l", {}, parts))
    inks = []
    for dark in (False, True):
        shown = opened(path, 1400, dark=dark)
        ask = "e => [e, document.body].map(n => getComputedStyle(n)[n == e ? 'fill' : 'color'])"
        letters, page_ink = shown.locator(".fig svg text").first.evaluate(ask)
        assert letters == page_ink
        inks.append(letters)
        for name, at in (("Scree", 0), ("Paths", 1)):
            drawn, cell = (
                shown.locator(".fig svg")
                .nth(at)
                .evaluate("e => [e.width.baseVal.value, e.getBoundingClientRect().width]")
            )
            assert cell <= drawn + 1, name
        assert shown.locator(".fig.wide").count() == 1
    assert inks[0] != inks[1]
    # On a phone a wide drawing keeps its size within its own card; the page does not scroll.
    phone = opened(path, 375)
    phone.evaluate("document.querySelectorAll('details').forEach(e => (e.open = true))")
    size = "e => [e.scrollWidth > e.clientWidth, document.documentElement.scrollWidth]"
    assert phone.locator(".fig.wide").evaluate(size) == [True, 375]


def test_the_table_of_one_model_fills_its_card(opened, tmp_path):
    parts = (ModelSection("PCA", "", "", {}, {"seconds": 1.0, "squared_error": 2.0}, ()),)
    path = write_report(tmp_path / "r.html", Report("t", "l", {}, parts))
    for width in WIDTHS:
        shown = opened(path, width)
        card, table = (
            shown.locator(s).evaluate("e => e.offsetWidth") for s in (".tcard", ".metrics")
        )
        assert table > 0.85 * card, width
