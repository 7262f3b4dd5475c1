"""The function that users call for an operation, written as text around `apply`.

As text, because then Python itself binds arguments, checks them and fills in defaults, and because
the commonest cases can be spelled out for the operands at hand: plain arrays, on which rules call
operations all the time, and nothing but tensors while no mode is set. `apply` knows every other
case, and explains it where one of these fails.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from .apply import apply, recorded
from .modes import CHANGED
from .node import NOTHING, TENSORS
from .record import Operation
from .scalar import Scalar, unary_call
from .types import np

_RAW = frozenset((np.ndarray, float, int, bool, np.float32, np.float64))


def caller(
    op: Operation, signature: inspect.Signature, function: Callable[..., Any]
) -> Callable[..., Any]:
    """A function with the given signature; `function` has it too and gives values on arrays."""
    names: dict[str, Any] = {
        "apply": apply,
        "changed": CHANGED,
        "function": function,
        "ndarray": np.ndarray,
        "nothing": NOTHING,
        "op": op,
        "raw": _RAW,
        "recorded": recorded,
        "Scalar": Scalar,
        "tensors": TENSORS,
        "unary_call": unary_call,
    }
    arguments = []
    for name, p in signature.parameters.items():
        if p.default is p.empty:
            arguments.append(name)
        else:
            names[f"default_{name}"] = p.default
            arguments.append(f"{name}=default_{name}")
    operands = op.operands[0] if op.variadic else _tuple(op.operands)
    lines = [
        f"def call({', '.join(arguments)}):",
        *([] if op.variadic else _shortcuts(op, list(signature.parameters))),
        f"    return apply(op, {operands}, {_tuple(op.params)})",
    ]
    exec(_compiled("\n".join(lines)), names)
    made: Callable[..., Any] = names["call"]
    return made


@cache
def _compiled(text: str) -> Any:
    """Most functions of one array have the same text; compiling is a third of the import time."""
    return compile(text, "<string>", "exec")


def _shortcuts(op: Operation, arguments: list[str]) -> list[str]:
    operands = op.operands
    lines = []
    if not op.keep:
        raw = " and ".join(f"type({n}) in raw" for n in operands)
        arrays = " or ".join(f"type({n}) is ndarray" for n in operands)
        lines += [
            f"    if {raw} and ({arrays}):",
            f"        try: return function({', '.join(arguments)})",
            "        except Exception: pass",
        ]
    if op.scalar is not None and len(operands) == 1 and not op.params:
        (x,) = operands
        lines += [f"    if type({x}) is Scalar: return unary_call(op, {x}, apply)"]
    tensors = " and ".join(f"type({n}) in tensors" for n in operands)
    values = ", ".join(f"{n}._data" if n in operands else n for n in arguments)
    pattern = " + ".join(f"({n}._node is not None) * {1 << i}" for i, n in enumerate(operands))
    nodes = _tuple(f"{n}._node or nothing" for n in operands)
    data = _tuple(f"{n}._data" for n in operands)
    lines += [
        f"    if not changed and {tensors}:",
        f"        try: out = function({values})",
        "        except Exception: pass",
        f"        else: return recorded(op, {pattern}, {nodes}, {data}, {_tuple(op.params)}, out)",
    ]
    return lines


def _tuple(items: Iterable[str]) -> str:
    return f"({''.join(item + ', ' for item in items)})"
