"""Films cut into windows, predictions fed back, baselines."""

import numpy as np
import pytest

from latentia.errors import InputError
from latentia.models.translation.next_frame import (
    frame_errors,
    last_frame,
    roll_out,
    straight_line,
    windows,
)

FILMS = np.random.default_rng(0).random((3, 7, 4, 5))


def test_windows_are_frames_in_a_row_and_the_next():
    seen, following = windows(FILMS, 4)
    assert seen.shape == (9, 4, 4, 5)
    assert following.shape == (9, 4, 5)
    for i, (film, first) in enumerate((film, first) for film in range(3) for first in range(3)):
        np.testing.assert_array_equal(seen[i], FILMS[film, first : first + 4])
        np.testing.assert_array_equal(following[i], FILMS[film, first + 4])


def test_a_rule_that_is_fed_its_predictions():
    start = np.tile(np.array([1.0, 2.0])[:, None, None], (2, 1, 3, 3))
    fibonacci = roll_out(lambda seen: seen[:, 0] + seen[:, 1], start, 4)
    assert fibonacci[1, :, 2, 2].tolist() == [3, 5, 8, 13]


def test_baselines():
    seen = FILMS[:, :4]
    np.testing.assert_array_equal(roll_out(last_frame, seen, 2), FILMS[:, [3, 3]])
    steady = np.broadcast_to(np.linspace(0, 0.9, 10)[None, :, None, None], (2, 10, 3, 3))
    np.testing.assert_allclose(roll_out(straight_line, steady[:, :4], 6), steady[:, 4:], atol=1e-12)
    assert straight_line(np.array([[[[0.1]], [[0.9]]]])) == 1


def test_errors_of_each_frame():
    predicted = FILMS.copy()
    predicted[:, 2] += 0.5
    found = frame_errors(FILMS, predicted)
    np.testing.assert_allclose(found, [0, 0, 0.25, 0, 0, 0, 0], atol=1e-12)
    x = np.rint(255 * FILMS).astype(np.uint8)
    np.testing.assert_allclose(frame_errors(x, x / 255), 0, atol=1e-12)


def test_what_is_no_film():
    with pytest.raises(InputError, match="n_seen is 7"):
        windows(FILMS, 7)
    with pytest.raises(InputError, match="need that shape"):
        frame_errors(FILMS, FILMS[:, :2])
