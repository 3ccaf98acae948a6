"""What a convolutional net is made of: tables of the slides, filters, maps, fractional strides."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_sample_image
from torch import nn

import latentia
from latentia.models.inputs import unit_floats
from latentia.plots.features import kernel_figure, sizes_figure
from latentia.plots.style import INK
from latentia.theory.convolution import KERNELS, filtered, output_size, pooled
from latentia.theory.figures import Sheet
from latentia.theory.figures.panels import (
    BLUE,
    ORANGE,
    Array,
    bare,
    board,
    clothes,
    digits,
    heat,
    numbers,
    show,
    window,
)
from latentia.theory.filters import feature_maps, first_filters

SLIDE = np.array(
    [
        [60, 113, 56, 139, 85],
        [73, 121, 54, 84, 128],
        [131, 99, 70, 129, 127],
        [80, 57, 115, 69, 134],
        [104, 126, 123, 95, 130],
    ]
)
"""The slide's picture of 5×5 pixels."""
POOLED = np.array([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])
SIZES = [(5, 3, 1, 0), (5, 3, 1, 1), (5, 3, 2, 1), (6, 2, 2, 0)]
"""Side, kernel, stride and padding of the figure of sizes; the last is how pooling walks."""
PICTURES = 12, 0, 9, 6, 10, 15, 1, 2, 23, 17
"""Test pictures, one of each class."""


def padding_table(sheet: Sheet) -> Figure:
    """Draw the slide's own table under its sharpening kernel: nine products and their sum."""
    padded, kernel = np.pad(SLIDE, 1), KERNELS["sharpen"]
    result = filtered(SLIDE[None].astype(float), kernel)[0]
    small = result[1:-1, 1:-1]
    row, column = divmod(sheet.moving("place of the window", tuple(range(1, 26)), 6) - 1, 5)
    patch = padded[row : row + 3, column : column + 3]
    inside = [(row - 1, column - 1)] if {row, column} <= {1, 2, 3} else []
    with board(12.4, 3.9) as figure:
        one, two, three, four = figure.subplots(1, 4, width_ratios=(7, 3, 5, 3))
        rim = [(i, j) for i in range(7) for j in range(7) if i in (0, 6) or j in (0, 6)]
        numbers(one, padded, "5×5 picture, padded with zeros to 7×7", rim)
        window(one, row, column, 3)
        numbers(two, kernel, "3×3 kernel")
        numbers(three, result, "result, 5×5 as before", [(row, column)])
        numbers(four, small, "without padding: 3×3", inside)
        products = " + ".join(f"{w:g}·{v}" for w, v in zip(kernel.ravel(), patch.ravel()) if w)
        figure.supxlabel(
            f"{products} = {result[row, column]:.0f}".replace("+ -", "− "), fontsize=10
        )
    sheet.say(
        "rows of the result: " + " / ".join(" ".join(f"{v:.0f}" for v in row) for row in result)
    )
    return figure


KINDS: tuple[Literal["max", "mean"], ...] = ("max", "mean")


def pooling_table(sheet: Sheet) -> Figure:
    """Draw the slide's 4×4 table under max and mean pooling, and a picture under both, twice."""
    picture = unit_floats(clothes().x_test[sheet.moving("test picture", PICTURES, 8)])
    with board(11, 5.4) as figure:
        halves: Any = figure.subfigures(2, 1)
        top, bottom = halves
        one, two, three = top.subplots(1, 3, width_ratios=(4, 2, 2))
        numbers(one, POOLED, "4×4", [(1, 1), (1, 3), (2, 0), (3, 3)])
        for row, column in np.ndindex(2, 2):
            window(one, 2 * row, 2 * column, 2)
        for axes, kind in zip((two, three), KINDS):
            found = pooled(POOLED[None].astype(float), 2, kind)[0]
            numbers(axes, found, f"{kind} of 2×2")
            sheet.say(f"{kind}: " + " / ".join(" ".join(f"{v:g}" for v in row) for row in found))
        panels = bottom.subplots(1, 5)
        show(panels[0], picture, title="28×28")
        for first, kind in zip((1, 3), KINDS):
            once = pooled(picture[None], 2, kind)
            show(panels[first], once[0], title=f"{kind}: 14×14")
            show(panels[first + 1], pooled(once, 2, kind)[0], title=f"{kind}: 7×7")
    return figure


@cache
def _judge() -> latentia.ImageClassifier:
    """Return a small classifier of clothes."""
    data = clothes()
    net = latentia.ImageClassifier(channels=(16, 32, 64), n_epochs=2)
    return net.fit(data.x_train[:6000], data.y_train[:6000])


