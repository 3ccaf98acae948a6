"""Conditions on tables and matrices, each of their parts where it alone decides."""

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from latentia.data import columns as of_columns
from latentia.data import delimited, load, matrices, numerals, records, spreadsheets, table_files
from latentia.data import tables as of_tables
from latentia.data.columns import Table
from latentia.data.described import _classes, described_matrix
from latentia.data.matrices import NamedMatrix
from latentia.data.options import OF_TEXT, TableOptions, word_in
from latentia.data.published import unit_diagonal
from latentia.data.statistics_files import _column, _first_line
from latentia.data.toys import load_mixture
from latentia.data.triangles import as_square
from latentia.errors import InputError

NAN = np.nan
HERE = Path("t.csv")
THREE = np.array([[1, 0.5, 0.2], [0.5, 1, 0.3], [0.2, 0.3, 1]])


def words(*cells):
    """Return a column of text, gaps where a cell is None."""
    return pa.chunked_array([pa.array(cells, pa.string())])


def table(numbers=None, text=None, **more):
    """Return a table of columns of numbers and of words, the numbers first."""
    numbers = {name: np.array(values, float) for name, values in (numbers or {}).items()}
    text = {name: words(*cells) for name, cells in (text or {}).items()}
    names = (*numbers, *text)
    return Table(numbers, text, **({"names": names, "notes": (), "wanted": names} | more))


def refusal(call, *arguments):
    """Return the sentence in which a call is refused."""
    with pytest.raises(InputError) as caught:
        call(*arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    ("values", "is_number"),
    [
        ([1], True),
        ([0.5], True),
        ([True], True),
        ([Decimal("1.5")], True),
        ([None], True),
        (["1"], False),
    ],
)
def test_columns_of_numbers_are_of_any_type_of_number(values, is_number):
    assert of_columns._is_number(pa.chunked_array([values])) == is_number


@pytest.mark.parametrize(
    ("first", "second", "n_rows"),
    [
        (["x", "y", "Total"], ["1", "2", "3"], 2),
        (["x", "Total"], ["1", "1"], 2),
        (["x", "y", "z"], ["1", "2", "3"], 3),
        (["x", "y", "Total", None], ["1", "2", "3", None], 2),
        (["x", "y", "Total", None], ["1", "2", "3", "NA"], 2),
        (["x", "y", "Total", None], ["1", "2", "3", "7"], 4),
    ],
)
def test_a_last_row_that_sums_up_the_others_is_left_out(first, second, n_rows):
    held = pa.table({"a": words(*first), "b": words(*second)})
    kept, said = of_columns._without_totals(held, TableOptions())
    assert kept.num_rows == n_rows
    told = ("its last row, 'Total', was left out as a total; --keep-totals keeps it",)
    assert said == (told if n_rows == 2 < len(first) else ())
    for other in ("total", "ROWTYPE_"):
        named = pa.table({"a": words(*first), other: words(*second)})
        assert of_columns._without_totals(named, TableOptions())[0].num_rows == len(first)


def test_codes_are_counted_in_columns_without_rows_too():
    found, counts = of_columns._without_codes({"a": words(), "b": words("9", "9.0", "x")}, ["9"])
    assert counts == {"9": 2}
    assert found["b"].to_pylist() == [None, None, "x"]
    assert of_columns._without_codes({"a": words()}, ["9"])[1] == {"9": 0}


def test_places_on_a_scale_leave_gaps_and_take_its_own_words_before_gaps():
    column = words("NA", None, "some", "", "-")
    found = of_columns._on_scale("a", column, ["NA", "some"], HERE)
    np.testing.assert_array_equal(found, [1, NAN, 2, NAN, NAN])
    said = refusal(of_columns._on_scale, "a", words("some", "few"), ["none", "some"], HERE)
    assert said == (
        "t.csv: column 'a' holds 'few' in data row 2, which is not among --levels none,some; add "
        "it, or take it for missing with --missing-codes 'few'"
    )
    options = TableOptions(levels=["low,mid,high", "low,high"])
    assert refusal(of_columns._scaled, {"a": words("low", "high")}, HERE, options) == (
        "t.csv: no column holds the words of --levels, low, high; write them as they stand in the "
        "file"
    )


