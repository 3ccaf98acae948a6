"""What is asked of a table changes what is read, in the file's own terms, or is refused."""

import dataclasses
import inspect
import unicodedata

import numpy as np
import pandas
import pytest

import latentia
from latentia.data import tables
from latentia.data.dataset import in_file_order
from latentia.data.named import load
from latentia.data.options import USUAL, TableOptions, chosen
from latentia.errors import InputError

N = 30
DRAWS = np.random.default_rng(0)
WORDS = ["never", "sometimes", "often"]
FRAME = pandas.DataFrame(
    {
        "id": [f"p{i}" for i in range(N)],
        "q1": DRAWS.integers(1, 6, N),
        "q2": DRAWS.integers(1, 6, N),
        "q3": DRAWS.integers(1, 6, N),
        "group": [["x", "y", "z"][i % 3] for i in range(N)],
        "scale": [WORDS[i % 3] for i in range(N)],
        "w": DRAWS.uniform(0.5, 2, N).round(3),
        "born": [f"2000-01-{i + 1:02}" for i in range(N)],
    }
)
Q = FRAME[["q1", "q2", "q3"]].to_numpy(float)


@pytest.fixture
def read(tmp_path):
    """Return a function that writes a table and reads it with options."""

    def call(frame=FRAME, gaps_stay=True, **options):
        path = tmp_path / "t.csv"
        text = frame.to_csv(index=False) if isinstance(frame, pandas.DataFrame) else frame
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return tables.read(path, gaps_stay, TableOptions(**options))

    return call


CHOICES = {
    "names": (["q3", "q1"], ["q1", "q3"]),
    "numbers": (["2", "4"], ["q1", "q3"]),
    "a range of names": (["q1:q3"], ["q1", "q2", "q3"]),
    "a range of numbers": (["2:3"], ["q1", "q2"]),
    "a range backwards": (["q3:q2"], ["q2", "q3"]),
    "a pattern": (["q*"], ["q1", "q2", "q3"]),
    "a class of signs": (["q[13]"], ["q1", "q3"]),
    "commas": (["q1,q2"], ["q1", "q2"]),
}


@pytest.mark.parametrize("name", CHOICES)
def test_columns_and_drop_mean_the_same_columns(name, read):
    specs, names = CHOICES[name]
    found = read(columns=specs)
    assert list(found.columns) == names
    np.testing.assert_array_equal(found.x, FRAME[names])
    rest = [n for n in ("q1", "q2", "q3", "w") if n not in names]
    assert list(read(drop=specs).columns) == rest


def test_a_column_called_by_a_number_is_meant_before_a_place():
    assert chosen(["2"], ["a", "b", "2"], "columns", "t") == ["2"]
    with pytest.raises(InputError, match=r"--one-hot: t has no column 'q1x' .*'q1'"):
        chosen(["q1x"], ["q1", "w"], "one_hot", "t")
    with pytest.raises(InputError, match="no column '4' among its 3"):
        chosen(["4"], ["a", "b", "c"], "columns", "t")
    with pytest.raises(InputError, match="no column '0' among its 3"):
        chosen(["0"], ["a", "b", "c"], "columns", "t")


def test_words_and_dates_are_left_out_and_told(read):
    found = read()
    assert found.columns == ("q1", "q2", "q3", "w")
    assert found.names.tolist() == FRAME["id"].tolist()
    [said] = [note for note in found.notes if "without numbers" in note]
    for part in ("3 column(s)", "'group' (words, 3 different)", "'scale'", "'born' (dates)"):
        assert part in said
    assert "the words in 'id' were taken for the names of the rows" in found.notes[0]


def test_a_word_among_numbers_is_no_column_of_words(read):
    text = FRAME[["q1", "q2"]].astype(str)
    text.loc[7, "q2"] = "dunno"
    with pytest.raises(InputError, match=r"column 'q2' holds 'dunno' in data row 8, among numb"):
        read(text)
    assert np.isnan(read(text, missing_codes=["dunno"]).x[7, 1])
    assert read(text, drop=["q2"]).columns == ("q1",)


