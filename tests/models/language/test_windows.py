"""A text is read in order, whatever rows the loop asks for, and nothing is read twice an epoch."""

import numpy as np
import pytest
import torch

from latentia.errors import InputError
from latentia.models.language.recurrent import Memory, Windows
from latentia.models.language.rnn import RNNLanguageModel
from latentia.training import draws
from latentia.training.batches import BatchOrder
from tests.models.language.conftest import RHYME, SMALL


def test_windows_follow_each_other_in_their_lanes():
    windows = Windows(np.arange(50, dtype=np.int32), batch_size=3, n_steps=4)
    assert (windows.n_lanes, windows.n_windows, len(windows)) == (3, 4, 12)
    windows.turn_to(0, seed=0)
    before = windows.batch(np.array([5, 0, 7]))
    assert bool(before[2])
    for step in (1, 2, 3):
        windows.turn_to(step, seed=0)
        x, y, begins = windows.batch(np.array([1, 2, 0]))
        assert not bool(begins)
        assert torch.equal(x[:, 0], before[1][:, -1])
        assert torch.equal(y, x + 1)
        before = x, y, begins
    windows.turn_to(4, seed=0)
    assert bool(windows.batch(np.arange(3))[2])


def test_an_epoch_reads_each_place_once_and_epochs_begin_elsewhere():
    windows = Windows(np.arange(50, dtype=np.int32), batch_size=3, n_steps=4)
    firsts = set()
    for epoch in range(30):
        seen = []
        for window in range(4):
            windows.turn_to(4 * epoch + window, seed=0)
            seen += windows.batch(np.arange(3))[0].flatten().tolist()
        assert sorted(seen) == list(range(min(seen), min(seen) + 48))
        firsts.add(min(seen))
    assert firsts == {0, 1}


def test_held_out_rows_are_windows_in_order():
    windows = Windows(np.arange(50, dtype=np.int32), batch_size=3, n_steps=4)
    for window in range(4):
        x, _, begins = windows.batch(np.arange(3 * window, 3 * window + 3))
        assert x[:, 0].tolist() == [4 * window, 16 + 4 * window, 32 + 4 * window]
        assert bool(begins) == (window == 0)


@pytest.mark.parametrize("n", [2, 3, 10, 29, 63, 100, 1000])
def test_the_loops_epochs_are_the_texts(n):
    windows = Windows(np.zeros(n, np.int32), batch_size=5, n_steps=6)
    order = BatchOrder(len(windows), batch_size=5, n_epochs=2, seed=0)
    assert order.steps_an_epoch == windows.n_windows
    assert windows.batch(order.rows(0, 0))[0].shape == (order.rows_each, windows.n_steps)


def test_one_symbol_is_too_few():
    with pytest.raises(InputError, match="holds 1 symbols; give at least 2"):
        Windows(np.zeros(1, np.int32), 1, 1)


def test_memory_of_training_is_apart_from_that_of_evaluation(monkeypatch):
    monkeypatch.setattr("latentia.models.language.recurrent.AFRESH", 0.0)
    zero = torch.zeros(1, 1, 2, 3)
    memory = Memory(zero).train()
    memory.keep(torch.ones(1, 1, 2, 3, requires_grad=True))
    memory.eval()
    memory.keep(torch.full((1, 1, 5, 3), 2.0))
    assert memory.recall(zero, torch.tensor(False)).shape == (1, 1, 5, 3)
    memory.train()
    carried = memory.recall(zero, torch.tensor(False))
    assert torch.equal(carried, torch.ones(1, 1, 2, 3))
    assert not carried.requires_grad
    assert torch.equal(memory.recall(zero, torch.tensor(True)), zero)
    assert list(memory.state_dict()) == ["carried"]


def test_now_and_then_a_lane_in_training_starts_from_zero():
    memory, zero = Memory(torch.zeros(2, 3, 5000, 4)).train(), torch.zeros(2, 3, 5000, 4)
    memory.keep(torch.ones(2, 3, 5000, 4))
    draws.seed("lanes")
    start = memory.recall(zero, torch.tensor(False))
    lanes = start[0, 0, :, 0]
    assert torch.equal(start, lanes[:, None].expand_as(start))
    # 100 of 5,000 are expected, with a standard deviation of 10.
    assert 60 < (lanes == 0).sum() < 140
    assert set(lanes.tolist()) == {0.0, 1.0}
    memory.eval()
    memory.keep(torch.ones(2, 3, 5000, 4))
    assert memory.recall(zero, torch.tensor(False)).min() == 1


def test_where_an_epoch_begins_follows_the_seed_and_the_epoch():
    def places(seed):
        windows = Windows(np.arange(50, dtype=np.int32), batch_size=1, n_steps=30)
        firsts = []
        for epoch in range(12):
            windows.turn_to(epoch * windows.n_windows, seed)
            firsts.append(int(windows.batch(np.array([0]))[0][0, 0]))
        return firsts

    assert places(0) == places(0)
    assert places(0) != places(1)
    assert len(set(places(1))) > 3
    assert max(places(1)) <= 19


def test_training_reads_from_where_the_models_seed_says(monkeypatch):
    turns = []
    turn_to = Windows.turn_to
    monkeypatch.setattr(
        Windows, "turn_to", lambda *given: turns.append(given[1:]) or turn_to(*given)
    )
    RNNLanguageModel(**SMALL, n_epochs=2, random_state=31).fit(RHYME)
    n_steps = 2 * Windows(np.zeros(len(RHYME), np.int32), 4, 7).n_windows
    assert turns == [(step, 31) for step in range(n_steps)]
