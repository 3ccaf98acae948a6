"""What every reported number means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Definition:
    """One number's meaning."""

    key: str
    """Its name in code."""
    label: str
    """Its heading."""
    unit: str
    """May be empty."""
    better: Literal["lower", "higher", "neither"]
    formula: str
    meaning: str
    source: str = ""
    absent: str = ""
    """Why a model may have no such number."""


_ALL = (
    Definition(
        "absolute_error",
        "Absolute error",
        "",
        "lower",
        "(1/n) Σᵢ mean |yᵢ − ŷᵢ|",
        "L1 between translated test images and their targets, the mean over pixels in [0, 1], "
        "channels and images.",
        "Isola et al. 2017, eq. 3",
        absent="it translates no images",
    ),
    Definition(
        "ssim",
        "SSIM",
        "",
        "higher",
        "mean (2μμ′ + c₁)(2σ + c₂) / ((μ² + μ′² + c₁)(σ² + σ′² + c₂))",
        "Structural similarity of translated test images and their targets: Gaussian windows of "
        "11×11, σ 1.5, the mean over places, channels and images.",
        "Wang et al. 2004, eq. 13",
        absent="it translates no images, or they have a side under 11 pixels",
    ),
    Definition(
        "translation_psnr",
        "PSNR, translated",
        "dB",
        "higher",
        "(1/n) Σᵢ 10 log₁₀(1 / MSE(yᵢ, ŷᵢ))",
        "Peak signal-to-noise ratio of translated test images against their targets: one value an "
        "image with peak 1, averaged over images.",
        absent="it translates no images",
    ),
    Definition(
        "own_detail",
        "Detail of the target",
        "",
        "higher",
        "(1/n) Σᵢ r(H ŷᵢ, H yᵢ)",
        "Correlation of the detail of 50 outputs with that of their own targets; H takes a "
        "Gaussian blur of σ = 2 pixels away. 1 for the targets themselves.",
        absent="it translates no images, or fewer than two outputs have detail",
    ),
    Definition(
        "shared_detail",
        "Detail shared by outputs",
        "",
        "lower",
        "(1/(n (n − 1))) Σᵢ≠ⱼ r(H ŷᵢ, H ŷⱼ)",
        "The same with the detail of the other outputs: whether the output depends on its input. "
        "More than of the target says that one texture is painted into every image.",
        absent="it translates no images, or fewer than two outputs have detail",
    ),
    Definition(
        "own_detail_b",
        "Detail of the input, A to B",
        "",
        "neither",
        "(1/n) Σᵢ |r(H G(aᵢ), H aᵢ)|",
        "Absolute correlation of the detail of 50 translations with that of their own inputs; H "
        "takes a Gaussian blur of σ = 2 pixels away. 1 for the identity.",
        absent="it does not translate both ways",
    ),
    Definition(
        "shared_detail_b",
        "Detail shared, A to B",
        "",
        "lower",
        "(1/(n (n − 1))) Σᵢ≠ⱼ r(H G(aᵢ), H G(aⱼ))",
        "Correlation with the detail of the other translations: whether a translation depends on "
        "its input.",
        absent="it does not translate both ways",
    ),
    Definition(
        "own_detail_a",
        "Detail of the input, B to A",
        "",
        "neither",
        "(1/n) Σᵢ |r(H F(bᵢ), H bᵢ)|",
        "As from A to B.",
        absent="it does not translate both ways",
    ),
    Definition(
        "shared_detail_a",
        "Detail shared, B to A",
        "",
        "lower",
        "(1/(n (n − 1))) Σᵢ≠ⱼ r(H F(bᵢ), H F(bⱼ))",
        "As from A to B.",
        absent="it does not translate both ways",
    ),
    Definition(
        "cycle_error_a",
        "Cycle error, A to B to A",
        "",
        "lower",
        "(1/n) Σᵢ mean |F(G(aᵢ)) − aᵢ|",
        "L1 between test images of domain A and what comes back of them, the mean over pixels in "
        "[0, 1], channels and images. 0 for the identity, which translates nothing.",
        "Zhu et al. 2017, eq. 2",
        absent="it does not translate both ways",
    ),
    Definition(
        "cycle_error_b",
        "Cycle error, B to A to B",
        "",
        "lower",
        "(1/n) Σᵢ mean |G(F(bᵢ)) − bᵢ|",
        "As from A, for test images of domain B.",
        "Zhu et al. 2017, eq. 2",
        absent="it does not translate both ways",
    ),
    Definition(
        "taken_for_b",
        "A translated, taken for B",
        "",
        "higher",
        "share of G(aᵢ) classified as B",
        "Of translated test images of A, by five nearest training images of both domains in up to "
        "64 principal components.",
        absent="it does not translate both ways",
    ),
    Definition(
        "taken_for_a",
        "B translated, taken for A",
        "",
        "higher",
        "share of F(bᵢ) classified as A",
        "As of A, for translated test images of B.",
        absent="it does not translate both ways",
    ),
    Definition(
        "luma_psnr",
        "PSNR of Y",
        "dB",
        "higher",
        "(1/n) Σᵢ 10 log₁₀(255² / MSE_Y(xᵢ, x̂ᵢ))",
        "Peak signal-to-noise ratio of sharp test images made small by antialiased bicubic "
        "resampling and enlarged again: Y of YCbCr in 16 to 235, 8 bits, without a border as wide "
        "as the scale; one value an image, averaged over images.",
        "Ledig et al. 2017, section 3.1",
        absent="it enlarges no images",
    ),
    Definition(
        "luma_ssim",
        "SSIM of Y",
        "",
        "higher",
        "mean (2μμ′ + c₁)(2σ + c₂) / ((μ² + μ′² + c₁)(σ² + σ′² + c₂))",
        "Structural similarity of the same Y, its values taken to span 255: Gaussian windows of "
        "11×11, σ 1.5.",
        "Wang et al. 2004, eq. 13",
        absent="it enlarges no images, or they are too small",
    ),
    Definition(
        "squared_error",
        "Squared error",
        "",
        "lower",
        "(1/n) Σᵢ ‖xᵢ − x̂ᵢ‖²",
        "Between test samples and their reconstructions, summed over a sample's values (pixels in "
        "[0, 1]), averaged over samples.",
        absent="it reconstructs nothing",
    ),
    Definition(
        "psnr",
        "PSNR",
        "dB",
        "higher",
        "(1/n) Σᵢ 10 log₁₀(1 / MSEᵢ)",
        "Peak signal-to-noise ratio of the reconstructions of test images: one value an image with "
        "peak 1, averaged over images.",
        absent="it reconstructs nothing, or the data are not images",
    ),
    Definition(
        "psnr_denoised",
        "PSNR, denoised",
        "dB",
        "higher",
        "(1/n) Σᵢ 10 log₁₀(1 / MSE(xᵢ, x̂(x̃ᵢ)))",
        "As PSNR, between clean test images and what the model makes of noisy ones: the noise it "
        "was trained with, seed 0.",
        absent="it was not trained on noisy images",
    ),
    Definition(
        "negative_log_likelihood",
        "−log-likelihood",
        "nats",
        "lower",
        "−(1/n) Σᵢ log p(xᵢ)",
        "Exact, of test samples: a density, which may exceed 1, of the columns that vary in "
        "training (probabilistic PCA: of all). Not comparable to the −ELBO of binary noise.",
        "Bishop 2006, eq. 12.43",
        absent="its likelihood is not known exactly",
    ),
    Definition(
        "negative_elbo",
        "−ELBO",
        "nats",
        "lower",
        "−E_q[log p(x|z)] + KL(q(z|x) ‖ p(z))",
        "An upper bound on −log p(x) of a test sample: summed over dimensions, averaged over "
        "samples, one draw of z each.",
        "Kingma and Welling 2014, eq. 3",
        absent="it bounds no likelihood",
    ),
    Definition(
        "negative_iwae",
        "−IWAE bound, 50 draws",
        "nats",
        "lower",
        "−E log (1/50) Σᵢ p(x|zᵢ) p(zᵢ) / q(zᵢ|x)",
        "A tighter upper bound on −log p(x) than −ELBO: 50 draws of z for each of at most 2,000 "
        "test samples.",
        "Burda et al. 2016, eq. 8",
        absent="it bounds no likelihood",
    ),
    Definition(
        "active_units",
        "Active units",
        "",
        "neither",
        "#{j : Var_x(E_q[z_j]) > 0.01}",
        "Components of z that the posterior uses, over at most 2,000 test samples; the others are "
        "noise that the decoder ignores.",
        "Burda et al. 2016, section 5",
        absent="it has no posterior",
    ),
    Definition(
        "class_agreement",
        "Samples of the class asked",
        "",
        "higher",
        "share of samples classified as asked",
        "Of 2,000 samples, the classes in turn, by five nearest neighbours among the training data "
        "in up to 64 principal components.",
        absent="it draws no samples of a class",
    ),
    Definition(
        "frechet_distance",
        "Fréchet distance",
        "",
        "lower",
        "‖μₐ − μᵦ‖² + tr(Σₐ + Σᵦ − 2(ΣₐΣᵦ)^½)",
        "Between test data and samples, as Gaussians in up to 64 principal components of the "
        "training data. Not FID: the features are not Inception's.",
        "Heusel et al. 2017, eq. 6",
        absent="it draws no samples",
    ),
    Definition(
        "precision",
        "Precision",
        "",
        "higher",
        "share of samples in B(r) of some test image r",
        "B(r) reaches the test image's fifth nearest other one, in the features of the Fréchet "
        "distance: the share of samples that look like data.",
        "Kynkäänniemi et al. 2019, eq. 2",
        absent="it draws no samples",
    ),
    Definition(
        "recall",
        "Recall",
        "",
        "higher",
        "share of test data in B(f) of some sample f",
        "As precision, with the parts exchanged: the share of the data that samples reach.",
        "Kynkäänniemi et al. 2019, eq. 2",
        absent="it draws no samples",
    ),
    Definition(
        "density",
        "Density",
        "",
        "neither",
        "(1/5m) Σⱼ #{r : fⱼ in B(r)}",
        "How many balls of test data a sample lies in, over five: 1 for the data themselves, "
        "and less spoilt by outliers than precision.",
        "Naeem et al. 2020, eq. 3",
        absent="it draws no samples",
    ),
    Definition(
        "coverage",
        "Coverage",
        "",
        "higher",
        "share of test data with a sample in B(r)",
        "Of the data themselves 97 % at as many samples as test data; less where modes are "
        "missing.",
        "Naeem et al. 2020, eq. 4",
        absent="it draws no samples",
    ),
    Definition(
        "classes_covered",
        "Classes covered",
        "",
        "higher",
        "#{c : share(c) ≥ 0.1 / C}",
        "How many of the C classes the samples show, each with at least a tenth of an equal share, "
        "by five nearest neighbours among the training data in up to 64 principal components.",
        absent="it draws no samples, or the data have no classes",
    ),
    Definition(
        "class_entropy",
        "Entropy of classes",
        "nats",
        "higher",
        "−Σ share(c) log share(c)",
        "How evenly the samples spread over the classes: 0 for one class, log C for C equal "
        "shares. The classes are found as for the classes covered.",
        absent="it draws no samples, or the data have no classes",
    ),
    Definition(
        "memorisation",
        "Distance to training data",
        "",
        "neither",
        "median d(sample, train) / median d(test, train)",
        "Near 1, samples are as far from the training data as new data are; near 0 they are "
        "copies. Blurred samples lie below 1 too.",
        absent="it draws no samples",
    ),
    Definition(
        "code_accuracy",
        "Accuracy of codes",
        "",
        "higher",
        "share of test codes classified right",
        "Five nearest training codes vote for each test code's class.",
        absent="it has no codes, or the data have no classes",
    ),
    Definition(
        "cluster_accuracy",
        "Accuracy of clusters",
        "",
        "higher",
        "max_m (1/n) Σᵢ 1[yᵢ = m(cᵢ)]",
        "Share of test samples in the cluster that stands for their class, for the best one-to-one "
        "map m from clusters to classes.",
        "Xie et al. 2016, eq. 10",
        absent="it forms no clusters, or the data have no classes",
    ),
    Definition(
        "nmi",
        "Normalised mutual information",
        "",
        "higher",
        "2 I(y; c) / (H(y) + H(c))",
        "How much clusters of test samples and their classes tell of each other: 1 for the same "
        "partition, 0 for independence.",
        "Strehl and Ghosh 2002",
        absent="it forms no clusters, or the data have no classes",
    ),
    Definition(
        "adjusted_rand",
        "Adjusted Rand index",
        "",
        "higher",
        "(RI − E RI) / (max RI − E RI)",
        "How well clusters of test samples agree with their classes: 1 for the same partition, 0 "
        "for chance.",
        "Hubert and Arabie 1985",
        absent="it forms no clusters, or the data have no classes",
    ),
    Definition(
        "nats_per_character",
        "−log p a character",
        "nats",
        "lower",
        "−(1/n) Σₜ log p(xₜ | x₁..xₜ₋₁)",
        "Mean over the characters of the test part, read in one go from its beginning.",
        absent="it is no model of sequences",
    ),
    Definition(
        "bits_per_character",
        "Bits a character",
        "bits",
        "lower",
        "−(1/n) Σₜ log₂ p(xₜ | x₁..xₜ₋₁)",
        "The same in bits: what an ideal code would take to store a character.",
        "Shannon 1951",
        absent="it is no model of sequences",
    ),
    Definition(
        "perplexity",
        "Perplexity",
        "",
        "lower",
        "exp(−(1/n) Σₜ log p(xₜ | x₁..xₜ₋₁))",
        "The model is as uncertain of a character as of a fair draw among so many.",
        "Jelinek et al. 1977",
        absent="it is no model of sequences",
    ),
    Definition("n_parameters", "Parameters", "", "neither", "count", "Numbers that were learnt."),
    Definition(
        "seconds",
        "Time",
        "s",
        "lower",
        "wall clock",
        "Of the fit with its checkpoints and pictures, on the machine that made this report.",
        absent="it was not timed",
    ),
)
DEFINITIONS = {definition.key: definition for definition in _ALL}
