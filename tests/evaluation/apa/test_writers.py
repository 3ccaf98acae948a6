"""Every format holds the fitted model's numbers, read back by another reader."""

import io
import re
import shutil
import subprocess
import unicodedata
from dataclasses import replace
from itertools import pairwise

import docx
import numpy as np
import openpyxl
import pytest

from latentia.evaluation.apa import latex, text
from latentia.evaluation.apa.documents import factor_document, scales_document
from latentia.evaluation.apa.files import WRITERS, write_documents
from latentia.evaluation.apa.table import Cell, Column, Document, Figure, Table, plain, styled
from latentia.evaluation.apa.word import _inches
from latentia.evaluation.apa.wording import wording
from latentia.evaluation.reliability_report import scales_of_factors
from latentia.models.factors.reliability import reliability
from tests.children import environment
from tests.evaluation.apa import readers
from tests.evaluation.apa.conftest import NAMES, printed

LOADINGS, STRUCTURE, PHI, FIT = 2, 3, 4, 5
"""Places of tables: after the criteria and the eigenvalues."""


@pytest.fixture(scope="module")
def files(document):
    return {suffix: write(document) for suffix, write in WRITERS.items()}


@pytest.fixture(scope="module")
def expected(model, told):
    """Return rows of words by table, from the model itself."""
    names, order = NAMES, told.order()
    pattern, h2 = model.standardized_loadings_, model.communalities_
    cut = [[printed(x) if abs(x) >= 0.3 else "" for x in row] for row in pattern]
    loadings = [[names[i], *cut[i], printed(h2[i]), printed(1 - h2[i])] for i in order]
    whole = pattern @ model.factor_correlations_
    structure = [[names[i], *map(printed, whole[i])] for i in order]
    phi = [["F1", "—", ""], ["F2", printed(model.factor_correlations_[1, 0]), "—"]]
    s = model.fit_statistics()
    bounds = (s.cfi, s.tli, s.rmsea, s.rmsea_low, s.rmsea_high, s.srmr)
    plain_ = [printed(x, bounded=False) for x in (s.chi_square, s.aic, s.bic)]
    fit = ["Two factors", plain_[0], str(s.dof), printed(s.p_value, 3)]
    fit += [*(printed(x, 3) for x in bounds), *plain_[1:]]
    return {LOADINGS: loadings, STRUCTURE: structure, PHI: phi, FIT: [fit]}


@pytest.mark.parametrize("suffix", [".docx", ".html", ".tex"])
def test_each_cell_is_the_models_number_at_the_printed_digits(suffix, files, expected):
    read = {".docx": readers.of_docx, ".html": readers.of_html, ".tex": readers.of_latex}
    tables = read[suffix](files[suffix])
    assert len(tables) == 7
    header = {LOADINGS: 2, STRUCTURE: 2, PHI: 1, FIT: 2}
    for place, rows in expected.items():
        assert tables[place][header[place] :][: len(rows)] == rows


def test_text_has_the_same_numbers(files, expected):
    tables = readers.of_text(files[".txt"])
    assert len(tables) == 7
    lines = {line[0]: line for line in tables[LOADINGS] if line}
    row = next(row for row in expected[LOADINGS] if row[0] == "worry")
    assert lines["worry"] == [cell for cell in row if cell]
    assert any(line == " ".join(expected[FIT][0]).split() for line in tables[FIT])


def test_a_workbook_has_numbers_whole_and_prints_them_rounded(files, model, told):
    sheets = readers.of_xlsx(files[".xlsx"])
    rows = sheets[LOADINGS][2 : 2 + len(NAMES)]
    for i, row in zip(told.order(), rows):
        assert row[0] == (NAMES[i], "General")
        values = model.standardized_loadings_[i]
        for x, (found, format_) in zip(values, row[1:3]):
            assert found == (pytest.approx(x, rel=1e-14) if abs(x) >= 0.3 else None)
            assert abs(x) < 0.3 or format_ == ".00"
        assert row[3][0] == pytest.approx(model.communalities_[i], rel=1e-14)
    fit = sheets[FIT][2]
    assert fit[1] == (pytest.approx(model.fit_statistics().chi_square), "#,##0.00")
    assert fit[3][1] == '[<0.001]"< .001";[>0.999]"> .999";.000'
    book = openpyxl.load_workbook(io.BytesIO(files[".xlsx"]))
    assert book.sheetnames == [*(f"Table {i}" for i in range(1, 8)), "Text"]
    assert all(c.data_type != "f" for sheet in book for row in sheet for c in row)