@pytest.mark.parametrize(
    ("cells", "asked", "columns", "notes"),
    [
        (["u", "v", None], ["a"], {"a=u": [1, 0, NAN], "a=v": [0, 1, NAN]}, ()),
        (["u", "u", None], ["a=u"], {"a=u": [1, 1, NAN]}, ()),
        (
            ["u", "v", "w"],
            ["a=u"],
            {"a=u": [1, 0, 0]},
            ("t.csv: other words in 'a' are 0 in its columns: v, w.",),
        ),
    ],
)
def test_words_become_columns_of_their_own(cells, asked, columns, notes):
    found = of_columns._one_hot(table({}, {"a": cells}), HERE, TableOptions(one_hot=asked))
    assert {name: list(map(str, v)) for name, v in found.numbers.items()} == {
        name: list(map(str, np.array(v, float))) for name, v in columns.items()
    }
    made = f"t.csv: 'a' became {len(columns)} columns of 0 and 1: "
    assert found.notes[:-1] == notes
    assert found.notes[-1].startswith(made)
    said = refusal(
        of_columns._one_hot, table({}, {"a": ["u"] * 3}), HERE, TableOptions(one_hot=["a"])
    )
    assert said.startswith("t.csv: column 'a' has 1 different values; --one-hot takes 2 to ")


@pytest.mark.parametrize(
    ("remark", "lines", "names"),
    [
        ("# a,b", ["1,2", "3,4"], "a,b"),
        ("# a b", ["1 2", "3 4"], "a b"),
        ("# ", ["1 2", "3 4"], ""),
        ("# a b", [], ""),
        ("# made by, me, now", ["1,2", "3,4"], ""),
        ("# 1,2", ["3,4", "5,6"], ""),
        ("# a,b", ["u,v", "1,2"], ""),
    ],
)
def test_a_remark_is_a_header_if_it_fits_the_rows(remark, lines, names):
    assert delimited._commented_names(remark, lines) == names


def read(tmp_path, text, **options):
    path = tmp_path / "t.csv"
    path.write_text(text)
    return delimited.read(path, TableOptions(**options))


def test_two_separators_are_told_apart_by_numbers_alone(tmp_path):
    found = read(tmp_path, "u,v;w\nx,y;z\nr,s;t\n")
    assert found.table.num_columns == 2
    with pytest.raises(InputError, match=r"cells between commas, 2 columns, and between semicolon"):
        read(tmp_path, "a,b;c\n1,u;3\n4,v;6\n7,w;9\n")


def test_a_comma_alone_may_be_a_part_of_a_number(tmp_path):
    found = read(tmp_path, "x\n1;234\n5;678\n9;123\n")
    assert found.table.column_names == ["", "x"]
    with pytest.raises(InputError, match="commas seem to be decimal signs and separators at once"):
        read(tmp_path, "a,b\n1,2,3,4\n5,6,7,8\n")
    with pytest.raises(InputError, match="data row 1 has 4 cells, and there are 2 columns: '1;2;3"):
        read(tmp_path, "a;b\n1;2;3;4\n5;6;7;8\n")


def test_blanks_separate_where_nothing_else_does_or_where_they_are_asked_for():
    lines = ["a\tb c", "1\t2 3", "4\t5 6"]
    assert delimited._spaced("\n".join(lines), lines) == ""
    assert delimited._spaced("\n".join(lines), lines, given=True) == "a\tb\tc\n1\t2\t3\n4\t5\t6"


def test_a_separator_that_is_given_is_the_one_that_is_read(tmp_path):
    text = "a b\n1 2\n3 4\n5 6\n"
    assert read(tmp_path, text).table.column_names == ["a", "b"]
    assert read(tmp_path, text, delimiter=",").table.column_names == ["a b"]


def test_rows_above_the_data_are_not_counted_among_them():
    layout = SimpleNamespace(names=["a", "b"], separator=",", n_header=2)
    assert delimited._slip("title\na,b\n1,2\n1,2,3", layout, ValueError("why\nmore")) == (
        "data row 2 has 3 cells, and there are 2 columns: '1,2,3'; correct that line"
    )
    assert delimited._slip("title\na,b\n1,2", layout, ValueError("why\nmore")) == "why"


def test_bytes_that_are_no_text_are_no_table(tmp_path):
    (tmp_path / "t.txt").write_bytes(b"a\x81b,\x8d2\n1,2\n3,4\n\xff\xff\x81\n")
    assert not delimited.looks_like_table(tmp_path / "nothing.txt")
    assert delimited.encoding_of((tmp_path / "t.txt").read_bytes()) == ("", "")
    assert delimited.looks_like_table(tmp_path / "t.txt")


