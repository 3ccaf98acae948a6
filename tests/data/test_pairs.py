"""Pairs of images in every layout, and with everything that can be wrong with them."""

import os
import re

import numpy as np
import pytest
from PIL import Image

from latentia.data.made_pairs import outlines
from latentia.data.pairs import equal_names, load_pairs
from latentia.errors import InputError

RNG = np.random.default_rng(0)
A = RNG.integers(0, 256, (20, 6, 8, 3), dtype=np.uint8)
B = RNG.integers(0, 256, (20, 6, 8, 3), dtype=np.uint8)


def write(folder, name, pixels):
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(folder / name)


def side_by_side(folder, rows):
    for i in rows:
        write(folder, f"{i:02d}.png", np.concatenate([A[i], B[i]], axis=1))


def channels_first(images):
    return np.moveaxis(images, 3, 1)


@pytest.mark.parametrize("test_name", ["test", "val"])
def test_side_by_side_in_parts(tmp_path, test_name):
    side_by_side(tmp_path / "train", range(15))
    side_by_side(tmp_path / test_name, range(15, 20))
    data = load_pairs(str(tmp_path))
    np.testing.assert_array_equal(data.x_train, channels_first(A[:15]))
    np.testing.assert_array_equal(data.pair_train, channels_first(B[:15]))
    np.testing.assert_array_equal(data.x_test, channels_first(A[15:]))
    np.testing.assert_array_equal(data.pair_test, channels_first(B[15:]))
    turned = load_pairs(f"{tmp_path}:reversed")
    np.testing.assert_array_equal(turned.x_train, data.pair_train)
    np.testing.assert_array_equal(turned.pair_test, data.x_test)
    assert load_pairs(turned.spec).x_train.tobytes() == turned.x_train.tobytes()


def test_without_a_test_part_a_tenth_of_the_pairs_is_held_out_together(tmp_path):
    side_by_side(tmp_path, range(20))
    data = load_pairs(str(tmp_path))
    assert len(data.x_train) == len(data.pair_train) == 18
    assert len(data.x_test) == len(data.pair_test) == 2
    partner = {a.tobytes(): b.tobytes() for a, b in zip(channels_first(A), channels_first(B))}
    for x, y in ((data.x_train, data.pair_train), (data.x_test, data.pair_test)):
        assert all(partner[a.tobytes()] == b.tobytes() for a, b in zip(x, y, strict=True))
    assert "no test part" in data.notes[0]


@pytest.mark.parametrize(
    ("first", "second"), [("A", "B"), ("input", "target"), ("trainA", "trainB"), ("one", "two")]
)
def test_folders_with_equal_names(tmp_path, first, second):
    for i in range(20):
        write(tmp_path / first, f"{i:02d}.png", A[i])
        write(tmp_path / second, f"{i:02d}.bmp", B[i, :, :, 0])
    named = first == "one"
    spec = f"{tmp_path / first},{tmp_path / second}" if named else str(tmp_path)
    data = load_pairs(spec)
    assert data.x_train.shape == (18, 3, 6, 8)
    assert data.pair_train.shape == (18, 6, 8)
    partner = {a.tobytes(): b.tobytes() for a, b in zip(channels_first(A), B[..., 0])}
    for x, y in zip(data.x_train, data.pair_train, strict=True):
        assert partner[x.tobytes()] == y.tobytes()
    np.testing.assert_array_equal(load_pairs(data.spec).x_train, data.x_train)


def test_cyclegans_folders_with_a_test_part(tmp_path):
    for part, rows in (("train", range(15)), ("test", range(15, 20))):
        for i in rows:
            write(tmp_path / f"{part}A", f"{i:02d}.png", A[i])
            write(tmp_path / f"{part}B", f"{i:02d}.png", B[i])
    data = load_pairs(str(tmp_path))
    np.testing.assert_array_equal(data.pair_test, channels_first(B[15:]))


def test_a_list_of_pairs(tmp_path):
    lines = ["input,target"]
    for i in range(20):
        write(tmp_path / "pictures", f"in{i}.png", A[i])
        write(tmp_path / "pictures", f"out{i}.png", B[i])
        lines.append(f"pictures/in{i}.png, pictures/out{i}.png")
    (tmp_path / "list.csv").write_text("\n".join(lines))
    data = load_pairs(str(tmp_path / "list.csv"))
    assert len(data.x_train) == 18
    (tmp_path / "list.csv").write_text("\n".join([*lines, "pictures/in0.png,nowhere.png"]))
    with pytest.raises(InputError, match=r"nowhere.png"):
        load_pairs(str(tmp_path / "list.csv"))
    (tmp_path / "list.csv").write_text("one.png")
    with pytest.raises(InputError, match="two paths"):
        load_pairs(str(tmp_path / "list.csv"))


def test_a_list_in_cp949_names_files_in_cp949(tmp_path):
    for i in range(3):
        for side, images in (("왼", A), ("오른", B)):
            name = os.fsdecode(f"{side}{i}.png".encode("cp949"))
            write(tmp_path, name, images[i])
    lines = "".join(f"왼{i}.png,오른{i}.png\n" for i in range(3))
    (tmp_path / "list.csv").write_bytes(lines.encode("cp949"))
    data = load_pairs(str(tmp_path / "list.csv"))
    assert len(data.x_train) + len(data.x_test) == 3


