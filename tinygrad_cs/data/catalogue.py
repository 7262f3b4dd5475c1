"""The data sets this library knows by name: what they hold, and where their files come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, NamedTuple

from ..engine.errors import ArgumentError
from . import datasets, files
from .files.names import CIFAR10, DIGITS, FASHION


class KnownDataSet(NamedTuple):
    """What is known of a data set before it is loaded.

    `load` is the function that gives its samples; `parts` maps each part to its number of samples
    (None: as many as asked for), `shape` is that of a single sample; `classes` is None where the
    targets are numbers. `megabytes` is what x takes once loaded, `files` are the files that `load`
    looks for, and `source` says where they are to be had.
    """

    name: str
    summary: str
    load: Callable[..., Any]
    parts: Mapping[str, int | None]
    shape: tuple[int, ...]
    dtype: str
    classes: int | None
    class_names: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    source: str = "generated"

    @property
    def megabytes(self) -> float | None:
        """Size of x in memory, all parts together, in units of 10^6 bytes."""
        size = 4 if self.dtype == "float32" else 1
        for length in self.shape:
            size *= length
        counts = [count for count in self.parts.values() if count is not None]
        return size * sum(counts) / 1e6 if counts else None

    def __str__(self) -> str:
        counts = ", ".join(
            f"{'any number' if count is None else f'{count:,}'} {part}".strip()
            for part, count in self.parts.items()
        )
        size = "" if self.megabytes is None else f", {self.megabytes:.3g} MB"
        classes = "numbers" if self.classes is None else f"{self.classes} classes"
        if self.class_names:
            classes += f": {', '.join(self.class_names)}"
        lines = [
            f"{self.name}: {self.summary}",
            f"  samples  {counts}",
            f"  x        {self.dtype}{list(self.shape)} each{size}",
            f"  y        {classes}",
            f"  load     data.{self.load.__name__}",
        ]
        lines += [f"  files    {', '.join(self.files)}"] if self.files else []
        return "\n".join([*lines, f"  source   {self.source}"])


def _generated(
    name: str, summary: str, load: Callable[..., Any], classes: int | None
) -> KnownDataSet:
    shape = (1,) if classes is None else (2,)
    return KnownDataSet(name, summary, load, {"": None}, shape, "float32", classes)


def _bundled(
    name: str, summary: str, load: Callable[..., Any], count: int, features: int, classes: Any
) -> KnownDataSet:
    return KnownDataSet(
        name,
        summary,
        load,
        {"": count},
        (features,),
        "float32",
        len(classes),
        tuple(classes),
        source='scikit-learn: pip install "tinygrad_cs[demos]"',
    )


def _from_files(
    name: str,
    summary: str,
    load: Callable[..., Any],
    train: int,
    shape: tuple[int, ...],
    classes: int,
    class_names: tuple[str, ...],
    file_names: tuple[str, ...],
    source: str,
) -> KnownDataSet:
    parts = {"to train": train, "to test": 10_000}
    return KnownDataSet(
        name, summary, load, parts, shape, "uint8", classes, class_names, file_names, source
    )


_MNIST_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
_CIFAR = "https://www.cs.toronto.edu/~kriz/cifar.html"

_KNOWN = [
    _generated("two_spirals", "two arms wound into each other", datasets.two_spirals, 2),
    _generated("two_moons", "two half circles hooked into each other", datasets.two_moons, 2),
    _generated("two_circles", "a circle in a circle", datasets.two_circles, 2),
    _generated("blobs", "round clouds, any number of them in any dimension", datasets.blobs, 3),
    _generated("checkerboard", "the colours of a board", datasets.checkerboard, 2),
    _generated("xor", "the corners of a square", datasets.xor, 2),
    _generated("regression", "a known function and noise", datasets.regression, None),
    _bundled("digits", "8 by 8 handwritten digits", datasets.load_digits, 1797, 64, DIGITS),
    _bundled(
        "iris",
        "measures of flowers",
        datasets.load_iris,
        150,
        4,
        ("setosa", "versicolor", "virginica"),
    ),
    _bundled(
        "wine",
        "chemistry of wines",
        datasets.load_wine,
        178,
        13,
        ("class_0", "class_1", "class_2"),
    ),
    _bundled(
        "breast_cancer",
        "measures of cell nuclei",
        datasets.load_breast_cancer,
        569,
        30,
        ("malignant", "benign"),
    ),
    _from_files(
        "mnist",
        "handwritten digits",
        files.read_mnist,
        60_000,
        (1, 28, 28),
        10,
        DIGITS,
        _MNIST_FILES,
        "https://github.com/cvdfoundation/mnist (packed, 11.6 MB)",
    ),
    _from_files(
        "fashion_mnist",
        "articles of clothing",
        files.read_fashion_mnist,
        60_000,
        (1, 28, 28),
        10,
        FASHION,
        _MNIST_FILES,
        "https://github.com/zalandoresearch/fashion-mnist (packed, 30.9 MB)",
    ),
    _from_files(
        "cifar10",
        "small photographs",
        files.read_cifar10,
        50_000,
        (3, 32, 32),
        10,
        CIFAR10,
        (*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"),
        f"{_CIFAR}, binary version (packed, 170 MB)",
    ),
    _from_files(
        "cifar100",
        "small photographs",
        files.read_cifar100,
        50_000,
        (3, 32, 32),
        100,
        (),
        ("train.bin", "test.bin", "fine_label_names.txt"),
        f"{_CIFAR}, binary version (packed, 169 MB)",
    ),
]

registry: Mapping[str, KnownDataSet] = MappingProxyType({known.name: known for known in _KNOWN})
"""The data sets by name."""


def describe(name: str | None = None) -> str:
    """What a data set holds, how to load it and where its files come from; or a list of all.

    Nothing is loaded or downloaded. Raises `ArgumentError` for a name that `data.registry` lacks.

    Example:
        >>> import tinygrad_cs as tg
        >>> print(tg.data.describe("mnist"))
        mnist: handwritten digits
          samples  60,000 to train, 10,000 to test
          x        uint8[1, 28, 28] each, 54.9 MB
          y        10 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
          load     data.read_mnist
          files    train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte,
                   t10k-labels-idx1-ubyte
          source   https://github.com/cvdfoundation/mnist (packed, 11.6 MB)
        >>> len(tg.data.describe().splitlines()) == len(tg.data.registry)
        True
    """
    if name is None:
        return "\n".join(
            f"{known.name:<14} {_origin(known):<13} {known.summary}" for known in registry.values()
        )
    if name not in registry:
        near = get_close_matches(str(name), registry, n=1)
        raise ArgumentError(
            f"describe: no data set {name!r}; "
            + (f"did you mean {near[0]!r}?" if near else f"there are {', '.join(registry)}")
        )
    return str(registry[name])


def _origin(known: KnownDataSet) -> str:
    return "your files" if known.files else known.source.partition(":")[0]
