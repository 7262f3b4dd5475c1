"""CIFAR-10 and CIFAR-100 in their binary versions: rows of labels and pixels, all of them bytes.

    CIFAR-10:  label        | 1024 red, 1024 green, 1024 blue
    CIFAR-100: coarse, fine | 1024 red, 1024 green, 1024 blue

There is no header: a file is right if its size is a whole number of rows and its labels exist.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...engine.errors import ArgumentError
from ...engine.types import Array
from ..samples import Samples
from .errors import DataFileError
from .names import CIFAR10
from .source import AGAIN, opened

PIXELS = 3 * 32 * 32


def read_cifar10(path: Any, train: bool = True) -> Samples:
    """CIFAR-10: images (n, 3, 32, 32) uint8 and labels (n,) int64 of ten classes.

    `path` is the folder `cifar-10-batches-bin`, of which the five `data_batch_*.bin` are read
    (n = 50,000), or with `train=False` `test_batch.bin` (n = 10,000); or it is a single such file.
    Channels are red, green, blue. `data.describe("cifar10")` says where to get the files.

    Raises `DataFileError` for files that are missing, damaged or not what their names say.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import tinygrad_cs as tg
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "test_batch.bin")
        ...     _ = path.write_bytes(2 * (bytes([9]) + bytes(3072)))
        ...     tg.data.read_cifar10(folder, train=False)
        Samples(x=uint8[2, 3, 32, 32], y=int64[2], classes=10)
    """
    names = [f"data_batch_{k}.bin" for k in range(1, 6)] if train else ["test_batch.bin"]
    images, labels = _rows(_files(path, names), classes=(10,))
    return Samples(images, labels[:, 0], class_names=CIFAR10)


def read_cifar100(path: Any, train: bool = True, labels: str = "fine") -> Samples:
    """CIFAR-100: images (n, 3, 32, 32) uint8 and labels (n,) int64 of 100 classes, or of 20.

    `path` is the folder `cifar-100-binary`, of which `train.bin` (n = 50,000) or `test.bin`
    (n = 10,000) is read, or a single such file. `labels="coarse"` gives the 20 groups of classes
    instead. Class names come from the file `fine_label_names.txt` or `coarse_label_names.txt`
    beside the data, and are empty where there is none.

    Raises `DataFileError` for files that are missing, damaged or not what their names say, and
    `ArgumentError` for other `labels`.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import tinygrad_cs as tg
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "train.bin")
        ...     _ = path.write_bytes(bytes([3, 42]) + bytes(3072))
        ...     x, y = tg.data.read_cifar100(path)
        >>> x.shape, y
        ((1, 3, 32, 32), array([42]))
    """
    if labels not in ("fine", "coarse"):
        raise ArgumentError(f'read_cifar100: expected labels "fine" or "coarse", got {labels!r}')
    files = _files(path, ["train.bin" if train else "test.bin"])
    images, both = _rows(files, classes=(20, 100))
    column = ("coarse", "fine").index(labels)
    names = _class_names(files[0].with_name(f"{labels}_label_names.txt"), (20, 100)[column])
    return Samples(images, both[:, column], class_names=names)


def _files(path: Any, names: list[str]) -> list[Path]:
    path = Path(path)
    return [path / name for name in names] if path.is_dir() else [path]


def _rows(files: list[Path], classes: tuple[int, ...]) -> tuple[Array, Array]:
    """Images (n, 3, 32, 32) and labels (n, len(classes)) of all files together."""
    images, labels = [], []
    for path in files:
        rows = _read(path, classes)
        images.append(rows[:, len(classes) :])
        labels.append(rows[:, : len(classes)].astype(np.int64))
    # Joined even if there is but one: the pixels of the rows alone do not lie side by side.
    return np.concatenate(images).reshape(-1, 3, 32, 32), np.concatenate(labels)


def _read(path: Path, classes: tuple[int, ...]) -> Array:
    width = len(classes) + PIXELS
    with opened(path) as source:
        if not source.exact:
            raise source.fail("this is a gzip file; unpack it (tar -xzf) and read what comes out")
        count, rest = divmod(source.most, width)
        if rest or not count:
            raise source.fail(
                f"expected rows of {width} bytes, {len(classes)} for labels and {PIXELS} for "
                f"pixels, got {source.most} bytes, which is no whole number of rows; {AGAIN}",
                offset=count * width,
            )
        rows = source.array(np.dtype(np.uint8), (count, width))
    wrong = np.argwhere(rows[:, : len(classes)] >= classes)
    if len(wrong):
        row, column = map(int, wrong[0])
        raise DataFileError(
            path,
            f"expected a label from 0 to {classes[column] - 1}, got {rows[row, column]}: "
            f"a damaged file, or one of the other CIFAR",
            row * width + column,
        )
    return rows


def _class_names(path: Path, count: int) -> tuple[str, ...]:
    if not path.exists():
        return ()
    with opened(path) as source:
        if source.most > 10_000:
            raise source.fail(f"expected {count} names of classes, got {source.most} bytes")
        lines = source.read(source.most, "names").decode("utf-8", "replace").split()
    if len(lines) != count:
        raise DataFileError(path, f"expected {count} names of classes, got {len(lines)}")
    return tuple(lines)
