"""pix2pix's losses against their formulas, its passes, jitter, errors."""

import json

import numpy as np
import pytest
import torch

from latentia.errors import InputError
from latentia.models.translation.patches import jittered
from latentia.models.translation.pix2pix import Pix2Pix
from latentia.nets.normalisation import BatchNorm, InstanceNorm, LayerNorm
from latentia.training import draws

RNG = np.random.default_rng(0)
X = RNG.random((12, 3, 16, 16), dtype=np.float32)
Y = RNG.random((12, 16, 16), dtype=np.float32)


def model(**fields):
    return Pix2Pix(**({"width": 4, "n_epochs": 1, "random_state": 0, "device": "cpu"} | fields))


def double(fitted):
    """Return the model with float64 nets, in evaluation mode: no jitter, no dropout."""
    for net in fitted.nets().values():
        net.double().eval()
    return fitted


def batch():
    return torch.from_numpy(X[:4]).double(), torch.from_numpy(Y[:4]).double()


@pytest.mark.parametrize("conditional", [True, False])
@pytest.mark.parametrize("patch", ["auto", "pixel", "16", "image"])
def test_losses_are_the_papers(conditional, patch):
    fitted = double(model(conditional=conditional, receptive_field=patch, l1_weight=7.0).fit(X, Y))
    x, y = batch()
    with torch.no_grad():
        u, v = 2 * x - 1, (2 * y - 1)[:, None]
        v_fake = fitted.generator_(u)
        real, fake = (
            fitted.discriminator_(torch.cat([u, each], 1) if conditional else each).sigmoid()
            for each in (v, v_fake)
        )
        value = real.log().mean() + (1 - fake).log().mean()
        l1 = (v - v_fake).abs().mean()
    kept = fitted.target
    fitted.target = lambda y: y[:, None]
    judge, generator = fitted.discriminator_loss(x, y), fitted.generator_loss(x, y)
    fitted.target = kept
    assert float(judge.total.detach()) == pytest.approx(float(-value / 2), rel=1e-12)
    expected = float(-fake.log().mean() + 7 * l1)
    assert float(generator.total.detach()) == pytest.approx(expected, rel=1e-12)
    assert float(judge.terms["real_probability"].detach()) == pytest.approx(float(real.mean()))
    assert float(generator.terms["l1"].detach()) == pytest.approx(float(l1), rel=1e-12)


def test_each_objective_is_its_own_sum():
    found = {}
    for objective in ("gan+l1", "gan", "l1", "mse"):
        fitted = model(objective=objective).fit(X, Y)
        for net in fitted.nets().values():
            net.eval()
        x, y = torch.from_numpy(X[:4]), torch.from_numpy(Y[:4])
        loss = fitted.generator_loss(x, y)
        found[objective] = (fitted, float(loss.total.detach()), loss.terms)
    for objective, power in (("l1", 1), ("mse", 2)):
        fitted, total, _ = found[objective]
        assert [update.name for update in fitted.updates()] == ["generator"]
        assert "discriminator_" not in fitted.nets()
        difference = 2 * np.abs(fitted.transform(X[:4]) - Y[:4])
        assert total == pytest.approx(np.mean(difference**power), rel=1e-5)
    _, total, terms = found["gan"]
    assert total == float(terms["adversarial"].detach())
    _, total, terms = found["gan+l1"]
    expected = float((terms["adversarial"] + 100 * terms["l1"]).detach())
    assert total == pytest.approx(expected)


def test_both_players_see_one_output_of_the_generator():
    fitted = model().fit(X, Y)
    fitted.generator_.train()
    calls = []
    fitted.generator_.register_forward_hook(lambda net, given, out: calls.append(out))
    seen = []
    fitted.discriminator_.register_forward_hook(lambda net, given, out: seen.append(given[0]))
    pair = torch.from_numpy(X[:4]), torch.from_numpy(Y[:4])
    fitted.discriminator_loss(*pair)
    fitted.generator_loss(*(part.clone() for part in pair))
    assert len(calls) == 1
    torch.testing.assert_close(seen[1].detach(), seen[2].detach())
    assert not seen[1].requires_grad
    assert seen[2].requires_grad
    fitted.generator_loss(*pair)
    assert len(calls) == 2
    fitted.discriminator_loss(*pair)
    fitted.generator_loss(torch.from_numpy(X[4:8]), torch.from_numpy(Y[4:8]))
    assert len(calls) == 4


