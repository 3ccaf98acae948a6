"""The page of factor analysis: what stands on it is the library's, and what is asked is checked."""

import io
import re
import warnings
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import unquote, urlencode

import docx
import numpy as np
import openpyxl
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentia.errors import FitWarning
from latentia.evaluation.apa.table import bounded
from latentia.evaluation.fit_rules import RULES, readings
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.n_factors import suggest
from latentia.models.factors.reliability import reliability
from latentia.studio import answers as reading
from latentia.studio.answers import METHODS, ROTATIONS
from latentia.studio.app import make
from latentia.studio.folder import RunsFolder
from latentia.studio.tables import is_oblique
from tests.studio.conftest import PORT, TOKEN, as_browser

NAMES = ["a1", "a2", "a3", "b1", "b2", "b3"]
DRAW = np.random.default_rng(3)
F = DRAW.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], size=400)
PATTERN = np.array([[0.8, 0], [0.7, 0], [-0.6, 0], [0, 0.8], [0, 0.7], [0, 0.6]])
ANSWERS = np.digitize(F @ PATTERN.T + 0.6 * DRAW.normal(size=(400, 6)), [-1, 0, 1]) + 1
FRAME = pandas.DataFrame(ANSWERS, columns=NAMES).assign(age=DRAW.integers(18, 80, 400))
GAPS = FRAME[NAMES].mask(DRAW.random((400, 6)) < 0.02)
AT = "/factor/solution?"
OTHER_TESTS = "yuan_bentler", "scaled_shifted"
"""Robust tests of rows with gaps and of ordinal answers."""


@pytest.fixture
def sent(studio):
    """Return the address of the page of a table that was uploaded as .csv."""

    def send(frame, name="answers.csv"):
        content = io.BytesIO()
        if name.endswith(".xlsx"):
            frame.to_excel(content, index=False)
        else:
            frame.to_csv(content, index=False)
        reply = studio.own.post("/factor/upload", files={"files": (name, content.getvalue())})
        assert reply.status_code == 303, reply.text
        return reply.headers["location"]

    return send


class _Loadings(HTMLParser):
    """The table of loadings: {name: texts of its cells}."""

    def __init__(self):
        super().__init__()
        self.rows, self.row, self.inside = {}, None, False

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.inside = dict(attrs).get("id") == "loadings"
        elif tag == "tr" and self.inside:
            self.row = []
        elif tag in ("td", "th") and self.inside:
            self.row.append("")

    def handle_endtag(self, tag):
        if tag == "tr" and self.inside:
            self.rows[self.row[0].strip()] = [cell.strip() for cell in self.row[1:]]
        if tag == "table":
            self.inside = False

    def handle_data(self, data):
        if self.inside and self.row:
            self.row[-1] += data


def loadings_in(page):
    reader = _Loadings()
    reader.feed(page)
    return {name: reader.rows[name] for name in NAMES if name in reader.rows}


