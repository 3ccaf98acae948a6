"""Maps of models: what each kind answers, linear beside deep, with a density and without."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture

import latentia
from latentia import GAN, PCA, VAE, Autoencoder, FactorAnalysis, ProbabilisticPCA
from latentia.metrics.clustering import cluster_agreement
from latentia.metrics.neighbours import nearest_training
from latentia.models.inputs import unit_floats
from latentia.plots.style import CLASS_COLOURS, INK
from latentia.theory.figures import Sheet
from latentia.theory.figures.codes import judge
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
    strips,
    titled,
)

DEEP: dict[str, Any] = {"hidden": (200,), "batch_size": 32, "random_state": 0, "n_components": 10}


@cache
def _models() -> dict[str, Any]:
    """Return five models of the 8×8 digits, each of ten components."""
    noise = {"observation": "gaussian", "noise_variance": 0.04}
    models = {
        "PCA": PCA(n_components=10),
        "factor analysis": FactorAnalysis(n_components=10),
        "autoencoder": Autoencoder(n_epochs=30, **DEEP),
        "VAE": VAE(n_epochs=30, **noise, **DEEP),
        "GAN": GAN(n_components=10, n_epochs=40, learning_rate=1e-3, batch_size=64, random_state=0),
    }
    return {name: model.fit(digits().x_train) for name, model in models.items()}


def map_of_models(sheet: Sheet) -> Figure:
    """Draw the lecture's table of models, each cell with what that model makes of ten digits."""
    sheet.keep(_models(), digits())
    x = unit_floats(digits().x_test)
    cells = {"PCA": (0, 0), "factor analysis": (0, 1), "autoencoder": (1, 0)}
    cells |= {"VAE": (1, 1), "GAN": (1, 1)}
    rows: dict[tuple[int, int], dict[str, Array]] = {}
    for name, model in _models().items():
        found = rows.setdefault(cells[name], {})
        if name != "GAN":
            found[f"{name}: rebuilt"] = np.clip(
                np.asarray(model.reconstruct(digits().x_test)).reshape(-1, 8, 8)[:10], 0, 1
            )
            error = model.score if name == "PCA" else model.negative_squared_error
            sheet.say(f"{name}: squared error of test digits {-error(digits().x_test):.2f}")
        if "sample" not in model.lacks:
            drawn = np.clip(np.asarray(model.sample(400, random_state=0)).reshape(-1, 8, 8), 0, 1)
            found[f"{name}: drawn"] = drawn[:10]
            sure = (judge().predict_proba(drawn).max(axis=1) > 0.95).mean()
            sheet.say(f"{name}: {sure:.0%} of draws surely a digit")
    with board(11.4, 4.4) as figure:
        grid = figure.subplots(2, 2)
        for (row, column), pictures in rows.items():
            strips(grid[row, column], {"ten digits": x[:10]} | pictures)
        for column, words in enumerate(("no probability model", "a probability model")):
            grid[0, column].set_title(words, loc="center", fontsize=11)
        for row, words in enumerate(("linear", "deep")):
            grid[row, 0].set_ylabel(words, fontsize=11)
        figure.align_ylabels(grid[:, 0])
    return figure


def _detour(path: Array) -> float:
    """Return how many times longer a path is than the straight way between its ends."""
    steps = flat(path)
    return float(
        np.linalg.norm(np.diff(steps, axis=0), axis=1).sum() / np.linalg.norm(steps[-1] - steps[0])
    )


def straight_and_bent(sheet: Sheet) -> Figure:
    """Draw one latent number mapped to a curve by a factor model and by a decoder, and digits."""
    draw = np.random.default_rng(0)
    t = draw.uniform(-1.6, 1.6, 1500)
    x = np.column_stack([2 * t, 1.4 - t**2]) + 0.15 * draw.standard_normal((1500, 2))
    deep = Autoencoder(**(DEEP | {"n_components": 1, "hidden": (64, 64), "n_epochs": 30}))
    linear = ProbabilisticPCA(n_components=1)
    models = {"linear: μ + Wz": (linear, ORANGE), "deep: G(z)": (deep, BLUE)}
    vae, share = latentia.load("zoo:vae-mnist-20d"), np.linspace(0, 1, 9, dtype=np.float32)[:, None]
    sheet.keep({"VAE": vae})
    ends = np.random.default_rng(4).standard_normal((2, vae.n_components)).astype(np.float32)
    bent = np.reshape(vae.inverse_transform((1 - share) * ends[0] + share * ends[1]), (9, 28, 28))
    straight = (1 - share[..., None]) * bent[0] + share[..., None] * bent[-1]
    with board(11.4, 3.8) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.3))
        left.plot(*x[:500].T, ".", color=PALE, markersize=4)
        for name, (model, colour) in models.items():
            low, high = np.quantile(model.fit(x).transform(x), (0.005, 0.995))
            z = np.linspace(float(low), float(high), 91)[:, None]
            curve = np.asarray(model.inverse_transform(z))
            left.plot(*curve.T, color=colour, label=name)
            left.plot(*curve[::9].T, "o", color=colour, markersize=4)
            error, way = -model.negative_squared_error(x), _detour(curve)
            sheet.say(
                f"{name}: squared error {error:.3f}; its curve is {way:.2f} times the straight way"
            )
        titled(left, "one number z, in equal steps (dots)", "$x_1$", "$x_2$")
        left.legend()
        title = "from z to z′: a linear map can only mix the ends"
        strips(right, {"linear": straight, "deep": bent}, title)
    sheet.say(
        f"digits: the decoder's way between two is {_detour(bent):.2f} times the straight one"
    )
    return figure


