"""Which statements can be part of a loop, and what each reads and writes there.

Entry by entry: functions of `formulas.py`, `np.where`, copies and stores. Reductions: sums and
extremes along axes, among them sums of rows that were written as products with a vector of ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...engine.types import np
from ..program import Program, Statement, Var
from .formulas import FEW, dtypes_of, is_entry_by_entry
from .places import Place

REDUCTIONS = {"add": "sum", "maximum": "max", "minimum": "min"}


@dataclass(eq=False)
class Step:
    """One statement as a part of a loop over `shape`.

    Attributes:
        operands: places, spread to the shape; numbers of the program; constants.
        kinds: what each operand is converted to.
        result: the place that is written, spread to the shape.
        dtype: of the result.
        reduces: "" or "sum", "max", "min".
        looks_up: "" or "gather", for `x[index]`, or "scatter", for `x[index] = value`.
        over: the axes that a reduction takes together.
    """

    statement: Statement
    shape: tuple[int, ...]
    operands: tuple[Any, ...]
    kinds: tuple[Any, ...]
    result: Place
    dtype: Any
    reduces: str = ""
    looks_up: str = ""

    def read(self) -> list[Place]:
        """The places that are read."""
        return [x for x in self.operands if isinstance(x, Place)]

    def touched(self) -> list[Place]:
        """The places that are read or written."""
        return [*self.read(), self.result]


class Steps:
    """Makes steps of the statements of one program."""

    def __init__(self, program: Program, places: dict[Var, Place]) -> None:
        self.places = places
        self._ones = {v for v, a in program.constants.items()
                      if isinstance(a, np.ndarray) and a.ndim == 1 and (a == 1).all()}  # fmt: skip
        self._constants = set(program.constants)
        self._given = set(program.inputs) - set(program.captured)

    def step(self, s: Statement) -> Step | None:
        """The step that a statement is, if it is one."""
        if s.draws or s.kind not in ("call", "store", "method", "item"):
            return None
        found = self._reduction(s) or self._looked_up(s) or self._entrywise(s)
        if found is None or not all(found.shape) or found.result.root in self._given:
            return None
        if found.result.root in self._constants:
            return None
        overlapping = [p for p in found.read() if p.meets(found.result)]
        if found.reduces:
            return None if overlapping else found
        same = all(p.same_entries(found.result) for p in overlapping)
        return found if same else None

    def _entrywise(self, s: Statement) -> Step | None:
        target = s.target if s.writes is None else s.writes
        if not isinstance(target, Var) or target not in self.places:
            return None
        place = self.places[target]
        if s.kind == "store":
            slot, index, value = s.args
            if index is not Ellipsis or slot not in self.places:
                return None
            return self._made(s, None, (value,), self.places[slot])
        rest = {k: v for k, v in s.kwargs.items() if k not in ("out", "order")}
        if s.kwargs.get("out", target) is not target:
            return None
        if s.function is np.array or (s.kind == "method" and s.function == "copy"):
            rest.pop("dtype", None)
            if rest or len(s.args) != 1 or not place.shape or target.base is not target:
                return None
            return self._made(s, None, s.args, place)
        if s.kind == "method" or rest:
            return None
        if s.function is np.where and len(s.args) == 3:
            return self._made(s, np.where, s.args, place)
        if is_entry_by_entry(s.function, place_size(place)) and len(s.args) == s.function.nin:
            return self._made(s, s.function, s.args, place)
        return None

    def _made(self, s: Statement, function: Any, args: Any, place: Place) -> Step | None:
        operands, kinds = [], []
        for x in args:
            operand, kind = self._operand(x)
            if kind is None:
                return None
            operands.append(operand)
            kinds.append(kind)
        arrays = [x for x in operands if isinstance(x, Place)]
        shapes = [x.shape for x in arrays]
        if any(isinstance(x, Var) for x in operands) and not _is_float(place.dtype):
            return None
        try:
            if np.broadcast_shapes(*shapes, place.shape) != place.shape:
                return None
        except ValueError:
            return None
        if function is None:
            found: Any = (place.dtype, place.dtype)
        elif function is np.where:
            found = (np.dtype(bool), place.dtype, place.dtype, place.dtype)
            if kinds[0] != np.dtype(bool):
                return None
        else:
            found = dtypes_of(function, kinds)
            if found is None or found[-1] != place.dtype:
                return None
        spread = tuple(x.spread_to(place.shape) if isinstance(x, Place) else x for x in operands)
        result = place.spread_to(place.shape)
        return Step(s, place.shape, spread, found[:-1], result, place.dtype)

    def _operand(self, x: Any) -> tuple[Any, Any]:
        """An operand, and its dtype; int or float for numbers; None where it cannot be one."""
        if isinstance(x, Var):
            if x in self.places:
                return self.places[x], self.places[x].dtype
            return x, float if x.shape is None and x.dtype is None else None
        if isinstance(x, np.generic):
            return x, x.dtype
        return x, type(x) if type(x) in (int, float) else None

    def _reduction(self, s: Statement) -> Step | None:
        if s.kind != "call":
            return None
        target = s.target if s.writes is None else s.writes
        if not isinstance(target, Var) or target not in self.places:
            return None
        place = self.places[target]
        if not _is_float(place.dtype) or s.kwargs.get("out", target) is not target:
            return None
        if s.function is np.dot and s.args[0] in self._ones and s.args[1] in self.places:
            x, name = self.places[s.args[1]], "sum"
            over: tuple[int, ...] = (0,)
            if len(x.shape) != 2:
                return None
        else:
            owner = getattr(s.function, "__self__", None)
            name = REDUCTIONS.get(getattr(owner, "__name__", ""), "")
            known = set(s.kwargs) <= {"axis", "keepdims", "out"} and len(s.args) <= 2
            if not name or s.function.__name__ != "reduce" or not known:
                return None
            if not isinstance(owner, np.ufunc) or s.args[0] not in self.places:
                return None
            x = self.places[s.args[0]]
            axis = s.args[1] if len(s.args) == 2 else s.kwargs.get("axis", 0)
            if axis is None:
                axis = tuple(range(len(x.shape)))
            axes = axis if isinstance(axis, tuple) else (axis,)
            over = tuple(int(a) % len(x.shape) for a in axes)
        if x.dtype != place.dtype or not all(x.shape):
            return None
        strides = iter(place.strides)
        if len(place.shape) == len(x.shape):
            kept = [0 if i in over else n for i, n in enumerate(place.strides)]
        else:
            kept = [0 if i in over else next(strides) for i in range(len(x.shape))]
        result = Place(place.root, place.offset, tuple(kept), x.shape, place.dtype)
        return Step(s, x.shape, (x.spread_to(x.shape),), (x.dtype,), result, x.dtype, name)

    def _looked_up(self, s: Statement) -> Step | None:
        """`x[index]` and `x[index] = value`, of a vector and an array of whole numbers."""
        if s.kind not in ("item", "store") or not isinstance(s.args[1], Var):
            return None
        x, index = self.places.get(s.args[0]), self.places.get(s.args[1])
        if x is None or index is None or index.dtype != np.int64 or len(x.shape) != 1:
            return None
        if place_size(index) > FEW:
            return None
        table = Place(x.root, x.offset, x.strides, x.shape, x.dtype, anywhere=True)
        if s.kind == "item":
            result = self.places.get(s.target)  # type: ignore[arg-type]
            if result is None or s.target.base is not s.target:  # type: ignore[union-attr]
                return None
            kinds = (x.dtype, index.dtype)
            result = result.spread_to(index.shape)
            given = (table, index.spread_to(index.shape))
            return Step(s, index.shape, given, kinds, result, x.dtype, "", "gather")
        value = self.places.get(s.args[2]) if isinstance(s.args[2], Var) else None
        if value is None or value.dtype != x.dtype or value.shape != index.shape:
            return None
        given = (value.spread_to(index.shape), index.spread_to(index.shape))
        kinds = (x.dtype, index.dtype)
        return Step(s, index.shape, given, kinds, table, x.dtype, "", "scatter")


def place_size(place: Place) -> int:
    """How many entries it has."""
    return int(np.prod(place.shape, dtype=np.int64))


def _is_float(dtype: Any) -> bool:
    return dtype in (np.dtype(np.float32), np.dtype(np.float64))
