"""Layers that read sequences step by step: `RNN`, `LSTM`, `GRU`."""

from __future__ import annotations

from typing import Any

from .. import functional
from .recurrent_base import Recurrent, check_nonlinearity

__all__ = ["GRU", "LSTM", "RNN"]


class RNN(Recurrent):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh) over a sequence (Elman 1990).

    Args:
        input_size: numbers in x_t.
        hidden_size: numbers in h_t.
        num_layers: layers on top of each other (default 1), each reading the outputs of the last.
        nonlinearity: `"tanh"` (default) or `"relu"`.
        bias: whether there are b_ih and b_hh (default True).
        batch_first: inputs and outputs are (N, L, ...) instead of (L, N, ...) (default False).
        dropout: probability with which outputs of all layers but the last are left out in
            training (default 0).
        bidirectional: read the sequence from its end too, with weights of their own, and join
            both outputs (default False).

    Attributes:
        weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0: those of the first layer, of shapes
            (H, in), (H, H), (H,) and (H,); `..._l1` of the second, `..._l0_reverse` of the
            direction from the end. All start uniform between -1 / sqrt(H) and 1 / sqrt(H).

    What goes wrong: the gradient of step t meets W_hh^T diag(1 - h^2) once for every step it goes
    back, so it shrinks or grows geometrically with the distance, as the largest singular values of
    W_hh are below or above 1 (Bengio, Simard and Frasconi 1994). Against growth there is
    `clip_grad_norm_`; against shrinking `LSTM`, which adds where this layer multiplies.

    Raises `ArgumentError` for sizes below 1, a probability outside [0, 1] and another
    nonlinearity, `ShapeError` for inputs and states of other shapes; warns of dropout with one
    layer, which does nothing.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> output, h_n = nn.RNN(3, 4)(np.ones((5, 2, 3), "float32"))
        >>> output.shape, h_n.shape
        ((5, 2, 4), (1, 2, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        check_nonlinearity("RNN", nonlinearity)
        self._build(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """Outputs of all steps, and the last hidden states (layers * directions, N, H).

        `input` is (L, N, in), (N, L, in) with `batch_first`, or (L, in) for one sequence; `hx`
        the first hidden states, zeros by default.
        """
        tanh = self.nonlinearity == "tanh"
        result: tuple[Any, Any] = self._with_weights(
            functional.rnn_tanh if tanh else functional.rnn_relu, input, hx
        )
        return result

    def extra_repr(self) -> str:
        """The sizes, and what is not as by default."""
        relu = ", nonlinearity='relu'" if self.nonlinearity == "relu" else ""
        return super().extra_repr() + relu


class GRU(Recurrent):
    """Gated recurrent units over a sequence (Cho and others 2014).

        r, z = sigmoid(v_r + u_r), sigmoid(v_z + u_z)        v = W_ih x_t + b_ih
        n    = tanh(v_n + r u_n)                             u = W_hh h_{t-1} + b_hh
        h_t  = (1 - z) n + z h_{t-1}

    Arguments and attributes are those of `RNN` (without `nonlinearity`), with the three blocks r,
    z, n one below the other in every weight and bias: (3H, in), (3H, H), (3H,), (3H,).

    Where z is near 1 the state is handed on unchanged, and so is its gradient: like the LSTM's
    cell, with one state and a gate less.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> output, h_n = nn.GRU(3, 4, bidirectional=True)(np.ones((5, 2, 3), "float32"))
        >>> output.shape, h_n.shape
        ((5, 2, 8), (2, 2, 4))
    """

    gates = 3

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """Outputs of all steps, and the last hidden states (layers * directions, N, H).

        `input` is (L, N, in), (N, L, in) with `batch_first`, or (L, in) for one sequence; `hx`
        the first hidden states, zeros by default.
        """
        result: tuple[Any, Any] = self._with_weights(functional.gru, input, hx)
        return result


class LSTM(Recurrent):
    """Long short-term memory over a sequence (Hochreiter and Schmidhuber 1997).

        i, f, g, o = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh            four blocks of rows
        c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g)
        h_t = sigmoid(o) tanh(c_t)

    Arguments and attributes are those of `RNN` (without `nonlinearity`), with the four blocks one
    below the other in every weight and bias: (4H, in), (4H, H), (4H,), (4H,). PyTorch's `proj_size`
    does not exist here.

    The cell c_t is a sum along the sequence. Going back a step its gradient is multiplied by the
    forget gate alone, not by a matrix: open gates let it pass over hundreds of steps where that of
    an `RNN` has vanished. Gates start half open, though, and 0.5^20 is a millionth: for long
    memories start the forget gates open, with a bias of 1 (Jozefowicz, Zaremba and Sutskever 2015),
    as in the example.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> lstm = nn.LSTM(3, 4)
        >>> output, (h_n, c_n) = lstm(np.ones((5, 2, 3), "float32"))
        >>> output.shape, h_n.shape, c_n.shape
        ((5, 2, 4), (1, 2, 4), (1, 2, 4))
        >>> lstm.bias_ih_l0.data[4:8] = 1  # the second block is that of the forget gates
    """

    gates = 4

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, tuple[Any, Any]]:
        """Outputs of all steps, and a pair of the last hidden and cell states.

        `input` is (L, N, in), (N, L, in) with `batch_first`, or (L, in) for one sequence; `hx` a
        pair of first hidden and cell states (layers * directions, N, H), zeros by default.
        """
        output, h_n, c_n = self._with_weights(functional.lstm, input, hx)
        return output, (h_n, c_n)
