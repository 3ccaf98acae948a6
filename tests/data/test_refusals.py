"""What data are refused for, each in its whole sentence: every value in it is the given one."""

import zipfile

import numpy as np
import pandas
import pytest
import scipy.io
from PIL import Image
from tifffile import imwrite

from latentia.data import arrays, crops, idx, load, made_pairs, named, pairs, text, unpaired
from latentia.data.dataset import Dataset
from latentia.data.degrade import degraded
from latentia.data.lab import lab_of
from latentia.data.moving_digits import moving_digits
from latentia.data.options import SEPARATORS, TableOptions, chosen, one
from latentia.data.picture_files import order
from latentia.data.tagged_pairs import tagged_pairs
from latentia.data.toys import stacked_mnist
from latentia.errors import InputError

NUMBERS = "a,b,y\n" + "".join(f"{i}.25,{i * i}.5,{'uv'[i % 2]}\n" for i in range(9))


def options(name, value):
    return lambda: TableOptions(**{name: value})


def of_options(path):
    names = ["alpha", "beta", "gamma"]
    signs = ", ".join(SEPARATORS)
    return {
        "drop is 2.5; it must be a whole number": options("drop", [2.5]),
        "columns is {'a': 1}; give a list of words or numbers": options("columns", {"a": 1}),
        "columns is [['a']]; give a list of words or numbers": options("columns", [["a"]]),
        "drop is ['']; give a list of words or numbers": options("drop", [""]),
        "columns is [True]; give a list of words or numbers": options("columns", [True]),
        "label is 3; it must be text": options("label", 3),
        "label is ''; it must be text": options("label", ""),
        "as_rows is 'yes'; it must be true or false": options("as_rows", "yes"),
        "keep_totals is 1; it must be true or false": options("keep_totals", 1),
        "decimal is ';'; it must be . or ,": options("decimal", ";"),
        "header is 'maybe'; it must be yes or no": options("header", "maybe"),
        f"delimiter is '::'; give one sign, or {signs}": options("delimiter", "::"),
        "config.json: options of data cannot be {'colour': 3}": lambda: TableOptions.read(
            {"colour": 3}, "config.json"
        ),
        "--missing-codes, --as-rows has no effect here: only tables have columns, and digits is "
        "none; leave it out": (lambda: load("digits", missing_codes=[9], as_rows=True)),
        "--missing-codes: t.csv has no column 'bet' among its 3; did you mean 'beta'?": (
            lambda: chosen(["bet"], names, "missing_codes", "t.csv")
        ),
        "--label alpha:beta means 2 columns of t.csv; name one": lambda: one(
            "alpha:beta", names, "label", "t.csv"
        ),
    }


