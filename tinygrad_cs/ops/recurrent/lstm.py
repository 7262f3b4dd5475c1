"""Long short-term memory (Hochreiter and Schmidhuber 1997; forget gate: Gers and others 2000).

    i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o)     a = drive_t + W_hh h_{t-1}
    n       = tanh(a_n)                                    what could be written
    c_t     = f c_{t-1} + i n                              the additive path
    h_t     = o tanh(c_t)

The blocks of `a` stand in PyTorch's order: i, f, n (there called g), o.
"""

from __future__ import annotations

from typing import Any

from ...engine.define import operation
from ...engine.types import Array, np
from ..elementwise.hyperbolic import tanh
from ..elementwise.logistic import sigmoid
from ..shapes.joining import stack
from .recurrent_cases import lstm_cases, lstm_reference
from .through_time import Recurrence, ThroughTime, by_gate, d_weight


def lstm_step(drive: Any, w_hh: Any, h: Any, c: Any) -> tuple[Any, Any]:
    """One step: the next hidden state and the next cell state, each of shape (N, H)."""
    size = h.shape[-1]
    a = drive + h @ w_hh.T
    i, f, n, o = [a[..., k * size : (k + 1) * size] for k in range(4)]
    c = sigmoid(f) * c + sigmoid(i) * tanh(n)
    h = sigmoid(o) * tanh(c)
    return h, c


def _steps(drive: Any, w_hh: Any, h: Any, c: Any) -> Any:
    hidden = []
    for drive_t in drive:
        h, c = lstm_step(drive_t, w_hh, h, c)
        hidden.append(h)
    return stack([*hidden, c])


def lstm_forward(drive: Any, w_hh: Any, h: Any, c: Any) -> tuple[Array, Array, Array, Array]:
    """The output on arrays, and the gates, cells and tanh(cells) of all steps.

    Here gates stand apart, (L, 4, N, H): each is contiguous at every step.
    """
    dtype = np.result_type(drive, w_hh, h, c)
    steps, batch, width = drive.shape
    size = width // 4
    shape = (batch, size)

    # sigmoid(a) = (1 + tanh(a / 2)) / 2: with half the numbers in i, f and o, one tanh does it all
    gates = np.array(by_gate(drive, size), dtype, order="C")
    weights = np.array(w_hh.reshape(4, size, size).swapaxes(1, 2), dtype, order="C")
    for part in (gates[:, :2], gates[:, 3], weights[:2], weights[3]):
        part *= 0.5
    i, f, n, o = gates.swapaxes(0, 1)

    out = np.empty((steps + 1, *shape), dtype)
    cells = np.empty((steps + 1, *shape), dtype)
    cells[0] = c
    squashed = np.empty((steps, *shape), dtype)  # tanh(c_t)
    from_hidden = np.empty((4, *shape), dtype)
    written = np.empty(shape, dtype)
    before = h
    for a, if_t, i_t, f_t, n_t, o_t, c_before, c_t, squashed_t, h_t in zip(
        gates, gates[:, :2], i, f, n, o, cells[:-1], cells[1:], squashed, out[:-1], strict=True
    ):
        a += np.matmul(before, weights, out=from_hidden)
        np.tanh(a, a)
        for logistic in (if_t, o_t):
            logistic *= 0.5
            logistic += 0.5
        np.multiply(f_t, c_before, c_t)
        c_t += np.multiply(i_t, n_t, written)
        np.tanh(c_t, squashed_t)
        before = np.multiply(o_t, squashed_t, h_t)
    out[-1] = cells[-1]
    return out, gates, cells, squashed


def lstm_backward(
    g: Array,
    drive: Any,
    w_hh: Any,
    h: Any,
    c: Any,
    out: Array,
    gates: Array,
    cells: Array,
    squashed: Array,
) -> tuple[Array, Array, Array, Array]:
    """The cotangents of drive, w_hh, h, c: dh_t times a slope for o, dc_t times one for i, f, n."""
    i, f, n, o = gates.swapaxes(0, 1)
    # of all steps at once, where sigmoid' = s (1 - s) and tanh' = 1 - s^2
    hidden, added = out[:-1], i * n
    slopes = np.subtract(1, gates)
    slopes[:, 0] *= added  # (1 - i) i n
    slopes[:, 1] *= f
    slopes[:, 1] *= cells[:-1]  # (1 - f) f c_{t-1}
    np.subtract(i, added * n, slopes[:, 2])  # i (1 - n^2)
    slopes[:, 3] *= hidden  # (1 - o) o tanh(c)
    into_cell = hidden * squashed
    np.subtract(o, into_cell, into_cell)  # o (1 - tanh(c)^2), from dh_t to dc_t

    da = np.empty(drive.shape, out.dtype)
    dh = np.zeros(h.shape, out.dtype)
    dc = np.array(g[-1], out.dtype)
    term = np.empty(h.shape, out.dtype)
    for g_t, da_t, gates_t, slope_t, f_t, into_cell_t in zip(
        g[-2::-1],
        da[::-1],
        by_gate(da, h.shape[-1])[::-1],
        slopes[::-1],
        f[::-1],
        into_cell[::-1],
        strict=True,
    ):
        dh += g_t
        dc += np.multiply(dh, into_cell_t, term)
        np.multiply(slope_t[:3], dc, gates_t[:3])
        np.multiply(slope_t[3], dh, gates_t[3])
        dc *= f_t
        np.matmul(da_t, w_hh, out=dh)
    dw_hh = d_weight(da, h, out)
    return da, dw_hh, dh, dc


LSTM = Recurrence(("drive", "w_hh", "h", "c"), lstm_forward, lstm_backward, _steps)


@operation(
    keep={"through_time": lambda drive, w_hh, h, c: ThroughTime(LSTM, (drive, w_hh, h, c))},
    cases=lstm_cases,
    reference=lstm_reference,
    ddrive=lambda g, through_time: through_time.cotangent("drive", g),
    dw_hh=lambda g, through_time: through_time.cotangent("w_hh", g),
    dh=lambda g, through_time: through_time.cotangent("h", g),
    dc=lambda g, through_time: through_time.cotangent("c", g),
)
def lstm(drive: Any, w_hh: Any, h: Any, c: Any) -> Any:
    """The hidden states of all L steps and, after them, the last cell state: (L + 1, N, H).

    Args:
        drive: (L, N, 4H), what the inputs add at each step: W_ih x_t + b.
        w_hh: (4H, H), from the hidden state to the next gates.
        h: (N, H), the hidden state before the first step.
        c: (N, H), the cell state before the first step.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs.ops.recurrent.lstm import lstm
        >>> open_gates = np.full((3, 1, 4), 100.0)
        >>> zero = np.zeros((1, 1))
        >>> lstm(open_gates, np.zeros((4, 1)), zero, zero)[-1]  # adds one at every step
        array([[3.]])
    """
    return LSTM.run(drive, w_hh, h, c)
