"""Make the README's picture from a finished comparison.

Usage: python scripts/make_readme_picture.py COMPARISON_FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import latentia
from latentia.evaluation.runs import data_of
from latentia.models.inputs import unit_floats
from latentia.plots.grids import rows, save_png

TARGET = Path(__file__).parents[1] / "docs/models.png"
N_COLUMNS = 14


def main() -> None:
    """Show what each model keeps of test images, and what the generators draw."""
    folder = Path(sys.argv[1])
    names = ("PCA", "DenoisingAutoencoder", "VAE", "DCGAN")
    models = {name: latentia.load(folder / name) for name in names}
    data = data_of(folder / "PCA", None, models["PCA"])
    x = unit_floats(np.asarray(data.x_test[:N_COLUMNS]))
    noise = np.random.default_rng(0).normal(size=x.shape)
    noisy = (x + 0.3 * noise).clip(0, 1).astype(np.float32)
    shown = [
        ("test images", x),
        ("PCA, 30 components", models["PCA"].reconstruct(x)),
        ("noisy", noisy),
        ("denoised", models["DenoisingAutoencoder"].reconstruct(noisy)),
        ("VAE", models["VAE"].reconstruct(x)),
        ("VAE samples", models["VAE"].sample(N_COLUMNS, random_state=1)),
        ("DCGAN samples", models["DCGAN"].sample(N_COLUMNS, random_state=1)),
    ]
    TARGET.parent.mkdir(exist_ok=True)
    save_png(TARGET, rows(shown))
    print(TARGET)


if __name__ == "__main__":
    main()
