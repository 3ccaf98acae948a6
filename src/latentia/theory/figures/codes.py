"""Codes of autoencoders: planes, sequences, widths, holes between codes, clusters."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from scipy.linalg import subspace_angles
from sklearn.datasets import make_swiss_roll
from sklearn.manifold import TSNE, Isomap

import latentia
from latentia import DEC, IDEC, PCA, Autoencoder, AutoencoderKMeans, LinearAutoencoder, VaDE
from latentia.metrics.clustering import cluster_agreement
from latentia.metrics.neighbours import code_accuracy, nearest_training
from latentia.models.inputs import unit_floats
from latentia.plots.style import CLASS_COLOURS, INK
from latentia.theory.figures import Sheet
from latentia.theory.figures.panels import (
    BLUE,
    ORANGE,
    PALE,
    SKY,
    Array,
    board,
    digits,
    flat,
    show,
    strips,
    titled,
)

DEEP: dict[str, Any] = {"hidden": (200, 100), "n_epochs": 40, "batch_size": 32, "random_state": 0}
LONG = DEEP | {"learning_rate_schedule": "cosine"}


def by_class(axes: Any, codes: Array, labels: Array, size: float = 6, alpha: float = 1.0) -> None:
    """Draw codes on a plane in the colours of their classes, each class named at its middle."""
    for value in np.unique(labels):
        own = codes[labels == value]
        colour = CLASS_COLOURS[int(value) % len(CLASS_COLOURS)]
        axes.scatter(*own.T, s=size, color=colour, linewidths=0, alpha=alpha)
        text = axes.text(*np.median(own, axis=0), str(value), ha="center", va="center", size=12)
        text.set_path_effects([withStroke(linewidth=3, foreground="white")])


@cache
def plane_vae() -> latentia.VAE:
    """Return a VAE of digits with two components."""
    nets = {"hidden": (256, 128, 64), "observation": "gaussian", "noise_variance": 0.04}
    return latentia.VAE(n_components=2, **(LONG | nets | {"n_epochs": 60})).fit(digits().x_train)


@cache
def judge() -> latentia.ImageClassifier:
    """Return a classifier of the 8×8 digits."""
    return latentia.ImageClassifier(n_epochs=15, random_state=0).fit(
        digits().x_train, digits().y_train
    )


def _half_ring() -> tuple[Array, Array]:
    """Return the book's (200, 3) points near a plane, and the angles that they lie at."""
    draw = np.random.default_rng(0)
    angle = draw.uniform(0, 1.5 * np.pi, 200) - 0.5
    noise = 0.1 * draw.standard_normal((200, 3))
    x1 = np.cos(angle) + np.sin(angle) / 2 + noise[:, 0] / 2
    x2 = 0.7 * np.sin(angle) + noise[:, 1] / 2
    return np.column_stack([x1, x2, 0.1 * x1 + 0.3 * x2 + noise[:, 2]]), angle


def _space(figure: Figure, place: Any, X: Array, pca: PCA, angle: Array) -> None:
    axes: Any = figure.add_subplot(place, projection="3d")
    reach = 1.15 * np.abs(pca.transform(X)).max(axis=0)
    corners = np.array([[[-1, -1], [1, -1]], [[-1, 1], [1, 1]]]) * reach
    plane = pca.inverse_transform(corners.reshape(4, 2)).reshape(2, 2, 3)
    axes.plot_surface(*np.moveaxis(plane, 2, 0), color=SKY, alpha=0.3, shade=False)
    for point, foot in zip(X, pca.reconstruct(X)):
        axes.plot(*np.column_stack([point, foot]), color=INK, linewidth=0.7)
    axes.scatter(*X.T, c=angle, cmap="viridis", s=11, depthshade=False)
    axes.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1], zticks=[-0.5, 0, 0.5])
    axes.tick_params(pad=-1, labelsize=7)
    axes.set_title("200 points in space, and PCA's plane", y=1.0)
    axes.set_box_aspect(np.ptp(X, axis=0) + 0.3, zoom=1.05)
    axes.view_init(elev=22, azim=-66)


