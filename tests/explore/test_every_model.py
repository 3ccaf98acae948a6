"""Every public model can be explored as far as its verbs go, or says why not."""

import numpy as np
import pytest

from latentia.errors import InputError
from latentia.explore.attributes import edit
from latentia.explore.blending import blend
from latentia.explore.interpolation import interpolate_codes
from latentia.explore.inversion import invert
from latentia.explore.latent_map import manifold
from latentia.explore.traversal import traverse
from latentia.models.base import Encoder, LatentModel
from tests.conftest import learns_from, small_models

pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")


@pytest.mark.parametrize("name", small_models())
def test_every_model(name, faces):
    model = small_models()[name]
    numbers = np.arange(len(faces)) % (2 if learns_from(model) == "domains" else 4)
    model.fit(faces, faces if learns_from(model) == "pairs" else numbers)
    if not isinstance(model, LatentModel):
        for act in (
            lambda: traverse(model),
            lambda: invert(model, faces),
            lambda: blend(model, faces),
        ):
            with pytest.raises(InputError, match=f"{name} has no latent space"):
                act()
        return
    X = faces if isinstance(model, Encoder) else None
    if model.takes_labels:
        for act in (lambda: traverse(model, X), lambda: interpolate_codes(model, np.eye(3))):
            with pytest.raises(InputError, match=f"{name} takes a class beside each code"):
                act()
        with pytest.raises(InputError, match="takes a class"):
            invert(model, faces[:2], n_steps=2)
        return
    assert interpolate_codes(model, np.eye(3), 2, spherical=True).shape == (5, 8, 8)
    walks = traverse(model, X, n_steps=3)
    assert walks.images.shape == (3, 3, 8, 8)
    assert np.isfinite(walks.importance.values).all()
    codes = None if X is None else model.transform(faces)
    assert manifold(model, codes, (0, 1), 2).images.shape == (4, 8, 8)
    found = invert(model, faces[:2], n_steps=2)
    assert found.codes.shape == (2, 3)
    assert np.isfinite(found.squared_errors).all()
    if X is not None:
        assert blend(model, faces[:2]).shape == (1, 8, 8)
        assert edit(model, faces[:2], np.ones(3)).shape == (2, 5, 8, 8)
