"""How autoencoders learn: losses, steps by hand, constraints, noise, bytes."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from latentia import PCA, Autoencoder, DenoisingAutoencoder
from latentia.metrics.reconstruction import psnr
from latentia.models.inputs import unit_floats
from latentia.plots.style import COLOURS, INK
from latentia.theory.figures import Sheet
from latentia.theory.figures.panels import (
    BLUE,
    GREEN,
    ORANGE,
    PALE,
    Array,
    bare,
    board,
    clothes,
    digits,
    strips,
    titled,
)
from latentia.training.metrics_file import read_metrics

SMALL: dict[str, Any] = {"hidden": (200,), "n_epochs": 30, "batch_size": 32, "random_state": 0}
KINDS = {"gaussian": "gaussian", "masking": "masking", "salt_and_pepper": "salt and pepper"}


def _cross_entropy(x: Array | float, y: Array | float) -> Array:
    return np.asarray(-(x * np.log(y) + (1 - x) * np.log(1 - y)))


def bce_against_rmse(sheet: Sheet) -> Figure:
    """Draw both losses over the prediction, their slopes, and what they teach."""
    y, truth = np.linspace(0.005, 0.995, 400), unit_floats(digits().x_test)
    rows = {"original": truth[:8]}
    with board(12.4, 3.7) as figure:
        left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.1))
        for x, colour in ((0.1, BLUE), (0.5, GREEN), (0.7, ORANGE)):
            least = _cross_entropy(x, x)
            excess, squares = _cross_entropy(x, y) - least, (y - x) ** 2
            left.plot(y, excess, color=colour, label=f"true pixel {x}")
            left.plot(y, squares, "--", color=colour)
            middle.plot(y, np.abs((y - x) / (y * (1 - y))), color=colour)
            middle.plot(y, np.abs(2 * (y - x)), "--", color=colour)
            places = max(x - 0.2, 0.01), x + 0.2
            low, high = (float(_cross_entropy(x, p) - least) for p in places)
            tops = y[excess.argmin()], y[squares.argmin()]
            sheet.say(
                f"true pixel {x}: BCE above its least {low:.3f} at {places[0]:.2f}, {high:.3f} "
                f"at {places[1]:.2f}; least at {tops[0]:.2f}, squared error at {tops[1]:.2f}"
            )
        titled(left, "loss above its least: BCE; dashed: squared error", "prediction")
        titled(middle, "|slope|: BCE is steep at the ends", "prediction")
        left.set_ylim(0, 0.6)
        middle.set_ylim(0, 8)
        left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=3, fontsize=8)
        for objective in ("bce", "rmse"):
            model = Autoencoder(n_components=8, objective=objective, **SMALL).fit(digits().x_train)
            sheet.keep({objective.upper(): model}, digits())
            out = np.clip(model.reconstruct(digits().x_test), 0, 1)
            rows[objective.upper()] = out[:8]
            error = ((out - truth) ** 2).sum(axis=(1, 2)).mean()
            means = f"mean pixel {out.mean():.3f} (data {truth.mean():.3f})"
            sheet.say(f"trained by {objective.upper()}: squared error {error:.2f}, {means}")
        strips(right, rows, "autoencoders trained by each")
    return figure


def _pass(x: Array, w: Array, v: Array, b: float, c: Array) -> tuple[Any, Array, Array, Any]:
    """Return a 2-1-2 net's code, its output, and the slopes of the loss in both sums."""
    h = 1 / (1 + np.exp(-(w @ x + b)))
    out = 1 / (1 + np.exp(-(v * h + c)))
    d_out = 2 * (out - x) * out * (1 - out)
    return h, out, d_out, (d_out @ v) * h * (1 - h)


def _net(axes: Any, x: Array, h: float, out: Array, wires: dict[str, tuple[Array, Array]]) -> None:
    """Draw the net with its values, and on every wire the weight and its slope."""
    disc = {"boxstyle": "circle,pad=0.35", "facecolor": "white", "edgecolor": BLUE}
    plain = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    for i, y in enumerate((2, 0)):
        for ends, (weights, slopes) in zip((((0, y), (3, 1)), ((3, 1), (6, y))), wires.values()):
            axes.plot(*zip(*ends), color=PALE, zorder=0)
            words = f"{weights[i]:.2f}\nslope {slopes[i]:+.3f}"
            middle = np.mean(ends, axis=0)
            axes.text(*middle, words, ha="center", va="center", fontsize=8, bbox=plain)
    for place, number in zip(((0, 2), (0, 0), (3, 1), (6, 2), (6, 0)), (*x, h, *out)):
        axes.text(*place, f"{number:.3f}", ha="center", va="center", bbox=disc)
    for x_place, words in ((0, "input"), (3, "code (sigmoid)"), (6, "output (sigmoid)")):
        axes.text(x_place, -0.95, words, ha="center")
    axes.set(xlim=(-0.8, 6.8), ylim=(-1.2, 2.7))
    bare(axes)


