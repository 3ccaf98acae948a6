"""What metrics refuse, each in its whole sentence: every value in it is the given one."""

import numpy as np
import pytest

from latentia.errors import InputError
from latentia.metrics.clustering import cluster_accuracy
from latentia.metrics.frechet import frechet_distance
from latentia.metrics.modes import mode_coverage, stacked_mode_coverage
from latentia.metrics.neighbours import nearest_training
from latentia.metrics.parzen import log_densities, parzen_log_likelihood
from latentia.metrics.precision_recall import precision_recall
from latentia.metrics.reconstruction import squared_error
from latentia.metrics.structural_similarity import ssim
from latentia.metrics.super_resolution import luma_lattice, luma_psnr, luma_ssim
from latentia.metrics.tagging import mean_rank


def of_metrics():
    rows, images = np.zeros((5, 3)), np.zeros((4, 8, 9))
    bad = np.where(np.arange(15).reshape(5, 3) == 7, np.nan, 0.0)
    counts = np.array([[0, 1], [7, 2]])
    truth, scores = np.eye(3), np.zeros((3, 2))
    return {
        "classes have shape (3,) and clusters (2,); give one of each for every sample": lambda: (
            cluster_accuracy([1, 2, 3], [1, 2])
        ),
        "samples have shape (5,); give at least 1 rows of values": lambda: mode_coverage(
            np.zeros(5), rows, 1.0
        ),
        "centres hold NaN or infinity; remove those rows": lambda: mode_coverage(rows, bad, 1.0),
        "test data have shape (1, 3); give at least 2 rows of values": lambda: (
            parzen_log_likelihood(rows, rows, rows[:1])
        ),
        "validation data hold NaN or infinity; remove those rows": lambda: parzen_log_likelihood(
            rows, bad, rows
        ),
        "real features hold NaN or infinity; remove those rows": lambda: precision_recall(
            bad, rows
        ),
        "drawn features hold NaN or infinity; remove those rows": lambda: precision_recall(
            rows, bad
        ),
        "k is 4; it must be at least 1 and less than the 4 samples of the smaller set": lambda: (
            precision_recall(rows, rows[:4], 4)
        ),
        "samples of 3 values cannot be compared with samples of 2": lambda: precision_recall(
            rows, rows[:, :2], 1
        ),
        "a Fréchet distance needs two sets of at least two rows with as many features each, not "
        "(5, 3) and (5, 2)": lambda: frechet_distance(rows, rows[:, :2]),
        "standard_deviation is 0; it must be greater than 0": lambda: mode_coverage(rows, rows, 0),
        "digits are float64 of shape (5, 3); give (n, channels)": lambda: stacked_mode_coverage(
            rows
        ),
        "digits go from 0 to 7; give 0 to 4": lambda: stacked_mode_coverage(counts, 5),
        "bandwidths are (0.5, 0.0); give numbers greater than 0": lambda: log_densities(
            rows, rows, (0.5, 0.0)
        ),
        "samples (5, 3) cannot be compared with (5, 2); give some of each, of one shape": lambda: (
            nearest_training(rows[:, :2], rows)
        ),
        "data have shape (5, 3) and their reconstruction (5, 2); give one shape": lambda: (
            squared_error(rows, rows[:, :2])
        ),
        "images of shapes (4, 8, 9) and (4, 8, 8) cannot be compared": lambda: ssim(
            images, images[..., :8]
        ),
        "SSIM needs sides of at least 11 pixels; these are (8, 9)": lambda: ssim(images, images),
        "images of (8, 9) pixels are too small to be compared without 5 at each border; give sides "
        "of at least 11": lambda: luma_psnr(images, images, 5),
        "true tags have shape (3, 3) and scores (3, 2); give both as (n, tags)": lambda: mean_rank(
            truth, scores
        ),
    }


@pytest.mark.parametrize("kind", [of_metrics])
def test_every_refusal_names_what_was_given(kind):
    for sentence, asked in kind().items():
        with pytest.raises(InputError) as refused:
            asked()
        assert str(refused.value) == sentence


def test_the_least_that_a_sentence_asks_for_is_enough():
    rows, one = np.arange(15.0).reshape(5, 3), np.zeros((1, 3))
    draws = np.random.default_rng(0)
    sharp, grey = draws.random((2, 11, 11)), draws.random((1, 64, 64))
    found = [
        mode_coverage(one, one, 1.0).n_modes,
        parzen_log_likelihood(rows, rows, rows[:2]).value,
        precision_recall(rows, rows[:4], 3).precision,
        frechet_distance(rows[:2], rows[:2]),
        stacked_mode_coverage(np.array([[0, 4]]), 5).n_modes,
        ssim(sharp, sharp),
        luma_psnr(sharp, 1 - sharp, 5),
        luma_ssim(np.pad(sharp, [(0, 0), (2, 2), (2, 2)]), np.zeros((2, 15, 15)), 2),
        luma_lattice(grey, 4),
    ]
    assert np.isfinite(found).all()
