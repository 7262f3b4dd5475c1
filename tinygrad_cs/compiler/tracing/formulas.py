"""Operations on Python numbers as the arithmetic they are.

The record of an operation holds a function of floats: an operator, a function of `math`, or a
lambda. The first two are called by name, and the text of a lambda stands in the program itself:
`x if x > 0 else 0.0`. Anything longer is called.
"""

from __future__ import annotations

import ast
import operator
import types
from functools import cache
from typing import Any

from ...engine.apply import float_value
from ...engine.errors import CompileError
from ...engine.record import Operation
from ..printing.syntax import node_of
from .stand_in import example_of

_OPERATORS = {operator.add, operator.sub, operator.mul, operator.truediv, operator.neg}
_WRITTEN: dict[Any, str] = {
    operator.pos: "+{0}",
    operator.mod: "{0} % {1}",
    operator.floordiv: "{0} // {1}",
}


def as_statement(op: Operation, values: list[Any], params: tuple[Any, ...], recorder: Any) -> Any:
    """What stands for the result of an operation on numbers; at least one of them is traced."""
    function: Any = op.scalar
    if function in _OPERATORS:
        return function(*values)
    args = (*values, *params)
    example = float_value(op, example_of(values), example_of(params))
    text = formula(function, len(args))
    if text is not None:
        return recorder.number("formula", text, args, example)
    return recorder.record("helper", function, args, {}, example)


@cache
def formula(function: Any, count: int) -> str | None:
    """The text of a function of `count` numbers, `{0}` for the first; None if it has none.

    Example:
        >>> import math, operator
        >>> formula(math.tanh, 1), formula(operator.mod, 2)
        ('math.tanh({0})', '{0} % {1}')
    """
    if function in _WRITTEN:
        return _WRITTEN[function]
    if isinstance(function, types.BuiltinFunctionType) and function.__module__ == "math":
        places = ", ".join(f"{{{i}}}" for i in range(count))
        return f"math.{function.__name__}({places})"
    if not isinstance(function, types.LambdaType) or function.__name__ != "<lambda>":
        return None
    if function.__closure__:
        return None
    try:
        node: Any = node_of(function)
    except (CompileError, OSError):
        return None
    places_of = {arg.arg: f"{{{i}}}" for i, arg in enumerate(node.args.args)}
    free = {n.id for n in ast.walk(node.body) if isinstance(n, ast.Name)} - set(places_of)
    if free - {"math", "abs", "min", "max"}:
        return None
    for name in ast.walk(node.body):
        if isinstance(name, ast.Name) and name.id in places_of:
            name.id = places_of[name.id]
    return ast.unparse(node.body)
