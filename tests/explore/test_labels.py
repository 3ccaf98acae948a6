"""Labels of every kind as attributes, and beside the samples that they belong to."""

import numpy as np
import pytest

from latentia.data import load
from latentia.data.arrays import labels_beside, read_labels
from latentia.errors import InputError
from latentia.explore.labels import classes

X = np.arange(40 * 16, dtype=np.float64).reshape(40, 4, 4) / 640
SMILE = np.arange(40) % 2
AGE = np.arange(40) + 20


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "faces.npz"
    np.savez(path, images=X, age=AGE * 3, smile=SMILE, weight=X[:, 0, 0])
    return path


def test_named_labels_of_an_npz(file):
    data = load(str(file))
    assert data.class_names == ("not smile", "smile")
    first = np.rint(data.x_train[:, 0, 0] * 640 / 16).astype(int)
    np.testing.assert_array_equal(data.y_train, SMILE[first])
    assert "'smile' was taken for its labels; there are also age." in data.notes[0]


def test_usual_names_come_first(tmp_path):
    np.savez(tmp_path / "x.npz", images=X, smile=SMILE, label=AGE % 3)
    assert load(str(tmp_path / "x.npz")).class_names == ("0", "1", "2")


def test_images_alone_have_no_labels(tmp_path):
    np.savez(tmp_path / "x.npz", images=X, weights=np.linspace(0, 1, 40), few=np.arange(3))
    assert load(str(tmp_path / "x.npz")).y_train is None


def test_a_class_that_the_test_part_lacks(tmp_path):
    y_train, y_test = np.arange(30) % 4, np.array([1, 3] * 5)
    np.savez(tmp_path / "x.npz", x_train=X[:30], x_test=X[30:], y_train=y_train, y_test=y_test)
    data = load(str(tmp_path / "x.npz"))
    assert data.class_names == ("0", "1", "2", "3")
    assert data.y_train.tolist() == y_train.tolist()
    assert data.y_test.tolist() == y_test.tolist()


def test_too_many_values_are_no_classes(tmp_path):
    np.savez(tmp_path / "x.npz", images=np.zeros((90, 4, 4)), number=np.arange(90))
    assert load(str(tmp_path / "x.npz")).y_train is None


def test_other_labels_lie_beside_their_samples(file):
    data = load(str(file))
    train, test = labels_beside(data, read_labels(f"{file}:age")["age"], "age")
    for x, ages in ((data.x_train, train), (data.x_test, test)):
        np.testing.assert_array_equal(ages, 60 + 3 * np.rint(x[:, 0, 0] * 40))


def test_labels_of_parts_are_in_their_order(tmp_path):
    np.savez(tmp_path / "x.npz", x_train=X[:30], x_test=X[30:])
    np.save(tmp_path / "나이.npy", AGE)
    labels = read_labels(str(tmp_path / "나이.npy"))
    train, test = labels_beside(load(str(tmp_path / "x.npz")), labels["나이"], "나이")
    assert train.tolist() + test.tolist() == AGE.tolist()


def test_a_file_that_stays_on_the_disk_is_split_in_place(tmp_path, monkeypatch):
    from latentia.data import dataset

    np.save(tmp_path / "x.npy", X)
    monkeypatch.setattr(dataset, "MEMORY_LIMIT", 100)
    data = load(str(tmp_path / "x.npy"))
    assert labels_beside(data, AGE, "age")[1].tolist() == AGE[36:].tolist()


def test_all_labels_of_a_file(file):
    assert list(read_labels(str(file))) == ["age", "smile"]


def test_labels_that_cannot_be(file, tmp_path):
    np.save(tmp_path / "real.npy", np.linspace(0, 1, 40))
    (tmp_path / "bad.npz").write_text("rubbish")
    for spec, words in [
        ("absent.npz:smile", "names no labels"),
        ("labels.csv", "names no labels"),
        (f"{file}:smlie", r"holds no \(n,\) labels.*smile \(40,\)"),
        (f"{file}:images", r"images \(40, 4, 4\)"),
        (str(tmp_path / "real.npy"), r"holds no \(n,\) labels"),
        (str(tmp_path / "bad.npz"), "cannot be read"),
    ]:
        with pytest.raises(InputError, match=words):
            read_labels(spec)
    with pytest.raises(InputError, match="age holds 39 labels, and faces 36 training and 4 test"):
        labels_beside(load(str(file)), AGE[:39], "age")


def test_attributes_of_two_and_of_several_classes():
    two = classes("smile", SMILE[:30], SMILE[30:])
    assert two.names == ("not smile", "smile")
    assert two.attributes()["smile"][1].tolist() == (SMILE[30:] == 1).tolist()
    words = np.array(["개", "고양이", "새"])[AGE % 3]
    several = classes("동물", words[:30], words[30:]).attributes()
    assert list(several) == ["개", "고양이", "새"]
    assert several["새"][0].tolist() == (words[:30] == "새").tolist()
    named = classes("class", AGE[:30] % 3, AGE[30:] % 3, ("a", "b", "c"))
    assert named.names == ("a", "b", "c")


def test_numbers_of_many_values_part_at_the_median():
    ages = np.arange(100)
    found = classes("age", ages, np.array([10, 90]))
    assert found.names == ("age ≤ 49.5", "age > 49.5")
    assert found.train.mean() == 0.5
    assert found.test.tolist() == [0, 1]
    assert list(found.attributes()) == ["age > 49.5"]


def test_classes_that_cannot_be():
    with pytest.raises(InputError, match="all labels of smile are 1"):
        classes("smile", np.ones(3, int), np.ones(2, int))
    words = np.array([str(i) for i in range(60)])
    with pytest.raises(InputError, match="60 different words; give at most 50"):
        classes("name", words, words)


def test_minus_one_and_one_say_what_a_sample_has_as_zero_and_one_do():
    signs = 2 * SMILE - 1
    found = classes("smile", signs[:30], signs[30:]).attributes()
    assert list(found) == ["smile"]
    np.testing.assert_array_equal(found["smile"][0], SMILE[:30] == 1)


def test_many_numbers_are_parted_at_the_median_of_the_training_part():
    found = classes("age", np.arange(60), np.arange(100, 200))
    assert found.names == ("age ≤ 29.5", "age > 29.5")
    assert found.train.tolist() == [0] * 30 + [1] * 30
    assert found.test.min() == 1
