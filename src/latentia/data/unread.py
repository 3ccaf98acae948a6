"""Files that Latentia does not read, and the line that turns each into one that it does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from latentia.errors import InputError


class Named(Protocol):
    """What has a name with an ending: a path, or a member of an archive."""

    @property
    def suffix(self) -> str:
        """The end of its name from the last point on."""


R_OBJECT = "in R: write.csv(readRDS({file!r}), 'table.csv', row.names = FALSE)"
R_WORKSPACE = "in R: load({file!r}); then write.csv(NAME, 'table.csv', row.names = FALSE)"
PICKLE = (
    "pickles can run code and are never loaded; where you trust it, in Python: "
    "pandas.DataFrame(pandas.read_pickle({file!r})).to_parquet('table.parquet')"
)
TENSORS = (
    "it can run code and is never loaded; where you trust it, in Python: "
    "numpy.save('x.npy', tensor.numpy()), where tensor is what torch loads of {file!r}"
)
HDF5 = "in Python: numpy.save('x.npy', h5py.File({file!r})['NAME'][:])"
PDF = "tables in it are pictures of numbers: copy them into a spreadsheet, and save that as .csv"
DATABASE = "in Python: pandas.read_sql('select * from NAME', CONNECTION).to_csv('table.csv')"
SQLITE = "in a shell: sqlite3 -header -csv {file} 'select * from NAME' > table.csv"
TYPESET = "export the table as .csv from the program that wrote it"
PAGE = "in Python: pandas.read_html({file!r})[0].to_csv('table.csv', index=False)"
XML = "in Python: pandas.read_xml({file!r}).to_csv('table.csv', index=False)"
ARFF = "in Python: pandas.DataFrame(scipy.io.arff.loadarff({file!r})[0]).to_csv('table.csv')"
SPARSE = (
    "in Python: X, y = sklearn.datasets.load_svmlight_file({file!r}); "
    "numpy.savez('x.npz', x=X.toarray(), y=y)"
)
MATRIX_MARKET = "in Python: numpy.save('x.npy', scipy.io.mmread({file!r}).toarray())"
SCRIPT = "it is a program and holds no data; give the file that it reads or writes"
ARCHIVE = "unpack it, and give the file or folder in it, or pack that as .zip or .tar"
PHOTO = "develop the camera's raw files to .tif or .jpg, as by dcraw -T or darktable-cli"
DRAWING = "export it as .png, as by inkscape --export-type=png {file}"
PICTURE = "convert the pictures to .png or .jpg, as by magick {file} picture.png"
SLICES = "save its slices as .tif, or all of them as one .npy of shape (n, H, W)"
RECORDS = "in Python: write its records into a folder of pictures, a class in each sub-folder"
CAMERAS = (".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf", ".pef", ".srw")
SOUND = "sounds are no tables; save features of them, or spectrograms, as .npy"
LINES: dict[str, str] = {
    **dict.fromkeys((".rds",), R_OBJECT),
    **dict.fromkeys((".rdata", ".rda"), R_WORKSPACE),
    **dict.fromkeys((".pkl", ".pickle", ".joblib", ".p"), PICKLE),
    **dict.fromkeys((".pt", ".pth", ".ckpt"), TENSORS),
    **dict.fromkeys((".h5", ".hdf5", ".hdf", ".h5ad", ".nc", ".netcdf"), HDF5),
    **dict.fromkeys((".pdf",), PDF),
    **dict.fromkeys((".mdb", ".accdb", ".dbf"), DATABASE),
    **dict.fromkeys((".db", ".sqlite", ".sqlite3"), SQLITE),
    **dict.fromkeys((".docx", ".doc", ".pptx", ".rtf", ".odt", ".hwp", ".hwpx"), TYPESET),
    **dict.fromkeys((".numbers", ".gsheet", ".jasp", ".omv", ".jmp", ".mtw", ".sf6"), TYPESET),
    **dict.fromkeys((".html", ".htm"), PAGE),
    ".xml": XML,
    ".arff": ARFF,
    ".mtx": MATRIX_MARKET,
    **dict.fromkeys((".svm", ".svmlight", ".libsvm"), SPARSE),
    **dict.fromkeys((".py", ".ipynb", ".r", ".rmd", ".m", ".sps", ".do", ".sas"), SCRIPT),
    **dict.fromkeys((".7z", ".rar", ".zst", ".lz4", ".lzh", ".cab", ".iso"), ARCHIVE),
    **dict.fromkeys((".svg", ".eps", ".ai", ".wmf", ".emf", ".xcf", ".kra", ".psb"), DRAWING),
    **dict.fromkeys((".jxl", ".jxr", ".wdp", ".exr", ".hdr", ".pfm", ".djvu"), PICTURE),
    **dict.fromkeys((".dcm", ".nii", ".nrrd", ".mha", ".czi", ".nd2", ".svs"), SLICES),
    **dict.fromkeys((".lmdb", ".tfrecord", ".beton", ".rec", ".zarr"), RECORDS),
    **dict.fromkeys((".orc", ".avro"), "in Python: pandas.read_orc or fastavro, then .to_parquet"),
    **dict.fromkeys((".raw", *CAMERAS), PHOTO),
    **dict.fromkeys((".wav", ".mp3", ".flac", ".ogg"), SOUND),
}
"""What to do, by suffix; ``{file}`` is the file's name."""


def of_camera(path: Named) -> str:
    """Return why a camera's raw file is no picture yet, or an empty string for another file.

    Such a file holds a small picture too, which would be taken for the whole.

    >>> of_camera(Path("a.png"))
    ''
    """
    return f"it is a camera's raw file; {PHOTO}" if path.suffix.lower() in CAMERAS else ""


def cure(path: Path) -> str:
    """Return how to convert a file that is not read, or an empty string where nothing is known.

    >>> cure(Path("a.rds"))
    "in R: write.csv(readRDS('a.rds'), 'table.csv', row.names = FALSE)"
    """
    return LINES.get(path.suffix.lower(), "").format(file=path.name)


def refuse_address(spec: str) -> None:
    """Refuse an address, which is no path of a file here, and say which path is meant.

    Raises
    ------
    InputError
        If ``spec`` begins with a scheme such as ``https://``.
    """
    scheme = re.match(r"([a-z][a-z0-9+.-]+)://", spec, re.IGNORECASE)
    if scheme is None:
        return
    if scheme[1].lower() == "file":
        path = url2pathname(urlsplit(spec).path)
        raise InputError(f"{spec} is an address: give the path alone, {path}")
    raise InputError(
        f"{spec} is an address, and no file here: download it first, and give its path"
    )
