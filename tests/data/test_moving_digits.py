"""Films of moving digits: straight ways, mirrors at the walls, the same seed the same film."""

import numpy as np
import pytest

from latentia.data.moving_digits import moving_digits, reflected
from latentia.errors import InputError

IMAGES = np.random.default_rng(0).integers(1, 256, (7, 4, 5), dtype=np.uint8)


def test_away_from_walls_a_frame_is_the_one_before_moved_by_the_velocity():
    film = moving_digits(IMAGES, 40, n_frames=8, side=20, n_digits=1, seed=1)
    room = np.array([16, 15])
    seen = 0
    for frames, places, velocity in zip(film.frames, film.places[:, :, 0], film.velocities[:, 0]):
        straight = places[0] + velocity * np.arange(8)[:, None]
        for t in range(7):
            if ((straight[: t + 2] >= 0) & (straight[: t + 2] <= room)).all():
                np.testing.assert_array_equal(frames[t + 1], np.roll(frames[t], velocity, (0, 1)))
                seen += 1
    assert seen > 100


@pytest.mark.parametrize("speed", [1, 4])
def test_every_way_but_standing_still_is_walked_up_to_the_speed(speed):
    film = moving_digits(IMAGES, 2000, n_frames=1, side=9, speed=speed)
    found = {tuple(way) for way in film.velocities.reshape(-1, 2).tolist()}
    both = range(-speed, speed + 1)
    assert found == {(down, right) for down in both for right in both} - {(0, 0)}


def test_places_by_walking_a_step_at_a_time():
    film = moving_digits(IMAGES, 25, n_frames=30, side=9, n_digits=2, speed=3, seed=2)
    room = np.array([5, 4])
    place, velocity = film.places[:, 0].copy(), film.velocities.copy()
    for t in range(1, 30):
        place += velocity
        beyond = (place < 0) | (place > room)
        place = np.where(place < 0, -place, np.where(place > room, 2 * room - place, place))
        velocity = np.where(beyond, -velocity, velocity)
        np.testing.assert_array_equal(film.places[:, t], place)
    assert np.abs(film.velocities).max(axis=2).min() >= 1


def test_the_brighter_pixel_is_seen_where_digits_overlap():
    film = moving_digits(IMAGES, 5, n_frames=4, side=8, n_digits=3, seed=3)
    for frames, ways, rows in zip(film.frames, film.places, film.rows):
        for frame, corners in zip(frames, ways):
            wanted = np.zeros((8, 8), np.uint8)
            for row, (top, left) in zip(rows, corners):
                part = wanted[top : top + 4, left : left + 5]
                part[:] = np.maximum(part, IMAGES[row])
            np.testing.assert_array_equal(frame, wanted)


def test_digits_that_fill_a_frame_stand_still():
    film = moving_digits(IMAGES[:, :, :4], 3, n_frames=4, side=4, n_digits=1)
    assert not film.places.any()
    assert reflected(np.array([-1, 5]), np.array(0)).tolist() == [0, 0]


def test_seeds_and_types():
    one, same, other = (moving_digits(IMAGES / 255, 6, side=12, seed=s).frames for s in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert one.dtype == np.float64


@pytest.mark.parametrize(
    ("images", "given", "words"),
    [
        (IMAGES[:, None], {}, r"images \(m, H, W\)"),
        (IMAGES, {"side": 4}, "do not fit into frames of 4; give a side of at least 5"),
        (IMAGES, {"n": 0}, "n is 0"),
        (IMAGES, {"speed": 0}, "speed is 0"),
    ],
)
def test_what_cannot_move(images, given, words):
    with pytest.raises(InputError, match=words):
        moving_digits(images, **({"n": 2} | given))
