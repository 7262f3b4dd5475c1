"""Single steps of recurrent layers, under PyTorch's names: the formulas as one reads them."""

from __future__ import annotations

from typing import Any

from ...engine.errors import ArgumentError, ShapeError
from ...engine.types import np
from ...ops.recurrent.elman import elman_step
from ...ops.recurrent.gru import gru_step
from ...ops.recurrent.lstm import lstm_step
from .products import linear

__all__ = ["gru_cell", "lstm_cell", "rnn_relu_cell", "rnn_tanh_cell"]


def rnn_tanh_cell(
    input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None
) -> Any:
    """tanh(W_ih x + b_ih + W_hh h + b_hh), the next hidden state (Elman 1990).

    Args:
        input: x of shape (N, in), or (in,).
        hx: h of shape (N, H), or (H,).
        w_ih: (H, in).
        w_hh: (H, H).
        b_ih: (H,) or None.
        b_hh: (H,) or None.

    Raises `ShapeError` for other shapes.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> one = np.ones((1, 1))
        >>> tg.nn.functional.rnn_tanh_cell(one, np.zeros((1, 1)), one, one).round(4)
        array([[0.7616]])
    """
    _check("rnn_tanh_cell", input, hx, w_ih, w_hh)
    return elman_step(_drive(input, w_ih, b_ih, b_hh), w_hh, hx, "tanh")


def rnn_relu_cell(
    input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None
) -> Any:
    """max(W_ih x + b_ih + W_hh h + b_hh, 0); arguments as those of `rnn_tanh_cell`.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> one = np.ones((1, 1))
        >>> tg.nn.functional.rnn_relu_cell(one, one, one, one)
        array([[2.]])
    """
    _check("rnn_relu_cell", input, hx, w_ih, w_hh)
    return elman_step(_drive(input, w_ih, b_ih, b_hh), w_hh, hx, "relu")


def lstm_cell(
    input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None
) -> tuple[Any, Any]:
    """One step of an LSTM (Hochreiter and Schmidhuber 1997): the next (h, c).

        i, f, g, o = W_ih x + b_ih + W_hh h + b_hh            four blocks of rows
        c' = sigmoid(f) c + sigmoid(i) tanh(g)
        h' = sigmoid(o) tanh(c')

    Args:
        input: x of shape (N, in), or (in,).
        hx: a pair (h, c), each (N, H), or (H,).
        w_ih: (4H, in).
        w_hh: (4H, H).
        b_ih: (4H,) or None.
        b_hh: (4H,) or None.

    Raises `ShapeError` for other shapes.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> states = np.zeros(1), np.ones(1)
        >>> tg.nn.functional.lstm_cell(np.ones(2), states, np.zeros((4, 2)), np.zeros((4, 1)))[1]
        array([0.5])
    """
    if not isinstance(hx, (tuple, list)) or len(hx) != 2:
        raise ArgumentError(
            f"lstm_cell: the states are a pair (h, c) of hidden and cell states, got "
            f"{type(hx).__name__}"
        )
    h, c = hx
    _check("lstm_cell", input, h, w_ih, w_hh, 4)
    _check("lstm_cell", input, c, w_ih, w_hh, 4)
    return lstm_step(_drive(input, w_ih, b_ih, b_hh), w_hh, h, c)


def gru_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """One step of gated recurrent units (Cho and others 2014): the next h.

        r, z = sigmoid(v_r + u_r), sigmoid(v_z + u_z)        v = W_ih x + b_ih
        n    = tanh(v_n + r u_n)                             u = W_hh h + b_hh
        h'   = (1 - z) n + z h

    Args:
        input: x of shape (N, in), or (in,).
        hx: h of shape (N, H), or (H,).
        w_ih: (3H, in), the blocks of rows in the order r, z, n.
        w_hh: (3H, H).
        b_ih: (3H,) or None.
        b_hh: (3H,) or None.

    Raises `ShapeError` for other shapes.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.nn.functional.gru_cell(np.ones(2), np.ones(1), np.zeros((3, 2)), np.zeros((3, 1)))
        array([0.5])
    """
    _check("gru_cell", input, hx, w_ih, w_hh, 3)
    return gru_step(linear(input, w_ih, b_ih), w_hh, 0 if b_hh is None else b_hh, hx)


def _drive(x: Any, w_ih: Any, b_ih: Any, b_hh: Any) -> Any:
    bias = b_hh if b_ih is None else b_ih if b_hh is None else b_ih + b_hh
    return linear(x, w_ih, bias)


def _check(where: str, x: Any, h: Any, w_ih: Any, w_hh: Any, blocks: int = 1) -> None:
    """Raise `ShapeError` unless input and state are those of one step."""
    size, features = w_hh.shape[-1], w_ih.shape[-1]
    given, state = (np.shape(getattr(v, "_data", v)) for v in (x, h))
    if w_ih.shape[0] != blocks * size or w_hh.shape[0] != blocks * size:
        raise ShapeError(
            f"{where}: with H = {size} hidden units both weights have {blocks} H rows, got "
            f"{w_ih.shape} and {w_hh.shape}"
        )
    if len(given) not in (1, 2) or given[-1] != features:
        raise ShapeError(
            f"{where}: expected an input of shape (N, {features}), or ({features},), got {given}; "
            f"a cell takes one step, a layer the whole sequence"
        )
    if state != (*given[:-1], size):
        raise ShapeError(
            f"{where}: for an input of shape {given} expected states of shape "
            f"{(*given[:-1], size)}, got {state}"
        )
