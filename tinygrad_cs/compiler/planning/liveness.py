"""What of a program is needed, and when: once for all calls, as early as can be, or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..program import Program, Statement, Var, leaves, overlap

_VIEWS = {"reshape", "transpose", "swapaxes", "squeeze", "ravel", "view", "T"}
"""Methods and attributes that show the same memory in another shape."""


def hoist_views(program: Program, buffers: Sequence[Var] = ()) -> None:
    """Views of captured arrays and of buffers are the same in every call: they are made once."""
    outside = {*program.captured, *buffers, *(s.target for s in program.views)}
    staying = []
    for s in program.statements:
        reads = list(s.reads())
        if _is_view(s) and all(v in outside for v in reads):
            program.views.append(s)
            assert s.target is not None
            outside.add(s.target)
        else:
            staying.append(s)
    program.statements = staying


def store_early(program: Program) -> None:
    """`slot[...] = t` right behind the statement that gives t, where nobody else reads t."""
    statements = program.statements
    uses = Counter(v.base for s in statements for v in s.reads())
    uses.update(v.base for v in leaves((program.output, program.kept)))
    made = {s.target: i for i, s in enumerate(statements) if s.target is not None}
    moved: dict[int, Statement] = {}
    for j, s in enumerate(statements):
        if s.kind != "store" or s.args[1] is not Ellipsis or not isinstance(s.args[2], Var):
            continue
        slot, t = s.args[0], s.args[2]
        i = made.get(t, -1)
        if i < 0 or uses[t.base] != 1 or i in moved:
            continue
        if any(overlap(v, slot) for b in statements[i:j] for v in b.reads()):
            continue
        moved[i] = s
        s.note, t.name = s.note or statements[i].note, f"t_{20_000 + i}"
    staying = set(map(id, moved.values()))
    program.statements = [
        kept
        for i, s in enumerate(statements)
        if id(s) not in staying
        for kept in ([s, moved[i]] if i in moved else [s])
    ]


def _is_view(s: Statement) -> bool:
    if s.target is None or s.target.base is s.target or s.writes is not None:
        return False
    return s.kind == "item" or s.function in _VIEWS


def drop_dead(program: Program) -> None:
    """What nobody reads is not computed; random numbers are drawn all the same."""
    live = {u for v in leaves((program.output, program.kept)) for u in (v, v.base)}
    live |= {v.base for v in program.inputs}
    staying = []
    for s in reversed(program.statements):
        changes = s.writes is not None and s.writes.base in live
        gives = s.target is not None and s.target.base in live and _needed(s, live)
        if changes or gives or s.draws or s.kind == "guard":
            staying.append(s)
            live |= {u for v in s.reads() for u in (v, v.base)}
            if s.target is not None:
                live.add(s.target)
    program.statements = staying[::-1]
    needed = {v for s in program.statements for v in s.reads()}
    needed |= set(leaves((program.output, program.kept)))
    views = []
    for s in reversed(program.views):
        if s.target in needed:
            views.append(s)
            needed |= set(s.reads())
    program.views = views[::-1]
    program.constants = {v: x for v, x in program.constants.items() if v in needed}


def _needed(s: Statement, live: set[Var]) -> bool:
    """A view is needed when it is read itself, not when its memory is."""
    assert s.target is not None
    return s.target in live or s.target.base is s.target
