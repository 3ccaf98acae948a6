"""DCGAN learns digits: the same latent rows after each of some epochs, and a final grid."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import latentia
from latentia.plots.grids import save_png, tile

STAGES = 6


def main(arguments: list[str] | None = None) -> None:
    """Train, put the first row of the epochs' pictures one below the other, and the samples."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--n-epochs", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path("dcgan_digits.png"))
    given = parser.parse_args(arguments)
    data = latentia.load_data(given.data)
    model = latentia.DCGAN(
        learning_rate=5e-4,
        beta_1=0.0,
        beta_2=0.99,
        discriminator_batch_norm=False,
        ema_decay=0.99,
        batch_size=64,
        n_epochs=given.n_epochs,
        random_state=0,
    )
    with tempfile.TemporaryDirectory() as folder:
        model.fit(data.x_train, run=Path(folder) / "run")
        pictures = sorted((Path(folder) / "run" / "samples").glob("*.png"))
        shown = np.unique(np.linspace(0, len(pictures) - 1, STAGES).astype(int))
        stages = [np.asarray(Image.open(pictures[index])) for index in shown]
    height = -(-stages[0].shape[0] // 8)
    learnt = np.concatenate([stage[:height] for stage in stages])
    save_png(given.out.with_stem(given.out.stem + "_epochs"), learnt)
    save_png(given.out, tile(model.sample(64, random_state=0), n_columns=16))
    print(f"the doctor says: {model.diagnosis_}; the grid is {given.out}")


if __name__ == "__main__":
    main()
