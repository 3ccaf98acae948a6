"""Models given a vector of measurements: what the nets see of it, and what the verbs refuse."""

import numpy as np
import pytest
import torch

import latentia
from latentia.data.dataset import Dataset
from latentia.errors import InputError
from latentia.models.adversarial.conditional_gan import ConditionalGAN
from latentia.models.autoencoders.conditional_vae import ConditionalVAE
from tests.oracles.test_conditional_gan import IMAGES, TABLE, fitted, inputs_of
from tests.oracles.test_conditional_gan import Y as LABELS

Y = np.random.default_rng(1).normal([5, -300, 0.01], [2, 100, 0.001], size=(20, 3))
UNITS = ((Y - Y.mean(axis=0)) / Y.std(axis=0)).astype(np.float32)
Z = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)


@pytest.mark.parametrize("X", [TABLE, IMAGES], ids=["table", "images"])
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_both_players_see_the_vector_in_standard_units(X, kind):
    model = fitted(X, Y.astype(kind), architecture="mlp")
    (seen,) = inputs_of(model.generator_, lambda: model.inverse_transform(Z, Y))
    np.testing.assert_allclose(seen, np.concatenate([Z, UNITS], axis=1), atol=1e-3)
    batch = model.read(X, Y, reset=False).batch(np.arange(20))
    real, fake = inputs_of(model.discriminator_.body, lambda: model.discriminator_loss(*batch))
    for judged in (real, fake):
        np.testing.assert_allclose(judged[:, -3:], UNITS, atol=1e-3)


def test_a_vector_stands_beside_an_image_as_constant_channels():
    model = fitted(IMAGES, Y)
    batch = model.read(IMAGES, Y, reset=False).batch(np.arange(20))
    real, _ = inputs_of(model.discriminator_.body, lambda: model.discriminator_loss(*batch))
    channels = np.broadcast_to(UNITS[:, :, None, None], (20, 3, 8, 9))
    np.testing.assert_allclose(real[:, 2:], channels, atol=1e-5)


def test_projection_is_by_the_vector():
    model = fitted(TABLE, Y, discriminator="projection")
    assert model.discriminator_.embedding.weight.shape[1] == 3
    u, units = model.inside(torch.from_numpy(TABLE)), torch.from_numpy(UNITS)
    judge = model.discriminator_.eval()
    features = judge.body(u)
    expected = judge.head(features)[:, 0] + ((units @ judge.embedding.weight.T) * features).sum(1)
    torch.testing.assert_close(judge(u, units)[:, 0], expected)


@pytest.mark.parametrize("X", [TABLE, IMAGES], ids=["table", "images"])
def test_a_constant_column_of_the_vector_does_no_harm(X):
    constant = Y.copy()
    constant[:, 1] = 7.1
    model = fitted(X, constant)
    np.testing.assert_allclose(model.condition_scale_[1], 1)
    drawn = model.sample(20, random_state=0, y=constant)
    assert np.isfinite(drawn).all()
    assert np.ptp(drawn) > 0


def test_one_vector_for_all_and_one_for_each(tmp_path):
    model = fitted(IMAGES, Y, architecture="mlp")
    drawn = model.sample(4, random_state=0, y=Y[2])
    np.testing.assert_array_equal(drawn, model.sample(4, random_state=0, y=np.tile(Y[2], (4, 1))))
    other = model.sample(4, random_state=0, y=Y[[2, 3, 2, 2]])
    np.testing.assert_allclose(other[[0, 2]], drawn[[0, 2]], atol=1e-6)
    assert not np.allclose(other[1], drawn[1], atol=1e-3)
    loaded = latentia.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.sample(4, random_state=0, y=Y[2]), drawn)
    np.testing.assert_array_equal(loaded.condition_mean_, Y.mean(axis=0))


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (None, r"fitted on conditions of 3 numbers .* give y, of shape \(4, 3\) or \(3,\)"),
        (Y[:4, :2], r"y has shape \(4, 2\) .* give 4 rows of 3 numbers"),
        (Y[:5], r"y has shape \(5, 3\) .* give 4 rows of 3 numbers"),
        (1.0, r"y has shape \(\) .* give 4 rows of 3 numbers"),
        (np.full((4, 3), "a"), "type <U1; give 4 rows of 3 numbers"),
        (np.where(np.eye(4, 3), np.nan, Y[:4]), "NaN or infinity in row 0"),
    ],
)
def test_vectors_that_cannot_be_sampled(y, words):
    with pytest.raises(InputError, match=words):
        fitted(TABLE, Y).sample(4, y=y)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (Y[:19], r"y has shape \(19, 3\) .* 20 rows of floats"),
        (Y[:, :0], r"y has shape \(20, 0\)"),
        (LABELS[:, None], r"y has shape \(20, 1\) and type int64; give 20 labels, or 20 rows"),
        (np.where(np.arange(60).reshape(20, 3) == 7, np.inf, Y), "NaN or infinity in row 2"),
        (Y[:, 0], r"20 different values of type float64 .* or conditions as \(n, d\) floats"),
        (Y[:, :, None], r"y has shape \(20, 3, 1\); give a label for each of 20 rows"),
    ],
)
def test_vectors_that_cannot_be_fitted_on(y, words):
    with pytest.raises(InputError, match=words):
        fitted(TABLE, y)


