"""An error or a kill at the k-th operation on the disk, of a run and of a save, in every family.

After a kill, a run goes on to the result of an undisturbed one. An error is one sentence, or does
no harm, and after it the run goes on too. A saved model is the old one or the new one.
"""

import errno
import random
import shutil
from itertools import pairwise

import numpy as np
import pytest
import safetensors.numpy

import latentia
from latentia.cli.main import main
from latentia.errors import InputError
from tests.faults.disk import KILLED, Disk, command, failing, in_child
from tests.faults.families import FAMILIES, left, make_cheap, on_again, words, write_data
from tests.faults.outcomes import Table, outcome

pytestmark = pytest.mark.filterwarnings("ignore:This process")
ERRORS = {
    "ENOSPC": (errno.ENOSPC, True),
    "EIO": (errno.EIO, False),
    "EACCES": (errno.EACCES, False),
    "EFBIG": (errno.EFBIG, False),
    "EROFS": (errno.EROFS, True),
}
"""Errors, and whether all operations after the first that fails do so too."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with data, a finished run of each family, and how many operations it took."""
    folder = tmp_path_factory.mktemp("faults")
    write_data(folder)
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        make_cheap(patched)
        counts = {}
        for name in FAMILIES:
            with failing(Disk(folder)) as disk:
                assert main(words(name, folder / name)) == 0
            counts[name] = disk.n
        yield folder, counts


def spaced(n, most, draw):
    """Return ``most`` of the numbers from 1 to n, one from each equal part."""
    edges = [1 + round(part * n / min(most, n)) for part in range(min(most, n) + 1)]
    return [draw.randint(a, b - 1) for a, b in pairwise(edges)]


def try_run(name, folder, disk, table, row):
    """Let a disk fail under a run, go on with a sound one, and note what became of both."""
    run, said = folder / "tried", folder / "said"
    shutil.rmtree(run, ignore_errors=True)
    wanted = left(folder / name)

    def same():
        return left(run) == wanted

    status, told = command(words(name, run), disk, said)
    if status != KILLED:
        table.add(row, outcome(status, told, same), (disk.k, told))
    more, again = command(on_again(name, run), Disk(folder), said)
    found = outcome(more, again, same)
    # A sound disk after a fault is no reason to refuse.
    found = "traceback" if found == "sentence" else found
    if list(run.rglob(".latentia-*")):
        found, again = "silent", f"left behind: {list(run.rglob('.latentia-*'))}"
    table.add(row if status == KILLED else f"{row}, then on", found, (disk.k, told, again))


def anywhere(n, most, draw):
    """Return ``most`` numbers from 1 to n."""
    return [draw.randint(1, n) for _ in range(most)]


def check_kills(place, choose, most, seed):
    folder, counts = place
    draw, table = random.Random(seed), Table()
    for name, n in counts.items():
        for k in choose(n, most, draw):
            try_run(name, folder, Disk(folder, k), table, f"kill {name}")
    print(f"\n{table}")
    assert not table.failed, table.failed[:3]


def check_errors(place, most, seed):
    folder, counts = place
    draw, table = random.Random(seed), Table()
    for number, (name, n) in enumerate(counts.items()):
        ks = spaced(n, most, draw)
        for place_, k in enumerate(ks):
            error = list(ERRORS)[(number + place_) % len(ERRORS)]
            code, lasting = ERRORS[error]
            try_run(name, folder, Disk(folder, k, code, lasting), table, f"{error} in a run")
    print(f"\n{table}")
    assert not table.failed, table.failed[:3]


def test_a_run_that_is_killed_at_any_operation_goes_on_as_if_not(place):
    check_kills(place, spaced, 3, seed=0)


def test_a_run_whose_disk_fails_at_any_operation_says_so_and_goes_on(place):
    check_errors(place, 3, seed=1)


@pytest.mark.slow
def test_a_thousand_kills(place):
    check_kills(place, anywhere, 143, seed=2)


@pytest.mark.slow
def test_an_error_at_every_operation(place):
    check_errors(place, 100, seed=3)


def weights(path):
    return safetensors.numpy.load((path / "model.safetensors").read_bytes())


