"""SRResNet and SRGAN: patches, losses against their formulas, where SRGAN starts, learning."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from latentia.data.dataset import Dataset
from latentia.data.degrade import degraded, enlarged
from latentia.errors import InputError
from latentia.metrics.super_resolution import luma_psnr
from latentia.models.saved import load
from latentia.models.translation.bicubic import Bicubic
from latentia.models.translation.patches import centre_patches, random_patches
from latentia.models.translation.srgan import SRGAN
from latentia.models.translation.srresnet import SRResNet
from latentia.nets.features import FeatureNetwork
from latentia.training import draws

RNG = np.random.default_rng(0)
X = RNG.random((8, 3, 16, 20), dtype=np.float32)
SIZES = {"scale": 2, "n_blocks": 1, "width": 4, "random_state": 0, "device": "cpu", "n_epochs": 1}
GAN = SIZES | {"discriminator_width": 2, "pretrain_epochs": 1}


def tiny_features(n_in=3):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(n_in, 5, 3), nn.Tanh()).requires_grad_(False)
    return FeatureNetwork("tiny", net, factor=3.0)


def edges(n, side):
    """Return images of slanted black and white halves, which interpolation blurs."""
    draw = np.random.default_rng(1)
    rows, columns = np.mgrid[:side, :side] - side / 2
    angles, shifts = draw.uniform(0, 6.3, (n, 1, 1)), draw.uniform(-4, 4, (n, 1, 1))
    distance = np.cos(angles) * rows + np.sin(angles) * columns - shifts
    return (distance.clip(-0.5, 0.5) + 0.5).astype(np.float32)


def test_patches_are_pieces_in_all_eight_positions():
    x = torch.arange(35.0).reshape(1, 1, 5, 7).expand(600, 1, 5, 7)
    draws.seed(0)
    pieces = random_patches([x], (3, 3), turn=True)[0][:, 0].numpy()
    whole = np.arange(35).reshape(5, 7)
    wanted = {}
    for top in range(3):
        for left in range(5):
            window = whole[top : top + 3, left : left + 3]
            for turned in (window, window.T):
                for flipped in (turned, turned[::-1], turned[:, ::-1], turned[::-1, ::-1]):
                    wanted[flipped.astype(int).tobytes()] = 0
    for piece in pieces:
        wanted[piece.astype(int).tobytes()] += 1
    assert len(wanted) == 15 * 8
    assert sum(count > 0 for count in wanted.values()) > 110
    draws.seed(0)
    plain = random_patches([x], (3, 3))[0][:, 0].numpy()
    assert all((piece[0, 1] - piece[0, 0], piece[1, 0] - piece[0, 0]) == (1, 7) for piece in plain)
    draws.seed(0)
    wide = random_patches([x], (2, 4), turn=True)[0]
    assert wide.shape == (600, 1, 2, 4)
    np.testing.assert_array_equal(centre_patches(x[:1], (3, 3))[0, 0], whole[1:4, 2:5])


@pytest.mark.parametrize("objective", ["mse", "l1"])
def test_srresnets_loss_is_its_formula(objective):
    model = SRResNet(objective=objective, patch=12, **SIZES).fit(X)
    model.upscaler_.eval()
    sharp = X[:4, :, 2:14, 4:16]
    small = np.rint(degraded(sharp, 2) * 255) / np.float32(255)
    with torch.no_grad():
        difference = model.upscaler_(torch.from_numpy(small)).numpy() - sharp
    expected = np.abs(difference).mean() if objective == "l1" else np.square(difference).mean()
    loss = model.loss(torch.from_numpy(X[:4]))
    assert float(loss.detach()) == pytest.approx(float(expected), rel=2e-3)


@pytest.mark.parametrize(("features", "lattice"), [(None, 0.0), (tiny_features(), 5.0)])
def test_srgans_losses_are_the_papers_and_the_lattices(features, lattice):
    model = SRGAN(adversarial_weight=0.3, lattice_weight=lattice, **GAN)
    if features is not None:
        model.use_features(features)
    model.fit(X)
    assert model.result_name == ("SRGAN-MSE" if features is None else "SRGAN-tiny")
    for net in model.nets().values():
        net.eval()
    x = torch.from_numpy(X[:4])
    with torch.no_grad():
        fake = model.upscaler_(model.degraded(x))
        judged = [model.discriminator_(2 * each - 1).sigmoid() for each in (x, fake)]
        value = judged[0].log().mean() + (1 - judged[1]).log().mean()
        draws.seed(0)
        starts = (8 * torch.rand(4, 2)).int().tolist()
        x_moved, fake_moved = (mirrored_windows(each, starts) for each in (x, fake))
        if features is None:
            seen = (2 * x - 2 * fake).square().mean()
        else:
            seen = (features(x_moved) - features(fake_moved)).square().mean()
        total = seen - 0.3 * judged[1].log().mean() + lattice * of_phases(2 * fake - 2 * x)
    assert float(model.discriminator_loss(x).total.detach()) == pytest.approx(-float(value), 1e-5)
    draws.seed(0)
    assert float(model.generator_loss(x).total.detach()) == pytest.approx(float(total), 1e-5)


def of_phases(away):
    """Return the mean square of the mean of each phase of 2×2 in whole windows of 4×4 of it."""
    phases = [away[:, :, i::2, j::2].numpy() for i in (0, 1) for j in (0, 1)]
    corners = [(i, j) for i in range(0, 8 - 3, 4) for j in range(0, 10 - 3, 4)]
    means = [p[:, :, i : i + 4, j : j + 4].mean((2, 3)) for p in phases for i, j in corners]
    return float(np.mean(np.square(means)))


def test_a_lattice_costs_and_texture_does_not():
    model = SRGAN(**GAN)
    x = torch.full((1, 3, 32, 32), 0.5)
    cell = torch.tensor([[0.1, -0.1], [0.1, -0.1]])
    lattice = cell.repeat(16, 16)
    # Upside down from one pixel of the small image to the next: a mean of 0 in each phase.
    texture = lattice * torch.kron(
        (-1.0) ** (torch.arange(16)[:, None] + torch.arange(16)), torch.ones(2, 2)
    )
    assert float(model.lattice_loss(x, x + lattice)) == pytest.approx(0.04, rel=1e-4)
    assert float(model.lattice_loss(x, x + texture)) == pytest.approx(0, abs=1e-9)
    # An image smaller than a window is one window.
    assert float(model.lattice_loss(x[..., :4, :4], x[..., :4, :4] + 0.1)) == pytest.approx(0.04)


def mirrored_windows(x, starts):
    """Return images as they are seen up to four pixels off, by NumPy's mirrored border."""
    wide = np.pad(x.numpy(), [(0, 0), (0, 0), (4, 4), (4, 4)], mode="reflect")
    h, w = x.shape[2:]
    windows = [u[:, i : i + h, j : j + w] for u, (i, j) in zip(wide, starts, strict=True)]
    return torch.from_numpy(np.stack(windows))


