"""Autoencoders of photographs: they start as PCA and probabilistic PCA, and end no worse."""

import numpy as np
import pytest
import torch

from latentia import (
    PCA,
    VAE,
    Autoencoder,
    ConditionalVAE,
    DenoisingAutoencoder,
    ProbabilisticPCA,
    load,
)
from latentia.errors import InputError
from latentia.models.inputs import is_photographic
from latentia.training.config import RunConfig

QUICK = {"n_epochs": 1, "batch_size": 32, "random_state": 0}


@pytest.fixture(scope="module")
def photographs():
    """Return soft colour pictures of (3, 16, 20): a few waves of random strengths, and noise."""
    draws = np.random.default_rng(0)
    rows, columns = np.mgrid[0:16, 0:20]
    waves = [np.cos(rows * a / 5 + columns * b / 6) for a in range(4) for b in range(3)]
    bases = np.stack([w[None] * draws.normal(size=(3, 1, 1)) for w in waves])
    strengths = draws.normal(size=(72, 12)) * np.linspace(0.1, 0.02, 12)
    x = 0.45 + np.tensordot(strengths, bases, 1) + 0.02 * draws.normal(size=(72, 3, 16, 20))
    return x.clip(0, 1).astype(np.float32)


@pytest.fixture(scope="module")
def learnt(photographs):
    """Return those that a fit learns from where none are held out: without every twelfth."""
    return np.delete(photographs, slice(11, None, 12), 0)


def untrained(model, x, monkeypatch):
    """Fit without a step: the nets stay where they start."""
    monkeypatch.setattr("latentia.models.gradient.train", lambda *_: None)
    return model.fit(x)


@pytest.mark.parametrize("n_components", [1, 5])
def test_an_autoencoder_starts_as_pca(photographs, learnt, n_components, monkeypatch):
    model = untrained(Autoencoder(n_components=n_components, **QUICK), photographs, monkeypatch)
    pca = PCA(n_components=n_components).fit(learnt)
    expected = pca.reconstruct(photographs).clip(0, 1)
    assert np.allclose(model.reconstruct(photographs), expected, atol=2e-5)
    codes, scores = model.transform(learnt), pca.transform(learnt)
    assert np.allclose(np.abs(codes), np.abs(scores / scores.std(0)), atol=2e-3)


def test_a_vae_starts_as_probabilistic_pca_with_its_exact_posterior(
    photographs, learnt, monkeypatch
):
    model = untrained(VAE(n_components=4, **QUICK), photographs, monkeypatch)
    ppca = ProbabilisticPCA(n_components=4).fit(learnt)
    assert model.observation_ == "gaussian"
    assert model.noise_variance_ == pytest.approx(ppca.noise_variance_, rel=1e-3)
    codes, expected = model.transform(photographs), ppca.transform(photographs)
    assert np.allclose(np.abs(codes), np.abs(expected), atol=2e-3)
    # The bound is the log-likelihood itself where the posterior is exact.
    exact = ppca.score_samples(photographs).mean()
    bound = model.score_samples(photographs, n_importance=20).mean()
    assert bound == pytest.approx(exact, abs=0.5)
    assert model.sample(200, random_state=0).std(0).mean() == pytest.approx(
        photographs.std(0).mean(), rel=0.25
    )


def test_a_given_variance_is_the_one_it_starts_with(photographs, learnt, monkeypatch):
    model = VAE(n_components=4, observation="gaussian", noise_variance=0.01, **QUICK)
    untrained(model, photographs, monkeypatch)
    assert model.noise_variance_ == pytest.approx(0.01)
    assert "noise_" not in vars(model)
    q = model.posterior(torch.from_numpy(photographs[:2]))
    values = PCA(n_components=4).fit(learnt).explained_variance_ * 65 / 66
    expected = np.sqrt(np.minimum(1, 0.01 / values))
    assert np.allclose(q.scale.detach().numpy(), expected, rtol=1e-3)


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
@pytest.mark.parametrize("kind", [VAE, Autoencoder])
def test_training_that_makes_held_out_photographs_worse_ends_where_it_began(photographs, kind):
    model = kind(n_components=4, n_epochs=2, batch_size=8, learning_rate=0.5, random_state=0)
    model.fit(photographs[:60], validation=photographs[60:])
    pca = PCA(n_components=4).fit(photographs[:60])
    ours, theirs = (
        ((m.reconstruct(photographs[60:]) - photographs[60:]) ** 2).sum() for m in (model, pca)
    )
    assert ours <= theirs * 1.001
    # Held-out rows are taken from the data where none are given.
    alone = kind(n_components=4, n_epochs=2, batch_size=8, learning_rate=0.5, random_state=0)
    alone.fit(photographs)
    assert np.isfinite(alone.reconstruct(photographs)).all()
    assert ((alone.reconstruct(photographs) - photographs) ** 2).sum() <= theirs * 10


