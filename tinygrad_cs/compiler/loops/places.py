"""Where the values of a program lie: in which memory, at which index, with which strides.

All shapes are known, so every view (a slice, a transpose, a reshaped part of a flat buffer) is an
offset and one stride per axis into the memory that it is a view of. Loops read `memory[12 * i + j]`
and two accesses can be compared: they meet in the same entry, in no entry, or who knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...engine.types import np
from ..program import Program, Statement, Var, mapped


@dataclass(frozen=True)
class Place:
    """Entries of the flat memory of `root`: `offset` plus index times stride, summed over axes."""

    root: Var
    offset: int
    strides: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: Any
    anywhere: bool = False  # an entry that only the run tells: x[index]

    def spread_to(self, shape: tuple[int, ...]) -> Place:
        """As NumPy broadcasts it; axes of length one have stride 0, so that equal is equal."""
        new = len(shape) - len(self.shape)
        strides = [
            0 if n == 1 else stride for n, stride in zip(self.shape, self.strides, strict=True)
        ]
        return Place(self.root, self.offset, (*[0] * new, *strides), shape, self.dtype)

    def extent(self) -> tuple[int, int]:
        """The first and the last entry."""
        reach = [(n - 1) * s for n, s in zip(self.shape, self.strides, strict=True)]
        low = self.offset + sum(r for r in reach if r < 0)
        return low, self.offset + sum(r for r in reach if r > 0)

    def meets(self, other: Place) -> bool:
        """May the two have an entry in common?"""
        if self.root is not other.root:
            return False
        (a, b), (c, d) = self.extent(), other.extent()
        return a <= d and c <= b

    def same_entries(self, other: Place) -> bool:
        """Do equal indices lead to the same entry?"""
        known = not self.anywhere and not other.anywhere
        mine = (self.root, self.offset, self.strides)
        return known and mine == (other.root, other.offset, other.strides)


def places_of(program: Program) -> dict[Var, Place]:
    """The places of all arrays whose layout is known; arrays from outside are taken for dense."""
    arrays: dict[Var, Any] = {}  # never filled, so they cost addresses and no memory
    for v in [*program.inputs, *program.constants, *program.buffers]:
        if v.shape is not None and v.base is v and v.dtype is not None:
            arrays[v] = _dense(v)
    made = [s for s in [*program.views, *program.statements] if s.target is not None]
    for s in made:
        v: Any = s.target  # type: ignore[no-redef]
        if v.shape is None:
            continue
        if v.base is v:
            if v.order != "gaps":
                arrays[v] = _dense(v)
        else:
            shown = _shown(s, arrays)
            if shown is not None:
                arrays[v] = shown
    found = {v: _place(v, a, arrays) for v, a in arrays.items()}
    return {v: place for v, place in found.items() if place is not None}


def _dense(v: Var) -> Any:
    if v.order is None:
        return np.empty(v.shape, v.dtype)
    assert v.shape is not None
    turned = np.empty([v.shape[i] for i in v.order], v.dtype)
    return turned.transpose([v.order.index(i) for i in range(len(v.order))])


def _shown(s: Statement, arrays: dict[Var, Any]) -> Any:
    """What a statement that makes a view makes of the arrays that stand for its values."""
    if any(v not in arrays for v in s.reads()) or s.writes is not None:
        return None
    args, kwargs = mapped((s.args, s.kwargs), lambda x: arrays[x] if isinstance(x, Var) else x)
    try:
        if s.kind == "item":
            shown = args[0][args[1]]
        elif s.kind == "attribute":
            shown = getattr(args[0], s.function)
        elif s.kind == "method":
            shown = getattr(args[0], s.function)(*args[1:], **kwargs)
        elif s.kind == "call":
            shown = s.function(*args, **kwargs)
        else:
            return None
    except (TypeError, ValueError, AttributeError):
        return None
    assert s.target is not None
    same = isinstance(shown, np.ndarray) and shown.shape == s.target.shape
    return shown if same and shown.dtype == s.target.dtype else None


def _place(v: Var, array: Any, arrays: dict[Var, Any]) -> Place | None:
    root = arrays.get(v.base)
    size = array.dtype.itemsize
    if root is None or root.dtype.itemsize != size or not array.size or array.dtype.hasobject:
        return None
    begin = array.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    if not 0 <= begin < max(1, root.nbytes) or begin % size or any(n % size for n in array.strides):
        return None
    strides = tuple(0 if n == 1 else s // size
                    for n, s in zip(array.shape, array.strides, strict=True))  # fmt: skip
    return Place(v.base, begin // size, strides, array.shape, array.dtype)
