"""A page for each model, made from its class, its fields, the tables of figures and the zoo.

What no docstring says, when to use a model and when not, is in ``models.toml``; a model without an
entry there stops the build.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import latentia
from generate.text import definitions, home, inline, introduction, prose, references
from latentia.models.fields import Field, command_name, model_fields, model_summary

FAMILIES = {
    "linear": "Linear, in closed form or by EM",
    "factors": "Linear, in closed form or by EM",
    "autoencoders": "Autoencoders",
    "clustering": "Clustering",
    "adversarial": "Games",
    "translation": "From image to image",
    "language": "Texts",
}
VERBS = ("fit", "transform", "inverse_transform", "reconstruct", "sample", "score", "score_samples")
TABLES = (
    "autoencoders", "gans", "gan_quality", "mode_coverage", "pix2pix", "cyclegan",
    "super_resolution", "sequences",
)  # fmt: skip
"""The pages whose tables hold figures of models."""


def write_models(root: Path, source: Path) -> None:
    """Write the pages of all models and their list."""
    folder = source / "models"
    folder.mkdir(exist_ok=True)
    notes = tomllib.loads((source / "models.toml").read_text("utf-8"))
    (source / "models.toml").unlink()
    if left := notes.keys() ^ latentia.MODELS.keys():
        raise SystemExit(f"docs/models.toml and the models differ in {', '.join(sorted(left))}")
    zoo = json.loads((root / "zoo" / "index.json").read_text("utf-8"))
    for name in latentia.MODELS:
        page = model_page(name, notes[name], source, zoo)
        (folder / f"{command_name(name)}.md").write_text(page, "utf-8")
    (folder / "index.md").write_text(list_of_models(notes), "utf-8")


def list_of_models(notes: dict[str, Any]) -> str:
    """Return the page that lists the models by family."""
    parts = [
        "# Models\n\nOne page each: the idea, the equations in the letters of the code, when to "
        "use it and when not, every field, the figure reached beside the published one, and the "
        "papers.\n"
    ]
    pages = "\n".join(command_name(name) for name in latentia.MODELS)
    parts.append(f"```{{toctree}}\n:hidden:\n\n{pages}\n```\n")
    for title in dict.fromkeys(FAMILIES.values()):
        own = [
            n for n, module in latentia.MODELS.items() if FAMILIES[module.split(".")[2]] == title
        ]
        rows = [f"| [{n}]({command_name(n)}.md) | {inline(notes[n]['use'])} |" for n in own]
        parts.append(f"## {title}\n\n| model | take it |\n|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def model_page(name: str, note: dict[str, str], source: Path, zoo: dict[str, Any]) -> str:
    """Return a model's page."""
    cls = getattr(latentia, name)
    doc = cls.__doc__ or ""
    about = introduction(doc).partition("\n")[2].strip()
    command = command_name(name)
    data = note.get("data", "digits")
    parts = [
        f"# {name}",
        inline(model_summary(name)),
        f"```console\n$ latentia train {command} --data {data} --run runs/{command}\n```",
        prose(about) if about else "",
        "## Idea and equations",
        prose(home(cls)),
        "## When to use it, and when not",
        f"**Take it** {inline(note['use'])}",
        f"**Take another** {inline(note['not'])}",
        "## Verbs",
        verbs(cls),
        "## Fields",
        f"Each is an argument of `latentia.{name}`, a flag of `latentia train {command}` and a key "
        "of a recipe.",
        definitions([entry(field) for field in model_fields(name)]),
    ]
    if found := figures(name, source):
        parts += ["## Figures reached", found]
    if entries := [n for n, each in zoo.items() if each["model"] in (command, name)]:
        lines = "\n".join(f"$ latentia sample zoo:{n} --out {n}.png" for n in entries)
        if not hasattr(cls, "sample") or "sample" in lacks(cls):
            lines = "\n".join(f"$ latentia evaluate zoo:{n}" for n in entries)
        parts += ["## Trained ones", f"In [the zoo](../zoo.md):\n\n```console\n{lines}\n```"]
    parts += ["## References", *(f"\\[{n}\\] {inline(text)}" for n, text in references(doc))]
    parts += [f"Attributes, methods and an example: [latentia.{name}](../api/{name}.md)."]
    return "\n\n".join(part for part in parts if part) + "\n"