def test_classes_are_described_where_each_sample_has_one():
    data = load_mixture("ring")
    told = dict(_classes(data))
    assert told["classes"].startswith("8: ")
    for y in (None, np.zeros((len(data.x_train), 2))):
        assert [*_classes(SimpleNamespace(y_train=y))] == [("classes", "none")]


@pytest.mark.parametrize(
    ("values", "kind"),
    [(THREE, "correlation"), (2 * THREE, "covariance"), (NAN * THREE, "covariance")],
)
def test_a_matrix_of_unknown_kind_is_called_a_covariance(values, kind):
    matrix = NamedMatrix(["a", "b", "c"], values, None, None, ())
    told = dict(described_matrix(matrix, (), "m"))
    assert told["what"] == f"a {kind} matrix of 3 variables, and no rows"


def test_a_half_of_a_matrix_is_mirrored_if_it_is_whole_and_the_other_is_empty():
    half = np.array([[1, NAN, NAN], [0.2, 1, NAN], [0.3, 0.4, 1]])
    full, said = matrices._mirrored(half)
    np.testing.assert_array_equal(full, [[1, 0.2, 0.3], [0.2, 1, 0.4], [0.3, 0.4, 1]])
    assert said == ["the other triangle of the matrix was filled in by symmetry"]
    for row, column, value in ((2, 1, NAN), (0, 1, 0.2)):
        spoilt = half.copy()
        spoilt[row, column] = value
        full, said = matrices._mirrored(spoilt)
        np.testing.assert_array_equal(full, spoilt)
        assert said == []


KINDS = ["mean", "stddev", "n", "corr", "corr"]
CORR = [[1, 0.5], [0.5, 1]]


@pytest.mark.parametrize(
    ("kinds", "top", "matrix", "mean"),
    [
        (KINDS, [[1, 2], [2, 4], [9, 9]], [[4, 4], [4, 16]], [1, 2]),
        (KINDS, [[1, NAN], [2, 4], [9, 9]], [[4, 4], [4, 16]], None),
        (KINDS, [[1, 2], [2, 0], [9, 9]], CORR, [1, 2]),
        (KINDS, [[1, 2], [2, NAN], [9, 9]], CORR, [1, 2]),
        (["n", "corr", "corr"], [[9, 9]], CORR, None),
        (["mean", "stddev", "n", "cov", "cov"], [[1, 2], [2, 4], [9, 9]], CORR, [1, 2]),
    ],
)
def test_rows_of_a_matrix_file_are_put_together(kinds, top, matrix, mean):
    rows = [""] * len(top) + ["a", "b"]
    values = np.array([*top, *CORR], float)
    found = matrices.of_row_types(kinds, rows, ["a", "b"], values, "m")
    np.testing.assert_array_equal(found.values, matrix)
    assert (None if found.mean is None else found.mean.tolist()) == mean
    assert found.n_samples == 9


@pytest.mark.parametrize(
    ("rows", "square"), [(["u", "w"], CORR), (["a", "b"], [[1, NAN], [NAN, 1]])]
)
def test_a_matrix_file_is_whole_and_of_its_columns(rows, square):
    said = refusal(matrices.of_row_types, ["corr"] * 2, rows, ["a", "b"], np.array(square), "m")
    assert said == (
        f"m: the rows of rowtype_ CORR are of {', '.join(rows)}; they must be whole and of the "
        "columns, a, b"
    )


def test_rows_of_a_matrix_come_in_the_order_of_its_columns():
    values = np.array([[0.2, 0.4, 1], [1, 0.3, 0.2], [0.3, 1, 0.4]])
    found = matrices.named(["a", "b", "c"], ["c", "a", "b"], values, "m")
    np.testing.assert_array_equal(found.values, values[[1, 2, 0]])
    assert "its rows were put in the order of its columns" in found.notes[0]
    straight = matrices.named(["a", "b", "c"], ["a", "b", "c"], values[[1, 2, 0]], "m")
    np.testing.assert_array_equal(straight.values, values[[1, 2, 0]])
    assert not any("order" in note for note in straight.notes)


