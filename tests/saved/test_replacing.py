"""A saved model takes another's place at once, and nothing else's; what is malformed is refused."""

import hashlib
import json
import os
import threading

import numpy as np
import pytest
import safetensors.numpy

import latentia
from latentia.errors import InputError
from latentia.models import saved
from latentia.training.config import read_config, write_config
from tests.conftest import small_models


@pytest.fixture(scope="module")
def models():
    """Return two fitted models that differ."""
    X = np.random.default_rng(0).random((2, 20, 4))
    return [latentia.PCA(n_components=2).fit(x) for x in X]


def is_one_of(path, models):
    found = latentia.load(path).mean_
    return [np.array_equal(found, model.mean_) for model in models]


@pytest.mark.parametrize(
    "name", ["thesis.docx", "model/thesis.docx", "model/config.json", "model/sub/x", "model"]
)
def test_only_a_saved_model_is_replaced(name, models, tmp_path):
    mine, path = tmp_path / name, tmp_path / "model"
    if name == "model/thesis.docx":
        models[0].save(path)
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_text('{"name": "mine"}')
    if name == "thesis.docx":
        models[0].save(path)
        models[1].save(path, overwrite=True)
    else:
        with pytest.raises(InputError, match="only a saved model is replaced"):
            models[1].save(path, overwrite=True)
    assert mine.read_text() == '{"name": "mine"}'
    assert not list(tmp_path.glob(".latentia-*"))


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_empty_folder_holds_nothing_that_could_be_lost(overwrite, models, tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    models[0].save(path, overwrite=overwrite)
    assert is_one_of(path, models) == [True, False]


@pytest.mark.parametrize("config", ['{"learned": 1}', '{"learned": {}, "model": "Mine"}', "[1]"])
def test_a_foreign_folder_with_names_like_ours_is_no_saved_model(config, models, tmp_path):
    for name, text in (("config.json", config), ("README.md", "my notes")):
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match="only a saved model is replaced"):
        models[0].save(tmp_path, overwrite=True)
    assert (tmp_path / "README.md").read_text() == "my notes"


def test_neighbours_that_look_like_leftovers_are_left_alone(models, tmp_path):
    names = ["model.tmp", "model.old.tmp", "home.tmp", ".latentia-mine.tmp"]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "letter.txt").write_text("dear")
    for model in models:
        model.save(tmp_path / "model", overwrite=True)
    assert all((tmp_path / name / "letter.txt").read_text() == "dear" for name in names)


def test_a_link_to_a_saved_model_stays_a_link(models, tmp_path):
    models[0].save(tmp_path / "a")
    (tmp_path / "b").symlink_to("a")
    models[1].save(tmp_path / "b", overwrite=True)
    assert (tmp_path / "b").is_symlink()
    assert is_one_of(tmp_path / "a", models) == [False, True]


def test_a_model_put_aside_by_a_killed_writer_is_there(models, tmp_path):
    path = models[0].save(tmp_path / "run" / "model")
    path.rename(saved.aside(path))
    for place in (path, path.parent):
        assert is_one_of(place, models) == [True, False]
    with pytest.raises(InputError, match="exists"):
        models[1].save(path)
    models[1].save(path, overwrite=True)
    assert is_one_of(path, models) == [False, True]
    assert [p.name for p in path.parent.iterdir()] == ["model"]


def test_of_many_savers_at_once_the_last_wins_and_a_whole_model_is_always_there(models, tmp_path):
    path = models[0].save(tmp_path / "model")
    failed, stop = [], threading.Event()

    def save(model):
        for _ in range(12):
            try:
                model.save(path, overwrite=True)
            except Exception as error:
                failed.append(error)

    def read():
        while not stop.is_set():
            try:
                assert any(is_one_of(path, models))
            except Exception as error:
                failed.append(error)

    savers = [threading.Thread(target=save, args=(model,)) for model in models * 2]
    reader = threading.Thread(target=read)
    for thread in (reader, *savers):
        thread.start()
    for thread in savers:
        thread.join()
    stop.set()
    reader.join()
    assert failed == []
    models[1].save(path, overwrite=True)
    assert is_one_of(path, models) == [False, True]
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_a_saver_that_waits_too_long_says_for_whom(models, tmp_path, monkeypatch):
    monkeypatch.setattr(saved, "PATIENCE", 0.0)
    with (
        saved.held_folder(tmp_path, lambda: ""),
        pytest.raises(InputError, match="another process saves to"),
    ):
        models[0].save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(
    "kind", ["pipe", "endless", "cut", "folder", "none", "long header", "other keys", "a list"]
)
def test_weights_that_are_no_such_file_are_refused_before_they_are_read(
    kind, old, models, tmp_path
):
    path = models[0].save(tmp_path / "model") / "model.safetensors"
    if old:
        config = read_config(tmp_path / "model")
        lacking = {k: v for k, v in config.items() if not k.startswith("weights_")}
        write_config(tmp_path / "model", lacking)
    content = path.read_bytes()
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "endless":
        path.write_bytes(content)
        with path.open("r+b") as stream:
            stream.truncate(2**40)
    elif kind == "cut":
        path.write_bytes(content[:-1])
    elif kind == "folder":
        path.mkdir()
    elif kind == "other keys":
        path.write_bytes(content.replace(b"data_offsets", b"data_offsetz"))
    elif kind == "a list":
        path.write_bytes((4).to_bytes(8, "little") + b"[[]]")
    elif kind == "long header":
        path.write_bytes(b"\xff" * 8 + content[8:])
    with pytest.raises(InputError, match="damaged or missing"):
        latentia.load(tmp_path / "model")


