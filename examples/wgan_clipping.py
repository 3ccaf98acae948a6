"""WGAN: the critic's distance falls while samples improve, and what the clipping range does."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import latentia
from latentia.plots.grids import tile
from latentia.plots.style import COLOURS, new_figure, png_bytes, style
from latentia.training.metrics_file import read_metrics

RANGES = (1e-4, 1e-2, 1e-1, 1.0)


def main(arguments: list[str] | None = None) -> None:
    """Train WGANs that differ in c alone, and WGAN-GP; draw distances and samples."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--n-epochs", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path("wgan_clipping.png"))
    given = parser.parse_args(arguments)
    data = latentia.load_data(given.data)
    shared = {"architecture": "mlp", "n_components": 16, "n_epochs": given.n_epochs}
    shared |= {"batch_size": 64, "random_state": 0}
    games = {
        f"WGAN, c = {c:g}": latentia.WGAN(clipping=c, learning_rate=5e-4, **shared) for c in RANGES
    }
    games["WGAN-GP"] = latentia.WGANGP(learning_rate=5e-4, **shared)
    with style():
        figure = new_figure(12.0, 4.8)
        curves, pictures = figure.subplots(2, len(games))
        for column, (name, model) in enumerate(games.items()):
            with tempfile.TemporaryDirectory() as folder:
                model.fit(data.x_train, run=Path(folder) / "run")
                records = read_metrics(Path(folder) / "run")
            train = [r for r in records if r["split"] == "train"]
            distance = [r["values"]["critic/distance"] for r in train]
            curves[column].plot([r["epoch"] for r in train], distance, color=COLOURS[0])
            curves[column].set_title(name)
            curves[column].set_xlabel("epoch")
            pictures[column].imshow(tile(model.sample(36, random_state=0), 6), cmap="gray")
            pictures[column].set_title(model.diagnosis_)
            pictures[column].axis("off")
            print(f"{name}: distance {distance[0]:.3g} to {distance[-1]:.3g}, {model.diagnosis_}")
        curves[0].set_ylabel("E f(x) − E f(G(z))")
        given.out.write_bytes(png_bytes(figure))
    print(f"the figure is {given.out}")


if __name__ == "__main__":
    main()
