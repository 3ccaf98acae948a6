"""The GAN's value function: its terms, its optimum, and what remains when D is optimal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm

from latentia.plots.game import game_figure, minimax_figure
from latentia.plots.style import COLOURS, INK
from latentia.plots.theory import asymmetry_figure
from latentia.theory.densities import mixture
from latentia.theory.divergences import js_divergence, kl_divergence
from latentia.theory.figures import Sheet
from latentia.theory.figures.panels import BLUE, GREEN, ORANGE, PALE, PINK, Array, board, titled
from latentia.theory.game import Game
from latentia.theory.minimax import optimal_logit, train_discriminator, value, virtual_criterion

LOG_4 = float(np.log(4))


def _terms(p: Any, q: Any, logit: Callable[[Array], Array]) -> Array:
    """Return E log D(x) and E log(1 − D(G(z))) of a discriminator with this logit."""
    t = np.linspace(-9, 12, 8001)
    real = np.trapezoid(p.pdf(t) * -np.logaddexp(0, -logit(t)), t)
    return np.array([real, np.trapezoid(q.pdf(t) * -np.logaddexp(0, logit(t)), t)])


def value_function(sheet: Sheet) -> Figure:
    """Draw four discriminators of the same two densities, and the value of each."""
    mean = sheet.moving("mean of p_g", (0, 0.5, 1, 2, 3, 4), 3)
    p, q, x = norm(0, 1), norm(mean, 1.3), np.linspace(-4, 7, 400)
    best, names = optimal_logit(p, q), ("E log D(x)", "E log(1 − D(G(z)))")
    judges = {
        "says ½ of everything": lambda t: 0 * t,
        "right, but timid": lambda t: 0.4 * (1.0 - t),
        "too sure of itself": lambda t: 8 * (1.0 - t),
        "optimal, D*": best,
    }
    with board(11, 3.7) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
        for density, colour, name in ((p, BLUE, "p_data"), (q, ORANGE, "p_g")):
            left.fill_between(x, density.pdf(x), color=colour, alpha=0.18, lw=0, label=name)
        for place, (name, logit) in enumerate(judges.items()):
            colour, line = COLOURS[(6, 2, 3, 0)[place]], ("--", "-", "-", "-")[place]
            left.plot(x, expit(logit(x)), line, color=colour, label=f"D: {name}")
            real, fake = _terms(p, q, logit)
            for value_, start, colour, term in zip((real, fake), (0, real), (BLUE, ORANGE), names):
                bar = right.barh(place, value_, left=start, color=colour)
                bar.set_label(term if place == 0 else "_")
            right.text(0.04, place, f"V = {real + fake:.3f}", va="center")
            sheet.say(f"D {name}: {real:.3f} + {fake:.3f} = {real + fake:.3f} nats")
        right.axvline(value(best, p, q), ymax=0.87, color=INK, linestyle=":")
        titled(left, "two densities, four discriminators", "x", "density; probability of 'real'")
        left.set(ylim=(0, 1.02), xlim=(-4, 7))
        left.legend(fontsize=7.5, loc="upper right")
        right.set_yticks(range(4), [name.replace(", ", ",\n") for name in judges])
        titled(right, "no D has a greater V than D* (dotted)", "nats")
        right.set(xlim=(-2.8, 0.75), ylim=(3.6, -1.1))
        right.legend(loc="upper left", ncols=2, fontsize=8)
    return figure


def top_of_the_curve(sheet: Sheet) -> Figure:
    """Draw a log y + b log(1 − y), whose top is D*(x), at three x and over all."""
    mean = sheet.moving("mean of p_g", (0, 0.5, 1, 2, 3, 4), 3)
    p, q, x = norm(0, 1), norm(mean, 1.3), np.linspace(-3.5, 6.5, 400)
    y, places = np.linspace(0.002, 0.998, 500), (-0.6, 0.9, 2.4)
    with board(12, 3.5) as figure:
        left, middle, right = figure.subplots(1, 3)
        for density, name, colour in ((p, "p_data", BLUE), (q, "p_g", ORANGE)):
            left.plot(x, density.pdf(x), color=colour, label=name)
        for place, colour in zip(places, (GREEN, PINK, INK)):
            a, b = float(p.pdf(place)), float(q.pdf(place))
            curve, top = a * np.log(y) + b * np.log(1 - y), a / (a + b)
            left.plot([place, place], [a, b], "o:", color=colour)
            middle.plot(y, curve, color=colour, label=f"x = {place}: a = {a:.2f}, b = {b:.2f}")
            middle.plot(top, a * np.log(top) + b * np.log(1 - top), "o", color=colour)
            right.plot(place, top, "o", color=colour, zorder=3)
            sheet.say(
                f"x = {place}: top of the curve at {y[curve.argmax()]:.3f}, a/(a + b) = {top:.3f}"
            )
        samples = [d.rvs(2000, random_state=seed) for seed, d in enumerate((p, q))]
        trained = train_discriminator(*samples)
        right.plot(x, p.pdf(x) / (p.pdf(x) + q.pdf(x)), color=INK, label="D* = a/(a + b)")
        right.plot(x, expit(trained(x)), "--", color=PINK, label="D trained on samples")
        left.set(xlabel="x", title="a = p_data(x), b = p_g(x)", ylabel="density")
        middle.set(xlabel="y, what D says of x", ylim=(-1.6, 0.05), title="a log y + b log(1 − y)")
        right.set(
            xlabel="x",
            ylabel="probability of 'real'",
            ylim=(0, 1.02),
            title="the tops over all x are D*",
        )
        for axes, where in (
            (left, "upper right"),
            (middle, "lower center"),
            (right, "upper right"),
        ):
            axes.legend(fontsize=8, loc=where)
    gap = value(optimal_logit(p, q), p, q) - value(trained, p, q)
    sheet.say(f"the trained D is {gap:.4f} nats below V(G, D*)")
    return figure


def jsd_derivation(sheet: Sheet) -> Figure:
    """Draw V(G, D*) on top of −log 4 + 2 JSD, and a trained D beside D*."""
    p, shifts, x = norm(0, 1), np.linspace(0, 8, 41), np.linspace(-3.5, 6.5, 400)
    values = np.array([value(optimal_logit(p, norm(s, 1)), p, norm(s, 1)) for s in shifts])
    criterion = np.array([virtual_criterion(p, norm(s, 1)) for s in shifts])
    for i in (0, 5, 10, 20, 40):
        sheet.say(
            f"means {shifts[i]:.0f} apart: V(G, D*) {values[i]:.6f}, "
            f"−log 4 + 2 JSD {criterion[i]:.6f} nats"
        )
    sheet.say(f"largest difference {np.abs(values - criterion).max():.1e} nats")
    q = norm(2, 1.3)
    samples = [d.rvs(2000, random_state=seed) for seed, d in enumerate((p, q))]
    trained, best = train_discriminator(*samples), optimal_logit(p, q)
    sheet.say(
        f"trained D: V(G, D) {value(trained, p, q):.4f}, at most {value(best, p, q):.4f} nats"
    )
    judges = expit(best(x)), expit(trained(x))
    return minimax_figure(x, (p.pdf(x), q.pdf(x)), judges, shifts, values, criterion)


LINES = (
    "V(G, D*) = E log D*(x) + E log(1 − D*(G(z)))",
    "= ∫ p log[p/(p + q)] + q log[q/(p + q)] dx",
    "= −log 4 + ∫ p log[2p/(p + q)] + q log[2q/(p + q)] dx",
    "= −log 4 + KL(p ‖ (p + q)/2) + KL(q ‖ (p + q)/2)",
    "= −log 4 + 2 JSD(p ‖ q)",
)


def _lines(shift: float) -> list[float]:
    """Return the value of each of LINES for N(0, 1) and N(shift, 1), each by its own way."""
    t, p, q = np.linspace(-12, 16, 40_001), norm(0, 1), norm(shift, 1)
    a, b, m = p.pdf(t), q.pdf(t), mixture([p, q], [0.5, 0.5])
    log_a, log_b = p.logpdf(t), q.logpdf(t)
    log_sum = np.logaddexp(log_a, log_b)
    second = np.trapezoid(a * (log_a - log_sum) + b * (log_b - log_sum), t)
    half = np.exp(log_sum) / 2
    third = np.trapezoid(a * np.log(a / half) + b * np.log(b / half), t)
    fourth = kl_divergence(p, m) + kl_divergence(q, m)
    first, last = value(optimal_logit(p, q), p, q), 2 * js_divergence(p, q)
    return [first, float(second), float(third) - LOG_4, fourth - LOG_4, last - LOG_4]


def jsd_line_by_line(sheet: Sheet) -> Figure:
    """Write every line of the derivation, each computed by itself, for three pairs of densities."""
    pairs = {"p_g = p_data": 0.0, "means 1 apart": 1.0, "means 4 apart": 4.0}
    table = {name: _lines(shift) for name, shift in pairs.items()}
    with board(10.6, 3.4) as figure:
        axes = figure.subplots()
        axes.text(0, -0.9, "p = p_data, q = p_g; nats", color=BLUE)
        for row, line in enumerate(LINES):
            axes.text(0, row, line, fontsize=10.5, va="center")
        for place, (name, values) in zip((6.6, 8.3, 10.0), table.items()):
            axes.text(place, -0.9, name, ha="right", color=BLUE)
            for row, each in enumerate(values):
                axes.text(place, row, f"{each:.8f}", fontsize=10.5, va="center", ha="right")
        axes.set(xlim=(-0.1, 10.2), ylim=(4.6, -1.4))
        axes.set_axis_off()
    spread = max(np.ptp(values) for values in table.values())
    sheet.say(f"the five lines agree within {spread:.1e} nats; the least is −log 4 = {-LOG_4:.4f}")
    return figure


def kl_asymmetry(sheet: Sheet) -> Figure:
    """Draw the normal density nearest to one with two bumps, by KL both ways and by JSD."""
    half, x = sheet.moving("half the gap", (1.5, 2, 2.5, 3), 1), np.linspace(-6, 6, 400)
    curves = []
    p = mixture([norm(-half, 0.6), norm(half, 0.8)], [0.4, 0.6])

    def q(u: Array) -> Any:
        return norm(u[0], np.exp(u[1]))

    kinds: dict[str, Any] = {
        "KL(p ‖ q)": lambda u: kl_divergence(p, q(u)),
        "KL(q ‖ p)": lambda u: kl_divergence(q(u), p),
        "JSD(p, q)": lambda u: js_divergence(p, q(u)),
    }
    for name, divergence in kinds.items():
        best = minimize(divergence, [0.5, 0.0], method="Nelder-Mead", options={"xatol": 1e-3})
        mean, scale = best.x[0], np.exp(best.x[1])
        found = ", ".join(f"{each} {of(best.x):.3f}" for each, of in kinds.items())
        sheet.say(f"least {name}: mean {mean:.3f}, standard deviation {scale:.3f}; {found} nats")
        curves.append((f"q of least {name} = {best.fun:.2f} nats", norm(mean, scale).pdf(x)))
    return asymmetry_figure(x, p.pdf(x), curves)


def divergence_terms(sheet: Sheet) -> Figure:
    """Draw two distributions on six outcomes, and the terms that KL and JSD add up."""
    p, q = (
        np.array([0.3, 0.25, 0.2, 0.15, 0.07, 0.03]),
        np.array([0.05, 0.1, 0.15, 0.2, 0.25, 0.25]),
    )
    q = p + sheet.moving("share of the way from p to q", (0, 0.25, 0.5, 0.75, 1), 4) * (q - p)
    m = (p + q) / 2
    terms = {
        "KL(p ‖ q): p log(p/q)": p * np.log(p / q),
        "KL(q ‖ p): q log(q/p)": q * np.log(q / p),
        "JSD: half of both against the mean": (p * np.log(p / m) + q * np.log(q / m)) / 2,
    }
    with board(12, 3.2) as figure:
        left, *others = figure.subplots(1, 4)
        for i, (values, name, colour) in enumerate(((p, "p", BLUE), (q, "q", ORANGE))):
            left.bar(np.arange(6) + 0.4 * i - 0.2, values, 0.38, color=colour, label=name)
        left.set(title="two distributions", xlabel="outcome", ylabel="probability", ylim=(0, 0.4))
        left.legend()
        for axes, (name, values), colour in zip(others, terms.items(), (BLUE, ORANGE, GREEN)):
            axes.bar(range(6), values, color=[colour if v > 0 else PALE for v in values])
            axes.axhline(0, color=INK, linewidth=0.8)
            axes.set(
                title=f"{name}\nsum {values.sum():.3f} nats", xlabel="outcome", ylim=(-0.2, 0.58)
            )
        others[0].set_ylabel("term, nats")
    kl, lk, js = (float(v.sum()) for v in terms.values())
    sheet.say(
        f"KL(p ‖ q) {kl:.4f}, KL(q ‖ p) {lk:.4f}, JSD {js:.4f} either way; "
        f"log 2 = {np.log(2):.4f} bounds JSD"
    )
    apart = np.array([1.0, 0]), np.array([0, 1.0]), np.array([0.5, 0.5])
    direct, through = js_divergence(*apart[:2]), 2 * js_divergence(apart[0], apart[2])
    sheet.say(
        f"JSD is no distance: {direct:.3f} directly, {through:.3f} by way of the mean; "
        f"its root is one: {direct**0.5:.3f} against {2 * (through / 2) ** 0.5:.3f}"
    )
    return figure


def gan_game(sheet: Sheet) -> Figure:
    """Draw the GAN paper's figure 1, played: four moments of it, and its course."""
    record = Game(n_steps=300, record_every=10).play(norm(4, 0.6))
    shown = [record.at(step) for step in (10, 20, 40, 300)]
    for each in shown:
        sheet.say(
            f"after {each.step} steps: JSD {each.js_divergence:.4f} nats, "
            f"mean |D − ½| {each.distance_from_half:.4f}"
        )
    steps, js, gaps = (
        np.array([getattr(moment, name) for moment in record.moments])
        for name in ("step", "js_divergence", "distance_from_half")
    )
    panels = [(m.step, m.p_g, m.discriminator, m.images) for m in shown]
    return game_figure(record.x, record.p_data, record.z, panels, (steps, js, gaps))


