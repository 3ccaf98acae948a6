"""A GAN's game on the line, recorded: the paper's figure 1, played instead of sketched.

    max_D  E log D(x) + E log(1 − D(G(z)))        ([1]_ eq. 1, ``n_discriminator`` steps)
    max_G  E log D(G(z))                          ([1]_ section 3: the non-saturating form)

played in standard units of the data, u = (x − centre) / scale. The generator G(z) = z + net(z)
sends N(0, 1) to the line; its density is that of a fine polygon through G, exactly, whether G is
monotone or folds over. As the players' steps shrink to 0, p_g → p_data and D → ½ ([1]_ theorem 1).

Batches are stratified, one draw from each of n equally probable intervals: unbiased, and with
hardly any noise, so that the figure shows the game rather than the luck of its draws.

Shapes: ``z`` is (k,), the grid's edges (m + 1,), what is seen on the grid (m,).

References
----------
.. [1] I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, figure 1, algorithm 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, final

import numpy as np
import torch
from scipy.special import expit, ndtri

from latentia.errors import Count, Positive, Range, Whole, check_fields
from latentia.theory.densities import Density, as_density
from latentia.theory.divergences import js_divergence
from latentia.theory.players import Players, strata, values
from latentia.theory.quadrature import Vector

BINS, CELLS, ARROWS = 240, 2000, 21
OUTERMOST = 1e-5
"""The probability of each tail of z that the polygon leaves out."""
SMALLEST_WIDTH = 1e-200
REACH = 5.0
"""Half the width of the grid, in standard units."""


@final
@dataclass(frozen=True, kw_only=True)
class Moment:
    """The game after a number of the generator's steps."""

    step: int
    p_g: Vector
    """(m,) density of the generator, averaged over each bin."""
    discriminator: Vector
    """(m,) D(x), the probability that x is real."""
    images: Vector
    """(k,) G(z), in units of x."""
    js_divergence: float
    """JSD(p_data, p_g) in nats, of the probabilities of the bins."""
    distance_from_half: float
    """∫ |D − ½| dp, p the average of p_data and p_g."""


@final
@dataclass(frozen=True, kw_only=True)
class Record:
    """A game that was played."""

    x: Vector
    """(m,) middles of the bins."""
    p_data: Vector
    """(m,) density of the data, averaged over each bin."""
    z: Vector
    """(k,) latent values whose images are recorded: middles of equally probable intervals."""
    moments: tuple[Moment, ...]

    def at(self, step: int) -> Moment:
        """Return the recorded moment nearest to a step."""
        return min(self.moments, key=lambda moment: abs(moment.step - step))


@final
@dataclass(frozen=True, kw_only=True)
class Game:
    """A generator and a discriminator on the line, small multilayer perceptrons both.

    The default settings are those of one mode, in seconds; several modes take more steps.

    Examples
    --------
    >>> from scipy.stats import norm
    >>> record = Game(n_steps=20, record_every=10).play(norm(5, 2))
    >>> [moment.step for moment in record.moments]
    [0, 10, 20]

    References
    ----------
    .. [1] I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, figure 1, algorithm 1.
    """

    n_steps: Count = 300
    """Steps of the generator."""
    n_discriminator: Count = 3
    """Steps of the discriminator before each of the generator's: k of algorithm 1."""
    learning_rate: Positive = 2e-3
    """Adam's first step size, which falls linearly to 0."""
    batch_size: Count = 128
    """Samples of each kind in a step, stratified."""
    hidden: Count = 16
    """Units of each player's two hidden layers."""
    start: Annotated[float, Range(-REACH + 1, REACH - 1)] = -2.0
    """Where p_g begins, in standard units of the data from their median."""
    record_every: Count = 10
    """Steps between recorded moments."""
    random_state: Whole = 0
    """Of the players' first weights and of every draw."""

    def play(self, p_data: Any) -> Record:
        """Return the record of a game against a density (see `as_density`)."""
        check_fields(self)
        density = as_density(p_data)
        low, centre, high = density.ppf(np.array([0.1587, 0.5, 0.8413]))
        view = _View(density, float(centre), float(high - low) / 2)
        rng = np.random.default_rng(self.random_state)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.random_state)
            players = Players(self.hidden, self.start, self.learning_rate)
            moments = [view.see(0, players)]
            for step in range(1, self.n_steps + 1):
                players.slow_down(1 - (step - 1) / self.n_steps)
                for _ in range(self.n_discriminator):
                    real = view.draw(strata(self.batch_size, rng))
                    players.move_discriminator(real, strata(self.batch_size, rng))
                players.move_generator(strata(self.batch_size, rng))
                if step % self.record_every == 0 or step == self.n_steps:
                    moments.append(view.see(step, players))
        x = (view.edges[1:] + view.edges[:-1]) / 2
        return Record(x=x, p_data=view.p_data, z=view.z, moments=tuple(moments))


class _View:
    """The data in standard units, and the grid on which the game is watched."""

    def __init__(self, density: Density, centre: float, scale: float) -> None:
        self.density, self.centre, self.scale = density, centre, scale
        self.edges = centre + scale * np.linspace(-REACH, REACH, BINS + 1)
        self.z = ndtri((np.arange(ARROWS) + 0.5) / ARROWS)
        self.polygon = ndtri(np.linspace(OUTERMOST, 1 - OUTERMOST, CELLS + 1))
        self.real = np.diff(density.cdf(self.edges), prepend=0, append=1)
        self.p_data = self.real[1:-1] / np.diff(self.edges)

    def draw(self, probabilities: Vector) -> Vector:
        """Return the data's quantiles, in standard units."""
        return (self.density.ppf(probabilities) - self.centre) / self.scale

    def see(self, step: int, players: Players) -> Moment:
        x = (self.edges[1:] + self.edges[:-1]) / 2
        D = expit(values(players.discriminator, (x - self.centre) / self.scale))
        polygon = self._images(players, self.polygon)
        fake = np.diff(image_cdf(polygon, self.edges), prepend=0, append=1)
        both = (self.real + fake)[1:-1] / 2
        return Moment(
            step=step,
            p_g=fake[1:-1] / np.diff(self.edges),
            discriminator=D,
            images=self._images(players, self.z),
            js_divergence=js_divergence(self.real, fake),
            distance_from_half=float(both @ np.abs(D - 0.5)),
        )

    def _images(self, players: Players, z: Vector) -> Vector:
        return self.centre + self.scale * values(players.generator, z)


def image_cdf(images: Vector, x: Vector) -> Vector:
    """Return the distribution function of G(z), G straight between equally probable z.

    Each of n pieces of G carries the probability 1/n, spread evenly from G(zᵢ) to G(zᵢ₊₁):

        F(x) = (1/n) Σᵢ clip((x − lowᵢ) / (highᵢ − lowᵢ), 0, 1)

    which is the change of variables p(x) = Σ p(z) / |G′(z)| over all z with G(z) = x. Given are
    (n + 1,) values of G and (m,) places.

    Examples
    --------
    >>> image_cdf(np.array([0.0, 2.0, 0.0]), np.array([0.5, 1.0]))
    array([0.25, 0.5 ])
    """
    low, high = np.minimum(images[1:], images[:-1]), np.maximum(images[1:], images[:-1])
    width = np.maximum(high - low, SMALLEST_WIDTH)
    return np.asarray(np.clip((x[:, None] - low) / width, 0, 1).mean(1), np.float64)
