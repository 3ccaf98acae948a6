"""Conditions on what files and options hold, each of their parts where it alone decides."""

import numpy as np
import pytest
import scipy.io

from latentia.data import load
from latentia.data.arrays import checked_part, labelled, read_labels
from latentia.data.classes import MOST_CLASSES, are_few
from latentia.data.dataset import Part
from latentia.data.options import TableOptions, chosen
from latentia.data.text import tunes
from latentia.errors import InputError


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((8, 5, 6, 3), (8, 3, 5, 6)),
        ((8, 3, 6, 3), (8, 3, 6, 3)),
        ((8, 5, 6, 7), (8, 5, 6, 7)),
        ((8, 9, 3), (8, 9, 3)),
        ((8, 9), (8, 9)),
    ],
)
def test_channels_move_where_the_second_axis_can_be_none(shape, expected):
    assert checked_part(np.zeros(shape), "x").x.shape == expected


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(8),
        np.zeros((8, 1, 1, 4, 4)),
        np.zeros((8, 2), complex),
        np.full((8, 2), "a"),
        np.zeros((8, 0)),
    ],
)
def test_samples_are_real_numbers_of_two_to_four_axes(array):
    with pytest.raises(InputError) as caught:
        checked_part(array, "x")
    assert str(caught.value) == (
        f"x is a {array.dtype} array of shape {array.shape}; give real numbers of shape (n, d), "
        "(n, H, W) or (n, C, H, W)"
    )


def test_labels_stand_in_one_column():
    part = Part(np.zeros((4, 2)))
    assert labelled(part, np.array([[3], [5], [3], [5]]), "y").y.tolist() == [0, 1, 0, 1]
    for labels in (np.zeros((4, 2), int), np.zeros(3, int)):
        said = f"y: 4 samples and labels of shape {labels.shape}"
        with pytest.raises(InputError) as caught:
            labelled(part, labels, "y")
        assert str(caught.value) == said


def test_names_of_arrays_differ_by_capitals_only_where_they_must(tmp_path):
    small, capital = np.zeros((12, 2)), np.ones((12, 2))
    np.savez(tmp_path / "both.npz", x=small, X=capital)
    assert load(str(tmp_path / "both.npz")).x_train.max() == 0
    np.savez(tmp_path / "one.npz", X=capital)
    assert load(str(tmp_path / "one.npz")).x_train.min() == 1


def test_labels_of_a_file_are_whole_numbers_or_words_that_are_there(tmp_path):
    np.savez(tmp_path / "t.npz", a=[1, 2], b=[0.5, 1.5], c=["u", "v"], d=[[1, 2]])
    (tmp_path / "t.txt").touch()
    assert {*read_labels(f"{tmp_path}/t.npz")} == {"a", "c"}
    assert {*read_labels(f"{tmp_path}/t.npz:c")} == {"c"}
    for key in "bdz":
        with pytest.raises(InputError, match=r"holds no \(n,\) labels, whole .* but a \(2,\), b"):
            read_labels(f"{tmp_path}/t.npz:{key}")
    for name in ("t.txt", "gone.npz"):
        with pytest.raises(InputError, match=f"{name}' names no labels; give an existing FILE"):
            read_labels(f"{tmp_path}/{name}")


def test_labels_are_classes_if_there_are_two_each_or_two_in_all():
    assert [are_few(*n) for n in ((2, 2), (3, 6), (3, 5))] == [True, True, False]
    assert are_few(MOST_CLASSES, 10 * MOST_CLASSES)
    assert not are_few(MOST_CLASSES + 1, 10 * MOST_CLASSES)


def test_a_tune_keeps_its_notes_and_what_they_depend_on():
    lines = ["X:1", "T:Name", "M:4/4", "K:C", "CD", "% remark", "C", "|:FG", "ab % up", "w:la"]
    assert tunes("\n".join(lines), "t") == "M:4/4\nK:C\nCD\nC\n|:FG\nab\n"
    assert (
        tunes("K:C\nCD\n\nK:D\nAB\n\nno key\nX:3\nK:E\nE", "t") == "K:C\nCD\n\nK:D\nAB\n\nK:E\nE\n"
    )


def test_columns_are_meant_by_name_place_range_or_pattern():
    names = ["a", "b", "c1", "c2"]
    assert chosen(["c*", "2:1", "4"], names, "drop", "t.csv") == ["c1", "c2", "a", "b"]
    for spec in ("0", "5", "a:z", "z:a", "d*"):
        with pytest.raises(InputError, match=r"--drop: t\.csv has no column .* among its 4"):
            chosen([spec], names, "drop", "t.csv")


@pytest.mark.parametrize("sign", ["::", ".", '"', "x", "7"])
def test_a_separator_is_one_sign_that_no_cell_holds(sign):
    with pytest.raises(InputError, match=r"^delimiter is .*; give one sign, or "):
        TableOptions(delimiter=sign)


@pytest.mark.parametrize("levels", ["low", "low,,high", "low,high,LOW"])
def test_a_scale_has_two_different_words(tmp_path, levels):
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"{i}.5,low\n{i},high\n" for i in range(9)))
    with pytest.raises(InputError, match=f"^levels is '{levels}'; give at least two different"):
        load(str(tmp_path / "t.csv"), levels=[levels, "u,v"])


def test_matrices_of_matlab_have_two_axes_and_numbers(tmp_path):
    draw = np.random.default_rng(0)
    held = {"X": draw.random((9, 2)), "cube": draw.random((9, 9, 9)), "word": "x" * 99}
    scipy.io.savemat(tmp_path / "t.mat", held | {"side": draw.random((9, 1)), "few": np.ones(3)})
    data = load(str(tmp_path / "t.mat"))
    assert data.columns == ("X1", "X2", "side")
    said = "'X' of shape 9×2 was read, with the columns side, and not few, which --sheet would"
    assert any(said in note for note in data.notes)