def noise_to_zero(sheet: Sheet) -> Figure:
    """Draw the density of X given Z ~ N(G(Z), σ²I) as σ falls: it shrinks onto the curve."""
    z, (a, b) = np.linspace(-3.5, 3.5, 3001), (np.linspace(-4.5, 4.5, 90), np.linspace(-2, 2, 60))
    curve, weight = np.column_stack([1.2 * z, np.sin(1.6 * z)]), np.exp(-(z**2) / 2)

    def density(points: Array, scale: float) -> Array:
        parts = []
        for part in np.array_split(points, -(-len(points) // 200)):
            gap = ((part[:, None] - curve) ** 2).sum(axis=2)
            parts.append((weight * np.exp(-gap / (2 * scale**2))).sum(axis=1))
        return np.asarray(np.concatenate(parts) / weight.sum() / (2 * np.pi * scale**2))

    on, off = np.array([[0.6, np.sin(0.8)]]), np.array([[0.6, np.sin(0.8) + 0.7]])
    places = {"on the curve": (on, GREEN), "off the curve": (off, ORANGE)}
    with board(12.4, 3.2) as figure:
        *maps, right = figure.subplots(1, 4, width_ratios=(1, 1, 1, 1.1))
        for axes, scale in zip(maps, (0.5, 0.2, 0.05)):
            contours(axes, lambda p, s=scale: density(p, s), a, b, BLUE)
            axes.plot(*curve.T, ":", color=INK, linewidth=0.8)
            for point, colour in places.values():
                axes.plot(*point.T, "o", color=colour)
            axes.set(title=f"σ = {scale}", xlim=(-4.5, 4.5), ylim=(-2, 2))
        scales = np.geomspace(0.03, 1, 40)
        for name, (point, colour) in places.items():
            values = np.log(np.maximum([density(point, s)[0] for s in scales], 1e-300))
            right.semilogx(scales, values, color=colour, label=name)
            sheet.say(f"{name}: log p {values[-1]:.2f} at σ = 1, {values[0]:.1f} at σ = 0.03")
        titled(right, "without noise there is no density", "σ", "log p(x), nats")
        right.set_ylim(-40, 4)
        right.legend(loc="lower right")
    return figure


def _cloud() -> tuple[Array, Array]:
    """Return (450, 2) points in three long groups, and the groups."""
    draw = np.random.default_rng(2)
    centres, shape = np.array([[-3, -1], [0, 1], [3, 0.6]]), np.array([[0.9, 0.5], [0.0, 0.4]])
    group = np.repeat(np.arange(3), 150)
    return centres[group] + draw.standard_normal((450, 2)) @ shape, group


def four_answers(sheet: Sheet) -> Figure:
    """Draw PCA, k-means, a factor model and a mixture on the same cloud of points."""
    x, group = _cloud()
    pca, ppca = PCA(n_components=1).fit(x), ProbabilisticPCA(n_components=1).fit(x)
    clusters = KMeans(3, n_init=10, random_state=0).fit(x)
    mixture = GaussianMixture(3, random_state=0).fit(x)
    with board(12.4, 3.3) as figure:
        panels = figure.subplots(1, 4, sharey=True)
        a, b = np.linspace(-6, 6, 120), np.linspace(-4, 4, 100)
        for axes in panels:
            axes.plot(*x.T, ".", color=GREY, markersize=3)
        line = pca.inverse_transform(np.array([[-6.0], [6.0]]))
        panels[0].plot(*line.T, color=BLUE, linewidth=2)
        for point, foot in zip(x[::6], pca.reconstruct(x[::6])):
            panels[0].plot(*np.column_stack([point, foot]), color=PALE, linewidth=0.8)
        for c in range(3):
            panels[1].plot(*x[clusters.labels_ == c].T, ".", color=CLASS_COLOURS[c], markersize=4)
        panels[1].plot(*clusters.cluster_centers_.T, "X", color=INK, markersize=9)
        contours(panels[2], lambda p: np.exp(ppca.score_samples(p)), a, b, ORANGE)
        contours(panels[3], lambda p: np.exp(mixture.score_samples(p)), a, b, ORANGE)
        titles = "PCA: a line", "k-means: groups", "factor model: a density", "mixture: a density"
        for axes, title in zip(panels, titles):
            axes.set(title=title, xlim=(-6, 6), ylim=(-4, 4), aspect="equal")
        words = "left two: no probability model; right two: log p(x) of every point"
        figure.supxlabel(words, fontsize=8.5)
    agree = cluster_agreement(group, clusters.labels_)["cluster_accuracy"]
    sheet.say(
        f"PCA leaves {1 - pca.explained_variance_ratio_[0]:.1%} of the variance; "
        f"k-means finds {agree:.0%} of the groups"
    )
    sheet.say(
        f"log p a point: factor model {ppca.score(x):.3f}, mixture {mixture.score(x):.3f} nats"
    )
    return figure


def generative_or_discriminative(sheet: Sheet) -> Figure:
    """Draw two classes with a boundary P(y given x), with densities P(x given y), and new draws."""
    x, group = _cloud()
    x, y, far = x[group > 0], group[group > 0] - 1, np.array([[5.6, -1.6]])
    border = LogisticRegression().fit(x, y)
    parts = [GaussianMixture(1, random_state=0).fit(x[y == c]) for c in (0, 1)]
    a, b = np.linspace(-3, 6, 150), np.linspace(-2, 3.5, 120)
    grid = np.stack(np.meshgrid(a, b), axis=-1).reshape(-1, 2)
    titles = ("P(y given x): a boundary", "P(x given y): two densities",
              "new points of the densities")  # fmt: skip
    with board(11.4, 3.5) as figure:
        panels = figure.subplots(1, 3, sharey=True)
        share = border.predict_proba(grid)[:, 1].reshape(len(b), len(a))
        panels[0].contourf(a, b, share, levels=10, cmap="PuOr", alpha=0.5)
        for c, (part, colour) in enumerate(zip(parts, (ORANGE, BLUE))):
            contours(panels[1], lambda p, part=part: np.exp(part.score_samples(p)), a, b, colour)
            panels[2].plot(*part.sample(150)[0].T, ".", color=colour, markersize=4)
            for axes in panels[:2]:
                axes.plot(*x[y == c].T, ".", color=colour, markersize=3)
                axes.plot(*far.T, "*", color=INK, markersize=12)
        for axes, title in zip(panels, titles):
            titled(axes, title, "$x_1$")
            axes.set(xlim=(-3, 6), ylim=(-2, 3.5))
        panels[0].set_ylabel("$x_2$")
    both = [part.score_samples(x) for part in parts]
    bayes, own = np.mean((both[1] > both[0]) == y), border.score(x, y)
    sheet.say(f"the boundary tells {own:.1%} rightly, the densities by Bayes' rule {bayes:.1%}")
    sure, likely = float(border.predict_proba(far).max()), [p.score_samples(far)[0] for p in parts]
    sheet.say(
        f"of the star, far from all data, the boundary is {sure:.1%} sure; "
        f"log p(x) of the densities {likely[0]:.0f} and {likely[1]:.0f}"
    )
    return figure


def six_generators(sheet: Sheet) -> Figure:
    """Draw digits of independent pixels, PCA, factors, a mixture, a VAE and a GAN."""
    x, draw = unit_floats(digits().x_train), np.random.default_rng(0)
    wide, models = flat(x), _models()
    sheet.keep(models, digits())
    pca = models["PCA"]
    codes = pca.transform(x).std(axis=0) * draw.standard_normal((400, 10))
    mixture = GaussianMixture(30, covariance_type="diag", random_state=0, reg_covar=1e-3).fit(wide)
    made = {
        "independent pixels": draw.permuted(wide, axis=0)[:400],
        "PCA, normal codes": pca.inverse_transform(codes),
        "factor analysis": models["factor analysis"].sample(400, random_state=0),
        "mixture of 30 normals": mixture.sample(400)[0][draw.permutation(400)],
        "VAE": models["VAE"].sample(400, random_state=0),
        "GAN": models["GAN"].sample(400, random_state=0),
    }
    rows = {"real digits": unit_floats(digits().x_test)[:14]}
    for name, images in made.items():
        pictures = np.clip(np.asarray(images).reshape(-1, 8, 8), 0, 1)
        sure = (judge().predict_proba(pictures).max(axis=1) > 0.95).mean()
        gap = np.median(nearest_training(x, pictures.astype(np.float32)).distances)
        rows[f"{name}, {sure:.0%}"] = pictures[:14]
        sheet.say(
            f"{name}: {sure:.0%} surely a digit, "
            f"median distance to the nearest training digit {gap:.2f}"
        )
    with board(8.4, 4.4) as figure:
        strips(figure.subplots(), rows, "14 draws of each, none selected; share surely a digit")
    return figure
