"""Shards, tables of pictures, metadata, videos, deep TIFFs and HEIC: what was put is read."""

import csv
import io
import json
import sys
import tarfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from latentia.cli.main import main
from latentia.data import images, load
from latentia.data.frames import read_frames
from latentia.data.framing import Frame
from latentia.data.many_bands import has_many_bands
from latentia.errors import InputError
from tests.data.test_archives import PIXELS, packed, png

N = len(PIXELS)
FIRST = np.moveaxis(PIXELS, 3, 1)
CLASSES = [(7 * i) % 11 for i in range(N)]
NAMES = [f"kind {chr(122 - c)}" for c in range(11)]


def numbered(data):
    """Return which of the pictures each sample is, and its class's name."""
    x = np.concatenate([data.x_train, data.x_test])
    order = [int(np.flatnonzero((image == FIRST).all((1, 2, 3)))[0]) for image in x]
    y = np.concatenate([data.y_train, data.y_test])
    return {i: data.class_names[k] for i, k in zip(order, y)}


def shards(folder, suffix, word, stems="shard-{:03}"):
    folder.mkdir(exist_ok=True)
    for shard in range(3):
        files = {}
        for i in range(shard * 10, shard * 10 + 10):
            files |= {f"{i:06}.png": png(PIXELS[i]), f"{i:06}{suffix}": word(CLASSES[i])}
            files[f"{i:06}.txt"] = b"a caption"
        packed(folder / f"{stems.format(shard)}.tar", files)
    return folder


@pytest.mark.parametrize(
    ("suffix", "word"),
    [
        (".cls", lambda k: f"{k}\n".encode()),
        (".json", lambda k: json.dumps({"label": k, "caption": "x"}).encode()),
    ],
)
def test_shards_with_classes_beside_the_pictures(tmp_path, suffix, word):
    folder = shards(tmp_path / "in", suffix, word)
    for spec in ("in", "in/shard-{000..002}.tar", "in/*.tar", "in/shard-{000,001,002}.tar"):
        data = load(str(tmp_path / spec))
        assert numbered(data) == {i: str(k) for i, k in enumerate(CLASSES)}
        # Numbers are in their order as numbers, not as words.
        assert data.class_names == tuple(map(str, range(11)))
        assert any(".txt beside the pictures were left out" in note for note in data.notes)
        assert load(data.spec).spec == data.spec
    (folder / "shard-001.tar").unlink()
    with pytest.raises(InputError, match=r"names .*shard-001.tar, which is not there"):
        load(str(folder / "shard-{000..002}.tar"))
    with pytest.raises(InputError, match="no file is like"):
        load(str(folder / "x*.tar"))


def test_shards_are_of_the_part_that_their_names_tell(tmp_path):
    folder = shards(tmp_path / "in", ".cls", lambda k: str(k).encode(), "x-train-{:03}")
    (folder / "x-train-002.tar").rename(folder / "x-val-000.tar")
    data = load(str(folder))
    assert (len(data.x_train), len(data.x_test), data.own_test) == (20, 10, True)
    np.testing.assert_array_equal(data.x_test, FIRST[20:])
    packed(folder / "x-extra.tar", {"a.png": png(PIXELS[0])})
    assert any("x-extra.tar" in note for note in load(str(folder)).notes)


def table(rows, kind="struct", metadata=True):
    """Return a table as ``datasets`` write it, or of plain bytes."""
    held = [{"bytes": png(PIXELS[i]), "path": f"{i}.png"} for i in rows]
    column = pa.array(held) if kind == "struct" else pa.array([h["bytes"] for h in held])
    found = pa.table({"img": column, "fine_label": [CLASSES[i] for i in rows], "n": list(rows)})
    features = {
        "img": {"_type": "Image"},
        "fine_label": {"_type": "ClassLabel", "names": NAMES},
        "n": {"_type": "Value", "dtype": "int64"},
    }
    info = {"huggingface": json.dumps({"info": {"features": features}})} if metadata else {}
    return found.replace_schema_metadata(info)


@pytest.mark.parametrize("kind", ["struct", "plain"])
@pytest.mark.parametrize("metadata", [True, False])
def test_a_table_of_pictures(tmp_path, kind, metadata):
    pq.write_table(table(range(N), kind, metadata), tmp_path / "t.parquet", row_group_size=7)
    data = load(str(tmp_path / "t.parquet"))
    words = NAMES if metadata else list(map(str, range(11)))
    assert numbered(data) == {i: words[k] for i, k in enumerate(CLASSES)}
    assert data.class_names == tuple(words)
    assert "column 'img', their classes from 'fine_label'; left out: n" in data.notes[0]


