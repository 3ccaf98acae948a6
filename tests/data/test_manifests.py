"""Many pictures: parts of a list, lists in every format, what is told, and addresses."""

import hashlib
import http.server
import json
import os
import subprocess
import sys
import tarfile
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from latentia.cli.main import main
from latentia.data.manifests import Ledger, Shard, listed_pictures, shard
from latentia.data.picture_files import order
from latentia.data.remote import Remote, located, within
from latentia.errors import InputError
from tests.children import ROOT, environment

N = 7
RNG = np.random.default_rng(0)


@pytest.fixture
def folder(tmp_path):
    for number in range(N):
        path = tmp_path / "in" / "ba"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8)).save(path)
    return tmp_path / "in"


def made(out):
    """Return the bytes of all pictures below a folder."""
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*.png")}


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def upscale(*words):
    return main(["upscale", "bicubic", *map(str, words), "--scale", "2"])


@given(st.integers(1, 9), st.integers(0, 40))
def test_shards_are_disjoint_whole_and_alike(n, n_items):
    parts = [Shard(i, n).of(range(n_items)) for i in range(1, n + 1)]
    assert sorted(item for part in parts for item in part) == [*range(n_items)]
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "a/b", "-1/2"])
def test_a_shard_is_i_of_n(text, folder, capsys):
    with pytest.raises(InputError, match="give i/n"):
        shard(text)
    assert upscale(folder, "--out", folder.parent / "out", "--shard", text) == 2
    assert not (folder.parent / "out").exists()


def test_shards_with_their_manifests_make_what_one_call_makes(folder, tmp_path):
    (folder / "c").mkdir()
    (folder / "c" / "bad.png").write_bytes(b"no picture")
    told = []
    for number in range(1, 4):
        manifest, failures = tmp_path / f"m{number}.jsonl", tmp_path / f"f{number}.jsonl"
        words = ("--shard", f"{number}/3", "--manifest-out", manifest, "--failures", failures)
        status = upscale(folder, "--out", tmp_path / "parts", *words)
        told += lines(manifest)
        failed = lines(failures)
        assert status == (1 if failed else 0)
        assert [Path(line["source"]).name for line in failed] == ["bad.png"] * (number == 2)
        assert all("not an image" in line["error"] for line in failed)
    assert upscale(folder, "--out", tmp_path / "whole") == 1
    whole = made(tmp_path / "whole")
    assert made(tmp_path / "parts") == whole
    assert len(told) == len(whole) == N
    for line in told:
        content = whole[line["output"]]
        assert line["source"] == str(folder / line["output"])
        assert (line["size"], line["sha256"]) == (
            len(content),
            hashlib.sha256(content).hexdigest(),
        )


def test_what_was_stopped_goes_on_and_its_manifest_is_whole(folder, tmp_path, capsys):
    manifest, failures, out = tmp_path / "m.jsonl", tmp_path / "f.jsonl", tmp_path / "out"
    words = (folder, "--out", out, "--manifest-out", manifest, "--failures", failures)
    assert upscale(*words) == 0
    whole, held = made(out), manifest.read_text()
    assert upscale(*words) == 2
    assert "exists" in capsys.readouterr().err
    # Killed while it wrote a line, behind a picture that has none, before two others.
    kept = held.splitlines(keepends=True)
    manifest.write_text("".join(kept[: N - 3]) + kept[-1][:20])
    for name in [*whole][-2:]:
        (out / name).unlink()
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    assert upscale(*words, "--skip-existing") == 0
    assert made(out) == whole
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    key = "source"
    assert sorted(lines(manifest), key=lambda x: x[key]) == sorted(
        map(json.loads, kept), key=lambda x: x[key]
    )
    assert upscale(*words, "--overwrite") == 0
    assert manifest.read_text() == held
    for other in ("my notes\n", '{"source": "a"}\n', "no line"):
        manifest.write_text(other)
        assert upscale(*words, "--overwrite") == 2 - (other == "no line") * 2
        assert (manifest.read_text() == other) == (other != "no line")


