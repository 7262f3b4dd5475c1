"""A folder of images for each class: `cats/1.png`, `cats/2.png`, `dogs/1.png`, ..."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...engine.errors import ArgumentError, MissingDependency
from ...engine.types import Array
from ..checks import positive_integer
from ..samples import Samples
from .errors import DataFileError
from .netpbm import read_netpbm
from .source import MOST_PER_BYTE, file_size

NETPBM = (".pgm", ".ppm")
# Formats whose pixels take room in the file: others could announce any size in a few bytes.
PILLOW = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".bmp": "BMP"}
MODES = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB", "CMYK": "RGB", "YCbCr": "RGB"} | {
    "LA": "L",
    "PA": "RGB",
    "RGBA": "RGB",
}
MOST_PIXELS = 1 << 26


def read_image_folder(
    folder: Any, size: tuple[int, int] | None = None, channels: int | None = None
) -> Samples:
    """The images of a folder of folders, (n, channels, height, width) uint8, and labels (n,) int64.

    Every folder in `folder` is a class, and its name the name of the class; classes and files come
    in the order of their names, so shuffle before splitting. PNG, JPEG and BMP files need Pillow,
    `pip install "tinygrad_cs[images]"`; binary PGM and PPM files do not. What is hidden (a name
    that begins with a dot) is passed over, and so are files beside the folders. Transparency is
    dropped, and the orientation that a camera notes is not applied.

    Args:
        folder: the folder that contains the folders of the classes.
        size: (height, width) to resize to (Pillow, bilinear); None where all images are equal.
        channels: 1 for grey, 3 for red, green, blue; None takes what the files have.

    Raises `DataFileError` for a missing or empty folder, files of other kinds, damaged images and
    images of different shapes, `MissingDependency` without Pillow where it is needed, and
    `ArgumentError` for other channels and sizes.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import tinygrad_cs as tg
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name, grey in [("night", 10), ("day", 240)]:
        ...         Path(folder, name).mkdir()
        ...         _ = Path(folder, name, "1.pgm").write_bytes(b"P5 2 2 255 " + bytes(4 * [grey]))
        ...     images = tg.data.read_image_folder(folder)
        >>> images.class_names, images.x[:, 0, 0, 0].tolist(), images.y.tolist()
        (('day', 'night'), [240, 10], [0, 1])
    """
    if channels not in (None, 1, 3):
        raise ArgumentError(f"read_image_folder: expected channels 1, 3 or None, got {channels!r}")
    if size is not None:
        size = _checked_size(size)
    images: list[Array] = []
    labels: list[int] = []
    class_names: list[str] = []
    for label, place in enumerate(_classes(Path(folder))):
        class_names.append(place.name)
        for path in _visible(place):
            image = _read(path, size, channels)
            if images and image.shape != images[0].shape:
                raise DataFileError(
                    path,
                    f"expected an image of {_words(images[0].shape)} as the ones before, got "
                    f"{_words(image.shape)}; write size=(height, width), channels=3 or both",
                )
            images.append(image)
            labels.append(label)
        if not labels or labels[-1] != label:
            raise DataFileError(place, "expected images of this class in the folder, found none")
    return Samples(np.stack(images), np.array(labels, np.int64), class_names=class_names)


def _checked_size(size: Any) -> tuple[int, int]:
    if not isinstance(size, (tuple, list)) or len(size) != 2:
        raise ArgumentError(f"read_image_folder: expected size (height, width), got {size!r}")
    height, width = (positive_integer("read_image_folder", "size", n) for n in size)
    if height * width > MOST_PIXELS:
        raise ArgumentError(f"read_image_folder: expected a smaller size, got {size!r}")
    return height, width


def _classes(folder: Path) -> list[Path]:
    places = [place for place in _visible(folder) if place.is_dir()]
    if not places:
        raise DataFileError(folder, "expected a folder for each class in this folder, found none")
    return places


def _visible(folder: Path) -> Iterator[Path]:
    try:
        places = sorted(folder.iterdir())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataFileError(folder, f"cannot be opened as a folder: {reason}") from error
    return (place for place in places if not place.name.startswith("."))


def _read(path: Path, size: tuple[int, int] | None, channels: int | None) -> Array:
    suffix = path.suffix.lower()
    if suffix in NETPBM:
        image = read_netpbm(path)
        if size in (None, image.shape[1:]) and channels in (None, len(image)):
            return image
        pixels = image.transpose(1, 2, 0)
        opened = _pillow().fromarray(pixels[:, :, 0] if len(image) == 1 else pixels)
    elif suffix in PILLOW:
        opened = _decoded(path)
    else:
        raise DataFileError(
            path,
            f"expected an image ({', '.join([*PILLOW, *NETPBM])}), got {suffix or path.name!r}; "
            f"convert it or move it away",
        )
    mode = MODES[opened.mode] if channels is None else {1: "L", 3: "RGB"}[channels]
    if opened.mode == "P":
        opened = opened.convert("RGBA")  # a palette may have transparent colours
    opened = opened.convert(mode)
    if size is not None and opened.size != size[::-1]:
        opened = opened.resize(size[::-1], _pillow().Resampling.BILINEAR)
    array = np.array(opened, np.uint8)
    return array[None] if array.ndim == 2 else np.ascontiguousarray(array.transpose(2, 0, 1))


def _decoded(path: Path) -> Any:
    """The image in the file, decoded by Pillow, once its announced size is believed."""
    pillow, size = _pillow(), file_size(path)
    # From memory: asked for more than there is, it allocates no more than there is.
    content = _attempt(path, lambda: io.BytesIO(path.read_bytes()))
    opened = _attempt(path, lambda: pillow.open(content, formats=tuple(set(PILLOW.values()))))
    with opened:
        width, height = opened.size
        # A packed byte may hold eight pixels of black and white.
        if width * height > min(MOST_PIXELS, 8 * MOST_PER_BYTE * size):
            raise DataFileError(
                path,
                f"the header announces {width} by {height} pixels, more than a file of {size} "
                f"bytes holds, or more than {MOST_PIXELS}; make the image smaller",
            )
        if opened.mode not in MODES:
            raise DataFileError(
                path, f"expected a byte a channel, got mode {opened.mode!r}; convert the image"
            )
        _attempt(path, opened.load)
        return opened.copy()


def _attempt(path: Path, call: Callable[[], Any]) -> Any:
    import warnings

    try:
        with warnings.catch_warnings():
            # Of damaged metadata, and of sizes that are checked here more strictly.
            warnings.simplefilter("ignore")
            return call()
    # Decoders raise whatever they stumble over: OSError, SyntaxError, struct.error, ...
    except Exception as error:
        # Pillow says "cannot identify image file" of the bytes in memory, by their address.
        reason = re.sub(r" ?<[^>]*>", "", str(error))[:200]
        raise DataFileError(path, f"cannot be decoded as an image: {reason}") from error


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingDependency(
            "read_image_folder: PNG, JPEG and BMP files, resizing and converting need Pillow, "
            'which is not installed; run pip install "tinygrad_cs[images]"'
        ) from error
    return Image


def _words(shape: tuple[int, ...]) -> str:
    channels, height, width = shape
    return f"{height} by {width} pixels with {channels} channel{'s' if channels > 1 else ''}"
