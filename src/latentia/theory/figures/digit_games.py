"""GANs on digits and rings: losses, collapse and its cures, clipping, layers, broken rules."""

from __future__ import annotations

import tempfile
from functools import cache
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import nn

from latentia import DCGAN, GAN, WGAN, WGANGP
from latentia.evaluation.memorisation import memorisation_check
from latentia.explore.interpolation import interpolate_codes
from latentia.models.inputs import unit_floats
from latentia.nets.dcgan import lecture_generator
from latentia.plots.memorisation import memorisation_figure
from latentia.plots.style import COLOURS, INK
from latentia.theory.figures import Sheet
from latentia.theory.figures.codes import judge
from latentia.theory.figures.panels import (
    BLUE,
    GREEN,
    ORANGE,
    Array,
    arrow,
    bare,
    board,
    digits,
    show,
    strips,
)
from latentia.theory.lipschitz import gradient_norms
from latentia.training.metrics_file import read_metrics

GAME: dict[str, Any] = {
    "n_components": 16,
    "learning_rate": 1e-3,
    "batch_size": 64,
    "random_state": 0,
}
STAGES = (1, 4, 12, 40)
CLIPPINGS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


@cache
def _gan(n_epochs: int) -> GAN:
    """Return a GAN of digits after so many epochs."""
    return GAN(n_epochs=n_epochs, **GAME).fit(digits().x_train)


def _dcgan() -> DCGAN:
    """Return a DCGAN for digits."""
    settings: dict[str, Any] = {"learning_rate": 5e-4, "beta_1": 0.0, "beta_2": 0.99}
    settings |= {"ema_decay": 0.99, "batch_size": 64, "n_epochs": 60, "random_state": 0}
    return DCGAN(discriminator_batch_norm=False, **settings)


@cache
def _fitted_dcgan() -> DCGAN:
    """Return a DCGAN of digits."""
    return _dcgan().fit(digits().x_train)


def _verdict(model: GAN | DCGAN, images: Array) -> Array:
    """Return what the discriminator says of (n, 8, 8) images: the probability of 'real'."""
    with torch.no_grad():
        x_NCHW = torch.tensor(np.asarray(unit_floats(images), np.float32))[:, None]
        logits = model.judged(model.inside(x_NCHW))
    return torch.sigmoid(logits).numpy().ravel()


def gan_losses(sheet: Sheet) -> Figure:
    """Draw both players' losses and probabilities over epochs, for two losses of the generator."""
    with board(11, 6.4) as figure:
        for row, objective in zip(figure.subplots(2, 3), ("non_saturating", "minimax")):
            with tempfile.TemporaryDirectory() as folder:
                model = GAN(objective=objective, n_epochs=40, **GAME)
                model.fit(digits().x_train, run=Path(folder) / "run")
                records = [r for r in read_metrics(Path(folder) / "run") if r["split"] == "train"]
            epochs = [r["epoch"] for r in records]
            curves = {name: [r["values"][name] for r in records] for name in records[0]["values"]}
            balance = log(4), log(2) if objective == "non_saturating" else -log(2)
            for name, value, colour in zip(("discriminator", "generator"), balance, COLOURS):
                row[0].plot(epochs, curves[name], color=colour, label=f"{name}'s loss")
                row[0].axhline(value, color=colour, linestyle=":", linewidth=1)
            row[0].set(
                title=f"{objective.replace('_', '-')}: losses; dotted, where D = ½", ylabel="nats"
            )
            for name, label, colour in (("real", "D(x)", BLUE), ("fake", "D(G(z))", ORANGE)):
                row[1].plot(
                    epochs, curves[f"discriminator/{name}_probability"], color=colour, label=label
                )
            row[1].set(ylim=(0, 1), title="mean probability of 'real'")
            for axes in row[:2]:
                axes.set_xlabel("epoch")
                axes.legend()
            show(row[2], model.sample(36, random_state=0), 9, "36 samples")
            sheet.keep({f"GAN, {objective.replace('_', '-')}": model}, digits())
            G, real, fake = (
                curves[n]
                for n in (
                    "generator",
                    "discriminator/real_probability",
                    "discriminator/fake_probability",
                )
            )
            sheet.say(
                f"{objective.replace('_', '-')}: generator's loss {G[0]:.2f} at first, "
                f"{max(G):.2f} at most, {G[-1]:.2f} at last; "
                f"D(x) {real[-1]:.2f}, D(G(z)) {fake[-1]:.2f}"
            )
    return figure