def test_features_get_no_gradient_and_are_no_part_of_the_model():
    features = tiny_features()
    features.net.requires_grad_(True)
    model = SRGAN(**GAN).use_features(features).fit(X)
    assert set(model.nets()) == {"upscaler_", "discriminator_"}
    model.generator_loss(torch.from_numpy(X)).total.backward(
        inputs=list(model.upscaler_.parameters())
    )
    assert all(parameter.grad is None for parameter in features.net.parameters())
    assert any(parameter.grad.abs().sum() > 0 for parameter in model.upscaler_.parameters())


def test_both_players_see_one_output_of_the_generator():
    model = SRGAN(**GAN).fit(X)
    model.upscaler_.train()
    calls = []
    model.upscaler_.register_forward_hook(lambda *_: calls.append(1))
    x = torch.from_numpy(X)
    model.discriminator_loss(x)
    model.generator_loss(x)
    assert len(calls) == 1
    model.generator_loss(x)
    assert len(calls) == 2
    model.discriminator_loss(x)
    model.generator_loss(x.flip(0))
    assert len(calls) == 4


def test_srgan_starts_from_the_srresnet_that_is_given(tmp_path):
    start = SRResNet(**SIZES | {"n_epochs": 2}).fit(X)
    given = {key: value for key, value in GAN.items() if not key.startswith("pretrain")}
    folder = str(start.save(tmp_path / "start"))
    still = SRGAN(pretrained=folder, learning_rate=1e-12, **given).fit(X)
    for key, value in start.upscaler_.state_dict().items():
        if "running" not in key and "tracked" not in key:
            torch.testing.assert_close(still.upscaler_.state_dict()[key], value, atol=1e-7, rtol=0)
    with pytest.raises(InputError, match="has width 4; here it is 6"):
        SRGAN(pretrained=folder, **given | {"width": 6}).fit(X)
    with pytest.raises(InputError, match="has n_channels 3; here it is 1"):
        SRGAN(pretrained=folder, **given).fit(X[:, 0])
    other = str(Bicubic(scale=2).fit(X).save(tmp_path / "bicubic"))
    with pytest.raises(InputError, match="holds a Bicubic"):
        SRGAN(pretrained=other, **given).fit(X)


def test_the_first_training_is_a_run_of_its_own(tmp_path):
    SRGAN(**GAN).fit(X, run=tmp_path / "run")
    config = json.loads((tmp_path / "run" / "pretraining" / "config.json").read_text())
    assert config["model"] == "SRResNet"
    assert (tmp_path / "run" / "pretraining" / "model" / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("fields", "X", "words"),
    [
        ({"batch_size": 1}, X, "batch_size is 1"),
        ({"patch": 7}, X, "patch is 7"),
        ({"adversarial_weight": -1.0}, X, "adversarial_weight"),
        ({"features": "absent.npz"}, X, "cannot be read"),
        ({}, X[:, :2], "1 or 3 channels; these have 2"),
        ({}, X[:, :, :8, :8], "at least 12 pixels"),
    ],
)
def test_what_srgan_cannot_use_is_refused(fields, X, words):
    model = SRGAN(**GAN | fields)
    if not fields:
        model.use_features(FeatureNetwork("tiny", nn.Identity(), smallest=12))
    with pytest.raises(InputError, match=words):
        model.fit(X)