def test_titles_over_several_columns(files):
    for read, suffix in ((readers.of_docx, ".docx"), (readers.of_latex, ".tex")):
        assert read(files[suffix])[LOADINGS][0][:2] == ["", "Pattern coefficient"]
    source = files[".tex"].decode()
    assert r"\multicolumn{2}{c}{Pattern coefficient}" in source
    assert r"\cmidrule(lr){2-3}" in source
    head = readers.of_html(files[".html"])[LOADINGS]
    assert head[1] == ["Variable", "F1", "F2", "h²", "u²"]
    assert '<th class="span" colspan="2"' in files[".html"].decode()
    sheet = openpyxl.load_workbook(io.BytesIO(files[".xlsx"])).worksheets[LOADINGS]
    where = {
        str(sheet[cells.coord.split(":")[0]].value): cells for cells in sheet.merged_cells.ranges
    }
    assert (where["Pattern coefficient"].min_col, where["Pattern coefficient"].max_col) == (2, 3)


def test_totals_are_sums_of_squares_and_their_share(files, model):
    Phi, L = model.factor_correlations_, model.standardized_loadings_
    sums = np.diag(Phi @ L.T @ L)
    rows = readers.of_html(files[".html"])[LOADINGS][2 + len(NAMES) :]
    assert rows[0][1:3] == [printed(x, bounded=False) for x in sums]
    assert rows[1][1:3] == [printed(100 * x / 6, 1, bounded=False) for x in sums]
    W = np.linalg.solve(model.get_covariance(), model.loadings_ @ Phi)
    rho = np.sqrt(np.diag(W.T @ model.loadings_ @ Phi))
    assert rows[2][1:3] == [printed(x) for x in rho]


def test_statistics_are_in_italics_and_greek_letters_are_not(files):
    book = docx.Document(io.BytesIO(files[".docx"]))
    note = next(p for p in book.paragraphs if p.text.startswith("Note. N = 1,200"))
    assert [r.text for r in note.runs if r.italic] == ["Note.", "N", "h", "u"]
    table = book.tables[FIT]
    heads = {c.text: [bool(r.italic) for r in c.paragraphs[0].runs] for c in table.rows[1].cells}
    assert heads["df"] == heads["p"] == [True]
    assert heads["χ²"] == heads["RMSEA"] == [False]
    html, tex = files[".html"].decode(), files[".tex"].decode()
    assert "<i>N</i> = 1,200" in html
    assert '<th scope="col"><i>h</i>²</th>' in html
    assert r"\textit{N} = 1,200" in tex
    assert r"$\chi$$^2$ & \textit{df} & \textit{p}" in tex
    rich = openpyxl.load_workbook(io.BytesIO(files[".xlsx"]), rich_text=True).worksheets[LOADINGS]
    said = [cell.value for row in rich for cell in row if "N = 1,200" in str(cell.value)]
    assert [run.text for run in said[0] if run.font.i] == ["Note.", "N", "h", "u"]


def test_the_note_names_estimator_rotation_cut_and_n(document):
    note = plain(document.tables[LOADINGS].note)
    for words in ("N = 1,200.", "maximum likelihood", "oblique rotation (oblimin, γ = 0)", ".30"):
        assert words in note


def test_names_are_text_whatever_they_hold(files):
    assert "<b>^" not in files[".html"].decode()
    source = files[".tex"].decode()
    readers.check_latex(source)
    assert r"a \& b\_\{2\}\%" in source
    assert r"\usepackage{kotex}" in source


@pytest.mark.parametrize("bad", ["{", "}", r"\begin{x}", "$", "a_b"])
def test_the_check_of_latex_can_fail(bad, files):
    with pytest.raises((AssertionError, IndexError)):
        readers.check_latex(files[".tex"].decode().replace("worry", bad))


def test_latex_needs_kotex_for_hangul_only(model, observed, told, document):
    latin = told.model.summary().variable_names
    assert "국어" in latin
    korean = factor_document(told, "인자", "ko", drawn=False)
    source = WRITERS[".tex"](korean).decode()
    assert r"\renewcommand{\tablename}{표}" in source
    assert "\n% \\section*{Method}" in source
    assert re.search(r"(?m)^\\section\*\{방법\}", source)
    readers.check_latex(source)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs a LaTeX")
def test_latex_compiles(document, tmp_path):
    source = WRITERS[".tex"](document).decode().replace("국어", "korean")
    source = source.replace("\\usepackage{kotex}\n", "")
    (tmp_path / "t.tex").write_text(source)
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stdout[-800:]
    assert "Overfull" not in done.stdout


def test_a_wide_table_stands_on_its_side_and_the_text_upright(told):
    columns = tuple(Column(styled(f"column {j}")) for j in range(20))
    wide = Table("wide", styled("Wide"), columns, (tuple(Cell(0.5, "bounded") for _ in columns),))
    narrow = Table("narrow", styled("Narrow"), columns[:2], ((Cell("a"), Cell(0.5)),))
    tables = Document("t", "en", wording("en"), (narrow, wide))
    sections = docx.Document(io.BytesIO(WRITERS[".docx"](tables))).sections
    assert [s.page_width > s.page_height for s in sections] == [False, True, False]


