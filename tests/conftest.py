"""Small data and small models, for every test; one thread for each worker, in torch and BLAS."""

import gc
import importlib.util
import os
import re
import signal

os.environ.setdefault("LATENTIA_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# argparse looks for its words in the user's language in some twenty places at every command.
os.environ["LANGUAGE"] = "C"

import shutil
from html.parser import HTMLParser

import numpy as np
import pytest

import latentia

WITHOUT_TORCH = importlib.util.find_spec("torch") is None
LINEAR_HOMES = ("latentia.models.linear", "latentia.models.factors")
DEEP_NAMES = [name for name, home in latentia.MODELS.items() if not home.startswith(LINEAR_HOMES)]
NEEDS_TORCH = re.compile(
    r"^\s*(import torch|from torch|from latentia\.(nets|training)\b)"
    rf"|^(from latentia import.*|.*latentia\.)\b({'|'.join(DEEP_NAMES)})\b",
    re.M,
)


def pytest_ignore_collect(collection_path):
    """Leave out files that cannot be imported where torch is not installed."""
    if WITHOUT_TORCH and collection_path.suffix == ".py":
        return bool(NEEDS_TORCH.search(collection_path.read_text())) or None
    return None


SHARED = {"n_epochs": 2, "batch_size": 16, "random_state": 0, "device": "cpu"}
ENLARGING = {"scale": 2, "n_blocks": 1, "width": 4}
CLUSTERED = {"n_components": 3, "n_clusters": 3, "hidden": (8,)} | SHARED


LEARNT = {
    "Pix2Pix": "pairs",
    "CycleGAN": "domains",
    **dict.fromkeys(("Bicubic", "SRResNet", "SRGAN"), "pieces"),
}


def learns_from(model):
    """Return what data a model is fitted on: samples, pairs, two domains, or sharp pieces."""
    return LEARNT.get(type(model).__name__, "samples")


def small_models():
    """Return one small instance of every public model, without torch of those that need none."""
    linear = {
        "PCA": latentia.PCA(n_components=3),
        "ProbabilisticPCA": latentia.ProbabilisticPCA(n_components=3),
        "FactorAnalysis": latentia.FactorAnalysis(n_components=3, rotation="varimax"),
    }
    if WITHOUT_TORCH:
        return linear
    return linear | {
        "LinearAutoencoder": latentia.LinearAutoencoder(n_components=3, **SHARED),
        "Autoencoder": latentia.Autoencoder(n_components=3, hidden=(8,), tied=True, **SHARED),
        "DenoisingAutoencoder": latentia.DenoisingAutoencoder(
            n_components=3, hidden=(8,), **SHARED
        ),
        "VAE": latentia.VAE(n_components=3, hidden=(8,), **SHARED),
        "ConditionalVAE": latentia.ConditionalVAE(
            n_components=3, hidden=(8,), beta_warmup_epochs=1, free_bits=0.02, **SHARED
        ),
        "LinearVAE": latentia.LinearVAE(n_components=3, **SHARED),
        "AutoencoderKMeans": latentia.AutoencoderKMeans(**CLUSTERED),
        "DEC": latentia.DEC(pretrain_epochs=2, update_interval=7, **CLUSTERED),
        "IDEC": latentia.IDEC(pretrain_epochs=2, update_interval=7, **CLUSTERED),
        "VaDE": latentia.VaDE(pretrain_epochs=2, **CLUSTERED),
        "GAN": latentia.GAN(
            n_components=3, hidden=(8,), historical_averaging=0.1, packing=2, **SHARED
        ),
        "DCGAN": latentia.DCGAN(n_components=3, width=4, **SHARED),
        "ConditionalGAN": latentia.ConditionalGAN(
            n_components=3, width=4, minibatch_discrimination=2, **SHARED
        ),
        "WGAN": latentia.WGAN(n_components=3, width=4, n_critic=2, **SHARED),
        "WGANGP": latentia.WGANGP(n_components=3, width=4, n_critic=2, prior="uniform", **SHARED),
        "ConditionalWGANGP": latentia.ConditionalWGANGP(
            n_components=3, width=4, n_critic=2, **SHARED
        ),
        "Pix2Pix": latentia.Pix2Pix(width=4, **SHARED),
        "CycleGAN": latentia.CycleGAN(width=2, n_blocks=1, pool_size=10, **SHARED),
        "Bicubic": latentia.Bicubic(scale=2),
        "SRResNet": latentia.SRResNet(**ENLARGING, **SHARED),
        "SRGAN": latentia.SRGAN(discriminator_width=2, pretrain_epochs=1, **ENLARGING, **SHARED),
    }


class _Table(HTMLParser):
    """Collects a report's figures: by model, then by key, as exactly as the page holds them."""

    def __init__(self, text):
        super().__init__()
        self.names, self.titles, self.rows = [], [], []
        self.key = self.inside = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "section" and given.get("class") == "model":
            self.names.append(given["data-name"])
            self.rows.append({})
            self.place = len(self.rows) - 1
        if "data-key" in given:
            self.key, self.column = given["data-key"], 0
        if tag == "td" and self.key:
            if given.get("class") != "none":
                self.titles.append((self.column, self.key, given["title"]))
            self.column += 1
        if tag == "dd" and self.key and "title" in given:
            self.titles.append((self.place, self.key, given["title"]))

    def found(self):
        for place, key, title in self.titles:
            self.rows[place][key] = float(title.split()[0])
        return dict(zip(self.names, self.rows, strict=True))


def reported(path):
    """Return a report's figures: by model, then by their definition's key."""
    return _Table(path.read_text()).found()


@pytest.fixture(scope="session", autouse=True)
def sync_at_once():
    """Let a sync be no more than a look at the file: no power is cut here, and disks take long."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", os.fstat)
        yield


@pytest.fixture
def heard():
    """Hear the signals that ask for an end, also where the tests were told to ignore some.

    A shell's background jobs ignore Ctrl-C, and what ``nohup`` starts ignores SIGHUP.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def resumes_as_if_not_stopped(kind, fields, X, hook, stop, run):
    """Hold that a fit that is stopped in a step, which a hook begins, resumes to equal weights."""
    whole, model = kind(**fields).fit(X), kind(**fields)
    begin = getattr(model, hook)

    def watched(step, n_steps):
        begin(step, n_steps)
        if step == stop:
            os.kill(os.getpid(), signal.SIGTERM)

    setattr(model, hook, watched)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, run=run)
    resumed = kind(**fields).fit(X, run=run, resume=True)
    for name, net in whole.nets().items():
        for a, b in zip(net.parameters(), resumed.nets()[name].parameters(), strict=True):
            assert a.equal(b)


@pytest.fixture
def images():
    """(40, 8, 8) float32 images in [0, 1]."""
    return np.random.default_rng(0).random((40, 8, 8), dtype=np.float32)


@pytest.fixture
def table():
    """(60, 5) float64 columns of different scales and means."""
    draws = np.random.default_rng(1).normal(size=(60, 5))
    return draws @ np.diag([5.0, 3.0, 1.0, 0.1, 0.01]) + [100, 0, -3, 0, 7]


LONGEST = ("tests/resume/test_kill.py", "tests/distributed/")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Let nothing be collected as garbage while modules are imported, all of which stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items):
    """Start the longest tests first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Share the tests out by place."""
    from tests.workers import ByPlace

    return ByPlace(config, log)


CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium():
    """Return one Chromium for all pages; tests without it or playwright are skipped."""
    api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
