"""Image tagging by a conditional GAN: tags drawn given features of a picture, ranked and scored.

As Mirza and Osindero (2014, section 4.2) tag photographs: the generator sees features of a picture
and draws a vector of tags, and the mean of many draws ranks the tags. Here the pictures hold two
digits, and the tags say which ones, whether one is even or has a loop, which is larger, and so on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsRegressor

import latentia
from latentia.data.dataset import Dataset
from latentia.data.tagged_pairs import TAGS, TaggedPairs, tagged_pairs
from latentia.files import write_atomically
from latentia.metrics.tagging import tag_quality, tag_scores
from latentia.models.inputs import unit_floats
from latentia.plots.grids import tile
from latentia.plots.style import COLOURS, INK, new_figure, png_bytes, style

N_TEST, N_COMPONENTS, SHOWN = 1_000, 32, 12
LINE = 10.5
"""Height of a line of the figure's text in points."""

Table = NDArray[np.float64]


def features_of(kind: str, data: Dataset, train: TaggedPairs, test: TaggedPairs) -> list[Table]:
    """Return features of training and test pictures, learnt on training digits or pictures.

    ``pca`` are principal components of the pixels; ``classifier`` the penultimate layer of a net
    that learnt to tell single digits, for each half of a picture.
    """
    if kind == "pca":
        pca = latentia.PCA(n_components=N_COMPONENTS).fit(flat(train.pictures))
        return [pca.transform(flat(part.pictures)) for part in (train, test)]
    judge = latentia.ImageClassifier(title=data.name).fit(data.x_train, data.y_train)
    halves = [np.split(part.pictures, 2, axis=2) for part in (train, test)]
    return [np.concatenate([judge.transform(x) for x in pair], axis=1) for pair in halves]


def flat(pictures: NDArray[np.generic]) -> Table:
    """Return pictures as rows of floats."""
    return unit_floats(pictures).reshape(len(pictures), -1).astype(np.float64)


def baselines(x: Table, tags: NDArray[np.float32], x_test: Table) -> dict[str, Table]:
    """Return the scores of tags that simpler methods give test pictures."""
    scale = x.std(axis=0) + 1e-9
    logistic = MultiOutputClassifier(LogisticRegression(max_iter=500)).fit(x / scale, tags)
    true = [p[:, 1] for p in logistic.predict_proba(x_test / scale)]
    return {
        "how often a tag is true": np.tile(tags.mean(axis=0), (len(x_test), 1)),
        "logistic regression": np.stack(true, axis=1),
        "ten nearest neighbours": KNeighborsRegressor(10).fit(x, tags).predict(x_test),
    }


def draw(path: Path, test: TaggedPairs, scores: Table) -> None:
    """Save the first test pictures with the tags of most draws, and the true ones they missed."""
    with style():
        figure = new_figure(11, 5.6)
        title = "Tags that most draws hold, best first: ● true, ○ wrong; – true, and missed"
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        for axes, picture, truth, score in zip(
            figure.subplots(3, SHOWN // 3).flat, test.pictures, test.tags == 1, scores
        ):
            axes.imshow(tile(picture[None], 1))
            axes.set_axis_off()
            order = np.argsort(-score)
            given = [tag for tag in order if score[tag] > 0.5]
            marked = [("●" if truth[tag] else "○", tag) for tag in given]
            marked += [("–", tag) for tag in order if truth[tag] and tag not in given]
            for line, (mark, tag) in enumerate(marked):
                axes.annotate(
                    f"{mark} {TAGS[tag]}",
                    (1.04, 1),
                    (0, 16 - LINE * line),
                    xycoords="axes fraction",
                    textcoords="offset points",
                    size=7.5,
                    color=INK if mark == "●" else COLOURS[1],
                )
    write_atomically(path, png_bytes(figure))


def main(arguments: list[str] | None = None) -> None:
    """Fit the game and the baselines on pairs of digits, print their scores, save the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits", help="digits or mnist (default: digits)")
    parser.add_argument("--features", choices=("pca", "classifier"), default="pca")
    parser.add_argument("--n-pictures", type=int, default=8_000)
    parser.add_argument("--n-epochs", type=int, default=20)
    parser.add_argument("--n-draws", type=int, default=50, help="of the tags of each picture")
    parser.add_argument("--random-state", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("image_tags.png"))
    given = parser.parse_args(arguments)
    data = latentia.load_data(given.data)
    train = tagged_pairs(data.x_train, data.y_train, given.n_pictures, given.random_state)
    test = tagged_pairs(data.x_test, data.y_test, N_TEST, given.random_state + 1)
    x, x_test = features_of(given.features, data, train, test)
    model = latentia.ConditionalGAN(
        n_components=16,
        hidden=(128, 128),
        n_epochs=given.n_epochs,
        batch_size=64,
        r1_penalty=0.3,
        random_state=given.random_state,
    ).fit(train.tags, x)
    scores = {"conditional GAN": tag_scores(model, x_test, given.n_draws)}
    scores |= baselines(x, train.tags, x_test)
    for name, found in scores.items():
        print(f"{name:<24} {tag_quality(test.tags, found)}")
    draw(given.out, test, scores["conditional GAN"])
    print(f"tags of {SHOWN} pictures are in {given.out}")


if __name__ == "__main__":
    main()
