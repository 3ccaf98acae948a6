"""SRResNet's net, its discriminator, the feature networks: shapes, definitions, reach."""

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from latentia.data.degrade import degraded, enlarged
from latentia.errors import InputError
from latentia.nets import features
from latentia.nets.srresnet import (
    SubPixelConvolution,
    Upscaler,
    bicubic_degradation,
    bicubic_interpolation,
    srgan_discriminator,
)

RNG = np.random.default_rng(0)


def images(*shape):
    return torch.from_numpy(0.2 + 0.6 * RNG.random(shape, dtype=np.float32))


@pytest.mark.parametrize("r", [2, 3])
def test_sub_pixel_convolution_is_its_definition(r):
    """y[c, ri + a, rj + b] = conv(x)[r²c + ra + b, i, j]  (Shi et al. 2016, eq. 4)."""
    layer, x = SubPixelConvolution(3, r), images(2, 3, 4, 5)
    nn.init.normal_(layer[0].weight)
    t, y = layer[0](x), layer[1](layer[0](x))
    assert y.shape == (2, 3, 4 * r, 5 * r)
    for c in range(3):
        for a in range(r):
            for b in range(r):
                assert torch.equal(y[:, c, a::r, b::r], t[:, r * r * c + r * a + b])
    assert torch.equal(layer(x), layer[2](y))


@pytest.mark.parametrize("scale", [2, 3, 4, 6, 8])
def test_an_untrained_net_repeats_pixels(scale):
    """Without a lattice: before its last layer all pixels of one small pixel are equal."""
    net, x = Upscaler(3, scale, n_blocks=1, width=4), images(2, 3, 5, 6)
    layer, u = net.tail[0], net.body(net.head(x))
    first = layer[1](layer[0](u))
    r = first.shape[2] // 5
    assert torch.equal(first, first[..., ::r, ::r].repeat_interleave(r, 2).repeat_interleave(r, 3))
    assert first.std() > 0.01
    # The last sub-pixel layer repeats what it is given, which the 3×3 kernels before it blended.
    last = net.tail[:-1](u)
    q = 3 if scale % 3 == 0 else 2
    assert last.shape[2:] == (5 * scale, 6 * scale)
    assert torch.equal(last, last[..., ::q, ::q].repeat_interleave(q, 2).repeat_interleave(q, 3))


def test_kernels_begin_with_the_spread_of_torchs():
    torch.manual_seed(0)
    found, wanted = (
        c.weight.detach() for c in (SubPixelConvolution(32, 3)[0], nn.Conv2d(32, 288, 3))
    )
    assert float(found.std()) == pytest.approx(float(wanted.std()), rel=0.03)


@pytest.mark.parametrize(("scale", "steps"), [(2, [2]), (4, [2, 2]), (6, [2, 3]), (8, [2, 2, 2])])
def test_the_papers_net_has_its_layers(scale, steps):
    """Figure 4: k9n64, 16 blocks of two k3n64, k3n64, k3n64r² for each factor r, k9n3."""
    net = Upscaler(3, scale)
    convolutions = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d)]
    kinds = [(layer.kernel_size[0], layer.out_channels) for layer in convolutions]
    assert kinds == [(9, 64)] + [(3, 64)] * 33 + [(3, 64 * r * r) for r in steps] + [(9, 3)]
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in net.modules()) == 33
    assert sum(isinstance(layer, nn.PReLU) for layer in net.modules()) == 17 + len(steps)
    plain = Upscaler(3, scale, batch_norm=False)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in plain.modules())


@pytest.mark.parametrize("scale", [2, 3, 4, 6, 8])
def test_interpolation_and_degradation_are_those_of_arrays(scale):
    x = images(2, 3, 24, 48)
    np.testing.assert_allclose(
        bicubic_interpolation(x, scale).numpy(), enlarged(x.numpy(), scale), atol=4e-6
    )
    small = bicubic_degradation(x, scale).numpy()
    np.testing.assert_allclose(small, degraded(x.numpy(), scale), atol=0.501 / 255)
    np.testing.assert_allclose(small * 255, np.rint(small * 255), atol=1e-4)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_training_sees_what_degraded_gives(scale):
    """But for values half-way between two levels, where the last bit of a float decides."""
    x = RNG.integers(0, 256, (4, 3, 48, 48), dtype=np.uint8)
    seen = 255 * bicubic_degradation(torch.from_numpy(x / np.float32(255)), scale).numpy()
    exact = 255 * degraded(x / np.float32(255), scale)
    decided = np.abs(exact % 1 - 0.5) > 1e-3
    assert decided.mean() > 0.99
    np.testing.assert_array_equal(np.rint(seen)[decided], degraded(x, scale)[decided])


