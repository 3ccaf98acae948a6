"""What the numbers of models from image to image mean."""

from __future__ import annotations

from latentia.metrics.definition import Definition

TRANSLATION = (
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
)
