"""Entry-by-entry statements on long arrays, made block by block.

One after the other, each would carry the arrays through the caches: the update of Adam ten times.
In blocks that stay in a cache they come from memory once; and two threads share them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...engine.threads import WORTH_IT, on_two_threads
from ...engine.types import np
from ..program import ARITHMETIC, Program, Statement, Var, leaves
from .arena import fit_memory

LEAST = 1 << 16
"""Entries of an array that is worth it."""

BLOCK = 1 << 14
"""Entries of a block."""


def into_blocks(program: Program) -> None:
    """Put runs of such statements into one statement of the kind "blocks" each."""
    statements: list[Statement] = []
    run: list[Statement] = []
    length = 0
    for s in [*program.statements, None]:
        n = 0 if s is None else _length(s)
        if s is not None and (n == length > 0 or (run and _is_of_numbers(s))):
            run.append(s)
            continue
        statements += _in_one(run, length, program, statements)
        run, length = ([s], n) if s is not None and n else ([], 0)
        if s is not None and not n:
            statements.append(s)
    program.statements = statements
    fit_memory(program)


def _length(s: Statement) -> int:
    """Of the arrays that the statement goes through entry by entry; 0 if it is none of these."""
    if s.kind != "call" or not isinstance(s.function, np.ufunc) or set(s.kwargs) != {"out"}:
        return 0
    if s.function is np.matmul:
        return 0
    shapes = {v.shape for v in s.reads() if v.shape}
    if len(shapes) != 1 or any(v.order == "gaps" for v in s.reads()):
        return 0
    (shape,) = shapes
    return shape[0] if shape is not None and len(shape) == 1 and shape[0] >= LEAST else 0


def _is_of_numbers(s: Statement) -> bool:
    """It can come before a run as well: arithmetic on numbers, or one into its array."""
    return s.kind in ARITHMETIC or (s.kind == "store" and s.args[0].shape == ())


def _in_one(
    run: list[Statement], length: int, program: Program, done: list[Statement]
) -> list[Statement]:
    """The statements on numbers, and the others as one; `done` are those before them."""
    first = [s for s in run if _is_of_numbers(s)]
    long = [s for s in run if not _is_of_numbers(s)]
    if len(long) < 3:
        return run
    number = sum(s.kind == "blocks" for s in done) + 1
    whole = Statement(None, "blocks", "blocks", (length, number), {}, None, False, long[0].part)
    whole.function = tuple(long)
    outside = {v for s in program.statements if s not in long for v in _read_by(s)}
    outside |= set(leaves((program.output, program.kept)))
    for buffer in list(program.buffers):
        if buffer.shape == (length,) and buffer not in outside and buffer in _vars_of(long):
            program.buffers.remove(buffer)
            program.lies_in.pop(buffer, None)
            whole.kwargs[buffer.name] = buffer
    return [*first, whole]


def _read_by(s: Statement) -> list[Var]:
    return _vars_of(list(s.function)) if s.kind == "blocks" else s.reads()


def _vars_of(statements: list[Statement]) -> list[Var]:
    return [v for s in statements for v in s.reads()]


def in_blocks(work: Callable[[int, int, int], None], length: int) -> None:
    """work(k, start, stop) for all blocks, by two threads (k = 0 and 1) where that is worth it."""
    starts = range(0, length, BLOCK)
    parts = [(i % 2, start, min(start + BLOCK, length)) for i, start in enumerate(starts)]
    each: Any = np.errstate(all="ignore")(lambda part: work(*part))  # of each thread its own
    if length >= WORTH_IT:
        on_two_threads(each, parts)
    else:
        for part in parts:
            work(*part)
