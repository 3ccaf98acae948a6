"""What the reported numbers of a model of sequences mean."""

from __future__ import annotations

from latentia.metrics.definitions import DEFINITIONS, Definition

_OWN = (
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
)
SEQUENCE_DEFINITIONS = {definition.key: definition for definition in _OWN} | {
    key: DEFINITIONS[key] for key in ("n_parameters", "seconds")
}
