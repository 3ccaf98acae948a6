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
