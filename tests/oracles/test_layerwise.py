"""Layer-wise denoising pretraining of the autoencoder before k-means, against a loop by hand."""

import numpy as np
import pytest
import torch
from torch import nn

import latentia
from latentia import DEC, IDEC, AutoencoderKMeans, VaDE
from latentia.errors import InputError
from latentia.models.clustering.autoencoder_kmeans import dropout
from latentia.training import draws
from latentia.training.batches import BatchOrder
from tests.conftest import resumes_as_if_not_stopped

FIELDS = {"n_components": 2, "hidden": (16, 8), "n_clusters": 3, "batch_size": 40}
FIELDS |= {"random_state": 0, "learning_rate": 1e-3, "ema_decay": None}
N_STEPS = 5
"""In an epoch of the images below."""


@pytest.fixture
def images():
    """Images (200, 6, 6) of three coarse patterns and noise, in [0, 1]."""
    draw = np.random.default_rng(0)
    patterns = draw.random((3, 6, 6))[draw.integers(3, size=200)]
    return (0.8 * patterns + 0.2 * draw.random((200, 6, 6))).astype(np.float32)


def dropped(h):
    kept = draws.uniform_like(h) >= 0.2
    return torch.where(kept, h / 0.8, torch.zeros(()))


def layers_in_a_loop(x, n_epochs):
    """Return what training one layer after another by hand leaves of the weights, by Adam."""
    model = AutoencoderKMeans(**FIELDS, n_epochs=1, learning_rate_schedule="constant")
    model.set_params(learning_rate=1e-30).fit(x)
    encoder = [layer for layer in model.encoder_.modules() if isinstance(layer, nn.Linear)]
    decoder = [layer for layer in model.decoder_.modules() if isinstance(layer, nn.Linear)][::-1]
    data = torch.from_numpy(x).flatten(1)
    order, step = BatchOrder(len(x), 40, 3 * n_epochs, 0), 0
    for layer, (there, back) in enumerate(zip(encoder, decoder, strict=True)):
        optimizer = torch.optim.Adam([*there.parameters(), *back.parameters()], lr=1e-3)
        for _ in range(n_epochs * N_STEPS):
            h = data[order.rows(step, 0)]
            draws.seed(0, step, "reconstruction", 0)
            for before in encoder[:layer]:
                h = before(h).relu().detach()
            u = there(dropped(h))
            output = back(dropped(u if layer == 2 else u.relu()))
            output = output.sigmoid() if layer == 0 else output.relu()
            optimizer.zero_grad()
            (h - output).square().sum(1).mean().backward()
            optimizer.step()
            step += 1
    return [*encoder, *decoder[::-1]]


def test_layers_are_trained_as_a_loop_by_hand_trains_them(images):
    expected = layers_in_a_loop(images, 2)
    model = AutoencoderKMeans(**FIELDS, n_epochs=6, layerwise_epochs=6).fit(images)
    nets = (model.encoder_, model.decoder_)
    found = [layer for net in nets for layer in net.modules() if isinstance(layer, nn.Linear)]
    assert len(found) == len(expected) == 6
    for ours, theirs in zip(found, expected, strict=True):
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_each_layers_loss_falls_and_then_that_of_all(images):
    fields = FIELDS | {"learning_rate": 3e-3, "learning_rate_schedule": "cosine"}
    model = AutoencoderKMeans(**fields, n_epochs=40, layerwise_epochs=30).fit(images)
    epochs, curve = (np.array(model.history_[k]) for k in ("epoch", "train/reconstruction"))
    for first in (0, 10, 20, 30):
        part = curve[(epochs > first) & (epochs <= first + 10)]
        assert part[-1] < 0.97 * part[0]
    alone = AutoencoderKMeans(**fields, n_epochs=10).fit(images)
    assert model.score(images) > alone.score(images)


def test_held_out_values_are_of_the_whole_net_also_while_a_layer_is_trained(images):
    model = AutoencoderKMeans(**FIELDS, n_epochs=2, layerwise_epochs=2)
    model.fit(images, validation=images[:50])
    assert model.history_["validation/reconstruction"][-1] == pytest.approx(
        -model.score(images[:50]), rel=1e-5
    )


@pytest.mark.parametrize("stop", [7, 13])
def test_a_stop_within_a_layer_changes_nothing(stop, images, tmp_path):
    fields = FIELDS | {"layerwise_epochs": 3, "n_epochs": 4}
    resumes_as_if_not_stopped(
        AutoencoderKMeans, fields, images, "_choose_layer", stop, tmp_path / "run"
    )


def test_the_step_follows_its_schedule_once_all_layers_are_trained_together():
    model = AutoencoderKMeans(layerwise_epochs=6, learning_rate_schedule="linear")
    model.n_epochs_ = 10
    found = [model.rate_factor(done) for done in (0.0, 0.59, 0.6, 0.8, 0.99)]
    np.testing.assert_allclose(found, [1.0, 1.0, 1.0, 0.5, 0.025])


@pytest.mark.parametrize("kind", [DEC, IDEC, VaDE])
def test_a_clustering_trains_its_autoencoder_so_first(kind, images, tmp_path):
    fields = {name: FIELDS[name] for name in ("n_components", "hidden", "n_clusters", "batch_size")}
    more = {"pretrain_epochs": 4, "layerwise_epochs": 3, "n_epochs": 1, "random_state": 0}
    kind(**fields, **more).fit(images, run=tmp_path / "run")
    start = latentia.load(tmp_path / "run" / "pretraining" / "model")
    alone = AutoencoderKMeans(**fields, n_epochs=4, layerwise_epochs=3, random_state=0)
    alone.set_params(learning_rate_schedule="cosine").fit(images)
    assert type(start) is AutoencoderKMeans
    np.testing.assert_array_equal(start.transform(images), alone.transform(images))


def test_dropout_keeps_the_mean_and_zeroes_a_fifth():
    draws.seed("dropout")
    found = dropout(torch.full((400, 500), 3.0))
    assert float((found == 0).float().mean()) == pytest.approx(0.2, abs=0.004)
    assert float(found.mean()) == pytest.approx(3.0, abs=0.02)


def test_what_layers_cannot_be_trained_alone_is_refused(images):
    for values, words in [
        ({"architecture": "convolutional"}, "layerwise_epochs is 1, which counts only with"),
        ({"decoder": nn.Linear(2, 36)}, "layerwise_epochs is 1 and has no effect: decoder is"),
        ({"patience": 2}, "patience is 2 and layerwise_epochs is 1, in which held-out values"),
        ({"layerwise_epochs": 3}, "layerwise_epochs is 3; n_epochs is only 2"),
        ({"layerwise_epochs": -1}, "layerwise_epochs is -1"),
    ]:
        model = AutoencoderKMeans(**FIELDS, n_epochs=2).set_params(layerwise_epochs=1)
        with pytest.raises(InputError, match=words):
            model.set_params(**values).fit(images, validation=images[:9])
