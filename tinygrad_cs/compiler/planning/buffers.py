"""Memory planned ahead: every result has its place before the program runs.

A call of NumPy that can write its result somewhere is told where: into the slot that it was only
going to be copied to (a gradient), over an operand that nobody reads any more, or into a buffer
that is free. The buffers are made once and kept from call to call.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...engine.types import np
from ..program import Program, Statement, Var, leaves, overlap
from .arena import forget_results, share_memory
from .checks import largest_by_place
from .liveness import hoist_views
from .masks import as_masked, rectified_as_words, write_masks_out
from .turned import turn_at_once

_REDUCTIONS = {"reduce", "accumulate"}


def plan(program: Program) -> None:
    """All stages: results into the slots they are stored in, then into buffers."""
    largest_by_place(program)
    program.statements = [as_masked(_as_call(s)) for s in program.statements]
    rectified_as_words(program)
    turn_at_once(program)
    store_directly(program)
    use_buffers(program)
    write_masks_out(program)
    hoist_views(program, program.buffers)
    forget_results(program)


def _as_call(s: Statement) -> Statement:
    """`a.dot(b)` and `a @ b` as `np.dot(a, b)`: of two matrices the same, in less time."""
    if s.kind == "method" and s.function == "dot" and not s.kwargs:
        s.kind, s.function = "call", np.dot
    elif s.function is np.matmul and s.target is not None and not s.kwargs:
        matrices = all(_is_matrix(v, s.target.dtype) for v in s.args)
        # (with a length of one they call other routines of BLAS, which round differently)
        alike = matrices and min(n for v in s.args for n in v.shape) > 1
        s.function = np.dot if alike else np.matmul
    return s


def takes_out(s: Statement) -> bool:
    """Can this call write its result into an array that is given?"""
    if s.kind not in ("call", "masked") or s.target is None or not s.target.shape:
        return False
    if "out" in s.kwargs or s.target.order == "gaps":
        return False
    f = s.function
    if s.kind == "masked":
        return True
    if f is np.dot:
        a, b = s.args
        known = all(isinstance(v, Var) and v.dtype == s.target.dtype for v in s.args)
        return known and len(b.shape) == 2 and len(a.shape) <= 2 and s.target.order is None
    if isinstance(f, np.ufunc):
        return f.nout == 1 and not set(s.kwargs) - {"order", "dtype"}
    owner = getattr(f, "__self__", None)
    return isinstance(owner, np.ufunc) and f.__name__ in _REDUCTIONS


def _is_matrix(v: Any, dtype: Any) -> bool:
    if not isinstance(v, Var) or v.dtype != dtype or v.shape is None or v.order == "gaps":
        return False
    return len(v.shape) == 2


def store_directly(program: Program) -> None:
    """`t = f(...)` and later `slot[...] = t`: f writes into the slot."""
    statements = program.statements
    made = {s.target: i for i, s in enumerate(statements) if s.target is not None}
    uses: dict[Var, int] = {}
    for s in statements:
        for v in s.reads():
            uses[v.base] = uses.get(v.base, 0) + 1
    for v in leaves((program.output, program.kept)):
        uses[v.base] = uses.get(v.base, 0) + 2
    gone = set()
    for j, s in enumerate(statements):
        if s.kind != "store" or s.args[1] is not Ellipsis or not isinstance(s.args[2], Var):
            continue
        slot, t = s.args[0], s.args[2]
        i = made.get(t, -1)
        if i < 0 or uses[t.base] != 1 or (t.shape, t.dtype) != (slot.shape, slot.dtype):
            continue
        if slot.order != t.order and _is_product(statements[i]):
            continue
        between = statements[i:j]
        if takes_out(statements[i]) and not any(_touches(b, slot) for b in between):
            statements[i].kwargs = {**statements[i].kwargs, "out": slot}
            statements[i].writes, statements[i].target = slot, None
            gone.add(j)
    program.statements = [s for j, s in enumerate(statements) if j not in gone]


def _is_product(s: Statement) -> bool:
    return s.function is np.dot


def _touches(s: Statement, slot: Var) -> bool:
    return any(overlap(v, slot) for v in s.reads())


def use_buffers(program: Program) -> None:
    """Results into buffers, by their lives: from the statement that makes them to the last use."""
    statements = program.statements
    last: dict[Var, int] = {}
    for i, s in enumerate(statements):
        for v in [*s.reads(), *([s.target] if s.target is not None else [])]:
            last[v.base] = i
    for v in leaves((program.output, program.kept)):
        last[v.base] = len(statements)
    free: dict[tuple[Any, ...], list[Var]] = {}
    home: dict[Var, Var] = {}
    other: dict[Var, Var] = {}
    lives: dict[Var, list[tuple[int, int]]] = {}
    for i, s in enumerate(statements):
        target = s.target
        if target is not None and takes_out(s) and last[target] < len(statements):
            kind = _kind(target)
            place = owner = _operand_that_ends(s, i, last, home)
            if place is None and free.get(kind):
                place = owner = free[kind].pop()
            if place is None:
                name = f"buffer_{len(program.buffers) + 1}"
                place = owner = Var(name, target.shape, target.dtype, order=target.order)
                program.buffers.append(place)
            elif place.base is not place:  # the words of a buffer
                last[place.base] = -1
                owner = place.base = home[place.base]
            assert owner is not None
            home[target] = owner
            lives.setdefault(owner, []).append((i, last[target]))
            s.kwargs = {**s.kwargs, "out": place}
            s.writes, s.target = place, None
            other[target] = place
        for v in dict.fromkeys([*(v.base for v in s.reads()), target]):
            if v in home and last[v] == i and home[v] is not s.writes:
                free.setdefault(_kind(home[v]), []).append(home[v])
    _rename(program, other, statements)
    share_memory(program, lives)


def _kind(v: Var) -> tuple[Any, ...]:
    return v.shape, v.dtype, v.order


def _operand_that_ends(
    s: Statement, i: int, last: dict[Var, int], home: dict[Var, Var]
) -> Var | None:
    """The buffer of an operand of an entry-by-entry call that nobody reads after it.

    An operand that is the words of a buffer is that operand itself.
    """
    if s.kind != "masked" and (not isinstance(s.function, np.ufunc) or s.function is np.matmul):
        return None
    assert s.target is not None
    for v in _vars(s.args):
        if _kind(v) == _kind(s.target) and v.base in home and last[v.base] == i:
            if v.base is v:
                return home[v]
            if (v.shape, v.dtype.itemsize, v.order) == (
                v.base.shape, v.base.dtype.itemsize, v.base.order,
            ):  # fmt: skip
                return v
    if s.kind == "masked":  # words of 0 and 1 make room for what they let pass
        mask = s.args[0]
        if mask in home and _kind(home[mask]) == _kind(s.target) and last[mask] == i:
            return home[mask]
    return None


def _vars(args: Any) -> Iterator[Var]:
    return (a for a in args if isinstance(a, Var))


def _rename(program: Program, other: dict[Var, Var], statements: list[Statement]) -> None:
    """Values that live in buffers are read from there."""

    def change(x: Any) -> Any:
        return other.get(x, x) if isinstance(x, Var) else x

    for s in statements:
        s.change(change)
