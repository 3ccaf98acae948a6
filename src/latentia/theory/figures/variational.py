"""Variational autoencoders: posteriors, the bound, the gradient through a sample, their codes."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, FancyBboxPatch
from scipy.optimize import minimize
from scipy.stats import norm

import latentia
from latentia import VAE, Autoencoder, LinearVAE
from latentia.explore.attributes import attribute_direction, attribute_figure, edit
from latentia.explore.traversal import traversal_figure, traverse
from latentia.metrics.frechet import PixelFeatures, frechet_distance
from latentia.models.inputs import unit_floats
from latentia.plots.style import CLASS_COLOURS, COLOURS, INK
from latentia.theory.figures import Sheet
from latentia.theory.figures.codes import judge
from latentia.theory.figures.panels import (
    BLUE,
    GREEN,
    ORANGE,
    PALE,
    Array,
    arrow,
    bare,
    board,
    digits,
    flat,
    show,
    strips,
    titled,
)
from latentia.training.metrics_file import read_metrics

NETS: dict[str, Any] = {
    "hidden": (200,),
    "observation": "gaussian",
    "noise_variance": 0.04,
    "batch_size": 32,
    "random_state": 0,
}


@cache
def _vae(k: int, beta: float, n_epochs: int = 30) -> VAE:
    """Return a VAE of the 8×8 digits."""
    return VAE(n_components=k, beta=beta, n_epochs=n_epochs, **NETS).fit(digits().x_train)


def _posterior(model: VAE, x: Array) -> tuple[Array, Array]:
    """Return means and standard deviations of q(z given x), (n, k) each."""
    with torch.no_grad():
        q = model.posterior(torch.tensor(unit_floats(x)))
    return q.loc.numpy(), q.scale.numpy()


def codes_as_ellipses(sheet: Sheet) -> Figure:
    """Draw codes of the same digits as ellipses μ ± σ, for four weights of the KL term."""
    x, y = digits().x_test[:120], digits().y_test[:120]
    with board(13, 3.6) as figure:
        for axes, beta in zip(figure.subplots(1, 4), (0.01, 0.3, 1.0, 10.0)):
            mean, scale = _posterior(_vae(2, beta), x)
            for m, s, label in zip(mean, scale, y):
                colour = CLASS_COLOURS[label]
                axes.add_patch(Ellipse(m, 2 * s[0], 2 * s[1], color=colour, alpha=0.35))
            axes.plot(*mean.T, ".", color=INK, markersize=1.5)
            edge = 1.1 * np.abs(np.concatenate([mean - scale, mean + scale])).max()
            axes.set(xlim=(-edge, edge), ylim=(-edge, edge), box_aspect=1)
            axes.set_title(f"β = {beta:g}: σ about {np.median(scale):.2f}")
            found = _vae(2, beta).bound_terms(digits().x_test)
            sheet.keep({f"VAE, β = {beta:g}": _vae(2, beta)}, digits())
            sheet.say(
                f"β = {beta:g}: KL {found['kl']:.2f} nats, σ {np.median(scale):.3f}, "
                f"spread of the means {mean.std():.2f}"
            )
        words = "each ellipse is one digit's q(z given x), μ ± σ; colours are classes"
        figure.supxlabel(words, fontsize=8.5)
    return figure


def posterior_and_q(sheet: Sheet) -> Figure:
    """Draw the exact posterior of one latent number, normal q near it, and ELBO + KL."""
    z, x = np.linspace(-9, 9, 9001), sheet.moving("x", (-0.5, 0, 0.5, 1.2, 2, 3), 3)
    joint = norm.logpdf(z) + norm.logpdf(x, z**2 / 2 + 0.4 * z, 0.5)
    evidence = float(np.log(np.trapezoid(np.exp(joint), z)))

    def terms(u: Array) -> tuple[float, float]:
        log_q = norm.logpdf(z, u[0], np.exp(u[1]))
        elbo, kl = (np.trapezoid(np.exp(log_q) * each, z)
                    for each in (joint - log_q, log_q - joint + evidence))  # fmt: skip
        return float(elbo), float(kl)

    path = [np.array([-0.5, 0.3])]
    minimize(lambda u: -terms(u)[0], path[0], callback=lambda u: path.append(np.array(u)))
    shown = {"start": path[0], "on the way": path[len(path) // 3], "end": path[-1]}
    values = np.array([terms(u) for u in path])
    sums, steps = values.sum(axis=1), np.arange(len(path))
    with board(11, 3.5) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
        exact = np.exp(joint - evidence)
        left.fill_between(z, exact, color=PALE, linewidth=0, label="p(z given x), exact")
        left.plot(z, norm.pdf(z), ":", color=INK, label="prior p(z)")
        for (name, u), colour in zip(shown.items(), (ORANGE, GREEN, BLUE)):
            left.plot(z, norm.pdf(z, u[0], np.exp(u[1])), color=colour, label=f"q, {name}")
        titled(left, "a normal q is moved near the true posterior", "z", "density")
        left.set_xlim(-4, 4)
        left.legend(fontsize=8, loc="upper left")
        right.plot(steps, values[:, 0], "o-", color=BLUE, label="ELBO")
        kl = right.fill_between(steps, values[:, 0], sums, color=ORANGE, alpha=0.25)
        kl.set_label("KL(q ‖ p(z given x))")
        right.axhline(evidence, color=INK, linestyle=":", label="log p(x)")
        titled(right, "ELBO + KL = log p(x) at every step", "step of the optimisation", "nats")
        right.legend(loc="lower right")
    off, (elbo, gap) = np.abs(sums - evidence).max(), values[-1]
    sheet.say(f"log p(x) {evidence:.4f}; ELBO + KL differs from it by at most {off:.1e}")
    sheet.say(f"at the end ELBO {elbo:.4f}: {gap:.4f} nats stay, no normal q is this posterior")
    return figure


def weight_of_kl(sheet: Sheet) -> Figure:
    """Draw five weights of the KL term: reconstruction against KL, and samples of each model."""
    weights, found, rows = (0.02, 0.2, 1.0, 5.0, 25.0), [], {}
    real = unit_floats(digits().x_test)
    features = PixelFeatures().fit(unit_floats(digits().x_train))
    for beta in weights:
        model = _vae(10, beta)
        kl = model.bound_terms(digits().x_test)["kl"]
        images = np.clip(model.sample(1000, random_state=0), 0, 1)
        apart = frechet_distance(features.transform(real), features.transform(images))
        error = -model.negative_squared_error(digits().x_test)
        found.append((error, kl, apart))
        rows[f"β = {beta:g}"] = images[:14]
        sheet.keep({f"VAE, β = {beta:g}": model}, digits())
        sheet.say(
            f"β = {beta:g}: squared error {error:.2f}, KL {kl:.2f} nats, "
            f"Fréchet distance of samples {apart:.2f}"
        )
    errors, kls, distances = np.array(found).T
    with board(12.4, 3.6) as figure:
        left, middle, right = figure.subplots(1, 3, width_ratios=(1.9, 1, 1))
        strips(left, rows, "samples by the weight β of the KL term")
        middle.plot(kls, errors, "o-", color=BLUE)
        for beta, a, b in zip(weights, kls, errors):
            middle.annotate(f"β = {beta:g}", (a, b), (5, 5), textcoords="offset points", fontsize=8)
        titled(middle, "one against the other", "KL, nats", "squared error of test digits")
        middle.margins(0.25)
        right.loglog(weights, distances, "o-", color=ORANGE)
        titled(right, "samples want both", "β", "Fréchet distance to test digits, in pixels")
    return figure


def _box(axes: Axes, x: float, y: float, words: str, colour: str) -> None:
    half = 0.5 if len(words) < 6 else 0.95
    look: dict[str, Any] = {"boxstyle": "round,pad=0.05", "facecolor": "white", "edgecolor": colour}
    axes.add_patch(FancyBboxPatch((x - half, y - 0.28), 2 * half, 0.56, linewidth=1.5, **look))
    axes.text(x, y, words, ha="center", va="center")


def _graph(axes: Axes, title: str, *, through: bool) -> None:
    """Draw x → μ, σ → z → loss, and how far the gradient comes back."""
    for place, words in ((0, "x"), (1.7, "μ, σ"), (3.4, "z"), (5.1, "loss")):
        _box(axes, place, 2.2, words, ORANGE if words == "z" and not through else BLUE)
    if through:
        _box(axes, 3.4, 0.6, "ε ~ N(0, I)", ORANGE)
        arrow(axes, (3.4, 0.95), (3.4, 1.85))
    for a in (0, 1.7, 3.4):
        arrow(axes, (a + 0.58, 2.3), (a + 1.12, 2.3))
        arrow(axes, (a + 1.12, 2.1), (a + 0.58, 2.1), GREEN if through or a == 3.4 else PALE, 2)
    axes.set(xlim=(-0.7, 5.8), ylim=(0.1, 2.8), aspect="equal")
    axes.set_title(title, fontsize=8.5)
    bare(axes)


def reparametrisation(sheet: Sheet) -> Figure:
    """Draw where the gradient stops, how z = μ + σε lets it pass, and each estimate's spread."""
    n, bins, mu = 100_000, np.linspace(-14, 18, 80), sheet.moving("μ", (0, 0.5, 1, 1.5, 2), 2)
    e = np.random.default_rng(0).standard_normal(n)
    z = mu + e
    estimates = {"score function": z**2 * e, "path, z = μ + σ ε": 2 * z}
    with board(12.4, 2.9) as figure:
        one, two, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.25))
        _graph(one, "z drawn from N(μ, σ²): the gradient (green) stops at z", through=False)
        _graph(two, "z = μ + σ ε: it passes to μ and σ", through=True)
        for (name, values), colour in zip(estimates.items(), (ORANGE, BLUE)):
            label, spread = f"{name}: sd {values.std():.1f}", values.std()
            right.hist(values, bins=bins, color=colour, alpha=0.6, density=True, label=label)
            error = spread / np.sqrt(n)
            sheet.say(f"{name}: mean {values.mean():.3f} ± {error:.3f}, sd of a draw {spread:.2f}")
        right.axvline(2 * mu, color=INK, linestyle=":")
        title = f"d/dμ E z² at μ = {mu:g} and σ = 1: {2 * mu:g} (dotted)"
        titled(right, title, "one draw's estimate")
        right.set(ylim=(0, 0.4), ylabel="density, cut at 0.4")
        right.legend()
    wrong = np.var(1.0 + 0.25 * e)
    sheet.say(f"with a variance of 0.25 in σ's place, as a slide names it, z has {wrong:.3f}")
    return figure


