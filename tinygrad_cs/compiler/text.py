"""Statements as NumPy text."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..engine.types import np
from .program import Program, Statement, Var

_OPERATORS = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.power: "**",
    np.matmul: "@", np.greater: ">", np.less: "<", np.greater_equal: ">=", np.less_equal: "<=",
    np.equal: "==", np.not_equal: "!=", np.remainder: "%", np.floor_divide: "//",
}  # fmt: skip


_inside: dict[Var, Statement] = {}
"""Values that are shown as the expression that gives them, while `showing` lasts."""

_aliases: dict[str, str] | None = None
"""Short names of the functions that are called, while they are collected."""

_names: dict[Any, str] = {}
"""What functions of the library are called meanwhile."""


@contextmanager
def showing(inside: dict[Var, Statement], names: dict[Any, str] | None = None) -> Iterator[None]:
    """Show these values as expressions, and call these functions by these names."""
    before, names_before = dict(_inside), dict(_names)
    _inside.update(inside)
    _names.update(names or {})
    try:
        yield
    finally:
        _inside.clear()
        _inside.update(before)
        _names.clear()
        _names.update(names_before)


def is_shown(x: Any) -> bool:
    """Is this value shown as an expression?"""
    return x in _inside


def is_nameless(name: str) -> bool:
    """Is this a name that nobody chose?"""
    return name.startswith("t_") and name[2:].isdigit()


def literal(x: Any) -> str:
    """A constant, or a value by its name, as it stands in the text."""
    if isinstance(x, Var):
        return expression(_inside[x]) if x in _inside else x.name
    if isinstance(x, tuple):
        return f"({', '.join(map(literal, x))}{',' if len(x) == 1 else ''})"
    if isinstance(x, list):
        return f"[{', '.join(map(literal, x))}]"
    if isinstance(x, np.dtype):
        return f"np.{x.name}" if hasattr(np, x.name) else repr(x)
    if isinstance(x, type) and x.__module__ == "numpy":
        return f"np.{x.__name__}"
    if isinstance(x, np.generic):
        return f"np.{type(x).__name__}({literal(x.item())})"
    if x is Ellipsis:
        return "..."
    if isinstance(x, float) and x in (float("inf"), float("-inf")):
        return "np.inf" if x > 0 else "-np.inf"
    if isinstance(x, float) and x != x:
        return "np.nan"
    return repr(x)


def operand(x: Any) -> str:
    """The same, in parentheses where it is an operation itself."""
    shown = literal(x)
    if isinstance(x, Var) and x in _inside and _is_operation(_inside[x]):
        return f"({shown})"
    return f"({shown})" if isinstance(x, (int, float)) and x < 0 else shown


def _is_operation(s: Statement) -> bool:
    if s.kind == "formula":
        return not s.function.startswith("math.")
    if s.kind == "operator":
        return True
    if s.kind != "call" or s.kwargs:
        return False
    return (s.function in _OPERATORS and len(s.args) == 2) or s.function is np.negative


def _index(x: Any) -> str:
    if isinstance(x, tuple) and x:
        return ", ".join(map(_index, x)) + ("," if len(x) == 1 else "")
    if isinstance(x, slice):
        parts = ["" if p is None else literal(p) for p in (x.start, x.stop)]
        step = "" if x.step is None else f":{literal(x.step)}"
        return ":".join(parts) + step
    return "None" if x is None else literal(x)


def _arguments(args: Any, kwargs: Any) -> str:
    return ", ".join([*map(literal, args), *(f"{k}={literal(v)}" for k, v in kwargs.items())])


def helper_name(function: Any) -> str:
    """What a function of the library is called in the text."""
    if function in _names:
        return _names[function]
    name = function.__name__
    return f"{name}_" if name.isidentifier() else f"rule_{id(function)}"


def function_name(function: Any) -> str:
    """How a function of NumPy or `math` is called in the text."""
    name = _full_name(function)
    if _aliases is None:
        return name
    return _aliases.setdefault(name, name.replace(".", "_"))


def _full_name(function: Any) -> str:
    if isinstance(function, np.ufunc):
        return f"np.{function.__name__}"
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return f"np.{owner.__name__}.{function.__name__}"
    if "linalg" in (getattr(function, "__module__", "") or ""):
        return f"np.linalg.{function.__name__}"
    return f"np.{function.__name__}"


def expression(statement: Statement) -> str:
    """The right-hand side."""
    s = statement
    if s.kind == "operator":
        return f"{operand(s.args[0])} {s.function} {operand(s.args[1])}"
    if s.kind == "formula":
        template: str = s.function
        is_call = template.startswith("math.")
        return template.format(*map(literal if is_call else operand, s.args))
    if s.kind == "attribute":
        return f"{operand(s.args[0])}.{s.function}"
    if s.kind == "item":
        return f"{operand(s.args[0])}[{_index(s.args[1])}]"
    if (
        s.kind == "method"
        and s.function == "dot"
        and len(s.args[0].shape) == len(s.args[1].shape) == 2
    ):
        return f"{operand(s.args[0])} @ {operand(s.args[1])}"
    if s.kind in ("method", "draw"):
        return f"{operand(s.args[0])}.{s.function}({_arguments(s.args[1:], s.kwargs)})"
    if s.kind == "masked":
        return f"np.where({_arguments(s.args, {})}, 0)"
    if s.kind == "helper":
        return f"{helper_name(s.function)}({_arguments(s.args, s.kwargs)})"
    if s.function in _OPERATORS and not s.kwargs and len(s.args) == 2:
        return f"{operand(s.args[0])} {_OPERATORS[s.function]} {operand(s.args[1])}"
    if s.function is np.square and not s.kwargs:
        return f"{operand(s.args[0])} ** 2"
    if s.function is np.negative and not s.kwargs:
        return f"-{operand(s.args[0])}"
    args, kwargs = s.args, s.kwargs
    if "out" in kwargs:
        args, kwargs = _positional(s.function, args, kwargs)
    return f"{function_name(s.function)}({_arguments(args, kwargs)})"


def _positional(function: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """`out` by position, which NumPy takes faster."""
    out = kwargs["out"]
    rest = {k: v for k, v in kwargs.items() if k != "out"}
    if function in (np.maximum, np.minimum):
        return args, kwargs  # NumPy is about to take a third position for something else
    if isinstance(function, np.ufunc) or function is np.dot:
        rest.pop("order", None)  # that of the array that is given
        return (*args, out), rest
    axis = rest.pop("axis", 0)
    keepdims = rest.pop("keepdims", None)
    more = (keepdims,) if keepdims else ()
    return ((*args, axis, None, out, *more), rest) if len(args) == 1 else ((*args,), kwargs)


def line(statement: Statement) -> str:
    """One line of the program, without its comment."""
    s = statement
    if s.kind == "guard":
        wrong = "not " if s.function else ""
        return f"if {wrong}{literal(s.args[0])}: raise {_names.get('stopped', 'Stopped')}"
    if s.kind == "forget":
        return f"del {_arguments(s.args, {})}"
    if s.kind == "store":
        return f"{literal(s.args[0])}[{_index(s.args[1])}] = {literal(s.args[2])}"
    if s.target is None:
        return expression(s)
    return f"{s.target.name} = {expression(s)}"


def _body(statements: Any, indent: str) -> list[str]:
    lines = []
    part = ""
    for s in statements:
        if s.part != part:
            part = s.part
            lines.append(f"{indent}# {part}")
        text = f"{indent}{line(s)}"
        lines.append(f"{text}  # {s.note}" if s.note else text)
    return lines


@contextmanager
def _short_names() -> Iterator[dict[str, str]]:
    """Call `np_add` what is `np.add`: looking it up took a tenth of a small net's step."""
    global _aliases
    _aliases = {}
    try:
        yield _aliases
    finally:
        _aliases = None


