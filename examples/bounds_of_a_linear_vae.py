"""How tight is a VAE's bound? On a linear VAE the likelihood is known: ELBO ≤ L_k ≤ log p(x)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import latentia
from latentia.files import write_atomically
from latentia.plots.style import COLOURS, new_figure, png_bytes, style

DRAWS = (1, 2, 5, 10, 50, 200, 1000)
EPOCHS = (5, 20, 100)


def main() -> None:
    """Fit for 5, 20 and 100 epochs, draw L_k against k beside the exact log-likelihood."""
    data = latentia.load_data("digits")
    x_train, x_test = (x.reshape(len(x), -1).astype(float) for x in (data.x_train, data.x_test))
    with style():
        figure = new_figure(5.6, 3.8)
        axes = figure.subplots()
        for colour, n_epochs in zip(COLOURS, EPOCHS):
            model = latentia.LinearVAE(n_components=10, n_epochs=n_epochs, random_state=0)
            model.fit(x_train)
            bounds = [model.score(x_test, n_importance=k) for k in DRAWS]
            exact = float(np.mean(model.exact_score_samples(x_test)))
            ends = f"ELBO {bounds[0]:.2f}, L_1000 {bounds[-1]:.2f}, exact {exact:.2f} nats"
            print(f"{n_epochs:>3} epochs: {ends}")
            axes.plot(DRAWS, bounds, marker="o", color=colour, label=f"{n_epochs} epochs")
            axes.axhline(exact, color=colour, linestyle=":")
        axes.set_xscale("log")
        axes.set_xlabel("draws k of the importance-weighted bound")
        axes.set_ylabel("nats an image, test")
        axes.set_title("ELBO (k = 1) and L_k; dotted: the exact log-likelihood")
        axes.legend()
    write_atomically(Path("bounds_of_a_linear_vae.png"), png_bytes(figure))


if __name__ == "__main__":
    main()
