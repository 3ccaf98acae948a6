"""Batches from arrays: which rows, in which units, what is refused, moments of columns."""

import numpy as np
import pytest
import torch

from latentia.errors import InputError
from latentia.training.batches import Source, column_moments, column_scale


@pytest.mark.parametrize(
    ("shape", "dtype", "words"),
    [
        ((3,), float, "data have 1 dimensions"),
        ((2, 1, 1, 1, 1), float, "data have 5 dimensions"),
        ((0, 4), float, "0 samples"),
        ((3, 2), "U1", "the data are of type <U1; give numbers"),
        ((3, 2), complex, "the data are of type complex128; give numbers"),
    ],
)
def test_what_cannot_be_batches_is_refused(shape, dtype, words):
    with pytest.raises(InputError, match=words):
        Source(np.zeros(shape, dtype))


def test_as_many_targets_as_samples_are_needed():
    with pytest.raises(InputError, match="there are 3 samples and 2 targets"):
        Source(np.zeros((3, 2)), np.zeros(2))


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
@pytest.mark.parametrize("row", [0, 4095, 4096, 5999])
def test_the_row_that_is_not_finite_is_named_wherever_it_is(kind, row):
    x = np.zeros((6000, 2), np.float32)
    x[row:, 1] = np.nan
    with pytest.raises(InputError, match=f"sample {row} holds"):
        Source(kind(x))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 51, 255]], np.uint8), [0, 0.2, 1]),
        (np.array([[False, True, True]]), [0, 1, 1]),
        (np.array([[-3, 7, 300]]), [-3, 7, 300]),
        (np.array([[0.5, 2.0, -1.0]]), [0.5, 2.0, -1.0]),
        (torch.tensor([[0, 51, 255]], dtype=torch.uint8), [0, 0.2, 1]),
        (torch.tensor([[0.5, 2.0, -1.0]], dtype=torch.float64), [0.5, 2.0, -1.0]),
    ],
)
def test_bytes_are_scaled_and_other_numbers_are_as_they_were(values, expected):
    before = values.tolist()
    (x,) = Source(values).batch(np.array([0]))
    assert x.dtype == torch.float32
    torch.testing.assert_close(x[0], torch.tensor(expected, dtype=torch.float32))
    assert values.tolist() == before


def test_a_batch_is_a_copy():
    x = np.zeros((2, 2), np.float32)
    (batch,) = Source(x).batch(np.array([0, 1]))
    batch += 1
    assert not x.any()


@pytest.mark.parametrize("shape", [(6, 2), (6, 3, 4), (6, 1, 3, 4), (6, 3, 2, 2)])
def test_rows_and_the_first_of_them_come_in_the_shape_of_the_nets(shape):
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    source = Source(x, np.arange(6) * 10)
    sample = (1, *shape[1:]) if len(shape) == 3 else shape[1:]
    assert source.shape == sample
    assert len(source) == 6
    for n, expected in ((4, 4), (6, 6), (9, 6)):
        batch, targets = source.first(n)
        assert batch.shape == (expected, *sample)
        assert targets.tolist() == [10 * row for row in range(expected)]
        np.testing.assert_array_equal(batch.flatten(), x[:expected].ravel())


def test_rows_can_be_made_of_other_places_of_each_side():
    x, y = np.arange(8.0).reshape(4, 2), np.arange(4) * 10
    source = Source(x, y, places=(np.array([3, 0, 2]), np.array([1, 1, 0])))
    assert len(source) == 3
    batch, targets = source.batch(np.array([2, 0]))
    assert batch.tolist() == [[4, 5], [6, 7]]
    assert targets.tolist() == [0, 10]
    assert len(source.first(10)[0]) == 3


@pytest.mark.parametrize(("n_rows", "extreme"), [(1, 0), (7, 3), (5000, 0), (5000, 4999)])
def test_moments_of_columns_are_those_of_all_rows(n_rows, extreme):
    x = np.random.default_rng(0).normal(size=(n_rows, 2, 3)).astype(np.float32) * 3 + 100
    x[extreme] = [[0, 0, 0], [200, 200, 200]]
    low, high, mean, variance = column_moments(Source(x))
    exact = x.astype(np.float64)
    assert (low, high) == (exact.min(), exact.max())
    assert mean.dtype == torch.float64
    np.testing.assert_allclose(mean[0], exact.mean(0), rtol=1e-12)
    np.testing.assert_allclose(variance[0], exact.var(0), rtol=1e-10)


def test_columns_that_are_constant_up_to_rounding_are_left_in_their_units():
    mean = torch.tensor([1e6, 1e6, 0.0, 0.0], dtype=torch.float64)
    variance = torch.tensor([0.25, 4.0, 0.0, 1e-12], dtype=torch.float64)
    assert column_scale(mean, variance).tolist() == pytest.approx([1.0, 2.0, 1.0, 1e-6])
