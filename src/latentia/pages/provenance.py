"""The facts of a page: what the model is, what it learnt from, and how well, in both languages."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from latentia import __version__
from latentia.data.dataset import Dataset
from latentia.data.limits import read_limited
from latentia.errors import InputError
from latentia.evaluation.wording import NAMES
from latentia.files import without_folders
from latentia.metrics.definitions import DEFINITIONS
from latentia.models.base import LatentModel
from latentia.models.fields import command_name, model_fields, nearest_known
from latentia.models.zoo import Entry, read_index
from latentia.pages import korean
from latentia.plots.page import format_number
from latentia.plots.sentences import LANGUAGES
from latentia.training.config import RunConfig
from latentia.training.metrics_file import read_metrics

Both = dict[str, str]
"""A text in English (``en``) and in Korean (``ko``)."""
NO_VALUES: Mapping[str, object] = {}
SCORES = (
    "negative_log_likelihood",
    "negative_elbo",
    "frechet_distance",
    "psnr_denoised",
    "squared_error",
    "class_agreement",
    "adjusted_rand",
    "translation_psnr",
    "absolute_error",
    "cycle_error_a",
    "cycle_error_b",
    "luma_psnr",
    "luma_ssim",
    "nats_per_character",
    "perplexity",
)
"""The figures that a page tells, of those that were measured; the first ones of many."""
MOST_SCORES = 3


@cache
def words() -> dict[str, Both]:
    """Return every text of a page, by its key."""
    text = (resources.files("latentia.pages") / "templates" / "words.json").read_text("utf-8")
    table: dict[str, Both] = json.loads(text)
    return table


def said(key: str, values: Mapping[str, object] = NO_VALUES) -> Both:
    """Return a text with values in it, each a word for both languages or one for each."""
    return {
        language: words()[key][language].format_map(
            {k: v[language] if isinstance(v, dict) else v for k, v in values.items()}
        )
        for language in LANGUAGES
    }


def both(text: str) -> Both:
    """Return a text that is the same in both languages: a name, a number."""
    return dict.fromkeys(LANGUAGES, text)


def name_of(model: Any) -> Both:
    """Return a model's full name; a class of the user's own keeps its own."""
    name = type(model).__name__
    return {
        "en": NAMES[name][2] if name in NAMES else name,
        "ko": korean.NAMES.get(name, name),
    }


def facts(model: Any, data: Dataset | None, run: Path | None) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table: a heading, its sentences, and what a reader may want to add."""
    config, figures = recorded(run)
    yield row("model", [name_of(model), *sizes(model)])
    entry = entry_of(run)
    learnt_from = [both(name)] if (name := data_name(data, run)) else []
    yield row("trained", [*learnt_from, *trained(model, config, figures)])
    scores = [score(key, figures[key]) for key in SCORES if key in figures][:MOST_SCORES]
    for told, meaning in scores:
        yield row("score", [told], meaning)
    if "memorisation" in figures:
        told, meaning = score("memorisation", figures["memorisation"])
        yield row("copies", [told], meaning)
    yield row("doctor", doctor(model, run))
    yield row("learnt", [both(f"{model.n_parameters():,}")])
    if data is not None:
        origin = [both(data.origin)] if data.origin else []
        licence = both(data.licence) if data.licence else said("licence/unknown")
        yield row("licence", [licence], origin[0] if origin else None)
    elif entry is not None:
        yield row("licence", [both(entry.licence)])
    yield row("version", [both(f"Latentia {__version__}")])


def entry_of(run: Path | None) -> Entry | None:
    """Return what a zoo's index says of a model in it."""
    return None if run is None else read_index(run.parent).get(run.name)


def data_name(data: Dataset | None, run: Path | None) -> str:
    """Return what a model learnt from: by its data, its run, or the zoo that it is in."""
    if data is not None:
        return Path(data.name).name
    config, _ = recorded(run)
    spec = "" if config is None else config.data.get("spec", "")
    entry = entry_of(run)
    return without_folders(str(spec)) or (entry.data if entry is not None else "")


def row(key: str, texts: list[Both], more: Both | None = None) -> dict[str, Any]:
    """Return a row of the table: its heading, its texts as one, and a smaller one below."""
    text = {lang: ", ".join(t[lang] for t in texts if t[lang]) for lang in LANGUAGES}
    return {"label": said(f"fact/{key}"), "text": text, "more": more}


def recorded(run: Path | None) -> tuple[RunConfig | None, Mapping[str, float]]:
    """Return what a run's folder says of its training and its figures, if it says anything."""
    if run is None:
        return None, {}
    config = None
    # The zoo's models have figures, and are no runs any more.
    with suppress(InputError):
        config = RunConfig.read(run)
    file = run / "evaluation.json"
    found = json.loads(read_limited(file)) if file.exists() else {}
    numbers = found if isinstance(found, dict) else {}
    return config, {
        key: value
        for key, value in numbers.items()
        if isinstance(value, int | float) and math.isfinite(value)
    }


def sizes(model: Any) -> Iterator[Both]:
    """Yield the widths of each net of the model whose layers are dense, or how deep it is."""
    shape = vars(model).get("data_shape_", ())
    if isinstance(model, LatentModel) and not model.nets():
        yield both(f"{math.prod(shape)} → {model.n_latent} → {math.prod(shape)}")
    for name, net in model.nets().items():
        weights = [w for _, w in net.named_parameters() if w.ndim > 1]
        if not weights:
            continue
        if all(w.ndim == 2 for w in weights):
            chain = [weights[0].shape[1], *(w.shape[0] for w in weights)]
            yield both(f"{name.strip('_')} {' → '.join(map(str, chain))}")
        else:
            layers = said("layers/convolutional", {"n": sum(w.ndim > 2 for w in weights)})
            yield {lang: f"{name.strip('_')} {text}" for lang, text in layers.items()}