def two_losses_of_the_generator(sheet: Sheet) -> Figure:
    """Draw log(1 − D) and −log D, and the slope that each gives the generator."""
    logit = np.linspace(-7, 7, 400)
    y = expit(logit)
    with board(9.4, 3.6) as figure:
        left, right = figure.subplots(1, 2)
        left.plot(y, np.log(1 - y), color=BLUE, label="log(1 − D): minimax")
        left.plot(y, -np.log(y), color=ORANGE, label="−log D: non-saturating")
        left.set(xlabel="D(G(z)), what D says of a sample", ylabel="the generator's loss, nats")
        left.set_title("both fall as D is deceived")
        right.plot(y, y, color=BLUE, label="log(1 − D)")
        right.plot(y, 1 - y, color=ORANGE, label="−log D")
        right.axvspan(0, 0.1, color=PALE, alpha=0.6)
        right.text(0.012, 1.06, "early on, D tells\nsamples easily", fontsize=8)
        right.set(
            xlabel="D(G(z))",
            ylabel="|slope| in D's logit",
            ylim=(0, 1.3),
            title="only −log D teaches while D is sure",
        )
        left.legend(loc="lower left")
        right.legend(loc="center right")
    for share in (0.01, 0.5):
        sheet.say(f"D(G(z)) = {share}: slope {share:.2f} of log(1 − D), {1 - share:.2f} of −log D")
    return figure