def try_save(old, new, folder, disk, table, row):
    """Save one model over another on a disk that fails; what is loaded is the one or the other."""
    path = folder / "saves" / "model"
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir()
    (path.parent / "home.tmp").mkdir()
    old.save(path)

    def job():
        with failing(disk):
            try:
                new.save(path, overwrite=True)
            except (InputError, OSError):
                return 2
        return 0

    status, told = job() if disk.error else in_child(job, folder / "said"), ""
    try:
        loaded = latentia.load(path)
        loaded.save(path.with_name("again"))
        is_new = same_weights(path.with_name("again"), folder / "new")
        is_old = same_weights(path.with_name("again"), folder / "old")
        sound = is_new or (is_old and status != 0)
    except InputError as error:
        sound, told = False, f"{told}{error}"
    found = "traceback" if status not in (0, 2, KILLED) else "silent"
    if sound and found != "traceback":
        found = "sentence" if status == 2 else "harmless"
    new.save(path, overwrite=True)
    rest = sorted(p.name for p in path.parent.iterdir())
    if rest != ["again", "home.tmp", "model"] and found == "harmless":
        found, told = "silent", f"left behind: {rest}"
    table.add(row, found, (disk.k, told))


def same_weights(one, other):
    a, b = weights(one), weights(other)
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


def check_saves(place, names, most):
    folder, _ = place
    draw, table = random.Random(4), Table()
    for name in names:
        old, new = latentia.load(folder / name), latentia.load(folder / name)
        change(new)
        for model, place_ in ((old, "old"), (new, "new")):
            model.save(folder / place_, overwrite=True)
        with failing(Disk(folder)) as disk:
            new.save(folder / "new", overwrite=True)
        renamed = [k for k, (what, _) in enumerate(disk.done, 1) if what == "rename"]
        for k in {*spaced(disk.n, most, draw), *(renamed if name == names[0] else ())}:
            code, lasting = ERRORS[draw.choice(list(ERRORS))]
            try_save(old, new, folder, Disk(folder, k), table, f"kill save {name}")
            failed = Disk(folder, k, code, lasting)
            try_save(old, new, folder, failed, table, f"error save {name}")
    print(f"\n{table}")
    assert not table.failed, table.failed[:3]


def change(model):
    """Make a learned value another one."""
    for net in model.nets().values():
        for weight in net.parameters():
            weight.data.add_(1)
    if not model.nets():
        model.mean_ = model.mean_ + 1


def test_a_save_over_another_leaves_the_one_or_the_other(place):
    check_saves(place, list(FAMILIES), most=2)


@pytest.mark.slow
def test_every_operation_of_a_save(place):
    check_saves(place, list(FAMILIES), most=1000)


def content(path):
    """Return what is at a path: a file's bytes, or those of all files of a folder."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return {str(p.relative_to(path)): p.read_bytes() for p in files}


WRITERS = {
    "codes.csv": ["transform", "pca", "table.npy", "--out"],
    "codes.parquet": ["transform", "pca", "table.npy", "--out"],
    "codes.npy": ["transform", "pca", "table.npy", "--out"],
    "samples.csv": ["sample", "factor-analysis", "-n", "3", "--random-state", "0", "--out"],
    "back": ["resume", "vae", "--checkpoint", "2", "--out"],
}


@pytest.mark.parametrize("name", WRITERS)
def test_what_a_command_writes_is_there_whole_or_not_at_all(name, place, monkeypatch):
    folder, table = place[0], Table()
    monkeypatch.chdir(folder)
    # What a run that was taken back goes on to is tried above.
    monkeypatch.setattr("latentia.cli.train._go_on", lambda *given: 0)
    out, words, draw = folder / "made" / name, [*WRITERS[name], f"made/{name}"], random.Random(5)

    def again(disk):
        shutil.rmtree(out.parent, ignore_errors=True)
        out.parent.mkdir()
        return command(words, disk, folder / "said")

    whole = Disk(folder)
    assert again(whole)[0] == 0
    wanted = content(out)
    assert wanted
    for k in spaced(whole.n, 4, draw):
        code, lasting = ERRORS[draw.choice(list(ERRORS))]
        for disk in (Disk(folder, k), Disk(folder, k, code, lasting)):
            status, told = again(disk)
            sound = content(out) == wanted if out.exists() else status != 0
            found = "harmless" if disk.error is None else outcome(status, told, lambda: True)
            left_over = [p for p in out.parent.iterdir() if p != out]
            if not sound or (disk.error is not None and left_over):
                found = "silent"
            table.add(f"{'error' if disk.error else 'kill'} {name}", found, (k, told, left_over))
    print(f"\n{table}")
    assert not table.failed, table.failed[:3]
