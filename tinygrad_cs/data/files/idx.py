"""The IDX format of MNIST and its relatives: a type, the lengths of the axes, the numbers.

    0 0 type axes | length of each axis | entries, row by row        (all of them big-endian)

Images and labels are two files; https://yann.lecun.com/exdb/mnist describes the format.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from ...engine.types import Array
from ..samples import Samples
from .errors import DataFileError
from .names import DIGITS, FASHION
from .source import Source, opened

TYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype(np.uint8),
    0x09: np.dtype(np.int8),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}


def read_idx(path: Any, max_bytes: int | None = None) -> Array:
    """The array in an IDX file, plain or packed with gzip, in the type it is stored in.

    Args:
        path: the file.
        max_bytes: the most that a packed file may unpack to. By default 256 MiB or twenty times
            its size, whichever is more, so that a small file cannot fill the memory.

    Raises `DataFileError` for a file that is missing, no IDX file, shorter or longer than its
    header announces, or damaged.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import tinygrad_cs as tg
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "labels-idx1-ubyte")
        ...     _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
        ...     tg.data.read_idx(path)
        array([7, 2, 1], dtype=uint8)
    """
    with opened(path, max_bytes) as source:
        dtype, shape = _header(source)
        return source.array(dtype, shape)


def read_mnist(folder: Any, train: bool = True) -> Samples:
    """MNIST from its four files: images (n, 1, 28, 28) uint8, labels (n,) int64 from 0 to 9.

    n is 60,000 for training, else 10,000; ink is 255. The files are looked for in `folder` under
    their usual names, packed with gzip or not: `train-images-idx3-ubyte`,
    `train-labels-idx1-ubyte`, `t10k-...`; `data.describe("mnist")` says where to get them. For a
    net scale the images, `images.astype(np.float32) / 255`, and flatten them for a linear layer.

    Raises `DataFileError` for files that are missing, damaged or not what their names say.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import tinygrad_cs as tg
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     images = bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28]) + bytes(784)
        ...     _ = Path(folder, "t10k-images-idx3-ubyte").write_bytes(images)
        ...     labels = bytes([0, 0, 8, 1, 0, 0, 0, 1, 7])
        ...     _ = Path(folder, "t10k-labels-idx1-ubyte").write_bytes(labels)
        ...     tg.data.read_mnist(folder, train=False)
        Samples(x=uint8[1, 1, 28, 28], y=int64[1], classes=10)
    """
    return _pair(Path(folder), train, DIGITS)


def read_fashion_mnist(folder: Any, train: bool = True) -> Samples:
    """Fashion-MNIST: as `read_mnist`, from files of the same names, with its ten articles.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.data.registry["fashion_mnist"].class_names[9]
        'ankle boot'
    """
    return _pair(Path(folder), train, FASHION)


def _header(source: Source) -> tuple[np.dtype[Any], tuple[int, ...]]:
    zeros, code, axes = struct.unpack(">HBB", source.read(4, "header"))
    if zeros or code not in TYPES or not axes:
        raise source.fail(
            f"expected an IDX file, which begins with 0 0, a type ({', '.join(map(str, TYPES))}) "
            f"and the number of axes, got {zeros >> 8} {zeros & 255} {code} {axes}",
            offset=0,
        )
    shape = struct.unpack(f">{axes}I", source.read(4 * axes, "header"))
    if 0 in shape:
        raise source.fail(f"the header announces no entries: {list(shape)}", offset=4)
    return TYPES[code], shape


def _pair(folder: Path, train: bool, class_names: tuple[str, ...]) -> Samples:
    part = "train" if train else "t10k"
    at = _find(folder, f"{part}-images", "idx3-ubyte")
    images = read_idx(at)
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        raise DataFileError(
            at, f"expected images uint8[n, 28, 28], got {images.dtype}{list(images.shape)}", 0
        )
    at = _find(folder, f"{part}-labels", "idx1-ubyte")
    labels = read_idx(at)
    if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise DataFileError(
            at,
            f"expected a label for each image, uint8[{len(images)}], "
            f"got {labels.dtype}{list(labels.shape)}",
            0,
        )
    if labels.max() > 9:
        first = int(np.argmax(labels > 9))
        raise DataFileError(at, f"expected labels 0 to 9, got {labels[first]}", 8 + first)
    return Samples(images[:, None], labels.astype(np.int64), class_names=class_names)


def _find(folder: Path, stem: str, kind: str) -> Path:
    names = [f"{stem}{mark}{kind}{suffix}" for mark in "-." for suffix in ("", ".gz")]
    for name in names:
        if (folder / name).exists():
            return folder / name
    raise DataFileError(
        folder, f"expected a file {names[0]} or {names[1]} in this folder, found neither"
    )
