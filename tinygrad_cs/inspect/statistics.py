"""What is noted about the output of a layer and about a parameter: few passes, few numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from .. import nn
from ..engine.tensor import Tensor
from ..engine.types import Array, np

STEEP = 0.1
"""An activation is saturated where its derivative is below this share of its largest."""

_TANH = math.sqrt(1 - STEEP)
_CANCELS = 1e-3
"""A variance below this share of the squared mean is computed again in float64."""

add, count = np.add.reduce, np.count_nonzero

Saturation = Callable[[Array], int]
Sums = tuple[int, int, float, float, int, Any]


def saturation_of(layer: Any) -> Saturation | None:
    """A function that counts the saturated entries of this layer's output; None for others.

    tanh' = 1 - t^2 and sigmoid' = s (1 - s) are below a tenth of their largest value beyond
    |t| = |2 s - 1| = sqrt(0.9); hard variants are flat at their bounds.
    """
    if isinstance(layer, nn.Tanh) or (
        isinstance(layer, (nn.RNN, nn.RNNCell)) and layer.nonlinearity == "tanh"
    ):
        return lambda a: count(np.abs(a) > _TANH)
    if isinstance(layer, nn.Sigmoid):
        return lambda a: count(np.abs(a - 0.5) > _TANH / 2)
    if isinstance(layer, nn.Hardtanh):
        return lambda a: count((a <= layer.min_val) | (a >= layer.max_val))
    if isinstance(layer, nn.Hardsigmoid):
        return lambda a: count((a <= 0) | (a >= 1))
    if isinstance(layer, nn.ReLU6):
        return lambda a: count(a >= 6)
    return None


def arrays_in(value: Any) -> Iterator[Array]:
    """The floating arrays in what a layer takes or returns."""
    if isinstance(value, (tuple, list)):
        for part in value:
            yield from arrays_in(part)
    elif isinstance(value, dict):
        yield from arrays_in(list(value.values()))
    else:
        array = getattr(value, "_data", value)
        if isinstance(array, np.ndarray) and array.dtype.kind == "f":
            yield array


class Activity:
    """Sums over the output of one layer, for all its calls between `clear` and `read`.

    Args:
        layer: the module, which decides whether saturated entries and dead units are counted.
        channels_first: is axis 1 of three the units', as behind `Conv1d`, or the last?
    """

    __slots__ = ("_axis", "_dies", "_saturation", "alive", "calls", "saturated", "size", "squares",
                 "total")  # fmt: skip

    def __init__(self, layer: Any, channels_first: bool = False) -> None:
        self._saturation = saturation_of(layer)
        self._dies = isinstance(layer, (nn.ReLU, nn.ReLU6))
        self._axis = (0, 2) if channels_first else (0, 1)
        self.clear()

    def clear(self) -> None:
        """Forget all calls."""
        self.calls = self.size = self.saturated = 0
        self.total = self.squares = 0.0
        self.alive: Any = None

    def take(self, out: Any) -> None:
        """Count in one output."""
        if type(out) is Tensor:
            array = out._data
            if array.dtype.kind != "f":
                return
        else:
            found: Any = next(arrays_in(out), None)
            if found is None:
                return
            array = found
        self.calls += 1
        if array.size:
            with np.errstate(over="ignore", invalid="ignore"):
                self._add(array)

    def _add(self, array: Array) -> None:
        flat = array.reshape(-1)
        size = flat.size
        if self._dies:
            units = self._sums_of_units(array)
            total = float(add(units))
            alive = units != 0
            known = self.alive
            self.alive = alive if known is None or known.shape != alive.shape else known | alive
        else:
            total = float(add(flat))
        squares = float(flat.dot(flat))
        square = (total / size) ** 2
        if squares / size - square < _CANCELS * square or not math.isfinite(squares):
            wide = flat.astype(np.float64)
            total, squares = float(add(wide)), float(wide.dot(wide))
        self.size += size
        self.total += total
        self.squares += squares
        if self._saturation is not None:
            self.saturated += self._saturation(array)

    def _sums_of_units(self, array: Array) -> Any:
        """For each unit, the sum over the batch, and over all places of a channel."""
        axes = array.ndim
        if axes == 2:
            return add(array, 0)
        if axes < 2:
            return array.reshape(-1)
        return add(array, self._axis if axes == 3 else (0, *range(2, axes))).reshape(-1)

    def read(self) -> Sums:
        """What was counted; `described` makes numbers of it that mean something."""
        return self.calls, self.size, self.total, self.squares, self.saturated, self.alive

    def described(self, sums: Sums) -> dict[str, Any]:
        """Calls, mean, deviation, share of saturated entries, share of dead units."""
        calls, size, total, squares, saturated, alive = sums
        found: dict[str, Any] = {"calls": calls}
        found |= dict.fromkeys(("mean", "deviation", "saturated", "dead"))
        if size:
            mean = total / size
            variance = squares / size - mean * mean
            # rounding may make it negative; max(0, NaN) would be 0
            found["mean"], found["deviation"] = mean, 0.0 if variance < 0 else math.sqrt(variance)
            if self._saturation is not None:
                found["saturated"] = int(saturated) / size
            if alive is not None:
                found["dead"] = 1 - int(count(alive)) / alive.size
        return found


class Weights:
    """Norms of one parameter, its gradient and its update, between `begin` and `read`.

    Args:
        parameter: it may be frozen, or without a gradient.
        updates: look at its update too? Biases begin at 0, so theirs mean little.
        singular_values: compute those of the weights, as a matrix with a row per output?
    """

    __slots__ = ("_before", "_probe", "_singular", "parameter", "updates")

    def __init__(self, parameter: Any, updates: bool = True, singular_values: bool = False) -> None:
        self.parameter = parameter
        self.updates = updates
        self._singular = singular_values and parameter.ndim > 1
        self._before: Any = None
        # a product with it is 0 for rows of zeros; others would have to cancel to the last bit
        columns = parameter.size // len(parameter._data) if parameter.ndim > 1 else 0
        self._probe = np.linspace(1, 2, columns, dtype=parameter.dtype) if columns else None

    def begin(self) -> None:
        """Note the values before the update."""
        self._before = self.parameter._data.copy()

    def read(self) -> tuple[Any, ...]:
        """Norms, and which rows got a gradient; `described` says what they mean."""
        parameter = self.parameter
        gradient, before = parameter.grad, self._before
        size = moved = norm = change = None
        if gradient is not None:
            size = norm_of(gradient)
            if self._probe is not None:
                rows = gradient.reshape(len(gradient), -1)
                moved = rows.dot(self._probe) != 0
        if before is not None:
            norm = norm_of(before)
            np.subtract(parameter._data, before, before)
            change = norm_of(before)
            self._before = None
        singular = singular_values(parameter._data) if self._singular else None
        return size, moved, norm, change, singular

    def described(self, norms: tuple[Any, ...]) -> dict[str, Any]:
        """The same by name: the share of rows without a gradient, the ratio."""
        gradient, moved, norm, change, singular = norms
        quiet = None if moved is None else 1 - int(count(moved)) / moved.size
        ratio = change / norm if norm else None
        found = {"gradient": gradient, "quiet": quiet, "weight": norm, "ratio": ratio}
        return found | ({"singular_values": singular} if self._singular else {})


def share_without(masks: list[Any]) -> float | None:
    """The share of entries that are false in all masks that are as long as the last one."""
    if not masks or masks[-1] is None:
        return None
    alike = [mask for mask in masks if mask is not None and mask.shape == masks[-1].shape]
    return 1 - float(np.any(alike, axis=0).mean())


def norm_of(array: Array) -> float:
    """The root of the sum of squares, also where a square is beyond the dtype."""
    flat = array.reshape(-1)
    square = float(flat.dot(flat))
    if 1e-30 < square < math.inf or math.isnan(square):
        return math.sqrt(square)
    return float(np.linalg.norm(flat.astype(np.float64)))


def singular_values(weights: Array) -> list[float]:
    """Largest first; kernels as a matrix with a row per output. Empty where not all are finite."""
    matrix = weights.reshape(len(weights), -1).astype(np.float64)
    if not np.isfinite(matrix).all() or not matrix.size:
        return []
    found: list[float] = np.linalg.svd(matrix, compute_uv=False).tolist()
    return found