def pca_by_autoencoder(sheet: Sheet) -> Figure:
    """Draw a linear autoencoder's plane as it turns onto PCA's, and the codes on both."""
    X, angle = _half_ring()
    pca, epochs, angles = PCA(n_components=2).fit(X), (1, 2, 4, 8, 16, 32, 64, 100), []
    for n_epochs in epochs:
        model = LinearAutoencoder(
            n_components=2, n_epochs=n_epochs, batch_size=20, learning_rate=0.02, random_state=1
        ).fit(X)
        V = next(model.decoder_.parameters()).detach().double().numpy()
        angles.append(np.degrees(subspace_angles(V, pca.components_.T))[0])
    with board(12.6, 3.3) as figure:
        grid = figure.add_gridspec(1, 4, width_ratios=[1.5, 1, 1, 1.1])
        _space(figure, grid[0], X, pca, angle)
        titles = ("PCA", "linear autoencoder: own axes")
        for place, (title, each) in enumerate(zip(titles, (pca, model)), start=1):
            axes: Any = figure.add_subplot(grid[place])
            Z = each.transform(X)
            axes.scatter(*Z.T, c=angle, cmap="viridis", s=11)
            half = 1.1 * np.abs(Z).max()
            axes.set(xlabel="z₁", ylabel="z₂", title=title, xlim=(-half, half), ylim=(-half, half))
            axes.set_box_aspect(1)
            sheet.say(
                f"{('PCA', 'linear autoencoder')[place - 1]}: "
                f"squared error a point {-each.score(X):.6f}"
            )
        course = figure.add_subplot(grid[3])
        course.loglog(epochs, angles, "o-", color=BLUE)
        course.set(xlabel="epochs", ylabel="degrees", title="angle between the two planes")
    sheet.say(f"angle of the planes: {angles[0]:.1f}° after 1 epoch, {angles[-1]:.3f}° after 100")
    return figure


def _lost(train: Array, test: Array, sizes: Sequence[int], *, deep: bool) -> dict[int, float]:
    """Return the share of test rows' variance that codes of these sizes lose."""
    spread = ((test - train.mean(axis=0)) ** 2).sum(axis=1).mean()
    settings = {"hidden": (64,), "n_epochs": 30, "batch_size": 64, "random_state": 0}
    models = {k: Autoencoder(n_components=k, **settings) if deep else PCA(k) for k in sizes}
    return {k: -model.fit(train).score(test) / spread for k, model in models.items()}


def two_sequences(sheet: Sheet) -> Figure:
    """Draw two kinds of sequences, and how many numbers a code needs to rebuild each."""
    draw, n, length = np.random.default_rng(0), 2000, 20
    steps, starts = draw.uniform(-4, 4, (n, 1)), draw.uniform(0, 50, (n, 1))
    kinds = {
        "start and step": (starts + steps * np.arange(length), BLUE),
        "no pattern": (draw.uniform(0, 100, (n, length)), ORANGE),
    }
    slides = {
        "10 numbers, no pattern": ([0, 27, 25, 36, 81, 51, 10, 83, 73, 19], ORANGE),
        "21 numbers, one pattern": (list(range(0, 42, 2)), BLUE),
    }
    with board(11, 3.4) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.1, 1))
        for name, (numbers, colour) in slides.items():
            left.plot(numbers, "o-", color=colour, label=name)
        for name, (x, colour) in kinds.items():
            train, test = np.split((x - x.mean()) / x.std(), [1500])
            lost = _lost(train, test, (1, 2, 3, 5, 10, 15, 19), deep=False)
            deep = _lost(train, test, (1, 2, 5), deep=True)
            right.plot([*lost], [*lost.values()], "o-", color=colour, label=f"{name}, linear code")
            (squares,) = right.plot([*deep], [*deep.values()], "s", color=colour, mfc="none")
            squares.set_label(f"{name}, deep code")
            sheet.say(
                f"{name}: two numbers lose {lost[2]:.1%} of the variance; deep, {deep[2]:.1%}"
            )
        titled(left, "which is easier to remember?", "place", "number")
        left.set_xticks(range(0, 21, 5))
        left.legend()
        title = "rebuilding 20 numbers of a sequence"
        titled(right, title, "numbers in the code", "share of variance lost")
        right.set(ylim=(-0.03, 1.03), xticks=(1, 2, 5, 10, 15, 19))
        right.legend(fontsize=8)
    return figure


