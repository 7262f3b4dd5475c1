"""Numbers as arrays: NumPy converts a Python float anew in every call, an array once for all."""

from __future__ import annotations

from typing import Any

from ..engine.types import np
from .program import Program, Statement, Var


def typed_numbers(program: Program) -> None:
    """Floats and integers beside float arrays become arrays without axes, in the arrays' dtype."""
    known: dict[tuple[Any, float], Var] = {}
    for s in program.statements:
        dtype = _dtype(s)
        if dtype is not None:
            s.args = tuple(_typed(a, dtype, known, program) for a in s.args)


def _dtype(s: Statement) -> Any:
    """The dtype that numbers take in an entry-by-entry call, where it is that of all arrays."""
    if s.kind != "call" or not isinstance(s.function, np.ufunc):
        return None
    dtypes = {a.dtype for a in s.args if isinstance(a, Var) and a.shape is not None}
    if len(dtypes) != 1 or any(isinstance(a, Var) and not a.shape for a in s.args):
        return None
    (dtype,) = dtypes
    return dtype if dtype is not None and dtype.kind == "f" else None


def _typed(a: Any, dtype: Any, known: dict[Any, Var], program: Program) -> Any:
    if type(a) not in (int, float):
        return a
    key = (dtype, float(a))
    if key not in known:
        var = known[key] = Var(f"number_{len(known) + 1}", (), dtype)
        program.constants[var] = np.array(a, dtype)
    return known[key]