def fitted(columns=NAMES, **fields):
    """Return a model of answers; of its remarks the page tells."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return FactorAnalysis(**fields).fit(FRAME[columns])


def shown(model):
    """Return what a page must show of a model, by variable."""
    values = [model.standardized_loadings_, model.communalities_, model.uniquenesses_]
    table = np.column_stack(values)
    return {name: [bounded(x) for x in row] for name, row in zip(model.variable_names(), table)}


@pytest.mark.parametrize("name", ["answers.csv", "answers.xlsx"])
def test_a_table_is_uploaded_and_its_page_shows_the_librarys_loadings(name, studio, sent):
    address = sent(FRAME, name)
    page = studio.own.get(address).text
    found = suggest(np.corrcoef(ANSWERS.T), 400)
    assert found.counts["parallel_factors"] == 2
    model = FactorAnalysis(n_components=2, rotation="oblimin").fit(FRAME[NAMES])
    assert loadings_in(page) == shown(model)
    assert page.count(" checked") == 6 + 1
    assert not re.search(r'value="age"[^>]* checked', page)


def only_some(choices, *chosen):
    """Return all choices, those that are not chosen marked slow."""
    marks = {name: () if name in chosen else pytest.mark.slow for name in choices}
    return [pytest.param(name, marks=mark) for name, mark in marks.items()]


@pytest.mark.parametrize("rotation", only_some(ROTATIONS, "none", "geomin"))
def test_each_rotation_is_the_librarys(rotation, studio, sent):
    k = 3 if "bifactor" in rotation else 2
    address = sent(FRAME).replace("/factor?", AT) + f"&k={k}&rotation={rotation}"
    model = fitted(n_components=k, rotation=rotation)
    assert loadings_in(studio.own.get(address).text) == shown(model)


@pytest.mark.parametrize("method", only_some(METHODS, "minres"))
def test_each_estimator_is_the_librarys(method, studio, sent):
    address = sent(FRAME).replace("/factor?", AT) + f"&k=2&rotation=varimax&method={method}"
    correlation = "polychoric" if method == "dwls" else "pearson"
    address += f"&correlation={correlation}"
    model = fitted(n_components=2, rotation="varimax", method=method, correlation=correlation)
    page = studio.own.get(address).text
    assert loadings_in(page) == shown(model)
    assert ("rough guides" in page) == (method != "ml")


def test_chosen_variables_and_the_cut_are_in_the_address(studio, sent):
    columns = urlencode([("column", name) for name in ("a1", "a2", "a3", "age")])
    address = sent(FRAME).replace("/factor?", AT) + f"&k=1&cutoff=0.5&{columns}"
    page = studio.own.get(address).text
    model = FactorAnalysis().fit(FRAME[["a1", "a2", "a3", "age"]])
    assert loadings_in(page) == {name: shown(model)[name] for name in ("a1", "a2", "a3")}
    small = re.findall(r'<td class="load( small)?" data-size="([\d.e-]+)"', page)
    assert len(small) == 4
    assert all((float(size) < 0.5) == bool(hidden) for hidden, size in small)


def test_rows_with_gaps_are_left_out_or_used_by_fiml(studio, sent):
    address = sent(GAPS).replace("/factor?", AT) + "&k=2&rotation=varimax"
    whole = GAPS.dropna()
    page = studio.own.get(address).text
    assert f"{400 - len(whole)} rows with empty cells were left out; {len(whole)} are used" in page
    model = FactorAnalysis(n_components=2, rotation="varimax")
    assert loadings_in(page) == shown(model.fit(whole))
    full = FactorAnalysis(n_components=2, rotation="varimax", missing="fiml").fit(GAPS)
    assert loadings_in(studio.own.get(f"{address}&missing=fiml").text) == shown(full)


def test_polychoric_correlations_are_the_librarys(studio, sent):
    address = sent(FRAME).replace("/factor?", AT)
    model = FactorAnalysis(n_components=2, rotation="oblimin", correlation="polychoric")
    page = studio.own.get(address + "&k=2&correlation=polychoric").text
    assert loadings_in(page) == shown(model.fit(FRAME[NAMES]))


def test_a_matrix_asks_for_its_number_of_rows(studio):
    content = FRAME[NAMES].corr().to_csv().encode()
    reply = studio.own.post("/factor/upload", files={"files": ("r.csv", content)})
    address = reply.headers["location"] + "&k=2"
    page = studio.own.get(address).text
    assert "number of rows behind the matrix is not known" in page
    assert "scores.csv" not in page
    told = studio.own.get(address + "&n=400").text
    model = FactorAnalysis(n_components=2, rotation="oblimin")
    model.fit_covariance(FRAME[NAMES].corr(), 400)
    assert loadings_in(told) == shown(model)
    assert "not known" not in told


def test_fit_and_reliability_stand_with_their_words(studio, sent):
    page = studio.own.get(sent(FRAME).replace("/factor?", AT) + "&k=2").text
    model = FactorAnalysis(n_components=2, rotation="oblimin").fit(FRAME[NAMES])
    fit = model.fit_statistics()
    for value in (fit.cfi, fit.tli, fit.srmr):
        assert f"<td>{bounded(value, 3)}</td>" in page
    told = [words for key, (words, _) in RULES.items() if key not in OTHER_TESTS]
    assert all(english.split("(")[0].strip()[:40] in page for english in told)
    scale = reliability(FRAME[["a1", "a2", "a3"]], reverse=["a3"], n_factors=1)
    assert f"<td>{bounded(scale.alpha)}</td>" in page
    assert "−a3" in page or "−a1, −a2" in page


@pytest.mark.parametrize(
    ("field", "ends"),
    [("rmsea", (0.05, 0.08)), ("cfi", (0.95, 0.9)), ("tli", (0.95, 0.9)), ("srmr", (0.08, 0.08))],
)
def test_verdicts_change_at_the_rules_numbers(field, ends):
    fit = fitted().fit_statistics()
    better = -1 if ends[0] <= ends[1] else 1

    def verdict(value):
        found = readings(replace(fit, **{field: value}), 0.8, 0.01)
        return next(r.verdict for r in found if r.key == field)

    assert verdict(ends[0]) == "good"
    assert verdict(ends[0] - 0.001 * better) == ("fair" if ends[0] != ends[1] else "poor")
    assert verdict(ends[1] - 0.001 * better) == "poor"
    assert verdict(float("nan")) == "told"


def test_files_are_taken_along_as_the_page_shows_them(studio, sent):
    query = sent(FRAME).partition("?")[2] + "&k=2&rotation=oblimin"

    def take(name):
        reply = studio.own.get(f"/factor/take/{name}?{query}")
        assert reply.status_code == 200, reply.text
        assert f'filename="answers-{name}"' in reply.headers["content-disposition"]
        return reply.content

    model = FactorAnalysis(n_components=2, rotation="oblimin").fit(FRAME[NAMES])
    scores = pandas.read_csv(io.BytesIO(take("scores.csv")))
    np.testing.assert_allclose(scores[["F1", "F2"]], model.transform(FRAME[NAMES]), atol=1e-9)
    loadings = pandas.read_csv(io.BytesIO(take("loadings.csv")), index_col=0)
    np.testing.assert_allclose(loadings[["F1", "F2"]], model.standardized_loadings_, atol=1e-12)
    residuals = pandas.read_csv(io.BytesIO(take("residuals.csv")), index_col=0)
    np.testing.assert_allclose(residuals, model.residual_correlations(), atol=1e-12)
    word = docx.Document(io.BytesIO(take("tables.docx")))
    assert (len(word.tables), len(word.inline_shapes)) == (7, 1)
    assert take("tables.html").count(b"<svg") == 1
    assert openpyxl.load_workbook(io.BytesIO(take("tables.xlsx"))).sheetnames[0] == "Table 1"
    assert rb"\begin{document}" in take("tables.tex")
    assert take("path-diagram.svg").startswith(b"<?xml")
    assert "Table 3" in take("tables.txt").decode()


def test_korean_pages_and_files_are_korean(studio, sent):
    address = sent(FRAME)
    studio.own.cookies.set("language", "ko", domain="127.0.0.1")
    page = studio.own.get(address).text
    assert "적합도 풀이" in page
    assert "Loadings" not in page
    text = studio.own.get(address.replace("/factor?", "/factor/take/tables.txt?")).text
    assert text.index("표 1") < text.index("방법") < text.index("Method")


def test_the_example_needs_no_upload(studio):
    page = studio.own.get("/factor?data=example").text
    assert re.search(r"3 by \d of 6 criteria", page)
    assert page.count('class="check"') == 15


REFUSED = [
    ("data=nothing", 400, "there are no data"),
    ("data=digits", 400, "digits is no table"),
    ("data=../../etc", 400, "there are no data"),
    ("data=example&column=zzz", 400, "there is no column &#39;zzz&#39;"),
    ("data=example&rotation=target", 400, "rotation is &#39;target&#39;"),
    ("data=example&method=magic", 400, "method is &#39;magic&#39;"),
    ("data=example&k=x", 400, "k is &#39;x&#39;"),
    ("data=example&k=99", 200, "n_components is 99"),
    ("data=example&k=1&column=calm1", 200, "of 1 feature"),
    ("data=example&cutoff=nan", 400, "cutoff is &#39;nan&#39;"),
    ("data=example&cutoff=7", 400, "it must be a number from 0 to 1"),
]


@pytest.mark.parametrize(("query", "status", "said"), REFUSED, ids=[q for q, _, _ in REFUSED])
def test_mistakes_are_sentences(query, status, said, studio):
    for path in ("/factor", "/factor/solution")[: 1 + (status == 400)]:
        reply = studio.own.get(f"{path}?{query}")
        assert reply.status_code == status
        assert said in reply.text
    assert studio.own.get(f"/factor/take/tables.txt?{query}").status_code == 400


@pytest.mark.parametrize("name", ["x.exe", "tables.exe", "scores.docx", "..%2f..%2fx", "loadings"])
def test_nothing_else_is_taken_along(name, studio):
    reply = studio.own.get(f"/factor/take/{name}?data=example&k=3")
    assert reply.status_code in (400, 404)


def test_what_is_no_table_is_refused(studio):
    png = b"\x89PNG\r\n\x1a\n" + b"0" * 100
    for name, content in (("x.png", png), ("x.csv", b"\x00\x01"), ("x.csv", b"a,b\n")):
        reply = studio.own.post("/factor/upload", files={"files": (name, content)})
        page = studio.own.get(reply.headers["location"])
        assert page.status_code == 400
        assert "Traceback" not in page.text


def test_an_upload_beyond_the_limit_is_refused_at_it(studio):
    content = b"a,b\n" + b"1,2\n" * 100_000
    reply = studio.own.post("/factor/upload", files={"files": ("x.csv", content)})
    assert reply.status_code == 413


def test_a_changed_file_is_read_again(studio, sent):
    address = sent(FRAME)
    first = studio.own.get(address + "&k=2").text
    file = next((studio.runs / "uploads").rglob("*.csv"))
    FRAME.assign(a1=FRAME["b1"]).to_csv(file, index=False)
    assert loadings_in(studio.own.get(address + "&k=2").text) != loadings_in(first)


def test_names_are_text_on_the_page(studio, sent):
    odd = FRAME[NAMES].rename(columns={"a1": "<script>alert(1)</script>", "a2": '"x" & {{y}}'})
    page = studio.own.get(sent(odd) + "&k=2").text
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)") > 3


WORDS = st.sampled_from(["", "0", "2", "oblimin", "example", "-1", "1e9", "ml", "한", "a" * 300])
KEYS = st.sampled_from(["data", "column", "k", "method", "rotation", "cutoff", "across", "up", "n"])


@pytest.fixture(scope="module")
def unhurt(tmp_path_factory):
    """Return a browser's stand-in that answers failures as a browser sees them."""
    return as_browser(make(RunsFolder(tmp_path_factory.mktemp("runs")), PORT, TOKEN))