def collapse_on_digits(sheet: Sheet) -> Figure:
    """Draw classes of 1,000 samples over the epochs of a healthy game and of one that collapses."""
    epochs, real = (2, 5, 12), np.bincount(digits().y_train, minlength=10) / len(digits().y_train)
    games = {"healthy": "by the rules", "collapsing": "no batch norm"}
    with board(12, 5.4) as figure:
        for row, (name, kind) in zip(figure.subplots(2, 4), games.items()):
            for axes, n_epochs in zip(row, epochs):
                model = _guided(kind, n_epochs, seed=0)
                drawn = np.clip(model.sample(1000, random_state=0), 0, 1)
                share = np.bincount(judge().predict(drawn), minlength=10) / 1000
                axes.bar(range(10), share, color=ORANGE)
                axes.step(
                    np.arange(11) - 0.5, [*real, real[-1]], where="post", color=INK, linewidth=1
                )
                axes.set(xticks=range(10), ylim=(0, 1), title=f"{name}, epoch {n_epochs}")
                entropy = float(np.exp(-(share * np.log(np.maximum(share, 1e-12))).sum()))
                sure = (judge().predict_proba(drawn).max(axis=1) > 0.95).mean()
                sheet.say(
                    f"{name}, epoch {n_epochs}: classes above 2%: {(share > 0.02).sum()}, "
                    f"as many as {entropy:.1f} equal ones; {sure:.0%} of samples surely a digit"
                )
            show(row[3], drawn[:40], 8, "samples at the end")
            row[0].set_ylabel("share of 1,000 samples")
            sheet.keep({name: model}, digits())
        figure.supxlabel(
            "class that a judge sees in the samples; line: shares of real digits", fontsize=8.5
        )
    return figure


def police_and_counterfeiter(sheet: Sheet) -> Figure:
    """Draw real and made digits in a row, over the epochs, with what D says of each."""
    draw = np.random.default_rng(0)
    real = unit_floats(digits().x_test)
    with board(11.4, 5.4) as figure:
        rows = figure.subplots(len(STAGES), 14)
        for row, n_epochs in zip(rows, STAGES):
            model = _gan(n_epochs)
            fake = np.clip(model.sample(300, random_state=1), 0, 1)
            order = draw.permutation(14)
            images, true = np.concatenate([real[:7], fake[:7]])[order], (np.arange(14) < 7)[order]
            for axes, image, said, is_real in zip(row, images, _verdict(model, images), true):
                show(axes, image)
                colour = BLUE if (said > 0.5) == is_real else ORANGE
                axes.set_xlabel(
                    f"{'real' if is_real else 'made'}\nD = {said:.2f}", fontsize=7.5, color=colour
                )
            right = (
                (_verdict(model, real[:297]) > 0.5).mean()
                + (_verdict(model, fake[:297]) < 0.5).mean()
            ) / 2
            row[0].set_ylabel(
                f"epoch {n_epochs}:\n{right:.0%} right", rotation=0, ha="right", va="center"
            )
            sheet.say(
                f"epoch {n_epochs}: "
                f"D tells {right:.0%} of 297 unseen digits and as many samples rightly"
            )
        figure.supxlabel("orange: the police is wrong", fontsize=8.5)
    sheet.keep({f"GAN, epoch {n}": _gan(n) for n in (STAGES[0], STAGES[-1])}, digits())
    return figure