def test_a_repository_of_the_hub(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "README.md").write_text("# a set")
    for number, rows in enumerate((range(10), range(10, 20))):
        path = tmp_path / f"data/train-{number:05}-of-00002.parquet"
        pq.write_table(table(rows), path)
    pq.write_table(table(range(20, N)), tmp_path / "data/validation-00000-of-00001.parquet")
    data = load(str(tmp_path))
    np.testing.assert_array_equal(data.x_train, FIRST[:20])
    np.testing.assert_array_equal(data.x_test, FIRST[20:])
    assert data.y_test.tolist() == CLASSES[20:]
    assert data.class_names == tuple(NAMES)


def test_a_folder_of_save_to_disk(tmp_path):
    for part, rows in (("train", range(20)), ("test", range(20, N))):
        (tmp_path / part).mkdir()
        for name in ("state.json", "dataset_info.json"):
            (tmp_path / part / name).write_text("{}")
        found = table(rows)
        path = str(tmp_path / part / "data-00000-of-00001.arrow")
        with pa.OSFile(path, "wb") as sink, pa.ipc.new_stream(sink, found.schema) as writer:
            writer.write_table(found, max_chunksize=7)
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    data = load(str(tmp_path))
    np.testing.assert_array_equal(data.x_train, FIRST[:20])
    np.testing.assert_array_equal(data.x_test, FIRST[20:])
    assert data.y_train.tolist() == CLASSES[:20]


def test_pictures_that_are_only_paths_are_left_out(tmp_path):
    held = table(range(N)).to_pydict()
    held["img"][3] = {"bytes": None, "path": "/etc/passwd"}
    found = pa.table(held).replace_schema_metadata(table([0]).schema.metadata)
    pq.write_table(found, tmp_path / "t.parquet")
    data = load(str(tmp_path / "t.parquet"))
    assert numbered(data) == {i: NAMES[k] for i, k in enumerate(CLASSES) if i != 3}
    assert "row 0000003: its bytes are not in the table, only a path" in data.notes[0]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "only column"])
def test_metadata_name_the_classes(tmp_path, kind):
    rows = [{"file_name": f"{i}.png", "label": f"k{k}"} for i, k in enumerate(CLASSES)]
    if kind == "only column":
        rows = [{"file_name": row["file_name"], "species": row["label"]} for row in rows]
    for i in range(N):
        (tmp_path / f"{i}.png").write_bytes(png(PIXELS[i]))
    if kind == "jsonl":
        text = "\n".join(map(json.dumps, rows))
        (tmp_path / "metadata.jsonl").write_text(text + '\n{"file_name": "gone.png", "label": 1}')
    else:
        stream = io.StringIO()
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
        (tmp_path / "metadata.csv").write_text(stream.getvalue())
    data = load(str(tmp_path))
    assert numbered(data) == {i: f"k{k}" for i, k in enumerate(CLASSES)}
    assert any("gone.png" in note for note in data.notes) == (kind == "jsonl")


GREYS = [8 * i for i in range(30)]


def animation(path, n=30):
    frames = [Image.new("RGB", (16, 8), (g, 0, 255 - g)) for g in GREYS[:n]]
    path.parent.mkdir(exist_ok=True)
    frames[0].save(path, save_all=True, append_images=frames[1:], **WHOLE.get(path.suffix, {}))
    return path


WHOLE = {".webp": {"lossless": True}, ".png": {}}


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp"])
def test_every_frame_of_an_animation_is_a_picture(tmp_path, name):
    data = load(str(animation(tmp_path / name)))
    reds = np.concatenate([data.x_train, data.x_test])[:, 0, 0, 0].astype(int)
    # The last tenth in time is the test: neighbours are alike.
    np.testing.assert_allclose(reds, GREYS, atol=4 if name == "a.gif" else 0)
    assert len(data.x_test) == 3
    assert "the last tenth of each video, 3 of its 30 frames" in data.notes[-1]
    assert data.names_test.tolist() == [f"{name} frame {i}" for i in (28, 29, 30)]
    assert load(str(tmp_path / name), image_size="8x4").x_train.shape[1:] == (3, 4, 8)


def test_every_frame_counts_against_the_limit_of_memory(tmp_path):
    taken = []
    found = read_frames(animation(tmp_path / "a.gif"), Frame(4, 2), taken.append)
    assert taken == [pixels.nbytes for pixels, _ in found] == [4 * 2 * 3] * 30


