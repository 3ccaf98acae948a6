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
from latentia.plots.style import INK
from latentia.theory.figures import Sheet
from latentia.theory.figures.panels import (
    BLUE,
    COLOURS,
    GREEN,
    ORANGE,
    PALE,
    Array,
    bare,
    board,
    clothes,
    digits,
    strips,
)
from latentia.training.metrics_file import read_metrics

SMALL: dict[str, Any] = {"hidden": (200,), "n_epochs": 30, "batch_size": 32, "random_state": 0}
KINDS = {"gaussian": "gaussian", "masking": "masking", "salt_and_pepper": "salt and pepper"}


def _cross_entropy(x: Array | float, y: Array | float) -> Array:
    return np.asarray(-(x * np.log(y) + (1 - x) * np.log(1 - y)))


def bce_against_rmse(sheet: Sheet) -> Figure:
    """Draw both losses over the prediction for three true pixels, their slopes, and what they teach."""
    y, data, rows = np.linspace(0.005, 0.995, 400), digits(), {}
    with board(12.4, 3.7) as figure:
        left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.1))
        for x, colour in ((0.1, BLUE), (0.5, GREEN), (0.7, ORANGE)):
            excess = _cross_entropy(x, y) - _cross_entropy(x, x)
            left.plot(y, excess, color=colour, label=f"true pixel {x}")
            left.plot(y, (y - x) ** 2, "--", color=colour)
            middle.plot(y, np.abs((y - x) / (y * (1 - y))), color=colour)
            middle.plot(y, np.abs(2 * (y - x)), "--", color=colour)
            low, high = (
                float(_cross_entropy(x, p) - _cross_entropy(x, x))
                for p in (max(x - 0.2, 0.01), x + 0.2)
            )
            sheet.say(
                f"true pixel {x}: BCE above its least {low:.3f} at {max(x - 0.2, 0.01):.2f}, {high:.3f} at {x + 0.2:.2f}; "
                f"least at {y[excess.argmin()]:.2f}, squared error at {y[((y - x) ** 2).argmin()]:.2f}"
            )
        left.set(
            xlabel="prediction",
            ylim=(0, 0.6),
            title="loss above its least: BCE; dashed: squared error",
        )
        middle.set(xlabel="prediction", ylim=(0, 8), title="|slope|: BCE is steep at the ends")
        left.legend(loc="upper center")
        rows["original"] = unit_floats(data.x_test[:8])
        for objective in ("bce", "rmse"):
            model = Autoencoder(n_components=8, objective=objective, **SMALL).fit(data.x_train)
            out = np.clip(model.reconstruct(data.x_test), 0, 1)
            rows[objective.upper()] = out[:8]
            sheet.say(
                f"trained by {objective.upper()}: squared error {((out - unit_floats(data.x_test)) ** 2).sum(axis=(1, 2)).mean():.2f}, "
                f"mean pixel {out.mean():.3f} (data {unit_floats(data.x_test).mean():.3f})"
            )
        strips(right, rows, "autoencoders trained by each")
    return figure


