"""Tables as people and programs write them, against the numbers that were written."""

import csv
import itertools
import re

import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latentia.data import load, tables
from latentia.data.matrices import NamedMatrix
from latentia.errors import InputError

X = np.random.default_rng(0).normal(size=(9, 3)).round(3)
INTEGERS = np.random.default_rng(1).integers(1, 6, (9, 3)).astype(float)
NAMES = ["a", "b", "c"]
NO_HEADER = "no header: columns are called x0 to x2"


def written(
    values=X, names="a,b,c", separator=",", point=".", first=None, quote="", end="\n", last=""
):
    """Return a table's text; ``first`` are the names of rows, ``last`` what ends each line."""
    rows = [[f"{quote}{v:.10g}{quote}".replace(".", point) for v in row] for row in values]
    if first is not None:
        rows = [[str(label), *row] for label, row in zip(first, rows)]
    lines = [separator.join(row) + last for row in rows]
    if names:
        lines.insert(0, names.replace(",", separator) + last)
    return end.join(lines) + end


@pytest.mark.parametrize(("words", "are_classes"), [("uv", True), ("uvwxyzabc", False)])
def test_the_one_column_of_words_without_a_header_holds_classes_if_few(
    words, are_classes, tmp_path
):
    path = tmp_path / "t.csv"
    lines = [f"{i}.5,{i * i}.25,{words[i % len(words)]}" for i in range(9)]
    path.write_text("\n".join(lines))
    found = tables.read(path)
    assert (found.y is not None) == are_classes
    assert found.x.shape == (9, 2)


def test_a_quotation_mark_that_nothing_closes_loses_no_rows(tmp_path):
    # Longer than what the reader parses at once.
    path = tmp_path / "open.csv"
    path.write_text("a,b\n" + "1,2\n" * 200 + '"1,2\n' + "1,2\n" * 300_000)
    with pytest.raises(InputError, match="cannot be read"):
        tables.read(path)
    path.write_text("a,b\n" + "1,2\n" * 200 + '1,"2\n' + "1,2\n" * 300_000)
    with pytest.raises(InputError, match=r"column 'b' holds .* in data row 201") as refused:
        tables.read(path)
    assert len(str(refused.value)) < 400
    path.write_text("a,b\n" + '"1","2"\n' * 300_000)
    assert tables.read(path).x.shape == (300_000, 2)


def test_rows_may_be_longer_than_what_is_parsed_at_once(tmp_path):
    path = tmp_path / "long.csv"
    values = np.arange(52.0).reshape(2, 26)
    rows = [",".join(f"{v:.1f}".ljust(100_000, "0") for v in row) for row in values]
    path.write_text("\n".join([",".join(f"x{i}" for i in range(26)), *rows]))
    np.testing.assert_array_equal(tables.read(path).x, values)


@pytest.mark.filterwarnings("error")
def test_infinity_in_the_first_column_is_refused_without_a_warning(tmp_path):
    path = tmp_path / "infinite.csv"
    path.write_text("a,b\n" + "1e999,2\n3,4\n" * 9)
    with pytest.raises(InputError, match="column 'a' holds inf in data row 1"):
        tables.read(path)


