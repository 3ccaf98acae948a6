"""Maximum likelihood for a Gaussian table with values missing at random.

    ℓ(μ, Σ) = Σᵢ wᵢ log N(xᵢ; μₒ, Σₒₒ) / Σᵢ wᵢ                (o: the columns seen in row i)
    Aₒ = Σ·ₒ Σₒₒ⁻¹,  Cₒ = Σ − Aₒ Σₒ·,  eₒ = Aₒ (x̄ₒ − μₒ)      (regression on what was seen)
    μ⁺ = μ + Σₒ πₒ eₒ,  Σ⁺ = Σₒ πₒ (Aₒ Sₒ Aₒᵀ + Cₒ) + cov(eₒ)   (one step of EM)

Rows that see the same columns form a pattern o of share πₒ, mean x̄ₒ and covariance Sₒ; ℓ depends
on nothing else, so that a step costs the same however many rows a pattern has (`patterns`). There
are G patterns of d columns, of which the first R hold several rows.

References: Dempster, Laird & Rubin, "Maximum likelihood from incomplete data via the EM algorithm",
JRSS B 1977, section 4.1; Little & Rubin, "Statistical Analysis with Missing Data", 2nd edition
2002, section 11.2; Henderson & Varadhan, "Damped Anderson acceleration with restarts and
monotonicity control for accelerating EM", JCGS 2019, section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from latentia.errors import InputError
from latentia.models.linear.patterns import Patterns, rarely_together
from latentia.models.linear.reading import listed

Floats = NDArray[np.float64]
MStep = Callable[[Floats], Floats]
BLOCK = 2**16
MEMORY = 8
ROUND_OFF = 1e-13
RARE = 0.1
"""Share of the rows, below which Mplus and lavaan warn of a pair of variables."""


@final
@dataclass(frozen=True)
class Estimate:
    """The moments of the data completed in expectation, and the model fitted to them.

    ``mean`` (d,) and ``covariance`` (d, d) (/n) are of the completed data, ``implied`` (d, d) is
    the model's, the same for the saturated one; ``log_likelihood`` is of the values observed under
    ``mean`` and ``implied``, in nats per sample, and ``trace`` holds it after each step.
    """

    mean: Floats
    covariance: Floats
    implied: Floats
    log_likelihood: float
    trace: tuple[float, ...]
    n_iterations: int
    converged: bool


def expected_moments(patterns: Patterns, mean: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """Return the (d,) mean and (d, d) covariance (/n) of the data, completed in expectation."""
    return _step(patterns, mean, covariance)[1:]


def observed_log_likelihood(patterns: Patterns, mean: Floats, covariance: Floats) -> float:
    """Return the log-likelihood of the values observed, in nats per (weighted) sample."""
    return _step(patterns, mean, covariance)[0]


def saturated(patterns: Patterns, *, tolerance: float = 1e-9, max_iter: int = 2000) -> Estimate:
    """Return the maximum likelihood mean and covariance, unrestricted; see ``structured``."""
    for column in np.flatnonzero(patterns.column_variances <= (1e-12 * patterns.column_means) ** 2):
        raise InputError(f"column {column} has a single observed value; leave it out")
    start = patterns.column_means, np.diag(patterns.column_variances)
    return structured(patterns, np.array, *start, tolerance=tolerance, max_iter=max_iter)


def structured(
    patterns: Patterns,
    m_step: MStep,
    start_mean: Floats,
    start_covariance: Floats,
    *,
    tolerance: float = 1e-9,
    max_iter: int = 2000,
) -> Estimate:
    """Return the maximum likelihood estimate of a model of the covariance, the mean being free.

    ``m_step`` fits the model to an expected (d, d) covariance by maximum likelihood and returns
    what the model implies, such as W Wᵀ + Ψ. Anderson's mixing speeds EM up where it does not lower
    the likelihood. The climb has converged when a step of EM moves no entry by more than
    ``tolerance``, in units of the start's deviations; it gives up if EM lowers the likelihood,
    ``m_step`` being less exact. InputError means a singular covariance, that is, no maximum.
    """
    scale = np.sqrt(np.diag(start_covariance))
    point = _at(patterns, m_step, *_step(patterns, start_mean, start_covariance)[1:])
    trace, recent = [point.log_likelihood], [point]
    while not (converged := np.abs(point.move(scale)).max() <= tolerance) and len(trace) < max_iter:
        floor = point.log_likelihood - ROUND_OFF * max(1, abs(point.log_likelihood))
        following = _attempt(patterns, m_step, *_mixture(recent, scale))
        if following is None or following.log_likelihood < floor:
            recent, following = [], _at(patterns, m_step, point.next_mean, point.next_covariance)
            if following.log_likelihood < floor:
                break
        point, recent = following, [*recent[-MEMORY:], following]
        trace.append(point.log_likelihood)
    return Estimate(*point[:4], tuple(trace), len(trace), bool(converged))


class _Point(NamedTuple):
    mean: Floats
    covariance: Floats
    implied: Floats
    log_likelihood: float
    next_mean: Floats
    next_covariance: Floats

    def move(self, scale: Floats) -> Floats:
        """Return EM's step from here as one vector, columns divided by the scale."""
        covariance = (self.next_covariance - self.covariance) / np.outer(scale, scale)
        return np.concatenate([(self.next_mean - self.mean) / scale, covariance.ravel()])