def test_the_shared_pass_gives_the_gradient_of_a_new_one():
    """The discriminator moved in between, which must not be seen in the generator's gradient."""
    gradients = []
    for shared in (True, False):
        fitted = model(dropout=0.0, jitter=0.0, mirror=False).fit(X, Y)
        for net in fitted.nets().values():
            net.train()
        pair = torch.from_numpy(X[:4]), torch.from_numpy(Y[:4])
        parameters = list(fitted.discriminator_.parameters())
        loss = fitted.discriminator_loss(*pair).total
        for parameter, slope in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.data -= 0.1 * slope
        if not shared:
            fitted.kept_pass(*pair)
        loss = fitted.generator_loss(*pair).total
        slopes = torch.autograd.grad(loss, list(fitted.generator_.parameters()))
        gradients.append(torch.cat([slope.flatten() for slope in slopes]))
    torch.testing.assert_close(*gradients)


def test_jitter_moves_a_pair_alike_and_stays_inside():
    torch.manual_seed(0)
    image = torch.arange(20 * 24.0).reshape(1, 1, 20, 24).repeat(50, 1, 1, 1)
    draws.seed("jitter")
    moved, twice = jittered([image, torch.cat([image, 2 * image], 1)], 0.2, mirror=True)
    assert moved.shape == image.shape
    torch.testing.assert_close(moved, twice[:, :1])
    torch.testing.assert_close(2 * moved, twice[:, 1:])
    assert moved.min() >= 0
    assert moved.max() <= 479
    rightwards = moved[:, 0, 0, 1] > moved[:, 0, 0, 0]
    assert 10 < int(rightwards.sum()) < 40
    corners = moved[:, 0, 0, 0][rightwards]
    assert len(corners.unique()) > 8


def test_a_patch_is_a_piece_of_the_pair_as_sharp_as_it_is():
    """Each step sees squares of both images from one place, and ``transform`` whole images."""
    ramp = np.arange(16 * 16, dtype=np.float32).reshape(1, 16, 16) / 255
    x, y = np.repeat(ramp, 4, 0), np.repeat(1 - ramp, 4, 0)
    fitted = model(patch_size=8, n_halvings=2, mirror=False).fit(x, y)
    assert len(fitted.generator_.down) == 2
    fitted.generator_.train()
    seen = fitted.forward_pass(torch.from_numpy(x[:, None]), torch.from_numpy(y))
    assert seen.u.shape == seen.v_fake.shape == (4, 1, 8, 8)
    torch.testing.assert_close(seen.v, -seen.u)
    places = (seen.u[:, 0] + 1) * 255 / 2
    piece = torch.arange(8)[:, None] * 16 + torch.arange(8)
    torch.testing.assert_close(places, places[:, :1, :1] + piece, atol=1e-3, rtol=0)
    fitted.generator_.eval()
    assert fitted.forward_pass(torch.from_numpy(x[:, None]), torch.from_numpy(y)).u.shape[-1] == 16
    assert fitted.transform(x).shape == y.shape


def test_turned_pairs_take_all_eight_positions_alike():
    x = torch.arange(9.0).reshape(1, 1, 3, 3).repeat(400, 1, 1, 1)
    draws.seed("turn")
    moved, twice = jittered([x, 2 * x], 0.0, mirror=False, turn=True)
    torch.testing.assert_close(twice, 2 * moved)
    square = x[0, 0].numpy()
    positions = [np.rot90(side, n) for side in (square, square.T) for n in range(4)]
    counts = [sum(np.array_equal(one[0], p) for one in moved.numpy()) for p in positions]
    assert sum(counts) == 400
    assert min(counts) > 25  # of 50 expected, 3.8 standard deviations away


