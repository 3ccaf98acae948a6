"""Two numbers for each image: by principal component analysis and by a deep autoencoder.

    python examples/pca_against_autoencoder.py [--data digits | mnist | a path] [--epochs N]

prints both models' error and how well their codes tell the classes apart, and writes
``pca_against_autoencoder.png``, as Hinton and Salakhutdinov (Science 2006, figure 3) showed it.
On MNIST the nets are theirs, 784-1000-500-250-2.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.patheffects import withStroke

from latentia import PCA, Autoencoder, load_data
from latentia.metrics.neighbours import code_accuracy
from latentia.plots.style import CLASS_COLOURS, INK, new_figure, png_bytes, style

SHOWN = 500
"""Codes of each class in the picture, as many of training images and of test images."""
LARGE = 5_000
"""From so many training images on, the paper's nets."""


def fit(data, n_epochs):
    """Return PCA and the deep autoencoder, both with two components."""
    large = len(data.x_train) >= LARGE
    deep = Autoencoder(
        n_components=2,
        hidden=(1000, 500, 250) if large else (256, 128, 64),
        activation="tanh",
        learning_rate_schedule="cosine",
        n_epochs=n_epochs or (10 if large else 50),
        batch_size=128 if large else 32,
        random_state=0,
    )
    return {"PCA": PCA(n_components=2).fit(data.x_train), "autoencoder": deep.fit(data.x_train)}


def draw(axes, codes, labels, names, title):
    """Draw training codes faintly and test codes upon them, coloured and named by class."""
    size = 9 if len(codes[1]) < 1_000 else 2.5
    for index, value in enumerate(np.unique(labels[1])):
        colour = CLASS_COLOURS[index % len(CLASS_COLOURS)]
        for Z, own, opacity in zip(codes, labels, (0.22, 1)):
            shown = Z[own == value][:SHOWN]
            axes.scatter(*shown.T, s=size, color=colour, alpha=opacity, linewidths=0)
        name = names[int(value)]
        text = axes.text(*np.median(shown, axis=0), name, ha="center", va="center", color=INK)
        text.set_fontsize(13 if len(name) < 3 else 8)
        text.set_path_effects([withStroke(linewidth=3, foreground="white")])
    axes.set(xlabel="z₁", ylabel="z₂", title=title)
    axes.set_box_aspect(1)


def main():
    """Fit both, print what they reach on test images, write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="digits", help="a name or a path (default: digits)")
    parser.add_argument("--epochs", type=int, help="of the autoencoder (default: 50; 10 if large)")
    given = parser.parse_args()
    data = load_data(given.data)
    if data.y_train is None or data.y_test is None:
        parser.error(f"{given.data} has no labels")
    with style():
        figure = new_figure(9.2, 5.1)
        panels = figure.subplots(1, 2)
    for axes, (name, model) in zip(panels, fit(data, given.epochs).items()):
        codes = model.transform(data.x_train), model.transform(data.x_test)
        labels = data.y_train, data.y_test
        accuracy = code_accuracy(codes[0], labels[0], codes[1], labels[1])
        error = -model.score(data.x_test)
        words = f"5-NN accuracy {accuracy:.1%}, squared error {error:.2f}"
        print(f"{name:<12} {words}")
        with style():
            names = data.class_names or list(map(str, range(int(labels[1].max()) + 1)))
            draw(axes, codes, labels, names, f"{name}: {words}")
    figure.supxlabel("pale: training images; strong: test images", fontsize=8, color=INK)
    Path("pca_against_autoencoder.png").write_bytes(png_bytes(figure))


if __name__ == "__main__":
    main()
