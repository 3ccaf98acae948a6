"""Saved models on a model hub, ``hf://name/model[@revision]``: fetched, and checked before that.

Two files are fetched, ``config.json`` and ``model.safetensors``, into the cache of huggingface-hub
(extra ``hub``). They hold numbers and words. A repository that holds a pickle, or names a file that
would lie outside its folder, is refused as a whole.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from latentia.data.limits import check_bytes, size
from latentia.errors import InputError
from latentia.files import MOST_JSON

SCHEME = "hf://"
FETCHED = ("config.json", "model.safetensors")
PICKLES = (".pkl", ".pickle", ".bin", ".pt", ".pth", ".ckpt", ".joblib", ".dill", ".npy", ".npz")
"""Suffixes of files that are, or may hold, pickles, which run code when they are loaded."""
PATIENCE = 20.0
"""Seconds to wait for an answer."""
PAGES = re.compile(r"(https?://)?(www\.)?(huggingface\.co|hf\.co)/(?P<rest>[^?#]*)")
LEADS_THERE = re.compile(r"hf:/|https?://(www\.)?(huggingface\.co|hf\.co)/", re.IGNORECASE)
ADDRESS = re.compile(r"hf://(?P<name>[\w.-]+/[\w.-]+)(@(?P<revision>[\w][\w./-]*))?")
KINDS = ("datasets", "spaces")


@dataclass(frozen=True)
class Address:
    """A model on the hub, as ``hf://name/model@revision`` says it."""

    name: str
    revision: str | None = None

    def __str__(self) -> str:
        """Return the words that lead here."""
        return f"{SCHEME}{self.name}" + (f"@{self.revision}" if self.revision else "")


def is_on_hub(given: object) -> bool:
    """Return whether what was given leads to a hub and not to a folder.

    >>> is_on_hub("hf://jane/vae"), is_on_hub("https://huggingface.co/jane/vae"), is_on_hub("vae")
    (True, True, False)
    """
    return isinstance(given, str | os.PathLike) and LEADS_THERE.match(str(given)) is not None


def address_of(given: str | os.PathLike[str]) -> Address:
    """Return the address that a text gives, or refuse it with the right form.

    >>> address_of("hf://jane/vae@v1.2")
    Address(name='jane/vae', revision='v1.2')
    """
    # A path has lost one of the slashes.
    text = re.sub("^hf:/+", SCHEME, str(given).strip().rstrip("/"), flags=re.IGNORECASE)
    found = ADDRESS.fullmatch(text)
    if found is None or found["name"].split("/")[0] in KINDS or ".." in text:
        page = PAGES.match(text)
        words = [part for part in page["rest"].split("/") if part][:2] if page else []
        meant = f"; is it {SCHEME}{'/'.join(words)}?" if len(words) == 2 else ""
        raise InputError(
            f"{str(given)!r} is no address of a model; write {SCHEME}name/model or "
            f"{SCHEME}name/model@revision{meant}"
        )
    return Address(found["name"], found["revision"])


def hub(package: str = "huggingface_hub") -> Any:
    """Return huggingface-hub, or say that it is missing."""
    try:
        return importlib.import_module(package)
    except ImportError:
        raise InputError(
            "models on a hub need the package huggingface-hub: pip install 'latentia[hub]'"
        ) from None


