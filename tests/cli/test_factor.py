"""``latentia factor``: from a file to a page, and one sentence for everything that goes wrong."""

import re
import subprocess
import sys
import warnings

import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from matplotlib.figure import Figure

import latentia
from latentia.cli.main import main
from latentia.data import load as load_data
from latentia.data.matrices import NamedMatrix
from latentia.evaluation import factor_report
from latentia.evaluation.apa import documents
from latentia.models.factors import analysed
from latentia.models.factors.bootstrap import bootstrap_errors
from latentia.models.factors.congruence import congruence
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.invariance import invariance
from latentia.models.factors.n_factors import suggest
from latentia.models.factors.robust import mardia, robust_test
from latentia.models.factors.standard_errors import information_errors
from latentia.models.fields import model_fields
from latentia.models.linear.nearest_correlation import nearest_correlation
from tests.children import environment
from tests.cli.test_options import StoppedError, as_words, other_value

NAMES = ["height", "weight", "reach", "speed", "jump", "throw"]
RNG = np.random.default_rng(0)
PATTERN = np.zeros((6, 2))
PATTERN[:3, 0], PATTERN[3:, 1] = 0.8, 0.7
X = RNG.normal(size=(120, 2)) @ PATTERN.T + 0.6 * RNG.normal(size=(120, 6)) + 5
S = np.cov(X.T, ddof=0)
GAPS = X.copy()
GAPS[5, 2] = GAPS[9, 4] = np.nan
INDEFINITE = np.corrcoef(X.T)
INDEFINITE[0, 1:3] = INDEFINITE[1:3, 0] = 0.99, -0.99
K2 = ("--n-factors", "2")


def text_of(values, names=NAMES, first=None):
    """Return a .csv file's text; NaN is NA, and ``first`` an unnamed first column."""
    cells = [["NA" if value != value else repr(float(value)) for value in row] for row in values]
    rows = [list(names), *cells]
    if first is not None:
        rows = [[label, *row] for label, row in zip(['""', *first], rows)]
    return "\n".join(",".join(row) for row in rows) + "\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in an empty folder that holds rows.csv and matrix.csv."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text(text_of(X))
    (tmp_path / "matrix.csv").write_text(text_of(S, first=NAMES))
    return tmp_path


