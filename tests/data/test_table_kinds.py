"""Tables of every kind of file: the same numbers from each, and what was left out is told."""

import bz2
import datetime
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas
import pyarrow as pa
import pyreadstat
import pytest
import scipy.io

from latentia.cli.main import main
from latentia.data import headers, load, tables, unread
from latentia.data.matrices import NamedMatrix
from latentia.data.options import TableOptions
from latentia.data.value_labels import no_answers
from latentia.errors import InputError

X = np.random.default_rng(0).normal(size=(9, 3)).round(3)
NAMES = ["a", "b", "c"]
FRAME = pandas.DataFrame(X, columns=NAMES)
TEXT = FRAME.to_csv(index=False)
R = np.array([[1, 0.45, 0.3], [0.45, 1, 0.25], [0.3, 0.25, 1]])


def sheet(path, *rows, title="first", more=()):
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(list(row))
    for name, cells in more:
        for row in cells:
            (book[name] if name in book.sheetnames else book.create_sheet(name)).append(list(row))
    book.save(path)


def ods(path):
    """Write the least file that is an OpenDocument spreadsheet."""

    def cell(value):
        kind = "string" if isinstance(value, str) else "float"
        number = "" if kind == "string" else f' office:value="{value}"'
        start = f'<table:table-cell office:value-type="{kind}"{number}>'
        return f"{start}<text:p>{value}</text:p></table:table-cell>"

    rows = [f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in [NAMES, *X]]
    spaces = " ".join(
        f'xmlns:{key}="urn:oasis:names:tc:opendocument:xmlns:{key}:1.0"'
        for key in ("office", "table", "text")
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="S">{"".join(rows)}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
        archive.writestr("META-INF/manifest.xml", "<manifest/>")


def zipped(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../a.csv", TEXT)
        archive.writestr("readme.txt", "about it")


def stream(path):
    table = pa.Table.from_pandas(FRAME, preserve_index=False)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


WRITERS = {
    "t.tsv": lambda path: path.write_text(FRAME.to_csv(index=False, sep="\t")),
    "t.csv.gz": lambda path: path.write_bytes(gzip.compress(TEXT.encode())),
    "t.csv.bz2": lambda path: path.write_bytes(bz2.compress(TEXT.encode())),
    "t.csv.xz": lambda path: path.write_bytes(lzma.compress(TEXT.encode())),
    "t.zip": zipped,
    "t.xlsx": lambda path: sheet(path, NAMES, *X.tolist()),
    "t.XLSX": lambda path: sheet(path, NAMES, *X.tolist()),
    "t.ods": ods,
    "t.sav": lambda path: pyreadstat.write_sav(FRAME, path),
    "t.zsav": lambda path: pyreadstat.write_sav(FRAME, path, compress=True),
    "t.dta": lambda path: pyreadstat.write_dta(FRAME, path),
    "t.xpt": lambda path: pyreadstat.write_xport(FRAME, path),
    "t.mat": lambda path: scipy.io.savemat(path, dict(zip(NAMES, X.T))),
    "t.parquet": lambda path: FRAME.to_parquet(path),
    "t.feather": lambda path: FRAME.to_feather(path),
    "t.arrow": stream,
    "t.jsonl": lambda path: FRAME.to_json(path, orient="records", lines=True),
    "records.json": lambda path: FRAME.to_json(path, orient="records"),
    "split.json": lambda path: FRAME.to_json(path, orient="split"),
    "columns.json": lambda path: FRAME.to_json(path),
    "lists.json": lambda path: path.write_text(json.dumps(FRAME.to_dict(orient="list"))),
    "rows.json": lambda path: path.write_text(json.dumps([NAMES, *X.tolist()])),
    "inside.json": lambda path: path.write_text(json.dumps({"data": FRAME.to_dict("records")})),
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_numbers_come_out_of_every_kind_of_file(name, tmp_path):
    WRITERS[name](tmp_path / name)
    found = tables.read(tmp_path / name)
    assert found.columns == tuple(NAMES)
    np.testing.assert_allclose(found.x, X, rtol=1e-14)
    whole = load(str(tmp_path / name))
    assert len(whole.x_train) + len(whole.x_test) == len(X)


def test_rows_of_json_without_names_are_numbered(tmp_path):
    (tmp_path / "t.json").write_text(json.dumps(X.tolist()))
    found = tables.read(tmp_path / "t.json")
    assert found.columns == ("x0", "x1", "x2")
    np.testing.assert_array_equal(found.x, X)


def test_a_spreadsheet_has_titles_groups_dates_totals_and_formulas(tmp_path):
    path = tmp_path / "t.xlsx"
    rows = [
        [f"r{i}", datetime.date(2024, 1, i + 1), v, f"{1000 * i + 1234:,}.50", bool(i % 2), None]
        for i, v in enumerate(X[:, 0])
    ]
    for row in rows:
        row.append(f"=C{1}*2")
    sheet(
        path,
        ["A survey"],
        [],
        ["name", "day", "score", "money", "ok", "", "twice"],
        *rows,
        ["Total", None, 99.0],
        title="S",
        more=[("T", [["x"], [1.0], [2.0]]), ("N", [["a note"]])],
    )
    found = tables.read(path)
    assert found.columns == ("score", "money", "ok")
    np.testing.assert_allclose(found.x[:, 0], X[:, 0])
    assert found.x[1].tolist()[1:] == [2234.5, 1.0]
    assert found.names.tolist() == [f"r{i}" for i in range(9)]
    said = " ".join(found.notes)
    for sentence in (
        "its sheet 'S' was read, and not 'T', 'N', which --sheet would",
        "1 line(s) above the table were left out, the first 'A survey'",
        "9 cell(s) hold formulas without values",
        "its last row, 'Total', was left out",
        "1 empty column(s) were left out: twice",
        "1 empty column(s) without a name were left out",
        "the words in 'name' were taken for the names of the rows",
        "1 column(s) without numbers were left out: 'day' (dates)",
    ):
        assert sentence in said, sentence
    kept = tables.read(path, True, TableOptions(keep_totals=True, columns=("score",)))
    assert kept.x[-1, 0] == 99
    for wanted in ("T", "2"):
        other = tables.read(path, options=TableOptions(sheet=wanted))
        assert (other.columns, other.x.ravel().tolist()) == (("x",), [1, 2])
    with pytest.raises(InputError, match=r"has no sheet 'U'; it has S, T, N"):
        tables.read(path, options=TableOptions(sheet="U"))
    with pytest.raises(
        InputError, match=r"--delimiter has no effect here: t\.xlsx is a spreadsheet"
    ):
        tables.read(path, options=TableOptions(delimiter=";"))


def test_a_sheet_that_is_seen_is_read_before_one_that_is_hidden_or_empty(tmp_path):
    path = tmp_path / "t.xlsx"
    sheet(path, title="E", more=[("H", [["z"], [1], [2]]), ("S", [["a"], [5], [6]])])
    book = openpyxl.load_workbook(path)
    book["H"].sheet_state = "hidden"
    book.active = 2
    book.save(path)
    found = tables.read(path)
    assert found.columns == ("a",)
    assert "its sheet 'S' was read, and not 'H' (hidden), which" in found.notes[0]
    assert tables.read(path, options=TableOptions(sheet="H")).columns == ("z",)
    header = tables.read(
        path, options=TableOptions(sheet="H", header="no", missing_codes=("z",)), gaps_stay=True
    )
    assert (header.columns, len(header.x)) == (("x0",), 3)
    sheet(path, title="E")
    with pytest.raises(InputError, match=r"its sheet 'E' has no cells$"):
        tables.read(path)


def test_merged_cells_hold_what_stands_in_the_first(tmp_path):
    path = tmp_path / "t.xlsx"
    sheet(
        path,
        [],
        [None, "g", "v"],
        *[[None, "ab"[i // 3] if i % 3 == 0 else None, i] for i in range(6)],
    )
    book = openpyxl.load_workbook(path)
    for first in (3, 6):
        book.active.merge_cells(start_row=first, end_row=first + 2, start_column=2, end_column=2)
    book.save(path)
    found = tables.read(path, options=TableOptions(label="g"))
    assert [found.class_names[v] for v in found.y] == ["a"] * 3 + ["b"] * 3
    assert found.x.ravel().tolist() == [*range(6)]
    assert "4 cell(s) merged with those above them hold the same" in found.notes[0]


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".feather"])
def test_an_empty_cell_of_words_is_missing_in_every_kind_of_file(suffix, tmp_path):
    frame = pandas.DataFrame({"a": [1.5, 2, 3, 4], "g": ["x", None, "y", "x"]})
    path = tmp_path / f"t{suffix}"
    write = {".parquet": frame.to_parquet, ".feather": frame.to_feather}
    write.get(suffix, lambda p: frame.to_json(p, orient="records", lines=True))(path)
    with pytest.raises(
        InputError, match="column 'g' has 1 missing labels, the first in data row 2"
    ):
        tables.read(path, options=TableOptions(label="g"))
    found = tables.read(path, True, TableOptions(one_hot=("g",)))
    assert found.columns == ("a", "g=x", "g=y")
    assert np.isnan(found.x[1, 1:]).all()
    with pytest.raises(
        InputError, match=r"--header has no effect here: t.* leaves no choice of it"
    ):
        tables.read(path, options=TableOptions(header="no"))


def test_columns_of_json_may_list_their_rows_in_another_order(tmp_path):
    (tmp_path / "t.json").write_text('{"a": {"r": 1, "s": 2}, "b": {"s": 4, "r": 3}}')
    assert tables.read(tmp_path / "t.json").x.tolist() == [[1, 3], [2, 4]]


def test_times_of_a_sheet_name_rows_as_they_are_written(tmp_path):
    days = [datetime.datetime(2024, 1, day, 10, 30) for day in (1, 2)]
    sheet(tmp_path / "t.xlsx", ["when", "v"], *([day, i + 0.5] for i, day in enumerate(days)))
    found = tables.read(tmp_path / "t.xlsx")
    assert found.names.tolist() == ["2024-01-01 10:30:00", "2024-01-02 10:30:00"]


def test_text_under_the_name_of_a_spreadsheet_is_read_and_told(tmp_path):
    for name in ("t.xls", "t.xlsx"):
        (tmp_path / name).write_text(TEXT.replace(",", "\t"))
        found = tables.read(tmp_path / name)
        np.testing.assert_array_equal(found.x, X)
        assert found.notes[0].startswith(f"{name}: it is text under the name of a spreadsheet")
    (tmp_path / "t.xls").write_text("<html><table><tr><td>1</td></tr></table></html>")
    with pytest.raises(InputError, match=r"t\.xls is a page of HTML or XML under the name of a"):
        tables.read(tmp_path / "t.xls")


SHAPES_OF_JSON = {
    '{"data": [[1, 2], [3, 4]], "columns": ["a", "b"]}': [("a", "b"), [[1, 2], [3, 4]]],
    '{"a": [1, null, 3], "b": [4, 5, 6]}': [("a", "b"), [[1, 4], [None, 5], [3, 6]]],
    '{"a": [1, 2, 3]}': [("a",), [[1], [2], [3]]],
    '{"a": {"r": 1, "s": 2}}': [("a",), [[1], [2]]],
    '[{"a": 1, "b": 2}, {"b": 3, "a": 4}]': [("a", "b"), [[1, 2], [4, 3]]],
    '{"a": [[1, 2], [3, 4]], "b": [5, 6]}': [("b",), [[5], [6]]],
}


@pytest.mark.parametrize(("text", "expected"), SHAPES_OF_JSON.items())
def test_shapes_of_json(tmp_path, text, expected):
    (tmp_path / "t.json").write_text(text)
    found = tables.read(tmp_path / "t.json", gaps_stay=True)
    assert found.columns == expected[0]
    assert np.array_equal(found.x, np.array(expected[1], float), equal_nan=True)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        "3",
        '{"a": 1, "b": 2}',
        '{"a": [1, 2], "b": "xy"}',
        '{"a": [1, 2], "b": [1]}',
        '{"columns": "ab", "data": [[1, 2]]}',
        '{"columns": ["a"], "data": [[1, 2]]}',
        "[[1, 2], [3]]",
    ],
)
def test_json_of_another_shape_is_no_table(tmp_path, text):
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(InputError, match="holds no table; give"):
        tables.read(tmp_path / "t.json")


def test_a_line_that_is_no_json_is_told_by_its_number(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"a": 1}\n\n{a: 2}\n')
    with pytest.raises(InputError, match=r"line 3 is no JSON, '\{a: 2\}': Expecting property"):
        tables.read(tmp_path / "t.jsonl")


def test_equal_numbers_are_no_names_of_columns(tmp_path):
    (tmp_path / "t.csv").write_text("5,5,5\n" + "0.1,0.2,0.3\n" * 4)
    assert tables.read(tmp_path / "t.csv").columns == ("x0", "x1", "x2")


def test_limits_count_columns_and_what_is_read(tmp_path, monkeypatch):
    FRAME.to_parquet(tmp_path / "t.parquet")
    pyreadstat.write_sav(pandas.DataFrame({"w": ["word" * 40] * 9}), tmp_path / "t.sav")
    pyreadstat.write_sav(FRAME, tmp_path / "n.sav")
    monkeypatch.setenv("LATENTIA_MAX_BYTES", str(X.nbytes))
    np.testing.assert_array_equal(tables.read(tmp_path / "n.sav").x, X)
    monkeypatch.setenv("LATENTIA_MAX_BYTES", str(X.nbytes - 1))
    with pytest.raises(InputError, match="more than the limit"):
        tables.read(tmp_path / "n.sav")
    for name in ("t.parquet", "t.sav"):
        with pytest.raises(InputError, match="more than the limit"):
            tables.read(tmp_path / name)


def test_the_names_of_many_columns_are_told_apart_in_time_that_grows_with_them():
    names, told = headers.distinct(["a"] * 3 + [f"g{i}" for i in range(20_000)] + ["a_2"])
    assert names[:3] == ["a", "a_3", "a_4"]
    assert len({*names}) == len(names) == 20_004
    assert len(told) == 2


HEADS = {
    "three lines": ("A,,B,\nx,,y,\nq1,q2,q1,q2\n", ["A x q1", "A q2", "B y q1", "B q2"]),
    "groups": ("Mood,,Health,\nq1,q2,q1,q2\n", ["Mood q1", "Mood q2", "Health q1", "Health q2"]),
    "questions": ('a,b,c,d\n"How, say\nyou?",Two,Three,Four\n', ["a", "b", "c", "d"]),
    "a title": ("A survey,,,\n,,,\na,b,c,d\n", ["a", "b", "c", "d"]),
    "titles with few commas": ("A survey\nof 2024\n\na,b,c,d\n", ["a", "b", "c", "d"]),
    "twice": ("a,b,a,a\n", ["a", "b", "a_2", "a_3"]),
}


@pytest.mark.parametrize("name", HEADS)
def test_headers_of_several_lines_titles_and_names_twice_are_read_and_told(name, tmp_path):
    head, names = HEADS[name]
    values = np.random.default_rng(0).integers(1, 6, (8, 4))
    body = "\n".join(",".join(map(str, row)) for row in values)
    (tmp_path / "t.csv").write_text(f"{head}{body}\n")
    found = tables.read(tmp_path / "t.csv")
    assert list(found.columns) == names
    np.testing.assert_array_equal(found.x, values)
    assert found.notes


def test_spss_keeps_what_numbers_stand_for_and_what_is_missing(tmp_path):
    frame = FRAME.assign(g=[1.0, 2, 2, 1, 1, 2, 1, 2, 2], a=[9.0, *X[1:, 0]], w="word", d="2024")
    pyreadstat.write_sav(
        frame,
        tmp_path / "t.sav",
        missing_ranges={"a": [9, {"lo": 90, "hi": 99}]},
        variable_value_labels={"g": {1: "남", 2: "여"}},
    )
    found = tables.read(tmp_path / "t.sav", True, TableOptions(label="g", drop=("d",)))
    assert found.columns == ("a", "b", "c")
    assert np.isnan(found.x[0, 0])
    assert np.isnan(found.x).sum() == 1
    assert found.class_names == ("남", "여")
    assert found.y.tolist() == [0, 1, 1, 0, 0, 1, 0, 1, 1]
    said = " ".join(found.notes)
    assert "declares missing were taken so (a: 90 to 99, 9)" in said
    assert "'g' holds labels of 2 classes: 1, 2, where 1 = 남, 2 = 여" in said
    hot = tables.read(tmp_path / "t.sav", True, TableOptions(one_hot=("g",), columns=("g",)))
    assert hot.columns == ("g=남", "g=여")


@pytest.mark.parametrize("ending", ["sav", "dta"])
def test_numbers_that_stand_for_no_answer_are_told_with_the_flag_that_makes_them_missing(
    ending, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    write = {"sav": pyreadstat.write_sav, "dta": pyreadstat.write_dta}[ending]
    draw = np.random.default_rng(0)
    frame = pandas.DataFrame(draw.integers(1, 6, (40, 4)), columns=list("abcd"))
    frame.iloc[3, 0], frame.iloc[5, 1], frame.iloc[7, 1] = 99, 98, 99
    likert = {1: "never", 5: "always", 97: "Refused"}
    labels = {"a": {99: "무응답"}, "b": {98: "Don’t know", 99: "No answer"}, "c": likert}
    write(frame, f"t.{ending}", variable_value_labels=labels)
    told = (
        f"t.{ending}: 98 ('Don’t know'), 99 ('무응답') in 'a', 'b' are taken for numbers; "
        "--missing-codes 98 99 makes such cells missing, in all columns."
    )
    for words in ("data describe", "train pca --n-components 1 --data", "factor --suggest"):
        assert main([*words.split(), f"t.{ending}"]) == 0
        captured = capsys.readouterr()
        assert told in captured.out + captured.err, words
    assert tables.read(Path(f"t.{ending}")).x.max() == 99
    cured = tables.read(Path(f"t.{ending}"), True, TableOptions(missing_codes=("98", "99")))
    assert np.isnan(cured.x).sum() == 3
    assert not [note for note in cured.notes if "무응답" in note]
    alone = tables.read(Path(f"t.{ending}"), True, TableOptions(columns=("a", "d")))
    assert (
        f"t.{ending}: 99 ('무응답') in 'a' is taken for a number; --missing-codes 99"
        in " ".join(alone.notes)
    )


NO_ANSWERS = (
    "No answer|no response (refused)|Missing|System missing|Refused|REFUSAL|Don't know|DK|NA|N/A"
    "|n.a.|Not applicable|not asked|Prefer not to say|무응답|모름/무응답|해당없음|해당 없음|비해당"
    "|응답 거절|모름|잘 모르겠다|keine Angabe|weiß nicht|No contesta|(missing)|<Refused>"
)


def test_which_labels_say_that_there_is_no_answer():
    for label in NO_ANSWERS.split("|"):
        assert no_answers({"q": np.array([7.0])}, {"q": {7.0: label}}, "t"), label
    for label in ("never", "no", "none", "other", "knows nobody", "nation", "아니오", "없음"):
        assert not no_answers({"q": np.array([7.0])}, {"q": {7.0: label}}, "t"), label
    assert not no_answers({"q": np.array([7.0])}, {"q": {8.0: "DK"}, "p": {7.0: "DK"}}, "t")


def test_a_matlab_file_holds_a_matrix_and_vectors_beside_it(tmp_path):
    path = tmp_path / "t.mat"
    y = np.arange(9) % 3
    scipy.io.savemat(path, {"M": X, "y": y, "other": np.ones((4, 2)), "s": 3.0, "w": "text"})
    found = tables.read(path)
    assert found.columns == ("M1", "M2", "M3")
    np.testing.assert_array_equal(found.x, X)
    assert found.y.tolist() == y.tolist()
    assert "'M' of shape 9×3 was read, with the columns y, and not other" in found.notes[0]
    assert tables.read(path, options=TableOptions(sheet="other")).x.shape == (4, 2)
    with pytest.raises(InputError, match="no numbers named 'w', but M, y, other"):
        tables.read(path, options=TableOptions(sheet="w"))
    scipy.io.savemat(path, {"cells": np.array(["a", "b"], dtype=object)})
    with pytest.raises(InputError, match=r"no matrix of numbers, but cells .*writematrix"):
        tables.read(path)


def test_archives_of_several_tables_ask_for_one_and_pictures_are_none(tmp_path):
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", TEXT)
        archive.writestr("b.csv", "x,y\n1,2\n3,4\n")
    with pytest.raises(InputError, match=r"holds 2 tables: a.csv, b.csv; choose one with --sheet"):
        tables.read(path)
    found = tables.read(path, options=TableOptions(sheet="b.csv", label="none"))
    assert found.columns == ("x", "y")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("c.png", b"pixels")
    assert not tables.is_table(path)


def test_what_unpacks_to_more_than_the_limit_is_refused(tmp_path, monkeypatch):
    text = "a,b\n" + "1,2\n" * 50_000
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text.encode()))
    with zipfile.ZipFile(tmp_path / "t.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", text)
    sheet(tmp_path / "t.xlsx", *[[1.0] * 40] * 200)
    monkeypatch.setenv("LATENTIA_MAX_BYTES", "50K")
    for name in ("t.csv.gz", "t.zip", "t.xlsx"):
        with pytest.raises(InputError, match=r"more than the limit of 51,200 bytes"):
            tables.read(tmp_path / name)


DAMAGED = ("t.xlsx", "t.sav", "t.dta", "m.mat", "t.feather", "t.json", "t.csv.gz", "t.parquet")


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_one_sentence(name, tmp_path):
    others = {"m.mat": lambda path: scipy.io.savemat(path, {"M": X})}
    (others | WRITERS).get(name, WRITERS["records.json"])(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    for content in (whole[: len(whole) // 2], b"no such thing"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError) as refused:
            tables.read(tmp_path / name)
        assert "\n" not in str(refused.value)
        assert name in str(refused.value)


@pytest.mark.parametrize("suffix", unread.LINES)
def test_what_is_not_read_says_how_to_convert_it(suffix, tmp_path):
    path = tmp_path / f"t{suffix}"
    path.write_bytes(b"anything")
    with pytest.raises(InputError) as refused:
        load(str(path))
    sentence = unread.LINES[suffix].format(file=path.name)
    assert str(refused.value) == f"{path} is not read; {sentence}"


LOWER, UPPER = "1\n.45 1\n.3 .25 1\n", "1 .45 .3\n1 .25\n1\n"
MATRICES = {
    "lower": LOWER,
    "lavaan's quotes": f"'{LOWER.strip()}'\n",
    "lower, commas": LOWER.replace(" ", ","),
    "upper": UPPER,
    "upper, named": "a b c\n" + UPPER,
    "upper, names of rows": "x 1 .45 .3\ny 1 .25\nz 1\n",
    "upper, no diagonal": ",a,b,c\na,,.45,.3\nb,,,.25\nc,,,\n",
    "one row": "1 .45 1 .3 .25 1\n",
    "one row, upper": "1,.45,.3,1,.25,1\n",
    "one row, named": "a,b,c\n1,.45,1,.3,.25,1\n",
}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("suffix", [".txt", ".csv"])
def test_a_matrix_in_any_common_form_is_the_same_matrix(name, suffix, tmp_path):
    path = tmp_path / f"t{suffix}"
    path.write_text(MATRICES[name])
    assert tables.is_table(path)
    found = tables.columns(path).columns
    assert isinstance(found, NamedMatrix)
    np.testing.assert_allclose(found.values, R)
    assert len(found.columns) == 3
    if "named" in name:
        assert found.columns == NAMES


def test_some_variables_of_a_matrix_are_its_rows_and_columns(tmp_path):
    (tmp_path / "t.csv").write_text(MATRICES["one row, named"])
    found = tables.columns(tmp_path / "t.csv", TableOptions(drop=("b",)))
    assert found.columns.columns == ["a", "c"]
    np.testing.assert_allclose(found.columns.values, R[np.ix_([0, 2], [0, 2])])
    with pytest.raises(
        InputError, match=r"--weights has no effect here: t\.csv is a matrix and has no rows"
    ):
        tables.columns(tmp_path / "t.csv", TableOptions(weights="a"))


def test_numbers_are_not_taken_for_triangles_and_titles(tmp_path):
    (tmp_path / "t.csv").write_text("1,2,3,4,5,6\n")
    assert tables.read(tmp_path / "t.csv").x.tolist() == [[1, 2, 3, 4, 5, 6]]
    stream_ = io.StringIO("x\n1\n2\n3\n")
    Path(tmp_path / "t.csv").write_text(stream_.getvalue())
    assert tables.read(tmp_path / "t.csv").x.tolist() == [[1], [2], [3]]
