"""Differentiable augmentation: what each operation may do, and that gradients flow through."""

import itertools

import numpy as np
import pytest
import torch

from latentia.models.adversarial import augmentation
from latentia.models.adversarial.augmentation import POLICIES, augment, colour, cutout, translation
from latentia.models.adversarial.gan import GAN
from latentia.training import draws

SIZE = (17, 24)  # an eighth of the sides: 2 and 3 pixels


def pictures(n, channels=3, size=SIZE):
    return torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (n, channels, *size)))


@pytest.mark.parametrize("policy", POLICIES)
def test_shapes_types_and_chance(policy):
    x = pictures(4)
    draws.seed(0)
    first = augment(x, policy)
    draws.seed(0)
    assert torch.equal(augment(x, policy), first)
    draws.seed(1)
    assert torch.equal(augment(x, policy), first) == (policy == "none")
    assert first.shape == x.shape
    assert first.dtype == x.dtype
    assert (first is x) == (policy == "none")


@pytest.mark.parametrize("policy", [policy for policy in POLICIES if policy != "none"])
def test_gradients_by_finite_differences(policy):
    def disturbed(x):
        draws.seed(3)
        return augment(x, policy)

    x = pictures(2, size=(5, 8)).requires_grad_()
    assert torch.autograd.gradcheck(disturbed, x)
    (gradient,) = torch.autograd.grad(disturbed(x).sum(), x)
    assert gradient.abs().sum() > 0


def test_all_is_each_of_them_in_turn():
    x = pictures(3)
    draws.seed(0)
    expected = cutout(translation(colour(x)))
    draws.seed(0)
    assert torch.equal(augment(x, "all"), expected)


def moved(image, down, right):
    """Return an image moved, pixel by pixel; what comes in is 0."""
    result = torch.zeros_like(image)
    height, width = image.shape[1:]
    for row, column in itertools.product(range(height), range(width)):
        if 0 <= row - down < height and 0 <= column - right < width:
            result[:, row, column] = image[:, row - down, column - right]
    return result


def test_translation_moves_by_at_most_an_eighth_and_by_every_distance():
    draws.seed(0)
    image = pictures(1)
    outcomes = translation(image.expand(400, -1, -1, -1))
    places = list(itertools.product(range(-2, 3), range(-3, 4)))
    choices = torch.stack([moved(image[0], *place) for place in places])
    hits = (outcomes[:, None] == choices[None]).flatten(2).all(2)
    assert (hits.sum(1) == 1).all()
    assert (hits.sum(0) > 0).all()  # 35 places, 400 images


def test_cutout_sets_a_rectangle_of_half_the_sides_to_zero():
    draws.seed(0)
    x = pictures(300)
    hit = (cutout(x) == 0).all(1)
    torch.testing.assert_close(cutout(x * 0 + 1)[:, 0].unique(), torch.tensor([0.0, 1]).double())
    heights, widths = hit.any(2).sum(1), hit.any(1).sum(1)
    assert torch.equal(hit, hit.any(2)[:, :, None] & hit.any(1)[:, None])  # a product: a rectangle
    for inside, side in ((hit.any(2), 17), (hit.any(1), 24)):
        edges = (inside[:, 1:] != inside[:, :-1]).sum(1)
        assert edges.max() <= 2  # in one piece
        assert inside.any(0).sum() == side  # everywhere
    assert heights.max() == 9  # 8.5, rounded up
    assert widths.max() == 12
    assert (heights == 9).float().mean() > 0.4  # the rest is cut by the border
    assert heights.min() >= 4
    draws.seed(0)
    kept = torch.where(hit[:, None], 0.0, x)
    assert torch.equal(cutout(x), kept)


def test_brightness_moves_by_at_most_a_half():
    draws.seed(0)
    shifts = colour(torch.full((2000, 3, 2, 2), 0.25)) - 0.25  # one colour: no contrast
    values = shifts.flatten(1)
    assert values.std(1).max() < 1e-6
    assert values.min() >= -0.5
    assert values.max() <= 0.5
    assert values.min() < -0.48
    assert values.max() > 0.48


def test_contrast_and_saturation_keep_their_ranges():
    draws.seed(0)
    x = pictures(1000, size=(4, 5))
    out = colour(x)

    def spread(images):
        return images.flatten(1).std(1)

    grey, grey_before = out.mean(1, keepdim=True), x.mean(1, keepdim=True)
    contrast = spread(grey) / spread(grey_before)
    assert contrast.min() >= 0.5
    assert contrast.max() <= 1.5
    assert contrast.min() < 0.51
    assert contrast.max() > 1.49
    saturation = spread(out - grey) / spread(x - grey_before) / contrast
    assert saturation.max() <= 2
    assert saturation.min() < 0.02
    assert saturation.max() > 1.98
    torch.testing.assert_close(
        (out - out.mean((1, 2, 3), keepdim=True))[:, :, 0].mean(1),
        (contrast[:, None, None, None] * (x - x.mean((1, 2, 3), keepdim=True)))[:, :, 0].mean(1),
    )


@pytest.mark.parametrize("operation", [translation, cutout])
def test_a_draw_near_one_stays_in_bounds_in_bfloat16(operation, monkeypatch):
    """0.9999 is 1 in bfloat16, as a generator under autocast gives its images."""
    monkeypatch.setattr(augmentation.draws, "uniform_like", lambda x: torch.full_like(x, 0.9999))
    x = pictures(2, size=(28, 28)).bfloat16()
    assert operation(x).dtype == torch.bfloat16


def test_the_judge_sees_real_and_fake_disturbed_and_the_generator_learns_through_it():
    X = pictures(8).float().numpy() / 2 + 0.5
    model = GAN(n_components=2, hidden=(4,), n_epochs=1, random_state=0, augmentation="cutout")
    model.fit(X)
    seen = []
    model.discriminator_.register_forward_pre_hook(lambda net, inputs: seen.append(inputs[0]))
    x = torch.from_numpy(X)
    model.discriminator_loss(x)
    model.generator_loss(x).backward()
    assert len(seen) == 3
    for shown in seen:
        assert (shown == 0).all(1).flatten(1).any(1).all()
    assert not torch.equal(seen[0] == 0, seen[1] == 0)
    assert all(p.grad.abs().sum() > 0 for p in model.generator_.parameters())
