"""What may fail comes first, where it can: nothing has been drawn or changed yet."""

from __future__ import annotations

from collections.abc import Callable

from ...engine.types import np
from ..program import ARITHMETIC, Program, Statement, Var, leaves

FEW = 16
"""A check that takes more statements than this is left where it is: it looks at results."""


def checks_first(program: Program) -> None:
    """Move each check on what comes in, with what leads to it, to the beginning."""
    made = {s.target: i for i, s in enumerate(program.statements) if s.target is not None}
    written = {s.writes.base for s in program.statements if s.writes is not None}
    first: set[int] = set()
    for i, s in enumerate(program.statements):
        if s.kind == "guard":
            first |= _leading_to(i, program.statements, made, written)
    program.statements = [
        *(s for i, s in enumerate(program.statements) if i in first),
        *(s for i, s in enumerate(program.statements) if i not in first),
    ]


def _leading_to(
    check: int, statements: list[Statement], made: dict[Var, int], written: set[Var]
) -> set[int]:
    """The statements that a check needs; none, if they cannot come first."""
    found: set[int] = set()
    waiting = [check]
    while waiting:
        i = waiting.pop()
        s = statements[i]
        if s.draws or s.writes is not None or len(found) == FEW:
            return set()
        if i in found:
            continue
        found.add(i)
        for v in s.reads():
            if v.base in written:
                return set()
            if v in made:
                waiting.append(made[v])
    return found


def numbers_first(program: Program) -> None:
    """Arithmetic on numbers that come in (rates, counts of steps), before all arrays."""
    early = set(program.inputs)
    first, rest = [], []
    for s in program.statements:
        if s.kind in ARITHMETIC and s.target is not None and early.issuperset(s.reads()):
            early.add(s.target)
            s.part = "forward"
            first.append(s)
        else:
            rest.append(s)
    program.statements = first + rest


def may_fail_after(program: Program, done: Callable[[Statement], bool]) -> bool:
    """Can a statement fail after one of these, whose effect is then to be undone?"""
    first = next((i for i, s in enumerate(program.statements) if done(s)), None)
    return first is not None and not all(map(_cannot_fail, program.statements[first + 1 :]))


def _cannot_fail(s: Statement) -> bool:
    if s.draws or s.kind in ("attribute", "blocks", "masked"):
        return True
    if s.kind in ("item", "store"):
        return not any(v.dtype is None or v.dtype.kind != "b" for v in leaves(s.args[1]))
    if s.kind == "method":
        return s.function in _SAFE_METHODS
    if s.kind in ("helper", "kernel"):
        return str(s.function.__module__).startswith("tinygrad_cs.ops.sliding.")
    owner = getattr(s.function, "__self__", None)
    safe = isinstance(s.function, np.ufunc) or isinstance(owner, np.ufunc)
    return s.kind == "call" and (safe or s.function in _SAFE_CALLS)


_SAFE_METHODS = {"astype", "copy", "dot", "reshape", "swapaxes", "transpose", "view"}
_SAFE_CALLS = (np.dot, np.where, np.array, np.empty, np.zeros, np.ones)


def largest_by_place(program: Program) -> None:
    """`x[x.argmax()]` for the largest of whole numbers: a third of the time of a reduction."""
    statements: list[Statement] = []
    for s in program.statements:
        if _is_largest(s):
            (x,) = s.args
            place = Var(f"place_of_{s.target.name}", (), np.dtype(np.intp))  # type: ignore[union-attr]
            more = (s.part, s.note, s.site)
            statements.append(Statement(place, "method", "argmax", (x,), {}, None, False, *more))
            s = Statement(s.target, "item", "item", (x, place), {}, None, False, *more)
        statements.append(s)
    program.statements = statements


def _is_largest(s: Statement) -> bool:
    if s.function != np.maximum.reduce or s.target is None or len(s.args) != 1:
        return False
    x = s.args[0]
    plain = not set(s.kwargs) - {"axis"} and s.kwargs.get("axis", 0) in (0, None)
    return plain and isinstance(x, Var) and len(x.shape or ()) == 1 and x.dtype.kind in "iu"