def holds(own, pairs):
    query = urlencode([("data", "example"), *pairs], errors="surrogatepass")
    for path in ("/factor", "/factor/solution", "/factor/take/loadings.csv"):
        assert own.get(f"{path}?{query}").status_code < 500, query


PAIRS = st.lists(st.tuples(KEYS, WORDS | st.text(max_size=8)), max_size=5)


@settings(max_examples=6, deadline=None)
@given(pairs=PAIRS)
def test_no_address_fails(unhurt, pairs):
    holds(unhurt, pairs)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(pairs=PAIRS)
def test_no_address_of_many_fails(unhurt, pairs):
    holds(unhurt, pairs)


def test_too_many_variables_are_refused_in_a_sentence(studio, sent, monkeypatch):
    monkeypatch.setattr(reading, "MOST_VARIABLES", 5)
    columns = urlencode([("column", name) for name in NAMES])
    page = studio.own.get(f"{sent(FRAME)}&{columns}")
    assert "6 variables are chosen; the page takes 5, and latentia factor more" in page.text
    assert page.status_code == 400


def test_the_example_is_of_three_scales_with_two_items_worded_in_reverse(studio):
    table = reading.answers_of(studio.folder, reading.EXAMPLE).observed.rows
    x = table.to_pandas().to_numpy()
    assert table.column_names[4:6] == ["calm5", "social1"]
    assert x.shape == (600, 15)
    assert [*np.unique(x)] == [1, 2, 3, 4, 5]
    strength = np.tile([0.8, 0.75, 0.7, 0.6, -0.65], 3)
    alike = np.kron(0.7 * np.eye(3) + 0.3, np.ones((5, 5)))
    wanted = alike * np.outer(strength, strength)
    apart = ~np.eye(15, dtype=bool)
    # Five steps attenuate Pearson's correlations by a tenth or so.
    found = np.corrcoef(x.T)[apart]
    assert np.abs(found - 0.9 * wanted[apart]).max() < 0.12


