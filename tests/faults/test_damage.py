"""Every file of a half-done run and of a saved model, flipped, altered and cut.

A run goes on to the undisturbed result, from an older checkpoint if need be, or one sentence says
why not; a model answers as it did, or one sentence says why not.
"""

import errno
import random
import shutil

import numpy as np
import pytest

import latentia
from latentia.errors import InputError
from latentia.training.config import read_config, write_config
from tests.faults.disk import TRACEBACK, Disk, command, in_child
from tests.faults.families import (
    CLOSED_FORM,
    FAMILIES,
    copied,
    left,
    make_cheap,
    stopped_midway,
    write_data,
)
from tests.faults.outcomes import Table, outcome

pytestmark = pytest.mark.filterwarnings("ignore:This process")
DIGITS = b"0123456789"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with data, and of each family a run killed midway and a finished one."""
    folder = tmp_path_factory.mktemp("damage")
    write_data(folder)
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        make_cheap(patched)
        for name in FAMILIES:
            run = stopped_midway(name, folder / name, folder)
            (folder / "counted").rename(folder / f"{name}-whole")
            assert not (run / "model").exists() or name in CLOSED_FORM
        yield folder


def flipped(content, draw):
    at = draw.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << draw.randrange(8)]) + content[at + 1 :]


def other_digit(content, draw):
    places = [i for i, byte in enumerate(content) if byte in DIGITS]
    if not places:
        return flipped(content, draw)
    at = draw.choice(places)
    digit = draw.choice([d for d in DIGITS if d != content[at]])
    return content[:at] + bytes([digit]) + content[at + 1 :]


def cut(content, draw):
    return content[: draw.randrange(len(content))]


def grown(content, draw):
    return content + content[: draw.randint(1, len(content))]


def emptied(content, draw):
    return b""


def zeroed(content, draw):
    """Return a file of which a block was never written, as after a power cut."""
    at = draw.randrange(len(content))
    return content[:at] + bytes(min(64, len(content) - at)) + content[at + 64 :]


DAMAGES = (flipped, flipped, other_digit, other_digit, cut, grown, emptied, zeroed)


def damage(folder, draw):
    """Damage one file; return what was done to which."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.stat().st_size)
    state = [p for p in files if "tensorboard" not in p.parts and "samples" not in p.parts]
    path, how = draw.choice(files if draw.random() < 0.1 else state), draw.choice(DAMAGES)
    content = path.read_bytes()
    path.write_bytes(how(content, draw))
    return f"{how.__name__} {path.relative_to(folder)}"


def check_runs(folder, names, n, seed):
    draw, table = random.Random(seed), Table()
    for number in range(n):
        name = names[number % len(names)]
        run = folder / "tried"
        shutil.rmtree(run, ignore_errors=True)
        done = damage(copied(folder / name, run), draw)
        status, told = command(["resume", run], Disk(folder), folder / "said")

        def same(run=run, name=name):
            return left(run) == left(folder / f"{name}-whole")

        table.add(f"run of {name}", outcome(status, told, same), (done, told))
    print(f"\n{table}")
    assert not table.failed, table.failed[:3]


def answers(folder):
    """Return all that a saved model knows."""
    model = latentia.load(folder)
    found = dict(vars(model))
    for name, net in model.nets().items():
        found[name] = {k: v.numpy() for k, v in net.state_dict().items()}
    return found


