"""What checks of the recurrences need: small cases, and the formulas in plain NumPy."""

from __future__ import annotations

from typing import Any

from ...engine.types import Array, np
from ..families import Case, Draw


def _sizes(draw: Draw) -> tuple[int, int, int]:
    """Steps, batch and hidden units."""
    return draw.integer(1, 3), draw.integer(1, 2), draw.integer(1, 2)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def elman_cases(draw: Draw) -> Case:
    """Drives, weights and a state; with relu every sum is well above zero or well below."""
    steps, batch, size = _sizes(draw)
    if draw.flag():
        drive, w_hh, h = [
            draw.array(s) for s in ((steps, batch, size), (size, size), (batch, size))
        ]
        return [drive, w_hh, h], {"nonlinearity": "tanh"}
    # at least 2.5 comes from the input, at most 1 from the state
    drive = draw.array((steps, batch, size), (-0.5, 0.5))
    drive = np.where(drive < 0, drive - 3, drive + 3)
    w_hh = draw.array((size, size), (-0.1, 0.1))
    return [drive, w_hh, draw.array((batch, size))], {"nonlinearity": "relu"}


def elman_reference(drive: Any, w_hh: Any, h: Any, nonlinearity: str) -> Array:
    """The formula, step by step."""
    hidden = []
    for drive_t in drive:
        a = drive_t + h @ w_hh.T
        h = np.tanh(a) if nonlinearity == "tanh" else np.where(a > 0, a, 0)
        hidden.append(h)
    out: Array = np.stack(hidden)
    return out


def lstm_cases(draw: Draw) -> Case:
    """Drives, weights and both states."""
    steps, batch, size = _sizes(draw)
    shapes = ((steps, batch, 4 * size), (4 * size, size), (batch, size), (batch, size))
    return [draw.array(shape) for shape in shapes], {}


def lstm_reference(drive: Any, w_hh: Any, h: Any, c: Any) -> Array:
    """The formula, step by step."""
    hidden = []
    for drive_t in drive:
        i, f, n, o = np.split(drive_t + h @ w_hh.T, 4, axis=-1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(n)
        h = _sigmoid(o) * np.tanh(c)
        hidden.append(h)
    out: Array = np.stack([*hidden, c])
    return out


def gru_cases(draw: Draw) -> Case:
    """Drives, weights, a bias and a state."""
    steps, batch, size = _sizes(draw)
    shapes = ((steps, batch, 3 * size), (3 * size, size), (3 * size,), (batch, size))
    return [draw.array(shape) for shape in shapes], {}


def gru_reference(drive: Any, w_hh: Any, b_hh: Any, h: Any) -> Array:
    """The formula, step by step."""
    hidden = []
    for drive_t in drive:
        (dr, dz, dn), (ur, uz, un) = (np.split(a, 3, axis=-1) for a in (drive_t, h @ w_hh.T + b_hh))
        r, z = _sigmoid(dr + ur), _sigmoid(dz + uz)
        h = (1 - z) * np.tanh(dn + r * un) + z * h
        hidden.append(h)
    out: Array = np.stack(hidden)
    return out
