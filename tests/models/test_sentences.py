"""What models say of themselves and of data: each name and figure in it is its own."""

from dataclasses import replace

import numpy as np
import pytest

import latentia
from latentia import MODELS
from latentia.data.dataset import Dataset
from latentia.models import measures, saved
from latentia.models.base import OF_FEW
from latentia.models.fields import model_fields
from latentia.models.saved import kind_of
from latentia.models.translation import baselines
from latentia.training.config import read_config, write_config

IMAGES = np.random.default_rng(0).random((40, 8, 8), dtype=np.float32)
DATA = Dataset("mine", IMAGES[:24], None, IMAGES[24:], None)


@pytest.mark.parametrize("name", MODELS)
def test_a_verb_that_a_model_lacks_says_whose_and_why(name):
    """The nearest class that gives a reason gives it."""
    kind = kind_of(name)
    reasons = dict(OF_FEW)
    for cls in reversed(kind.__mro__):
        reasons |= vars(cls).get("lacks", {})
    model, absent = kind(), [verb for verb in reasons if not hasattr(kind, verb)]
    assert absent
    for verb in absent:
        with pytest.raises(AttributeError) as asked:
            getattr(model, verb)
        assert str(asked.value) == f"{name} has no {verb}: {reasons[verb]}"
    with pytest.raises(AttributeError) as asked:
        _ = model.nothing
    assert str(asked.value) == f"{name!r} object has no attribute 'nothing'"


def test_a_class_is_missed_in_training_only_where_training_has_classes():
    kind, y = latentia.ConditionalVAE(), np.arange(16) % 4
    kind.check_data(replace(DATA, y_test=y))
    labelled = replace(DATA, y_train=np.arange(24) % 3, y_test=y, class_names=tuple("abcd"))
    with pytest.raises(latentia.errors.InputError, match=r"^mine has 4 sample\(s\) of class 'd', "):
        kind.check_data(labelled)


def test_a_saved_models_page_holds_its_parameters_and_the_size_of_what_it_learnt(tmp_path):
    model = latentia.PCA(n_components=3).fit(IMAGES)
    page = (model.save(tmp_path / "m") / "README.md").read_text().splitlines()
    rows = {line for line in page if line.startswith("| `")}
    assert rows == {f"| `{f.name}` | `{getattr(model, f.name)}` |" for f in model_fields("PCA")}
    n_values = sum(v.size for v in vars(model).values() if isinstance(v, np.ndarray))
    assert f"Samples of shape (8, 8); {n_values:,} stored values." in page
    assert page[:3] == ["# PCA", "", kind_of("PCA").__doc__.strip().splitlines()[0]]


def test_a_model_that_was_put_aside_is_not_taken_for_another(tmp_path):
    for name in ("a", "b"):
        latentia.PCA(n_components=3).fit(IMAGES).save(tmp_path / name)
        (tmp_path / name).rename(saved.aside(tmp_path / name))
    assert latentia.load(tmp_path / "a").n_components == 3
    with pytest.raises(latentia.errors.InputError, match="holds no run and no saved model"):
        latentia.load(tmp_path / "c")
    assert len({saved.aside(tmp_path / name) for name in "ab"}) == 2


def test_what_a_killed_writer_left_goes_at_the_next_save(tmp_path):
    model = latentia.PCA(n_components=3).fit(IMAGES)
    left = tmp_path / saved.temporary_name()
    model.save(tmp_path / "whole").rename(left)
    model.save(tmp_path / "m")
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_what_is_no_learned_value_is_named_with_the_model(tmp_path):
    model = latentia.PCA(n_components=3).fit(IMAGES)
    path = model.save(tmp_path / "m")
    config = read_config(path)
    write_config(path, config | {"learned": config["learned"] | {"fit": 1}})
    with pytest.raises(latentia.errors.InputError) as refused:
        latentia.load(path)
    assert str(refused.value) == (
        f"the model in {path} cannot be restored: InputError: 'fit' is nothing that PCA learns"
    )


def test_a_frechet_distance_is_told_with_how_many_it_is_of(monkeypatch):
    monkeypatch.setattr(measures, "LEAST_SAMPLES", 1234)
    monkeypatch.setattr(measures, "MOST_NEIGHBOURS", 1100)
    name = measures.PixelFeatures().fit(DATA.x_train).name
    for n_test, told in ((16, "16"), (1150, "1,100")):
        data = replace(DATA, x_test=np.resize(DATA.x_test, (n_test, 8, 8)))
        assert measures.yardstick(data) == (
            f"The Fréchet distance is between {n_test:,} test samples and 1,234 drawn ones, not "
            f"resized, in {name}; precision, recall, density and coverage are of {told} and 1,100 "
            f"of them there, k = {measures.BALL}."
        )


def test_each_baseline_is_told_with_its_own_figures():
    x, y = np.random.default_rng(1).random((2, 12, 12, 12), dtype=np.float32)
    pairs = Dataset("pairs", x[:8], None, x[8:], None, pair_train=y[:8], pair_test=y[8:])
    told = []
    for name, output in baselines.baselines(pairs).items():
        found = baselines.closeness(y[8:], output)
        error, similarity = found["absolute_error"], found["ssim"]
        told.append(f"Baseline, {name}: absolute error {error:.4f}, SSIM {similarity:.4f}.")
    assert baselines.baseline_notes(pairs) == tuple(told)
    assert len({*told}) == 2


def test_shares_of_two_domains_are_told_with_their_names(monkeypatch):
    """Of A's test images three quarters are like A's training images, of B's all."""
    low, high = 0.2 * IMAGES, 0.8 + 0.2 * IMAGES
    x_test = np.concatenate([low[:3], high[:1], high[1:4]])
    data = Dataset(
        "two",
        np.concatenate([low[10:20], high[10:20]]),
        np.repeat([0, 1], 10),
        x_test,
        np.array([0, 0, 0, 0, 1, 1, 1]),
        class_names=("summer", "winter"),
    )
    for names in (("summer", "winter"), None):
        assert baselines.domain_notes(replace(data, class_names=names)) == (
            f"A is {(names or 'AB')[0]}, B is {(names or 'AB')[1]}. By the same nearest training "
            "images, 75% of the real test images of A are taken for A and 100% of those of B for "
            "B: an identity would have 25% and 0% taken for their new domain, and a cycle error of "
            "0.",
        )


def test_a_discount_that_was_assumed_is_told_with_the_lengths():
    model = latentia.NGramLanguageModel(order=3).fit("abcdefgh")
    assert model.findings(None)[-1] == (
        "Kneser-Ney's discount was taken to be 0.5 for grams of length 1, 2, 3: none was counted "
        "once, or none twice, from which it is estimated."
    )