def of_tables(path):
    def table(name, content, **given):
        (path / name).write_text(content)
        return lambda: load(str(path / name), **given)

    def named_(name):
        return str(path / name)

    return {
        "a.csv: --columns and --drop leave none of its 3 columns": table(
            "a.csv", NUMBERS, drop=["a", "b", "y"]
        ),
        "b.csv: 'a' is left out by --drop and is the --weights": table(
            "b.csv", NUMBERS, drop="a", weights="a"
        ),
        f"{named_('c.csv')}: no column holds the words of --levels, low, high; write them as they "
        "stand in the file": table("c.csv", NUMBERS, levels="low,high"),
        "levels is 'low,LOW'; give at least two different words with commas between, from low to "
        "high": table("d.csv", NUMBERS, levels="low,LOW"),
        f"{named_('e.csv')}: column 'y' holds ' mid' in data row 3, which is not among --levels "
        "low,high; add it, or take it for missing with --missing-codes 'mid'": table(
            "e.csv", "a,y\n1.5,low\n2.5,high\n3.5, mid\n4.5,low\n", levels="low,high"
        ),
        f"{named_('f.csv')}: column 'b' holds ' x' in data row 2, among numbers; correct it, take "
        "it for missing with --missing-codes 'x', or leave the column out with --drop 'b'": table(
            "f.csv", "a,b\n1.5,2.5\n2.5, x\n3.5,4.5\n4.5,5.5\n"
        ),
        f"{named_('g.csv')}: column 'b' has 51 different values; --one-hot takes 2 to 50": table(
            "g.csv", "a,b\n" + "".join(f"{i}.5,w{i}\n" for i in range(51)), one_hot="b"
        ),
        f"{named_('h.csv')} holds 0 rows of 2 columns of numbers": table("h.csv", "a,b\n"),
        f"{named_('i.csv')}: column 'y' holds words, and weights are numbers": table(
            "i.csv", NUMBERS, weights="y"
        ),
        f"{named_('j.csv')}: column 'w' holds -3 in data row 2; weights are finite numbers of at "
        "least 0": table("j.csv", "q,w\n1.5,1\n2.5,-3\n3.5,-9\n4.5,1\n", weights="w"),
        f"{named_('k.csv')}: column 'b' holds inf in data row 3; correct it, or take it for "
        "missing with --missing-codes inf": table("k.csv", "a,b\n1.5,2\n2.5,3\n3.5,inf\n4,inf\n"),
        f"{named_('l.csv')}: column 'b' has 2 missing values, the first in data row 3; fill them "
        "in, drop those rows, or fit FactorAnalysis or ProbabilisticPCA with missing='fiml'": table(
            "l.csv", "a,b\n1.5,2\n2.5,3\n3.5,\n4,\n"
        ),
        f"{named_('m.csv')}: column 'y' has 2 missing labels, the first in data row 2; fill them "
        "in or drop those rows": table("m.csv", "a,y\n1.5,u\n2.5,\n3.5,\n4.5,v\n5.5,u\n"),
        f"{named_('n.csv')} has no column of numbers left; 2 column(s) without numbers were left "
        "out: 'a' (words, 2 different), 'b' (dates); --one-hot or --levels makes numbers of words, "
        "--label classes": table("n.csv", "a,b\n" + "u,2020-01-02\nv,2021-01-02\n" * 2),
        f"{named_('o.csv')} holds a correlation or covariance matrix and not rows; give the rows "
        f"behind it, analyse it with latentia factor {named_('o.csv')}, or, if these are rows, "
        "--as-rows": table("o.csv", ",a,b\na,1,0.5\nb,0.5,1\n"),
        "--label has no effect here: p.csv is a matrix and has no rows; leave it out": table(
            "p.csv", ",a,b\na,1,0.5\nb,0.5,1\n", label="a"
        ),
        f"{named_('q.csv')}: '1,234' in column 'b' can be 1234 with a comma between thousands, or "
        "1.234 with a decimal comma, and no other cell decides it; tell it by --decimal . or "
        "--decimal ,": table("q.csv", "a;b\n1;1,234\n2;2,345\n3;3,456\n"),
        "encoding is 'utf-9', which is none; such as utf-8, utf-16, cp949, euc-kr, cp1252 or "
        "latin-1": table("r.csv", NUMBERS, encoding="utf-9"),
        f"{named_('s.csv')} holds zero bytes, which no table of text does": table(
            "s.csv", "a,b\n1,\0\n2,3\n"
        ),
        "--columns: t.csv has no column 'lone' among its 2": table(
            "t.csv", "q,w\n1,2\n3,4\n", columns="lone"
        ),
    }


def of_other_tables(path):
    frame = pandas.DataFrame({"a": [1.5, 2.5], "b": [3.5, 4.5]})
    with pandas.ExcelWriter(path / "two.xlsx") as book:
        frame.to_excel(book, sheet_name="first", index=False)
        frame.to_excel(book, sheet_name="second", index=False)
    (path / "page.xls").write_text("<html><table></table></html>")
    scipy.io.savemat(path / "two.mat", {"X": np.eye(3), "word": "abc"})
    with zipfile.ZipFile(path / "two.zip", "w") as archive:
        for name in ("one.csv", "two.csv"):
            archive.writestr(name, NUMBERS)
    return {
        f"{path / 'two.xlsx'} has no sheet 'secon'; it has first, second; did you mean 'second'?": (
            lambda: load(str(path / "two.xlsx"), sheet="secon")
        ),
        f"{path / 'page.xls'} is a page of HTML or XML under the name of a spreadsheet: open it in "
        "one, and save it as .xlsx": lambda: load(str(path / "page.xls")),
        f"{path / 'two.mat'} has no numbers named 'Y', but X": lambda: load(
            str(path / "two.mat"), sheet="Y"
        ),
        f"{path / 'two.zip'} holds 2 tables: one.csv, two.csv; choose one with --sheet": (
            lambda: load(str(path / "two.zip"))
        ),
        f"{path / 'two.zip'} has no table 'one', but one.csv, two.csv; did you mean 'one.csv'?": (
            lambda: load(str(path / "two.zip"), sheet="one")
        ),
    }