def _memory(b: Var, lies_in: dict[Var, int]) -> str:
    """A new array, with the axes in the order in which the value has them in memory."""
    assert b.shape is not None
    axes = b.order or tuple(range(len(b.shape)))
    shape = tuple(b.shape[i] for i in axes)
    if b in lies_in:
        end = math.prod(shape) * b.dtype.itemsize
        part = f"memory_{lies_in[b] + 1}[:{end}].view({literal(b.dtype)})"
        array = f"{part}.reshape({literal(shape)})"
    else:
        array = f"np.empty({literal(shape)}, {literal(b.dtype)})"
    if b.order is None:
        return array
    return f"{array}.transpose({literal(tuple(axes.index(i) for i in range(len(axes))))})"


def bound_text(program: Program) -> str:
    """The program as a function of the captured arrays that gives the function of the rest."""
    captured = ", ".join(v.name for v in program.captured)
    outside = set(program.captured)
    inputs = ", ".join(v.name for v in program.inputs if v not in outside)
    lines = [f"def bind({captured}):"]
    lines += [f"    memory_{k} = np.empty({n}, np.uint8)" for k, n in enumerate(program.memory, 1)]
    lines += [f"    {b.name} = {_memory(b, program.lies_in)}" for b in program.buffers]
    lines += _body(program.views, "    ")
    with _short_names() as aliases:
        body = _body(program.statements, "        ")
    lines += [f"    {short} = {name}" for name, short in aliases.items()]
    lines += [f"    def {program.name}({inputs}):", *body]
    lines += [f"        return {literal((*program.output, *program.kept))}"]
    return "\n".join([*lines, f"    return {program.name}"])
