"""The doctor of autoencoders, number by number, on small trainings, and where its sentence goes."""

import numpy as np
import pytest
import torch
from scipy import stats

import latentia
from latentia.errors import FitWarning
from latentia.evaluation.sections import model_section
from latentia.models.autoencoders.doctor import AILMENTS, activity, diagnose, symptoms
from latentia.training.metrics_file import read_metrics

WELL = {"left": 0.3, "active": 8.0, "components": 10.0, "loss": 5.0, "fell": 0.01, "span": 1.0}
EMPTY = {"active": 0.0, "left": 1.0}


def name(found, earlier=(), *, last=False):
    diagnosis = diagnose(WELL | found, earlier, last=last)
    return diagnosis and diagnosis.name


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (None, {}),
        ("range", {"span": 0.004}),
        ("variance", {"variance": 1e-6}),
        (None, {"variance": 0.01}),
        (None, {"left": 1.2}),
        (None, EMPTY),
    ],
)
def test_each_rule(expected, found):
    assert name(found) == expected


def test_what_takes_time_counts_when_it_lasts_or_at_the_end():
    long, short = [WELL | EMPTY] * 5, [WELL | EMPTY] * 4
    assert name(EMPTY, long) == "collapse"
    assert name(EMPTY, short) is None
    assert name(EMPTY, [WELL] * 5) is None
    assert name(EMPTY | {"fell": 0.2}, long) is None
    assert name(EMPTY | {"fell": 0.2}, long, last=True) == "undertrained"
    assert name(EMPTY, short, last=True) == "undertrained"
    assert name({"left": 0.95}, last=True) == "undertrained"
    assert name({"fell": 0.2}, last=True) == "undertrained"
    assert name({}, last=True) is None
    # Numbers of a run that an earlier release began.
    assert name({}, [{}] * 5, last=True) is None


def test_components_that_are_left_over_are_no_collapse():
    few = WELL | {"active": 1.0, "left": 0.05}
    assert name(few, [few] * 5, last=True) is None


def test_every_ailment_makes_one_sentence():
    for sentence in AILMENTS.values():
        said = sentence.format(**WELL, variance=1.0)
        assert "{" not in said
        assert not said.endswith(".")


def test_activity_is_what_a_component_tells_of_x():
    """Against the mutual information of a Gaussian channel, by quadrature."""
    draw = torch.Generator().manual_seed(0)
    mean = torch.randn(4000, 4, generator=draw) * torch.tensor([0.0, 0.05, 0.2, 1.0])
    variance = torch.ones(4000, 4)
    told = []
    for spread in mean.var(0, correction=0).tolist():
        told.append(stats.norm(0, np.sqrt(1 + spread)).entropy() - stats.norm(0, 1).entropy())
    assert activity(mean, variance).tolist() == [nats > 0.005 for nats in told]
    assert activity(mean).tolist() == [False, True, True, True]


def test_symptoms_by_hand():
    u = torch.rand(10, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    mean = u.mean(0, keepdim=True).expand_as(u)
    earlier = [{"loss": 10.0}, {"loss": 6.0}]
    found = symptoms(u, mean, torch.tensor([True, False]), 5.0, earlier)
    assert found["left"] == pytest.approx(1.0)
    assert found["fell"] == pytest.approx(0.2)
    assert (found["active"], found["components"]) == (1.0, 2.0)
    assert symptoms(u, u, torch.ones(2), 5.0, [])["left"] == 0.0
    assert symptoms(u, u, torch.ones(2), 7.0, earlier)["fell"] == 0.0


@pytest.fixture(scope="module")
def digits():
    data = latentia.load_data("digits")
    return np.asarray(data.x_train[:300]), np.asarray(data.y_train[:300])


SIGMA = {"observation": "gaussian", "noise_variance": None}
SMALL = {"n_components": 4, "hidden": (32,), "batch_size": 32, "random_state": 0}


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        (latentia.Autoencoder, {"n_epochs": 60}, "healthy"),
        (latentia.Autoencoder, {"n_epochs": 2}, "undertrained"),
        (latentia.VAE, {"n_epochs": 30, "learning_rate": 3e-3} | SIGMA, "healthy"),
        (latentia.VAE, {"n_epochs": 2}, "undertrained"),
        (latentia.VAE, {"n_epochs": 20, "beta": 100.0}, "collapse"),
        (latentia.ConditionalVAE, {"n_epochs": 30, "beta": 100.0}, "collapse"),
        (latentia.DenoisingAutoencoder, {"n_epochs": 2}, "undertrained"),
    ],
)
def test_small_trainings(kind, settings, expected, digits):
    model = kind(**SMALL, **settings).fit(*digits)
    assert model.diagnosis_ == expected


def test_linear_models_of_a_plane():
    draw = np.random.default_rng(0)
    plane = draw.normal(size=(300, 2)) @ draw.normal(size=(2, 6)) + draw.normal(size=(300, 6))
    shared = {"batch_size": 100, "n_epochs": 60, "random_state": 0}
    for kind in (latentia.LinearVAE, latentia.LinearAutoencoder):
        assert kind(n_components=2, **shared).fit(plane).diagnosis_ == "healthy"


@pytest.mark.parametrize(("variance", "expected"), [(1e-6, "variance"), (1e-2, "healthy")])
def test_a_learned_variance_that_ran_to_0(variance, expected, digits):
    model = latentia.VAE(n_epochs=9, **SMALL, **SIGMA).fit(digits[0])
    with torch.no_grad():
        (parameter,) = model.noise_.parameters()
        parameter.fill_(np.log(variance) / 10)
        x = torch.from_numpy(digits[0][:, None].astype(np.float32))
        found, _ = model.checkup(x, means={"negative_elbo": 1.0}, earlier=[], epoch=1)
    assert found["variance"] == pytest.approx(
        variance / float(x.var(0, correction=0).mean()), rel=1e-4
    )
    assert model.diagnosis_ == expected


def test_dark_images_and_where_the_sentence_goes(digits, tmp_path, capsys):
    dark = digits[0].astype(np.float32) / 255 / 255
    with pytest.warns(FitWarning, match="pixels span"):
        model = latentia.VAE(n_epochs=3, **SMALL).fit(dark, run=tmp_path / "run", progress=True)
    assert model.diagnosis_ == "range"
    health = [r for r in read_metrics(tmp_path / "run") if r["split"] == "health"]
    assert [r["epoch"] for r in health] == [1, 2, 3]
    assert "divided by 255" in health[-1]["note"]
    assert "divided by 255" in capsys.readouterr().err
    section = model_section(model, latentia.load_data("digits"), tmp_path / "run", {})
    assert any("divided by 255" in note for note in section.notes)