def pca_against_autoencoder(sheet: Sheet) -> Figure:
    """Draw two numbers for a digit by PCA and by a deep autoencoder, with their accuracies."""
    data = digits()
    nets = {"hidden": (256, 128, 64), "activation": "tanh", "n_epochs": 50}
    deep = Autoencoder(n_components=2, **(LONG | nets))
    models = {"PCA": PCA(n_components=2).fit(data.x_train), "autoencoder": deep.fit(data.x_train)}
    sheet.keep(models, data)
    with board(9.6, 5.4) as figure:
        for axes, (name, model) in zip(figure.subplots(1, 2), models.items()):
            train, test = model.transform(data.x_train), model.transform(data.x_test)
            accuracy = code_accuracy(train, data.y_train, test, data.y_test)
            words = f"5-NN accuracy {accuracy:.1%}, squared error {-model.score(data.x_test):.2f}"
            sheet.say(f"{name}: {words}")
            for value, colour in enumerate(CLASS_COLOURS):
                own = train[data.y_train == value]
                axes.scatter(*own.T, s=9, alpha=0.22, linewidths=0, color=colour)
            by_class(axes, test, data.y_test, 9)
            axes.set(xlabel="z₁", ylabel="z₂", title=f"{name}: {words}")
            axes.set_box_aspect(1)
        figure.supxlabel("pale: training images; strong: test images", fontsize=8)
    return figure


def bottleneck(sheet: Sheet) -> Figure:
    """Draw test digits through bottlenecks of one to 32 numbers, deep and linear."""
    data, widths, rows, errors = digits(), (1, 2, 4, 8, 16, 32), {}, []
    x = unit_floats(data.x_test)
    rows["original"] = x[:10]
    for k in widths:
        deep = Autoencoder(n_components=k, **LONG).fit(data.x_train)
        linear = PCA(n_components=k).fit(data.x_train)
        errors.append((-deep.score(data.x_test), -linear.score(data.x_test)))
        rows[str(k)] = deep.reconstruct(data.x_test[:10])
        sheet.keep({f"autoencoder, {k}": deep}, data)
        sheet.say(f"{k} numbers: squared error {errors[-1][0]:.2f} deep, {errors[-1][1]:.2f} PCA")
    with board(10.6, 4.2) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
        strips(left, rows, "test digits through a bottleneck of so many numbers")
        for values, colour, name in zip(
            np.array(errors).T, (BLUE, ORANGE), ("deep autoencoder", "PCA")
        ):
            right.plot(widths, values, "o-", color=colour, label=name)
        title = "64 pixels → code → 64 pixels"
        titled(right, title, "numbers in the code", "squared error of a test digit")
        right.set(xscale="log", ylim=(0, None))
        right.set_xticks(widths, [str(k) for k in widths])
        right.minorticks_off()
        right.legend()
    return figure