def test_jitter_of_nothing_mirrors_alone():
    x = torch.rand(40, 2, 8, 9)
    draws.seed("mirror")
    (moved,) = jittered([x], 0.0, mirror=True)
    kept = [torch.equal(a, b) for a, b in zip(moved, x, strict=True)]
    turned = [torch.equal(a, b.flip(-1)) for a, b in zip(moved, x, strict=True)]
    assert all(k != t for k, t in zip(kept, turned, strict=True))
    assert 5 < sum(kept) < 35
    (still,) = jittered([x], 0.0, mirror=False)
    assert torch.equal(still, x)


def test_every_place_of_the_window_is_reached():
    x = torch.arange(10.0).expand(400, 1, 10, 10).contiguous()
    draws.seed("window")
    (moved,) = jittered([x], 0.2, mirror=False)
    large = torch.nn.functional.interpolate(x[:1], (12, 12), mode="bilinear", align_corners=False)[
        0, 0, 0
    ]
    windows = [large[start : start + 10] for start in range(3)]
    counts = [int((moved[:, 0, 0] - window).abs().amax(1).lt(1e-4).sum()) for window in windows]
    assert sum(counts) == 400
    assert min(counts) > 90


@pytest.mark.parametrize(
    ("norm", "generators", "discriminators"),
    [
        ("batch", BatchNorm, BatchNorm),
        ("instance", InstanceNorm, InstanceNorm),
        ("layer", LayerNorm, InstanceNorm),
    ],
)
def test_the_discriminator_keeps_what_channels_tell_apart(norm, generators, discriminators):
    fitted = model(norm=norm).fit(X, Y)
    kinds = (BatchNorm, InstanceNorm, LayerNorm)
    expected = {"generator_": generators, "discriminator_": discriminators}
    for name, net in fitted.nets().items():
        assert {type(layer) for layer in net.modules() if isinstance(layer, kinds)} == {
            expected[name]
        }


def test_test_noise_depends_on_image_and_seed_alone():
    quiet = model().fit(X, Y)
    np.testing.assert_array_equal(quiet.transform(X), quiet.transform(X))
    noisy = model(test_noise=True).fit(X, Y)
    out = noisy.transform(X)
    assert not np.array_equal(out, quiet.transform(X))
    np.testing.assert_allclose(noisy.transform(X[5:6]), out[5:6], atol=1e-5)
    noisy.seed_ = 1
    assert not np.allclose(noisy.transform(X), out, atol=1e-4)
    assert not any(module.training for module in noisy.generator_.modules())


def test_score_is_minus_the_mean_absolute_error():
    fitted = model().fit(X, Y)
    expected = -np.abs(fitted.transform(X).astype(float) - Y).mean()
    assert fitted.score(X, Y) == pytest.approx(expected, rel=1e-6)
    bytes_ = np.rint(Y * 255).astype(np.uint8)
    assert fitted.score(X, bytes_) == pytest.approx(expected, abs=2e-3)


def test_it_learns_an_inverted_image():
    x = np.kron(RNG.random((64, 4, 4), dtype=np.float32), np.ones((1, 4, 4), np.float32))
    fields = {"objective": "l1", "width": 8, "n_epochs": 12, "learning_rate": 2e-3}
    fitted = model(**fields, dropout=0.0).fit(x[:48], 1 - x[:48])
    baseline = np.abs(1 - x[48:] - (1 - x[:48]).mean(0)).mean()
    assert -fitted.score(x[48:], 1 - x[48:]) < 0.4 * baseline


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (X, None, "needs y"),
        (X, Y[:5], "12 images in X and 5 in y"),
        (X, Y[:, :8], "must agree"),
        (X, np.arange(12), "learns from images"),
        (X, np.full((12, 16, 16), 2.0), "0, 1"),
        (RNG.random((12, 5)), Y, "is a table"),
        (X[:, :, :7], Y[:, :7], "at least 8 pixels"),
    ],
)
def test_what_does_not_pair_is_refused(x, y, words):
    with pytest.raises(InputError, match=words):
        model().fit(x, y)


