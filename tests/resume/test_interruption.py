"""Ctrl-C leaves a resumable run that ends as if nothing had happened."""

import os
import signal

import pytest
import torch

from latentia.training.checkpoint import Checkpoints
from tests.conftest import small_models


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_step_is_finished_and_saved(images, tmp_path, number, heard):
    whole = small_models()["VAE"].fit(images)
    model = small_models()["VAE"]
    plain = model.bound_loss
    calls = iter(range(100))

    def interrupted(x):
        if next(calls) == 2:
            os.kill(os.getpid(), number)
        return plain(x)

    model.bound_loss = interrupted
    handler = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        model.fit(images, run=tmp_path / "run")
    assert signal.getsignal(number) == handler
    assert Checkpoints(tmp_path / "run" / "checkpoints").latest()[1]["step"] == 3
    resumed = small_models()["VAE"].fit(images, run=tmp_path / "run", resume=True)
    for a, b in zip(
        whole.decoder_.state_dict().values(),
        resumed.decoder_.state_dict().values(),
        strict=True,
    ):
        assert torch.equal(a, b)


def test_an_ignored_signal_stays_ignored(images, monkeypatch):
    """As ``nohup`` asks: a training outlives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        model = small_models()["VAE"]
        plain = model.bound_loss

        def interrupted(x):
            os.kill(os.getpid(), signal.SIGHUP)
            return plain(x)

        model.bound_loss = interrupted
        assert model.fit(images).decoder_ is not None
    finally:
        signal.signal(signal.SIGHUP, before)