def learning_by_hand(sheet: Sheet) -> Figure:
    """Draw a 2-1-2 autoencoder's numbers: forward, loss, backward, then sixty steps."""
    x, w, v, b, c = np.array([0.8, 0.2]), np.array([0.3, -0.2]), np.array([0.5, -0.4]), 0.1, 0.0
    losses, shift, shown = [], np.full(2, c), sheet.moving("step", (0, 1, 2, 5, 10, 20, 59), 0)
    with board(10.6, 3.8) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.7, 1))
        for step in range(60):
            h, out, d_out, d_h = _pass(x, w, v, b, shift)
            losses.append(float(((x - out) ** 2).sum()))
            if step == shown:
                _net(left, x, h, out, {"encoder": (w, d_h * x), "decoder": (v, d_out * h)})
                left.set_title(f"forward and backward, step {step}: loss {losses[-1]:.4f}")
            if step < 2:
                words = f"output {out[0]:.4f} and {out[1]:.4f}, loss {losses[-1]:.5f}"
                sheet.say(f"step {step}: code {h:.4f}, {words}")
            w, b, v, shift = w - d_h * x, b - d_h, v - d_out * h, shift - d_out
        right.semilogy(losses, color=BLUE)
        titled(right, "squared error of the output", "step of gradient descent")
    sheet.say(f"loss {losses[0]:.5f} at first, {losses[-1]:.6f} after 60 steps")
    return figure


def constraints(sheet: Sheet) -> Figure:
    """Draw what wide, narrow and denoising autoencoders make of digits and of pure noise."""
    data, draw = digits(), np.random.default_rng(0)
    x, noise = unit_floats(data.x_test), draw.uniform(0, 1, (297, 8, 8)).astype(np.float32)
    models = {
        "wide: 64 numbers": Autoencoder(n_components=64, **SMALL),
        "narrow: 5 numbers": Autoencoder(n_components=5, **SMALL),
        "wide, learns from noisy inputs": DenoisingAutoencoder(
            n_components=64, noise_factor=0.4, **SMALL
        ),
    }
    rows = {"given": np.concatenate([x[:7], noise[:7]])}
    for name, model in models.items():
        model.fit(data.x_train)
        sheet.keep({name: model}, data)
        rows[name] = np.clip(
            np.concatenate([model.reconstruct(x[:7]), model.reconstruct(noise[:7])]), 0, 1
        )
        digit, random = (((model.reconstruct(a) - a) ** 2).mean() / a.var(axis=0).mean()
                         for a in (x, noise))  # fmt: skip
        sheet.say(f"{name}: loses {digit:.0%} of digits, {random:.0%} of noise")
    with board(9.8, 3.4) as figure:
        strips(figure.subplots(), rows, "seven digits and seven pictures of noise, reconstructed")
    return figure


def denoising(sheet: Sheet) -> Figure:
    """Draw three kinds of noise on pictures, and what denoising autoencoders make of them."""
    data = clothes()
    clean, rows = unit_floats(data.x_test[:500]), {}
    rows["original"] = clean[:12]
    settings: dict[str, Any] = {"architecture": "mlp", "hidden": (400,), "n_components": 64}
    settings |= {"n_epochs": 3, "batch_size": 64, "learning_rate_schedule": "cosine"}
    settings |= {"random_state": 0}
    for kind, name in KINDS.items():
        model = DenoisingAutoencoder(noise=kind, snr=3.0, **settings)
        noisy = model.fit(data.x_train[:6000]).add_noise(clean, random_state=0)
        denoised = np.clip(model.reconstruct(noisy), 0, 1)
        sheet.keep({f"{name} noise": model}, data)
        sheet.say(
            f"{name}: {psnr(clean, noisy):.2f} dB noisy, {psnr(clean, denoised):.2f} dB denoised; "
            f"noise on {(noisy != clean).mean():.0%} of pixels"
        )
        rows |= {
            f"{name} noise": np.clip(noisy[:12], 0, 1),
            "denoised" + " " * len(rows): denoised[:12],
        }
    with board(9.6, 5.8) as figure:
        named = {name.rstrip() + " " * i: row for i, (name, row) in enumerate(rows.items())}
        title = "test pictures: damaged, and denoised by a model for that noise"
        strips(figure.subplots(), named, title)
    return figure


def _noisy(images: Array, seed: int) -> Array:
    """Return images with normal noise of 0.3, clipped to [0, 1]."""
    draw = np.random.default_rng(seed)
    noise = 0.3 * draw.standard_normal(images.shape)
    return np.asarray(np.clip(images + noise, 0, 1), np.float32)


