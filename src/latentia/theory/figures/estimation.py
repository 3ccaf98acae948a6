"""How latent variables are estimated: EM step by step, its bound, its starts, the integral."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn import decomposition

from latentia import FactorAnalysis, ProbabilisticPCA
from latentia.models.factors.em import em, expectations, maximised
from latentia.models.inputs import unit_floats
from latentia.plots.style import COLOURS, INK
from latentia.theory.figures import Sheet
from latentia.theory.figures.panels import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALE,
    Array,
    board,
    contours,
    digits,
    flat,
    titled,
)

LOG_2PI = float(np.log(2 * np.pi))


def _cloud(n: int) -> Array:
    """Return (n, 2) centred points along a line through 0, with equal noise about it."""
    draw = np.random.default_rng(3)
    x = draw.standard_normal((n, 1)) * np.array([[1.6, 1.2]]) + 0.5 * draw.standard_normal((n, 2))
    return np.asarray(x - x.mean(axis=0))


def em_steps(sheet: Sheet) -> Figure:
    """Draw E, which lays posteriors on the line, and M, which turns the line, step by step."""
    x = _cloud(60)
    S, W, v, course = x.T @ x / len(x), np.array([[-0.5], [1.2]]), 0.6, []
    for _ in range(13):
        beta, second, objective = expectations(S, W, np.full(2, v))
        course.append((W, v, -(objective + 2 * LOG_2PI) / 2, x @ beta.T))
        W, noise = maximised(S, beta, second, np.zeros(2), expanded=False)
        v = float(noise.mean())
    exact = ProbabilisticPCA(n_components=1).fit(x)
    limit = float(exact.score(x))
    with board(12.6, 3.3) as figure:
        *steps, right = figure.subplots(1, 5, width_ratios=(1, 1, 1, 1, 1.2))
        for axes, step in zip(steps, (0, 1, 3, 12)):
            W, v, value, mean = course[step]
            for point, foot in zip(x, mean @ W.T):
                axes.plot(*np.column_stack([point, foot]), color=PALE, linewidth=0.8)
            ends = np.array([[-3.3], [3.3]]) @ W.T
            axes.plot(*ends.T, color=BLUE, linewidth=2)
            axes.plot(*x.T, ".", color=GREY, markersize=4)
            axes.plot(*(mean @ W.T).T, ".", color=ORANGE, markersize=5)
            axes.set(xlim=(-5.6, 5.6), ylim=(-4.6, 4.6), aspect="equal")
            axes.set_title(f"step {step}: log p = {value:.3f}, σ² = {v:.2f}", fontsize=8.5)
        steps[0].set(xlabel="$x_1$", ylabel="$x_2$")
        values = [c[2] for c in course]
        right.plot(values, "o-", color=BLUE, label="EM")
        right.axhline(limit, color=INK, linestyle=":", label="the maximum, in closed form")
        right.set(xlabel="step", ylabel="log-likelihood, nats a point", title="it never falls")
        right.set_xticks(range(0, 13, 3))
        right.legend(loc="center right")
        words = (
            "grey: data · blue: the line μ + Wz · orange: E[z given x] on it (E-step) · "
            "M-step: the next panel's line"
        )
        figure.supxlabel(words, fontsize=8.5)
    sheet.say(
        f"log-likelihood {values[0]:.3f} at the start, {values[3]:.3f} after 3 steps, "
        f"{values[-1]:.3f} after 12 steps; the maximum is {limit:.3f}"
    )
    return figure


def em_lower_bound(sheet: Sheet) -> Figure:
    """Draw the bound that E builds and that touches the likelihood, and M's jump to its top."""
    x, u, psi, grid = _cloud(60), np.array([[0.8], [0.6]]), 0.6, np.linspace(0.05, 3.4, 300)
    S, noise = x.T @ x / len(x), np.full(2, psi)

    def likelihood(a: float) -> float:
        return -(expectations(S, a * u, noise)[2] + 2 * LOG_2PI) / 2

    def bound(a: Array, old: float) -> Array:
        beta, second, _ = expectations(S, old * u, noise)
        cross, C = float((u.T @ S @ beta.T)[0, 0]), float(second[0, 0])
        spread = 1 - float((beta @ (old * u))[0, 0])
        fit = (np.trace(S) - 2 * a * cross + a**2 * C) / psi
        entropy = (np.log(spread) + 1 + LOG_2PI) / 2
        fixed = 2 * LOG_2PI + 2 * np.log(psi)
        return np.asarray(-(fixed + fit) / 2 - (LOG_2PI + C) / 2 + entropy)

    old = sheet.moving("start", (0.1, 0.35, 0.8, 1.5, 2.5, 3.3), 1)
    curve = np.array([likelihood(a) for a in grid])
    gap = (curve - bound(grid, old)).min()
    with board(7.4, 4.2) as figure:
        axes = figure.subplots()
        axes.plot(grid, curve, color=INK, linewidth=2, label="log-likelihood")
        for turn, colour in enumerate((ORANGE, GREEN, BLUE), start=1):
            values = bound(grid, old)
            new = float(grid[values.argmax()])
            reached = likelihood(new)
            axes.plot(grid, values, color=colour, label=f"its bound by E, round {turn}")
            axes.plot([old], [likelihood(old)], "o", color=colour)
            axes.plot([new], [values.max()], "^", color=colour)
            axes.plot([new, new], [values.max(), reached], ":", color=colour)
            sheet.say(f"round {turn}: from {old:.2f} to {new:.2f}, log-likelihood {reached:.4f}")
            old = new
        sheet.say(f"the gap of the first bound is at least {gap:.1e} nats: it touches")
        title = "● where the bound touches (E) · ▲ its top (M) · dotted: what the step gains more"
        titled(axes, title, "size a of the loadings, W = a·u", "nats a point")
        axes.set_ylim(curve.max() - 2.2, curve.max() + 0.5)
        axes.legend(loc="upper left")
    return figure