@pytest.mark.parametrize(
    ("columns", "has_points", "decimal", "expected"),
    [
        ({"a": "1,5", "b": "2,5"}, False, None, {"a": 1.5, "b": 2.5}),
        ({"a": "1,5", "b": "1,500"}, False, None, {"a": 1.5, "b": 1.5}),
        ({"a": "1,5"}, True, ",", {"a": 1.5}),
        ({"a": "1,5", "b": "2.5"}, False, ",", {"a": 1.5}),
        ({"a": "1,500", "b": "2.5"}, False, None, {"a": 1500, "b": 2.5}),
        ({"a": "1,500"}, True, None, {"a": 1500}),
        ({"a": "1,500"}, False, ",", {"a": 1.5}),
        ({"a": "1,500"}, False, ".", {"a": 1500}),
    ],
)
def test_a_comma_is_read_as_the_other_columns_or_the_user_say(
    columns, has_points, decimal, expected
):
    cells = {name: words(cell) for name, cell in columns.items()}
    found, _ = numerals.as_numbers(cells, "t.csv", has_points, decimal)
    assert {name: values.tolist() for name, values in found.items()} == {
        name: [value] for name, value in expected.items()
    }


@pytest.mark.parametrize(
    ("columns", "has_points", "beside"),
    [({"a": "1,5", "b": "2.5"}, False, "'b'"), ({"a": "1,5"}, True, "another")],
)
def test_decimal_commas_beside_points_are_refused(columns, has_points, beside):
    cells = {name: words(cell) for name, cell in columns.items()}
    said = refusal(numerals.as_numbers, cells, "t.csv", has_points)
    assert said == (
        f"t.csv: column 'a' has decimal commas and {beside} decimal points; write them alike"
    )


def test_a_word_of_a_column_stands_behind_an_equals_sign():
    assert word_in("ab", ["a"]) is None
    assert word_in("a=b=c", ["a=b"]) == ("a=b", "c")


def test_values_in_brackets_are_a_diagonal_if_they_go_down_from_row_to_row():
    cells = [["(.8)", ".1", ".2"], [".1", "(.9)", ".3"], [".2", ".3", "(.7)"]]
    found, said = unit_diagonal({name: words(*column) for name, column in zip("abc", cells)})
    assert [column.to_pylist()[i] for i, column in enumerate(found.values())] == ["1"] * 3
    assert len(said) == 1
    swapped = {name: words(*column) for name, column in zip("bac", cells[1::-1] + cells[2:])}
    assert unit_diagonal(swapped) == (swapped, ())


@pytest.mark.parametrize(
    ("found", "columns"),
    [
        ([[1, 2], [3, 4]], {"x0": [1, 3], "x1": [2, 4]}),
        ([["a", "b"], [3, 4]], {"a": [3], "b": [4]}),
        ({"columns": ["a"], "data": []}, {}),
        ({"columns": ["a"], "data": [[1]]}, {"a": [1]}),
        ({"columns": ["a", "b"], "data": [[1]]}, {}),
        ({"columns": "ab", "data": [[1, 2]]}, {}),
        ([], {}),
        ([1, 2], {}),
        ([[1, 2], 3], {}),
        ([["a", "b"]], {}),
        ({"a": []}, {"a": []}),
        ({"rows": [{"a": 1}, {"a": 2}]}, {"a": [1, 2]}),
        ({"a": [1, 2]}, {"a": [1, 2]}),
    ],
)
def test_json_is_a_table_in_the_usual_shapes(found, columns):
    assert records._records(found) == columns


def test_json_in_no_encoding_is_refused(tmp_path):
    (tmp_path / "t.json").write_bytes(b'{"a": ["\x81\x8d\xff"]}')
    said = refusal(records.read_json, tmp_path / "t.json")
    assert said.startswith(f"{tmp_path}/t.json cannot be read: 'utf-8' codec can't decode byte")
    (tmp_path / "k.json").write_bytes('{"a": ["가나다"]}'.encode("cp949"))
    assert records.read_json(tmp_path / "k.json").table.to_pydict() == {"a": ["가나다"]}


class Sheet:
    """A sheet of a book, as python_calamine gives it."""

    def __init__(self, name, rows, height=1, width=1):
        self.name, self.rows, self.height, self.width = name, rows, height, width

    def to_python(self, skip_empty_area):
        assert skip_empty_area
        return self.rows


class Book:
    """A book of sheets, all visible."""

    def __init__(self, *sheets):
        self.sheets = {sheet.name: sheet for sheet in sheets}
        self.sheet_names = [*self.sheets]
        visible = SimpleNamespace(Visible="yes")
        self.sheets_metadata = [
            SimpleNamespace(name=name, visible=Visible.Visible) for name in self.sheets
        ]
        assert visible

    def get_sheet_by_name(self, name):
        return self.sheets[name]


