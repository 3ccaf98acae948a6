"""Pictures larger than the limit of memory: what comes out is what memory would hold."""

import io
import tarfile
import tempfile
import zipfile
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from latentia import VAE
from latentia.data import load
from latentia.data.limits import VARIABLE
from latentia.errors import InputError

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (40, 16, 20, 3)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    for i, pixels in enumerate(COLOURS):
        place = tmp_path / "in" / "ba"[i % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{i:02}.png")
    return tmp_path / "in"


def both(folder, monkeypatch, **options):
    """Return the folder as memory holds it, and as the disk does."""
    held = load(str(folder), **options)
    monkeypatch.setenv(VARIABLE, "10K")
    return held, load(str(folder), **options)


@pytest.mark.parametrize("options", [{}, {"image_size": "12x10"}, {"random_state": 3}])
def test_a_folder_beyond_the_limit_is_the_same_data_on_the_disk(folder, monkeypatch, options):
    held, kept = both(folder, monkeypatch, **options)
    for name in ("x_train", "y_train", "x_test", "y_test", "names_train", "names_test"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(held, name))
    assert isinstance(kept.x_train, np.memmap)
    assert not isinstance(held.x_train, np.memmap)
    assert (kept.class_names, kept.image_size) == (held.class_names, held.image_size)
    n_bytes = held.x_train.nbytes + held.x_test.nbytes
    said = f"take {n_bytes:,} bytes, more than the limit of memory: they were decoded into"
    assert any(said in note for note in kept.notes)
    assert not any("limit of memory" in note for note in held.notes)
    assert {*held.notes} < {*kept.notes}


def test_a_model_trained_from_the_disk_is_the_same_to_the_bit(folder, monkeypatch):
    held, kept = both(folder, monkeypatch)
    models = [
        VAE(n_components=2, hidden=(8,), n_epochs=2, batch_size=8, random_state=0).fit(data.x_train)
        for data in (held, kept)
    ]
    for name, weights in models[0].decoder_.state_dict().items():
        np.testing.assert_array_equal(weights, models[1].decoder_.state_dict()[name])


def test_shards_beyond_memory_give_what_memory_gives_also_after_a_stop(tmp_path, monkeypatch):
    """Batches are a function of the seed and the epoch, wherever their pictures are read from."""
    for number in range(2):
        with tarfile.open(tmp_path / f"shard-{number:03}.tar", "w") as archive:
            for i in range(number, len(COLOURS), 2):
                stream = io.BytesIO()
                Image.fromarray(COLOURS[i]).save(stream, "PNG")
                info = tarfile.TarInfo(f"{i:02}.png")
                info.size = len(stream.getvalue())
                archive.addfile(info, io.BytesIO(stream.getvalue()))
    model = partial(VAE, n_components=2, hidden=(8,), batch_size=8, random_state=0)
    held, kept = both(tmp_path / "shard-{000..001}.tar", monkeypatch)
    assert isinstance(kept.x_train, np.memmap)
    whole = model(n_epochs=3).fit(held.x_train)
    model(n_epochs=1).fit(kept.x_train, run=tmp_path / "run")
    again = load(str(tmp_path / "shard-{000..001}.tar"))
    gone_on = model(n_epochs=3).fit(again.x_train, run=tmp_path / "run", resume=True)
    for name, weights in whole.decoder_.state_dict().items():
        np.testing.assert_array_equal(weights, gone_on.decoder_.state_dict()[name])


def test_parts_stay_parts_grey_stays_grey_and_bad_files_are_left_out(tmp_path, monkeypatch):
    for part, first in (("train", 0), ("test", 30)):
        (tmp_path / part).mkdir()
        for i in range(first, first + 10):
            Image.fromarray(COLOURS[i, ..., 0]).save(tmp_path / part / f"{i}.png")
    (tmp_path / "train" / "00.png").write_bytes(b"no picture")
    monkeypatch.setenv(VARIABLE, "3000")
    data = load(str(tmp_path), image_size="20x16")
    assert data.own_test
    np.testing.assert_array_equal(data.x_test, COLOURS[30:40, ..., 0])
    np.testing.assert_array_equal(data.x_train, COLOURS[:10, ..., 0])
    assert any("1 of 11 files were left out" in note and "00.png" in note for note in data.notes)


def test_a_disk_without_room_is_told(folder, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda place: usage)
    monkeypatch.setenv(VARIABLE, "20K")
    place = tempfile.gettempdir()
    with pytest.raises(InputError, match=f"take 38,400 bytes, and {place} has 1,000 bytes left"):
        load(str(folder))


def animation(path, frames):
    first, *others = [Image.fromarray(frame) for frame in frames]
    first.save(path, save_all=True, append_images=others, lossless=True)


def video(path, frames):
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "bgr0"
        for pixels in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def made(folder, kind):
    """Return the path of the pictures in a file, or several, of a kind."""
    path, names = folder / f"x.{kind}", [f"{'ba'[i % 2]}/{i:02}.png" for i in range(len(COLOURS))]
    content = []
    for pixels in COLOURS:
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG")
        content.append(stream.getvalue())
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, held in zip(names, content):
                archive.writestr(name, held)
    elif kind in ("tar", "tgz"):
        with tarfile.open(path, "w:gz" if kind == "tgz" else "w") as archive:
            for name, held in zip(names, content):
                info = tarfile.TarInfo(name)
                info.size = len(held)
                archive.addfile(info, io.BytesIO(held))
    elif kind == "parquet":
        pq.write_table(pa.table({"image": content, "label": [n[0] for n in names]}), path)
    elif kind == "webp":
        animation(path, COLOURS)
    elif kind == "mkv":
        video(path, COLOURS)
    elif kind == "videos":
        path.mkdir()
        video(path / "a.mkv", COLOURS[:25])
        Image.fromarray(COLOURS[25]).save(path / "b.png")
        video(path / "c.mkv", COLOURS[26:])
    return path


KINDS = ["zip", "tar", "tgz", "parquet", "webp", "mkv", "videos"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"image_size": "12x10", "random_state": 3}])
def test_whatever_holds_pictures_is_the_same_data_on_the_disk(tmp_path, monkeypatch, kind, options):
    path = made(tmp_path, kind)
    limit = "10K" if options else "30K"
    held = load(str(path), **options)
    assert not isinstance(held.x_train, np.memmap)
    if kind == "tgz":
        # What is packed as a whole is unpacked in memory, in which it must find room.
        monkeypatch.setattr("latentia.data.archives.check_bytes", lambda n, name: None)
    monkeypatch.setenv(VARIABLE, limit)
    kept = load(str(path), **options)
    assert isinstance(kept.x_train, np.memmap)
    for name in ("x_train", "x_test", "y_train", "y_test", "names_train", "names_test"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(held, name))
    assert (kept.class_names, kept.runs, len(kept.x_test)) == (
        held.class_names,
        held.runs,
        4 - (kind == "videos"),
    )
    assert {*held.notes} < {*kept.notes}
    assert any("more than the limit of memory: they were decoded" in note for note in kept.notes)


