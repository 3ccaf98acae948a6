"""A fitted model sent to a model hub: the folder that `save` writes, a card, and a page.

What is sent holds no image, no row and no code of data whose licence is not known, and no path of
this machine.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sklearn.utils.validation import check_is_fitted

from latentia.data.dataset import Dataset
from latentia.errors import InputError, check_arguments
from latentia.evaluation.runs import data_of
from latentia.files import as_path, write_atomically
from latentia.models.hub import (
    FETCHED,
    Address,
    address_of,
    endpoint,
    fetched,
    hub,
    in_a_sentence,
    is_on_hub,
)
from latentia.models.saved import load
from latentia.pages.card import PAGE, Subject, card, functions_of
from latentia.training.config import HASH, read_config, write_config
from latentia.training.progress import tell_notes

OURS = {*FETCHED, "README.md", PAGE}
GIVEN_BY_HUBS = ".gitattributes"
OF_THE_DATA = ("spec", "image_size", "held_out", "options")
"""What loads named data again, which ``config.json`` keeps on the hub."""
WITHOUT_DATA = "the licence of {} is not known: what is sent holds no images, rows or codes of them"


def push_to_hub(
    model: Any,
    name: str,
    *,
    private: bool = False,
    page: bool = True,
    overwrite: bool = False,
    data: Dataset | None = None,
    run: str | Path | None = None,
) -> str:
    """Send a fitted model to a hub, as `latentia.models.exported.push_to_hub` says."""
    check_arguments(push_to_hub, locals())
    check_is_fitted(model)
    if data is not None and not isinstance(data, Dataset):
        raise InputError(f"data is a {type(data).__name__}; give what latentia.load_data returns")
    place = None if run is None else as_path(run, "run")
    return push(Subject(model, repository(name).name, data, place), private, page, overwrite)


def push_run(run: Path, name: str, private: bool, page: bool, overwrite: bool) -> str:
    """Send the model of a run, or a saved one, to a hub, with what is known of its data."""
    address, model, data = repository(name), load(run), None
    try:
        data, _ = data_of(run, None, model).hold_out()
    except (InputError, OSError) as error:
        tell_notes([f"the card tells nothing of the data, since {error}"], shown=True)
    return push(Subject(model, address.name, data, run), private, page, overwrite)


def repository(name: str) -> Address:
    """Return where a model is to be sent, or refuse what is no ``name/model``."""
    given = str(name).strip()
    try:
        found = address_of(given if is_on_hub(given) else f"hf://{given}")
    except InputError:
        raise InputError(
            f"{given!r} is no name of a model on a hub; write name/model, your name there and the "
            "model's"
        ) from None
    if found.revision is not None:
        raise InputError(f"{given!r} names a revision; a model is sent as a new one: leave it out")
    return found


def push(subject: Subject, private: bool, page: bool, overwrite: bool) -> str:
    """Send a model with its card and page as one commit; return its address."""
    library, address = hub(), Address(subject.name)
    api = library.HfApi(endpoint=endpoint())
    if library.get_token() is None:
        raise InputError(
            f"no token for {endpoint()} is known: 'hf auth login', or set HF_TOKEN to one that may "
            "write"
        )
    with in_a_sentence(address):
        _refuse_taken(api, address, private, overwrite)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        write_folder(subject, folder, page)
        with in_a_sentence(address):
            api.create_repo(address.name, private=private or None, exist_ok=True)
            api.upload_folder(
                repo_id=address.name,
                folder_path=folder,
                commit_message=f"{type(subject.model).__name__}, by Latentia",
            )
    return f"{endpoint()}/{address.name}"


def _refuse_taken(api: Any, address: Address, private: bool, overwrite: bool) -> None:
    """Refuse a repository that has something already, unless it is ours and may be replaced."""
    try:
        found = api.model_info(address.name)
    except hub("huggingface_hub.errors").RepositoryNotFoundError:
        return
    if private and not found.private:
        raise InputError(
            f"{address.name} exists and is public: leave --private out, or change it there"
        )
    names = {file.rfilename for file in found.siblings or ()} - {GIVEN_BY_HUBS}
    if names and not overwrite:
        raise InputError(
            f"{address.name} exists: choose another name, or --overwrite, which makes a new "
            "version and keeps the earlier ones"
        )
    foreign = sorted(names - OURS)
    if foreign:
        raise InputError(
            f"{address.name} holds {foreign[0]}, which Latentia did not write: choose another"
        )
    if {*FETCHED} <= names and "learned" not in read_config(fetched(str(address))):
        raise InputError(f"{address.name} holds no model that Latentia saved: choose another name")


def write_folder(subject: Subject, folder: Path, page: bool) -> None:
    """Write what is sent: the saved model, the card, and the page."""
    subject.model.save(folder)
    _keep_origin(folder, subject)
    shown = page and _write_page(subject, folder / PAGE)
    write_atomically(folder / "README.md", card(subject, shown).encode(errors="replace"))


def _keep_origin(folder: Path, subject: Subject) -> None:
    """Let ``config.json`` say which data the model learnt, if everybody can load them by name."""
    if not subject.spec:
        return
    config = {k: v for k, v in read_config(folder).items() if k != HASH}
    known: Mapping[str, Any] = subject.data.asked if subject.data is not None else {}
    if subject.run is not None:
        known = read_config(subject.run).get("data", known)
    kept = {"spec": subject.spec, **{k: known[k] for k in OF_THE_DATA if k in known}}
    write_config(folder, {**config, "data": kept})


def _write_page(subject: Subject, path: Path) -> bool:
    """Write the page, if the model is one that a page can run; return whether it was written."""
    from latentia.pages.html import write

    if not functions_of(subject.model):
        tell_notes(
            [f"{type(subject.model).__name__} is sent without a page, which cannot run it"], True
        )
        return False
    data = subject.data if subject.is_public else None
    if subject.data is not None and data is None:
        tell_notes([WITHOUT_DATA.format(subject.named)], shown=True)
    try:
        write(subject.model, path, data=data, run=subject.run)
    except InputError as error:
        tell_notes([f"the model is sent without a page, since {error}"], shown=True)
        return False
    return True