MALFORMED = {
    "n_components_": (None, "many", [1, 2], 1e400, -3),
    "data_shape_": (None, "abc", [10**12], [-4], [4.5], [[4]], {"a": 1}, []),
    "noise_variance_": ("x", [1], None),
}


@pytest.mark.parametrize("hashed", [True, False])
def test_a_malformed_learned_value_is_one_sentence(hashed, models, tmp_path):
    folder = models[0].save(tmp_path / "model")
    whole = read_config(folder)
    for name, values in MALFORMED.items():
        for value in values:
            rewrite(folder, whole | {"learned": whole["learned"] | {name: value}}, hashed)
            with pytest.raises(InputError) as refused:
                latentia.load(folder).reconstruct(np.zeros((2, 4)))
            assert "\n" not in str(refused.value)
    for name in ("transform", "__class__", "__dict__", "_encode_array", "fit", "lacks"):
        rewrite(folder, whole | {"learned": whole["learned"] | {name: {}}}, hashed)
        with pytest.raises(InputError, match="nothing that PCA learns"):
            latentia.load(folder)
    rewrite(folder, whole | {"learned": {}}, hashed)
    with pytest.raises(InputError):
        latentia.load(folder)
    for part in whole:
        for value in (None, 3, "x", [], {}, True, [[[]]], {"a": None}):
            rewrite(folder, whole | {part: value}, hashed)
            loads_or_refuses(folder)
        rewrite(folder, {k: v for k, v in whole.items() if k != part}, hashed)
        loads_or_refuses(folder)


def rewrite(folder, content, hashed):
    if hashed:
        write_config(folder, content)
    else:
        (folder / "config.json").write_text(json.dumps(content))


def loads_or_refuses(folder):
    said = ""
    try:
        latentia.load(folder)
    except InputError as error:
        said = str(error)
    assert "\n" not in said


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
@pytest.mark.parametrize("name", ["VAE", "FactorAnalysis"])
def test_malformed_values_of_nets_are_one_sentence(name, images, tmp_path):
    folder = small_models()[name].fit(images).save(tmp_path / "model")
    whole = read_config(folder)
    for part in ("parameters", "learned"):
        for key in whole[part]:
            for value in (None, "x", [], -1, {"a": 1}):
                rewrite(folder, whole | {part: whole[part] | {key: value}}, True)
                loads_or_refuses(folder)


def test_a_field_of_a_later_version_is_named_with_that_version(models, tmp_path):
    folder = models[0].save(tmp_path / "model")
    whole = read_config(folder) | {"versions": {"latentia": "9.9.0"}}
    said = "that Latentia 0.1.0 does not know; it was written by version 9.9.0"
    write_config(folder, whole | {"colour": "blue"})
    with pytest.raises(InputError, match=f"a field 'colour' {said}"):
        latentia.load(folder)
    write_config(folder, whole | {"parameters": whole["parameters"] | {"shrinkage": 0.1}})
    with pytest.raises(InputError, match=f"a parameter 'shrinkage' {said}"):
        latentia.load(folder)


def test_a_digit_of_what_was_learned_is_not_changed_unseen(models, tmp_path):
    folder = models[0].save(tmp_path / "model")
    text = (folder / "config.json").read_text()
    value = repr(models[0].noise_variance_)
    (folder / "config.json").write_text(text.replace(value, value[:-1] + str(9 - int(value[-1]))))
    with pytest.raises(InputError, match="SHA-256"):
        latentia.load(folder)


@pytest.mark.parametrize("name", ["PCA", "FactorAnalysis", "Autoencoder", "VAE", "GAN"])
def test_a_model_whose_settings_changed_after_the_fit_is_not_saved(name, tmp_path):
    """It could not be loaded, or would be another model."""
    model = small_models()[name].fit(np.random.default_rng(0).random((80, 8, 8)))
    changed = small_models()[name].get_params() | {"n_components": 2}
    with pytest.raises(InputError, match="n_components was 3 in the fit and is 2 now"):
        model.set_params(**changed).save(tmp_path / "a")
    assert not (tmp_path / "a").exists()
    same = latentia.load(model.set_params(n_components=3).save(tmp_path / "a"))
    with pytest.raises(InputError, match="is 2 now"):
        same.set_params(n_components=2).save(tmp_path / "a", overwrite=True)
    if name == "FactorAnalysis":
        model.set_params(scores="bartlett").save(tmp_path / "b")
        assert latentia.load(tmp_path / "b").scores == "bartlett"


def test_arrays_that_no_model_learns_change_nothing_of_a_model(models, tmp_path):
    path, X = models[0].save(tmp_path / "model"), np.eye(4)
    arrays = safetensors.numpy.load((path / "model.safetensors").read_bytes())
    # A verb, a hyperparameter, what is private, a property that ends as what is learned does.
    strange = ("transform", "n_components", "_settings", "_n_features_out", "noise")
    weights = safetensors.numpy.save(arrays | dict.fromkeys(strange, np.zeros(3)))
    (path / "model.safetensors").write_bytes(weights)
    told = {"weights_sha256": hashlib.sha256(weights).hexdigest(), "weights_bytes": len(weights)}
    write_config(path, read_config(path) | told)
    found = latentia.load(path)
    assert vars(found).keys() == vars(latentia.load(models[0].save(tmp_path / "plain"))).keys()
    assert found.get_params() == models[0].get_params()
    np.testing.assert_array_equal(found.transform(X), models[0].transform(X))
