"""What version 0.1.0 saved before its modules moved still loads, and its half-done runs resume.

On the processor that made them to the same bytes, elsewhere within rounding.
"""

import json
import platform
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import latentia
from latentia.cli.main import main
from tests.saved import make

pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
KEPT = Path(__file__).parent / "version_0_1_0"
NAMES = sorted(path.name for path in KEPT.iterdir() if path.is_dir())
RUNS = [name for name in NAMES if (KEPT / name / "run").exists()]
HERE = json.loads((KEPT / "processor.json").read_text()) == make.processor()
CLOSED_FORM = [name for name in NAMES if name not in RUNS]
ROUNDING = {"rtol": 0.02, "atol": 2e-3}
"""Of a few steps of training, the largest difference between kinds of processors."""
LAST_BITS = {"rtol": 1e-5, "atol": 1e-6}
"""Of one pass through the nets: where weights happen to lie in memory picks other instructions."""


def assert_same(found, wanted):
    if HERE:
        np.testing.assert_array_equal(found, wanted)
    else:
        np.testing.assert_allclose(found, wanted, **ROUNDING)


def assert_same_answers(found, wanted):
    assert found.keys() == wanted.keys()
    for verb, answer in wanted.items():
        if not (isinstance(answer, list) and isinstance(answer[0], str)):
            np.testing.assert_allclose(found[verb], answer, **(LAST_BITS if HERE else ROUNDING))
        elif HERE:
            assert found[verb] == answer


def assert_same_values(found, wanted):
    assert found.keys() == wanted.keys()
    for name in wanted:
        assert_same(found[name], wanted[name])


def as_then(records, expected):
    """Return records with what checkups knew then: a doctor may look at more, and say more."""
    known = {(r["step"], r["split"]): r for r in expected if r["split"] == "health"}
    then = []
    for record in records:
        before = known.get((record["step"], record["split"]))
        if before is not None:
            values = {key: record["values"][key] for key in before["values"]}
            record = {**before, "values": values}
        if before is not None or record["split"] != "health":
            then.append(record)
    return then


NEWER = {"ConditionalWGANGP"}
"""Models that version 0.1.0 did not have when its files were kept."""


def test_every_model_but_the_large_ones_was_kept():
    assert set(NAMES) == make.all_models().keys() - make.LARGE - NEWER
    assert [name for name in NAMES if make.resumable(make.all_models()[name])] == RUNS


@pytest.mark.parametrize("name", NAMES)
def test_a_model_saved_before_answers_as_it_did(name):
    model = latentia.load(KEPT / name / "model")
    assert type(model).__name__ == name
    assert_same_answers(make.said(model), json.loads((KEPT / name / "said.json").read_text()))


@pytest.mark.parametrize("name", RUNS)
def test_a_run_begun_before_goes_on_as_it_would_have(name, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(KEPT / name / "run", run)
    model = make.train(name, run, resume=True)
    tensors = load_file(model.save(tmp_path / "model") / "model.safetensors")
    wanted = load_file(KEPT / name / "model" / "model.safetensors")
    assert tensors.keys() == wanted.keys()
    for key in wanted:
        assert_same(tensors[key], wanted[key])
    expected = json.loads((KEPT / name / "metrics.json").read_text())
    for record, before in zip(as_then(make.recorded(run), expected), expected, strict=True):
        values, values_before = record.pop("values"), before.pop("values")
        assert_same_values(values, values_before)
        assert record == before


@pytest.mark.parametrize("name", RUNS)
def test_a_new_training_records_what_it_did(name, tmp_path):
    make.train(name, tmp_path / "run")
    expected = json.loads((KEPT / name / "metrics.json").read_text())
    records = as_then(make.recorded(tmp_path / "run"), expected)
    for record, before in zip(records, expected, strict=True):
        assert_same_values(record["values"], before["values"])


@pytest.mark.parametrize("name", CLOSED_FORM)
def test_a_model_without_gradients_is_fitted_as_before(name):
    before = json.loads((KEPT / name / "said.json").read_text())
    assert_same_answers(make.said(make.train(name, None)), before)


def test_what_a_file_does_not_say_is_what_was_so_when_it_was_written(tmp_path):
    assert latentia.load(KEPT / "SRGAN" / "model").lattice_weight == 0
    assert latentia.SRGAN().lattice_weight > 0
    run = tmp_path / "run"
    shutil.copytree(KEPT / "SRGAN" / "run", run)
    model = make.all_models()["SRGAN"].set_params(lattice_weight=30.0)
    with pytest.raises(latentia.InputError, match=r"lattice_weight 0\.0 there, 30\.0 here"):
        model.fit(*make.lessons("SRGAN"), run=run, resume=True)


def test_a_model_is_saved_with_the_versions_that_made_it(tmp_path):
    X = np.random.default_rng(0).normal(size=(9, 3))
    folder = latentia.PCA(n_components=1).fit(X).save(tmp_path / "model")
    versions = json.loads((folder / "config.json").read_text())["versions"]
    assert versions["numpy"] == np.__version__
    assert versions["latentia"] == latentia.__version__
    assert versions["python"] == platform.python_version()


@pytest.mark.parametrize("name", ["VAE", "GAN"])
def test_a_run_begun_before_is_trained_further(name, tmp_path):
    """At the command line in one go, in Python to its end and from there: the same weights."""
    data = latentia.load_data("digits")
    # Of 43 rows the command line trains on 40, those of the run.
    parts = {"x_train": data.x_train[:43], "x_test": data.x_test[:9]}
    np.savez(tmp_path / "x.npz", y_train=data.y_train[:43], y_test=data.y_test[:9], **parts)
    for folder in ("told", "called"):
        shutil.copytree(KEPT / name / "run", tmp_path / folder)
    file = tmp_path / "told" / "config.json"
    config = json.loads(file.read_text())
    config["data"] |= {"spec": str(tmp_path / "x.npz"), "image_size": None}
    file.write_text(json.dumps(config))
    assert main(["train", "--resume", str(tmp_path / "told"), "--more-epochs", "1"]) == 0
    assert json.loads(file.read_text())["parameters"]["n_epochs"] == 3
    make.train(name, tmp_path / "called", resume=True)
    longer = make.all_models()[name].set_params(n_epochs=3)
    longer.fit(*make.lessons(name), run=tmp_path / "called", resume=True)
    found, wanted = latentia.load(tmp_path / "told"), longer
    for key, net in wanted.nets().items():
        for weight, other in zip(net.parameters(), found.nets()[key].parameters(), strict=True):
            np.testing.assert_array_equal(weight.detach(), other.detach())