def test_beside_interpolation_the_net_begins_as_it():
    x = images(2, 1, 6, 7)
    net = Upscaler(1, 4, n_blocks=1, width=4, bicubic=True)
    assert torch.equal(net(x), bicubic_interpolation(x, 4))
    assert not torch.allclose(
        Upscaler(1, 4, n_blocks=1, width=4)(x), bicubic_interpolation(x, 4), atol=0.1
    )


@pytest.mark.parametrize(
    ("scale", "n_blocks", "reach"),
    [(2, 1, 10), (3, 1, 10), (4, 1, 10), (4, 2, 12), (6, 1, 10), (8, 1, 10)],
)
def test_reach_is_the_farthest_pixel_with_a_gradient(scale, n_blocks, reach):
    net = Upscaler(1, scale, n_blocks, width=2, batch_norm=False, bicubic=True).double().eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.full_like(parameter, 0.1))
    side = 2 * reach + 9
    x = torch.full((1, 1, 1, side), 0.5, dtype=torch.float64, requires_grad=True)
    middle = side // 2
    y = net(x.expand(1, 1, side, side))[0, 0, scale * middle, :]
    farthest = 0
    for phase in range(scale):
        (gradient,) = torch.autograd.grad(y[scale * middle + phase], x, retain_graph=True)
        seen = gradient[0, 0, 0].nonzero()[:, 0]
        farthest = max(farthest, int((seen - middle).abs().max()))
    assert farthest <= net.reach <= reach
    assert farthest >= net.reach - 1


@pytest.mark.parametrize("size", [(8, 8), (17, 24), (96, 96)])
def test_the_discriminator_takes_any_size(size):
    net = srgan_discriminator((3, *size), width=2)
    assert net(images(2, 3, *size)).shape == (2, 1)


def test_the_papers_discriminator_has_its_layers():
    net = srgan_discriminator((3, 96, 96))
    convolutions = [layer for layer in net if isinstance(layer, nn.Conv2d)]
    assert [(c.out_channels, c.stride[0]) for c in convolutions] == [
        (n, s) for n in (64, 128, 256, 512) for s in (1, 2)
    ]
    assert [layer.out_features for layer in net if isinstance(layer, nn.Linear)] == [1024, 1]
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in net) == 7


def weights_of(layers):
    return {f"features.{key}": value for key, value in layers.state_dict().items()}


@pytest.mark.parametrize("kind", ["safetensors", "npz"])
@pytest.mark.parametrize(
    ("layers", "name", "places"),
    [
        (features.squeezenet_layers, "SqueezeNet 1.0 fire8", 5),
        (features.vgg19_layers, "VGG54", 3),
    ],
)
def test_feature_networks_are_told_apart_by_their_keys(kind, layers, name, places, tmp_path):
    torch.manual_seed(0)
    tensors = weights_of(layers())
    path = tmp_path / f"weights.{kind}"
    if kind == "npz":
        np.savez(path, **{key: value.numpy() for key, value in tensors.items()})
    else:
        safetensors.torch.save_file(tensors, path)
    found = features.load_features(path)
    assert found.name == name
    x = images(1, 3, 48, 48)
    assert found(x).shape == (1, 512, places, places)
    assert not any(p.requires_grad for p in found.net.parameters())
    grey = images(1, 1, 48, 48)
    assert torch.equal(found(grey), found(grey.expand(1, 3, 48, 48)))


def test_features_see_images_as_their_nets_were_trained():
    torch.manual_seed(0)
    layers, x = features.squeezenet_layers(), images(1, 3, 40, 40)
    tensors = weights_of(layers)
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    deviation = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    for inputs, u in (("bytes", 255 * (x - mean)), ("standardised", (x - mean) / deviation)):
        found = features.squeezenet(tensors, inputs)(x)
        torch.testing.assert_close(found, features.SQUEEZENET_FACTOR * layers(u))


def test_files_that_hold_no_feature_network_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        features.load_features(tmp_path / "absent.npz")
    with pytest.raises(InputError, match="no known kind"):
        features.load_features(tmp_path / "weights.pth")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(InputError, match="neither SqueezeNet"):
        features.load_features(tmp_path / "other.npz")
    np.savez(tmp_path / "objects.npz", a=np.array([{}], dtype=object))
    with pytest.raises(InputError, match="cannot be read"):
        features.load_features(tmp_path / "objects.npz")
    tensors = weights_of(features.squeezenet_layers())
    with pytest.raises(InputError, match=r"features.0.weight is missing"):
        features.squeezenet({k: v for k, v in tensors.items() if k != "features.0.weight"})