@pytest.mark.parametrize(
    ("n", "size"),
    [(8, r"\small"), (9, r"\footnotesize"), (12, r"\footnotesize"), (13, r"\scriptsize")],
)
def test_the_more_columns_the_smaller_the_letters(n, size):
    columns = tuple(Column(styled(f"column {j}")) for j in range(n))
    table = Table("t", styled("T"), columns, (tuple(Cell(0.5) for _ in columns),))
    source = WRITERS[".tex"](Document("t", "en", wording("en"), (table,))).decode()
    found = re.findall(r"\\(?:small|footnotesize|scriptsize)\b", source.split(r"\begin{table}")[1])
    assert found == [size, r"\footnotesize"]  # The second is the note's.


W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
# ECMA-376, part 1, 17.4: the sequences that Word holds its tables to.
ORDER = {
    "tcPr": ["tcW", "gridSpan", "vMerge", "tcBorders", "shd", "noWrap", "tcMar", "vAlign"],
    "tcBorders": ["top", "left", "bottom", "right"],
    "tblPr": [
        "tblStyle",
        "tblW",
        "jc",
        "tblInd",
        "tblBorders",
        "tblLayout",
        "tblCellMar",
        "tblLook",
    ],
}


@pytest.mark.parametrize("name", ORDER)
def test_parts_of_a_table_are_in_words_order(name, files):
    body = docx.Document(io.BytesIO(files[".docx"])).element.body
    found = list(body.iter(f"{W}{name}"))
    assert found
    for part in found:
        names = [child.tag.removeprefix(W) for child in part]
        assert names == sorted(set(names), key=ORDER[name].index)


def test_a_long_table_goes_over_pages(document):
    table = document.tables[LOADINGS]
    long = replace(document, tables=(replace(table, rows=table.rows * 10),), paragraphs=())
    source = WRITERS[".tex"](long)
    assert b"longtable" in source
    readers.check_latex(source.decode())
    assert len(readers.of_latex(source)[0]) > 60


def test_all_are_shown_and_large_ones_bold_with_a_cut_of_0(told, model):
    document = factor_document(replace(told, cutoff=0.0), "t", drawn=False)
    table = document.tables[LOADINGS]
    assert "at least .30 in absolute value are in bold" in plain(table.note)
    size = np.abs(model.standardized_loadings_[told.order()])
    assert [[c.bold for c in row[1:3]] for row in table.rows] == (size >= 0.3).tolist()
    assert all(cell.text for row in table.rows for cell in row)
    html = WRITERS[".html"](document).decode()
    assert html.count("<td><b>") == WRITERS[".tex"](document).decode().count(r"\textbf")
    assert html.count("<td><b>") == int((size >= 0.3).sum())


def test_the_figure_is_in_the_page_in_the_file_of_word_and_beside_them(told, tmp_path, monkeypatch):
    document = factor_document(told, "t")
    monkeypatch.setattr("latentia.evaluation.apa.files.WRITERS", {})
    assert write_documents(tmp_path, document) == ()
    drawing = (tmp_path / "path-diagram.svg").read_text()
    assert drawing.count("<path") > 20
    assert "<text" not in drawing
    page, book = (WRITERS[s](document) for s in (".html", ".docx"))
    assert page.count(b"<svg") == 1
    assert "Figure 1" in page.decode()
    assert len(docx.Document(io.BytesIO(book)).inline_shapes) == 1


def test_scales_are_the_measures_themselves(model, observed):
    scales = scales_of_factors(model, observed, 0.3)
    assert [s.name for s in scales] == ["F1", "F2"]
    assert sorted(item for s in scales for item in s.variable_names) == sorted(NAMES)
    assert [s.reversed for s in scales if "=1+1" in s.variable_names] in (
        [("=1+1",)],
        [("calm", "a & b_{2}%")],
    )
    document = scales_document(scales, "t")
    tables = readers.of_docx(WRITERS[".docx"](document))
    for row, scale in zip(tables[0][2:], scales):
        figures = (scale.alpha, scale.alpha_low, scale.alpha_high, scale.omega_one_factor)
        expected = [printed(x) for x in (*figures, scale.mean_correlation)]
        assert row == [scale.name, str(len(scale.variable_names)), "1,200", *expected]
    items = tables[1][1:]
    assert [row[4] for row in items] == [printed(x) for x in scales[0].items.item_rest]
    assert [row[5] for row in items] == [printed(x) for x in scales[0].items.alpha_if_dropped]
    assert [row[2] for row in items] == [printed(x, bounded=False) for x in scales[0].items.mean]


