"""CycleGAN's nets, its losses against the paper's formulas, its passes, domains, errors."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from latentia.errors import InputError
from latentia.models.translation.cyclegan import CycleGAN
from latentia.nets.normalisation import InstanceNorm
from latentia.nets.patchgan import patch_gan
from latentia.nets.resnet import ResNetGenerator
from latentia.nets.srresnet import Residual
from latentia.training.updates import late_linear

RNG = np.random.default_rng(0)
X = RNG.random((20, 2, 13, 12), dtype=np.float32)
Y = np.repeat(["left", "right"], [8, 12])


def model(**fields):
    small = {"width": 2, "n_blocks": 1, "n_epochs": 1, "batch_size": 4, "random_state": 0}
    return CycleGAN(**(small | fields))


def batch():
    return torch.from_numpy(X[:4]).double(), torch.from_numpy(X[8:12]).double()


@pytest.fixture(scope="module")
def fitted():
    """A model with float64 nets in evaluation mode: no mirror, no pool."""
    found = model(identity_weight=0.25, cycle_weight=7.0).fit(X, Y)
    for net in found.nets().values():
        net.double().eval()
    found.images_of_b = lambda b: b
    return found


def test_the_generators_have_the_papers_layers_and_number_of_weights():
    """A public copy of ResNet-9 has 11,378,179 weights, with biases where ours has two for one."""
    net = ResNetGenerator(3, 64, 9)
    n_normed = 64 + 128 + 256 + 18 * 256 + 128 + 64
    assert sum(p.numel() for p in net.parameters()) == 11_378_179 + n_normed
    layers = [m for m in net.net if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    found = [(m.in_channels, m.out_channels, m.kernel_size[0], m.stride[0]) for m in layers]
    down, up = [(64, 128, 3, 2), (128, 256, 3, 2)], [(256, 128, 3, 2), (128, 64, 3, 2)]
    assert found == [(3, 64, 7, 1), *down, *up, (64, 3, 7, 1)]
    blocks = [m for m in net.net if isinstance(m, Residual)]
    assert len(blocks) == 9
    kinds = [type(m).__name__ for m in blocks[0].net]
    assert kinds == ["Conv2d", "InstanceNorm", "ReLU", "Conv2d", "InstanceNorm"]
    strided_1 = [m for m in net.modules() if isinstance(m, nn.Conv2d) and m.stride == (1, 1)]
    assert {m.padding_mode for m in strided_1} == {"reflect"}


def test_the_discriminators_have_the_papers_number_of_weights():
    """A public copy's 70×70 PatchGAN has 2,764,737, with a bias where ours has scale and shift."""
    net = patch_gan(3, 64, 3, "instance")
    assert sum(p.numel() for p in net.parameters()) == 2_764_737 + 128 + 256 + 512


@pytest.mark.parametrize("size", [(8, 8), (9, 11), (13, 12), (28, 28), (30, 17)])
@pytest.mark.parametrize(("n_channels", "n_halvings"), [(1, 2), (3, 2), (1, 1), (2, 0)])
def test_any_size_comes_out_as_it_went_in(size, n_channels, n_halvings):
    y = ResNetGenerator(n_channels, 2, 1, n_halvings)(torch.rand(2, n_channels, *size))
    assert y.shape == (2, n_channels, *size)
    assert y.abs().max() < 1


@pytest.mark.parametrize(("n_halvings", "side"), [(2, 7), (1, 14), (0, 28)])
def test_blocks_see_images_halved_so_often(n_halvings, side):
    learner = model(n_halvings=n_halvings, n_epochs=1).fit(RNG.random((4, 28, 28)), [0, 0, 1, 1])
    seen = []
    for net in (learner.generator_ab_, learner.generator_ba_):
        block = next(m for m in net.modules() if isinstance(m, Residual))
        block.register_forward_hook(lambda module, given, out: seen.append(out.shape[1:]))
    learner.reconstruct(RNG.random((1, 28, 28)))
    assert seen == [(2**n_halvings * learner.width, side, side)] * 2


