"""Three kinds of noise, each taken away by a denoising autoencoder that has seen its like.

    python examples/denoising.py [--data fashion-mnist-small | mnist | a path] [--snr DECIBELS]

prints how far noisy and denoised test images are from the clean ones, and writes
``denoising.png``: for each kind of noise the noisy images and what the model makes of them.
"""

import argparse
from pathlib import Path

from latentia import DenoisingAutoencoder, load_data
from latentia.metrics.reconstruction import psnr
from latentia.models.inputs import unit_floats
from latentia.plots.grids import rows, save_png

KINDS = {
    "gaussian": "gaussian",
    "masking": "masking",
    "salt_and_pepper": "salt and pepper",
}
SHOWN = 12


def main():
    """Fit a model for each kind of noise, print what it reaches, write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="fashion-mnist-small", help="a name or a path")
    parser.add_argument("--snr", type=float, default=3.0, help="signal to noise in dB (default: 3)")
    parser.add_argument("--epochs", type=int, default=4, help="of each model (default: 4)")
    given = parser.parse_args()
    data = load_data(given.data)
    clean = unit_floats(data.x_test)
    pictures = [("original", clean[:SHOWN])]
    for kind, name in KINDS.items():
        model = DenoisingAutoencoder(
            noise=kind,
            snr=given.snr,
            architecture="mlp",
            hidden=(400,),
            n_components=64,
            learning_rate_schedule="cosine",
            n_epochs=given.epochs,
            batch_size=64,
            random_state=0,
        ).fit(data.x_train)
        noisy = model.add_noise(clean, random_state=0)
        denoised = model.reconstruct(noisy)
        print(f"{name:<16} level {model.noise_level_:.3f},", end=" ")
        print(f"PSNR {psnr(clean, noisy):.2f} dB noisy, {psnr(clean, denoised):.2f} dB denoised")
        pictures += [(f"{name} noise", noisy[:SHOWN]), ("denoised", denoised[:SHOWN])]
    save_png(Path("denoising.png"), rows(pictures))


if __name__ == "__main__":
    main()
