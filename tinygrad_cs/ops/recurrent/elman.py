"""The plain recurrence h_t = tanh(drive_t + W_hh h_{t-1}), or with relu (Elman 1990)."""

from __future__ import annotations

from typing import Any

from ...engine.define import operation
from ...engine.types import Array, np
from ..elementwise.hyperbolic import tanh
from ..elementwise.selection import relu
from ..shapes.joining import stack
from .recurrent_cases import elman_cases, elman_reference
from .through_time import Recurrence, ThroughTime, d_weight


def elman_step(drive: Any, w_hh: Any, h: Any, nonlinearity: str) -> Any:
    """One step: the next hidden state, of shape (N, H)."""
    activation = tanh if nonlinearity == "tanh" else relu
    return activation(drive + h @ w_hh.T)


def _steps(drive: Any, w_hh: Any, h: Any, nonlinearity: str) -> Any:
    hidden = []
    for drive_t in drive:
        h = elman_step(drive_t, w_hh, h, nonlinearity)
        hidden.append(h)
    return stack(hidden)


def elman_forward(drive: Any, w_hh: Any, h: Any, nonlinearity: str) -> tuple[Array]:
    """The hidden states of all steps, on arrays."""
    dtype = np.result_type(drive, w_hh, h)
    weight = np.ascontiguousarray(w_hh.T, dtype)  # a product with it is twice as fast
    out = np.empty(drive.shape, dtype)
    before = h
    for drive_t, h_t in zip(drive, out, strict=True):
        np.matmul(before, weight, out=h_t)
        h_t += drive_t
        if nonlinearity == "tanh":
            np.tanh(h_t, h_t)
        else:
            np.maximum(h_t, 0, out=h_t)
        before = h_t
    return (out,)


def elman_backward(
    g: Array, drive: Any, w_hh: Any, h: Any, nonlinearity: str, out: Array
) -> tuple[Array, Array, Array]:
    """The cotangents of drive, w_hh, h: da_t = dh_t (1 - h_t^2), dh_{t-1} = g_{t-1} + da_t W_hh."""
    if nonlinearity == "tanh":
        da = np.multiply(out, out)
        np.subtract(1, da, da)
    else:
        da = np.zeros(out.shape, out.dtype)
    dh = np.zeros(out.shape[1:], out.dtype)
    for g_t, h_t, da_t in zip(g[::-1], out[::-1], da[::-1], strict=True):
        dh += g_t
        if nonlinearity == "tanh":
            da_t *= dh
        else:
            np.copyto(da_t, dh, where=h_t != 0)
        np.matmul(da_t, w_hh, out=dh)
    dw_hh = d_weight(da, h, out)
    return da, dw_hh, dh


ELMAN = Recurrence(("drive", "w_hh", "h"), elman_forward, elman_backward, _steps)


@operation(
    keep={
        "through_time": lambda drive, w_hh, h, nonlinearity: ThroughTime(
            ELMAN, (drive, w_hh, h, nonlinearity)
        )
    },
    cases=elman_cases,
    reference=elman_reference,
    ddrive=lambda g, through_time: through_time.cotangent("drive", g),
    dw_hh=lambda g, through_time: through_time.cotangent("w_hh", g),
    dh=lambda g, through_time: through_time.cotangent("h", g),
)
def elman(drive: Any, w_hh: Any, h: Any, nonlinearity: str = "tanh") -> Any:
    """The hidden states (L, N, H) of all steps.

    Args:
        drive: (L, N, H), what the inputs add at each step: W_ih x_t + b.
        w_hh: (H, H), from the hidden state to the next.
        h: (N, H), the state before the first step.
        nonlinearity: `"tanh"` (default) or `"relu"`.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs.ops.recurrent.elman import elman
        >>> elman(np.ones((3, 1, 1)), np.full((1, 1), 2.0), np.zeros((1, 1)), "relu").ravel()
        array([1., 3., 7.])
    """
    return ELMAN.run(drive, w_hh, h, nonlinearity)