def random_codes(sheet: Sheet) -> Figure:
    """Draw random codes through an autoencoder and a VAE of the same nets, and how far off."""
    data, k = digits(), 16
    noise, shared = {"observation": "gaussian", "noise_variance": 0.04}, DEEP | {"n_components": k}
    models = {"autoencoder": Autoencoder(**shared), "VAE": latentia.VAE(**shared, **noise)}
    sheet.keep(models, data)
    draw = np.random.default_rng(1).standard_normal((400, k))
    real = unit_floats(data.x_train)
    fresh = np.median(nearest_training(real, unit_floats(data.x_test)).distances)
    with board(12, 6.2) as figure:
        rows = figure.subplots(2, 3, width_ratios=(1.1, 1, 1))
        for row, (name, model) in zip(rows, models.items()):
            codes = model.fit(data.x_train).transform(data.x_train)
            z = draw if name == "VAE" else codes.mean(axis=0) + draw * codes.std(axis=0)
            made = {
                "reconstructed test digits": np.clip(model.reconstruct(data.x_test), 0, 1),
                "random codes": np.clip(model.inverse_transform(z), 0, 1),
            }
            for axes, (kind, images), colour in zip(row[1:], made.items(), (PALE, ORANGE)):
                sure = (judge().predict_proba(images).max(axis=1) > 0.95).mean()
                gaps = nearest_training(real, images).distances
                row[0].hist(gaps, bins=np.linspace(0, 3, 40), color=colour, alpha=0.8, label=kind)
                show(axes, images[:40], 8, f"{kind}: {sure:.0%} surely a digit")
                sheet.say(
                    f"{name}, {kind}: {sure:.0%} surely a digit, {np.median(gaps):.2f} from "
                    f"the nearest training digit (test digits {fresh:.2f})"
                )
            row[0].axvline(fresh, color=INK, linestyle=":")
            row[0].set_ylim(top=1.35 * row[0].get_ylim()[1])
            row[0].set(
                title=f"{name}, {k} numbers",
                ylabel="pictures",
                xlabel="distance to the nearest training digit; dotted: of test digits",
            )
            row[0].legend()
    return figure


def latent_plane(sheet: Sheet) -> Figure:
    """Draw where a VAE puts digits on a plane, and what every place of the plane decodes to."""
    data, model = digits(), plane_vae()
    sheet.keep({"VAE": model}, data)
    side = np.linspace(-2.2, 2.2, 15)
    grid = np.stack(np.meshgrid(side, -side), axis=-1).reshape(-1, 2)
    with board(10.4, 5.0) as figure:
        left, right = figure.subplots(1, 2)
        codes = model.transform(data.x_test)
        by_class(left, codes, data.y_test, 12)
        titled(left, "codes of test digits", "z₁", "z₂")
        left.set(xlim=(-2.4, 2.4), ylim=(-2.4, 2.4), box_aspect=1)
        show(right, model.inverse_transform(grid), 15, "the same plane, decoded")
    near = code_accuracy(model.transform(data.x_train), data.y_train, codes, data.y_test)
    sheet.say(f"64 pixels to 2 numbers; the five nearest codes tell {near:.1%} of test digits")
    return figure


def _agreement(along: Array, codes: Array) -> float:
    """Return how distances along a sheet correlate with those of codes, over 400 points."""
    own = np.abs(np.subtract.outer(along[:400], along[:400])).ravel()
    seen = np.linalg.norm(codes[:400, None] - codes[:400], axis=2).ravel()
    return float(np.corrcoef(own, seen)[0, 1])


def manifold(sheet: Sheet) -> Figure:
    """Draw a rolled sheet: curved as a whole, flat in a small patch; PCA does not unroll it."""
    x, along = make_swiss_roll(1500, noise=0.05, random_state=0)
    middle = x[np.abs(along - 11).argmin()]
    distance, radii, share = np.linalg.norm(x - middle, axis=1), (2, 3, 5, 8, 12, 20), []
    for radius in radii:
        patch = x[distance < radius]
        spectrum = np.linalg.svd(patch - patch.mean(axis=0), compute_uv=False) ** 2
        share.append(spectrum[2] / spectrum.sum())
        sheet.say(f"within {radius} of a point: {share[-1]:.1%} of the variance off the best plane")
    maps = {
        "PCA: still rolled up": PCA(n_components=2).fit(x).transform(x),
        "unrolled (Isomap)": Isomap(n_neighbors=10).fit_transform(x),
    }
    with board(12.6, 3.4) as figure:
        grid = figure.add_gridspec(1, 4, width_ratios=(1.1, 1, 1, 1))
        roll, near = figure.add_subplot(grid[0], projection="3d"), distance < 3
        roll.scatter(*x[~near].T, c=along[~near], cmap="viridis", s=3)
        roll.scatter(*x[near].T, color=ORANGE, s=6)
        roll.set(xticks=[], yticks=[], zticks=[], title="a sheet in space; orange: a patch")
        roll.view_init(elev=10, azim=-80)
        flatness = figure.add_subplot(grid[1])
        flatness.plot(radii, share, "o-", color=BLUE)
        words = "small patches are flat", "radius of the patch", "share of variance off a plane"
        titled(flatness, *words)
        for place, (title, codes) in enumerate(maps.items(), start=2):
            axes: Any = figure.add_subplot(grid[place])
            axes.scatter(*codes.T, c=along, cmap="viridis", s=3)
            axes.set(title=title, xticks=[], yticks=[])
            sheet.say(
                f"{title}: distances along the sheet correlate by {_agreement(along, codes):.2f}"
            )
    return figure