@pytest.mark.parametrize("size", [(12, 16), (9, 11)])
def test_with_a_skip_connection_the_net_adds_to_its_image(size):
    plain, adding = ResNetGenerator(1, 2, 1), ResNetGenerator(1, 2, 1, skip=True)
    adding.load_state_dict(plain.state_dict())
    x = torch.rand(2, 1, *size, dtype=torch.float64) * 2 - 1
    added = torch.atanh(plain.double()(x))
    torch.testing.assert_close(adding.double()(x), torch.tanh(x + added))
    for skip in (False, True):
        nets = model(skip=skip).fit(X, Y).nets()
        assert [nets[f"generator_{way}_"].skip for way in ("ab", "ba")] == [skip] * 2


def test_without_weights_inside_a_block_is_the_identity():
    net = ResNetGenerator(1, 2, 3)
    without = ResNetGenerator(1, 2, 0)
    for block in (m for m in net.net if isinstance(m, Residual)):
        for layer in block.net:
            if isinstance(layer, InstanceNorm):
                nn.init.zeros_(layer.weight)
    outer = [m for m in net.net if not isinstance(m, Residual)]
    for ours, theirs in zip(without.net, outer, strict=True):
        ours.load_state_dict(theirs.state_dict())
    x = torch.rand(2, 1, 12, 16)
    torch.testing.assert_close(net(x), without(x))


def test_losses_are_the_papers(fitted):
    a, b = batch()
    with torch.no_grad():
        u_a, u_b = 2 * a - 1, 2 * b - 1
        g, f = fitted.generator_ab_, fitted.generator_ba_
        d_a, d_b = fitted.discriminator_a_, fitted.discriminator_b_
        fooled = (d_b(g(u_a)) - 1).square().mean() + (d_a(f(u_b)) - 1).square().mean()
        cycle = (f(g(u_a)) - u_a).abs().mean() + (g(f(u_b)) - u_b).abs().mean()
        identity = (g(u_b) - u_b).abs().mean() + (f(u_a) - u_a).abs().mean()
        of_a = ((d_a(u_a) - 1).square().mean() + d_a(f(u_b)).square().mean()) / 2
        of_b = ((d_b(u_b) - 1).square().mean() + d_b(g(u_a)).square().mean()) / 2
    loss = fitted.generators_loss(a, b)
    expected = float(fooled + 7 * cycle + 0.25 * 7 * identity)
    assert float(loss.total.detach()) == pytest.approx(expected, rel=1e-10)
    terms = {name: float(value.detach()) for name, value in loss.terms.items()}
    assert terms == pytest.approx(
        {"adversarial": float(fooled), "cycle": float(cycle), "identity": float(identity)}
    )
    for judge, value in ((fitted.discriminator_a_loss, of_a), (fitted.discriminator_b_loss, of_b)):
        assert float(judge(a, b).total.detach()) == pytest.approx(float(value), rel=1e-10)
    fitted._pass = None
    assert float(fitted.discriminator_a_loss(a, b).total.detach()) == pytest.approx(float(of_a))


def test_the_game_of_logarithms_is_equation_1(fitted):
    a, b = batch()
    with torch.no_grad():
        u_a, u_b = 2 * a - 1, 2 * b - 1
        fake_a, fake_b = fitted.generator_ba_(u_b), fitted.generator_ab_(u_a)
        of = {
            name: torch.sigmoid(judge(images))
            for name, judge, images in (
                ("a", fitted.discriminator_a_, u_a),
                ("F(b)", fitted.discriminator_a_, fake_a),
                ("G(a)", fitted.discriminator_b_, fake_b),
            )
        }
    fitted.objective = "cross_entropy"
    try:
        fooled = fitted.generators_loss(a, b).terms["adversarial"]
        judged = fitted.discriminator_a_loss(a, b)
    finally:
        fitted.objective = "least_squares"
    assert float(fooled.detach()) == pytest.approx(
        float(-of["F(b)"].log().mean() - of["G(a)"].log().mean()), rel=1e-10
    )
    expected = -(of["a"].log().mean() + (1 - of["F(b)"]).log().mean()) / 2
    assert float(judged.total.detach()) == pytest.approx(float(expected), rel=1e-10)
    assert float(judged.terms["real_verdict"].detach()) == pytest.approx(float(of["a"].mean()))
    assert float(judged.terms["fake_verdict"].detach()) == pytest.approx(float(of["F(b)"].mean()))