@pytest.fixture
def factor(capsys):
    """Return a function that runs the command and returns status, output and errors."""

    def run(*words):
        status = main(["factor", *map(str, words)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def succeeds(factor):
    """Return a function that runs the command, which must say nothing on stderr."""

    def run(*words):
        status, out, errors = factor(*words)
        assert (status, errors) == (0, "")
        return out

    return run


@pytest.fixture
def refuses(factor, folder):
    """Return a function that runs a mistaken command and returns its one sentence."""

    def run(*words):
        before = sorted(folder.rglob("*"))
        status, out, errors = factor(*words)
        assert status == 2
        assert re.fullmatch(r"latentia: error: [^\n]+\n", errors)
        assert "Traceback" not in errors
        assert sorted(folder.rglob("*")) == before
        return errors if not out else f"{errors} after {out}"

    return run


def check_page(path, *titles):
    """Hold a page to what it must show and must not do."""
    page = path.read_text(encoding="utf-8")
    assert "Content-Security-Policy\" content=\"default-src 'none'" in page
    assert not re.search(r"<[^>]*\b(src|href|action)\s*=\s*[\"']?(?!data:|#)[^\s\"']", page)
    assert page.startswith("<!doctype html>")
    assert [page.count(part) for part in ("<!doctype", "<html", "<body")] == [1, 1, 1]
    assert "<script" not in page
    assert "@import" not in page
    assert not re.search(r"url\((?!['\"]?(data:|#))", page)
    shown = re.findall(r"<figure[^>]*><h4>(.*?)</h4>(.*?)</figure>", page, re.DOTALL)
    assert [title for title, _ in shown] == list(titles)
    for title, figure in shown:
        drawn = re.findall(
            r"<img [^>]*src=\"data:image/png;base64,([^\"]+)\"|<path ([^>]+)>", figure
        )
        assert sum(len(png + path) for png, path in drawn) > 1000, title
    return page


def same_loadings(folder, truth):
    model = latentia.load(folder)
    np.testing.assert_allclose(model.loadings_, truth.loadings_, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(model.factor_correlations_, truth.factor_correlations_, atol=1e-8)
    return model


def test_rows_with_a_rotation(succeeds, folder):
    out = succeeds("rows.csv", "--n-factors", 2, "--rotation", "oblimin", "--out", "new/here")
    assert "rotation oblimin: k = 2, p = 6, n = 120" in out
    assert "Factor correlations" in out
    assert re.search(r"χ², Bartlett-corrected +\d", out)
    assert all(name in out for name in NAMES)
    assert out.splitlines()[-1] == "new/here/report.html"
    page = check_page(folder / "new/here/report.html", "Loadings", "Path diagram")
    assert "Factor analysis of rows" in page
    truth = FactorAnalysis(n_components=2, rotation="oblimin").fit(X)
    for place in (folder / "new/here", folder / "new/here/model"):
        model = same_loadings(place, truth)
    assert model.variable_names() == NAMES
    assert str(model.summary()) in out


def test_loadings_below_the_cutoff_are_blank(succeeds, unillustrated):
    out = succeeds("rows.csv", "--n-factors", 2, "--cutoff", "0.99", "--out", "o")
    assert "blank below 0.99" in out
    assert re.search(r"^height +\d\.\d\d +\d\.\d{3} +\d\.\d$", out, re.MULTILINE)


def test_folders_are_numbered(succeeds, folder, unillustrated):
    for number in (1, 2):
        out = succeeds("rows.csv", "--n-factors", 1, "--rotation", "varimax")
        assert out.splitlines()[-1] == f"factors-rows-{number}/report.html"
    assert (folder / "factors-rows-2/model/model.safetensors").exists()


def test_suggestion_alone(succeeds, folder):
    out = succeeds("rows.csv", "--suggest", "--out", "o")
    found = dict(re.findall(r"^(\w+(?: \w+)?) +(\d+) ", out, re.MULTILINE))
    criteria = ["kaiser", "map", "empirical kaiser", "parallel components", "parallel factors"]
    assert list(found) == [
        *criteria,
        "sequential tests",
        "hull",
        "bic",
        "held out",
        "comparison data",
    ]
    assert set(found.values()) == {"2"}
    assert "Most votes: 2 factors, by 8 of 8 criteria (map, empirical kaiser, " in out
    check_page(folder / "o/report.html", "Scree", "Criteria")
    assert not (folder / "o/model").exists()


def test_suggestion_of_a_matrix(succeeds, unillustrated):
    out = succeeds("matrix.csv", "--suggest", "--n-samples", 120)
    assert "parallel factors       2" in out
    assert "held out" not in out
    out = succeeds("matrix.csv", "--suggest")
    assert "kaiser                 2" in out
    assert "parallel" not in out


def test_suggestion_and_fit(succeeds, folder):
    out = succeeds("rows.csv", "--suggest", "--n-factors", 2, "--out", "o")
    assert out.index("kaiser") < out.index("Standardized loadings")
    page = check_page(folder / "o/report.html", "Scree", "Criteria", "Loadings", "Path diagram")
    assert "Number of factors" in page
    same_loadings(folder / "o", FactorAnalysis(n_components=2).fit(X))


def test_a_matrix(succeeds, folder, unillustrated):
    out = succeeds("matrix.csv", "--n-factors", 2, "--n-samples", 120, "--out", "o")
    assert "n = 120" in out
    assert re.search(r"χ², Bartlett-corrected +\d+\.\d\d, dof 4, p = 0\.\d", out)
    model = same_loadings(folder / "o", FactorAnalysis(n_components=2).fit_covariance(S, 120))
    assert model.variable_names() == NAMES
    rows = succeeds("rows.csv", "--n-factors", 2, "--out", "p")
    assert (
        rows.split("Log-likelihood")[0].split("\n", 1)[1]
        == (out.split("Log-likelihood")[0].split("\n", 1)[1])
    )


def test_a_matrix_without_its_number_of_rows(succeeds, unillustrated):
    out = succeeds("matrix.csv", "--n-factors", 2)
    assert "n unknown" in out
    assert re.search(r"χ², Bartlett-corrected +–, dof 4, p = –", out)
    assert re.search(r"RMSEA \[90 % interval\] +– \[–, –\]", out)
    assert "–: n_samples is not given" in out
    assert re.search(r"SRMR, rms residual +0\.\d", out)


def test_a_matrix_whose_names_are_numbers_with_zeros(succeeds, folder, unillustrated):
    names = [f"0{i}" for i in range(6)]
    (folder / "m.csv").write_text(text_of(S, names, first=names))
    assert "p = 6, n unknown" in succeeds("m.csv", "--n-factors", 2)


R = np.corrcoef(X.T)
SQUARE = np.tri(6, dtype=bool)
MATRIX_FILES = {
    "no names of rows": text_of(R),
    "lower triangle": text_of(np.where(SQUARE, R, np.nan), first=NAMES).replace("NA", ""),
    "below the diagonal": text_of(np.where(SQUARE.T, np.nan, R), first=NAMES).replace("NA", ""),
    "semicolons": text_of(R, first=NAMES).replace(",", ";").replace(".", ","),
}


@pytest.mark.parametrize("name", MATRIX_FILES)
def test_a_matrix_in_another_form_is_the_same_matrix(name, succeeds, folder, unillustrated):
    (folder / "m.csv").write_text(MATRIX_FILES[name])
    out = succeeds("m.csv", *K2, "--n-samples", 120, "--out", "o")
    assert out.startswith("m.csv: ")
    truth = FactorAnalysis(n_components=2).fit_covariance(R, 120)
    assert same_loadings(folder / "o", truth).variable_names() == NAMES
    assert "<h2>Data</h2>" in (folder / "o/report.html").read_text()
    assert "m is a matrix: tests of fit need --n-samples N" in succeeds("m.csv", *K2)


def test_a_matrix_file_of_spss_has_its_number_of_rows(succeeds, refuses, folder, unillustrated):
    rows = [f"CORR,{name},{text}" for name, text in zip(NAMES, text_of(R).split("\n")[1:])]
    head = [
        "ROWTYPE_,VARNAME_," + ",".join(NAMES),
        "N,," + ",".join(["120"] * 6),
        "MEAN,,1,2,3,4,5,6",
    ]
    (folder / "m.csv").write_text("\n".join([*head, *rows]))
    out = succeeds("m.csv", *K2, "--out", "o")
    assert "m.csv: read as a matrix file of SPSS, CORR, n = 120." in out
    same_loadings(folder / "o", FactorAnalysis(n_components=2).fit_covariance(R, 120))
    assert latentia.load("o").n_samples_ == 120
    assert latentia.load("o").mean_.tolist() == [1, 2, 3, 4, 5, 6]
    sentence = refuses("m.csv", *K2, "--n-samples", 99)
    assert "n_samples is 99, but m says 120; leave --n-samples out" in sentence


def test_an_indefinite_matrix_is_smoothed_on_request(succeeds, refuses, folder, unillustrated):
    (folder / "m.csv").write_text(text_of(INDEFINITE, first=NAMES))
    assert "--smooth" in refuses("m.csv", *K2)
    out = " ".join(succeeds("m.csv", *K2, "--smooth", "--out", "o").split())
    nearest, said = nearest_correlation(NamedMatrix(NAMES, INDEFINITE))
    i, j = np.unravel_index(np.abs(nearest - INDEFINITE).argmax(), nearest.shape)
    assert f"the correlation of {NAMES[i]} and {NAMES[j]} changed most" in said
    assert f"m: {said}." in out
    assert re.search(r"nearest correlation matrix is analysed, \d\.\d+ away in the Frobenius", out)
    np.testing.assert_allclose(latentia.load("o").covariance_, nearest, atol=1e-12)
    assert "were not changed" in succeeds("matrix.csv", *K2, "--smooth")
    assert "smooth is for a matrix, and rows.csv holds rows" in refuses("rows.csv", *K2, "--smooth")


ROWS_FILES = {
    "no header": (text_of(X).partition("\n")[2], "no header: columns are called x0 to x5"),
    "an index": (text_of(X, first=map(str, range(120))), "unnamed column was left out"),
    "semicolons": (text_of(X).replace(",", ";").replace(".", ","), "decimal commas were read"),
    "CP949": (text_of(X, list("가나다라마바")).encode("cp949"), r"CP949 \(Korean\)"),
}


@pytest.mark.parametrize("name", ROWS_FILES)
def test_rows_in_another_form_are_the_same_rows(name, succeeds, folder, unillustrated):
    text, said = ROWS_FILES[name]
    (folder / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    out = succeeds("t.csv", *K2, "--out", "o")
    assert re.match(f"t.csv: .*{said}", " ".join(out.split()))
    assert re.search(said, (folder / "o/report.html").read_text())
    assert "p = 6, n = 120" in out
    same_loadings(folder / "o", FactorAnalysis(n_components=2).fit(X))


def test_a_blank_cell_is_missing_and_its_row_is_named(succeeds, refuses, folder, unillustrated):
    (folder / "t.csv").write_text(text_of(GAPS).replace("NA", " "))
    sentence = refuses("t.csv", *K2)
    assert re.search("t.csv: 2 cell.* ' ' were taken for missing.", sentence)
    assert "NaN in column 'reach', row 5" in sentence
    same = FactorAnalysis(n_components=2, missing="fiml").fit(GAPS)
    succeeds("t.csv", *K2, "--missing", "fiml", "--out", "o")
    same_loadings(folder / "o", same)


def test_parquet(succeeds, folder, unillustrated):
    pq.write_table(pa.table(dict(zip(NAMES, X.T))), folder / "rows.parquet")
    pq.write_table(pa.table({"": NAMES} | dict(zip(NAMES, S))), folder / "matrix.parquet")
    succeeds("rows.parquet", "--n-factors", 2, "--out", "o")
    same_loadings(folder / "o", FactorAnalysis(n_components=2).fit(X))
    assert "n unknown" in succeeds("matrix.parquet", "--n-factors", 2, "--out", "p")


def cells(page):
    return re.findall(r"-?\d\.\d{3} ± (\d\.\d{3})", page)


def test_standard_errors_by_information(succeeds, folder):
    words = ("--n-factors", 2, "--standard-errors", "information")
    succeeds("rows.csv", *words, "--rotation", "varimax", "--out", "o")
    page = check_page(folder / "o/report.html", "Loadings", "Path diagram")
    assert "standard error (information)" in page
    assert len(cells(page)) == 12
    assert all(0.01 < float(error) < 0.5 for error in cells(page))
    succeeds("matrix.csv", *words, "--n-samples", 120, "--out", "p")
    assert len(cells((folder / "p/report.html").read_text())) == 12


def test_standard_errors_by_bootstrap(succeeds, folder, unillustrated):
    succeeds("rows.csv", "--n-factors", 1, "--standard-errors", "bootstrap", "--out", "o")
    page = (folder / "o/report.html").read_text(encoding="utf-8")
    assert re.search(r"standard error \(bootstrap, \d+ replicates\)", page)
    assert len(cells(page)) == 6


def test_missing_values_by_full_information(succeeds, folder, unillustrated):
    (folder / "gaps.csv").write_text(text_of(GAPS))
    out = succeeds("gaps.csv", "--n-factors", 2, "--missing", "fiml", "--out", "o")
    assert "n = 120" in out
    assert "χ², likelihood ratio" in out
    same_loadings(folder / "o", FactorAnalysis(n_components=2, missing="fiml").fit(GAPS))
    assert "kaiser" in succeeds("gaps.csv", "--suggest", "--missing", "fiml")


def test_polychoric_correlations(succeeds, folder, unillustrated):
    answers = np.digitize(X - 5, [-0.8, 0, 0.8]) + 1
    (folder / "answers.csv").write_text(text_of(answers))
    words = ("answers.csv", "--n-factors", 2, "--correlation", "polychoric")
    assert "rough guides" in " ".join(succeeds(*words, "--out", "o").split())
    truth = FactorAnalysis(n_components=2, correlation="polychoric").fit(answers)
    same_loadings(folder / "o", truth)
    plain = FactorAnalysis(n_components=2).fit(answers)
    assert np.abs(truth.loadings_ - plain.loadings_).max() > 0.01


def test_the_number_of_factors_of_rows_with_gaps_is_that_of_their_saturated_moments(
    succeeds, folder, unillustrated
):
    gaps = np.where(np.random.default_rng(3).random(X.shape) < 0.3, np.nan, X)
    gaps[7] = np.nan
    (folder / "gaps.csv").write_text(text_of(gaps))
    out = succeeds("gaps.csv", "--suggest", "--missing", "fiml", "--out", "o")
    found = dict(re.findall(r"^(\w+(?: \w+)?) +(\d+) ", out, re.MULTILINE))
    assert found["parallel factors"] == found["kaiser"] == "2"
    assert set(found) == {"kaiser", "map", "parallel components", "parallel factors"}
    assert "1 row(s) without any value were left out" in out
    assert "1 row(s) without any value were left out" in (folder / "o/report.html").read_text()


def test_chance_among_rows_with_gaps_has_no_units():
    model, units = FactorAnalysis(missing="fiml"), np.array([1, 5, 25, 0.2, 1, 3])
    found = [
        factor_report.suggestion(model, factor_report.Observed("t", rows))
        for rows in (GAPS[:40, :4], GAPS[:40, :4] * units[:4])
    ]
    for mean, quantile in (suggested.component_null for suggested in found):
        assert mean.sum() == pytest.approx(4)
        np.testing.assert_allclose(mean, found[0].component_null[0], rtol=0.02)
        np.testing.assert_allclose(quantile, found[0].component_null[1], rtol=0.02)


def test_of_columns_never_seen_together_no_number_is_suggested(refuses, folder):
    apart = X.copy()
    apart[:60, 0] = apart[60:, 1] = np.nan
    (folder / "apart.csv").write_text(text_of(apart))
    sentence = refuses("apart.csv", "--suggest", "--missing", "fiml")
    assert "no number of factors can be suggested: " in sentence


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_chance_among_answers_fills_empty_cells_as_the_model_does(share, monkeypatch):
    seen, plain = [], analysed.polychoric

    def watched(X, *, zero_add, **beside):
        seen.append(zero_add)
        return plain(X, zero_add=zero_add, **beside)

    monkeypatch.setattr(analysed, "polychoric", watched)
    answers = np.digitize(X[:, :3] - 5, [-0.8, 0.8])
    model = FactorAnalysis(correlation="polychoric", zero_add=share)
    factor_report.suggestion(model, factor_report.Observed("t", answers))
    assert set(seen) == {share}


def test_rare_answers_have_no_factor_and_their_pairs_are_named(succeeds, folder, unillustrated):
    rare = np.random.default_rng(1).random((150, 6)) < 0.06
    (folder / "rare.csv").write_text(text_of(rare))
    words = ("rare.csv", "--correlation", "polychoric")
    out = " ".join(succeeds(*words, "--suggest", "--n-factors", 1, "--out", "o").split())
    assert "parallel factors 0" in out
    assert "bound of ±0.9999" in out
    assert "were smoothed" in out
    assert "collinear" not in out
    assert "bound of ±0.9999" in (folder / "o/report.html").read_text()
    filled = succeeds(*words, "--suggest", "--zero-add", 0.5)
    assert "parallel factors       0" in filled
    assert "bound" not in filled


def test_a_questionnaire_with_empty_cells_and_a_constant_item(succeeds, folder, unillustrated):
    answers = np.digitize(X - 5, [-0.8, 0, 0.8]) + 1.0
    answers[3:9, 2] = answers[40, 4] = np.nan
    answers[:, 1] = 3
    (folder / "answers.csv").write_text(text_of(answers))
    out = succeeds("answers.csv", "--n-factors", 2, "--suggest", "--correlation", "polychoric")
    assert "7 cells are empty: a correlation uses the rows that have both" in out
    assert "weight (constant)" in out
    assert "left out of the model and its likelihood: weight" in " ".join(
        out.split("Standard")[0].split()
    )


def test_a_single_row_of_many_columns_is_refused_before_their_covariance_is_made(
    refuses, folder, monkeypatch
):
    monkeypatch.setattr("latentia.models.linear.moments.Moments.add", None)
    (folder / "wide.csv").write_text(text_of(X[:1]))
    assert "X has 1 sample(s); factor analysis needs at least 2" in refuses("wide.csv", *K2)


def test_images(succeeds, folder):
    out = succeeds("digits", "--n-factors", 3, "--out", "o")
    assert "constant column(s) were left out" in out
    page = check_page(folder / "o/report.html", "Loadings")
    assert "Below, 10 draws of the factors" in page
    assert page.count("<img ") == 3 + 10
    assert "Factor analysis of digits" in page
    model = latentia.load(folder / "o")
    assert model.data_shape_ == (8, 8)
    truth = FactorAnalysis(n_components=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same_loadings(folder / "o", truth.fit(load_data("digits").x_train))


def test_korean_names_and_paths(succeeds, folder):
    names = ["국어", "영어", "수학", "사회", "과학", "체육"]
    place = folder / "자료 모음"
    place.mkdir()
    (place / "성적.csv").write_text(text_of(X, names), encoding="utf-8")
    out = succeeds(place / "성적.csv", "--n-factors", 2, "--out", "결과")
    assert all(name in out for name in names)
    page = check_page(folder / "결과/report.html", "Loadings", "Path diagram")
    assert "국어" in page
    assert latentia.load("결과").variable_names() == names
    bom = text_of(X, names).encode("utf-8-sig").replace(b"\n", b"\r\n")
    (folder / "excel.csv").write_bytes(bom)
    succeeds("excel.csv", "--n-factors", 1, "--out", "o")
    assert latentia.load("o").variable_names() == names


def test_names_are_text_not_markup(succeeds, folder):
    names = ["<script>alert(1)</script>", "<img src=//x.y/z>", "$x_1$", "a & b", "{{ 7 }}", "^"]
    (folder / "odd.csv").write_text(text_of(X, names))
    words = ("--n-factors", 2, "--standard-errors", "information", "--out", "o")
    succeeds("odd.csv", *words)
    page = check_page(folder / "o/report.html", "Loadings", "Path diagram")
    assert page.count("&lt;script&gt;alert(1)") >= 2
    assert "{{ 7 }}" in page


def test_negative_degrees_of_freedom_are_a_note(succeeds, unillustrated):
    out = succeeds("rows.csv", "--n-factors", 4)
    assert "4 factors of 6 variables leave -3 degrees of freedom" in " ".join(out.split())


def test_a_constant_column_is_a_note(succeeds, folder, unillustrated):
    constant = X.copy()
    constant[:, 1] = 7
    (folder / "constant.csv").write_text(text_of(constant))
    words = ("--n-factors", 2, "--suggest", "--standard-errors", "information")
    out = succeeds("constant.csv", *words)
    assert "weight (constant)" in out
    assert "1 constant column(s) were left out of the model and its likelihood: weight" in out


def test_collinear_columns_are_a_note(succeeds, folder, unillustrated):
    collinear = X.copy()
    collinear[:, 2] = X[:, 0] + X[:, 1]
    (folder / "collinear.csv").write_text(text_of(collinear))
    out = " ".join(succeeds("collinear.csv", "--n-factors", 2).split())
    assert "columns height, weight, reach are perfectly collinear" in out


def test_fewer_rows_than_columns_are_a_note(succeeds, folder, unillustrated):
    (folder / "few.csv").write_text(text_of(X[:5]))
    assert "5 rows are too few for 6 varying columns" in succeeds("few.csv", "--n-factors", 2)


MISTAKES = [
    ([], "required: data"),
    (["rows.csv"], "--n-factors K, or --suggest"),
    (["rows.csv", "--n-factors", "many"], "argument --n-factors.*: .*'many'"),
    (["rows.csv", "--n-factors", "2.5"], "argument --n-factors.*: .*'2.5'"),
    (["rows.csv", "--n-factors"], "argument --n-factors.*: expected one argument"),
    (["rows.csv", "--n-factors", "0"], "n_components is 0; it must be at least 1"),
    (["rows.csv", "--n-factors", "6"], "n_components is 6, but of 6 feature.* fewer factors"),
    (["rows.csv", "--n-factors", "700"], "n_components is 700, but of 6"),
    (["rows.csv", "--n-factor", "2"], "no option --n-factor; did you mean --n-factors?"),
    (["rows.csv", *K2, "more"], "does not know what to do with 'more'"),
    (["rows.csv", *K2, "--rotation", "varimx"], "did you mean 'varimax'"),
    (["rows.csv", *K2, "--rotate", "varimax"], "did you mean --rotation"),
    (["rows.csv", *K2, "--method", "minress"], "did you mean 'minres'"),
    (["rows.csv", *K2, "--standard-errors", "boot"], "'boot'.*information.*bootstrap"),
    (["rows.csv", *K2, "--n-samples", "120"], "n_samples is 120, but rows.csv holds rows"),
    (["rows.csv", *K2, "--cutoff", "-1"], "cutoff is -1.0; it must be at least 0"),
    (["rows.csv", *K2, "--noise-floor", "2"], "noise_floor is 2.0; it must be greater than 0"),
    (["rows.csv", *K2, "--algorithm", "em", "--method", "gls"], "only method 'ml' has"),
    (["rows.csv", *K2, "--correlation", "polychoric"], "different values; an ordinal column"),
    (["rows.csv", *K2, "--standard-errors", "information", "--method", "minres"], "'minres'"),
    (["matrix.csv", *K2, "--n-samples", "1"], "n_samples is 1; .*at least 2"),
    (["matrix.csv", *K2, "--n-samples", "x"], "argument --n-samples: .*'x'"),
    (["matrix.csv", *K2, "--standard-errors", "information"], "number of samples is unknown"),
    (["matrix.csv", *K2, "--standard-errors", "bootstrap"], "bootstrap standard errors need rows"),
    (["digits", "--n-factors", "64"], "of 64 feature.* 61 vary"),
    (["digits", *K2, "--missing", "fiml"], "missing is 'fiml', which takes tables"),
    (["digtis", *K2], "no data set 'digtis'.* did you mean 'digits'"),
    (["absent.csv", *K2], "there is no file absent.csv"),
    ([".csv", *K2], "no data set '.csv'"),
]


@pytest.mark.parametrize(("words", "sentence"), MISTAKES, ids=[" ".join(m[0]) for m in MISTAKES])
def test_a_mistake_is_one_sentence(words, sentence, refuses):
    assert re.search(sentence, refuses(*words))


ASYMMETRIC, HOLES = S.copy(), S.copy()
ASYMMETRIC[0, 1] += 1
HOLES[3, 4] = np.nan
COLLINEAR = X.copy()
COLLINEAR[:, 2] = X[:, 0] + X[:, 1]
FILES = {
    "two decimal signs": ("a;b;c\n1,5;2;3\n4;5.5;7\n", "'a' has decimal commas and 'b' decimal"),
    "one row": (text_of(X[:1]), r"X has 1 sample\(s\).*at least 2 rows"),
    "a header alone": ("a,b,c\n", "holds 0 rows of 3 columns"),
    "empty": ("", "bad.csv cannot be read: Empty CSV file"),
    "ragged": (
        "a,b,c\n1,2,3\n1,2\n",
        "cannot be read: data row 2 has 2 cells, and there are 3 columns: '1,2'",
    ),
    "one column": (text_of(X[:, :1], NAMES[:1]), "of 1 feature.* 1 vary"),
    "constant": (text_of(np.ones((9, 3)), NAMES[:3]), "of 3 feature.* 0 vary"),
    "not symmetric": (text_of(ASYMMETRIC, first=NAMES), "not symmetric: row 0, column 1"),
    "indefinite": (text_of(INDEFINITE, first=NAMES), "indefinite .*least eigenvalue -.*fiml"),
    "not finite": (text_of(HOLES, first=NAMES), "not finite in row 3, column 4"),
    "a negative variance": (text_of(S - 9 * np.eye(6), first=NAMES), "indefinite"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_one_sentence(name, refuses, folder):
    text, sentence = FILES[name]
    (folder / "bad.csv").write_text(text, encoding="utf-8")
    assert re.search(sentence, refuses("bad.csv", "--n-factors", 2))
    assert re.search(sentence.replace("of 1 feature", ""), refuses("bad.csv", "--suggest"))


def test_singular_matrices_are_refused_by_methods_that_invert_them(refuses, folder):
    (folder / "collinear.csv").write_text(text_of(COLLINEAR))
    assert "collinear columns" in refuses("collinear.csv", *K2, "--method", "gls")


def test_damaged_parquet_and_folders(refuses, folder):
    (folder / "bad.parquet").write_bytes(b"PAR1 and no more")
    assert "bad.parquet cannot be read" in refuses("bad.parquet", *K2)
    (folder / "folder.csv").mkdir()
    assert "folder.csv" in refuses("folder.csv", *K2)
    (folder / "prose.txt").write_text("Call me Ishmael.\nSome years ago, never mind how long.\n")
    assert "prose.txt is a text" in refuses("prose.txt", *K2)
    (folder / "rows.xyz").write_text(text_of(X))
    assert "of no known kind" in refuses("rows.xyz", *K2)


def test_an_existing_folder_is_kept(refuses, folder):
    (folder / "kept").mkdir()
    (folder / "kept/notes.txt").write_text("mine")
    assert "kept exists: choose another folder" in refuses("rows.csv", *K2, "--out", "kept")
    assert "rows.csv exists" in refuses("rows.csv", *K2, "--out", "rows.csv")


NOT_FINITE = {
    "NA": (GAPS, "NaN in column 'reach', row 5.*fiml"),
    "infinity": (np.where(X.max() > X, X, np.inf), r"infinity in column '\w+', row \d+"),
}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("name", NOT_FINITE)
def test_values_that_are_not_there(name, suffix, refuses, folder):
    values, sentence = NOT_FINITE[name]
    (folder / "bad.csv").write_text(text_of(values))
    columns = {name: pa.array(x, from_pandas=True) for name, x in zip(NAMES, values.T)}
    pq.write_table(pa.table(columns), folder / "bad.parquet")
    assert re.search(sentence, refuses(f"bad{suffix}", "--n-factors", 1))
    assert re.search(sentence, refuses(f"bad{suffix}", "--suggest"))


def test_names_twice_words_and_empty_columns_are_told(folder, capsys, unillustrated):
    header, *lines = text_of(X, ["a", "a", "b", "c", "d", "e"]).splitlines()
    rows = [f"{line},," + "xy"[i % 2] for i, line in enumerate(lines)]
    (folder / "odd.csv").write_text("\n".join([f"{header},gone,word", *rows]))
    assert main(["factor", "odd.csv", "--n-factors", "1"]) == 0
    said = capsys.readouterr().out
    assert "several columns are named 'a', and were told apart as 'a_2'" in said
    assert "1 empty column(s) were left out: gone" in said
    assert "1 column(s) without numbers were left out: 'word' (words, 2 different)" in said


@pytest.mark.parametrize(
    "words",
    [
        ["matrix.csv", *K2, "--missing", "fiml"],
        ["matrix.csv", *K2, "--correlation", "polychoric"],
        ["digits", *K2, "--n-samples", "5"],
        ["rows.csv", "--suggest", "--standard-errors", "information"],
    ],
    ids=" ".join,
)
def test_an_option_that_cannot_count_is_refused(words, refuses):
    refuses(*words)


def test_all_rows_of_an_array_file_are_used(succeeds, folder, unillustrated):
    np.save(folder / "rows.npy", X)
    assert "n = 120" in succeeds("rows.npy", *K2)


def test_suggestion_where_a_column_rarely_varies(succeeds, folder, unillustrated):
    rare = X.copy()
    rare[:, 5] = 0
    rare[7, 5] = 1
    (folder / "rare.csv").write_text(text_of(rare))
    assert "kaiser" in succeeds("rare.csv", "--suggest")


def test_suggestion_from_two_rows(succeeds, folder, unillustrated):
    (folder / "two.csv").write_text(text_of(X[:2]))
    assert "n_folds" not in succeeds("two.csv", "--suggest")


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (X[:, 2], ["--correlation", "polychoric"]),
        (np.where(np.arange(120) == 3, np.inf, X[:, 2]), ["--missing", "fiml"]),
        (GAPS[:, 2], []),
    ],
    ids=["polychoric", "fiml", "plain"],
)
def test_columns_that_cannot_be_used_are_named(column, words, refuses, folder):
    answers = np.digitize(X - 5, [-0.8, 0, 0.8]).astype(float)
    answers[:, 2] = column
    (folder / "bad.csv").write_text(text_of(answers))
    assert "reach" in refuses("bad.csv", "--n-factors", 1, *words)


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["matrix.csv", *K2, "--standard-errors", "information"], "--n-samples"),
        (
            ["rows.csv", *K2, "--standard-errors", "information", "--method", "minres"],
            "--standard-errors bootstrap",
        ),
        (["rows.csv", "--nfactors", "2"], "--n-factors"),
    ],
)
def test_a_sentence_names_the_option_that_helps(words, option, refuses):
    assert option in refuses(*words)


def test_help_needs_neither_torch_nor_numpy():
    code = (
        "import sys\nfrom latentia.cli.main import main\n"
        "try: main(['factor', '--help'])\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'sklearn', 'numpy', 'scipy', 'pyarrow', 'matplotlib'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr
    for option in ("--n-factors", "--suggest", "--n-samples", "--standard-errors", "--rotation"):
        assert option in finished.stdout


def test_the_program_itself_ends_with_status_2_and_a_sentence(folder):
    words = [sys.executable, "-m", "latentia", "factor", "rows.csv", "--method", "mll"]
    finished = subprocess.run(words, cwd=folder, env=environment(), capture_output=True, text=True)
    assert finished.returncode == 2
    assert re.fullmatch(r"latentia: error: argument --method: [^\n]+\n", finished.stderr)
    assert finished.stdout == ""


def test_every_field_of_the_model_is_set_by_its_flag(monkeypatch):
    fields = [field for field in model_fields("FactorAnalysis") if field.name != "n_components"]
    values = {f.name: other_value(f, 1001 + number) for number, f in enumerate(fields)}
    words, seen = [word for f in fields for word in as_words(f, values[f.name])], []

    def stop(self):
        seen.append(self.get_params())
        raise StoppedError

    monkeypatch.setattr(FactorAnalysis, "validate_parameters", stop)
    for option in ("--n-factors", "--n-components"):
        with pytest.raises(StoppedError):
            main(["factor", "rows.csv", option, "7", *words])
        assert seen.pop() == values | {"n_components": 7}


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
def test_suggestions_are_of_the_rows_and_the_seed(succeeds, unillustrated):
    found = suggest(
        np.corrcoef(X.T),
        120,
        X,
        max_components=5,
        n_simulations=100,
        n_comparison=500,
        fit=lambda R, k: (
            FactorAnalysis(n_components=k, n_starts=1).fit_covariance(R).get_covariance()
        ),
        random_state=4,
    )
    out = succeeds("rows.csv", "--suggest", "--random-state", 4, "--out", "o")
    told = {
        line[:20].strip(): int(line[20:24]) for line in out.splitlines()[1 : 1 + len(found.counts)]
    }
    assert told == {name.replace("_", " "): count for name, count in found.counts.items()}


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
@pytest.mark.parametrize(
    ("kind", "words"), [("information", ("--rotation", "varimax")), ("bootstrap", ())]
)
def test_errors_on_the_page_are_those_of_their_kind(kind, words, succeeds, folder, unillustrated):
    succeeds("rows.csv", "--n-factors", 1, *words, "--standard-errors", kind, "--out", "o")
    model = FactorAnalysis(n_components=1).fit(X)
    errors = bootstrap_errors(model, X) if kind == "bootstrap" else information_errors(model)
    page = (folder / "o/report.html").read_text()
    assert cells(page) == [f"{error:.3f}" for error in errors.loadings.ravel()]
    loadings = re.findall(r"(-?\d\.\d{3}) ± \d", page)
    assert loadings == [f"{value:.3f}" for value in model.standardized_loadings_.ravel()]


def test_the_number_of_rows_of_a_matrix_is_that_of_the_model(succeeds, unillustrated):
    for n in (120, 500):
        succeeds("matrix.csv", "--n-factors", 2, "--n-samples", n, "--out", f"o{n}")
        assert latentia.load(f"o{n}").n_samples_ == n


def test_the_cutoff_reaches_the_page_and_its_figures(succeeds, folder):
    for cutoff in (0.3, 0.9):
        words = ("--n-factors", 2, "--rotation", "varimax", "--cutoff", cutoff)
        out = succeeds("rows.csv", *words, "--out", f"o{cutoff}")
        model = latentia.load(f"o{cutoff}")
        assert str(model.summary(cutoff=cutoff)) in out
        page = (folder / f"o{cutoff}/report.html").read_text()
        assert model.summary(cutoff=cutoff).to_html(page=False) in page
        assert f"Loadings of at least {cutoff:g};" in page


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
def test_figures_are_of_the_solution_and_of_the_level_of_chance(monkeypatch, succeeds, folder):
    seen = {}
    for name in ("scree", "loadings_heat_map", "path_diagram"):

        def figure(*given, name=name, **options):
            seen[name] = given, options
            return Figure()

        monkeypatch.setattr(factor_report, name, figure)
    words = ("--suggest", "--n-factors", 2, "--rotation", "oblimin", "--cutoff", 0.4)
    succeeds("rows.csv", *words, "--random-state", 4, "--out", "o")
    model = latentia.load("o/model")
    assert not (folder / "o/config.json").exists()
    # The 95 % level, which Horn's count is of, not the mean.
    [(values,), levels] = seen["scree"]
    np.testing.assert_allclose(values, np.linalg.eigvalsh(np.corrcoef(X.T))[::-1])
    found = suggest(np.corrcoef(X.T), 120, X, max_components=5, n_simulations=100, random_state=4)
    np.testing.assert_allclose(levels["null"], found.component_null[1])
    np.testing.assert_allclose(levels["factor_eigenvalues"], found.factor_eigenvalues)
    np.testing.assert_allclose(levels["factor_null"], found.factor_null[1])
    (pattern, names, factors), _ = seen["loadings_heat_map"]
    np.testing.assert_allclose(pattern, model.standardized_loadings_)
    assert (list(names), factors) == (NAMES, ["F1", "F2"])
    (pattern, names, correlations, cutoff, noise), _ = seen["path_diagram"]
    np.testing.assert_allclose(pattern, model.standardized_loadings_)
    np.testing.assert_allclose(correlations, model.factor_correlations_)
    np.testing.assert_allclose(noise, model.uniquenesses_)
    assert (list(names), cutoff) == (NAMES, 0.4)


def test_the_moments_of_shuffled_rows_with_gaps_are_taken_coarsely(monkeypatch):
    draw = np.random.default_rng(0)
    X = draw.normal(size=(60, 1)) + draw.normal(size=(60, 4))
    X.ravel()[::9] = np.nan
    plain, asked = factor_report.saturated, []

    def noted(patterns, *, tolerance):
        asked.append(tolerance)
        return plain(patterns, tolerance=tolerance)

    monkeypatch.setattr(factor_report, "saturated", noted)
    monkeypatch.setattr(factor_report, "FEW_SIMULATIONS", 2)
    model = FactorAnalysis(n_components=1, missing="fiml")
    factor_report.suggestion(model, factor_report.Observed("x", rows=X))
    assert set(asked) == {factor_report.COARSE}


def test_what_is_drawn_from_an_analysis_and_its_codes_have_the_names_of_its_table(
    succeeds, folder, unillustrated
):
    answers = np.rint(X).astype(int)
    (folder / "x.csv").write_text(text_of(answers))
    succeeds("x.csv", *K2, "--columns", "weight:jump", "--out", "a")
    assert main(["sample", "a", "-n", "40", "--out", "drawn.csv"]) == 0
    drawn = load_data("drawn.csv")
    assert list(drawn.columns) == NAMES[1:5]
    x = np.concatenate([drawn.x_train, drawn.x_test])
    assert (x % 1 == 0).all()
    assert (x >= answers.min()).all()
    assert (x <= answers.max()).all()
    (folder / "moved.csv").write_text(text_of(answers[:, ::-1], NAMES[::-1]))
    for name in ("x", "moved"):
        assert main(["transform", "a", f"{name}.csv", "--out", f"{name}-codes.csv"]) == 0
    codes = np.genfromtxt(folder / "x-codes.csv", delimiter=",", skip_header=1)
    scores = np.genfromtxt(folder / "a" / "scores.csv", delimiter=",", skip_header=1)
    np.testing.assert_allclose(codes, scores)
    assert (folder / "x-codes.csv").read_text() == (folder / "moved-codes.csv").read_text()


def test_a_model_of_a_data_frame_knows_its_columns(folder, capsys):
    frame = pandas.DataFrame(X, columns=NAMES)
    model = latentia.PCA(n_components=2).fit(frame[NAMES[:3]])
    model.save(folder / "m")
    frame[NAMES[::-1]].to_csv(folder / "moved.csv", index=False)
    assert main(["transform", "m", "moved.csv", "--out", "codes.csv"]) == 0
    codes = np.genfromtxt(folder / "codes.csv", delimiter=",", skip_header=1)[:, 1:]
    np.testing.assert_allclose(codes, model.transform(frame[NAMES[:3]]), atol=1e-9)
    latentia.ProbabilisticPCA(n_components=2).fit(frame).save(folder / "p")
    assert main(["sample", "p", "-n", "4", "--out", "drawn.csv"]) == 0
    assert (folder / "drawn.csv").read_text().splitlines()[0] == ",".join(f'"{n}"' for n in NAMES)


def test_a_square_array_of_correlations_is_a_matrix(succeeds, refuses, folder, unillustrated):
    np.save(folder / "r.npy", np.corrcoef(X.T))
    said = succeeds("r.npy", *K2, "--n-samples", "120", "--out", "a")
    assert "r.npy: a square array of correlations was taken for a matrix, not for rows." in said
    np.save(folder / "x.npy", X)
    succeeds("x.npy", *K2, "--out", "b")
    found = [latentia.load(folder / name).standardized_loadings_ for name in "ab"]
    np.testing.assert_allclose(np.abs(found[0]), np.abs(found[1]), atol=1e-4)
    scores = np.genfromtxt(folder / "b" / "scores.csv", delimiter=",", skip_header=1)[:, 1:]
    np.testing.assert_allclose(scores, latentia.load(folder / "b").transform(X), atol=1e-6)
    assert "n_samples is 9, but x.npy holds rows" in refuses("x.npy", *K2, "--n-samples", "9")


def test_rows_of_a_table_are_tested_for_normality(succeeds, folder, unillustrated):
    out = succeeds("rows.csv", *K2, "--out", "o")
    truth = robust_test(FactorAnalysis(n_components=2).fit(X), X)
    assert re.search(rf"Scaling factor c +{truth.scaling:.4f}\n", out)
    interval = f"{truth.rmsea:.3f} [{truth.rmsea_low:.3f}, {truth.rmsea_high:.3f}]"
    assert f"Robust RMSEA [90 % interval]  {interval}" in out
    assert f"{mardia(X).kurtosis:.2f}, {mardia(X).kurtosis_z:.2f}, p " in out
    assert "Satorra–Bentler" in (folder / "o/report.html").read_text()
    assert "Mardia" not in succeeds("matrix.csv", *K2)
    assert "robust tests are of ml on rows" in succeeds("rows.csv", *K2, "--method", "minres")


def test_rows_with_gaps_and_ordinal_answers_have_their_own_tests(succeeds, folder, unillustrated):
    (folder / "gaps.csv").write_text(text_of(GAPS))
    out = succeeds("gaps.csv", *K2, "--missing", "fiml")
    truth = robust_test(FactorAnalysis(n_components=2, missing="fiml").fit(GAPS), GAPS)
    assert re.search(rf"χ², Yuan–Bentler +{truth.chi_square:.2f}, dof 4, p", out)
    assert "Mardia" not in out
    answers = np.digitize(X, [4.5, 5.5])
    (folder / "answers.csv").write_text(text_of(answers))
    ordinal = {"method": "dwls", "correlation": "polychoric"}
    out = succeeds("answers.csv", *K2, "--method", "dwls", "--correlation", "polychoric")
    truth = robust_test(FactorAnalysis(n_components=2, **ordinal).fit(answers), answers)
    assert re.search(rf"mean- and variance-adjusted +{truth.chi_square:.2f}, dof 4", out)
    words = ("answers.csv", *K2, "--method", "dwls", "--correlation", "polychoric")
    succeeds(*words, "--standard-errors", "robust", "--out", "o")
    assert "standard error (robust)" in (folder / "o/report.html").read_text()
    assert "made for these correlations" in " ".join(out.split())


def test_groups_are_compared_in_a_sentence(succeeds, refuses, folder, unillustrated):
    names = np.where(np.arange(120) % 2, "north", "south")
    rows = text_of(X).splitlines()
    cells = ["place", *names]
    (folder / "places.csv").write_text("\n".join(f"{c},{row}" for c, row in zip(cells, rows)))
    target = ("--rotation", "target", "--target", "height weight reach | speed jump throw")
    out = succeeds("places.csv", *K2, *target, "--group", "place", "--out", "o")
    model = FactorAnalysis(n_components=2, rotation="target", target="1:3 | 4:6").fit(X)
    truth = invariance(model, X, names)
    assert truth.answer in " ".join(out.split())
    assert "Groups: north (60), south (60)" in out
    assert f"{truth.steps[2].chi_square:.2f}" in (folder / "o/report.html").read_text()
    assert "markers" in succeeds("places.csv", *K2, "--group", "1")
    assert "--group: rows.csv has no column 'plac'" in refuses("rows.csv", *K2, "--group", "plac")
    assert "column 'reach' holds measures" in refuses("rows.csv", *K2, "--group", "reach")
    assert "matrix.csv is a matrix" in refuses("matrix.csv", *K2, "--group", "reach")
    assert "--group is of rows" in refuses("matrix.csv", *K2, "--group", "1", "--n-samples", "9")
    assert "--group is of a solution" in refuses("places.csv", "--suggest", "--group", "place")


def test_a_solution_is_compared_with_a_saved_one(succeeds, refuses, folder, unillustrated):
    succeeds("rows.csv", *K2, "--rotation", "varimax", "--out", "a")
    words = ("rows.csv", *K2, "--rotation", "target", "--target", "height weight reach | 4:6")
    out = succeeds(*words, "--compare-with", "a/model", "--out", "b")
    target = FactorAnalysis(n_components=2, rotation="target", target="1:3 | 4:6").fit(X)
    same_loadings(folder / "b", target)
    truth = congruence(target.standardized_loadings_, latentia.load("a").standardized_loadings_)
    rows = [f"{c:.3f}" for c in truth.factors]
    assert re.search(rf"φ as they are +{rows[0]} +{rows[1]}\n", out)
    page = (folder / "b/report.html").read_text()
    assert "Comparison with a/model" in page
    assert rows[0] in page
    assert "a/model has 2 factor(s)" in refuses(
        "rows.csv", "--n-factors", 1, "--compare-with", "a/model"
    )
    latentia.PCA(n_components=2).fit(X).save(folder / "pca")
    assert "pca holds a PCA" in refuses("rows.csv", *K2, "--compare-with", "pca")


@pytest.mark.parametrize("suffix", [".docx", ".tex", ".xlsx", ".html", ".txt"])
def test_tables_of_a_journal_are_one_file(suffix, succeeds, folder, unillustrated):
    out = succeeds("rows.csv", *K2, "--rotation", "oblimin", "--out", f"t{suffix}")
    assert out.splitlines()[-1] == f"t{suffix}"
    assert sorted(p.name for p in folder.iterdir()) == ["matrix.csv", "rows.csv", f"t{suffix}"]
    assert (folder / f"t{suffix}").stat().st_size > 2000


def test_a_file_of_tables_says_the_same_as_the_model(succeeds, folder, unillustrated):
    succeeds("rows.csv", *K2, "--rotation", "varimax", "--cutoff", "0", "--out", "t.txt")
    L = FactorAnalysis(n_components=2, rotation="varimax").fit(X).standardized_loadings_
    lines = {
        line.split()[0]: line.split()
        for line in (folder / "t.txt").read_text().splitlines()
        if line
    }
    for name, row in zip(NAMES, L):
        shown = [f"{x:z.2f}".replace("0.", ".").replace("-", "−") for x in row]
        assert lines[name][1:3] == shown
    korean = succeeds("rows.csv", *K2, "--lang", "ko", "--out", "k.txt")
    assert korean.splitlines()[-1] == "k.txt"
    assert (folder / "k.txt").read_text().splitlines()[3] == "표 1"
    succeeds("rows.csv", "--suggest", "--out", "s.txt")
    assert re.search("Parallel analysis of factors +2", (folder / "s.txt").read_text())


def test_a_folder_has_the_tables_too(succeeds, folder, monkeypatch):
    monkeypatch.setattr(factor_report, "_pictures", lambda *_: [])
    monkeypatch.setattr(documents, "_figures", lambda *_: ())
    monkeypatch.setitem(sys.modules, "docx", None)
    out = succeeds("rows.csv", *K2, "--out", "o")
    assert "paper/tables.docx was not written: the package that writes .docx is not there: " in out
    assert "pip install 'latentia[word]'" in out
    names = sorted(p.name for p in (folder / "o" / "paper").iterdir())
    assert names == ["tables.html", "tables.tex", "tables.txt", "tables.xlsx"]


def test_a_file_of_tables_is_refused_before_anything_is_read(refuses, folder, monkeypatch):
    assert "no folder none" in refuses("rows.csv", *K2, "--out", "none/t.docx")
    (folder / "t.tex").write_text("mine")
    assert "t.tex exists" in refuses("rows.csv", *K2, "--out", "t.tex")
    words = ("rows.csv", *K2, "--standard-errors", "information", "--out", "t.html")
    assert "--standard-errors are of the report" in refuses(*words)
    for package, suffix, extra in (("docx", "docx", "word"), ("xlsxwriter", "xlsx", "excel")):
        monkeypatch.setitem(sys.modules, package, None)
        said = refuses("absent.csv", *K2, "--out", f"t.{suffix}")
        assert f"pip install 'latentia[{extra}]'" in said