def em_starts(sheet: Sheet) -> Figure:
    """Draw four starts of EM: one likelihood, one covariance, loadings that are turned."""
    draw = np.random.default_rng(0)
    L = np.array([[0.9, 0], [0.8, 0.1], [0.7, 0], [0, 0.9], [0.1, 0.8], [0.4, 0.6]])
    x = draw.standard_normal((500, 2)) @ L.T + 0.5 * draw.standard_normal((500, 6))
    S, ends = np.cov(x.T, bias=True), []
    with board(10.4, 3.6) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
        for seed, colour in enumerate(COLOURS[:4]):
            start = np.random.default_rng(seed).standard_normal((6, 2))
            settings: dict[str, Any] = {"expanded": False, "tolerance": 1e-10, "max_iter": 2000}
            found = em(S, start, np.ones(6), np.full(6, 1e-6), **settings)
            values = -(np.array(found.trace) + 6 * LOG_2PI) / 2
            steps = np.arange(1, len(values) + 1)
            left.plot(steps, values, color=colour, label=f"start {seed + 1}")
            for end in found.loadings:
                right.annotate("", end, (0, 0), arrowprops={"arrowstyle": "->", "color": colour})
            ends.append((values[-1], found))
        titled(left, "one maximum", "step", "log-likelihood, nats a row")
        left.set_xscale("log")
        left.legend()
        titled(right, "six variables' loadings: turned", "$λ_{i1}$", "$λ_{i2}$")
        right.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), aspect="equal")
    sigmas = [f.loadings @ f.loadings.T + np.diag(f.noise_variance) for _, f in ends]
    spread = max(np.abs(s - sigmas[0]).max() for s in sigmas)
    turned = max(np.abs(f.loadings - ends[0][1].loadings).max() for _, f in ends)
    tops = [v for v, _ in ends]
    sheet.say(f"log-likelihoods of the four ends differ by {np.ptp(tops):.1e} nats")
    sheet.say(f"Σ differs by at most {spread:.1e}, the loadings by {turned:.2f}")
    return figure