def test_choices_are_made_of_columns_and_leave_the_rows_where_they_were_read(studio):
    whole = reading.answers_of(studio.folder, reading.EXAMPLE)
    found = reading.choices_of(studio.folder, reading.EXAMPLE)
    assert found.variables == whole.variables
    assert found.observed.rows.column_names == whole.observed.rows.column_names
    assert len(found.observed.rows) == 0 < len(whole.observed.rows)


@pytest.mark.parametrize("rotation", ROTATIONS)
def test_oblique_rotations_are_those_whose_factors_correlate(rotation):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        model = FactorAnalysis(n_components=3, rotation=rotation).fit(ANSWERS)
    apart = model.factor_correlations_ - np.eye(3)
    assert is_oblique(rotation) == (np.abs(apart).max() > 1e-6)


def test_a_file_to_take_along_is_named_after_its_table_in_any_script(studio, sent):
    address = sent(FRAME, '설문 "1".csv')
    reply = studio.own.get(address.replace("/factor?", "/factor/take/loadings.csv?") + "&k=1")
    assert reply.status_code == 200
    plain, whole = re.fullmatch(
        r"attachment; filename=\"([\w.-]+)\"; filename\*=UTF-8''(\S+)",
        reply.headers["content-disposition"],
        re.ASCII,
    ).groups()
    assert plain.endswith("-loadings.csv")
    assert unquote(whole).startswith("설문")
    assert len(plain) == len(unquote(whole))
