"""Figures of drawn images by a classifier, against the metrics on its features and by hand."""

import numpy as np
import pytest

from latentia.data import load
from latentia.evaluation.classifier import ImageClassifier
from latentia.evaluation.quality import sample_quality
from latentia.metrics.frechet import frechet_distance
from latentia.metrics.precision_recall import precision_recall


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.fixture(scope="module")
def judge(digits):
    return ImageClassifier(title="digits", n_epochs=4).fit(digits.x_train, digits.y_train)


def test_figures_are_those_of_the_features(judge, digits):
    real, fake = digits.x_test, digits.x_train[:400]
    found = sample_quality(judge, real, fake, k=3)
    features = judge.transform(real), judge.transform(fake)
    assert found.frechet_distance == pytest.approx(frechet_distance(*features))
    assert found.overlap == precision_recall(*features, 3, judge.name)
    expected = [(judge.predict(fake) == label).mean() for label in range(10)]
    np.testing.assert_allclose(found.shares, expected)


def test_collapse_shows_in_every_figure(judge, digits):
    ones = digits.x_train[digits.y_train == 1]
    healthy = sample_quality(judge, digits.x_test, digits.x_train[: len(ones)])
    collapsed = sample_quality(judge, digits.x_test, ones)
    assert collapsed.frechet_distance > 5 * healthy.frechet_distance
    assert collapsed.overlap.recall < 0.3 < healthy.overlap.recall
    assert collapsed.overlap.coverage < 0.3 < healthy.overlap.coverage
    assert collapsed.class_entropy < 0.3 < 2 < healthy.class_entropy
    assert collapsed.shares[1] > 0.9


def test_every_figure_is_printed_with_counts_and_the_classifier(judge, digits):
    text = str(sample_quality(judge, digits.x_test, digits.x_train))
    assert text.count("1,500 drawn") == 6
    assert text.count("297 real") == 5
    assert judge.name in text
    assert "classes   0 " in text