@pytest.mark.parametrize("names", [("x", "y"), ("input", "target"), ("A", "B")])
def test_arrays_of_pairs(tmp_path, names):
    np.savez(tmp_path / "p.npz", **{names[0]: A[..., 0], names[1]: channels_first(B)})
    data = load_pairs(str(tmp_path / "p.npz"))
    assert data.x_train.shape == (18, 6, 8)
    assert data.pair_train.shape == (18, 3, 6, 8)


def test_arrays_in_parts_keep_them(tmp_path):
    x, y = A[..., 0], B[..., 0]
    parts = {"x_train": x[:15], "y_train": y[:15], "x_test": x[15:], "y_test": y[15:]}
    np.savez(tmp_path / "p.npz", **parts)
    np.testing.assert_array_equal(load_pairs(str(tmp_path / "p.npz")).pair_test, y[15:])
    np.savez(tmp_path / "q.npz", pictures=x)
    with pytest.raises(InputError, match="name the pairs"):
        load_pairs(str(tmp_path / "q.npz"))


def test_pictures_are_cut_apart_before_they_are_resized(tmp_path):
    left, right = np.full((10, 20, 3), 0, np.uint8), np.full((10, 20, 3), 255, np.uint8)
    for i in range(3):
        write(tmp_path, f"{i}.png", np.concatenate([left, right], axis=1))
    data = load_pairs(str(tmp_path), image_size=4)
    assert data.x_train.shape == (2, 3, 4, 4)
    assert (data.x_train == 0).all()
    assert (data.pair_train == 255).all()


def test_bad_pairs_are_left_out_and_named(tmp_path):
    side_by_side(tmp_path, range(4))
    write(tmp_path, "odd.png", np.zeros((6, 15, 3), np.uint8))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    data = load_pairs(str(tmp_path))
    assert len(data.x_train) + len(data.x_test) == 4
    assert "2 of 6 pairs were left out" in data.notes[0]
    assert "odd" in data.notes[0]
    assert "broken.png" in data.notes[0]


@pytest.mark.parametrize("image_size", [None, 4])
def test_a_pair_whose_sides_do_not_lie_on_each_other_is_refused_and_named(tmp_path, image_size):
    for i in range(4):
        write(tmp_path / "A", f"{i}.png", A[i])
        write(tmp_path / "B", f"{i}.png", B[i] if i != 2 else B[i].swapaxes(0, 1))
    with pytest.raises(InputError, match=r"A/2.png and .*B/2.png are a pair of 8×6 and 6×8 pixels"):
        load_pairs(str(tmp_path), image_size=image_size)


@pytest.mark.parametrize("size", [(12, 16), (13, 17), (7, 9), (3, 4), (180, 240)])
def test_sides_of_the_same_proportions_stay_aligned(tmp_path, size):
    """A square marks a place: it must be at the same place on both sides."""
    small = np.zeros((24, 32, 3), np.uint8)
    small[8:16, 16:24] = 255
    for i in range(3):
        write(tmp_path / "A", f"{i}.png", small)
        write(tmp_path / "B", f"{i}.png", small)
        path = tmp_path / "B" / f"{i}.png"
        with Image.open(path) as image:
            image.resize(size[::-1], Image.Resampling.BOX).save(path)
    data = load_pairs(str(tmp_path), image_size=12)
    centres = [
        [(part[0, 0] * place).sum() / part[0, 0].sum() for place in np.indices((12, 12))]
        for part in (data.x_train / 255, data.pair_train / 255)
    ]
    np.testing.assert_allclose(*centres, atol=0.5)


def test_pairs_count_what_they_keep(tmp_path, monkeypatch):
    side_by_side(tmp_path, range(20))
    monkeypatch.setenv("LATENTIA_MAX_BYTES", "2000")
    with pytest.raises(InputError, match=r"the pairs in .* would take 5,760 bytes"):
        load_pairs(str(tmp_path))
    assert load_pairs(str(tmp_path), image_size=4).x_train.shape == (18, 3, 4, 4)


def test_files_without_a_partner_are_named(tmp_path):
    write(tmp_path / "A", "1.png", A[0])
    write(tmp_path / "B", "2.png", B[0])
    with pytest.raises(InputError, match="without a partner: 1; 2"):
        equal_names(tmp_path / "A", tmp_path / "B")


def test_a_named_set_gives_its_outlines_and_its_images():
    data = load_pairs("digits")
    assert data.pair_train.shape == data.x_train.shape == (1500, 8, 8)
    np.testing.assert_array_equal(data.x_test, outlines(data.pair_test))
    assert data.spec == "edges:digits"
    assert load_pairs("edges:digits").x_train.tobytes() == data.x_train.tobytes()
    assert "outlines of digits" in data.notes[0]
    with pytest.raises(InputError, match="table"):
        load_pairs("ring")


def test_what_holds_no_pairs_is_refused(tmp_path):
    with pytest.raises(InputError, match="names no pairs"):
        load_pairs(str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="no pictures"):
        load_pairs(str(tmp_path))
    for name in "abc":
        (tmp_path / name).mkdir()
        Image.new("L", (8, 8)).save(tmp_path / name / "1.png")
    a, b, c = (tmp_path / name for name in "abc")
    for spec in (f"{a},{b},{c}", f"{a},nowhere", f"nowhere,{b}", "nowhere.npz", "nowhere.csv"):
        with pytest.raises(InputError, match=f"^{re.escape(repr(spec))} names no pairs of images"):
            load_pairs(spec)
