"""Shorter programs that compute the same numbers.

Each function takes a program and changes it; what it returns is the same to the last bit. They
rely on one thing that a straight-line program makes easy to know: whose memory is ever written.
"""

from __future__ import annotations

from typing import Any

from ...engine.types import np
from ..printing.text import expression, is_nameless
from ..program import Program, Statement, Var, leaves, mapped
from .checks import checks_first
from .liveness import drop_dead, hoist_views, store_early
from .pooled import pool_first


def simplify(program: Program) -> None:
    """All of it, in the order in which one makes room for the next."""
    whole_views(program)
    out_of_place(program)
    uniform_factors(program)
    fold(program)
    share(program)
    hoist_views(program)
    drop_dead(program)
    pool_first(program)
    checks_first(program)
    store_early(program)


def written(program: Program) -> set[Var]:
    """The memory that some statement changes in place."""
    return {s.writes.base for s in program.statements if s.writes is not None}


def replace(program: Program, other: dict[Var, Var]) -> None:
    """Use other values in the place of some."""

    def change(x: Any) -> Any:
        while isinstance(x, Var) and x in other:
            x = other[x]
        return x

    for s in program.statements:
        s.change(change)
        if s.target is not None and s.target.base in other:
            s.target.base = change(s.target.base).base  # a view of what is now another value
    program.output, program.kept = mapped((program.output, program.kept), change)


def whole_views(program: Program) -> None:
    """x[0:n] of n entries is x, and so is x in its own shape."""
    other: dict[Var, Var] = {}
    for s in program.statements:
        x, t = s.args[0] if s.args else None, s.target
        if t is None or not isinstance(x, Var) or x.shape is None or t.base is not x.base:
            continue
        whole = s.kind == "item" and _is_everything(s.args[1], x.shape)
        if whole or (s.function == "reshape" and t.shape == x.shape):
            other[t] = x
            if is_nameless(x.name) and not is_nameless(t.name):
                x.name = t.name
    replace(program, other)
    program.statements = [s for s in program.statements if s.target not in other]


def out_of_place(program: Program) -> None:
    """`np.add(t, b, out=t)` as a new value `t + b`, where t has no other name so far."""
    viewed: set[Var] = set()
    outside = {v.base for v in program.inputs} | set(program.constants)
    newest: dict[Var, Var] = {}

    def change(x: Any) -> Any:
        while isinstance(x, Var) and x in newest:
            x = newest[x]
        return x

    for s in program.statements:
        s.change(change)
        if s.target is not None and s.target.base is not s.target:
            s.target.base = change(s.target.base)
            viewed.add(s.target.base)
        w = s.writes
        if w is None or s.kind != "call" or w in viewed or w in outside or w.base is not w:
            continue
        if s.kwargs.get("out") is not w or _other_dtypes(s, w):
            continue
        assert w is not None
        new = Var(w.name, w.shape, w.dtype, None, w.span, w.order)
        newest[w] = new
        w.name = f"t_{10_000 + len(newest)}"  # the result takes the name
        s.kwargs = {k: v for k, v in s.kwargs.items() if k != "out"}
        s.target, s.writes = new, None
    program.output, program.kept = mapped((program.output, program.kept), change)


def _other_dtypes(s: Statement, w: Any) -> bool:
    # (NumPy says that float64 equals None)
    return any(v.dtype is not None and v.dtype != w.dtype for v in leaves(s.args))


def uniform_factors(program: Program) -> None:
    """A product with an array of one number (what a sum or a mean sends back): with the number."""
    for s in program.statements:
        if s.function is not np.multiply or s.target is None or s.kwargs or len(s.args) != 2:
            continue
        for i, x in enumerate(s.args):
            rest = s.args[1 - i]
            if x in program.constants and isinstance(rest, Var) and rest not in program.constants:
                array, target = program.constants[x], s.target
                alike = _like(rest) == _like(target) and x.dtype == target.dtype
                if alike and x.shape and array.size and (array == array.flat[0]).all():
                    s.args = (rest, float(array.flat[0])) if i else (float(array.flat[0]), rest)
                    break


