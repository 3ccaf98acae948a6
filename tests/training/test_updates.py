"""Optimisers as updates make them, beside torch's plain loops."""

import pytest
import torch
from torch import nn

from latentia.training.updates import adam

LAYOUTS = (torch.contiguous_format, torch.channels_last)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(8, 6, 4, 4), (5, 1, 3, 3), (7, 3, 1, 1), (4, 9)])
def test_adam_is_the_plain_loop_in_every_layout(shape, layout):
    draw = torch.Generator().manual_seed(0)
    begin, *gradients = (torch.randn(shape, generator=draw) for _ in range(5))
    laid = {"memory_format": layout} if len(shape) == 4 else {}
    ends = []
    for make in (lambda p: adam(p, 1e-2), lambda p: torch.optim.Adam(p, lr=1e-2, foreach=False)):
        weight = nn.Parameter(begin.clone().to(**laid))
        optimizer = make([weight])
        for gradient in gradients:
            weight.grad = gradient.to(**laid)
            optimizer.step()
        slots = optimizer.state[weight]
        assert slots["exp_avg"].shape == weight.shape
        ends.append([weight.detach(), slots["exp_avg"], slots["exp_avg_sq"]])
    for ours, theirs in zip(*ends, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)


def test_adam_has_the_bits_and_the_state_of_torchs_fused_one():
    """Also of weights that have no gradient at times, or are of another kind, or are in a group."""
    draw = torch.Generator().manual_seed(0)
    shapes = {"a": (3, 4), "b": (4,), "absent": (2,), "double": (5,)}
    ends = []
    for make in (adam, lambda p, rate: torch.optim.Adam(p, lr=rate, fused=True)):
        draw.manual_seed(0)
        kinds = {"double": torch.float64}
        weights = {
            name: nn.Parameter(torch.randn(shape, generator=draw).to(kinds.get(name)))
            for name, shape in shapes.items()
        }
        optimizer = make([*weights.values()], 1e-2)
        optimizer.add_param_group({"params": [nn.Parameter(torch.ones(2))], "weight_decay": 0.1})
        for step in range(5):
            for weight in (w for group in optimizer.param_groups for w in group["params"]):
                weight.grad = torch.randn(weight.shape, generator=draw).to(weight.dtype)
            weights["absent"].grad = weights["absent"].grad if step % 2 else None
            optimizer.step()
            optimizer.load_state_dict(optimizer.state_dict())
        ends.append((optimizer.state_dict(), [*weights.values()]))
    torch.testing.assert_close(*ends, rtol=0, atol=0)


def test_adam_calls_what_was_asked_to_be_called_before_its_step():
    seen, optimizer = [], adam([weight := nn.Parameter(torch.ones(2))], 1e-2)
    optimizer.register_step_pre_hook(lambda *given: seen.append(weight.grad.clone()))
    weight.grad = torch.ones(2)
    optimizer.step()
    assert len(seen) == 1
