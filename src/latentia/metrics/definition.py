"""What one reported number means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Definition:
    """One number's meaning.

    Attributes
    ----------
    key, label, unit
        Its name in code, its heading, its unit (may be empty).
    better
        Which direction is better.
    formula, meaning, source
        Text.
    absent
        Why a model may have no such number.
    """

    key: str
    label: str
    unit: str
    better: Literal["lower", "higher", "neither"]
    formula: str
    meaning: str
    source: str = ""
    absent: str = ""
