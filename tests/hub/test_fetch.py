"""What is fetched from a hub: two files of a model that was saved, and of a hostile one nothing."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import latentia
from latentia import PCA, InputError, load_data
from latentia.cli import main
from latentia.models import hub as hubs

pytestmark = pytest.mark.filterwarnings(
    # Of huggingface-hub's own calls.
    "ignore:Use 'content=:DeprecationWarning"
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files of a sound model."""
    folder = tmp_path_factory.mktemp("saved") / "model"
    PCA(n_components=3).fit(load_data("digits").x_train[:100]).save(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def downloads(hub):
    return [
        path.split("/")[-1] for verb, path in hub.asked if verb == "GET" and "/resolve/" in path
    ]


def test_a_sound_model_is_fetched_once_and_only_what_is_needed(hub, files):
    hub.put("jane/pca", files | {"samples.png": b"x" * 10, "photo.JPG": b""})
    model = latentia.load("hf://jane/pca")
    assert model.transform(load_data("digits").x_test).shape == (297, 3)
    assert sorted(downloads(hub)) == ["config.json", "model.safetensors"]
    latentia.load(Path("hf://jane/pca"))
    assert len(downloads(hub)) == 2


@pytest.mark.parametrize(
    "path", ["../../evil.py", "/etc/passwd", "a/../../b", "..\\evil", "C:\\x", "x\0.json"]
)
def test_a_name_that_leads_outside_is_refused(hub, files, path):
    hub.put("jane/evil", files | {path: b"x"})
    with pytest.raises(InputError, match=r"jane/evil is refused: .* would lie outside"):
        latentia.load("hf://jane/evil")
    assert downloads(hub) == []


@pytest.mark.parametrize("suffix", hubs.PICKLES)
def test_a_repository_with_a_pickle_is_refused(hub, files, suffix):
    for more in (files, {}):
        hub.put("jane/evil", more | {f"deep/Model{suffix.upper()}": b"x"})
        with pytest.raises(InputError, match="may be a pickle and run code"):
            latentia.load("hf://jane/evil")
    assert downloads(hub) == []


@pytest.mark.parametrize(("name", "said"), [("model.safetensors", 2**40), ("config.json", 2**27)])
def test_giant_files_are_refused_before_they_are_fetched(hub, files, name, said):
    hub.put("jane/evil", files, sizes={name: said})
    with pytest.raises(InputError, match=rf"{name}.*(GiB|MiB)"):
        latentia.load("hf://jane/evil")
    assert downloads(hub) == []


def test_the_limit_is_that_of_all_files(hub, files, monkeypatch):
    hub.put("jane/pca", files)
    monkeypatch.setenv("LATENTIA_MAX_BYTES", "1K")
    with pytest.raises(
        InputError, match=r"model\.safetensors of hf://jane/pca .* LATENTIA_MAX_BYTES"
    ):
        latentia.load("hf://jane/pca")
    assert downloads(hub) == []


def test_a_file_without_a_size_is_refused(hub, files):
    hub.put("jane/evil", files, sizes={"config.json": None})
    with pytest.raises(InputError, match=r"does not say how large its config\.json"):
        latentia.load("hf://jane/evil")


def test_what_is_sent_in_place_of_the_weights_is_refused(hub, files):
    hub.put("jane/evil", files, sent={"model.safetensors": b"\x80\x04cos\nsystem\n"})
    with pytest.raises(InputError, match="damaged or missing"):
        latentia.load("hf://jane/evil")


def test_more_than_was_told_is_refused(hub, files, monkeypatch):
    hub.put("jane/evil", files, sizes={"config.json": 10}, sent={"config.json": b" " * 5000})
    monkeypatch.setenv("LATENTIA_MAX_BYTES", "50K")
    monkeypatch.setattr(hubs, "MOST_JSON", 1000)
    with pytest.raises(InputError, match="at most 1,000 bytes are read"):
        latentia.load("hf://jane/evil")


@pytest.mark.parametrize(
    ("files_there", "words"),
    [
        ({"README.md": b""}, r"no model that Latentia saved: it has no config\.json"),
        ({"config.json": b"{}"}, r"it has no model\.safetensors"),
        ({"config.json": b'{"model": "Bert"}', "model.safetensors": b""}, "no known model: 'Bert'"),
        (
            {"config.json": b"[" * 99999, "model.safetensors": b""},
            "nested too deeply|cannot be read",
        ),
    ],
)
def test_what_is_none_of_ours_is_refused(hub, files_there, words):
    hub.put("jane/other", files_there)
    with pytest.raises(InputError, match=words):
        latentia.load("hf://jane/other")


def test_a_changed_config_is_refused(hub, files):
    config = json.loads(files["config.json"])
    config["parameters"]["n_components"] = 2
    hub.put("jane/evil", files | {"config.json": json.dumps(config).encode()})
    with pytest.raises(InputError, match="damaged or was changed"):
        latentia.load("hf://jane/evil")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("hf://vae", "write hf://name/model"),
        ("hf://jane/vae/more", "write hf://name/model"),
        ("hf://datasets/jane", "no address of a model"),
        ("hf://jane/../x", "no address"),
        ("hf://jane/vae@", "no address"),
        ("https://huggingface.co/jane/vae/tree/main", "is it hf://jane/vae?"),
        ("https://hf.co/jane/vae", "is it hf://jane/vae?"),
        ("hf://jane/-vae-..", "no address|cannot be a model's name"),
    ],
)
def test_an_address_that_is_none_is_refused(given, words):
    with pytest.raises(InputError, match=words.replace("?", r"\?")):
        latentia.load(given)


