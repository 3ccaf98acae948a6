"""Digits on demand: a conditional VAE, each row a class, each column one hand (one z)."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import latentia
from latentia.plots.grids import save_png, tile

COLUMNS = 12


def main(arguments: list[str] | None = None) -> None:
    """Fit, decode the same twelve draws of z with every class, save the grid."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits", help="a labelled data set (default: digits)")
    parser.add_argument("--n-epochs", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path("conditional_digits.png"))
    given = parser.parse_args(arguments)
    data = latentia.load_data(given.data)
    small = len(data.x_train) < 5_000
    model = latentia.ConditionalVAE(
        n_components=8,
        hidden=(300,),
        **({"observation": "gaussian", "noise_variance": 0.04} if small else {}),
        n_epochs=given.n_epochs,
        batch_size=32 if small else 128,
        learning_rate_schedule="cosine",
        random_state=0,
    ).fit(data.x_train, data.y_train)
    z = np.random.default_rng(0).standard_normal((COLUMNS, 8)).astype(np.float32)
    rows = [model.inverse_transform(z, np.repeat(c, COLUMNS)) for c in model.classes_]
    save_png(given.out, tile(np.concatenate(rows), n_columns=COLUMNS))
    agreement = latentia.evaluate(model, data)["class_agreement"]
    print(f"{agreement:.0%} of samples are of the class asked for; the grid is {given.out}")


if __name__ == "__main__":
    main()
