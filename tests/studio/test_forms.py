"""The form of a model's fields: what it takes and refuses is what the model takes and refuses."""

import html
import re
import tomllib

import pytest

import latentia
from latentia.cli.parser import Parser, add_fields, field_values
from latentia.errors import InputError
from latentia.models.fields import model_fields
from latentia.studio.forms import form_of, shown_value, value_of
from latentia.studio.recipes import python_of, toml_of, words_of
from latentia.training.config import RunConfig

WRONG = [
    ("VAE", "n_components", "0"),
    ("VAE", "n_epochs", "many"),
    ("VAE", "beta", "-1"),
    ("VAE", "hidden", "wide"),
    ("VAE", "activation", "rellu"),
    ("VAE", "binarize", "perhaps"),
    ("PCA", "n_components", "2.5"),
    ("FactorAnalysis", "rotation", "varimx"),
    ("WGANGP", "n_critic", "0"),
    ("VAE", "learning_rate", "nan"),
]


@pytest.mark.parametrize(("model", "name", "text"), WRONG)
def test_a_wrong_value_is_refused_at_its_field_by_the_models_own_sentence(model, name, text):
    form = form_of(model, {name: text})
    assert not form.sound
    (entry,) = [e for e in form.entries if e.refusal]
    assert entry.field.name == name
    assert entry.text == text
    with pytest.raises(InputError) as refused:
        getattr(latentia, model)(**{name: value_of(entry.field, text)}).validate_parameters()
    assert entry.refusal == str(refused.value)


def test_values_that_do_not_go_together_are_refused_at_the_one_that_is_named():
    form = form_of("VAE", {"n_mixture": "5"})
    (entry,) = [e for e in form.entries if e.refusal]
    assert entry.field.name == "n_mixture"
    with pytest.raises(InputError) as refused:
        latentia.VAE(n_mixture=5).validate_parameters()
    assert entry.refusal == str(refused.value)


def test_each_default_stands_in_the_form_and_is_read_back():
    for model in latentia.MODELS:
        for field in model_fields(model):
            assert value_of(field, shown_value(field.default)) == field.default, (model, field.name)
        assert form_of(model, {}).sound
        assert form_of(model, {}).changed == {}


GIVEN = [
    ("VAE", {"n_components": "2", "hidden": "64 32", "n_epochs": "3", "binarize": "true"}),
    ("VAE", {"hidden": "none", "learning_rate": "1e-4", "architecture": "mlp"}),
    ("FactorAnalysis", {"n_components": "3", "rotation": "oblimin"}),
    ("DCGAN", {"width": "8", "random_state": "7"}),
]


@pytest.mark.parametrize(("model", "given"), GIVEN)
def test_command_recipe_and_program_say_what_the_form_says(model, given):
    form = form_of(model, given)
    assert form.sound, [e.refusal for e in form.entries if e.refusal]
    words = words_of(model, "digits", form.changed, {}, "runs/x")
    parser = Parser()
    add_fields(parser, model)
    parsed = field_values(model, vars(parser.parse_args(words[4:-2])))
    told = tomllib.loads(toml_of(model, "digits", form.changed, {}))
    names = {}
    exec(python_of(model, "digits", form.changed, {}).split("data =")[0], names)
    program = names["model"].get_params()
    assert parsed == form.changed == field_values(model, told)
    assert {name: program[name] for name in form.changed} == form.changed


def test_what_the_data_settle_is_what_a_training_records(studio, tmp_path):
    given = {"data": "digits", "n_epochs": "2", "hidden": "8"}
    page = studio.own.post("/models/vae/settled", data=given).text
    told = dict(re.findall(r"<code>(\w+)</code> ([^ <]+)", page))
    model = latentia.VAE(n_epochs=2, hidden=(8,), random_state=0)
    data, _ = model.load_data("digits").hold_out()
    model.fit(data.x_train, run=tmp_path / "run")
    resolved = RunConfig.read(tmp_path / "run").resolved
    assert told["batch_size"] == str(resolved["batch_size"])
    assert told == {name: shown_value(resolved[name]) for name in told}
    assert "n_epochs" not in told


def test_data_that_a_model_does_not_learn_are_refused_before_it_is_trained(studio):
    rows = "".join(f"{i},{i * i % 7}\n" for i in range(40))
    (studio.folder.uploads / "rows").mkdir()
    (studio.folder.uploads / "rows" / "rows.csv").write_text(f"a,b\n{rows}")
    given = {"data": "uploads/rows", "n_epochs": "1"}
    answer = studio.own.post("/models/conditional-gan/settled", data=given)
    assert answer.status_code == 200
    model = latentia.ConditionalGAN(n_epochs=1)
    data, _ = model.load_data(str(studio.folder.uploads / "rows" / "rows.csv")).hold_out()
    with pytest.raises(InputError) as refused:
        model.fit(data.x_train, **data.beside)
    assert html.escape(str(refused.value), quote=False) in answer.text.replace("&#39;", "'")


def test_each_of_several_wrong_values_is_refused_at_its_field():
    form = form_of("VAE", {"n_components": "-1", "batch_size": "0", "n_epochs": "3"})
    refused = {e.field.name: e.refusal for e in form.entries if e.refusal}
    assert refused.keys() == {"n_components", "batch_size"}
    assert all(sentence.startswith(name) for name, sentence in refused.items())
    assert not form.sound
