"""Filters, strides and pooling against torch; maps against a net walked layer by layer."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, conv2d, max_pool2d

import latentia
from latentia.errors import InputError
from latentia.nets.autoencoder import conv_encoder
from latentia.theory.convolution import KERNELS, filtered, output_size, pooled
from latentia.theory.filters import feature_maps, first_filters

X = np.random.default_rng(0).random((3, 11, 13))


def tensor(values):
    return torch.from_numpy(np.asarray(values))[..., None, :, :].double()


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (1, 1), (2, 1), (3, 2)])
@pytest.mark.parametrize("name", KERNELS)
def test_filters_as_torch_has_them(name, stride, padding):
    kernel = KERNELS[name]
    wanted = conv2d(tensor(X), tensor(kernel[None]), stride=stride, padding=padding)[:, 0].numpy()
    found = filtered(X, kernel, stride, padding)
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    sizes = (output_size(side, 3, stride, padding) for side in (11, 13))
    assert found.shape[1:] == tuple(sizes)


def test_pooling_as_torch_has_it():
    np.testing.assert_allclose(pooled(X, 3), max_pool2d(tensor(X), 3)[:, 0].numpy())
    np.testing.assert_allclose(pooled(X, 2, "mean"), avg_pool2d(tensor(X), 2)[:, 0].numpy())


def test_what_filters_made_by_hand_are_for():
    flat, ramp = np.full((1, 9, 9), 0.7), np.arange(9.0)[None, None].repeat(9, axis=1)
    inside = (0, slice(1, -1), slice(1, -1))
    for name in ("identity", "mean", "Gaussian", "sharpen"):
        np.testing.assert_allclose(filtered(flat, KERNELS[name])[inside], 0.7)
    for name in ("Sobel x", "Sobel y", "Laplace"):
        np.testing.assert_allclose(filtered(flat, KERNELS[name])[inside], 0, atol=1e-12)
    np.testing.assert_allclose(filtered(ramp, KERNELS["Sobel x"])[inside], 2)
    np.testing.assert_allclose(filtered(ramp, KERNELS["Sobel y"])[inside], 0)


def test_what_does_not_fit():
    with pytest.raises(InputError, match="a kernel of 12 does not fit into 11"):
        filtered(X, np.ones((12, 12)), padding=0)
    with pytest.raises(InputError, match="stride is 0"):
        output_size(5, 3, stride=0)
    with pytest.raises(InputError, match="kind is 'least'"):
        pooled(X, kind="least")


def test_maps_are_what_a_walk_through_the_layers_gives():
    torch.manual_seed(0)
    net = conv_encoder((1, 11, 13), (4, 6), (5,), 3)
    for _ in range(3):
        net(torch.rand(8, 1, 11, 13))
    found = feature_maps(net, X)
    assert [f.name for f in found] == [f"convolution {i}, 3×3, stride 2" for i in (1, 2)]
    h = tensor(X).float()
    wanted = []
    for layer in net.eval():
        h = layer(h)
        if isinstance(layer, nn.ReLU) and h.ndim == 4:
            wanted.append(h.detach().numpy())
    for layer, maps in zip(found, wanted, strict=True):
        np.testing.assert_allclose(layer.maps, maps, atol=1e-6)
    np.testing.assert_array_equal(first_filters(net), net[0].weight.detach().numpy())


def test_the_net_is_left_as_it_was():
    net = conv_encoder((1, 11, 13), (4, 6), (5,), 3).train()
    before = [value.clone() for value in net.state_dict().values()]
    feature_maps(net, X)
    assert net.training
    assert all(map(torch.equal, before, net.state_dict().values()))
    assert not any(layer._forward_hooks for layer in net.modules())


@pytest.mark.parametrize("training", [True, False])
def test_the_net_keeps_its_mode(training):
    net = conv_encoder((1, 11, 13), (4, 6), (5,), 3).train(training)
    feature_maps(net, X)
    assert {layer.training for layer in net.modules()} == {training}


def test_a_translators_net_has_maps_too():
    net = latentia.Pix2Pix(width=4, n_epochs=1, random_state=0).fit(X, X).generator_
    sizes = [layer.maps.shape[2] for layer in feature_maps(net, X)]
    assert sizes[:3] == [8, 4, 2]


def test_a_net_without_convolutions_has_no_maps():
    net = nn.Sequential(nn.Flatten(), nn.Linear(143, 2))
    for ask in (lambda: feature_maps(net, X), lambda: first_filters(net)):
        with pytest.raises(InputError, match="no convolutions"):
            ask()