def test_another_target_than_fitted_is_refused():
    fitted = model().fit(X, Y)
    with pytest.raises(InputError, match="was fitted on"):
        fitted.score(X, np.stack([Y, Y], 1))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("l1_weight", -1.0, "at least 0"),
        ("receptive_field", "71", "one of"),
        ("jitter", 1.5, "at most 1"),
    ],
)
def test_bad_values_are_named(field, value, words):
    with pytest.raises(InputError, match=words):
        model(**{field: value}).fit(X, Y)


def test_a_run_shows_inputs_outputs_and_targets(tmp_path):
    from PIL import Image

    fitted = model(n_epochs=2, batch_size=4)
    fitted.fit(X, Y, validation=(X[:8], Y[:8]), run=tmp_path / "run")
    with Image.open(tmp_path / "run" / "samples" / "epoch_0002.png") as picture:
        assert picture.width > 8 * 48
        assert picture.height > 3 * 48
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert {r["split"] for r in records} == {"train", "validation", "health"}
    assert "generator/l1" in records[-1]["values"]


@pytest.mark.parametrize("held_out", [True, False])
def test_an_epochs_picture_is_of_held_out_pairs_where_there_are_any(
    held_out, tmp_path, monkeypatch
):
    shown = []
    drawn = Pix2Pix.epoch_picture

    def epoch_picture(model, x, *beside):
        shown.append((x.clone(), *beside))
        return drawn(model, x, *beside)

    monkeypatch.setattr(Pix2Pix, "epoch_picture", epoch_picture)
    draw = np.random.default_rng(0)
    x, y, x_held, y_held = draw.random((4, 6, 1, 16, 16), dtype=np.float32)
    model = Pix2Pix(width=2, n_epochs=1, device="cpu", random_state=0)
    validation = (x_held[:3], y_held[:3]) if held_out else None
    model.fit(x, y, validation=validation, run=tmp_path / "run")
    expected = validation or (x, y)
    assert shown
    for given, wanted in zip(shown[-1], expected, strict=True):
        np.testing.assert_array_equal(given.numpy(), wanted)


def test_in_training_a_pair_is_moved_mirrored_and_turned_alike():
    fitted = model(jitter=0.4, turn=True).fit(Y, Y)
    fitted.generator_.train()
    y = torch.from_numpy(Y)
    draws.seed("alike")
    shown = fitted.forward_pass(y[:, None], y)
    assert torch.equal(shown.u, shown.v)
    assert not torch.equal(shown.u, 2 * y[:, None] - 1)
    torch.testing.assert_close(fitted.generator_.eval()(shown.u).shape, shown.v_fake.shape)
    used = fitted.forward_pass(y[:, None], y)
    assert torch.equal(used.u, 2 * y[:, None] - 1)


def test_a_picture_has_inputs_outputs_and_targets_in_its_rows():
    fitted = model().fit(X, Y)
    for net in fitted.nets().values():
        net.eval()
    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    with torch.no_grad():
        rows = dict(fitted.epoch_picture(x, y))
    assert list(rows) == ["input", "output", "target"]
    np.testing.assert_array_equal(rows["input"], X[:8])
    np.testing.assert_allclose(rows["output"][:, 0], fitted.transform(X[:8]), atol=1e-6)
    np.testing.assert_array_equal(rows["target"][:, 0], Y[:8])
    assert [label for label, _ in model().fit(X[:, :2], Y).epoch_picture(x[:, :2], y)] == [
        "output",
        "target",
    ]


def test_the_discriminator_moves_first_and_the_generator_after_it():
    """Each its own net alone, as the paper's section 3.3 has it."""
    fitted = model().fit(X, Y)
    moved = [(update.name, update.nets) for update in fitted.updates()]
    assert moved == [
        ("discriminator", [fitted.discriminator_]),
        ("generator", [fitted.generator_]),
    ]


def test_every_part_of_a_translation_keeps_the_order_of_its_images(monkeypatch):
    fitted = model().fit(X, Y)
    whole = fitted.transform(X)
    sizes = []
    fitted.generator_.register_forward_hook(lambda _, given, made: sizes.append(len(given[0])))
    monkeypatch.setattr("latentia.models.translation.base.MOST_PIXELS", 5 * 16 * 16)
    np.testing.assert_allclose(fitted.transform(X), whole, atol=1e-6)
    assert sizes == [5, 5, 2]
