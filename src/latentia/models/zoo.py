"""The zoo: trained models by name, ``zoo:NAME``.

A zoo is a folder, or an address that serves one. It holds ``index.json`` and, for each model, a
folder of that name: a saved model, its recipe and its card. The index says what each is, and has
the SHA-256 of every file. Latentia's own zoo is in its checkout; an installed Latentia has the
index and the smallest models, and fetches the others. ``LATENTIA_ZOO`` names another zoo beside
it: one's own folder, or an address. A name of Latentia's own index means those bytes alone.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import latentia
from latentia.data.download import RemoteFile, cache_folder, fetch_all, fetch_bytes
from latentia.errors import InputError, nearest
from latentia.files import MOST_JSON, read_json, write_atomically

SCHEME = "zoo:"
VARIABLE = "LATENTIA_ZOO"
INDEX, RECIPE = "index.json", "recipe.toml"
FILES = ("config.json", "model.safetensors", "README.md", RECIPE, "evaluation.json")
EXAMPLES = "examples.png"
"""A file that an entry may have too: pictures that its page begins with."""
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
LEADS_THERE = re.compile(r"\s*zoo:", re.IGNORECASE)
SHIPPED = Path(__file__).parent / "shipped"
"""The folder of what an installed Latentia has."""
CHECKOUT = Path(latentia.__file__).parents[2] / "zoo"
NO_ADDRESS = (
    "{} is not on this machine, and this Latentia knows no address to fetch it from: set "
    f"{VARIABLE} to the folder zoo of a checkout, or to an address that serves it"
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A model of a zoo, as the index tells it."""

    model: str
    """Its class."""
    summary: str
    """What it is, in a line."""
    data: str
    """What it learnt from."""
    licence: str
    """Of the data."""
    seed: int | None
    cpu_minutes: float
    """Of the training; at most so many (wall clock times threads) unless ``cpu_measured``."""
    cpu_measured: bool
    figures: dict[str, float]
    """What `latentia evaluate` prints of the test part."""
    bounds: Mapping[str, float]
    """How far a figure may be from these after a training on another machine."""
    machine: Mapping[str, str]
    """What decides the last bits of a training: `latentia.evaluation.reproduction.machine`."""
    trained_sha256: str
    """Of the weights as training left them, which may be more exact than those that are kept."""
    ships: bool
    """Whether an installed Latentia has it."""
    files: Mapping[str, Mapping[str, Any]]
    """``sha256`` and ``bytes`` of each file."""

    @property
    def n_bytes(self) -> int:
        """What its files take together."""
        return sum(file["bytes"] for file in self.files.values())

    @property
    def main(self) -> str:
        """The figure that is named first, or nothing."""
        return next(iter(self.bounds), "")


KINDS: Mapping[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("model", "summary", "data", "licence", "trained_sha256"), str),
    **dict.fromkeys(("figures", "bounds", "machine", "files"), dict),
    **dict.fromkeys(("ships", "cpu_measured"), bool),
    **{"seed": (int, type(None)), "cpu_minutes": (int, float)},
}


@dataclass(frozen=True)
class Zoo:
    """A folder or an address with its index."""

    place: str
    entries: Mapping[str, Entry]

    @property
    def is_remote(self) -> bool:
        """Whether it is an address."""
        return is_address(self.place)


def is_in_zoo(given: object) -> bool:
    """Return whether what was given names a model of the zoo.

    >>> is_in_zoo("zoo:pca-mnist"), is_in_zoo("zoo/pca-mnist")
    (True, False)
    """
    return isinstance(given, str | os.PathLike) and LEADS_THERE.match(str(given)) is not None


def is_address(place: str) -> bool:
    """Return whether a place is an address of the network and not a folder."""
    return re.match("https?://", place, re.IGNORECASE) is not None


def name_in(given: str | os.PathLike[str]) -> str:
    """Return the name in ``zoo:NAME``."""
    return str(given).strip().partition(":")[2].strip("/").lower()


def folder_of(given: str | os.PathLike[str]) -> Path:
    """Return the folder of ``zoo:NAME``, fetched if it is not on this machine.

    Raises
    ------
    InputError
        For a name that no zoo has, a file that is not what the index says, or one that cannot be
        fetched.
    """
    name = name_in(given)
    zoo, entry = entry_of(name)
    return _folder(name, zoo, entry)


def entry_of(name: str) -> tuple[Zoo, Entry]:
    """Return the zoo that has a name, Latentia's own first, and what its index tells of it."""
    known: list[str] = []
    for zoo in zoos():
        if name in zoo.entries:
            return zoo, zoo.entries[name]
        known += zoo.entries
    raise InputError(
        f"the zoo has no model {name!r} ('latentia zoo list' lists them){nearest(name, known)}"
    )


def zoos() -> Iterator[Zoo]:
    """Yield Latentia's own zoo, and the one that ``LATENTIA_ZOO`` names, if that is another."""
    own = CHECKOUT if (CHECKOUT / INDEX).is_file() else SHIPPED
    yield Zoo(str(own), read_index(own))
    named = os.environ.get(VARIABLE, "").rstrip("/")
    if is_address(named):
        yield Zoo(named, _remote_index(named))
    elif named and Path(named).expanduser().resolve() != own.resolve():
        folder = Path(named).expanduser()
        yield Zoo(str(folder), read_index(folder))


def own_folder() -> Path:
    """Return the folder that models are added to: ``LATENTIA_ZOO``, or that of the checkout."""
    named = os.environ.get(VARIABLE, "")
    if is_address(named):
        raise InputError(f"{VARIABLE} is {named}; models are added to a folder: set it to one")
    if not named and not CHECKOUT.parent.joinpath("pyproject.toml").is_file():
        raise InputError(f"there is no zoo to add to: set {VARIABLE} to a folder of your own")
    return Path(named).expanduser() if named else CHECKOUT