def test_a_result_under_another_name_is_found_again(tmp_path, capsys):
    Image.fromarray(RNG.integers(0, 65536, (6, 5)).astype(np.uint16)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    out, manifest = tmp_path / "out", tmp_path / "m.jsonl"
    words = (tmp_path / "a.jpg", "--out", out, "--manifest-out", manifest)
    assert upscale(*words) == 0
    assert [line["output"] for line in lines(manifest)] == ["a.jpg.png"]
    assert upscale(*words, "--skip-existing") == 0
    assert capsys.readouterr().out.endswith("0 pictures\n")
    assert len(lines(manifest)) == 1


def test_lists_of_every_format_name_the_same(folder, tmp_path):
    names = [path.relative_to(tmp_path).as_posix() for path in sorted(folder.rglob("*.png"))]
    rows = [{"source": name, "output": f"{i:03}.png"} for i, name in enumerate(names)]
    (tmp_path / "l.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "l.csv").write_text(
        "output,source\n" + "".join(f"{row['output']},{row['source']}\n" for row in rows)
    )
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "l.parquet")
    expected = [(tmp_path / row["source"], Path(row["output"])) for row in rows]
    for kind in ("jsonl", "csv", "parquet"):
        assert listed_pictures(tmp_path / f"l.{kind}") == expected
    (tmp_path / "l.txt").write_text("\n".join([*names, "/elsewhere/x.png", "../y.png"]))
    found = listed_pictures(tmp_path / "l.txt")
    assert found[:N] == [(tmp_path / name, Path(name)) for name in names]
    assert found[N:] == [
        (Path("/elsewhere/x.png"), Path("x.png")),
        (tmp_path / "../y.png", Path("y.png")),
    ]
    out = tmp_path / "out"
    assert upscale("--manifest", tmp_path / "l.csv", "--shard", "2/3", "--out", out) == 0
    assert {*made(out)} == {row["output"] for row in rows[1::3]}


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("l.xls", "", "is no list of pictures"),
        ("l.txt", "\n", "names no pictures"),
        ("l.jsonl", '"a"', "is no record"),
        ("l.jsonl", '{"path": "a"}', "picture 1 has no 'source'"),
        ("l.csv", "source\na\n\n ", "picture 2 has no 'source'"),
        ("l.parquet", "no", "cannot be read"),
        ("l.jsonl", '{"source": "a", "output": "../b"}', "leads out of the folder"),
        ("l.jsonl", '{"source": "a", "output": "/b"}', "leads out of the folder"),
        ("l.jsonl", '{"source": "a"}\n{"source": "a", "output": "b"}', "name it once"),
        ("l.jsonl", '{"source": "a/x.png"}\n{"source": "../x.png", "output": "a/x.png"}', "both"),
    ],
)
def test_lists_that_say_too_little_or_too_much_are_refused(name, content, sentence, tmp_path):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=sentence):
        order([], tmp_path / "out", manifest=tmp_path / name)


def test_a_manifest_needs_a_folder_and_pictures_are_to_be_named(tmp_path, capsys):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"there is no folder .* for --manifest-out"):
        order([tmp_path / "a.png"], tmp_path / "o", ledger=Ledger(tmp_path / "no" / "m.jsonl"))
    assert upscale("--out", tmp_path / "out") == 2
    assert "which pictures?" in capsys.readouterr().err


@pytest.fixture
def store():
    """Return an empty place in fsspec's memory."""
    fsspec = pytest.importorskip("fsspec", reason="reads addresses by fsspec")
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    yield memory
    memory.store.clear()


def test_addresses_in_and_out_give_what_paths_give(folder, tmp_path, store):
    for path in folder.rglob("*.png"):
        store.pipe_file(f"/in/{path.relative_to(folder).as_posix()}", path.read_bytes())
    store.pipe_file("/in/a/.hidden.png", b"x")
    store.pipe_file("/in/notes.txt", b"x")
    assert upscale(folder, "--out", tmp_path / "out") == 0
    whole = made(tmp_path / "out")
    manifest = tmp_path / "m.jsonl"
    words = ("memory://in", "--out", "memory://in/out", "--manifest-out", manifest)
    assert upscale(*words, "--shard", "1/2") == 0
    assert upscale(*words) == 2
    manifest.rename(tmp_path / "first.jsonl")
    assert upscale(*words, "--skip-existing") == 0
    there = {name.removeprefix("/in/out/"): store.cat_file(name) for name in store.find("/in/out")}
    assert there == whole
    told = {line["output"]: line for line in lines(manifest)}
    assert {*told} == {*whole}
    assert told["a/1.png"]["source"] == "memory://in/a/1.png"
    assert told["a/1.png"]["sha256"] == hashlib.sha256(whole["a/1.png"]).hexdigest()
    assert upscale(f"file://{folder}", "--out", f"file://{tmp_path / 'again'}") == 0
    assert made(tmp_path / "again") == whole


def test_names_of_a_store_do_not_lead_out_of_the_folder(tmp_path, store, monkeypatch):
    names = ["/in/a.png", "/in/../evil.png", "/in//root/b.png"]
    monkeypatch.setattr(type(store), "find", lambda self, path: names)
    found = order(["memory://in"], tmp_path / "out")
    assert {*found.targets.values()} == {tmp_path / "out/a.png", tmp_path / "out/root/b.png"}
    assert found.bad == (("memory://in/../evil.png", "its name leads out of the folder"),)