def test_a_vae_of_photographs_learns_and_comes_back_from_disk(photographs, tmp_path):
    model = VAE(n_components=3, hidden=(16,), n_epochs=4, batch_size=8, random_state=0)
    model.fit(photographs, run=tmp_path / "run")
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert np.array_equal(again.reconstruct(photographs), model.reconstruct(photographs))
    assert np.array_equal(again.sample(3, random_state=0), model.sample(3, random_state=0))
    assert again.architecture == "auto"
    assert again.n_principal_ == model.n_principal_ > 3
    labels = np.arange(72) % 2
    given = ConditionalVAE(n_components=3, hidden=(16,), **QUICK).fit(photographs, labels)
    assert given.n_principal_ > 0
    assert given.sample(2, y=1).shape == (2, 3, 16, 20)


def test_a_resumed_training_keeps_the_best_weights_of_an_undisturbed_one(photographs, tmp_path):
    def model(n_epochs):
        return VAE(
            n_components=3,
            hidden=(16,),
            n_epochs=n_epochs,
            batch_size=8,
            random_state=0,
            learning_rate=0.05,
        )

    held = photographs[60:]
    whole = model(4).fit(photographs[:60], validation=held)
    model(2).fit(photographs[:60], validation=held, run=tmp_path)
    parts = model(4).fit(photographs[:60], validation=held, run=tmp_path, resume=True)
    assert np.array_equal(parts.reconstruct(held), whole.reconstruct(held))


@pytest.mark.parametrize(
    ("n", "n_components"), [(1, 2), (2, 2), (5, 20), (12, 20)], ids=lambda v: str(v)
)
def test_of_ever_so_few_photographs_something_finite_is_learnt(photographs, n, n_components):
    x = photographs[:n]
    for kind in (VAE, Autoencoder):
        model = kind(n_components=n_components, hidden=(8,), **QUICK).fit(x)
        assert np.isfinite(model.reconstruct(x)).all()
        assert np.isfinite(model.score(x))
    same = np.repeat(x[:1], 4, axis=0)
    assert np.allclose(VAE(hidden=(8,), **QUICK).fit(same).reconstruct(same), same, atol=0.05)


def test_what_counts_as_photographs(photographs):
    draws = np.random.default_rng(1)
    bits = (draws.random((20, 16, 16)) < 0.2).astype(np.uint8) * 255
    assert is_photographic(photographs)
    assert is_photographic((photographs * 255).astype(np.uint8))
    assert not is_photographic(bits)
    assert not is_photographic(bits > 0)
    assert not is_photographic(photographs[:, :, :15])
    assert is_photographic(photographs[:, 0])
    assert not is_photographic(photographs.reshape(72, -1))
    assert not is_photographic(np.full((3, 16, 16), 0.5))
    # The variance of values is half of what bits of their mean have: the border itself.
    p = np.where(np.arange(512).reshape(2, 16, 16) % 2, 0.5 + 8**-0.5, 0.5 - 8**-0.5)
    assert is_photographic(0.5 + (p - 0.5) * 0.99)
    assert not is_photographic(0.5 + (p - 0.5) * 1.01)


@pytest.mark.parametrize(
    ("model", "architecture", "observation"),
    [
        (VAE(), "principal", "gaussian"),
        (VAE(binarize=True), "mlp", "bernoulli"),
        (VAE(observation="bernoulli"), "mlp", None),
        (VAE(architecture="mlp"), "mlp", "gaussian"),
        (Autoencoder(), "principal", None),
        (Autoencoder(tied=True), "mlp", None),
        (Autoencoder(objective="bce"), "mlp", None),
        (DenoisingAutoencoder(), "convolutional", None),
    ],
)
def test_what_auto_means_for_photographs(model, architecture, observation, photographs):
    settled = model.settled(model.checked(photographs, reset=True))
    assert settled["architecture"] == architecture
    assert settled.get("observation") == observation