def test_a_label_is_named_or_there_is_none(read):
    found = read(label="group")
    assert found.class_names == ("x", "y", "z")
    assert found.y.tolist() == [i % 3 for i in range(N)]
    named = FRAME.rename(columns={"q1": "y"})
    assert read(named).columns == ("q2", "q3", "w")
    other = read(named, label="group")
    assert other.columns == ("y", "q2", "q3", "w")
    assert other.class_names == ("x", "y", "z")
    plain = read(named, label="none")
    assert plain.y is None
    assert plain.columns == ("y", "q2", "q3", "w")
    with pytest.raises(InputError, match="'group' is left out by --drop and is the --label"):
        read(label="group", drop=["group"])


def test_weights_are_a_column_and_no_variable(read):
    found = read(weights="w")
    np.testing.assert_array_equal(found.weights, FRAME["w"])
    assert found.columns == ("q1", "q2", "q3")
    with pytest.raises(InputError, match="column 'group' holds words, and weights are numbers"):
        read(weights="group")
    negative = FRAME.assign(w=[1.0, -2.0, *[1.0] * (N - 2)])
    with pytest.raises(InputError, match="column 'w' holds -2 in data row 2; weights are"):
        read(negative, weights="w")
    with pytest.raises(InputError, match="every weight in column 'w' is 0; at least one row"):
        read(FRAME.assign(w=0), weights="w")
    assert not read(FRAME.assign(w=[1, *[0] * (N - 1)]), weights="w").weights[1:].any()


def test_an_index_names_the_rows_or_there_is_none(read):
    found = read(index="born")
    assert found.names.tolist() == FRAME["born"].tolist()
    assert "q1" in found.columns
    numbered = FRAME.to_csv(columns=["q1", "q2"])
    assert read(numbered).names.tolist() == [str(i) for i in range(N)]
    kept = read(numbered, index="none")
    assert kept.columns == ("", "q1", "q2")
    assert kept.names is None
    assert read(index="q1").names.tolist() == [str(v) for v in FRAME["q1"]]


def test_codes_of_missing_cells_are_counted_also_those_in_no_cell(read):
    coded = FRAME.assign(q1=[999, *FRAME["q1"][1:]], q2=[*FRAME["q2"][:-1], -9])
    found = read(coded, missing_codes=[999, "-9", 77])
    assert np.argwhere(np.isnan(found.x)).tolist() == [[0, 0], [N - 1, 1]]
    said = " ".join(found.notes)
    assert "cells were taken for missing: 1 that hold 999, 1 that hold -9" in said
    assert "no cell holds the missing code 77" in said
    with pytest.raises(InputError, match="column 'q1' has 1 missing"):
        read(coded, False, missing_codes=[999])


LIKERT = ["매우 불만", "불만", "보통", "만족", "매우 만족"]


def test_words_of_a_scale_become_their_places(read):
    found = read(levels=["never,sometimes,often"])
    assert found.columns == ("q1", "q2", "q3", "scale", "w")
    assert found.x[:, 3].tolist() == [i % 3 + 1 for i in range(N)]
    assert any("scale: never = 1, sometimes = 2, often = 3" in note for note in found.notes)
    assert read(levels=WORDS).x.tolist() == found.x.tolist()
    assert read(levels=["NEVER ; Sometimes;often", "x,y,z"]).columns[3:5] == ("group", "scale")
    with pytest.raises(InputError, match=r"'scale' holds 'often' in data row 3, which is not amo"):
        read(levels=["never,sometimes"])
    with pytest.raises(InputError, match="no column holds the words of --levels, a, b"):
        read(levels=["a,b"])
    with pytest.raises(InputError, match="levels is 'a,A'; give at least two different words"):
        read(levels=["a,A"])