def learning_by_hand(sheet: Sheet) -> Figure:
    """Draw a 2-1-2 autoencoder's numbers: forward, loss, backward, one step, then fifty."""
    x, rate = np.array([0.8, 0.2]), 1.0
    w, v, b, c = np.array([0.3, -0.2]), np.array([0.5, -0.4]), 0.1, np.zeros(2)
    course = []
    for step in range(60):
        h = 1 / (1 + np.exp(-(w @ x + b)))
        out = 1 / (1 + np.exp(-(v * h + c)))
        loss = ((x - out) ** 2).sum()
        d_out = 2 * (out - x) * out * (1 - out)
        d_h = (d_out @ v) * h * (1 - h)
        if step in (0, 1):
            shown = (step, w.copy(), v.copy(), h, out, loss, d_h * x, d_out * h)
            course.append(shown)
            if step == 0:
                first = shown
            sheet.say(
                f"step {step}: code {h:.4f}, output {out[0]:.4f} and {out[1]:.4f}, loss {loss:.5f}"
            )
        w, b, v, c = w - rate * d_h * x, b - rate * d_h, v - rate * d_out * h, c - rate * d_out
        course.append(loss)
    losses = [value for value in course if isinstance(value, float)]
    sheet.say(f"loss {losses[0]:.5f} at first, {losses[-1]:.6f} after 60 steps")
    with board(10.6, 3.8) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.7, 1))
        _, w0, v0, h, out, loss, dw, dv = first
        nodes = {"x": [(0, 2), (0, 0)], "h": [(3, 1)], "out": [(6, 2), (6, 0)]}
        for i in range(2):
            for (p, q), weight, slope in (
                (((0, 2 - 2 * i), (3, 1)), w0[i], dw[i]),
                (((3, 1), (6, 2 - 2 * i)), v0[i], dv[i]),
            ):
                left.plot(*zip(p, q), color=PALE, zorder=0)
                left.text(
                    (p[0] + q[0]) / 2,
                    (p[1] + q[1]) / 2,
                    f"{weight:.2f}\nslope {slope:+.3f}",
                    ha="center",
                    va="center",
                    fontsize=8,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
                )
        values = {"x": x, "h": [h], "out": out}
        for name, places in nodes.items():
            for place, number in zip(places, values[name]):
                left.text(
                    *place,
                    f"{number:.3f}",
                    ha="center",
                    va="center",
                    bbox={"boxstyle": "circle,pad=0.35", "facecolor": "white", "edgecolor": BLUE},
                )
        for place, words in ((0, "input"), (3, "code (sigmoid)"), (6, "output (sigmoid)")):
            left.text(place, -0.95, words, ha="center")
        left.set(
            xlim=(-0.8, 6.8),
            ylim=(-1.2, 2.7),
            title=f"forward and backward, step 0: loss {loss:.4f}",
        )
        bare(left)
        right.semilogy(losses, color=BLUE)
        right.set(xlabel="step of gradient descent", title="squared error of the output")
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
        rows[name] = np.clip(
            np.concatenate([model.reconstruct(x[:7]), model.reconstruct(noise[:7])]), 0, 1
        )
        digit, random = (
            ((model.reconstruct(a) - a) ** 2).sum(axis=(1, 2)).mean()
            / ((a - a.mean(axis=0)) ** 2).sum(axis=(1, 2)).mean()
            for a in (x, noise)
        )
        sheet.say(f"{name}: loses {digit:.0%} of digits, {random:.0%} of noise")
    with board(9.8, 3.4) as figure:
        strips(figure.subplots(), rows, "seven digits and seven pictures of noise, reconstructed")
    return figure


def denoising(sheet: Sheet) -> Figure:
    """Draw three kinds of noise on pictures of clothes, and what denoising autoencoders make of them."""
    data = clothes()
    clean, rows = unit_floats(data.x_test[:500]), {}
    rows["original"] = clean[:12]
    for kind, name in KINDS.items():
        model = DenoisingAutoencoder(
            noise=kind,
            snr=3.0,
            architecture="mlp",
            hidden=(400,),
            n_components=64,
            n_epochs=3,
            learning_rate_schedule="cosine",
            batch_size=64,
            random_state=0,
        )
        noisy = model.fit(data.x_train[:6000]).add_noise(clean, random_state=0)
        denoised = np.clip(model.reconstruct(noisy), 0, 1)
        sheet.say(
            f"{name}: {psnr(clean, noisy):.2f} dB noisy, {psnr(clean, denoised):.2f} dB denoised; noise on {(noisy != clean).mean():.0%} of pixels"
        )
        rows |= {
            f"{name} noise": np.clip(noisy[:12], 0, 1),
            "denoised" + " " * len(rows): denoised[:12],
        }
    with board(9.6, 5.4) as figure:
        strips(
            figure.subplots(),
            {name.rstrip() + " " * i: row for i, (name, row) in enumerate(rows.items())},
            "test pictures: damaged, and denoised by a model for that noise",
        )
    return figure


