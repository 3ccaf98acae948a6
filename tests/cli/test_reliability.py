"""``latentia reliability``: scales from a file, keyed, explained and written."""

import re
import sys

import docx
import numpy as np
import openpyxl
import pandas
import pytest

from latentia import FactorAnalysis
from latentia.cli.main import main
from latentia.evaluation import factor_report, reliability_report
from latentia.models.factors.reliability import reliability, reliability_of_covariance
from latentia.models.factors.reliability_summary import MEANT
from tests.cli.test_factor import check_page

RNG = np.random.default_rng(1)
TRAITS = np.repeat(RNG.normal(size=(200, 2)), [6, 3], axis=1)
ANSWERS = np.clip(np.rint(TRAITS + RNG.normal(size=(200, 9)) + 3), 1, 5)
ANSWERS[:, [1, 7]] = 6 - ANSWERS[:, [1, 7]]
NAMES = ["a1", "a2", "a3", "a4", "a5", "a6", "b1", "b2", "b3"]
FRAME = pandas.DataFrame(ANSWERS, columns=NAMES)
GAPS = FRAME.mask(RNG.random(FRAME.shape) < 0.02)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a folder with answers, the same with gaps, and their covariances."""
    monkeypatch.chdir(tmp_path)
    FRAME.to_csv("t.csv", index=False)
    GAPS.to_csv("g.csv", index=False)
    FRAME.cov().to_csv("m.csv")
    return tmp_path


@pytest.fixture
def says(capsys):
    """Return a function that runs the command and returns what it prints."""

    def run(*words):
        assert main(["reliability", *map(str, words)]) == 0
        captured = capsys.readouterr()
        assert not captured.err
        return captured.out

    return run


@pytest.fixture
def refuses(capsys, folder):
    """Return a function that runs a mistaken command and returns its one sentence."""

    def run(*words):
        before = sorted(folder.rglob("*"))
        assert main(["reliability", *map(str, words)]) == 2
        found = capsys.readouterr().err
        assert re.fullmatch(r"latentia: error: [^\n]+\n", found)
        assert sorted(folder.rglob("*")) == before
        return found

    return run


def of_items(*names):
    return FRAME[[*names]]


def test_scales_are_keyed_by_a_minus_or_by_reverse(says, folder):
    scales = ("A=a1,-a2,a3:a6", "B=b*")
    out = says("t.csv", "--scales", *scales, "--reverse", "b2", "--n-factors", 1, "--out", "o")
    a = reliability(FRAME[NAMES[:6]], reverse=["a2"], n_factors=1)
    b = reliability(FRAME[NAMES[6:]], reverse=["b2"], n_factors=1)
    found = pandas.read_csv("o/scales.csv", index_col="scale")
    assert found.index.tolist() == ["A", "B"]
    for row, truth in zip(found.itertuples(), (a, b)):
        for name in ("alpha", "alpha_low", "alpha_high", "guttman_6", "omega_one_factor"):
            assert getattr(row, name) == pytest.approx(getattr(truth, name), abs=1e-12)
        assert row.omega_total == pytest.approx(truth.omega.total, abs=1e-9)
    items = pandas.read_csv("o/items.csv")
    assert items["item"].tolist() == NAMES
    assert items.loc[items["reversed"], "item"].tolist() == ["a2", "b2"]
    assert not items["against"].any()
    expected = np.r_[a.items.item_rest, b.items.item_rest]
    np.testing.assert_allclose(items["item_rest"], expected, atol=1e-12)
    assert items["mean"][1] == pytest.approx(6 - FRAME["a2"].mean())
    assert re.search(rf"^A +6 +200 +{a.alpha:.3f} ", out, re.MULTILINE)
    assert out.index("Reliability of A: 6 items, n = 200") < out.index("Reliability of B: 3 items")
    assert out.count("What the figures mean") == 1
    assert out.splitlines()[-1] == "o/report.html"
    page = check_page(folder / "o/report.html")
    assert "a2 (reversed)" in page
    assert MEANT["α without"] in page
    assert openpyxl.load_workbook("o/reliability.xlsx").sheetnames == ["scales", "items"]


def test_one_scale_of_all_columns_has_a_hierarchy(says, folder):
    out = says("t.csv", "--reverse-found", "--out", "o")
    truth = reliability(FRAME, reverse_found=True)
    # The first component follows the longer scale.
    assert "a2" in truth.reversed
    assert f"{truth.omega.hierarchical:.3f}, {truth.omega.asymptotic:.3f}" in out
    assert "turned round, as they ran against the other items" in " ".join(out.split())
    page = check_page(folder / "o/report.html", "Schmid–Leiman, all items")
    assert "ω of subscales" in page


@pytest.mark.parametrize(("most", "drawn"), [(len(NAMES), 1), (len(NAMES) - 1, 0)])
def test_loadings_of_as_many_items_as_can_be_read_are_drawn(most, drawn, monkeypatch):
    monkeypatch.setattr(reliability_report, "MOST_DRAWN", most)
    assert len([*reliability_report._pictures([reliability(FRAME)])]) == drawn
    monkeypatch.setattr(factor_report, "MOST_DRAWN", most)
    model = FactorAnalysis(n_components=2).fit(FRAME)
    titles = [p.title for p in factor_report._pictures(model, None, 0.3)]
    assert titles == ["Loadings", "Path diagram"] * drawn


def test_what_cannot_be_written_is_told_beside_what_is(says, folder, monkeypatch):
    for package in ("docx", "xlsxwriter"):
        monkeypatch.setitem(sys.modules, package, None)
    out = says("t.csv", "--columns", "a*", "--n-factors", 1, "--out", "o")
    for name in ("reliability.xlsx", "paper/tables.docx", "paper/tables.xlsx"):
        assert f"\n{name} was not written: " in out
    assert {"scales.csv", "items.csv"} <= {p.name for p in (folder / "o").iterdir()}


def test_items_against_the_others_are_named_and_left(says):
    out = " ".join(says("t.csv", "--columns", "a*", "--n-factors", 1).split())
    plain = reliability(FRAME[NAMES[:6]], n_factors=1)
    keyed = reliability(FRAME[NAMES[:6]], reverse=["a2"], n_factors=1)
    assert "a2 (against)" in out
    assert f"α would be {keyed.alpha:.2f} and not {plain.alpha:.2f}" in out


def test_gaps_are_told_and_treated_as_asked(says):
    words = ("g.csv", "--scales", "A=a1,-a2,a3:a6", "--n-factors", 1, "--level", 0.9)
    pairs = " ".join(says(*words, "--out", "p").split())
    rows = " ".join(says(*words, "--missing", "complete", "--out", "c").split())
    assert "a covariance uses the rows that have both items" in pairs
    assert "complete rows are used" in rows
    assert "α [90 % interval]" in rows
    for out, how in (("p", "pairwise"), ("c", "complete")):
        truth = reliability(GAPS[NAMES[:6]], reverse=["a2"], missing=how, n_factors=1, level=0.9)
        found = pandas.read_csv(f"{out}/scales.csv").iloc[0]
        assert found["alpha"] == pytest.approx(truth.alpha, abs=1e-12)
        assert found["alpha_low"] == pytest.approx(truth.alpha_low, abs=1e-12)
        assert found["n"] == truth.n_samples


def test_a_matrix_and_another_method(says):
    words = ("--scales", "A=a1,-a2,a3:a6", "--method", "ml", "--n-factors", 2, "--out", "o")
    out = says("m.csv", *words, "--n-samples", 200)
    S = FRAME[NAMES[:6]].cov()
    truth = reliability_of_covariance(S, 200, reverse=["a2"], method="ml", n_factors=2)
    found = pandas.read_csv("o/scales.csv").iloc[0]
    for name in ("alpha", "alpha_high", "greatest_lower_bound"):
        assert found[name] == pytest.approx(getattr(truth, name), abs=1e-10)
    assert found["omega_hierarchical"] == pytest.approx(truth.omega.hierarchical, abs=1e-6)
    other = reliability_of_covariance(S, 200, reverse=["a2"], n_factors=2)
    assert abs(found["omega_hierarchical"] - other.omega.hierarchical) > 1e-5
    assert "two group factors do not tell" in " ".join(out.split())


def test_items_of_a_matrix_that_run_against_the_others_are_turned_round_if_asked(says):
    words = ("--scales", "A=a1:a6", "--n-factors", 1)
    for asked in (True, False):
        out = f"reversed {asked}"
        says("m.csv", *words, "--out", out, *(["--reverse-found"] if asked else []))
        S = FRAME[NAMES[:6]].cov()
        truth = reliability_of_covariance(S, reverse_found=asked, n_factors=1)
        assert ("a2" in truth.reversed) == asked
        alpha = pandas.read_csv(f"{out}/scales.csv")["alpha"][0]
        assert alpha == pytest.approx(truth.alpha, abs=1e-10)


MISTAKES = [
    ("t.csv --scales A", "--scales 'A': write NAME=ITEMS"),
    ("t.csv --scales A=", "--scales 'A=': write NAME=ITEMS"),
    ("t.csv --scales A=a1,a9", "--scales: t has no column 'a9' among its 9; did you mean"),
    ("t.csv --scales A=a1", "A has 1 item(s) that vary; a scale needs at least 2"),
    ("t.csv --scales A=a1:a3 A=b*", "two scales are called 'A'; rename one"),
    ("t.csv --reverse a0", "--reverse: t has no column 'a0'"),
    ("t.csv --n-factors 9", "n_factors is 9; ω of 9 items takes fewer factors"),
    ("t.csv --n-factors 0", "n_factors is 0; it must be at least 1"),
    ("t.csv --level 1", "level is 1.0; it must be greater than 0 and less than 1"),
    ("none.csv", "there is no file none.csv"),
    ("digits", "digits holds arrays of shape (8, 8); items are columns"),
]


@pytest.mark.parametrize(("words", "sentence"), MISTAKES, ids=[words for words, _ in MISTAKES])
def test_mistakes_are_refused_in_a_sentence(words, sentence, refuses):
    assert sentence in refuses(*words.split())


def test_ordinal_answers_have_polychoric_reliability(says, refuses, folder):
    words = ("t.csv", "--scales", "b=b1,-b2,b3", "--correlation", "polychoric")
    truth = reliability(FRAME[["b1", "b2", "b3"]], reverse=["b2"], correlation="polychoric")
    assert f"{truth.alpha:.3f} [–, –]" in says(*words, "--out", "o")
    assert f"{truth.omega_one_factor:.3f}" in (folder / "o/report.html").read_text()
    assert (
        "Polychoric correlations were analyzed"
        in says(*words, "--out", "t.txt") + (folder / "t.txt").read_text()
    )
    assert "it is for rows" in refuses("m.csv", "--correlation", "polychoric")


def test_tables_of_a_journal_are_one_file_or_in_the_folder(says, refuses, folder):
    words = ("t.csv", "--scales", "A=a1,-a2,a3:a6", "--n-factors", 1)
    assert says(*words, "--out", "t.docx").splitlines()[-1] == "t.docx"
    tables = docx.Document("t.docx").tables
    truth = reliability(FRAME[NAMES[:6]], reverse=["a2"], n_factors=1)
    shown = [cell.text for cell in tables[0].rows[2].cells]
    assert shown[:4] == ["A", "6", "200", f"{truth.alpha:.2f}".removeprefix("0")]
    assert tables[1].rows[2].cells[0].text == "a2 (R)"
    assert "t.docx exists" in refuses(*words, "--out", "t.docx")
    says(*words, "--out", "o", "--lang", "ko")
    assert "척도의 신뢰도" in (folder / "o/paper/tables.txt").read_text()
