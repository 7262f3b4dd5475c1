"""A matrix that is computed only to be copied in the other order is computed in that order.

    linear = product + bias
    logits = np.positive(linear.T, order="C")

becomes `logits = np.add(product.T, bias.reshape(n, 1), order="C")`: one call less, same numbers.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from ...engine.types import np
from ..program import Program, Statement, Var, leaves


def turn_at_once(program: Program) -> None:
    """Change the program wherever a sum, a product, ... has no other reader than such a copy."""
    uses = Counter(v.base for s in program.statements for v in s.reads())
    uses.update(v.base for v in leaves((program.output, program.kept)))
    statements = program.statements
    made: dict[Any, int] = {s.target: i for i, s in enumerate(statements) if s.target is not None}
    gone: set[int] = set()
    before: dict[int, list[Statement]] = {}
    for i, s in enumerate(statements):
        turn = statements[made[s.args[0]]] if _is_copy(s) and s.args[0] in made else None
        if turn is None or turn.function != "T" or turn.args[0] not in made:
            continue
        matrix = turn.args[0]
        k = made[matrix]
        first = statements[k]
        written = {t.writes.base for t in statements[k:i] if t.writes is not None}
        # (its view and, of that, the copy)
        if uses[matrix.base] != 2 or not _is_turnable(first, written):
            continue
        views = [_turned(x, first) for x in first.args]
        before[id(s)] = [v for v in views if v is not None]
        s.function = first.function
        s.args = tuple(x if v is None else v.target for x, v in zip(first.args, views, strict=True))
        gone |= {id(first), id(turn)}
    program.statements = [
        t for s in program.statements if id(s) not in gone for t in [*before.get(id(s), []), s]
    ]


def _is_copy(s: Statement) -> bool:
    return s.function is np.positive and s.kwargs == {"order": "C"} and s.target is not None


def _is_turnable(s: Statement, written: set[Var]) -> bool:
    """Entry by entry, of arrays that are the same when it is done later."""
    if s.kind != "call" or not isinstance(s.function, np.ufunc) or s.kwargs or s.writes is not None:
        return False
    target: Any = s.target
    if s.function is np.matmul or s.function.nout != 1 or target.base is not target:
        return False
    arrays = [v for v in s.args if isinstance(v, Var) and v.shape]
    whole = any(v.shape == target.shape for v in arrays)
    alike = all(v.shape in (target.shape, target.shape[1:]) for v in arrays)
    alone = all(v.dtype == target.dtype and v.base not in written for v in arrays)
    return whole and alike and alone and len(target.shape) == 2


def _turned(x: Any, s: Statement) -> Statement | None:
    """The statement that gives the transpose of an operand; a row becomes a column."""
    if not isinstance(x, Var) or not x.shape:
        return None
    shape = x.shape[::-1] if len(x.shape) == 2 else (x.shape[0], 1)
    target = Var(f"{x.name}_turned", shape, x.dtype, x.base, x.span)
    more: Any = (None, False, s.part, s.note, s.site)
    if len(x.shape) == 2:
        target.order = (1, 0) if x.order is None else None if x.order == (1, 0) else x.order
        return Statement(target, "attribute", "T", (x,), {}, *more)
    return Statement(target, "method", "reshape", (x, shape), {}, *more)