def em_and_faster(sheet: Sheet) -> Figure:
    """Draw EM, PX-EM and scikit-learn's estimate of digits: how far below the maximum they are."""
    x = flat(unit_floats(digits().x_train))
    x = x[:, x.std(axis=0) > 0.05]
    best = FactorAnalysis(10, matrix="covariance").fit(x).log_likelihood_
    theirs = np.array(decomposition.FactorAnalysis(10).fit(x).loglike_) / len(x)
    courses = {"scikit-learn, as the slide calls it": theirs}
    for label, algorithm in (("EM", "em"), ("PX-EM", "px_em")):
        slow = FactorAnalysis(10, matrix="covariance", algorithm=algorithm, tolerance=1e-12)
        courses[label] = slow.fit(x).log_likelihood_trace_[:151]
    with board(6.4, 3.8) as figure:
        axes = figure.subplots()
        for (label, values), colour in zip(courses.items(), (GREEN, BLUE, ORANGE)):
            gap = best - values
            # Further down the gap is that of rounding.
            gap = gap[: 1 + int(np.argmax(gap < 1e-9))] if gap.min() < 1e-9 else gap
            axes.semilogy(gap, color=colour, label=label)
            axes.semilogy(len(gap) - 1, gap[-1], "o", color=colour)
            sheet.say(
                f"{label}: {gap[10]:.3f} nats below the maximum after 10 steps, "
                f"{gap[-1]:.1e} after {len(gap) - 1} steps"
            )
        title = "ten factors of the digits' 52 pixels that have ink"
        titled(axes, title, "step", "nats an image below the maximum")
        axes.legend()
    return figure


def _of_a_digit() -> str:
    """Return a sentence on the same estimate for a digit of 64 pixels."""
    x = flat(digits().x_test)[:1]
    model = ProbabilisticPCA(n_components=10).fit(flat(digits().x_train))
    z, noise = np.random.default_rng(1).standard_normal((10_000, 10)), model.noise_variance_
    v = float(np.mean(noise))
    part = -((z @ model.loadings_.T + model.mean_ - x) ** 2).sum(axis=1) / v / 2
    estimate = logsumexp(part) - np.log(len(z)) - 32 * (LOG_2PI + np.log(v))
    exact = model.score_samples(x)[0]
    return f"a digit, ten factors, as many draws: {estimate:.1f} nats; exactly {exact:.1f}"


def integrating_factors_out(sheet: Sheet) -> Figure:
    """Draw the mean of p(x given f) over draws of f beside the exact density of x."""
    W, v, point = np.array([1.6, 1.0]), 0.25, np.array([[1.2, 1.4]])
    exact = multivariate_normal([0, 0], np.outer(W, W) + v * np.eye(2))
    f, grid = np.random.default_rng(0).standard_normal(10_000), np.linspace(-5, 5, 120)

    def mean_density(points: Array, draws: Array) -> Array:
        gap = ((points[:, None] - draws[:, None] * W) ** 2).sum(axis=2)
        return np.asarray(np.exp(logsumexp(-gap / (2 * v), axis=1)) / len(draws) / (2 * np.pi * v))

    counts, truth = np.geomspace(1, 10_000, 60).astype(int), float(exact.pdf(point[0]))
    with board(12, 3.3) as figure:
        *maps, right = figure.subplots(1, 5, width_ratios=(1, 1, 1, 1, 1.3))
        for axes, m in zip(maps, (1, 5, 50, 1000)):
            contours(axes, lambda p, m=m: mean_density(p, f[:m]), grid, grid, BLUE)
            contours(axes, exact.pdf, grid, grid, PALE)
            axes.plot(*np.outer(f[:m][:50], W).T, ".", color=ORANGE, markersize=4)
            titled(axes, f"draws of f: {m}", "$x_1$")
            axes.set(aspect="equal", xlim=(-5, 5), ylim=(-4, 4))
        maps[0].set_ylabel("$x_2$")
        estimates = np.array([mean_density(point, f[:m])[0] for m in counts])
        right.semilogx(counts, estimates, color=BLUE, label="mean of p(x given f)")
        right.axhline(truth, color=INK, linestyle=":", label="exact p(x)")
        titled(right, "one point", "draws of f", "density at x = (1.2, 1.4)")
        right.legend()
    sheet.say(f"at (1.2, 1.4): {estimates[-1]:.4f} from 10000 draws, exactly {truth:.4f}")
    sheet.say(_of_a_digit())
    return figure