def wiring_of_a_gan(sheet: Sheet) -> Figure:
    """Draw the two nets of a GAN as a diagram that carries real pictures and real numbers."""
    sheet.keep({"GAN": _gan(40)}, digits())
    model, z = _gan(40), np.random.default_rng(2).standard_normal((3, 16)).astype(np.float32)
    pictures = np.clip(model.inverse_transform(z), 0, 1), unit_floats(digits().x_test)[[2, 3, 4]]
    said = [_verdict(model, images) for images in pictures]
    wires = (
        ((2.35, 2.6), (2.9, 2.6)), ((3.9, 2.6), (4.55, 2.6)), ((5.45, 2.4), (6.65, 1.8)),
        ((5.45, 0.3), (6.65, 1.3)), ((7.8, 1.8), (8.75, 2.4)), ((7.8, 1.4), (8.75, 0.6)),
    )  # fmt: skip
    words = ((1.2, 3.75, "noise z, 16 numbers"), (5.0, 3.75, "made: G(z)"), (5.0, 1.38, "real: x"))
    with board(10.4, 4.4) as figure:
        axes = figure.subplots()
        for name, x, y, colour in (("G", 3.4, 2.6, ORANGE), ("D", 7.2, 1.6, BLUE)):
            look = {"boxstyle": "round,pad=0.5", "facecolor": colour, "edgecolor": "none"}
            axes.text(x, y, name, fontsize=22, ha="center", va="center", color="white", bbox=look)
        for i, top in enumerate((3.05, 2.4, 1.75)):
            box = (0.2, 2.2, top + 0.2, top + 0.4)
            axes.imshow(z[i][None], extent=box, cmap="RdBu", vmin=-2.5, vmax=2.5)
            for images, verdicts, low in zip(pictures, said, (top, top - 2.35)):
                axes.imshow(
                    images[i], extent=(4.7, 5.3, low, low + 0.55), cmap="gray", vmin=0, vmax=1
                )
                axes.text(8.9, low + 0.2, f"D = {verdicts[i]:.2f}", va="center")
        for start, end in wires:
            arrow(axes, start, end)
        for x, y, text in words:
            axes.text(x, y, text, ha="center")
        axes.set(xlim=(0, 10), ylim=(-0.75, 4), aspect="equal")
        bare(axes)
    made, real = (float(each.mean()) for each in said)
    sheet.say(f"D of three real digits {real:.2f}, of three made ones {made:.2f} on average")
    return figure


def weight_clipping(sheet: Sheet) -> Figure:
    """Draw WGANs that differ in the range of the critic's weights alone, and WGAN-GP."""
    shared: dict[str, Any] = {"n_components": 16, "n_epochs": 20, "batch_size": 64}
    shared |= {"architecture": "mlp", "learning_rate": 5e-4, "random_state": 0}
    games = {f"WGAN, c = {c:g}": WGAN(clipping=c, **shared) for c in CLIPPINGS}
    games["WGAN-GP"] = WGANGP(**shared)
    with board(13.8, 6.2) as figure:
        rows = figure.subplots(3, len(games), height_ratios=(1, 0.8, 1.1))
        for column, (name, model) in zip(rows.T, games.items()):
            with tempfile.TemporaryDirectory() as folder:
                model.fit(digits().x_train, run=Path(folder) / "run")
                train = [r for r in read_metrics(Path(folder) / "run") if r["split"] == "train"]
            distance = [r["values"]["critic/distance"] for r in train]
            column[0].plot([r["epoch"] for r in train], distance, color=BLUE)
            column[0].set(title=name, xlabel="epoch")
            weights = np.concatenate(
                [w.detach().numpy().ravel() for w in model.critic_.parameters()]
            )
            column[1].hist(weights, bins=41, color=GREEN)
            column[1].set(yticks=[], xlabel="the critic's weights")
            column[1].locator_params(axis="x", nbins=3)
            c = getattr(model, "clipping", None)
            edge = (np.abs(weights) > 0.99 * c).mean() if c else 0.0
            made = np.clip(model.sample(297, random_state=0), 0, 1)
            between = (made + unit_floats(digits().x_test)) / 2
            points = model.inside(torch.tensor(between[:, None], dtype=torch.float32))
            slope = float(np.median(gradient_norms(model.critic_, points)))
            classes = (np.bincount(judge().predict(made), minlength=10) > 0.02 * len(made)).sum()
            show(column[2], made[:36], 6, f"slope {slope:.2g}\nclasses: {classes}")
            sheet.keep({name: model}, digits())
            sheet.say(
                f"{name}: distance {distance[0]:.3g} to {distance[-1]:.3g}, {edge:.0%} of weights "
                f"at ±c, median slope between data and samples {slope:.2g}, "
                f"classes above 2%: {classes}"
            )
        rows[0, 0].set_ylabel("E f(x) − E f(G(z))")
    return figure


