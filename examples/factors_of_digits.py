"""Ten factors of handwritten digits: three estimation methods, EM at work, and new digits.

    python examples/factors_of_digits.py [digits | mnist | a path]

writes ``factors_of_digits.png`` (loadings by method, and digits made of random factors) and
``factors_of_digits_em.png`` (the likelihood of EM and PX-EM, step by step).
"""

import sys
import warnings
from pathlib import Path

import numpy as np

from latentia import FactorAnalysis, load_data
from latentia.errors import FitWarning
from latentia.models.inputs import unit_floats
from latentia.plots.grids import rows, save_png
from latentia.plots.style import new_figure, png_bytes, style

METHODS = {
    "principal component": "principal_component",
    "principal factor": "principal_axis",
    "maximum likelihood": "ml",
}
K = 10


def as_images(loadings, shape):
    """Return (k, ...) pictures of loadings: grey is 0, black and white the largest."""
    images = loadings.T.reshape(-1, *shape)
    largest = np.abs(images).reshape(len(images), -1).max(axis=1)
    return 0.5 + 0.5 * images / largest.reshape(-1, *[1] * len(shape))


def main():
    """Fit, print what the methods reach, and write the two pictures."""
    data = load_data(sys.argv[1] if len(sys.argv) > 1 else "digits")
    x, shape = data.x_train, data.x_train.shape[1:]
    warnings.simplefilter("ignore", FitWarning)
    pictures = []
    for label, method in METHODS.items():
        model = FactorAnalysis(n_components=K, method=method).fit(x)
        print(f"{label:<20} log-likelihood {model.log_likelihood_:9.3f} nats per image,", end=" ")
        print(f"{-model.negative_squared_error(data.x_test):.3f} squared error of test images")
        pictures.append((label, as_images(model.loadings_, shape)))
    drawn = model.sample(K, random_state=0, noise=False)
    pictures += [("new digits, μ + Λz", drawn), ("training digits", unit_floats(x[:K]))]
    save_png(Path("factors_of_digits.png"), rows(pictures))

    with style():
        figure = new_figure(5.2, 3.6)
        axes = figure.subplots()
        for algorithm, label in (("em", "EM"), ("px_em", "PX-EM")):
            slow = FactorAnalysis(n_components=K, algorithm=algorithm, max_iter=300).fit(x)
            gap = model.log_likelihood_ - slow.log_likelihood_trace_[:300]
            axes.semilogy(np.arange(len(gap)), np.maximum(gap, 1e-9), label=label)
        axes.set_xlabel("step")
        axes.set_ylabel("nats per image below the maximum")
        axes.legend()
    Path("factors_of_digits_em.png").write_bytes(png_bytes(figure))


if __name__ == "__main__":
    main()
