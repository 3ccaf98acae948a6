"""What lines are taken for: cases in which one part of a condition alone decides."""

import numpy as np
import pyarrow as pa
import pytest

from latentia.data.delimited import looks_like_table
from latentia.data.described import _column, described_matrix
from latentia.data.framing import Frame
from latentia.data.headers import first_names, has_header, is_regular, n_heading, n_titles
from latentia.data.matrices import NamedMatrix, kind_of, named
from latentia.data.published import counted, triangle, unit_diagonal, without_stars
from latentia.data.triangles import as_square


def cells(text):
    """Rows of cells, from lines with commas between."""
    return [line.split(",") for line in text.split("/")]


@pytest.mark.parametrize(
    ("text", "regular"),
    [
        ("a,b/1,2/3,4", True),
        ("a/1,2/3,4", True),
        ("a/1/2", False),
        ("a,b/1,2/3", False),
        ("a/1,2,3/4,5,6", False),
    ],
)
def test_rows_of_a_table_have_as_many_cells(text, regular):
    assert is_regular(cells(text)) == regular


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("Title,,/a,b,c/1,2,3", 1),
        ("a,/1,2/3,4", 0),
        (",group,/a,b,c/1,2,3", 0),
        ("a,b,/1,2,3/4,5,6", 0),
        ("a,b/r,1,2/s,3,4", 0),
        ("Title/a,b/r,1,2/s,3,4", None),
        ("a,b,c/1,2/1,2,3", None),
        (",,/a,b,c/1,2,3", 1),
        ("2019,,/a,b,c/1,2,3", None),
        ("T/U/a,b/1,2", 2),
        ("T,x/a,b,c,d,e/1,2,3,4,5", 1),
    ],
)
def test_titles_are_lone_words_above_rows(text, n):
    assert n_titles(cells(text)) == n


NUMBERS = "/1,,2" * 5


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("A,k,B/x,3,z" + NUMBERS, 2),
        ("A,,B/x,y,z" + NUMBERS, 2),
        ("A,,B/x,y," + NUMBERS, 1),
        ("A,,B/8,y,9" + NUMBERS, 1),
        ("1,,2/3,,4" + NUMBERS, 0),
        ("A,B/x,y,z" + NUMBERS, 1),
    ],
)
def test_headings_are_words_where_numbers_stand_below(text, n):
    assert n_heading(cells(text)) == n


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("1,x,2/3,,4/5,,6", False),
        ("1,x/2,y/3,z", False),
        ("a,b/c,d", True),
        ("NA,1/2,3/4,5", False),
        ("1,2/3,4", False),
        ("0,1/0.5,0.25/1.5,2.5", False),
        ("1,2,3/0.5,,0.5/1.5,,2.5", True),
        ("0,1,2/5,6,7/8,8,9", False),
        ("0,1,2,3/5,6,7,1/8,8,9,1", True),
        ("1,2,3,4/5,6,7,1/8,8,9,1", False),
        (",1,2,3/r,5,6,7/s,8,9,9", True),
        ("1,2,3/r,5,6/s,7,8", False),
        (",1,2,3/,5,6,7/,8,9,9", False),
        (",1,2,3/4,5,6,7/5,8,9,9", False),
        ("1,2,4/0.5,0.5,0.5/1.5,1.5,2.5", False),
        ("3,2,1/0.5,0.5,0.5/1.5,1.5,2.5", False),
        ("2001,2002,2003/0.5,0.5,0.5/1.5,1.5,2.5", True),
    ],
)
def test_numbers_name_columns_where_they_count(text, named):
    assert has_header(cells(text)) == named


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b/x,y", ["a", "b"]),
        ("a,a/x,y", ["a x", "a y"]),
        ("a,/x,y", ["a x", "a y"]),
        (",b/x,y", ["x", "b y"]),
        ("a,b", ["a", "b"]),
    ],
)
def test_names_in_two_lines_stand_below_their_group(text, names):
    assert first_names(cells(text))[0] == names


