"""Pictures changed and made larger: faces, translation with and without pairs, super-resolution."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_sample_image

import latentia
from latentia import VAE, Bicubic, Pix2Pix
from latentia.data.arrays import labels_beside, read_labels
from latentia.data.made_pairs import outlines
from latentia.data.unpaired import load_unpaired
from latentia.errors import InputError
from latentia.explore.attributes import attribute_direction, edit
from latentia.explore.blending import blend, mix, shares_of_two
from latentia.metrics.super_resolution import luma_psnr, luma_ssim
from latentia.models.inputs import unit_floats
from latentia.plots.grids import tile
from latentia.plots.style import INK
from latentia.theory.figures import Sheet
from latentia.theory.figures.panels import BLUE, Array, bare, board, clothes, digits, strips, titled

SIDE, DIGIT, HAT, INKED = 32, 16, 7, 0.3
"""Pixels of the canvas and of a digit, the hat's height, and what counts as ink."""
RED = np.array([0.9, 0.1, 0.15])


def _faces(sheet: Sheet) -> tuple[Any, Array, Array]:
    """Return a data set of faces in grey, and the labels 'female' of its two parts."""
    path = str(sheet.data)
    data, labels = latentia.load_data(path), read_labels(path)
    if "female" not in labels:
        raise InputError(f"{path} has no array 'female': give faces with labels 0 and 1 of it")
    train, test = labels_beside(data, labels["female"], "female")
    grey = [
        unit_floats(x) @ np.array([0.299, 0.587, 0.114], np.float32)
        if x.shape[-1] == 3
        else unit_floats(x).mean(axis=1)
        if x.ndim == 4
        else unit_floats(x)
        for x in (data.x_train, data.x_test)
    ]
    return grey, np.asarray(train), np.asarray(test)


def _face_vae(x: Array) -> VAE:
    """Return a VAE of faces between their principal components."""
    nets = {"architecture": "principal", "n_components": 60, "hidden": (400,)}
    settings = {"observation": "gaussian", "noise_variance": 0.005, "batch_size": 64, "n_epochs": 6}
    return VAE(learning_rate_schedule="cosine", random_state=0, **nets, **settings).fit(x)


def male_and_female(sheet: Sheet) -> Figure:
    """Draw faces moved along the direction from male to female and back, and what it changes."""
    (x, x_test), train, test = _faces(sheet)
    model, strengths = _face_vae(x[:4000]), (-2, -1, 0, 1, 2)
    codes = model.transform(x[:4000])
    direction = attribute_direction(codes, train[:4000])
    judge = latentia.ImageClassifier(n_epochs=4, random_state=0).fit(x, train)
    right = (judge.predict(x_test) == test).mean()
    sheet.say(f"a judge of pixels tells {right:.0%} of test faces as they are labelled")
    sheet.say(f"as they are labelled, {test[:300].mean():.0%} of the 300 faces are female")
    edited = np.clip(edit(model, x_test[:300], direction, strengths), 0, 1)
    shares = []
    for j, strength in enumerate(strengths):
        female = judge.predict_proba(edited[:, j].astype(np.float32))[:, 1].mean()
        shares.append(female)
        sheet.say(f"strength {strength}: the judge sees {female:.0%} female")
    men, women = (np.flatnonzero(test[:300] == c)[:3] for c in (0, 1))
    rows = {
        f"{strength:+d}" if strength else "0": edited[[*men, *women], j]
        for j, strength in enumerate(strengths)
    }
    with board(8.4, 5.0) as figure:
        left, right_ = figure.subplots(1, 2, width_ratios=(1.5, 1))
        strips(
            left, {"face": x_test[[*men, *women]]} | rows, "along 'female': three men, three women"
        )
        right_.plot(strengths, shares, "o-", color=BLUE)
        titled(right_, "share judged female, 300 test faces", "strength")
        right_.set_ylim(-0.03, 1.03)
    return figure