def _at(patterns: Patterns, m_step: MStep, mean: Floats, covariance: Floats) -> _Point:
    implied = m_step(covariance)
    return _Point(mean, covariance, implied, *_step(patterns, mean, implied))


def _attempt(patterns: Patterns, m_step: MStep, mean: Floats, covariance: Floats) -> _Point | None:
    try:
        np.linalg.cholesky(covariance)
        return _at(patterns, m_step, mean, covariance)
    except (np.linalg.LinAlgError, InputError):
        return None


def _mixture(points: list[_Point], scale: Floats) -> tuple[Floats, Floats]:
    """Return where EM would stand still, were its steps linear in the expected moments."""
    moves = np.array([p.move(scale) for p in points])
    weights = np.linalg.lstsq(np.diff(moves, axis=0).T, moves[-1], rcond=1e-10)[0]
    shares = np.diff(weights, prepend=0, append=0)
    shares[-1] += 1
    mean = shares @ np.array([p.next_mean for p in points])
    return mean, np.tensordot(shares, np.array([p.next_covariance for p in points]), 1)


def _step(patterns: Patterns, mean: Floats, covariance: Floats) -> tuple[float, Floats, Floats]:
    """Return the log-likelihood, and the mean and covariance of EM's next step."""
    errors, within, score = np.empty_like(patterns.means), np.zeros_like(covariance), 0.0
    size = max(1, BLOCK // len(mean) ** 2)
    for block in (slice(i, i + size) for i in range(0, len(errors), size)):
        seen, share = patterns.seen[block], patterns.shares[block]
        both, blind = seen[:, :, None] & seen[:, None, :], ~(seen[:, :, None] | seen[:, None, :])
        inverse = _inverse_factors(np.where(both, covariance, np.eye(len(mean))))
        precision = np.where(both, inverse.mT @ inverse, 0)
        regression = np.where(seen[:, :, None], np.eye(len(mean)), covariance @ precision)
        gaps = np.where(seen, patterns.means[block] - mean, 0)
        errors[block] = np.einsum("gij,gj->gi", regression, gaps)
        within += np.tensordot(share, np.where(blind, covariance - regression @ covariance, 0), 1)
        distance = np.einsum("gij,gi,gj->g", precision, gaps, gaps)
        r = len(scatter := patterns.scatters[block])
        distance[:r] += (precision[:r] * scatter).sum(axis=(1, 2))
        within += np.tensordot(share[:r], regression[:r] @ scatter @ regression[:r].mT, 1)
        logs = 2 * np.log(np.diagonal(inverse, axis1=1, axis2=2)).sum(axis=1)
        score += share @ (logs - seen.sum(axis=1) * np.log(2 * np.pi) - distance) / 2
    shift = patterns.shares @ errors
    total = within + ((errors - shift).T * patterns.shares) @ (errors - shift)
    return float(score), mean + shift, (total + total.T) / 2


def _inverse_factors(covariances: Floats) -> Floats:
    try:
        factors = np.linalg.cholesky(covariances)
        pivots = np.einsum("gii,gii->gi", factors, factors) / np.einsum("gii->gi", covariances)
        if pivots.min() < ROUND_OFF:
            raise np.linalg.LinAlgError
    except np.linalg.LinAlgError:
        raise InputError("the covariance of the observed values is singular") from None
    return np.array([lapack.dtrtri(factor, lower=1)[0] for factor in factors])


def of_gaps(n_empty: int, coverage: Floats, names: list[str]) -> list[str]:
    """Return what there is to say of rows and of pairs of columns that hold few values."""
    remarks, never = [], rarely_together(coverage, 0)
    if n_empty:
        remarks.append(f"{n_empty} row(s) without any value were left out")
    if never:
        remarks.append(
            f"{pairs(never, names)} are never observed together: nothing in the "
            "data tells their correlation, so that the model is not tested; do not trust the "
            "solution"
        )
    seldom = [pair for pair in rarely_together(coverage, RARE) if pair not in never]
    if seldom:
        least = min(coverage[pair] for pair in seldom)
        remarks.append(
            f"{pairs(seldom, names)} are observed together in fewer than {RARE:.0%} of the rows "
            f"(the fewest {least:.1%}): their correlations are uncertain"
        )
    return remarks


def pairs(found: list[tuple[int, int]], names: list[str]) -> str:
    """Return pairs of columns by name, cut after a few."""
    return listed([f"{names[i]} with {names[j]}" for i, j in found])
