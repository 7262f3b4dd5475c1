"""A trained net in one file: weights, columns, scales, classes, and how to make it again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from .. import nn
from ..data import Standardizer
from ..engine.errors import ArgumentError, TinygradError
from ..engine.modes import default_dtype
from ..engine.types import Array
from ..saving import load, save
from ..training import MeanAbsoluteError, R2Score, evaluate, predict
from ..training.perceptron import perceptron
from . import images
from .tables import Columns, encode, targets

FILE = "model.safetensors"


class Model:
    """A perceptron between tables of numbers: missing inputs are filled, all is standardised.

    Attributes:
        columns: the inputs, as `tables.encode` takes them; none where they are pixels.
        shape: of an image, (channels, height, width); () for tables.
        target: what is predicted.
        classes: the names of the classes; none for numbers.
        fill: a number for each input, where it is missing.
        inputs, targets: what standardises them; `targets` is None for classes.
    """

    def __init__(
        self,
        columns: Columns,
        target: str,
        classes: tuple[str, ...],
        fill: Array,
        outputs: int,
        settings: Mapping[str, Any],
        shape: tuple[int, ...] = (),
    ) -> None:
        self.columns, self.target, self.classes = columns, target, classes
        self.fill, self.outputs = fill, outputs
        self.settings = {name: settings[name] for name in ("hidden", "activation", "dropout")}
        self.shape = shape
        # pixels share a unit, and those that are always black would have none of their own
        self.inputs = Standardizer(axis=None if shape else 0)
        self.targets = None if classes else Standardizer()
        self.net: nn.Module = perceptron(inputs=len(fill), outputs=outputs, **self.settings)

    def filled(self, x: Array) -> Array:
        """The inputs without gaps."""
        if x.dtype.kind != "f":
            return x
        return np.where(np.isnan(x), self.fill, x).astype(x.dtype)

    def standardised(self, x: Array) -> Array:
        """The inputs as the net takes them; raises `ArgumentError` for one beyond all others."""
        z = self.inputs.transform(self.filled(x))
        if z.dtype != default_dtype():
            self._check_range(z)
        return z.astype(default_dtype(), copy=False)

    def _check_range(self, z: Array) -> None:
        beyond = ~(np.abs(z).max(initial=0, axis=0) <= np.finfo(default_dtype()).max)
        if beyond.any():
            names = [name for name, categories in self.columns for _ in categories or [name]]
            row = int(np.abs(z[:, beyond.argmax()]).argmax()) + 1
            raise ArgumentError(
                f"{names[beyond.argmax()]!r} holds a number (in row {row} of a part) too far from "
                f"all others to be computed with: correct it, or change the unit of the column"
            )

    def goals(self, y: Array) -> Array:
        """The answers as the net learns them: classes by number, or standardised numbers."""
        if self.targets is None:
            return y
        return self.targets.transform(y).astype(default_dtype(), copy=False)

    def read(self, data: str, files: str | None) -> Array:
        """New inputs from a file, a folder or a data set, as the net was trained on them.

        Raises `ArgumentError` for others than those.
        """
        if not images.is_images(data):
            if self.shape:
                raise ArgumentError(
                    f"the net was trained on images of shape {self.shape}; {data} is a table"
                )
            return encode(data, self.columns)
        loaded = images.load_test(data, files)
        if loaded.shape != self.shape:
            trained = f"images of shape {self.shape}" if self.shape else "a table"
            raise ArgumentError(
                f"the net was trained on {trained}; {data} holds images of shape {loaded.shape}"
            )
        return loaded.samples.x

    def read_targets(self, data: str, files: str | None) -> Array:
        """The true answers that belong to `read`, as `predict` gives them."""
        if not images.is_images(data):
            return targets(data, self.target, self.classes)
        found = images.load_test(data, files).samples
        if found.class_names != self.classes:
            raise ArgumentError(
                f"{data} has the classes {', '.join(found.class_names[:8])}; the net was trained "
                f"on {', '.join(self.classes[:8])}"
            )
        return found.y

    def predict(self, x: Array) -> Array:
        """Probabilities (n, classes), or numbers (n, outputs) in the unit of the targets."""
        raw = predict(self.net, self.standardised(x))
        if self.targets is None:
            probabilities: Array = nn.functional.softmax(raw, dim=1)
            return probabilities
        # a mean far from 0 needs more digits than the net gives
        return self.targets.inverse_transform(raw.astype(np.float64))

    def judged(self, x: Array, answers: Array) -> dict[str, Any]:
        """How good the predictions are: loss and accuracy of classes, R² and error of numbers."""
        if self.classes:
            found: dict[str, Any] = evaluate(
                self.net,
                (self.standardised(x), answers),
                loss=nn.CrossEntropyLoss(),
                metrics="accuracy",
            )
            return found
        predicted = self.predict(x)
        metrics = R2Score(), MeanAbsoluteError()
        return {m.name: m.update(predicted, answers).compute() for m in metrics}

    def save(self, folder: Path) -> None:
        """Write the file, whole or not at all."""
        state = {
            "columns": self.columns,
            "target": self.target,
            "classes": self.classes,
            "fill": self.fill,
            "outputs": self.outputs,
            "settings": self.settings,
            "shape": self.shape,
            "inputs": self.inputs.state_dict(),
            "targets": None if self.targets is None else self.targets.state_dict(),
            "net": self.net.state_dict(),
        }
        save(folder / FILE, state, "a net of python -m tinygrad_cs train")

    @classmethod
    def load(cls, folder: Path) -> Model:
        """Read what `save` wrote; raises `ArgumentError` where there is no such thing."""
        path = folder / FILE
        if not path.exists():
            raise ArgumentError(
                f"no trained net in {folder}: expected {path}; an interrupted training goes on "
                f"with: python -m tinygrad_cs train --resume --out {folder}"
            )
        state = load(path)
        parts = ("columns", "target", "classes", "fill", "outputs", "settings", "shape")
        try:
            _check_sizes(state)
            model = cls(*(state[name] for name in parts))
            model.inputs.load_state_dict(state["inputs"])
            if model.targets is not None:
                model.targets.load_state_dict(state["targets"])
            model.net.load_state_dict(state["net"])
        except (TinygradError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise ArgumentError(
                f"{path} is no net of python -m tinygrad_cs train: {type(error).__name__}: {error}"
            ) from error
        return model


def _check_sizes(state: Any) -> None:
    """Raise `ArgumentError` for layers that the weights do not fill, before making them."""
    inputs = sum(len(categories) or 1 for _, categories in state["columns"])
    if state["shape"]:
        inputs = math.prod(state["shape"])
    widths = [inputs, *state["settings"]["hidden"], state["outputs"]]
    expected = sum((before + 1) * after for before, after in pairwise(widths))
    found = sum(np.size(array) for array in state["net"].values())
    if (expected, (inputs,)) != (found, np.shape(state["fill"])):
        raise ArgumentError(f"layers {widths} have {expected} weights, the file has {found}")