def face_blending(sheet: Sheet) -> Figure:
    """Draw blends of two faces by their codes and by their pixels."""
    (x, x_test), _, _ = _faces(sheet)
    model, weights, rows = _face_vae(x[:4000]), shares_of_two(7), {}
    for i in range(3):
        pair = x_test[[4 * i, 4 * i + 1]]
        rows[f"{i + 1}: codes"] = np.clip(blend(model, pair, weights), 0, 1)
        rows[f"{i + 1}: pixels"] = mix(pair, weights)
        detail = [
            float(np.abs(np.diff(row[3], axis=1)).mean())
            for row in (rows[f"{i + 1}: codes"], rows[f"{i + 1}: pixels"])
        ]
        ends = float(np.abs(np.diff(rows[f"{i + 1}: codes"][[0, -1]], axis=2)).mean())
        sheet.say(
            f"pair {i + 1}: contrast of neighbours half way {detail[0] / ends:.2f} of the ends by "
            f"codes, {detail[1] / ends:.2f} by pixels"
        )
    with board(6.6, 5.4) as figure:
        strips(figure.subplots(), rows, "from one face to another: codes decoded, pixels averaged")
    return figure


def unpaired(sheet: Sheet) -> Figure:
    """Draw paired data beside unpaired, and a zoo CycleGAN's x, G(x), F(G(x)) both ways."""
    data, model = load_unpaired(f"{sheet.data}:smile"), latentia.load("zoo:cyclegan-smiles")
    sides = [unit_floats(data.x_test[np.asarray(data.y_test) == side][:100]) for side in (0, 1)]
    sheet.keep({"CycleGAN": model})
    there = [model.transform(sides[0]), model.inverse_transform(sides[1])]
    back = [model.inverse_transform(there[0]), model.transform(there[1])]
    x = unit_floats(clothes().x_test[[4, 7, 11, 15]])
    with board(12.6, 3.3) as figure:
        left, middle, *right = figure.subplots(1, 4, width_ratios=(0.72, 0.72, 1.2, 1.2))
        for axes, order, title in (
            (left, range(4), "paired: each has its own"),
            (middle, (2, 0, 3, 1), "unpaired: two heaps"),
        ):
            drawn = outlines(clothes().x_test[[4, 7, 11, 15]])
            for i, j in enumerate(order):
                axes.imshow(unit_floats(drawn)[i], extent=(0, 0.9, 4 - i, 4.9 - i), cmap="gray")
                axes.imshow(x[j], extent=(2, 2.9, 4 - i, 4.9 - i), cmap="gray")
                if axes is left:
                    ends = {"arrowstyle": "<->", "color": INK}
                    axes.annotate("", (1.95, 4.45 - i), (0.95, 4.45 - i), arrowprops=ends)
            axes.set(xlim=(-0.1, 3), ylim=(0.9, 5), title=title, aspect="equal")
            bare(axes)
        for axes, i, names in zip(
            right,
            (0, 1),
            (("neutral x", "G(x): smile", "F(G(x))"), ("smile y", "F(y): neutral", "G(F(y))")),
        ):
            shown = (np.clip(x[:4], 0, 1) for x in (sides[i], there[i], back[i]))
            strips(axes, dict(zip(names, shown)))
            error, moved = (float(np.abs(a - sides[i]).mean()) for a in (back[i], there[i]))
            sheet.say(f"{names[0]}: G changes {moved:.3f} a pixel, the way back leaves {error:.3f}")
    return figure


def edges_to_clothes(sheet: Sheet) -> Figure:
    """Draw clothes made of outlines by L1 alone and with the conditional GAN, beside the truth."""
    x, test = clothes().x_train[:800], clothes().x_test[:200]
    made: dict[str, Array] = {"outlines": unit_floats(outlines(test))}
    shared: dict[str, Any] = {"width": 16, "norm": "batch", "n_epochs": 5, "learning_rate": 1e-3}
    # So small a picture has no room to be shifted, nor so short a training for dropout.
    shared |= {"jitter": 0.0, "dropout": 0.0, "learning_rate_schedule": "linear", "random_state": 0}
    games = {
        "L1": Pix2Pix(objective="l1", **shared),
        "L1 + cGAN": Pix2Pix(l1_weight=20.0, **shared),
    }
    for name, model in games.items():
        made[name] = np.clip(model.fit(outlines(x), x).transform(outlines(test)), 0, 1)
        sheet.keep({name: model})
    made["truth"] = unit_floats(test)
    for name in games:
        error = np.abs(made[name] - made["truth"]).mean()
        contrast, own = (np.abs(np.diff(made[key], axis=2)).mean() for key in (name, "truth"))
        found = f"contrast of neighbours {contrast:.4f} (truth {own:.4f})"
        sheet.say(f"{name}: absolute error {error:.4f}, {found}")
    with board(9.4, 3.6) as figure:
        rows = {name: images[:12] for name, images in made.items()}
        strips(figure.subplots(), rows, "pictures made of outlines, test part")
    return figure