@pytest.mark.parametrize("spelt", ["memory://in", "memory:///in/"])
def test_places_of_a_store_keep_what_stands_before_their_path(spelt, store):
    store.pipe_file("/in/a/b.png", b"x")
    store.pipe_file("/in/out/b.png", b"x")
    place = located(spelt)
    assert [str(p) for p, _ in place.files()] == [
        f"{spelt.rstrip('/')}/{name}" for name in ("a/b.png", "out/b.png")
    ]
    machine = Remote("sftp://me@host/in/", store, "/in/")
    assert str(machine / Path("a/b.png")) == "sftp://me@host/in/a/b.png"
    assert str((machine / Path("a/b.png")).with_name("c.png")) == "sftp://me@host/in/a/c.png"
    out = located("memory://in/out")
    assert within(out / Path("a.png"), out) == within(place / Path("a.png"), place) == "a.png"
    assert list(order([spelt], "memory://in/out").targets) == [place / Path("a/b.png")]
    with pytest.raises(InputError, match="is the folder of the inputs"):
        order([spelt], "memory://in")


def test_an_archive_is_read_as_fsspec_reads_it(folder, tmp_path):
    pytest.importorskip("fsspec", reason="reads addresses by fsspec")
    with tarfile.open(tmp_path / "in.tar", "w") as archive:
        archive.add(folder, "in")
    assert upscale(f"tar://in::{tmp_path / 'in.tar'}", "--out", tmp_path / "out") == 0
    assert upscale(folder, "--out", tmp_path / "whole") == 0
    assert made(tmp_path / "out") == made(tmp_path / "whole")


def test_what_cannot_be_had_from_a_store_is_a_failure(tmp_path, store, capsys):
    content = tmp_path / "a.png"
    Image.new("L", (4, 4)).save(content)
    store.pipe_file("/in/a.png", content.read_bytes())
    (tmp_path / "l.txt").write_text("memory://in/a.png\nmemory://in/b.png")
    failures = tmp_path / "f.jsonl"
    words = ("--manifest", tmp_path / "l.txt", "--failures", failures)
    assert upscale(*words, "--out", tmp_path / "out") == 1
    assert lines(failures) == [{"source": "memory://in/b.png", "error": "there is no such file"}]
    assert f"see {failures}" in capsys.readouterr().err
    assert {*made(tmp_path / "out")} == {"a.png"}
    with pytest.raises(InputError, match="nowhere://a cannot be opened: Protocol not known"):
        located("nowhere://a")


def test_addresses_without_fsspec_are_one_sentence(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fsspec.core", None)
    with pytest.raises(InputError, match=r"pip install 'latentia\[remote\]'"):
        located("s3://bucket/a.png")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_pictures_of_a_web_server(folder, tmp_path):
    pytest.importorskip("aiohttp", reason="fsspec reads web addresses by aiohttp")
    (folder / "a" / "1.png").rename(folder / "a" / "하나.png")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        root = f"http://127.0.0.1:{web.server_port}"
        assert upscale(f"{root}/", "--out", tmp_path / "out") == 0
        (tmp_path / "l.txt").write_text(f"{root}/b/0.png?size=full\n{root}/b/none.png")
        failures = tmp_path / "f.jsonl"
        words = ("--manifest", tmp_path / "l.txt", "--failures", failures)
        assert upscale(*words, "--out", tmp_path / "few") == 1
        web.shutdown()
    assert upscale(folder, "--out", tmp_path / "here") == 0
    assert made(tmp_path / "out") == made(tmp_path / "here")
    assert made(tmp_path / "few") == {"0.png": made(tmp_path / "here")["b/0.png"]}
    assert [line["error"] for line in lines(failures)] == ["there is no such file"]


@pytest.mark.slow
def test_the_job_of_an_array_makes_its_shard_and_goes_on(folder, tmp_path):
    """The script that Slurm starts in each task, by hand; the first lost files, and comes again."""
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "latentia"
    command.write_text(f'#!/bin/bash\nexec {sys.executable} -m latentia "$@"\n')
    command.chmod(0o755)
    out, script = tmp_path / "out", ROOT / "examples" / "clusters" / "array_job.sh"
    for task in (1, 2, 1):
        if (out / "made-2.jsonl").exists():
            (out / "a" / "3.png").unlink(missing_ok=True)
            (out / "b" / "0.png").unlink(missing_ok=True)
        finished = subprocess.run(
            ["bash", script, "bicubic", folder, out],
            env=environment(
                PATH=f"{command.parent}:{os.environ['PATH']}",
                VERB="upscale",
                SLURM_ARRAY_TASK_ID=str(task),
                SLURM_ARRAY_TASK_COUNT="2",
            ),
            capture_output=True,
            text=True,
        )
        assert finished.returncode == 0, finished.stderr
    assert main(["upscale", "bicubic", str(folder), "--out", str(tmp_path / "whole")]) == 0
    whole = made(tmp_path / "whole")
    first = [name for i, name in enumerate(sorted(whole)) if i % 2 == 0]
    assert {line["output"] for line in lines(out / "made-1.jsonl")} == {*first}
    assert {name: whole[name] for name in first} == {
        name: content for name, content in made(out).items() if name in first
    }
