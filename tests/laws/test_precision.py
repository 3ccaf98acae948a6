"""In what every model's nets compute as they are trained, and that a run goes on in it."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from latentia.training import precision_probe as probe
from latentia.training.config import read_config
from latentia.training.state import weights_of
from tests.conftest import small_models
from tests.laws.test_laws import IMAGES, TRAINED, answers

pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
FEW = ("VAE", "GAN")
EACH = [name if name in FEW else pytest.param(name, marks=pytest.mark.slow) for name in TRAINED]
PRODUCTS = (torch.ops.aten.mm, torch.ops.aten.addmm, torch.ops.aten.convolution)


class Products(TorchDispatchMode):
    """Note in which types products and convolutions are computed that lead to a gradient."""

    def __init__(self):
        super().__init__()
        self.kinds = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function._overloadpacket in PRODUCTS and torch.is_grad_enabled():
            self.kinds |= {part.dtype for part in args if isinstance(part, torch.Tensor)}
        return function(*args, **(kwargs or {}))


def fitted(name, run=None, resume=False, **fields):
    model = small_models()[name].set_params(**fields)
    return model.fit(IMAGES, answers(name, IMAGES), run=run, resume=resume)


@pytest.mark.parametrize("name", EACH)
@pytest.mark.parametrize("asked", ["float32", "bfloat16"])
def test_the_precision_asked_for_is_that_of_the_products_and_gradients_are_float32(
    name, asked, monkeypatch
):
    # A word in the environment is for where the field says nothing.
    monkeypatch.setenv("LATENTIA_PRECISION", "float32" if asked == "bfloat16" else "bfloat16")
    with Products() as seen:
        model = fitted(name, precision=asked, n_epochs=1)
    kinds = {kind for kind in seen.kinds if kind.is_floating_point}
    assert (torch.bfloat16 in kinds) == (asked == "bfloat16")
    gradients = [p.grad for net in model.nets().values() for p in net.parameters()]
    assert {g.dtype for g in gradients if g is not None} == {torch.float32}
    assert model.precision_ == asked


@pytest.mark.parametrize("name", EACH)
@pytest.mark.parametrize("asked", ["bfloat16", "auto"])
def test_a_run_resumed_in_bfloat16_is_the_undisturbed_one_bit_for_bit(
    name, asked, monkeypatch, tmp_path
):
    decided = []
    monkeypatch.setattr(probe, "faster_precision", lambda *given: decided.append(1) or "bfloat16")
    whole = fitted(name, precision="bfloat16")
    fitted(name, tmp_path / "run", precision=asked, n_epochs=1)
    resumed = fitted(name, tmp_path / "run", resume=True, precision=asked)
    assert read_config(tmp_path / "run")["precision"] == "bfloat16"
    assert len(decided) == (asked == "auto")
    ends = [weights_of(model.nets()) for model in (whole, resumed)]
    for key, value in ends[0].items():
        np.testing.assert_array_equal(value.numpy(), ends[1][key].numpy(), err_msg=key)
