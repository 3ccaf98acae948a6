"""What to do with files of formats that are not read: one line for each, by its ending."""

from __future__ import annotations

_PICTURES = "convert the pictures to .png or .jpg"
_RAW = "it is a camera's raw file: develop it to .tif or .jpg, as by darktable-cli or dcraw -T"
_UNPACK = "unpack it, and give the folder, or pack it as .zip or .tar"
_ARRAYS = "save its arrays with NumPy: numpy.savez('data.npz', x=..., y=...)"
ADVICE = {
    ".psd .psb .xcf .kra .ai": "export it as .png",
    ".cr2 .cr3 .nef .arw .dng .orf .rw2 .raf .pef .srw .raw": _RAW,
    ".svg .eps .wmf .emf": "it is a drawing: export it as .png, as by inkscape -o OUT.png",
    ".pdf .djvu": "export its pages as pictures, as by pdftoppm -png, or its tables as .csv",
    ".jxl .jxr .wdp .exr .hdr .pfm": _PICTURES,
    ".dcm .dicom .nii .nrrd .mha .czi .nd2 .svs .vsi": "save its slices as .tif or as one .npy",
    ".h5 .hdf5 .he5 .nc .zarr .tfrecord .pt .pth .ckpt .safetensors": _ARRAYS,
    ".lmdb .mdb .beton .rec": "save its records as a folder of pictures, or as .npz",
    ".7z .rar .zst .lz4 .lzh .cab .iso": _UNPACK,
    ".pkl .pickle .joblib .dill": "it could run code when it is read; save its arrays as .npz",
    ".doc .docx .ppt .pptx .html .htm": "save its pictures in a folder, or its table as .csv",
    ".wav .mp3 .flac .ogg .m4a": "it is sound: save spectrograms as .png or .npy",
}
"""By endings, what turns such a file into one that is read."""


def advice(name: str) -> str:
    """Return how to convert a file, by its name; an empty string where nothing is known.

    >>> advice("layers.psd")
    'export it as .png'
    """
    lowered = name.lower()
    lines = ((words.split(), line) for words, line in ADVICE.items())
    return next((line for words, line in lines if lowered.endswith(tuple(words))), "")
