"""The classifier that samples are judged by: repeatable, named by its weights, safely saved."""

import json
import shutil

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import latentia
from latentia.data import load
from latentia.errors import InputError
from latentia.evaluation.classifier import ImageClassifier, stacked_digits


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.fixture(scope="module")
def classifier(digits):
    return ImageClassifier(title="digits", n_epochs=8).fit(digits.x_train, digits.y_train)


def test_scanned_digits_are_told_apart(classifier, digits):
    assert classifier.score(digits.x_test, digits.y_test) >= 0.97


def test_probabilities_follow_from_the_features(classifier, digits):
    features = classifier.transform(digits.x_test)
    probabilities = classifier.predict_proba(digits.x_test)
    assert features.shape == (297, 64)
    assert (features >= 0).all()
    logits = classifier.head_(torch.from_numpy(features))
    np.testing.assert_allclose(probabilities, logits.softmax(1).detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(classifier.predict(digits.x_test), probabilities.argmax(axis=1))


def test_its_loss_is_the_cross_entropy(classifier, digits):
    x = torch.from_numpy(digits.x_test[:50])[:, None]
    y = torch.from_numpy(digits.y_test[:50])
    expected = -np.log(classifier.predict_proba(digits.x_test[:50])[np.arange(50), y]).mean()
    assert float(classifier.loss(x, y).detach()) == pytest.approx(expected, rel=1e-4)


def test_the_seed_decides_the_name(digits):
    x, y = digits.x_train[:200], digits.y_train[:200]
    one, same, other = (ImageClassifier(n_epochs=1, random_state=s).fit(x, y) for s in (0, 0, 1))
    assert one.name == same.name
    assert one.name != other.name
    np.testing.assert_array_equal(one.predict_proba(x), same.predict_proba(x))
    assert one.name.startswith("classifier-images, 64 features, learnt from 200 images, sha256 ")
    assert ImageClassifier(n_epochs=1).fit(x[:199], y[:199]).name != one.name


def test_bytes_and_channels(classifier, digits):
    x = digits.x_test[:30]
    np.testing.assert_array_equal(classifier.predict(x), classifier.predict(torch.from_numpy(x)))
    grey = np.rint(x * 255).astype(np.uint8)
    assert (classifier.predict(x) == classifier.predict(grey)).mean() > 0.9
    stack = x.reshape(10, 3, 8, 8)
    np.testing.assert_array_equal(
        stacked_digits(classifier, stack), classifier.predict(x).reshape(10, 3)
    )
    colour = np.random.default_rng(0).random((20, 3, 9, 11))
    fitted = ImageClassifier(n_epochs=1).fit(colour, ["cat", "dog"] * 10)
    assert set(fitted.predict(colour)) <= {"cat", "dog"}


@pytest.mark.parametrize("words", [False, True])
def test_saved_and_loaded_without_pickle(classifier, digits, tmp_path, words):
    if words:
        names = np.array(list("abcdefghij"))[digits.y_train[:100]]
        classifier = ImageClassifier(n_epochs=1).fit(digits.x_train[:100], names)
    classifier.save(tmp_path / "judge")
    assert {p.name for p in (tmp_path / "judge").iterdir()} == {
        "config.json",
        "model.safetensors",
        "README.md",
    }
    found = latentia.load(tmp_path / "judge")
    assert found.name == classifier.name
    x = digits.x_test
    np.testing.assert_array_equal(found.predict_proba(x), classifier.predict_proba(x))
    np.testing.assert_array_equal(found.predict(x), classifier.predict(x))
    with pytest.raises(InputError, match="exists"):
        classifier.save(tmp_path / "judge")


def test_damaged_weights_are_refused(classifier, tmp_path):
    folder = classifier.save(tmp_path / "judge")
    shutil.copytree(folder, tmp_path / "other")
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-50])
    with pytest.raises(InputError, match="damaged"):
        latentia.load(folder)
    config = json.loads((tmp_path / "other" / "config.json").read_text())
    config["model"] = "ImageClasifier"
    del config["sha256"]
    (tmp_path / "other" / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="did you mean 'ImageClassifier'"):
        latentia.load(tmp_path / "other")


def test_one_sentence_for_what_it_cannot_learn(digits):
    x, y = digits.x_train[:20], digits.y_train[:20]
    fit = ImageClassifier(n_epochs=1).fit
    with pytest.raises(InputError, match="8 pixels a side"):
        fit(x.reshape(20, 64), y)
    with pytest.raises(InputError, match="8 pixels a side"):
        fit(x[:, :7], y)
    with pytest.raises(InputError, match="one label for each of 20"):
        fit(x, y[:19])
    with pytest.raises(InputError, match="1 classes"):
        fit(x, np.zeros(20))
    with pytest.raises(InputError, match="span"):
        fit(x * 2, y)
    with pytest.raises(InputError, match="n_epochs is 0"):
        ImageClassifier(n_epochs=0).fit(x, y)
    with pytest.raises(InputError, match=r"fitted on samples of shape \(8, 8\)"):
        fit(x, y).predict(np.zeros((2, 9, 9)))


def test_it_is_a_scikit_learn_estimator(classifier):
    assert clone(classifier).get_params() == classifier.get_params()
    assert "title='digits'" in repr(classifier)


CHANGED = {
    "channels": (8, 16),
    "n_features": 16,
    "n_epochs": 2,
    "batch_size": 10,
    "learning_rate": 1e-3,
    "precision": "bfloat16",
    "ema_decay": 0.5,
    "patience": 1,
    "random_state": 1,
    "title": "other",
}


@pytest.mark.parametrize("field", sorted(ImageClassifier().get_params()))
def test_every_field_changes_what_is_learnt_or_its_name(field, digits):
    x, y = digits.x_train[:40], digits.y_train[:40]
    # Held-out labels that are wrong, so that training never betters what it starts from.
    held_out = (x, (y + 1) % 10)
    usual = ImageClassifier(n_epochs=1).fit(x, y, validation=held_out)
    changed = ImageClassifier(**{"n_epochs": 1, field: CHANGED[field]})
    other = changed.fit(x, y, validation=held_out)
    assert usual.name != other.name
    same = np.array_equal(usual.predict_proba(x), other.predict_proba(x))
    assert same == (field == "title")


@pytest.mark.parametrize("ask", ["transform", "predict_proba", "predict"])
def test_without_a_fit_there_are_no_answers(ask):
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        getattr(ImageClassifier(), ask)(np.zeros((2, 8, 8), np.float32))