READ = {
    "plain": (written(), NAMES, ""),
    "no header": (written(names=""), None, NO_HEADER),
    "whole numbers without a header": (written(INTEGERS, names=""), None, NO_HEADER),
    "semicolons, decimal commas": (
        written(separator=";", point=","),
        NAMES,
        "semicolons.*decimal commas",
    ),
    "decimal commas without a header": (
        written(names="", separator=";", point=","),
        None,
        f"semicolons; .*{NO_HEADER}",
    ),
    "tabs": (written(separator="\t"), NAMES, "tabs"),
    "tabs, decimal commas": (written(separator="\t", point=","), NAMES, "tabs.*decimal commas"),
    "bars": (written(separator="|"), NAMES, "bars"),
    "blanks": (written(separator="   "), NAMES, "blanks"),
    "blanks after commas": (written(names="a, b, c", separator=", "), NAMES, ""),
    "blanks, decimal commas": (
        written(names="", separator=" ", point=","),
        None,
        f"bl.*{NO_HEADER}",
    ),
    "Excel's hint": ("sep=;\n" + written(separator=";", point=","), NAMES, "decimal commas"),
    "quoted": (written(quote='"'), NAMES, ""),
    "quoted decimal commas": (written(quote='"', point=","), NAMES, "decimal commas"),
    "a separator at the end": (written(last=","), NAMES, "1 empty column"),
    "a separator at the end of rows": ("a,b,c\n" + written(names="", last=","), NAMES, "1 empty"),
    "Windows": (written(end="\r\n"), NAMES, ""),
    "old Macintosh": (written(end="\r"), NAMES, ""),
    "blank lines": ("\n\n" + written() + "\n  \n\n", NAMES, ""),
    "empty rows at the end": (written() + ",,\n,,\n", NAMES, "2 empty row"),
    "remarks": ("# by hand\n" + written() + "# end\n", NAMES, r"2 line\(s\) that begin with #"),
    "NumPy's header": ("# a b c\n" + written(names="", separator=" "), NAMES, "line that begins"),
    "pandas' index": (
        written(names=",a,b,c", first=range(9)),
        NAMES,
        "unnamed column was left out",
    ),
    "an index with gaps": (written(names=",a,b,c", first=range(5, 50, 5)), NAMES, "was left out"),
    "an index of two tables": (
        written(names=",a,b,c", first=[*range(7), 0, 1]),
        NAMES,
        "was left out",
    ),
    "an index read again": (written(names="Unnamed: 0,a,b,c", first=range(9)), NAMES, "'Unnamed"),
    "R's names of rows": (written(names=',"a","b","c"', first="ABCDEFGHI"), NAMES, "was left out"),
    "R's short header": (written(first=range(1, 10)), NAMES, "was left out"),
    "pandas' numbered columns": (
        written(names=",0,1,2", first=range(9)),
        ["0", "1", "2"],
        "numbers in its first line were taken for the names.*left out",
    ),
    "years": (written(names="2019,2020,2021"), ["2019", "2020", "2021"], "first line were taken"),
    "a byte-order mark": (written().encode("utf-8-sig"), NAMES, ""),
    "UTF-16": (written().encode("utf-16"), NAMES, "read as UTF-16"),
    "UTF-16 without a mark": (written().encode("utf-16-be"), NAMES, "read as UTF-16"),
    "CP949": (written(names="가,나,똠").encode("cp949"), ["가", "나", "똠"], r"CP949 \(Korean\)"),
    "EUC-KR": (written(names="가,나,다").encode("euc-kr"), ["가", "나", "다"], "CP949"),
    "Windows-1252": (written(names="Ä,ö,ß").encode("cp1252"), ["Ä", "ö", "ß"], "Windows-1252"),
}


@pytest.mark.parametrize("name", READ)
def test_the_numbers_are_those_that_were_written(name, tmp_path):
    text, names, said = READ[name]
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found, notes, *_ = tables.columns(path)
    values = INTEGERS if name.startswith("whole") else X
    assert found.column_names == (names or ["x0", "x1", "x2"])
    np.testing.assert_array_equal(np.column_stack(found.columns), values)
    assert bool(notes) == bool(said)
    assert re.search(said, " ".join(notes))
    np.testing.assert_array_equal(tables.read(path).x, values)
    assert tables.read(path).notes == notes