def components_of_a_vae(sheet: Sheet) -> Figure:
    """Draw walks along the components of a zoo VAE that tell most, from the middle of its prior."""
    model = latentia.load("zoo:vae-mnist-20d")
    sheet.keep({"VAE": model})
    x, middle = model.sample(500, random_state=0), np.zeros(model.n_components)
    walks = traverse(model, x, middle, n_coordinates=6, n_steps=11)
    values = walks.importance.values[walks.coordinates]
    sheet.say(
        f"of {model.n_components} components the one that tells most carries {values[0]:.2f}, "
        f"the sixth {values[5]:.2f}"
    )
    return traversal_figure(walks, "What each component of z changes in a digit")


def samples_of_a_vae(sheet: Sheet) -> Figure:
    """Draw unselected samples of a zoo VAE: means of p(x given z) for z from the prior."""
    model = latentia.load("zoo:vae-mnist-20d")
    sheet.keep({"VAE": model})
    images = np.asarray(model.sample(75, random_state=0))
    with board(8.6, 3.3) as figure:
        title = "75 draws of zoo:vae-mnist-20d, none selected"
        show(figure.subplots(), images.reshape(75, 28, 28), 15, title)
    again = np.asarray(model.sample(75, random_state=0))
    sheet.say(
        f"the same seed draws the same digits: they differ by {np.abs(images - again).max():.1g}"
    )
    return figure


