"""Matrices as papers print them: whatever stands beside the numbers, the matrix is the same."""

import numpy as np
import openpyxl
import pytest

from latentia.data import tables
from latentia.data.matrices import NamedMatrix
from latentia.data.table_files import is_table
from latentia.errors import InputError

NAMES = ["Age", "Life satisfaction", "Stress", "Sleep"]
R = np.eye(4)
R[np.tril_indices(4, -1)] = 0.28, -0.12, -0.44, 0.05, 0.31, -0.22
R = R + R.T - np.eye(4)
BESIDE = [("34.2", "9.1"), ("3.42", ".81"), ("2.11", ".77"), ("6.90", "1.10")]
STARS, BRACKETS = (
    "signs of significance were left out, such as those of '.28*'",
    "were taken for ones",
)
LEFT = "2 number(s) in front of each row of correlations were left out"


def printed(value, minus="-"):
    stars = "***" if abs(value) > 0.4 else "**" if abs(value) > 0.3 else "*" if value > 0.2 else ""
    stars = "†" if value == -0.22 else stars
    return f"{value:.2f}".replace("0.", ".").replace("-", minus) + stars


def rows(diagonal="—", *, counts=True, names=True, beside=False, minus="-", full=False, pad=True):
    """Return the lines of cells of a matrix."""
    found = []
    for i, name in enumerate(NAMES):
        row = [f"{i + 1}. {name}" if counts else name] if names else []
        row += BESIDE[i] if beside else ()
        row += [printed(R[i, j], minus) for j in range(i)] + [diagonal]
        row += [printed(R[i, j], minus) if full else "" for j in range(i + 1, 4)]
        found.append(row if pad else row[: len(row) - 3 + i])
    return found


def text(lines, sign, heads=None):
    cells = [*([] if heads is None else [heads]), *lines]
    return "\n".join(sign.join(f'"{c}"' if sign in c else c for c in row) for row in cells) + "\n"