def _filters(grey: Array, kernels: Mapping[str, Array], title: str) -> Figure:
    results = [filtered(grey[None], kernel) for kernel in kernels.values()]
    return kernel_figure(list(kernels.values()), np.concatenate(results), list(kernels), title)


def filters_by_hand(sheet: Sheet) -> Figure:
    """Draw a picture under seven filters that are made by hand."""
    picture = unit_floats(clothes().x_test[sheet.moving("test picture", PICTURES, 8)])
    for name, kernel in KERNELS.items():
        sheet.say(f"{name}: the weights add up to {np.sum(kernel):.2g}")
    return _filters(picture, KERNELS, "Filters made by hand: orange adds, blue takes away")


def learnt_filters(sheet: Sheet) -> Figure:
    """Draw the filters of a classifier's first layer, and what each makes of a picture."""
    picture = unit_floats(clothes().x_test[sheet.moving("test picture", PICTURES, 8)])
    right = (_judge().predict(clothes().x_test) == clothes().y_test).mean()
    sheet.say(f"the classifier is right on {right:.1%} of {len(clothes().x_test)} test images")
    learnt = first_filters(_judge().features_).mean(axis=1)
    title = "Filters that the first layer learnt, and what each makes of the picture"
    return _filters(picture, {str(i): k for i, k in enumerate(learnt, start=1)}, title)


def sizes_of_maps(sheet: Sheet) -> Figure:
    """Draw four cases of side, kernel, stride and padding, and the size of the result."""
    for case in SIZES:
        side, kernel, stride, padding = case
        sheet.say(
            f"side {side}, kernel {kernel}, stride {stride}, padding {padding}: "
            f"{output_size(*case)}"
        )
    return sizes_figure([(*case, output_size(*case)) for case in SIZES])


def layers_of_a_cnn(sheet: Sheet) -> Figure:
    """Draw a picture's maps in each layer, the flattened row, and ten scores."""
    picture, judge, names = (
        unit_floats(clothes().x_test[sheet.moving("test picture", PICTURES, 8)]),
        _judge(),
        clothes().class_names,
    )
    layers = [(f.name, f.maps[0]) for f in feature_maps(judge.features_, picture[None])]
    features = judge.transform(picture[None])[0]
    shares = judge.predict_proba(picture[None])[0]
    with board(12.4, 3.9) as figure:
        panels = figure.subplots(
            1, len(layers) + 3, width_ratios=[1.1] + [1] * len(layers) + [0.32, 1.3]
        )
        show(panels[0], picture, title="28×28")
        for axes, (name, maps) in zip(panels[1:], layers):
            scaled = maps[:16] / max(float(maps.max()), 1e-9)
            show(axes, scaled, 4, f"{len(maps)} maps of\n{maps.shape[1]}×{maps.shape[2]}")
            sheet.say(f"{name}: {len(maps)} maps of {maps.shape[1]}×{maps.shape[2]}")
        panels[-2].imshow(features[:, None], aspect="auto", cmap="gray")
        panels[-2].set_title(f"flat:\n{len(features)}")
        bare(panels[-2])
        panels[-1].barh(
            range(len(shares)),
            shares,
            color=[ORANGE if s == shares.max() else BLUE for s in shares],
        )
        panels[-1].set_yticks(range(len(shares)), names, fontsize=7.5)
        panels[-1].set(xlim=(0, 1.02), ylim=(9.6, -0.6), title="classes: probability")
    sheet.say(f"the answer: {names[int(shares.argmax())]}, {shares.max():.1%}")
    return figure


