"""Gated recurrent units (Cho and others 2014).

    r, z = sigmoid(drive_r + u_r), sigmoid(drive_z + u_z)     u = W_hh h_{t-1} + b_hh
    n    = tanh(drive_n + r u_n)                              the new state
    h_t  = (1 - z) n + z h_{t-1}

The blocks stand in PyTorch's order: r, z, n. As there, and other than in the paper, r gates the
product W_hh h rather than h itself, so that all three products are one.
"""

from __future__ import annotations

from typing import Any

from ...engine.define import operation
from ...engine.types import Array, np
from ..elementwise.hyperbolic import tanh
from ..elementwise.logistic import sigmoid
from ..shapes.joining import stack
from .recurrent_cases import gru_cases, gru_reference
from .through_time import Recurrence, ThroughTime, by_gate, d_weight


def gru_step(drive: Any, w_hh: Any, b_hh: Any, h: Any) -> Any:
    """One step: the next hidden state, of shape (N, H)."""
    size = h.shape[-1]
    u = h @ w_hh.T + b_hh
    gates = sigmoid(drive[..., : 2 * size] + u[..., : 2 * size])
    r, z = gates[..., :size], gates[..., size:]
    n = tanh(drive[..., 2 * size :] + r * u[..., 2 * size :])
    return (1 - z) * n + z * h


def _steps(drive: Any, w_hh: Any, b_hh: Any, h: Any) -> Any:
    hidden = []
    for drive_t in drive:
        h = gru_step(drive_t, w_hh, b_hh, h)
        hidden.append(h)
    return stack(hidden)


def gru_forward(drive: Any, w_hh: Any, b_hh: Any, h: Any) -> tuple[Array, Array, Array]:
    """The hidden states on arrays, the gates of all steps, and what r multiplies in them.

    Here gates stand apart, (L, 3, N, H): each is contiguous at every step.
    """
    dtype = np.result_type(drive, w_hh, b_hh, h)
    steps, batch, width = drive.shape
    size = width // 3
    shape = (batch, size)

    # sigmoid(a) = (1 + tanh(a / 2)) / 2, with half the numbers of r and z from the start
    gates = np.array(by_gate(drive, size), dtype, order="C")
    weights = np.array(w_hh.reshape(3, size, size).swapaxes(1, 2), dtype, order="C")
    biases = np.array(b_hh.reshape(3, 1, size), dtype)
    for part in (gates[:, :2], weights[:2], biases[:2]):
        part *= 0.5
    r, z, n = gates.swapaxes(0, 1)

    out = np.empty((steps, *shape), dtype)
    gated = np.empty((steps, *shape), dtype)  # u_n, which r multiplies
    u = np.empty((3, *shape), dtype)
    term = np.empty(shape, dtype)
    before = h
    for rz_t, r_t, z_t, n_t, gated_t, h_t in zip(gates[:, :2], r, z, n, gated, out, strict=True):
        np.matmul(before, weights, out=u)
        u += biases
        gated_t[...] = u[2]
        rz_t += u[:2]
        np.tanh(rz_t, rz_t)
        rz_t *= 0.5
        rz_t += 0.5
        n_t += np.multiply(r_t, gated_t, term)
        np.tanh(n_t, n_t)
        np.subtract(before, n_t, h_t)  # h_t = n + z (h_{t-1} - n)
        h_t *= z_t
        h_t += n_t
        before = h_t
    return out, gates, gated


def gru_backward(
    g: Array, drive: Any, w_hh: Any, b_hh: Any, h: Any, out: Array, gates: Array, gated: Array
) -> tuple[Array, Array, Array, Array]:
    """The cotangents of drive, w_hh, b_hh, h.

    Those of drive and u = W_hh h + b_hh are dh_t times a slope, gate by gate.
    """
    r, z, n = gates.swapaxes(0, 1)
    # the slopes of all steps at once: derivative of the gate, times what it multiplies
    slopes = np.subtract(1, gates)
    into_n = np.multiply(n, n)
    np.subtract(1, into_n, into_n)
    into_n *= slopes[:, 1]  # (1 - z) tanh', where tanh' = 1 - n^2
    slopes *= gates  # sigmoid' = s (1 - s)
    slopes[:, 0] *= gated
    slopes[:, 0] *= into_n
    change = np.negative(n)
    change[0] += h
    change[1:] += out[:-1]
    slopes[:, 1] *= change
    np.multiply(into_n, r, slopes[:, 2])

    steps, batch, width = drive.shape
    size = width // 3
    du = np.empty(drive.shape, out.dtype)
    dh = np.zeros(h.shape, out.dtype)
    product = np.empty(h.shape, out.dtype)
    for g_t, du_t, gates_t, slope_t, z_t, into_n_t in zip(
        g[::-1],
        du[::-1],
        by_gate(du, size)[::-1],
        slopes[::-1],
        z[::-1],
        into_n[::-1],
        strict=True,
    ):
        dh += g_t
        np.multiply(slope_t, dh, gates_t)
        into_n_t *= dh
        dh *= z_t
        dh += np.matmul(du_t, w_hh, out=product)
    d_drive = du.copy()
    d_drive[..., 2 * size :] = into_n  # drive_n is not multiplied by r
    d_bias = np.add.reduce(du.reshape(steps * batch, width), 0)
    dw_hh = d_weight(du, h, out)
    return d_drive, dw_hh, d_bias, dh


GRU = Recurrence(("drive", "w_hh", "b_hh", "h"), gru_forward, gru_backward, _steps)


@operation(
    keep={"through_time": lambda drive, w_hh, b_hh, h: ThroughTime(GRU, (drive, w_hh, b_hh, h))},
    cases=gru_cases,
    reference=gru_reference,
    ddrive=lambda g, through_time: through_time.cotangent("drive", g),
    dw_hh=lambda g, through_time: through_time.cotangent("w_hh", g),
    db_hh=lambda g, through_time: through_time.cotangent("b_hh", g),
    dh=lambda g, through_time: through_time.cotangent("h", g),
)
def gru(drive: Any, w_hh: Any, b_hh: Any, h: Any) -> Any:
    """The hidden states (L, N, H) of all steps.

    Args:
        drive: (L, N, 3H), what the inputs add at each step: W_ih x_t + b_ih.
        w_hh: (3H, H), from the hidden state to the next gates.
        b_hh: (3H,), added to that.
        h: (N, H), the hidden state before the first step.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs.ops.recurrent.gru import gru
        >>> drive = np.array([0.0, 100.0, 7.0]) * np.ones((2, 1, 1))  # z = 1: the state stays
        >>> gru(drive, np.zeros((3, 1)), np.zeros(3), np.full((1, 1), 5.0)).ravel()
        array([5., 5.])
    """
    return GRU.run(drive, w_hh, b_hh, h)
