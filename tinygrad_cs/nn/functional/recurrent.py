"""Recurrent layers over sequences, and single steps of them, under PyTorch's names.

(There they are found as `torch.lstm`, `torch.lstm_cell` and so on.) A layer is a matrix product for
the inputs of all steps together, and a recurrence, one operation for the whole sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ... import ops
from ...engine.errors import ArgumentError
from ...engine.types import np
from ...ops.recurrent.elman import elman
from ...ops.recurrent.gru import gru as gru_recurrence
from ...ops.recurrent.lstm import lstm as lstm_recurrence
from .products import linear
from .sequences import States, Weights, layers_over_sequence

__all__ = ["gru", "lstm", "rnn_relu", "rnn_tanh"]


def _drive(x: Any, weight: Any, bias: Any) -> Any:
    """W x_t + b of all steps: one product of two matrices."""
    steps, batch, features = x.shape
    rows = linear(ops.reshape(x, (steps * batch, features)), weight, bias)
    return ops.reshape(rows, (steps, batch, weight.shape[0]))


def _both(bias_ih: Any, bias_hh: Any) -> Any:
    return None if bias_ih is None else bias_ih + bias_hh


def _elman_direction(
    x: Any, states: States, weights: Weights, nonlinearity: str
) -> tuple[Any, States]:
    w_ih, w_hh, b_ih, b_hh = weights
    (h,) = states
    out = elman(_drive(x, w_ih, _both(b_ih, b_hh)), w_hh, h, nonlinearity)
    return out, (out[-1:],)


def _gru_direction(x: Any, states: States, weights: Weights) -> tuple[Any, States]:
    w_ih, w_hh, b_ih, b_hh = weights
    (h,) = states
    if b_hh is None:
        b_hh = np.zeros(w_hh.shape[0], w_hh.dtype)
    out = gru_recurrence(_drive(x, w_ih, b_ih), w_hh, b_hh, h)
    return out, (out[-1:],)


def _lstm_direction(x: Any, states: States, weights: Weights) -> tuple[Any, States]:
    w_ih, w_hh, b_ih, b_hh = weights
    h, c = states
    both = lstm_recurrence(_drive(x, w_ih, _both(b_ih, b_hh)), w_hh, h, c)
    return both[:-1], (both[-2:-1], both[-1:])


def rnn_tanh(
    input: Any,
    hx: Any,
    params: Sequence[Any],
    has_biases: bool = True,
    num_layers: int = 1,
    dropout: float = 0.0,
    train: bool = False,
    bidirectional: bool = False,
    batch_first: bool = False,
) -> tuple[Any, Any]:
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh) over a sequence (Elman 1990).

    Args:
        input: (L, N, in), (N, L, in) with `batch_first`, or (L, in) for one sequence.
        hx: the first hidden states (layers * directions, N, H), without N for one sequence; None
            stands for zeros.
        params: for every layer, and in it every direction: weight_ih (H, in), weight_hh (H, H),
            bias_ih (H,), bias_hh (H,). Layers above the first have directions * H inputs.
        has_biases: whether `params` holds biases (default True).
        num_layers: layers on top of each other (default 1).
        dropout: probability with which outputs of a layer are left out before the next one.
        train: whether there is dropout at all (default False).
        bidirectional: whether every layer also reads the sequence from its end (default False).
        batch_first: whether the first two axes of `input` and of the output are swapped.

    Returns the outputs of the last layer (L, N, directions * H) and the last hidden state of every
    layer and direction, shaped like `hx`. Raises `ShapeError` for other shapes and for an empty
    sequence, `ArgumentError` for another number of `params`.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> x, one, zero = np.ones((3, 1)), np.ones((1, 1)), np.zeros((1, 1))
        >>> output, h_n = tg.nn.functional.rnn_tanh(x, None, [one, zero], has_biases=False)
        >>> output.ravel().round(4), h_n.shape
        (array([0.7616, 0.7616, 0.7616]), (1, 1))
    """
    direction = partial(_elman_direction, nonlinearity="tanh")
    output, (h_n,) = layers_over_sequence(
        "rnn_tanh", direction, 1, input, (hx,), params, has_biases, num_layers, dropout, train,
        bidirectional, batch_first,
    )  # fmt: skip
    return output, h_n


