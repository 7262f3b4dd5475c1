"""Single steps of recurrent layers: for loops of one's own, and to read what a layer does."""

from __future__ import annotations

from typing import Any

from ...engine.types import np
from .. import functional
from ..foreign import with_shape
from ..module import Module
from .recurrent_base import add_weights, check_nonlinearity
from .sizes import check_sizes

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]


class Cell(Module):
    """What the three have in common: the weights of one layer."""

    gates = 1
    """Blocks of rows in every weight and bias."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True) -> None:
        check_sizes(type(self).__name__, input_size=input_size, hidden_size=hidden_size)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        add_weights(self, input_size, hidden_size, self.gates * hidden_size, bias)

    def _with_weights(self, step: Any, input: Any, hx: Any) -> Any:
        """One of the stateless forms, on the weights."""
        biases = (self.bias_ih, self.bias_hh) if self.bias else (None, None)
        return step(input, hx, self.weight_ih, self.weight_hh, *biases)

    def _zeros(self, input: Any) -> Any:
        """The state to begin with, for an input with or without a batch."""
        x = with_shape(input)
        return np.zeros((*x.shape[:-1], self.hidden_size), self.weight_hh.dtype)

    def extra_repr(self) -> str:
        """The sizes."""
        bias = "" if self.bias else ", bias=False"
        return f"input_size={self.input_size}, hidden_size={self.hidden_size}{bias}"


class RNNCell(Cell):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), one step of an `RNN` (Elman 1990).

    Args:
        input_size: numbers in x.
        hidden_size: numbers in h.
        bias: whether there are b_ih and b_hh (default True).
        nonlinearity: `"tanh"` (default) or `"relu"`.

    Attributes:
        weight_ih, weight_hh, bias_ih, bias_hh: of shapes (H, in), (H, H), (H,) and (H,), uniform
            between -1 / sqrt(H) and 1 / sqrt(H).

    Over a whole sequence `RNN` does the same several times faster. Raises `ArgumentError` for
    sizes below 1 and another nonlinearity, `ShapeError` for inputs and states of other shapes.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> cell, h = nn.RNNCell(3, 4), None
        >>> for x in np.ones((5, 2, 3), "float32"):
        ...     h = cell(x, h)
        >>> h.shape
        (2, 4)
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh"
    ) -> None:
        check_nonlinearity("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The next state (N, H), from `input` (N, in) and `hx` (N, H), zeros by default."""
        tanh = self.nonlinearity == "tanh"
        step = functional.rnn_tanh_cell if tanh else functional.rnn_relu_cell
        return self._with_weights(step, input, self._zeros(input) if hx is None else hx)

    def extra_repr(self) -> str:
        """The sizes."""
        relu = ", nonlinearity='relu'" if self.nonlinearity == "relu" else ""
        return super().extra_repr() + relu


class LSTMCell(Cell):
    """One step of an `LSTM` (Hochreiter and Schmidhuber 1997), with its formulas and weights.

    Arguments are those of `RNNCell` (without `nonlinearity`); attributes too, with four blocks of
    rows in the order i, f, g, o.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> h, c = nn.LSTMCell(3, 4)(np.ones((2, 3), "float32"))
        >>> h.shape, c.shape
        ((2, 4), (2, 4))
    """

    gates = 4

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """The next (h, c), from `input` (N, in) and a pair of both, zeros by default."""
        if hx is None:
            zeros = self._zeros(input)
            hx = (zeros, zeros)
        result: tuple[Any, Any] = self._with_weights(functional.lstm_cell, input, hx)
        return result


class GRUCell(Cell):
    """One step of a `GRU` (Cho and others 2014), with its formulas and weights.

    Arguments are those of `RNNCell` (without `nonlinearity`); attributes too, with three blocks of
    rows in the order r, z, n.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> nn.GRUCell(3, 4)(np.ones((2, 3), "float32")).shape
        (2, 4)
    """

    gates = 3

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The next state (N, H), from `input` (N, in) and `hx` (N, H), zeros by default."""
        return self._with_weights(
            functional.gru_cell, input, self._zeros(input) if hx is None else hx
        )
