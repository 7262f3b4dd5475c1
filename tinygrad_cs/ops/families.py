"""How checks draw the operands of an operation: one function per shape family.

The gradient-check command and the Hypothesis tests read the same functions; only where the choices
come from differs (a seeded generator there, Hypothesis here). Values are drawn from a shuffled
grid, so that no two entries of a case are equal: ties are kinks of `max` and its like.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from ..engine.record import ELEMENTWISE, Composition, Operation
from ..engine.types import Array, Shape, np

Case: TypeAlias = tuple[list[Any], dict[str, Any]]
"""Operands (arrays, or one list of arrays for a variadic operation) and parameters by name."""

_GRID = 1024
_MARGIN = 0.05


class Draw:
    """A source of choices; this one is a seeded generator."""

    def __init__(self, seed: int, max_side: int = 3) -> None:
        self.rng = np.random.default_rng(seed)
        self.max_side = max_side
        self._grid = self.rng.permutation(_GRID)
        self._next = 0

    def integer(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return int(self.rng.integers(low, high + 1))

    def choice(self, options: Sequence[Any]) -> Any:
        """One of `options`."""
        return options[self.integer(0, len(options) - 1)]

    def flag(self) -> bool:
        """True or False."""
        return bool(self.choice([False, True]))

    def shape(self, min_dims: int = 0, max_dims: int = 3, min_side: int = 1) -> Shape:
        """A shape with sides up to `max_side`."""
        dims = self.integer(min_dims, max_dims)
        return tuple(self.integer(min_side, self.max_side) for _ in range(dims))

    def broadcastable(self, shape: Shape) -> Shape:
        """A shape that broadcasts to `shape`: leading axes dropped, some sides one."""
        kept = shape[self.integer(0, len(shape)) :]
        return tuple(self.choice([n, n, 1]) for n in kept)

    def array(
        self, shape: Shape, domain: tuple[float, float] = (-2.0, 2.0), kinks: Sequence[float] = ()
    ) -> Array:
        """A float64 array of distinct values in `domain`, each away from every kink."""
        low, high = domain
        places = [self._grid[(self._next + i) % _GRID] for i in range(math.prod(shape))]
        self._next += len(places)
        values = low + (high - low) * (np.array(places, dtype=float).reshape(shape) + 0.5) / _GRID
        for kink in kinks:
            near = np.abs(values - kink) < _MARGIN
            values = np.where(near, kink + np.where(values < kink, -1, 1) * 2 * _MARGIN, values)
        result: Array = np.asarray(values)
        return result

    def axis(self, ndim: int) -> Any:
        """None, an axis (negative ones too) or a tuple of axes of an array with `ndim` axes."""
        if ndim == 0:
            return None
        single = self.integer(-ndim, ndim - 1)
        several = tuple(sorted({self.integer(0, ndim - 1), self.integer(0, ndim - 1)}))
        return self.choice([None, single, single, several])


CaseMaker: TypeAlias = Callable[[Draw], Case]


def domain_of(op: Operation | Composition, operand: str) -> tuple[float, float]:
    """The interval from which an operand is drawn."""
    domain: Any = op.domain
    low, high = domain[operand] if isinstance(domain, dict) else domain
    return low, high


def case_for(op: Operation | Composition, draw: Draw) -> Case | None:
    """A case for any operation; None for one that is not elementwise and brings no `cases`."""
    if op.cases is not None:
        case: Case = op.cases(draw)
        return case
    return broadcast(op, draw) if op.kind is ELEMENTWISE else None


def broadcast(op: Operation | Composition, draw: Draw) -> Case:
    """Operands that broadcast against each other, within the record's domain."""
    full = draw.shape()
    shapes = [draw.broadcastable(full) for _ in op.operands]
    shapes[draw.integer(0, len(shapes) - 1)] = full
    pairs = zip(op.operands, shapes, strict=True)
    return [draw.array(s, domain_of(op, name), op.kinks) for name, s in pairs], {}


def reduction(domain: tuple[float, float] = (-2.0, 2.0), **more: Sequence[Any]) -> CaseMaker:
    """One array with `axis` and `keepdims`; `more` names further parameters and their values."""

    def make(draw: Draw) -> Case:
        x = draw.array(draw.shape(), domain)
        params = {"axis": draw.axis(x.ndim), "keepdims": draw.flag()}
        return [x], params | {name: draw.choice(options) for name, options in more.items()}

    return make


def along_axis(draw: Draw) -> Case:
    """One array and one `axis`, as for softmax."""
    x = draw.array(draw.shape(min_dims=1))
    return [x], {"axis": draw.integer(-x.ndim, x.ndim - 1)}


def one_array(draw: Draw) -> Case:
    """One array of any shape and no parameters."""
    return [draw.array(draw.shape())], {}
