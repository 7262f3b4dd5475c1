"""Numbers as arrays: NumPy converts a Python float anew in every call, an array once for all."""

from __future__ import annotations

import math
from typing import Any

from ...engine.types import np
from ..program import Program, Statement, Var


def typed_numbers(program: Program) -> None:
    """Numbers beside arrays become arrays without axes, in the arrays' dtype.

    Those that the program computes are written into one that is kept, before they are used.
    """
    known: dict[tuple[Any, float], Var] = {}
    filled: dict[tuple[Any, Var], Var] = {}
    spread: dict[Any, Var] = {}
    statements: list[Statement] = []
    for s in program.statements:
        dtype = _dtype(s)
        if dtype is not None:
            if s.function in (np.maximum, np.minimum) and "out" in s.kwargs:
                s.args = tuple(_spread(a, s.kwargs["out"], spread, program) for a in s.args)
            s.args = tuple(_typed(a, dtype, known, program) for a in s.args)
            if "out" in s.kwargs:
                before = len(filled)
                s.args = tuple(_filled(a, dtype, filled, program) for a in s.args)
                for (_, number), place in list(filled.items())[before:]:
                    statements.append(_store(place, number, s))
        statements.append(s)
    program.statements = statements


def _dtype(s: Statement) -> Any:
    """The dtype that numbers take in an entry-by-entry call, where it is that of all arrays."""
    if s.kind != "call" or not isinstance(s.function, np.ufunc):
        return None
    if s.target is not None and not s.target.shape:
        return None  # of two numbers: between an array and a number of NumPy it takes longer
    dtypes = {a.dtype for a in s.args if isinstance(a, (Var, np.generic)) and a.dtype is not None}
    if len(dtypes) != 1:
        return None
    (dtype,) = dtypes
    whole = dtype.kind in "iu" and all(_fits(a, dtype) for a in s.args)
    return dtype if whole or dtype.kind == "f" else None


def _fits(a: Any, dtype: Any) -> bool:
    """Is this a whole number of that dtype, or no number?"""
    if isinstance(a, Var):
        return a.dtype is not None
    return type(a) is int and np.iinfo(dtype).min <= a <= np.iinfo(dtype).max


def _typed(a: Any, dtype: Any, known: dict[Any, Var], program: Program) -> Any:
    if not isinstance(a, np.generic) and type(a) not in (int, float):
        return a
    key = (dtype, float(a))
    if key not in known:
        var = known[key] = Var(f"number_{len(known) + 1}", (), dtype)
        program.constants[var] = np.array(a, dtype)
    return known[key]


MANY = 256


def _spread(a: Any, out: Var, spread: dict[Any, Var], program: Program) -> Any:
    """A number as an array full of it: `np.maximum` takes three times as long with a number."""
    if type(a) not in (int, float) or out.shape is None or math.prod(out.shape) < MANY:
        return a
    shape = out.shape
    if out.order is None and math.prod(shape[1:]) >= MANY:
        shape = (1, *shape[1:])  # long enough, and the same for every sample
    key = (shape, out.dtype, out.order, float(a))
    if key not in spread:
        var = spread[key] = Var(f"full_{len(spread) + 1}", shape, out.dtype, order=out.order)
        axes = out.order or tuple(range(len(shape)))
        full = np.full([shape[i] for i in axes], a, out.dtype)
        program.constants[var] = full.transpose([axes.index(i) for i in range(len(axes))])
    return spread[key]


def _filled(a: Any, dtype: Any, filled: dict[Any, Var], program: Program) -> Any:
    if not isinstance(a, Var) or a.dtype is not None:
        return a
    if (dtype, a) not in filled:
        place = filled[dtype, a] = Var(f"buffer_{len(program.buffers) + 1}", (), dtype)
        program.buffers.append(place)
    return filled[dtype, a]


def _store(place: Var, number: Var, s: Statement) -> Statement:
    args = (place, Ellipsis, number)
    return Statement(None, "store", "store", args, {}, place, False, s.part, s.note, s.site)
