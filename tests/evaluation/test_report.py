"""The report: one file, no request, every number defined, hostile names harmless."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from latentia.data import load
from latentia.data.pairs import load_pairs
from latentia.data.unpaired import load_unpaired
from latentia.evaluation.comparison import compare
from latentia.evaluation.evaluate import evaluate
from latentia.evaluation.model_section import ModelSection
from latentia.evaluation.report import Report, _lines, write_report
from latentia.metrics.definitions import DEFINITIONS
from latentia.metrics.estimates import Estimate
from latentia.plots.curves import loss_pictures
from latentia.plots.latent_pictures import loadings_picture, map_picture
from latentia.plots.page import Drawing, Picture, Tiles, data_uri, format_number
from tests.conftest import learns_from, small_models


class Page(HTMLParser):
    """Collects tags, ids and addresses."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.addresses, self.starts = [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.starts.append((tag, attrs))
        for name, value in attrs:
            if name == "id":
                self.ids.add(value)
            if name in ("href", "src"):
                self.addresses.append(value)


TILES = Tiles(((b"a", b"b"), (b"c",)), (8, 8), ("test", "rebuilt"), 1)
DRAWING = Drawing("<svg class='plot'></svg>", (("one <", "--fig1", "line"),), "held out")


def section(name="<script>alert(1)</script>", **metrics):
    pictures = (
        Picture("A & B", "caption <b>", b"\x89PNG"),
        Picture("T", "t", tiles=TILES),
        Picture("D", "d", drawing=DRAWING),
    )
    return ModelSection(
        name, "summary", "reference", {"a": "<i>"}, metrics, pictures, encodes=True, n_latent=2
    )


def test_nothing_leaves_the_page_and_every_link_has_its_target(tmp_path):
    sections = (section(psnr=20.0, seconds=3.0), section("two", psnr=21.0))
    report = Report("t<", "s", {"data": "d<"}, sections, ("note",), compared=True)
    text = write_report(tmp_path / "report.html", report).read_text()
    page = Page(text)
    assert "script" not in page.tags
    assert page.tags.count("i") == 4  # the legends' swatches, two in each section
    assert "default-src 'none'" in text
    for address in page.addresses:
        assert address.startswith(("#", "data:image/png;base64,"))
        if address.startswith("#"):
            assert address[1:] in page.ids
    assert {"def-psnr", "def-seconds", "main", "table", "model-1", "model-2", "how"} <= page.ids
    assert set(re.findall(r'popovertarget="(.*?)"', text)) <= page.ids
    assert text.count('<td data-m="two" title="21.0" class="best">') == 1
    # One model alone has a time: it stands in its own section.
    assert '<tr data-key="seconds">' not in text
    assert '<div data-key="seconds">' in text


def test_an_undefined_number_is_refused(tmp_path):
    with pytest.raises(KeyError, match="mystery"):
        write_report(tmp_path / "r.html", Report("t", "s", {}, (section(mystery=1.0),)))


def test_infinite_numbers_are_shown():
    assert format_number(float("inf")) == "∞"
    assert format_number(float("-inf")) == "−∞"
    assert format_number(float("nan")) == "undefined"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (42, "42"), (13.866, "13.87"), (16.7, "16.70"), (107.84, "107.8"),
     (99770, "99,770"), (1234.5, "1,234"), (3.2e6, "3.20 M"), (0.05, "0.050"), (-7e-5, "−7.0e−05")],
)  # fmt: skip
def test_numbers_are_written_as_people_write_them(value, text):
    assert format_number(value) == text


def test_an_unknown_number_is_never_the_best(tmp_path):
    sections = (section("a", psnr=float("nan")), section("b", psnr=1.0), section("c", psnr=2.0))
    text = write_report(tmp_path / "r.html", Report("t", "s", {}, sections)).read_text()
    assert 'data-m="c" title="2.0" class="best">2<span class="unseen"> (best)' in text
    assert text.count('class="best">') == 1
    assert 'data-m="a" title="nan">undefined' in text


