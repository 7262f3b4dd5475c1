"""What recurrent layers and cells have in common: their weights, and the checks of arguments."""

from __future__ import annotations

import math
import warnings
from numbers import Real
from typing import Any

from ...engine.errors import ArgumentError
from ...engine.modes import default_dtype
from ...engine.types import Shape, np
from .. import init
from ..module import Module
from ..parameter import Parameter
from .sizes import check_sizes


def add_weights(
    module: Module, inputs: int, hidden: int, rows: int, bias: bool, end: str = ""
) -> list[str]:
    """Set weight_ih, weight_hh and the biases, uniform within 1 / sqrt(hidden); return their names.

    `rows` is hidden times the number of gates, `end` stands behind each name.
    """
    shapes: dict[str, Shape] = {"weight_ih": (rows, inputs), "weight_hh": (rows, hidden)}
    if bias:
        shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
    bound = 1 / math.sqrt(hidden)
    for name, shape in shapes.items():
        parameter = Parameter(np.zeros(shape, default_dtype()))
        setattr(module, name + end, init.uniform_(parameter, -bound, bound))
    return [name + end for name in shapes]


def check_nonlinearity(where: str, nonlinearity: Any) -> None:
    """Raise `ArgumentError` unless it is `"tanh"` or `"relu"`."""
    if nonlinearity not in ("tanh", "relu"):
        raise ArgumentError(f"{where}: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}")


def _check_dropout(where: str, dropout: Any) -> None:
    if not isinstance(dropout, Real) or isinstance(dropout, bool) or not 0 <= float(dropout) <= 1:
        raise ArgumentError(f"{where}: dropout must be a probability in [0, 1], got {dropout!r}")


class Recurrent(Module):
    """What the three have in common: weights for every layer and direction, under their names."""

    gates = 1
    """Blocks of rows in every weight and bias."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        self._build(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)

    def _build(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
    ) -> None:
        """Check the arguments and make the weights; for `__init__`, whose caller is warned."""
        name = type(self).__name__
        check_sizes(name, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        _check_dropout(name, dropout)
        if dropout and num_layers == 1:
            warnings.warn(
                f"{name}: dropout={dropout} does nothing with num_layers=1: it stands between "
                f"layers; put nn.Dropout after this one",
                stacklevel=3,
            )
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = dropout
        self.bidirectional = bidirectional
        directions = ("", "_reverse") if bidirectional else ("",)
        rows = self.gates * hidden_size
        self._weights: list[str] = []
        for layer in range(num_layers):
            inputs = hidden_size * len(directions) if layer else input_size
            for direction in directions:
                end = f"_l{layer}{direction}"
                self._weights += add_weights(self, inputs, hidden_size, rows, bias, end)

    def _with_weights(self, layer: Any, input: Any, hx: Any) -> Any:
        """One of the stateless forms, on the weights in the order in which they were set."""
        weights = [getattr(self, name) for name in self._weights]
        return layer(
            input,
            hx,
            weights,
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            self.bidirectional,
            self.batch_first,
        )

    def extra_repr(self) -> str:
        """The sizes, and what is not as by default."""
        options = {
            "num_layers": (self.num_layers, 1),
            "bias": (self.bias, True),
            "batch_first": (self.batch_first, False),
            "dropout": (self.dropout, 0.0),
            "bidirectional": (self.bidirectional, False),
        }
        changed = [
            f", {name}={value}" for name, (value, usual) in options.items() if value != usual
        ]
        return f"input_size={self.input_size}, hidden_size={self.hidden_size}{''.join(changed)}"
