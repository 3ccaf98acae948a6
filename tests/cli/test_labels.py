"""Names of classes on the command line: from a file through training to samples and figures."""

from pathlib import Path

import numpy as np
import pytest

import latentia
from latentia.cli.main import main

RNG = np.random.default_rng(0)
X = RNG.random((60, 4, 4)).astype(np.float32)
WORDS = np.array(["zebra", "cat", "dog"] * 20)
SMALL = ("--n-epochs", "1", "--hidden", "8", "--n-components", "2", "--random-state", "0")


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Return a function that runs a command in an empty folder: status, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        status = main([str(word) for word in words])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def in_npz(y=WORDS, name="data.npz"):
    np.savez(name, x=X[: len(y)], y=y)
    return name


def in_csv(y=WORDS, name="data.csv"):
    rows = [",".join([*(f"{v:.4f}" for v in x), str(label)]) for x, label in zip(X[:, 0], y)]
    Path(name).write_text("\n".join(["a,b,c,d,class", *rows]))
    return name


@pytest.mark.parametrize("written", [in_npz, in_csv])
def test_words_go_all_the_way(written, command):
    status, _, errors = command("train", "cvae", "--data", written(), "--run", "run", *SMALL)
    assert status == 0, errors
    model = latentia.load("run")
    assert model.class_names_ == ["cat", "dog", "zebra"]
    draw = ("sample", "run", "-n", 2, "--random-state", 0)
    assert command(*draw, "--label", "dog", "--out", "dog.npy")[0] == 0
    expected = model.sample(2, random_state=0, y=1)
    np.testing.assert_array_equal(np.load("dog.npy"), expected)
    np.testing.assert_array_equal(model.sample(2, random_state=0, y="dog"), expected)
    np.testing.assert_array_equal(model.sample(2, random_state=0, y=["dog", "dog"]), expected)
    status, _, errors = command(*draw, "--label", "doge", "--out", "o.npy")
    assert status == 2
    assert "no class 'doge'; the model knows cat, dog, zebra; did you mean 'dog'" in errors
    # Other data, of which the classes are some of these, are numbered as the model does.
    other = model.load_data(
        written(np.array(["zebra", "dog"] * 20), name=f"other.{written()[-3:]}")
    )
    assert other.class_names == ("cat", "dog", "zebra")
    assert set(other.y_train) | set(other.y_test) == {1, 2}
    strange = written(np.array(["fox", "dog"] * 20), name=f"strange.{written()[-3:]}")
    status, _, errors = command("evaluate", "run", "--data", strange)
    assert status == 2
    assert "strange has the class 'fox', which the model was not trained on" in errors


def test_a_label_that_is_a_number_is_not_the_number_of_its_class(command):
    command("train", "cvae", "--data", in_csv([1, 2, 3] * 20), "--run", "run", *SMALL)
    command("sample", "run", "-n", 2, "--random-state", 0, "--label", "1", "--out", "one.npy")
    first = latentia.load("run").sample(2, random_state=0, y=0)
    np.testing.assert_array_equal(np.load("one.npy"), first)


def test_a_model_of_words_from_python_is_measured_on_words(command):
    model = latentia.ConditionalVAE(n_epochs=1, hidden=(8,), n_components=2, random_state=0)
    model.fit(X, WORDS).save("model")
    same = latentia.load("model")
    data = same.load_data(in_npz(np.array(["zebra", "dog"] * 20)))
    assert set(same.labels_for(data.y_train)[0]) == {"dog", "zebra"}
    assert same.reconstruct(data.x_train, *same.labels_for(data.y_train)).shape == (36, 4, 4)


def test_a_class_that_is_not_trained_on_is_found_before_the_training(command, tmp_path):
    parts = {
        "x_train": X,
        "y_train": WORDS,
        "x_test": X[:4],
        "y_test": ["cat", "dog", "fox", "fox"],
    }
    np.savez("data.npz", **parts)
    status, _, errors = command("train", "cvae", "--data", "data.npz", "--run", "run", *SMALL)
    assert status == 2
    assert "data has 2 sample(s) of class 'fox', none of them in the part that is trained" in errors
    assert not (tmp_path / "run").exists()
    # A model without classes does not mind.
    assert command("train", "pca", "--data", "data.npz", "--run", "run")[0] == 0


def test_missing_labels_are_no_class(command, tmp_path):
    numbers = np.array([1.0, 2, np.nan] * 20)
    status, _, errors = command("train", "cvae", "--data", in_npz(numbers), "--run", "run", *SMALL)
    assert status == 2
    assert "data.npz[y] has 20 missing or infinite labels, the first in data row 3" in errors
    for missing in (np.nan, "", b" "):
        words = in_npz(np.array(["cat", missing] * 30))
        status, _, errors = command("train", "cvae", "--data", words, "--run", "run", *SMALL)
        assert status == 2
        assert "data.npz[y] has 30 missing or infinite labels, the first in data row 2" in errors
    assert not (tmp_path / "run").exists()