def dcgan_digits(sheet: Sheet) -> Figure:
    """Draw the same z over the epochs of a DCGAN, and its samples beside real digits."""
    model = _dcgan()
    with tempfile.TemporaryDirectory() as folder:
        model.fit(digits().x_train, run=Path(folder) / "run")
        pictures = sorted((Path(folder) / "run" / "samples").glob("*.png"))
        chosen = np.unique(np.geomspace(1, len(pictures), 6).astype(int)) - 1
        stages = [np.asarray(Image.open(pictures[i]).convert("L")) for i in chosen]
    height = -(-stages[0].shape[0] // 8)
    with board(12, 3.6) as figure:
        left, middle, right = figure.subplots(1, 3)
        left.imshow(
            np.concatenate([stage[:height] for stage in stages]), cmap="gray", vmin=0, vmax=255
        )
        bare(left)
        rows = (np.arange(len(stages)) + 0.5) * height
        left.set_yticks(rows, [f"epoch {int(pictures[i].stem[-4:])}" for i in chosen])
        left.tick_params(length=0)
        left.set_title("the same z over the epochs")
        show(middle, model.sample(80, random_state=0), 10, "80 samples, none selected")
        show(right, unit_floats(digits().x_test[:80]), 10, "80 real digits")
    sheet.keep({"DCGAN": model}, digits())
    drawn = np.clip(model.sample(1000, random_state=0), 0, 1)
    classes = np.bincount(judge().predict(drawn), minlength=10)
    sheet.say(
        f"classes of 1000 samples, by a judge: from {classes.min()} to {classes.max()} of each; "
        f"{model.diagnosis_}"
    )
    return figure


def layers_of_a_generator(sheet: Sheet) -> Figure:
    """Draw a vector z through the layers of a DCGAN's generator, and the lecture's slip."""
    model, maps = _fitted_dcgan(), {}
    sheet.keep({"DCGAN": model}, digits())
    x = torch.tensor(
        np.random.default_rng(3).standard_normal((1, model.n_components)), dtype=torch.float32
    )
    net = model.generator_.eval()
    with torch.no_grad():
        first = x
        for layer in net.children():
            x = layer(x)
            if x.ndim == 4 and isinstance(layer, nn.ReLU | nn.Tanh):
                maps[f"{x.shape[1]} × {x.shape[2]}×{x.shape[3]}"] = x[0].numpy()
        lecture = lecture_generator((1, 28, 28), 100)
        right = tuple(lecture(torch.zeros(2, 100)).shape)
        doubled = tuple(
            nn.Sequential(*lecture, nn.Upsample(scale_factor=2))(torch.zeros(2, 100)).shape
        )
    with board(11.4, 3.0) as figure:
        panels = figure.subplots(1, len(maps) + 1, width_ratios=[0.25] + [1] * len(maps))
        panels[0].imshow(first.numpy().T, cmap="RdBu", vmin=-2.5, vmax=2.5, aspect="auto")
        panels[0].set_title(f"z: {first.shape[1]}")
        bare(panels[0])
        for axes, (name, stack) in zip(panels[1:], maps.items()):
            low, high = stack.min(), stack.max()
            show(axes, (stack[:16] - low) / max(high - low, 1e-9), 4 if len(stack) > 1 else 1, name)
    sheet.say(
        f"the lecture's net gives pictures of {right[2]}×{right[3]}; "
        f"with an UpSampling2D where LeakyReLU belongs, as printed, {doubled[2]}×{doubled[3]}"
    )
    return figure


def interpolation_in_z(sheet: Sheet) -> Figure:
    """Draw walks between random z of a DCGAN, in a straight line and along the great circle."""
    model, rows = _fitted_dcgan(), {}
    sheet.keep({"DCGAN": model}, digits())
    z = np.random.default_rng(5).standard_normal((6, model.n_components))
    for i in range(3):
        for name, spherical in (("line", False), ("great circle", True)):
            path = interpolate_codes(model, z[2 * i : 2 * i + 2], 12, spherical=spherical)
            rows[f"{i + 1}: {name}"] = np.clip(path, 0, 1)
    with board(9.6, 4.6) as figure:
        strips(figure.subplots(), rows, "from one random z to another")
    middle = np.linalg.norm((z[::2] + z[1::2]) / 2, axis=1).mean()
    sheet.say(
        f"half way along the line ‖z‖ is {middle:.2f}, "
        f"at the ends {np.linalg.norm(z, axis=1).mean():.2f}: "
        "the great circle keeps the length"
    )
    return figure


def nearest_training_images(sheet: Sheet) -> Figure:
    """Draw unselected samples of a DCGAN over the training images nearest to each."""
    sheet.keep({"DCGAN": _fitted_dcgan()}, digits())
    found = memorisation_check(_fitted_dcgan(), digits())
    share, z = found.copying.share_farther, found.copying.z
    sheet.say(f"a sample is farther from the training digits than an unseen digit in {share:.1%}")
    sheet.say(f"copying statistic {z:.2f}: far below 0 for copies, far above 0 for poor samples")
    return memorisation_figure(found.nearest)


def _pair(broken: str) -> tuple[nn.Module, nn.Module]:
    """Return a generator and a discriminator of digits by the DCGAN's guide, but for one rule."""
    k, n = 32, 16

    def norm(width: int) -> list[nn.Module]:
        return [] if broken == "no batch norm" else [nn.BatchNorm2d(width)]

    def up(n_in: int, n_out: int) -> list[nn.Module]:
        if broken != "upsampling, pooling":
            return [nn.ConvTranspose2d(n_in, n_out, 4, 2, 1)]
        return [nn.Upsample(scale_factor=2), nn.Conv2d(n_in, n_out, 3, padding=1)]

    def down(n_in: int, n_out: int) -> list[nn.Module]:
        if broken != "upsampling, pooling":
            return [nn.Conv2d(n_in, n_out, 4, 2, 1)]
        return [nn.Conv2d(n_in, n_out, 3, padding=1), nn.MaxPool2d(2)]

    of_g = nn.Sigmoid if broken == "sigmoid in G" else nn.ReLU
    of_d: nn.Module = nn.ReLU() if broken == "ReLU in D" else nn.LeakyReLU(0.2)
    first = [nn.Unflatten(1, (n, 1, 1)), nn.ConvTranspose2d(n, 2 * k, 2)]
    last = [nn.Conv2d(2 * k, 1, 2), nn.Flatten()]
    if broken == "dense hidden layers":
        first = [nn.Linear(n, 256), of_g(), nn.Linear(256, 8 * k), nn.Unflatten(1, (2 * k, 2, 2))]
        last = [nn.Flatten(), nn.Linear(8 * k, 256), of_d, nn.Linear(256, 1)]
    ends = (norm(1), norm(k)) if broken == "batch norm everywhere" else ([], [])
    G = [*first, *norm(2 * k), of_g(), *up(2 * k, k), *norm(k), of_g(), *up(k, 1), *ends[0]]
    D = [*down(1, k), *ends[1], of_d, *down(k, 2 * k), *norm(2 * k), of_d, *last]
    return nn.Sequential(*G, nn.Tanh()), nn.Sequential(*D)


RULES = (
    "by the rules",
    "upsampling, pooling",
    "no batch norm",
    "batch norm everywhere",
    "dense hidden layers",
    "sigmoid in G",
    "ReLU in D",
)


def _guided(rule: str, n_epochs: int, seed: int) -> DCGAN:
    """Return a DCGAN of digits by the guide, but for one rule."""
    torch.manual_seed(seed)
    G, D = _pair(rule)
    shared: dict[str, Any] = {"n_components": 16, "batch_size": 64, "ema_decay": 0.98}
    shared |= {"generator": G, "discriminator": D, "learning_rate": 1e-3, "random_state": seed}
    return DCGAN(n_epochs=n_epochs, **shared).fit(digits().x_train)


def dcgan_rules(sheet: Sheet) -> Figure:
    """Draw the same game with one rule of the guide broken at a time, and a judge's view."""
    with board(14, 5.2) as figure:
        panels = figure.subplots(2, len(RULES))
        for column, name in zip(panels.T, RULES):
            found = []
            for seed, axes in enumerate(column):
                model = _guided(name, 12, seed)
                drawn = np.clip(model.sample(1000, random_state=0), 0, 1)
                sure = (judge().predict_proba(drawn).max(axis=1) > 0.95).mean()
                classes = (np.bincount(judge().predict(drawn), minlength=10) > 20).sum()
                show(axes, drawn[:36], 6, f"{sure:.0%} surely a digit\nclasses: {classes}")
                found.append(f"{sure:.0%} of samples surely a digit, classes above 2%: {classes}")
            column[0].set_title(f"{name}\n{column[0].get_title(loc='left')}")
            sheet.say(f"{name}: {found[0]}; another seed, {found[1]}")
    return figure
