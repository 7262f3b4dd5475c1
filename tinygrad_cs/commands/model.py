"""A trained net in one file: weights, columns, scales, classes, and how to make it again."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from .. import nn
from ..data import Standardizer
from ..engine.errors import ArgumentError, TinygradError
from ..engine.types import Array
from ..saving import load, save
from ..training import evaluation_mode
from ..training.perceptron import perceptron
from .tables import Columns

FILE = "model.safetensors"


class Model:
    """A perceptron between tables of numbers: missing inputs are filled, all is standardised.

    Attributes:
        columns: the inputs, as `tables.encode` takes them.
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
    ) -> None:
        self.columns, self.target, self.classes = columns, target, classes
        self.fill, self.outputs = fill, outputs
        self.settings = {name: settings[name] for name in ("hidden", "activation", "dropout")}
        self.inputs = Standardizer()
        self.targets = None if classes else Standardizer()
        self.net: nn.Module = perceptron(inputs=len(fill), outputs=outputs, **self.settings)

    def filled(self, x: Array) -> Array:
        """The inputs without gaps."""
        return np.where(np.isnan(x), self.fill, x).astype(x.dtype)

    def standardised(self, x: Array) -> Array:
        """The inputs as the net takes them."""
        return self.inputs.transform(self.filled(x))

    def predict(self, x: Array) -> Array:
        """Probabilities (n, classes), or numbers (n, outputs) in the unit of the targets."""
        with evaluation_mode(self.net):
            raw = self.net(self.standardised(x))
        if self.targets is None:
            probabilities: Array = nn.functional.softmax(raw, dim=1).numpy()
            return probabilities
        return self.targets.inverse_transform(raw.numpy())

    def save(self, folder: Path) -> None:
        """Write the file, whole or not at all."""
        state = {
            "columns": self.columns,
            "target": self.target,
            "classes": self.classes,
            "fill": self.fill,
            "outputs": self.outputs,
            "settings": self.settings,
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
        parts = ("columns", "target", "classes", "fill", "outputs", "settings")
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
    widths = [inputs, *state["settings"]["hidden"], state["outputs"]]
    expected = sum((before + 1) * after for before, after in pairwise(widths))
    found = sum(np.size(array) for array in state["net"].values())
    if (expected, (inputs,)) != (found, np.shape(state["fill"])):
        raise ArgumentError(f"layers {widths} have {expected} weights, the file has {found}")