def endpoint() -> str:
    """Return the address of the hub, which ``HF_ENDPOINT`` sets."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


@contextmanager
def in_a_sentence(address: Address) -> Iterator[None]:
    """Say in a sentence what the hub refuses, or that it is not to be reached."""
    errors = hub("huggingface_hub.errors")
    name, place = address.name, f"{endpoint()}/{address.name}"
    token = "a token is needed: 'hf auth login', or set HF_TOKEN"
    try:
        yield
    except InputError:
        raise
    except errors.GatedRepoError:
        raise InputError(f"{name} is open to those who accept its terms, at {place}") from None
    except errors.RepositoryNotFoundError:
        raise InputError(
            f"there is no model {name} at {endpoint()}, or it is private and {token}"
        ) from None
    except errors.RevisionNotFoundError:
        raise InputError(f"{name} has no revision {address.revision!r}") from None
    except errors.LocalTokenNotFoundError:
        raise InputError(f"no token for {endpoint()} is known, and {token}") from None
    except errors.HFValidationError as error:
        raise InputError(f"{name!r} cannot be a model's name: {_line(error)}") from None
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", 0)
        why = (
            f"that is not allowed; {token} that allows it" if status in (401, 403) else _line(error)
        )
        raise InputError(f"{endpoint()} refuses {name} ({status}): {why}") from None
    except Exception as error:
        # Its disk's errors have a number; those of the network come from several libraries.
        if isinstance(error, OSError) and error.errno is not None and error.filename:
            raise
        what = f"{type(error).__name__}: {_line(error)}".rstrip(": ")
        raise UnreachedError(
            f"{endpoint()} cannot be reached, or does not answer as a hub does ({what})"
        ) from None


class UnreachedError(InputError):
    """The hub does not answer."""


def _line(error: BaseException) -> str:
    """Return what an error says first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])[:200]


def fetched(given: str | os.PathLike[str]) -> Path:
    """Return the folder of a saved model that was fetched from the hub.

    Where the hub is not to be reached, it is what was fetched before, and this is said.

    Raises
    ------
    InputError
        If the hub, the model or the package is missing, what is there was not saved by Latentia,
        or is more than the limit of `latentia.data.limits`.
    """
    address = address_of(given)
    api = hub().HfApi(endpoint=endpoint())
    try:
        with in_a_sentence(address):
            found = api.model_info(
                address.name, revision=address.revision, files_metadata=True, timeout=PATIENCE
            )
            files = {file.rfilename: file.size for file in found.siblings or ()}
            refuse_files(address, files)
            for name in FETCHED:
                _refuse_size(address, name, files[name])
            # By its name, under which it is found again when the hub is not to be reached.
            paths = [_file(api, address, name) for name in FETCHED]
        if {path.parent.name for path in paths} != {found.sha}:
            raise InputError(f"{address} was changed while it was fetched: try again")
    except UnreachedError as error:
        paths = _kept(api, address)
        if not paths:
            raise
        # It loads what draws bars.
        from latentia.training.progress import tell_notes

        tell_notes([f"{address} is as it was last fetched, since {error}"], shown=True)
    for path in paths:
        # What a hub says of a file, and what it sends, may differ.
        _refuse_size(address, path.name, path.stat().st_size)
    return paths[0].parent


def _file(api: Any, address: Address, name: str, kept: bool = False) -> Path:
    path = api.hf_hub_download(address.name, name, revision=address.revision, local_files_only=kept)
    return Path(path)


def _kept(api: Any, address: Address) -> list[Path]:
    """Return the files that were fetched before, if all of them were."""
    try:
        return [_file(api, address, name, kept=True) for name in FETCHED]
    except hub("huggingface_hub.errors").LocalEntryNotFoundError:
        return []


def refuse_files(address: Address, names: Iterable[str]) -> None:
    """Refuse a repository that is no saved model, or that holds what no saved model does."""
    names = tuple(names)
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in name or "\0" in name:
            raise InputError(
                f"{address} is refused: its file {name!r} would lie outside its folder"
            )
    pickles = [name for name in names if name.lower().endswith(PICKLES)]
    missing = [name for name in FETCHED if name not in names]
    if pickles:
        raise InputError(
            f"{address} is refused: it holds {pickles[0]}, which may be a pickle and run code; a "
            "model that Latentia saved has its weights in model.safetensors alone"
        )
    if missing:
        raise InputError(f"{address} is no model that Latentia saved: it has no {missing[0]}")


def _refuse_size(address: Address, name: str, n_bytes: int | None) -> None:
    if n_bytes is None or n_bytes < 0:
        raise InputError(f"{address} is refused: it does not say how large its {name} is")
    if name == "config.json" and n_bytes > MOST_JSON:
        raise InputError(
            f"{address} is refused: its {name} has {size(n_bytes)}, and at most {size(MOST_JSON)} "
            "are read"
        )
    check_bytes(n_bytes, f"{name} of {address}")
