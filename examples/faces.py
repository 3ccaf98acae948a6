"""Faces: adding a smile and taking it away, blending two, and a check that nothing else moves.

    python examples/faces.py FACES.npz [--attribute smile] [--images me.jpg friend.png]

FACES.npz holds ``images``, (n, H, W) or (n, H, W, 3) uint8, and 0/1 labels under names of their
own, such as ``smile``. Writes ``faces_attribute.png``, ``faces_detail.png`` (the same steps, with
what the model cannot reconstruct added back), ``faces_blend.png`` and ``faces.gif``.
"""

import argparse
from pathlib import Path

import numpy as np

import latentia
from latentia.data.arrays import labels_beside, read_labels
from latentia.explore.animate import mosaic, there_and_back, write_animation
from latentia.explore.attributes import attribute_direction, attribute_figure, edit
from latentia.explore.blending import blend_figure, shares_of_two
from latentia.explore.labels import classes
from latentia.explore.pictures import read_pictures
from latentia.explore.pixel_classifiers import PixelClassifiers, attribute_check
from latentia.plots.style import png_bytes

STRENGTHS = (-2, -1, 0, 1, 2)


def arguments():
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", help="a .npz of faces with labels")
    parser.add_argument("--attribute", help="default: the first label")
    parser.add_argument("--images", nargs="+", default=[], help="pictures of one's own")
    parser.add_argument("--n-epochs", type=int, default=16)
    return parser.parse_args()


def main():
    """Train, find the attribute's direction, edit, check, blend."""
    given = arguments()
    data = latentia.load_data(given.file)
    train, test = {}, {}
    for name, values in read_labels(given.file).items():
        for attribute, pair in (
            classes(name, *labels_beside(data, values, name)).attributes().items()
        ):
            train[attribute], test[attribute] = pair
    chosen = given.attribute or next(iter(train))

    vae = latentia.VAE(
        architecture="convolutional",
        channels=(32, 64, 128),
        hidden=(512,),
        n_components=100,
        observation="gaussian",
        noise_variance=0.005,
        n_epochs=given.n_epochs,
        batch_size=64,
        learning_rate_schedule="cosine",
        random_state=0,
    ).fit(data.x_train)

    codes = vae.transform(data.x_train)
    # Orthogonal to the others' classifiers, a step moves these attributes less: see the check.
    others = [attribute_direction(codes, y, "classifier") for k, y in train.items() if k != chosen]
    direction = attribute_direction(codes, train[chosen], "means", others or None)

    judges = PixelClassifiers(data.x_train, train)
    print(attribute_check(vae, data.x_test, test, chosen, direction, judges, STRENGTHS))

    x = read_pictures(given.images, vae) if given.images else data.x_test[:6]
    for name, residual in (("faces_attribute.png", False), ("faces_detail.png", True)):
        edited = edit(vae, x, direction, STRENGTHS, residual=residual)
        figure = attribute_figure(x, edited, STRENGTHS, chosen, residual=residual)
        Path(name).write_bytes(png_bytes(figure))
    film = edit(vae, x, direction, np.linspace(-2, 2, 25))
    write_animation("faces.gif", there_and_back(mosaic(film)))

    pair = x[:2] if len(x) > 1 else np.concatenate([x, data.x_test[:1]])
    figure = blend_figure(vae, pair, weights=shares_of_two(7))
    Path("faces_blend.png").write_bytes(png_bytes(figure))


if __name__ == "__main__":
    main()
