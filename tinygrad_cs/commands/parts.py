"""From settings to samples: what is learned from, validated on and tested on, and the fresh net."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..data import TensorDataset, random_split
from ..engine.errors import ArgumentError
from ..engine.modes import manual_seed
from ..engine.types import Array
from . import images, tables
from .model import Model
from .tables import Loaded


class Part(NamedTuple):
    """Some of the samples, as they came and as the net takes them."""

    name: str
    x: Array
    y: Array
    z: Array
    goal: Array


def load(settings: dict[str, Any]) -> Loaded:
    """The samples that the settings name."""
    data, files = settings["data"], settings["files"]
    for_tables = ("target", "features", "classify", "drop_incomplete")
    if images.is_images(data):
        given = [f"--{name.replace('_', '-')}" for name in for_tables if settings[name]]
        if given:
            raise ArgumentError(
                f"{data} is taken for images, because it is no file: name a CSV file, or leave out "
                f"{', '.join(given)}"
            )
        return images.load(data, files)
    if files is not None:
        raise ArgumentError(f"{data} is no data set in files of its own: leave out --files")
    return tables.load(data, *(settings[name] for name in for_tables))


def prepare(loaded: Loaded, settings: dict[str, Any]) -> tuple[Model, list[Part]]:
    """A fresh model with its scales, and the parts of the data."""
    x, y = loaded.samples
    classes = loaded.samples.class_names
    if not classes and y.dtype.kind in "iu":
        classes = tuple(map(str, range(y.max() + 1)))
    if classes:
        _check_classes(loaded.target, classes, y)
    positions = _split(y if classes else None, len(x), settings, loaded.test is not None)
    learned = x[positions["training"]]
    fill = _means(learned)
    manual_seed(settings["seed"])
    outputs = len(classes) if classes else y.shape[1]
    model = Model(loaded.columns, loaded.target, classes, fill, outputs, settings, loaded.shape)
    model.inputs.fit(model.filled(learned))
    if model.targets is not None:
        model.targets.fit(y[positions["training"]])
    incomplete = np.isnan(x).any(axis=1).sum() if x.dtype.kind == "f" else 0
    if incomplete:
        print(f"{incomplete} of {len(x)} rows lack inputs: filled with means of the training part")
    samples = {name: (x[chosen], y[chosen]) for name, chosen in positions.items()}
    if loaded.test is not None:
        samples["test"] = (loaded.test.x, loaded.test.y)
    return model, [_part(model, name, *pair) for name, pair in samples.items()]


def _check_classes(target: str, classes: tuple[str, ...], y: Array) -> None:
    """Raise `ArgumentError` where there is nothing to tell apart, or nothing in common."""
    found = np.unique(y)
    if len(found) == 1:
        raise ArgumentError(
            f"{target!r} is {classes[found[0]][:40]!r} in all {len(y)} samples: there are no "
            f"classes to tell apart"
        )
    if len(found) == len(y):
        raise ArgumentError(
            f"{target!r} is another word in each of the {len(y)} samples, such as "
            f"{classes[found[0]][:40]!r}: classes have several samples each"
        )


def _part(model: Model, name: str, x: Array, y: Array) -> Part:
    z = model.standardised(x)  # also of a test, to refuse before the training what is beyond all
    if name == "test":
        z = x  # it is judged once, from what it came as
    return Part(name, x, y, z, model.goals(y))


def _means(x: Array) -> Array:
    """The mean of what is known of each input, 0 where nothing is."""
    if x.dtype.kind != "f":
        return np.zeros(x.shape[1])
    gaps = np.isnan(x)
    total = np.where(gaps, 0, x).sum(axis=0, dtype=np.float64)
    means: Array = total / np.maximum((~gaps).sum(axis=0), 1)
    return means


def _split(
    labels: Array | None, count: int, settings: dict[str, Any], tested: bool
) -> dict[str, Array]:
    """The positions of each part; every class has its share where it is large enough."""
    wanted = ("validation",) if tested else ("validation", "test")
    shares = {name: settings[name] for name in wanted if settings[name]}
    rest = 1.0 - sum(shares.values())
    if rest <= 0:
        raise ArgumentError("--validation and --test leave nothing to train on")
    shares = {"training": rest} | shares
    if labels is not None and np.unique(labels, return_counts=True)[1].min() < len(shares):
        labels = None
    try:
        split = random_split(
            TensorDataset(np.arange(count)),
            list(shares.values()),
            generator=settings["seed"],
            stratify=labels,
        )
    except ArgumentError as error:
        options = ", ".join(f"--{name} {share:g}" for name, share in shares.items())
        raise ArgumentError(
            f"{count} samples are too few for {options.replace('--training', 'training')}: give "
            f"more of them, or other shares"
        ) from error
    return {name: np.asarray(part.indices) for name, part in zip(shares, split, strict=True)}