def test_each_way_there_and_back_may_have_its_own_weight(fitted):
    a, b = batch()
    with torch.no_grad():
        u_b = 2 * b - 1
        g, f = fitted.generator_ab_, fitted.generator_ba_
        of_b = (g(f(u_b)) - u_b).abs().mean() + 0.25 * (g(u_b) - u_b).abs().mean()
        same = float(fitted.generators_loss(a, b).total)
        fitted.cycle_weight_b = 3.0
        other = float(fitted.generators_loss(a, b).total)
    fitted.cycle_weight_b = None
    assert same - other == pytest.approx((7.0 - 3.0) * float(of_b), rel=1e-10)


def test_without_its_weight_the_identity_is_not_computed(fitted):
    calls = []
    hook = fitted.generator_ab_.register_forward_hook(lambda net, given, out: calls.append(out))
    kept, fitted.identity_weight = fitted.identity_weight, 0.0
    loss = fitted.generators_loss(*batch())
    fitted.identity_weight = kept
    hook.remove()
    assert set(loss.terms) == {"adversarial", "cycle"}
    assert [len(out) for out in calls] == [4, 4]


def test_a_step_runs_the_generators_once_and_shows_their_images_to_the_pools():
    trained = model(mirror=True, pool_size=3).fit(X, Y)
    for net in trained.nets().values():
        net.train()
    runs, seen = [], []
    trained.generator_ab_.register_forward_hook(lambda net, given, out: runs.append(out))
    trained.pool_b.register_forward_hook(lambda net, given, out: seen.append(given[0]))
    a, b = (part.float() for part in batch())
    for update in trained.updates():
        update.loss(a.clone(), b.clone())
    assert [len(out) for out in runs] == [8, 4]
    torch.testing.assert_close(seen[0], runs[0][:4].detach())
    assert not seen[0].requires_grad
    trained.discriminator_b_loss(b, a)
    assert len(runs) == 3


def test_updates_are_in_the_papers_order(fitted):
    assert [(update.name, update.nets) for update in fitted.updates()] == [
        ("generators", [fitted.generator_ab_, fitted.generator_ba_]),
        ("discriminator_a", [fitted.discriminator_a_]),
        ("discriminator_b", [fitted.discriminator_b_]),
    ]


def test_the_learning_rate_falls_from_halfway_on():
    found = [late_linear(done, 200) for done in (0.0, 0.25, 0.5, 0.75, 0.875)]
    assert found == [1, 1, 1, 0.5, 0.25]


def test_each_row_has_an_image_of_each_domain_and_an_epoch_all_of_the_larger():
    x = np.arange(20, dtype=np.float32).reshape(20, 1, 1) / 20 + np.zeros((1, 8, 8), np.float32)
    one = model().fit(x, Y)
    source = one.read(x, Y, reset=False)
    assert len(source) == 12
    a, b = source.batch(np.arange(12))
    in_a, in_b = (np.rint(part.reshape(12, -1)[:, 0].numpy() * 20).astype(int) for part in (a, b))
    assert sorted(in_b) == list(range(8, 20))
    counts = np.bincount(in_a)
    assert len(counts) == 8
    assert set(counts) == {1, 2}
    assert not (np.diff(in_b) == 1).all()


def test_labels_of_any_kind_are_sorted_into_a_and_b():
    one = model().fit(X, Y)
    assert one.classes_.tolist() == ["left", "right"]
    flags = model().fit(X, Y == "left")
    assert flags.classes_.tolist() == [False, True]
    assert one.targets(Y, 20, reset=False).tolist() == [0] * 8 + [1] * 12


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (X, None, "needs y"),
        (X, np.arange(20) % 3, "3 different labels; CycleGAN translates between 2"),
        (X, np.zeros(20, int), "1 different label"),
        (X, Y[:5], "a label for each of 20 rows"),
        (RNG.random((20, 5)), Y, "is a table"),
        (X[:, :, :7], Y, "at least 8 pixels"),
    ],
)
def test_what_names_no_two_domains_is_refused(x, y, words):
    with pytest.raises(InputError, match=words):
        model().fit(x, y)


def test_other_domains_than_fitted_are_refused(fitted):
    with pytest.raises(InputError, match="'middle', which was not in fit"):
        fitted.score(X, np.repeat(["left", "middle"], 10))
    with pytest.raises(InputError, match="no image of domain right"):
        model().fit(X, Y, validation=(X[:3], Y[:3]))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("cycle_weight", -1.0, "at least 0"),
        ("identity_weight", -1.0, "at least 0"),
        ("pool_size", -1, "at least 0"),
        ("receptive_field", "71", "one of"),
        ("jitter", 1.5, "at most 1"),
    ],
)
def test_bad_values_are_named(field, value, words):
    with pytest.raises(InputError, match=words):
        model(**{field: value}).fit(X, Y)