CELLS = {
    "thousands decided by points": ('a,b\n"1,234",0.5\n"12,345.5",1\n', [1234, 12345.5], "commas"),
    "thousands decided by commas": ("a;b\n1.234,5;0,5\n12.345;1\n", [1234.5, 12345], "decimal"),
    "thousands in another column": ("b;a\n0,5;1.234\n0,5;2.345\n", [1234, 2345], "decimal"),
    "blanks between thousands": ("a;b\n1 234;5\n12 345,5;6\n", [1234, 12345.5], "blanks or apo"),
    "apostrophes": ("a;b\n1'234.5;5\n12'345;6\n", [1234.5, 12345], "blanks or apostrophes"),
    "percent": ("a,b\n12%,1\n5.5%,2\n", [0.12, 0.055], "'a' is in percent"),
    "minus signs of papers": ("a,b\n−0.5,1\n–.2,3\n", [-0.5, -0.2], ""),
    "plus and exponents": ("a,b\n+0.5,1\n1E-3,3\n", [0.5, 0.001], ""),
    "true and false": ("a,b\nTRUE,1\nfalse,2\n", [1, 0], "hold true and false"),
    "a dot and a dash": (
        "a,b\n.,1\n-,2\n7,3\n",
        [np.nan, np.nan, 7],
        "2 cell.* '-', '.' were taken",
    ),
    "a blank": ("a,b\n1,1\n ,2\n", [1, np.nan], "1 cell.* ' ' were taken for missing"),
    "NA and its kin": ("a,b\nNA,1\nnan,2\n7,3\n", [np.nan, np.nan, 7], ""),
    "three digits and a separator at the end": ("a,b\n123,456,\n1,789,\n", [123, 1], "empty"),
    "three digits and quoted names": ('"a","b"\n"1",234,1\n"2",345,2\n', [234, 345], "left out"),
    "thousands beside decimal points": (
        "a;b\n" + "1;2.5\n" * 150 + "1,234;3.5\n",
        [1] * 150 + [1234],
        "commas between thousands were left out",
    ),
    "a spreadsheet's error": ("a,b\n1,1\n#N/A,2\n", [1, np.nan], "'#N/A' were taken"),
    "commas far below": ("a;b\n" + "1;2\n" * 150 + "1,5;3\n", [1] * 150 + [1.5], "decimal commas"),
}


@pytest.mark.parametrize("name", CELLS)
def test_cells_are_read_and_what_was_assumed_is_said(name, tmp_path):
    text, column, said = CELLS[name]
    (tmp_path / "t.csv").write_text(text)
    found, notes, *_ = tables.columns(tmp_path / "t.csv")
    np.testing.assert_array_equal(found["a"], column)
    assert re.search(said, " ".join(notes))
    assert said or not notes
    assert all(note.startswith("t.csv: ") for note in notes)


