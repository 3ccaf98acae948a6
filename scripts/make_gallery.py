"""Make the README's walk and thumbnails: figures of the lectures and parts of the pictures in docs.

Usage: python scripts/make_gallery.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

import latentia
from latentia.explore import interpolate
from latentia.plots.grids import rows, save_png
from latentia.plots.style import png_bytes
from latentia.theory.figures import draw

DOCS = Path(__file__).parents[1] / "docs"
FIGURES = {
    "pca-against-factors": (0.33, 0, 1, 1),
    "em-steps": (0, 0, 0.52, 1),
    "gan-game": (0, 0, 0.78, 1),
    "jsd-derivation": (0, 0, 0.55, 1),
    "lipschitz-cone": (0, 0, 0.58, 1),
    "padding-table": (0, 0, 0.54, 1),
}
KOREAN = (*FIGURES, "two-sequences")
"""Figures that README.ko.md shows."""
PICTURES = {
    "models": (0.14, 0, 0.78, 1),
    "gans": (0.125, 0, 0.637, 1),
    "gan_quality": (0, 0, 1, 1),
    "cyclegan_smiles": (0.19, 0, 1, 0.66),
    "gans_half_hour": (0.55, 0, 0.8, 1),
    "super_resolution": (0.6, 0.08, 1, 0.7),
}
"""Figures of lectures, pictures of docs, and what is shown of each: left, top, right, bottom."""
SIZE = (300, 200)
ROWS = [3, 2, 1, 18, 4, 8, 11, 0, 61, 7]
"""MNIST's first test digits of each kind, from 0 to 9."""
N_STEPS, SIDE, GREYS = 7, 168, 16


def main() -> None:
    """Write docs/walk.gif and docs/cyclegan_smiles.png, and docs/gallery with the thumbnails."""
    walk()
    smiles()
    folder = DOCS / "gallery"
    folder.mkdir(exist_ok=True)
    for name, part in FIGURES.items():
        whole = folder / f"{name}.png"
        whole.write_bytes(png_bytes(draw(name, "en").figure))
        thumbnail(whole, part, folder / f"{name}-small.png")
    for name in KOREAN:
        (folder / f"{name}-ko.png").write_bytes(png_bytes(draw(name, "ko").figure))
    for name, part in PICTURES.items():
        thumbnail(DOCS / f"{name}.png", part, folder / f"{name}-small.png")


def walk() -> None:
    """Write the walk of ``latentia explore interpolate`` through ten digits, in few greys."""
    model = latentia.load("zoo:vae-mnist-20d")
    x = latentia.load_data("mnist").x_test[ROWS]
    frames = np.asarray(interpolate(model, x, N_STEPS, closed=True))
    shown = [
        Image.fromarray((np.clip(frame, 0, 1) * 255).astype(np.uint8))
        .resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        .quantize(GREYS)
        for frame in frames
    ]
    shown[0].save(DOCS / "walk.gif", save_all=True, append_images=shown[1:], duration=110, loop=0)


def smiles() -> None:
    """Write what becomes of the drawn faces that the zoo's CycleGAN begins with."""
    model = latentia.load("zoo:cyclegan-smiles")
    sheet = np.asarray(Image.open(DOCS.parent / "zoo" / "cyclegan-smiles" / "examples.png"))
    plain, smiling = (
        np.stack(np.split(row, len(row[0]) // len(row), axis=1)) / np.float32(255)
        for row in np.split(sheet, 2)
    )
    shown = []
    for x, way, names in ((plain, 0, ("not smile", "smile")), (smiling, 1, ("smile", "not smile"))):
        there, back = (model.transform, model.inverse_transform)[:: 1 - 2 * way]
        y = there(x)
        shown += [(names[0], x), (f"→ {names[1]}", y), (f"→ {names[0]}", back(y))]
    save_png(DOCS / "cyclegan_smiles.png", rows(shown))


def thumbnail(picture: Path, part: tuple[float, ...], path: Path) -> None:
    """Write a part of a picture small."""
    whole = Image.open(picture).convert("RGB")
    left, top, right, bottom = (round(share * side) for share, side in zip(part, whole.size * 2))
    small = ImageOps.fit(whole.crop((left, top, right, bottom)), SIZE, Image.Resampling.LANCZOS)
    small.quantize(128).save(path, optimize=True)


if __name__ == "__main__":
    main()