def read_index(folder: Path) -> dict[str, Entry]:
    """Return the index of a zoo's folder; of one without, or that is not there, nothing."""
    file = folder / INDEX
    if not file.exists():
        return {}
    try:
        return _entries(read_json(file))
    except (OSError, ValueError) as error:
        raise InputError(f"{file} is no index of a zoo: {error}") from None


def write_index(folder: Path, entries: Mapping[str, Entry]) -> None:
    """Write the index of a zoo's folder, by name."""
    table = {name: asdict(entries[name]) for name in sorted(entries)}
    text = json.dumps(table, indent=1, ensure_ascii=False) + "\n"
    write_atomically(folder / INDEX, text.encode())


def _entries(table: Any) -> dict[str, Entry]:
    """Return what a parsed index tells; a ValueError says what is wrong with it."""
    if not isinstance(table, dict):
        raise ValueError("it must hold a table")
    names = {field.name for field in fields(Entry)}
    found = {}
    for name, told in table.items():
        if not NAME.fullmatch(name) or not isinstance(told, dict) or told.keys() != names:
            raise ValueError(f"{name!r} is not described as this Latentia describes a model")
        wrong = [key for key, kind in KINDS.items() if not isinstance(told[key], kind)]
        numbers = [*told["figures"].values(), *told["bounds"].values()] if not wrong else []
        if wrong or not all(isinstance(number, int | float) for number in numbers):
            raise ValueError(f"{(wrong or ['a figure'])[0]} of {name} is of another kind")
        if {*told["files"]} - {EXAMPLES} != {*FILES} or not all(
            map(_is_file, told["files"].values())
        ):
            raise ValueError(f"the files of {name} must be {', '.join(FILES)}, with their hashes")
        found[name] = Entry(**told)
    return found


def _is_file(told: object) -> bool:
    if not isinstance(told, dict) or told.keys() != {"sha256", "bytes"}:
        return False
    whole: bool = type(told["bytes"]) is int and told["bytes"] > 0
    return whole and re.fullmatch("[0-9a-f]{64}", str(told["sha256"])) is not None


def _remote_index(address: str) -> dict[str, Entry]:
    """Return the index at an address; where that is not to be reached, the one fetched last."""
    digest = hashlib.sha256(address.encode()).hexdigest()[:12]
    kept = cache_folder() / "zoo" / f"{digest}.json"
    url = f"{address}/{INDEX}"
    try:
        content = fetch_bytes(url, MOST_JSON)
    except InputError as error:
        if not kept.exists():
            raise
        # It loads what draws bars.
        from latentia.training.progress import tell_notes

        tell_notes([f"the index of {address} is as it was last fetched, since {error}"], True)
        content = kept.read_bytes()
    try:
        found = _entries(json.loads(content))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{url} is no index of a zoo: {error}") from None
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(kept, content)
    return found


def _folder(name: str, zoo: Zoo, entry: Entry) -> Path:
    """Return where a model is, after a look at every file of it."""
    places = [] if zoo.is_remote else [Path(zoo.place)]
    named = os.environ.get(VARIABLE, "")
    if named and not is_address(named):
        # A checkout's folder may stand in for the address, with the bytes of our index.
        places.append(Path(named).expanduser())
    for place in places:
        if (place / name).is_dir():
            if wrong := differing(place / name, entry):
                raise InputError(
                    f"{place / name / wrong[0]} is not what {INDEX} says: put it back as it was, "
                    f"or add the model anew with 'latentia zoo add RUN {name} --overwrite'"
                )
            return place / name
    return _fetched(name, entry)


def differing(folder: Path, entry: Entry) -> list[str]:
    """Return the files of a model that are missing or are not what the index says."""
    return [name for name, told in entry.files.items() if not _is_same(folder / name, told)]


def _is_same(file: Path, told: Mapping[str, Any]) -> bool:
    if not file.is_file() or file.stat().st_size != told["bytes"]:
        return False
    return bool(hashlib.sha256(file.read_bytes()).hexdigest() == told["sha256"])


def fetched_folder(name: str, entry: Entry) -> Path:
    """Return where a model is, or will be, that is fetched: by its name and content."""
    hashes = " ".join(entry.files[file]["sha256"] for file in sorted(entry.files))
    digest = hashlib.sha256(hashes.encode()).hexdigest()[:12]
    return cache_folder() / "zoo" / f"{name}-{digest}"


def _fetched(name: str, entry: Entry) -> Path:
    folder = fetched_folder(name, entry)
    missing = differing(folder, entry)
    if not missing:
        return folder
    addresses = [f"{address}/{name}" for address in fetched_from()]
    if not addresses:
        raise InputError(NO_ADDRESS.format(SCHEME + name))
    for file in missing:
        # What is damaged would pass for what is there.
        (folder / file).unlink(missing_ok=True)
    files = [RemoteFile(f, entry.files[f]["sha256"], entry.files[f]["bytes"]) for f in missing]
    fetch_all(files, addresses, folder, f"set {VARIABLE} to a folder or an address that has it")
    return folder


def fetched_from() -> Iterator[str]:
    """Yield the addresses that models are fetched from: ``LATENTIA_ZOO``, and the project's."""
    named = os.environ.get(VARIABLE, "").rstrip("/")
    if is_address(named):
        yield named
    urls = importlib.metadata.metadata("latentia").get_all("Project-URL") or []
    yield from (url.partition(", ")[2].rstrip("/") for url in urls if url.startswith("Zoo, "))
