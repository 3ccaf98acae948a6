"""Walk in a straight line between two scanned digits through a VAE's latent space."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import latentia
from latentia.plots.grids import save_png, tile


def main() -> None:
    """Fit, encode two test images, decode ten points between them, save the strip."""
    data = latentia.load_data("digits")
    vae = latentia.VAE(
        n_components=10,
        hidden=(200,),
        observation="gaussian",
        noise_variance=0.04,
        n_epochs=40,
        batch_size=32,
        random_state=0,
    ).fit(data.x_train)
    start, end = vae.transform(data.x_test[:2])
    steps = np.linspace(0, 1, 10, dtype=np.float32)[:, None]
    strip = vae.inverse_transform((1 - steps) * start + steps * end)
    save_png(Path("between_two_digits.png"), tile(strip, n_columns=10))


if __name__ == "__main__":
    main()
