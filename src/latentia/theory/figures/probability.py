"""Distributions, expectations and their estimates, from a die to pictures."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from scipy.special import expit
from scipy.stats import gamma, multivariate_normal, norm

import latentia
from latentia.models.inputs import unit_floats
from latentia.plots.style import CLASS_COLOURS, INK
from latentia.plots.theory import densities_figure, expectation_figure
from latentia.theory.figures import Sheet
from latentia.theory.figures.panels import (
    BLUE,
    GREEN,
    ORANGE,
    PALE,
    SKY,
    board,
    digits,
    show,
    strips,
    titled,
)
from latentia.theory.minimax import optimal_logit, value
from latentia.theory.monte_carlo import expectation


def dice(sheet: Sheet) -> Figure:
    """Draw the shares of a die's faces after 10, 100 and 10,000 throws, and an IQ's interval."""
    draw = np.random.default_rng(0)
    with board(12, 3.2) as figure:
        *panels, right = figure.subplots(1, 4, width_ratios=(1, 1, 1, 1.2))
        for axes, n in zip(panels, (10, 100, 10_000)):
            share = np.bincount(draw.integers(1, 7, n), minlength=7)[1:] / n
            axes.bar(range(1, 7), share, color=BLUE)
            axes.axhline(1 / 6, color=INK, linestyle=":")
            axes.set(
                xlabel="face of the die", ylim=(0, 0.45), title=f"throws: {n:,}", xticks=range(1, 7)
            )
            sheet.say(
                f"{n:,} throws: the shares are off 1/6 by {np.abs(share - 1 / 6).max():.3f} at most"
            )
        panels[0].set_ylabel("share; dotted: 1/6")
        x = np.linspace(20, 180, 400)
        for scale, colour in ((24, ORANGE), (15, SKY)):
            right.plot(x, norm.pdf(x, 100, scale), color=colour, label=f"σ = {scale}")
            inside = (x > 76) & (x < 124)
            right.fill_between(
                x[inside], norm.pdf(x[inside], 100, scale), color=colour, alpha=0.25, linewidth=0
            )
            share = np.diff(norm.cdf((76, 124), 100, scale))[0]
            sheet.say(
                f"IQ with σ = {scale}: {share:.1%} between 76 and 124; "
                f"at exactly 100 the probability is 0, the density {norm.pdf(100, 100, scale):.4f}"
            )
        right.set(xlabel="IQ", title="a density: areas are probabilities", ylabel="density")
        right.legend()
    return figure


def densities(sheet: Sheet) -> Figure:
    """Draw normal densities, the sum of two dice, and a density on the plane."""
    x, side, six = np.linspace(-5, 7, 500), np.linspace(-3, 3, 61), np.full(6, 1 / 6)
    normals = [(f"μ = {m}, σ = {s}", norm(m, s).pdf(x)) for m, s in ((0, 1), (0, 2), (3, 0.7))]
    shared = sheet.moving("covariance", (-0.8, -0.4, 0, 0.3, 0.6, 0.8), 4)
    covariance = np.array([[1.0, shared], [shared, 0.8]])
    heights = multivariate_normal([0, 0], covariance).pdf(
        np.stack(np.meshgrid(side, side), axis=-1)
    )
    two = np.convolve(six, six)
    sheet.say(
        f"each normal density's area is {np.trapezoid(normals[0][1], x):.4f}, "
        f"the two dice's bars add up to {two.sum():.4f}"
    )
    sheet.say(f"correlation of the density on the plane: {shared / np.sqrt(0.8):.3f}")
    return densities_figure(x, normals, (np.arange(2, 13), two), (side, side, heights))


def expectation_as_balance(sheet: Sheet) -> Figure:
    """Draw a sum over bars that turns into an integral as the bars get thin."""
    density = gamma(2)
    truth, square = density.mean(), density.moment(2)
    with board(12, 3.2) as figure:
        for axes, width in zip(figure.subplots(1, 4), (2.0, 1.0, 0.3, 0.03)):
            edges = np.arange(0, 30 + width, width)
            x, weight = edges[1:] - width / 2, np.diff(density.cdf(edges))
            mean, second = float((x * weight).sum()), float((x**2 * weight).sum())
            axes.bar(x, weight / width, 0.92 * width if width > 0.1 else width, color=BLUE)
            axes.plot([mean], [-0.012], "^", color=ORANGE, markersize=12, clip_on=False)
            titled(axes, f"bars of width {width}: Σ x p = {mean:.4f}", "x")
            axes.set(ylim=(0, 0.42), xlim=(0, 10))
            axes.tick_params(axis="x", pad=12)
            sheet.say(
                f"width {width}: Σ x p = {mean:.5f}, Σ x² p = {second:.5f}; "
                f"the integrals are {truth:.0f} and {square:.0f}"
            )
        figure.supxlabel("the bars balance at Σ x p (triangle)", fontsize=8.5)
    return figure


def monte_carlo(sheet: Sheet) -> Figure:
    """Draw the running mean of exp X with its interval, and its error as draws increase."""
    n, truth = 100_000, float(np.sqrt(np.e))
    running = expectation(np.exp, norm(0, 1), n, random_state=0)
    for m in (100, 1000, 10_000, n):
        sheet.say(
            f"{m} draws: {running.mean[m - 2]:.4f} ± {running.standard_error[m - 2]:.4f}, "
            f"the expectation is {truth:.4f}"
        )
    few = np.unique(np.geomspace(1, n - 1, 1500).astype(int)) - 1
    low, high = running.interval(0.95)
    interval = low[few], high[few]
    return expectation_figure(
        running.n[few], running.mean[few], interval, truth, "E exp(X), X ~ N(0, 1)"
    )


def value_by_monte_carlo(sheet: Sheet) -> Figure:
    """Draw V(D, G) by minibatches of growing size beside its exact value."""
    p, q, sizes = norm(0, 1), norm(2, 1.3), (8, 32, 128, 512, 2048)
    logit = optimal_logit(p, q)
    exact, draw, runs = value(logit, p, q), np.random.default_rng(0), 400
    with board(9.6, 3.5) as figure:
        left, right = figure.subplots(1, 2)
        spread = []
        for place, m in enumerate(sizes):
            x, fake = p.rvs((runs, m), random_state=draw), q.rvs((runs, m), random_state=draw)
            found = (np.log(expit(logit(x))) + np.log(expit(-logit(fake)))).mean(axis=1)
            spread.append(found.std())
            left.plot(
                place + 0.1 * draw.standard_normal(runs),
                found,
                ".",
                color=BLUE,
                alpha=0.2,
                markersize=4,
            )
            left.errorbar(place, found.mean(), 1.96 * found.std(), color=ORANGE, capsize=5, fmt="o")
            sheet.say(
                f"batches of {m}: V {found.mean():.4f} ± {found.std():.4f} (standard deviation of "
                f"a batch), exactly {exact:.4f}"
            )
        left.axhline(exact, color=INK, linestyle=":")
        left.set_xticks(range(5), [str(m) for m in sizes])
        left.set(
            xlabel="batch size",
            ylabel="nats",
            title="V(D, G) by one batch, 400 times; dotted: exact",
        )
        right.loglog(sizes, spread, "o-", color=BLUE, label="standard deviation of a batch's V")
        right.loglog(
            sizes, spread[0] * np.sqrt(sizes[0] / np.array(sizes)), ":", color=INK, label="slope −½"
        )
        right.set(xlabel="batch size", ylabel="nats", title="it falls as 1/√m")
        right.legend()
    return figure


def picture_as_a_point(sheet: Sheet) -> Figure:
    """Draw all digits as points in the plane of two pixels, and means by class as pictures."""
    data = digits()
    x, y = unit_floats(data.x_train), data.y_train
    pixels, draw = ((3, 2), (4, 5)), np.random.default_rng(0)
    a, b = (x[:, row, column] + 0.02 * draw.standard_normal(len(x)) for row, column in pixels)
    means = np.stack([x[y == c].mean(axis=0) for c in range(10)])
    with board(11.4, 3.8) as figure:
        left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.1))
        for c in (0, 1, 4, 7):
            own = y == c
            left.plot(a[own], b[own], ".", color=CLASS_COLOURS[c], markersize=4, label=str(c))
        left.set(
            xlabel="pixel in row 4, column 3",
            ylabel="pixel in row 5, column 6",
            title="each digit is a point: two of 64 axes",
        )
        left.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.18), markerscale=3)
        show(
            middle,
            np.concatenate([means, x.mean(axis=0)[None]]),
            4,
            "mean of each class, and of all",
        )
        all_, own = (np.sqrt(((x - m) ** 2).sum(axis=(1, 2))) for m in (x.mean(axis=0), means[y]))
        right.hist(all_, bins=40, color=PALE, label="from the mean of all")
        right.hist(own, bins=40, color=GREEN, alpha=0.6, label="from the mean of its class")
        right.set(
            xlabel="distance of a digit",
            ylabel="digits",
            title="no digit is near a mean",
            ylim=(0, 165),
        )
        right.legend()
    sheet.say(
        f"nearest that any digit comes to the mean of all: {all_.min():.2f}; "
        f"on average {all_.mean():.2f}"
    )
    return figure


def mean_face(sheet: Sheet) -> Figure:
    """Draw the mean face, the axes about it, and faces from the mean to a caricature."""
    data = latentia.load_data(sheet.data)
    x = unit_floats(data.x_train)
    grey = x.mean(axis=1) if x.ndim == 4 else x
    pca = latentia.PCA(n_components=100).fit(grey)
    mean, some = grey.mean(axis=0), grey[:5]
    rows = {
        f"mean + {s:g} × (face − mean)": np.clip(mean + s * (pca.reconstruct(some) - mean), 0, 1)
        for s in (0, 0.5, 1, 1.7)
    }
    axes_ = pca.components_[:5].reshape(5, *mean.shape)
    rows["five principal axes"] = 0.5 + 0.5 * axes_ / np.abs(axes_).max(axis=(1, 2), keepdims=True)
    with board(6.6, 6.2) as figure:
        strips(figure.subplots(), rows, f"mean of {len(grey)} faces, and away from it")
    share = pca.explained_variance_ratio_
    sheet.say(
        f"{len(grey)} faces: the first axis holds {share[0]:.1%} of the variance, "
        f"the first five {share[:5].sum():.1%}"
    )
    return figure