def test_an_error_stands_beside_a_number_where_two_samples_give_one(tmp_path):
    """The mean of 1 and 3 is 2 ± 1; of a single sample no error is known, and none is told."""
    sections = [
        section("a", psnr=Estimate.mean_of([1.0, 3.0])),
        section("b", psnr=Estimate.mean_of([5.0])),
    ]
    text = write_report(tmp_path / "r.html", Report("t", "s", {}, sections)).read_text()
    assert re.search('data-m="a" title="2.0 ± 1(?:.00)? \\(standard error\\)"', text)
    assert 'data-m="b" title="5.0"' in text
    assert "± nan" not in text


def test_a_missing_number_says_why(tmp_path):
    sections = (
        section("a", psnr=1.0, frechet_distance=3.0),
        section("b", psnr=2.0),
        section("c", frechet_distance=4.0),
    )
    text = write_report(tmp_path / "r.html", Report("t", "s", {}, sections)).read_text()
    assert '<td class="none" title="b: it draws no samples">' in text
    assert "none: it draws no samples" in text


def test_hostile_text_stays_text(tmp_path):
    hostile = '"><img src=https://example.org/x onerror=alert(1)>\udce9'
    names = (hostile, "x" * 300)
    pictures = (
        Picture(hostile, hostile, b"png"),
        loadings_picture(np.eye(2), [hostile, hostile]),
        map_picture(np.eye(3), np.arange(3), (hostile, "b", "c")),
        *loss_pictures([{"split": "train", "epoch": 1, "values": {hostile: 1.0}}]),
        Picture("t", "c", tiles=Tiles(((b"a",),), (8, 8), (hostile,))),
    )
    parts = [
        ModelSection(
            name, hostile, hostile, {hostile: hostile}, {"squared_error": 1.0}, pictures,
            (hostile,), (hostile,), (hostile,), 2, 9, encodes=True, rebuilt=(b"a",), drawn=(b"b",),
            errors_by_size={1: 2.0},
        )
        for name in names
    ]  # fmt: skip
    report = Report(
        hostile, hostile, {hostile: hostile}, tuple(parts), (hostile,), hostile,
        compared=True, test_images=(b"t",), size=(8, 8),
    )  # fmt: skip
    text = write_report(tmp_path / "r.html", report).read_text()
    page = Page(text)
    own = {"class", "alt", "width", "height", "src"}
    assert all(set(dict(attrs)) <= own for tag, attrs in page.starts if tag == "img")
    assert all(address.startswith(("#", "data:")) for address in page.addresses)
    assert not any(name.startswith("on") for _, attrs in page.starts for name, _ in attrs)


def test_every_opened_tag_is_closed_in_order(tmp_path):
    class Nesting(HTMLParser):
        open_tags = ()

        def handle_starttag(self, tag, attrs):
            if tag not in ("meta", "img", "hr"):
                self.open_tags += (tag,)

        def handle_endtag(self, tag):
            assert self.open_tags[-1] == tag
            self.open_tags = self.open_tags[:-1]

    nesting = Nesting()
    report = Report("t", "s", {"a": "b"}, (section("m", psnr=2.0),), ("n",))
    nesting.feed(write_report(tmp_path / "r.html", report).read_text())
    assert nesting.open_tags == ()
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
def test_every_measured_number_has_a_definition():
    sets = {"pairs": load_pairs("digits"), "domains": load_unpaired("digits:3,5")}
    for model in small_models().values():
        data = sets.get(learns_from(model), load("digits"))
        if "n_epochs" in model.get_params():
            model.set_params(n_epochs=1)
        model.fit(data.x_train[:64], data.targets[:64])
        assert {"n_parameters"} < set(evaluate(model, data)) <= set(DEFINITIONS)


def test_a_comparison_on_a_table_leaves_dcgan_out_and_says_so(tmp_path, table):
    np.save(tmp_path / "t.npy", table)
    text = compare(str(tmp_path / "t.npy"), out=tmp_path / "c", n_epochs=1).read_text()
    assert "DCGAN was left out" in text
    assert "no test part" in text


