"""Parameters of every model: their names, numbers of NumPy's, sizes, and devices."""

import copy
import inspect
import pickle
import typing
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone

import latentia
from latentia import PCA, VAE, FactorAnalysis, LSTMLanguageModel
from latentia.cli.main import main
from latentia.errors import InputError, within_memory
from latentia.models.gradient import GradientModel
from latentia.training.device import bounded_weights, find_device
from tests.conftest import small_models
from tests.laws.test_ranges import TEXT, images, short
from tests.models.language.conftest import small_sequence_models

EVERY = small_models() | small_sequence_models()
TRAINED = [name for name, model in EVERY.items() if isinstance(model, GradientModel)]


def data(name):
    return images(name) if name in small_models() else (TEXT, None)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: PCA(2, 3),
            r"PCA takes its parameters by name, such as PCA\(n_components=2\); 2 have none, and "
            "only n_components may",
        ),
        (lambda: PCA(2, n_components=3), "PCA is given n_components twice, 2 and 3"),
        (lambda: LSTMLanguageModel(9), "takes its parameters by name"),
        (lambda: VAE(latent_dim=3), "VAE has no parameter 'latent_dim'; did you mean 'n_comp"),
        (lambda: VAE(n_componets=3), "'n_componets'; did you mean 'n_components'"),
        (lambda: VAE(lr=1e-3), "'lr'; did you mean 'learning_rate'"),
        (lambda: FactorAnalysis(rotate="promax"), "'rotate'; did you mean 'rotation'"),
        (lambda: VAE(qqq=3), r"VAE has no parameter 'qqq'$"),
    ],
)
def test_a_parameter_without_a_field_is_refused_with_the_nearest_name(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


@pytest.mark.parametrize("name", EVERY)
def test_models_are_made_copied_and_described_as_dataclasses_are(name):
    model = EVERY[name]
    for twin in (clone(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.get_params() == model.get_params()
    signature = inspect.signature(type(model))
    assert list(signature.parameters) == list(inspect.signature(model.__init__).parameters)


def in_numpy(value):
    """Return a field's value in types of NumPy's."""
    if isinstance(value, tuple):
        return tuple(map(in_numpy, value))
    kinds = {bool: np.bool_, int: np.int64, float: np.float64}
    return kinds[type(value)](value) if type(value) in kinds else value


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
@pytest.mark.parametrize("name", EVERY)
def test_numbers_of_numpys_are_numbers(name, tmp_path):
    plain = short(name)
    own = plain.get_params()
    model = clone(plain).set_params(**{key: in_numpy(value) for key, value in own.items()})
    X, y = data(name)
    also = {"run": tmp_path / "run"} if isinstance(model, GradientModel) else {}
    model.fit(X, y, **also)
    if name == "VAE":
        model.fit(X, y, resume=True, **also)
    saved = latentia.load(model.save(tmp_path / "model"))
    assert saved.get_params() == own
    assert [type(value) for value in saved.get_params().values()] == list(map(type, own.values()))


TOO_LARGE = [1e300, 10**400, float("inf"), np.float64(1e300)]


def numeric(model):
    """Return the fields that take numbers."""
    hints = typing.get_type_hints(type(model))
    parts = {name: (hints[name], *typing.get_args(hints[name])) for name in model.get_params()}
    return [name for name, kinds in parts.items() if int in kinds or float in kinds]


@pytest.mark.parametrize("name", EVERY)
def test_a_number_too_large_to_compute_with_is_refused(name):
    for field in numeric(EVERY[name]):
        for value in TOO_LARGE:
            given = (value,) if isinstance(getattr(EVERY[name], field), tuple) else value
            model = clone(EVERY[name]).set_params(**{field: given})
            with pytest.raises(InputError, match=rf"\b{field} is .*it must be "):
                model.validate_parameters()


@pytest.mark.parametrize("name", TRAINED)
def test_nets_of_too_many_weights_are_refused(name, monkeypatch):
    monkeypatch.setenv("LATENTIA_MOST_WEIGHTS", "5")
    with pytest.raises(InputError, match=r"more than 5 weights.*LATENTIA_MOST_WEIGHTS"):
        short(name).fit(*data(name))


@pytest.mark.parametrize("fields", [{"hidden": (10**9,)}, {"n_components": 10**12}])
def test_a_net_larger_than_memory_is_refused_before_memory_is_taken(fields):
    with pytest.raises(InputError, match=r"weights|memory"):
        VAE(**fields).fit(*images("VAE"))


def test_weights_are_counted_before_they_are_drawn(monkeypatch):
    monkeypatch.setenv("LATENTIA_MOST_WEIGHTS", "20")
    drawn = []
    monkeypatch.setattr(torch.nn.Linear, "reset_parameters", lambda layer: drawn.append(layer))
    with pytest.raises(InputError, match="more than 20"), bounded_weights():
        torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4))
    assert len(drawn) == 1
    # Outside the block nothing is counted.
    torch.nn.Linear(9, 9)
    monkeypatch.setenv("LATENTIA_MOST_WEIGHTS", "many")
    with pytest.raises(InputError, match="LATENTIA_MOST_WEIGHTS is 'many'"), bounded_weights():
        pass


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 7 TiB"),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
        ValueError("array is too big; `arr.size * arr.dtype.itemsize` is larger"),
    ],
)
def test_missing_memory_is_a_sentence(error, monkeypatch, capsys):
    words = r"^there is not enough memory for this$"
    with pytest.raises(InputError, match=words), within_memory("for this"):
        raise error

    def raising(_):
        raise error

    monkeypatch.setattr(VAE, "updates", raising)
    with pytest.raises(InputError, match="not enough memory to train; take a smaller batch_size"):
        short("VAE").fit(*images("VAE"))
    if isinstance(error, MemoryError):
        monkeypatch.setitem(main.__globals__, "_run", raising)
        assert main([]) == 2
        told = "latentia: error: memory does not suffice (Unable to allocate 7 TiB)"
        assert capsys.readouterr().err.startswith(told)


def test_other_errors_are_not_taken_for_missing_memory():
    for error in (RuntimeError("shapes differ"), InputError("overflow"), ValueError("no")):
        with pytest.raises(type(error), match=str(error)), within_memory("for this"):
            raise error


@pytest.mark.parametrize("name", [*TRAINED, "PCA", "FactorAnalysis"])
def test_more_samples_than_memory_holds_are_refused(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = short(name).fit(*data(name))
    if "sample" in type(model).lacks or not hasattr(model, "sample"):
        return
    with pytest.raises(InputError, match="there is not enough memory for 1000000000000000 "):
        model.sample(10**15)


@pytest.mark.parametrize("device", ["cpu:x", "cpu:", "cuda:-1", "auto:0", "gpu", "cuda:1:2"])
def test_a_device_that_torch_does_not_know_is_refused(device):
    with pytest.raises(InputError, match=f"device is '{device}'; it must be one of"):
        VAE(device=device).validate_parameters()


def test_a_device_with_a_number_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert find_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(
        InputError, match="'cuda:99' is not on this machine; the last one is 'cuda:1'"
    ):
        find_device("cuda:99")
    with pytest.raises(InputError, match="'cpu:1' is not on this machine; the last one is 'cpu:0'"):
        find_device("cpu:1")