def deep_clustering(sheet: Sheet) -> Figure:
    """Draw codes of four models that cluster digits without their labels, from the same nets."""
    data, nets = digits(), {"hidden": (256, 512), "batch_size": 64, "random_state": 0}
    with board(12.8, 3.5) as figure, tempfile.TemporaryDirectory() as folder:
        first = AutoencoderKMeans(n_epochs=40, **nets).fit(data.x_train)
        first.save(Path(folder) / "autoencoder")
        start = nets | {"n_epochs": 10, "pretrained": str(Path(folder) / "autoencoder")}
        centres = {"first_centers": "mixture", "update_interval": 20}
        models = {
            "autoencoder, k-means": first,
            "DEC": DEC(**start, **centres),
            "IDEC": IDEC(**start, **centres),
            "VaDE": VaDE(**start),
        }
        for axes, (name, model) in zip(figure.subplots(1, 4), models.items()):
            fitted = model if model is first else model.fit(data.x_train)
            sheet.keep({name: fitted}, data)
            found = cluster_agreement(data.y_test, fitted.predict(data.x_test))
            codes = fitted.transform(data.x_test).astype(np.float64)
            by_class(axes, TSNE(random_state=0).fit_transform(codes), data.y_test, 7)
            title = f"{name}: accuracy {found['cluster_accuracy']:.1%}"
            axes.set(xticks=[], yticks=[], title=title)
            sheet.say(
                f"{name}: accuracy {found['cluster_accuracy']:.3f}, NMI {found['nmi']:.3f}, "
                f"adjusted Rand {found['adjusted_rand']:.3f}"
            )
    return figure


def manifold_of_digits(sheet: Sheet) -> Figure:
    """Draw ways from a 3 to an 8 along pixels and along codes, and how far from real digits."""
    data, draw, t = digits(), np.random.default_rng(0), np.linspace(0, 1, 9)[:, None]
    model = Autoencoder(n_components=10, **DEEP).fit(data.x_train)
    sheet.keep({"autoencoder": model}, data)
    real, x = unit_floats(data.x_train), flat(unit_floats(data.x_test))
    pairs = [draw.choice(np.flatnonzero(data.y_test == c), 100) for c in (3, 8)]
    codes = model.transform(x.reshape(-1, 8, 8).astype(np.float32))
    paths: dict[str, list[Array]] = {"codes": [], "pixels": []}
    for a, b in zip(*pairs):
        paths["codes"].append(model.inverse_transform((1 - t) * codes[a] + t * codes[b]))
        paths["pixels"].append(((1 - t) * x[a] + t * x[b]).reshape(-1, 8, 8))
    with board(10.8, 3.2) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.35, 1))
        strips(left, {f"along {name}": path[0] for name, path in paths.items()}, "from a 3 to an 8")
        for (name, path), colour in zip(paths.items(), (BLUE, ORANGE)):
            gaps = nearest_training(real, np.concatenate(path)).distances.reshape(100, 9)
            mean, error = gaps.mean(axis=0), gaps.std(axis=0) / 10
            line = right.errorbar(t[:, 0], mean, error, color=colour, fmt="o-", capsize=3)
            line.set_label(f"along {name}")
            sheet.say(
                f"half way along {name}: "
                f"{mean[4]:.3f} ± {error[4]:.3f} from the nearest real digit, "
                f"at the ends {mean[0]:.3f} and {mean[-1]:.3f}"
            )
        title = "100 pairs of a 3 and an 8"
        titled(right, title, "share of the way", "distance to the nearest real digit")
        right.legend()
    return figure