def of_arrays(path):
    np.savez(path / "b.npz", other=np.eye(3), more=np.eye(2))
    np.savez(path / "y.npz", x=np.eye(3), words=np.array([1.5, 2.5]))
    np.save(path / "r.npy", np.zeros(3, [("age", "f8"), ("size", "f8")]))
    np.save(path / "c.npy", np.zeros((3, 4), complex))
    np.save(path / "o.npy", np.array([{}, {}]), allow_pickle=True)
    np.savez(path / "n.npz", x=np.eye(4), y=np.arange(3))
    np.save(path / "t.npy", np.eye(2)[:1])
    data = Dataset("mine", np.eye(6)[:4], None, np.eye(6)[4:], None)
    return {
        f"{path / 'b.npz'} holds ['more', 'other']; name the samples 'x' or 'images'": lambda: load(
            str(path / "b.npz")
        ),
        "'a.txt' names no labels; give an existing FILE.npy or FILE.npz:key": lambda: (
            arrays.read_labels("a.txt")
        ),
        f"{path / 'y.npz'} holds no (n,) labels, whole numbers or words, but x (3, 3), words "
        "(2,)": lambda: arrays.read_labels(str(path / "y.npz")),
        "y.npy holds 5 labels, and mine 4 training and 2 test samples; give 6, in the order of its "
        "file": lambda: arrays.labels_beside(data, np.arange(5), "y.npy"),
        f"{path / 'r.npy'} is an array of records with the fields age, size; save these as the "
        "columns of one (n, d) array, or as a table": lambda: load(str(path / "r.npy")),
        f"{path / 'c.npy'} is a complex128 array of shape (3, 4); give real numbers of shape "
        "(n, d), (n, H, W) or (n, C, H, W)": lambda: load(str(path / "c.npy")),
        f"{path / 'o.npy'} cannot be read: it holds Python objects, which could run code; save "
        "numbers, as by array.astype(float)": lambda: load(str(path / "o.npy")),
        f"{path / 'n.npz'}[y]: 4 samples and labels of shape (3,)": lambda: load(
            str(path / "n.npz")
        ),
        "t has too few samples, 1; at least 2 are needed to train and to test": lambda: load(
            str(path / "t.npy")
        ),
        "t10k is not an idx file: its first bytes are b'abcd'": lambda: idx.parse(b"abcd", "t10k"),
        "t10k has 9 bytes; its header promises 10 bytes": lambda: idx.parse(
            b"\0\0\x08\x01\0\0\0\x02a", "t10k"
        ),
        "t10k says that it has 5 dimensions; at most 4 are read": lambda: idx.parse(
            b"\0\0\x08\x05" + b"\0\0\0\x01" * 5 + b"a", "t10k"
        ),
    }


def of_places(path):
    (path / "empty.csv").touch()
    (path / "rhyme.txt").write_text("to be or not to be")
    (path / "notes.odt").write_text("abc")
    Image.new("L", (8, 8)).save(path / "one.png")
    known = ", ".join(named.DESCRIPTIONS)
    return {
        "digits ships with the software: there is nothing to fetch": lambda: named.fetch("digits"),
        f"there is no data set 'digit' and no such file or folder; known names are {known}; did "
        "you mean 'digits'?": lambda: load("digit"),
        f"{path / 'empty.csv'} is empty (zero bytes)": lambda: load(str(path / "empty.csv")),
        f"{path / 'rhyme.txt'} is a text: train rnn, lstm or n-gram on it, or use load_text": (
            lambda: load(str(path / "rhyme.txt"))
        ),
        f"{path / 'one.png'} is one picture; give a folder of them, or an archive": lambda: load(
            str(path / "one.png")
        ),
        "image_size is 8, and digits is no folder of pictures: only those are resized; leave it "
        "out": lambda: load("digits", image_size=8),
    }


