"""Latentia: latent-variable generative models, one set of verbs for all of them."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"

MODELS = {
    "PCA": "latentia.models.linear.pca",
    "ProbabilisticPCA": "latentia.models.linear.probabilistic_pca",
    "FactorAnalysis": "latentia.models.factors.factor_analysis",
    "LinearAutoencoder": "latentia.models.autoencoders.linear_autoencoder",
    "Autoencoder": "latentia.models.autoencoders.autoencoder",
    "DenoisingAutoencoder": "latentia.models.autoencoders.denoising",
    "VAE": "latentia.models.autoencoders.vae",
    "ConditionalVAE": "latentia.models.autoencoders.conditional_vae",
    "LinearVAE": "latentia.models.autoencoders.linear_vae",
    "AutoencoderKMeans": "latentia.models.clustering.autoencoder_kmeans",
    "DEC": "latentia.models.clustering.dec",
    "IDEC": "latentia.models.clustering.idec",
    "VaDE": "latentia.models.clustering.vade",
    "GAN": "latentia.models.adversarial.gan",
    "DCGAN": "latentia.models.adversarial.dcgan",
    "ConditionalGAN": "latentia.models.adversarial.conditional_gan",
    "WGAN": "latentia.models.adversarial.wgan",
    "WGANGP": "latentia.models.adversarial.wgan_gp",
    "ConditionalWGANGP": "latentia.models.adversarial.conditional_wgan_gp",
    "Pix2Pix": "latentia.models.translation.pix2pix",
    "CycleGAN": "latentia.models.translation.cyclegan",
    "Bicubic": "latentia.models.translation.bicubic",
    "SRResNet": "latentia.models.translation.srresnet",
    "SRGAN": "latentia.models.translation.srgan",
    "RNNLanguageModel": "latentia.models.language.rnn",
    "LSTMLanguageModel": "latentia.models.language.lstm",
    "NGramLanguageModel": "latentia.models.language.n_gram",
}
"""Every model's public name and the module that holds it: a new model adds its line here."""

INSTRUMENTS = {"ImageClassifier": "latentia.evaluation.classifier"}
"""What samples are measured with: saved and loaded as models are."""

_PUBLIC = (
    MODELS
    | INSTRUMENTS
    | {
        "GradientModel": "latentia.models.gradient",
        "InputError": "latentia.errors",
        "Loss": "latentia.training.updates",
        "Update": "latentia.training.updates",
        "compare": "latentia.evaluation.comparison",
        "evaluate": "latentia.evaluation.evaluate",
        "export": "latentia.pages.export",
        "live_page": "latentia.pages.live",
        "load": "latentia.models.saved",
        "load_data": "latentia.data",
        "load_text": "latentia.data.text",
        "play": "latentia.pages.notebook",
        "push_to_hub": "latentia.pages.hub",
    }
)

__all__ = ["INSTRUMENTS", "MODELS", "__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562), so that torch loads late."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'latentia' has no attribute {name!r}")
    from latentia.errors import offered

    return offered(_PUBLIC[name], {"load_data": "load"}.get(name, name))


def __dir__() -> list[str]:
    """List the public names, also those not yet imported."""
    return sorted(__all__)