def test_korean_words_of_a_scale_in_cp949_and_decomposed(read):
    words = [LIKERT[i % 5] for i in range(N)]
    frame = pandas.DataFrame({"만족도": words, "문항": FRAME["q1"]})
    for text in (
        frame.to_csv(index=False).encode("cp949"),
        unicodedata.normalize("NFD", frame.to_csv(index=False)).encode(),
    ):
        found = read(text, levels=[",".join(LIKERT)])
        assert found.x[:, 0].tolist() == [i % 5 + 1 for i in range(N)]


def test_one_hot_columns_stand_where_their_words_stood(read):
    found = read(one_hot=["group"], drop=["w"])
    assert found.columns == ("q1", "q2", "q3", "group=x", "group=y", "group=z")
    np.testing.assert_array_equal(found.x[:, 3:], np.eye(3)[[i % 3 for i in range(N)]])
    assert any("'group' became 3 columns of 0 and 1: group=x" in note for note in found.notes)
    assert found.names.tolist() == FRAME["id"].tolist()
    gone = FRAME.assign(group=[None, *FRAME["group"][1:]])
    assert np.isnan(read(gone, one_hot=["group"], drop=["w"]).x[0, 3:]).all()
    same = FRAME.assign(group="x")
    with pytest.raises(InputError, match="column 'group' has 1 different values; --one-hot takes"):
        read(same, one_hot=["group"])


def test_columns_of_some_words_are_made_whichever_words_a_table_holds(read):
    found = read(one_hot=["group=y", "group=q"], columns=["q1", "group"])
    assert found.columns == ("q1", "group=y", "group=q")
    np.testing.assert_array_equal(found.x[:, 1], [i % 3 == 1 for i in range(N)])
    assert not found.x[:, 2].any()
    assert any("other words in 'group' are 0 in its columns: x, z" in note for note in found.notes)
    with pytest.raises(InputError, match=r"--one-hot: t\.csv has no column 'grp=y'"):
        read(one_hot=["grp=y"])
    many = FRAME.assign(group=[f"w{i}" for i in range(N)])
    with pytest.raises(
        InputError, match="'group' has 51 different values; --one-hot takes 2 to 50"
    ):
        read(
            pandas.concat([many] * 2).assign(group=[f"w{i % 51}" for i in range(2 * N)]),
            one_hot=["group"],
        )


