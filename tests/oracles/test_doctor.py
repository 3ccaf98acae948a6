"""The doctor's rules, number by number, and where its sentence goes."""

import json

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist, pdist

import latentia
from latentia.evaluation.sections import model_section
from latentia.models.adversarial.doctor import AILMENTS, diagnose, distances, symptoms
from latentia.training.metrics_file import read_metrics

WELL = {
    "spread": 0.8,
    "gradient": 0.5,
    "reach": 6.0,
    "span": 1.0,
    "real_probability": 0.7,
    "fake_probability": 0.3,
}


def name(found, game="other", earlier=(), *, last=False):
    diagnosis = diagnose(WELL | found, game, earlier, last=last)
    return diagnosis and diagnosis.name


@pytest.mark.parametrize(
    ("expected", "found", "game"),
    [
        (None, {}, "other"),
        ("range", {"span": 0.004}, "other"),
        ("exploding", {"distance": -61.0}, "wasserstein"),
        (None, {"distance": 59.0}, "wasserstein"),
        ("vanishing", {"gradient": 1e-9}, "wasserstein"),
        ("vanishing", {"real_probability": 0.99, "fake_probability": 0.01}, "minimax"),
        ("saturated", {"real_probability": 0.99, "fake_probability": 0.01}, "other"),
        (None, {"real_probability": 0.99, "fake_probability": 0.2}, "other"),
    ],
)
def test_each_rule(expected, found, game):
    assert name(found, game) == expected


def test_alike_samples_count_only_after_they_differed_or_at_the_end():
    assert name({"spread": 0.1}) is None
    long = [{"spread": 0.1}] * 5
    assert name({"spread": 0.1}, last=True) is None
    assert name({"spread": 0.1}, earlier=long) is None
    assert name({"spread": 0.1}, earlier=long, last=True) == "collapse"
    assert name({"spread": 0.1}, earlier=[{"spread": 0.9}]) == "collapse"
    assert name({"spread": 0.5}, earlier=[{"spread": 2.0}]) is None
    assert name({"spread": 0.001}) is None
    assert name({"spread": 0.001}, earlier=[{"spread": 0.002}] * 5) == "constant"
    assert name({"spread": 0.001}, earlier=long, last=True) == "constant"


def test_far_samples_count_at_the_end_and_where_nothing_else_explains_them():
    for far in ({"apart": 0.5, "stray": 1.5}, {"apart": 0.2, "stray": 2.5}):
        assert name(far) is None
        assert name(far, last=True) == "undertrained"
        assert name(far | {"gradient": 1e-9}, last=True) == "vanishing"
    assert name({"apart": 0.3, "stray": 1.5}, last=True) is None


@pytest.mark.parametrize("width", [2, 300])
def test_distances_against_scipy(width):
    draw = np.random.default_rng(0)
    real, fake = draw.normal(size=(40, width)), 0.5 * draw.normal(size=(40, width)) + 1
    found = distances(*map(torch.from_numpy, (real, fake)))
    own, between = pdist(real).mean(), cdist(real, fake)
    excess = 2 * between.mean() - own - pdist(fake).mean()
    assert found["apart"] == pytest.approx(excess / own)
    nearest = np.sort(cdist(real, real), axis=1)[:, 1]
    expected = np.sort(between.min(0))[19] / np.sort(nearest)[19]  # torch's median is the lower
    assert found["stray"] == pytest.approx(expected)


def test_draws_of_one_distribution_are_not_apart_and_noise_is():
    data = latentia.load_data("digits")
    x = torch.from_numpy(np.asarray(data.x_train[:512], np.float32)).flatten(1)
    same = distances(x[::2], x[1::2])
    noise = distances(x[::2], torch.rand(256, 64, generator=torch.Generator().manual_seed(0)))
    assert abs(same["apart"]) < 0.02
    assert same["stray"] == pytest.approx(1, abs=0.05)
    assert noise["apart"] > 0.5
    assert distances(x[:15], x[:15]) == {}
    assert distances(x[:1].repeat(20, 1), x[:20]) == {}


def test_a_generator_of_noise_is_undertrained():
    """Fifty steps on digits, whose samples are grey noise, and no steps at all."""
    x = np.asarray(latentia.load_data("digits").x_train[:800])
    for kind, settings in ((latentia.GAN, {}), (latentia.WGAN, {"width": 8})):
        model = kind(n_epochs=4, batch_size=64, random_state=1, **settings).fit(x)
        assert model.diagnosis_ == "undertrained"


def test_every_ailment_makes_one_sentence():
    numbers = {"real": 1.0, "fake": 0.0, "distance": 1.0, "cause": "so"} | WELL
    numbers |= {"apart": 1.0, "stray": 3.0}
    for sentence in AILMENTS.values():
        said = sentence.format(**numbers)
        assert "{" not in said
        assert not said.endswith(".")


