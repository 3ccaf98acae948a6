"""Clusters of digits that nobody labelled: codes of four models side by side, coloured by class.

    python examples/deep_clustering.py [digits | mnist | a path] [folder]

trains an autoencoder (k-means on its codes), and DEC, IDEC and VaDE from it; prints how the
clusters of the test images agree with their classes, and writes ``deep_clustering.png`` (codes by
t-SNE) and ``deep_clustering_samples.png`` (a row for each of VaDE's clusters). The trained models
lie in the folder, by default ``deep_clustering``, and are taken from there the next time.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.patheffects import withStroke
from sklearn.manifold import TSNE

from latentia import DEC, IDEC, AutoencoderKMeans, VaDE, load, load_data
from latentia.metrics.clustering import cluster_agreement
from latentia.plots.grids import save_png, tile
from latentia.plots.style import CLASS_COLOURS, new_figure, png_bytes, style

SHOWN = 1500
SMALL = 5_000


def trained(name, make, x, folder):
    """Return the model saved in the folder, or train and save it."""
    if not (folder / name).exists():
        print(f"training {name}")
        make().fit(x).save(folder / name)
    return load(folder / name)


def models(x, folder):
    """Yield the four models with their headings; all start from the first one's nets."""
    small = len(x) < SMALL
    own = {"hidden": (256, 512) if small else (500, 500, 2000), "random_state": 0}
    own["batch_size"] = 64 if small else 256
    n_first, n_epochs = (100, 40) if small else (30, 20)
    start = {"pretrained": str(folder / "autoencoder")} | own
    centres = {"first_centers": "mixture", "update_interval": 20 if small else 140}
    kinds = {
        "autoencoder": ("autoencoder, k-means", lambda: AutoencoderKMeans(n_epochs=n_first, **own)),
        "dec": ("DEC", lambda: DEC(n_epochs=n_epochs, **start, **centres)),
        "idec": ("IDEC", lambda: IDEC(n_epochs=n_epochs, **start, **centres)),
        "vade": ("VaDE", lambda: VaDE(n_epochs=n_epochs, **start)),
    }
    for name, (heading, make) in kinds.items():
        yield heading, trained(name, make, x, folder)


def main():
    """Train or load, print the agreement with the classes, write the two pictures."""
    data = load_data(sys.argv[1] if len(sys.argv) > 1 else "digits")
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else "deep_clustering")
    x, y = data.x_test[:SHOWN], data.y_test[:SHOWN]
    with style():
        figure = new_figure(12.8, 3.5)
        panels = figure.subplots(1, 4)
        for axes, (heading, model) in zip(panels, models(data.x_train, folder), strict=True):
            found = cluster_agreement(data.y_test, model.predict(data.x_test))
            numbers = "  ".join(f"{key} {value:.3f}" for key, value in found.items())
            print(f"{heading:<22} {numbers}")
            points = TSNE(random_state=0).fit_transform(model.transform(x).astype(np.float64))
            for value in np.unique(y):
                own = points[y == value]
                colour = CLASS_COLOURS[int(value) % len(CLASS_COLOURS)]
                axes.scatter(*own.T, s=4, color=colour, linewidths=0)
                name = axes.text(*np.median(own, axis=0), str(value), ha="center", va="center")
                name.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
            axes.set_title(f"{heading}: accuracy {found['cluster_accuracy']:.1%}")
            axes.set_xticks([])
            axes.set_yticks([])
    Path("deep_clustering.png").write_bytes(png_bytes(figure))
    rows = [model.sample(10, random_state=0, cluster=c) for c in range(model.n_clusters)]
    save_png(Path("deep_clustering_samples.png"), tile(np.concatenate(rows), n_columns=10))


if __name__ == "__main__":
    main()