def _like(v: Var) -> tuple[Any, ...]:
    return v.shape, v.dtype, v.order


def fold(program: Program) -> None:
    """x ** 1, 1 * x, x / 1, x + 0: x. The transpose of a transpose: the matrix. A copy: itself."""
    changed = written(program)
    made = {s.target: s for s in program.statements if s.target is not None}
    leaving = set(leaves((program.output, program.kept)))
    shared = {*program.inputs, *program.constants, *leaving}
    other: dict[Var, Var] = {}
    for s in program.statements:
        same = _unchanged(s, made, changed)
        if same is None or s.target is None:
            continue
        same = other.get(same, same)
        if s.target in leaving:
            # whoever gets it may change it: the memory must be nobody else's
            if same in shared or same.base is not same:
                continue
            shared.add(same)
        other[s.target] = same
    replace(program, other)
    program.statements = [s for s in program.statements if s.target not in other]


def _is_copy(s: Statement) -> bool:
    """A copy with its entries in the same order in memory."""
    x, t = s.args[0] if s.args else None, s.target
    if s.function != "copy" and s.function is not np.array:
        return False
    # (what is computed from arrays without axes is no array, a copy of it is)
    if t is None or not t.shape or not isinstance(x, Var) or set(s.kwargs) - {"dtype"}:
        return False
    return (x.order, x.dtype) == (t.order, t.dtype)


def _unchanged(s: Statement, made: dict[Var, Statement], changed: set[Var]) -> Var | None:
    """The value that a statement only repeats, if it does."""
    if s.target is None or s.writes is not None or s.kind not in ("call", "attribute", "method"):
        return None
    x = s.args[0]
    if s.function == "T" and x in made and made[x].function == "T":
        below: Var = made[x].args[0]
        return below
    same: Any = None
    if _is_copy(s):
        same = x
    elif s.function in (np.power, np.divide):
        same = x if _is(s.args[1], 1) else None
    elif s.function is np.multiply:
        same = next((b for a, b in (s.args, s.args[::-1]) if _is(a, 1)), None)
    if not isinstance(same, Var) or (s.kwargs and not _is_copy(s)) or (same.shape, same.dtype) != (
        s.target.shape, s.target.dtype,
    ):  # fmt: skip
        return None
    return None if same.base in changed or s.target.base in changed else same


def _is_everything(index: Any, shape: Any) -> bool:
    """Does this index show the whole array, as in x[0:n]?"""
    parts = index if isinstance(index, tuple) else (index,)
    if shape is None or len(parts) != len(shape) or not shape:
        return False
    return all(
        isinstance(part, slice) and part.indices(n) == (0, n, 1)
        for part, n in zip(parts, shape, strict=True)
    )


def _is(x: Any, number: int) -> bool:
    return type(x) in (int, float) and x == number


def share(program: Program) -> None:
    """Equal expressions of values that nobody writes to are computed once.

    Two results stay two, as whoever gets them may change one.
    """
    changed = written(program)
    leaving = {v.base for v in leaves((program.output, program.kept))}
    known: dict[str, Var] = {}
    other: dict[Var, Var] = {}
    for s in program.statements:
        s.change(lambda x: _in_place_of(x, other))
        target: Any = s.target
        pure = target is not None and s.writes is None and not s.draws and not _is_copy(s)
        # (a view of memory that changes is always the same view)
        view = pure and target.base is not target
        if not pure or (not view and any(v.base in changed for v in [target, *s.reads()])):
            continue
        text = expression(s)
        if text in known and not (not view and {target.base, known[text].base} <= leaving):
            other[target] = known[text]
            if target.base in leaving:
                leaving.add(known[text].base)
        else:
            known[text] = target
    replace(program, other)
    program.statements = [s for s in program.statements if s.target not in other]


def _in_place_of(x: Any, other: dict[Var, Var]) -> Any:
    return other.get(x, x) if isinstance(x, Var) else x
