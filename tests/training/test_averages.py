"""Averaged weights against their definition, computed one tensor at a time."""

import torch
from torch import nn

from latentia.training.state import MovingAverage


def test_the_averages_are_those_of_the_definition():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    average = MovingAverage({"net": net}, 0.9)
    expected = {name: value.clone() for name, value in net.state_dict().items()}
    trained = dict(net.named_parameters())
    for step in range(1, 30):
        with torch.no_grad():
            for weight in net.parameters():
                weight.add_(torch.randn_like(weight))
        net(torch.randn(8, 3))
        average.update(step)
        decay = min(0.9, (1 + step) / (10 + step))
        for name, value in net.state_dict().items():
            old = expected[name]
            expected[name] = old.lerp(value, 1 - decay) if name in trained else value.clone()
        assert all(torch.equal(average.averages[f"net.{n}"], v) for n, v in expected.items())


def test_a_net_without_buffers_is_averaged_too():
    net = nn.Linear(2, 2)
    average = MovingAverage({"net": net}, 0.5)
    average.update(1)
    assert torch.equal(average.averages["net.weight"], net.weight)
