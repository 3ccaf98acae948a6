"""Who is best at what, by rules: the sentences and the cards that a comparison opens with.

A model is best where it leads by more than twice the standard error of the difference over test
samples; those that it does not lead so are alike. Generators are compared by their Fréchet
distance among those that show at least nine tenths of the classes that the best shows. A model
whose z is as large as a sample reproduces its input, and is not compared by that. A bound on a
likelihood is never set beside an exact one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from latentia.evaluation import wording
from latentia.evaluation.model_section import ModelSection
from latentia.evaluation.wording import listed
from latentia.metrics.definitions import DEFINITIONS
from latentia.metrics.estimates import Estimate
from latentia.plots.page import format_number

ERRORS = 2
"""Standard errors by which a model must lead."""
COVERED = 0.9
"""Of the classes that the best generator shows."""
MOST_NAMES = 3

Sections = Sequence[ModelSection]


@dataclass(frozen=True)
class Sentence:
    """A sentence of the verdict: what to take, and why."""

    answer: str
    reason: str


@dataclass(frozen=True)
class Winner:
    """A card: who is best at something, and the figure that says so."""

    what: str
    names: str
    value: str


def contenders(sections: Sections, key: str) -> list[ModelSection]:
    """Return the models that may be best by a figure, in order, best first."""
    known = [s for s in sections if math.isfinite(s.metrics.get(key, math.nan))]
    if key in ("squared_error", "psnr"):
        known = [s for s in known if s.encodes and not s.keeps_all]
    if key == "frechet_distance":
        most = max((s.metrics.get("classes_covered", 0) for s in known), default=0)
        known = [s for s in known if s.metrics.get("classes_covered", most) >= COVERED * most]
    if key == "negative_iwae" and len({s.parameters.get("observation") for s in known}) > 1:
        return []
    return ordered(known, key)


def ordered(sections: Sections, key: str) -> list[ModelSection]:
    """Return the models that have a figure, best first; what is no number comes last."""
    sign = -1 if DEFINITIONS[key].better == "higher" else 1
    known = [s for s in sections if key in s.metrics]
    places = {s.name: sign * s.metrics[key] for s in known}
    return sorted(known, key=lambda s: (math.isnan(places[s.name]), places[s.name]))


def best(sections: Sections, key: str) -> list[ModelSection]:
    """Return the best by a figure and all that it does not lead; none where nobody competes."""
    found = contenders(sections, key)
    # A generator that others lose to for the classes they leave out has won against them.
    rivals = ordered(sections, key) if key == "frechet_distance" else found
    if not found or len(rivals) < 2 or DEFINITIONS[key].better == "neither":
        return []
    first = found[0]
    return [first, *(s for s in found[1:] if not _leads(first.metrics[key], s.metrics[key]))]


def _leads(better: float, other: float) -> bool:
    """Return whether a figure leads another by more than chance, as far as that is known.

    What is written alike is alike.
    """
    if format_number(better) == format_number(other):
        return False
    if not (isinstance(better, Estimate) and isinstance(other, Estimate)):
        return True
    if not (len(better.values) and len(other.values)):
        return True
    return bool(abs(better - other) > ERRORS * better.error_beside(other))


def verdict(sections: Sections, images: bool) -> list[Sentence]:
    """Return one or two sentences, for the models' samples and their codes, or their likelihood."""
    found = [_draw(sections, images), _compress(sections, images)]
    said = [sentence for sentence in found if sentence is not None]
    return said or [_likely(sections, images)]


def _draw(sections: Sections, images: bool) -> Sentence | None:
    key, words, (_, units, _) = "frechet_distance", wording.DRAW, wording.UNITS[images]
    able, found = contenders(sections, key), best(sections, key)
    if not able:
        return None
    first, value = able[0], format_number(able[0].metrics[key])
    passed = [
        words["passed"].format(name=s.spoken, value=_of(s, key), **_classes(s, sections))
        for s in ordered(sections, key)
        if s not in able and s.metrics[key] < first.metrics[key]
    ]
    if len(found) > 1:
        answer = words["alike"].format(units=units, names=listed([s.spoken for s in found]))
        near = words["near_alike"].format(values=listed([_of(s, key) for s in found]))
        reasons = [near, *_linear(found, able, words["linear"]), *passed]
        return Sentence(answer, "; ".join(reasons) + ".")
    if not found:
        answer = words["only"].format(name=_begin(first.spoken), units=units)
        reasons = [words["far"].format(value=value), *passed]
        return Sentence(answer, "; ".join(reasons) + ".")
    near = words["near"].format(value=value)
    if "classes_covered" in first.metrics:
        shown = _classes(first, sections)
        whole = shown["covered"] == shown["n"]
        shown |= {"n": wording.number(shown["n"])} if whole else {}
        near += " and " + words["all_classes" if whole else "classes"].format(**shown)
    alone = _linear(found, able, words["linear"])
    answer = words["one"].format(units=units, name=first.spoken)
    return Sentence(answer, "; ".join([near, *alone, *passed]) + ".")


