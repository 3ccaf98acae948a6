"""What a doctor says of a model under training: one ailment at most, as a sentence."""

from __future__ import annotations

from dataclasses import dataclass

PATIENCE = 5
"""Checkups over which a sign must last to count before the end; a shorter training is not judged by
what takes time to pass."""
NARROW = 0.1
"""Span of images, of their range of 1, under which something went wrong on the way."""
RANGE = (
    "the images span only {span:.3g} of their range of 1: they were probably divided by 255 "
    "twice; give uint8, or floats that reach from 0 to 1"
)


@dataclass(frozen=True)
class Diagnosis:
    """An ailment's name, and what it is, its most likely cause, and what to do, as a sentence."""

    name: str
    sentence: str