SQUARES = {
    "1/.5,1/.2,.3,1": "x0 x1 x2",
    "a,1/b,.5,1/c,.2,.3,1": "a b c",
    "1,.2,1,.3,.4,1": "x0 x1 x2",
    "1,.5,.2/1,.3/1": "x0 x1 x2",
    "a,b,c/1,.5,.2/1,.3/1": "a b c",
    "a,1,.5,.2/b,1,.3/c,1": "a b c",
    "1,.2,1,.3,.4,1,.5": "",
    "1,a,1,.3,.4,1": "",
    "a,b/1,.2,1,.3,.4,1": "",
    "a,2,c/1,.2,1,.3,.4,1": "",
    "a,b,1/c,d,.5,1/e,f,.2,.3,1": "",
    "a/b,1/c,.5,1": "",
    "1/.5,.5,1/.3,.2,1": "",
    "a,b/1,.5/1": "",
    "a,b,1,.5,.2/c,d,1,.4/e,f,1": "",
    "1,.5,.2/1,.3,.9/1": "",
    "a,b/1,.5,.2/1,.3/1": "",
    "a,b,c/x,1,.5,.2/b,1,.3/c,1": "",
}


@pytest.mark.parametrize(("text", "names"), SQUARES.items())
def test_triangles_are_one_longer_or_shorter_in_each_line(text, names):
    assert as_square([cells(text)]).partition("\n")[0].split() == names.split()


PRINTED = {
    "Age -/Mood .30* -/Sleep .20 .10 -": "Age Mood Sleep",
    "1 2 3/Age 1/Mood .3 1/Sleep .2 .1 1": "Age Mood Sleep",
    "Age 31 1/Mood 4 .3 1/Sleep 5 .2 .1 1": "Age Mood Sleep",
    "Age 3.1 1/Mood 4.2 .3 1/Sleep 5.3 .2 .1 1/Food 2.2 .1 .1 .1 1": "Age Mood Sleep Food",
    "Age 1/Mood .3 1/Sleep .2 .1 1/Food .1 .1 .1 1": "Age Mood Sleep Food",
    "My table/Age 1/Mood .3 1/Sleep .2 .1 1": "Age Mood Sleep",
    "Age 1/Mood .3 1": "",
    "Age 1/Mood .3 .4 1/Sleep .2 .1 1": "",
    "Age 1.5 2.5 3.5 4.5 5.5 1/B 1.5 2 2 2 2 .1 1/C 2 2 2 2 2 .1 .1 1": "",
    "My table/of things/Age 1/Mood .3 1/Sleep .2 .1 1": "",
    "Age .7/Mood .3 .8/Sleep .2 .1 .9": "",
    "Age 1/Mood - 1/Sleep .2 .1 1": "",
}


@pytest.mark.parametrize(("text", "names"), PRINTED.items())
def test_printed_triangles_end_in_ones(text, names):
    assert triangle(text.split("/"))[0].partition("\n")[0].split() == names.split()


def test_counted_rows_are_three_or_more_in_order():
    rows = ["1. Age", "2. Mood", "3. Sleep"]
    assert counted(rows, ["M", "1", "2"]) == (["Age", "Mood", "Sleep"], ["1", "2"])
    assert counted(rows[:2], ["1", "2"]) is None
    assert counted(rows, ["1", "3", "2"]) is None
    assert counted(rows[::-1], ["1", "2", "3"]) is None


def test_only_numbers_lose_stars_and_only_diagonals_brackets():
    mixed = {"a": pa.chunked_array([["1.5*", "x"]])}
    assert without_stars(mixed) == (mixed, ())
    assert unit_diagonal({}) == ({}, ())
    two = {name: pa.chunked_array([["(.8)", "(.9)"]]) for name in "ab"}
    assert unit_diagonal(two) == (two, ())


def square(variances, off):
    return np.where(np.eye(len(variances), dtype=bool), np.diag(variances), np.array(off, float))


KINDS = [
    (square([1, 1], 0.5), ""),
    (square([1, 1, 1], 0.5), "correlation"),
    (square([2, 2, 2], np.inf), ""),
    (square([2, 2, 2], 0), ""),
    (square([-1, -1, -1], 0.5), ""),
    (square([0.9, 0.9, 0.9], 0.2), "covariance"),
    (square([1, 1, 1], 1.5), ""),
    (np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1.0]]), ""),
    (square([2, 2, 2], [[0, 0.5, 0], [0.1, 0, 0], [0, 0, 0]]), ""),
    (square([2, 2, 2], 3), ""),
]


@pytest.mark.parametrize(("values", "kind"), KINDS)
def test_matrices_are_known_by_their_diagonal_and_symmetry(values, kind):
    assert kind_of(values) == kind


