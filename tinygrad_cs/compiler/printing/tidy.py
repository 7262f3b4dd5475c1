"""The program as one would have written it: for reading only, the same numbers all the same.

What runs keeps its results in memory that is there and says so in every line. A reader wants
values: working memory becomes values with names, views that show what is there anyway are left
out, and what a function of the library returns is taken apart where it is called.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from typing import Any

from ...engine.errors import CompileError
from ...engine.types import np
from ..program import Program, Statement, Var, leaves, mapped, overlap
from .naming import Names, name_constants, name_what_is_kept
from .syntax import node_of
from .text import is_nameless


def tidied(program: Program) -> Program:
    """A copy of the program, shorter and with better names."""
    program = _copied(program)
    _make_values_of_working_memory(program)
    _merge_constants(program)
    names = Names(program)
    _say_what_holds(program)
    _take_apart(program, names)
    _call_sums_sums(program)
    name_constants(program, names)
    name_what_is_kept(program, names)
    return program


def _copied(program: Program) -> Program:
    twins: dict[Var, Var] = {}

    def twin(x: Any) -> Any:
        if not isinstance(x, Var):
            return x
        if x not in twins:
            twins[x] = new = dataclasses.replace(x)
            new.base = new if x.base is x else twin(x.base)
        return twins[x]

    def copied(s: Statement) -> Statement:
        new = dataclasses.replace(s, target=twin(s.target))
        new.change(twin)
        return new

    return dataclasses.replace(
        program,
        inputs=[twin(v) for v in program.inputs],
        captured=[twin(v) for v in program.captured],
        views=[copied(s) for s in program.views],
        changing=[twin(v) for v in program.changing],
        constants={twin(v): value for v, value in program.constants.items()},
        statements=[copied(s) for s in program.statements],
        output=mapped(program.output, twin),
        kept=[twin(v) for v in program.kept],
    )


_WORKING_MEMORY = re.compile(r"work(_\d+)?")


def _make_values_of_working_memory(program: Program) -> None:
    """`np.sqrt(v, scratch)` as a new value: nobody asks what is left in there at the end."""
    given = set(program.inputs) - set(program.captured)
    bases = {v.base for s in program.statements for v in (*s.reads(), s.target) if v is not None}
    memory = {v for v in {*bases, *program.captured} if _WORKING_MEMORY.fullmatch(v.name)} - given
    for k, s in enumerate(program.statements):
        made: Any = s.target
        if made in memory and s.writes is None:
            memory.remove(made)
            made.name = f"t_{30_000 + k}"
    now: dict[Var, Var] = {}
    statements: list[Statement] = []
    for s in program.statements:
        new = dataclasses.replace(s)
        place: Any = s.writes
        out: Any = s.kwargs.get("out")
        if place is not None and place.base not in memory:
            place = None
        if place is not None:
            if place is not out or set(s.kwargs) != {"out"} or _changes_dtype(s, place):
                return
            new.kwargs, new.writes = {}, None
        read = [v for v in new.reads() if v.base in memory]
        if any(v not in now for v in read):
            return
        new.change(lambda x, now=now: now.get(x, x) if isinstance(x, Var) else x)  # type: ignore[misc]
        if place is not None:
            new.target = Var(f"t_{20_000 + len(statements)}", place.shape, place.dtype)
            now = {v: x for v, x in now.items() if v is place or not overlap(v, place)}
            now[place] = new.target
        statements.append(new)
    program.statements = statements
    program.views = [s for s in program.views if s.target is None or s.target.base not in memory]
    program.inputs = [v for v in program.inputs if v not in memory]


def _changes_dtype(s: Statement, place: Var) -> bool:
    return any(v.dtype != place.dtype for v in leaves(s.args) if v.dtype is not None)


_OPPOSITES = {np.greater_equal: np.less, np.greater: np.less_equal,
              np.less: np.greater_equal, np.less_equal: np.greater}  # fmt: skip


def _say_what_holds(program: Program) -> None:
    """`n < 3` instead of `not n >= 3`, where no NaN makes them differ."""
    made = {s.target: s for s in program.statements if s.target is not None}
    read = [v for s in program.statements for v in s.reads()]
    for s in program.statements:
        if s.kind == "guard" and s.function is False and read.count(s.args[0]) == 1:
            asked = made[s.args[0]]
            kinds = {v.dtype.kind for v in asked.reads() if v.dtype is not None}
            if asked.function in _OPPOSITES and kinds <= {"i", "u"}:
                asked.function, s.function = _OPPOSITES[asked.function], True


def _call_sums_sums(program: Program) -> None:
    """A product with ones is a quick sum."""
    sums = set()
    for s in program.statements:
        ones = s.args[0] if s.function is np.dot else s.args[2] if s.kind == "store" else None
        if not isinstance(ones, Var):
            continue
        if ones in sums or (np.asarray(program.constants.get(ones, 0)) == 1).all():
            sums.add(s.target)
            s.note = s.note.replace("from all its uses", "summed over what it was broadcast to")


def _merge_constants(program: Program) -> None:
    """Equal arrays that nobody writes to are one."""
    written = {s.writes.base for s in program.statements if s.writes is not None}
    known: dict[Any, Var] = {}
    other: dict[Any, Var] = {}
    for v, value in program.constants.items():
        if isinstance(value, np.ndarray) and value.dtype != object and v not in written:
            same = known.setdefault((value.shape, value.dtype, value.tobytes()), v)
            if same is not v:
                other[v] = same
    leaving = set(leaves((program.output, program.kept)))
    other = {v: same for v, same in other.items() if v not in leaving}
    for s in program.statements:
        s.change(lambda x: other.get(x, x) if isinstance(x, Var) else x)
    program.constants = {v: x for v, x in program.constants.items() if v not in other}


def _take_apart(program: Program, names: Names) -> None:
    """`out, left = f(x)` instead of `several = f(x)`, `out = several[0]`, `left = several[1]`."""
    parts: dict[Any, list[Statement]] = {}
    for s in program.statements:
        if s.kind == "item" and s.args[0].shape is None and type(s.args[1]) is int:
            parts.setdefault(s.args[0], []).append(s)
    for s in program.statements:
        items: dict[int, Any] = {item.args[1]: item.target for item in parts.get(s.target, [])}
        if not items or any(len(item.reads()) != 1 for item in parts[s.target]):
            continue
        called = _returned(s.function) if s.kind == "helper" else []
        for i, v in items.items():
            if is_nameless(v.name):
                names.give(v, (i < len(called) and called[i]) or f"part_{i + 1}")
        count = max(len(called), *(i + 1 for i in items))
        shown = [items[i].name if i in items else "_" for i in range(count)]
        end = ", *_" if not called else "," if count == 1 else ""
        several: Any = s.target
        several.name = ", ".join(shown) + end
    gone = {id(item) for items in parts.values() for item in items}
    program.statements = [s for s in program.statements if id(s) not in gone]


def _returned(function: Any) -> list[str]:
    """What a function calls the values that it returns in a tuple; empty for an expression."""
    try:
        node = node_of(function)
    except (CompileError, OSError, AttributeError):
        return []
    last = [n.value for n in ast.walk(node) if isinstance(n, ast.Return)][-1:]
    if not last or not isinstance(last[0], ast.Tuple):
        return []
    return [e.id if isinstance(e, ast.Name) else "" for e in last[0].elts]