def test_frames_that_fail_or_were_not_announced_are_told(tmp_path, monkeypatch):
    path = made(tmp_path, "videos")
    monkeypatch.setenv(VARIABLE, "15K")
    monkeypatch.setattr("latentia.data.pictures.n_frames", lambda path: 10)
    data = load(str(path))
    assert len(data.x_train) + len(data.x_test) == 21
    assert any("2 files, of each: it holds more frames than it announces" in n for n in data.notes)
    np.testing.assert_array_equal(data.x_test[0], np.moveaxis(COLOURS[9], 2, 0))
    (path / "c.mkv").write_bytes(b"no video")
    data = load(str(path))
    assert len(data.x_train) + len(data.x_test) == 11
    assert any("1 of 3 files were left out" in note and "c.mkv" in note for note in data.notes)


@pytest.mark.parametrize("kind", ["zip", "mkv"])
def test_what_grows_beyond_measure_is_refused_as_ever(tmp_path, monkeypatch, kind):
    path = made(tmp_path, kind)
    monkeypatch.setenv(VARIABLE, "20K")
    share = 3 * COLOURS[..., 0].size / path.stat().st_size
    monkeypatch.setattr("latentia.data.on_disk.MOST_GROWTH", 0.99 * share)
    with pytest.raises(InputError, match=rf"would take [\d,]+ bytes of memory.*{VARIABLE}=1G"):
        load(str(path))
    monkeypatch.setattr("latentia.data.on_disk.MOST_GROWTH", 1.01 * share)
    assert isinstance(load(str(path)).x_train, np.memmap)
