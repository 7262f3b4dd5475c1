"""Buffers of different shapes in the same memory, where one is used before the other.

The largest come first; each goes into the first piece of memory that is free all the time it is
needed. A net holds no more memory so than while it ran without buffers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..program import Program, Statement, Var, leaves

SMALL = 4096
"""Buffers of fewer bytes keep memory of their own."""

LARGE = 1 << 16
"""Other arrays of so many bytes are let go of as soon as possible."""

Life = tuple[int, int]
"""From the statement that fills a buffer to the one that reads it last."""


def share_memory(program: Program, lives: Mapping[Var, Sequence[Life]]) -> None:
    """Write into `program.memory` how large the pieces are, and which buffer lies in which."""
    taken: list[list[Life]] = []
    for buffer in sorted(lives, key=size_of, reverse=True):
        size = size_of(buffer)
        if size < SMALL:
            continue
        free = (
            k
            for k, others in enumerate(taken)
            if not any(_meet(a, b) for a in lives[buffer] for b in others)
        )
        k = next(free, len(taken))
        if k == len(taken):
            taken.append([])
            program.memory.append(size)
        taken[k] += lives[buffer]
        program.lies_in[buffer] = k


def fit_memory(program: Program) -> None:
    """Make the pieces no larger than the buffers that are left in them."""
    sizes: dict[int, int] = {}
    for buffer, k in program.lies_in.items():
        sizes[k] = max(sizes.get(k, 0), size_of(buffer))
    number = {k: i for i, k in enumerate(sorted(sizes))}
    program.memory = [sizes[k] for k in number]
    program.lies_in = {buffer: number[k] for buffer, k in program.lies_in.items()}


def forget_results(program: Program) -> None:
    """`del` large arrays that are no buffers behind the statement that reads them last."""
    staying = {v.base for v in leaves((program.output, program.kept))}
    names: dict[Var, list[Var]] = {}
    last: dict[Var, int] = {}
    for i, s in enumerate(program.statements):
        made = s.target
        if made is not None and made.dtype is not None and made.base not in staying:
            names.setdefault(made.base, []).append(made)
        for v in [*s.reads(), *([made] if made is not None else [])]:
            last[v.base] = i
    ends: dict[int, list[Var]] = {}
    for base, made_from in names.items():
        if base in made_from and size_of(base) >= LARGE:
            ends.setdefault(last[base], []).extend(made_from)
    program.statements = [
        kept
        for i, s in enumerate(program.statements)
        for kept in ([s, _forgotten(ends[i], s)] if i in ends else [s])
    ]


def _forgotten(names: list[Var], s: Statement) -> Statement:
    return Statement(None, "forget", "del", tuple(names), {}, part=s.part)


def size_of(v: Var) -> int:
    """In bytes."""
    return math.prod(v.shape or ()) * int(v.dtype.itemsize)


def _meet(a: Life, b: Life) -> bool:
    return a[0] <= b[1] and b[0] <= a[1]