def lacks(cls: Any) -> dict[str, str]:
    """Return the verbs that a class lacks, each with the reason."""
    return {
        verb: why
        for base in reversed(cls.__mro__)
        for verb, why in vars(base).get("lacks", {}).items()
    }


def verbs(cls: Any) -> str:
    """Return which verbs a class has, and why it lacks the others."""
    without = lacks(cls)
    has = [verb for verb in VERBS if hasattr(cls, verb) and verb not in without]
    made = ["It has " + ", ".join(f"`{verb}`" for verb in has) + "."]
    reasons: dict[str, list[str]] = {}
    for verb in VERBS:
        if verb in without:
            reasons.setdefault(without[verb], []).append(f"`{verb}`")
    made += [f"It has no {' or '.join(names)}: {inline(why)}." for why, names in reasons.items()]
    return " ".join(made)


def entry(field: Field) -> tuple[str, str]:
    """Return a field as a term and its meaning."""
    allowed = [f"`{word}`" for word in field.choices]
    text = "" if field.choices else "text"
    kinds = {"int": "whole number", "float": "number", "bool": "yes or no", "str": text}
    kinds |= {"tuple": "whole numbers", "none": "none"}
    allowed += [kinds.get(kind, kind) for kind in field.kinds]
    said = [", ".join(word for word in dict.fromkeys(allowed) if word)]
    said += [str(field.range)] if field.range else []
    said += ["counts with " + " or ".join(map(str, field.counts_when))] if field.counts_when else []
    default = field.default
    shown = " ".join(map(str, default)) if isinstance(default, tuple) else str(default)
    said += [f"default `{(shown or 'none').replace('None', 'none')}`"]
    return f"`{field.name}`", f"{inline(field.help)} ({inline('; '.join(said))})"


def figures(name: str, source: Path) -> str:
    """Return the rows of the pages of figures that begin with a model's name."""
    command = command_name(name)
    known = {name.lower(), command, command.replace("-", "_"), command.replace("-", " "),
             command.replace("-", ""), {"conditional-gan": "cgan", "wgan-gp": "wgangp",
             "autoencoder": "deep_autoencoder", "denoising-autoencoder": "denoising_autoencoder",
             "vae": "vae"}.get(command, command)}  # fmt: skip
    made = []
    for table in TABLES:
        lines = (source / f"{table}.md").read_text("utf-8").splitlines()
        for rows in tables(lines):
            head, rule, *body = rows
            own = [row for row in body if _key(row) in known or _second_key(row) in known]
            if own:
                made.append(
                    "\n".join([head, rule, *own]) + f"\n\nFrom [{_title(lines)}](../{table}.md)."
                )
    return "\n\n".join(made)


def tables(lines: list[str]) -> list[list[str]]:
    """Return the tables of a page, each as its lines."""
    found: list[list[str]] = []
    for i, line in enumerate(lines):
        if line.startswith("|"):
            if i and lines[i - 1].startswith("|"):
                found[-1].append(line)
            else:
                found.append([line])
    return [table for table in found if len(table) > 2]


def _key(row: str) -> str:
    cell = row.split("|")[1].strip().strip("`").lower()
    return re.sub(r"(_mnist|_fashion)?\.toml$", "", cell)


def _second_key(row: str) -> str:
    cells = row.split("|")
    return cells[2].strip().lower() if len(cells) > 3 else ""


def _title(lines: list[str]) -> str:
    return lines[0].lstrip("# ").strip()
