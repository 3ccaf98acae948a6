"""The value function while a GAN plays: both players' losses, the probabilities, the samples."""

from __future__ import annotations

import argparse
import tempfile
from math import log
from pathlib import Path

import latentia
from latentia.plots.grids import tile
from latentia.plots.style import COLOURS, new_figure, png_bytes, style
from latentia.training.metrics_file import read_metrics


def main(arguments: list[str] | None = None) -> None:
    """Train on digits, draw the two curves beside D(x) and D(G(z)), and what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--n-epochs", type=int, default=100)
    parser.add_argument("--objective", choices=("non_saturating", "minimax"), default=None)
    parser.add_argument("--out", type=Path, default=Path("gan_losses.png"))
    given = parser.parse_args(arguments)
    data = latentia.load_data(given.data)
    objectives = [given.objective] if given.objective else ["non_saturating", "minimax"]
    with style():
        figure = new_figure(11.0, 3.4 * len(objectives))
        axes = figure.subplots(len(objectives), 3, squeeze=False)
        for row, objective in zip(axes, objectives, strict=True):
            model, records = played(data, objective, given.n_epochs)
            draw(row, objective, records)
            row[2].imshow(tile(model.sample(36, random_state=0), n_columns=9), cmap="gray")
            row[2].set_title(f"36 samples; the doctor says: {model.diagnosis_}")
            row[2].axis("off")
        given.out.write_bytes(png_bytes(figure))
    print(f"the figure is {given.out}")


def played(data, objective, n_epochs):
    """Return a GAN after its game, and the means of each epoch."""
    with tempfile.TemporaryDirectory() as folder:
        model = latentia.GAN(
            objective=objective,
            n_components=16,
            learning_rate=1e-3,
            batch_size=64,
            n_epochs=n_epochs,
            random_state=0,
        ).fit(data.x_train, run=Path(folder) / "run")
        return model, [r for r in read_metrics(Path(folder) / "run") if r["split"] == "train"]


def draw(axes, objective, records):
    """Draw the losses and the probabilities of one game."""
    epochs = [record["epoch"] for record in records]
    curves = {name: [r["values"][name] for r in records] for name in records[0]["values"]}
    names = ("discriminator", "generator")
    for colour, name in zip(COLOURS, names):
        axes[0].plot(epochs, curves[name], color=colour, label=f"{name}'s loss")
    equilibrium = {"non_saturating": (log(4), log(2)), "minimax": (log(4), -log(2))}[objective]
    for colour, value in zip(COLOURS, equilibrium):
        axes[0].axhline(value, color=colour, linestyle=":", linewidth=1)
    axes[0].set_title(f"{objective.replace('_', '-')}: losses; dotted, where D = ½")
    for colour, name, label in zip(COLOURS, ("real", "fake"), ("D(x)", "D(G(z))")):
        axes[1].plot(epochs, curves[f"discriminator/{name}_probability"], color=colour, label=label)
    axes[1].set_ylim(0, 1)
    axes[1].set_title("mean probability of being real")
    for each in axes[:2]:
        each.set_xlabel("epoch")
        each.legend()


if __name__ == "__main__":
    main()