def _compress(sections: Sections, images: bool) -> Sentence | None:
    key, words = "squared_error", wording.COMPRESS
    unit, _, values = wording.UNITS[images]
    able, found = contenders(sections, key), best(sections, key)
    if not able:
        return None
    first = able[0]
    said = {"size": first.n_latent, "a": wording.article(unit), "unit": unit, "values": values}
    said["value"] = _of(first, key)
    if len(found) > 1:
        answer = words["alike"].format(names=listed([s.spoken for s in found]))
        near = words["keeps_alike"].format(values=listed([_of(s, key) for s in found]))
        return Sentence(answer, "; ".join([near, *_linear(found, able, words["linear"])]) + ".")
    if not found:
        answer = words["only"].format(name=_begin(first.spoken))
        return Sentence(answer, words["keeps_only"].format(**said) + ".")
    reasons = [words["keeps"].format(**said)]
    reasons += _linear(found, able, words["linear"])
    return Sentence(words["one"].format(name=first.spoken), "; ".join(reasons) + ".")


def _likely(sections: Sections, images: bool) -> Sentence:
    key = "negative_log_likelihood"
    found = best(sections, key)
    if not found:
        return Sentence(wording.NO_VERDICT, "")
    said = wording.ONE_LIKELY if len(found) == 1 else wording.LIKELY
    names = _begin(listed([s.spoken for s in found]))
    units = wording.UNITS[images][1]
    return Sentence(said.format(names=names, units=units, value=_of(found[0], key)), "")


def _linear(found: Sections, able: Sections, none_better: str) -> list[str]:
    """Return what to say where a linear model is the best or as good, and deep ones competed."""
    linear = [s.spoken for s in found if s.linear]
    if not linear or all(s.linear for s in able):
        return []
    if len(linear) == len(found):
        return [none_better]
    return [wording.LINEAR_AMONG.format(name=linear[0])]


def _classes(section: ModelSection, sections: Sections) -> dict[str, Any]:
    return {
        "covered": round(section.metrics.get("classes_covered", 0)),
        "n": max(s.n_classes for s in sections),
    }


def _of(section: ModelSection, key: str) -> str:
    return format_number(section.metrics[key])


def _begin(words: str) -> str:
    return words[:1].upper() + words[1:]


def winners(sections: Sections) -> list[Winner]:
    """Return a card for each thing to be best at, where at least two models compete."""
    exact = "negative_log_likelihood"
    likelihood = exact if any(exact in s.metrics for s in sections) else "negative_iwae"
    codes = "code_accuracy" if contenders(sections, "code_accuracy") else "adjusted_rand"
    keys = ("squared_error", likelihood, "frechet_distance", codes, "seconds")
    return [_winner(key, found) for key in keys if (found := best(sections, key))]


def _winner(key: str, found: Sections) -> Winner:
    what, value = wording.WINNERS[key]
    names = ", ".join(s.short for s in found[:MOST_NAMES])
    names += f" +{len(found) - MOST_NAMES}" if len(found) > MOST_NAMES else ""
    number = found[0].metrics[key]
    shown = f"{100 * number:.1f}\u00a0%" if key == "code_accuracy" else format_number(number)
    return Winner(what, names, value.format(shown))


def warnings(sections: Sections, images: bool) -> list[str]:
    """Return what makes the comparison less fair: sizes of z that differ, a z as large as x."""
    unit = wording.UNITS[images][0]
    said = {"a": wording.article(unit), "unit": unit}
    sizes = {s.n_latent for s in sections if s.encodes and s.n_latent is not None}
    found = [
        wording.KEEPS_ALL.format(name=_begin(s.spoken), **said)
        for s in sections
        if s.encodes and s.keeps_all
    ]
    if len(sizes) > 1:
        found.insert(0, wording.SIZES.format(low=min(sizes), high=max(sizes), **said))
    return found
