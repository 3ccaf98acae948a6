"""DCGAN by its paper: layers, weights, losses, sizes."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from latentia.errors import InputError
from latentia.models.adversarial.dcgan import DCGAN
from latentia.nets.dcgan import (
    UpsampledConvolution,
    dcgan_weights,
    discriminator_body,
    generator,
    lecture_body,
    lecture_generator,
)
from latentia.nets.normalisation import Dropout


@pytest.mark.parametrize("size", [(8, 8), (9, 15), (28, 28), (31, 64), (64, 64), (128, 100)])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_any_size_and_channel_count(size, n_channels):
    shape = (n_channels, *size)
    z = torch.randn(2, 5)
    assert generator(shape, 5, 4)(z).shape == (2, *shape)
    for body, n_features in (discriminator_body(shape, 4), lecture_body(shape)):
        assert body(torch.zeros(2, *shape)).shape == (2, n_features)
    assert lecture_generator(shape, 5)(z).shape == (2, *shape)


def test_the_published_guidelines():
    nets = generator((3, 64, 64), 100, 64), discriminator_body((3, 64, 64), 64)[0]
    for net in nets:
        assert not any(isinstance(m, nn.Linear | nn.MaxPool2d | nn.Upsample) for m in net)
    norms = [[isinstance(m, nn.BatchNorm2d) for m in net] for net in nets]
    assert sum(norms[0]) == 4  # all but the output layer
    assert sum(norms[1]) == 3  # all but the first and the last
    assert isinstance(nets[0][-1], nn.Tanh)
    assert {m.negative_slope for m in nets[1] if isinstance(m, nn.LeakyReLU)} == {0.2}
    widths = [m.in_channels for m in nets[0] if isinstance(m, nn.ConvTranspose2d)]
    assert widths == [100, 512, 256, 128, 64]


def test_initial_weights():
    torch.manual_seed(0)
    net = generator((1, 32, 32), 100, 64).apply(dcgan_weights)
    for module in net.requires_grad_(False):
        if isinstance(module, nn.ConvTranspose2d):
            assert float(module.weight.mean()) == pytest.approx(0, abs=2e-3)
            assert float(module.weight.std()) == pytest.approx(0.02, rel=0.05)
        if isinstance(module, nn.BatchNorm2d):
            assert float(module.weight.mean()) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("chosen", "expected"), [(True, [False, True]), (False, [False, False])])
def test_the_discriminator_has_batch_norm_as_its_field_says(chosen, expected, images):
    """After every layer but the first, or nowhere; the generator keeps its own."""
    shape = (1, 16, 16)
    model = DCGAN(n_components=4, width=4, discriminator_batch_norm=chosen)
    generator_of, judge = model.make_players(shape)
    layers = list(judge.body.modules())
    convolutions = [m for m in layers if isinstance(m, nn.Conv2d)]
    norms = [isinstance(layers[layers.index(m) + 1], nn.BatchNorm2d) for m in convolutions]
    assert norms == expected
    assert any(isinstance(m, nn.BatchNorm2d) for m in generator_of)


def test_the_lectures_nets_start_from_glorots_distribution(images):
    """Uniform to √(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, eq. 16), without offsets."""
    model = DCGAN(architecture="lecture", n_components=4, n_epochs=1, learning_rate=1e-30)
    model.set_params(random_state=0).fit(images)
    for net in (model.generator_, model.discriminator_):
        layers = [m for m in net.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
        assert len(layers) == 3
        for layer in layers:
            taps = layer.weight[0, 0].numel()
            n_out, n_in = layer.weight.shape[:2]
            bound = (6 / ((n_in + n_out) * taps)) ** 0.5
            assert 0.95 * bound < float(layer.weight.detach().abs().max()) <= bound
            assert float(layer.bias.detach().abs().max()) < 1e-20


def test_the_game_is_the_papers(images):
    model = DCGAN(n_components=4, width=4, n_epochs=1, random_state=0, label_smoothing=0.9)
    model.fit(images)
    x = torch.from_numpy(images)[:, None]
    torch.manual_seed(3)
    found = model.discriminator_loss(x)
    torch.manual_seed(3)
    fake = model.generator_(torch.randn(len(x), 4))
    d_real, d_fake = (model.discriminator_(v).sigmoid().double() for v in (2 * x - 1, fake))
    expected = -(0.9 * d_real.log() + 0.1 * (1 - d_real).log() + (1 - d_fake).log()).mean()
    torch.testing.assert_close(found.total.double(), expected, rtol=1e-5, atol=1e-6)
    torch.manual_seed(3)
    torch.testing.assert_close(
        model.generator_loss(x).double(), -d_fake.log().mean(), rtol=1e-5, atol=1e-6
    )
    optimizer = model.updates()[0].make_optimizer(0.1)
    assert optimizer.defaults["lr"] == 1e-3
    assert optimizer.defaults["betas"] == (0.5, 0.999)


@pytest.mark.parametrize("side", [1, 3, 5, 7])
def test_upsampling_and_convolution_in_one(side):
    torch.manual_seed(0)
    layer = UpsampledConvolution(3, 4, side).double()
    x = torch.randn(2, 3, 5, 6, dtype=torch.float64, requires_grad=True)
    large = functional.interpolate(x, scale_factor=2)
    expected = functional.conv2d(large, layer.weight, layer.bias, padding=side // 2)
    weights = torch.randn_like(expected)
    moved = [x, layer.weight, layer.bias]
    torch.testing.assert_close(layer(x), expected)
    for found, plain in zip(
        torch.autograd.grad((layer(x) * weights).sum(), moved),
        torch.autograd.grad((expected * weights).sum(), moved),
        strict=True,
    ):
        torch.testing.assert_close(found, plain)


def test_the_lectures_upsampling_is_merged_where_sizes_double():
    merged = [isinstance(m, UpsampledConvolution) for m in lecture_generator((1, 28, 28), 5)]
    assert sum(merged) == 2
    odd = lecture_generator((1, 30, 30), 5)
    assert sum(isinstance(m, nn.Upsample) for m in odd) == 1


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_dropout_zeroes_its_share_and_keeps_the_mean(layout):
    torch.manual_seed(0)
    x = torch.ones(200, 3, 5, 7).to(memory_format=layout)
    layer = Dropout(0.3)
    dropped = layer(x)
    assert float((dropped == 0).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.01)
    assert len(dropped.unique()) == 2
    assert torch.equal(layer.eval()(x), x)


@pytest.mark.parametrize(
    ("shape", "words"),
    [((9, 4), "images"), ((9, 7, 8), "8 to 256"), ((9, 8, 257), "8")],
)
def test_what_it_cannot_learn(shape, words):
    X = np.indices(shape).sum(0) % 2.0
    with pytest.raises(InputError, match=words):
        DCGAN().fit(X)


def test_the_lectures_nets_end_at_128_pixels():
    model = DCGAN(architecture="lecture", n_epochs=1)
    with pytest.raises(InputError, match=r"up to 128 pixels; these are \(8, 129\): take 'radford'"):
        model.fit(np.indices((9, 8, 129)).sum(0) % 2.0)
    assert model.set_params(n_components=1).make_players((1, 8, 128))


@pytest.mark.parametrize(
    ("size", "depth", "n_weights"),
    [
        ((64, 64), 4, 6.3e6),
        ((128, 128), 5, 14.7e6),
        ((256, 256), 6, 23.1e6),
        ((256, 64), 6, 22.5e6),
    ],
)
def test_each_doubling_is_a_layer_and_widths_end_at_the_papers(size, depth, n_weights):
    """Radford et al. 2016, figure 1: 4×4×1024 to 32×32×128 for 64 pixels, so 8 widths at most."""
    with torch.device("meta"):
        net = generator((3, *size), 100, 64)
        body, n_features = discriminator_body((3, *size), 64)
        made = body(torch.empty(2, 3, *size))
    ups = [m for m in net if isinstance(m, nn.ConvTranspose2d)]
    downs = [m for m in body if isinstance(m, nn.Conv2d)]
    assert [m.out_channels for m in downs] == [64, 128, 256, 512, 512, 512][:depth]
    assert [m.in_channels for m in ups[1:]] == [m.out_channels for m in downs][::-1]
    assert made.shape == (2, n_features)
    found = sum(p.numel() for p in (*net.parameters(), *body.parameters()))
    assert found == pytest.approx(n_weights, rel=0.02)
