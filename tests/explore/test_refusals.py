"""What `latentia.explore` refuses, in whole sentences: every value in them is the given one."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from latentia.errors import InputError
from latentia.explore.animate import check_animation
from latentia.explore.attributes import attribute_direction, checked_labels, edit
from latentia.explore.blending import mix
from latentia.explore.codes import checked_codes, codes_of
from latentia.explore.coordinates import importance
from latentia.explore.interpolation import interpolate_codes, latent_path, lerp
from latentia.explore.labels import classes
from latentia.explore.latent_map import latent_plane, manifold, map_figure
from latentia.explore.pictures import read_pictures
from latentia.explore.pixel_classifiers import attribute_check
from latentia.explore.traversal import traverse
from latentia.models.linear.pca import PCA

PLANE = np.eye(7, 3)
HAS = np.array([0, 1, 1, 0, 0, 1, 0])
FEW = HAS[:5]
WORDS = np.array([f"w{n}" for n in range(60)])


def table(gan, pca, vae, faces):
    one = PCA(n_components=1).fit(faces)
    four = PCA(n_components=2).fit(np.random.default_rng(0).normal(size=(9, 4)))
    return {
        "there are 7 samples and labels of shape (5,); give (7,)": lambda: checked_labels(
            HAS[:5], 7
        ),
        "an attribute's labels are 0 or 1; these are 2, 3": lambda: checked_labels([2, 3, 2], 3),
        "all 3 labels are 1; a direction needs samples with the attribute and without it": lambda: (
            checked_labels([1, 1, 1], 3)
        ),
        "the codes have shape (7,); give finite (n, k) ones": lambda: attribute_direction(
            PLANE[:, 0], HAS
        ),
        "method is 'mean'; it is one of means, classifier; did you mean 'means'?": lambda: (
            attribute_direction(PLANE, HAS, method="mean")
        ),
        "the other directions have shape (1, 2); give finite (o, 3)": lambda: attribute_direction(
            PLANE, HAS, against=[[1, 0]]
        ),
        "the codes have shape (7, 3); give finite (n, k) ones": lambda: attribute_direction(
            np.where(PLANE == 1, np.nan, PLANE), HAS
        ),
        "the other directions have shape (1, 3); give finite (o, 3)": lambda: attribute_direction(
            PLANE, HAS, against=[[np.nan, 0, 0]]
        ),
        "there are 1 samples to blend; give at least 2": lambda: mix(PLANE[:1]),
        "the weights have shape (1, 3); give 7 finite numbers for 7 samples": lambda: mix(
            PLANE, [1, 2, 3]
        ),
        "the weights have shape (1, 7); give 7 finite numbers for 7 samples": lambda: mix(
            PLANE, [np.nan] * 7
        ),
        "the weights have shape (1, 7, 1); give 7 finite numbers for 7 samples": lambda: mix(
            PLANE, np.full((1, 7, 1), 1 / 7)
        ),
        "the weights sum to 1.5; weights of a mean sum to 1": lambda: mix(
            PLANE[:2], [[0.5, 0.5], [0.5, 1.0]]
        ),
        "DCGAN has no encoder; find codes with latentia.explore.invert": lambda: codes_of(
            gan, faces
        ),
        "the codes have shape (7, 2); PCA takes (n, 3), n at least 1": lambda: checked_codes(
            pca, PLANE[:, :2]
        ),
        "the codes have shape (1, 3); VAE takes (n, 3), n at least 2": lambda: checked_codes(
            vae, PLANE[:1], least=2
        ),
        "the codes have shape (7, 3, 1); PCA takes (n, 3), n at least 1": lambda: checked_codes(
            pca, PLANE[..., None]
        ),
        "code 5 holds NaN or infinity; codes are finite": lambda: checked_codes(
            pca, np.where(np.arange(7)[:, None] == 5, np.inf, PLANE)
        ),
        "VAE has an encoder: give data to measure its codes": lambda: importance(vae),
        "PCA has an encoder: give data to measure its codes": lambda: traverse(pca),
        "the ends have shapes (3,) and (2,); give two vectors of one length": lambda: lerp(
            PLANE[0], PLANE[0, :2], 0.5
        ),
        "the ends have shapes (1, 3) and (1, 3); give two vectors of one length": lambda: lerp(
            PLANE[:1], PLANE[1:2], 0.5
        ),
        "the anchors have shape (3,); give (M, k), M at least 2": lambda: latent_path(PLANE[0]),
        "the anchors have shape (1, 3); give (M, k), M at least 2": lambda: interpolate_codes(
            pca, PLANE[:1]
        ),
        "all labels of smile are 4; at least two values are needed": lambda: classes(
            "smile", np.array([4, 4]), np.array([4])
        ),
        "word has 60 different words; give at most 50": lambda: classes("word", WORDS, WORDS[:1]),
        "coordinate 4 is not one of the 3 latent components, which are numbered 0 to 2": lambda: (
            traverse(pca, faces, coordinates=[4])
        ),
        "the centre has shape (2,); give one code of 3 finite numbers": lambda: traverse(
            pca, faces, centre=[1, 2]
        ),
        "the centre has shape (3,); give one code of 3 finite numbers": lambda: traverse(
            pca, faces, centre=[1, np.inf, 2]
        ),
        "a map needs 2 latent components and this PCA has 1": lambda: latent_plane(one),
        "a map of 3 latent components without codes needs two coordinates to lie along": lambda: (
            latent_plane(gan)
        ),
        "the coordinates are [2, 2]; a map needs two different ones": lambda: latent_plane(
            gan, coordinates=(2, 2)
        ),
        "the coordinates are [0, 1, 0]; a map needs two different ones": lambda: latent_plane(
            gan, coordinates=(0, 1, 0)
        ),
        "PCA has no prior to draw from; give codes as well": lambda: manifold(
            pca, coordinates=(0, 1)
        ),
        "there are 7 codes and 5 labels; give one for each": lambda: map_figure(
            manifold(pca, PLANE, n_grid=2), PLANE, FEW
        ),
        "there are no labels of 'smil'; there are those of smile, hat"
        "; did you mean 'smile'?": lambda: attribute_check(
            pca, faces[:7], {"smile": HAS, "hat": HAS}, "smil", PLANE[0], None
        ),
        "there are no picture files; name at least one": lambda: read_pictures([], pca),
        "this PCA knows samples of shape (4,), and pictures are grey or RGB images": lambda: (
            read_pictures(["a.png"], four)
        ),
        "this SimpleNamespace knows samples of shape (5, 8, 8), and pictures are grey or RGB "
        "images": lambda: read_pictures(["a.png"], SimpleNamespace(data_shape_=(5, 8, 8))),
        "no/film.mov ends in '.mov'; a moving picture is .gif or .mp4": lambda: check_animation(
            Path("no/film.mov"), 10
        ),
        "the strengths are [[1]]; give finite numbers such as -1 0 1": lambda: edit(
            pca, faces[:2], PLANE[0], [[1]]
        ),
        "the strengths are [nan]; give finite numbers such as -1 0 1": lambda: edit(
            pca, faces[:2], PLANE[0], [np.nan]
        ),
        "the strengths are []; give finite numbers such as -1 0 1": lambda: edit(
            pca, faces[:2], PLANE[0], []
        ),
    }


def test_every_refusal_names_what_was_given(gan, pca, vae, faces):
    for sentence, asked in table(gan, pca, vae, faces).items():
        with pytest.raises(InputError) as refused:
            asked()
        assert str(refused.value) == sentence


@pytest.mark.parametrize("ends", [([1, 0], [0, np.inf]), ([np.nan, 0], [0, 1])])
def test_both_ends_of_a_path_are_finite(ends):
    with pytest.raises(InputError, match="an end of the path holds NaN or infinity"):
        lerp(*ends, 0.5)
