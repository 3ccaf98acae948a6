"""Scanned digits as places: a map, a walk, the coordinates that matter, and a digit's neighbours.

    python examples/explore_digits.py

writes ``digits_map.png``, ``digits_walk.gif``, ``digits_traversal.png`` and
``digits_neighbours.png``. On the command line: ``latentia explore --help``.
"""

from pathlib import Path

import latentia
from latentia.explore.animate import there_and_back, write_animation
from latentia.explore.interpolation import interpolate
from latentia.explore.latent_map import manifold, map_figure
from latentia.explore.neighbours import nearest_neighbours, neighbours_figure
from latentia.explore.traversal import traversal_figure, traverse
from latentia.plots.style import png_bytes


def trained(x, n_components, n_epochs):
    """Return a VAE of digits."""
    vae = latentia.VAE(
        n_components=n_components,
        hidden=(200,),
        observation="gaussian",
        noise_variance=0.04,
        n_epochs=n_epochs,
        batch_size=32,
        random_state=0,
    )
    return vae.fit(x)


def main():
    """Train with two components for the map and with ten for the rest, and write the pictures."""
    data = latentia.load_data("digits")
    x, y, names = data.x_test, data.y_test, data.class_names

    flat = trained(data.x_train, 2, 60)
    codes = flat.transform(x)
    figure = map_figure(manifold(flat, codes, n_grid=10), codes, y, names)
    Path("digits_map.png").write_bytes(png_bytes(figure))

    vae = trained(data.x_train, 10, 40)
    walk = interpolate(vae, x[:3], n_steps=12, spherical=True)
    write_animation("digits_walk.gif", there_and_back(walk))

    walks = traverse(vae, x)
    worth = [f"z[{j}] {walks.importance.values[j]:.2f}" for j in walks.importance.order]
    print("KL in nats:", ", ".join(worth))
    Path("digits_traversal.png").write_bytes(png_bytes(traversal_figure(walks)))

    found = nearest_neighbours(vae, x[:4], data.x_train)
    figure = neighbours_figure(found, x[:4], data.x_train, y[:4], data.y_train, names)
    Path("digits_neighbours.png").write_bytes(png_bytes(figure))


if __name__ == "__main__":
    main()