REFUSED = {
    "thousands or decimals": ('a,b\n"1,234",5\n', "'1,234' in column 'a' can be 1234 .* or 1.234"),
    "two decimal signs": ("a;b\n1,5;1.5\n", "'a' has decimal commas and 'b' decimal points"),
    "percent in some cells": ("a,b\n12%,1\n5,2\n", "'a' has a percent sign in some"),
    "one name, two cells": ("a\n1,5\n2,5\n", "one column with decimal commas, or two with"),
    "thousands or names of rows": ("a,b\n1,234,0.5\n12,345,1\n", "rows in front, or commas betw"),
    "commas for both": ("a,b\n1,5,2,5\n3,5,4,5\n", "decimal signs and separators at once"),
    "units below the names": ("a,b\nkg,cm\n1,2\n", "'kg' in data row 1"),
    "a word far below": ("a,b\n" + "1,2\n" * 150 + "1,x\n", "'x' in data row 151"),
    "a staircase of words and numbers": (
        "a,1\n7,.3,1\nc,.2,.4,1\n",
        "row 1 has 3 cells, and there are 2",
    ),
    "ragged": ("a,b\n1,2\n3,4,5\n", "row 2 has 3 cells, and there are 2"),
    "zero bytes": ("a,b\n1,\x002\n", "zero bytes"),
    "a header alone": ("a,b\n", "holds 0 rows of 2 columns"),
    "one name alone": ("a\n", "holds 0 rows"),
    "remarks alone": ("# a\n# b\n", "Empty"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_one_sentence(name, tmp_path):
    text, words = REFUSED[name]
    (tmp_path / "t.csv").write_text(text)
    for read in (tables.read, tables.columns):
        with pytest.raises(InputError, match=words) as raised:
            read(tmp_path / "t.csv")
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["t.tsv", "T.CSV", "t.tab", "t.txt", "t.dat"])
def test_other_endings_are_tables_too(name, tmp_path):
    (tmp_path / name).write_text(written(separator="\t"))
    data = load(str(tmp_path / name))
    assert len(data.x_train) + len(data.x_test) == 9
    (tmp_path / "prose.txt").write_text("Call me Ishmael, 1.\nSome years ago, never mind\n")
    with pytest.raises(InputError, match="is a text"):
        load(str(tmp_path / "prose.txt"))


def test_a_nameless_first_column_of_measures_stays_and_is_told(tmp_path):
    (tmp_path / "t.csv").write_text(written(np.column_stack([X[:, 0], X]), names=",a,b,c"))
    found, notes, *_ = tables.columns(tmp_path / "t.csv")
    assert found.column_names == ["", *NAMES]
    assert "first column has no name, and is kept as a variable" in " ".join(notes)


def test_an_index_of_pandas_in_parquet_is_left_out(tmp_path):
    columns = dict(zip(NAMES, X.T)) | {"__index_level_0__": np.arange(9)}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    part = tables.read(tmp_path / "t.parquet")
    np.testing.assert_array_equal(part.x, X)
    assert "numbers or names the rows" in part.notes[0]


@pytest.mark.parametrize("names", ["id,a,b,c", ""])
def test_a_named_column_that_counts_the_rows_is_kept_and_that_is_said(names, tmp_path):
    (tmp_path / "t.csv").write_text(written(names=names, first=range(1, 10)))
    found, notes, *_ = tables.columns(tmp_path / "t.csv")
    assert found.column_names[0] == (names[:2] or "x0")
    words = "counts the rows, and is kept as a variable; drop it if it is none."
    assert notes[-1] == f"t.csv: {names[:2] or 'x0'!r} {words}"
    (tmp_path / "t.csv").write_text(written(names=names, first=range(1001, 1010)))
    assert tables.columns(tmp_path / "t.csv")[1][-1] == notes[-1]
    (tmp_path / "t.csv").write_text(written(names=names, first=range(2, 20, 2)))
    assert "counts" not in " ".join(tables.columns(tmp_path / "t.csv")[1])


R = np.eye(4)
R[np.tril_indices(4, -1)] = 0.426, 0.467, 0.443, -0.072, -0.054, -0.098
R = R + R.T - np.eye(4)
DEVIATIONS = np.array([2, 0.5, 3, 1.5])
S = R * np.outer(DEVIATIONS, DEVIATIONS)
Q = ["q1", "q2", "q3", "q4"]


WHOLE, LOWER, BELOW = (np.tri(4, k=k, dtype=bool) for k in (3, 0, -1))


def matrix_text(values=R, first=Q, names=Q, kept=WHOLE, ragged=False, **options):
    """Return a matrix' text, cells that are not kept empty, or absent at the end of a row."""
    separator, point = options.get("separator", ","), options.get("point", ".")
    lines = []
    for i, row in enumerate(values):
        cells = [f"{v:.10g}".replace(".", point) if kept[i, j] else "" for j, v in enumerate(row)]
        cells = cells[: i + 1] if ragged else cells
        lines.append(separator.join([first[i], *cells] if first else cells))
    head = [separator.join(["", *names] if first else names)] if names else []
    return "\n".join([*head, *lines]) + "\n"


SPSS = (
    "ROWTYPE_\tVARNAME_\tq1\tq2\tq3\tq4\nMEAN\t\t1\t2\t3\t4\nSTDDEV\t\t2\t.5\t3\t1.5\n"
    "N\t\t200\t190\t200\t180\n"
    + "".join(
        f"CORR    \t{line}\n" for line in matrix_text(kept=LOWER, separator="\t").split("\n")[1:5]
    )
)
MATRICES = {
    "names": (matrix_text(), R, ""),
    "another order of rows": (
        matrix_text(R[[2, 0, 3, 1]], first=[Q[i] for i in (2, 0, 3, 1)]),
        R,
        "rows were put in the order of its columns",
    ),
    "rounded ones": (
        matrix_text(R - 1e-9 * np.eye(4), first=None),
        R - 1e-9 * np.eye(4),
        "square correlation matrix without names",
    ),
    "no names of rows": (matrix_text(first=None), R, "square correlation matrix without names"),
    "no names": (matrix_text(first=None, names=None), R, "square correlation matrix"),
    "an index": (matrix_text(first="0123"), R, "square correlation matrix"),
    "lower": (matrix_text(kept=LOWER), R, "by symmetry"),
    "lower without names of rows": (matrix_text(first=None, kept=LOWER), R, "square.*symmetry"),
    "upper": (matrix_text(kept=LOWER.T), R, "by symmetry"),
    "no diagonal": (matrix_text(kept=BELOW), R, "symmetry; its diagonal.*ones"),
    "no diagonal and no names": (matrix_text(first=None, kept=BELOW), R, "its diagonal"),
    "ragged": (matrix_text(ragged=True), R, "by symmetry"),
    "ragged, blanks": (
        matrix_text(first=None, names=None, ragged=True, separator=" "),
        R,
        "square",
    ),
    "ragged, names of rows": (matrix_text(names=None, ragged=True, separator="  "), R, "symmetry"),
    "neither first row nor last column": (
        ",q1,q2,q3\nq2,.426,,\nq3,.467,.443,\nq4,-.072,-.054,-.098\n",
        R,
        "its diagonal",
    ),
    "a paper's": (
        ",1,2,3,4\n1,—,,,\n2,.426,—,,\n3,.467,.443,—,\n4,−.072,−.054,−.098,—\n",
        R,
        "its diagonal",
    ),
    "decimal commas": (matrix_text(separator=";", point=","), R, "decimal commas"),
    "a covariance": (matrix_text(S), S, ""),
    "a covariance without names": (matrix_text(S, first=None), S, "square covariance matrix"),
    "pandas' numbers": (matrix_text(first="0123", names=list("0123")), R, "first line"),
    "SPSS": (SPSS, S, "SPSS, CORR, with its standard deviations, n = 180, the least of up to 200"),
    "SPSS, covariances": (
        SPSS.replace("STDDEV", "PROX").replace("CORR", "COV"),
        R,
        "SPSS, COV, n = 180",
    ),
}


@pytest.mark.parametrize("name", MATRICES)
def test_a_matrix_is_recognised(name, tmp_path):
    text, values, said = MATRICES[name]
    path = tmp_path / "m.csv"
    path.write_text(text)
    found, notes, *_ = tables.columns(path)
    assert isinstance(found, NamedMatrix)
    np.testing.assert_allclose(found, values, rtol=1e-12)
    assert len(found.columns) == 4
    assert re.search(said, " ".join(notes))
    assert found.n_samples == (180 if "SPSS" in name else None)
    with pytest.raises(InputError, match="matrix and not rows"):
        tables.read(path)


ROWS = {
    "unit vectors": np.eye(4),
    "answers": [[1, 2, 3, 4], [2, 1, 4, 3], [3, 4, 1, 2], [4, 3, 2, 1]],
    "distances": [[0, 1, 2, 3], [1, 0, 3, 4], [2, 3, 0, 1], [3, 4, 1, 0]],
    "ones and zeros": [[1, 0, 1, 0], [1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 0, 1]],
}


@pytest.mark.parametrize("name", ROWS)
def test_square_tables_of_rows_stay_rows(name, tmp_path):
    (tmp_path / "t.csv").write_text(matrix_text(ROWS[name], first=None))
    np.testing.assert_array_equal(tables.read(tmp_path / "t.csv").x, ROWS[name])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rowtype_,varname_,q1,q2\nmean,q1,4,1\n", "no rows of rowtype_ CORR or COV, but mean"),
        ("rowtype_,varname_,q1,q2\ncorr,q1,1,.5\n", "CORR are of q1; they must be whole"),
    ],
)
def test_half_a_matrix_of_spss_is_one_sentence(text, words, tmp_path):
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(InputError, match=words):
        tables.columns(tmp_path / "m.csv")