class Visible:
    """Whether a sheet is shown."""


Visible.Visible = Visible()


@pytest.mark.parametrize(("wanted", "found"), [("2", "b"), ("1", "1"), ("a", "a"), (None, "a")])
def test_a_sheet_is_meant_by_its_name_or_its_number(wanted, found):
    book = Book(Sheet("a", []), Sheet("b", []), Sheet("1", []))
    assert spreadsheets._sheet(book, HERE, wanted)[0].name == found
    for other in ("0", "4", "c", "-1"):
        said = refusal(spreadsheets._sheet, book, HERE, other)
        assert said.startswith(f"t.csv has no sheet {other!r}; it has a, b, 1")


@pytest.mark.parametrize(("height", "width"), [(0, 5), (5, 0), (0, 0)])
def test_the_first_sheet_with_cells_is_read(height, width):
    book = Book(Sheet("a", [], height, width), Sheet("b", []))
    assert spreadsheets._sheet(book, HERE, None) == (book.sheets["b"], ())


@pytest.mark.parametrize("rows", [[], [[]], [["", ""], ["", ""]]])
def test_a_sheet_without_cells_is_refused(monkeypatch, tmp_path, rows):
    book = Book(Sheet("a", rows))
    monkeypatch.setattr(spreadsheets, "_is_text", lambda _: False)
    monkeypatch.setattr(spreadsheets, "_opened", lambda _: book)
    said = refusal(spreadsheets.read, tmp_path / "t.xlsx", TableOptions())
    assert said == f"{tmp_path}/t.xlsx: its sheet 'a' has no cells"


def test_text_under_the_name_of_a_spreadsheet_is_text(tmp_path):
    path = tmp_path / "t.xls"
    for content, is_text in ((b"a,b\n1,2\n3,4\n", True), (b"PK,b\n1,2\n3,4\n", False)):
        path.write_bytes(content)
        assert spreadsheets._is_text(path) == is_text
    (tmp_path / "t.ods").write_bytes(b"<office:document/>")
    assert not spreadsheets._is_text(tmp_path / "t.ods")
    path.write_bytes(b"  <html>")
    assert "t.xls is a page of HTML or XML under the name" in refusal(spreadsheets._is_text, path)


@pytest.mark.parametrize(
    ("cell", "text"),
    [(2.0, "2"), (2.5, "2.5"), (1e15, "1000000000000000.0"), (True, "true"), (" a  b", "a b")],
)
def test_cells_of_sheets_are_written_as_they_are_read(cell, text):
    assert spreadsheets._text(cell) == text


def test_gaps_of_statistics_files_are_none_or_unlike_themselves():
    values = np.array([None, NAN, 2], object)
    assert _column(values).to_pylist() == [None, None, 2.0]
    assert _column(np.array(["a", NAN], object)).to_pylist() == ["a", None]
    assert [_first_line(OSError("a\nb")), _first_line(OSError())] == ["a", "OSError"]


def test_files_are_tables_by_their_names_or_their_first_lines(tmp_path):
    for name in ("a.csv.gz", "a-idx1.csv.gz", "b.png.gz", "c.zip"):
        is_table = name == "a.csv.gz"
        assert table_files.is_table(tmp_path / name) == is_table
    (tmp_path / "t.txt").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "w.txt").write_text("Once upon a time\n")
    (tmp_path / "f.txt").mkdir()
    (tmp_path / "t.png").write_text("a,b\n1,2\n3,4\n")
    found = [path.name for path in sorted(tmp_path.iterdir()) if table_files.is_table(path)]
    assert found == ["t.txt"]


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("t.xlsx", ("sheet", "header")),
        ("t.mat", ("sheet",)),
        ("t.parquet", ()),
        ("t.csv", (*OF_TEXT, "decimal", "header")),
    ],
)
def test_a_kind_of_file_leaves_open_what_it_does_not_state(name, choices):
    found = table_files.choices(Path(name))
    assert {*found} == {*choices}
    assert len(found) == len({*found})


OPTIONS = TableOptions()