def test_decoding_without_the_vector_says_what_is_missing():
    with pytest.raises(InputError, match=r"needs a condition for each sample: .* \(n, 3\)"):
        fitted(TABLE, Y).inverse_transform(Z)


def test_a_second_fit_forgets_the_first_ones_kind(tmp_path):
    model = fitted(TABLE, LABELS)
    assert hasattr(model, "classes_")
    model.fit(TABLE, Y)
    assert not hasattr(model, "classes_")
    assert model.sample(2, random_state=0, y=Y[:2]).shape == (2, 3)
    model.fit(TABLE, LABELS)
    assert not hasattr(model, "condition_mean_")
    assert model.sample(2, random_state=0).shape == (2, 3)


def test_the_epochs_picture_goes_from_the_mean_along_each_column():
    model = fitted(IMAGES, Y)
    named = model.epoch_picture(torch.from_numpy(IMAGES))
    assert [name for name, _ in named] == ["mean y", "y0 + 2 sd", "y1 + 2 sd", "y2 + 2 sd"]
    seen = inputs_of(model.generator_, lambda: model.epoch_picture(torch.from_numpy(IMAGES)))
    expected = np.concatenate([np.zeros((1, 3)), 2 * np.eye(3)])
    for row, condition in zip(seen, expected, strict=True):
        assert torch.equal(row[:, :3], seen[0][:, :3])
        np.testing.assert_array_equal(row[:, 3:], np.tile(condition, (8, 1)))


def test_a_run_given_vectors_is_recorded_and_measured(tmp_path):
    images = IMAGES[:, :1]
    whole = fitted(images, Y, n_epochs=2)
    run = fitted(images, Y, n_epochs=1).set_params(n_epochs=2)
    run.fit(images, Y, run=tmp_path / "run", validation=(images[:5], Y[:5]))
    for one, other in zip(whole.generator_.parameters(), run.generator_.parameters(), strict=True):
        assert torch.equal(one, other)
    assert len(list((tmp_path / "run/samples").glob("*.png"))) == 2
    data = Dataset("pairs", images[:, 0], Y, images[:, 0], Y)
    model = fitted(images[:, 0], Y)
    found = latentia.evaluate(model, data)
    assert found["frechet_distance"] > 0
    assert not {"class_agreement", "classes_covered"} & set(found)


def test_samples_follow_the_vector():
    y = np.random.default_rng(0).uniform(-1, 1, size=(600, 2))
    X = 40 * y @ [[1.0], [-2.0]] + np.random.default_rng(1).normal(size=(600, 1)) + 7
    model = ConditionalGAN(
        n_components=2, hidden=(32,), n_epochs=40, batch_size=60, learning_rate=3e-3, random_state=0
    ).fit(X, y)
    for asked, centre in (([0.8, -0.8], 103), ([-0.8, 0.8], -89), ([0.0, 0.0], 7)):
        drawn = model.sample(200, random_state=0, y=asked)
        assert drawn.mean() == pytest.approx(centre, abs=25)


def test_the_conditional_vae_takes_vectors_too(tmp_path):
    X = IMAGES[:, :1]
    model = ConditionalVAE(n_components=2, hidden=(6,), n_epochs=1, random_state=0).fit(X, Y)
    (seen,) = inputs_of(model.encoder_, lambda: model.transform(X, Y))
    np.testing.assert_allclose(seen[:, -3:], UNITS, atol=1e-5)
    assert model.reconstruct(X, Y).shape == X.shape
    assert np.isfinite(model.score(X, Y))
    loaded = latentia.load(model.save(tmp_path / "model"))
    drawn = [each.sample(20, random_state=0, y=Y) for each in (model, loaded)]
    np.testing.assert_array_equal(*drawn)
