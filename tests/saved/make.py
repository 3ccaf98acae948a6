"""Make the saved models and half-done runs that later releases must still load and resume.

    python -m tests.saved.make FOLDER [MODEL ... to leave out]

Each model trains for two epochs on 40 digits, or a rhyme. ``FOLDER/<name>/model`` is what it saved,
``run`` the same training as a kill in its second epoch leaves it, ``metrics.json`` all that the
whole training recorded, ``said.json`` what the model answers. ``processor.json`` says where:
elsewhere sums may round otherwise. What lies beside this file was made by version 0.1.0, before
its modules moved; one model is left out, since its nets are large.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

import latentia
from tests.conftest import small_models

RHYME = (
    "Humpty Dumpty sat on a wall,\nHumpty Dumpty had a great fall.\n"
    "All the king's horses and all the king's men\n"
    "couldn't put Humpty together again.\n"
)
N = 40
LARGE = {"DenoisingAutoencoder"}


def text_models():
    """Return a small language model of each kind."""
    shared = {"n_units": 6, "n_embedding": 4, "window": 7, "batch_size": 4, "device": "cpu"}
    shared |= {"n_epochs": 2, "random_state": 0}
    return {
        "RNNLanguageModel": latentia.RNNLanguageModel(**shared),
        "LSTMLanguageModel": latentia.LSTMLanguageModel(n_layers=2, **shared),
        "NGramLanguageModel": latentia.NGramLanguageModel(order=3),
    }


NO_AVERAGE = {"ema_decay": None}
GAME = {"ema_decay": None, "learning_rate": 2e-4, "beta_1": 0.5}
VARIATIONAL = {"ema_decay": None, "noise_variance": 0.1}
PAPERS = {"lattice_weight": 0.0}
THEN = {"DCGAN": NO_AVERAGE, "GAN": GAME, "SRGAN": PAPERS} | dict.fromkeys(
    ("VAE", "ConditionalVAE", "VaDE"), VARIATIONAL
)
"""What version 0.1.0 had by default, where another default came later."""


def all_models():
    """Return one small instance of every public model, as version 0.1.0 made it."""
    found = small_models() | text_models()
    return {name: model.set_params(**THEN.get(name, {})) for name, model in found.items()}


def lessons(name):
    """Return ``(X, y)`` to fit the model called ``name`` on."""
    if name in text_models():
        return RHYME, None
    data = latentia.load_data("digits")
    X, labels = data.x_train[:N], data.y_train[:N]
    if name == "Pix2Pix":
        return X, X[..., ::-1].copy()
    return X, (labels >= 5).astype(int) if name == "CycleGAN" else labels


def resumable(model):
    return "device" in model.get_params()


def train(name, folder, *, resume=False):
    """Return the fitted model called ``name``, its run recorded in ``folder`` if it keeps one."""
    model = all_models()[name]
    if not resume and THEN.get(name) == VARIATIONAL:
        # What auto meant of images under 16 pixels then; a run that is resumed knows by itself.
        model.set_params(observation="bernoulli", noise_variance=type(model)().noise_variance)
    X, y = lessons(name)
    if not resumable(model):
        return model.fit(X, y)
    held_out = (X[:8], y[:8]) if isinstance(y, np.ndarray) else X[:60]
    # The kernels of a sub-pixel convolution were all drawn apart.
    with patch("latentia.nets.srresnet.begin_equal"):
        return model.fit(X, y, validation=held_out, run=folder, resume=resume)


def recorded(run):
    """Return what a run recorded, without the seconds that it took."""
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def said(model):
    """Return what a fitted model answers to each of its verbs, a few numbers of each."""
    X, y = lessons(type(model).__name__)
    if isinstance(X, str):
        return {"score": model.score(X), "sample": model.sample(length=30, random_state=0)}
    given = (y,) if model.takes_labels else ()
    answers = {}
    if hasattr(model, "score"):
        answers["score"] = model.score(X) if y is None else model.score(X, y)
    if hasattr(model, "sample"):
        answers["sample"] = some(model.sample(5, random_state=0))
    for verb in ("transform", "reconstruct"):
        if hasattr(model, verb):
            answers[verb] = some(getattr(model, verb)(X, *given))
    return answers


def some(array):
    """Return thirty values from all over an array."""
    flat = np.ravel(np.asarray(array, float))
    return flat[:: max(1, flat.size // 30)].tolist()


def processor():
    """Return what the last bits of a result depend on."""
    cpu = Path("/proc/cpuinfo")
    wanted = ("vendor_id", "cpu family", "model", "model name", "stepping", "flags")
    lines = cpu.read_text().split("\n\n")[0].splitlines() if cpu.exists() else []
    facts = {k.strip(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    return {k: facts.get(k, "") for k in wanted} | {
        "torch": torch.__version__,
        "numpy": np.__version__,
        "capability": torch.backends.cpu.get_cpu_capability(),
    }


def half_done(run, target):
    """Copy what of a run a kill in its second epoch leaves: all but the last checkpoint."""
    left_out = shutil.ignore_patterns("tensorboard", "samples", ".lock", "best.*")
    shutil.copytree(run, target, ignore=left_out)
    for steps in target.rglob("checkpoints"):
        for last in sorted(steps.glob("step_*"))[-2:]:
            last.unlink()
    if (target / "pretraining").exists():
        shutil.rmtree(target / "pretraining" / "checkpoints")


def main(folder, left_out=LARGE):
    """Train every model and keep what it saved."""
    for name in sorted(all_models().keys() - left_out):
        with tempfile.TemporaryDirectory() as temporary:
            run = Path(temporary) / "run"
            model = train(name, run)
            model.save(folder / name / "model")
            (folder / name / "said.json").write_text(
                json.dumps(said(latentia.load(folder / name / "model")))
            )
            if run.exists():
                half_done(run, folder / name / "run")
                (folder / name / "metrics.json").write_text(json.dumps(recorded(run)))
    (folder / "processor.json").write_text(json.dumps(processor(), indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), set(sys.argv[2:]) or LARGE)