def test_a_scale_with_a_hierarchy_has_its_loadings(rows):
    found = reliability(np.abs(rows), n_factors=3, name="all")
    document = scales_document([found], "t", "ko")
    tables = readers.of_html(WRITERS[".html"](document))
    w = found.omega
    first = [printed(x) for x in (w.solution.general[0], *w.solution.groups[0], w.uniquenesses[0])]
    assert tables[2][2][1:] == first
    assert tables[0][2][-3:] == [
        printed(x) for x in (w.total, w.hierarchical, found.mean_correlation)
    ]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (Cell(0.0004, "p"), "< .001"),
        (Cell(0.0324, "p"), ".032"),
        (Cell(1.0, "p"), "> .999"),
        (Cell(-0.004, "bounded"), ".00"),
        (Cell(-0.304, "bounded"), "−.30"),
        (Cell(-1.204, "bounded"), "−1.20"),
        (Cell(0.995, "bounded", 3), ".995"),
        (Cell(0.25, "number"), "0.25"),
        (Cell(-12345.678, "number"), "−12,345.68"),
        (Cell(12345, "count"), "12,345"),
        (Cell(1175, "degrees"), "1175"),
        (Cell(float("nan"), "bounded"), "—"),
        (Cell("a\nb\x07"), "a b "),
    ],
    ids=str,
)
def test_numbers_are_printed_by_the_rules(cell, text):
    assert cell.text == text


@pytest.mark.parametrize("letter", latex.GREEK)
def test_greek_letters_have_their_names(letter):
    _, size, _, name = unicodedata.name(letter).split()
    name = name.replace("LAMDA", "LAMBDA")
    assert latex.GREEK[letter] == (name.lower() if size == "SMALL" else name.capitalize())


def test_a_tall_figure_leaves_room_on_its_page_for_its_title_and_note(document, monkeypatch):
    monkeypatch.setattr(Figure, "inches", property(lambda figure: (5.0, 20.0)))
    found = docx.Document(io.BytesIO(WRITERS[".docx"](document))).inline_shapes
    assert len(found) == len(document.figures)
    widths = [shape.width.inches for shape in found]
    assert widths == pytest.approx([5 * 7.5 / 20] * len(found), abs=1e-3)


def test_room_for_words_in_a_column_is_that_of_their_letters():
    letter = _inches("ab") - _inches("a")
    assert 0 < _inches("a.") - _inches("a") < letter < _inches("aB") - _inches("a")
    assert _inches("한") == pytest.approx(2 * letter)
    assert _inches("a.b (B)") == pytest.approx(sum(map(_inches, "a.b (B)")))


@pytest.mark.parametrize("gaps", ["", "  "])
def test_titles_above_several_columns_stand_in_their_middle(gaps, monkeypatch):
    monkeypatch.setattr(text, "GAP", gaps)
    spans = [((), 1), ("Loadings", 3), ("Fit", 2)]
    monkeypatch.setattr(text, "plain", lambda said: "".join(said))
    widths = [6, 4, 4, 4, 5, 5]
    line = text._spanning(spans, widths)
    for title, first, n in (("Loadings", 1, 3), ("Fit", 4, 2)):
        start = sum(widths[:first]) + len(gaps) * first
        room = sum(widths[first : first + n]) + len(gaps) * (n - 1)
        before = line.index(title) - start
        assert before == (room - len(title)) // 2


def test_rules_of_a_table_in_word_are_above_it_below_its_head_and_its_rows_and_nowhere_else(
    document, files
):
    def sides(row):
        found = [{part.tag.rpartition("}")[2] for part in b} for b in row._tr.iter(f"{W}tcBorders")]
        return set().union(*found)

    tables = docx.Document(io.BytesIO(files[".docx"])).tables
    for told, table in zip(document.tables, tables, strict=True):
        first, head = table.rows[0], table.rows[bool(told.spans())]
        over_totals, last = table.rows[-1 - len(told.totals)], table.rows[-1]
        ruled = {id(row._tr): sides(row) for row in table.rows}
        assert "top" in ruled.pop(id(first._tr))
        for row in (head, over_totals, last):
            assert "bottom" in sides(row)
            ruled.pop(id(row._tr), None)
        assert not any(ruled.values())


@pytest.mark.parametrize("language", ["en", "ko"])
def test_titles_are_in_italics_in_english_where_symbols_stand_upright(language, document):
    told = replace(document, language=language, words=wording(language))
    paragraphs = docx.Document(io.BytesIO(WRITERS[".docx"](told))).paragraphs
    labels = [label for label, _ in told.numbered()]
    below = {p.text: after for p, after in pairwise(paragraphs) if p.text in labels}
    assert len(below) == len(labels)
    for label, table in told.numbered():
        found = [(run.text, bool(run.italic)) for run in below[label].runs]
        upright = language == "en"
        assert found == [(part.text, bool(part.italic) != upright) for part in table.title]
