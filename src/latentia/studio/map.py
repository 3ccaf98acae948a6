"""The map of the lectures: which model stands where, and which model of the zoo shows it."""

from __future__ import annotations

from dataclasses import dataclass

from latentia.errors import InputError, nearest
from latentia.evaluation.wording import NAMES
from latentia.models.fields import command_name
from latentia.pages import korean

FAMILIES = {
    "LinearAutoencoder": "Autoencoder",
    "LinearVAE": "VAE",
    "DCGAN": "GAN",
    "AutoencoderKMeans": "Autoencoder",
}
"""Models whose formula is that of another."""


@dataclass(frozen=True)
class Place:
    """A model on the map."""

    name: str
    """Its class."""
    zoo: tuple[str, ...] = ()
    """Models of the zoo that show it, the first one first."""

    needs: str = "pictures"
    """What it learns from: samples such as ``pictures`` or rows, ``classes`` of them, ``images``
    and no rows, ``pairs``, ``domains``, ``texts``, or ``photographs``."""

    @property
    def command(self) -> str:
        """Its name on the command line, and in addresses."""
        return command_name(self.name)

    @property
    def short(self) -> str:
        """Its name as a lecture writes it."""
        return NAMES[self.name][0]

    @property
    def full(self) -> dict[str, str]:
        """Its name in full, in both languages."""
        return {"en": NAMES[self.name][2], "ko": korean.NAMES[self.name]}

    @property
    def family(self) -> str:
        """Whose formula is its own."""
        return FAMILIES.get(self.name, self.name)


@dataclass(frozen=True)
class Group:
    """Models that a lecture treats together; its heading is in the words, at ``group/KEY``."""

    key: str
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Tool:
    """A page beside the map; its name is in the words, at ``tool/KEY``."""

    key: str
    address: str


GROUPS = (
    Group("linear", (Place("PCA", ("pca-mnist",)),)),
    Group(
        "linear-density",
        (Place("ProbabilisticPCA"), Place("FactorAnalysis", ("factors-mnist",))),
    ),
    Group(
        "deep",
        (
            Place("Autoencoder"),
            Place("DenoisingAutoencoder", ("denoising-mnist",)),
            Place("LinearAutoencoder"),
        ),
    ),
    Group(
        "deep-density",
        (
            Place(
                "VAE",
                ("vae-mnist-20d", "vae-mnist-2d", "vae-mnist-50d", "iwae-mnist-50d", "vae-faces"),
            ),
            Place("ConditionalVAE", ("cvae-mnist",), "classes"),
            Place("LinearVAE"),
        ),
    ),
    Group(
        "games",
        (
            Place("GAN"),
            Place("DCGAN", ("dcgan-mnist", "dcgan-faces"), "images"),
            Place("ConditionalGAN", ("cgan-mnist",), "classes"),
            Place("WGAN"),
            Place("WGANGP", ("wgangp-mnist",)),
            Place("ConditionalWGANGP", (), "classes"),
        ),
    ),
    Group(
        "clusters",
        (
            Place("AutoencoderKMeans"),
            Place("DEC"),
            Place("IDEC", ("idec-mnist",)),
            Place("VaDE", ("vade-mnist",)),
        ),
    ),
    Group(
        "pictures",
        (
            Place("Pix2Pix", ("pix2pix-faces", "pix2pix-maps"), "pairs"),
            Place("CycleGAN", ("cyclegan-shoes", "cyclegan-smiles"), "domains"),
            Place("SRResNet", ("srresnet-x4",), "photographs"),
            Place("SRGAN", ("srgan-x4",), "photographs"),
            Place("Bicubic", (), "photographs"),
        ),
    ),
    Group(
        "sequences",
        (
            Place("NGramLanguageModel", (), "texts"),
            Place("RNNLanguageModel", (), "texts"),
            Place("LSTMLanguageModel", ("lstm-shakespeare",), "texts"),
        ),
    ),
)
SQUARE = 4
"""The first groups are the square of the lectures: linear or deep, with a density or without."""
TOOLS = (
    Tool("data", "/data"),
    Tool("factor", "/factor"),
    Tool("compare", "/compare"),
    Tool("lab", "/lab"),
)
"""Pages that the rail leads to beside models."""
PLACES = {place.command: place for group in GROUPS for place in group.places}


def place_of(command: str) -> Place:
    """Return the place of a model by its name on the command line."""
    if command not in PLACES:
        raise InputError(f"there is no model {command!r:.60}{nearest(command, PLACES)}")
    return PLACES[command]
