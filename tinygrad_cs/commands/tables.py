"""Data by file or by name, and the columns that a net was trained on."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from contextvars import copy_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..data import Column, Samples, Table, read_csv, registry
from ..engine.errors import ArgumentError
from ..engine.modes import set_default_dtype
from ..engine.types import Array

MOST_CATEGORIES = 100
"""Different words in a column that may say something of rows to come."""

GENERATED = 1000
"""Samples drawn where a data set has as many as asked for."""

Columns = list[tuple[str, tuple[str, ...]]]
"""The name of each input and its categories, none for numbers."""


class Loaded(NamedTuple):
    """Samples to learn from, and what a later prediction must know of them."""

    samples: Samples
    columns: Columns
    target: str
    shape: tuple[int, ...] = ()
    """Of an image whose pixels the inputs are."""
    test: Samples | None = None
    """A part that the data set itself keeps to test on."""


def is_file(data: str) -> bool:
    """Whether `data` names a file, and not a data set; raises `ArgumentError` for neither."""
    if Path(data).exists() or data not in registry:
        if not Path(data).exists() and not Path(data).suffix:
            raise ArgumentError(
                f"{data!r} is neither a file nor a data set; data sets: {', '.join(_loadable())}"
            )
        return True
    return False


def fingerprint(data: str, files: str | None = None) -> str:
    """A checksum of a file or a folder, by which a resumed training knows its data.

    Empty for data sets without files.
    """
    place = Path(files or data)
    if not place.exists():
        return ""
    found = sorted(place.rglob("*")) if place.is_dir() else [place]
    total = 0
    for path in found:
        total = zlib.crc32(str(path.relative_to(place)).encode("utf-8", "replace"), total)
        if path.is_file():
            with open(path, "rb") as file:
                while block := file.read(1 << 20):
                    total = zlib.crc32(block, total)
    return f"{total:08x}"


def load(
    data: str, target: str | None, features: Sequence[str] | None, classify: bool, drop: bool
) -> Loaded:
    """The samples of a CSV file or a data set."""
    if not is_file(data):
        return _known(data, target, features)
    if target is None:
        raise ArgumentError(f"which column of {data} is to be predicted? write --target NAME")
    table = read_csv(data)
    if classify and table[target].kind == "number":
        table = read_csv(data, categories=[target])
    names = [column.name for column in table if column.name != target]
    chosen = names if features is None else list(features)
    _check_gaps_and_words(data, table, target, chosen, drop)
    samples = _samples(table, target, chosen, incomplete="drop" if drop else "keep")
    return Loaded(samples, [(name, table[name].categories) for name in chosen], target)


def _check_gaps_and_words(
    data: str, table: Table, target: str, features: Sequence[str], drop: bool
) -> None:
    """Raise `ArgumentError` for what `Table.samples` refuses, in words of the command line."""
    if table[target].missing and not drop:
        raise ArgumentError(
            f"{data}: {table[target].missing} of {len(table)} rows lack {target!r}, which is to "
            f"be predicted: leave them out with --drop-incomplete"
        )
    for name in features:
        different = len(table[name].categories)
        if different > MOST_CATEGORIES:
            raise ArgumentError(
                f"{data}: {name!r} holds {different} different words, more than "
                f"{MOST_CATEGORIES}: names say nothing of new rows; choose columns with --features"
            )


def _samples(table: Table, target: str, features: Sequence[str], **how: Any) -> Samples:
    """Samples in float64: of a time stamp float32 would lose minutes before it is standardised."""

    def double() -> Samples:
        set_default_dtype("float64")
        return table.samples(target, features, max_categories=MOST_CATEGORIES, **how)

    return copy_context().run(double)


def encode(data: str, columns: Columns) -> Array:
    """New inputs, encoded like those that a net was trained on; NaN where missing.

    Columns may come in any order, and others beside them. Raises `ArgumentError` for columns that
    lack, and for categories the net has never seen.
    """
    if not is_file(data):
        loaded = _known(data, None, None)
        names = [name for name, _ in columns]
        if [name for name, _ in loaded.columns] != names:
            raise ArgumentError(
                f"the net was trained on other inputs than those of {data}: {', '.join(names)}"
            )
        return loaded.samples.x
    recoded = _recoded_columns(data, columns)
    # the encoder of the training, which asks for a target
    nobody = "".join(name for name, _ in columns) + "?"
    aim = Column(nobody, "number", np.zeros(len(recoded[0].values)), (), 0)
    return _samples(Table([*recoded, aim]), nobody, [name for name, _ in columns]).x


def targets(data: str, target: str, classes: tuple[str, ...]) -> Array:
    """The true answers: classes as a net numbers them, or numbers (n, 1)."""
    if not is_file(data):
        return _known(data, None, None).samples.y
    (column,) = _recoded_columns(data, [(target, classes)])
    if column.missing:
        raise ArgumentError(
            f"{data}: {column.missing} of {len(column.values)} rows lack {target!r}"
        )
    return column.values if classes else column.values.reshape(-1, 1)


def _recoded_columns(data: str, columns: Columns) -> list[Column]:
    """The columns of a file, with the codes of the training."""
    table = read_csv(data)
    absent = [name for name, _ in columns if name not in table.columns]
    if absent:
        raise ArgumentError(
            f"{data} lacks {len(absent)} of the {len(columns)} columns that the net was trained "
            f"on: {', '.join(absent[:8])}"
        )
    forced = [
        name for name, known in columns if known and table[name].kind == "number"
    ]  # categories such as postal codes, and columns without a value
    if forced:
        table = read_csv(data, categories=forced)
    return [_recoded(data, table[name], known) for name, known in columns]


def _recoded(data: str, column: Column, known: tuple[str, ...]) -> Column:
    """The column with the codes of the training."""
    if not known:
        if column.kind == "category":
            raise ArgumentError(
                f"{data}: {column.name!r} held numbers in training, here it holds "
                f"{column.categories[0][:40]!r}"
            )
        return column
    codes = {text: code for code, text in enumerate(known)}
    for code, text in enumerate(column.categories):
        if text not in codes:
            row = int(np.argmax(column.values == code)) + 1
            raise ArgumentError(
                f"{data}: row {row}: {text[:40]!r} in {column.name!r} is none of the categories "
                f"that the net was trained on: {', '.join(known[:8])}"
            )
    # -1, which stands for missing, picks the last entry
    table = np.array([*(codes[text] for text in column.categories), -1])
    return Column(column.name, "category", table[column.values], known, column.missing)


def _known(name: str, target: str | None, features: Any) -> Loaded:
    if target is not None or features is not None:
        raise ArgumentError(f"{name} is a data set with inputs and target of its own: leave out "
                            f"--target and --features")  # fmt: skip
    load_it = registry[name].load
    samples: Samples = load_it(GENERATED) if None in registry[name].parts.values() else load_it()
    names = samples.feature_names or tuple(f"x{k}" for k in range(samples.x.shape[1]))
    return Loaded(samples, [(feature, ()) for feature in names], "prediction")


def _loadable() -> list[str]:
    return [name for name, known in registry.items() if not known.files]
