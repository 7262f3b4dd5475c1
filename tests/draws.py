"""The library's own case makers with Hypothesis behind them, and the cases as functions.

A record says how its operands are drawn (`tinygrad_cs.ops.families`); here the choices come from
Hypothesis, so a failing case is made small.
"""

import inspect
import math

import numpy as np
import pytest
from hypothesis import strategies as st

import tinygrad_cs as tg
from tinygrad_cs.engine.record import FUNCTIONS, evaluate
from tinygrad_cs.ops.families import Draw, case_for

SEEDS = st.integers(0, 2**32 - 1)


class HypothesisDraw(Draw):
    """Choices made by Hypothesis; `sides` are the allowed lengths of axes."""

    def __init__(self, data, sides=(1, 3), dims=None):
        super().__init__(data.draw(SEEDS, label="seed of the values"), max_side=sides[1])
        self._data = data
        self._min_side = sides[0]
        self._dims = dims

    def integer(self, low, high):
        return self._data.draw(st.integers(low, high))

    def shape(self, min_dims=0, max_dims=3, min_side=1):
        if self._dims is not None:
            min_dims = max_dims = max(self._dims, min_dims)
        return super().shape(min_dims, max_dims, min(min_side, self._min_side))


class Case:
    """One operation on drawn operands: a function of arrays, with its parameters filled in."""

    def __init__(self, op, operands, params):
        self.op = op
        self.arrays = list(operands[0]) if op.variadic else list(operands)
        self.params = params

    def operands(self, values):
        return [list(values)] if self.op.variadic else list(values)

    def __call__(self, *values):
        """The operation, as a user calls it."""
        return evaluate(self.op, self.operands(values), self.params)

    def reference(self, *values):
        """The value in plain NumPy: the record's `reference`, or the function it stands for."""
        out = self._reference(self.operands(values))
        if isinstance(out, (tuple, list)):
            return np.concatenate([np.ravel(part) for part in out])
        return out

    def _reference(self, operands):
        if self.op.reference is not None:
            return self.op.reference(*operands, **self.params)
        function = self.op.numpy[0]
        order = inspect.signature(FUNCTIONS[self.op.name]).parameters
        if any(p.kind is p.VAR_POSITIONAL for p in order.values()):
            return function(*operands[0], **self.params)
        if not self.params:
            return function(*operands)
        try:
            return function(*operands, **self.params)
        except TypeError:  # NumPy has other names for these parameters: pass them by position
            given = dict(zip(self.op.operands, operands, strict=True)) | self.params
            return function(*[given[name] for name in order])

    def tensors(self, dtype=np.float64):
        return [tg.tensor(a.astype(dtype), requires_grad=True) for a in self.arrays]


def draw_case(op, data, **options):
    """A case of `op`; an operation that no one can draw operands for fails the test."""
    case = case_for(op, HypothesisDraw(data, **options))
    if case is None:
        pytest.fail(f"{op.name} is not elementwise and its record brings no cases=")
    return Case(op, *case)


def draw_like(data, values):
    """Normal numbers in the shapes of `values` (tensors, arrays, scalars)."""
    rng = np.random.default_rng(data.draw(SEEDS, label="seed of the directions"))
    return [rng.normal(size=np.shape(v)) for v in values]


def plain(value):
    """A node's value as a float64 array."""
    return np.asarray(getattr(value, "data", value), dtype=float)


def inner(xs, ys):
    """The sum of all products, in full precision."""
    return math.fsum(math.fsum((plain(x) * plain(y)).ravel()) for x, y in zip(xs, ys, strict=True))


# The step that balances truncation (step^2) against rounding (eps / step): the third root of eps.
STEP = float(np.cbrt(np.finfo(float).eps))


def central_differences(f, arrays, step=STEP):
    """The gradient of a function of arrays that returns one float, entry by entry."""
    gradients = []
    for k, array in enumerate(arrays):
        gradient = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            moved = [a.copy() for a in arrays]
            moved[k][index] = array[index] + step
            above, high = f(*moved), moved[k][index]
            moved[k][index] = array[index] - step
            gradient[index] = (above - f(*moved)) / (high - moved[k][index])
        gradients.append(gradient)
    return gradients


def gradient(f, *arrays):
    """The gradients of the sum of f."""
    leaves = [tg.tensor(np.array(a, float), requires_grad=True) for a in arrays]
    with np.errstate(all="ignore"):
        out = f(*leaves)
        out = out.sum() if out.ndim else out
        out.backward()
    results = [leaf.grad for leaf in leaves]
    return results[0] if len(results) == 1 else results