def denoising_targets(sheet: Sheet) -> Figure:
    """Draw errors over the epochs where the target is clean, and where it is the noisy picture."""
    data, draw = digits(), np.random.default_rng(0)
    x = unit_floats(data.x_test)
    noisy_train, noisy = (
        np.clip(a + 0.3 * draw.standard_normal(a.shape), 0, 1).astype(np.float32)
        for a in (unit_floats(data.x_train), x)
    )
    models = {
        "clean target": DenoisingAutoencoder(
            n_components=16,
            noise="gaussian",
            noise_factor=0.3,
            hidden=(200,),
            batch_size=32,
            n_epochs=40,
            random_state=0,
        ),
        "noisy target, as the slide's code": Autoencoder(
            n_components=16, hidden=(200,), batch_size=32, n_epochs=40, random_state=0
        ),
    }
    rows = {"original": x[:8], "damaged": noisy[:8]}
    with board(11.4, 3.6) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.1, 1))
        for (name, model), shown, colour in zip(
            models.items(), (data.x_train, noisy_train), (BLUE, ORANGE)
        ):
            with tempfile.TemporaryDirectory() as folder:
                model.fit(shown, run=Path(folder) / "run")
                records = read_metrics(Path(folder) / "run")
            for split, style in (("train", "-"), ("validation", "--")):
                own = [r for r in records if r["split"] == split]
                key = (
                    next(
                        (
                            k
                            for k in ("reconstruction", "mse", *own[0]["values"])
                            if k in own[0]["values"]
                        ),
                        "",
                    )
                    if own
                    else ""
                )
                right.plot(
                    [r["epoch"] for r in own],
                    [r["values"][key] for r in own],
                    style,
                    color=colour,
                    label=f"{name}: {'learnt from' if split == 'train' else 'held out'}",
                )
            out = np.clip(model.reconstruct(noisy), 0, 1)
            rows[name] = out[:8]
            black = out[np.broadcast_to(x == 0, out.shape)].mean()
            sheet.say(
                f"{name}: {psnr(x, out):.2f} dB against the clean picture (the noisy picture itself {psnr(x, noisy):.2f}); "
                f"black pixels come out as {black:.3f}"
            )
        strips(left, rows, "test digits")
        right.set(
            xlabel="epoch",
            ylabel="error, against its own target",
            yscale="log",
            title="the curves alone do not show which is wrong",
        )
        right.legend(fontsize=8)
    return figure


def compression(sheet: Sheet) -> Figure:
    """Draw decibels against bytes for codes of an autoencoder and PCA and for JPEG, and distances."""
    data = clothes()
    train, test = data.x_train[:5000], data.x_test[:300]
    clean, curves = unit_floats(test), {}
    for k in (4, 16, 64):
        deep = Autoencoder(
            n_components=k, hidden=(400,), n_epochs=3, batch_size=64, random_state=0
        ).fit(train)
        linear = PCA(n_components=k).fit(train)
        for name, model in (("autoencoder's code", deep), ("PCA's code", linear)):
            codes = np.asarray(model.transform(test), np.float16).astype(np.float32)
            out = np.clip(np.asarray(model.inverse_transform(codes)).reshape(clean.shape), 0, 1)
            curves.setdefault(name, []).append((2 * k, float(psnr(clean, out))))
    for quality in (1, 10, 30, 60, 90):
        sizes, out = [], []
        for image in test:
            stream = io.BytesIO()
            Image.fromarray(np.asarray(image)).save(stream, "JPEG", quality=quality)
            sizes.append(stream.tell())
            out.append(np.asarray(Image.open(stream)) / 255)
        curves.setdefault("JPEG, its header included", []).append(
            (np.mean(sizes), float(psnr(clean, np.array(out))))
        )
    with board(10.4, 3.6) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
        for (name, points), colour in zip(curves.items(), (BLUE, ORANGE, GREEN)):
            left.semilogx(*np.array(points).T, "o-", color=colour, label=name)
            sheet.say(f"{name}: " + ", ".join(f"{b:.0f} bytes {d:.1f} dB" for b, d in points))
        left.axvline(784, color=INK, linestyle=":")
        left.set(
            xlabel="bytes a picture; dotted: 784 as it is",
            ylabel="PSNR, dB",
            title="28×28 pictures of clothes",
        )
        left.legend()
        dimensions, draw = (1, 2, 5, 10, 30, 100, 300, 1000), np.random.default_rng(0)
        ratios = []
        for d in dimensions:
            points = draw.uniform(size=(400, d))
            gaps = (
                np.linalg.norm(points[:1] - points[1:], axis=1)
                if d > 30
                else np.linalg.norm(points[0] - points[1:], axis=1)
            )
            ratios.append(gaps.min() / gaps.mean())
        right.semilogx(dimensions, ratios, "o-", color=COLOURS[3])
        right.set(
            xlabel="dimensions",
            ylabel="nearest / mean distance",
            ylim=(0, 1),
            title="the curse: in many dimensions all points are far",
        )
    sheet.say(
        f"nearest of 399 points: {ratios[1]:.2f} of the mean distance in 2 dimensions, {ratios[-1]:.2f} in 1000"
    )
    return figure
