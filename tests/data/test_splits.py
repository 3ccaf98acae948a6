"""Which samples are held out, in every layout, and what goes with them; what a fingerprint sees."""

import dataclasses
import struct

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageOps

from latentia.data import dataset, describe, load
from latentia.data.arrays import fingerprint, labels_beside, read_labels
from latentia.data.crops import load_crops, read_pictures
from latentia.data.degrade import pieces_of
from latentia.data.pairs import load_pairs
from latentia.data.unpaired import load_unpaired, mixed
from latentia.errors import InputError

N = 40
NUMBERS = np.arange(N)
KINDS = np.array(["c", "a", "b"])[NUMBERS % 3]
IMAGES = np.repeat(NUMBERS * 5, 36).reshape(N, 6, 6).astype(np.uint8)
TABLE = np.c_[NUMBERS * 5.0, NUMBERS % 7]


def numbers(x):
    """Return which samples these are."""
    return (x.reshape(len(x), -1)[:, 0] // 5).astype(int)


def held_out(n, seed):
    """Return the places of a tenth of n samples, and the other ones."""
    order = np.random.default_rng(seed).permutation(n)
    return np.sort(order[: n // 10]), np.sort(order[n // 10 :])


def pictures(folder, images=IMAGES, kinds=None):
    for i, pixels in enumerate(images):
        place = folder / kinds[i] if kinds is not None else folder
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{i:02d}.png")
    return folder


def npy(folder):
    np.save(folder / "x.npy", IMAGES)
    return folder / "x.npy"


def npz(folder, **arrays):
    np.savez(folder / "x.npz", images=IMAGES, **arrays)
    return folder / "x.npz"


def idx(folder):
    header = struct.pack(">BBBB3I", 0, 0, 8, 3, *IMAGES.shape)
    (folder / "x-idx3-ubyte").write_bytes(header + IMAGES.tobytes())
    return folder / "x-idx3-ubyte"


def csv(folder):
    lines = [f"{a},{b},{kind}" for (a, b), kind in zip(TABLE, KINDS)]
    (folder / "x.csv").write_text("\n".join(["a,b,label", *lines]))
    return folder / "x.csv"


def parquet(folder):
    columns = {"a": TABLE[:, 0], "class": KINDS, "b": TABLE[:, 1]}
    pq.write_table(pa.table(columns), folder / "x.parquet")
    return folder / "x.parquet"


LAYOUTS = {
    "npy": npy,
    "npz": lambda folder: npz(folder, y=KINDS),
    "npz of other names": lambda folder: npz(folder, mood=KINDS),
    "npz without labels": npz,
    "idx": idx,
    "csv": csv,
    "parquet": parquet,
    "folder": lambda folder: pictures(folder / "pictures"),
    "labelled folder": lambda folder: pictures(folder / "pictures", kinds=KINDS),
}
LABELLED = {"npz", "npz of other names", "csv", "parquet", "labelled folder"}


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_seeded_tenth_is_held_out_in_order_with_its_labels(tmp_path, layout, seed):
    path = LAYOUTS[layout](tmp_path)
    data = load(str(path), random_state=seed)
    in_file = np.lexsort([NUMBERS, KINDS]) if layout == "labelled folder" else NUMBERS
    for x, y, places in zip(
        (data.x_test, data.x_train), (data.y_test, data.y_train), held_out(N, seed), strict=True
    ):
        np.testing.assert_array_equal(numbers(x), in_file[places])
        if layout in LABELLED:
            assert data.class_names == ("a", "b", "c")
            np.testing.assert_array_equal(np.array(data.class_names)[y], KINDS[numbers(x)])
        else:
            assert y is None
    assert not data.own_test
    assert "4 of its 40 samples" in data.notes[-1]
    assert (data.name, data.spec) == (path.stem, str(path))


def test_few_samples_leave_one_to_test_on(tmp_path):
    np.save(tmp_path / "x.npy", IMAGES[:3])
    assert len(load(str(tmp_path / "x.npy")).x_test) == 1


def test_parts_in_a_file_are_its_own_and_share_their_classes(tmp_path):
    np.savez(
        tmp_path / "x.npz",
        x_train=IMAGES[:30],
        y_train=KINDS[:30],
        x_test=IMAGES[30:32],
        y_test=np.array(["c", "b"]),
    )
    data = load(str(tmp_path / "x.npz"))
    assert data.own_test
    assert data.y_test.tolist() == [2, 1]
    np.testing.assert_array_equal(np.array(data.class_names)[data.y_train], KINDS[:30])


@pytest.mark.parametrize("case", ["split", "own", "on the disk"])
def test_labels_beside_a_file_are_those_of_its_samples(tmp_path, monkeypatch, case):
    if case == "own":
        np.savez(tmp_path / "x.npz", x_train=IMAGES[:25], x_test=IMAGES[25:])
    else:
        np.save(tmp_path / "x.npy", IMAGES)
    if case == "on the disk":
        monkeypatch.setattr(dataset, "MEMORY_LIMIT", 100)
    np.savez(tmp_path / "labels.npz", number=NUMBERS, half=np.arange(20))
    data = load(str(next(tmp_path.glob("x.*"))))
    (labels,) = read_labels(f"{tmp_path}/labels.npz:number").values()
    train, test = labels_beside(data, labels, "number")
    np.testing.assert_array_equal(train, numbers(data.x_train))
    np.testing.assert_array_equal(test, numbers(data.x_test))
    assert data.own_test == (case == "own")
    with pytest.raises(InputError, match="half holds 20 labels"):
        labels_beside(data, np.arange(20), "half")


def test_what_is_known_of_a_named_set_comes_with_it():
    known, data = describe("digits"), load("digits")
    found = (data.name, data.class_names, data.description, data.origin, data.licence)
    assert found == (known.name, known.classes, known.summary, known.origin, known.licence)
    assert all(found)
    assert data.spec == "digits"


LOADS = {"plain": load, "pairs": load_pairs, "unpaired": load_unpaired, "crops": load_crops}


@pytest.mark.parametrize("kind", LOADS)
def test_pictures_are_resized_as_pillow_does_and_their_place_is_kept(tmp_path, monkeypatch, kind):
    draw = np.random.default_rng(0)
    for name in ("trainA", "trainB", "testA", "testB") if kind == "unpaired" else ("train", "test"):
        pictures(tmp_path / "set" / name, draw.integers(0, 256, (25, 12, 20, 3), dtype=np.uint8))
    monkeypatch.chdir(tmp_path)
    data = LOADS[kind]("set", image_size=5)
    assert data.image_size == 5
    assert data.spec == str(tmp_path / "set")
    monkeypatch.chdir("/")
    again = LOADS[kind](data.spec, image_size=data.image_size)
    np.testing.assert_array_equal(again.x_train, data.x_train)
    assert data.x_train.shape[1:] == data.x_test.shape[1:] == (3, 5, 5)
    if kind != "crops":
        part = tmp_path / "set" / ("testB" if kind == "unpaired" else "test")
        whole = [Image.open(path) for path in sorted(part.iterdir())]
        if kind == "pairs":
            whole = [image.crop((0, 0, 10, 12)) for image in whole]
        fitted = [ImageOps.fit(image, (5, 5), Image.Resampling.LANCZOS) for image in whole]
        expected = {np.moveaxis(np.asarray(image), 2, 0).tobytes() for image in fitted}
        assert expected <= {x.tobytes() for x in data.x_test}


def test_both_sides_of_pairs_in_folders_are_resized(tmp_path):
    draw = np.random.default_rng(0)
    for name, side in (("A", 12), ("B", 9)):
        images = draw.integers(0, 256, (20, side, side, 3), dtype=np.uint8)
        pictures(tmp_path / name, images)
    data = load_pairs(str(tmp_path), image_size=5)
    assert data.x_train.shape == data.pair_train.shape == (18, 3, 5, 5)


def test_pieces_have_a_side_of_96_unless_another_is_asked_for(tmp_path):
    pictures(tmp_path, np.zeros((10, 100, 97), np.uint8))
    data = load_crops(str(tmp_path))
    assert data.image_size == 96
    assert data.x_test.shape[1:] == (3, 96, 96)


def test_what_was_left_out_of_either_part_is_said(tmp_path):
    for part in ("train", "test"):
        pictures(tmp_path / part, IMAGES[:3])
        (tmp_path / part / "bad.png").write_bytes(b"no picture")
    for kind in ("plain", "pairs", "crops"):
        words = " ".join(LOADS[kind](str(tmp_path), image_size=4).notes)
        assert "train/bad.png" in words
        if kind != "pairs":
            assert "test/bad.png" in words


def beside(folder):
    pictures(folder, np.concatenate([IMAGES, IMAGES + 2], axis=2))
    return str(folder)


def two_folders(folder):
    return f"{pictures(folder / 'one')},{pictures(folder / 'two', IMAGES + 2)}"


def listed(folder):
    pictures(folder / "one"), pictures(folder / "two", IMAGES + 2)
    lines = [f"one/{i:02d}.png,two/{i:02d}.png" for i in NUMBERS]
    (folder / "list.txt").write_text("\n".join(lines))
    return str(folder / "list.txt")


def archive(folder):
    np.savez(folder / "x.npz", input=IMAGES, target=IMAGES + 2)
    return str(folder / "x.npz")


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("layout", [beside, two_folders, listed, archive])
def test_a_seeded_tenth_of_pairs_is_held_out(tmp_path, layout, seed):
    spec = layout(tmp_path)
    for turned in (False, True):
        data = load_pairs(f"{spec}:reversed" if turned else spec, random_state=seed)
        assert data.spec.endswith(":reversed") == turned
        for x, y, places in zip(
            (data.x_test, data.x_train),
            (data.pair_test, data.pair_train),
            held_out(N, seed),
            strict=True,
        ):
            first, second = (y, x) if turned else (x, y)
            np.testing.assert_array_equal(first, IMAGES[places])
            np.testing.assert_array_equal(second, IMAGES[places] + 2)


def test_made_pairs_take_the_seed_for_the_parts_and_for_the_noise(tmp_path):
    path = npy(tmp_path)
    for seed in (0, 7):
        data = load_pairs(f"noisy:{path}", random_state=seed)
        np.testing.assert_array_equal(data.pair_test, IMAGES[held_out(N, seed)[0]])
        again = load_pairs(data.spec, random_state=seed)
        np.testing.assert_array_equal(again.x_test, data.x_test)
    digits = [load_pairs("noisy:digits", random_state=seed) for seed in (0, 1)]
    np.testing.assert_array_equal(digits[0].pair_train, digits[1].pair_train)
    assert (digits[0].x_train != digits[1].x_train).any()


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("layout", ["folders", "key"])
def test_domains_are_parted_and_mixed_by_the_seed(tmp_path, layout, seed):
    bright = NUMBERS // 4 % 2 == 1
    if layout == "folders":
        pictures(tmp_path / "A", IMAGES[:30])
        pictures(tmp_path / "B", IMAGES[30:])
        test, train = ([a, b + 30] for a, b in zip(held_out(30, seed), held_out(10, seed)))
        spec = f"{tmp_path}/A,{tmp_path}/B"
    else:
        spec = f"{npz(tmp_path, kind=KINDS, bright=bright)}:bright"
        test, train = (
            [places[~bright[places]], places[bright[places]]] for places in held_out(N, seed)
        )
    data = load_unpaired(spec, random_state=seed)
    draw = np.random.default_rng(seed)
    for x, y, sides in ((data.x_train, data.y_train, train), (data.x_test, data.y_test, test)):
        expected = mixed((IMAGES[sides[0]], IMAGES[sides[1]]), draw)
        np.testing.assert_array_equal(x, expected[0])
        np.testing.assert_array_equal(y, expected[1])


def test_two_classes_are_parted_by_the_seed(tmp_path):
    kind = np.resize(["a", "b", "a", "b", "c"], N)
    np.savez(tmp_path / "x.npz", images=IMAGES, y=kind)
    for seed in (0, 7):
        data = load_unpaired(f"{tmp_path}/x.npz:b,a", random_state=seed)
        assert data.class_names == ("b", "a")
        assert data.spec.endswith("x.npz:b,a")
        places = held_out(N, seed)[0]
        assert set(numbers(data.x_test)) == set(places[kind[places] != "c"])
        np.testing.assert_array_equal(kind[numbers(data.x_test)] == "a", data.y_test == 1)


def pieces(pictures, side, coverage, seed=0):
    cut = [pieces_of(picture, k, side, coverage, seed) for k, picture in enumerate(pictures)]
    return np.concatenate(cut)


@pytest.mark.parametrize("seed", [0, 7])
def test_pieces_come_from_their_part_by_their_seed(tmp_path, seed):
    draw = np.random.default_rng(0)
    pictures(tmp_path / "set", draw.integers(0, 256, (20, 14, 11, 3), dtype=np.uint8))
    found, _ = read_pictures(tmp_path / "set")
    test = [found[9], found[19]]
    train = [picture for i, picture in enumerate(found) if i not in (9, 19)]
    data = load_crops(str(tmp_path / "set"), image_size=6, random_state=seed)
    np.testing.assert_array_equal(data.x_train, pieces(train, 6, 4.0, seed))
    np.testing.assert_array_equal(data.x_test, pieces(test, 6, 4.0, seed + 1))
    other = load_crops(str(npy(tmp_path)), random_state=seed)
    assert dataclasses.asdict(other).keys() == dataclasses.asdict(data).keys()
    np.testing.assert_array_equal(numbers(other.x_test), held_out(N, seed)[0])
    assert other.image_size is None


def test_pictures_of_one_size_are_cut_at_places_of_their_own():
    grid = np.arange(400).reshape(20, 20)
    found = pieces([grid, grid], 5, 1.01)
    assert len(found) == 2 * 17
    assert (found[:17, 0, 0] != found[17:, 0, 0]).any()
    corners = pieces([grid[:6, :6]] * 200, 5, 1.0)[:, 0, 0]
    assert set(corners) == {0, 1, 20, 21}


def test_a_fingerprint_sees_shape_type_and_the_first_middle_and_last_row():
    X = np.random.default_rng(0).normal(size=(9, 4))
    same = fingerprint(X)
    assert same == fingerprint(X.copy())
    others = [X.astype(np.float32), X[:8], X.reshape(9, 2, 2), X.view(np.int64)]
    for row in (0, 4, 8):
        changed = X.copy()
        changed[row, 3] += 1
        others.append(changed)
    assert len({same, *map(fingerprint, others)}) == len(others) + 1


def test_classes_of_a_folder_are_resized_as_domains(tmp_path):
    pictures(tmp_path / "set", kinds=np.resize(["a", "b"], N))
    data = load_unpaired(f"{tmp_path}/set:a,b", image_size=4)
    assert data.x_train.shape[1:] == data.x_test.shape[1:] == (4, 4)
