"""A game on the line: it converges, is repeatable, and its density is the generator's own."""

import numpy as np
import pytest
import torch
from scipy import stats

from latentia.errors import InputError
from latentia.theory.divergences import js_divergence
from latentia.theory.game import Game, image_cdf
from latentia.theory.players import Players

NORMAL = stats.norm(4, 0.6)


@pytest.fixture(scope="module")
def record():
    return Game(n_steps=150, n_discriminator=2, learning_rate=4e-3, record_every=25).play(NORMAL)


def test_the_game_ends_at_one_half(record):
    first, last = record.moments[0], record.moments[-1]
    assert first.js_divergence > 0.2
    assert last.js_divergence < 0.005
    assert last.distance_from_half < 0.02
    inside = np.abs(record.x - 4) < 1.5
    assert np.abs(last.discriminator - 0.5)[inside].max() < 0.1


def test_the_step_size_falls_from_the_whole_one_towards_0(monkeypatch):
    shares = []
    monkeypatch.setattr(Players, "slow_down", lambda players, share: shares.append(share))
    monkeypatch.setattr(Players, "move_discriminator", lambda *_: None)
    monkeypatch.setattr(Players, "move_generator", lambda *_: None)
    Game(n_steps=4).play(NORMAL)
    assert shares == [1, 0.75, 0.5, 0.25]


def test_both_players_step_at_the_rate_that_is_left():
    starts = []
    for share in (1.0, 0.25):
        torch.manual_seed(0)
        players = Players(hidden=4, start=0.0, learning_rate=0.01)
        before = [p.clone() for p in players.discriminator.parameters()]
        others = [p.clone() for p in players.generator.parameters()]
        players.slow_down(share)
        draws = np.linspace(0.1, 0.9, 5)
        players.move_discriminator(draws, draws)
        players.move_generator(draws)
        for kept, net in ((before, players.discriminator), (others, players.generator)):
            moved = [(p - q).abs().max() for p, q in zip(net.parameters(), kept, strict=True)]
            starts.append(float(max(moved).detach()))
    # Adam's first step is as long as its rate.
    assert starts == pytest.approx([0.01, 0.01, 0.0025, 0.0025], rel=1e-3)


def test_what_is_recorded(record):
    assert [moment.step for moment in record.moments] == [0, 25, 50, 75, 100, 125, 150]
    assert record.at(60).step == 50
    width = record.x[1] - record.x[0]
    np.testing.assert_allclose(record.p_data, NORMAL.pdf(record.x), atol=1e-3)
    for moment in record.moments:
        assert len(moment.p_g) == len(moment.discriminator) == len(record.x)
        assert 0.95 < moment.p_g.sum() * width <= 1 + 1e-9
        assert ((moment.discriminator > 0) & (moment.discriminator < 1)).all()
    last = record.moments[-1]
    assert js_divergence(*(p / p.sum() for p in (last.p_g, record.p_data))) == pytest.approx(
        last.js_divergence, abs=1e-3
    )
    quantiles = NORMAL.ppf((np.arange(len(record.z)) + 0.5) / len(record.z))
    np.testing.assert_allclose(np.sort(last.images), quantiles, atol=0.15)


def test_a_game_is_repeatable_and_free_of_units():
    game = Game(n_steps=10, record_every=10, random_state=3)
    one, two = game.play(NORMAL).moments[-1], game.play(NORMAL).moments[-1]
    np.testing.assert_array_equal(one.images, two.images)
    scaled = game.play(stats.norm(4000, 600)).moments[-1]
    np.testing.assert_allclose(scaled.images, 1000 * one.images, rtol=1e-3)
    assert scaled.js_divergence == pytest.approx(one.js_divergence, abs=1e-4)
    other = Game(n_steps=10, record_every=10, random_state=4).play(NORMAL).moments[-1]
    assert np.abs(other.images - one.images).max() > 1e-3


def test_the_density_of_a_map_is_the_change_of_variables():
    u = np.linspace(0, 1, 4001)
    x = np.linspace(0.1, 1.9, 7)
    np.testing.assert_allclose(image_cdf(u**2 * 2, x), np.sqrt(x / 2), atol=1e-6)
    folded = np.sin(2 * np.pi * u)
    np.testing.assert_allclose(
        image_cdf(folded, np.array([-0.5, 0.0, 0.5])), [1 / 3, 1 / 2, 2 / 3], atol=1e-4
    )
    np.testing.assert_array_equal(image_cdf(np.ones(3), np.array([0.5, 1.5])), [0, 1])


def test_bad_settings_are_named():
    with pytest.raises(InputError, match="n_steps is 0"):
        Game(n_steps=0).play(NORMAL)
    with pytest.raises(InputError, match="learning_rate is 0"):
        Game(learning_rate=0.0).play(NORMAL)
    with pytest.raises(InputError, match="hidden is 'many'"):
        Game(hidden="many").play(NORMAL)
    with pytest.raises(InputError, match="ndarray is no density"):
        Game().play(np.ones(3))


def test_the_distance_from_half_is_weighted_by_both_densities(record):
    width = record.x[1] - record.x[0]
    for moment in record.moments:
        average = (record.p_data + moment.p_g) / 2
        expected = (average * np.abs(moment.discriminator - 0.5)).sum() * width
        assert moment.distance_from_half == pytest.approx(expected, rel=1e-9)


def test_images_and_density_are_those_of_one_generator(record):
    n = len(record.z)
    np.testing.assert_allclose(stats.norm.cdf(record.z), (np.arange(n) + 0.5) / n)
    edges = record.x + (record.x[1] - record.x[0]) / 2
    for moment in record.moments:
        median = np.interp(0.5, np.cumsum(moment.p_g) * (record.x[1] - record.x[0]), edges)
        assert median == pytest.approx(moment.images[n // 2], abs=0.05)


def test_it_begins_where_it_is_told_to():
    shapes = {"n_steps": 1, "record_every": 1}
    low, high = (Game(start=start, **shapes).play(NORMAL).moments[0] for start in (-2.0, 1.0))
    # 3 standard units of the data, whose scale is 0.6.
    np.testing.assert_allclose(high.images - low.images, 1.8, rtol=1e-3)
    np.testing.assert_array_equal(high.discriminator, low.discriminator)


@pytest.mark.parametrize(
    "field",
    [{"n_discriminator": 1}, {"learning_rate": 1e-2}, {"batch_size": 8}, {"hidden": 4}],
    ids=str,
)
def test_every_setting_of_a_game_has_an_effect(field):
    shapes = {"n_steps": 5, "record_every": 5}
    plain, other = (Game(**shapes | f).play(NORMAL).moments[-1] for f in ({}, field))
    assert np.abs(plain.images - other.images).max() > 1e-4


def test_draws_of_the_data_and_of_z_follow_the_seed(monkeypatch):
    """The players' first weights do not: they are drawn by torch."""

    def drawn(random_state):
        seen = []
        monkeypatch.setattr(Players, "move_discriminator", lambda _, u, p: seen.extend((u, p)))
        monkeypatch.setattr(Players, "move_generator", lambda _, p: seen.append(p))
        Game(n_steps=1, n_discriminator=1, random_state=random_state).play(NORMAL)
        return np.array(seen)

    assert np.array_equal(drawn(0), drawn(0))
    assert (drawn(0) != drawn(1)).mean() > 0.99
