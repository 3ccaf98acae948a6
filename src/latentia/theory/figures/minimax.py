"""The GAN's value function: its terms, its optimum, and what remains when D is optimal."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm

from latentia.plots.game import game_figure, minimax_figure
from latentia.plots.style import INK
from latentia.plots.theory import asymmetry_figure
from latentia.theory.densities import mixture
from latentia.theory.divergences import js_divergence, kl_divergence
from latentia.theory.figures import Sheet
from latentia.theory.figures.panels import BLUE, COLOURS, GREEN, ORANGE, PALE, PINK, Array, board
from latentia.theory.game import Game
from latentia.theory.minimax import optimal_logit, train_discriminator, value, virtual_criterion

LOG_4 = float(np.log(4))


def value_function(sheet: Sheet) -> Figure:
    """Four discriminators of the same two densities, and the value of each."""
    p, q, x = norm(0, 1), norm(2, 1.3), np.linspace(-4, 7, 400)
    best = optimal_logit(p, q)
    judges = {
        "says ½ of everything": lambda t: 0 * t,
        "right, but timid": lambda t: 0.4 * (1.0 - t),
        "too sure of itself": lambda t: 8 * (1.0 - t),
        "optimal, D*": best,
    }
    with board(11, 3.7) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
        left.fill_between(x, p.pdf(x), color=BLUE, alpha=0.18, linewidth=0, label="p_data")
        left.fill_between(x, q.pdf(x), color=ORANGE, alpha=0.18, linewidth=0, label="p_g")
        for place, (name, logit) in enumerate(judges.items()):
            colour, style = COLOURS[(6, 2, 3, 0)[place]], ("--", "-", "-", "-")[place]
            left.plot(x, expit(logit(x)), style, color=colour, label=f"D: {name}")
            t = np.linspace(-9, 12, 8001)
            real = np.trapezoid(p.pdf(t) * -np.logaddexp(0, -logit(t)), t)
            fake = np.trapezoid(q.pdf(t) * -np.logaddexp(0, logit(t)), t)
            right.barh(place, real, color=BLUE, label="E log D(x)" if not place else None)
            right.barh(place, fake, left=real, color=ORANGE,
                       label="E log(1 − D(G(z)))" if not place else None)  # fmt: skip
            right.text(0.04, place, f"V = {real + fake:.3f}", va="center")
            sheet.say(f"D {name}: {real:.3f} + {fake:.3f} = {real + fake:.3f} nats")
        exact = value(best, p, q)
        right.axvline(exact, ymax=0.87, color=INK, linestyle=":")
        left.set(xlabel="x", ylabel="density; probability of 'real'", ylim=(0, 1.02), xlim=(-4, 7))
        left.legend(fontsize=7.5, loc="upper right")
        right.set_yticks(range(4), [name.replace(", ", ",\n") for name in judges])
        right.set(xlabel="nats", xlim=(-2.8, 0.75), ylim=(3.6, -1.1), title="no D has a greater V than D* (dotted)")
        right.legend(loc="upper left", ncols=2, fontsize=8)
    return figure


def top_of_the_curve(sheet: Sheet) -> Figure:
    """At each x, a log y + b log(1 − y) has its top at a/(a + b): that is D*(x)."""
    p, q, x = norm(0, 1), norm(2, 1.3), np.linspace(-3.5, 6.5, 400)
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
            sheet.say(f"x = {place}: top of the curve at {y[curve.argmax()]:.3f}, a/(a + b) = {top:.3f}")
        samples = [d.rvs(2000, random_state=seed) for seed, d in enumerate((p, q))]
        trained = train_discriminator(*samples)
        right.plot(x, p.pdf(x) / (p.pdf(x) + q.pdf(x)), color=INK, label="D* = a/(a + b)")
        right.plot(x, expit(trained(x)), "--", color=PINK, label="D trained on samples")
        left.set(xlabel="x", title="a = p_data(x), b = p_g(x)", ylabel="density")
        middle.set(xlabel="y, what D says of x", ylim=(-1.6, 0.05), title="a log y + b log(1 − y)")
        right.set(xlabel="x", ylabel="probability of 'real'", ylim=(0, 1.02), title="the tops over all x are D*")
        for axes, where in ((left, "upper right"), (middle, "lower center"), (right, "upper right")):
            axes.legend(fontsize=8, loc=where)
    gap = value(optimal_logit(p, q), p, q) - value(trained, p, q)
    sheet.say(f"the trained D is {gap:.4f} nats below V(G, D*)")
    return figure


def jsd_derivation(sheet: Sheet) -> Figure:
    """V(G, D*) on top of −log 4 + 2 JSD as p_g moves away, and a trained D beside D*."""
    p, shifts, x = norm(0, 1), np.linspace(0, 8, 41), np.linspace(-3.5, 6.5, 400)
    values = np.array([value(optimal_logit(p, norm(s, 1)), p, norm(s, 1)) for s in shifts])
    criterion = np.array([virtual_criterion(p, norm(s, 1)) for s in shifts])
    for i in (0, 5, 10, 20, 40):
        sheet.say(f"means {shifts[i]:.0f} apart: V(G, D*) {values[i]:.6f}, −log 4 + 2 JSD {criterion[i]:.6f} nats")
    sheet.say(f"largest difference {np.abs(values - criterion).max():.1e} nats")
    q = norm(2, 1.3)
    samples = [d.rvs(2000, random_state=seed) for seed, d in enumerate((p, q))]
    trained, best = train_discriminator(*samples), optimal_logit(p, q)
    sheet.say(f"trained D: V(G, D) {value(trained, p, q):.4f}, at most {value(best, p, q):.4f} nats")
    judges = expit(best(x)), expit(trained(x))
    return minimax_figure(x, (p.pdf(x), q.pdf(x)), judges, shifts, values, criterion)


def jsd_line_by_line(sheet: Sheet) -> Figure:
    """Every line of the derivation, each computed by itself, for three pairs of densities."""
    pairs = {"p_g = p_data": 0.0, "means 1 apart": 1.0, "means 4 apart": 4.0}
    t, table = np.linspace(-12, 16, 40_001), []
    for shift in pairs.values():
        p, q = norm(0, 1), norm(shift, 1)
        a, b = p.pdf(t), q.pdf(t)
        m = mixture([p, q], [0.5, 0.5])
        D = np.clip(a / np.maximum(a + b, 1e-300), 1e-300, 1)
        one = np.clip(b / np.maximum(a + b, 1e-300), 1e-300, 1)
        two = np.log(D), np.log(one)
        half = np.maximum((a + b) / 2, 1e-300)
        table.append([
            value(optimal_logit(p, q), p, q),
            np.trapezoid(a * two[0] + b * two[1], t),
            -LOG_4 + np.trapezoid(a * np.log(np.maximum(a, 1e-300) / half)
                                  + b * np.log(np.maximum(b, 1e-300) / half), t),
            -LOG_4 + kl_divergence(p, m) + kl_divergence(q, m),
            -LOG_4 + 2 * js_divergence(p, q),
        ])  # fmt: skip
    lines = (
        "V(G, D*) = E log D*(x) + E log(1 − D*(G(z)))",
        "= ∫ p log[p/(p + q)] + q log[q/(p + q)] dx",
        "= −log 4 + ∫ p log[2p/(p + q)] + q log[2q/(p + q)] dx",
        "= −log 4 + KL(p ‖ (p + q)/2) + KL(q ‖ (p + q)/2)",
        "= −log 4 + 2 JSD(p ‖ q)",
    )
    with board(10.6, 3.4) as figure:
        axes = figure.subplots()
        for row, line in enumerate(lines):
            axes.text(0, row, line, fontsize=10.5, va="center")
            for column, values in enumerate(table):
                axes.text(6.6 + 1.7 * column, row, f"{values[row]:.8f}", fontsize=10.5, va="center", ha="right")
        for column, name in enumerate(pairs):
            axes.text(6.6 + 1.7 * column, -0.9, name, ha="right", color=BLUE)
        axes.text(0, -0.9, "p = p_data, q = p_g; nats", color=BLUE)
        axes.set(xlim=(-0.1, 10.2), ylim=(4.6, -1.4))
        axes.set_axis_off()
    spread = max(np.ptp(values) for values in table)
    sheet.say(f"the five lines agree within {spread:.1e} nats; the least value is −log 4 = {-LOG_4:.4f}")
    return figure


def kl_asymmetry(sheet: Sheet) -> Figure:
    """The normal density nearest to one with two bumps, by KL this way and that, and by JSD."""
    p, x, curves = mixture([norm(-2, 0.6), norm(2, 0.8)], [0.4, 0.6]), np.linspace(-6, 6, 400), []

    def q(u: Array) -> object:
        return norm(u[0], np.exp(u[1]))

    kinds = {
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
    """Two distributions on six outcomes, and the terms that KL and JSD add up."""
    p, q = np.array([0.3, 0.25, 0.2, 0.15, 0.07, 0.03]), np.array([0.05, 0.1, 0.15, 0.2, 0.25, 0.25])
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
            axes.set(title=f"{name}\nsum {values.sum():.3f} nats", xlabel="outcome", ylim=(-0.2, 0.58))
        others[0].set_ylabel("term, nats")
    kl, lk, js = (float(v.sum()) for v in terms.values())
    sheet.say(f"KL(p ‖ q) {kl:.4f}, KL(q ‖ p) {lk:.4f}, JSD {js:.4f} either way; log 2 = {np.log(2):.4f} bounds JSD")
    apart = np.array([1.0, 0]), np.array([0, 1.0]), np.array([0.5, 0.5])
    direct, through = js_divergence(*apart[:2]), 2 * js_divergence(apart[0], apart[2])
    sheet.say(f"JSD is no distance: {direct:.3f} directly, {through:.3f} by way of the mean; "
              f"its root is one: {direct**0.5:.3f} against {2 * (through / 2) ** 0.5:.3f}")  # fmt: skip
    return figure


def gan_game(sheet: Sheet) -> Figure:
    """The GAN paper's figure 1, played: four moments of it, and its course."""
    record = Game(n_steps=300, record_every=10).play(norm(4, 0.6))
    shown = [record.at(step) for step in (10, 20, 40, 300)]
    for each in shown:
        sheet.say(f"after {each.step} steps: JSD {each.js_divergence:.4f} nats, "
                  f"mean |D − ½| {each.distance_from_half:.4f}")  # fmt: skip
    course = [np.array([getattr(moment, name) for moment in record.moments])
              for name in ("step", "js_divergence", "distance_from_half")]  # fmt: skip
    panels = [(m.step, m.p_g, m.discriminator, m.images) for m in shown]
    return game_figure(record.x, record.p_data, record.z, panels, tuple(course))


