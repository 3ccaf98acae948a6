"""What a report holds of one model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from latentia.evaluation.wording import NAMES
from latentia.plots.page import Picture


@dataclass(frozen=True)
class ModelSection:
    """One model's part of the report."""

    name: str
    """Its class, with a number where a comparison has several of it."""
    summary: str
    reference: str
    parameters: Mapping[str, object]
    metrics: Mapping[str, float]
    pictures: tuple[Picture, ...]
    notes: tuple[str, ...] = ()
    """What a reader should be warned of."""
    remarks: tuple[str, ...] = ()
    """What it says of itself."""
    more: tuple[str, ...] = ()
    """Sentences with further measurements, which the page folds away."""
    n_latent: int | None = None
    """Size of its z, if it has one."""
    n_values: int = 0
    """Values of a sample."""
    n_classes: int = 0
    """Of the data."""
    encodes: bool = False
    """Whether it gives samples back from its z."""
    linear: bool = False
    rebuilt: tuple[bytes, ...] = ()
    """The comparison's test images as the model gives them back, and as many that it drew."""
    drawn: tuple[bytes, ...] = ()
    live: str = ""
    """The page that runs the model, which the report embeds."""
    errors_by_size: Mapping[int, float] = field(default_factory=dict)
    """Squared error of test samples by number of components, of PCA alone."""

    @property
    def short(self) -> str:
        """Its name in a table's head."""
        return self._named(0)

    @property
    def spoken(self) -> str:
        """Its name in a sentence."""
        return self._named(1)

    @property
    def title(self) -> str:
        """Its full name."""
        return self._named(2)

    @property
    def entry(self) -> str:
        """Its name in a table of contents."""
        name = self.spoken.removeprefix("the ")
        own = self.name == self.spoken or name[1:2] == "-"
        return name if own else name[:1].upper() + name[1:]

    @property
    def keeps_all(self) -> bool:
        """Whether its z is as large as a sample, so that giving it back is no achievement."""
        return self.n_latent is not None and 0 < self.n_values <= self.n_latent

    def _named(self, which: int) -> str:
        kind, space, number = self.name.partition(" ")
        known = NAMES.get(self.name, NAMES.get(kind))
        if known is None:
            return self.name
        return known[which] + (space + number if self.name not in NAMES else "")