def denoising_targets(sheet: Sheet) -> Figure:
    """Draw errors over the epochs where the target is clean, and where it is the noisy picture."""
    data, settings = digits(), SMALL | {"n_components": 16, "n_epochs": 40}
    x, train = unit_floats(data.x_test), unit_floats(data.x_train)
    noisy = _noisy(x, 1)
    models = {
        "clean target": (DenoisingAutoencoder(noise_factor=0.3, **settings), train),
        "noisy target, as the slide's code": (Autoencoder(**settings), _noisy(train, 0)),
    }
    rows = {"original": x[:8], "damaged": noisy[:8]}
    with board(11.4, 3.6) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.1, 1))
        for (name, (model, shown)), colour in zip(models.items(), (BLUE, ORANGE)):
            with tempfile.TemporaryDirectory() as folder:
                model.fit(shown[:1350], run=Path(folder) / "run", validation=shown[1350:])
                records = read_metrics(Path(folder) / "run")
            splits = ("train", "-", "learnt from"), ("validation", "--", "held out")
            for split, line, words in splits:
                own = [r for r in records if r["split"] == split]
                values = [next(iter(r["values"].values())) for r in own]
                epochs = [r["epoch"] for r in own]
                right.plot(epochs, values, line, color=colour, label=f"{name}: {words}")
            sheet.keep({name: model}, data)
            out = np.clip(model.reconstruct(noisy), 0, 1)
            rows[name] = out[:8]
            reached, before, black = psnr(x, out), psnr(x, noisy), out[x == 0].mean()
            sheet.say(
                f"{name}: {reached:.2f} dB against the clean picture (the noisy one {before:.2f}); "
                f"black pixels come out as {black:.3f}"
            )
        strips(left, rows, "test digits")
        title = "the curves alone do not show which is wrong"
        titled(right, title, "epoch", "error, against its own target")
        right.set_yscale("log")
        right.legend(fontsize=8)
    return figure


def _jpeg(images: Array, quality: int) -> tuple[float, Array]:
    """Return the mean bytes of pictures as JPEG, and what comes back."""
    sizes, back = [], []
    for image in images:
        stream = io.BytesIO()
        Image.fromarray(np.asarray(image)).save(stream, "JPEG", quality=quality)
        sizes.append(stream.tell())
        back.append(np.asarray(Image.open(stream)) / 255)
    return float(np.mean(sizes)), np.array(back)


def compression(sheet: Sheet) -> Figure:
    """Draw decibels against bytes for codes and for JPEG, and distances in many dimensions."""
    train, test = clothes().x_train[:5000], clothes().x_test[:300]
    clean, settings = unit_floats(test), SMALL | {"hidden": (400,), "n_epochs": 3, "batch_size": 64}
    curves: dict[str, list[tuple[float, float]]] = {}
    for k in (4, 16, 64):
        deep, linear = Autoencoder(n_components=k, **settings), PCA(n_components=k)
        for name, model in (("autoencoder's code", deep), ("PCA's code", linear)):
            codes = np.asarray(model.fit(train).transform(test), np.float16).astype(np.float32)
            out = np.asarray(model.inverse_transform(codes)).reshape(clean.shape)
            point = 2.0 * k, float(psnr(clean, np.clip(out, 0, 1)))
            curves.setdefault(name, []).append(point)
    pairs = [_jpeg(test, quality) for quality in (1, 10, 30, 60, 90)]
    curves["JPEG, its header included"] = [(n, float(psnr(clean, back))) for n, back in pairs]
    with board(10.4, 3.6) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
        for (name, points), colour in zip(curves.items(), (BLUE, ORANGE, GREEN)):
            left.semilogx(*np.array(points).T, "o-", color=colour, label=name)
            sheet.say(f"{name}: " + ", ".join(f"{b:.0f} bytes {d:.1f} dB" for b, d in points))
        left.axvline(784, color=INK, linestyle=":")
        words = "bytes a picture; dotted: 784 as it is"
        titled(left, "28×28 pictures of clothes", words, "PSNR, dB")
        left.legend()
        sizes, draw, ratios = (1, 2, 5, 10, 30, 100, 300, 1000), np.random.default_rng(0), []
        for d in sizes:
            gaps = np.linalg.norm(draw.uniform(size=(399, d)) - draw.uniform(size=d), axis=1)
            ratios.append(gaps.min() / gaps.mean())
        right.semilogx(sizes, ratios, "o-", color=COLOURS[3])
        title = "the curse: in many dimensions all points are far"
        titled(right, title, "dimensions", "nearest / mean distance")
        right.set_ylim(0, 1)
    low, high = ratios[1], ratios[-1]
    sheet.say(
        f"nearest of 399 points: {low:.2f} of the mean distance in 2 dimensions, {high:.2f} in 1000"
    )
    return figure