def two_losses_of_the_generator(sheet: Sheet) -> Figure:
    """log(1 − D) and −log D, and the slope that each gives the generator."""
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
        right.set(xlabel="D(G(z))", ylabel="|slope| in D's logit", ylim=(0, 1.3), title="only −log D teaches while D is sure")
        left.legend(loc="lower left")
        right.legend(loc="center right")
    for share in (0.01, 0.5):
        sheet.say(f"D(G(z)) = {share}: slope {share:.2f} of log(1 − D), {1 - share:.2f} of −log D")
    return figure


def taking_turns(sheet: Sheet) -> Figure:
    """A shift against a logistic D: only D plays, only G plays, they take turns."""
    p, grid = norm(4, 0.6), np.linspace(-4, 24, 6001)
    density = p.pdf(grid)

    def play(turns: int, *, of_d: bool, of_g: bool) -> Array:
        mean, w, c, path = 2.0, 0.5, 3.0, []
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

    games = {"only D plays": (True, False), "only G plays": (False, True), "they take turns": (True, True)}
    with board(11.4, 3.3) as figure:
        panels = figure.subplots(1, 3)
        for (name, (of_d, of_g)), colour in zip(games.items(), (BLUE, ORANGE, GREEN)):
            path = play(150, of_d=of_d, of_g=of_g)
            for axes, values in zip(panels, path.T):
                axes.plot(values, color=colour, label=name)
            sheet.say(f"{name}: mean of p_g {path[-1, 0]:.2f}, V {path[-1, 1]:.3f}, D(G(z)) {path[-1, 2]:.2f}")
        panels[0].axhline(4, color=INK, linestyle=":")
        panels[1].axhline(-LOG_4, color=INK, linestyle=":")
        panels[2].axhline(0.5, color=INK, linestyle=":")
        titles = ("mean of p_g; dotted: of p_data", "V(D, G), nats; dotted: −log 4", "D(G(z)); dotted: ½")
        for axes, title in zip(panels, titles):
            axes.set(xlabel="turn", title=title)
        panels[0].legend()
    return figure