def test_it_learns_to_invert_pictures_that_are_never_paired():
    """Light discs on dark ground to dark ones on light ground; the identity is far off."""
    grid = np.stack(np.mgrid[:8, :8], axis=-1)
    far = np.linalg.norm(grid - RNG.uniform(2, 6, (72, 1, 1, 2)), axis=-1)
    discs = np.clip(3 - far, 0, 1).astype(np.float32)
    x = np.where(np.arange(48)[:, None, None] < 24, discs[:48], 1 - discs[:48])
    fields = {
        "width": 4,
        "n_blocks": 0,
        "receptive_field": "pixel",
        "identity_weight": 0.0,
        "mirror": False,
    }
    learner = model(**fields, n_epochs=12, learning_rate=3e-3).fit(x, np.arange(48) // 24)
    new = discs[48:]
    off = np.abs(learner.transform(new) - (1 - new)).mean()
    assert off < 0.5 * np.abs(new - (1 - new)).mean()
    assert learner.score(new) > -0.2


def test_a_run_shows_both_ways_and_measures_held_out_images(tmp_path):
    from PIL import Image

    learner = model(n_epochs=2)
    grey = X[:, 0]
    learner.fit(grey, Y, validation=(grey[4:], Y[4:]), run=tmp_path / "run")
    with Image.open(tmp_path / "run" / "samples" / "epoch_0002.png") as picture:
        assert picture.width > 8 * 48
        assert picture.height > 6 * 48
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert {r["split"] for r in records} == {"train", "validation", "health"}
    assert {"generators/cycle", "discriminator_b/fake_verdict"} <= set(records[-1]["values"])


def test_a_picture_shows_both_domains_their_translations_and_the_way_back():
    grey = X[:, :1]
    learnt = model().fit(grey, Y)
    for net in learnt.nets().values():
        net.eval()
    a, b = grey[:8], grey[8:16]
    with torch.no_grad():
        rows = dict(learnt.epoch_picture(torch.from_numpy(a), torch.from_numpy(b)))
    there, back = learnt.transform, learnt.inverse_transform
    expected = {
        "A": a,
        "A → B": there(a),
        "A → B → A": back(there(a)),
        "B": b,
        "B → A": back(b),
        "B → A → B": there(back(b)),
    }
    assert list(rows) == list(expected)
    for label, images in expected.items():
        np.testing.assert_allclose(rows[label], images, atol=1e-5, err_msg=label)


def test_each_discriminator_has_a_pool_of_its_own_domains_translations():
    learnt = model(pool_size=8, jitter=0.5).fit(X[4:12], Y[4:12])
    assert len(learnt.pool_a.images) == len(learnt.pool_b.images) == 8
    assert int(learnt.pool_a.n_kept) == int(learnt.pool_b.n_kept) == 4
    for net in learnt.nets().values():
        net.train()
    for pool in (learnt.pool_a, learnt.pool_b):
        pool.train()
        pool.n_kept.zero_()
    a, b = (part.float() for part in batch())
    learnt.generators_loss(a, b)
    kept = learnt._pass
    assert not torch.equal(kept.u_a, 2 * a - 1)
    learnt.discriminator_a_loss(a, b)
    assert int(learnt.pool_b.n_kept) == 0
    torch.testing.assert_close(learnt.pool_a.images[:4], kept.v_a)
    learnt.discriminator_b_loss(a, b)
    torch.testing.assert_close(learnt.pool_b.images[:4], kept.v_b)


def test_the_orders_of_the_two_domains_are_drawn_apart():
    x = np.arange(24, dtype=np.float32).reshape(24, 1, 1) / 24 + np.zeros((1, 8, 8), np.float32)
    y = np.arange(24) // 12
    a, b = model().fit(x, y).read(x, y, reset=False).batch(np.arange(12))
    in_a, in_b = (np.rint(part.reshape(12, -1)[:, 0].numpy() * 24).astype(int) for part in (a, b))
    assert sorted(in_a) == list(range(12))
    assert sorted(in_b) == list(range(12, 24))
    assert not np.array_equal(in_b - 12, in_a)