def _hatless(images: Array, seed: int) -> Array:
    """Return (n, SIDE, SIDE) canvases with each (8, 8) digit, doubled, at a random place."""
    draw = np.random.default_rng(seed)
    canvases = np.zeros((len(images), SIDE, SIDE), np.float32)
    for canvas, digit in zip(canvases, images, strict=True):
        top, left = draw.integers(HAT, SIDE - DIGIT + 1), draw.integers(0, SIDE - DIGIT + 1)
        canvas[top : top + DIGIT, left : left + DIGIT] = np.kron(digit, np.ones((2, 2)))
    return canvases


def _with_hats(canvases: Array) -> tuple[Array, Array]:
    """Return the canvases in colour with a hat on each digit, (n, 3, H, W), and where it is."""
    hats = np.zeros(canvases.shape, bool)
    for canvas, hat in zip(canvases, hats, strict=True):
        head = int(np.argmax((canvas > INKED).any(axis=1)))
        middle = int(np.median(np.flatnonzero((canvas[head : head + 2] > INKED).any(axis=0))))
        for step in range(HAT):
            row, reach = head - 1 - step, (HAT - step) // 2 + 1
            hat[row, max(0, middle - reach) : middle + reach + 1] = True
    pictures = np.repeat(canvases[:, None], 3, axis=1)
    return np.where(hats[:, None], RED[:, None, None], pictures).astype(np.float32), hats


def add_a_hat(sheet: Sheet) -> Figure:
    """Draw digits that a conditional GAN puts a hat on: input, output, target."""
    x, x_test = _hatless(digits().x_train[:500], seed=0), _hatless(digits().x_test, seed=1)
    y_test, hats = _with_hats(x_test)
    settings: dict[str, Any] = {"width": 16, "n_epochs": 6, "learning_rate": 1e-3}
    model = Pix2Pix(learning_rate_schedule="linear", random_state=0, **settings)
    output = model.fit(x, _with_hats(x)[0]).transform(x_test)
    sheet.keep({"pix2pix": model})
    found = (output[:, 0] - output[:, 1]) > (RED[0] - RED[1]) / 2
    overlap = (found & hats).sum((1, 2)) / (found | hats).sum((1, 2))
    kept = np.abs(output - y_test).mean(axis=1)[~hats].mean()
    sheet.say(
        f"hats overlap with where they belong by {overlap.mean():.0%} (intersection over union)"
    )
    sheet.say(f"the rest of the picture is off by {kept:.4f} of 1 on average")
    with board(9.6, 3.0) as figure:
        axes = figure.subplots()
        rows = [np.repeat(x_test[:10, None], 3, axis=1), np.clip(output[:10], 0, 1), y_test[:10]]
        tiles = tile(np.concatenate(rows), 10)
        axes.imshow(tiles)
        bare(axes)
        axes.set_yticks(len(tiles) * (np.arange(3) + 0.5) / 3, ["input", "output", "target"])
        axes.tick_params(length=0)
    return figure


def super_resolution(sheet: Sheet) -> Figure:
    """Draw a photograph four times enlarged by the zoo's models and by none, and the original."""
    photo = np.moveaxis(load_sample_image("flower.jpg")[140:332, 220:412], 2, 0)[None]
    models = {
        "bicubic": Bicubic(scale=4).fit(photo),
        "SRResNet": latentia.load("zoo:srresnet-x4"),
        "SRGAN": latentia.load("zoo:srgan-x4"),
    }
    sheet.keep(models)
    with board(11.6, 3.4) as figure:
        panels = figure.subplots(1, 4)
        for axes, (name, model) in zip(panels, models.items()):
            truth, out = model.beside_enlarged(photo)
            db, alike = (f(truth, out, 4) for f in (luma_psnr, luma_ssim))
            detail = np.abs(np.diff(out)).mean() / np.abs(np.diff(truth)).mean()
            axes.imshow(np.moveaxis(out[0], 0, 2), interpolation="nearest")
            axes.set_title(f"{name}: {db:.2f} dB, SSIM {alike:.4f}")
            sheet.say(
                f"{name}: PSNR {db:.2f} dB, SSIM {alike:.4f}, "
                f"contrast of neighbours {detail:.2f} of the original's"
            )
        panels[3].imshow(np.moveaxis(truth[0], 0, 2), interpolation="nearest")
        panels[3].set_title("original")
        for axes in panels:
            bare(axes)
    return figure