def rnn_relu(
    input: Any,
    hx: Any,
    params: Sequence[Any],
    has_biases: bool = True,
    num_layers: int = 1,
    dropout: float = 0.0,
    train: bool = False,
    bidirectional: bool = False,
    batch_first: bool = False,
) -> tuple[Any, Any]:
    """h_t = max(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh, 0) over a sequence.

    Arguments and results are those of `rnn_tanh`. With weights W_hh = 1 it adds up what comes in,
    a start that helps it to remember (Le, Jaitly and Hinton 2015).

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> x, one = np.ones((3, 1)), np.ones((1, 1))
        >>> tg.nn.functional.rnn_relu(x, None, [one, one], has_biases=False)[0].ravel()
        array([1., 2., 3.])
    """
    direction = partial(_elman_direction, nonlinearity="relu")
    output, (h_n,) = layers_over_sequence(
        "rnn_relu", direction, 1, input, (hx,), params, has_biases, num_layers, dropout, train,
        bidirectional, batch_first,
    )  # fmt: skip
    return output, h_n


def gru(
    input: Any,
    hx: Any,
    params: Sequence[Any],
    has_biases: bool = True,
    num_layers: int = 1,
    dropout: float = 0.0,
    train: bool = False,
    bidirectional: bool = False,
    batch_first: bool = False,
) -> tuple[Any, Any]:
    """Gated recurrent units over a sequence (Cho and others 2014); a step is `gru_cell`.

    Arguments and results are those of `rnn_tanh`, with three blocks of rows in every weight and
    bias: (3H, in), (3H, H), (3H,), (3H,), in the order r, z, n.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> params = [np.zeros((6, 3)), np.zeros((6, 2)), np.zeros(6), np.zeros(6)]
        >>> output, h_n = tg.nn.functional.gru(np.ones((4, 1, 3)), np.ones((1, 1, 2)), params)
        >>> output[:, 0, 0]  # z = 1/2 and n = 0: half of the state is forgotten at every step
        array([0.5   , 0.25  , 0.125 , 0.0625])
    """
    output, (h_n,) = layers_over_sequence(
        "gru", _gru_direction, 3, input, (hx,), params, has_biases, num_layers, dropout, train,
        bidirectional, batch_first,
    )  # fmt: skip
    return output, h_n


def lstm(
    input: Any,
    hx: Any,
    params: Sequence[Any],
    has_biases: bool = True,
    num_layers: int = 1,
    dropout: float = 0.0,
    train: bool = False,
    bidirectional: bool = False,
    batch_first: bool = False,
) -> tuple[Any, Any, Any]:
    """Long short-term memory over a sequence (Hochreiter and Schmidhuber 1997); see `lstm_cell`.

    Arguments are those of `rnn_tanh`, with four blocks of rows in every weight and bias, (4H, in),
    (4H, H), (4H,), (4H,), in the order i, f, g, o; and with `hx` a pair (h, c) of hidden and cell
    states, or None for zeros. Returns the outputs, h_n and c_n.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> params = [np.zeros((8, 3)), np.zeros((8, 2)), np.zeros(8), np.zeros(8)]
        >>> states = np.zeros((1, 1, 2)), np.ones((1, 1, 2))
        >>> output, h_n, c_n = tg.nn.functional.lstm(np.ones((4, 1, 3)), states, params)
        >>> c_n  # f = 1/2 and nothing is written: half of the cell is forgotten at every step
        array([[[0.0625, 0.0625]]])
    """
    states = (None, None) if hx is None else hx
    if not isinstance(states, (tuple, list)) or len(states) != 2:
        raise ArgumentError(
            f"lstm: the states are a pair (h, c) of hidden and cell states, got "
            f"{type(states).__name__} {np.shape(getattr(states, '_data', states))}"
        )
    output, (h_n, c_n) = layers_over_sequence(
        "lstm", _lstm_direction, 4, input, states, params, has_biases, num_layers, dropout, train,
        bidirectional, batch_first,
    )  # fmt: skip
    return output, h_n, c_n
