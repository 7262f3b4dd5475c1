"""The text of a function of loops, from the nests that it consists of.

    for i in range(128):
        for j in range(512):
            linear_1 = linear[512 * i + j] + parameters[401408 + j]
            relu[512 * i + j] = linear_1 if (linear_1 >= 0) | (linear_1 != linear_1) else 0

Memory is flat: an array is an argument of the function, its entry is found by a sum of products. A
value that only the loop itself reads is a variable in it, and never in memory.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from ...engine.types import np
from ..printing.text import literal
from ..program import Var
from .formulas import formula
from .nests import PARALLEL, ROUNDS, Nest
from .places import Place
from .steps import Step

_LOOPS = "ijklmn"
_START = {"sum": "0", "max": "-np.inf", "min": "np.inf"}
_JOIN = {
    "sum": "plus({0}, {1})",
    "max": "{0} if ({0} >= {1}) | ({0} != {0}) else {1}",
    "min": "{0} if ({0} <= {1}) | ({0} != {0}) else {1}",
}


class Lines:
    """The lines of one function, as they are written.

    Attributes:
        memory: the arrays that are read or written, which are its arguments.
        numbers: the numbers of the program that it is given.
        shared: how many rounds of the outermost loop two threads share; 0 if one does it all.
    """

    def __init__(self, in_memory: set[Var]) -> None:
        self.memory: dict[Var, str] = {}
        self.numbers: dict[Var, str] = {}
        self.shared = 0
        self.looks_up = False
        self.lines: list[str] = []
        self._in_memory = in_memory
        self._taken: set[str] = {"np", "range", "position", "plus", "start", "stop", *_LOOPS}

    def array(self, root: Var) -> str:
        """The name of a memory."""
        if root not in self.memory:
            self.memory[root] = self.free(root.name)
        return self.memory[root]

    def number(self, v: Var) -> str:
        """The name of a number."""
        if v not in self.numbers:
            self.numbers[v] = self.free(v.name)
        return self.numbers[v]

    def free(self, wanted: str) -> str:
        """`wanted`, or that with a number behind it."""
        name, k = wanted, 2
        while name in self._taken:
            name, k = f"{wanted}_{k}", k + 1
        self._taken.add(name)
        return name

    def nest(self, nest: Nest) -> None:
        """Write the loops of a nest."""
        _NestLines(self, nest).write()

    def is_in_memory(self, root: Var) -> bool:
        """Is this written for others to read?"""
        return root in self._in_memory


class _NestLines:
    def __init__(self, lines: Lines, nest: Nest) -> None:
        self.lines, self.nest = lines, nest
        self.registers: dict[tuple[Any, ...], tuple[str, Any]] = {}
        self.inner: list[str] = []
        self.axes = _merged(nest, [i for i in nest.order() if nest.shape[i] > 1])
        self.stores: dict[tuple[Any, ...], Place] = {}
        for step in nest.steps:
            for p in step.touched():
                if lines.is_in_memory(p.root):
                    lines.array(p.root)
        self.uses = Counter(_key(p) for s in nest.steps for p in s.touched())

    def write(self) -> None:
        reductions = [s for s in self.nest.steps if s.reduces]
        depth = len(self.axes)
        levels = {s: self._level(s) for s in reductions}
        totals = {s: self.lines.free(f"total_{s.result.root.name}") for s in reductions}
        for step in self.nest.steps:
            if step.reduces:
                value = self._value(step.operands[0], step.dtype)
                if levels[step] == depth:
                    at = self._at(step.result)
                    if self._comes_back(step, depth):
                        value = _JOIN[step.reduces].format(at, value)
                    self.inner.append(f"{at} = {value}")
                else:
                    total = totals[step]
                    if step.reduces != "sum":
                        kept = self.lines.free("value")
                        self.inner.append(f"{kept} = {value}")
                        value = kept
                    self.inner.append(f"{total} = {_JOIN[step.reduces].format(total, value)}")
            else:
                self._entry(step)
        for key, p in self.stores.items():
            self.inner.append(f"{self._at(p)} = {self.registers[key][0]}")
        out = self.lines.lines
        note = ", ".join(
            dict.fromkeys(s.statement.note for s in self.nest.steps if s.statement.note)
        )
        if note:
            out.append(f"    # {note[:90]}")
        again = [s for s in reductions if self._comes_back(s, levels[s])]
        for s in again:
            self._clear(s)
        shared = is_shared(self.nest)
        if shared:
            self.lines.shared = self.axes[0][1]
        for level in range(depth + 1):
            pad = "    " * (level + 1)
            for s in reductions:
                if levels[s] == level < depth:
                    zero = f"np.{s.dtype.name}({_START[s.reduces]})"
                    if s.reduces == "sum":
                        zero = "0.0"  # in double precision: there may be many
                    out.append(f"{pad}{totals[s]} = {zero}")
            if level < depth:
                count = self.axes[level][1]
                rounds = ROUNDS if shared and level == 0 else count
                out.append(f"{pad}for {_LOOPS[level]} in range({rounds}):")
        pad = "    " * (depth + 1)
        out += [pad + line for line in self.inner]
        for level in range(depth - 1, -1, -1):
            pad = "    " * (level + 1)
            for s in reductions:
                if levels[s] == level:
                    at, total = self._at(s.result), totals[s]
                    if s in again:
                        total = _JOIN[s.reduces].format(at, total)
                    out.append(f"{pad}{at} = {total}")

    def _level(self, s: Step) -> int:
        """Inside of so many loops the total of a reduction is another one."""
        kept = [k for k, axis in enumerate(self.axes) if _stride(s.result, axis)]
        return kept[-1] + 1 if kept else 0

    def _comes_back(self, s: Step, level: int) -> bool:
        """Is there a loop around that comes back to the same total?"""
        return any(not _stride(s.result, axis) for axis in self.axes[:level])

    def _clear(self, s: Step) -> None:
        kept = [a for a in self.axes if _stride(s.result, a)]
        array, pad = self.lines.array(s.result.root), "    "
        terms = [str(s.result.offset)] if s.result.offset else []
        for k, axis in enumerate(kept):
            self.lines.lines.append(f"{pad}for {_LOOPS[k]} in range({axis[1]}):")
            terms.append(_product(_stride(s.result, axis), _LOOPS[k]))
            pad += "    "
        start = f"np.{s.dtype.name}({_START[s.reduces]})"
        self.lines.lines.append(f"{pad}{array}[{' + '.join(terms) or '0'}] = {start}")

    def _at(self, p: Place) -> str:
        terms = [str(p.offset)] if p.offset else []
        terms += [
            _product(_stride(p, axis), _LOOPS[k])
            for k, axis in enumerate(self.axes)
            if _stride(p, axis)
        ]
        return f"{self.lines.array(p.root)}[{' + '.join(terms) or '0'}]"

    def _value(self, x: Any, kind: Any) -> str:
        """An operand as text, converted to `kind`."""
        if isinstance(x, Place):
            key = _key(x)
            if key not in self.registers and self.uses[key] == 1:
                return _converted(self._at(x), x.root.dtype, x.dtype, kind)
            if key not in self.registers:
                name = self.lines.free(f"{x.root.name}_here")
                self.inner.append(f"{name} = {self._at(x)}")
                self.registers[key] = (name, x.root.dtype)
            name, dtype = self.registers[key]
            return _converted(name, dtype, x.dtype, kind)
        if isinstance(x, Var):
            return f"np.{kind.name}({self.lines.number(x)})"
        if kind.kind == "b":
            return repr(bool(x))
        if kind.kind == "f" and float(x) in (0.0, 1.0) and str(x)[0] != "-":
            return f"np.{kind.name}({int(x)})"
        return f"np.{kind.name}({literal(x.item() if isinstance(x, np.generic) else x)})"

    def _entry(self, step: Step) -> None:
        if step.looks_up == "gather":
            table, index = step.operands
            shown = self._looked_up(table, self._value(index, index.dtype))
            self._keep(step, _shown_as(shown, table.root.dtype, table.dtype))
            return
        operands = [self._value(x, k) for x, k in zip(step.operands, step.kinds, strict=True)]
        if step.looks_up == "scatter":
            at = self._looked_up(step.result, operands[1])
            self.inner.append(f"{at} = {operands[0]}")
            return
        function = step.statement.function
        if step.statement.kind == "store" or function in (np.array, "copy"):
            shown = operands[0]
        elif function is np.where:
            shown = f"{operands[1]} if {operands[0]} else {operands[2]}"
        else:
            shown = formula(function, operands, step.dtype)
        self._keep(step, shown)

    def _keep(self, step: Step, shown: str) -> None:
        p = step.result
        key = _key(p)
        kept = self.lines.is_in_memory(p.root)
        name = self.lines.free(f"{p.root.name}_here" if kept else p.root.name)
        self.inner.append(f"{name} = {_shown_as(shown, step.dtype, p.root.dtype)}")
        self.registers[key] = (name, p.root.dtype)
        if kept:
            self.stores[key] = p

    def _looked_up(self, table: Place, index: str) -> str:
        stride = f"{table.strides[0]} * " if table.strides[0] != 1 else ""
        offset = f"{table.offset} + " if table.offset else ""
        self.lines.looks_up = True
        array = self.lines.array(table.root)
        return f"{array}[{offset}{stride}position({index}, {table.shape[0]})]"


def is_shared(nest: Nest) -> bool:
    """Do two threads share it? It must be long, and no total may be in both hands."""
    if nest.rounds < PARALLEL or any(s.looks_up for s in nest.steps):
        return False
    axes = _merged(nest, [i for i in nest.order() if nest.shape[i] > 1])
    kept = [[bool(_stride(s.result, a)) for a in axes] for s in nest.steps if s.reduces]
    return all(sorted(k, reverse=True) == k and k[0] for k in kept)


def _key(p: Place) -> tuple[Any, ...]:
    return (p.root, p.offset, p.strides, p.anywhere)


def _converted(name: str, memory: Any, seen: Any, wanted: Any) -> str:
    """A variable of the dtype of its memory, seen as another one, converted to a third."""
    shown = _shown_as(name, memory, seen)
    if seen == wanted:
        return shown
    if wanted.kind == "b":
        return f"({shown} != 0)"
    return f"np.{wanted.name}({shown})"


def _shown_as(text: str, dtype: Any, seen: Any) -> str:
    """The same bits as another dtype."""
    if dtype == seen:
        return text
    if dtype.kind == "b":
        return f"np.{seen.name}({text})"
    if seen.kind == "b":
        return f"({text}) != 0"
    return f"np.{dtype.name}({text}).view(np.{seen.name})"


def _product(stride: int, name: str) -> str:
    return name if stride == 1 else f"{stride} * {name}"


def _stride(p: Place, axis: Any) -> int:
    return int(p.strides[axis[0]])


def _merged(nest: Nest, order: list[int]) -> list[tuple[int, int]]:
    """Loops as (axis, rounds); neighbours that all arrays walk through in one go are one loop."""
    places = [p for s in nest.steps for p in s.touched() if not p.anywhere]
    loops: list[tuple[int, int]] = []
    for i in order:
        n = nest.shape[i]
        if loops:
            outer, count = loops[-1]
            if all(p.strides[outer] == p.strides[i] * n for p in places):
                loops[-1] = (i, count * n)
                continue
        loops.append((i, n))
    return loops
