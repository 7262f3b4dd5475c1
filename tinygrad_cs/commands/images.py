"""Images by file or by name, as rows of pixels for a perceptron."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..data import Samples, read_image_folder, registry
from ..engine.errors import ArgumentError
from .tables import Loaded

_MARKS = {
    "mnist": ("train-images*", "t10k-images*"),
    "cifar10": ("data_batch_1.bin", "test_batch.bin"),
    "cifar100": ("train.bin", "test.bin"),
}
"""Files by which a folder is known."""


def is_images(data: str) -> bool:
    """Whether `data` is a folder, or the name of a data set of images in files of its own."""
    return Path(data).is_dir() or (data in registry and bool(registry[data].files))


def load(data: str, files: str | None) -> Loaded:
    """Everything to learn from, and the part to test on where the data set has one."""
    read = _reader(data, files)
    if read is None:
        return _rows(read_image_folder(data))
    return _rows(read(True))._replace(test=_rows(read(False)).samples)


def load_test(data: str, files: str | None) -> Loaded:
    """What a trained net is tried on: the part to test on, or all images of a folder."""
    read = _reader(data, files)
    return _rows(read_image_folder(data) if read is None else read(False))


def _reader(data: str, files: str | None) -> Callable[[bool], Samples] | None:
    """What reads the training part (True) or the test part; None for a folder of classes."""
    place: Any = files
    if Path(data).is_dir():
        known = [name for name, marks in _MARKS.items() if any(map(_in(Path(data)), marks))]
        if not known:
            return None
        name, place = known[0], data
    elif files is None:
        raise ArgumentError(
            f"{data!r} is a data set in files of its own: name their folder with --files; they "
            f"are to be had from {registry[data].source}"
        )
    else:
        name = data
    return lambda train: registry[name].load(place, train)


def _in(folder: Path) -> Callable[[str], bool]:
    return lambda pattern: any(folder.glob(pattern))


def _rows(images: Samples) -> Loaded:
    """Each image as a row, which keeps its bytes; the net gets them standardised."""
    x, y = images
    shape = x.shape[1:]
    return Loaded(
        Samples(x.reshape(len(x), -1), y, class_names=images.class_names), [], "prediction", shape
    )