def test_bicubics_score_is_the_protocol():
    bytes_ = RNG.integers(0, 256, (3, 3, 17, 22), dtype=np.uint8)
    sharp = bytes_[..., :16, :20]
    expected = luma_psnr(sharp, enlarged(degraded(sharp, 4), 4), 4)
    assert Bicubic().fit(bytes_).score(bytes_) == pytest.approx(expected, rel=1e-7)


def test_srresnet_learns_edges():
    """Straight edges come out clearly nearer than by interpolation, held-out ones too."""
    x = edges(48, 24)
    model = SRResNet(
        **SIZES | {"n_epochs": 60, "width": 8}, patch=16, batch_norm=False, learning_rate=5e-3
    ).fit(x[:40])
    gained = model.score(x[40:]) - Bicubic(scale=2).fit(x).score(x[40:])
    assert gained > 1.5


def test_the_first_training_has_the_models_settings(tmp_path):
    chosen = {
        "scale": 4,
        "n_blocks": 2,
        "width": 3,
        "batch_norm": False,
        "beside": "nothing",
        "patch": 12,
        "turn": False,
        "batch_size": 3,
        "device": "cpu",
        "random_state": 5,
    }
    own = {"n_epochs": 1, "learning_rate": 1e-12, "discriminator_width": 2}
    model = SRGAN(pretrain_epochs=2, pretrain_rate=0.002, **chosen, **own)
    model.fit(X, run=tmp_path / "run")
    start = load(tmp_path / "run" / "pretraining" / "model")
    settings = start.get_params()
    assert {name: settings[name] for name in chosen} == chosen
    assert (settings["n_epochs"], settings["learning_rate"]) == (2, 0.002)
    # With steps of nearly 0 the second training leaves the net as it found it.
    for key, value in start.upscaler_.state_dict().items():
        torch.testing.assert_close(model.upscaler_.state_dict()[key], value, atol=1e-7, rtol=0)
    lines = (tmp_path / "run" / "pretraining" / "metrics.jsonl").read_text().splitlines()
    assert {json.loads(line)["epoch"] for line in lines} == {1, 2}


def test_a_picture_has_interpolation_output_and_sharp_images_in_its_rows():
    model = SRResNet(patch=12, **SIZES).fit(X)
    model.upscaler_.eval()
    with torch.no_grad():
        rows = dict(model.epoch_picture(torch.from_numpy(X)))
    sharp = X[:6, :, 2:14, 4:16]
    small = np.rint(degraded(sharp, 2) * 255) / np.float32(255)
    assert list(rows) == ["bicubic", "output", "sharp"]
    np.testing.assert_array_equal(rows["sharp"], sharp)
    np.testing.assert_allclose(rows["bicubic"], enlarged(small, 2).clip(0, 1), atol=5e-3)
    np.testing.assert_allclose(rows["output"], model.transform(small), atol=5e-3)


def test_patches_are_random_in_training_alone():
    model = SRResNet(patch=8, turn=False, **SIZES).fit(X)
    x = torch.from_numpy(X)
    model.upscaler_.train()
    draws.seed("patch")
    one, other = model.patches(x), model.patches(x)
    assert one.shape == (8, 3, 8, 8)
    assert not torch.equal(one, other)
    model.upscaler_.eval()
    np.testing.assert_array_equal(model.patches(x), X[:, :, 4:12, 6:14])


def test_no_more_pixels_are_enlarged_at_once_than_memory_holds(monkeypatch):
    model = SRResNet(**SIZES).fit(X)
    whole, sizes = model.transform(X), []
    model.upscaler_.register_forward_hook(lambda _, given, made: sizes.append(len(given[0])))
    monkeypatch.setattr("latentia.models.translation.srresnet.MOST_PIXELS", 3 * 16 * 20)
    np.testing.assert_allclose(model.transform(X), whole, atol=1e-6)
    assert sizes == [3, 3, 2]


@pytest.mark.filterwarnings("ignore:pixels span:latentia.errors.FitWarning")
def test_figures_are_those_of_the_test_images(monkeypatch):
    images = np.random.default_rng(1).random((6, 3, 20, 24), dtype=np.float32)
    data = Dataset("noise", images[:4] * 0.1, None, images, None)
    model = Bicubic(scale=2).fit(data.x_train)
    for most in (200, 3):
        monkeypatch.setattr("latentia.models.translation.super_resolution.MOST_TESTED", most)
        shown = images if most > 6 else images[[0, 2, 5]]
        found = model.measure(data)
        assert found["luma_psnr"] == pytest.approx(model.score(shown))
        assert set(found) == {"luma_psnr", "luma_ssim", "own_detail", "shared_detail"}
        assert found["own_detail"] > found["shared_detail"] + 0.1


def test_the_discriminator_moves_first_and_the_generator_after_it():
    model = SRGAN(**GAN).fit(X)
    moved = [(update.name, update.nets) for update in model.updates()]
    assert moved == [("discriminator", [model.discriminator_]), ("generator", [model.upscaler_])]