def picture(path, width=8):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (width, 8), 128).save(path)
    return path


def of_pictures(path):
    for number in range(10):
        picture(path / f"ten/{number}.png")
    for number in range(27):
        for name, bands in (("many", 5), ("wide", 7)):
            (path / name).mkdir(exist_ok=True)
            pixels = np.zeros((8, 8, bands), np.uint8)
            imwrite(path / f"{name}/{number}.tif", pixels, planarconfig="contig")
    for number in range(6):
        picture(path / f"one/{number}.png")
        picture(path / f"two/{number}.png", width=9)
        picture(path / f"out/{number}.png")
    (path / "pairs.csv").write_text("input,target\none/0.png,no.png\n")
    (path / "odd.csv").write_text("one/0.png,one/1.png,one/2.png\n")
    np.savez(path / "p.npz", a=np.eye(3), b=np.eye(3))
    (path / "none").mkdir()
    (path / "none/a.txt").write_text("abc")
    one = path / "one"
    np.save(path / "x.npy", np.eye(9))
    return {
        f"{path / 'p.npz'} holds ['a', 'b']; name the pairs 'x' and 'y', or 'input' and 'target'": (
            lambda: pairs.load_pairs(str(path / "p.npz"))
        ),
        f"{path / 'pairs.csv'} names files that are not there: {path / 'no.png'}": lambda: (
            pairs.load_pairs(str(path / "pairs.csv"))
        ),
        f"{path / 'odd.csv'}: 'one/0.png,one/1.png,one/2.png' is not 'input,target', two paths": (
            lambda: pairs.load_pairs(str(path / "odd.csv"))
        ),
        f"{path / 'out'} is the folder of the inputs; choose another --out": lambda: order(
            [path / "out"], path / "out"
        ),
        f"there is no file or folder {path / 'no'}": lambda: order([path / "no"], path / "out"),
        f"{one / '0.png'} is a file; --out names a folder": lambda: order([one], one / "0.png"),
        f"{one / '0.png'} and {path / 'two/0.png'} would both become {path / 'new/0.png'}; leave "
        "one out": lambda: order([one, path / "two"], path / "new"),
        f"{path / 'out/0.png'} exists, and 5 more: choose another --out, or --overwrite or "
        "--skip-existing": lambda: order([one], path / "out"),
        f"{path / 'out/0.png'} exists: choose another --out, or --overwrite or "
        "--skip-existing": lambda: order([one / "0.png"], path / "out"),
        f"{one / '0.png'} is one of the inputs; choose another --out": lambda: order(
            [one / "0.png"], one, "replace"
        ),
        f"there are no pictures in {path / 'none'}": lambda: order([path / "none"], path / "new"),
        f"{path / 'one/{5..2}.png'}: give the range from low to high, such as {{000..009}}": (
            lambda: load(str(path / "one/{5..2}.png"))
        ),
        f"{path / 'one/{5..7}.png'} names pictures, 5.png: give their folder": lambda: load(
            str(path / "one/{5..7}.png")
        ),
        f"{path / '{5..7}.tar'} names {path / '5.tar'}, which is not there": lambda: load(
            str(path / "{5..7}.tar")
        ),
        f"no file is like {path / 'one/*.jpg'}": lambda: load(str(path / "one/*.jpg")),
        f"the images of {path / 'many'} have 5 channels and those of {path / 'wide'} 7; give those "
        "of one number": lambda: unpaired.load_unpaired(f"{path / 'many'},{path / 'wide'}"),
        f"{one},{path / 'two'} has 10 training images; at least 24 are needed, of which a twelfth "
        "is held out": lambda: unpaired.load_unpaired(f"{one},{path / 'two'}"),
        f"{one} holds 6 pictures to train and 0 to test on; give at least 10, or folders train and "
        "test": lambda: crops.load_crops(str(one), image_size=8),
        "no picture has sides of at least 9 pixels; cut smaller crops": lambda: crops.load_crops(
            str(path / "ten"), image_size=9
        ),
        "x is a table; pairs are of images": lambda: made_pairs.made_pairs(
            "outlines", str(path / "x.npy")
        ),
        "image_size is 8x0; it must be a whole number of pixels of at least 1, or width x "
        "height, such as 64x48, with fit behind it for whole pictures on black": lambda: load(
            str(one), image_size=(8, 0)
        ),
    }