def video(path, n=30, size=(32, 16)):
    import av

    path.parent.mkdir(exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for grey in GREYS[:n]:
            image = Image.new("RGB", size, (grey, grey, grey))
            for packet in stream.encode(av.VideoFrame.from_image(image)):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def test_every_frame_of_a_video_is_a_picture(tmp_path):
    pytest.importorskip("av")
    data = load(str(video(tmp_path / "v.mp4")))
    greys = np.concatenate([data.x_train, data.x_test]).mean((1, 2, 3))
    np.testing.assert_allclose(greys, GREYS, atol=4)
    folder = tmp_path / "in"
    folder.mkdir()
    video(folder / "a/1.mp4", 20)
    video(folder / "b/2.mp4", 10, (48, 32))
    data = load(str(folder))
    # 16 pixels are less than the usual 64 of pictures of several sizes.
    assert data.x_train.shape == (27, 3, 16, 16)
    assert np.bincount(data.y_train).tolist() == [18, 9]
    np.testing.assert_allclose(data.x_test.mean((1, 2, 3)), [*GREYS[18:20], GREYS[9]], atol=4)
    assert any("2 sizes, from 32×16 to 48×32" in note for note in data.notes)


def test_a_video_without_frames_or_without_its_reader_is_one_sentence(tmp_path, monkeypatch):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate = 8000
        for packet in [*stream.encode(frame), *stream.encode()]:
            container.mux(packet)
    with pytest.raises(InputError, match=r"sound.mp4 cannot be used: it holds no pictures"):
        load(str(tmp_path / "sound.mp4"))
    (tmp_path / "rubbish.mp4").write_bytes(b"rubbish" * 100)
    with pytest.raises(InputError, match=r"rubbish.mp4 cannot be used: its frames cannot be read"):
        load(str(tmp_path / "rubbish.mp4"))
    monkeypatch.setattr("latentia.data.frames.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'latentia\[video\]'"):
        load(str(tmp_path / "sound.mp4"))


DEEP = np.random.default_rng(1).integers(0, 65536, (12, 5, 9, 8)).astype(np.uint16)


@pytest.mark.parametrize("channels", [5, 3, 2])
@pytest.mark.parametrize("layout", ["last", "planes", "pages"])
def test_all_channels_of_a_tiff_keep_their_16_bits(tmp_path, channels, layout):
    tifffile = pytest.importorskip("tifffile")
    x = DEEP[:, :channels]
    for number, pixels in enumerate(x):
        path = tmp_path / f"{number:02}.tif"
        if layout == "last":
            pixels, how = np.moveaxis(pixels, 0, 2), {"planarconfig": "contig"}
        else:
            how = {"planarconfig": "separate"} if layout == "planes" else {}
        tifffile.imwrite(path, pixels, photometric="minisblack", **how)
    data = load(str(tmp_path))
    found = np.concatenate([data.x_train, data.x_test])
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.sort(found.ravel()), np.sort(x.ravel() / 65535), atol=1e-6)
    np.testing.assert_allclose(found.std((0, 2, 3)), (x / 65535).std((0, 2, 3)), atol=1e-6)
    said = any("pages were taken for channels" in note for note in data.notes)
    assert said == (layout == "pages")


def test_other_tiffs_are_pillows(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    for mode in ("L", "RGB", "RGBA", "CMYK", "1", "P", "LA"):
        Image.new(mode, (5, 4)).save(tmp_path / "a.tif")
        assert not has_many_bands(tmp_path / "a.tif"), mode
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((9, 8, 4), np.uint8), photometric="rgb")
    for kind, many in (("assocalpha", False), ("unassalpha", False), ("unspecified", True)):
        pixels = np.zeros((9, 8, 4), np.uint8)
        tifffile.imwrite(tmp_path / "c.tif", pixels, photometric="rgb", extrasamples=[kind])
        assert has_many_bands(tmp_path / "c.tif") == many, kind
    (tmp_path / "b.tif").write_bytes(b"II*\0rubbish")
    assert not has_many_bands(tmp_path / "b.tif")