def test_a_table_without_numbers_is_refused_by_what_it_holds():
    both = {"a": ["u", "u"], "b": ["v", "v"]}
    said = refusal(of_tables._of_variables, table({}, both), HERE, OPTIONS, None)
    assert said.startswith("t.csv has no column of numbers left; ")
    said = refusal(of_tables._of_variables, table(), HERE, OPTIONS, None)
    assert said == "t.csv holds 0 rows of 0 columns of numbers"
    assert refusal(of_tables._refuse_empty, table({}, both), {}, HERE) == (
        "t.csv holds 2 rows of 0 columns of numbers"
    )
    of_rows = table(row_names=np.array(["u"]))
    said = refusal(of_tables._of_variables, of_rows, HERE, OPTIONS, None)
    assert said == "t.csv has no column of numbers left"


@pytest.mark.parametrize(
    ("held", "options", "label"),
    [
        (table({"a": [1]}), {"label": "none"}, None),
        (table({"none": [1]}), {"label": "none"}, "none"),
        (table({"a": [1], "Class": [2]}), {}, "Class"),
        (table({"x0": [1]}, {"x1": ["u"] * 4 + ["v"] * 4}, headless=True), {}, "x1"),
        (table({"x0": [1]}, {"x1": ["u"] * 4 + ["v"] * 4}), {}, None),
        (table({}, dict.fromkeys(("x0", "x1"), ["u"] * 4 + ["v"] * 4), headless=True), {}, None),
        (table({}, {"x0": ["u", "v", "w"]}, headless=True), {}, None),
    ],
)
def test_the_column_of_classes_is_named_or_the_only_words_without_a_header(held, options, label):
    assert of_tables._label(held, HERE, TableOptions(**options)) == label


@pytest.mark.parametrize("values", [[], [0, 2]])
def test_weights_of_no_rows_are_not_all_zero(values):
    options = TableOptions(weights="w")
    assert of_tables._weights(table({"w": values}), HERE, options).tolist() == values
    assert "every weight in column 'w' is 0" in refusal(
        of_tables._weights, table({"w": [0, 0]}), HERE, options
    )


def test_columns_that_hold_nothing_are_left_out_if_any_hold_something():
    empty = {"a": [NAN, NAN], "b": [NAN, NAN]}
    assert of_tables._without_blank(table(empty), HERE).names == ("a", "b")
    some = of_tables._without_blank(table(empty | {"c": [1, NAN]}), HERE)
    assert (some.names, some.notes) == (("c",), ("t.csv: 2 empty column(s) were left out: a, b.",))
    asked = table(empty | {"c": [1, NAN]}, wanted=("a", "c"))
    assert of_tables._without_blank(asked, HERE).names == ("b", "c")


def names_of_rows(held, **options):
    """Return the names left and those of the rows."""
    found = of_tables._without_index(held, HERE, TableOptions(**options))
    rows = found.row_names
    return found.names, None if rows is None else rows.tolist()


@pytest.mark.parametrize(
    ("held", "options", "expected"),
    [
        (table({"": [1, 2], "a": [5, 7]}), {}, (("a",), ["1", "2"])),
        (table({"": [1, 2]}), {}, (("",), None)),
        (table({"": [1, 2], "a": [5, 7]}), {"index": "none"}, (("", "a"), None)),
        (table({"none": [3, 4], "a": [5, 7]}), {"index": "none"}, (("a",), ["3", "4"])),
        (table({}), {}, ((), None)),
        (table({}, {"n": ["u", "v"]}), {}, ((), ["u", "v"])),
        (table({}, {"n": ["u"]}), {}, (("n",), None)),
        (table({}, {"n": ["u", "u"]}), {}, (("n",), None)),
        (table({}, {"n": ["u", "5"]}), {}, (("n",), None)),
        (table({}, {"n": ["u", "v"]}, headless=True), {}, (("n",), None)),
        (table({}, {"Label": ["u", "v"]}), {}, (("Label",), None)),
        (table({}, {"n": ["u", "v"]}), {"label": "n"}, (("n",), None)),
        (table({"a": [1, 2]}, {"n": ["u", "v"]}), {}, (("a", "n"), None)),
    ],
)
def test_rows_are_named_by_a_first_column_that_tells_them_apart(held, options, expected):
    assert names_of_rows(held, **options) == expected