def test_symptoms_by_hand():
    x = torch.rand(6, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    u = 2 * x - 1
    found = symptoms(x, u, u / 2, lambda fake: (3 * fake).flatten(1).sum(1).mean())
    assert found["spread"] == pytest.approx(0.5)
    assert found["gradient"] == pytest.approx(6.0)  # ‖(3, 3, 3, 3)‖
    assert found["reach"] == pytest.approx(float((u / 2).flatten(1).norm(dim=1).mean()))
    assert found["span"] == pytest.approx(float(x.max() - x.min()))


def broken():
    usual = {"beta_1": 0.5, "ema_decay": None, "batch_size": 16, "hidden": (64,)}
    return latentia.GAN(learning_rate=3.0, n_epochs=6, random_state=0, **usual)


def test_the_sentence_stands_in_log_report_and_progress(images, tmp_path, capsys):
    model = broken().fit(images, run=tmp_path / "run", progress=True)
    assert model.diagnosis_ == "saturated"
    health = [r for r in read_metrics(tmp_path / "run") if r["split"] == "health"]
    assert [r["epoch"] for r in health] == [1, 2, 3, 4, 5, 6]
    assert "almost always right" in health[-1]["note"]
    assert "almost always right" in capsys.readouterr().err
    data = latentia.load_data("digits")
    model = broken().fit(np.asarray(data.x_train[:100]), run=tmp_path / "digits")
    section = model_section(model, data, tmp_path / "digits", {})
    assert any("almost always right" in note for note in section.notes)


@pytest.mark.parametrize(
    ("epoch", "earlier", "expected"),
    [(6, 5, "constant"), (5, 5, "collapse"), (6, 4, "collapse"), (6, 0, "undertrained")],
)
def test_a_checkup_knows_the_last_epoch_those_before_and_the_means(
    epoch, earlier, expected, images
):
    model = latentia.GAN(n_epochs=6, batch_size=16, hidden=(8,), random_state=0).fit(images)
    with torch.no_grad():
        for parameter in model.generator_.parameters():
            parameter.zero_()
    means = {"discriminator": 1.2, "discriminator/real_probability": 0.7, "generator": 0.9}
    means["discriminator/fake_probability"] = 0.3
    x, before = torch.from_numpy(images[:, None]), [{"spread": 0.1}] * earlier
    found, _ = model.checkup(x, means=means, earlier=before, epoch=epoch)
    assert model.diagnosis_ == expected
    assert {
        "real_probability": 0.7,
        "fake_probability": 0.3,
        "spread": 0.0,
    }.items() <= found.items()
    assert not {"discriminator", "generator"} & set(found)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (latentia.GAN(objective="minimax"), ("vanishing", "non_saturating")),
        (latentia.GAN(objective="non_saturating"), ("vanishing", "the discriminator is flat")),
        (latentia.WGAN(architecture="mlp"), ("vanishing", "larger clipping")),
    ],
)
def test_a_checkup_names_the_cause_that_its_game_has(model, expected, images):
    model.set_params(n_epochs=1, batch_size=16, hidden=(8,), random_state=0).fit(images)
    with torch.no_grad():
        for parameter in model.judge.parameters():
            parameter.zero_()
    means = {"j/real_probability": 0.5, "j/fake_probability": 0.5}
    x = torch.from_numpy(images[:, None])
    _, sentence = model.checkup(x, means=means, earlier=[], epoch=1)
    assert model.diagnosis_ == expected[0]
    assert expected[1] in sentence


def test_a_sure_discriminator_starves_the_minimax_form_and_only_saturates_the_other(images):
    x = torch.from_numpy(images[:, None])
    means = {"j/real_probability": 0.99, "j/fake_probability": 0.01}
    for objective, expected in (("minimax", "vanishing"), ("non_saturating", "saturated")):
        model = latentia.GAN(objective=objective, n_epochs=1, hidden=(8,), random_state=0)
        model.fit(images).checkup(x, means=means, earlier=[], epoch=1)
        assert model.diagnosis_ == expected


def test_a_checkup_changes_nothing_and_goes_on_after_a_stop(images, tmp_path):
    checked = broken().fit(images)
    plain = broken()
    plain.checkup = lambda *batch, **numbers: ({}, "")
    plain.fit(images)
    for a, b in zip(checked.generator_.parameters(), plain.generator_.parameters(), strict=True):
        assert torch.equal(a, b)
    run = tmp_path / "run"
    broken().fit(images, run=run)
    lines = (run / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["split"] for line in lines] == ["train", "health"] * 6