@pytest.mark.parametrize(
    "model",
    [
        VAE(architecture="principal", observation="mse"),
        VAE(architecture="principal", binarize=True),
        Autoencoder(architecture="principal", tied=True),
        Autoencoder(architecture="principal", objective="bce"),
    ],
)
def test_a_linear_start_of_another_objective_is_refused(model, photographs):
    with pytest.raises(InputError, match="architecture is 'principal'"):
        model.fit(photographs)


def test_a_linear_start_wants_images():
    with pytest.raises(InputError, match=r"'principal' and the data are a table of shape \(n, 4\)"):
        VAE(architecture="principal").fit(np.random.default_rng(0).random((8, 4)))


def small(**fields):
    return VAE(n_components=3, hidden=(16,), batch_size=8, random_state=0, **fields)


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
def test_training_from_a_linear_start_ends_when_it_has_waited(photographs, tmp_path, monkeypatch):
    monkeypatch.setattr("latentia.models.autoencoders.base.WAITS", 2)
    model = small(learning_rate=0.3, n_steps=80).fit(photographs, run=tmp_path / "left")
    ends = model.history_["epoch"][-1]
    assert ends == model.best_epoch_ + 2 < model.n_epochs_
    assert "no better held-out value for 2 epochs" in model.history_.ended
    model.save(tmp_path / "saved")
    assert load(tmp_path / "saved").best_epoch_ == model.best_epoch_
    card = (tmp_path / "saved" / "README.md").read_text()
    assert f"| `n_epochs` | `{model.n_epochs_} (chosen)` |" in card
    assert "| `batch_size` | `8` |" in card
    asked = small(learning_rate=0.3, n_epochs=ends + 2).fit(photographs)
    assert asked.history_["epoch"][-1] == ends + 2
    longer = small(learning_rate=0.3, n_steps=80, n_epochs=ends + 3)
    longer.fit(photographs, run=tmp_path / "left", resume=True)
    assert longer.history_["epoch"][-1] == ends + 3


def test_rows_that_choose_the_best_epoch_are_not_in_the_linear_solution(photographs, tmp_path):
    rows = np.arange(len(photographs)) % 12 == 11
    other = photographs.copy()
    other[rows] = other[rows][:, :, ::-1]
    one, two = (small(n_epochs=1).fit(x) for x in (photographs, other))
    assert torch.equal(one.encoder_.vectors, two.encoder_.vectors)
    left_open = small(n_steps=24).fit(photographs, run=tmp_path / "run")
    taken = RunConfig.read(tmp_path / "run").resolved
    # 66 of 72 rows are trained on: eight steps of 8 in each of three epochs.
    assert (taken["n_epochs"], taken["n_steps"]) == (3, 24)
    assert left_open.history_["step"][-1] == 24
    given = small(n_steps=27).fit(photographs, validation=photographs[:6])
    assert given.history_["step"][-1] == 27


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
@pytest.mark.parametrize("kind", [VAE, Autoencoder])
def test_fine_tuning_keeps_the_nets_of_what_it_starts_from(photographs, kind):
    fields = {"n_components": 3, "hidden": (16,), "n_epochs": 1, "random_state": 0}
    x = {"photographs": photographs, "bits": photographs.round(), "few": photographs[:9]}
    fitted = {name: kind(**fields).fit(data) for name, data in x.items()}
    for first in x:
        for then in x:
            model = kind(**fields, learning_rate=1e-9).fit(x[then], start_from=fitted[first])
            assert model.n_principal_ == fitted[first].n_principal_
            ours, theirs = (m.reconstruct(photographs) for m in (model, fitted[first]))
            assert np.allclose(ours, theirs, atol=1e-4)


def test_a_fit_of_too_few_photographs_to_hold_any_out_waits_for_nothing(photographs):
    model = VAE(n_components=2, n_steps=14, batch_size=8, random_state=0).fit(photographs[:11])
    assert model.n_principal_ > 0
    assert model.history_["epoch"][-1] == model.n_epochs_ == 14
    assert model.history_.ended == ""


def test_a_noise_that_is_asked_for_is_obeyed_also_where_it_is_the_usual_one(photographs):
    asked = VAE(n_components=2, noise_variance=0.04, **QUICK).fit(photographs)
    left = VAE(n_components=2, **QUICK).fit(photographs)
    fixed = VAE(n_components=2, observation="gaussian", **QUICK).fit(photographs)
    assert asked.noise_variance_ == fixed.noise_variance_ == pytest.approx(0.04)
    assert left.noise_variance == "auto"
    assert left.noise_variance_ < 0.02
    assert "noise_" not in vars(asked)
    assert "noise_" in vars(left)