def equal(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    return type(a) is type(b) and a == b


def check_models(folder, names, n, seed):
    draw, table = random.Random(seed), Table()
    wanted = {name: answers(folder / f"{name}-whole/model") for name in names}
    for number in range(n):
        name = names[number % len(names)]
        model = folder / "tried"
        shutil.rmtree(model, ignore_errors=True)
        done = damage(copied(folder / f"{name}-whole/model", model), draw)
        try:
            found = "harmless" if equal(answers(model), wanted[name]) else "silent"
        except InputError as error:
            found = "sentence" if "\n" not in str(error) else "traceback"
        except Exception as error:
            found, done = "traceback", f"{done}: {error!r}"
        table.add(f"model of {name}", found, done)
    print(f"\n{table}")
    assert not table.failed, table.failed[:3]


GRADIENT = [name for name in FAMILIES if name not in CLOSED_FORM]


def test_a_damaged_run_goes_on_or_one_sentence_says_why_not(place):
    check_runs(place, list(FAMILIES), 49, seed=0)


def test_a_damaged_model_answers_as_it_did_or_one_sentence_says_why_not(place):
    check_models(place, list(FAMILIES), 251, seed=1)


def test_a_file_that_cannot_be_read_is_said(place):
    table = Table()
    for name in ("vae", "pca"):
        wanted, run = left(place / f"{name}-whole"), place / "tried"
        for k in range(1, 40):
            shutil.rmtree(run, ignore_errors=True)
            disk = Disk(place, k, errno.EIO, reads=True)
            status, told = command(["resume", copied(place / name, run)], disk, place / "said")
            found = outcome(status, told, lambda run=run, wanted=wanted: left(run) == wanted)
            table.add(f"read for {name}", found, (disk.done[k - 1 : k], told))
            if disk.n < k:
                break
    print(f"\n{table}")
    assert not table.failed, table.failed[:3]
    assert table.rows["read for vae"]["sentence"] > 2


MALFORMED = (None, 3, "x", {}, {"spec": 3}, {"spec": "table.npy", "image_size": "x"})


@pytest.mark.parametrize("name", ["vae", "pca"])
def test_whatever_a_config_says_is_taken_or_refused_in_one_sentence(name, place, monkeypatch):
    # One of several processes starts no others.
    monkeypatch.setenv("RANK", "0")
    run, table = place / "tried", Table()
    shutil.rmtree(run, ignore_errors=True)
    content = read_config(copied(place / f"{name}-whole", run))
    for part in content:
        for value in MALFORMED:
            write_config(run, content | {part: value})
            status, told = command(["resume", run], Disk(place), place / "said")
            table.add("config.json", outcome(status, told, lambda: True), (part, value, told))
    for key in content["parameters"]:
        for value in ([], -1):
            write_config(run, content | {"parameters": content["parameters"] | {key: value}})
            status, told = command(["resume", run], Disk(place), place / "said")
            table.add("parameters", outcome(status, told, lambda: True), (key, value, told))
    print(f"\n{table}")
    assert not table.failed, table.failed[:3]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"split"', b'"spmit"'),
        (b'"epoch"', b'"Epoch"'),
        (b'"epoch": ', b'"epoch": 0, "eqoch": '),
        (b'"values"', b'"walues"'),
        (b'"step": ', b'"step": -'),
        (b'"step": ', b'"step": "x", "stfp": '),
    ],
)
def test_a_line_of_metrics_that_is_none_costs_the_epochs_after_it(old, new, place):
    run = place / "tried"
    shutil.rmtree(run, ignore_errors=True)
    path = copied(place / "vae", run) / "metrics.jsonl"
    *before, last = path.read_bytes().splitlines(keepends=True)
    assert last.count(old) == 1
    path.write_bytes(b"".join([*before, last.replace(old, new)]))
    status, told = command(["resume", run], Disk(place), place / "said")
    found = outcome(status, told, lambda: left(run) == left(place / "vae-whole"))
    assert found == "fallback", told


@pytest.mark.slow
def test_runs_damaged_two_thousand_times(place):
    check_runs(place, GRADIENT[:3], 2000, seed=2)


@pytest.mark.slow
def test_models_damaged_three_thousand_times(place):
    check_models(place, list(FAMILIES), 3000, seed=3)


def test_the_outcomes_tell_failures_from_the_rest():
    said = "VAE  step 1/4\n"
    assert outcome(0, said, lambda: True) == "harmless"
    assert outcome(0, said + "x is damaged; trying the one before", lambda: True) == "fallback"
    assert outcome(2, said + "latentia: error: no", lambda: True) == "sentence"
    assert outcome(0, said, lambda: False) == "silent"
    assert outcome(1, said, lambda: True) == outcome(-11, "", lambda: True) == "traceback"
    assert outcome(2, "", lambda: True) == "traceback"


def test_a_child_that_raises_is_seen(tmp_path):
    assert in_child(lambda: 1 / 0, tmp_path / "said") == TRACEBACK
    assert "ZeroDivisionError" in (tmp_path / "said").read_text()