def test_every_value_of_a_report_stands_in_its_place(tmp_path):
    """Two models, each better at something else, with values of which none occurs twice."""
    chips = (
        "squared_error", "negative_elbo", "frechet_distance", "coverage", "code_accuracy",
        "adjusted_rand", "seconds",
    )  # fmt: skip
    one = {key: 11.5 + i for i, key in enumerate(chips)}
    other = {key: 31.5 + (-i if key == "frechet_distance" else i) for i, key in enumerate(chips)}
    other["frechet_distance"] = 7.25
    parts = tuple(
        ModelSection(
            name, f"summary {name}", f"paper {name}", {"field": f"value {name}"}, metrics, (),
            (f"note {name}",), (f"remark {name}",), (f"more {name}",), 3, 9, 2, encodes=True,
            rebuilt=(b"r", name.encode()), drawn=(b"d", name.encode()),
        )
        for name, metrics in (("VAE", one), ("VAE 2", other))
    )  # fmt: skip
    report = Report(
        "the title", "the line", {"seed": "the seed"}, parts, ("the note",), "the command",
        compared=True, test_images=(b"t", b"u"), n_test=123, size=(8, 97),
    )  # fmt: skip
    page = write_report(tmp_path / "r.html", report).read_text().partition("</style>")[2]
    for n, (part, values) in enumerate(zip(parts, (one, other), strict=True), 1):
        own = page.partition(f'id="model-{n}"')[2].partition("</section>")[0]
        told = ("summary", "paper", "value", "note", "remark", "more")
        assert all(f"{word} {part.name}" in own for word in told)
        told = own.partition('class="chips')[2].partition("</ul>")[0]
        shown = re.findall(r"<b[^>]*>([^<]*)</b>\s*([^<]*?)(?:<span.*?</span>)?\s*</li>", told)
        labels = ["squared error", "−ELBO", "Fréchet", "coverage", "codes", "s"]
        assert [label for _, label in shown][-6:] == labels
        kept = [key for key in chips if key != "adjusted_rand"]
        assert [value for value, _ in shown][-6:] == [format_number(values[k]) for k in kept]
    contents = page.partition('class="toc"')[2].partition("</nav>")[0]
    assert re.findall(r'<li><(?:b|a href="#([\w-]+)")>([^<]+)</', contents) == [
        ("", "Overview"),
        ("main", "Verdict"),
        ("side", "Side by side"),
        ("table", "Measurements"),
        ("", "Models"),
        ("model-1", "VAE"),
        ("model-2", "VAE 2"),
        ("", "End"),
        ("how", "How this was made"),
    ]
    assert re.search(r'href="#main">([^<]+)<', page)[1] == "Skip to the report"
    heads = re.findall(r'<section id="(side|table|how)"[^>]*>(?:<div[^>]*>)?<h2>([^<]+)<', page)
    assert heads == [
        ("side", "Side by side"),
        ("table", "Measurements"),
        ("how", "How this was made"),
    ]
    rebuilt, drawn = page.partition('id="side"')[2].partition("</section>")[0].split("<figure")[1:]
    assert re.findall(r'href="#(model-\d)"', rebuilt) == ["model-1", "model-2"]
    assert re.findall(r'href="#(model-\d)"', drawn) == ["model-2", "model-1"]
    assert [line["section"].name for line in _lines(parts, "psnr", "drawn")] == ["VAE", "VAE 2"]
    half = (parts[0], replace(parts[1], metrics={"psnr": 3.5}))
    first, last = _lines(half, "psnr", "drawn")
    assert (first["section"].name, first["value"], last["value"]) == ("VAE 2", "3.50", "")
    assert last["uris"] == [data_uri(b"d"), data_uri(b"VAE")]
    assert "Ordered by squared error on all 123 test images." in rebuilt
    assert all(text in page for text in ("the title", "the line", "the seed", "the note"))
    assert "the command" in page
    assert 'width="8"' in page
    assert 'height="97"' in page