def fractional_convolution(sheet: Sheet) -> Figure:
    """Draw zeros between the pixels, a window that walks over them, and a larger output."""
    x, kernel = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]), np.outer([1, 2, 1], [1, 2, 1]) / 4.0
    spread = np.zeros((7, 7))
    spread[1:6:2, 1:6:2] = x
    result = filtered(spread[None], kernel)[0][1:6, 1:6]
    row, column = divmod(sheet.moving("place of the window", tuple(range(1, 26)), 12) - 1, 5)
    layer = nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(kernel)[None, None])
        ours = layer(torch.tensor(x, dtype=torch.float32)[None, None])[0, 0].numpy()
    with board(12.4, 6.6) as figure:
        halves: Any = figure.subfigures(2, 1, height_ratios=(1.1, 1))
        top, bottom = halves
        one, two, three, four = top.subplots(1, 4, width_ratios=(3, 7, 3, 5))
        numbers(one, x, "3×3 map")
        numbers(
            two, spread, "zeros between: stride ½", [(i, j) for i in (1, 3, 5) for j in (1, 3, 5)]
        )
        window(two, row, column, 3)
        numbers(three, kernel, "3×3 kernel")
        numbers(four, result, "5×5 map", [(row, column)])
        sheet.say(
            f"differs from torch's ConvTranspose2d by at most {np.abs(result - ours).max():.1e}"
        )
        panels = bottom.subplots(1, 4)
        for axes, (size, stride) in zip(panels, ((3, 2), (4, 2), (5, 3), (6, 3))):
            cover = nn.ConvTranspose2d(1, 1, size, stride=stride, bias=False)
            nn.init.constant_(cover.weight, 1)
            with torch.no_grad():
                reach = cover(torch.ones(1, 1, 9, 9))[0, 0].numpy()[8:15, 8:15]
            most = [(i, j) for i, j in np.argwhere(reach == reach.max())] if np.ptp(reach) else []
            numbers(axes, reach, f"kernel {size}, stride {stride}", most)
            axes.set_xlabel("checkerboard" if np.ptp(reach) else "even")
            sheet.say(
                f"kernel {size}, stride {stride}: "
                f"a pixel is written {reach.min():.0f} to {reach.max():.0f} times"
            )
        bottom.suptitle("how often each output pixel is written", fontsize=9.5)
    return figure


def shared_weights(sheet: Sheet) -> Figure:
    """Draw weights of a dense and of a convolutional layer, and a map that moves along."""
    sides = np.array([8, 16, 28, 64, 128, 224])
    dense, conv = 16.0 * sides**4, np.full(len(sides), 16 * 9)
    picture = np.zeros((28, 28))
    picture[4:20, 2:18] = np.kron(unit_floats(digits().x_train[0]), np.ones((2, 2)))
    moved = np.roll(picture, (6, 8), axis=(0, 1))
    edges = [filtered(p[None], KERNELS["Sobel x"])[0] for p in (picture, moved)]
    with board(11.6, 3.4) as figure:
        left, *others = figure.subplots(1, 5, width_ratios=(1.7, 1, 1, 1, 1))
        left.loglog(sides, dense, "s-", color=ORANGE, label="dense, to 16 maps")
        left.loglog(sides, conv, "o-", color=BLUE, label="convolution, 16 filters of 3×3")
        left.set(
            xlabel="side of the picture in pixels", ylabel="weights", title="shared weights are few"
        )
        left.set_xticks(sides, [str(s) for s in sides])
        left.minorticks_off()
        left.legend(fontsize=8)
        for axes, image, title in ((others[0], picture, "picture"), (others[2], moved, "moved")):
            show(axes, image, title=title)
        for axes, image in ((others[1], edges[0]), (others[3], edges[1])):
            heat(axes, image, float(np.abs(image).max()), "its map")
    moved_map = np.roll(edges[0], (6, 8), axis=(0, 1))
    sheet.say(f"28×28: {dense[2]:,.0f} weights against {conv[2]}")
    sheet.say(
        f"map of the moved picture and moved map differ by {np.abs(moved_map - edges[1]).max():.1e}"
    )
    return figure


def tensor(sheet: Sheet) -> Figure:
    """Draw scalar, vector, matrix, and a colour picture as height × width × colour."""
    photo = load_sample_image("flower.jpg")[60:380:2, 180:500:2]
    block = photo[80:84, 60:64]
    with board(12.4, 3.8) as figure:
        panels = figure.subplots(1, 7, width_ratios=(0.55, 0.55, 2, 3, 2, 2, 2))
        numbers(panels[0], np.array([[block[0, 0, 0]]]), "scalar\n()")
        numbers(panels[1], block[:, :1, 0], f"vector\n{block[:, 0, 0].shape}")
        numbers(panels[2], block[:, :, 0], f"matrix\n{block[:, :, 0].shape}")
        panels[3].imshow(photo)
        panels[3].set_title(f"colour picture\n{photo.shape}: height, width, colour")
        bare(panels[3])
        window(panels[3], 77, 57, 10, INK)
        for k, (axes, name) in enumerate(zip(panels[4:], ("red", "green", "blue"))):
            numbers(axes, block[:, :, k], f"{name}\n[80:84, 60:64, {k}]")
    near = np.abs(np.diff(photo.astype(float), axis=1)).mean()
    draw = np.random.default_rng(0)
    far = np.abs(
        photo.astype(float) - draw.permutation(photo.reshape(-1, 3)).reshape(photo.shape)
    ).mean()
    sheet.say(f"a batch of 32 such pictures is a tensor of 4 axes, {(32, *photo.shape)}")
    sheet.say(f"neighbouring pixels differ by {near:.1f} of 255, any two by {far:.1f}")
    return figure
