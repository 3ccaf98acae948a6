"""The pool of earlier translations: its rule, its distribution, its state, its part in a group."""

import numpy as np
import pytest
import torch

from latentia.models.translation import image_pool
from latentia.models.translation.image_pool import ImagePool
from latentia.training import draws


def numbered(first, n):
    """Return n images of one pixel that say their own number."""
    return torch.arange(first, first + n, dtype=torch.float32).reshape(n, 1, 1, 1)


def shown(pool, first, n):
    draws.seed("pool", first)
    return pool(numbered(first, n)).flatten().long().tolist()


def test_the_first_are_kept_and_shown_as_they_come():
    pool = ImagePool(5, (1, 1, 1))
    assert shown(pool, 1, 3) == [1, 2, 3]
    assert int(pool.n_kept) == 3
    assert shown(pool, 4, 2) == [4, 5]
    assert pool.images.flatten().tolist() == [1, 2, 3, 4, 5]


def test_half_are_exchanged_each_slot_alike_and_nothing_is_lost():
    """An image is shown at once or kept; a kept one is shown once, as often from every slot."""
    size, n = 50, 6000
    pool = ImagePool(size, (1, 1, 1))
    slots, own, seen = [], 0, []
    for first in range(0, n, 4):
        before = pool.images.flatten().long().tolist()
        found = shown(pool, first, 4)
        seen += found
        if first >= 52:
            own += sum(number in range(first, first + 4) for number in found)
            slots += [before.index(number) for number in found if number in before]
    # The first 50 are both kept and shown; each of them is shown a second time at most.
    counts = np.bincount(seen, minlength=n)
    assert counts[size:].max() == 1
    assert set(np.flatnonzero(counts == 0)) <= set(pool.images.flatten().long().tolist())
    drawn = n - 52
    # Of a batch's own images few are kept and shown again within it: 3/200 of half.
    assert abs(own / drawn - 0.5) < 4 * np.sqrt(0.25 / drawn) + 0.01
    expected = len(slots) / size
    statistic = ((np.bincount(slots, minlength=size) - expected) ** 2 / expected).sum()
    assert statistic < 85  # the 0.999 quantile of χ² with 49 degrees of freedom
    waited = [at - number for at, number in enumerate(seen) if at - number > 4]
    # A kept image leaves at a rate of 1/100 a new image.
    assert np.mean(waited) == pytest.approx(100, rel=0.1)


def test_in_evaluation_and_without_a_pool_images_are_shown_themselves():
    pool, none = ImagePool(2, (1, 1, 1)), ImagePool(0, (1, 1, 1))
    shown(pool, 0, 2)
    state = {key: value.clone() for key, value in pool.state_dict().items()}
    pool.eval()
    assert shown(pool, 10, 6) == list(range(10, 16))
    assert all(torch.equal(state[key], value) for key, value in pool.state_dict().items())
    assert shown(none, 0, 6) == list(range(6))


def test_a_restored_pool_goes_on_alike():
    one, other = ImagePool(8, (1, 1, 1)), ImagePool(8, (1, 1, 1))
    for first in range(0, 40, 4):
        shown(one, first, 4)
    other.load_state_dict(one.state_dict())
    assert shown(one, 40, 4) == shown(other, 40, 4)


def test_several_processes_hold_the_pool_of_one(monkeypatch):
    """Each rank's half of a batch, with the other half handed over as a group would."""
    whole, halves = ImagePool(6, (1, 1, 1)), [ImagePool(6, (1, 1, 1)) for _ in range(2)]
    for first in range(0, 60, 4):
        expected = shown(whole, first, 4)
        draws.seed("pool", first)
        places = torch.rand(4, 2)
        parts = []
        for rank, pool in enumerate(halves):
            answers = iter([places, numbered(first, 4)])
            monkeypatch.setattr(image_pool, "all_rows", lambda own, a=answers: next(a))
            monkeypatch.setattr(image_pool, "rank", lambda r=rank: r)
            parts += pool(numbered(first + 2 * rank, 2)).flatten().long().tolist()
            monkeypatch.undo()
        assert parts == expected
    for pool in halves:
        assert torch.equal(pool.images, whole.images)