GAP, LOW = np.nan, [[1, np.nan, np.nan], [0.5, 1, np.nan], [0.2, 0.3, 1]]
FULL = [[1, 0.5, 0.2], [0.5, 1, 0.3], [0.2, 0.3, 1]]
TWO = [[1, 0.5], [0.5, 1]]
NAMED = {
    "a whole one": ("abc", "abc", FULL, FULL),
    "a triangle": ("abc", "abc", LOW, FULL),
    "in another order": ("abc", "acb", [FULL[i] for i in (0, 2, 1)], FULL),
    "without names": ("abc", None, FULL, FULL),
    "without names of no kind": ("abc", None, [[1, 2, 3], [4, 5, 6], [7, 8, 9]], None),
    "of two": ("ab", "ab", TWO, TWO),
    "of one": ("a", "a", [[1]], None),
    "without its diagonal": ("ab", "bc", [[0.5, GAP], [0.2, 0.3]], FULL),
    "whole of other rows": ("ab", "bc", [[0.5, 0.9], [0.2, 0.3]], None),
    "of one other row": ("a", "b", [[0.5]], None),
    "of other rows": ("abc", "abd", FULL, None),
    "of fewer rows": ("abc", "ab", FULL[:2], None),
    "half known above": ("ab", "ab", [[1, 0.5], [GAP, 1]], TWO),
    "in part above": ("abc", "abc", [[1, 0.5, GAP], *LOW[1:]], [[1, 0.5, GAP], *LOW[1:]]),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_matrix_has_the_names_of_its_columns_in_its_rows(name):
    names, rows, values, expected = NAMED[name]
    found = named([*names], None if rows is None else [*rows], np.array(values, float), "t.csv")
    if expected is None:
        assert found is None
    else:
        np.testing.assert_array_equal(found.values, expected)
        assert "".join(found.columns) == (
            names if len(names) == len(expected) else names + rows[-1]
        )
        said = " ".join(found.notes)
        assert ("put in the order" in said) == (name == "in another order")
        assert ("without names of rows was recognised" in said) == (rows is None)
        assert "not symmetric" not in said


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("a,b\n1,2\n3,4", True),
        ("a\tb\nx\t2\ny\t4", True),
        ("a,b\nx,2\ny,4", False),
        ("a b\n1 2\n3 4", True),
        ("1\n.5 1\n.2 .3 1", True),
        ("Age -\nMood .30* -\nSleep .20 .10 -", True),
        ("So it was, and so it is.\nNo, it was not.", False),
        ("", False),
    ],
)
def test_a_text_of_rows_of_numbers_is_a_table(tmp_path, text, is_one):
    (tmp_path / "t.txt").write_text(text)
    assert looks_like_table(tmp_path / "t.txt") == is_one


@pytest.mark.parametrize("shape", [(5, 8, 8), (4, 8, 8), (3, 8, 8), (8, 8)])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_each_channel_is_framed_by_itself(shape, kind):
    draw = np.random.default_rng(0)
    picture = draw.integers(0, 256, shape).astype(np.uint8)
    picture = picture if kind is np.uint8 else (picture / np.float32(255))
    framed = Frame(4, 6).of(picture)
    assert framed.shape == (*shape[:-2], 6, 4)
    if len(shape) == 3:
        np.testing.assert_array_equal(framed, [Frame(4, 6).of(plane) for plane in picture])


COLUMNS = {
    "whole numbers, 1 to 3 (3 values), mean 2": [1, 2, 3],
    "whole numbers, 1 to 2, mean 1.5": [1, 2],
    "numbers, 0.5 to 3, mean 1.83333": [0.5, 2, 3],
    "0 and 1, 0 to 1, mean 0.5": [0, 1],
    "whole numbers, 0 to 2 (3 values), mean 1, 1 missing": [0, 1, 2, np.nan],
    "constant, 4, 2 missing": [4, 4, np.nan, np.nan],
    "empty": [np.nan],
}


@pytest.mark.parametrize(("said", "values"), COLUMNS.items())
def test_a_column_is_described_by_its_values(said, values):
    assert _column(np.array(values, float)) == said


def test_a_matrix_is_described_by_its_variables_and_the_rows_behind_it():
    found = dict(described_matrix(NamedMatrix([*"abc"], np.array(FULL), None, 1234), (), "t"))
    assert found["name"] == "t"
    assert found["what"] == "a correlation matrix of 3 variables, and no rows"
    assert found["variables"] == "a, b, c"
    assert found["rows"] == "1,234 behind it"
    low, *_, high = np.linalg.eigvalsh(FULL)
    assert found["spectrum"] == f"eigenvalues from {low:.4g} to {high:.4g}"
    found = dict(described_matrix(NamedMatrix([*"abc"], np.array(LOW)), (), "t"))
    assert found["rows"] == "not told"
    assert "spectrum" not in found
    assert found["what"] == "a covariance matrix of 3 variables, and no rows"
