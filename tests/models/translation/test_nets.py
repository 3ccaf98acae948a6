"""The U-Net's and PatchGAN's shapes, layers and receptive fields."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import instance_norm

from latentia.errors import InputError
from latentia.models.translation import exported
from latentia.models.translation.cyclegan import CycleGAN
from latentia.models.translation.pix2pix import Pix2Pix
from latentia.nets.normalisation import NORMS, BatchNorm, Dropout, InstanceNorm
from latentia.nets.patchgan import (
    halvings_of,
    patch_discriminator,
    patch_gan,
    patch_layers,
    pixel_gan,
    receptive_field,
)
from latentia.nets.small_images import Doubling, Halving
from latentia.nets.unet import UNet, isola_weights, reflection_margins, unet_depth
from latentia.training.draws import seed


def unet(size, n_in=3, n_out=1, width=2, norm="instance", dropout=0.5):
    return UNet(n_in, n_out, width, unet_depth(size), norm, dropout)


@pytest.mark.parametrize("size", [(8, 8), (9, 11), (13, 40), (28, 28), (64, 50), (33, 70)])
@pytest.mark.parametrize(("n_in", "n_out"), [(1, 3), (4, 2)])
def test_any_size_and_channels_come_out_as_they_went_in(size, n_in, n_out):
    net = unet(size, n_in, n_out).eval()
    y = net(torch.rand(2, n_in, *size))
    assert y.shape == (2, n_out, *size)
    assert y.abs().max() < 1


def test_the_papers_net_has_its_layers_and_number_of_weights():
    """U-Net 256 of 64 filters; a public copy has 54,413,955 weights, without two layers' biases."""
    net = UNet(3, 3, 64, unet_depth((256, 256)), "batch", 0.5)
    assert sum(p.numel() for p in net.parameters()) == 54_413_955 + 64 + 512
    down = [layer[0].out_channels for layer in net.down]
    assert down == [64, 128, 256, 512, 512, 512, 512, 512]
    up = [(layer[0].in_channels, layer[0].out_channels) for layer in net.up]
    paper = [(512, 512), (1024, 512), (1024, 512), (1024, 512), (1024, 256), (512, 128), (256, 64)]
    assert up == paper
    assert [any(isinstance(m, Dropout) for m in layer) for layer in net.up] == [True] * 3 + [
        False
    ] * 4
    assert len(net.down[0]) == len(net.down[-1]) == 1


def test_nothing_before_a_norm_has_a_bias_and_everything_else_has():
    for net in (unet((32, 32), norm="batch"), patch_gan(4, 2, 3), pixel_gan(4, 2)):
        layers = [m for m in net.modules() if not list(m.children()) or isinstance(m, BatchNorm)]
        for layer, following in zip(layers, [*layers[1:], None], strict=True):
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                assert (layer.bias is None) == isinstance(following, BatchNorm)