def vae_curves(sheet: Sheet) -> Figure:
    """Draw KL, reconstruction and their sum over epochs, learnt from and held out."""
    x = digits().x_train
    with tempfile.TemporaryDirectory() as folder:
        model = VAE(n_components=10, n_epochs=40, **NETS)
        model.fit(x[:1350], run=Path(folder) / "run", validation=x[1350:])
        records = read_metrics(Path(folder) / "run")
    sheet.keep({"VAE": model}, digits())
    names = {
        "negative_elbo/kl": "KL",
        "negative_elbo/reconstruction": "reconstruction term",
        "negative_elbo": "−ELBO, their sum",
    }
    with board(12, 3.3) as figure:
        panels = figure.subplots(1, 3)
        for axes, (name, title) in zip(panels, names.items()):
            splits = ("train", BLUE, "training digits"), ("validation", ORANGE, "held-out digits")
            for split, colour, label in splits:
                own = [r for r in records if r["split"] == split and name in r["values"]]
                values = [r["values"][name] for r in own]
                if not own:
                    continue
                axes.plot([r["epoch"] for r in own], values, color=colour, label=label)
                sheet.say(
                    f"{title}, {label}: {values[0]:.2f} after the first epoch, "
                    f"{values[-1]:.2f} after the last"
                )
            axes.set(xlabel="epoch", ylabel="nats a digit", title=title)
        panels[0].legend()
    return figure


