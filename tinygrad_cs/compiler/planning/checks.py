"""Checks on values come first: where one fails, nothing has been drawn or changed yet."""

from __future__ import annotations

from ...engine.types import np
from ..program import Program, Statement, Var

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
