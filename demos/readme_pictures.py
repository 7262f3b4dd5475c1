"""The pictures of this folder's README, made small: `python demos/readme_pictures.py FOLDER`.

FOLDER is where the lessons have written theirs (`--out FOLDER`, seed 0, no `--quick`). Copies of
1000 pixels with 128 colours go to `pictures`: large enough to read, small enough for a repository.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

WIDTH = 1000
NARROW = {"augmentation_sheet": 700}  # photographs hardly shrink by colours
RENAMED = {"mistakes": "digits_hardest"}
# Digits show more than curves, and a film more than one of its images.
FORGOTTEN = {"curves", "optimizer_race"}


def main(arguments: list[str] | None = None) -> int:
    """Shrink them all, say how large they are together."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="with the PNG and GIF files of the lessons")
    add = parser.add_argument
    add("--to", type=Path, default=Path(__file__).with_name("pictures"), help="default: pictures")
    options = parser.parse_args(arguments)
    options.to.mkdir(parents=True, exist_ok=True)
    for path in sorted(options.folder.glob("*.png")):
        if path.stem not in FORGOTTEN:
            shrunk(path).save(
                options.to / f"{RENAMED.get(path.stem, path.stem)}.png", optimize=True
            )
    for path in sorted([*options.folder.glob("*.gif"), *options.folder.glob("*.svg")]):
        (options.to / path.name).write_bytes(path.read_bytes())
    total = sum(path.stat().st_size for path in options.to.iterdir())
    print(f"{options.to}: {total / 1e6:.2f} MB together")
    return 0


def shrunk(path: Path) -> Image.Image:
    """One picture, with few colours: an octree keeps those of the style as they are."""
    image = Image.open(path).convert("RGB")
    width = NARROW.get(path.stem, WIDTH)
    image = image.resize(
        (width, round(image.height * width / image.width)), Image.Resampling.LANCZOS
    )
    return image.quantize(128, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


if __name__ == "__main__":
    raise SystemExit(main())