def test_a_square_table_is_rows_where_that_is_said(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(FRAME[["q1", "q2", "q3"]].corr().to_csv())
    with pytest.raises(InputError, match=r"holds a correlation .* if these are rows, --as-rows"):
        tables.read(path)
    found = tables.read(path, options=TableOptions(as_rows=True))
    np.testing.assert_allclose(found.x, FRAME[["q1", "q2", "q3"]].corr())


def test_sentences_name_what_they_are_about(read):
    for options, sentence in {
        "label": "--label q* means 3 columns of t.csv; name one",
    }.items():
        with pytest.raises(InputError) as refused:
            read(**{options: "q*"})
        assert str(refused.value) == sentence
    with pytest.raises(InputError, match="--columns and --drop leave none of its 8 columns"):
        read(drop=["*"])
    with pytest.raises(InputError, match=r"take it for missing with --missing-codes 'often'$"):
        read(levels=["never,sometimes"])
    with pytest.raises(InputError, match=r"no column of numbers left; .*'scale' \(words, 3 diff"):
        read(columns=["group", "scale"])
    with pytest.raises(InputError, match=r"column .q2. holds -inf in data row 1; .*-codes -inf"):
        read(FRAME.assign(q2=[-np.inf, *FRAME["q2"][1:]]))
    assert read(FRAME.to_csv(), index="none").columns[0] == ""
    assert any("--index none keeps it" in note for note in read(FRAME.to_csv()).notes)


def test_what_is_left_out_is_no_name_of_rows(read):
    assert read(drop=["id"]).names is None


def test_a_total_is_a_word_that_names_no_column(read):
    rows = "".join(f"{name},{v}\n" for name, v in zip(["mood", "total", "sum"], (1, 2, 3)))
    for head, n in (("scale,v\n", 2), ("sum,v\n", 3)):
        assert len(read(head + rows, index="none", columns=["v"]).x) == n


def test_the_decimal_sign_of_thousands_is_asked_for(read):
    with pytest.raises(InputError, match=r"tell it by --decimal \. or --decimal ,"):
        read('a,b\n"1,234",5\n"2,345",6\n')


def test_what_is_guessed_of_text_can_be_told(read, tmp_path):
    assert read("a;b\n1,234;2\n2,345;3\n", decimal=",").x[:, 0].tolist() == [1.234, 2.345]
    assert read("a;b\n1,234;2\n2,345;3\n", decimal=".").x[:, 0].tolist() == [1234, 2345]
    assert read("a;b\n1.234;2\n2.345;3\n", decimal=",").x[:, 0].tolist() == [1234, 2345]
    assert read("1,2\n3,4\n", header="yes").columns == ("1", "2")
    assert read("a,b\n3,4\n5,6\n", header="no", columns=["x0"], missing_codes=["a"]).x.shape[0] == 3
    assert read("a:b\n1:2\n3:4\n", delimiter=":").columns == ("a", "b")
    assert read("a b\n1 2\n3 4\n", delimiter="space").columns == ("a", "b")
    with pytest.raises(InputError, match=r"no column of numbers left; .* 'a b'"):
        read("a b\n1 2\n3 4\n", delimiter="tab")
    assert read("a,b\tc\n1,5\t2\n3,5\t4\n", delimiter="tab", decimal=",").columns == ("a,b", "c")
    latin = "Größe,b\n1,2\n3,4\n".encode("latin-1")
    assert read(latin, encoding="latin-1").columns == ("Größe", "b")
    assert read(latin, encoding="cp437").columns[0] != "Größe"
    with pytest.raises(InputError, match="is no text in ascii"):
        read(latin, encoding="ascii")
    with pytest.raises(InputError, match="encoding is 'martian', which is none"):
        read(latin, encoding="martian")


def test_a_row_of_totals_is_left_out_unless_it_is_to_stay(read):
    text = FRAME[["id", "q1"]].to_csv(index=False) + f"합계,{FRAME['q1'].sum()}\n"
    found = read(text)
    assert len(found.x) == N
    assert any("its last row, '합계', was left out as a total" in note for note in found.notes)
    assert len(read(text, keep_totals=True).x) == N + 1
    assert len(read(text.replace("합계", "Totality")).x) == N + 1


WRONG = [
    ({"columns": [True]}, "columns is "),
    ({"columns": ""}, "columns is ''; give a list"),
    ({"label": 3.5}, "label is 3.5; it must be text"),
    ({"decimal": ";"}, "decimal is ';'; it must be . or ,"),
    ({"header": "maybe"}, "header is 'maybe'; it must be yes or no"),
    ({"delimiter": "ab"}, "delimiter is 'ab'; give one sign, or comma"),
    ({"keep_totals": 1}, "keep_totals is 1; it must be true or false"),
    ({"as_rows": "yes"}, "as_rows is 'yes'; it must be true or false"),
]


@pytest.mark.parametrize(("given", "sentence"), WRONG)
def test_an_option_of_another_kind_is_refused(given, sentence):
    with pytest.raises(InputError) as refused:
        TableOptions(**given)
    assert str(refused.value).startswith(sentence)


def test_options_are_what_they_were_after_a_file_of_json():
    given = TableOptions(columns=("a", "b"), label="y", missing_codes=("9",), keep_totals=True)
    assert TableOptions.read(given.given, "config.json") == given
    assert USUAL.given == {}
    assert given.under(TableOptions(label="z")) == dataclasses.replace(given, label="z")
    for wrong in ({"colums": []}, [1], "a", None):
        with pytest.raises(InputError, match=r"config\.json: options of data cannot be"):
            TableOptions.read(wrong, "config.json")


PYTHON = {
    "columns": ["q1:q2"],
    "drop": "q1",
    "label": "group",
    "weights": "w",
    "index": "born",
    "missing_codes": 3,
    "levels": WORDS,
    "one_hot": ["group"],
    "delimiter": "comma",
    "decimal": ".",
    "encoding": "utf-8",
    "header": "yes",
    "keep_totals": True,
    "as_rows": True,
}


def test_load_data_takes_every_option_by_its_name(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(FRAME.to_csv(index=False))
    names = [field.name for field in dataclasses.fields(TableOptions)]
    assert set(names) <= set(inspect.signature(load).parameters)
    assert set(PYTHON) == set(names) - {"sheet"}
    for name, value in PYTHON.items():
        found = latentia.load_data(str(path), gaps_stay=True, **{name: value})
        plain = TableOptions(**{name: value})
        assert found.options == plain
        assert found.asked["options"] == plain.given
        whole = in_file_order(found)
        np.testing.assert_array_equal(whole.x, tables.read(path, True, plain).x)
    assert "options" not in latentia.load_data(str(path)).asked
    with pytest.raises(
        InputError, match="--columns has no effect here: only tables have columns, and digits"
    ):
        latentia.load_data("digits", columns=[1])


def test_rows_names_and_weights_keep_together_in_a_split(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(FRAME.to_csv(index=False))
    data = latentia.load_data(str(path), weights="w", label="group", columns="q*")
    places = [int(name[1:]) for name in data.names_train]
    np.testing.assert_array_equal(data.x_train, Q[places])
    np.testing.assert_array_equal(data.weights_train, FRAME["w"][places])
    np.testing.assert_array_equal(data.x_test, Q[[int(name[1:]) for name in data.names_test]])
    assert data.beside["sample_weight"] is data.weights_train
    kept, (held, _) = data.hold_out()
    assert len(kept.weights_train) == len(kept.names_train) == len(kept.x_train)
    assert len(held) + len(kept.x_train) == len(data.x_train)
    whole = in_file_order(data)
    assert whole.names.tolist() == FRAME["id"].tolist()
    assert whole.columns == data.columns == ("q1", "q2", "q3")
    np.testing.assert_array_equal(whole.x, Q)
    assert [whole.class_names[v] for v in whole.y] == FRAME["group"].tolist()
    ranges = data.column_ranges
    np.testing.assert_array_equal(ranges[:, 0], data.x_train.min(axis=0))
    np.testing.assert_array_equal(ranges[:, 1], data.x_train.max(axis=0))
    assert ranges[:, 2].tolist() == [1, 1, 1]


@pytest.mark.parametrize("codes", [[-9, 2.5], [np.int64(-9), np.float64(2.5)], ["-9", "2.5"]])
@pytest.mark.parametrize(
    ("cells", "n"), [(("-9", "2.5"), 2), (("-9.0", "2.5"), 2), (("-90", "5"), 0)]
)
def test_codes_are_numbers_or_words_and_cells_are_whole_or_floats(codes, cells, n, tmp_path):
    path = tmp_path / "t.csv"
    frame = pandas.DataFrame(Q, columns=["a", "b", "c"]).astype(str)
    frame.loc[3, "a"], frame.loc[4, "b"] = cells
    frame.to_csv(path, index=False)
    found = load(str(path), gaps_stay=True, missing_codes=codes)
    assert sum(int(np.isnan(part).sum()) for part in (found.x_train, found.x_test)) == n
    told = "; ".join(found.notes)
    assert ("1 that hold -9, 1 that hold 2.5" in told) == (n == 2)
    assert ("no cell holds the missing code -9, 2.5" in told) == (n == 0)


def test_a_code_from_floats_is_found_among_whole_numbers(read):
    assert np.isnan(read("a,b\n1,2\n9,4\n5,6\n", missing_codes=["9.0"]).x[1, 0])
    assert not np.isnan(read("a;b\n1;2\n1.000;4\n", missing_codes=["1"]).x[1, 0])


@pytest.mark.parametrize("one", [2, np.int64(2), "2", "b", [np.int64(2)]])
def test_a_column_is_a_number_of_any_kind_or_a_word(one, tmp_path):
    path = tmp_path / "t.csv"
    pandas.DataFrame(Q, columns=["a", "b", "c"]).to_csv(path, index=False)
    assert load(str(path), columns=one).columns == ("b",)