LABELS = {
    "words": ("cat,dog,cat,ant", ("ant", "cat", "dog"), [1, 2, 1, 0]),
    "numbers": ("10,9,9,10", ("9", "10"), [1, 0, 0, 1]),
    "whole floats": ("1.0,3.0,3.0,1.0", ("1", "3"), [0, 1, 1, 0]),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_keep_their_names(name, tmp_path):
    cells, names, numbers = LABELS[name]
    lines = [f"{i}.5,{i},{cell}" for i, cell in enumerate(cells.split(","))]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,Class", *lines]))
    part = tables.read(tmp_path / "t.csv")
    assert (part.class_names, part.y.tolist()) == (names, numbers)
    assert f"'Class' holds labels of {len(names)} classes: {', '.join(names)}" in part.notes[0]


def test_the_words_of_a_file_without_a_header_are_its_labels(tmp_path):
    lines = [f"{i}.5,{i},{'uv'[i % 2]}" for i in range(6)]
    (tmp_path / "iris.data").write_text("\n".join(lines))
    data = load(str(tmp_path / "iris.data"))
    assert data.class_names == ("u", "v")
    assert len(data.x_train) + len(data.x_test) == 6


@pytest.mark.parametrize("gap", ["", "NaN", " ", "NA"])
def test_a_missing_label_is_no_class(gap, tmp_path):
    (tmp_path / "t.csv").write_text(f"a,b,y\n1,2,u\n3,4,{gap}\n5,6,v\n")
    with pytest.raises(InputError, match="'y' has 1 missing labels, the first in data row 2"):
        tables.read(tmp_path / "t.csv")


def test_measures_are_no_classes(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,y\n1,2,1.5\n3,4,2.25\n5,6,1.0\n")
    part = tables.read(tmp_path / "t.csv")
    assert part.y is None
    assert "'y' holds measures and no classes" in part.notes[0]


def test_wide_tables_are_read_and_their_width_is_limited(tmp_path, monkeypatch):
    names, row = [f"c{i}" for i in range(3000)], ["0.25"] * 3000
    (tmp_path / "t.csv").write_text("\n".join(",".join(line) for line in (names, row, row)))
    assert tables.read(tmp_path / "t.csv").x.tolist() == [[0.25] * 3000] * 2
    monkeypatch.setenv("LATENTIA_MAX_BYTES", "10M")
    with pytest.raises(InputError, match=r"3,000 columns would take .* LATENTIA_MAX_BYTES"):
        tables.read(tmp_path / "t.csv")


def test_parquet_is_held_against_the_limit_before_it_is_read(tmp_path, monkeypatch):
    pq.write_table(pa.table({"a": np.zeros(10_000)}), tmp_path / "t.parquet")
    monkeypatch.setenv("LATENTIA_MAX_BYTES", "10K")
    with pytest.raises(InputError, match=r"t\.parquet would take 80,000 bytes"):
        tables.read(tmp_path / "t.parquet")


FORMS = [
    dict(zip(("sep", "decimal", "index", "header", "quoting", "na_rep", "encoding"), form))
    for form in itertools.product(
        ",;\t|",
        ".,",
        (True, False),
        (True, False),
        (csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC),
        ("", "NA", "."),
        ("utf-8", "cp949"),
    )
]


def hold_forms(forms, path):
    """Hold what is read to what pandas wrote; without a header its index is a column."""
    values = X.copy()
    values[2, 1] = values[7, 0] = np.nan
    frame = pandas.DataFrame(values, columns=["가", "b", "c"])
    for form in forms:
        path.write_bytes(frame.to_csv(**form).encode(form["encoding"]))
        found, *_ = tables.columns(path)
        stacked = np.column_stack(found.columns)
        if form["index"] and not form["header"]:
            np.testing.assert_array_equal(stacked[:, 0], np.arange(9), err_msg=str(form))
            stacked = stacked[:, 1:]
        np.testing.assert_array_equal(stacked, values, err_msg=str(form))
        assert not form["header"] or found.column_names == ["가", "b", "c"]


def test_what_pandas_writes_is_read(tmp_path):
    # Eleven divides no number of choices, so that all of them come together with others.
    assert len(FORMS) == 576
    hold_forms(FORMS[::11], tmp_path / "t.csv")


@pytest.mark.slow
def test_what_pandas_writes_in_any_form_is_read(tmp_path):
    hold_forms(FORMS, tmp_path / "t.csv")