def _play(turns: int, *, of_d: bool, of_g: bool) -> Array:
    """Return, of a shift against a logistic D, the mean of p_g, V and E D(G(z)) at each turn."""
    p, grid = norm(4, 0.6), np.linspace(-4, 24, 6001)
    density, mean, w, c, path = p.pdf(grid), 2.0, 0.5, 3.0, []
    for _ in range(turns):
        q = norm(mean, 0.6).pdf(grid)
        for _ in range(10 if of_d else 0):
            D = expit(w * (grid - c))
            pull = density * (1 - D) - q * D
            w += 0.5 * np.trapezoid(pull * (grid - c), grid)
            c -= 0.5 * np.trapezoid(pull * w, grid)
        D = expit(w * (grid - c))
        payoff = np.trapezoid(density * np.log(D + 1e-12) + q * np.log(1 - D + 1e-12), grid)
        path.append((mean, payoff, np.trapezoid(q * D, grid)))
        mean += 0.15 * np.trapezoid(q * (1 - D) * w, grid) if of_g else 0.0
    return np.array(path)


def taking_turns(sheet: Sheet) -> Figure:
    """Draw a game in which only D plays, one in which only G plays, and one with turns."""
    games = {
        "only D plays": (True, False),
        "only G plays": (False, True),
        "they take turns": (True, True),
    }
    titles = {
        "mean of p_g; dotted: of p_data": 4.0,
        "V(D, G), nats; dotted: −log 4": -LOG_4,
        "D(G(z)); dotted: ½": 0.5,
    }
    with board(11.4, 3.3) as figure:
        panels = figure.subplots(1, 3)
        for (name, (of_d, of_g)), colour in zip(games.items(), (BLUE, ORANGE, GREEN)):
            path = _play(150, of_d=of_d, of_g=of_g)
            for axes, values in zip(panels, path.T):
                axes.plot(values, color=colour, label=name)
            mean, payoff, share = path[-1]
            sheet.say(f"{name}: mean of p_g {mean:.2f}, V {payoff:.3f}, D(G(z)) {share:.2f}")
        for axes, (title, level) in zip(panels, titles.items()):
            axes.axhline(level, color=INK, linestyle=":")
            titled(axes, title, "turn")
        panels[0].legend()
    return figure
