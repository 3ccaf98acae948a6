"""The lean Adam against torch's own."""

import torch
from torch import nn

from latentia.adam import Adam


def moved(make, n_steps=7):
    """Return weights after some steps, one of them never with a gradient, and the optimiser."""
    torch.manual_seed(0)
    weights = [nn.Parameter(torch.randn(size)) for size in ((5, 3), (5,), (2, 2))]
    optimizer = make(weights)
    for _ in range(n_steps):
        optimizer.zero_grad()
        for w in weights[:2]:
            w.grad = torch.randn_like(w)
        optimizer.step()
    return weights, optimizer


def ours(weights):
    return Adam(weights, 0.01, (0.5, 0.99), 1e-4)


def test_the_bits_are_those_of_torchs_fused_adam():
    def theirs(weights):
        return torch.optim.Adam(weights, lr=0.01, betas=(0.5, 0.99), eps=1e-4, fused=True)

    (mine, optimizer), (expected, reference) = moved(ours), moved(theirs)
    assert all(torch.equal(a, b) for a, b in zip(mine, expected))
    found = optimizer.state_dict()["state"]
    for index, slots in reference.state_dict()["state"].items():
        assert all(torch.equal(found[index][name], value) for name, value in slots.items())


def test_it_agrees_with_the_algorithm_box():
    w = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = Adam([w], 0.1, (0.9, 0.999), 1e-8)
    weight, m, v = 1.0, 0.0, 0.0
    for t in range(1, 6):
        g = 2 * weight
        w.grad = torch.tensor([g], dtype=torch.float64)
        optimizer.step()
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        weight -= 0.1 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8)
        torch.testing.assert_close(float(w.detach()), weight)


def test_its_state_comes_back():
    _, optimizer = moved(ours)
    fresh = ours([nn.Parameter(w.detach().clone()) for w in optimizer.parameters])
    fresh.load_state_dict(optimizer.state_dict())
    for one in (optimizer, fresh):
        for w in one.parameters[:2]:
            w.grad = torch.ones_like(w)
        one.step()
    assert all(torch.equal(a, b) for a, b in zip(optimizer.parameters, fresh.parameters))
    assert fresh.t == 8
