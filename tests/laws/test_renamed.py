"""A renamed field is understood by its old name wherever it is given, and the new one is said."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

import latentia
from latentia.cli.main import main
from latentia.errors import InputError
from latentia.models.fields import RENAMED, command_name, model_fields, new_name
from tests.cli.conftest import StoppedError

CASES = [
    (name, old, new_name(old, fields), fields[new_name(old, fields)])
    for name in latentia.MODELS
    for fields in [{field.name: field for field in model_fields(name)}]
    for old in RENAMED
    if new_name(old, fields) != old
]
VALUES = {"int": 3, "float": 2.5}


def value_of(field):
    return field.choices[-1] if field.choices else VALUES[field.kinds[0]]


def test_every_name_is_an_old_one_of_some_model():
    assert {old for _, old, _, _ in CASES} == RENAMED.keys()


@pytest.mark.parametrize(("name", "old", "new", "field"), CASES)
def test_an_old_name_in_python_warns_and_sets_the_field(name, old, new, field):
    kind, value = getattr(latentia, name), value_of(field)
    with pytest.warns(FutureWarning, match=f"^{name}: {old} is called {new} now$"):
        model = kind(**{old: value})
    assert model.get_params() == kind(**{new: value}).get_params()
    with pytest.raises(InputError, match=f"^{old} is the old name of {new}; give one of them$"):
        kind(**{old: value, new: value})


@pytest.mark.parametrize(("name", "old", "new", "field"), CASES)
def test_an_old_flag_and_an_old_key_say_the_new_one(
    name, old, new, field, tmp_path, monkeypatch, capsys
):
    kind, value, seen = getattr(latentia, name), value_of(field), []

    def stop(self):
        seen.append(self.get_params()[new])
        raise StoppedError

    monkeypatch.setattr(kind, "validate_parameters", stop)
    flag, now = (f"--{word.replace('_', '-')}" for word in (old, new))
    with pytest.raises(StoppedError):
        main(["train", command_name(name), flag, str(value)])
    assert capsys.readouterr().err == f"latentia: {flag} is called {now} now\n"
    recipe = tmp_path / "r.toml"
    recipe.write_text(f"model = '{command_name(name)}'\n{old} = {json.dumps(value)}\n")
    with pytest.raises(StoppedError):
        main(["train", "--recipe", str(recipe)])
    assert capsys.readouterr().err == f"latentia: {old} is called {new} now\n"
    assert seen == [value, value]
    assert main(["train", command_name(name), now, str(value), flag, str(value)]) == 2
    assert f"{flag} is the old name of {now}; give one of them" in capsys.readouterr().err


def test_a_model_and_a_run_of_old_names_are_taken_silently(tmp_path):
    X = np.random.default_rng(0).random((8, 3))
    model = latentia.GAN(n_components=2, hidden=(3,), n_critic=2, n_epochs=1, random_state=0)
    model.fit(X, run=tmp_path / "run").save(tmp_path / "model")
    for config in (tmp_path / "run/config.json", tmp_path / "model/config.json"):
        text = config.read_text().replace('"n_critic"', '"discriminator_steps"')
        content = json.loads(text.replace('"prior"', '"noise"'))
        # As in 0.1.0, which kept no hash of it.
        del content["sha256"]
        Path(config).write_text(json.dumps(content))
        assert '"discriminator_steps": 2' in config.read_text()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert latentia.load(tmp_path / "model").get_params() == model.get_params()
        latentia.GAN(**model.get_params()).fit(X, run=tmp_path / "run", resume=True)