def draws_of_one_digit(sheet: Sheet) -> Figure:
    """Draw one digit copied by an autoencoder, and drawn twelve times from its own q."""
    x, model = unit_floats(digits().x_test[[0, 3, 5]]), _vae(10, 1.0)
    plain = Autoencoder(n_components=10, hidden=(200,), n_epochs=30, batch_size=32, random_state=0)
    copies = plain.fit(digits().x_train).reconstruct(x)
    sheet.keep({"VAE": model, "autoencoder": plain}, digits())
    mean, scale = _posterior(model, x)
    draw = np.random.default_rng(0).standard_normal((12, 10)).astype(np.float32)
    rows = {}
    for i, image in enumerate(x):
        for heat in (1.0, 2.0):
            drawn = np.clip(model.inverse_transform(mean[i] + heat * scale[i] * draw), 0, 1)
            terms = model.bound_terms(digits().x_test[[(0, 3, 5)[i]]])
            pictures = image[None], copies[i][None], drawn
            rows[f"digit {i + 1}, σ × {heat:g}"] = np.concatenate(pictures)
        sheet.say(
            f"digit {i + 1}: reconstruction {terms['reconstruction']:.1f}, "
            f"KL {terms['kl']:.1f} nats; "
            f"draws differ from their mean by {drawn.std(axis=0).mean():.3f} a pixel"
        )
    with board(10.6, 4.6) as figure:
        title = "original · an autoencoder's copy · twelve draws from q(z given x), decoded"
        strips(figure.subplots(), rows, title)
    return figure


def attribute_vector(sheet: Sheet) -> Figure:
    """Draw the direction from digits without to digits with a closed loop, added to some codes."""
    data, model = digits(), _vae(10, 1.0)
    sheet.keep({"VAE": model}, data)
    has = np.isin(data.y_train, (0, 6, 8, 9)).astype(int)
    direction = attribute_direction(model.transform(data.x_train), has)
    strengths = (-2, -1, 0, 1, 2)
    x = data.x_test[[int(np.flatnonzero(data.y_test == c)[0]) for c in (1, 3, 4, 5, 7)]]
    edited = edit(model, data.x_test, direction, strengths)
    for j, strength in enumerate(strengths):
        loops = np.isin(judge().predict(np.clip(edited[:, j], 0, 1)), (0, 6, 8, 9)).mean()
        sheet.say(f"strength {strength}: {loops:.0%} of all test digits are taken for 0, 6, 8 or 9")
    return attribute_figure(x, edit(model, x, direction, strengths), strengths, "closed loop")


def bounds_of_a_linear_vae(sheet: Sheet) -> Figure:
    """Draw ELBO ≤ L_k ≤ log p(x) of a linear VAE after 5 to 100 epochs."""
    x_train, x_test = flat(unit_floats(digits().x_train)), flat(unit_floats(digits().x_test))
    draws = (1, 2, 5, 10, 50, 200, 1000)
    with board(5.8, 3.9) as figure:
        axes = figure.subplots()
        for colour, n_epochs in zip(COLOURS, (5, 20, 100)):
            model = LinearVAE(n_components=10, n_epochs=n_epochs, random_state=0).fit(x_train)
            bounds = [model.score(x_test, n_importance=k) for k in draws]
            exact = float(np.mean(model.exact_score_samples(x_test)))
            sheet.say(
                f"{n_epochs} epochs: ELBO {bounds[0]:.2f}, L_1000 {bounds[-1]:.2f}, "
                f"exact {exact:.2f} nats"
            )
            axes.plot(draws, bounds, marker="o", color=colour, label=f"{n_epochs} epochs")
            axes.axhline(exact, color=colour, linestyle=":")
        title = "ELBO (k = 1) and L_k; dotted: the exact log-likelihood"
        titled(axes, title, "draws k of the importance-weighted bound", "nats an image, test")
        axes.set_xscale("log")
        axes.legend()
    return figure
