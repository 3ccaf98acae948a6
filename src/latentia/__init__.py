"""Latentia: latent-variable generative models, one set of verbs for all of them."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

MODELS = {
    "PCA": "latentia.linear.pca",
    "ProbabilisticPCA": "latentia.linear.probabilistic_pca",
    "FactorAnalysis": "latentia.linear.factor_analysis",
    "LinearAutoencoder": "latentia.autoencoders.linear",
    "Autoencoder": "latentia.autoencoders.autoencoder",
    "DenoisingAutoencoder": "latentia.autoencoders.denoising",
    "VAE": "latentia.autoencoders.vae",
    "ConditionalVAE": "latentia.autoencoders.conditional_vae",
    "LinearVAE": "latentia.autoencoders.linear_vae",
    "AutoencoderKMeans": "latentia.autoencoders.autoencoder_kmeans",
    "DEC": "latentia.autoencoders.dec",
    "IDEC": "latentia.autoencoders.idec",
    "VaDE": "latentia.autoencoders.vade",
    "GAN": "latentia.adversarial.gan",
    "DCGAN": "latentia.adversarial.dcgan",
    "ConditionalGAN": "latentia.adversarial.conditional_gan",
    "WGAN": "latentia.adversarial.wgan",
    "WGANGP": "latentia.adversarial.wgan_gp",
    "Pix2Pix": "latentia.translation.pix2pix",
    "CycleGAN": "latentia.translation.cyclegan",
    "Bicubic": "latentia.translation.bicubic",
    "SRResNet": "latentia.translation.srresnet",
    "SRGAN": "latentia.translation.srgan",
}
"""Every model's public name and the module that holds it: a new model adds its line here."""

SEQUENCES = {
    "RNNLanguageModel": "latentia.sequence.rnn",
    "LSTMLanguageModel": "latentia.sequence.lstm",
    "NGramLanguageModel": "latentia.sequence.n_gram",
}
"""Models of texts, apart from `MODELS`: those take arrays, and share verbs that these lack."""

INSTRUMENTS = {"ImageClassifier": "latentia.classifier"}
"""What samples are measured with: saved and loaded as models are."""

_PUBLIC = (
    MODELS
    | SEQUENCES
    | INSTRUMENTS
    | {
        "InputError": "latentia.errors",
        "compare": "latentia.compare",
        "evaluate": "latentia.evaluation",
        "load": "latentia.saved",
        "load_data": "latentia.data",
        "load_text": "latentia.data.text",
    }
)

__all__ = ["INSTRUMENTS", "MODELS", "SEQUENCES", "__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import a public name when it is first asked for (PEP 562), so that torch loads late."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'latentia' has no attribute {name!r}")
    attribute = {"load_data": "load"}.get(name, name)
    return getattr(importlib.import_module(_PUBLIC[name]), attribute)


def __dir__() -> list[str]:
    """List the public names, also those not yet imported."""
    return sorted(__all__)
