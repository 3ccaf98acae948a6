"""Models by name: found where they are, fetched with checksums, and nothing else taken for them."""

import json
import shutil

import numpy as np
import pytest

import latentia
from latentia import InputError, load_data
from latentia.cli import main
from latentia.models import zoo as zoos
from latentia.pages import zoo_list

X = load_data("digits").x_test


def codes(model):
    return np.asarray(model.transform(X))


@pytest.mark.parametrize("given", ["zoo:tiny-pca", " ZOO:Tiny-PCA", "zoo:tiny-pca/"])
def test_a_name_loads_what_was_trained(alone, made, run, monkeypatch, given):
    monkeypatch.setenv("LATENTIA_ZOO", str(made))
    trained = codes(latentia.load(run))
    assert np.abs(codes(latentia.load(given)) - trained).max() < 2e-3 * np.abs(trained).max()


def test_commands_take_a_name(alone, made, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("LATENTIA_ZOO", str(made))
    assert main(["evaluate", "zoo:tiny-pca"]) == 0
    entry = zoos.read_index(made)["tiny-pca"]
    assert f"{entry.figures['squared_error']:.4f}" in capsys.readouterr().out
    out = tmp_path / "codes.npy"
    assert main(["transform", "zoo:tiny-pca", "digits", "--out", str(out)]) == 0
    assert out.exists()
    for words in (["resume", "zoo:tiny-pca"], ["checkpoints", "zoo:tiny-pca"]):
        assert main(words) == 2
        assert "is a finished model and no run" in capsys.readouterr().err


def test_a_misspelt_name_is_answered_with_the_nearest(alone, made, monkeypatch, capsys):
    monkeypatch.setenv("LATENTIA_ZOO", str(made))
    with pytest.raises(InputError, match=r"no model 'tiny-pac' .*; did you mean 'tiny-pca'\?"):
        latentia.load("zoo:tiny-pac")
    assert main(["sample", "zoo:tinypca"]) == 2
    assert "did you mean 'tiny-pca'?" in capsys.readouterr().err


def test_words_are_understood_before_a_name_is_looked_up(alone, capsys):
    assert main(["evaluate", "zoo:nothing", "--daat", "digits"]) == 2
    assert "--data" in capsys.readouterr().err


@pytest.mark.parametrize("file", zoos.FILES)
def test_a_file_that_is_not_what_the_index_says_is_named(alone, made, monkeypatch, tmp_path, file):
    copy = shutil.copytree(made, tmp_path / "copy")
    content = bytearray((copy / "tiny-pca" / file).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / "tiny-pca" / file).write_bytes(content)
    monkeypatch.setenv("LATENTIA_ZOO", str(copy))
    with pytest.raises(InputError, match=rf"{file} is not what index\.json says"):
        latentia.load("zoo:tiny-pca")


def test_an_address_is_fetched_from_once(alone, made, server, monkeypatch, capsys):
    monkeypatch.setenv("LATENTIA_ZOO", server.url + "/")
    assert [row[-1] for row in zoo_list.rows()] == ["to be fetched"]
    first = codes(latentia.load("zoo:tiny-pca"))
    asked = [name for name, _ in server.asked if name != "index.json"]
    assert sorted(asked) == sorted(zoos.FILES)
    assert [row[-1] for row in zoo_list.rows()] == ["fetched"]
    server.shutdown()
    server.server_close()
    assert np.array_equal(codes(latentia.load("zoo:tiny-pca")), first)
    assert "is as it was last fetched, since http" in capsys.readouterr().err


def test_a_torn_file_is_gone_on_with(alone, server, monkeypatch):
    monkeypatch.setenv("LATENTIA_ZOO", server.url)
    server.torn = {"model.safetensors"}
    with pytest.raises(InputError, match=r"model\.safetensors could not be fetched.*LATENTIA_ZOO"):
        latentia.load("zoo:tiny-pca")
    assert latentia.load("zoo:tiny-pca").n_components == 12
    resumed = [wanted for name, wanted in server.asked if name == "model.safetensors"]
    assert resumed[0] is None
    assert resumed[1].startswith("bytes=")


def test_other_bytes_are_refused_and_a_damaged_copy_is_fetched_anew(alone, server, monkeypatch):
    monkeypatch.setenv("LATENTIA_ZOO", server.url)
    server.changed = {"config.json": (server.folder / "tiny-pca" / "recipe.toml").read_bytes()}
    with pytest.raises(InputError, match=r"config\.json could not be fetched.*checksum"):
        latentia.load("zoo:tiny-pca")
    server.changed = {}
    folder = zoos.folder_of("zoo:tiny-pca")
    (folder / "model.safetensors").write_bytes(b"rubbish")
    assert latentia.load("zoo:tiny-pca").n_components == 12


def test_names_of_latentias_own_index_mean_its_bytes(alone, made, server, monkeypatch):
    """As after an installation without this model: it comes from elsewhere, by these checksums."""
    (alone / "installed").mkdir()
    shutil.copy(made / "index.json", alone / "installed")
    with pytest.raises(InputError, match=r"zoo:tiny-pca is not on this machine.*set LATENTIA_ZOO"):
        latentia.load("zoo:tiny-pca")
    monkeypatch.setenv("LATENTIA_ZOO", str(made))
    assert zoos.folder_of("zoo:tiny-pca") == made / "tiny-pca"
    monkeypatch.setenv("LATENTIA_ZOO", server.url)
    # Its index is another one, and does not count for this name.
    server.changed = {"index.json": b"{}"}
    assert latentia.load("zoo:tiny-pca").n_components == 12


def changed(entry, **parts):
    return {"tiny-pca": entry | parts}


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"figures": [1]}, "figures of tiny-pca is of another kind"),
        ({"bounds": {"psnr": "x"}}, "a figure of tiny-pca is of another kind"),
        ({"files": {"../evil": {}}}, "the files of tiny-pca must be"),
        *(
            ({"files": dict.fromkeys(zoos.FILES, told)}, "the files of tiny-pca must be")
            for told in ([], {"sha256": "0" * 64, "bytes": True}, {"sha256": "0" * 63, "bytes": 1})
        ),
        ({"more": 1}, "not described as this Latentia"),
    ],
)
def test_a_malformed_index_is_refused_in_a_sentence(alone, made, monkeypatch, parts, words):
    entry = json.loads((made / "index.json").read_text())["tiny-pca"]
    (alone / "mine").mkdir()
    (alone / "mine" / "index.json").write_text(json.dumps(changed(entry, **parts)))
    monkeypatch.setenv("LATENTIA_ZOO", str(alone / "mine"))
    with pytest.raises(InputError, match=words):
        latentia.load("zoo:tiny-pca")


def test_an_index_that_is_no_table_is_refused(alone, server, monkeypatch):
    server.changed = {"index.json": b"[1, 2]"}
    monkeypatch.setenv("LATENTIA_ZOO", server.url)
    with pytest.raises(InputError, match="must hold a table"):
        latentia.load("zoo:other")


def test_what_is_no_zoo_is_told(alone, server, monkeypatch):
    server.changed = {"index.json": b"[" * 100_000}
    monkeypatch.setenv("LATENTIA_ZOO", server.url)
    with pytest.raises(InputError, match="is no index of a zoo"):
        latentia.load("zoo:tiny-pca")
    server.changed = {}
    monkeypatch.setenv("LATENTIA_ZOO", server.url + "/nowhere")
    with pytest.raises(InputError, match=r"could not be fetched .*404"):
        latentia.load("zoo:tiny-pca")
    with pytest.raises(InputError, match="models are added to a folder"):
        zoos.own_folder()
    monkeypatch.delenv("LATENTIA_ZOO")
    with pytest.raises(InputError, match="there is no zoo to add to: set LATENTIA_ZOO"):
        zoos.own_folder()
