"""A model card: the README.md of a model on a hub, with the YAML header that hubs read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latentia import __version__
from latentia.data import names
from latentia.data.dataset import Dataset
from latentia.errors import InputError
from latentia.evaluation.memorisation import MOST_COMPARED, MOST_TRAINING_VALUES
from latentia.metrics.definitions import DEFINITIONS
from latentia.metrics.neighbours import copying_test
from latentia.models.base import Encoder, Model, Sampler
from latentia.models.exported import Exported
from latentia.models.fields import command_name, reference_of, summary_of
from latentia.models.inputs import spread, unit_floats
from latentia.models.language.base import LanguageModel
from latentia.models.measures import left_out
from latentia.models.own_parts import told
from latentia.models.saved import loading_call
from latentia.models.zoo import is_in_zoo
from latentia.pages import provenance
from latentia.plots.grids import is_drawable
from latentia.plots.page import format_number

ON_HUBS = {
    "mnist": "ylecun/mnist",
    "fashion-mnist": "zalando-datasets/fashion_mnist",
    "fashion-mnist-small": "zalando-datasets/fashion_mnist",
}
"""Named data by what hubs call them."""
PUBLIC_LICENCES = (
    (r"CC0", "cc0-1.0"),
    (r"CC (BY(?:-[A-Z]{2})*) (\d\.\d)", r"cc-\1-\2"),
    (r"MIT", "mit"),
    (r"Apache\S* 2(?:\.0)?", "apache-2.0"),
)
"""How licences are written, and what hubs call them."""
NO_METRICS = ("seconds", "n_parameters")
"""Figures that say nothing of how good a model is."""
NO_TASK = "other"
PAGE = "index.html"
MEASURED = (
    "The first command trained it and measured it, on the test part of the data; the second "
    "measures it anew."
)
MEASURED_AGAIN = "They were measured on the test part of the data, as this command does:"
GENERAL = (
    "Decisions about people, medicine, safety: it is made to learn and to teach with, and nobody "
    "has checked it for anything else."
)
OF_KINDS = {
    "drawn": "Evidence: what it draws is made up, and may resemble what it learnt from.",
    "mended": "Reading what cannot be seen: detail that it adds is guessed, and must not be used "
    "to recognise people, numbers or findings in pictures.",
    "written": "Facts: what it writes is likely by its characters, and nothing has checked that it "
    "is true.",
    "coded": "Other data than those it learnt from: its codes mean something of these alone.",
}


@dataclass(frozen=True)
class Subject:
    """A model that goes to a hub or the zoo: what it is called there, and what is known of it.

    ``data`` is what it learnt from, where that is there; ``run`` the directory of its training.
    """

    model: Any
    name: str
    data: Dataset | None = None
    run: Path | None = None

    @property
    def address(self) -> str:
        """What loads it: ``hf://name/model``, or ``zoo:NAME`` as it is called."""
        return self.name if is_in_zoo(self.name) else f"hf://{self.name}"

    @property
    def figures(self) -> Mapping[str, float]:
        """The recorded evaluation."""
        _, found = provenance.recorded(self.run)
        return {key: value for key, value in found.items() if key in DEFINITIONS}

    @property
    def spec(self) -> str:
        """The name of its data, if everybody can load them by it."""
        config, _ = provenance.recorded(self.run)
        known = config.data.get("spec", "") if config else self.data.spec if self.data else ""
        return str(known) if known in names() else ""

    @property
    def is_public(self) -> bool:
        """Whether the licence of its data is known, so that some of them may be shown."""
        return self.data is not None and bool(self.data.licence)

    @property
    def named(self) -> str:
        """What its data are called, without where they lay."""
        config, _ = provenance.recorded(self.run)
        known = self.data.name if self.data else config.data.get("spec", "") if config else ""
        return Path(str(known)).name


def card(subject: Subject, page: bool) -> str:
    """Return the card: its header, and what it tells; ``page`` says that a page lies beside it."""
    # It comes with huggingface-hub.
    import yaml

    header = yaml.safe_dump(metadata(subject), sort_keys=False, allow_unicode=True)
    parts = [
        f"# {escaped(provenance.name_of(subject.model)['en'])}",
        escaped(" ".join(filter(None, [summary_of(subject.model), reference_of(subject.model)]))),
        "\n".join(loading(subject)),
        *(
            ["Download [" + PAGE + f"]({PAGE}) and open it: it runs the model, without a server."]
            * page
        ),
        "## What it learnt from",
        "\n".join(f"- {escaped(line)}" for line in learnt(subject)),
        *figures_told(subject),
        "## What it is not for",
        "\n".join(f"- {line}" for line in not_for(subject.model)),
        "## Parameters",
        "\n".join(parameters(subject.model)),
        f"Written by Latentia {__version__}.",
    ]
    return f"---\n{header}---\n\n" + "\n\n".join(parts) + "\n"


def metadata(subject: Subject) -> dict[str, Any]:
    """Return what hubs read: licence, tags, the task, data, and figures as a model index."""
    model = subject.model
    task = pipeline(model)
    found: dict[str, Any] = licence(subject.data)
    found |= {"library_name": "latentia", "tags": ["latentia", "latent-variable-model"]}
    found["tags"] += [command_name(type(model).__name__)]
    if task:
        found["pipeline_tag"] = task
    if subject.spec in ON_HUBS:
        found["datasets"] = [ON_HUBS[subject.spec]]
    figures = {key: v for key, v in subject.figures.items() if key not in NO_METRICS}
    if not figures:
        return found
    data = {"name": subject.named, "type": ON_HUBS.get(subject.spec, slug(subject.named))}
    metrics = [
        {"type": key, "name": DEFINITIONS[key].label, "value": float(value)}
        for key, value in figures.items()
    ]
    result = {"task": {"type": task or NO_TASK}, "dataset": data, "metrics": metrics}
    index = [{"name": subject.name.split("/")[1], "results": [result]}]
    return found | {"metrics": list(figures), "model-index": index}


