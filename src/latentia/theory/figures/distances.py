"""Distances of distributions, the critic that measures one, and what keeps it honest."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure
from scipy.stats import norm
from torch import Tensor, nn
from torch.nn.functional import relu, softplus

from latentia.plots.style import INK
from latentia.plots.theory import parallel_lines_figure
from latentia.theory.divergences import js_divergence, wasserstein
from latentia.theory.figures import Sheet
from latentia.theory.figures.panels import BLUE, GREEN, GREY, ORANGE, PALE, Array, board
from latentia.theory.lines import parallel_lines as lines_apart
from latentia.theory.lipschitz import gradient_norms, lipschitz_bound


def parallel_lines(sheet: Sheet) -> Figure:
    """Draw two lines a distance θ apart, and what W₁, JSD and TV say of it."""
    curves = lines_apart(np.linspace(-1, 1, 201))
    for i in (0, 50, 99, 100, 150):
        sheet.say(
            f"θ {curves.theta[i]:.2f}: W₁ {curves.wasserstein[i]:.2f}, "
            f"JSD {curves.js_divergence[i]:.4f}, "
            f"KL {curves.kl_forward[i]:.4f}, TV {curves.total_variation[i]:.2f}"
        )
    return parallel_lines_figure(
        curves.theta, curves.wasserstein, curves.js_divergence, curves.total_variation
    )


def _plan(p: Array, q: Array) -> Array:
    """Return how much the cheapest transport on a line moves from each place to each."""
    plan, left, need = np.zeros((len(p), len(q))), p.astype(float), q.astype(float)
    i = j = 0
    while i < len(p) and j < len(q):
        moved = min(left[i], need[j])
        plan[i, j] += moved
        left[i] -= moved
        need[j] -= moved
        i, j = (i + 1, j) if left[i] <= 1e-12 else (i, j + 1)
    return plan


def moving_earth(sheet: Sheet) -> Figure:
    """Draw two piles of blocks, the cheapest plan that makes one of the other, and a worse one."""
    p, q = np.array([3, 1, 0, 0, 2, 3, 1, 0]), np.array([0, 0, 2, 3, 1, 0, 1, 3])
    places = np.arange(8)
    plans = {"the cheapest plan": _plan(p, q), "first in, last out": _plan(p, q[::-1])[:, ::-1]}
    with board(11.6, 3.6) as figure:
        left, *maps = figure.subplots(1, 3, width_ratios=(1.3, 1, 1))
        for heights, colour, name, sign in (
            (p, BLUE, "what is there", 1),
            (q, ORANGE, "what is wanted", -1),
        ):
            for place, height in enumerate(heights):
                for level in range(height):
                    left.bar(
                        place,
                        sign * 0.92,
                        bottom=sign * (level + 0.04),
                        color=colour,
                        label=name if level == 0 else None,
                    )
        for i, j in np.argwhere(plans["the cheapest plan"] > 0):
            bent = {"arrowstyle": "->", "color": INK, "connectionstyle": "arc3,rad=-0.5"}
            left.annotate("", (j, 0.1), (i + 0.2, p[i]), arrowprops=bent)
        left.axhline(0, color=INK, linewidth=0.8)
        left.set(xlabel="place", ylabel="blocks", title="earth to be moved", ylim=(-4.3, 5.8))
        handles, labels = left.get_legend_handles_labels()
        chosen = dict(zip(labels, handles))
        left.legend(chosen.values(), chosen.keys(), ncols=2, fontsize=8, loc="upper right")
        for axes, (name, plan) in zip(maps, plans.items()):
            work = (plan * np.abs(places[:, None] - places)).sum()
            axes.imshow(plan.T, cmap="Blues", vmin=0, vmax=4, origin="lower")
            for i, j in np.argwhere(plan > 0):
                axes.text(i, j, f"{plan[i, j]:.0f}", ha="center", va="center", color="#000000")
            axes.grid(visible=False)
            axes.set(xlabel="from", ylabel="to", title=f"{name}: work {work:.0f}")
            sheet.say(f"{name}: {work:.0f} blocks × places, {work / p.sum():.2f} a block")
    exact = wasserstein(p / p.sum(), q / q.sum(), places, places)
    sheet.say(f"W₁ of the two distributions by their quantiles: {exact:.2f}")
    return figure


def _trained(real: Tensor, fake: Tensor, *, critic: bool) -> nn.Module:
    """Return a discriminator, or a critic under the gradient penalty, of points on a line."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(400):
        if critic:
            share = torch.rand(len(real), 1)
            between = (share * real + (1 - share) * fake).requires_grad_()
            (slope,) = torch.autograd.grad(net(between).sum(), between, create_graph=True)
            loss = net(fake).mean() - net(real).mean() + 50 * (relu(slope.abs() - 1) ** 2).mean()
        else:
            loss = softplus(-net(real)).mean() + softplus(net(fake)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net.eval()


def critic_instead_of_discriminator(sheet: Sheet) -> Figure:
    """Draw a trained D, which saturates, and a trained critic as two bumps move apart."""
    points, x = norm(0, 0.5).rvs((2, 256, 1), random_state=0), np.linspace(-2, 10, 400)
    with board(12, 3.4) as figure:
        panels = figure.subplots(1, 3)
        for axes, shift in zip(panels, (1.5, 4.0, 8.0)):
            real, fake = (
                torch.tensor(a, dtype=torch.float32) for a in (points[0], points[1] + shift)
            )
            line, other = torch.tensor(x, dtype=torch.float32)[:, None], axes.twinx()
            p, q = norm(0, 0.5), norm(shift, 0.5)
            for density in (p, q):
                axes.fill_between(x, 0.6 * density.pdf(x), color=PALE, linewidth=0)
            nets = {
                "D(x)": _trained(real, fake, critic=False),
                "f(x)": _trained(real, fake, critic=True),
            }
            with torch.no_grad():
                D, f = (net(line)[:, 0] for net in nets.values())
            axes.plot(x, torch.sigmoid(D), color=BLUE, label="D(x), left axis")
            other.plot(x, f - f.mean(), color=ORANGE, label="critic f(x), right axis")
            other.set(ylim=(-6.5, 6.5))
            other.tick_params(axis="y", colors=ORANGE)
            other.grid(visible=False)
            axes.set(
                xlabel="x",
                ylim=(-0.03, 1.25),
                title=f"{shift} apart: W₁ = {wasserstein(p, q):.2f}, "
                f"JSD = {js_divergence(p, q):.4f}",
            )
            axes.text(0, 0.05, "real", ha="center", fontsize=8)
            axes.text(shift, 0.05, "fake", ha="center", fontsize=8)
            slopes = [np.abs(np.interp(shift, x, np.gradient(v, x))) for v in (torch.sigmoid(D), f)]
            sheet.say(
                f"{shift} apart: slope at the fakes of D {slopes[0]:.1e}, "
                f"of the critic {slopes[1]:.2f}"
            )
        lines = [panels[0].get_lines()[0], other.get_lines()[0]]
        panels[0].legend(
            lines, [str(line.get_label()) for line in lines], fontsize=8, loc="upper right"
        )
    return figure


def lipschitz_cone(sheet: Sheet) -> Figure:
    """Draw a curve that stays in the cone of slope 1 and one that does not."""
    x, fast = np.linspace(-3, 3, 601), sheet.moving("frequency", (1.2, 1.5, 1.8, 2.2, 3, 4), 3)
    curves = {"1-Lipschitz": np.sin(x) * 0.95, "not 1-Lipschitz": np.sin(fast * x) * 0.9}
    with board(11.6, 3.5) as figure:
        *panels, right = figure.subplots(1, 3)
        for axes, (name, y) in zip(panels, curves.items()):
            slope = np.abs(np.gradient(y, x))
            bad = slope > 1 + 1e-6
            axes.fill_between(x, -np.abs(x), np.abs(x), color=GREEN, alpha=0.18, linewidth=0)
            for place in (-1.6, 0.0, 1.9):
                at = np.abs(x - place).argmin()
                for sign in (1, -1):
                    axes.plot(x, y[at] + sign * (x - x[at]), ":", color=GREY, linewidth=0.8)
                axes.plot(x[at], y[at], "o", color=GREEN if place == 0 else GREY)
            axes.plot(x, y, color=BLUE)
            axes.plot(x, np.where(bad, y, np.nan), color=ORANGE, linewidth=3)
            axes.set(
                xlabel="x", ylim=(-2.6, 2.6), title=f"{name}: steepest slope {slope.max():.2f}"
            )
            sheet.say(
                f"{name}: steepest slope {slope.max():.2f}, "
                f"steeper than 1 on {bad.mean():.0%} of the line"
            )
        panels[0].set_ylabel("f(x); cones |f(x) − f(x₀)| ≤ |x − x₀|")
        scales, gaps = np.geomspace(0.1, 100, 40), norm(0, 1).rvs(400, random_state=0)
        fake, real = norm(3, 1).rvs(400, random_state=1), gaps
        free = [a * abs(real.mean() - fake.mean()) for a in scales]
        right.loglog(scales, free, color=ORANGE, label="E f(x) − E f(G(z)), f(x) = −a x")
        right.axhline(3, color=BLUE, label="W₁, the most for slope 1")
        right.axvline(1, color=INK, linestyle=":")
        right.set(xlabel="slope a of the critic", title="unbounded, the 'distance' has no limit")
        right.legend(fontsize=8)
    return figure


def gradient_penalty(sheet: Sheet) -> Figure:
    """Draw a critic of two clouds trained without a bound, by clipping, and with the penalty."""
    draw = torch.Generator().manual_seed(0)
    real = torch.randn(512, 2, generator=draw) * 0.4
    fake = torch.randn(512, 2, generator=draw) * 0.4 + torch.tensor([2.0, 1.0])
    kinds = {"no bound": 0.0, "clipping, c = 0.05": 0.0, "gradient penalty, λ = 10": 10.0}
    with board(12, 3.5) as figure:
        panels = figure.subplots(1, 3)
        for axes, (name, weight) in zip(panels, kinds.items()):
            torch.manual_seed(1)
            critic = nn.Sequential(
                nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)
            )
            optimizer = torch.optim.Adam(critic.parameters(), 2e-3, betas=(0.5, 0.9))
            for _ in range(400):
                share = torch.rand(512, 1, generator=draw)
                between = (share * real + (1 - share) * fake).requires_grad_()
                (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
                penalty = weight * ((slope.norm(dim=1) - 1) ** 2).mean()
                loss = critic(fake).mean() - critic(real).mean() + penalty
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if name.startswith("clipping"):
                    with torch.no_grad():
                        _ = [w.clamp_(-0.05, 0.05) for w in critic.parameters()]
            norms = gradient_norms(critic, between)
            gap = float((critic(real).mean() - critic(fake).mean()).detach())
            axes.hist(norms, bins=30, color=BLUE)
            axes.axvline(1, color=ORANGE, linestyle=":", linewidth=2)
            axes.set_xlim(left=0)
            axes.set(
                xlabel="‖∇f‖ between real and fake", title=f"{name}\nE f(x) − E f(G(z)) = {gap:.3g}"
            )
            bound = lipschitz_bound(critic, (2,))
            sheet.say(
                f"{name}: slopes {norms.min():.2g} to {norms.max():.2g}, "
                f"bound by the layers {bound:.3g}, distance {gap:.3g}"
            )
        panels[0].set_ylabel("points")
    sheet.say(f"W₁ of the two clouds is about {np.hypot(2, 1):.2f}, the distance of their means")
    return figure
