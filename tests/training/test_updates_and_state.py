"""Optimisers as updates make them, and the state that they are part of."""

from functools import partial

import pytest
import torch
from torch import nn

from latentia.training.state import TrainingState
from latentia.training.updates import Update, adam, rmsprop, sgd


def nets():
    torch.manual_seed(0)
    return {"a": nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)), "b": nn.Linear(3, 1)}


def states(make=None, ema_decay=0.9):
    made = nets()
    loss = made["b"].forward
    update = Update("both", loss, list(made.values()), optimizer=make)
    return made, TrainingState(made, [update], 0.25, ema_decay)


def stepped(made, state, n_steps=3):
    draw = torch.Generator().manual_seed(1)
    for _ in range(n_steps):
        x = torch.randn(5, 2, generator=draw)
        state.optimizers["both"].zero_grad()
        made["b"](made["a"](x)).square().mean().backward()
        state.optimizers["both"].step()
        state.step += 1
        if state.average is not None:
            state.average.update(state.step)


@pytest.mark.parametrize(
    ("make", "kind", "settings"),
    [
        (None, torch.optim.Adam, {"lr": 0.25, "betas": (0.9, 0.999), "eps": 1e-8}),
        (
            partial(adam, learning_rate=0.1, betas=(0.5, 0.9), epsilon=1e-4),
            torch.optim.Adam,
            {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-4, "weight_decay": 0},
        ),
        (partial(sgd, learning_rate=0.1), torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
        (
            partial(sgd, learning_rate=0.1, momentum=0.2),
            torch.optim.SGD,
            {"lr": 0.1, "momentum": 0.2, "nesterov": False},
        ),
        (
            partial(rmsprop, learning_rate=0.1),
            torch.optim.RMSprop,
            {"lr": 0.1, "alpha": 0.99, "momentum": 0},
        ),
    ],
)
def test_an_updates_optimiser_has_its_settings_and_moves_all_its_nets(make, kind, settings):
    made, state = states(make)
    optimizer = state.optimizers["both"]
    assert isinstance(optimizer, kind)
    (group,) = optimizer.param_groups
    assert {name: group[name] for name in settings} == settings
    expected = [p for net in made.values() for p in net.parameters()]
    assert [id(p) for p in group["params"]] == [id(p) for p in expected]
    assert [id(p) for p in state.parameters["both"]] == [id(p) for p in expected]


def test_rates_are_scaled_from_those_at_the_beginning_each_group_by_its_own():
    def make(parameters):
        groups = [{"params": parameters[:2], "lr": 0.5}, {"params": parameters[2:], "lr": 2.0}]
        return torch.optim.SGD(groups, lr=1.0)

    _, state = states(make)
    for factor in (0.5, 0.1, 1.0):
        state.scale_learning_rate("both", factor)
        rates = [group["lr"] for group in state.optimizers["both"].param_groups]
        assert rates == pytest.approx([0.5 * factor, 2.0 * factor])


@pytest.mark.parametrize(
    "make", [None, partial(sgd, learning_rate=0.1), partial(rmsprop, learning_rate=0.1)]
)
@pytest.mark.parametrize("ema_decay", [None, 0.9])
def test_a_restored_state_goes_on_as_the_first(make, ema_decay):
    made, state = states(make, ema_decay)
    stepped(made, state)
    state.best_score, state.sums, state.n_summed, state.seconds = 1.5, {"both": 2.0}, 2, 3.25
    state.best_epoch, state.ended = 2, "tired"
    kept = {name: value.clone() for name, value in state.tensors().items()}
    counters = state.counters()
    assert counters == {
        "step": 3,
        "best_score": 1.5,
        "sums": {"both": 2.0},
        "seconds": 3.25,
        "best_epoch": 2,
        "ended": "tired",
        "n_summed": 2,
    }
    others, other = states(make, ema_decay)
    other.restore(kept, counters)
    assert other.counters() == counters
    for pair in ((made, state), (others, other)):
        stepped(*pair, n_steps=2)
    ends = [each.tensors() for each in (state, other)]
    assert set(ends[0]) == set(ends[1])
    assert any(name.startswith("optimizers/both/") for name in ends[0])
    assert any(name.startswith("average/") for name in ends[0]) == (ema_decay is not None)
    for name, value in ends[0].items():
        assert torch.equal(value, ends[1][name]), name


def test_averages_are_in_the_nets_within_the_block_alone_also_when_it_breaks_off():
    made, state = states()
    stepped(made, state)
    before = {f"{n}.{k}": v.clone() for n, net in made.items() for k, v in net.state_dict().items()}

    def held():
        return {f"{n}.{k}": v for n, net in made.items() for k, v in net.state_dict().items()}

    def broken_off():
        with state.average.applied():
            for name, value in held().items():
                assert torch.equal(value, state.average.averages[name])
            assert not torch.equal(held()["b.weight"], before["b.weight"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    for name, value in held().items():
        assert torch.equal(value, before[name])
