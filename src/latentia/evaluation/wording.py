"""Every word that a report says of its own: names, headings, the sentences of its verdict.

One table, so that another language is another table.
"""

from __future__ import annotations

NAMES = {
    "PCA": ("PCA", "PCA", "Principal component analysis"),
    "ProbabilisticPCA": ("PPCA", "probabilistic PCA", "Probabilistic PCA"),
    "FactorAnalysis": ("FA", "factor analysis", "Factor analysis"),
    "LinearAutoencoder": ("Linear AE", "the linear autoencoder", "Linear autoencoder"),
    "Autoencoder": ("AE", "the autoencoder", "Autoencoder"),
    "DenoisingAutoencoder": ("DAE", "the denoising autoencoder", "Denoising autoencoder"),
    "VAE": ("VAE", "the VAE", "Variational autoencoder"),
    "ConditionalVAE": ("CVAE", "the conditional VAE", "Conditional VAE"),
    "LinearVAE": ("Linear VAE", "the linear VAE", "Linear VAE"),
    "AutoencoderKMeans": (
        "AE + k-means",
        "the autoencoder with k-means",
        "Autoencoder and k-means",
    ),
    "DEC": ("DEC", "DEC", "Deep embedded clustering"),
    "IDEC": ("IDEC", "IDEC", "Improved deep embedded clustering"),
    "VaDE": ("VaDE", "VaDE", "Variational deep embedding"),
    "GAN": ("GAN", "the GAN", "Generative adversarial network"),
    "DCGAN": ("DCGAN", "DCGAN", "Deep convolutional GAN"),
    "ConditionalGAN": ("CGAN", "the conditional GAN", "Conditional GAN"),
    "WGAN": ("WGAN", "the Wasserstein GAN", "Wasserstein GAN"),
    "WGANGP": ("WGAN-GP", "WGAN-GP", "Wasserstein GAN with gradient penalty"),
    "ConditionalWGANGP": (
        "CWGAN-GP",
        "the conditional WGAN-GP",
        "Conditional Wasserstein GAN with gradient penalty",
    ),
    "Pix2Pix": ("pix2pix", "pix2pix", "pix2pix"),
    "CycleGAN": ("CycleGAN", "CycleGAN", "CycleGAN"),
    "Bicubic": ("bicubic", "bicubic interpolation", "Bicubic interpolation"),
    "SRResNet": ("SRResNet", "SRResNet", "SRResNet"),
    "SRGAN": ("SRGAN", "SRGAN", "SRGAN"),
    "RNNLanguageModel": ("RNN", "the RNN", "Recurrent language model"),
    "LSTMLanguageModel": ("LSTM", "the LSTM", "LSTM language model"),
    "NGramLanguageModel": ("n-gram", "the n-gram model", "n-gram language model"),
    "NGramLanguageModel, 5": ("5-gram", "the 5-gram model", "5-gram with Kneser-Ney back-off"),
    "KMeans (scikit-learn)": ("k-means", "k-means", "k-means"),
    "GaussianMixture (scikit-learn)": ("GMM", "the Gaussian mixture", "Gaussian mixture"),
}
"""Each model's name in a table's head, in a sentence, and in full."""

NUMBERS = (
    "No",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
)
UNITS = {True: ("image", "images", "pixels"), False: ("row", "rows", "values")}
"""What samples are called: of images, and of a table."""

GROUPS = {
    "Reconstruction": (
        "How much of a test sample comes back",
        (
            "squared_error",
            "psnr",
            "psnr_denoised",
            "absolute_error",
            "ssim",
            "translation_psnr",
            "luma_psnr",
            "luma_ssim",
            "own_detail",
            "shared_detail",
            "own_detail_b",
            "shared_detail_b",
            "own_detail_a",
            "shared_detail_a",
            "cycle_error_a",
            "cycle_error_b",
        ),
    ),
    "Likelihood": (
        "How probable the model finds test data; bounds and exact values are not to be compared",
        (
            "negative_log_likelihood",
            "negative_elbo",
            "negative_iwae",
            "nats_per_character",
            "bits_per_character",
            "perplexity",
        ),
    ),
    "Samples": (
        "What is drawn, against test data",
        (
            "frechet_distance",
            "precision",
            "recall",
            "density",
            "coverage",
            "classes_covered",
            "class_entropy",
            "class_agreement",
            "taken_for_b",
            "taken_for_a",
            "memorisation",
        ),
    ),
    "Codes": (
        "What z knows about the class",
        (
            "code_accuracy",
            "active_units",
            "cluster_accuracy",
            "nmi",
            "adjusted_rand",
        ),
    ),
    "Cost": (
        "On the machine that made this report",
        (
            "n_parameters",
            "seconds",
        ),
    ),
}
"""What the table's rows tell of: headings, what they mean, and the figures in their order."""
CHIPS = {
    "squared_error": "squared error",
    "negative_log_likelihood": "−log p",
    "negative_elbo": "−ELBO",
    "frechet_distance": "Fréchet",
    "coverage": "coverage",
    "code_accuracy": "codes",
    "adjusted_rand": "ARI",
    "translation_psnr": "dB PSNR",
    "luma_psnr": "dB PSNR",
    "nats_per_character": "nats a character",
    "perplexity": "perplexity",
    "seconds": "s",
}
"""A model's main numbers, beside its name."""
MOST_CHIPS = 6

