"""A run goes on with the data that it was begun with, and with no others."""

import numpy as np
import pytest

from latentia.data import arrays
from latentia.data.arrays import content
from latentia.errors import InputError
from tests.conftest import small_models


@pytest.mark.parametrize("changed", ["a pixel", "a label"])
def test_a_run_does_not_go_on_with_other_data(changed, images, tmp_path):
    y = np.arange(len(images)) % 3
    model = small_models()["ConditionalVAE"].fit(images, y, run=tmp_path / "run")
    other, labels = images.copy(), y.copy()
    if changed == "a pixel":
        other[5, 2, 3] = 1 - other[5, 2, 3]
    else:
        labels[4] = (labels[4] + 1) % 3
    before = {name: net.state_dict() for name, net in model.nets().items()}
    with pytest.raises(InputError, match="started with another data: content '"):
        small_models()["ConditionalVAE"].fit(other, labels, run=tmp_path / "run", resume=True)
    again = small_models()["ConditionalVAE"].fit(images, y, run=tmp_path / "run", resume=True)
    for name, net in again.nets().items():
        for key, weight in net.state_dict().items():
            assert (weight == before[name][key]).all()


def test_large_data_are_known_by_rows_from_all_over(monkeypatch):
    monkeypatch.setattr(arrays, "MOST_HASHED", 50 * 8)
    X = np.arange(1000.0)[:, None]
    known = content(X)
    noticed = 0
    for row in range(len(X)):
        X[row] += 1
        noticed += content(X) != known
        X[row] -= 1
    assert noticed == 50
    assert content(X, None) == known != content(X, np.array(["a", None], dtype=object))


def test_resuming_needs_a_run(images):
    with pytest.raises(InputError, match="resume needs run"):
        small_models()["VAE"].fit(images, resume=True)