def test_grey_of_16_bits_is_kept_beside_8(tmp_path):
    Image.fromarray(DEEP[0, 0]).save(tmp_path / "a.png")
    Image.fromarray((DEEP[0, 0] // 256).astype(np.uint8)).save(tmp_path / "b.png")
    data = load(str(tmp_path))
    found = np.concatenate([data.x_train, data.x_test])
    deep = found[np.argmin(np.abs(found - DEEP[0, 0] / 65535).max((1, 2)))]
    np.testing.assert_allclose(deep, DEEP[0, 0] / 65535, atol=1e-6)
    assert any("b.png: it has eight bits, and became floats" in note for note in data.notes)


def test_without_the_reader_it_is_said_what_is_lost(tmp_path, monkeypatch):
    tifffile = pytest.importorskip("tifffile")
    for number in range(2):
        pixels = np.moveaxis(DEEP[number, :3], 0, 2)
        tifffile.imwrite(tmp_path / f"{number}.tif", pixels, photometric="rgb")
    monkeypatch.setattr("latentia.data.many_bands.find_spec", lambda name: None)
    data = load(str(tmp_path))
    assert data.x_train.dtype == np.uint8
    assert any("pip install 'latentia[tiff]'" in note for note in data.notes)


def test_other_films_under_the_name_of_a_picture_are_no_heic(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif.as_plugin", None)
    for brand, said in ((b"heic", True), (b"isom", False), (b"avif", False)):
        (tmp_path / "a.png").write_bytes(b"\0\0\0\x18ftyp" + brand + bytes(40))
        with pytest.raises(images.BadImageError) as refused:
            images.read(tmp_path / "a.png")
        assert ("HEIC" in str(refused.value)) == said


def test_heic_is_read_upright(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    for number in range(3):
        image = Image.new("RGB", (64, 48), (40, 200, 90 + number))
        heif.from_pillow(image).save(tmp_path / f"{number}.heic", quality=100)
    data = load(str(tmp_path))
    assert data.x_train.shape == (2, 3, 48, 64)
    np.testing.assert_allclose(data.x_train[0, :, 20, 20], [40, 200, 90], atol=4)


def test_a_folder_of_pictures_beside_an_archive_is_a_folder(tmp_path):
    for i in range(4):
        (tmp_path / f"{i}.png").write_bytes(png(PIXELS[i]))
    with tarfile.open(tmp_path / "x.tar", "w"):
        pass
    data = load(str(tmp_path))
    assert len(data.x_train) + len(data.x_test) == 4
    assert "x.tar" in data.notes[0]


def described(capsys, path, *words):
    """Return what ``latentia data describe`` prints, and what it complains of."""
    status = main(["data", "describe", str(path), *words])
    out, errors = capsys.readouterr()
    return status, out, errors


@pytest.mark.parametrize(("column", "labels"), [("image", "label"), ("png_bytes", "animal")])
def test_describe_tells_of_a_table_of_pictures_what_is_trained_on(tmp_path, capsys, column, labels):
    held = [png(p) for p in PIXELS]
    rows = held if column == "png_bytes" else [{"bytes": b, "path": "x"} for b in held]
    pq.write_table(pa.table({column: rows, labels: CLASSES}), tmp_path / "a.parquet")
    status, out, _ = described(capsys, tmp_path / "a.parquet")
    data = load(str(tmp_path / "a.parquet"))
    kept, held_out = data.hold_out()
    rows_out = 0 if held_out is None else len(data.x_train) - len(kept.x_train)
    assert status == 0
    assert f"{len(data.x_train) + len(data.x_test):,} images of " in out
    assert f"trained on {len(kept.x_train)} and {rows_out} for the curves" in out
    assert f"tested on {len(data.x_test)}, held out" in out
    assert f"from the column {column!r}" in out
    assert ("classes   11: " in out) == (labels == "label") == (data.y_train is not None)
    assert described(capsys, tmp_path / "a.parquet", "--drop", labels)[0] == 2


def test_pictures_whose_bytes_are_nowhere_are_told(tmp_path, capsys):
    rows = [{"bytes": None, "path": f"{i}.png"} for i in range(4)]
    pq.write_table(pa.table({"image": rows, "label": [0, 1, 0, 1]}), tmp_path / "a.parquet")
    status, _, errors = described(capsys, tmp_path / "a.parquet")
    assert status == 2
    assert "none of the 4 files" in errors
    assert "its bytes are not in the table, only a path" in errors


def test_a_column_that_is_neither_numbers_nor_words_is_named(tmp_path, capsys):
    pq.write_table(pa.table({"a": [1.0, 2, 3], "b": [{"c": 1}] * 3}), tmp_path / "a.parquet")
    status, _, errors = described(capsys, tmp_path / "a.parquet")
    assert status == 2
    assert "the column 'b' holds struct<c: int64>, neither numbers nor words" in errors
    assert described(capsys, tmp_path / "a.parquet", "--drop", "b")[0] == 0


def test_a_shard_that_lacks_a_class_says_which_and_has_none(tmp_path):
    files = {f"{i:06}.png": png(PIXELS[i]) for i in range(8)}
    files |= {f"{i:06}.cls": str(i % 2).encode() for i in range(8) if i != 3}
    data = load(str(packed(tmp_path / "a.tar", files)))
    assert data.y_train is None
    (note,) = [note for note in data.notes if "classes were not taken" in note]
    assert "since 1 of 8 pictures have none" in note
    assert "000003.png" in note
