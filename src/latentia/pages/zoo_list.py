"""The zoo as a table: at the terminal, and as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from latentia.metrics.definitions import DEFINITIONS
from latentia.models.fields import command_name
from latentia.models.zoo import CHECKOUT, SHIPPED, Entry, Zoo, differing, fetched_folder, zoos
from latentia.plots.page import format_number

HEAD = ("name", "model", "data", "MB", "figure", "CPU min", "where")
ABOUT = """\
# The zoo

Printed by `latentia zoo list --out docs/zoo.md --overwrite`. Trained models by name:

```console
$ latentia zoo list
$ latentia sample zoo:vae-mnist-20d -n 64 --out samples.png   # every verb takes zoo:NAME
$ latentia export zoo:vae-mnist-20d --out page.html
$ latentia reproduce zoo:pca-mnist                            # train it again, and compare
```

In Python `latentia.load("zoo:NAME")`. The smallest come with Latentia; the others are in the folder
`zoo` of a checkout, or are fetched once, and kept only if every SHA-256 is that of the index. Each
has a card (data and their licence, seed, figures with the command that prints them, the search for
copies, what the doctor said, what it is not for) and a recipe.

`latentia reproduce` trains by the recipe. Where processor, instructions, system, threads,
precision and the libraries' versions are those that the entry records, the weights must have the
same SHA-256; elsewhere the figures must lie within the bounds on the card. Nets' weights are kept
in 16 bits, and arrays in 32, where no figure of the test part then changes by more than a tenth of
its standard error (a hundredth of itself, if it has none).

A zoo of your own is a folder, or an address that serves it. `LATENTIA_ZOO=my-zoo latentia zoo add
RUN NAME` puts a finished run there, with card, recipe and hashes, and `LATENTIA_ZOO=https://...`
reads it elsewhere. In a checkout without `LATENTIA_ZOO` the entry goes into its folder `zoo`.
"""


def rows() -> Iterator[tuple[str, ...]]:
    """Yield what each model of each zoo is: name, model, data, size, figure, CPU time, place."""
    taken = set[str]()
    for zoo in zoos():
        for name, entry in zoo.entries.items():
            if name not in taken:
                taken.add(name)
                yield (name, *_told(entry), _where(name, zoo, entry))


def _told(entry: Entry) -> tuple[str, ...]:
    figure = ""
    if entry.main:
        known = DEFINITIONS[entry.main]
        figure = f"{known.label} {format_number(entry.figures[entry.main])} {known.unit}".strip()
    minutes = f"{'' if entry.cpu_measured else '≤ '}{entry.cpu_minutes:.2g}"
    size = f"{entry.n_bytes / 1e6:.2f}"
    return command_name(entry.model), entry.data, size, figure, minutes


def _where(name: str, zoo: Zoo, entry: Entry) -> str:
    """Return where a model is, in a word."""
    if not zoo.is_remote and (Path(zoo.place) / name).is_dir():
        words = {str(SHIPPED): "shipped", str(CHECKOUT): "checkout"}
        return words.get(zoo.place, zoo.place)
    return "to be fetched" if differing(fetched_folder(name, entry), entry) else "fetched"


def table() -> Iterator[str]:
    """Yield the lines of the table, in columns."""
    lines = [HEAD, *rows()]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()


def page() -> str:
    """Return Latentia's own zoo as a page in Markdown."""
    own = next(iter(zoos()))
    head = ("name", "model", "data", "MB", "figure", "CPU minutes", "comes with Latentia")
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, entry in own.entries.items():
        link = f"[{name}](../zoo/{name}/README.md)"
        cells = (link, *_told(entry), "yes" if entry.ships else "")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([ABOUT, *lines]) + "\n"