@pytest.mark.parametrize(
    "given", ["hf://jane/vae/", " hf://jane/vae", "HF://jane/vae", "hf:/jane/vae"]
)
def test_an_address_is_read_however_it_is_written(given):
    assert hubs.address_of(given) == hubs.Address("jane/vae")


def test_a_missing_and_a_private_model_are_told(hub, files, monkeypatch):
    with pytest.raises(InputError, match=r"no model jane/none at http.*HF_TOKEN"):
        latentia.load("hf://jane/none")
    hub.put("jane/secret", files, private=True)
    assert latentia.load("hf://jane/secret").n_components == 3
    monkeypatch.setenv("HF_TOKEN", "hf_of_somebody_else")
    with pytest.raises(InputError, match=r"no model jane/secret.*or it is private"):
        latentia.load("hf://jane/secret")


def test_without_the_hub_the_last_copy_is_taken_and_this_is_said(hub, files, monkeypatch, capsys):
    hub.put("jane/pca", files)
    model = latentia.load("hf://jane/pca")
    X = load_data("digits").x_test
    hub.close()
    again = latentia.load("hf://jane/pca")
    assert np.array_equal(again.transform(X), model.transform(X))
    assert "hf://jane/pca is as it was last fetched, since http" in capsys.readouterr().err
    with pytest.raises(InputError, match=r"http://127.* cannot be reached"):
        latentia.load("hf://jane/other")


def test_a_server_that_is_no_hub_is_told(hub, files, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", f"{hub.url}/nowhere/at/all")
    with pytest.raises(InputError):
        latentia.load("hf://jane/pca")


def test_without_the_package_the_command_to_install_it_is_told(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(InputError, match=r"pip install 'latentia\[hub\]'"):
        latentia.load("hf://jane/pca")
    model = PCA(n_components=1).fit(np.eye(4))
    with pytest.raises(InputError, match=r"pip install 'latentia\[hub\]'"):
        model.push_to_hub("jane/pca")
    assert main(["sample", "hf://jane/pca"]) == 2
    assert capsys.readouterr().err.count("pip install") == 1


def test_words_are_understood_before_anything_is_fetched(hub, files):
    hub.put("jane/pca", files)
    assert main(["evaluate", "hf://jane/pca", "--daat", "digits"]) == 2
    assert hub.asked == []


def refusal(name, status=0, said="first\n\nsecond\nthird"):
    """Return an error of huggingface-hub's by its name, with what a server answered."""
    kind = getattr(pytest.importorskip("huggingface_hub.errors"), name)
    error = kind.__new__(kind)
    Exception.__init__(error, said)
    error.response = SimpleNamespace(status_code=status)
    return error


@pytest.mark.parametrize(
    ("name", "status", "sentence"),
    [
        (
            "GatedRepoError",
            403,
            "jane/vae is open to those who accept its terms, at {hub}/jane/vae",
        ),
        (
            "RepositoryNotFoundError",
            404,
            "there is no model jane/vae at {hub}, or it is private and a",
        ),
        ("RevisionNotFoundError", 404, "jane/vae has no revision 'v9'"),
        (
            "LocalTokenNotFoundError",
            0,
            "no token for {hub} is known, and a token is needed: 'hf auth",
        ),
        ("HFValidationError", 0, "'jane/vae' cannot be a model's name: first second"),
        (
            "HfHubHTTPError",
            401,
            "{hub} refuses jane/vae (401): that is not allowed; a token is nee",
        ),
        (
            "HfHubHTTPError",
            403,
            "{hub} refuses jane/vae (403): that is not allowed; a token is nee",
        ),
        ("HfHubHTTPError", 500, "{hub} refuses jane/vae (500): first second"),
    ],
)
def test_each_refusal_is_a_sentence_with_what_to_do(name, status, sentence, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example/")
    with (
        pytest.raises(InputError) as error,
        hubs.in_a_sentence(hubs.Address("jane/vae", "v9")),
    ):
        raise refusal(name, status)
    assert str(error.value).startswith(sentence.format(hub="https://hub.example"))
    assert "third" not in str(error.value)


def test_what_is_no_fault_of_the_hub_is_raised_as_it_is():
    address = hubs.Address("jane/vae")
    for raised in (FileNotFoundError(2, "none", "x"), InputError("mine")):
        with pytest.raises(type(raised)) as error, hubs.in_a_sentence(address):
            raise raised
        assert error.value is raised
    with (
        pytest.raises(
            hubs.UnreachedError, match=r"does not answer as a hub does \(OSError: lost\)"
        ),
        hubs.in_a_sentence(address),
    ):
        raise OSError("lost")