@pytest.mark.parametrize(
    ("held", "what"),
    [
        (table({"": [5, 3], "a": [1, 2]}), "the first column has no name"),
        (table({"": [5, 3]}), None),
        (table({"": [], "a": []}), None),
        (table({"b": [5, 3], "a": [1, 2]}), None),
        (table({"n": [*range(3, 60)]}), "'n' counts the rows"),
        (table({"n": [*range(3, 60)], "a": [1]}, wanted=("a",)), None),
    ],
)
def test_a_first_column_that_may_be_an_index_is_told(held, what):
    note = f"t.csv: {what}, and is kept as a variable; drop it if it is none."
    assert of_tables._noting_kept(held, HERE).notes == (() if what is None else (note,))


def test_a_matrix_without_names_of_rows_has_numbers_alone():
    square = {"a": [1, 0.5, 0], "b": [0.5, 1, 0], "c": [0, 0, 1]}
    assert of_tables._matrix(table(square), HERE).columns == ["a", "b", "c"]
    beside = {"w": ["u", "u", "v"]}
    assert of_tables._matrix(table(square, beside), HERE) is None
    assert of_tables._matrix(table({"a": [1, 2, 3], "b": [3, 1, 2]}), HERE) is None
    assert of_tables._matrix(table({}, {"a": ["u"]}), HERE) is None


def test_what_is_no_matrix_of_counted_variables_is_none():
    held = table({"1": [1], "mean": [3]})
    assert of_tables._counted(held, ["a"], ["1"], HERE) is None
    whole = table({"1": [1, 0.5], "2": [0.5, 1], "mean": [3, 4]})
    found = of_tables._counted(whole, ["a", "b"], ["1", "2"], HERE)
    assert found.notes[-1] == "t.csv: 'mean' stand beside the matrix and were left out."


def test_cells_that_hold_nothing_are_empty_words():
    held = table({"n": [1.5, NAN]}, {"w": [" a ", None]})
    assert [of_tables._cells(held, name) for name in "wn"] == [["a", ""], ["1.5", ""]]


@pytest.mark.parametrize("options", [{"columns": ["a", "b"]}, {"drop": ["rowtype_", "varname_"]}])
def test_columns_that_are_not_asked_for_spoil_no_table(tmp_path, options):
    path = tmp_path / "t.csv"
    rows = "".join(f"{i},{i * i % 7},u,v\n" for i in range(9))
    path.write_text("a,b,rowtype_,varname_\n" + rows)
    assert load(str(path), **options).columns == ("a", "b")


@pytest.mark.parametrize(
    ("rows", "is_square"),
    [
        ([["1"], [".2", "1"], [".3", ".4", "1"]], True),
        ([["1", ".2", ".3"], ["1", ".4"], ["1"]], True),
        ([["1"], [".2", "1"]], False),
        ([["a", "b"], ["1", "2"], ["3", "4"]], False),
    ],
)
def test_a_triangle_of_three_rows_is_a_square(rows, is_square):
    assert bool(as_square([rows])) == is_square


def test_columns_without_a_name_are_called_by_their_place(tmp_path):
    found = read(tmp_path, "a,,c\n1,2,3\n4,5,6\n")
    assert found.table.column_names == ["a", "column 2", "c"]
    assert read(tmp_path, ",b\nu,2\nv,5\n").table.column_names == ["", "b"]
    nameless = ["", "Unnamed: 3", "__index_level_0__", "column 2"]
    names = [*nameless, "a", "column", "Unnamed"]
    assert [name for name in names if of_tables._is_nameless(name)] == nameless


def test_commas_in_words_are_no_decimal_commas(tmp_path):
    found = read(tmp_path, 'a,b\n"u, v",2.5\n"w, x",3.5\n')
    assert found.table.column("b").type == pa.float64()
    found = read(tmp_path, 'a;b\n"1,5";2.5\n"2,5";3.5\n')
    assert found.table.column("b").type == pa.string()


@pytest.mark.parametrize(
    ("values", "names_rows"),
    [
        ([3, 1, 2], True),
        ([3, 1, 1], False),
        ([1.5, 2.5], False),
        ([*range(30), *range(30)], True),
        ([0, 1] * 30, False),
    ],
)
def test_a_column_without_a_name_names_rows_if_it_tells_them_apart_or_counts(values, names_rows):
    assert of_tables._names_rows(table({"": values}), "") == names_rows


def test_dashes_are_gaps():
    cells = ["", "NA", "-", "–", "—", " − ", "0", "a-"]
    assert [numerals.is_missing(cell) for cell in cells] == [True] * 6 + [False] * 2