WORDS = {
    "skip": "Skip to the report",
    "contents": "Contents",
    "overview": "Overview",
    "verdict": "Verdict",
    "side": "Side by side",
    "table": "Measurements",
    "models": "Models",
    "end": "End",
    "how": "How this was made",
    "metric": "Metric",
    "key": "Point at a metric for its meaning, press it for the formula. ↓ lower is better, "
    "↑ higher.",
    "key_best": "The best of each row is shaded, with all that it does not lead by more than twice "
    "the standard error over test samples.",
    "key_dot": "A dot: the model has no such number.",
    "key_one": "What only one model has stands in its own section.",
    "best": "(best)",
    "none": "none",
    "unmeasured": "it was not measured",
    "error": "standard error",
    "test_image": "test image",
    "no_figure": "No figure: it is only measured.",
    "open": "Figures and settings",
    "live": "The model, to be tried here",
    "facts": "Data, versions and settings of the measurements",
    "figures_of": "Figures of",
    "loadings": "Loadings of the linear models",
    "rebuilt": "rebuilt by",
    "drawn": "drawn by",
}
WINNERS = {
    "squared_error": ("Rebuilds best", "{} squared error"),
    "negative_log_likelihood": ("Most likely", "{} nats, exact"),
    "negative_iwae": ("Most likely", "{} nats, a bound"),
    "frechet_distance": ("Draws best", "{} Fréchet distance"),
    "code_accuracy": ("Best codes", "{} 5 neighbours right"),
    "adjusted_rand": ("Best clusters", "{} adjusted Rand index"),
    "seconds": ("Cheapest", "{} s to fit"),
}
"""What a card says of who is best by a figure, and of the figure."""

DRAW = {
    "one": "To draw new {units} take {name}",
    "alike": "To draw new {units} {names} are alike",
    "only": "{name} alone draws new {units}",
    "near": "its samples lie closest to real ones (Fréchet distance {value})",
    "near_alike": "their samples lie as close to real ones, Fréchet distance {values}",
    "far": "Fréchet distance {value}",
    "classes": "show {covered} of {n} classes",
    "all_classes": "show all {n} classes",
    "linear": "no deep model draws better here",
    "passed": "{name} comes closer ({value}) but shows only {covered} of {n} classes",
}
COMPRESS = {
    "one": "To compress them take {name}",
    "alike": "To compress them {names} are alike",
    "only": "{name} alone compresses them",
    "keeps": "{size} numbers {a} {unit} give back the {values} best (squared error {value})",
    "keeps_only": "{size} numbers {a} {unit} give back the {values} with squared error {value}",
    "keeps_alike": "squared error {values}",
    "linear": "no deep model does better here",
}
LINEAR_AMONG = "{name}, which is linear, does as well"
LIKELY = "{names} find test {units} most likely ({value} nats, exact)."
ONE_LIKELY = "{names} finds test {units} most likely ({value} nats, exact)."
SIZES = "Sizes of z differ, {low} to {high}: a model with more numbers {a} {unit} can keep more."
KEEPS_ALL = (
    "{name} keeps as many numbers as {a} {unit} has, so that it gives its input back: its squared "
    "error is not compared."
)
NO_VERDICT = "Nothing here is measured of more than one model."

REBUILT = "Rebuilt: the same {n} test {units}"
DRAWN = "Drawn: {n} new {units}, nobody chose them"
LOADINGS = "Loadings"
"""The title of the figure of a table that stands side by side with other models'."""
ERROR_DOWN, DISTANCE_DOWN = "error ↓", "Fréchet ↓"
ORDERED_ERROR = "Ordered by squared error on all {n} test {units}."
ORDERED_DISTANCE = "Ordered by Fréchet distance to the test {units}."
NO_PRIOR = "{names} {have} no prior on z and {draw} nothing."


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Return names as a list in a sentence.

    >>> listed(["PCA"]), listed(["PCA", "VAE"]), listed(["a", "b", "c"])
    ('PCA', 'PCA and VAE', 'a, b and c')
    """
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def counted(n: int, noun: str) -> str:
    """Return a number of things at the beginning of a sentence.

    >>> counted(9, "model"), counted(1, "model"), counted(20, "model")
    ('Nine models', 'One model', '20 models')
    """
    number = NUMBERS[n] if n < len(NUMBERS) else f"{n}"
    return f"{number} {noun}{'' if n == 1 else 's'}"


def number(n: int) -> str:
    """Return a number within a sentence, small ones in words.

    >>> number(8), number(0), number(40)
    ('eight', 'no', '40')
    """
    return NUMBERS[n].lower() if n < len(NUMBERS) else f"{n:,}"


def plural(n: int, noun: str) -> str:
    """Return a number of things.

    >>> plural(1, "parameter"), plural(6, "parameter")
    ('1 parameter', '6 parameters')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def article(noun: str) -> str:
    """Return the article of a noun.

    >>> article("image"), article("row")
    ('an', 'a')
    """
    return "an" if noun[0] in "aeiou" else "a"