def trained(model: Any, config: RunConfig | None, figures: Mapping[str, float]) -> Iterator[Both]:
    """Yield how many rows there were, and how long training took."""
    origin = {} if config is None else config.data
    shape = tuple(vars(model).get("data_shape_", ()))
    n = origin.get("samples")
    if len(shape) == 1 and isinstance(n, int):
        yield said("trained/rows", {"n": f"{n:,}", "d": shape[0]})
    elif len(shape) > 1 and isinstance(n, int):
        yield said("trained/images", {"n": f"{n:,}", "shape": by(shape)})
    epochs = vars(model).get("n_epochs_")
    if epochs:
        many = said("trained/epochs", {"n": f"{epochs:,}"})
        yield many if epochs > 1 else said("trained/epoch")
    if "seconds" in figures:
        yield took(figures["seconds"])


def by(shape: tuple[int, ...]) -> str:
    """Return an image's sides, width before height, as people say them."""
    height, width = shape[-2:]
    return f"{width} × {height}"


def took(seconds: float) -> Both:
    """Return a time in words.

    >>> took(12.34)["en"], took(1.234)["en"], took(200)["ko"], took(9000)["en"]
    ('12 s', '1.2 s', '3분', '2.5 h')
    """
    if seconds < 120:
        value = f"{seconds:.2g}" if seconds < 10 else f"{seconds:.0f}"
        return {"en": f"{value} s", "ko": f"{value}초"}
    if seconds < 7200:
        return {"en": f"{seconds / 60:.0f} min", "ko": f"{seconds / 60:.0f}분"}
    return {"en": f"{seconds / 3600:.1f} h", "ko": f"{seconds / 3600:.1f}시간"}


def score(key: str, value: float) -> tuple[Both, Both]:
    """Return a figure with its direction, and what it means."""
    known, (label, meaning) = DEFINITIONS[key], korean.METRICS[key]
    better = said(f"better/{known.better}")
    unit = {"en": known.unit, "ko": korean.UNITS[known.unit]}
    heads = {"en": known.label, "ko": label}
    told = {}
    for lang in LANGUAGES:
        number = f"{heads[lang]} {format_number(value)}" + f"\u00a0{unit[lang]}" * bool(unit[lang])
        told[lang] = f"{number}: {better[lang]}" if better[lang] else number
    return told, {"en": known.meaning, "ko": meaning}


def doctor(model: Any, run: Path | None) -> list[Both]:
    """Return what the last checkup found: in English its own sentence, in Korean in short."""
    name = vars(model).get("diagnosis_")
    if f"doctor/{name}" not in words():
        return []
    found = said(f"doctor/{name}")
    records = read_metrics(run) if run is not None else []
    checkups = [record for record in records if record["split"] == "health"]
    if checkups and checkups[-1].get("note"):
        found = found | {"en": checkups[-1]["note"]}
    return [found]


def commands(run: Path | None, out: Path) -> list[str]:
    """Return the commands that make such a page, as far as the run tells."""
    if run is None:
        return [f"model.export({out.name!r})"]
    config, _ = recorded(run)
    in_zoo = entry_of(run) is not None
    name = f"zoo:{run.name}" if in_zoo else shlex.quote(run.name)
    export = f"latentia export {name} --out {shlex.quote(out.name)}"
    if in_zoo:
        return [f"latentia reproduce {name}", export]
    if config is None or "spec" not in config.data:
        return [export]
    # Where the data lie on the machine that made the page is nobody's business.
    data = f"--data {shlex.quote(without_folders(str(config.data['spec'])))}"
    asked = {"image_size": config.data.get("image_size"), "held_out": config.data.get("held_out")}
    options = asked | dict(config.data.get("options", {}))
    told = [flag_of(name, value) for name, value in options.items() if value is not None]
    train = [f"latentia train {command_name(config.model)}", data, *told, *flags(config)]
    return [" ".join([*train, f"--run {shlex.quote(run.name)}"]), export]


def flags(config: RunConfig) -> Iterator[str]:
    """Yield a run's parameters that are not the defaults, as the command takes them."""
    for field in model_fields(config.model):
        value = config.parameters.get(field.name)
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        if field.name not in config.parameters or value == default or isinstance(value, dict):
            continue
        yield flag_of(field.name, value)


def flag_of(name: str, value: object) -> str:
    """Return a value as a flag of the command."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    if isinstance(value, list):
        return f"--{flag} {' '.join(shlex.quote(str(part)) for part in value) or 'none'}"
    size, _, how = str(value).partition(" ")
    if name == "image_size" and how:
        return f"--{flag} {size} --{how}"
    return f"--{flag} {'none' if value is None else shlex.quote(str(value))}"


def family_of(model: Any) -> str:
    """Return whose formula is the model's: its own, or that of the model it derives from."""
    known = nearest_known(model)
    bases = [kind.__name__ for kind in type(model).__mro__]
    names = [FAMILIES.get(known or "", known or ""), *bases]
    return next((name for name in names if f"formula/{name}" in words()), "")


FAMILIES = {"LinearAutoencoder": "Autoencoder", "LinearVAE": "VAE", "DCGAN": "GAN"}
"""Models whose formula is that of another."""
