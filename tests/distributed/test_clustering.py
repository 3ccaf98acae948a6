"""Two processes cluster as one: the autoencoder that comes first, the targets, the centres."""

import numpy as np
import safetensors.numpy

from tests.conftest import small_models
from tests.distributed.test_two_processes import run


def test_two_processes_train_the_start_and_the_clusters(tmp_path):
    finished = run(2, "IDEC", tmp_path, 8)
    assert finished.returncode == 0, finished.stderr[-3000:]
    X = np.random.default_rng(0).random((64, 8, 8), dtype=np.float32)
    model = small_models()["IDEC"].set_params(batch_size=16, n_epochs=3).fit(X)
    weights = safetensors.numpy.load_file(tmp_path / "model" / "model.safetensors")
    np.testing.assert_array_equal(weights["labels_"], model.labels_)
    for name, net in model.nets().items():
        for key, value in net.state_dict().items():
            np.testing.assert_allclose(weights[f"{name}.{key}"], value, atol=1e-5, err_msg=key)