def test_layer_norm_is_its_sum_and_keeps_what_tells_channels_apart():
    torch.manual_seed(0)
    x = torch.rand(3, 4, 5, 6, dtype=torch.double) * torch.tensor([1.0, 2, 3, 4])[:, None, None]
    net = NORMS["layer"](4).double()
    centred = x - x.mean((1, 2, 3), keepdim=True)
    expected = centred / (centred.square().mean((1, 2, 3), keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(net(x), expected)
    torch.testing.assert_close(net(x)[1:2], net(x[1:2]))
    assert (net(x).mean((2, 3)).diff(dim=1) > 0).all()
    assert NORMS["instance"](4).double()(x).mean((2, 3)).abs().max() < 1e-6


def test_skips_carry_every_layer():
    """Without its skip a decoder layer would see half as much; each skip changes the output."""
    torch.manual_seed(0)
    net, x = unet((32, 32)).eval(), torch.rand(1, 3, 32, 32)
    whole = net(x)
    for layer in net.down[:-1]:
        handle = layer.register_forward_hook(lambda module, given, out: out.clone())
        assert torch.equal(net(x), whole)
        handle.remove()
    for level in range(len(net.up)):
        up = net.up[level]
        handle = up.register_forward_hook(lambda module, given, out: torch.zeros_like(out))
        assert not torch.equal(net(x), whole)
        handle.remove()


@pytest.mark.parametrize(("n_resized", "even"), [(0, False), (1, False), (4, True)])
def test_repeated_pixels_draw_no_lattice_on_even_ground(n_resized, even):
    """The outermost layer, transposed, alternates from pixel to pixel; all others may not."""
    torch.manual_seed(0)
    net = UNet(3, 1, 4, 5, "layer", 0.0, n_resized).eval()
    with torch.no_grad():
        y = net(torch.full((1, 3, 256, 256), 0.3))[0, 0, 96:160, 96:160]
    cells = y.reshape(32, 2, 32, 2)
    assert bool((cells - cells[:1, :, :1]).abs().max() < 1e-6) == even


def test_dropout_is_noise_in_training_alone():
    net, x = unet((32, 32)), torch.rand(1, 3, 32, 32)
    seed(0)
    one, other = net(x), net(x)
    assert not torch.equal(one, other)
    net.eval()
    assert torch.equal(net(x), net(x))


def test_an_image_that_halves_evenly_is_not_padded_and_others_are_reflected():
    assert reflection_margins((64, 32), 32) == (0, 0, 0, 0)
    assert reflection_margins((30, 33), 16) == (7, 8, 1, 1)
    left, right, top, bottom = reflection_margins((9, 21), 8)
    assert (9 + top + bottom) % 8 == (21 + left + right) % 8 == 0
    net = unet((9, 21)).eval()
    seen = []
    net.down[0].register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    x = torch.rand(1, 3, 9, 21)
    net(x)
    expected = np.pad(x[0, 0].numpy(), ((top, bottom), (left, right)), mode="reflect")
    np.testing.assert_array_equal(seen[0][0, 0].numpy(), expected)


def test_weights_have_the_papers_spread():
    torch.manual_seed(0)
    net = unet((64, 64), width=16)
    net.apply(isola_weights)
    for name, parameter in net.named_parameters():
        if parameter.ndim > 1 and parameter.numel() > 1e4:
            assert abs(float(parameter.detach().std()) - 0.02) < 0.001, name
            assert abs(float(parameter.detach().mean())) < 0.001
        if name.endswith("bias"):
            assert (parameter == 0).all()
    scales = torch.cat([m.weight.detach() for m in net.modules() if isinstance(m, InstanceNorm)])
    assert abs(float(scales.mean()) - 1) < 0.01
    assert 0.01 < float(scales.std()) < 0.03


def output_and_gradients(layer, x):
    """Return a layer's output, and a weighted sum's gradients by its input, weight and bias."""
    given = x.clone().requires_grad_()
    y = layer(given)
    (y * torch.linspace(-1, 1, y.numel(), dtype=y.dtype).reshape(y.shape)).sum().backward()
    return y, given.grad, layer.weight.grad, layer.bias.grad


@pytest.mark.parametrize("shape", [(3, 5, 7, 6), (1, 5, 4, 4), (2, 5, 1, 1), (0, 5, 3, 3)])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_instance_norm_is_torchs_group_norm(shape, layout):
    torch.manual_seed(0)
    ours, theirs = InstanceNorm(5).double(), nn.GroupNorm(5, 5).double()
    nn.init.normal_(ours.weight)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(shape, dtype=torch.float64).contiguous(memory_format=layout)
    results = [output_and_gradients(layer, x) for layer in (ours, theirs)]
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b)
    if len(x) > 0:
        assert results[0][0].is_contiguous(memory_format=layout)
    if len(x) > 0 and x[0, 0].numel() > 1:
        peer = instance_norm(x, weight=ours.weight, bias=ours.bias)
        torch.testing.assert_close(results[0][0], peer)


def test_instance_norm_can_be_differentiated_twice():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(InstanceNorm(3).double(), x)


def test_instance_norm_of_an_image_does_not_depend_on_others():
    torch.manual_seed(0)
    x, norm = torch.randn(3, 4, 5, 5), InstanceNorm(4)
    assert torch.equal(norm(x)[1:2], norm(x[1:2]))


@pytest.mark.parametrize(("ours", "theirs"), [(Halving, nn.Conv2d), (Doubling, nn.ConvTranspose2d)])
@pytest.mark.parametrize("size", [(2, 2), (4, 8), (8, 2), (8, 16)])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_products_on_small_images_are_torchs_convolutions(ours, theirs, size, layout):
    torch.manual_seed(0)
    one = ours(3, 5, bias=True).double().to(memory_format=layout)
    other = theirs(3, 5, 4, 2, 1).double()
    other.load_state_dict(one.state_dict())
    x = torch.randn(2, 3, *size, dtype=torch.float64).contiguous(memory_format=layout)
    results = [output_and_gradients(layer, x) for layer in (one, other)]
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


def touched(net, n_channels, side):
    """Return the sides of the region of the input that one verdict in the middle depends on."""
    x = torch.rand(1, n_channels, side, side, requires_grad=True)
    verdicts = net(x)
    middle = verdicts.shape[-1] // 2
    verdicts[0, 0, middle, middle].backward()
    rows, columns = np.nonzero(x.grad[0].abs().sum(0).numpy())
    return np.ptp(rows) + 1, np.ptp(columns) + 1


class Identity(nn.Module):
    """In the norms' place: a norm of a whole image lets each verdict see all of it."""

    def __init__(self, width):
        super().__init__()

    def forward(self, x):
        return x


@pytest.mark.parametrize(("n_halvings", "side"), [(1, 16), (2, 34), (3, 70), (4, 142)])
def test_the_receptive_field_is_what_gradients_reach(n_halvings, side, monkeypatch):
    monkeypatch.setattr("latentia.nets.patchgan.NORMS", {"batch": Identity})
    torch.manual_seed(0)
    net = patch_gan(2, 2, n_halvings)
    assert receptive_field(patch_layers(n_halvings)) == side
    assert touched(net, 2, side + 2 * 2**n_halvings + 60) == (side, side)


def test_a_pixels_verdict_sees_that_pixel(monkeypatch):
    monkeypatch.setattr("latentia.nets.patchgan.NORMS", {"batch": Identity})
    assert touched(pixel_gan(3, 2), 3, 9) == (1, 1)


def test_the_papers_discriminator_gives_30_by_30_verdicts():
    net = patch_gan(6, 64, 3)
    assert sum(p.numel() for p in net.parameters()) == 2_768_705
    assert net(torch.rand(1, 6, 256, 256)).shape == (1, 1, 30, 30)


@pytest.mark.parametrize("side", [8, 9, 16, 28, 33, 64, 71, 128, 256])
def test_the_whole_image_is_seen_and_auto_is_never_larger_than_that(side):
    whole, auto = (halvings_of(patch, (side, side)) for patch in ("image", "auto"))
    assert receptive_field(patch_layers(whole)) >= side
    assert whole == 1 or receptive_field(patch_layers(whole - 1)) < side
    assert auto == min(3, whole)
    assert min(patch_gan(2, 2, auto)(torch.rand(1, 2, side, side)).shape[2:]) >= 1


def test_patches_larger_than_the_image_are_refused():
    patch_discriminator("70", 1, 1, (24, 24), "batch")
    with pytest.raises(InputError, match="at least 24 pixels"):
        patch_discriminator("70", 1, 1, (23, 40), "batch")


@pytest.mark.parametrize("kind", [Pix2Pix, CycleGAN])
def test_every_net_of_a_translator_begins_with_the_papers_weights(kind):
    x = np.random.default_rng(0).random((4, 1, 16, 16), dtype=np.float32)
    model = kind(width=8, n_epochs=1, batch_size=2, learning_rate=1e-12, random_state=0)
    model.fit(x, x[::-1].copy() if kind is Pix2Pix else [0, 1, 0, 1])
    learnt = [dict(net.named_parameters()) for net in model.nets().values()]
    learnt = [parameters for parameters in learnt if parameters]
    assert len(learnt) == (2 if kind is Pix2Pix else 4)
    for parameters in learnt:
        kernels = torch.cat([p.detach().flatten() for p in parameters.values() if p.ndim > 1])
        assert float(kernels.mean()) == pytest.approx(0, abs=2e-3)
        assert float(kernels.std()) == pytest.approx(0.02, rel=0.05)
        for name, parameter in parameters.items():
            if parameter.ndim == 1:
                centre, spread = (0.0, 0.0) if name.endswith("bias") else (1.0, 0.02)
                away = parameter.detach() - centre
                assert float(away.abs().max()) <= 5 * spread + 1e-9, name
                assert bool(away.abs().max() > 1e-4) == (spread > 0), name


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize(("logits", "name"), [(True, "probability"), (False, "score")])
def test_a_critic_is_exported_in_the_precision_of_its_net(monkeypatch, kind, logits, name):
    monkeypatch.setattr(exported, "into_nets", lambda model, images, shape: images)
    shape = (1, 6, 5)
    model = SimpleNamespace(data_shape_=shape, output_shape_=shape)
    seen = [SimpleNamespace(name=name, shape=shape) for name in "xy"]
    critic = exported.critic("critic", model, nn.Conv2d(2, 1, 3).to(kind), seen, logits)
    (found,) = critic.outputs
    assert (found.name, found.shape) == (name, (4, 3))