def of_domains(path):
    np.savez(path / "d.npz", x=np.zeros((40, 8, 8)), y=np.arange(40) % 3)
    np.savez(path / "t.npz", x=np.zeros((40, 8, 8)))
    d, t = str(path / "d.npz"), str(path / "t.npz")
    return {
        f"{t} has no labels to tell two domains by; give a folder with trainA and trainB, two "
        "folders with a comma between, a labelled set, or FILE.npz:key": lambda: (
            unpaired.load_unpaired(t)
        ),
        f"d has 3 classes (0, 1, 2); name two of them, such as {d}:1,2": lambda: (
            unpaired.load_unpaired(d)
        ),
        "digits has no class 'cat'; its classes are 0, 1, 2, 3, 4, 5, 6, 7, 8, 9": lambda: (
            unpaired.load_unpaired("digits:3,cat")
        ),
        "both domains are '3'; name two classes": lambda: unpaired.load_unpaired("digits:3,3"),
    }


def of_texts(path):
    (path / "a.txt").write_bytes(b"to be\xff or not")
    (path / "b.txt").write_text("short")
    (path / "c.abc").write_text("no tune at all " * 9)
    return {
        f"there is no text file '{path / 'no.txt'}'; give a .txt or .abc file": lambda: (
            text.load_text(str(path / "no.txt"))
        ),
        f"{path / 'a.txt'} is not UTF-8 text: byte 0xff at place 5; save it as UTF-8": lambda: (
            text.load_text(str(path / "a.txt"))
        ),
        f"{path / 'b.txt'} holds 5 characters; at least {text.SHORTEST} are needed to train and "
        "to test": lambda: text.load_text(str(path / "b.txt")),
        f"{path / 'c.abc'} holds no tune in ABC notation: there is no key field K:": lambda: (
            text.load_text(str(path / "c.abc"))
        ),
    }


def of_made(path):
    flat, three = np.zeros((4, 8)), np.zeros((4, 8, 8))
    return {
        "moving digits are made of images (m, H, W), not (4, 8)": lambda: moving_digits(flat, 1, 1),
        "images of (8, 8) pixels do not fit into frames of 7; give a side of at least 8": lambda: (
            moving_digits(three, 1, 1, side=7)
        ),
        "pairs need images (m, H, W) with a label each, not (4, 8, 8) and (3,)": lambda: (
            tagged_pairs(three, np.arange(3), 1)
        ),
        "stacked digits need images (m, H, W) with a label each, not (4, 8, 8) and (3,)": lambda: (
            stacked_mnist(three, np.arange(3), 1)
        ),
        "images of (2, 8) pixels cannot be made 4 times smaller; give sides of at least 4 pixels": (
            lambda: degraded(np.zeros((1, 2, 8)), 4)
        ),
        "colours need images (n, 3, H, W); these have shape (4, 8, 8)": lambda: lab_of(three),
    }


@pytest.mark.parametrize(
    "kind",
    [
        of_options,
        of_tables,
        of_other_tables,
        of_arrays,
        of_places,
        of_pictures,
        of_domains,
        of_texts,
        of_made,
    ],
)
def test_every_refusal_names_what_was_given(kind, tmp_path):
    for sentence, asked in kind(tmp_path).items():
        with pytest.raises(InputError) as refused:
            asked()
        assert str(refused.value) == sentence


def test_options_of_tables_for_what_is_not_there_say_that_it_is_not():
    with pytest.raises(InputError, match=r"no data set 'nowhere'"):
        load("nowhere", drop="a")


def test_options_for_all_columns_choose_none():
    given = {"sheet": "s", "keep_totals": True, "missing_codes": ("9",), "decimal": ","}
    some = {"columns": ("a",), "drop": ("b",), "label": "c", "weights": "d", "index": "e"}
    assert TableOptions(**given, **some).of_all() == TableOptions(**given)
    for name, value in some.items():
        assert TableOptions(**{name: value}).of_all() == TableOptions()