COUNTS = ["1", "2", "3", "4"]
UNPADDED = rows(pad=False, beside=True)
FORMS = {
    "counted columns": ("csv", text(rows(), ",", ["", *COUNTS]), (STARS,)),
    "means beside": (
        "csv",
        text(rows(beside=True), ",", ["Variable", "M", "SD", *COUNTS]),
        (STARS, "'M', 'SD' stand beside the matrix and were left out"),
    ),
    "minus signs of print": ("tsv", text(rows(minus="−"), "\t", ["", *COUNTS]), (STARS,)),
    "without the last column": (
        "csv",
        text([row[:-1] for row in rows()], ",", ["Variable", "1", "2", "3"]),
        (STARS,),
    ),
    "reliabilities": (
        "csv",
        text(rows("(.85)", counts=False), ",", ["", *NAMES]),
        (STARS, BRACKETS),
    ),
    "full, with stars": (
        "csv",
        text(rows("1", counts=False, full=True), ",", ["", *NAMES]),
        (STARS,),
    ),
    "full, between semicolons": (
        "csv",
        text(rows("1", counts=False, full=True), ";", ["", *NAMES]),
        (STARS,),
    ),
    "copied from a page": ("txt", text(UNPADDED, " "), (STARS, LEFT)),
    "copied with reliabilities": (
        "txt",
        text(rows("(.85)", pad=False, beside=True), " "),
        (STARS, BRACKETS, LEFT),
    ),
    "copied with a blank before the stars": (
        "txt",
        text(UNPADDED, " ").replace("*", " *", 1),
        (STARS, LEFT),
    ),
    "copied below counts": (
        "txt",
        text(rows("1.00", counts=False, pad=False), " ", ["Variable", *COUNTS]),
        (STARS,),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_printed_matrix_is_the_matrix(form, tmp_path):
    ending, content, said = FORMS[form]
    file = tmp_path / f"t.{ending}"
    file.write_text(content.replace('"', "") if ending == "txt" else content)
    assert is_table(file)
    found, notes, *_ = tables.columns(file)
    assert isinstance(found, NamedMatrix)
    assert found.columns == NAMES
    np.testing.assert_allclose(found.values, R, atol=1e-12)
    for clause in said:
        assert clause in " ".join(notes)
    assert (BRACKETS in " ".join(notes)) == (BRACKETS in said)


def test_a_triangle_without_names_is_numbered(tmp_path):
    (tmp_path / "t.txt").write_text(text(rows(names=False, pad=False), " "))
    found, notes, *_ = tables.columns(tmp_path / "t.txt")
    assert found.columns == ["x0", "x1", "x2", "x3"]
    np.testing.assert_allclose(found.values, R, atol=1e-12)
    assert "in front" not in " ".join(notes)


def test_a_printed_matrix_in_a_spreadsheet_is_the_matrix(tmp_path):
    book = openpyxl.Workbook()
    for row in [["", *NAMES], *rows("(.85)", counts=False)]:
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    found, notes, *_ = tables.columns(tmp_path / "t.xlsx")
    np.testing.assert_allclose(found.values, R, atol=1e-12)
    assert STARS in " ".join(notes)
    assert BRACKETS in " ".join(notes)


def test_stars_behind_the_numbers_of_rows_are_left_out_and_told(tmp_path):
    lines = ["a,b"] + [f"{i}{'*' * (i % 3)},{i / 2}" for i in range(9)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    part = tables.read(tmp_path / "t.csv")
    np.testing.assert_array_equal(part.x, [[i, i / 2] for i in range(9)])
    assert "such as those of '1*'" in part.notes[0]


@pytest.mark.parametrize(
    "lines",
    [
        ["1 2 3", "4 5 6", "7 8 9"],
        ["we saw 1", "then 2 or 1", "and 3 of 4 and 1"],
        ["1. Age —", "2. Mood .28 —", "3. Sleep —"],
        ["a 1 2 3 4 5 6 1", "b 1 2 3 4 5 6 .3 1", "c 1 2 3 4 5 6 .3 .3 1"],
    ],
)
def test_other_lines_are_no_printed_matrix(lines, tmp_path):
    (tmp_path / "t.txt").write_text("\n".join(lines) + "\n")
    try:
        found = tables.columns(tmp_path / "t.txt").columns
    except InputError:
        return
    assert not isinstance(found, NamedMatrix)


def test_no_part_of_a_large_printed_matrix_is_taken_for_it(tmp_path):
    lines = [" ".join([f"{i + 1}. v{i}", *[".1*"] * i, "—"]) for i in range(120)]
    for n, is_matrix in ((99, True), (100, False), (120, False)):
        (tmp_path / "t.txt").write_text("\n".join(lines[:n]) + "\n")
        try:
            found = tables.columns(tmp_path / "t.txt").columns
        except InputError:
            found = None
        assert isinstance(found, NamedMatrix) == is_matrix
        assert not is_matrix or found.values.shape == (n, n)


def test_brackets_off_the_diagonal_are_negative_amounts(tmp_path):
    lines = ["a,b,c", "1,(2),3", "(4),5,6", "7,8,(9)"]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    np.testing.assert_array_equal(
        tables.read(tmp_path / "t.csv").x, [[1, -2, 3], [-4, 5, 6], [7, 8, -9]]
    )


def test_the_two_sides_of_a_diagonal_that_differ_are_told(tmp_path):
    uneven = R.copy()
    uneven[0, 2] = 0.4
    lines = [["", *NAMES], *([name, *map(str, row)] for name, row in zip(NAMES, uneven))]
    (tmp_path / "t.csv").write_text(text(lines, ","))
    _, notes, *_ = tables.columns(tmp_path / "t.csv")
    assert "0.4 above the diagonal and -0.12 below it for 'Age' and 'Stress'" in notes[-1]


def test_tables_of_genes_are_read_without_their_remarks(tmp_path):
    body = ["\t".join([f"G{i}", *map(str, (i, i + 1, i * i))]) for i in range(9)]
    gct = ["#1.2", "9\t3", "Name\tDescription\ta\tb\tc"]
    gct += [row.replace("\t", f"\tgene {i}\t", 1) for i, row in enumerate(body)]
    (tmp_path / "t.gct").write_text("\n".join(gct) + "\n")
    remarks = ['!Series_title\t"x"', '!Sample_geo\t"1"\t"2"', "!series_matrix_table_begin"]
    series = [*remarks, '"ID_REF"\ta\tb\tc', *body, "!series_matrix_table_end"]
    (tmp_path / "t.txt").write_text("\n".join(series) + "\n")
    for name in ("t.gct", "t.txt"):
        assert is_table(tmp_path / name)
        part = tables.read(tmp_path / name)
        np.testing.assert_array_equal(part.x, [[i, i + 1, i * i] for i in range(9)])
        assert part.columns == ("a", "b", "c")
        assert part.names.tolist() == [f"G{i}" for i in range(9)]
    assert "4 line(s) that begin with ! were left out" in part.notes[0]


def test_text_between_tabs_with_some_numbers_is_a_table_and_words_are_none(tmp_path):
    rows = ["name\tcity\tsex\tage", *(f"p{i}\tSeoul\tf\t{i}" for i in range(9))]
    (tmp_path / "t.txt").write_text("\n".join(rows) + "\n", encoding="utf-16")
    assert is_table(tmp_path / "t.txt")
    assert tables.read(tmp_path / "t.txt").columns == ("age",)
    (tmp_path / "u.txt").write_text("hello\tbonjour\nday\tjour\nnight\tnuit\n")
    assert not is_table(tmp_path / "u.txt")


def test_percent_signs_may_stand_apart(tmp_path):
    (tmp_path / "t.csv").write_text("a;b\n" + "".join(f"{i} %;{i},5\n" for i in range(9)))
    expected = [[i / 100, i + 0.5] for i in range(9)]
    np.testing.assert_allclose(tables.read(tmp_path / "t.csv").x, expected)