def licence(data: Dataset | None) -> dict[str, str]:
    """Return the licence of the data, as hubs call it; nothing where it is not known.

    >>> from dataclasses import replace
    >>> from latentia import load_data
    >>> licence(load_data("digits"))
    {'license': 'cc-by-4.0'}
    >>> licence(replace(load_data("digits"), licence="for research alone"))
    {'license': 'other', 'license_name': 'for-research-alone'}
    """
    if data is None or not data.licence:
        return {}
    for written, called in PUBLIC_LICENCES:
        if found := re.search(rf"\b{written}(?!\S)", data.licence):
            return {"license": found.expand(called).lower()}
    return {"license": "other", "license_name": slug(data.licence)}


def slug(text: str) -> str:
    """Return a text as hubs write names.

    >>> slug("That of MNIST!")
    'that-of-mnist'
    """
    return re.sub(r"[^\w]+", "-", text.lower()).strip("-") or "unnamed"


def pipeline(model: Model) -> str:
    """Return what hubs call the model's task, if it has one among theirs."""
    if isinstance(model, LanguageModel):
        return "text-generation"
    functions = functions_of(model)
    if {"translate", "upscale"} & functions.keys():
        return "image-to-image"
    images = any(q.kind == "image" for f in functions.values() for q in (*f.inputs, *f.outputs))
    if images and isinstance(model, Sampler) and not model.takes_labels:
        return "unconditional-image-generation"
    return "image-feature-extraction" if images and isinstance(model, Encoder) else ""


def functions_of(model: Model) -> dict[str, Exported]:
    """Return the functions that a model offers to be exported, if it states any."""
    try:
        return {function.name: function for function in model.exported()}
    except InputError:
        return {}


def loading(subject: Subject) -> Iterator[str]:
    """Yield the lines that load the model, and what it is asked first."""
    model = subject.model
    yield "```python"
    if not is_in_zoo(subject.name):
        yield "# pip install 'latentia[hub]'"
    yield from ("import latentia", "", loading_call(model, subject.address))
    if isinstance(model, Sampler):
        yield "x = model.sample(16, random_state=0)"
    elif "translate" in functions_of(model):
        yield "y = model.transform(images)"
    elif isinstance(model, Encoder):
        yield "z = model.transform(X)"
    yield "```"


def learnt(subject: Subject) -> Iterator[str]:
    """Yield the facts of the training, but for the figures."""
    for row in provenance.facts(subject.model, subject.data, subject.run):
        if row["label"] not in (provenance.said("fact/score"), provenance.said("fact/copies")):
            told_in_english = row["text"]["en"]
            if told_in_english:
                yield f"{row['label']['en']}: {told_in_english}"
    if not subject.is_public:
        yield "The licence of the data is not known, and nothing of them lies here."


def figures_told(subject: Subject) -> Iterator[str]:
    """Yield the recorded figures as a table, how they came about, and the search for copies."""
    if subject.figures:
        yield "## Figures"
        lines = ["| figure | value | better | meaning |", "|---|---|---|---|"]
        for key, value in subject.figures.items():
            known = DEFINITIONS[key]
            number = f"{format_number(value)} {known.unit}".strip()
            cells = (known.label, number, known.better, known.meaning)
            lines.append("| " + " | ".join(map(escaped, cells)) + " |")
        yield "\n".join(lines)
        made = [line for line in provenance.commands(subject.run, Path(PAGE)) if " train " in line]
        again = f"latentia evaluate {subject.address}"
        again += "" if subject.spec else f" --data {slug(subject.named)}"
        yield MEASURED if made else MEASURED_AGAIN
        yield "\n".join(["```", *made, again, "```"])
    copies = copying(subject)
    if copies:
        yield "## Copies of training data"
        yield escaped(copies)


def copying(subject: Subject) -> str:
    """Return the statistic of copied training images, of a model that draws images."""
    model, data = subject.model, subject.data
    if data is None or not isinstance(model, Sampler) or not is_drawable(np.shape(data.x_test)):
        return ""
    n = min(MOST_COMPARED, len(data.x_test))
    most = max(n, MOST_TRAINING_VALUES // data.x_test[0].size)
    with left_out("the search for copies"):
        train, test = (
            unit_floats(spread(x, k)) for x, k in ((data.x_train, most), (data.x_test, n))
        )
        return str(copying_test(train, test, model.drawn_for(data, n, 0)))
    return ""


def not_for(model: Model) -> Iterator[str]:
    """Yield what the model is not for."""
    yield GENERAL
    kinds = {
        "written": isinstance(model, LanguageModel),
        "mended": pipeline(model) == "image-to-image",
        "drawn": isinstance(model, Sampler),
        "coded": isinstance(model, Encoder) and pipeline(model) != "image-to-image",
    }
    yield from (OF_KINDS[kind] for kind, holds in kinds.items() if holds)


def parameters(model: Model) -> Iterator[str]:
    """Yield a table of the hyperparameters."""
    yield from ("| parameter | value |", "|---|---|")
    for key, value in told(model).items():
        yield f"| {escaped(key)} | {escaped(str(value))} |"


def escaped(text: str) -> str:
    r"""Return words as they stand in Markdown, in which nothing of them is a mark.

    >>> print(escaped("<b>a|b</b>\n`x`"))
    &lt;b&gt;a\|b&lt;/b&gt; \`x\`
    """
    line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*\[\]|])", r"\\\1", line)
