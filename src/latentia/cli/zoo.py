"""``latentia zoo`` and ``latentia reproduce``: trained models by name, and their training again."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from latentia.cli.parser import Parser, add_command, free_path
from latentia.errors import InputError
from latentia.files import is_empty

ACTIONS = {
    "list": "List the models of the zoo: what they are, how good, and where.",
    "add": "Put the model of a finished run into a zoo, with its recipe and its card.",
}
SAME, OTHER = 0, 1
ENTRY_FLAGS = {
    "--figure": "the figure that is named first, such as psnr_denoised (default: by the model)",
    "--data-name": "what the data are called, if they are no named set",
    "--licence": "of the data, if they are no named set",
    "--note": "what its pictures look like, to someone who doubts them",
}


def zoo(parser: Parser, words: list[str]) -> None:
    """List the zoo's trained models, or add one."""
    parser.epilog = "'latentia zoo ACTION --help' tells an action's options."
    chosen = add_command(parser, words, ACTIONS, "zoo has no action", "ACTION")
    parser.set_defaults(call=lambda _: parser.print_help())
    if chosen is None:
        return
    if words[0] == "list":
        chosen.add_argument("--out", type=Path, help="write a .md of it instead")
        chosen.add_argument(
            "--overwrite", action="store_true", help="replace the file if it exists"
        )
        chosen.set_defaults(call=_list)
        return
    chosen.add_argument("run", type=Path, help="the directory of a finished run")
    chosen.add_argument("name", help="small letters, digits and hyphens, such as vae-mnist")
    for flag, text in ENTRY_FLAGS.items():
        chosen.add_argument(flag, default="", help=text)
    chosen.add_argument("--data", help="to measure on (default: the data that it was trained on)")
    chosen.add_argument(
        "--cpu-minutes",
        type=float,
        help="what the training took (default: at most its wall clock times its threads)",
    )
    chosen.add_argument(
        "--n-importance", type=int, help="bound log p(x) too, with so many draws for each sample"
    )
    chosen.add_argument(
        "--judge", type=Path, metavar="CLASSIFIER", help="judge samples too, as evaluate does"
    )
    chosen.add_argument(
        "--examples",
        type=Path,
        metavar="PICTURE",
        help="of images that a translator's page begins with, a row for each way, which anybody "
        "may have",
    )
    chosen.add_argument("--overwrite", action="store_true", help="replace the entry of this name")
    chosen.set_defaults(call=_add)


def _list(given: argparse.Namespace) -> None:
    from latentia.pages.zoo_list import page, table

    if given.out is None:
        print(*table(), sep="\n")
        return
    from latentia.files import refuse_existing, write_atomically

    refuse_existing(given.out, given.overwrite)
    write_atomically(given.out, page().encode())
    print(given.out)


def _add(given: argparse.Namespace) -> None:
    from latentia.models.zoo import own_folder
    from latentia.pages.zoo import Told, add

    told = Told(
        data=given.data,
        data_name=given.data_name,
        licence=given.licence,
        figure=given.figure,
        note=given.note,
        cpu_minutes=given.cpu_minutes,
        n_importance=given.n_importance,
        judge=given.judge,
        examples=given.examples,
    )
    folder = own_folder()
    entry = add(given.run, given.name, folder, told, given.overwrite)
    print(f"{folder / given.name}: {entry.n_bytes / 1e6:.2f} MB")
    print(f'load it by: latentia.load("zoo:{given.name}")')


def reproduce(parser: Parser, words: list[str]) -> None:
    """Train a model of the zoo again by its recipe, and compare."""
    parser.description = (
        "Train a model of the zoo again by its recipe. On the same kind of machine (processor, "
        "system, threads, versions of the libraries) it must have the same bytes, elsewhere its "
        "figures must lie within the bounds that its card states; else the exit status is 1. A "
        "run that was stopped goes on."
    )
    parser.add_argument("model", metavar="zoo:NAME", help="'latentia zoo list' lists them")
    parser.add_argument("--run", type=Path, help="the run directory (default: a new one in runs/)")
    parser.add_argument("--data", help="where the data lie, if they are no named set")
    parser.set_defaults(call=_reproduce)


def _reproduce(given: argparse.Namespace) -> int:
    from latentia.models.zoo import RECIPE, entry_of, folder_of, is_in_zoo, name_in

    address = given.model if is_in_zoo(given.model) else f"zoo:{given.model}"
    name = name_in(address)
    _, entry = entry_of(name)
    recipe = folder_of(address) / RECIPE
    run = given.run or free_path(f"runs/{name}")
    threads = entry.machine.get("threads", "1")
    there = {"LATENTIA_THREADS": threads, "OMP_NUM_THREADS": threads}
    there |= {"LATENTIA_PRECISION": entry.machine.get("precision", "auto")}
    words = list(_training(recipe, run, given.data, entry.machine.get("processes", "1")))
    # Threads are set before the libraries are loaded, and so in a process of its own.
    ended = subprocess.run([sys.executable, "-m", "latentia", *words], env=os.environ | there)
    if ended.returncode:
        return ended.returncode
    from latentia.evaluation.reproduction import reproduction
    from latentia.models.saved import load

    found = reproduction(entry, load(run), run)
    print(*found.sentences, sep="\n")
    return SAME if found.holds else OTHER


def _training(recipe: Path, run: Path, data: str | None, processes: str) -> Iterator[str]:
    """Yield the words of the command that trains, or that goes on with what was begun."""
    if (run / "config.json").exists() and not (run / "report.html").exists():
        yield from ("resume", str(run))
        return
    if os.path.lexists(run) and not is_empty(run):
        raise InputError(f"{run} exists, and is no run that was stopped: give another --run")
    yield from ("train", "--recipe", str(recipe), "--run", str(run))
    yield from ("--devices", processes) if processes != "1" else ()
    yield from ("--data", data) if data is not None else ()
